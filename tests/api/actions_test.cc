// What people do to imports, through the real binary: said before, written down, done once, by those who may (ux X-10,
// ID-08, ID-10, ID-19, TR-01 to TR-04, TP-01 to TP-04, TS-06).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;

json read_json(House& house, std::vector<std::string> args) {
  args.insert(args.end(), {"-o", "json"});
  const auto ran = house.verb(std::move(args));
  EXPECT_EQ(ran.code, 0) << ran.err;
  auto value = json::parse(ran.out, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << ran.out;
  return value;
}

/// An import that stands still, its sandbox holding one answer back.
struct Held {
  explicit Held(std::uint64_t seed) : house(300, seed) {
    EXPECT_TRUE(house.serve());
    house.sandbox().arm(200, [this] { gate.get_future().wait(); });
    const auto ran = house.start();
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
  ~Held() {
    if (!open) gate.set_value();
  }
  void release() {
    open = true;
    gate.set_value();
  }
  bool until(const std::string& condition) {
    return house.follow_until([&](const v1::WatchImportResponse& now) {
      return now.import().first().condition() == condition || now.import().bulk().condition() == condition;
    });
  }
  std::promise<void> gate;
  bool open = false;
  House house;
};

TEST(Pause, SaysWhatFinishesAndResumeWhatChanged) {
  Held held(41);
  auto& house = held.house;
  const auto paused = house.verb({"pause", house.import(), "--why", "customer call at three"});
  ASSERT_EQ(paused.code, 0) << paused.err;
  for (const char* words : {"Pause acme (imp_", "Downloads under way finish (24 at most)", "Nothing is lost",
                            "until somebody resumes it", "stays sealed until the import ends", "paused; "})
    EXPECT_NE(paused.err.find(words), std::string::npos) << words << " in " << paused.err;
  ASSERT_TRUE(held.until("paused"));
  const auto again = house.verb({"pause", house.import(), "--why", "customer call at three"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("is paused already"), std::string::npos) << again.err;
  const auto late = house.verb({"pause", house.import(), "--until", "2020-01-01"});
  EXPECT_EQ(late.code, 2) << late.err;
  EXPECT_NE(late.err.find("which is over"), std::string::npos) << late.err;
  held.release();
  const auto resumed = house.verb({"resume", house.import()});
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("(customer call at three); since then"), std::string::npos) << resumed.err;
  ASSERT_TRUE(house.follow());
  house.expect_whole();
  const auto closed = house.verb({"pause", house.import()});
  EXPECT_EQ(closed.code, 1);
  EXPECT_NE(closed.err.find("has ended"), std::string::npos) << closed.err;
  EXPECT_NE(closed.err.find("next: callimport show imp_"), std::string::npos) << closed.err;

  const auto log = read_json(house, {"audit", house.import()});
  ASSERT_EQ(log.size(), 3u) << log.dump(1) << "what changed nothing is no action";
  EXPECT_EQ(log[0]["verb"], "resume");
  EXPECT_EQ(log[1]["verb"], "pause");
  EXPECT_EQ(log[1]["why"], "customer call at three");
  EXPECT_TRUE(log[1]["who"].get<std::string>().starts_with("os:")) << log[1];
  EXPECT_EQ(log[1]["from"], "callimport-cli on the socket");
  EXPECT_EQ(log[1]["before"]["condition"], "running");
  EXPECT_EQ(log[1]["after"]["condition"], "paused");
  EXPECT_EQ(log[1]["outcome"], "done");
  EXPECT_EQ(log[2]["verb"], "start");
  EXPECT_EQ(log[2]["after"]["said that the customer owns the data"], true);
  EXPECT_EQ(read_json(house, {"show", house.import(), "--audit"}), log);
}

TEST(Pause, OfManyCountsThemAndWantsAYes) {  // OV-07
  Held held(42);
  auto& house = held.house;
  const std::vector<std::string> all = {"pause", "--query", "CallImportPlatform = 'grain'"};
  const auto asked = house.verb(all);
  EXPECT_EQ(asked.code, 2) << "without a terminal nobody can say yes";
  EXPECT_NE(asked.err.find("1 open imports match"), std::string::npos) << asked.err;
  auto sure = all;
  sure.push_back("--yes");
  const auto done = house.verb(sure);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.err.find("1 of 1 paused"), std::string::npos) << done.err;
  ASSERT_TRUE(held.until("paused"));
  EXPECT_EQ(house.verb({"pause", "--query", "CallImportPlatform = 'gong'", "--yes"}).code, 0) << "none is no failure";
}

TEST(TwoOperators, TheSecondSeesWhatTheFirstDid) {
  Held held(43);
  auto& house = held.house;
  v1::PauseImportRequest pause;
  pause.mutable_action()->set_import(house.import());
  pause.mutable_action()->set_dry_run(true);
  v1::ActionResponse seen;
  ASSERT_TRUE(house.ask("PauseImport", pause, seen).ok());
  EXPECT_FALSE(seen.acted());
  EXPECT_GT(seen.words_size(), 2);
  EXPECT_GT(seen.change(), 0) << "the start was the last action";

  pause.mutable_action()->set_dry_run(false);
  pause.mutable_action()->set_request_id("anna");
  pause.mutable_action()->set_why("a demo");
  pause.mutable_action()->set_change(seen.change());
  v1::ActionResponse first;
  ASSERT_TRUE(house.ask("PauseImport", pause, first).ok());
  EXPECT_TRUE(first.acted());
  v1::CancelImportRequest cancel;
  *cancel.mutable_action() = pause.action();
  cancel.mutable_action()->set_request_id("ben");
  v1::ActionResponse second;
  const auto refused = house.ask("CancelImport", cancel, second);
  EXPECT_EQ(refused.code, 9) << refused.message;
  EXPECT_NE(refused.message.find("import.changed: since you looked, os:"), std::string::npos) << refused.message;
  EXPECT_NE(refused.message.find("did pause (a demo)"), std::string::npos) << refused.message;

  v1::ActionResponse repeated;
  ASSERT_TRUE(house.ask("PauseImport", pause, repeated).ok()) << "the same request is no second one";
  EXPECT_EQ(read_json(house, {"audit", house.import()}).size(), 2u);
  v1::PauseImportRequest without;
  without.mutable_action()->set_import(house.import());
  without.mutable_action()->set_why("another");
  EXPECT_EQ(house.ask("PauseImport", without, repeated).code, 3) << "an action has a request id";
}

TEST(Consent, IsSaidOnceForACustomersWorkspace) {
  House house(5, 44);
  ASSERT_TRUE(house.serve());
  const auto credential = [&] {
    const auto added = house.verb(
        {"credentials", "add", "--platform", "grain", "--workspace", "w", "--token-file", house.scratch() / "token"});
    return added.out.substr(0, added.out.find('\n'));
  };
  const auto start = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"start",          "--platform",   "grain",           "--customer",
                                     "Acme",           "--credential", credential(),      "--base-url",
                                     house.base_url(), "--yes",        "--wait",          "--no-estimate",
                                     "--window",       "always",       "--approve-above", "100"};
    args.insert(args.end(), more.begin(), more.end());
    return house.verb(std::move(args));
  };
  const auto refused = start({});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--owns-data"), std::string::npos) << refused.err;
  EXPECT_EQ(read_json(house, {"list"}).size(), 0u);
  EXPECT_NE(start({"--owns-data"}).code, 2);
  EXPECT_NE(start({}).code, 2) << "later starts of the workspace do not ask";
  EXPECT_EQ(start({"--workspace", "another"}).code, 2);
}

