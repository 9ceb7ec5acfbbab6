#include "activities/notify/deliverer.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "activities/notify/digests.h"
#include "activities/notify/router.h"
#include "activities/notify/rules.h"
#include "activities/notify/sending.h"

namespace callimport::activities {
namespace {

constexpr int kDigestImportsMax = 10'000;
constexpr int kReadyMax = 256;                 ///< messages of a channel looked at together
constexpr std::int64_t kStoreRestMs = 30'000;  ///< after the library could not be read or written
constexpr std::int64_t kLookAfterMs = 250;     ///< after messages that went

enum class Went : std::uint8_t { kNot, kYes };

/// A channel and how it stands in this process.
struct Lane {
  std::unique_ptr<Channel> channel;
  std::set<std::string> busy;                   ///< recipients a message is under way to
  std::map<std::string, std::int64_t> free_ms;  ///< recipients that were just sent one: not before
  std::int64_t rests_until_ms = 0;
  int failures = 0;  ///< in a row, of the channel as a whole
};

}  // namespace

std::int64_t retry_after_ms(int attempts) {
  return std::min<std::int64_t>(5'000ll << std::clamp(attempts - 1, 0, 20), 30 * 60 * 1'000);
}

struct Deliverer::Inside {
  storage::Library& library;
  Executor& loop;
  Pool& pool;
  Clock& clock;
  Roster roster;
  std::vector<Lane> lanes;
  bool running = false, again = false, stopped = true;
  bool planned = false;  ///< everybody's digest is on the agenda; of the pool's one round at a time
  Clock::TimerId timer = 0;
  std::int64_t timer_ms = 0;  ///< when it looks

  using Shared = std::shared_ptr<Inside>;
  using NextLook = std::optional<std::int64_t>;

