#include "api/cli/report_text.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "api/cli/text.h"
#include "storage/model/time.h"

namespace callimport::api {
namespace {

using nlohmann::json;

constexpr std::size_t kRowsShown = 24;  ///< of a list on a terminal

std::int64_t number(const json& object, const std::string& key) {
  const json value = object.value(key, json());
  return value.is_number() ? value.get<std::int64_t>() : 0;
}

std::string seconds(const json& object, const std::string& key) { return human_duration(number(object, key) * 1'000); }

std::string first_ready_of(const json& report) {
  const json first = report.value("first_ready", json::object());
  const std::string promise = "promised within " + seconds(first, "promise_s");
  if (!first.contains("after_s")) return first.contains("kept") ? "not ready, " + promise : "not yet, " + promise;
  return seconds(first, "after_s") + (first.value("kept", false) ? ", as promised" : ", late: " + promise);
}

std::string duration_of(const json& report) {
  std::string text = seconds(report, "duration_s");
  if (number(report, "waited_s") > 0) text += ", of it " + seconds(report, "waited_s") + " waiting";
  return text;
}

std::string estimate_of(const json& report) {
  const json estimate = report.value("estimate", json());
  if (!estimate.is_object()) return {};
  std::string text = seconds(estimate, "duration_from_s") + " to " + seconds(estimate, "duration_to_s");
  if (estimate.contains("kept")) text += estimate.value("kept", false) ? ", which held" : ", which was too short";
  return text;
}

/// How the times left that were shown on the way did.
std::string times_left_of(const json& report) {
  const json told = report.value("times_left", json());
  if (!told.is_object()) return {};
  return fmt::format("the end fell within {} of {} that were shown; half were off by at most {} % of what was left",
                     number(told, "held"), number(told, "told"), number(told, "off_percent_median"));
}

std::string line_of(const std::string& name, const std::string& value) {
  return fmt::format("{}{}\n", fit(name, 24), printable(value));
}

std::string list_of(const std::string& title, const std::vector<std::pair<std::string, std::string>>& columns,
                    const json& rows, std::size_t cut_column, std::size_t width) {
  if (!rows.is_array() || rows.empty()) return {};
  Table table;
  table.cut_column = cut_column;
  for (const auto& [head, key] : columns) table.head.push_back(head);
  for (const json& row : rows) {
    if (table.rows.size() == kRowsShown) break;
    std::vector<std::string> cells;
    for (const auto& [head, key] : columns) {
      const json value = row.value(key, json());
      if (value.is_string()) {
        cells.push_back(printable(value.get<std::string>()));
      } else if (key.ends_with("_ms")) {
        cells.push_back(report_time(number(row, key)));
      } else if (key.ends_with("_s")) {
        cells.push_back(seconds(row, key));
      } else {
        cells.push_back(value.is_null() ? "" : human_count(number(row, key)));
      }
    }
    table.rows.push_back(std::move(cells));
  }
  std::string text = "\n" + title + "\n" + table.show(width);
  if (rows.size() > kRowsShown) text += fmt::format("and {} more; -o json has all\n", rows.size() - kRowsShown);
  return text;
}

std::string gaps_of(const json& report, std::size_t width) {
  const json gaps = report.value("gaps", json::array());
  std::string text =
      list_of("gaps", {{"CALLS", "calls"}, {"CAUSE", "cause"}, {"EXAMPLE", "example"}, {"WHAT HAPPENED", "what"}}, gaps,
              3, width);
  for (const json& gap : gaps) {
    text += fmt::format("  {}: {}\n", printable(gap.value("cause", "")), printable(gap.value("action", "")));
  }
  return text;
}

}  // namespace

std::string report_time(std::int64_t unix_ms) {
  const std::string text = format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(unix_ms)));
  if (text.size() < 16) return text;
  std::string minutes = text.substr(0, 16);
  if (minutes[10] == 'T') minutes[10] = ' ';
  return minutes;
}

std::string report_title(const json& report) {
  const std::string title = report.value("title", "");
  return "Import report: " + (title.empty() ? report.value("workspace", "") : title);
}

std::string report_place(const json& report) {
  return report.value("platform", "") + " · " + report.value("workspace", "") + " · " + report.value("import", "");
}

std::string report_grade(const json& report) {
  if (!report.contains("grade")) return "Still open: what is told here is so far";
  std::string grade = report.value("grade", "");
  if (!grade.empty()) grade[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(grade[0])));
  if (!report.value("asks_for_approval", false)) return "Grade: " + grade;
  const bool approved = !report.value("approvals", json::array()).empty();
  return "Grade: " + grade + (approved ? " (the gaps were approved)" : " (a person has to approve the gaps)");
}

