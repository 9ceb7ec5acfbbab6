// ID-13, ID-14, ID-04, X-16: the report as a page and as a spreadsheet, with titles that are up to no good; held
// against a browser and against Python's csv where they are installed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <vector>

#include "api/cli/report_html.h"
#include "api/cli/report_text.h"
#include "api/cli/text.h"
#include "tests/spine/process.h"

namespace callimport::api {
namespace {

using nlohmann::json;
using tests::Command;
using tests::run;
using tests::Scratch;

const char* const kHostile[] = {"<script>document.title='taken'</script>",
                                "\"><img src=http://127.0.0.1:9/x onerror=document.title='taken'>",
                                "</title><script>document.title='taken'</script>",
                                "</style><style>@import url(http://127.0.0.1:9/x)</style>",
                                "]]><svg onload=document.title='taken'>",
                                "javascript:document.title='taken'",
                                "&lt;b&gt; & 'quotes' \"all\"",
                                "\xff\xfe not UTF-8 \x01\x02",
                                "\u202Eright to left"};

/// A report whose every foreign text is `text`.
json report_with(const std::string& text) {
  constexpr std::int64_t kStart = 1'790'000'000'000;
  json report = {
      {"version", 1},
      {"import", "imp_1"},
      {"platform", "grain"},
      {"workspace", text},
      {"title", text},
      {"state", "completed_with_gaps"},
      {"grade", "investigate"},
      {"grade_why", text},
      {"asks_for_approval", true},
      {"started_ms", kStart},
      {"closed_ms", kStart + 36'000'000},
      {"duration_s", 36'000},
      {"waited_s", 18'000},
      {"recordings_bytes", 5'000'000'000},
      {"recorded_s", 900'000},
      {"asked", {{"media", true}, {"first_lane", 100}, {"started_by", text}}},
      {"counters",
       {{"found", 5'000}, {"registered", 4'900}, {"duplicate", 0}, {"skipped", 0}, {"failed", 100}, {"pending", 0}}},
      {"first_ready", {{"promise_s", 3'600}, {"after_s", 1'500}, {"kept", true}}}};
  report["estimate"] = {{"calls", 5'000}, {"duration_from_s", 28'800}, {"duration_to_s", 43'200}, {"kept", true}};
  report["months"] = {{{"month", "2026-08"}, {"found", 5'000}, {"registered", 4'900}, {"failed", 100}}};
  report["users"] = {{{"user", text}, {"name", text}, {"found", 5'000}, {"registered", 4'900}}};
  report["gaps"] = {{{"cause", text},
                     {"kind", "damage"},
                     {"calls", 100},
                     {"example", text},
                     {"detail", text},
                     {"what", text},
                     {"means", "m"},
                     {"who", "w"},
                     {"action", "a"},
                     {"first_ms", kStart},
                     {"last_ms", kStart + 1}}};
  report["waits"] = {{{"reason", text}, {"total_s", 18'000}, {"times", 1}}};
  report["stages"] = {
      {{"stage", "fetch"}, {"duration_s", 36'000}, {"waited_s", 18'000}, {"calls", 4'900}, {"calls_per_minute", 16.3}}};
  json calls = json::array();
  for (int i = 0; i < 600; ++i) calls.push_back({{"at_ms", kStart + i * 60'000}, {"minutes", 1}, {"calls", i % 17}});
  report["chart"] = {{"calls", calls},
                     {"waits", {{{"from_ms", kStart + 1'000'000}, {"to_ms", kStart + 19'000'000}, {"reason", text}}}}};
  report["verify"] = {{"how", "look"},
                      {"calls", {{{"source_id", text}, {"call", "call_1"}, {"start_ms", kStart}, {"duration_s", 60}}}}};
  return report;
}

/// A page in our own small part of HTML, read strictly: every tag and attribute must be one we write. Empty: it is.
std::string what_is_not_ours(const std::string& html) {
  static const std::regex tag("<(/?)([a-z0-9]+)((?: (?:[a-z:-]+|viewBox)=\"[^\"<>]*\")*)/?>");
  static const std::set<std::string> known = {
      "html", "head",   "meta",       "title", "style", "body",  "header",  "main",    "section", "h1", "h2",
      "p",    "dl",     "div",        "dt",    "dd",    "table", "caption", "thead",   "tbody",   "tr", "th",
      "td",   "figure", "figcaption", "svg",   "rect",  "text",  "path",    "details", "summary", "b"};
  const std::set<std::string> empty = {"meta", "rect", "path"};
  std::vector<std::string> open;
  std::size_t at = std::string("<!doctype html>").size();
  if (!html.starts_with("<!doctype html>")) return "no doctype";
  while ((at = html.find_first_of("<>", at)) != std::string::npos) {
    if (html.compare(at, 7, "<style>") == 0) {
      at = html.find("</style>", at) + 8;
      continue;
    }
    std::smatch match;
    const auto begin = html.begin() + static_cast<std::ptrdiff_t>(at);
    if (!std::regex_search(begin, html.end(), match, tag, std::regex_constants::match_continuous)) {
      return "not a tag of ours: " + html.substr(at, 80);
    }
    const std::string name = match[2], attributes = match[3];
    if (!known.contains(name)) return "no tag of ours: " + name;
    if (attributes.find(" on") != std::string::npos || attributes.find(" src") != std::string::npos ||
        attributes.find(" href") != std::string::npos) {
      return "an attribute that acts: " + attributes;
    }
    at += static_cast<std::size_t>(match.length());
    const bool closes_itself = match.str().ends_with("/>") || empty.contains(name);
    if (match[1] == "/") {
      if (open.empty() || open.back() != name) return "closed out of order: " + name;
      open.pop_back();
    } else if (!closes_itself || (name == "rect" && !match.str().ends_with("/>"))) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

class ReportPage : public testing::Test {
 protected:
  /// The document as Chromium has it once everything ran that could.
  std::string in_browser(const std::string& html) {
    tests::write_file(scratch_ / "page.html", html);
    const auto ran =
        run(kChromium,
            Command{{"--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + (scratch_ / "profile"),
                     "--dump-dom", "file://" + (scratch_ / "page.html")}},
            scratch_);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.out;
  }
  static constexpr const char* kChromium = "/usr/bin/chromium";
  static bool no_chromium() { return !std::filesystem::exists(kChromium); }
  Scratch scratch_;
};

TEST_F(ReportPage, HoldsOnlyMarkupOfOurs) {
  EXPECT_EQ(what_is_not_ours(report_html(report_with("Northwind"))), "");
  for (const char* text : kHostile) EXPECT_EQ(what_is_not_ours(report_html(report_with(text))), "") << text;
  EXPECT_EQ(what_is_not_ours(report_html(json::object())), "") << "a report of which nothing is known";
}

TEST_F(ReportPage, TheStrictReaderSeesWhatIsWrong) {
  EXPECT_NE(what_is_not_ours("<!doctype html><script>x</script>"), "");
  EXPECT_NE(what_is_not_ours("<!doctype html><p onclick=\"x\">a</p>"), "");
  EXPECT_NE(what_is_not_ours("<!doctype html><p>a<b</p>"), "");
  EXPECT_NE(what_is_not_ours("<!doctype html><p><b>a</p></b>"), "");
}

TEST_F(ReportPage, AsksForNothing) {
  const std::string html = report_html(report_with("Northwind"));
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
  for (const char* word : {"src=", "href=", "url(", "@import", "<script", "<link", "<iframe"}) {
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  }
  EXPECT_NE(html.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_NE(html.find("@media print"), std::string::npos);
}

TEST_F(ReportPage, TheChartNamesItsWaitsAndHasATwin) {
  const std::string html = report_html(report_with("window.closed"));
  EXPECT_NE(html.find("<b>A</b> window.closed."), std::string::npos);
  EXPECT_NE(html.find("<title>window.closed, "), std::string::npos);
  EXPECT_NE(html.find("The chart as tables"), std::string::npos);
  std::size_t rows = 0;
  for (auto at = html.find("<caption>Calls that came"); (at = html.find("<tr><td>", at)) != std::string::npos; ++at)
    ++rows;
  EXPECT_GE(rows, 600u) << "a row a span";
  EXPECT_NE(html.find("role=\"img\" aria-label=\"Calls that came"), std::string::npos);
}

TEST_F(ReportPage, InABrowserHostileTextIsText) {
  if (no_chromium()) GTEST_SKIP() << "no browser: " << kChromium << " is not there";
  std::string all;
  for (const char* text : kHostile) all += std::string(text) + " ";
  const std::string dom = in_browser(report_html(report_with(all)));
  EXPECT_EQ(dom.find("<title>taken"), std::string::npos);
  EXPECT_EQ(dom.find("<script"), std::string::npos);
  EXPECT_EQ(dom.find("<img"), std::string::npos);
  EXPECT_NE(dom.find("&lt;script&gt;"), std::string::npos);
}

/// In a frame of 320 pixels; a script outside of it measures.
TEST_F(ReportPage, FitsANarrowScreen) {
  if (no_chromium()) GTEST_SKIP() << "no browser: " << kChromium << " is not there";
  const std::string page = report_html(report_with("Northwind, a customer with a rather long name of its own"));
  const std::string frame =
      "<!doctype html><title>none</title><iframe id=f style='width:320px;height:900px;border:0' srcdoc=\"" +
      html_text(page) + "\"></iframe><script>f.onload=()=>{const d=f.contentDocument.documentElement;" +
      "document.title='wide '+d.scrollWidth+' of '+d.clientWidth}</script>";
  const std::string dom = in_browser(frame);
  std::smatch match;
  ASSERT_TRUE(std::regex_search(dom, match, std::regex("<title>wide ([0-9]+) of ([0-9]+)"))) << dom.substr(0, 300);
  EXPECT_LE(std::stoi(match[1]), std::stoi(match[2])) << "nothing but a table scrolls sideways";
  EXPECT_LE(std::stoi(match[2]), 320);
}

TEST(ReportWords, OnATerminal) {
  const std::string text = report_text(report_with("Northwind\x1b[31m"), 80);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  for (const char* words : {"Grade: Investigate", "(a person has to approve the gaps)", "25m", "as promised",
                            "8h 00m to 12h 00m, which held", "2026-08", "to verify"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
}

TEST(ReportWords, OfGapsThatWereApproved) {
  json report = report_with("Northwind");
  report["approvals"] = {{{"who", "os:anna"}, {"at_ms", 1'790'000'000'000}, {"why", "known"}}};
  EXPECT_EQ(report_grade(report), "Grade: Investigate (the gaps were approved)");
  report["asks_for_approval"] = false;
  EXPECT_EQ(report_grade(report), "Grade: Investigate");
}

TEST(ReportWords, TimesAreIsoInJson) {
  const json out = with_iso_times({{"closed_ms", 0}, {"a", {{{"at_ms", 1'000}, {"n", 3}}}}});
  EXPECT_EQ(out, (json{{"closed", "1970-01-01T00:00:00Z"}, {"a", {{{"at", "1970-01-01T00:00:01Z"}, {"n", 3}}}}}));
}

struct Cell {
  const char* name;
  std::string in, out;
};
void PrintTo(const Cell& cell, std::ostream* out) { *out << cell.name; }
class Cells : public testing::TestWithParam<Cell> {};
TEST_P(Cells, AreNeverFormulas) { EXPECT_EQ(csv_field(GetParam().in), GetParam().out); }
INSTANTIATE_TEST_SUITE_P(
    Table, Cells,
    testing::Values(Cell{"Equals", "=1+1", "'=1+1"}, Cell{"Plus", "+49 30", "'+49 30"}, Cell{"Minus", "-2+3", "'-2+3"},
                    Cell{"At", "@SUM(A1)", "'@SUM(A1)"}, Cell{"AfterATab", "\t=1", "\" '=1\""},
                    Cell{"AfterCR", "\r=1", "\" '=1\""}, Cell{"AfterSpaces", "  =1", "\"  '=1\""},
                    Cell{"AfterAQuote", "\"=1", "\"\"\"'=1\""}, Cell{"AfterASemicolon", "a;=1", "\"a;'=1\""},
                    Cell{"Wide", "\uFF1D1+1", "'\uFF1D1+1"}, Cell{"InTheMiddle", "a=b", "a=b"},
                    Cell{"Plain", "Kickoff", "Kickoff"}, Cell{"Nothing", "", ""}, Cell{"Newline", "a\nb", "a b"}),
    [](const auto& test) { return test.param.name; });

TEST(ReportCsv, PythonReadsBackWhatWasWritten) {
  if (!std::filesystem::exists("/usr/bin/python3")) GTEST_SKIP() << "no /usr/bin/python3";
  Scratch scratch;
  std::vector<std::string> cells = {"=cmd|' /C calc'!A0", "+1",   "-1", "@x", "\t=1", "\r=1", "a,b",
                                    "say \"hi\"",         "x;=1", "é山"};
  for (const char* text : kHostile) cells.emplace_back(text);
  std::string csv = "\xef\xbb\xbf" + csv_row({"title", "n"});
  json expected = json::array();
  for (const auto& cell : cells) {
    csv += csv_row({cell, "1"});
    expected.push_back(printable(cell));
  }
  tests::write_file(scratch / "calls.csv", csv);
  const auto ran = run("/usr/bin/python3",
                       Command{{"-c",
                                "import csv,json,sys\n"
                                "rows=list(csv.DictReader(open(sys.argv[1],encoding='utf-8-sig',newline='')))\n"
                                "assert all(set(r)=={'title','n'} and r['n']=='1' for r in rows), rows\n"
                                "print(json.dumps([r['title'] for r in rows]))",
                                scratch / "calls.csv"}},
                       scratch);
  ASSERT_EQ(ran.code, 0) << ran.err;
  const json read = json::parse(ran.out);
  ASSERT_EQ(read.size(), expected.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    std::string cell = read[i];
    EXPECT_EQ(std::string("=+-@").find(cell.empty() ? 'a' : cell[0]), std::string::npos) << cell;
    std::erase(cell, '\'');  // the apostrophes that stand before formulas, and those that were there
    std::string want = expected[i];
    std::erase(want, '\'');
    EXPECT_EQ(cell, want);
  }
}

}  // namespace
}  // namespace callimport::api
