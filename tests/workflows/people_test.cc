// What people do to an import while it runs: gaps approved or tried again (ux ID-08, ID-14, TR-01 to TR-04), a pause
// changed, and that nothing that came is fetched a second time.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "activities/import/report.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using activities::RetryNote;
using simulations::broken_promises;
using simulations::SandboxReply;
using simulations::SandboxRequest;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::Scene;

constexpr auto kBulk = storage::Lane::kBulk;

/// An import of which the platform refuses some calls, the newest and others, until it is mended.
struct Gaps {
  explicit Gaps(std::uint64_t calls, int refused_each = 5) : scene(calls) {
    const auto& source = scene.world->sandbox->calls();
    for (std::uint64_t i = 0; i < calls; i += static_cast<std::uint64_t>(refused_each))
      broken.insert(source.head(i).id);
    scene.world->outside.answer = [this](const SandboxRequest& request, Timestamp) -> std::optional<SandboxReply> {
      for (const auto& id : broken) {
        if (request.target.find(id) == std::string::npos) continue;
        SandboxReply reply;
        reply.status = 403;
        return reply;
      }
      return std::nullopt;
    };
    scene.input.settings.first_lane = 10;
    scene.input.settings.approve_above_percent = 5;
  }
  std::int64_t gaps() const { return static_cast<std::int64_t>(broken.size()); }
  void mend() { broken.clear(); }
  nlohmann::json whole_report() {
    const auto now_ms = to_unix_ms(scene.world->loop.now());
    return activities::read_report(scene.world->library(), scene.id, now_ms).value_or(nlohmann::json::object());
  }
  bool run_until_asked() {
    return scene.world->run_until([this] { return scene.row().bulk.reason == "gaps.approval"; }, 24h);
  }
  void signal(const char* name, const nlohmann::json& note) {
    ASSERT_TRUE(scene.world->signal(scene.id, name, note.dump()).has_value());
  }
  /// Recordings asked for more often than once, by call.
  std::map<std::string, int> repeated() const {
    std::map<std::string, int> times;
    for (const auto& [call, bytes] : scene.world->downloads()) ++times[call];
    std::erase_if(times, [](const auto& one) { return one.second < 2; });
    return times;
  }
  Scene scene;
  std::set<std::string> broken;
};

TEST(Approval, IsWaitedForAndStandsInTheReport) {
  Gaps test(40);
  const auto gaps = test.gaps();
  test.scene.start();
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  EXPECT_EQ(test.scene.row().bulk.condition, "needs_attention");
  EXPECT_EQ(test.scene.row().bulk.who, "approver");
  EXPECT_FALSE(test.scene.world->run_until_closed(48h)) << "it waits for a person, however long";
  test.signal(kSignalApprove, {{"who", "ben"}, {"why", "the customer deleted them"}});
  ASSERT_TRUE(test.scene.world->run_until_closed(1h)) << test.scene.status();
  EXPECT_EQ(test.scene.report()["result"], "completed_with_gaps");
  EXPECT_EQ(test.scene.report()["approved"]["by"], "ben");
  EXPECT_EQ(test.scene.report()["approved"]["why"], "the customer deleted them");
  const auto whole = test.whole_report();
  EXPECT_EQ(whole["asks_for_approval"], true);
  ASSERT_EQ(whole["approvals"].size(), 1u);
  EXPECT_EQ(whole["approvals"][0]["who"], "ben");
  EXPECT_EQ(whole["approvals"][0]["why"], "the customer deleted them");
  EXPECT_GT(whole["approvals"][0]["at_ms"], 0);
  EXPECT_EQ(test.scene.row().counters.failed, gaps);
  EXPECT_THAT(test.scene.conditions(kBulk),
              ElementsAre("running", "needs_attention gaps.approval", "running", "completed_with_gaps"));
  EXPECT_THAT(broken_promises(*test.scene.world, test.scene.id), IsEmpty());
  test.scene.check_histories();
}

