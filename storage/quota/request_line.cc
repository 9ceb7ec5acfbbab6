#include "storage/quota/request_line.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace callimport::storage {
namespace {
/// Asks of one kind go at the same time.
constexpr std::size_t kKinds = 10;
std::size_t kind_of(const RequestAsk& ask) {
  return static_cast<std::size_t>(ask.operation) * 2 + (ask.despite_block ? 1 : 0);
}
constexpr Nanos kMinute = std::chrono::minutes{1};
}  // namespace

RequestLine::RequestLine(Account account, const AccountBudgets& budgets)
    : account_(std::move(account)), budgets_(budgets) {
  for (const Budget& budget : budgets_.own) meters_.emplace_back(budget);
  for (Budget budget : budgets_.vendor) {
    const auto same = [&](const Budget& own) { return name_of(own) == name_of(budget); };
    if (std::any_of(budgets_.own.begin(), budgets_.own.end(), same)) continue;
    budget.limit = ours(budget.limit);
    meters_.emplace_back(budget);
  }
}

std::int64_t RequestLine::ours(std::int64_t limit) const {
  return std::max<std::int64_t>(1, limit - (limit * budgets_.left_percent + 99) / 100);
}

const Budget* RequestLine::own_minute() const {
  for (const Budget& own : budgets_.own) {
    if (own.operation == Operation::kAny && own.period == kMinute) return &own;
  }
  return nullptr;
}

/// What lies further ahead than it can: the clock was set back.
void RequestLine::correct_clock(Timestamp now) {
  if (blocked_from_ > now) {
    blocked_until_ -= blocked_from_ - now;
    blocked_from_ = now;
  }
  const Pace steps = pace();
  next_ = std::min(next_, now + (steps.burst + 1) * steps.apart);
  for (Waiting& one : waiting_) one.asked = std::min(one.asked, now);
}

RequestLine::Pace RequestLine::pace() const {
  Pace widest;
  for (const Meter& meter : meters_) {
    const Budget& budget = meter.budget();
    if (budget.operation != Operation::kAny || budget.period > kPacedUpTo) continue;
    const Nanos apart = budget.period / budget.limit;
    if (apart <= widest.apart) continue;
    widest = {&budget, apart, std::max<std::int64_t>(1, budget.limit / kBurstParts)};
  }
  return widest;
}

RequestLine::Ticket RequestLine::ask(RequestAsk ask, Timestamp now) {
  // Who was idle begins with those who were not: nobody saves up.
  auto [served, is_new] = served_.try_emplace(ask.import, served_last_);
  served->second = std::max(served->second, served_last_);
  waiting_.push_back({++last_ticket_, std::move(ask), now});
  return last_ticket_;
}

std::vector<RequestLine::Ticket> RequestLine::withdraw_all() {
  std::vector<Ticket> all;
  for (const Waiting& one : waiting_) all.push_back(one.ticket);
  waiting_.clear();
  return all;
}

bool RequestLine::goes_before(const Waiting& a, const Waiting& b) const {
  const auto place = [this](const Waiting& one) {
    return std::tuple(!one.ask.first_lane, served_.at(one.ask.import), !one.ask.begun, one.ticket);
  };
  return place(a) < place(b);
}

/// How many of those in line are to go before it: all of a first lane for one of bulk, and of its own lane as many turns
/// of each import as its own import has before it.
std::int64_t RequestLine::ahead_of(const Waiting& one) const {
  std::int64_t first = 0, same = 0, own = 0;
  std::map<std::string_view, bool> imports;
  for (const Waiting& other : waiting_) {
    if (other.ask.first_lane && !one.ask.first_lane) ++first;
    if (other.ask.first_lane != one.ask.first_lane) continue;
    imports[other.ask.import] = true;
    if (other.ticket == one.ticket) continue;
    ++same;
    const bool before = other.ask.begun != one.ask.begun ? other.ask.begun : other.ticket < one.ticket;
    if (other.ask.import == one.ask.import && before) ++own;
  }
  return first + std::min(same, (own + 1) * std::ssize(imports) - 1);
}

Hold RequestLine::earliest(const RequestAsk& ask, std::int64_t ahead, Timestamp now) {
  Hold hold{std::nullopt, ask.despite_block ? now : std::max(now, blocked_until_)};
  const Pace steps = pace();
  const Timestamp paced = next_ + (ahead + 1 - steps.burst) * steps.apart;
  if (steps.budget != nullptr && paced > hold.until) hold = {*steps.budget, paced};
  for (Meter& meter : meters_) {
    if (!counts(meter, ask.operation)) continue;
    const Timestamp room = meter.room_for(ahead + 1, now);
    if (room > hold.until) hold = {meter.budget(), room};
  }
  return hold;
}

bool RequestLine::covered(Operation operation, Timestamp now) {
  return std::all_of(meters_.begin(), meters_.end(),
                     [&](Meter& meter) { return !counts(meter, operation) || meter.covered(1, now); });
}

void RequestLine::spend(const Waiting& one, Timestamp now) {
  for (Meter& meter : meters_) {
    if (!counts(meter, one.ask.operation)) continue;
    if (one.ask.unwritten) {
      meter.add_unwritten(now, 1);
    } else {
      meter.spend(1, now);
    }
  }
  next_ = std::max(next_, now) + pace().apart;
  served_last_ = served_[one.ask.import]++;
}

