// `start` and `watch` on a terminal, as a person meets them (ux TS-01, TS-02, TW-01, TW-06, TW-07, NW-01, NW-02,
// NW-12, NW-13).
#include "tests/api/terminal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>

#include "api/cli/text.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

std::map<std::string, std::string> at_home(House& house) { return {{"CALLIMPORT_DATA", house.data()}}; }

TEST(Wizard, StartsAnImportFromAnswers) {
  House house(20, 31);
  ASSERT_TRUE(house.serve());
  Terminal terminal({"start", "--base-url", house.base_url(), "--wait", "--approve-above", "100"}, house.scratch(),
                    at_home(house));
  ASSERT_TRUE(terminal.expect("Whose calls are they?")) << terminal.seen();
  terminal.type("\n");
  ASSERT_TRUE(terminal.expect("a name is needed"));
  terminal.type("Ana's calls\n");
  for (const char* words : {"grain: recordings, transcripts, people",
                            "needs: ", "5,000 calls: ", "gaps: ", "Where are the calls?"})  // NW-02
    ASSERT_TRUE(terminal.expect(words)) << words << terminal.seen();
  terminal.type("gramophone\n");
  ASSERT_TRUE(terminal.expect("no connector of that name")) << terminal.seen();
  ASSERT_TRUE(terminal.expect("Where are the calls?"));
  terminal.type("\n");
  ASSERT_TRUE(terminal.expect("How many calls"));
  terminal.type("many\n");
  ASSERT_TRUE(terminal.expect("a number up to 1000, or all"));
  terminal.type("7\n");
  ASSERT_TRUE(terminal.expect("Since when?"));
  terminal.type("soon\n");
  ASSERT_TRUE(terminal.expect("wants a day"));
  terminal.type("\n");
  ASSERT_TRUE(terminal.expect("Recordings, too?"));
  terminal.type("no\n");
  ASSERT_TRUE(terminal.expect("without questions: callimport start --platform grain --customer 'Ana'\\''s calls'"));
  ASSERT_TRUE(terminal.expect("--sample 7 --no-media --yes --owns-data"));
  ASSERT_TRUE(terminal.expect("Token (not shown)"));
  terminal.type(std::string(simulations::kGrainSandboxToken) + "\n");
  ASSERT_TRUE(terminal.expect("estimate: Ana's calls from Grain")) << terminal.seen();
  ASSERT_TRUE(terminal.expect("20 found, 7 to import")) << terminal.seen();
  ASSERT_TRUE(terminal.expect("Does Ana's calls own these calls, and agree to their being copied? [y/N]"));
  terminal.type("y\n");
  ASSERT_TRUE(terminal.expect("Start it? [y/N]"));
  terminal.type("y\n");
  ASSERT_TRUE(terminal.expect("imp_"));
  const int code = terminal.wait();
  EXPECT_TRUE(code == 0 || code == 5) << code << terminal.seen();
  EXPECT_EQ(terminal.seen().find(std::string(simulations::kGrainSandboxToken)), std::string::npos) << "never echoed";
  EXPECT_NE(terminal.seen().find("found 7 = registered"), std::string::npos) << terminal.seen();
  // The second time it offers the access that is there; no answer starts nothing.
  Terminal again({"start"}, house.scratch(), at_home(house));
  ASSERT_TRUE(again.expect("Whose calls are they?"));
  again.type("\x04");
  EXPECT_EQ(again.wait(), 3) << again.seen();
}

// NW-01: customer, platform, access, what, when, review; the line without questions is what a colleague can go on with.
TEST(Wizard, AsksWhenTheBulkMayRun) {
  House house(20, 36);
  ASSERT_TRUE(house.serve());
  Terminal terminal({"start", "--base-url", house.base_url()}, house.scratch(), at_home(house));
  ASSERT_TRUE(terminal.expect("Whose calls are they?")) << terminal.seen();
  terminal.type("Acme\n");
  for (const char* question : {"Where are the calls?", "How many calls", "Since when?", "Recordings, too?"}) {
    ASSERT_TRUE(terminal.expect(question)) << question << terminal.seen();
    terminal.type("\n");
  }
  ASSERT_TRUE(terminal.expect("When may all but the first calls run?")) << terminal.seen();
  terminal.type("sometimes\n");
  ASSERT_TRUE(terminal.expect("When may all but the first calls run?")) << "it is asked again: " << terminal.seen();
  terminal.type("weekdays 20:00-06:00\n");
  ASSERT_TRUE(terminal.expect("--window 'weekdays 20:00-06:00' --yes --owns-data")) << terminal.seen();
  ASSERT_TRUE(terminal.expect("Token (not shown)"));
  terminal.type("\x04");
  EXPECT_NE(terminal.wait(), 0);
}