TEST(Approval, OutlivesARestartAndAPause) {
  Gaps test(40);
  test.scene.start();
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  ASSERT_TRUE(test.scene.world->restart().has_value());
  test.signal(kSignalPause, {{"who", "anna"}});
  ASSERT_TRUE(test.scene.world->run_until([&] { return test.scene.row().bulk.condition == "paused"; }, 1h));
  test.signal(kSignalResume, {{"who", "anna"}});
  ASSERT_TRUE(test.run_until_asked()) << "it asks again after the pause: " << test.scene.status();
  test.signal(kSignalApprove, {{"who", "ben"}});
  ASSERT_TRUE(test.scene.world->run_until_closed(1h)) << test.scene.status();
  test.scene.check_histories();
}

TEST(Approval, GivenBeforeItIsAskedForCountsForNothing) {
  Gaps test(40);
  test.scene.start();
  ASSERT_TRUE(test.scene.world->run_until([&] { return test.scene.row().counters.found > 0; }, 1h));
  test.signal(kSignalApprove, {{"who", "ben"}});
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  EXPECT_FALSE(test.scene.world->run_until_closed(1h));
}

TEST(Approval, IsNotAskedForFewGaps) {
  Gaps test(40, 30);  // 2 of 40: five in a hundred, not more
  test.scene.start();
  ASSERT_TRUE(test.scene.world->run_until_closed(24h)) << test.scene.status();
  EXPECT_EQ(test.scene.report()["result"], "completed_with_gaps");
  EXPECT_FALSE(test.scene.report().contains("approved"));
  EXPECT_EQ(test.whole_report()["asks_for_approval"], false) << "the report and the gate are one rule";
}

TEST(Retry, InsteadOfApprovalFetchesOnlyWhatFailed) {
  Gaps test(40);
  test.scene.start();
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  test.mend();
  test.signal(kSignalRetry, {{"failed", true}, {"who", "anna"}});
  ASSERT_TRUE(test.scene.world->run_until_closed(24h)) << test.scene.status();
  EXPECT_EQ(test.scene.report()["result"], "completed");
  EXPECT_EQ(test.scene.row().counters.registered, 40);
  EXPECT_THAT(test.repeated(), IsEmpty()) << "0 repeated";
  EXPECT_THAT(test.scene.conditions(kBulk),
              ElementsAre("running", "needs_attention gaps.approval", "running", "completed"));
  EXPECT_THAT(broken_promises(*test.scene.world, test.scene.id), IsEmpty());
  test.scene.check_histories();
}

TEST(Retry, ThatFailsAgainAsksAgain) {
  Gaps test(40);
  test.scene.start();
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  const auto asked = test.scene.timeline().size();
  test.signal(kSignalRetry, {{"failed", true}});
  const auto again = [&] {
    return test.scene.timeline().size() > asked + 3 && test.scene.row().bulk.reason == "gaps.approval";
  };
  ASSERT_TRUE(test.scene.world->run_until(again, 24h)) << test.scene.status();
  EXPECT_EQ(test.scene.row().counters.failed, test.gaps());
  EXPECT_THAT(test.repeated(), IsEmpty());
}

TEST(Retry, OfChosenCallsLeavesTheOthers) {
  Gaps test(40);
  const std::string chosen = *test.broken.begin();
  const auto gaps = test.gaps();
  test.scene.start();
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  const auto before = test.scene.row().counters;
  test.mend();
  test.signal(kSignalRetry, {{"calls", {chosen, "no-such-call"}}});
  const auto came = [&] { return test.scene.row().counters.registered == before.registered + 1; };
  ASSERT_TRUE(test.scene.world->run_until(came, 24h)) << test.scene.status();
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  EXPECT_EQ(test.scene.row().counters.failed, gaps - 1);
  EXPECT_EQ(test.scene.row().counters.registered, before.registered + 1);
  EXPECT_EQ(test.scene.world->library().manifest_row(test.scene.id, chosen)->value().state,
            storage::CallState::kRegistered);
}

TEST(Retry, WhileItRunsIsTakenUpBeforeTheEnd) {
  Gaps test(200, 10);
  test.scene.input.settings.fetch_batch = 10;
  test.scene.input.settings.approve_above_percent = 100;
  test.scene.start();
  ASSERT_TRUE(test.scene.world->run_until([&] { return test.scene.row().counters.failed >= 5; }, 24h));
  test.mend();
  test.signal(kSignalRetry, {{"failed", true}});
  ASSERT_TRUE(test.scene.world->run_until_closed(24h)) << test.scene.status();
  EXPECT_EQ(test.scene.report()["result"], "completed") << test.scene.report().dump();
  EXPECT_EQ(test.scene.row().counters.registered, 200);
  EXPECT_THAT(test.repeated(), IsEmpty());
  EXPECT_THAT(broken_promises(*test.scene.world, test.scene.id), IsEmpty());
  test.scene.check_histories();
}

