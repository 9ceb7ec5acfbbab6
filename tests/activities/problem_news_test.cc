// Causes that keep calls from coming: told when they are new, gone and back, once each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/import/problem_news.h"

namespace callimport::activities {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'788'220'800'000;

storage::ImportRow import_with(std::int64_t found, std::int64_t pending) {
  storage::ImportRow row;
  row.id = "imp_1";
  row.platform = "grain";
  row.workspace = "acme";
  row.counters.found = found;
  row.counters.pending = pending;
  return row;
}
storage::Problem failed(std::int64_t calls, const std::string& cause = "media.too_large") {
  storage::Problem made;
  made.cause = cause;
  made.calls = made.failed = calls;
  return made;
}

TEST(ProblemNews, BeginAtTenCallsOrAHundredth) {
  struct Row {
    std::int64_t found, failed;
    bool told;
  };
  for (const Row& row : {Row{4'000, 9, false}, Row{4'000, 10, true}, Row{500, 4, false}, Row{500, 5, true},
                         Row{4'000, 0, false}}) {
    const auto turn = problem_news(import_with(row.found, 7), {}, {failed(row.failed)}, kNow);
    EXPECT_EQ(turn.say.size(), row.told ? 1u : 0u) << row.found << " " << row.failed;
  }
}

TEST(ProblemNews, AreToldOnceThenSolvedThenBack) {
  const auto first = problem_news(import_with(1'000, 5), {}, {failed(14)}, kNow);
  ASSERT_EQ(first.say.size(), 1u);
  EXPECT_EQ(first.say[0].event, "problem.new");
  EXPECT_THAT(first.say[0].text, HasSubstr("14 of 1,000 calls"));
  EXPECT_THAT(problem_news(import_with(1'000, 5), first.put, {failed(20)}, kNow).say, IsEmpty());
  EXPECT_THAT(problem_news(import_with(1'000, 14), first.put, {}, kNow).say, IsEmpty()) << "they are only tried again";
  const auto solved = problem_news(import_with(1'000, 0), first.put, {}, kNow);
  ASSERT_EQ(solved.say.size(), 1u);
  EXPECT_EQ(solved.say[0].event, "problem.solved");
  EXPECT_THAT(solved.say[0].text, HasSubstr("14 of 1,000 calls"));
  const auto back = problem_news(import_with(1'000, 5), solved.put, {failed(11)}, kNow);
  ASSERT_EQ(back.say.size(), 1u);
  EXPECT_EQ(back.say[0].event, "problem.back");
}

}  // namespace
}  // namespace callimport::activities
