#include "engine/service/transition_check.h"

#include <google/protobuf/repeated_ptr_field.h>

#include "engine/service/uuid_text.h"
#include "engine/service/visibility.h"
#include "temporal/api/history/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace callimport::engine {
namespace {

using Wrong = std::optional<std::string>;

constexpr std::int64_t kEventsMax = std::int64_t{1} << 40;  ///< far beyond what a history may have

Wrong batch_error(const pb::BatchState& batch) {
  temporal::api::workflowservice::v1::StartBatchOperationRequest asked;
  if (!asked.ParseFromString(batch.request())) return "its batch's request does not parse";
  return std::nullopt;
}

/// The first change of a run, and every snapshot, says what it is.
template <class State>
Wrong identity_error(const pb::RunFacts& facts, const State& state) {
  if (facts.run_id().empty() || facts.workflow_id().empty()) return "it does not say of which workflow it is";
  if (!is_uuid(facts.run_id())) return "its run id is no UUID";
  if (!pb::RunKind_IsValid(facts.kind())) return "it is of kind " + std::to_string(facts.kind());
  if (!state.has_progress()) return "it does not say how the run is";
  switch (facts.kind()) {
    case pb::RUN_KIND_NAMESPACE:
      if (!state.has_namespace_state()) return "it is a namespace's, and does not tell of one";
      return std::nullopt;
    case pb::RUN_KIND_BATCH: {
      if (!state.has_batch() || !state.has_batch_progress()) return "it is a batch's, and does not tell of one";
      return batch_error(state.batch());
    }
    case pb::RUN_KIND_SCHEDULE:
      if (!state.has_schedule_plan() || !state.has_schedule_progress())
        return "it is a schedule's, and does not tell of one";
      if (!facts.workflow_id().starts_with(kScheduleWorkflowId)) return "it is of a schedule without an id";
      return std::nullopt;
    default: return std::nullopt;
  }
}

/// `next` is the id that comes first; afterwards the one that comes after the last.
Wrong batches_error(const google::protobuf::RepeatedPtrField<pb::Batch>& batches, std::int64_t* next) {
  for (const auto& batch : batches) {
    if (batch.first_event_id() != *next) {
      return "a batch begins with event " + std::to_string(batch.first_event_id()) + " where event " +
             std::to_string(*next) + " comes next";
    }
    if (batch.count() < 1) return "a batch has " + std::to_string(batch.count()) + " events";
    *next += batch.count();
    if (*next > kEventsMax) return "it has more events than there can be";
  }
  return std::nullopt;
}

Wrong activity_error(const Run& run, const pb::Transition& change, const pb::ActivityState& activity) {
  const auto name = [&activity] { return "activity " + std::to_string(activity.scheduled_event_id()); };
  if (activity.event_batch() == 0) {
    if (run.activities.contains(activity.scheduled_event_id())) return std::nullopt;
    for (const auto& rebuilt : change.rebuilt().activities()) {
      if (rebuilt.state().scheduled_event_id() == activity.scheduled_event_id()) return std::nullopt;
    }
    return name() + " was not scheduled";
  }
  if (activity.event_batch() < 0 || activity.event_batch() > change.batches_size()) {
    return name() + " was scheduled in batch " + std::to_string(activity.event_batch()) + " of " +
           std::to_string(change.batches_size());
  }
  const std::string& events = change.batches(activity.event_batch() - 1).events();
  const auto size = static_cast<std::int64_t>(events.size());
  const std::int64_t from = activity.event_offset(), length = activity.event_length();
  if (from < 0 || length < 1 || from + length > size) return name() + " was scheduled outside of its batch";
  HistoryEvent event;
  const bool parses = event.ParseFromArray(events.data() + from, static_cast<int>(length));
  if (!parses || !event.has_activity_task_scheduled_event_attributes()) return name() + "'s event is none";
  return std::nullopt;
}

}  // namespace

Wrong contradiction(const Run& run, const pb::Transition& change) {
  const bool first = run.transitions == 0;
  if (change.has_rebuilt()) {
    if (!first) return "it begins the run anew";
    if (auto wrong = contradiction(change.rebuilt())) return wrong;
    if (change.rebuilt().next_event_id() != 1) return "it begins a run in the middle of its history";
  } else if (first) {
    if (auto wrong = identity_error(change.facts(), change)) return wrong;
  }
  if (!first && change.has_facts() && change.facts().run_id() != run.facts.run_id()) return "it is of another run";
  if (change.has_batch()) {
    if (auto wrong = batch_error(change.batch())) return wrong;
  }
  std::int64_t next = run.history.next_event_id();
  if (auto wrong = batches_error(change.copied(), &next)) return wrong;
  if (auto wrong = batches_error(change.batches(), &next)) return wrong;
  for (const auto& activity : change.activities()) {
    if (auto wrong = activity_error(run, change, activity)) return wrong;
  }
  return std::nullopt;
}

Wrong contradiction(const pb::RunSnapshot& snapshot) {
  if (auto wrong = identity_error(snapshot.facts(), snapshot)) return wrong;
  if (snapshot.next_event_id() < 1 || snapshot.next_event_id() > kEventsMax) {
    return "event " + std::to_string(snapshot.next_event_id()) + " comes next in it";
  }
  for (const auto& activity : snapshot.activities()) {
    HistoryEvent event;
    const bool parses = event.ParseFromString(activity.scheduled_event());
    if (!parses || !event.has_activity_task_scheduled_event_attributes()) {
      return "activity " + std::to_string(activity.state().scheduled_event_id()) + "'s event is none";
    }
  }
  return std::nullopt;
}

}  // namespace callimport::engine
