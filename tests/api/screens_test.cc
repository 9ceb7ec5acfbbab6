// What the terminal shows of an import that waits for a person, point by point, and on a narrow terminal (ux X-01,
// OV-*, ID-*, TL-*, TH-*). docs/screens.md says where each point is shown.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/cli/text.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

Ran run_in(House& house, Words args, std::map<std::string, std::string> env) {
  args.insert(args.end(), {"--data", house.data()});
  return run(callimport_binary(), {std::move(args), std::move(env), {}, false, {}, 0, false}, house.scratch());
}

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// What a narrow terminal had to part is together again, one space between the words.
std::string in_one_line(const std::string& text) {
  std::string joined;
  std::istringstream in(text);
  for (std::string word; in >> word;) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

/// Four of ten recordings are broken, and a person is asked about that.
class AskedToApprove : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto options = House::options_for(60, 61);
    options.generated.broken_percent = 40;
    house_ = new House(options);
    ASSERT_TRUE(house_->serve());
    ASSERT_EQ(house_->start({"--approve-above", "5"}).code, 0);
    ASSERT_TRUE(house_->follow_until([](const v1::WatchImportResponse& now) {
      return now.import().bulk().reason() == "gaps.approval" || now.import().first().reason() == "gaps.approval";
    }));
  }
  static void TearDownTestSuite() {
    delete house_;
    house_ = nullptr;
  }
  static json read_json(Words args) {
    args.insert(args.end(), {"-o", "json"});
    const auto ran = house_->verb(args);
    EXPECT_EQ(ran.code, 0) << ran.err;
    auto value = json::parse(ran.out, nullptr, false);
    EXPECT_FALSE(value.is_discarded()) << ran.out;
    return value;
  }
  static std::string id() { return house_->import(); }

  inline static House* house_ = nullptr;
};

// TH-01, ID-01, X-09: one screen with everything, and the time left is the person's.
TEST_F(AskedToApprove, ShowSaysThatItWaitsForAPerson) {
  const auto shown = house_->verb({"show", id()});
  EXPECT_LE(lines_of(shown.out).size(), 24u) << shown.out;
  for (const char* words :
       {"acme  (grain · acme)", "Needs attention · Finishing and verifying: gaps.approval", "approver can fix it",
        "left: it waits for a person (gaps.approval)", "found 60 = registered", " by ", "problems; the calls of one"})
    EXPECT_TRUE(has(shown.out, words)) << words << " in\n" << shown.out;
  EXPECT_TRUE(has(shown.out, id()));
  EXPECT_FALSE(has(shown.out, "about ")) << "no hour is foretold: " << shown.out;
  EXPECT_TRUE(has(shown.err, "next: callimport approve " + id())) << shown.err;
  const auto same = read_json({"show", id()});
  EXPECT_TRUE(same["eta"]["to"].is_null()) << same["eta"];
  EXPECT_EQ(same["eta"]["cause"], "it waits for a person (gaps.approval)");
  EXPECT_EQ(same["who"], "approver");
  EXPECT_TRUE(has(same["why"], "of 60 calls did not come across"));
  EXPECT_TRUE(has(same["next"], "callimport approve " + id()));
  EXPECT_FALSE(same["started_by"].get<std::string>().empty());
}

// ID-02, and never by the mark alone.
TEST_F(AskedToApprove, TheRailSaysInWordsWhatEachStageIs) {
  const auto shown = house_->verb({"show", id()}).out;
  for (const char* line : {"✓ Checking access         done", "✓ Fetching recordings     done with gaps",
                           "✓ Adding to the library   done", "● Finishing and verifying needs a person"})
    EXPECT_TRUE(has(shown, line)) << line << " in\n" << shown;
  std::map<std::string, std::string> states;
  const auto same = read_json({"show", id()});
  for (const auto& stage : same["stages"]) states[stage["stage"]] = stage["state"];
  EXPECT_EQ(states, (std::map<std::string, std::string>{{"authenticate", "done"},
                                                        {"enumerate", "done"},
                                                        {"prioritize", "done"},
                                                        {"fetch", "done_with_gaps"},
                                                        {"register", "done"},
                                                        {"notify", "needs_attention"}}));
}