  std::int64_t now_ms() const { return to_unix_ms(clock.now()); }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& lane : lanes) all.emplace_back(lane.channel->name());
    return all;
  }

  static void look(const Shared& self) {
    if (self->stopped) return;
    self->again = self->running;
    if (std::exchange(self->running, true)) return;
    self->clock.cancel(std::exchange(self->timer, 0));
    engine::spawn(self->loop, round(self), [self](NextLook again_ms) {
      self->running = false;
      if (self->stopped) return;
      if (std::exchange(self->again, false)) return look(self);
      if (again_ms) look_at(self, *again_ms);
    });
  }

  /// No later than that.
  static void look_at(const Shared& self, std::int64_t at_ms) {
    if (self->running) {
      self->again = true;
      return;
    }
    if (self->timer != 0 && self->timer_ms <= at_ms) return;
    self->clock.cancel(self->timer);
    self->timer_ms = at_ms;
    const Timestamp when = std::max(from_unix_ms(at_ms), self->clock.now() + std::chrono::milliseconds{1});
    self->timer = self->clock.at(when, [self] {
      self->timer = 0;
      look(self);
    });
  }

  /// A message has ended: the next of its channel begins at once, and what else may follow from it is seen to soon.
  /// A whole look for each message would hold the others up.
  static void next_of(const Shared& self, std::size_t index, Went went) {
    if (went == Went::kNot) return look(self);
    if (self->stopped) return;
    engine::spawn(self->loop, begin_lane(self, index), [self](NextLook next) {
      if (self->stopped) return;
      const std::int64_t soon = self->now_ms() + kLookAfterMs;
      look_at(self, std::min(next.value_or(soon), soon));
    });
  }

  template <class Work>
  static auto on_pool(const Shared& self, Work work) {
    return engine::on_pool(self->pool, self->loop, std::move(work));
  }

  /// Routes what is new, begins what may go; answers when to look again.
  static engine::Awaitable<NextLook> round(Shared self) {
    auto turning = turn_all(self);
    const bool turned = co_await std::move(turning);
    if (!turned) co_return self->now_ms() + kStoreRestMs;
    auto routing = route_all(self);
    const bool routed = co_await std::move(routing);
    if (!routed) co_return self->now_ms() + kStoreRestMs;
    auto closing = close_orphans(self);
    const bool closed = co_await std::move(closing);
    if (!closed) co_return self->now_ms() + kStoreRestMs;
    NextLook next;
    for (std::size_t i = 0; i < self->lanes.size() && !self->stopped; ++i) {
      auto beginning = begin_lane(self, i);
      const NextLook lane_next = co_await std::move(beginning);
      if (lane_next) next = std::min(next.value_or(*lane_next), *lane_next);
    }
    const std::int64_t now = self->now_ms();
    auto ask = [self, now] {
      NextLook due;
      const auto read = self->library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
        TRY(due, telling.next_due_ms(now));
        TRY(const auto turn, telling.agenda().next_ms());
        if (turn) due = std::min(due.value_or(*turn), *turn);
        return {};
      });
      return read ? due : NextLook(now + kStoreRestMs);
    };
    auto asking = on_pool(self, std::move(ask));
    const NextLook due = co_await std::move(asking);
    if (due) next = std::min(next.value_or(*due), *due);
    co_return next;
  }

  /// What the rules have to say by themselves by now.
  static engine::Awaitable<bool> turn_all(Shared self) {
    auto work = [self]() -> Result<> {
      if (!self->planned) {
        TRY_VOID(self->library.change(
            [&](storage::LibraryTx& tx) { return plan_digests(tx, self->roster, self->now_ms()); }));
        self->planned = true;
      }
      while (true) {
        std::vector<storage::AgendaRow> due;
        TRY_VOID(self->library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
          TRY(due, telling.agenda().due(self->now_ms(), kAgendaAtOnce));
          return {};
        }));
        if (due.empty()) return {};
        TRY(const auto imports, self->imports_for(due));
        TRY_VOID(self->library.change([&](storage::LibraryTx& tx) -> Result<> {
          TRY_VOID(take_turns(tx, self->roster, imports, self->now_ms()));
          return {};
        }));
      }
    };
    auto working = on_pool(self, std::move(work));
    const Result<> worked = co_await std::move(working);
    co_return worked.has_value();
  }

  /// Digests look at imports, other turns do not.
  Result<std::vector<storage::ImportRow>> imports_for(const std::vector<storage::AgendaRow>& due) const {
    const bool digest = std::any_of(due.begin(), due.end(), [](const storage::AgendaRow& row) {
      return row.kind == kDigest || row.kind == kWeekly;
    });
    if (!digest) return std::vector<storage::ImportRow>();
    return library.imports(kDigestImportsMax);
  }

  /// Records that no message was made of yet. False: the library would not.
  static engine::Awaitable<bool> route_all(Shared self) {
    while (!self->stopped) {
      auto read = [self] {
        std::vector<storage::Notification> found;
        const auto read_all = self->library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
          TRY(found, telling.unrouted(kRoutedAtOnce));
          return {};
        });
        return read_all ? Result<std::vector<storage::Notification>>(std::move(found))
                        : tl::unexpected(read_all.error());
      };
      auto reading = on_pool(self, std::move(read));
      const Result<std::vector<storage::Notification>> found = co_await std::move(reading);
      if (!found) co_return false;
      if (found->empty()) co_return true;
      std::vector<Routing> portion;
      for (const auto& record : *found) portion.push_back({record, self->views(record)});
      auto write = [self, portion = std::move(portion)] {
        return self->library.change(
            [&](storage::LibraryTx& tx) { return activities::route(tx, self->roster, portion, self->now_ms()); });
      };
      auto writing = on_pool(self, std::move(write));
      const Result<> written = co_await std::move(writing);
      if (!written) co_return false;
    }
    co_return true;
  }

  std::vector<ChannelView> views(const storage::Notification& record) const {
    std::vector<ChannelView> all;
    for (const auto& lane : lanes) {
      all.push_back({std::string(lane.channel->name()), lane.channel->manner(), lane.channel->own(record)});
    }
    return all;
  }

  /// Messages of channels that are not configured any more go another way, or have failed.
  static engine::Awaitable<bool> close_orphans(Shared self) {
    auto work = [self]() -> Result<> {
      std::vector<std::string> queued;
      TRY_VOID(self->library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
        TRY(queued, telling.queued_channels());
        return {};
      }));
      const auto names = self->names();
      for (const auto& channel : queued) {
        if (std::find(names.begin(), names.end(), channel) != names.end()) continue;
        TRY_VOID(self->library.change([&](storage::LibraryTx& tx) { return self->drop_channel(tx, channel, names); }));
      }
      return {};
    };
    auto working = on_pool(self, std::move(work));
    const Result<> worked = co_await std::move(working);
    co_return worked.has_value();
  }

  Result<> drop_channel(storage::LibraryTx& tx, const std::string& channel, const std::vector<std::string>& names) {
    const std::string why = "no channel " + channel + " is configured any more";
    while (true) {
      TRY(const auto waiting,
          tx.telling().reads().messages({.channel = channel, .state = "queued", .limit = kReadyMax}));
      if (waiting.empty()) return {};
      for (const auto& message : waiting) {
        TRY_VOID(tx.telling().end(message.id, "failed", now_ms(), why, "", ""));
        TRY_VOID(stand_in(tx, roster, message, names, why, now_ms()));
      }
    }
  }

  /// Begins what may go on one channel; answers when more may.
  static engine::Awaitable<NextLook> begin_lane(Shared self, std::size_t index) {
    const Manner manner = self->lanes[index].channel->manner();
    const std::int64_t now = self->now_ms();
    const auto free = [&] { return static_cast<int>(self->lanes[index].busy.size()) < manner.at_once; };
    if (self->lanes[index].rests_until_ms > now) co_return self->lanes[index].rests_until_ms;
    if (!free()) co_return std::nullopt;  // whoever ends looks again
    auto read = [self, name = std::string(self->lanes[index].channel->name()), now] {
      std::vector<storage::MessageRow> ready;
      const auto found = self->library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
        TRY(ready, telling.ready(name, now, kReadyMax));
        return {};
      });
      return found ? Result<std::vector<storage::MessageRow>>(std::move(ready)) : tl::unexpected(found.error());
    };
    auto reading = on_pool(self, std::move(read));
    const Result<std::vector<storage::MessageRow>> ready = co_await std::move(reading);
    if (!ready) co_return now + kStoreRestMs;
    NextLook next;
    Lane& lane = self->lanes[index];
    for (const auto& row : *ready) {
      if (!free() || self->stopped) break;
      if (lane.busy.contains(row.recipient)) continue;
      const auto gap = lane.free_ms.find(row.recipient);
      if (gap != lane.free_ms.end() && gap->second > now) {
        next = std::min(next.value_or(gap->second), gap->second);
        continue;
      }
      lane.busy.insert(row.recipient);
      engine::spawn(self->loop, deliver(self, index, row.id), [self, index, who = row.recipient](Went went) {
        self->lanes[index].busy.erase(who);
        next_of(self, index, went);
      });
    }
    co_return next;
  }

  /// One message, from its begin to its end or its next attempt.
  static engine::Awaitable<Went> deliver(Shared self, std::size_t index, std::string message) {
    auto begin = [self, message = std::move(message)] {
      std::optional<Parcel> parcel;
      const auto begun = self->library.change([&](storage::LibraryTx& tx) -> Result<> {
        TRY(parcel, prepare(tx, self->roster, message, self->now_ms()));
        return {};
      });
      return begun ? Result<std::optional<Parcel>>(std::move(parcel)) : tl::unexpected(begun.error());
    };
    auto beginning = on_pool(self, std::move(begin));
    Result<std::optional<Parcel>> parcel = co_await std::move(beginning);
    if (!parcel) self->lanes[index].rests_until_ms = self->now_ms() + kStoreRestMs;
    if (!parcel || !parcel->has_value() || self->stopped) co_return Went::kNot;
    Channel& channel = *self->lanes[index].channel;
    auto sending = channel.send((*parcel)->message);
    tl::expected<Sent, Refused> sent = co_await std::move(sending);
    if (self->stopped) co_return Went::kNot;
    Lane& lane = self->lanes[index];
    const bool took = sent.has_value();
    const std::int64_t now = self->now_ms();
    Attempted attempted{(*parcel)->row, std::move(sent), channel.manner(), now, self->names(), now};
    const auto gap_ms = std::chrono::ceil<std::chrono::milliseconds>(attempted.manner.gap).count();
    if (gap_ms > 0) lane.free_ms[attempted.row.recipient] = now + gap_ms;
    if (attempted.answer) {
      lane.failures = 0;
    } else {
      attempted.again_ms += self->rest(lane, attempted.row, attempted.answer.error());
    }
    auto record = [self, attempted = std::move(attempted), news = std::move((*parcel)->message.news)] {
      const Result<> concluded = self->library.change(
          [&](storage::LibraryTx& tx) { return conclude(tx, self->roster, attempted, self->now_ms()); });
      if (concluded) count_attempt(attempted, news);
      return concluded;
    };
    auto recording = on_pool(self, std::move(record));
    const Result<> recorded = co_await std::move(recording);
    // A message that went and is not written down goes again, with the same id.
    if (!recorded) lane.rests_until_ms = self->now_ms() + kStoreRestMs;
    if (!took || !recorded) co_return Went::kNot;
    co_return Went::kYes;
  }

  /// How long until the next attempt, in ms; the whole channel rests when it is the channel that fails.
  std::int64_t rest(Lane& lane, const storage::MessageRow& row, const Refused& refused) const {
    std::int64_t rest_ms = retry_after_ms(row.attempts);
    if (refused.everyone) rest_ms = retry_after_ms(++lane.failures);
    if (refused.after) rest_ms = std::chrono::ceil<std::chrono::milliseconds>(*refused.after).count();
    if (refused.everyone) lane.rests_until_ms = now_ms() + rest_ms;
    return rest_ms;
  }
};

Deliverer::Deliverer(storage::Library& library, Executor& loop, Pool& pool, Clock& clock, Roster roster,
                     std::vector<std::unique_ptr<Channel>> channels)
    : inside_(std::make_shared<Inside>(Inside{library, loop, pool, clock, std::move(roster), {}})) {
  for (auto& channel : channels)
    inside_->lanes.push_back(Lane{.channel = std::move(channel), .busy = {}, .free_ms = {}});
}

Deliverer::~Deliverer() { stop(); }

void Deliverer::start() {
  inside_->stopped = false;
  Inside::look(inside_);
}

void Deliverer::wake() { Inside::look(inside_); }

void Deliverer::stop() {
  inside_->stopped = true;
  inside_->clock.cancel(std::exchange(inside_->timer, 0));
}

std::vector<std::string> Deliverer::channels() const { return inside_->names(); }
const Roster& Deliverer::roster() const { return inside_->roster; }
std::vector<ChannelView> Deliverer::views(const storage::Notification& record) const { return inside_->views(record); }

}  // namespace callimport::activities
