// ID-14: the grade of an import, at each limit of its rule and one call beyond.
#include "activities/import/grade.h"

#include <gtest/gtest.h>

#include <ostream>

namespace callimport::activities {
namespace {

struct Row {
  const char* name;
  std::int64_t found, registered, duplicate, skipped, damaged, absent, pending;
  const char* grade;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

GradeFacts facts_of(const Row& row) {
  GradeFacts facts;
  facts.counters = {row.found, row.registered, row.duplicate, row.skipped, row.damaged + row.absent, row.pending, 0};
  if (row.damaged > 0) facts.problems.push_back({"media.damaged", "", row.damaged, row.damaged, "a"});
  if (row.absent > 0) facts.problems.push_back({"call.no_recording", "", row.absent, row.absent, "b"});
  if (row.skipped > 0) facts.problems.push_back({"media.damaged", "", row.skipped, 0, "c"});
  return facts;
}

class GradeTable : public testing::TestWithParam<Row> {};
TEST_P(GradeTable, FollowsTheRule) {
  const GradeFacts facts = facts_of(GetParam());
  ASSERT_TRUE(facts.counters.add_up());
  const Verdict verdict = grade_of(facts);
  EXPECT_EQ(to_string(verdict.grade), GetParam().grade) << verdict.why;
  EXPECT_FALSE(verdict.why.empty());
}
INSTANTIATE_TEST_SUITE_P(Table, GradeTable,
                         testing::Values(Row{"Whole", 10, 10, 0, 0, 0, 0, 0, "perfect"},
                                         Row{"Nothing", 0, 0, 0, 0, 0, 0, 0, "perfect"},
                                         Row{"OnlyDuplicates", 10, 0, 10, 0, 0, 0, 0, "perfect"},
                                         Row{"SkippedIsNoGap", 10, 5, 0, 5, 0, 0, 0, "perfect"},
                                         Row{"OnePercent", 100, 99, 0, 0, 1, 0, 0, "good"},
                                         Row{"AboveOnePercent", 199, 197, 0, 0, 2, 0, 0, "investigate"},
                                         Row{"FivePercent", 100, 95, 0, 0, 5, 0, 0, "investigate"},
                                         Row{"AboveFivePercent", 1'000, 949, 0, 0, 51, 0, 0, "poor"},
                                         Row{"DuplicatesDoNotDilute", 100, 18, 80, 0, 2, 0, 0, "poor"},
                                         Row{"AbsentTwentyPercent", 100, 80, 0, 0, 0, 20, 0, "good"},
                                         Row{"AbsentAboveTwenty", 100, 79, 0, 0, 0, 21, 0, "investigate"},
                                         Row{"AbsentAndDamaged", 1'000, 890, 0, 0, 10, 100, 0, "good"},
                                         Row{"NoneCame", 5, 0, 0, 0, 0, 5, 0, "poor"},
                                         Row{"Cancelled", 100, 10, 0, 0, 0, 0, 90, "poor"}),
                         [](const auto& test) { return test.param.name; });

TEST(Grade, AListThatWasNotReadToItsEndIsLookedInto) {
  GradeFacts facts = facts_of({"", 10, 10, 0, 0, 0, 0, 0, ""});
  facts.counted = false;
  EXPECT_EQ(grade_of(facts).grade, Grade::kInvestigate);
}

TEST(Grade, AWholeMonthThatIsMissingIsLookedInto) {
  GradeFacts facts = facts_of({"", 10'000, 9'990, 0, 0, 10, 0, 0, ""});
  facts.months = {{"2026-01", 9'991, 9'990, 0, 0, 1, 0}, {"2026-02", 9, 0, 0, 0, 9, 0}};
  EXPECT_EQ(grade_of(facts).grade, Grade::kGood) << "nine calls are too few for a month";
  facts.months = {{"2026-01", 9'990, 9'990, 0, 0, 0, 0}, {"2026-02", 10, 0, 0, 0, 10, 0}};
  const Verdict verdict = grade_of(facts);
  EXPECT_EQ(verdict.grade, Grade::kInvestigate);
  EXPECT_EQ(verdict.why, "No call of 2026-02 came across.");
  facts.months[1].duplicate = 10;
  EXPECT_EQ(grade_of(facts).grade, Grade::kGood) << "the library had them before";
}

TEST(Grade, AnUnknownCauseIsDamage) {
  EXPECT_EQ(kind_of_gap("call.deleted_at_source"), GapKind::kChoice);
  EXPECT_EQ(kind_of_gap("call.no_recording"), GapKind::kAbsent);
  EXPECT_EQ(kind_of_gap("something.new"), GapKind::kDamage);
  EXPECT_EQ(kind_of_gap(""), GapKind::kDamage);
}

}  // namespace
}  // namespace callimport::activities
