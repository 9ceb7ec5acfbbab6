#include "api/cli/wizard.h"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <nlohmann/json.hpp>

#include "activities/platforms/matrix.h"
#include "activities/platforms/platform.h"
#include "api/cli/platforms_page.h"
#include "api/cli/shape.h"
#include "storage/windows/time_window.h"

namespace callimport::api {
namespace {

using tl::expected;

/// Nothing when the answer can be used, else what is wrong with it.
using Check = std::function<std::string(const std::string& answer)>;

expected<std::string, CliError> ask(const Session& session, const std::string& question, const std::string& otherwise,
                                    const Check& check) {
  for (;;) {
    CLI_TRY(auto answer, session.ask_line(otherwise.empty() ? question : question + " [" + otherwise + "]"));
    if (answer.empty()) answer = otherwise;
    const auto wrong = check(answer);
    if (wrong.empty()) return answer;
    session.say_raw("  " + wrong + "\n");
  }
}

std::string platform_names() {
  std::string names;
  for (const auto* one : activities::platforms()) names += (names.empty() ? "" : ", ") + std::string(one->name);
  return names;
}

/// NW-02: the matrix in short, for whoever has to choose.
void say_platforms(const Session& session) {
  for (const auto* one : activities::platforms()) {
    const auto* row = activities::matrix_row(one->name);
    if (row == nullptr) continue;
    std::string gaps;
    for (const auto& gap : row->at("gaps")) gaps += (gaps.empty() ? "" : "; ") + gap.get<std::string>();
    const auto fact = [&](const char* key) { return row->at(key).get<std::string>(); };
    const auto line = [&](const std::string& text) {
      session.say_raw(wrapped("  " + text, session.talk_width(), 4) + "\n");
    };
    line(fmt::format("{}: {}", one->name, comes_across_words(*row)));
    line(fmt::format("needs: {}; {}", fact("plan"), fact("role")));
    line("5,000 calls: " + row->at("usual").value("5000", "not known"));
    line("gaps: " + gaps + "; last verified by " +
         (row->contains("verified") ? row->at("verified").at("test").get<std::string>() : "nothing"));
  }
}

expected<void, CliError> ask_platform(const Session& session, StartFlags& flags) {
  if (!flags.platform.empty()) return {};
  say_platforms(session);
  CLI_TRY(flags.platform, ask(session, "Where are the calls? (" + platform_names() + ")",
                              std::string(activities::platforms().front()->name), [](const std::string& answer) {
                                return activities::find_platform(answer) != nullptr
                                           ? std::string()
                                           : "there is no connector of that name; there are: " + platform_names();
                              }));
  return {};
}

expected<void, CliError> ask_customer(const Session& session, StartFlags& flags) {
  if (!flags.customer.empty() || !flags.workspace.empty()) return {};
  CLI_TRY(flags.customer,
          ask(session, "Whose calls are they? (the customer's name)", "", [](const std::string& answer) {
            if (answer.empty()) return std::string("a name is needed: people find the import by it");
            return answer.size() > activities::kNameBytesMax ? std::string("that is too long") : std::string();
          }));
  return {};
}

/// One of the credentials kept for the platform, or none: then a token is asked for.
expected<void, CliError> ask_credential(Session& session, StartFlags& flags) {
  if (!flags.credential.empty() || flags.token.given()) return {};
  CLI_TRY(const auto all,
          (session.ask<v1::ListCredentialsRequest, v1::ListCredentialsResponse>("ListCredentials", {})));
  std::vector<v1::Credential> usable;
  for (const auto& one : all.credentials()) {
    if (one.platform() == flags.platform && !one.has_wiped_ms()) usable.push_back(one);
  }
  if (usable.empty()) return {};
  for (std::size_t i = 0; i < usable.size(); ++i) {
    session.say_raw(fmt::format("  {}  {}  {}  {}\n", i + 1, usable[i].id(), printable(usable[i].workspace()),
                                printable(usable[i].label())));
  }
  std::size_t chosen = 0;
  const auto check = [&](const std::string& answer) -> std::string {
    const auto read = std::from_chars(answer.data(), answer.data() + answer.size(), chosen);
    const bool number = read.ec == std::errc() && read.ptr == answer.data() + answer.size();
    return number && chosen <= usable.size() ? "" : fmt::format("a number from 0 to {}", usable.size());
  };
  CLI_TRY_VOID(ask(session, "Which access? (0: another token, asked for at the end)", "1", check));
  if (chosen > 0) flags.credential = usable[chosen - 1].id();
  return {};
}

expected<void, CliError> ask_extent(const Session& session, StartFlags& flags) {
  if (flags.sample.empty() && flags.newest == 0) {
    const auto check = [](const std::string& answer) -> std::string {
      std::int64_t calls = 0;
      const auto read = std::from_chars(answer.data(), answer.data() + answer.size(), calls);
      const bool number = read.ec == std::errc() && read.ptr == answer.data() + answer.size();
      const bool usable = answer == "all" || (number && calls > 0 && calls <= kSampleMax);
      return usable ? "" : fmt::format("a number up to {}, or all", kSampleMax);
    };
    CLI_TRY(const auto answer,
            ask(session, "How many calls? (all, or a number across all dates to try it out)", "all", check));
    if (answer != "all") flags.sample = answer;
  }
  if (flags.after.empty()) {
    CLI_TRY(flags.after,
            ask(session, "Since when? (a day such as 2026-01-31, or Enter for all)", "", [](const std::string& answer) {
              const auto time = read_time("this", answer);
              return time ? std::string() : time.error().message;
            }));
  }
  if (!flags.no_media) {
    CLI_TRY(const auto answer,
            ask(session, "Recordings, too? (yes, or no for transcripts only)", "yes", [](const std::string& text) {
              return text == "yes" || text == "y" || text == "no" || text == "n" ? std::string()
                                                                                 : std::string("yes or no");
            }));
    flags.no_media = answer.starts_with('n');
  }
  return {};
}

/// NW-09: the moment, and the hours for all but the first calls, checked as they are typed.
expected<void, CliError> ask_when(const Session& session, StartFlags& flags) {
  if (!flags.window.empty() || !flags.at.empty() || !flags.sample.empty()) return {};
  const auto check = [&](const std::string& answer) -> std::string {
    if (answer.empty()) return {};
    const auto window = storage::TimeWindow::parse(answer, flags.zone);
    return window ? std::string() : window.error().message;
  };
  CLI_TRY(flags.window,
          ask(session,
              "When may all but the first calls run? (nights, always, \"weekdays 20:00-06:00\"; Enter: as the "
              "server says)",
              "", check));
  return {};
}

std::string quoted(const std::string& word) {
  if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/@") ==
      std::string::npos)
    return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string as_command(const StartFlags& flags) {
  std::string command = "callimport start";
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) command += fmt::format(" {} {}", name, quoted(value));
  };
  add("--platform", flags.platform);
  add("--customer", flags.customer);
  add("--workspace", flags.workspace);
  add("--base-url", flags.base_url);
  add("--credential", flags.credential);
  if (flags.credential.empty()) add("--token-file", flags.token.file.empty() ? "FILE" : flags.token.file);
  add("--sample", flags.sample);
  add("--after", flags.after);
  add("--window", flags.window);
  if (flags.no_media) command += " --no-media";
  return command + " --yes --owns-data";
}

}  // namespace

expected<StartFlags, CliError> ask_for_start(Session& session, StartFlags flags) {
  CLI_TRY_VOID(ask_customer(session, flags));
  CLI_TRY_VOID(ask_platform(session, flags));
  CLI_TRY_VOID(ask_credential(session, flags));
  CLI_TRY_VOID(ask_extent(session, flags));
  CLI_TRY_VOID(ask_when(session, flags));
  session.say("without questions: " + printable(as_command(flags)));
  return flags;
}

}  // namespace callimport::api
