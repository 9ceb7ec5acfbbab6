// An import of ten calls whose server dies right after its n-th journal commit, for n = 1, 1 + step, ... up to 300, or
// until three in a row live through: commits are shared by what is queued, so their number varies a little from run to
// run. CALLIMPORT_COMMIT_STEP=1 tries each.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

constexpr int kCommitsMax = 300;

int number_from(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

/// @return whether the server died of its switch before the import was done.
bool import_dying_after(std::uint64_t commits) {
  House house(10, 100 + commits);
  bool died = false;
  bool alive = house.serve(commits);
  Ran started;
  if (alive) started = house.start({"--batch", "1", "--first", "3"});
  if (alive && started.code == 0 && house.follow()) {
    house.expect_whole();
    return false;
  }
  EXPECT_EQ(house.server().wait(), -SIGKILL) << house.server().err();
  died = true;
  const auto known = house.sandbox().asked();
  EXPECT_TRUE(house.serve()) << house.server().err();
  const auto registered = house.registered();
  const auto again = house.start({"--batch", "1", "--first", "3"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(house.follow());
  house.expect_whole();
  house.expect_not_fetched_again(registered, known);
  return died;
}

TEST(KillCommit, AfterEachCommitNothingIsLost) {
  const int step = std::max(1, number_from("CALLIMPORT_COMMIT_STEP", 10));
  int died = 0, lived = 0;
  for (int commits = 1; commits <= kCommitsMax; commits += step) {
    SCOPED_TRACE("after commit " + std::to_string(commits));
    if (import_dying_after(static_cast<std::uint64_t>(commits))) {
      ++died;
      lived = 0;
      continue;
    }
    std::printf("lived through: the import took fewer than %d commits\n", commits);
    if (HasFailure() || ++lived == 3) break;
  }
  EXPECT_GT(died * step, 20) << "an import takes more commits than that";
  std::printf("died %d times\n", died);
}

}  // namespace
}  // namespace callimport::tests