/// The wish comes later and later, up to the last transactions of the import: each time every call that had failed by
/// then is as it asks at the end.
void wish_at_any_moment(const nlohmann::json& wish, bool mended,
                        const std::function<bool(const storage::ManifestRow&)>& granted) {
  int wishes = 0;
  for (int change = 2; change < 16; ++change) {
    SCOPED_TRACE(change);
    Gaps test(30);
    test.scene.input.settings.approve_above_percent = 100;
    test.scene.start();
    const auto reached = [&] { return std::ssize(test.scene.timeline()) >= change || test.scene.row().closed_ms; };
    ASSERT_TRUE(test.scene.world->run_until(reached, 24h));
    const auto failed = test.scene.world->library().manifest(test.scene.id, storage::CallState::kFailed, "", "", 100);
    if (mended) test.mend();
    const auto sent = test.scene.world->signal(test.scene.id, kSignalRetry, wish.dump());
    ASSERT_TRUE(test.scene.world->run_until_closed(24h)) << test.scene.status();
    if (!sent) continue;  // it had closed: said to whoever asked
    wishes += failed->empty() ? 0 : 1;
    for (const auto& row : *failed) {
      const auto now = test.scene.world->library().manifest_row(test.scene.id, row.source_id);
      EXPECT_TRUE(granted(now->value())) << row.source_id;
    }
    if (mended) EXPECT_THAT(test.repeated(), IsEmpty());
    EXPECT_THAT(broken_promises(*test.scene.world, test.scene.id), IsEmpty());
    test.scene.check_histories();
  }
  EXPECT_GT(wishes, 3) << "else this test saw nothing";
}

TEST(Retry, AtAnyMomentLosesNoWish) {
  wish_at_any_moment({{"failed", true}}, true,
                     [](const storage::ManifestRow& row) { return row.state == storage::CallState::kRegistered; });
}

TEST(Retry, OfAClosedImportRunsOnlyTheChosen) {
  Gaps test(40);
  test.scene.input.settings.approve_above_percent = 100;
  const std::string chosen = *test.broken.begin();
  const auto gaps = test.gaps();
  test.scene.start();
  ASSERT_TRUE(test.scene.world->run_until_closed(24h)) << test.scene.status();
  const auto before = test.scene.row().counters;
  test.mend();
  test.scene.input.credential = test.scene.world->add_credential();
  test.scene.input.retries = {RetryNote{.failed = false, .cause = "", .calls = {chosen}, .who = "anna", .why = ""}};
  test.scene.start();
  ASSERT_TRUE(test.scene.world->run_until_closed(24h)) << test.scene.status();
  EXPECT_EQ(test.scene.row().counters.registered, before.registered + 1);
  EXPECT_EQ(test.scene.row().counters.failed, gaps - 1);
  EXPECT_THAT(test.repeated(), IsEmpty());
  EXPECT_THAT(broken_promises(*test.scene.world, test.scene.id), IsEmpty());
  test.scene.check_histories();
}

// ID-07
TEST(Skip, OfWhatWillNotComeClosesWithoutApproval) {
  Gaps test(40);
  const auto gaps = test.gaps();
  test.scene.start();
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  test.signal(kSignalRetry, {{"failed", true}, {"deed", activities::kSetAside}, {"who", "ben"}});
  ASSERT_TRUE(test.scene.world->run_until_closed(1h)) << test.scene.status();
  EXPECT_EQ(test.scene.report()["result"], "completed");
  EXPECT_FALSE(test.scene.report().contains("approved"));
  EXPECT_EQ(test.scene.row().counters.skipped, gaps);
  EXPECT_EQ(test.scene.row().counters.failed, 0);
  EXPECT_THAT(test.scene.conditions(kBulk),
              ElementsAre("running", "needs_attention gaps.approval", "running", "completed"));
  const auto problems = test.scene.world->library().problems(test.scene.id).value();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].set_aside, gaps) << "they stay on record, under their cause";
  EXPECT_THAT(test.repeated(), IsEmpty());
  EXPECT_THAT(broken_promises(*test.scene.world, test.scene.id), IsEmpty());
  test.scene.check_histories();
}