// the rows behind every number. ID-11: those that failed did not hold up the others.
TEST_F(AskedToApprove, EveryNumberIsTheRowsThatItsCommandLists) {
  const auto shown = read_json({"show", id()});
  for (const char* state : {"registered", "duplicate", "skipped", "failed", "pending"})
    EXPECT_EQ(shown["counters"][state], read_json({"show", id(), "--calls", "--state", state}).size()) << state;
  EXPECT_EQ(shown["counters"]["found"], read_json({"show", id(), "--calls"}).size());
  EXPECT_EQ(shown["counters"]["pending"], 0);
  EXPECT_GT(shown["counters"]["registered"], 20);
  ASSERT_FALSE(shown["problems"].empty());
  for (const auto& problem : shown["problems"]) {
    const auto rows = read_json({"show", id(), "--calls", "--cause", problem["cause"]});
    EXPECT_EQ(problem["calls"], rows.size()) << problem;
    for (const auto& row : rows) EXPECT_EQ(row["cause"], problem["cause"]);
  }
  const auto none = house_->verb({"show", id(), "--calls", "--cause", "call.private"});
  EXPECT_EQ(none.out, "");
  EXPECT_TRUE(has(none.err, "callimport show " + id() + " --calls")) << none.err;
}

// X-02, ID-16: it adds up at every change; the timeline can be narrowed to one state, and says how long each lasted.
TEST_F(AskedToApprove, TheTimelineAddsUpAndCanBeNarrowed) {
  const auto all = read_json({"show", id(), "--timeline"});
  ASSERT_GT(all.size(), 6u);
  for (const auto& entry : all) {
    const auto& c = entry["counters"];
    EXPECT_EQ(c["found"].get<int>(), c["registered"].get<int>() + c["duplicate"].get<int>() + c["skipped"].get<int>() +
                                         c["failed"].get<int>() + c["pending"].get<int>())
        << entry;
  }
  const auto held = read_json({"show", id(), "--timeline", "--state", "needs_attention"});
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(held[0]["reason"], "gaps.approval");
  EXPECT_FALSE(held[0].contains("lasted_s")) << "it still is";
  EXPECT_TRUE(all[0].contains("lasted_s"));
  EXPECT_EQ(read_json({"show", id(), "--timeline", "--limit", "2"}).size(), 2u);
  const auto never = house_->verb({"show", id(), "--timeline", "--state", "paused"});
  EXPECT_TRUE(has(never.err, "it was never paused")) << never.err;
}

