// `start --from-csv` over a real server (TS-03), and what is said of a file that cannot be used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string file_of(House& house, const std::string& name, const std::string& text) {
  const std::string path = house.scratch() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

struct Unusable {
  const char* name;
  std::string text;
  const char* said;
};

TEST(NamedCalls, AFileThatCannotBeUsedStartsNothing) {
  House house(5, 5);
  ASSERT_TRUE(house.serve());
  std::string many = "source_id\n";
  for (int i = 0; i <= 50'000; ++i) many += "id-" + std::to_string(i) + "\n";
  const std::vector<Unusable> table = {
      {"Empty", "", "no call is named in it"},
      {"OnlyAHeading", "source_id\r\n", "no call is named in it"},
      {"NoSuchColumn", "title,when\nA,1\n", "no column is named source_id"},
      {"NoText", "source_id\n\xff\xfe\n", "not UTF-8"},
      {"TooMany", many, "more than 50,000 calls"},
  };
  for (const auto& row : table) {
    const auto ran = house.start({"--from-csv", file_of(house, row.name, row.text)});
    EXPECT_EQ(2, ran.code) << row.name;
    EXPECT_THAT(ran.err, HasSubstr(row.said)) << row.name;
    EXPECT_THAT(ran.err, HasSubstr("source_id, with one id on each line")) << row.name;
  }
  EXPECT_EQ(2, house.start({"--from-csv", house.scratch() / "none.csv"}).code);
  EXPECT_EQ(2, house.start({"--from-csv", file_of(house, "a.csv", "a\n"), "--sample", "3"}).code);
  EXPECT_EQ(2, house.start({"--min-length", "-3"}).code);
  EXPECT_EQ(2, house.start({"--min-length", "long"}).code);
  EXPECT_EQ("[]", house.verb({"list", "-o", "json"}).out.substr(0, 2));
}

TEST(NamedCalls, OnlyTheyComeAndAnImportLikeItIsToldThemAgain) {
  House house(60, 5);
  ASSERT_TRUE(house.serve());
  const auto& calls = house.sandbox().calls();
  const std::string first = calls.head(40).id, second = calls.head(3).id;
  const auto file =
      file_of(house, "wanted.csv",
              "\xef\xbb\xbftitle;source_id\r\nA;" + first + "\r\nB;  " + second + " \r\nA;" + first + "\r\nC;\r\n");
  const auto card = house.verb({"estimate", "--platform", "grain", "--customer", "acme", "--base-url", house.base_url(),
                                "--token-file", house.scratch() / "token", "--from-csv", file});
  EXPECT_THAT(card.out, HasSubstr("2 found, 2 to import")) << card.err;
  const auto started = house.start({"--from-csv", file});
  ASSERT_EQ(0, started.code) << started.err;
  EXPECT_THAT(started.err, HasSubstr("only the 2 calls named"));
  ASSERT_TRUE(house.follow());
  EXPECT_EQ((std::set<std::string>{first, second}), house.registered());
  const auto shown = json::parse(house.verb({"show", house.import(), "-o", "json"}).out);
  EXPECT_EQ(2, shown["counters"]["found"]) << shown.dump();
  const auto like = house.verb({"start", "--like", house.import(), "--credential", house.credential(), "--yes"});
  EXPECT_EQ(2, like.code);
  EXPECT_THAT(like.err, HasSubstr("--from-csv FILE"));
}

}  // namespace
}  // namespace callimport::tests
