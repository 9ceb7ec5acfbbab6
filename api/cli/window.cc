#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "activities/import/contract.h"
#include "api/cli/actions.h"
#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/cli/workflows.h"
#include "storage/windows/icalendar.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

struct WindowFlags {
  std::string id, text, zone, why;
  int count = 5;
};

constexpr std::int64_t kDaysShown = 60;  ///< how far ahead openings are listed

struct Known {
  v1::Import import;
  activities::ImportInput ask;
  storage::TimeWindow window;
};

tl::expected<Known, CliError> known_window(Session& session, const std::string& id) {
  CLI_TRY(const auto reply, get_import(session, id));
  Known known;
  known.import = reply.import();
  const auto ask = activities::read_note<activities::ImportInput>(known.import.input());
  if (!ask) {
    return sorry(kExitFailed, "not_found", "the window of " + known.import.id() + " is not known here",
                 "ask where its library is");
  }
  known.ask = *ask;
  if (known.ask.window.empty()) known.ask.window = storage::kWindowAlways;  // from before there were windows
  auto window = storage::TimeWindow::parse(known.ask.window, known.ask.zone);
  if (!window) return sorry(kExitFailed, "input.invalid", window.error().message, "callimport help windows");
  known.window = std::move(*window);
  return known;
}

Timestamp moment(std::int64_t unix_seconds) { return Timestamp{std::chrono::seconds{unix_seconds}}; }

/// The next openings, as far as they are wanted.
std::vector<storage::Stretch> next_openings(const Known& known, Timestamp now, int count) {
  const std::int64_t from = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  auto all = known.window.openings(from, from + kDaysShown * 86'400);
  if (all.size() > static_cast<std::size_t>(count)) all.resize(static_cast<std::size_t>(count));
  return all;
}

std::string state_of(const Known& known, Timestamp now) {
  if (known.window.always()) return "open at any hour";
  if (const auto closes = known.window.closes_at(now))
    return "open until " + storage::spoken_moment(*closes, known.window.zone());
  const auto opens = known.window.next_opening(now);
  if (!opens) return "never opens again";
  if (*opens <= now) return "open";
  return "closed, opens at " + storage::spoken_moment(*opens, known.window.zone());
}

Ended show(Session& session, const WindowFlags& flags) {
  CLI_TRY(const auto known, known_window(session, flags.id));
  const Timestamp now = from_unix_ms(session.now_ms());
  if (session.json()) {
    nlohmann::json out = {{"id", known.import.id()},
                          {"window", known.ask.window},
                          {"zone", known.window.zone().name},
                          {"open", known.window.is_open(now)}};
    if (const auto opens = known.window.next_opening(now)) out["next_opening_ms"] = to_unix_ms(*opens);
    if (const auto closes = known.window.closes_at(now)) out["closes_ms"] = to_unix_ms(*closes);
    session.print(dump(out) + "\n");
    return kExitDone;
  }
  session.show(fmt::format("{}\n  window  {}\n  zone    {}\n  now     {}\n", known.import.id(),
                           printable(known.ask.window), known.window.zone().name, state_of(known, now)));
  return kExitDone;
}

Ended next(Session& session, const WindowFlags& flags) {
  CLI_TRY(const auto known, known_window(session, flags.id));
  const auto openings = next_openings(known, from_unix_ms(session.now_ms()), flags.count);
  nlohmann::json rows = nlohmann::json::array();
  Table table{{"opens", "closes"}, {}, 0};
  for (const auto& one : openings) {
    rows.push_back({{"opens_ms", one.from * 1'000}, {"closes_ms", one.to * 1'000}});
    table.rows.push_back({storage::spoken_moment(moment(one.from), known.window.zone()),
                          storage::spoken_moment(moment(one.to), known.window.zone())});
  }
  if (session.json()) {
    session.print(dump(rows) + "\n");
  } else {
    session.show(table.show(0));
  }
  if (openings.empty()) session.say(fmt::format("no opening in the next {} days", kDaysShown));
  return kExitDone;
}

Ended ics(Session& session, const WindowFlags& flags) {
  CLI_TRY(const auto known, known_window(session, flags.id));
  const std::string& title = known.import.title().empty() ? known.import.workspace() : known.import.title();
  session.print(storage::write_icalendar(known.window, "Calls of " + title + " may be imported", known.import.id(),
                                         from_unix_ms(session.now_ms())));
  return kExitDone;
}

Ended set(Session& session, const WindowFlags& flags) {
  v1::SetWindowRequest request;
  request.set_window(flags.text);
  request.set_zone(flags.zone);
  ActionCall call{"Set it?", "set", action_sender(session, "SetWindow", request)};
  call.by_temporal = [&session, &flags](const std::string& id) {
    const char* user = std::getenv("USER");
    const nlohmann::json input = {{"window", flags.text},
                                  {"zone", flags.zone},
                                  {"who", user == nullptr ? "the terminal" : user},
                                  {"why", flags.why}};
    return signal_workflow(session, id, workflows::kSignalSetWindow, dump(input));
  };
  return act_on_imports(session, "window set", {flags.id, {}, flags.why}, call);
}

std::shared_ptr<WindowFlags> flags_of(CLI::App& verb) {
  auto flags = std::make_shared<WindowFlags>();  // shared by the parser and the body
  verb.add_option("import", flags->id, "import id or its beginning")->required();
  return flags;
}

void add_one(Tree& tree, CLI::App& parent, const std::string& name, const std::string& summary,
             Ended (*body)(Session&, const WindowFlags&), const std::vector<std::string>& examples,
             void (*more)(CLI::App&, WindowFlags&)) {
  auto& verb = tree.verb(parent, name, summary, examples);
  const auto flags = flags_of(verb);
  if (more != nullptr) more(verb, *flags);
  tree.run(verb, [&session = tree.session, flags, body] { return body(session, *flags); });
}

}  // namespace

void add_window(Tree& tree) {
  auto& window = tree.verb(tree.root, "window", "When the bulk of an import may run",
                           {"callimport window show imp_7f3a", "callimport window set imp_7f3a always"});
  window.require_subcommand(1);
  add_one(tree, window, "show", "The window, and whether it is open", show,
          {"callimport window show imp_7f3a", "callimport window show imp_7f3a -o json"}, nullptr);
  add_one(tree, window, "next", "Its next openings, in the customer's zone and in UTC", next,
          {"callimport window next imp_7f3a", "callimport window next imp_7f3a --count 10"},
          [](CLI::App& verb, WindowFlags& flags) {
            verb.add_option("--count", flags.count, "how many")->check(CLI::Range(1, 100));
          });
  add_one(tree, window, "ics", "As a calendar (iCalendar) that admins can subscribe to", ics,
          {"callimport window ics imp_7f3a > acme.ics", "callimport window ics imp_7f3a | less"}, nullptr);
  add_one(tree, window, "set", "Give a running import another one; it holds at once", set,
          {"callimport window set imp_7f3a always --yes",
           "callimport window set imp_7f3a 'nights; closed 2026-12-24..2026-12-26' --zone Europe/Madrid"},
          [](CLI::App& verb, WindowFlags& flags) {
            verb.add_option("window", flags.text, "the words: callimport help windows")->required();
            verb.add_option("--zone", flags.zone, "the customer's time zone");
            verb.add_option("--why,--reason", flags.why, "told with the change");
          });
}

}  // namespace callimport::api
