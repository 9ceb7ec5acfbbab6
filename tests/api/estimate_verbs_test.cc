// The look before a start, from the terminal: estimate, dry run, sample, like, and figures over imports (ux TE-01..04,
// TS-02, TS-03, NW-04, NW-11, NW-14, TF-01, TF-02).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;

json parsed(const Ran& ran) {
  auto value = json::parse(ran.out, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << ran.out << ran.err;
  return value;
}

struct Kept {
  explicit Kept(House& house) : house_(house) {}
  /// Rows of everything a look could have left.
  json rows() {
    json all;
    for (const auto& args : std::vector<std::vector<std::string>>{
             {"list", "-o", "json"}, {"credentials", "list", "-o", "json"}, {"calls", "list", "-o", "json"}})
      all.push_back(parsed(house_.verb(args)));
    return all;
  }
  House& house_;
};

std::vector<std::string> with_token(House& house, std::vector<std::string> args) {
  args.insert(args.end(), {"--platform", "grain", "--customer", "Acme", "--base-url", house.base_url(), "--token-file",
                           house.scratch() / "token"});
  return args;
}

TEST(EstimateVerb, SaysFiguresBasisAndChecksAndKeepsNothing) {
  House house(300, 41);
  ASSERT_TRUE(house.serve());
  Kept kept(house);
  const auto before = kept.rows();
  const auto commits = house.journal_commits();
  const auto card = house.verb(with_token(house, {"estimate"}));
  EXPECT_EQ(card.code, 0) << card.err;
  for (const char* text :
       {"estimate: Acme from Grain", "300 found", "Grain states no daily quota", "no price configured",
        "an exact count on", "confidence medium", "credential valid", "could not check"})
    EXPECT_NE(card.out.find(text), std::string::npos) << text << "\n" << card.out;
  const auto figures = parsed(house.verb(with_token(house, {"estimate", "-o", "json"})));
  EXPECT_EQ(figures["estimate"]["exact"], true);
  EXPECT_EQ(figures["estimate"]["calls"]["to"], 300);
  EXPECT_EQ(figures["checks"].size(), 10u);
  EXPECT_EQ(kept.rows(), before) << "TE-03";
  EXPECT_EQ(house.journal_commits(), commits) << "TE-03";
}

TEST(EstimateVerb, PricesComeFromTheConfiguration) {
  House house(20, 42);
  std::filesystem::create_directories(house.data());
  std::filesystem::permissions(house.data(), std::filesystem::perms::owner_all);
  write_file(house.data() + "/callimport.toml", "[prices]\ncurrency = \"USD\"\ncall = 0.5\n");
  ASSERT_TRUE(house.serve());
  const auto card = house.verb(with_token(house, {"estimate"}));
  EXPECT_NE(card.out.find("USD (0.50 USD a call)"), std::string::npos) << card.out;
}

TEST(EstimateVerb, BadAccessIsSaidAndEndsWithFour) {
  House house(20, 43);
  ASSERT_TRUE(house.serve());
  write_file(house.scratch() / "token", "grain_pat_nobody00_NobodyNobodyNobodyNobodyNobodyNobody0000\n");
  const auto card = house.verb(with_token(house, {"estimate"}));
  EXPECT_EQ(card.code, 4) << card.out << card.err;
  EXPECT_NE(card.out.find("fail"), std::string::npos) << card.out;
  const auto start = house.verb(with_token(house, {"start", "--yes"}));
  EXPECT_EQ(start.code, 4) << start.err;
  EXPECT_NE(start.err.find("nothing was started"), std::string::npos) << start.err;
  EXPECT_EQ(parsed(house.verb({"list", "-o", "json"})).size(), 0u);
}

/// NW-04: each check can be made again alone, asks the platform for nothing else, and says when it was made.
TEST(Checks, OneByOne) {
  House house(60, 47);
  ASSERT_TRUE(house.serve());
  const auto added = house.verb(
      {"credentials", "add", "--platform", "grain", "--workspace", "acme", "--token-file", house.scratch() / "token"});
  ASSERT_EQ(added.code, 0) << added.err;
  const auto check = [&](const std::string& only) {
    const auto before = house.sandbox().asked();
    std::vector<std::string> args = {"platforms", "check", "--base-url", house.base_url(), "-o", "json"};
    if (!only.empty()) args.insert(args.end(), {"--only", only});
    const auto ran = house.verb(args);
    EXPECT_EQ(ran.code, 0) << ran.err << ran.out;
    return std::pair(parsed(ran).at(0).at("checks"), house.sandbox().asked() - before);
  };
  const auto [all, requests] = check("");
  ASSERT_EQ(all.size(), 10u);
  for (const auto& one : all) {
    const auto name = one["name"].get<std::string>();
    const auto [alone, asked] = check(name);
    ASSERT_EQ(alone.size(), 1u) << name;
    EXPECT_EQ(alone[0]["name"], name);
    EXPECT_GE(alone[0]["at"], one["at"]) << name;
    EXPECT_NE(alone[0]["text"], "not reached") << name;
    if (name != "storage" && name != "duplicates") {
      EXPECT_EQ(alone[0]["result"], one["result"]) << name;
    }
    if (name.starts_with("access.") || name == "quota" || name == "clock") {
      EXPECT_EQ(asked, 1u) << name << " needs the list alone";
    } else {
      EXPECT_LE(asked, requests) << name;
    }
  }
  const auto unknown = house.verb({"platforms", "check", "--base-url", house.base_url(), "--only", "access.nothing"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("there are: access.valid, access.list"), std::string::npos) << unknown.err;
}

TEST(DryRun, ChecksEstimatesPlansAndWritesNothing) {
  House house(60, 44);
  ASSERT_TRUE(house.serve());
  Kept kept(house);
  const auto before = kept.rows();
  const auto ran = house.verb(with_token(house, {"start", "--dry-run", "--sample"}));
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_NE(ran.out.find("could not be checked: "), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find("20 in all, across all dates"), std::string::npos) << ran.err;
  const auto plan = parsed(house.verb(with_token(house, {"start", "--dry-run", "-o", "json"})))["plan"];
  EXPECT_EQ(plan["platform"], "grain");
  EXPECT_EQ(kept.rows(), before);
}

TEST(Start, SaysTheEstimateAndKeepsItForTheEnd) {
  House house(60, 45);
  ASSERT_TRUE(house.serve());
  const auto ran = house.verb(
      with_token(house, {"start", "--sample", "7", "--yes", "--owns-data", "--approve-above", "100", "--wait"}));
  EXPECT_TRUE(ran.code == 0 || ran.code == 5) << ran.err;
  EXPECT_NE(ran.err.find("estimate: Acme from Grain"), std::string::npos) << ran.err;
  const auto id = ran.out.substr(0, ran.out.find('\n'));
  const auto calls = parsed(house.verb({"show", id, "--calls", "-o", "json"}));
  EXPECT_EQ(calls.size(), 7u);
  // One like it, its own access apart, takes the sample over and finds all of it there.
  const auto bare = house.verb({"start", "--like", id, "--yes", "--no-input"});
  EXPECT_NE(bare.code, 0) << "no credential is taken over";
  const auto like = house.verb(
      {"start", "--like", id, "--token-file", house.scratch() / "token", "--yes", "--approve-above", "100", "--wait"});
  EXPECT_TRUE(like.code == 0 || like.code == 5) << like.err;
  const auto second = like.out.substr(0, like.out.find('\n'));
  EXPECT_NE(second, id);
  const auto shown = parsed(house.verb({"show", second, "-o", "json"}));
  EXPECT_EQ(shown["counters"]["found"], 7);
  EXPECT_EQ(shown["workspace"], "Acme");

  const auto metrics = parsed(house.verb({"metrics", "imports", "-o", "json"}));
  ASSERT_EQ(metrics.size(), 2u) << "all, and grain";
  EXPECT_EQ(metrics[1]["platform"], "grain");
  EXPECT_EQ(metrics[1]["imports"], 2);
  EXPECT_EQ(metrics[1]["without_engineer"], 1.0);
  EXPECT_EQ(metrics[1]["foretold"], 2) << "what the estimate said was kept";
  EXPECT_GT(metrics[1]["duration_p90_s"], 0);
  const auto csv = house.verb({"metrics", "imports", "-o", "csv"});
  EXPECT_EQ(csv.out.substr(0, 17), "platform,imports,") << csv.out;
}

TEST(Start, TheSameKeyTwiceStartsOnce) {
  House house(10, 46);
  ASSERT_TRUE(house.serve());
  const auto one = house.verb(with_token(house, {"start", "--yes", "--owns-data", "--request-id", "k1"}));
  const auto two = house.verb(with_token(house, {"start", "--yes", "--owns-data", "--request-id", "k1"}));
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(two.code, 0) << two.err;
  EXPECT_EQ(one.out, two.out) << "TS-06";
  EXPECT_EQ(parsed(house.verb({"list", "-o", "json"})).size(), 1u);
  EXPECT_EQ(parsed(house.verb({"credentials", "list", "-o", "json"})).size(), 1u);
}

TEST(Platforms, AreShownCheckedAndSetSideBySide) {
  House house(20, 47);
  ASSERT_TRUE(house.serve());
  const auto table = house.verb({"platforms"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_NE(table.out.find("ringcentral"), std::string::npos);
  const auto detail = house.verb({"platforms", "--platform", "grain"});
  EXPECT_NE(detail.out.find("300 requests a minute"), std::string::npos) << detail.out;
  EXPECT_EQ(parsed(house.verb({"platforms", "--platform", "grain,gong", "-o", "json"})).size(), 2u);
  EXPECT_EQ(house.verb({"platforms", "--platform", "gramophone"}).code, 2);
  ASSERT_EQ(house
                .verb({"credentials", "add", "--platform", "grain", "--workspace", "acme", "--token-file",
                       house.scratch() / "token"})
                .code,
            0);
  const auto checked = house.verb({"platforms", "check", "--base-url", house.base_url()});
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  EXPECT_NE(checked.out.find("can list calls"), std::string::npos) << checked.out;
}

}  // namespace
}  // namespace callimport::tests
