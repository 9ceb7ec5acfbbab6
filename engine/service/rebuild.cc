#include "engine/service/rebuild.h"

#include <utility>

#include "engine/service/activities.h"
#include "engine/service/children.h"
#include "engine/service/proto_time.h"
#include "engine/service/run_options.h"
#include "engine/service/search_attributes.h"
#include "storage/model/ensure.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"
#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine {
namespace {

class Walk {
 public:
  Walk(std::int64_t now_ns, Run& run) : now_(now_ns), run_(run) {}

  void event(const HistoryEvent& e) {
    if (run_event(e) || task_event(e) || timer_event(e) || child_event(e) || update_event(e)) return;
    activity_event(e);
  }

 private:
  bool run_event(const HistoryEvent& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: started(e); return true;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: {
        run_.progress.set_signals(run_.progress.signals() + 1);
        const std::string& request = e.workflow_execution_signaled_event_attributes().request_id();
        if (!request.empty()) run_.signal_requests.insert(request);
        return true;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: run_.progress.set_cancel_requested(true); return true;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: {
        const auto& a = e.workflow_execution_options_updated_event_attributes();
        apply_override(a, &run_.progress);
        if (!a.attached_request_id().empty()) run_.attached_requests.push_back(attached_by(e));
        return true;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED: {
        const auto& a = e.workflow_execution_paused_event_attributes();
        run_.progress.set_paused_ns(to_nanos(e.event_time()));
        run_.progress.set_paused_by(a.identity());
        run_.progress.set_pause_reason(a.reason());
        run_.progress.set_pause_request_id(a.request_id());
        return true;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED: clear_pause(&run_.progress); return true;
      case enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
        merge_fields(e.upsert_workflow_search_attributes_event_attributes().search_attributes().indexed_fields(),
                     run_.search_attributes.mutable_indexed_fields());
        return true;
      case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
        merge_fields(e.workflow_properties_modified_event_attributes().upserted_memo().fields(),
                     run_.memo.mutable_fields());
        return true;
      default: return false;
    }
  }

  void started(const HistoryEvent& e) {
    const auto& a = e.workflow_execution_started_event_attributes();
    run_.progress.set_status(enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
    const std::int64_t backoff = to_nanos(a.first_workflow_task_backoff());
    if (backoff > 0) run_.progress.set_backoff_until_ns(add_nanos(to_nanos(e.event_time()), backoff));
    if (a.has_memo()) run_.memo = a.memo();
    if (a.has_search_attributes()) run_.search_attributes = a.search_attributes();
    if (a.has_prev_auto_reset_points()) run_.reset_points = a.prev_auto_reset_points();
    if (a.has_retry_policy() || !a.cron_schedule().empty()) run_.started_event = e.SerializeAsString();
  }

  bool task_event(const HistoryEvent& e) {
    pb::WorkflowTask& task = run_.task;
    switch (e.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED: {
        const auto& a = e.workflow_task_scheduled_event_attributes();
        run_.progress.set_backoff_until_ns(0);
        task.Clear();
        task.set_state(pb::WorkflowTask::SCHEDULED);
        task.set_scheduled_event_id(e.event_id());
        task.set_attempt(1);  // its event is written: nothing about it is transient any more
        task.set_scheduled_ns(to_nanos(e.event_time()));
        task.set_original_scheduled_ns(task.scheduled_ns());
        task.set_start_to_close_ns(to_nanos(a.start_to_close_timeout()));
        return true;
      }
      case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
        task.set_state(pb::WorkflowTask::STARTED);
        task.set_started_event_id(e.event_id());
        task.set_started_ns(to_nanos(e.event_time()));
        return true;
      case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
        run_.progress.set_previous_started_event_id(e.workflow_task_completed_event_attributes().started_event_id());
        if (run_.progress.first_completed_event_id() == 0) {
          run_.progress.set_first_completed_event_id(e.event_id());
          run_.progress.set_first_completed_ns(now_);
        }
        task.Clear();
        return true;
      case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
      case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT: task.Clear(); return true;
      default: return false;
    }
  }

  bool timer_event(const HistoryEvent& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_TIMER_STARTED: {
        const auto& a = e.timer_started_event_attributes();
        pb::TimerState& timer = run_.timers[a.timer_id()];
        timer.set_timer_id(a.timer_id());
        timer.set_started_event_id(e.event_id());
        timer.set_fires_ns(add_nanos(to_nanos(e.event_time()), to_nanos(a.start_to_fire_timeout())));
        return true;
      }
      case enums::EVENT_TYPE_TIMER_FIRED: run_.timers.erase(e.timer_fired_event_attributes().timer_id()); return true;
      case enums::EVENT_TYPE_TIMER_CANCELED:
        run_.timers.erase(e.timer_canceled_event_attributes().timer_id());
        return true;
      default: return false;
    }
  }

  bool child_event(const HistoryEvent& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
        run_.children[e.event_id()] = initiated_child(e);
        return true;
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED: {
        const auto& a = e.child_workflow_execution_started_event_attributes();
        const auto it = run_.children.find(a.initiated_event_id());
        if (it == run_.children.end()) return true;
        it->second.set_run_id(a.workflow_execution().run_id());
        it->second.set_started_event_id(e.event_id());
        return true;
      }
      case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED:
        return gone(e.start_child_workflow_execution_failed_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
        return gone(e.child_workflow_execution_completed_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
        return gone(e.child_workflow_execution_failed_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
        return gone(e.child_workflow_execution_canceled_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
        return gone(e.child_workflow_execution_timed_out_event_attributes());
      case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
        return gone(e.child_workflow_execution_terminated_event_attributes());
      default: return false;
    }
  }
  template <class Attributes>
  bool gone(const Attributes& attributes) {
    run_.children.erase(attributes.initiated_event_id());
    return true;
  }

  bool update_event(const HistoryEvent& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: {
        const auto& a = e.workflow_execution_update_admitted_event_attributes();
        update(a.request().meta().update_id()).set_admitted_event_id(e.event_id());
        return true;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: {
        const auto& a = e.workflow_execution_update_accepted_event_attributes();
        update(a.protocol_instance_id()).set_accepted_event_id(e.event_id());
        return true;
      }
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED: {
        const auto& a = e.workflow_execution_update_completed_event_attributes();
        update(a.meta().update_id()).set_completed_event_id(e.event_id());
        return true;
      }
      default: return false;
    }
  }

  pb::UpdateState& update(const std::string& id) {
    pb::UpdateState& state = run_.updates[id];
    state.set_update_id(id);
    return state;
  }

  void activity_event(const HistoryEvent& e) {
    switch (e.event_type()) {
      case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: {
        const auto& a = e.activity_task_scheduled_event_attributes();
        Activity& activity = run_.activities[e.event_id()];
        activity.state.set_scheduled_event_id(e.event_id());
        activity.state.set_activity_id(a.activity_id());
        fill_activity(a, now_, &activity.state);
        activity.scheduled_event = e.SerializeAsString();
        run_.activity_ids[a.activity_id()] = e.event_id();
        return;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED: {
        const auto it = run_.activities.find(e.activity_task_cancel_requested_event_attributes().scheduled_event_id());
        if (it != run_.activities.end()) it->second.state.set_cancel_requested_event_id(e.event_id());
        return;
      }
      case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED: return ended(e.activity_task_completed_event_attributes());
      case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED: return ended(e.activity_task_failed_event_attributes());
      case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: return ended(e.activity_task_timed_out_event_attributes());
      case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED: return ended(e.activity_task_canceled_event_attributes());
      default: return;
    }
  }

  template <class Attributes>
  void ended(const Attributes& attributes) {
    const auto it = run_.activities.find(attributes.scheduled_event_id());
    if (it == run_.activities.end()) return;
    run_.activity_ids.erase(it->second.state.activity_id());
    run_.activities.erase(it);
  }

  std::int64_t now_;
  Run& run_;
};

}  // namespace

void rebuild(const std::vector<pb::Batch>& batches, std::int64_t now_ns, Run* run) {
  Walk walk(now_ns, *run);
  for (const auto& batch : batches) {
    History events;
    ENSURE(events.ParseFromString(batch.events()));
    for (const auto& event : events.events()) {
      walk.event(event);
      run->last_task_id = std::max(run->last_task_id, event.task_id());
    }
    run->history.push(batch);
  }
}

}  // namespace callimport::engine
