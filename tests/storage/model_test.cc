// Time, ids and chance: the words everything else is written in.
#include <gtest/gtest.h>

#include <set>

#include "simulations/world/seeded_random.h"
#include "storage/model/ids.h"
#include "storage/model/time.h"
#include "storage/runtime/os_random.h"

namespace callimport {
namespace {

struct TimeRow {
  const char* name;
  const char* text;
  std::int64_t unix_ns;
  const char* printed;
};
void PrintTo(const TimeRow& row, std::ostream* out) { *out << row.name; }
class Times : public testing::TestWithParam<TimeRow> {};

TEST_P(Times, AreReadAndPrinted) {
  const auto& row = GetParam();
  const auto time = parse_utc(row.text);
  ASSERT_TRUE(time.has_value()) << time.error().message;
  EXPECT_EQ(row.unix_ns, to_unix_ns(*time));
  EXPECT_EQ(row.printed, format_utc(*time));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Times,
    testing::Values(
        TimeRow{"Epoch", "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
        TimeRow{"WithOffset", "2026-09-05T00:01:18+02:00", 1788559278000000000, "2026-09-04T22:01:18Z"},
        TimeRow{"WithNanos", "2026-09-04T22:01:18.123456789Z", 1788559278123456789, "2026-09-04T22:01:18.123Z"},
        TimeRow{"BeforeEpoch", "1969-12-31T23:59:59.5Z", -500000000, "1969-12-31T23:59:59.500Z"},
        TimeRow{"LeapDay", "2024-02-29T12:00:00Z", 1709208000000000000, "2024-02-29T12:00:00Z"},
        TimeRow{"TheEarliest", "1677-09-21T00:12:44Z", -9223372036000000000, "1677-09-21T00:12:44Z"},
        TimeRow{"TheLatest", "2262-04-11T23:47:15.999999999Z", 9223372035999999999, "2262-04-11T23:47:15.999Z"},
        TimeRow{"TheLatestByItsOffset", "2262-04-12T01:47:15+02:00", 9223372035000000000, "2262-04-11T23:47:15Z"},
        TimeRow{"LowerCase", "2026-09-04t22:01:18z", 1788559278000000000, "2026-09-04T22:01:18Z"}),
    [](const auto& test) { return test.param.name; });

class NoTimes : public testing::TestWithParam<const char*> {};
TEST_P(NoTimes, AreRefused) {
  const auto time = parse_utc(GetParam());
  ASSERT_FALSE(time.has_value());
  EXPECT_EQ(Code::kInvalid, time.error().code);
}
INSTANTIATE_TEST_SUITE_P(Table, NoTimes,
                         testing::Values("", "2026", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
                                         "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+0200",
                                         "2026-01-01T00:00:00Zx", "2026/01/01T00:00:00Z", "-026-01-01T00:00:00Z"));

class UncountableTimes : public testing::TestWithParam<const char*> {};
TEST_P(UncountableTimes, AreRefusedWithTheBounds) {
  const auto time = parse_utc(GetParam());
  ASSERT_FALSE(time.has_value());
  EXPECT_EQ(Code::kInvalid, time.error().code);
  EXPECT_EQ(std::string(GetParam()) + " is not between 1677-09-21T00:12:44Z and 2262-04-11T23:47:15Z",
            time.error().message);
}
INSTANTIATE_TEST_SUITE_P(Table, UncountableTimes,
                         testing::Values("1677-09-21T00:12:43.999999999Z", "2262-04-11T23:47:16Z",
                                         "2262-04-11T23:47:15-00:01", "1677-09-21T00:12:44+00:01",
                                         "0000-01-01T00:00:00Z", "9999-12-31T23:59:60.999999999-23:59"));

struct IdRow {
  const char* name;
  std::string text;
  bool good;
};
void PrintTo(const IdRow& row, std::ostream* out) { *out << row.name; }
class Ids : public testing::TestWithParam<IdRow> {};

TEST_P(Ids, AreParsedStrictly) {
  const auto& row = GetParam();
  const auto id = ImportId::parse(row.text);
  ASSERT_EQ(row.good, id.has_value());
  if (id) {
    EXPECT_EQ(row.text, id->str());
  } else {
    EXPECT_EQ(Code::kInvalid, id.error().code);
    EXPECT_LT(id.error().message.size(), 200u);
  }
}
INSTANTIATE_TEST_SUITE_P(Table, Ids,
                         testing::Values(IdRow{"Plain", "imp_0a9z", true},
                                         IdRow{"AtTheLimit", "imp_" + std::string(kIdCharactersMax, 'a'), true},
                                         IdRow{"OverTheLimit", "imp_" + std::string(kIdCharactersMax + 1, 'a'), false},
                                         IdRow{"TenThousand", "imp_" + std::string(10'000, 'a'), false},
                                         IdRow{"Empty", "", false}, IdRow{"PrefixOnly", "imp_", false},
                                         IdRow{"OtherKind", "call_0a", false}, IdRow{"UpperCase", "imp_A", false},
                                         IdRow{"Newline", "imp_a\n", false}),
                         [](const auto& test) { return test.param.name; });

TEST(Chance, UuidsSayTheirVersion) {
  OsRandom random;
  const std::string four = random.uuid4(), seven = random.uuid7(0x0123456789ab);
  for (const auto& uuid : {four, seven}) {
    ASSERT_EQ(36u, uuid.size());
    for (const std::size_t dash : {8u, 13u, 18u, 23u}) EXPECT_EQ('-', uuid[dash]);
    EXPECT_NE(std::string::npos, std::string("89ab").find(uuid[19]));
  }
  EXPECT_EQ('4', four[14]);
  EXPECT_EQ("01234567-89ab-7", seven.substr(0, 15));
  EXPECT_LT(random.uuid7(1'000), random.uuid7(1'001));
}

TEST(Chance, IdTextMakesIds) {
  OsRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random.id_text(16));
  EXPECT_EQ(1'000u, seen.size());
  for (const auto& text : seen) EXPECT_TRUE(is_id("imp_" + text, "imp_")) << text;
  EXPECT_EQ("", random.id_text(0));
}

TEST(Chance, ASeedIsTheSameChanceAgain) {
  simulations::SeededRandom one(7), again(7), other(8);
  const std::string first = one.id_text(40);
  EXPECT_EQ(first, again.id_text(40));
  EXPECT_NE(first, other.id_text(40));
  for (int i = 0; i < 1'000; ++i) ASSERT_LT(one.below(10), 10u);
}

}  // namespace
}  // namespace callimport