std::string report_asked(const json& report) {
  const json asked = report.value("asked", json::object());
  std::string text = asked.value("media", true) ? "Recordings, transcripts and details"
                                                : "Transcripts and details, without recordings";
  if (asked.contains("after_ms")) text += ", from " + report_time(number(asked, "after_ms"));
  if (asked.contains("before_ms")) text += ", before " + report_time(number(asked, "before_ms"));
  if (asked.contains("calls_max"))
    text += fmt::format(", the newest {} calls", human_count(number(asked, "calls_max")));
  if (asked.contains("choice")) text += ", " + asked.value("choice", std::string());
  return text + fmt::format("; the first {} calls before all others.", human_count(number(asked, "first_lane")));
}

std::vector<std::pair<std::string, std::string>> report_facts(const json& report) {
  const json counters = report.value("counters", json::object());
  std::vector<std::pair<std::string, std::string>> facts;
  facts.emplace_back("State", condition_words(report.value("state", "")));
  for (const char* name : {"found", "registered", "duplicate", "skipped", "failed", "pending"}) {
    std::string head = name;
    head[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(head[0])));
    facts.emplace_back(head, human_count(number(counters, name)));
  }
  facts.emplace_back("Started (UTC)", report_time(number(report, "started_ms")));
  if (report.contains("closed_ms")) facts.emplace_back("Closed (UTC)", report_time(number(report, "closed_ms")));
  if (report.contains("as_of_ms")) facts.emplace_back("As of (UTC)", report_time(number(report, "as_of_ms")));
  facts.emplace_back("Took", duration_of(report));
  const std::string estimate = estimate_of(report);
  if (!estimate.empty()) facts.emplace_back("Estimated", estimate);
  const std::string times_left = times_left_of(report);
  if (!times_left.empty()) facts.emplace_back("Times left", times_left);
  facts.emplace_back("First calls ready after", first_ready_of(report));
  facts.emplace_back("Recordings", human_bytes(number(report, "recordings_bytes")));
  facts.emplace_back("Recorded time", seconds(report, "recorded_s"));
  const json cost = report.value("cost", json());
  if (cost.is_object()) {
    facts.emplace_back("Cost", fmt::format("{:.2f} {} ({})", cost.value("amount", 0.0), cost.value("currency", ""),
                                           cost.value("made_up_of", "")));
  }
  for (const json& approval : report.value("approvals", json::array())) {
    facts.emplace_back("Gaps approved by", approval.value("who", "") + ", " + report_time(number(approval, "at_ms")));
  }
  return facts;
}

std::string report_text(const json& report, std::size_t width) {
  std::string text = printable(report_title(report)) + "\n" + printable(report_place(report)) + "\n\n";
  text += printable(report_grade(report)) + "\n";
  if (report.contains("grade_why")) text += printable(report.value("grade_why", "")) + "\n";
  text += "\n";
  for (const auto& [name, value] : report_facts(report)) text += line_of(name, value);
  text += line_of("Asked for", report_asked(report));
  text += gaps_of(report, width);
  text += list_of("by month of the call (UTC)",
                  {{"MONTH", "month"},
                   {"FOUND", "found"},
                   {"REGISTERED", "registered"},
                   {"DUPLICATE", "duplicate"},
                   {"SKIPPED", "skipped"},
                   {"FAILED", "failed"},
                   {"PENDING", "pending"}},
                  report.value("months", json::array()), 0, width);
  text += list_of("by who recorded them", {{"FOUND", "found"}, {"REGISTERED", "registered"}, {"USER", "user"}},
                  report.value("users", json::array()), 2, width);
  text += list_of("waits", {{"IN ALL", "total_s"}, {"TIMES", "times"}, {"REASON", "reason"}},
                  report.value("waits", json::array()), 2, width);
  const json verify = report.value("verify", json::object());
  text += list_of("to verify, look at these calls",
                  {{"CALL", "call"}, {"AT THE PLATFORM", "source_id"}, {"START", "start_ms"}, {"LENGTH", "duration_s"}},
                  verify.value("calls", json::array()), 1, width);
  return text;
}

json with_iso_times(const json& value) {
  if (value.is_array()) {
    json all = json::array();
    for (const json& one : value) all.push_back(with_iso_times(one));
    return all;
  }
  if (!value.is_object()) return value;
  json out = json::object();
  for (const auto& [key, inner] : value.items()) {
    if (key.ends_with("_ms") && inner.is_number_integer()) {
      out[key.substr(0, key.size() - 3)] = format_utc(from_unix_ms(inner.get<std::int64_t>()));
    } else {
      out[key] = with_iso_times(inner);
    }
  }
  return out;
}

}  // namespace callimport::api
