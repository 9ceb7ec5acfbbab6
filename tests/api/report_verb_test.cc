// `report`, `backup` and `restore` of the real binary over a finished import.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/api/finished_import.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* kMark = "\xef\xbb\xbf";

class ReportVerb : public FinishedImport<30, 5> {};

TEST_F(ReportVerb, TellsTheSameInEveryForm) {
  const json report = read_json({"report", id(), "-o", "json"});
  EXPECT_EQ(report["counters"]["found"], 30);
  EXPECT_TRUE(report.contains("closed"));
  EXPECT_TRUE(report["first_ready"]["kept"].get<bool>());
  const auto text = house_->verb({"report", id()});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("Grade: "), std::string::npos);
  EXPECT_NE(text.out.find("to verify"), std::string::npos);
  const std::string page = house_->scratch() / "report.html";
  const auto html = house_->verb({"report", id(), "-o", "html", "--file", page});
  EXPECT_EQ(html.code, 0) << html.err;
  EXPECT_EQ(read_file(page).substr(0, 15), "<!doctype html>");
  EXPECT_FALSE(fs::exists(page + ".part"));
  EXPECT_EQ(read_file(page), house_->verb({"report", id(), "-o", "html"}).out);
}

TEST_F(ReportVerb, WritesTablesForSpreadsheets) {
  const auto calls = house_->verb({"report", id(), "-o", "csv"});
  EXPECT_EQ(calls.code, 0) << calls.err;
  EXPECT_EQ(std::count(calls.out.begin(), calls.out.end(), '\n'), 31);
  EXPECT_EQ(calls.out.substr(0, 16), "source_id,title,");
  const std::string file = house_->scratch() / "calls.csv";
  EXPECT_EQ(house_->verb({"report", id(), "-o", "csv", "--file", file}).code, 0);
  EXPECT_EQ(read_file(file), kMark + calls.out);
  const json rows = read_json({"report", id(), "--part", "calls", "-o", "json"});
  EXPECT_EQ(rows.size(), 30u);
  const auto heads = calls.out.substr(0, calls.out.find('\n'));
  EXPECT_EQ(heads, house_->verb({"show", id(), "--calls", "-o", "csv"}).out.substr(0, heads.size()));
  EXPECT_EQ(read_json({"report", id(), "--part", "months", "-o", "json"}).empty(), false);
  EXPECT_EQ(house_->verb({"report", id(), "--part", "problems", "-o", "csv"}).code, 0);
}

TEST_F(ReportVerb, NamesNobodyUnlessAsked) {
  const json with = read_json({"report", id(), "--part", "calls", "-o", "json", "--with-names"});
  const json without = read_json({"report", id(), "--part", "calls", "-o", "json"});
  ASSERT_NE(with[0]["title"], "");
  EXPECT_EQ(without[0]["title"], "");
  const auto html = house_->verb({"report", id(), "-o", "html"}).out;
  const auto named = house_->verb({"report", id(), "-o", "html", "--with-names"}).out;
  EXPECT_EQ(html.find("@"), html.find("@media")) << "the only at-signs are the style's";
  EXPECT_EQ(html.find("seller.test"), std::string::npos);
  EXPECT_NE(named.find("@seller.test"), std::string::npos) << "who recorded the calls";
}

TEST_F(ReportVerb, WrongWords) {
  EXPECT_EQ(house_->verb({"report", "imp_nope"}).code, 1);
  EXPECT_EQ(house_->verb({"report", id(), "--part", "summary", "-o", "csv"}).code, 2);
  EXPECT_EQ(house_->verb({"report", id(), "--part", "calls"}).code, 2);
  EXPECT_EQ(house_->verb({"list", "-o", "html"}).code, 2);
  const auto unwritable = house_->verb({"report", id(), "-o", "html", "--file", "/nowhere/report.html"});
  EXPECT_EQ(unwritable.code, 1);
  EXPECT_NE(unwritable.err.find("/nowhere/report.html"), std::string::npos);
}

TEST_F(ReportVerb, ShowHasStagesAttemptsAndCauses) {
  const json shown = read_json({"show", id(), "-o", "json"});
  ASSERT_EQ(shown["stages"].size(), 6u);
  EXPECT_EQ(shown["stages"][3]["stage"], "fetch");
  EXPECT_TRUE(shown["stages"][3].contains("calls"));
  const auto call = read_json({"show", id(), "--calls", "-o", "json"})[0]["source_id"].get<std::string>();
  const json one = read_json({"show", id(), "--call", call, "-o", "json"});
  ASSERT_GE(one["attempts_seen"].size(), 1u);
  EXPECT_EQ(one["attempts_seen"].back()["outcome"], "fetched");
  EXPECT_NE(house_->verb({"show", id(), "--call", call}).out.find("ATTEMPT"), std::string::npos);
}

TEST_F(ReportVerb, ABackupOfARunningServerIsPutBackAndServed) {
  const std::string copy = house_->scratch() / "copy", again = house_->scratch() / "again";
  const json made = read_json({"backup", "--to", copy, "-o", "json"});
  EXPECT_EQ(made["with_key"], false);
  EXPECT_GT(made["recordings"].get<int>(), 0);
  EXPECT_FALSE(fs::exists(copy + "/vault.key"));
  EXPECT_EQ(house_->verb({"backup", "--to", copy}).code, 1) << "nothing is overwritten";
  EXPECT_EQ(house_->verb({"backup", "verify", copy}).code, 0);
  EXPECT_EQ(house_->verb({"restore", copy}).code, 1) << "the server's own folder is in use";

  const auto key = house_->data() + "/vault.key";
  const auto restored =
      run(callimport_binary(), {.args = {"restore", copy, "--data", again, "--key-file", key}}, house_->scratch());
  EXPECT_EQ(restored.code, 0) << restored.err;
  const auto twice = run(callimport_binary(), {.args = {"restore", copy, "--data", again}}, house_->scratch());
  EXPECT_EQ(twice.code, 1) << "it is not empty any more";
  Process server(callimport_binary(), {.args = {"serve", "--data", again, "--port", "0"}, .ready = true},
                 house_->scratch());
  ASSERT_FALSE(server.wait_ready().empty()) << server.err();
  const auto listed =
      run(callimport_binary(), {.args = {"calls", "list", "-o", "json", "--data", again}}, house_->scratch());
  const auto original = house_->verb({"calls", "list", "-o", "json"});
  EXPECT_EQ(json::parse(listed.out), json::parse(original.out));
}

TEST_F(ReportVerb, ABackupWithoutAServerLocksTheFolder) {
  const std::string copy = house_->scratch() / "first", again = house_->scratch() / "offline",
                    second = house_->scratch() / "second";
  ASSERT_EQ(house_->verb({"backup", "--to", copy, "--with-key"}).code, 0);
  EXPECT_TRUE(fs::exists(copy + "/vault.key"));
  ASSERT_EQ(run(callimport_binary(), {.args = {"restore", copy, "--data", again}}, house_->scratch()).code, 0);
  const auto made = run(callimport_binary(), {.args = {"backup", "--to", second, "--data", again}}, house_->scratch());
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(run(callimport_binary(), {.args = {"backup", "verify", second}}, house_->scratch()).code, 0);
  write_file(second + "/library.db", "no database");
  const auto damaged = run(callimport_binary(), {.args = {"backup", "verify", second}}, house_->scratch());
  EXPECT_EQ(damaged.code, 1);
  EXPECT_NE(damaged.err.find("library.db"), std::string::npos) << damaged.err;
}

}  // namespace
}  // namespace callimport::tests
