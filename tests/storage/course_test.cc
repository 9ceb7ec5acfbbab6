// ID-02, ID-04: time by stage and waits by reason, out of a timeline.
#include "storage/library/course.h"

#include <gtest/gtest.h>

namespace callimport::storage {
namespace {

StageChange change(std::int64_t at_ms, Lane lane, const std::string& stage, const std::string& condition,
                   const std::string& reason = "") {
  StageChange made;
  made.at_ms = at_ms;
  made.lane = lane;
  made.row.stage = stage;
  made.row.condition = condition;
  made.row.reason = reason;
  return made;
}
constexpr Lane kFirst = Lane::kFirst, kBulk = Lane::kBulk;

CourseEnd end_of(const std::vector<StageChange>& changes, std::int64_t now_ms) {
  Course course;
  for (const auto& one : changes) course.add(one);
  return course.end(now_ms);
}

TEST(Course, StagesOfTwoLanesAtOnceCountOnce) {
  const auto end = end_of({change(100, kFirst, "fetch", "running"), change(100, kBulk, "fetch", "running"),
                           change(160, kFirst, "register", "running"), change(200, kBulk, "notify", "completed"),
                           change(300, kFirst, "notify", "completed")},
                          9'999);
  EXPECT_EQ(100, end.stages.at("fetch").duration_ms);
  EXPECT_EQ(140, end.stages.at("register").duration_ms);
  EXPECT_EQ(200, end.open_ms) << "the end is the end";
  EXPECT_EQ(0, end.waited_ms);
  EXPECT_TRUE(end.waits.empty());
}

TEST(Course, AWaitOfBothLanesCountsOnceAndOneLaneIsNoWaitOfTheImport) {
  const auto end =
      end_of({change(0, kFirst, "fetch", "running"), change(0, kBulk, "fetch", "running"),
              change(10, kBulk, "fetch", "waiting", "window.closed"),
              change(20, kFirst, "fetch", "waiting", "window.closed"), change(50, kFirst, "fetch", "running"),
              change(70, kBulk, "fetch", "running"), change(80, kFirst, "fetch", "paused")},
             100);
  EXPECT_EQ(60, end.waits.at("window.closed").total_ms);
  EXPECT_EQ(1, end.waits.at("window.closed").times);
  EXPECT_EQ(20, end.waits.at("paused").total_ms);
  EXPECT_EQ(30, end.waited_ms);
  EXPECT_EQ(30, end.stages.at("fetch").waited_ms);
  ASSERT_EQ(2u, end.spans.size());
  EXPECT_EQ("window.closed", end.spans[0].reason);
  EXPECT_EQ(10, end.spans[0].from_ms);
  EXPECT_EQ(70, end.spans[0].to_ms);
  EXPECT_EQ(100, end.spans[1].to_ms) << "what is open lasts until now";
}

TEST(Course, AClockSetBackAddsNothing) {
  const auto end = end_of({change(1'000, kFirst, "fetch", "running"), change(400, kFirst, "register", "running"),
                           change(1'100, kFirst, "notify", "running")},
                          1'050);
  EXPECT_EQ(0, end.stages.at("fetch").duration_ms);
  EXPECT_EQ(100, end.stages.at("register").duration_ms);
  EXPECT_EQ(100, end.open_ms);
}

TEST(Course, SpansAndReasonsAreBounded) {
  Course course;
  course.add(change(0, kBulk, "fetch", "running"));
  for (int i = 0; i < 3'000; ++i) {
    course.add(change(i * 100, kBulk, "fetch", "waiting", "cause." + std::to_string(i % 200)));
    course.add(change(i * 100 + 1 + i % 90, kBulk, "fetch", "running"));
  }
  const auto end = course.end(400'000);
  EXPECT_EQ(kWaitSpansMax, end.spans.size());
  for (const auto& span : end.spans) EXPECT_GE(span.to_ms - span.from_ms, 80) << "the longest are kept";
  EXPECT_LE(end.waits.size(), kReasonsMax + 1);
  std::int64_t total = 0;
  for (const auto& [reason, wait] : end.waits) total += wait.total_ms;
  EXPECT_EQ(total, end.waited_ms) << "totals are exact, also where spans are left out";
}

TEST(Course, NothingHappened) {
  const auto end = end_of({}, 77);
  EXPECT_EQ(0, end.open_ms);
  EXPECT_TRUE(end.stages.empty());
}

}  // namespace
}  // namespace callimport::storage
