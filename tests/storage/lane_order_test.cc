// Who comes first (NW-06): newest, length, owner, account, or one owner's or account's calls before all others.
#include "storage/library/lane_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace callimport::storage {
namespace {

ManifestRow call(const std::string& id, int hour, int minutes, const std::string& owner, const std::string& account) {
  ManifestRow row;
  row.source_id = id;
  row.start_ms = 1'790'000'000'000 + hour * 3'600'000;
  if (minutes > 0) row.duration_ms = minutes * 60'000;
  row.owner = owner;
  row.account = account;
  return row;
}

struct Row {
  const char* name;
  const char* order;
  const char* ids;
  const char* spoken;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
class LaneOrders : public testing::TestWithParam<Row> {};

TEST_P(LaneOrders, PutCallsInOrder) {
  std::vector<ManifestRow> calls = {
      call("a", 1, 30, "zoe@acme.com", "initech.com"), call("b", 2, 0, "Ana@acme.com", ""),
      call("c", 3, 5, "ana@acme.com", "northwind.com"), call("d", 4, 60, "", "initech.com"),
      call("e", 5, 10, "zoe@acme.com", "northwind.com")};
  const auto order = parse_lane_order(GetParam().order);
  ASSERT_TRUE(order.has_value()) << order.error().message;
  EXPECT_EQ(spoken_order(*order), GetParam().spoken);
  std::ranges::sort(calls, {}, [&](const ManifestRow& row) { return position_for(row, *order); });
  std::string ids;
  for (const auto& row : calls) ids += row.source_id;
  EXPECT_EQ(ids, GetParam().ids);
}

INSTANTIATE_TEST_SUITE_P(
    Table, LaneOrders,
    testing::Values(Row{"UnlessToldOtherwise", "", "edcba", "newest first"},
                    Row{"Newest", "newest", "edcba", "newest first"},
                    Row{"LongestUnknownLast", "length", "daecb", "the longest first"},
                    Row{"ByOwnerNobodyLast", "owner", "cbead", "one owner after another"},
                    Row{"ByAccountNoneLast", "account", "daecb", "one account after another"},
                    Row{"OneOwnerFirst", "owner:ANA@acme.com", "cbeda", "those of ana@acme.com first"},
                    Row{"OneAccountFirst", "account:initech.com", "daecb", "those of initech.com first"}),
    [](const auto& test) { return test.param.name; });

TEST(LaneOrders, RefuseWhatIsNone) {
  for (const char* text : {"oldest", "owner:", "length:60", "newest:ana", ":"}) {
    EXPECT_FALSE(parse_lane_order(text).has_value()) << text;
  }
  EXPECT_FALSE(parse_lane_order("owner:" + std::string(201, 'a')).has_value());
  EXPECT_TRUE(parse_lane_order("owner:" + std::string(200, 'a')).has_value());
}

TEST(LaneOrders, HoldAtTheEndsOfTime) {
  const auto far = std::numeric_limits<std::int64_t>::min(), late = std::numeric_limits<std::int64_t>::max();
  for (const char* text : {"newest", "length", "owner", "account", "owner:ana", "account:x"}) {
    ManifestRow early, last;
    early.start_ms = far;
    last.start_ms = late;
    const auto order = parse_lane_order(text).value();
    EXPECT_GE(position_for(early, order), position_for(last, order)) << text;
  }
}

}  // namespace
}  // namespace callimport::storage
