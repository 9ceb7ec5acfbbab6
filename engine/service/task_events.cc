#include "engine/service/task_events.h"

#include "engine/service/proto_time.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/enums/v1/task_queue.pb.h"
#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine {

namespace enums = ::temporal::api::enums::v1;
using temporal::api::history::v1::History;
using temporal::api::history::v1::HistoryEvent;

void fill_task_scheduled(const pb::RunFacts& facts, const pb::WorkflowTask& task, const std::string& sticky_queue,
                         HistoryEvent* event) {
  auto* out = event->mutable_workflow_task_scheduled_event_attributes();
  auto* queue = out->mutable_task_queue();
  if (sticky_queue.empty()) {
    queue->set_name(facts.task_queue());
    queue->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
  } else {
    queue->set_name(sticky_queue);
    queue->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    queue->set_normal_name(facts.task_queue());
  }
  set_nanos(out->mutable_start_to_close_timeout(), task.start_to_close_ns());
  out->set_attempt(task.attempt());
}

void fill_task_started(const pb::WorkflowTask& task, HistoryEvent* event) {
  auto* out = event->mutable_workflow_task_started_event_attributes();
  out->set_scheduled_event_id(task.scheduled_event_id());
  out->set_identity(task.identity());
  out->set_request_id(task.request_id());
  out->set_history_size_bytes(task.history_size_bytes());
  out->set_suggest_continue_as_new(task.suggest_continue_as_new());
}

void add_unwritten_events(const pb::RunFacts& facts, const pb::WorkflowTask& task, History* history) {
  HistoryEvent& scheduled = *history->add_events();
  scheduled.set_event_id(task.scheduled_event_id());
  scheduled.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  set_nanos(scheduled.mutable_event_time(), task.scheduled_ns());
  fill_task_scheduled(facts, task, task.sticky_queue(), &scheduled);
  HistoryEvent& started = *history->add_events();
  started.set_event_id(task.started_event_id());
  started.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  set_nanos(started.mutable_event_time(), task.started_ns());
  fill_task_started(task, &started);
}

}  // namespace callimport::engine