// TH-03, ID-06, ID-09: was this call imported, if not, why; and where it is.
TEST_F(AskedToApprove, ACallIsAnsweredByItsSourceId) {
  const auto failed = read_json({"show", id(), "--calls", "--state", "failed"})[0];
  const auto not_there = house_->verb({"show", id(), "--call", failed["source_id"]});
  EXPECT_TRUE(has(not_there.out, "not imported: " + failed["cause"].get<std::string>())) << not_there.out;
  EXPECT_TRUE(has(not_there.out, "WHAT HAPPENED")) << not_there.out;
  const auto registered = read_json({"show", id(), "--calls", "--state", "registered"})[0];
  const auto there = read_json({"show", id(), "--call", registered["source_id"]});
  EXPECT_EQ(there["answer"], "imported");
  EXPECT_EQ(read_json({"calls", "show", there["call"]})["source_id"], registered["source_id"]);
  const auto text = house_->verb({"show", id(), "--call", registered["source_id"]}).out;
  EXPECT_TRUE(has(text, "in the library: callimport calls show " + there["call"].get<std::string>())) << text;
  const auto unknown = house_->verb({"show", id(), "--call", "nope"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_TRUE(has(unknown.err, "next: callimport show " + id() + " --calls")) << unknown.err;
  for (const char* column : {"SOURCE ID", "TITLE", "START", "LENGTH", "STATE", "TRIES", "CAUSE"})
    EXPECT_TRUE(has(house_->verb({"show", id(), "--calls"}).out, column)) << column;
}

// ID-05, TH-02, ID-17: what the console has as tabs are flags.
TEST_F(AskedToApprove, EveryTabIsAFlag) {
  const auto settings = house_->verb({"show", id(), "--settings"});
  for (const char* words :
       {"bulk runs     always", "gaps          a person, when more than 5 of 100 calls did not come",
        "media         recordings and transcripts", "order         newest first"})
    EXPECT_TRUE(has(settings.out, words)) << words << " in\n" << settings.out;
  EXPECT_EQ(read_json({"show", id(), "--settings"})["window"], "always");
  const auto technical = read_json({"show", id(), "--technical"});
  EXPECT_EQ(technical["workflow_id"], id());
  EXPECT_EQ(technical["type"], "import");
  EXPECT_EQ(technical["status"], "Running");
  EXPECT_FALSE(technical["run_id"].get<std::string>().empty());
  EXPECT_TRUE(technical["search_attributes"].contains("CallImportPlatform")) << technical;
  EXPECT_TRUE(has(technical["temporal"], "temporal workflow show --workflow-id " + id())) << technical;
  EXPECT_EQ(house_->verb({"show", id(), "--technical"}).code, 0);
  for (const char* tab : {"--calls", "--problems", "--timeline", "--notifications", "--audit"})
    EXPECT_GT(read_json({"show", id(), tab}).size(), 0u) << tab;
}

// X-08, ID-07: each cause with what it means, who can fix it and how.
TEST_F(AskedToApprove, AProblemSaysWhoCanFixItAndHow) {
  const auto told = house_->verb({"show", id(), "--problems"});
  EXPECT_TRUE(has(told.out, "Who can fix it: the customer")) << told.out;
  EXPECT_TRUE(has(told.out, "callimport retry " + id() + " --cause media.")) << told.out;
  EXPECT_TRUE(has(told.err, "next: callimport show " + id() + " --calls --cause media.")) << told.err;
}

// ID-13: the same columns on all platforms.
TEST_F(AskedToApprove, CsvHasTheColumnsOfEveryPlatform) {
  const auto head = [](const Words& args) { return lines_of(house_->verb(args).out).front(); };
  EXPECT_EQ(head({"show", id(), "--calls", "-o", "csv"}),
            "source_id,title,start,duration_s,media_type,lane,state,cause,detail,attempts");
  EXPECT_EQ(head({"show", id(), "--problems", "-o", "csv"}),
            "calls,cause,detail,failed,first,last,example,what,means,who,new,came_back,set_aside");
}

// OV-01, OV-02, OV-04
TEST_F(AskedToApprove, TheOverviewPutsFirstWhatNeedsSomebody) {
  const auto seen = house_->verb({"overview"});
  EXPECT_EQ(seen.code, 0) << seen.err;
  EXPECT_TRUE(seen.out.starts_with("needs a person (1)\n" + id())) << seen.out;
  EXPECT_TRUE(has(seen.out, "    callimport approve " + id())) << seen.out;
  EXPECT_TRUE(has(seen.out, "no trouble seen")) << seen.out;
  const auto same = read_json({"overview"});
  EXPECT_EQ(same["counts"]["needs_attention"], 1);
  EXPECT_EQ(same["needs_attention"][0]["id"], id());
  EXPECT_EQ(same["platforms"][0]["platform"], "grain");
  EXPECT_EQ(same["platforms"][0]["open"], 1);
  EXPECT_TRUE(has(same["platforms"][0]["least_left"], "open imports: 1")) << same["platforms"];
}

// OV-05, OV-06, TL-01, TL-05, X-15
TEST_F(AskedToApprove, ListsAreFoundByViewAndByCall) {
  const auto size = [](const Words& args) { return read_json(args).size(); };
  for (const char* view : {"all", "mine", "needs-attention"}) EXPECT_EQ(size({"list", "--view", view}), 1u) << view;
  for (const char* view : {"running", "waiting", "finished-this-week", "with-gaps"})
    EXPECT_EQ(size({"list", "--view", view}), 0u) << view;
  EXPECT_EQ(size({"list", "--owner", "me"}), 1u);
  const std::string call = read_json({"show", id(), "--calls"})[0]["source_id"];
  EXPECT_EQ(read_json({"list", "--call", call})[0]["id"], id());
  EXPECT_EQ(size({"list", "--call", call + "x"}), 0u);
  for (const char* words : {"acme", "ACM"}) EXPECT_EQ(size({"list", "--customer", words}), 1u) << words;
  EXPECT_EQ(size({"list", "--customer", id()}), 1u);
  EXPECT_EQ(size({"list", "--days", "1", "--state", "needs_attention", "--platform", "grain"}), 1u);
  const auto none = house_->verb({"list", "--platform", "gong"});
  EXPECT_EQ(none.code, 0);
  EXPECT_TRUE(has(none.err, "no import is like that; all of them: callimport list")) << none.err;
}

/// A screen, and what must be found on it however narrow the terminal is.
struct Screen {
  const char* name;
  Words args;  ///< ID: the import
  Words words;
};
void PrintTo(const Screen& row, std::ostream* out) { *out << row.name; }
class NarrowScreens : public AskedToApprove, public testing::WithParamInterface<Screen> {};

// TL-02, TH-01: sixty columns hide nothing, without colours or UTF-8 neither.
TEST_P(NarrowScreens, FitAndStillSayEverything) {
  auto args = GetParam().args;
  std::replace(args.begin(), args.end(), std::string("ID"), id());
  auto plain = args;
  plain.insert(plain.end(), {"--color", "never"});
  const auto narrow = run_in(*house_, plain, {{"CALLIMPORT_FORCE_TTY", "60"}});
  ASSERT_EQ(narrow.code, 0) << narrow.err;
  for (const auto& line : lines_of(narrow.out)) EXPECT_LE(api::columns(line), 60u) << line;
  const auto text = in_one_line(narrow.out);
  for (const auto& words : GetParam().words) EXPECT_TRUE(has(text, words)) << words << " in\n" << narrow.out;
  const auto ascii = run_in(*house_, args, {{"LANG", "C"}, {"NO_COLOR", "1"}, {"CALLIMPORT_FORCE_TTY", "60"}}).out;
  EXPECT_TRUE(std::all_of(ascii.begin(), ascii.end(), [](char c) {
    return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c > 0);
  })) << ascii;
}
INSTANTIATE_TEST_SUITE_P(
    Table, NarrowScreens,
    testing::Values(
        Screen{"List", {"list"}, {"imp_", "title acme", "state Needs attention", "done 60/60", "started"}},
        Screen{"Show",
               {"show", "ID"},
               {"(grain · acme)", "calls did not come across", "+ pending 0", "for a person (gaps"}},
        Screen{"Calls", {"show", "ID", "--calls", "--state", "failed"}, {"state failed", "cause media.", "tries 1"}},
        Screen{
            "Problems", {"show", "ID", "--problems"}, {"cause media.", "example", "what happened", "Who can fix it"}},
        Screen{
            "Timeline", {"show", "ID", "--timeline"}, {"lane first", "state needs_attention", "reason gaps.approval"}},
        Screen{"Notifications", {"show", "ID", "--notifications"}, {"event import.gaps_decision", "subject"}},
        Screen{"Audit", {"show", "ID", "--audit"}, {"verb start", "who os:", "outcome done"}},
        Screen{"Settings", {"show", "ID", "--settings"}, {"bulk runs always", "first calls"}},
        Screen{"Technical", {"show", "ID", "--technical"}, {"workflow imp_", "callimport history export"}},
        Screen{"Overview", {"overview"}, {"needs a person (1)", "callimport approve imp_", "no trouble seen"}},
        Screen{"Budgets", {"budgets"}, {"this installation", "what calls of bulk", "limit 5,000 in 12 hours", "left"}}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace callimport::tests
