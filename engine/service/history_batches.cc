#include "engine/service/history_batches.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "storage/model/ensure.h"
#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine {

void HistoryBatches::push(pb::Batch batch) {
  ENSURE(batch.first_event_id() == next_event_id_);
  next_event_id_ += batch.count();
  history_bytes_ += static_cast<std::int64_t>(batch.events().size());
  held_bytes_ += batch.events().size();
  ++batch_count_;
  batches_.push_back(std::move(batch));
}

void HistoryBatches::load(std::vector<pb::Batch> batches) {
  const std::int64_t known = next_event_id_;
  *this = HistoryBatches();
  for (auto& batch : batches) push(std::move(batch));
  ENSURE(next_event_id_ == known);
}

void HistoryBatches::drop() {
  batches_.clear();
  held_bytes_ = 0;
  first_held_ = next_event_id_;
}

void HistoryBatches::start_at(std::int64_t next, std::int64_t bytes, int batches) {
  next_event_id_ = next;
  first_held_ = next;
  history_bytes_ = bytes;
  batch_count_ = batches;
}

std::size_t HistoryBatches::find(std::int64_t event_id) const {
  const auto after =
      std::upper_bound(batches_.begin(), batches_.end(), event_id,
                       [](std::int64_t id, const pb::Batch& batch) { return id < batch.first_event_id(); });
  if (after == batches_.begin()) return 0;
  const auto at = std::prev(after);
  const auto index = static_cast<std::size_t>(at - batches_.begin());
  return event_id < at->first_event_id() + at->count() ? index : index + 1;
}

std::size_t append_element(const google::protobuf::MessageLite& element, std::string* bytes) {
  constexpr std::uint8_t kFieldOne = 0x0A;  // field 1, length-delimited
  const std::size_t size = element.ByteSizeLong();
  ENSURE(size <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()));
  std::uint8_t head[8];
  head[0] = kFieldOne;
  std::uint8_t* end =
      google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(size), head + 1);
  bytes->append(reinterpret_cast<const char*>(head), static_cast<std::size_t>(end - head));
  const std::size_t at = bytes->size();
  bytes->resize(at + size);
  element.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(bytes->data() + at));
  return at;
}

void take_batches(pb::Transition& change, std::vector<pb::Batch>* out) {
  for (auto& batch : *change.mutable_copied()) out->push_back(std::move(batch));
  for (auto& batch : *change.mutable_batches()) out->push_back(std::move(batch));
}

void add_events(const pb::Batch& batch, std::int64_t from, std::int64_t to, History* history) {
  const std::int64_t last = batch.first_event_id() + batch.count() - 1;
  if (last < from || batch.first_event_id() > to) return;
  if (from <= batch.first_event_id() && last <= to) {
    ENSURE(history->MergeFromString(batch.events()));
    return;
  }
  History whole;
  ENSURE(whole.ParseFromString(batch.events()));
  for (auto& event : *whole.mutable_events()) {
    if (event.event_id() >= from && event.event_id() <= to) history->add_events()->Swap(&event);
  }
}

}  // namespace callimport::engine