TEST(Retry, OfAnImportThatHasEndedWantsATokenAndFetchesNothingTwice) {
  House house(60, 45);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  ASSERT_TRUE(house.follow());
  const auto failed = read_json(house, {"show", house.import()})["counters"]["failed"].get<int>();
  ASSERT_GT(failed, 0) << "the sandbox breaks some";
  const auto wiped = house.verb({"retry", house.import(), "--failed"});
  EXPECT_EQ(wiped.code, 4) << wiped.err;
  EXPECT_NE(wiped.err.find("--token-file"), std::string::npos) << wiped.err;
  const auto registered = *house.registered().begin();
  const auto nothing = house.verb({"retry", house.import(), "--call", registered, "-o", "json"});
  EXPECT_EQ(nothing.code, 0) << nothing.err;
  const auto answer = json::parse(nothing.out, nullptr, false);
  EXPECT_EQ(answer["calls"], 0);
  EXPECT_EQ(answer["refused"][0]["source_id"], registered);
  EXPECT_EQ(answer["refused"][0]["reason"], "it is in the library already and is never fetched again");
  const auto retried =
      house.verb({"retry", house.import(), "--failed", "--token-file", house.scratch() / "token", "--yes"});
  ASSERT_EQ(retried.code, 0) << retried.err;
  EXPECT_NE(retried.err.find(fmt::format("Retry {} calls of acme", failed)), std::string::npos) << retried.err;
  EXPECT_NE(retried.err.find("0 repeated"), std::string::npos) << retried.err;
  ASSERT_TRUE(house.follow());
  house.expect_whole();
  house.expect_none_fetched_again();
  const auto told = read_json(house, {"show", house.import(), "--notifications"});
  int goes_on = 0, ends = 0;
  for (const auto& one : told) {
    if (one["text"].get<std::string>().find("goes on with what is missing") != std::string::npos) ++goes_on;
    if (one["event"] == "import.completed") ++ends;
  }
  EXPECT_EQ(goes_on, 1) << "the second beginning is told as one: " << told.dump(1);
  EXPECT_EQ(ends, 2) << told.dump(1);
  EXPECT_EQ(house.verb({"retry", house.import(), "--failed", "--now"}).code, 2) << "one choice";
  EXPECT_EQ(house.verb({"retry", house.import()}).code, 2);
}