void RequestLine::refuse_the_late(Timestamp now, Outcome& outcome) {
  std::array<std::optional<Hold>, kKinds> soonest;
  std::erase_if(waiting_, [&](const Waiting& one) {
    auto& hold = soonest[kind_of(one.ask)];
    if (!hold) hold = earliest(one.ask, 0, now);
    const Timestamp end = one.asked + one.ask.patience;
    if (hold->until <= end && now < end) return false;
    outcome.refused.push_back({one.ticket, *hold});
    return true;
  });
}

RequestLine::Outcome RequestLine::look(Timestamp now) {
  Outcome outcome;
  correct_clock(now);
  // The newest asks are told at once when their place is too far away; the older ones were near enough when they came.
  while (!waiting_.empty()) {
    const Waiting& newest = waiting_.back();
    if (newest.asked != now) break;
    const Hold hold = earliest(newest.ask, ahead_of(newest), now);
    if (hold.until <= now + newest.ask.patience) break;
    outcome.refused.push_back({newest.ticket, hold});
    waiting_.pop_back();
  }
  std::array<bool, kKinds> held{};
  while (true) {
    const Waiting* best = nullptr;
    for (const Waiting& one : waiting_) {
      if (held[kind_of(one.ask)]) continue;
      if (best == nullptr || goes_before(one, *best)) best = &one;
    }
    if (best == nullptr) break;
    const Operation operation = best->ask.operation;
    const Timestamp when = earliest(best->ask, 0, now).until;
    if (when > now || (!best->ask.unwritten && !covered(operation, now))) {
      held[kind_of(best->ask)] = true;
      if (when > now) {
        outcome.look_at = std::min(outcome.look_at.value_or(when), when);
      } else {
        outcome.lease_wanted = true;
        lease_for_ = operation;
      }
      continue;
    }
    spend(*best, now);
    outcome.granted.push_back({best->ticket, operation, best->ask.despite_block, now});
    waiting_.erase(waiting_.begin() + (best - waiting_.data()));
  }
  refuse_the_late(now, outcome);
  for (const Waiting& one : waiting_) {
    const Timestamp end = one.asked + one.ask.patience;
    if (outcome.look_at) outcome.look_at = std::min(*outcome.look_at, end);
  }
  return outcome;
}

void RequestLine::give_back(Operation operation, Timestamp at, Timestamp now) {
  for (Meter& meter : meters_) {
    if (counts(meter, operation)) meter.give_back(at, 1, now);
  }
  next_ -= pace().apart;
}

void RequestLine::heard(std::int64_t per_minute, std::optional<std::int64_t> remaining, Timestamp now) {
  if (per_minute <= 0) return;
  said_per_minute_ = per_minute;
  auto meter = std::find_if(meters_.begin(), meters_.end(), [](const Meter& one) {
    return one.budget().operation == Operation::kAny && one.budget().period == kMinute;
  });
  if (meter == meters_.end()) meter = meters_.insert(meters_.end(), Meter({Operation::kAny, per_minute, kMinute}));
  const Budget* own = own_minute();
  meter->set_limit(own == nullptr ? ours(per_minute) : std::min(ours(per_minute), own->limit));
  if (!remaining) return;
  const std::int64_t used = per_minute - std::clamp<std::int64_t>(*remaining, 0, per_minute);
  const std::int64_t others = used - meter->used(now) - (per_minute - meter->limit());
  if (others > 0) meter->add_unwritten(now, others);
}

void RequestLine::blocked(Timestamp now, Timestamp until) {
  if (until <= blocked_until_) return;
  blocked_from_ = now;
  blocked_until_ = until;
}

std::optional<Timestamp> RequestLine::blocked_until(Timestamp now) {
  correct_clock(now);
  if (blocked_until_ <= now) return std::nullopt;
  return blocked_until_;
}

void RequestLine::lease(Timestamp now, std::vector<UseRow>& into) {
  for (Meter& meter : meters_) {
    if (counts(meter, lease_for_) && !meter.covered(1, now)) meter.lease(account_, 1, now, into);
  }
}

void RequestLine::leased(const UseRow& row) {
  for (Meter& meter : meters_) {
    if (name_of(meter.budget()) == row.budget) meter.leased(row);
  }
}

void RequestLine::restore(const std::vector<UseRow>& uses, const std::optional<WordRow>& word, Timestamp now) {
  if (word) {
    heard(word->per_minute, std::nullopt, now);
    blocked(from_unix_ms(word->blocked_from_ms), from_unix_ms(word->blocked_until_ms));
  }
  for (Meter& meter : meters_) {
    std::vector<UseRow> own;
    for (const UseRow& row : uses) {
      if (row.budget == name_of(meter.budget())) own.push_back(row);
    }
    meter.restore(own, now);
  }
}

WordRow RequestLine::word() const {
  return {account_, said_per_minute_, to_unix_ms(blocked_from_), to_unix_ms(blocked_until_)};
}

}  // namespace callimport::storage
