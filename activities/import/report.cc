#include "activities/import/report.h"

#include <algorithm>
#include <cmath>

#include "activities/import/advice.h"
#include "activities/import/choice.h"
#include "activities/import/contract.h"
#include "activities/import/report_scan.h"
#include "activities/import/texts.h"
#include "storage/library/course.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using storage::ImportRow;
using storage::Problem;

constexpr int kActionsMax = 1'000;
constexpr std::size_t kApprovalsMax = 20;
constexpr std::size_t kDetailBytesMax = 300, kTitleBytesMax = 500;

/// What a report is made of, read once.
struct Findings {
  ImportRow row;
  std::vector<Problem> problems;
  ReportScan scan;
  storage::CourseEnd course;
  std::vector<storage::PaceSpan> pace;
  std::int64_t staged = 0;
  std::vector<storage::ActionRow> actions;  ///< the newest kActionsMax
  std::vector<storage::ToldTimeLeft> told;
};

Result<Findings> look(storage::Library& library, const std::string& import, std::int64_t now_ms) {
  Findings found;
  TRY(found.row, library.import(import));
  TRY(found.problems, library.problems(import));
  TRY(found.scan, scan_for_report(library, import));
  TRY(found.course, storage::course_of(library, import, now_ms));
  TRY(found.staged, storage::staged_calls(library, import));
  TRY(found.pace, library.pace(import));
  TRY(found.actions, library.actions(import, 0, kActionsMax));
  TRY(found.told, library.times_told(import));
  return found;
}

Verdict verdict_of(const Findings& found) {
  return grade_of({found.row.counters, found.row.enumerated, found.problems, found.scan.months});
}

/// Who approved the gaps, newest first.
json approvals_of(const std::vector<storage::ActionRow>& actions) {
  json rows = json::array();
  for (const auto& action : actions) {
    if (action.verb != "approve" || !action.outcome.empty()) continue;
    rows.push_back({{"who", cut_text(action.who, kDetailBytesMax)},
                    {"at_ms", action.at_ms},
                    {"why", cut_text(action.why, kDetailBytesMax)}});
    if (rows.size() == kApprovalsMax) break;
  }
  return rows;
}

static_assert(ImportSettings{}.approve_above_percent == kPoorPercent);

/// What the workflow asks itself before the import closes. One that failed or was cancelled asks nobody.
bool asks_for_approval(const ImportRow& row, const std::string& result) {
  const auto ask = read_note<ImportInput>(row.input);
  CounterNote counters;
  counters.found = row.counters.found;
  counters.failed = row.counters.failed;
  return ask && result.starts_with("completed") && gaps_want_approval(counters, ask->settings);
}

json counters_of(const storage::Counters& c) {
  return {{"found", c.found},     {"registered", c.registered}, {"duplicate", c.duplicate},
          {"skipped", c.skipped}, {"failed", c.failed},         {"pending", c.pending}};
}

json asked_of(const ImportRow& row) {
  const auto ask = read_note<ImportInput>(row.input);
  if (!ask) return json::object();
  json asked = {{"media", ask->media},
                {"first_lane", ask->settings.first_lane},
                {"started_by", cut_text(ask->started_by, kTitleBytesMax)}};
  if (ask->after_ms != 0) asked["after_ms"] = ask->after_ms;
  if (ask->before_ms != 0) asked["before_ms"] = ask->before_ms;
  if (ask->calls_max != 0) asked["calls_max"] = ask->calls_max;
  if (const auto choice = choice_words(*ask); !choice.empty()) asked["choice"] = choice;
  return asked;
}