TEST(Retry, OfACauseThatNeverWasNamesTheNearest) {
  House house(60, 45);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  ASSERT_TRUE(house.follow());
  const auto problems = read_json(house, {"show", house.import(), "--problems"});
  ASSERT_FALSE(problems.empty()) << "the sandbox breaks some";
  const auto cause = problems[0]["cause"].get<std::string>();
  for (const char* verb : {"retry", "skip"}) {
    const auto refused = house.verb({verb, house.import(), "--cause", cause + "x", "--yes"});
    EXPECT_EQ(refused.code, 1) << refused.err;
    for (const auto& words : {"did you mean " + cause + "?",
                              fmt::format("{} {}", problems[0]["calls"].get<int>(), cause), std::string("--problems")})
      EXPECT_NE(refused.err.find(words), std::string::npos) << words << " in " << refused.err;
  }
  EXPECT_EQ(read_json(house, {"audit", house.import()}).size(), 1u) << "nothing was done but the start";
}

// ID-07
TEST(Skip, SaysThatCallsWillNotComeAndIsTakenBack) {
  House house(60, 45);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  ASSERT_TRUE(house.follow());
  const auto counters = [&] { return read_json(house, {"show", house.import()})["counters"]; };
  const auto before = counters();
  const auto failed = before["failed"].get<int>();
  ASSERT_GT(failed, 0) << "the sandbox breaks some";
  const auto registered = *house.registered().begin();
  const auto nothing = house.verb({"skip", house.import(), "--call", registered, "-o", "json"});
  EXPECT_EQ(nothing.code, 0) << nothing.err;
  EXPECT_EQ(json::parse(nothing.out)["refused"][0]["reason"], "it is in the library already");
  EXPECT_EQ(counters(), before) << "a call that came is left alone";

  const auto skipped = house.verb({"skip", house.import(), "--failed", "--why", "the customer deleted them"});
  ASSERT_EQ(skipped.code, 0) << skipped.err;
  EXPECT_NE(skipped.err.find(fmt::format("Skip {} calls of acme", failed)), std::string::npos) << skipped.err;
  EXPECT_NE(skipped.err.find("its report stays as it was written"), std::string::npos) << skipped.err;
  EXPECT_EQ(counters()["failed"], 0);
  EXPECT_EQ(counters()["skipped"], before["skipped"].get<int>() + failed);
  const auto again = house.verb({"skip", house.import(), "--failed"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("Skip 0 calls"), std::string::npos) << again.err;
  const auto left = house.verb({"retry", house.import(), "--failed", "--token-file", house.scratch() / "token"});
  EXPECT_EQ(left.code, 0) << left.err;
  EXPECT_NE(left.err.find("Retry 0 calls"), std::string::npos) << "none is tried again: " << left.err;

  const auto back = house.verb({"skip", house.import(), "--failed", "--undo"});
  ASSERT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(counters(), before);
  const auto log = read_json(house, {"audit", house.import()});
  ASSERT_EQ(log.size(), 3u) << log.dump(1);
  EXPECT_EQ(log[0]["verb"], "skip");
  EXPECT_EQ(log[0]["after"]["deed"], "put_back");
  EXPECT_EQ(log[1]["why"], "the customer deleted them");
  EXPECT_EQ(house.verb({"skip", house.import()}).code, 2) << "one choice";
  EXPECT_EQ(house.verb({"skip", house.import(), "--failed", "--cause", "call.private"}).code, 2);
}

TEST(Approve, ClosesAnImportThatAsksForIt) {
  House house(60, 45);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start({"--approve-above", "0"}).code, 0);
  ASSERT_TRUE(house.follow_until([](const v1::WatchImportResponse& now) {
    return now.import().bulk().reason() == "gaps.approval" || now.import().first().reason() == "gaps.approval";
  }));
  const auto without = house.verb({"approve", house.import()});
  EXPECT_EQ(without.code, 2) << "it wants a yes: " << without.err;
  const auto approved = house.verb({"approve", house.import(), "--why", "they are private", "--yes"});
  ASSERT_EQ(approved.code, 0) << approved.err;
  EXPECT_NE(approved.err.find("calls did not come across"), std::string::npos) << approved.err;
  ASSERT_TRUE(house.follow());
  v1::GetImportRequest request;
  request.set_id(house.import());
  v1::GetImportResponse end;
  ASSERT_TRUE(house.ask("GetImport", request, end).ok());
  EXPECT_NE(end.import().report().find("they are private"), std::string::npos) << end.import().report();
  const auto late = house.verb({"approve", house.import(), "--yes"});
  EXPECT_EQ(late.code, 1) << late.err;
}

