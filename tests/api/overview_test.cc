// The overview, and what holds of lists and verbs whatever is in the house: an import that has ended, one that runs,
// none at all (ux OV-*, ID-03, TL-04, TL-05, X-11, X-15, NW-07, NW-14).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "api/cli/text.h"
#include "storage/windows/time_window.h"
#include "tests/api/finished_import.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Ended : public FinishedImport<30, 5> {};

// OV-01, OV-08, OV-05
TEST_F(Ended, IsInTheOverviewSinceYesterdayAndThisMonth) {
  const auto seen = read_json({"overview", "-o", "json"});
  EXPECT_EQ(seen["counts"]["ended_since_yesterday"], 1);
  EXPECT_EQ(seen["counts"]["needs_attention"], 0);
  EXPECT_EQ(seen["ended_since_yesterday"][0]["id"], id());
  EXPECT_GT(seen["month"]["hours"], 0.0);
  EXPECT_EQ(seen["month"]["found"], 30);
  const auto text = house_->verb({"overview"}).out;
  for (const char* words : {"nothing waits for a person. Nice work!", "ended since yesterday (1)", "hours of calls",
                            "callimport metrics imports"})
    EXPECT_TRUE(has(text, words)) << words << " in\n" << text;
  EXPECT_EQ(read_json({"list", "--view", "finished-this-week", "-o", "json"}).size(), 1u);
  const auto shown = house_->verb({"show", id()}).out;
  EXPECT_FALSE(has(shown, "left:")) << shown;
  EXPECT_FALSE(has(shown, "● ")) << "all stages are behind it: " << shown;
}

