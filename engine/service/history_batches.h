#pragma once
// A run's events in memory: batches of serialized events, a suffix of the history that may start late when older
// batches were dropped or never loaded (they are in the run's journal rows then).
#include <cstdint>
#include <string>
#include <vector>

#include "engine/service/transition.pb.h"

namespace temporal::api::history::v1 {
class History;
class HistoryEvent;
}  // namespace temporal::api::history::v1

namespace callimport::engine {

namespace pb = ::callimport::engine::v1;
using HistoryEvent = ::temporal::api::history::v1::HistoryEvent;
using History = ::temporal::api::history::v1::History;

/// Threads: the loop. Event ids are dense from 1; batches follow each other without a gap.
class HistoryBatches {
 public:
  void push(pb::Batch batch);
  /// Replaces everything by the whole history.
  void load(std::vector<pb::Batch> batches);
  /// Forgets the events, not how many there are.
  void drop();
  /// After a snapshot: `next` - 1 events exist, none of them here.
  void start_at(std::int64_t next, std::int64_t bytes, int batches);

  std::int64_t next_event_id() const { return next_event_id_; }
  std::int64_t history_bytes() const { return history_bytes_; }  ///< of the whole history, serialized
  int batch_count() const { return batch_count_; }               ///< of the whole history
  std::size_t held_bytes() const { return held_bytes_; }
  bool holds(std::int64_t event_id) const { return event_id >= first_held_ || event_id >= next_event_id_; }
  bool whole() const { return holds(1); }
  const std::vector<pb::Batch>& batches() const { return batches_; }

  /// Index into batches() of the one with `event_id`; batches().size() when it is past the end. `event_id` is held.
  std::size_t find(std::int64_t event_id) const;

 private:
  std::vector<pb::Batch> batches_;
  std::int64_t first_held_ = 1;
  std::int64_t next_event_id_ = 1;
  std::int64_t history_bytes_ = 0;
  int batch_count_ = 0;
  std::size_t held_bytes_ = 0;
};

/// Adds one element of a message's repeated field 1 to its serialized bytes, as History's events and ClosedRunHistory's
/// batches are. @return where the element's own bytes start.
std::size_t append_element(const google::protobuf::MessageLite& element, std::string* bytes);
/// Moves a row's events out: those copied from another run, then its own.
void take_batches(pb::Transition& change, std::vector<pb::Batch>* out);
/// Adds the events of `batch` with ids in [from, to] to `history`.
void add_events(const pb::Batch& batch, std::int64_t from, std::int64_t to, History* history);

}  // namespace callimport::engine
