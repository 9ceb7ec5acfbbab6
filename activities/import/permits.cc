#include "activities/import/permits.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/import/step.h"
#include "activities/import/texts.h"
#include "activities/platforms/answers.h"

namespace callimport::activities {

using storage::Account;
using storage::Lane;
using storage::RequestAsk;
using storage::RequestLine;

class Permits::Desk {
 public:
  Desk(Account account, std::string title, const storage::AccountBudgets& budgets)
      : line(std::move(account), budgets), title(std::move(title)) {}

  RequestLine line;
  std::string title;  ///< of the platform
  std::set<std::string> imports;
  std::map<RequestLine::Ticket, std::function<void(Verdict)>> waiters;
  std::map<RequestLine::Ticket, Verdict> decided;  ///< before anybody waited
  Clock::TimerId timer = 0;
  bool word_changed = false;
};

namespace {

storage::AccountBudgets budgets_for(const Platform& platform, const storage::BudgetSettings& settings) {
  storage::AccountBudgets budgets{platform.budgets, {}, settings.left_percent};
  const auto own = settings.platforms.find(std::string(platform.name));
  if (own == settings.platforms.end()) return budgets;
  budgets.own = own->second.own;
  budgets.left_percent = own->second.left_percent.value_or(settings.left_percent);
  return budgets;
}

std::string time_words(Timestamp at) { return format_utc(std::chrono::ceil<std::chrono::seconds>(at)); }

}  // namespace

Permits::Permits(storage::Library& library, Executor& loop, Pool& pool, Clock& clock, storage::BudgetSettings settings)
    : library_(library),
      loop_(loop),
      pool_(pool),
      clock_(clock),
      settings_(std::move(settings)),
      bulk_("calls.bulk", settings_.bulk_calls, settings_.period),
      first_("calls.first", settings_.first_calls, settings_.period),
      alive_(std::make_shared<bool>(true)) {}

Permits::~Permits() {
  *alive_ = false;
  for (const auto& [account, desk] : desks_) clock_.cancel(desk->timer);
}

Result<> Permits::load() {
  TRY(left_by_others_, library_.quota());
  const Timestamp now = clock_.now();
  bulk_.restore(left_by_others_.uses, now);
  first_.restore(left_by_others_.uses, now);
  return {};
}

Permits::Desk& Permits::visit(const Platform& platform, const std::string& workspace) {
  Account account{std::string(platform.name), workspace};
  auto& desk = desks_[account];
  if (desk) return *desk;
  desk = std::make_unique<Desk>(account, std::string(platform.title), budgets_for(platform, settings_));
  std::vector<storage::UseRow> uses;
  std::optional<storage::WordRow> word;
  for (const auto& row : left_by_others_.uses) {
    if (row.account == account) uses.push_back(row);
  }
  for (const auto& row : left_by_others_.words) {
    if (row.account == account) word = row;
  }
  if (!uses.empty() || word) desk->line.restore(uses, word, clock_.now());
  const auto weight = settings_.weights.find(workspace);
  for (storage::CallShare* share : {&bulk_, &first_}) {
    if (weight != settings_.weights.end()) share->set_weight(account, weight->second);
  }
  return *desk;
}

Permits::Desk& Permits::attend(const Platform& platform, const std::string& workspace, const std::string& import) {
  Desk& desk = visit(platform, workspace);
  const bool is_new = desk.imports.insert(import).second;
  desk_of_[import] = &desk;
  for (storage::CallShare* share : {&bulk_, &first_}) share->attend(desk.line.account(), is_new, clock_.now());
  return desk;
}

void Permits::leave(const std::string& import) {
  const auto found = desk_of_.find(import);
  if (found == desk_of_.end()) return;
  Desk& desk = *found->second;
  desk_of_.erase(found);
  desk.imports.erase(import);
  desk.line.leave(import);
  if (!desk.imports.empty()) return;
  for (storage::CallShare* share : {&bulk_, &first_}) share->leave(desk.line.account());
}

engine::Awaitable<Fetched<Permits::Request>> Permits::request(Desk& desk, RequestAsk ask) {
  ask.patience = kShortWaitMax;
  const auto ticket = desk.line.ask(std::move(ask), clock_.now());
  desk.waiters[ticket] = nullptr;
  look(desk);
  if (auto decided = desk.decided.extract(ticket)) co_return std::move(decided.mapped());
  auto start = [&desk, ticket](std::function<void(Verdict)> set) { desk.waiters[ticket] = std::move(set); };
  auto waiting = engine::async_value<Verdict>(std::move(start));
  co_return co_await std::move(waiting);
}

void Permits::decide(Desk& desk, std::uint64_t ticket, Verdict verdict) {
  auto waiter = desk.waiters.extract(ticket);
  if (!waiter) return;
  if (!waiter.mapped()) {
    desk.decided.emplace(ticket, std::move(verdict));
    return;
  }
  loop_.post([set = std::move(waiter.mapped()), verdict = std::move(verdict)] { set(verdict); });
}

/// Carries out what the line says.
void Permits::look(Desk& desk) {
  const Timestamp now = clock_.now();
  RequestLine::Outcome outcome = desk.line.look(now);
  for (const auto& granted : outcome.granted) decide(desk, granted.ticket, Request{granted.operation, granted.despite_block, granted.at});
  for (const auto& refused : outcome.refused) {
    decide(desk, refused.ticket, tl::unexpected<Trouble>(wait_for(desk, refused.hold)));
  }
  clock_.cancel(desk.timer);
  desk.timer = 0;
  if (outcome.look_at) desk.timer = clock_.at(*outcome.look_at, [this, &desk] { look(desk); });
  if (!outcome.lease_wanted) return;
  dirty_.insert(&desk);
  flush();
}

Wait Permits::wait_for(const Desk& desk, const storage::Hold& hold) const {
  // Who was passed by for all of its patience comes again no sooner than it would be worth telling.
  const Timestamp until = std::max(hold.until, clock_.now() + kShortWaitMax);
  const std::string& workspace = desk.line.account().workspace;
  if (!hold.budget) {
    return {"platform.rate_limited", fmt::format("{} asks to slow down until {}", desk.title, time_words(until)),
            until};
  }
  const bool long_period = hold.budget->period >= std::chrono::hours{1};
  const std::string shared =
      desk.imports.size() > 1 ? fmt::format(", shared by {} imports,", desk.imports.size()) : std::string();
  return {long_period ? "platform.daily_quota" : "platform.rate_limited",
          fmt::format("the limit of {} for {} at {}{} is used up until {}", storage::words_of(*hold.budget), workspace,
                      desk.title, shared, time_words(until)),
          until};
}

void Permits::unused(Desk& desk, const Request& request) {
  desk.line.give_back(request.operation, request.at, clock_.now());
  if (desk.line.waiting() > 0) look(desk);
}

void Permits::heard(Desk& desk, const Request& request, const HttpReply& reply) {
  const Timestamp now = clock_.now();
  const storage::WordRow before = desk.line.word();
  const Platform* platform = find_platform(desk.line.account().platform);
  if (platform != nullptr && platform->read_rate != nullptr) {
    if (const auto rate = platform->read_rate(reply)) {
      std::optional<std::int64_t> remaining;
      if (rate->remaining) remaining = *rate->remaining;
      desk.line.heard(rate->per_minute, remaining, now);
    }
  }
  if (reply.status == 429) {
    desk.line.blocked(now, now + read_retry_after(reply, now).value_or(kRetryUnsaid));
  } else if (request.despite_block) {
    desk.line.unblocked();
  }
  const storage::WordRow after = desk.line.word();
  if (after != before) {
    desk.word_changed = true;
    dirty_.insert(&desk);
    if (!desk.imports.empty()) flush();  // a look alone writes nothing
  }
  if (desk.line.waiting() > 0) look(desk);
}

engine::Awaitable<Fetched<std::int64_t>> Permits::calls(Desk& desk, Lane lane, std::int64_t wanted,
                                                        std::int64_t pending) {
  storage::CallShare& from = share(lane);
  while (true) {
    const Timestamp now = clock_.now();
    const auto answer = from.take(desk.line.account(), wanted, pending, now);
    if (answer.calls > 0) co_return answer.calls;
    if (!answer.lease_wanted) {
      const Timestamp until = std::max(answer.until.value_or(now), now + kShortWaitMax);
      const std::string whose = lane == Lane::kFirst ? "for first calls" : "for bulk";
      co_return tl::unexpected<Trouble>(
          Wait{"budget.internal",
               fmt::format("this installation's budget of {} calls {} {}, shared by {} customers, is used up until {}",
                           grouped(from.meter().limit()), storage::period_words(from.meter().budget().period), whose,
                           from.customers(), time_words(until)),
               until});
    }
    auto writing = written();
    const Result<> stored = co_await std::move(writing);
    if (!stored) co_return tl::unexpected<Trouble>(store_trouble(stored.error()));
  }
}

void Permits::calls_unused(Desk& desk, Lane lane, std::int64_t calls, Timestamp at) {
  share(lane).give_back(desk.line.account(), calls, at, clock_.now());
}

engine::Awaitable<Result<>> Permits::written() {
  auto start = [this](std::function<void(Result<>)> set) {
    waiting_for_write_.push_back(std::move(set));
    flush();
  };
  auto writing = engine::async_value<Result<>>(std::move(start));
  co_return co_await std::move(writing);
}

/// One write at a time; who comes meanwhile shares the next.
void Permits::flush() {
  if (writing_) return;
  writing_ = true;
  writing_for_ = std::exchange(waiting_for_write_, {});
  const Timestamp now = clock_.now();
  auto rows = std::make_shared<storage::QuotaRows>();  // shared with the job on the pool
  for (Desk* desk : dirty_) {
    desk->line.lease(now, rows->uses);
    if (desk->word_changed) rows->words.push_back(desk->line.word());
    desk->word_changed = false;
  }
  dirty_.clear();
  if (!writing_for_.empty()) {
    bulk_.lease(now, rows->uses);
    first_.lease(now, rows->uses);
  }
  pool_.post([this, rows, alive = alive_, &library = library_, &loop = loop_] {
    auto stored = rows->empty() ? Result<>() : library.put_quota(*rows);
    loop.post([this, rows, alive, stored = std::move(stored)] {
      if (*alive) flushed(*rows, stored);
    });
  });
}

void Permits::flushed(const storage::QuotaRows& rows, const Result<>& stored) {
  writing_ = false;
  std::set<Desk*> looked_for;
  for (const auto& row : rows.uses) {
    if (stored) {
      bulk_.leased(row);
      first_.leased(row);
    }
    const auto found = desks_.find(row.account);
    if (found == desks_.end()) continue;
    if (stored) found->second->line.leased(row);
    looked_for.insert(found->second.get());
  }
  if (!stored) {
    for (const auto& row : rows.words) {
      const auto found = desks_.find(row.account);
      if (found != desks_.end()) found->second->word_changed = true;
    }
  }
  const auto told = std::exchange(writing_for_, {});
  for (const auto& set : told) loop_.post([set, stored] { set(stored); });
  for (Desk* desk : looked_for) {
    if (stored) {
      look(*desk);
    } else {
      refuse_all(*desk, stored.error());
    }
  }
  if (!dirty_.empty() || !waiting_for_write_.empty()) flush();
}

/// Nobody goes without a row: who waits is told what the library says.
void Permits::refuse_all(Desk& desk, const Error& error) {
  for (const auto ticket : desk.line.withdraw_all()) decide(desk, ticket, tl::unexpected<Trouble>(store_trouble(error)));
  clock_.cancel(desk.timer);
  desk.timer = 0;
}

namespace {

storage::BudgetView view_of(storage::Meter& meter, Timestamp now) {
  storage::BudgetView view;
  view.limit = meter.limit();
  view.used = meter.used(now);
  view.left = meter.left(now);
  view.period_ms = std::chrono::duration_cast<std::chrono::milliseconds>(meter.budget().period).count();
  const Timestamp empty = meter.empty_at(now);
  view.resets_ms = empty > now ? to_unix_ms(empty) : 0;
  return view;
}

}  // namespace

std::vector<storage::BudgetView> Permits::list() {
  const Timestamp now = clock_.now();
  std::vector<storage::BudgetView> all;
  std::vector<std::string> open;
  for (const auto& [import, desk] : desk_of_) open.push_back(import);
  for (const Lane lane : {Lane::kFirst, Lane::kBulk}) {
    storage::BudgetView view = view_of(share(lane).meter(), now);
    view.what = lane == Lane::kFirst ? "calls of first lanes" : "calls of bulk";
    view.imports = open;
    all.push_back(std::move(view));
  }
  for (const auto& [account, desk] : desks_) {
    const auto blocked = desk->line.blocked_until(now);
    for (storage::Meter& meter : desk->line.meters()) {
      storage::BudgetView view = view_of(meter, now);
      view.account = account;
      view.what = storage::noun_of(meter.budget().operation);
      view.imports.assign(desk->imports.begin(), desk->imports.end());
      if (blocked) view.blocked_until_ms = to_unix_ms(*blocked);
      all.push_back(std::move(view));
    }
  }
  return all;
}

}  // namespace callimport::activities