// NW-07, NW-14: before the same is started again, it says how many calls are there already.
TEST_F(Ended, AnEstimateOfTheSameSaysHowManyAreThere) {
  const auto token = house_->scratch() / "token";
  const auto registered = read_json({"show", id(), "-o", "json"})["counters"]["registered"].get<int>();
  const auto again = house_->verb({"estimate", "--like", id(), "--token-file", token});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(has(again.out, fmt::format("{} calls are in the library already", registered))) << again.out;
  EXPECT_TRUE(has(again.out, "duplicates in the library")) << again.out;
  const Words args = {"estimate", "--like", id(), "--token-file", token, "--data", house_->data()};
  const auto narrow =
      run(callimport_binary(), {args, {{"CALLIMPORT_FORCE_TTY", "60"}}, {}, false, {}, 0, false}, house_->scratch());
  std::istringstream lines(narrow.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(api::columns(line), 60u) << line;
  EXPECT_TRUE(has(narrow.out, "rests on")) << narrow.out << narrow.err;
}

/// An import whose bulk stands still in the middle, its sandbox holding one answer back.
struct Held {
  explicit Held(const Words& flags) : house(100, 62) {
    EXPECT_TRUE(house.serve());
    house.sandbox().arm(60, [this] { gate.get_future().wait(); });
    EXPECT_EQ(house.start(flags).code, 0);
    EXPECT_TRUE(house.follow_until([](const v1::WatchImportResponse& now) {
      return now.import().bulk().stage() == "fetch" && now.import().has_first_ready_ms();
    }));
  }
  ~Held() { gate.set_value(); }
  std::promise<void> gate;
  House house;
};

// ID-03, OV-03: what it does, how much of it, and what will hold it up; of bulk that may not run tomorrow.
TEST(Running, SaysInWordsWhatItDoesAndWhenItWillPause) {
  const auto now_ms = to_unix_ms(std::chrono::system_clock::now());
  const auto today = api::show_time(now_ms, api::TimeFormat::kIso, 0).substr(0, 10);
  const auto tomorrow = storage::format_day(storage::parse_day(today).value() + 1);
  const auto window = "always; closed " + tomorrow + ".." + tomorrow;
  Held held({"--first", "5", "--window", window, "--zone", "Etc/UTC"});
  auto& house = held.house;
  const auto shown = house.verb({"show", house.import()}).out;
  for (const char* words : {"Fetching recordings: ", "; next pause in ", "the hours in which bulk may run, goes on in ",
                            "● Fetching recordings     running", "○ Adding to the library   first calls"})
    EXPECT_TRUE(has(shown, words)) << words << " in\n" << shown;
  const auto same = json::parse(house.verb({"show", house.import(), "-o", "json"}).out, nullptr, false);
  EXPECT_EQ(same["eta"]["next_pause"]["cause"], "the hours in which bulk may run") << same["eta"];
  EXPECT_TRUE(has(same["eta"]["next_pause"]["at"], tomorrow)) << same["eta"];
  const auto over = house.verb({"overview"}).out;
  EXPECT_TRUE(has(over, "running (1)\nIMPORT")) << over;
  for (const char* column : {"PLATFORM", "STAGE", "DONE", "RATE", "LEFT", "OWNER"})
    EXPECT_TRUE(has(over, column)) << column << " in\n" << over;
}

// TL-04: a page neither loses nor doubles an import that was there when the list began, though others are started.
TEST(Pages, NeitherLoseNorDoubleWhileImportsAreStarted) {
  House house(5, 63);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  ASSERT_TRUE(house.follow());
  std::set<std::string> before = {house.import()};
  const auto start_another = [&](int number) {
    const auto ran = house.verb({"start", "--like", house.import(), "--token-file", house.scratch() / "token", "--yes",
                                 "--no-estimate", "--wait", "--request-id", fmt::format("another {}", number)});
    EXPECT_TRUE(ran.code == 0 || ran.code == 5) << ran.code << ran.err;
    return ran.out.substr(0, ran.out.find('\n'));
  };
  for (int i = 0; i < 3; ++i) before.insert(start_another(i));
  ASSERT_EQ(before.size(), 4u);
  std::multiset<std::string> seen;
  v1::ListImportsRequest request;
  request.set_page_size(1);
  for (int page = 0; page < 20; ++page) {
    v1::ListImportsResponse reply;
    ASSERT_TRUE(house.ask("ListImports", request, reply).ok());
    for (const auto& import : reply.imports()) seen.insert(import.id());
    if (page == 1) start_another(10);
    if (reply.next_page_token().empty()) break;
    request.set_page_token(reply.next_page_token());
  }
  EXPECT_EQ(seen, (std::multiset<std::string>(before.begin(), before.end())));
}

/// TL-05, X-15: no failure, nothing on stdout, and the next step where there is one.
TEST(EmptyHouse, EveryListSaysWhatToDoNext) {
  House house(5, 64);
  ASSERT_TRUE(house.serve());
  const std::vector<std::pair<Words, std::string>> rows = {
      {{"list"}, "callimport start --help"},
      {{"list", "--state", "running"}, "all of them: callimport list"},
      {{"audit"}, "nobody did anything yet"},
      {{"calls", "list"}, "next: callimport list"},
      {{"credentials", "list"}, "next: callimport credentials add"},
      {{"people", "list"}, "next: callimport people import"},
      {{"quarantine", "list"}, "no broken recordings"},
      {{"notifications", "list"}, "callimport show IMPORT --notifications"},
      {{"webhooks", "list"}, "next: callimport webhooks add"},
      {{"metrics", "imports"}, "no imports yet"}};
  for (const auto& [args, words] : rows) {
    const auto ran = house.verb(args);
    EXPECT_EQ(ran.code, 0) << args[0] << ran.err;
    EXPECT_EQ(ran.out, "") << args[0];
    EXPECT_TRUE(has(ran.err, words)) << args[0] << ": " << ran.err;
  }
  const auto over = house.verb({"overview"});
  EXPECT_EQ(over.out, "no imports yet; next: callimport start\n");
  const auto webhook = house.verb({"webhooks", "log", "whk_nope"});
  EXPECT_EQ(webhook.code, 1);
  EXPECT_TRUE(has(webhook.err, "next: callimport webhooks list")) << webhook.err;
}

// X-11: what a client can ask of the server, a verb does.
TEST(Parity, EveryMethodHasAVerb) {
  const std::string root = CALLIMPORT_SOURCE_DIR;
  std::string verbs;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/api/cli")) verbs += read_file(entry.path());
  std::istringstream words(read_file(root + "/api/proto/callimport/v1/callimport.proto"));
  int methods = 0;
  for (std::string word; words >> word;) {
    if (word != "rpc") continue;
    words >> word;
    const auto name = word.substr(0, word.find('('));
    ++methods;
    EXPECT_TRUE(has(verbs, "\"" + name + "\"") || has(verbs, "/" + name + "\"")) << name;
  }
  EXPECT_GT(methods, 40);
}

/// A row of docs/screens.md: the point and the test that proves it ("Suite.Name", "-": none).
std::map<std::string, std::string> proofs() {
  std::map<std::string, std::string> rows;
  std::istringstream page(read_file(std::string(CALLIMPORT_SOURCE_DIR) + "/docs/screens.md"));
  for (std::string line; std::getline(page, line);) {
    std::smatch row;
    if (!std::regex_match(line, row, std::regex(R"(\| ([A-Z]+-\d\d) \| .+ \| (\S+) \|)"))) continue;
    EXPECT_TRUE(rows.emplace(row[1], row[2]).second) << "twice: " << line;
  }
  return rows;
}

TEST(Points, EachIsOnThePageAndItsProofIsATest) {
  std::string tests;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(CALLIMPORT_SOURCE_DIR) + "/tests"))
    if (entry.path().extension() == ".cc") tests += read_file(entry.path());
  const auto rows = proofs();
  EXPECT_GT(rows.size(), 90u);
  for (const auto& [point, proof] : rows) {
    if (proof == "-") continue;
    const auto dot = proof.find('.');
    const auto words = fmt::format("({}, {})", proof.substr(0, dot), proof.substr(dot + 1));
    EXPECT_TRUE(has(tests, words)) << point << ": no test " << proof;
  }
}

TEST(Points, OfWhatPeopleExpectAreAllOnThePage) {
  const std::string list = std::string(CALLIMPORT_SOURCE_DIR) + "/../shared/ux.md";
  if (!std::filesystem::exists(list)) GTEST_SKIP() << "the list of points is not on this machine";
  const auto text = read_file(list);
  const auto rows = proofs();
  const std::regex point(R"(\b(X|OV|NW|ID|TS|TW|TL|TH|TR|TP|TY|TF|TE)-\d\d\b)");
  std::set<std::string> points;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), point); at != std::sregex_iterator(); ++at)
    points.insert(at->str());
  EXPECT_GT(points.size(), 90u);
  for (const auto& one : points) EXPECT_TRUE(rows.contains(one)) << one;
}

}  // namespace
}  // namespace callimport::tests
