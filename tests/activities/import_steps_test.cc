// The import's activities in small: texts, what trouble becomes, the size of what crosses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "activities/import/step.h"
#include "activities/import/texts.h"

namespace callimport::activities {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Timestamp kNow{std::chrono::sys_days{std::chrono::year{2026} / 9 / 1}};

class FakeContext final : public ActivityContext {
 public:
  FakeContext(int attempt, Timestamp scheduled) {
    info_.attempt = attempt;
    info_.scheduled = scheduled;
  }
  const engine::ActivityInfo& info() const override { return info_; }
  void heartbeat(std::string) override {}
  bool cancelled() const override { return false; }

 private:
  engine::ActivityInfo info_;
};

struct TroubleRow {
  const char* name;
  int attempt;
  bool probing;
  Trouble trouble;
  const char* kind;  ///< of the completed step; empty: the attempt fails and is tried again
  const char* cause;
  Nanos tried_for = 30s;  ///< since the step was scheduled
};
void PrintTo(const TroubleRow& row, std::ostream* out) { *out << row.name; }
class AnswerTrouble : public testing::TestWithParam<TroubleRow> {};

TEST_P(AnswerTrouble, FailsTheAttemptOrCompletesTheStep) {
  const auto& row = GetParam();
  StepInput input;
  input.probing = row.probing;
  const FakeContext context(row.attempt, kNow - row.tried_for);
  const auto answer = answer_trouble(context, input, row.trouble, StepResult{}, 5min, kNow);
  if (std::string(row.kind).empty()) {
    ASSERT_FALSE(answer.has_value());
    EXPECT_FALSE(answer.error().non_retryable);
    EXPECT_EQ(answer.error().type, row.cause);
    return;
  }
  ASSERT_TRUE(answer.has_value());
  const auto result = read_note<StepResult>(*answer);
  EXPECT_EQ(result->trouble.kind, row.kind);
  EXPECT_EQ(result->trouble.cause, row.cause);
}

const Again kOutage{"platform.outage", "no answer", std::nullopt};
const Again kSlowDown{"platform.rate_limited", "slow down", 20s};
const Again kFull{"store.full", "disk is full", std::nullopt};
INSTANTIATE_TEST_SUITE_P(
    Table, AnswerTrouble,
    testing::Values(TroubleRow{"AnOutageIsTriedAgain", 1, false, kOutage, "", "platform.outage"},
                    TroubleRow{"UpToItsLimit", 4, false, kOutage, "", "platform.outage"},
                    TroubleRow{"ThenItIsToldOfAsAWait", 5, false, kOutage, "wait", "platform.outage"},
                    TroubleRow{"ThreeSilentMinutesAreToldSooner", 3, false, kOutage, "wait", "platform.outage", 3min},
                    TroubleRow{"ANanosecondLessIsTriedAgain", 3, false, kOutage, "", "platform.outage", 3min - 1ns},
                    TroubleRow{"TheSecondTryIsNeverTold", 2, false, kOutage, "", "platform.outage", 3min},
                    TroubleRow{"AProbeIsOneTry", 1, true, kOutage, "wait", "platform.outage"},
                    TroubleRow{"AShortLimitIsNeverTold", 50, true, kSlowDown, "", "platform.rate_limited"},
                    TroubleRow{"AFullDiskIsToldByWhoRunsTheStep", 50, false, kFull, "", "store.full"},
                    TroubleRow{"ALongLimitIsAWait", 1, false, Wait{"platform.rate_limited", "", kNow + 10min}, "wait",
                               "platform.rate_limited"},
                    TroubleRow{"AccessNeedsAPerson", 1, false, NeedsAttention{"access.expired", "", "customer admin"},
                               "attention", "access.expired"},
                    TroubleRow{"ARefusedStepWaits", 1, false, CallFailed{"platform.changed_answer", ""}, "wait",
                               "platform.changed_answer"},
                    TroubleRow{"ANotReadyStepWaits", 1, false, NotReady{"call.recording_not_ready", 10min}, "wait",
                               "call.recording_not_ready"}),
    [](const auto& test) { return test.param.name; });

TEST(AnswerTrouble, TheDelayThePlatformAsksForIsTheRetrys) {
  const FakeContext context(1, kNow);
  const auto answer = answer_trouble(context, StepInput{}, kSlowDown, StepResult{}, 5min, kNow);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().next_retry_delay, Nanos{20s});
}

