// An import whose server dies right after its n-th journal commit, for n = 1, 1 + step, ... to the last commit there
// is, up to 300. Ten calls take some 70 commits; a second, longer import goes on from there. Commits are shared by what
// is queued, so their number varies a little from run to run: the sweep ends when three in a row live through.
// CALLIMPORT_COMMIT_STEP=1 tries each.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

constexpr int kCommitsMax = 300;
/// One call a step and a first lane of its own: as many commits as an import can be asked to make.
const std::vector<std::string> kSmallSteps = {"--batch", "1", "--first", "3"};

int number_from(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

/// Commits of an import nobody disturbs.
int commits_of(std::uint64_t calls) {
  House house(calls, 100);
  EXPECT_TRUE(house.serve());
  EXPECT_EQ(house.start(kSmallSteps).code, 0);
  EXPECT_TRUE(house.follow());
  return static_cast<int>(house.journal_commits());
}

/// @return whether the server died of its switch before the import was done.
bool import_dying_after(std::uint64_t calls, int commits) {
  House house(calls, 100 + static_cast<std::uint64_t>(commits));
  const bool alive = house.serve(static_cast<std::uint64_t>(commits));
  Ran started;
  if (alive) started = house.start(kSmallSteps);
  if (alive && started.code == 0 && house.follow()) {
    house.expect_whole();
    return false;
  }
  EXPECT_EQ(house.server().wait(), -SIGKILL) << house.server().err();
  EXPECT_TRUE(house.serve()) << house.server().err();
  const auto again = house.start(kSmallSteps);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(house.follow());
  house.expect_whole();
  house.expect_none_fetched_again();
  return true;
}

/// From the n-th commit on. @return the last one after which the server died.
int sweep(std::uint64_t calls, int first, int step) {
  const int whole = commits_of(calls);
  int died = 0, lived = 0, last = 0;
  for (int commits = first; commits <= kCommitsMax && lived < 3; commits += step) {
    SCOPED_TRACE("after commit " + std::to_string(commits));
    if (import_dying_after(calls, commits)) {
      ++died;
      lived = 0;
      last = commits;
      continue;
    }
    ++lived;
    if (testing::Test::HasFailure()) break;
  }
  std::printf("%llu calls, %d commits undisturbed: died %d times, from commit %d to commit %d, every %d\n",
              static_cast<unsigned long long>(calls), whole, died, first, last, step);
  EXPECT_GE(last + 3 * step, std::min(whole, kCommitsMax) - 10) << "the sweep reaches the last commit there is";
  return last;
}

TEST(KillCommit, AfterEachCommitOfTenCallsNothingIsLost) {
  const int step = std::max(1, number_from("CALLIMPORT_COMMIT_STEP", 10));
  EXPECT_GT(sweep(10, 1, step), 40);
}

TEST(KillCommit, AfterEachFurtherCommitOfALongerImportNothingIsLost) {
  const int step = std::max(1, number_from("CALLIMPORT_COMMIT_STEP", 25));
  EXPECT_GT(sweep(75, 61, step), kCommitsMax - step - 1);
}

}  // namespace
}  // namespace callimport::tests
