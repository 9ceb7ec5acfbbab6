#pragma once
// Keeps a workspace's requests within the budget the platform states: nothing is held back until a reply's headers or a
// 429 say so. In memory only: after a restart the first replies tell again.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "activities/http/http.h"
#include "storage/model/time.h"

namespace callimport::activities {

/// Threads: the loop.
class Pacer {
 public:
  /// Takes one request's place and says when it may go: `now` or later. Requests that ask at once get slots one after
  /// another.
  Timestamp reserve(Timestamp now) {
    if (per_minute_ <= 0) return std::max(now, blocked_until_);
    // Spread evenly, with ten requests of slack; half as fast where the customer's own tools use the budget too.
    Nanos apart = Nanos{std::chrono::minutes{1}} / per_minute_;
    if (remaining_ < per_minute_ / 10) apart *= 2;
    next_slot_ = std::max({next_slot_, blocked_until_, now - 10 * apart});
    const Timestamp slot = std::max(now, next_slot_);
    next_slot_ += apart;
    return slot;
  }
  /// What a reply says of the budget (x-ratelimit-limit, x-ratelimit-remaining, retry-after).
  void heard(const HttpReply& reply, Timestamp now);
  std::int64_t per_minute() const { return per_minute_; }

 private:
  std::int64_t per_minute_ = 0;  ///< 0: not stated
  std::int64_t remaining_ = 0;
  Timestamp blocked_until_{}, next_slot_{};
};

/// Threads: the loop.
class Pacers {
 public:
  Pacer& of(const std::string& platform, const std::string& workspace) { return pacers_[{platform, workspace}]; }

 private:
  std::map<std::pair<std::string, std::string>, Pacer> pacers_;
};

}  // namespace callimport::activities
