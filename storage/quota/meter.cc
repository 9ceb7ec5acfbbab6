#include "storage/quota/meter.h"

#include <algorithm>

#include "storage/model/ensure.h"

namespace callimport::storage {

void Window::roll(Timestamp now) {
  while (!buckets_.empty() && back_at(buckets_.front()) <= now) {
    used_ -= buckets_.front().uses;
    buckets_.pop_front();
  }
  const std::int64_t present = number_of(now);
  std::int64_t ahead = 0;  // the clock was set back: nothing was used later than now
  while (!buckets_.empty() && buckets_.back().number > present) {
    ahead += buckets_.back().uses;
    buckets_.pop_back();
  }
  if (ahead == 0) return;
  used_ -= ahead;
  add(now, ahead);
}

void Window::add(Timestamp now, std::int64_t uses) {
  roll(now);
  const std::int64_t present = number_of(now);
  if (buckets_.empty() || buckets_.back().number != present) buckets_.push_back({present, 0});
  buckets_.back().uses += uses;
  used_ += uses;
}

void Window::give_back(Timestamp at, std::int64_t uses, Timestamp now) {
  roll(now);
  const std::int64_t then = std::min(number_of(at), number_of(now));
  for (auto bucket = buckets_.rbegin(); bucket != buckets_.rend() && uses > 0; ++bucket) {
    if (bucket->number > then) continue;
    if (bucket->number < then) return;
    const std::int64_t back = std::min(uses, bucket->uses);
    bucket->uses -= back;
    used_ -= back;
    return;
  }
}

Timestamp Window::room_for(std::int64_t uses, std::int64_t limit, Timestamp now) {
  roll(now);
  if (used_ + uses <= limit) return now;
  const std::int64_t whole = (uses - 1) / limit;  // periods that are full of those before
  std::int64_t missing = used_ + (uses - whole * limit) - limit;
  Timestamp free = now;
  for (const Bucket& bucket : buckets_) {
    if (missing <= 0) break;
    missing -= bucket.uses;
    free = back_at(bucket);
  }
  return std::max(free, now) + whole * period_;
}

Timestamp Window::empty_at(Timestamp now) {
  roll(now);
  return used_ == 0 ? now : back_at(buckets_.back());
}

/// Into the stretch of `now`. Going back, all that counts still is taken along: its rows lie ahead and are replaced.
void Meter::turn(Timestamp now) {
  const std::int64_t present = stretch_of(now);
  if (present == stretch_) return;
  ended_.reset();
  if (present > stretch_ && durable_ > spent_) ended_ = Ended{stretch_, spent_};
  spent_ = present < stretch_ ? window_.used(now) : 0;
  stretch_ = present;
  durable_ = 0;
}

bool Meter::covered(std::int64_t uses, Timestamp now) {
  if (!written()) return true;
  turn(now);
  return spent_ + uses <= durable_;
}

void Meter::spend(std::int64_t uses, Timestamp now) {
  ENSURE(covered(uses, now));
  spent_ += uses;
  window_.add(now, uses);
}

void Meter::give_back(Timestamp at, std::int64_t uses, Timestamp now) {
  turn(now);
  if (stretch_of(at) == stretch_) spent_ = std::max<std::int64_t>(0, spent_ - uses);
  window_.give_back(at, uses, now);
}

UseRow Meter::row(const Account& account, std::int64_t stretch_number, std::int64_t used, Timestamp now) const {
  return {.account = account,
          .budget = name_of(budget_),
          .at_ms = to_unix_ms(begin_of(stretch_number)),
          .used = used,
          .keep_from_ms = to_unix_ms(now - budget_.period - 2 * stretch())};
}

/// Twice the last portion when that was used up too soon, half of it when it lasted too long. Also where nothing is
/// left now: at the pace of the limit a slot comes free every moment, and each would be a row of its own.
std::int64_t Meter::ahead(Timestamp now) {
  const Nanos lasted = now - leased_at_;
  const bool used_up = spent_ >= durable_ && durable_ > 0;
  if (portion_ == 0) {
    portion_ = kLeaseFirst;
  } else if (used_up && lasted < kLeaseLasts) {
    portion_ *= 2;
  } else if (lasted > 2 * kLeaseLasts) {
    portion_ = std::max(kLeaseFirst, portion_ / 2);
  }
  portion_ = std::min(portion_, std::max<std::int64_t>(1, budget_.limit / kLeaseParts));
  leased_at_ = now;
  return portion_;
}

void Meter::lease(const Account& account, std::int64_t uses, Timestamp now, std::vector<UseRow>& into) {
  turn(now);
  if (ended_) into.push_back(row(account, ended_->stretch, ended_->spent, now));
  ended_.reset();
  const std::int64_t portion = leases_ == Leases::kExact ? uses : std::max(uses, ahead(now));
  into.push_back(row(account, stretch_, spent_ + portion, now));
}

void Meter::leased(const UseRow& row) {
  if (row.at_ms == to_unix_ms(begin_of(stretch_))) durable_ = std::max(durable_, row.used);
}

void Meter::restore(const std::vector<UseRow>& rows, Timestamp now) {
  if (!written()) {
    window_.add(now, budget_.limit);
    return;
  }
  turn(now);
  for (const UseRow& row : rows) {
    const Timestamp end = from_unix_ms(row.at_ms) + stretch();
    const Timestamp latest = std::min(end, now);
    if (latest + budget_.period + budget_.period / kWindowBuckets <= now) continue;
    window_.add(latest, row.used);
    if (end > now) spent_ += row.used;  // the present stretch, or one ahead of a clock that was set back
  }
  durable_ = 0;
}

}  // namespace callimport::storage
