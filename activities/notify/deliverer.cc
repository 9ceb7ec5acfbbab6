#include "activities/notify/deliverer.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace callimport::activities {
namespace {

using storage::Library;

bool is_routine(const storage::Notification& news) { return news.event == "stage.changed"; }

/// When the news of one channel and import may go: now when something urgent is among them or the oldest has waited
/// long enough, never while an earlier message is being tried again.
std::int64_t ready_ms(const std::vector<Library::Due>& items, bool merges) {
  std::int64_t retry_ms = 0, ready = 0;
  bool urgent = !merges;
  for (const auto& item : items) {
    if (item.delivery.attempts > 0)
      retry_ms = std::max(retry_ms, item.delivery.next_ms);
    else if (!is_routine(item.notification))
      urgent = true;
  }
  if (retry_ms > 0) return retry_ms;
  if (!urgent) ready = items.front().notification.at_ms + kMergeMs;
  return ready;
}

}  // namespace

std::int64_t retry_after_ms(int attempts) {
  return std::min<std::int64_t>(5'000ll << std::clamp(attempts - 1, 0, 20), 30 * 60 * 1'000);
}

DeliveryPlan plan_deliveries(const std::vector<Library::Due>& due, const std::vector<std::string>& merging,
                             std::int64_t now_ms) {
  // Oldest first; of one moment, in the order they came.
  std::map<std::pair<std::string, std::string>, std::multimap<std::int64_t, Library::Due>> groups;
  for (const auto& item : due)
    groups[{item.delivery.channel, item.notification.import}].emplace(item.notification.at_ms, item);
  DeliveryPlan plan;
  for (auto& [key, by_time] : groups) {
    std::vector<Library::Due> items;
    for (auto& [at_ms, item] : by_time) items.push_back(std::move(item));
    const bool merges = std::find(merging.begin(), merging.end(), key.first) != merging.end();
    const std::int64_t ready = ready_ms(items, merges);
    if (ready > now_ms) {
      plan.look_again_ms = std::min(plan.look_again_ms.value_or(ready), ready);
      continue;
    }
    plan.parcels.push_back({key.first, std::move(items)});
  }
  return plan;
}

struct Deliverer::Inside {
  Library& library;
  Executor& loop;
  Pool& pool;
  Clock& clock;
  std::vector<std::unique_ptr<Channel>> channels;
  bool running = false, again = false, stopped = true;
  Clock::TimerId timer = 0;

  std::int64_t now_ms() const { return to_unix_ms(clock.now()); }

  std::vector<std::string> merging() const {
    std::vector<std::string> names;
    for (const auto& channel : channels) {
      if (channel->merges()) names.emplace_back(channel->name());
    }
    return names;
  }

  Channel* find(const std::string& name) const {
    for (const auto& channel : channels) {
      if (channel->name() == name) return channel.get();
    }
    return nullptr;
  }

  static void look(const std::shared_ptr<Inside>& self) {
    if (self->stopped) return;
    self->again = self->running;
    if (std::exchange(self->running, true)) return;
    self->clock.cancel(std::exchange(self->timer, 0));
    engine::spawn(self->loop, round(self), [self](std::optional<std::int64_t> again_ms) {
      self->running = false;
      if (self->stopped) return;
      if (std::exchange(self->again, false)) return look(self);
      if (!again_ms) return;
      const Timestamp when = std::max(from_unix_ms(*again_ms), self->clock.now() + 1s);
      self->timer = self->clock.at(when, [self] {
        self->timer = 0;
        look(self);
      });
    });
  }

  /// Everything that may go now; answers when to look again.
  static engine::Awaitable<std::optional<std::int64_t>> round(std::shared_ptr<Inside> self) {
    while (true) {
      auto read = [self] { return self->library.due_deliveries(self->now_ms() + kMergeMs, kDueMax); };
      auto reading = engine::on_pool(self->pool, self->loop, std::move(read));
      const Result<std::vector<Library::Due>> due = co_await std::move(reading);
      if (!due) co_return self->now_ms() + 30'000;
      const DeliveryPlan plan = plan_deliveries(*due, self->merging(), self->now_ms());
      if (plan.look_again_ms && (plan.parcels.empty() || self->stopped)) co_return plan.look_again_ms;
      if (plan.parcels.empty() || self->stopped) {
        // What is tried again later than the plan looks ahead.
        auto next = [self] { return self->library.next_delivery_ms(); };
        auto asking = engine::on_pool(self->pool, self->loop, std::move(next));
        const Result<std::optional<std::int64_t>> next_ms = co_await std::move(asking);
        if (!next_ms) co_return self->now_ms() + 30'000;
        co_return *next_ms;
      }
      for (const auto& parcel : plan.parcels) {
        auto delivering = deliver(self, parcel);
        const Result<> recorded = co_await std::move(delivering);
        if (!recorded) co_return self->now_ms() + 30'000;
      }
    }
  }

  static engine::Awaitable<Result<>> deliver(std::shared_ptr<Inside> self, DeliveryPlan::Parcel parcel) {
    Channel* channel = self->find(parcel.channel);
    Result<> sent = fail(Code::kNotFound, "no channel of this name is configured any more");
    if (channel != nullptr) {
      std::vector<storage::Notification> news;
      for (const auto& item : parcel.items) news.push_back(item.notification);
      auto sending = channel->send(std::move(news));
      sent = co_await std::move(sending);
    }
    std::vector<storage::Delivery> after;
    for (const auto& item : parcel.items) {
      storage::Delivery delivery = item.delivery;
      ++delivery.attempts;
      delivery.state = sent ? "delivered" : "queued";
      delivery.error = sent ? "" : sent.error().message;
      if (!sent) delivery.next_ms = self->now_ms() + retry_after_ms(delivery.attempts);
      const bool late = self->now_ms() - item.notification.at_ms >= kDeliverForMs;
      if (!sent && (late || channel == nullptr)) delivery.state = "failed";
      after.push_back(std::move(delivery));
    }
    auto record = [self, after = std::move(after)]() -> Result<> {
      for (const auto& delivery : after) TRY_VOID(self->library.set_delivery(delivery));
      return {};
    };
    auto recording = engine::on_pool(self->pool, self->loop, std::move(record));
    co_return co_await std::move(recording);
  }
};

Deliverer::Deliverer(Library& library, Executor& loop, Pool& pool, Clock& clock,
                     std::vector<std::unique_ptr<Channel>> channels)
    : inside_(std::make_shared<Inside>(Inside{library, loop, pool, clock, std::move(channels)})) {}

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

}  // namespace callimport::activities
