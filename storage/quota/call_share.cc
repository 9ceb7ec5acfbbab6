#include "storage/quota/call_share.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace callimport::storage {

CallShare::CallShare(std::string name, std::int64_t limit, Nanos period)
    : name_(std::move(name)), meter_({Operation::kAny, limit, period}, Leases::kExact) {}

CallShare::Customer& CallShare::customer(const Account& account) {
  return customers_.try_emplace(account, meter_.budget().period).first->second;
}

double CallShare::weight_of(const Account& account) const {
  const auto found = weights_.find(account);
  return found == weights_.end() ? 1.0 : found->second;
}

void CallShare::attend(const Account& account, bool anew, Timestamp now) {
  Customer& mine = customer(account);
  mine.seen = std::max(mine.seen, now);
  if (anew) mine.pending.reset();
}

void CallShare::leave(const Account& account) {
  const auto found = customers_.find(account);
  if (found != customers_.end()) found->second.pending = 0;
}

/// Who neither wants anything nor took anything is forgotten.
void CallShare::forget_the_gone(Timestamp now) {
  for (auto entry = customers_.begin(); entry != customers_.end();) {
    const bool gone = !wants(entry->second, now) && entry->second.window.used(now) == 0;
    entry = gone ? customers_.erase(entry) : std::next(entry);
  }
}

bool CallShare::wants(Customer& customer, Timestamp now) const {
  customer.seen = std::min(customer.seen, now + meter_.budget().period + kCustomerIdle);  // a clock that was set back
  return customer.seen + kCustomerIdle > now && customer.pending != 0;
}

namespace {

constexpr int kHalvings = 48;

/// What one customer may come to: no less than it has, no more than it wants.
struct Claim {
  double used, most, weight;
  double filled(double level) const { return std::clamp(weight * level, used, std::max(used, most)); }
};

/// The level to which all can be filled, by weight, with what is free.
double common_level(const std::vector<Claim>& claims, double free) {
  double high = 0;
  for (const Claim& claim : claims) high = std::max(high, std::max(free, 0.0) / claim.weight);
  const auto too_much = [&](double level) {
    double all = 0;
    for (const Claim& claim : claims) all += claim.filled(level);
    return all > free;
  };
  if (!too_much(high)) return high;
  double low = 0;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (too_much(middle) ? high : low) = middle;
  }
  return low;
}

}  // namespace

std::int64_t CallShare::allowed(const Account& account, Timestamp now) {
  std::vector<Claim> claims;
  const auto limit = static_cast<double>(meter_.limit());
  double free = limit, of_all = 0;
  for (auto& [one, customer] : customers_) {
    const auto used = static_cast<double>(customer.window.used(now));
    of_all += used;
    if (!wants(customer, now)) {
      free -= used;
      continue;
    }
    const double most = customer.pending ? used + static_cast<double>(*customer.pending) : limit;
    claims.push_back({used, most, weight_of(one)});
  }
  free -= std::max(0.0, static_cast<double>(meter_.used(now)) - of_all);  // of before a restart
  const double mine = weight_of(account) * common_level(claims, free);
  const auto used = static_cast<double>(customer(account).window.used(now));
  return static_cast<std::int64_t>(std::floor(std::max(mine, 1.0) - used + 1e-6));
}

CallShare::Answer CallShare::take(const Account& account, std::int64_t wanted, std::int64_t pending, Timestamp now) {
  Customer& mine = customer(account);
  mine.seen = now;
  mine.pending = std::max(wanted, pending);
  const std::int64_t left = meter_.left(now);
  const std::int64_t calls = std::min({wanted, left, allowed(account, now)});
  Answer answer;
  if (calls <= 0) {
    const std::int64_t used = mine.window.used(now);
    const Timestamp by_all = meter_.room_for(1, now);
    const Timestamp by_own = used > 0 ? mine.window.room_for(1, used, now) : now;
    answer.until = std::max(by_all, by_own);
    if (*answer.until <= now) answer.until = now + kCustomerIdle;
    mine.seen = *answer.until;  // it waits for us until then
    return answer;
  }
  if (!meter_.covered(calls, now)) {
    lease_for_ += calls;
    answer.lease_wanted = true;
    return answer;
  }
  meter_.spend(calls, now);
  mine.window.add(now, calls);
  mine.pending = std::max<std::int64_t>(0, pending - calls);
  answer.calls = calls;
  return answer;
}

void CallShare::give_back(const Account& account, std::int64_t calls, Timestamp at, Timestamp now) {
  if (calls <= 0) return;
  meter_.give_back(at, calls, now);
  Customer& mine = customer(account);
  mine.window.give_back(at, calls, now);
  if (mine.pending) *mine.pending += calls;
}

std::int64_t CallShare::used_by(const Account& account, Timestamp now) {
  const auto found = customers_.find(account);
  return found == customers_.end() ? 0 : found->second.window.used(now);
}

void CallShare::lease(Timestamp now, std::vector<UseRow>& into) {
  forget_the_gone(now);
  const std::size_t from = into.size();
  const std::int64_t calls = std::min(std::exchange(lease_for_, 0), meter_.left(now));
  if (calls > 0 && !meter_.covered(calls, now)) meter_.lease({}, calls, now, into);
  for (std::size_t i = from; i < into.size(); ++i) into[i].budget = name_;
}

void CallShare::leased(const UseRow& row) {
  if (row.budget == name_) meter_.leased(row);
}

void CallShare::restore(const std::vector<UseRow>& uses, Timestamp now) {
  std::vector<UseRow> own;
  for (const UseRow& row : uses) {
    if (row.budget == name_) own.push_back(row);
  }
  meter_.restore(own, now);
}

}  // namespace callimport::storage