TEST(Skip, OfSomeStillAsksAboutTheOthersAndIsTakenBack) {
  Gaps test(40);
  const std::string chosen = *test.broken.begin();
  const auto gaps = test.gaps();
  test.scene.start();
  ASSERT_TRUE(test.run_until_asked()) << test.scene.status();
  const nlohmann::json note = {{"calls", {chosen}}, {"deed", activities::kSetAside}};
  test.signal(kSignalRetry, note);
  const auto failed = [&](std::int64_t calls) {
    return test.scene.world->run_until([&, calls] { return test.scene.row().counters.failed == calls; }, 1h);
  };
  ASSERT_TRUE(failed(gaps - 1)) << test.scene.status();
  EXPECT_FALSE(test.scene.world->run_until_closed(1h)) << "seven of forty are too many still";
  EXPECT_EQ(test.scene.row().bulk.reason, "gaps.approval");
  test.mend();
  test.signal(kSignalRetry, {{"failed", true}});
  ASSERT_TRUE(test.scene.world->run_until_closed(24h)) << test.scene.status();
  EXPECT_EQ(test.scene.row().counters.skipped, 1) << "a retry of all leaves what was set aside";
  EXPECT_EQ(test.scene.row().counters.registered, 39);
  EXPECT_THAT(broken_promises(*test.scene.world, test.scene.id), IsEmpty());
  test.scene.check_histories();
}

TEST(Skip, WhileItRunsAndPutBackBeforeTheEnd) {
  Gaps test(200, 10);
  test.scene.input.settings.fetch_batch = 10;
  test.scene.input.settings.approve_above_percent = 100;
  test.scene.start();
  ASSERT_TRUE(test.scene.world->run_until([&] { return test.scene.row().counters.failed >= 5; }, 24h));
  test.signal(kSignalRetry, {{"failed", true}, {"deed", activities::kSetAside}});
  ASSERT_TRUE(test.scene.world->run_until([&] { return test.scene.row().counters.skipped >= 5; }, 1h));
  test.signal(kSignalRetry, {{"failed", true}, {"deed", activities::kPutBack}});
  ASSERT_TRUE(test.scene.world->run_until_closed(24h)) << test.scene.status();
  EXPECT_EQ(test.scene.report()["result"], "completed_with_gaps");
  EXPECT_EQ(test.scene.row().counters.failed, test.gaps());
  EXPECT_EQ(test.scene.row().counters.skipped, 0);
  EXPECT_THAT(broken_promises(*test.scene.world, test.scene.id), IsEmpty());
  test.scene.check_histories();
}

TEST(Skip, AtAnyMomentLosesNoWish) {
  wish_at_any_moment({{"failed", true}, {"deed", activities::kSetAside}}, false,
                     [](const storage::ManifestRow& row) { return row.set_aside; });
}

TEST(Pause, GivenAgainTakesTheNewEndAndReason) {
  Scene scene(400);
  scene.input.settings.fetch_batch = 20;
  scene.start();
  ASSERT_TRUE(scene.world->run_until([&] { return scene.row().counters.registered > 20; }, 1h));
  ASSERT_TRUE(scene.world->signal(scene.id, "pause", R"({"who":"anna","why":"a demo"})").has_value());
  ASSERT_TRUE(scene.world->run_until([&] { return scene.row().bulk.condition == "paused"; }, 1h)) << scene.status();
  const auto until = to_unix_ms(scene.world->loop.now() + 5h);
  const nlohmann::json again = {{"who", "ben"}, {"why", "a longer demo"}, {"until_ms", until}};
  ASSERT_TRUE(scene.world->signal(scene.id, "pause", again.dump()).has_value());
  ASSERT_TRUE(scene.world->run_until([&] { return scene.row().bulk.who == "ben"; }, 1h)) << scene.status();
  EXPECT_EQ(scene.row().bulk.until_ms, until);
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_GE(to_unix_ms(scene.world->loop.now()), until);
  EXPECT_EQ(scene.row().counters.registered, 400);
  scene.check_histories();
}

}  // namespace
}  // namespace callimport::workflows
