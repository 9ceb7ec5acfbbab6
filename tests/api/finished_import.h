#pragma once
// One finished import in a real house for all the tests of a suite, which only read it: built once, and asked in JSON.
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/spine/house.h"

namespace callimport::tests {

/// @param kCalls, kSeed  as House takes them; suites of one program that have both alike are one after the other.
template <std::uint64_t kCalls, std::uint64_t kSeed>
class FinishedImport : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House(kCalls, kSeed);
    ASSERT_TRUE(house_->serve());
    ASSERT_EQ(house_->start().code, 0);
    ASSERT_TRUE(house_->follow());
  }
  static void TearDownTestSuite() {
    delete house_;
    house_ = nullptr;
  }
  /// What a verb says on stdout; the words ask for JSON themselves.
  static nlohmann::json read_json(const std::vector<std::string>& args, const std::string& input = {}, int code = 0) {
    const auto ran = house_->verb(args, input);
    EXPECT_EQ(ran.code, code) << ran.err;
    auto value = nlohmann::json::parse(ran.out, nullptr, false);
    EXPECT_FALSE(value.is_discarded()) << ran.out;
    return value;
  }
  static std::string id() { return house_->import(); }

  inline static House* house_ = nullptr;
};

}  // namespace callimport::tests
