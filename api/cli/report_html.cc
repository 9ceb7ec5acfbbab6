#include "api/cli/report_html.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "api/cli/report_chart.h"
#include "api/cli/report_text.h"
#include "api/cli/text.h"

namespace callimport::api {
namespace {

using nlohmann::json;

/// The policy forbids what the page does not need: any request, any script.
constexpr std::string_view kHead = R"(<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
)";

constexpr std::string_view kStyle = R"(<style>
:root { --ink: #1a1d21; --soft: #575f68; --paper: #ffffff; --line: #d5dae0; --bar: #2a6fb0; --wait: #f0dcae; --mark: #eef2f6; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #a9b1ba; --paper: #16191d; --line: #3a4149; --bar: #74b2ea; --wait: #5b4a1f; --mark: #22272d; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem; background: var(--paper); color: var(--ink);
       font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; }
.soft { color: var(--soft); }
.grade { display: inline-block; margin: .75rem 0; padding: .25rem .75rem; border: 2px solid var(--ink); border-radius: .4rem;
         font-weight: 600; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .5rem; margin: 0; }
dl div { background: var(--mark); border-radius: .4rem; padding: .5rem .75rem; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); padding: .25rem 0; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
         overflow-wrap: normal; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font: 10px system-ui, sans-serif; }
svg .bar { fill: var(--bar); }
svg .wait { fill: var(--wait); }
svg .axis { stroke: var(--soft); stroke-width: 1; }
summary { cursor: pointer; padding: .5rem 0; }
@media print {
  :root { --ink: #000; --soft: #333; --paper: #fff; --line: #999; --bar: #444; --wait: #ddd; --mark: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  h2 { break-after: avoid; }
  tr, svg, dl div { break-inside: avoid; }
  .scroll { overflow: visible; }
}
</style>
)";

struct HtmlColumn {
  std::string head, key;
  bool number = false;
};

