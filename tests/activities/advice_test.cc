// every trouble of a call is told in its four parts, and by the same codes as on the page for people.
#include "activities/import/advice.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

namespace callimport::activities {
namespace {

/// Code -> the section of docs/errors.md it stands in.
std::map<std::string, std::string> codes_on_the_page() {
  std::ifstream in(std::string(CALLIMPORT_SOURCE_DIR) + "/docs/errors.md");
  std::map<std::string, std::string> codes;
  std::string line, section;
  while (std::getline(in, line)) {
    if (line.starts_with("## ")) section = line.substr(3);
    if (line.starts_with("### ")) codes[line.substr(4)] = section;
  }
  return codes;
}

TEST(Advice, HasFourPartsAndItsCodeIsOnThePage) {
  const auto codes = codes_on_the_page();
  for (const Advice& advice : all_advice()) {
    EXPECT_TRUE(codes.contains(std::string(advice.cause))) << advice.cause << " has no row in docs/errors.md";
    for (const auto part : {advice.what, advice.means, advice.who, advice.action})
      EXPECT_FALSE(part.empty()) << advice.cause;
  }
}

TEST(Advice, EveryCodeOfACallHasAdvice) {
  int calls = 0;
  for (const auto& [code, section] : codes_on_the_page()) {
    if (section != "One call") continue;
    ++calls;
    EXPECT_EQ(advice_for(code).cause, code);
  }
  EXPECT_GE(calls, 10);
}

TEST(Advice, AnUnknownCauseIsTold) {
  const Advice& advice = advice_for("something.new");
  EXPECT_EQ(advice.cause, "");
  EXPECT_EQ(advice.who, "support");
}

TEST(Advice, ActionsNameTheImport) {
  EXPECT_EQ(action_for(advice_for("media.link_expired"), "imp_1", "media.link_expired"),
            "callimport retry imp_1 --cause media.link_expired");
  EXPECT_EQ(action_for(advice_for("something.new"), "imp_1", "something.new"), "callimport show imp_1 --problems");
}

}  // namespace
}  // namespace callimport::activities