TEST(Wizard, SaysNoToAPersonWhoSaysNo) {
  House house(20, 32);
  ASSERT_TRUE(house.serve());
  Terminal terminal({"start", "--platform", "grain", "--customer", "Acme", "--base-url", house.base_url()},
                    house.scratch(), at_home(house));
  ASSERT_TRUE(terminal.expect("Token (not shown)")) << terminal.seen();
  terminal.type(std::string(simulations::kGrainSandboxToken) + "\n");
  ASSERT_TRUE(terminal.expect("own these calls")) << terminal.seen();
  terminal.type("y\n");
  ASSERT_TRUE(terminal.expect("Start it? [y/N]")) << terminal.seen();
  terminal.type("\n");
  EXPECT_EQ(terminal.wait(), 3);
  EXPECT_NE(terminal.seen().find("nothing was started"), std::string::npos);
  EXPECT_EQ(house.verb({"credentials", "list", "-o", "csv"}).out.find("cred_"), std::string::npos)
      << "the token of a look is kept nowhere";
}

/// An import that stands still, its sandbox holding one answer back.
struct Held {
  explicit Held(std::uint64_t seed) : house(100, seed) {
    EXPECT_TRUE(house.serve());
    house.sandbox().arm(60, [this] { gate.get_future().wait(); });
    EXPECT_EQ(house.start().code, 0);
  }
  ~Held() { gate.set_value(); }
  std::promise<void> gate;
  House house;
};

TEST(WatchOnATerminal, IsABlockOfAtMostEightLinesAlsoWhenItGetsSmaller) {
  Held held(33);
  Terminal terminal({"watch", held.house.import()}, held.house.scratch(), at_home(held.house));
  ASSERT_TRUE(terminal.expect("Ctrl-C stops watching")) << terminal.seen();
  ASSERT_TRUE(terminal.expect("\x1b[")) << "it was redrawn";
  ASSERT_TRUE(terminal.expect("Ctrl-C stops watching"));
  const auto wide = screen_of(terminal.seen(), 80);
  EXPECT_LE(wide.size(), 9u) << "eight lines and the cursor's";
  terminal.resize(40, 24);
  // What was drawn for 80 columns now takes more rows: all of them are taken back.
  std::size_t rows = 0;
  for (int redraws = 0; redraws < 40 && rows <= 8; ++redraws) {
    ASSERT_TRUE(terminal.expect("\x1b[J"));
    const auto up = terminal.seen().rfind("\x1b[", terminal.seen().rfind("\x1b[J") - 1);
    rows = std::strtoul(terminal.seen().c_str() + up + 2, nullptr, 10);
  }
  EXPECT_GT(rows, 8u);
  ASSERT_TRUE(terminal.expect("Ctrl-C stops watching"));
  const auto block = terminal.seen().substr(terminal.seen().rfind("\x1b[J") + 3);
  for (const auto& line : screen_of(block, 1000)) EXPECT_LT(api::columns(line), 40u) << line;
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 130);
  EXPECT_NE(terminal.seen().find("the import goes on"), std::string::npos);
}

TEST(WatchOnATerminal, AsciiWhereTheTerminalHasNoUtf8) {
  Held held(34);
  auto env = at_home(held.house);
  env["LANG"] = "C";
  Terminal terminal({"watch", held.house.import()}, held.house.scratch(), env);
  ASSERT_TRUE(terminal.expect("Ctrl-C stops watching")) << terminal.seen();
  const auto foreign = std::find_if(terminal.seen().begin(), terminal.seen().end(),
                                    [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  EXPECT_EQ(foreign, terminal.seen().end()) << terminal.seen();
}

TEST(WatchOnATerminal, EndsWithSevenWhenItsTimeRanOut) {
  Held held(35);
  const auto ran = held.house.verb({"watch", held.house.import(), "--timeout", "0.5"});
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_NE(ran.err.find("is still open after 0.5 s"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace callimport::tests