TEST(Undo, TakesBackWhatAnImportBroughtInTwoSteps) {
  House house(40, 47);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  ASSERT_TRUE(house.follow());
  const auto registered = house.registered().size();
  ASSERT_GT(registered, 20u);
  const auto media = std::filesystem::path(house.data()) / "media";
  const auto recordings = [&] {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(media)) {
      const bool kept = entry.path().string().find("/quarantine/") != std::string::npos;
      if (entry.is_regular_file() && !kept) ++files;
    }
    return files;
  };
  ASSERT_GT(recordings(), 20u);
  const auto asked = house.verb({"undo", house.import()});
  EXPECT_EQ(asked.code, 2) << "without a terminal nobody can say yes: " << asked.err;
  EXPECT_NE(asked.err.find(fmt::format("{} calls that it brought leave the library", registered)), std::string::npos)
      << asked.err;
  EXPECT_EQ(house.registered().size(), registered);
  const auto undone = house.verb({"undo", house.import(), "--why", "the wrong workspace", "--yes"});
  ASSERT_EQ(undone.code, 0) << undone.err;
  EXPECT_EQ(read_json(house, {"calls", "list"}).size(), 0u);
  EXPECT_EQ(recordings(), 0u);
  EXPECT_EQ(read_json(house, {"list"})[0]["condition"], "undone");
  const auto again = house.verb({"undo", house.import(), "--yes"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_NE(again.err.find("taken back already"), std::string::npos) << again.err;
  const auto retried = house.verb({"retry", house.import(), "--failed", "--token-file", house.scratch() / "token"});
  EXPECT_EQ(retried.code, 1) << retried.err;
  EXPECT_NE(retried.err.find("was taken back"), std::string::npos) << retried.err;
  const auto log = read_json(house, {"audit", house.import()});
  EXPECT_EQ(log[0]["verb"], "undo");
  EXPECT_EQ(log[0]["why"], "the wrong workspace");
  EXPECT_EQ(log[0]["before"]["registered"], registered);
}

TEST(Roles, AreKeptOnTheSocket) {
  House house(5, 46);
  std::filesystem::create_directories(house.data());
  const auto config = [&](const std::string& role) {
    write_file(house.data() + "/callimport.toml",
               fmt::format("[roles]\n\"os:{}\" = \"{}\"\n\"os:anna\" = \"admin\"\n\"os:ben\" = \"approver\"\n",
                           ::getuid() == 0 ? "root" : std::getenv("USER"), role));
  };
  config("viewer");
  ASSERT_TRUE(house.serve());
  EXPECT_EQ(house.verb({"list"}).code, 0);
  const auto refused = house.verb({"cancel", "imp_none", "--yes"});
  EXPECT_EQ(refused.code, 1) << "there is none: looking is allowed";
  v1::ActionResponse response;
  v1::ApproveImportRequest approve;
  const auto status = house.ask("ApproveImport", approve, response);
  EXPECT_EQ(status.code, 7);
  EXPECT_NE(status.message.find("approve needs the role approver: anna, ben have it"), std::string::npos)
      << status.message;
  const auto skipping = house.ask("SkipCalls", v1::SkipCallsRequest(), response);
  EXPECT_EQ(skipping.code, 7);
  EXPECT_NE(skipping.message.find("skip needs the role approver"), std::string::npos) << skipping.message;
  const auto added =
      house.verb({"credentials", "add", "--platform", "grain", "--token-file", house.scratch() / "token"});
  EXPECT_EQ(added.code, 4) << added.err;
  EXPECT_NE(added.err.find("add a credential needs the role operator"), std::string::npos) << added.err;
}

}  // namespace
}  // namespace callimport::tests
