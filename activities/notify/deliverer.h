#pragma once
// Carries records to people: routes them to messages and sends these, each channel by itself. At least once, with
// stable ids, in order per recipient and thread; a channel that fails is tried again for a day and stops nobody.
#include <cstdint>
#include <memory>
#include <vector>

#include "activities/notify/channel.h"
#include "activities/notify/people.h"
#include "activities/notify/wishes.h"
#include "storage/library/library.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"

namespace callimport::activities {

/// After the n-th failed attempt: 5 s, doubled up to half an hour.
std::int64_t retry_after_ms(int attempts);

/// Threads: the loop. Lifetime: library, loop, pool, clock and what the channels use outlive it.
class Deliverer {
 public:
  Deliverer(storage::Library& library, Executor& loop, Pool& pool, Clock& clock, Roster roster,
            std::vector<std::unique_ptr<Channel>> channels);
  ~Deliverer();
  Deliverer(const Deliverer&) = delete;
  Deliverer& operator=(const Deliverer&) = delete;

  void start();
  /// Something was recorded: look now.
  void wake();
  /// No new messages; what is under way ends by itself, unrecorded: it goes again after a start, with the same id.
  void stop();

  /// Names of its channels.
  std::vector<std::string> channels() const;
  const Roster& roster() const;
  /// The channels as they are to a record. Any thread: nothing it reads changes after the start.
  std::vector<ChannelView> views(const storage::Notification& record) const;

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;  // shared with what is under way, which may outlive us
};

}  // namespace callimport::activities
