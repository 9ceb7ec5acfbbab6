// The import's table, row by row: every row leads where it says, every pair without a row is refused.
#include "workflows/import/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace callimport::workflows {
namespace {

struct Expected {
  const char* name;
  int stage;  ///< -1: any
  Condition condition;
  Event event;
  int to_stage;  ///< -1: the same
  Condition to;
};
void PrintTo(const Expected& row, std::ostream* out) { *out << row.name; }

constexpr int kAny = -1;
constexpr int kA = 0, kE = 1, kP = 2, kF = 3, kR = 4, kN = 5;
constexpr auto kRun = Condition::kRunning, kWait = Condition::kWaiting, kAct = Condition::kNeedsAttention,
               kStop = Condition::kPaused;

const std::vector<Expected>& expected() {
  static const std::vector<Expected> rows = {
      {"AccessProvenCounts", kA, kRun, Event::kAccessProven, kE, kRun},
      {"KnownCallsAreOrdered", kE, kRun, Event::kCallsKnown, kP, kRun},
      {"OrderedCallsAreFetched", kP, kRun, Event::kOrderSet, kF, kRun},
      {"EmptyLaneIsTold", kP, kRun, Event::kLaneEmpty, kN, kRun},
      {"FetchedCallsAreRegistered", kF, kRun, Event::kAllFetched, kR, kRun},
      {"RegisteredCallsAreTold", kR, kRun, Event::kAllRegistered, kN, kRun},
      {"WholeLaneCompletes", kN, kRun, Event::kClosedWhole, kN, Condition::kCompleted},
      {"LaneWithGapsCompletes", kN, kRun, Event::kClosedWithGaps, kN, Condition::kCompletedWithGaps},
      {"DoneLaneFetchesAgain", kN, kRun, Event::kRetryAsked, kF, kRun},
      {"GapsAreTriedAgain", kN, kAct, Event::kRetryAsked, kF, kRun},
      {"GapsAreApproved", kN, kAct, Event::kGapsApproved, kN, kRun},
      {"RunningWaits", kAny, kRun, Event::kWaitBegan, kAny, kWait},
      {"WaitingWaitsLonger", kAny, kWait, Event::kWaitBegan, kAny, kWait},
      {"PausedOutageBecomesAWait", kAny, kStop, Event::kWaitBegan, kAny, kWait},
      {"LastingOutagePauses", kAny, kWait, Event::kOutageLasted, kAny, kStop},
      {"LastingOutageStaysPaused", kAny, kStop, Event::kOutageLasted, kAny, kStop},
      {"RunningNeedsAttention", kAny, kRun, Event::kAttentionNeeded, kAny, kAct},
      {"WaitingNeedsAttention", kAny, kWait, Event::kAttentionNeeded, kAny, kAct},
      {"PausedNeedsAttention", kAny, kStop, Event::kAttentionNeeded, kAny, kAct},
      {"WaitIsOver", kAny, kWait, Event::kWorkPassed, kAny, kRun},
      {"OutageIsOver", kAny, kStop, Event::kWorkPassed, kAny, kRun},
      {"AttentionIsOver", kAny, kAct, Event::kWorkPassed, kAny, kRun},
      {"AccessIsRenewed", kAny, kAct, Event::kAccessRenewed, kAny, kRun},
      {"PersonPausesRunning", kAny, kRun, Event::kPausedByPerson, kAny, kStop},
      {"PersonPausesWaiting", kAny, kWait, Event::kPausedByPerson, kAny, kStop},
      {"PersonPausesAttention", kAny, kAct, Event::kPausedByPerson, kAny, kStop},
      {"PersonPausesPaused", kAny, kStop, Event::kPausedByPerson, kAny, kStop},
      {"PersonResumes", kAny, kStop, Event::kResumed, kAny, kRun},
      {"RunningFails", kAny, kRun, Event::kGaveUp, kAny, Condition::kFailed},
      {"WaitingFails", kAny, kWait, Event::kGaveUp, kAny, Condition::kFailed},
      {"AttentionFails", kAny, kAct, Event::kGaveUp, kAny, Condition::kFailed},
      {"PausedFails", kAny, kStop, Event::kGaveUp, kAny, Condition::kFailed},
      {"RunningIsCancelled", kAny, kRun, Event::kCancelAsked, kAny, Condition::kCancelled},
      {"WaitingIsCancelled", kAny, kWait, Event::kCancelAsked, kAny, Condition::kCancelled},
      {"AttentionIsCancelled", kAny, kAct, Event::kCancelAsked, kAny, Condition::kCancelled},
      {"PausedIsCancelled", kAny, kStop, Event::kCancelAsked, kAny, Condition::kCancelled},
      {"CompletedIsUndone", kAny, Condition::kCompleted, Event::kUndoAsked, kAny, Condition::kUndone},
      {"GapsAreUndone", kAny, Condition::kCompletedWithGaps, Event::kUndoAsked, kAny, Condition::kUndone},
      {"FailedIsUndone", kAny, Condition::kFailed, Event::kUndoAsked, kAny, Condition::kUndone},
      {"CancelledIsUndone", kAny, Condition::kCancelled, Event::kUndoAsked, kAny, Condition::kUndone},
  };
  return rows;
}

using Key = std::tuple<int, int, int>;
Key key(int stage, Condition condition, Event event) {
  return {stage, static_cast<int>(condition), static_cast<int>(event)};
}

/// Every (stage, condition, event) the expected rows allow.
std::set<Key> allowed() {
  std::set<Key> keys;
  for (const auto& row : expected()) {
    for (int stage = 0; stage < kStages; ++stage) {
      if (row.stage == kAny || row.stage == stage) keys.insert(key(stage, row.condition, row.event));
    }
  }
  return keys;
}

class ImportTable : public testing::TestWithParam<Expected> {};

TEST_P(ImportTable, LeadsWhereItSays) {
  const auto& row = GetParam();
  for (int stage = 0; stage < kStages; ++stage) {
    if (row.stage != kAny && row.stage != stage) continue;
    const auto to = advance({static_cast<Stage>(stage), row.condition}, row.event);
    ASSERT_TRUE(to.has_value()) << stage;
    EXPECT_EQ(static_cast<int>(to->stage), row.to_stage == kAny ? stage : row.to_stage);
    EXPECT_EQ(to->condition, row.to);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, ImportTable, testing::ValuesIn(expected()),
                         [](const auto& test) { return test.param.name; });

TEST(ImportTableWhole, RefusesEveryPairWithoutARow) {
  const auto legal = allowed();
  std::size_t refused = 0;
  for (int stage = 0; stage < kStages; ++stage) {
    for (int condition = 0; condition < kConditions; ++condition) {
      for (int event = 0; event < kEvents; ++event) {
        const Place from{static_cast<Stage>(stage), static_cast<Condition>(condition)};
        const bool legal_pair = legal.contains({stage, condition, event});
        EXPECT_EQ(advance(from, static_cast<Event>(event)).has_value(), legal_pair)
            << to_string(from.stage) << ", " << to_string(from.condition) << ", "
            << to_string(static_cast<Event>(event));
        refused += legal_pair ? 0 : 1;
      }
    }
  }
  EXPECT_EQ(refused + legal.size(), static_cast<std::size_t>(kStages * kConditions * kEvents));
}

TEST(ImportTableWhole, HasNoRowThisTestDoesNotKnow) { EXPECT_EQ(table().size(), expected().size()); }

TEST(ImportTableWhole, OnlyUndoLeavesAFinalCondition) {
  for (const TableRow& row : table()) {
    EXPECT_EQ(is_final(row.condition), row.event == Event::kUndoAsked) << row.meaning;
    if (is_final(row.condition)) EXPECT_EQ(row.to.condition, Condition::kUndone);
  }
}

TEST(ImportTableWhole, IsPrintedRowByRow) {
  const std::string text = describe_table();
  for (const TableRow& row : table()) EXPECT_NE(text.find(row.meaning), std::string::npos) << row.meaning;
  for (int stage = 0; stage < kStages; ++stage) {
    EXPECT_NE(text.find(title_of(static_cast<Stage>(stage))), std::string::npos);
  }
}

TEST(ImportTableWhole, NamesParseBack) {
  for (int stage = 0; stage < kStages; ++stage) {
    EXPECT_EQ(parse_stage(to_string(static_cast<Stage>(stage))), static_cast<Stage>(stage));
  }
  for (int condition = 0; condition < kConditions; ++condition) {
    EXPECT_EQ(parse_condition(to_string(static_cast<Condition>(condition))), static_cast<Condition>(condition));
  }
  EXPECT_FALSE(parse_stage("fetching").has_value());
}

TEST(ImportTableWhole, ShowsTheMoreUrgentLane) {
  const std::vector<Condition> by_urgency = {
      Condition::kNeedsAttention,    Condition::kPaused,    Condition::kWaiting,
      Condition::kRunning,           Condition::kFailed,    Condition::kCancelled,
      Condition::kCompletedWithGaps, Condition::kCompleted, Condition::kUndone};
  for (std::size_t a = 0; a < by_urgency.size(); ++a) {
    for (std::size_t b = 0; b < by_urgency.size(); ++b) {
      EXPECT_EQ(first_is_shown({Stage::kFetch, by_urgency[a]}, {Stage::kEnumerate, by_urgency[b]}), a <= b)
          << a << " " << b;
    }
  }
}

}  // namespace
}  // namespace callimport::workflows
