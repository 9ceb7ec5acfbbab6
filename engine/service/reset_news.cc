#include "engine/service/reset_news.h"

#include <utility>

namespace callimport::engine {

std::int64_t asked_outside(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED:
      return event.external_workflow_execution_signaled_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return event.signal_external_workflow_execution_failed_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      return event.external_workflow_execution_cancel_requested_event_attributes().initiated_event_id();
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED:
      return event.request_cancel_external_workflow_execution_failed_event_attributes().initiated_event_id();
    default: return 0;
  }
}

bool is_child_news(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED: return true;
    default: return false;
  }
}

HistoryEvent& repeat_event(Draft& draft, const HistoryEvent& news) {
  HistoryEvent& event = draft.append(news.event_type());
  HistoryEvent copy = news;
  copy.clear_event_id();
  copy.clear_event_time();
  copy.clear_task_id();
  event.MergeFrom(copy);
  return event;
}

void repeat_child_news(Draft& parent, const HistoryEvent& news) {
  const auto pending = [&parent](const auto& attributes) { return parent.child(attributes.initiated_event_id()); };
  const auto repeat = [&parent, &news]() -> HistoryEvent& { return repeat_event(parent, news); };
  const auto close = [&](const auto& attributes, auto mutable_attributes) {
    const pb::ChildState* child = pending(attributes);
    if (child == nullptr) return;
    const std::int64_t started = child->started_event_id();
    (repeat().*mutable_attributes)()->set_started_event_id(started);
    parent.remove_child(attributes.initiated_event_id());
  };
  switch (news.event_type()) {
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: {
      const auto& attributes = news.child_workflow_execution_started_event_attributes();
      const pb::ChildState* child = pending(attributes);
      if (child == nullptr || child->started_event_id() != 0) return;
      pb::ChildState known = *child;
      known.set_started_event_id(repeat().event_id());
      known.set_run_id(attributes.workflow_execution().run_id());
      return parent.set_child(std::move(known));
    }
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED: {
      const auto& attributes = news.start_child_workflow_execution_failed_event_attributes();
      if (pending(attributes) == nullptr) return;
      (void)repeat();
      return parent.remove_child(attributes.initiated_event_id());
    }
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
      return close(news.child_workflow_execution_completed_event_attributes(),
                   &HistoryEvent::mutable_child_workflow_execution_completed_event_attributes);
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
      return close(news.child_workflow_execution_failed_event_attributes(),
                   &HistoryEvent::mutable_child_workflow_execution_failed_event_attributes);
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
      return close(news.child_workflow_execution_canceled_event_attributes(),
                   &HistoryEvent::mutable_child_workflow_execution_canceled_event_attributes);
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
      return close(news.child_workflow_execution_timed_out_event_attributes(),
                   &HistoryEvent::mutable_child_workflow_execution_timed_out_event_attributes);
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
      return close(news.child_workflow_execution_terminated_event_attributes(),
                   &HistoryEvent::mutable_child_workflow_execution_terminated_event_attributes);
    default: return;
  }
}

}  // namespace callimport::engine