std::string cell_of(const json& row, const HtmlColumn& column) {
  const json value = row.value(column.key, json());
  if (value.is_number_integer() && column.key.ends_with("_ms")) return report_time(value.get<std::int64_t>());
  if (value.is_number_integer() && column.key.ends_with("_s")) return human_duration(value.get<std::int64_t>() * 1'000);
  if (value.is_number_integer()) return human_count(value.get<std::int64_t>());
  if (value.is_number_float()) return fmt::format("{:.1f}", value.get<double>());
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string table_of(const std::string& caption, const std::vector<HtmlColumn>& columns, const json& rows) {
  std::string html = "<div class=\"scroll\"><table><caption>" + html_text(caption) + "</caption><thead><tr>";
  const auto kind = [](const HtmlColumn& column) { return column.number ? " class=\"number\"" : ""; };
  for (const auto& column : columns) {
    html += fmt::format("<th scope=\"col\"{}>{}</th>", kind(column), html_text(column.head));
  }
  html += "</tr></thead><tbody>\n";
  for (const json& row : rows) {
    html += "<tr>";
    for (const auto& column : columns) {
      html += fmt::format("<td{}>{}</td>", kind(column), html_text(cell_of(row, column)));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string section(const std::string& title, const std::string& body) {
  return "<section><h2>" + html_text(title) + "</h2>\n" + body + "</section>\n";
}

std::string list_of(const std::string& title, const std::string& caption, const std::vector<HtmlColumn>& columns,
                    const json& rows, const std::string& empty) {
  if (!rows.is_array() || rows.empty()) return section(title, "<p>" + html_text(empty) + "</p>\n");
  return section(title, table_of(caption, columns, rows));
}

std::string header_of(const json& report) {
  std::string html = fmt::format("<header><h1>{}</h1>\n<p class=\"soft\">{}</p>\n", html_text(report_title(report)),
                                 html_text(report_place(report)));
  html += "<p class=\"grade\">" + html_text(report_grade(report)) + "</p>\n";
  if (report.contains("grade_why")) html += "<p>" + html_text(report.value("grade_why", "")) + "</p>\n";
  return html + "</header>\n";
}

std::string facts_of(const json& report) {
  std::string html = "<dl>\n";
  for (const auto& [name, value] : report_facts(report)) {
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_text(name), html_text(value));
  }
  return html + "</dl>\n";
}

std::string chart_of(const json& report) {
  const json chart = report.value("chart", json::object());
  const json calls = chart.value("calls", json::array());
  const json waits = chart.value("waits", json::array());
  if (calls.empty() && waits.empty()) return "<p>Nothing has come into the library yet.</p>\n";
  std::string html = report_chart(report);
  html += "<details><summary>The chart as tables</summary>\n";
  html += table_of("Calls that came into the library",
                   {{"From (UTC)", "at_ms"}, {"Minutes", "minutes", true}, {"Calls", "calls", true}}, calls);
  if (!waits.empty()) {
    html += table_of("Waits", {{"From (UTC)", "from_ms"}, {"To (UTC)", "to_ms"}, {"Reason", "reason"}}, waits);
  }
  return html + "</details>\n";
}

std::string gaps_of(const json& report) {
  return list_of("Gaps", "Calls that were found and did not come, by cause",
                 {{"Calls", "calls", true},
                  {"Cause", "cause"},
                  {"What happened", "what"},
                  {"What it means", "means"},
                  {"Who can fix it", "who"},
                  {"What to do", "action"},
                  {"Example", "example"},
                  {"First (UTC)", "first_ms"},
                  {"Last (UTC)", "last_ms"}},
                 report.value("gaps", json::array()), "There are none.");
}

std::string verify_of(const json& report) {
  const json verify = report.value("verify", json::object());
  const json calls = verify.value("calls", json::array());
  std::string body = "<p>" + html_text(verify.value("how", "")) + "</p>\n";
  if (!calls.empty()) {
    body += table_of("Calls to look at, chosen by the import's id",
                     {{"Call", "call"},
                      {"At the platform", "source_id"},
                      {"Start (UTC)", "start_ms"},
                      {"Length", "duration_s", true}},
                     calls);
  }
  return section("How to verify", body);
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string safe;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      case '\'': safe += "&#39;"; break;
      default: safe += c;
    }
  }
  return safe;
}

std::string report_html(const json& report) {
  const std::vector<HtmlColumn> counts = {{"Found", "found", true}, {"Registered", "registered", true}};
  std::vector<HtmlColumn> months = {{"Month", "month"}};
  months.insert(months.end(), counts.begin(), counts.end());
  for (const char* name : {"duplicate", "skipped", "failed", "pending"}) months.push_back({name, name, true});
  std::vector<HtmlColumn> users = {{"Recorded by", "user"}, {"Name", "name"}};
  users.insert(users.end(), counts.begin(), counts.end());

  std::string html = "<!doctype html>\n<html lang=\"en\">\n<head>\n";
  html += kHead;
  html += "<title>" + html_text(report_title(report)) + "</title>\n";
  html += kStyle;
  html += "</head>\n<body>\n" + header_of(report) + "<main>\n" + facts_of(report);
  html += section("Calls per minute", chart_of(report));
  html += gaps_of(report);
  html += list_of("Found and registered by month", "By the month of a call's start (UTC)", months,
                  report.value("months", json::array()), "No calls were found.");
  html += list_of("Found and registered by user", "By who recorded a call; of calls that did not come nobody knows it",
                  users, report.value("users", json::array()), "No calls were found.");
  html += list_of("Stages", "Both lanes together",
                  {{"Stage", "stage"},
                   {"Took", "duration_s", true},
                   {"Of it waited", "waited_s", true},
                   {"Calls", "calls", true},
                   {"Calls per minute", "calls_per_minute", true}},
                  report.value("stages", json::array()), "None has begun.");
  html += list_of("Waits", "Both lanes together; a wait of both counts once",
                  {{"Reason", "reason"}, {"In all", "total_s", true}, {"Times", "times", true}},
                  report.value("waits", json::array()), "It never waited.");
  html += verify_of(report);
  html += section("Asked for", "<p>" + html_text(report_asked(report)) + "</p>\n");
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace callimport::api
