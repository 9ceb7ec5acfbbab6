#pragma once
// Carries notifications from the library's outbox to their channels. At least once, with stable ids, in order per
// channel and import; a channel that fails is tried again for a day and stops nobody.
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "activities/notify/channel.h"
#include "storage/library/library.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"

namespace callimport::activities {

/// Stage changes of one import within this time become one message, unless something that matters more comes first.
inline constexpr std::int64_t kMergeMs = 10 * 60 * 1'000;
inline constexpr std::int64_t kDeliverForMs = 24 * 3'600 * 1'000;  ///< then a delivery has failed
inline constexpr int kDueMax = 500;

/// What to send now, and when to look again.
struct DeliveryPlan {
  struct Parcel {
    std::string channel;
    std::vector<storage::Library::Due> items;
  };
  std::vector<Parcel> parcels;
  std::optional<std::int64_t> look_again_ms;
};
/// @param due      everything queued for the next kMergeMs, oldest first
/// @param merging  channels whose routine news wait for company
DeliveryPlan plan_deliveries(const std::vector<storage::Library::Due>& due, const std::vector<std::string>& merging,
                             std::int64_t now_ms);
/// After the n-th failed attempt: 5 s, doubled up to half an hour.
std::int64_t retry_after_ms(int attempts);

/// Threads: the loop. Lifetime: library, loop, pool, clock and what the channels use outlive it.
class Deliverer {
 public:
  Deliverer(storage::Library& library, Executor& loop, Pool& pool, Clock& clock,
            std::vector<std::unique_ptr<Channel>> channels);
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  void start();
  /// Something was stored: look now.
  void wake();
  /// No new deliveries; what is under way ends by itself.
  void stop();

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;  // shared with the round under way, which may outlive us
};

}  // namespace callimport::activities