/// What was said before the start, where it was, and whether it held.
json estimate_of(const ImportRow& row, const ReportMoment& moment) {
  const json input = json::parse(row.input, nullptr, false);
  const json said = input.is_object() ? input.value("predicted", json()) : json();
  if (!said.is_object()) return nullptr;
  const auto number = [&said](const char* key) {
    const json value = said.value(key, json());
    return value.is_number() ? value.get<std::int64_t>() : 0;
  };
  const std::int64_t to_ms = number("duration_to_ms");
  if (to_ms <= 0) return nullptr;
  const json cause = said.value("cause", json());
  json estimate = {{"calls", number("calls")},
                   {"duration_from_s", number("duration_from_ms") / 1'000},
                   {"duration_to_s", to_ms / 1'000},
                   {"cause", cause.is_string() ? cut_text(cause.get<std::string>(), kDetailBytesMax) : ""}};
  if (!moment.result.empty()) estimate["kept"] = moment.now_ms - row.created_ms <= to_ms;
  return estimate;
}

/// How the times left that were told on the way did against the end; null while there is none, or nothing was told.
json foretold_of(const std::vector<storage::ToldTimeLeft>& told, const ReportMoment& moment) {
  if (moment.result.empty() || told.empty()) return nullptr;
  std::int64_t held = 0;
  std::vector<double> off;
  for (const auto& one : told) {
    held += one.from_ms <= moment.now_ms && moment.now_ms <= one.to_ms ? 1 : 0;
    const auto left = static_cast<double>(std::max<std::int64_t>(moment.now_ms - one.at_ms, 1));
    const double middle = static_cast<double>(one.from_ms) / 2 + static_cast<double>(one.to_ms) / 2;
    off.push_back(std::abs(middle - static_cast<double>(moment.now_ms)) / left);
  }
  const auto half = off.begin() + static_cast<std::ptrdiff_t>(off.size() / 2);
  std::nth_element(off.begin(), half, off.end());
  return {{"told", std::ssize(told)}, {"held", held}, {"off_percent_median", std::round(*half * 100)}};
}

void put_times(json& report, const Findings& found, const ReportMoment& moment) {
  const ImportRow& row = found.row;
  report["started_ms"] = row.created_ms;
  report[moment.result.empty() ? "as_of_ms" : "closed_ms"] = moment.now_ms;
  report["duration_s"] = (moment.now_ms - row.created_ms) / 1'000;
  report["waited_s"] = found.course.waited_ms / 1'000;
  json first = {{"promise_s", kFirstReadyPromiseMs / 1'000}};
  if (row.first_ready_ms) {
    const std::int64_t after_ms = *row.first_ready_ms - row.created_ms;
    first["after_s"] = after_ms / 1'000;
    first["kept"] = after_ms <= kFirstReadyPromiseMs;
  } else if (!moment.result.empty() || moment.now_ms - row.created_ms > kFirstReadyPromiseMs) {
    first["kept"] = false;
  }
  report["first_ready"] = std::move(first);
}

json months_of(const std::vector<MonthTally>& months) {
  json rows = json::array();
  for (const auto& month : months) {
    rows.push_back({{"month", month.month},
                    {"found", month.found},
                    {"registered", month.registered},
                    {"duplicate", month.duplicate},
                    {"skipped", month.skipped},
                    {"failed", month.failed},
                    {"pending", month.pending}});
  }
  return rows;
}

json users_of(const std::vector<UserTally>& users) {
  json rows = json::array();
  for (const auto& user : users) {
    rows.push_back({{"user", user.user}, {"name", user.name}, {"found", user.found}, {"registered", user.registered}});
  }
  return rows;
}

json gaps_of(const ImportRow& row, const std::vector<Problem>& problems) {
  json rows = json::array();
  for (const auto& problem : problems) {
    if (rows.size() >= kGapsMax) break;
    const Advice& advice = advice_for(problem.cause);
    json gap = {{"cause", problem.cause},
                {"kind", to_string(kind_of_gap(problem.cause))},
                {"calls", problem.calls},
                {"failed", problem.failed},
                {"example", cut_text(problem.example, kDetailBytesMax)},
                {"detail", cut_text(problem.detail, kDetailBytesMax)},
                {"what", advice.what},
                {"means", advice.means},
                {"who", advice.who},
                {"action", action_for(advice, row.id, problem.cause)}};
    if (problem.first_ms) gap["first_ms"] = *problem.first_ms;
    if (problem.last_ms) gap["last_ms"] = *problem.last_ms;
    rows.push_back(std::move(gap));
  }
  return rows;
}

json waits_of(const storage::CourseEnd& course) {
  json rows = json::array();
  for (const auto& [reason, wait] : course.waits) {
    rows.push_back({{"reason", reason}, {"total_s", wait.total_ms / 1'000}, {"times", wait.times}});
  }
  return rows;
}

json chart_of(const Findings& found) {
  json calls = json::array(), waits = json::array();
  for (const auto& span : found.pace) {
    calls.push_back({{"at_ms", span.at_ms}, {"minutes", span.minutes}, {"calls", span.calls}});
  }
  for (const auto& span : found.course.spans) {
    waits.push_back({{"from_ms", span.from_ms}, {"to_ms", span.to_ms}, {"reason", span.reason}});
  }
  return {{"calls", std::move(calls)}, {"waits", std::move(waits)}};
}

json stages_of(const Findings& found) {
  json rows = json::array();
  for (const auto& facts : storage::stage_facts(found.course, found.row.counters, found.staged)) {
    json row = {
        {"stage", facts.stage}, {"duration_s", facts.duration_ms / 1'000}, {"waited_s", facts.waited_ms / 1'000}};
    if (facts.calls) row["calls"] = *facts.calls;
    if (facts.calls_per_minute) row["calls_per_minute"] = std::round(*facts.calls_per_minute * 10) / 10;
    rows.push_back(std::move(row));
  }
  return rows;
}

json verify_of(const ReportScan& scan) {
  json calls = json::array();
  for (const auto& call : scan.sample) {
    calls.push_back({{"source_id", cut_text(call.source_id, kDetailBytesMax)},
                     {"call", call.call},
                     {"start_ms", call.start_ms},
                     {"duration_s", call.duration_ms / 1'000}});
  }
  return {{"how",
           "Open each of these calls here (callimport calls show CALL) and at the platform. Compare title, start, "
           "length and people, play the recording at its start, middle and end, and read the transcript along."},
          {"calls", std::move(calls)}};
}

/// Of what came across; null without a price.
json cost_of_import(const Findings& found, const Prices& prices) {
  if (!prices.any()) return nullptr;
  const storage::Counters& counters = found.row.counters;
  const double hours = static_cast<double>(found.scan.registered_ms) / 3'600'000;
  const double cost =
      cost_of(prices, static_cast<double>(counters.registered), hours, static_cast<double>(counters.media_bytes));
  return {{"amount", std::round(cost * 100) / 100}, {"currency", prices.currency}, {"made_up_of", price_words(prices)}};
}

Report compose(const Findings& found, const ReportMoment& moment) {
  const ImportRow& row = found.row;
  const Verdict verdict = verdict_of(found);
  json report = {{"version", kReportVersion},
                 {"import", row.id},
                 {"platform", row.platform},
                 {"workspace", row.workspace},
                 {"title", cut_text(row.title, kTitleBytesMax)},
                 {"state", moment.result.empty() ? "open" : moment.result},
                 {"asked", asked_of(row)},
                 {"counters", counters_of(row.counters)},
                 {"recordings_bytes", row.counters.media_bytes},
                 {"recorded_s", found.scan.registered_ms / 1'000},
                 {"estimate", estimate_of(row, moment)},
                 {"times_left", foretold_of(found.told, moment)},
                 {"cost", cost_of_import(found, moment.prices)},
                 {"approvals", approvals_of(found.actions)},
                 {"months", months_of(found.scan.months)},
                 {"users", users_of(found.scan.users)},
                 {"gaps", gaps_of(row, found.problems)},
                 {"stages", stages_of(found)},
                 {"waits", waits_of(found.course)},
                 {"chart", chart_of(found)},
                 {"verify", verify_of(found.scan)}};
  put_times(report, found, moment);
  if (!moment.result.empty()) {
    report["grade"] = to_string(verdict.grade);
    report["grade_why"] = verdict.why;
    report["asks_for_approval"] = asks_for_approval(row, moment.result);
  }
  return {std::move(report), verdict};
}

}  // namespace

Result<Report> make_report(storage::Library& library, const std::string& import, const ReportMoment& moment) {
  TRY(const Findings found, look(library, import, moment.now_ms));
  return compose(found, moment);
}

Result<json> read_report(storage::Library& library, const std::string& import, std::int64_t now_ms,
                         const Prices& prices) {
  TRY(const std::string stored, library.report(import));
  TRY(const ImportRow row, library.import(import));
  if (row.closed_ms && !stored.empty()) return json::parse(stored, nullptr, false);
  // Open, or closed by a version that kept no whole report.
  ReportMoment moment{now_ms, "", prices};
  if (row.closed_ms) moment = {*row.closed_ms, row.bulk.condition, prices};
  TRY(Report made, make_report(library, import, moment));
  return std::move(made.body);
}

json without_names(json report) {
  std::size_t number = 0;
  for (json& user : report["users"]) {
    user.erase("name");
    ++number;
    const std::string known = user.value("user", "");
    if (!known.empty() && known != kOtherUsers) user["user"] = "user " + std::to_string(number);
  }
  for (json& gap : report["gaps"]) gap.erase("detail");
  return report;
}

}  // namespace callimport::activities
