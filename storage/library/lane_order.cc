#include "storage/library/lane_order.h"

#include <algorithm>
#include <cctype>
#include <limits>

namespace callimport::storage {
namespace {

constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinuteMs = 60'000;
constexpr int kMinuteBits = 28, kLetterBits = 5, kLetters = 7;  // 28 + 7 * 5 bits: a key and its sign fit in 64
constexpr std::size_t kWhoBytesMax = 200;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Smaller is later.
std::int64_t newest_key(std::int64_t start_ms) {
  return start_ms == std::numeric_limits<std::int64_t>::min() ? kLast : -start_ms;
}

/// a to z in alphabetical order, what is no letter before them; nobody comes last.
std::int64_t name_key(std::string_view name) {
  if (name.empty()) return (std::int64_t{1} << (kLetterBits * kLetters)) - 1;
  std::int64_t key = 0;
  for (std::size_t i = 0; i < kLetters; ++i) {
    const char c = i < name.size() ? name[i] : ' ';
    key = key << kLetterBits | (c >= 'a' && c <= 'z' ? c - 'a' + 1 : 0);
  }
  return key;
}

std::int64_t group_key(const std::string& name, std::int64_t start_ms) {
  constexpr std::int64_t kMinutes = std::int64_t{1} << kMinuteBits;
  const std::int64_t minute = std::clamp<std::int64_t>(start_ms / kMinuteMs, 0, kMinutes - 1);
  return name_key(lower(name)) << kMinuteBits | (kMinutes - 1 - minute);
}

/// Theirs before all others; both newest first.
std::int64_t chosen_key(bool theirs, std::int64_t start_ms) {
  constexpr std::int64_t kHalf = std::int64_t{1} << 61;
  const std::int64_t key = std::clamp(newest_key(start_ms), -kHalf + 1, kHalf - 1);
  return theirs ? key - kHalf : key + kHalf;
}

}  // namespace

Result<LaneOrder> parse_lane_order(std::string_view text) {
  LaneOrder order;
  const std::size_t colon = text.find(':');
  const std::string by = lower(text.substr(0, colon));
  if (colon != std::string_view::npos) order.who = lower(text.substr(colon + 1));
  if (by == "owner") {
    order.by = LaneOrder::By::kOwner;
  } else if (by == "account") {
    order.by = LaneOrder::By::kAccount;
  } else if (by == "length") {
    order.by = LaneOrder::By::kLength;
  } else if (!by.empty() && by != "newest") {
    return fail(Code::kInvalid, "an order is newest, length, owner, account, owner:WHO or account:WHO");
  }
  const bool grouped = order.by == LaneOrder::By::kOwner || order.by == LaneOrder::By::kAccount;
  if (colon != std::string_view::npos && (!grouped || order.who.empty() || order.who.size() > kWhoBytesMax))
    return fail(Code::kInvalid, "an order by owner or account names one: owner:ana@acme.com, account:northwind.com");
  return order;
}

std::string spoken_order(const LaneOrder& order) {
  if (!order.who.empty()) return "those of " + order.who + " first";
  switch (order.by) {
    case LaneOrder::By::kNewest: return "newest first";
    case LaneOrder::By::kLength: return "the longest first";
    case LaneOrder::By::kOwner: return "one owner after another";
    case LaneOrder::By::kAccount: return "one account after another";
  }
  return "newest first";
}

std::int64_t position_for(const ManifestRow& row, const LaneOrder& order) {
  if (order.by == LaneOrder::By::kNewest) return newest_key(row.start_ms);
  if (order.by == LaneOrder::By::kLength) return row.duration_ms ? -std::max<std::int64_t>(*row.duration_ms, 0) : kLast;
  const std::string& name = order.by == LaneOrder::By::kOwner ? row.owner : row.account;
  if (!order.who.empty()) return chosen_key(lower(name) == order.who, row.start_ms);
  return group_key(name, row.start_ms);
}

}  // namespace callimport::storage
