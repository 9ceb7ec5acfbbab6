#pragma once
// Times as tests of calendars write them: "2026-11-21 12:43:05", in UTC, against unix ns.
#include <date/date.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>

namespace callimport::engine {

inline constexpr std::int64_t kSecond = 1'000'000'000;

inline std::int64_t at(const std::string& text) {
  std::istringstream in(text);
  date::sys_seconds time;
  in >> date::parse("%F %T", time);
  EXPECT_FALSE(in.fail()) << text;
  return time.time_since_epoch().count() * kSecond;
}

inline std::string text_of(std::optional<std::int64_t> ns) {
  if (!ns) return "never";
  return date::format("%F %T", date::sys_seconds(std::chrono::seconds(*ns / kSecond)));
}

}  // namespace callimport::engine