TEST(ErrorOf, OnlyWhatCanPassLaterIsTriedAgain) {
  EXPECT_FALSE(error_of({Code::kUnavailable, "disk is full"}).non_retryable);
  EXPECT_EQ(error_of({Code::kUnavailable, "disk is full"}).type, "store.full");
  EXPECT_FALSE(error_of({Code::kConflict, "late"}).non_retryable);
  EXPECT_TRUE(error_of({Code::kCorrupt, "damaged"}).non_retryable);
  EXPECT_TRUE(error_of({Code::kCancelled, ""}).cancelled);
}

storage::ImportRow an_import() {
  storage::ImportRow row;
  row.id = "imp_1";
  row.platform = "grain";
  row.workspace = "acme";
  row.title = "Northwind";
  row.credential = "cred_1";
  row.created_ms = 1'000;
  row.counters = {4'212, 3'940, 100, 0, 72, 100, 0};
  return row;
}

TEST(Texts, NumbersComeWithTheWhole) {
  LaneChange change;
  change.lane = "bulk";
  change.condition = "waiting";
  change.reason = "platform.outage";
  change.told = "condition.changed";
  change.until_ms = 1'788'220'800'000;
  const auto news = compose_change(an_import(), change, 2'000);
  EXPECT_EQ(news.text, "Grain does not answer. 4,040 of 4,212 calls are in the library.");
  EXPECT_EQ(news.next, "It goes on by itself at 2026-09-01T00:00:00Z. Nothing to do.");
  EXPECT_EQ(news.subject, "[Calls] Northwind · Grain import imp_1");
}

TEST(Texts, SayWhoMustDoWhat) {
  LaneChange change;
  change.condition = "needs_attention";
  change.reason = "access.expired";
  change.who = "customer admin";
  change.told = "condition.changed";
  const auto news = compose_change(an_import(), change, 2'000);
  EXPECT_THAT(news.next,
              HasSubstr("Ask the customer admin for a new token, then: callimport credentials renew cred_1"));
}

TEST(Texts, ThePauseOfAPersonNamesThem) {
  LaneChange change;
  change.condition = "paused";
  change.who = "Ana";
  change.why = "customer demo";
  change.told = "condition.changed";
  EXPECT_THAT(compose_change(an_import(), change, 2'000).text, HasSubstr("Ana paused the import: customer demo."));
}

TEST(Texts, GroupDigitsAndSpeakTimes) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(-1'234'567), "-1,234,567");
  EXPECT_EQ(spoken_duration(59'999), "59 s");
  EXPECT_EQ(spoken_duration(60'000), "1 min");
  EXPECT_EQ(spoken_duration(3 * 3'600'000 + 5 * 60'000), "3 h 5 min");
}

TEST(WriteReport, StaysWithinTheContract) {
  std::vector<storage::Problem> problems;
  for (int i = 0; i < 500; ++i) problems.push_back({"cause." + std::to_string(i), std::string(1'000, 'x'), 1, 1, "a"});
  CloseInput close;
  close.result = "completed_with_gaps";
  const auto report = write_report(an_import(), close, {Grade::kPoor, "why"}, problems, 5'000);
  EXPECT_EQ(report["gaps"].size(), kGapsMax);
  EXPECT_LE(report.dump().size(), kContractBytesMax);
  EXPECT_EQ(report["duration_s"], 4);
}

TEST(Contract, NotesComeBackAsTheyWent) {
  StepInput input;
  input.ask.import = "imp_1";
  input.ask.title = "S\xc3\xb6ren \xff";  // not UTF-8 at its end: kept readable, never refused
  input.ask.settings.fetch_batch = 7;
  input.probing = true;
  const auto back = read_note<StepInput>(write_note(input));
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->ask.settings, input.ask.settings);
  EXPECT_TRUE(back->probing);
  EXPECT_THAT(back->ask.title, HasSubstr("S\xc3\xb6ren"));
}

TEST(Contract, RefusesWhatIsNoNote) {
  for (const std::string text : {"", "[", "3", "{\"ask\":3}", "{\"ask\":{\"import\":[]}}"}) {
    EXPECT_FALSE(read_note<StepInput>(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace callimport::activities
