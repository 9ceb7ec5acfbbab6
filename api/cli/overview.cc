// `overview`: what needs me, what runs, what ended since yesterday, is a platform in trouble (ux OV-01 to OV-04,
// OV-08).
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "api/cli/import_screen.h"
#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/sheet.h"
#include "api/cli/tree.h"
#include "storage/quota/budget.h"

namespace callimport::api {
namespace {

using nlohmann::json;
using Imports = std::vector<v1::Import>;

constexpr std::size_t kRows = 10;  // of a part; the others are counted
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kReportsMax = 50;  // each is read whole
constexpr int kPage = 1'000;
constexpr std::size_t kImportsMax = 20'000;

tl::expected<Imports, CliError> imports_in(Session& session, const std::vector<std::string>& conditions,
                                           std::int64_t created_after_ms) {
  v1::ListImportsRequest request;
  for (const auto& one : conditions) request.add_conditions(one);
  request.set_created_after_ms(created_after_ms);
  request.set_page_size(kPage);
  Imports imports;
  do {
    CLI_TRY(auto reply, (session.ask<v1::ListImportsRequest, v1::ListImportsResponse>("ListImports", request)));
    for (auto& import : *reply.mutable_imports()) imports.push_back(std::move(import));
    request.set_page_token(reply.next_page_token());
  } while (!request.page_token().empty() && imports.size() < kImportsMax);
  return imports;
}

std::int64_t month_began_ms(std::int64_t now_ms) {
  const auto seconds = static_cast<std::time_t>(now_ms / 1'000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  parts.tm_mday = 1;
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_isdst = -1;
  return static_cast<std::int64_t>(std::mktime(&parts)) * 1'000;
}

struct Month {
  std::int64_t imports = 0, found = 0, gaps = 0;
  std::int64_t ended = 0;  ///< that brought calls; the hours are those of the newest kReportsMax
  double hours = 0;
};

struct Strip {
  std::string now = "no trouble seen";
  int open = 0, troubled = 0;
  std::string left;  ///< of the account that has least, in words
  double least = 2;
};

struct Overview {
  Imports needs, runs, waits, paused, ended;
  std::map<std::string, Strip> platforms;
  Month month;
};

/// Most calls standing still first, then who has waited longest.
void sort_by_cost(Imports& imports) {
  const auto cost = [](const v1::Import& one) { return std::tuple(-one.counters().pending(), one.created_ms()); };
  std::sort(imports.begin(), imports.end(), [&](const auto& a, const auto& b) { return cost(a) < cost(b); });
}

/// Rate and time left, which only a look at a single import tells.
tl::expected<void, CliError> look_closer(Session& session, Imports& imports) {
  for (std::size_t i = 0; i < std::min(imports.size(), kRows); ++i) {
    v1::GetImportRequest request;
    request.set_id(imports[i].id());
    CLI_TRY(auto reply, (session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request)));
    imports[i] = std::move(*reply.mutable_import());
  }
  return {};
}

void count_open(const Imports& imports, std::map<std::string, Strip>& platforms) {
  for (const auto& import : imports) {
    auto& strip = platforms[import.platform()];
    ++strip.open;
    const auto& reason = shown_lane(import).reason();
    if (reason != "platform.outage" && reason != "platform.rate_limited" && reason != "platform.daily_quota") continue;
    ++strip.troubled;
    if (strip.now.find("platform.outage") == std::string::npos)
      strip.now = (reason == "platform.outage" ? "does not answer: " : "slows us down: ") + reason;
  }
}

tl::expected<void, CliError> count_budgets(Session& session, std::map<std::string, Strip>& platforms) {
  CLI_TRY(const auto reply, (session.ask<v1::ListBudgetsRequest, v1::ListBudgetsResponse>("ListBudgets", {})));
  for (const auto& budget : reply.budgets()) {
    if (budget.platform().empty() || budget.limit() <= 0) continue;
    auto& strip = platforms[budget.platform()];
    const double share = static_cast<double>(budget.left()) / static_cast<double>(budget.limit());
    if (share >= strip.least) continue;
    strip.least = share;
    strip.left = fmt::format(
        "{} {} of {} {} ({}; open imports: {})", human_count(budget.left()), budget.what(), human_count(budget.limit()),
        storage::period_words(std::chrono::milliseconds{budget.period_ms()}),
        printable(budget.workspace().empty() ? "the token's workspace" : budget.workspace()), budget.imports_size());
    if (budget.has_blocked_until_ms()) strip.now = "holds us until " + session.time(budget.blocked_until_ms());
  }
  return {};
}

tl::expected<Month, CliError> month_of(Session& session, const Imports& ended, std::int64_t since_ms) {
  v1::MeasureImportsRequest request;
  request.set_created_after_ms(since_ms);
  CLI_TRY(const auto reply,
          (session.ask<v1::MeasureImportsRequest, v1::MeasureImportsResponse>("MeasureImports", request)));
  Month month;
  for (const auto& one : reply.figures()) {
    if (one.platform().empty())
      std::tie(month.imports, month.found, month.gaps) = std::tuple(one.imports(), one.found(), one.gaps());
  }
  for (const auto& import : ended) {
    const bool brought = shown_lane(import).condition() != "undone" && import.counters().registered() > 0;
    if (import.closed_ms() < since_ms || !brought) continue;
    if (++month.ended > kReportsMax) continue;
    v1::GetReportRequest of;
    of.set_import(import.id());
    CLI_TRY(const auto told, (session.ask<v1::GetReportRequest, v1::GetReportResponse>("GetReport", of)));
    const auto report = json::parse(told.report(), nullptr, false);
    if (report.is_object() && report.contains("recorded_s") && report["recorded_s"].is_number())
      month.hours += report["recorded_s"].get<double>() / 3'600;
  }
  return month;
}

tl::expected<Overview, CliError> look_over(Session& session) {
  Overview seen;
  const auto now = session.now_ms();
  CLI_TRY(auto open, imports_in(session, {"needs_attention", "running", "waiting", "paused"}, 0));
  for (auto& import : open) {
    const auto& condition = shown_lane(import).condition();
    auto& part = condition == "needs_attention" ? seen.needs
                 : condition == "waiting"       ? seen.waits
                 : condition == "paused"        ? seen.paused
                                                : seen.runs;
    part.push_back(std::move(import));
  }
  for (const auto* part : {&seen.needs, &seen.runs, &seen.waits, &seen.paused}) count_open(*part, seen.platforms);
  sort_by_cost(seen.needs);
  CLI_TRY_VOID(look_closer(session, seen.runs));
  CLI_TRY_VOID(look_closer(session, seen.waits));
  CLI_TRY_VOID(count_budgets(session, seen.platforms));
  const auto month = month_began_ms(now);
  CLI_TRY(seen.ended, imports_in(session, {"completed", "completed_with_gaps", "failed", "cancelled", "undone"},
                                 std::min(month, now) - 31 * kDayMs));
  CLI_TRY(seen.month, month_of(session, seen.ended, month));
  std::erase_if(seen.ended, [&](const auto& import) { return import.closed_ms() < now - kDayMs; });
  return seen;
}

std::string name_of(const v1::Import& import) {
  return printable(import.title().empty() ? import.workspace() : import.title());
}
std::string done_of(const v1::Import& import) {
  const auto& counters = import.counters();
  return fmt::format("{}/{}", human_count(counters.found() - counters.pending()), human_count(counters.found()));
}
/// The range alone; `show` has the clock times and the cause.
std::string left_of(const v1::Import& import, std::int64_t now_ms) {
  const auto& eta = import.eta();
  if (!eta.has_from_ms() || !eta.has_to_ms()) return "not known yet";
  return human_duration(eta.from_ms() - now_ms) + " - " + human_duration(eta.to_ms() - now_ms);
}
std::string owner_of(const v1::Import& import) { return printable(shape(import).value("started_by", "")); }

/// A heading, the table of the first rows, and how to see the others; nothing of an empty part.
std::string part(const std::string& title, const Imports& imports, Table table, const std::string& all,
                 std::size_t width, const std::function<std::vector<std::string>(const v1::Import&)>& row) {
  if (imports.empty()) return {};
  for (std::size_t i = 0; i < std::min(imports.size(), kRows); ++i) table.rows.push_back(row(imports[i]));
  auto text = fmt::format("{} ({})\n{}", title, human_count(std::ssize(imports)), table.show(width));
  if (imports.size() > kRows)
    text += fmt::format("and {} more: {}\n", human_count(std::ssize(imports) - static_cast<std::int64_t>(kRows)), all);
  return text + "\n";
}

/// OV-02: each with the one thing that helps.
std::string needs_part(const Session& session, const Imports& imports) {
  if (imports.empty()) return "nothing waits for a person. Nice work!\n\n";
  auto text = fmt::format("needs a person ({})\n", human_count(std::ssize(imports)));
  for (std::size_t i = 0; i < std::min(imports.size(), kRows); ++i) {
    const auto& import = imports[i];
    text += wrapped(fmt::format("{}  {}  {} done  {}", import.id(), name_of(import), done_of(import),
                                state_line(session, import)),
                    session.width(), 4) +
            "\n" + wrapped("    " + next_command(import, true), session.width(), 6) + "\n";
  }
  if (imports.size() > kRows)
    text += fmt::format("and {} more: callimport list --attention\n",
                        human_count(std::ssize(imports) - static_cast<std::int64_t>(kRows)));
  return text + "\n";
}

std::string platforms_part(const Overview& seen, std::size_t width) {
  if (seen.platforms.empty()) return {};
  Table table{{"PLATFORM", "NOW", "OPEN", "WAIT FOR IT", "LEAST LEFT"}, {}, 4};
  for (const auto& [name, strip] : seen.platforms)
    table.rows.push_back({name, strip.now, std::to_string(strip.open), std::to_string(strip.troubled),
                          strip.left.empty() ? "-" : strip.left});
  const auto* heading = "platforms; each in detail: callimport platforms --platform NAME, callimport budgets";
  return wrapped(heading, width, 2) + "\n" + table.show(width) + "\n";
}

/// "12", or "the newest 50 of 120".
std::string hours_of(const Month& month) {
  if (month.ended <= kReportsMax) return human_count(month.ended);
  return fmt::format("the newest {} of {}", kReportsMax, human_count(month.ended));
}

std::string screen_of(const Session& session, const Overview& seen) {
  const auto width = session.width();
  auto text = needs_part(session, seen.needs);
  text += part("running", seen.runs, {{"IMPORT", "TITLE", "PLATFORM", "STAGE", "DONE", "RATE", "LEFT", "OWNER"}, {}, 1},
               "callimport list --state running", width, [&](const v1::Import& import) {
                 return std::vector<std::string>{import.id(),
                                                 name_of(import),
                                                 import.platform(),
                                                 stage_words(shown_lane(import).stage()),
                                                 done_of(import),
                                                 fmt::format("{:.0f}/min", import.eta().calls_per_minute()),
                                                 left_of(import, session.now_ms()),
                                                 owner_of(import)};
               });
  const auto held = [&](const v1::Import& import) {
    const auto& lane = shown_lane(import);
    return std::vector<std::string>{import.id(),
                                    name_of(import),
                                    import.platform(),
                                    done_of(import),
                                    printable(lane.reason().empty() ? lane.why() : lane.reason()),
                                    lane.has_until_ms() ? session.time(lane.until_ms()) : "-",
                                    owner_of(import)};
  };
  const Table held_table{{"IMPORT", "TITLE", "PLATFORM", "DONE", "WHY", "GOES ON", "OWNER"}, {}, 1};
  text += part("waiting, go on by themselves", seen.waits, held_table, "callimport list --state waiting", width, held);
  text += part("paused by a person", seen.paused, held_table, "callimport list --state paused", width, held);
  text += part("ended since yesterday", seen.ended,
               {{"IMPORT", "TITLE", "PLATFORM", "STATE", "REGISTERED", "ENDED"}, {}, 1},
               "callimport list --view finished-this-week", width, [&](const v1::Import& import) {
                 return std::vector<std::string>{import.id(),
                                                 name_of(import),
                                                 import.platform(),
                                                 condition_words(shown_lane(import).condition()),
                                                 fmt::format("{} of {}", human_count(import.counters().registered()),
                                                             human_count(import.counters().found())),
                                                 session.time(import.closed_ms())};
               });
  text += platforms_part(seen, width);
  const double share =
      seen.month.found == 0 ? 0 : 100 * static_cast<double>(seen.month.gaps) / static_cast<double>(seen.month.found);
  return text +
         wrapped(
             fmt::format("this month: {:.1f} hours of calls from {} ended imports; imports begun: {}; calls that did "
                         "not come: {:.1f} %; more: callimport metrics imports",
                         seen.month.hours, hours_of(seen.month), human_count(seen.month.imports), share),
             width, 2) +
         "\n";
}

json rows_of(const Imports& imports) {
  auto rows = json::array();
  for (std::size_t i = 0; i < std::min(imports.size(), kRows); ++i) {
    rows.push_back(shape(imports[i]));
    rows.back().erase("report");
    rows.back()["next"] = next_command(imports[i], true);
  }
  return rows;
}

json shape_of(const Overview& seen) {
  json platforms = json::array();
  for (const auto& [name, strip] : seen.platforms)
    platforms.push_back({{"platform", name},
                         {"now", strip.now},
                         {"open", strip.open},
                         {"wait_for_it", strip.troubled},
                         {"least_left", strip.left}});
  return {{"counts",
           {{"needs_attention", seen.needs.size()},
            {"running", seen.runs.size()},
            {"waiting", seen.waits.size()},
            {"paused", seen.paused.size()},
            {"ended_since_yesterday", seen.ended.size()}}},
          {"needs_attention", rows_of(seen.needs)},
          {"running", rows_of(seen.runs)},
          {"waiting", rows_of(seen.waits)},
          {"paused", rows_of(seen.paused)},
          {"ended_since_yesterday", rows_of(seen.ended)},
          {"platforms", platforms},
          {"month",
           {{"hours", seen.month.hours},
            {"hours_of_imports", std::min(seen.month.ended, kReportsMax)},
            {"ended", seen.month.ended},
            {"imports", seen.month.imports},
            {"found", seen.month.found},
            {"gaps", seen.month.gaps}}}};
}

Ended overview(Session& session) {
  CLI_TRY(const auto seen, look_over(session));
  Sheet sheet;
  sheet.rows = {shape_of(seen)};
  for (const char* count : {"needs_attention", "running", "waiting", "paused", "ended_since_yesterday"})
    sheet.columns.push_back({count, std::string("counts.") + count});
  const bool nothing = seen.needs.empty() && seen.runs.empty() && seen.waits.empty() && seen.paused.empty() &&
                       seen.ended.empty() && seen.month.imports == 0;
  sheet.text = [&] {
    return nothing ? std::string("no imports yet; next: callimport start\n") : screen_of(session, seen);
  };
  return print_object(session, sheet);
}

}  // namespace

void add_overview(Tree& tree) {
  auto& verb = tree.verb(tree.root, "overview", "What needs somebody, what runs, what ended, how platforms do",
                         {"callimport overview", "callimport overview -o json"});
  tree.run(verb, [&session = tree.session] { return overview(session); });
}

}  // namespace callimport::api
