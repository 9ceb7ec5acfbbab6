// Runs at their limits and beyond them, on the real server and on ours: the same answers, and the same end in the same
// words (conformance C.2, C.16, C20, C30).
#include <gtest/gtest.h>

#include <map>

#include "tests/cluster/both_servers.h"
#include "tests/cluster/limit_rows.h"

namespace callimport::tests {
namespace {

class Limits : public BothServers {
 protected:
  Limits() : BothServers(low_limits()) {}
};

std::string all_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

TEST_F(Limits, AreTheSameOnBothServers) {
  if (IsSkipped() || HasFatalFailure()) return;
  int number = 0;
  for (const auto& row : limit_rows()) {
    const std::string id = "limit-" + std::to_string(++number);
    Play theirs(*real_, id), here(*ours_, id);
    row.play(theirs);
    row.play(here);
    EXPECT_EQ(all_of(theirs.lines()), all_of(here.lines())) << row.name;
  }
  EXPECT_GT(number, 40);
}

/// Callers that do not say that they look for the next run are told of it as of one continued as new.
TEST_F(Limits, TheEndOfARunThatGoesOnIsToldAlike) {
  if (IsSkipped() || HasFatalFailure()) return;
  const auto told = [](Target& target) {
    Play play(target, "retried");
    const Json policy = {{"initialInterval", "0.1s"}, {"maximumAttempts", 2}};
    const Json run = play.start({{"retryPolicy", policy}})["runId"];
    for (int attempt = 0; attempt < 2; ++attempt) {
      play.task();
      play.complete({command("FAIL_WORKFLOW_EXECUTION", "failWorkflowExecution", {{"failure", failure(30)}})});
      if (attempt == 0) play.close_event(run);
    }
    play.close_event("");
    return all_of(play.lines());
  };
  const std::string theirs = told(*real_);
  EXPECT_NE(theirs.find("CONTINUED_AS_NEW"), std::string::npos) << theirs;
  EXPECT_EQ(theirs, told(*ours_));
}

}  // namespace
}  // namespace callimport::tests
