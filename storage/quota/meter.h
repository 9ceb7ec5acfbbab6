#pragma once
// One budget's use over time, as a function of the times it is told: no clock, no I/O.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "storage/quota/budget.h"

namespace callimport::storage {

inline constexpr int kWindowBuckets = 120;      ///< of a period: a use comes back at most that much late
inline constexpr int kLeaseStretches = 12;      ///< of a period: each has a row
inline constexpr int kLeaseParts = 10;          ///< a lease is at most this part of the limit
inline constexpr std::int64_t kLeaseFirst = 2;  ///< uses; from there on leases follow the pace
inline constexpr Nanos kLeaseLasts = std::chrono::milliseconds{500};  ///< what a lease is for, about
inline constexpr Nanos kWrittenFrom = std::chrono::seconds{10};       ///< shorter periods have no rows

/// Uses within the last period, counted in buckets: never more than was spent in any stretch of the period, whoever
/// counts how. A clock set back makes what lies ahead count from now on, once more for one period at most; a clock set
/// forward frees what was used.
class Window {
 public:
  explicit Window(Nanos period) : period_(period), width_(period / kWindowBuckets) {}

  std::int64_t used(Timestamp now) {
    roll(now);
    return used_;
  }
  void add(Timestamp now, std::int64_t uses);
  /// Of what was added at `at`; what has come back by itself meanwhile stays so.
  void give_back(Timestamp at, std::int64_t uses, Timestamp now);
  /// The earliest time from `now` on at which `uses` more (1 or more) keep within `limit`, if nobody else comes.
  Timestamp room_for(std::int64_t uses, std::int64_t limit, Timestamp now);
  /// When all that is used has come back; `now` when nothing is.
  Timestamp empty_at(Timestamp now);
  Nanos period() const { return period_; }

 private:
  struct Bucket {
    std::int64_t number = 0, uses = 0;
  };
  void roll(Timestamp now);
  std::int64_t number_of(Timestamp at) const { return at.time_since_epoch().count() / width_.count(); }
  Timestamp back_at(const Bucket& bucket) const { return Timestamp{width_ * (bucket.number + 1)} + period_; }

  Nanos period_, width_;
  std::deque<Bucket> buckets_;  ///< oldest first
  std::int64_t used_ = 0;
};

/// How much is written down beforehand.
enum class Leases : std::uint8_t {
  kAhead,  ///< what the pace of before needs for kLeaseLasts to 2 x kLeaseLasts, at most limit / kLeaseParts
  kExact,  ///< what is asked for
};

/// A budget with its window and its lease: what may be spent is written down beforehand, in portions. So a process that
/// is killed has never spent more than its rows say, and forgets at most the unspent part of one lease, and that of the
/// stretch before when it was about to say so, for one period. Periods under kWrittenFrom have no rows: whoever opens
/// the file takes them as spent once.
class Meter {
 public:
  explicit Meter(Budget budget, Leases leases = Leases::kAhead)
      : budget_(budget), leases_(leases), window_(budget.period) {}

  const Budget& budget() const { return budget_; }
  std::int64_t limit() const { return budget_.limit; }
  void set_limit(std::int64_t limit) { budget_.limit = limit; }
  std::int64_t used(Timestamp now) { return window_.used(now); }
  std::int64_t left(Timestamp now) { return std::max<std::int64_t>(0, budget_.limit - used(now)); }
  Timestamp room_for(std::int64_t uses, Timestamp now) { return window_.room_for(uses, budget_.limit, now); }
  Timestamp empty_at(Timestamp now) { return window_.empty_at(now); }

  /// Of others on the same account, and of looks that leave no row: counted, not written down.
  void add_unwritten(Timestamp now, std::int64_t uses) { window_.add(now, uses); }
  /// Whether `uses` more are on disk already. They must be before `spend`.
  bool covered(std::int64_t uses, Timestamp now);
  void spend(std::int64_t uses, Timestamp now);
  void give_back(Timestamp at, std::int64_t uses, Timestamp now);

  /// Adds the row that covers `uses` more and some beyond (`leased` once it is durable), and what is truly spent of the
  /// stretch before.
  void lease(const Account& account, std::int64_t uses, Timestamp now, std::vector<UseRow>& into);
  void leased(const UseRow& row);
  /// Rows of an earlier process, as late as they may have been spent.
  void restore(const std::vector<UseRow>& rows, Timestamp now);
  bool written() const { return budget_.period >= kWrittenFrom; }

 private:
  Nanos stretch() const { return budget_.period / kLeaseStretches; }
  std::int64_t stretch_of(Timestamp at) const { return at.time_since_epoch().count() / stretch().count(); }
  Timestamp begin_of(std::int64_t number) const { return Timestamp{stretch() * number}; }
  UseRow row(const Account& account, std::int64_t stretch, std::int64_t used, Timestamp now) const;
  void turn(Timestamp now);
  std::int64_t ahead(Timestamp now);

  Budget budget_;
  Leases leases_;
  Window window_;
  std::int64_t stretch_ = 0, spent_ = 0, durable_ = 0;  ///< of the present stretch
  struct Ended {
    std::int64_t stretch = 0, spent = 0;
  };
  std::optional<Ended> ended_;  ///< leased more than it spent, and its row says so still
  std::int64_t portion_ = 0;    ///< of the last lease that was ahead; 0: there was none
  Timestamp leased_at_{};
};

}  // namespace callimport::storage
