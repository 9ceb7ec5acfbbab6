#include <algorithm>
#include <utility>

#include "engine/worker/payloads.h"
#include "engine/worker/run.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

Result<> Run::read(const HistoryEvent& event) {
  if (is_command_event(event)) {
    last_command_event_ = event.event_id();
    return match(event);
  }
  patch_upsert_due_ = false;
  if (const auto child = child_news(event)) return move_child(event, *child);
  if (const auto external = external_news(event)) return move_external(event, *external);
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: return read_started(event);
    case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED: return read_task_completed(event);
    case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED: {
      const auto& failed = event.workflow_task_failed_event_attributes();
      if (failed.cause() == enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW) seed(failed.new_run_id());  // B10
      return {};
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: signals_.push_back(&event); return {};
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED: inputs_.push_back(&event); return {};
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED: {
      const auto& request = event.workflow_execution_update_admitted_event_attributes().request();
      admitted_[request.meta().update_id()] = request;
      return {};
    }
    case enums::EVENT_TYPE_TIMER_FIRED: inputs_.push_back(&event); return fire(event);
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED: return move(event, ActivityEvent::ActivityTaskStarted);
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      inputs_.push_back(&event);
      return move(event, ActivityEvent::ActivityTaskCompleted);
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      inputs_.push_back(&event);
      return move(event, ActivityEvent::ActivityTaskFailed);
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      inputs_.push_back(&event);
      return move(event, ActivityEvent::ActivityTaskTimedOut);
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      inputs_.push_back(&event);
      return move(event, ActivityEvent::ActivityTaskCanceled);
    default: break;
  }
  const bool known =
      enums::EventType_IsValid(event.event_type()) && event.event_type() != enums::EVENT_TYPE_UNSPECIFIED;
  if (known || event.worker_may_ignore()) return {};
  return fail(Code::kCorrupt, "event " + std::to_string(event.event_id()) +
                                  " is of a type this worker does not know (" + std::to_string(event.event_type()) +
                                  ")");
}

Result<> Run::read_started(const HistoryEvent& event) {
  if (started_) {
    return fail(Code::kCorrupt, "event " + std::to_string(event.event_id()) + ": a second WorkflowExecutionStarted");
  }
  started_ = event.workflow_execution_started_event_attributes();
  input_ = json_of(started_->input());
  started_->clear_input();
  info_.type = started_->workflow_type().name();
  info_.task_queue = started_->task_queue().name();
  info_.first_run_id = started_->first_execution_run_id();
  info_.attempt = std::max(1, started_->attempt());
  if (info_.workflow_id.empty()) info_.workflow_id = started_->workflow_id();
  if (info_.run_id.empty()) info_.run_id = started_->original_execution_run_id();
  const auto& original = started_->original_execution_run_id();
  seed(original.empty() ? info_.run_id : original);
  return {};
}

Result<> Run::read_task_completed(const HistoryEvent& event) {
  completed_read_ = true;
  last_command_event_ = event.event_id();
  const auto& metadata = event.workflow_task_completed_event_attributes().sdk_metadata();
  if (!metadata.sdk_name().empty()) sdk_name_ = metadata.sdk_name();
  if (sdk_name_ != kSdkName) return {};
  metadata_written_ = true;
  for (const std::uint32_t flag : metadata.lang_used_flags()) {
    if (flag == 0 || flag > kFlagsMax) {
      return fail(Code::kCorrupt, "event " + std::to_string(event.event_id()) + " needs behaviour number " +
                                      std::to_string(flag) + ", this worker knows up to " + std::to_string(kFlagsMax) +
                                      ": it was written by a newer version");
    }
  }
  return {};
}

void Run::drop_cancelled() {
  while (!commands_.empty() && commands_.front().dropped) commands_.pop_front();
}

Result<> Run::match(const HistoryEvent& event) {
  drop_cancelled();
  if (is_marker(event, kPatchMarker)) return match_patch(event);
  if (std::exchange(patch_upsert_due_, false) && upserts_change_version(event)) return {};
  if (commands_.empty()) return differ(event.event_id(), describe(event), "no command");
  if (!matches(commands_.front(), event)) {
    return differ(event.event_id(), describe(event), describe(commands_.front()));
  }
  TRY_VOID(confirm(commands_.front(), event));
  commands_.pop_front();
  return {};
}

/// The truth table of B17, the replaying half.
Result<> Run::match_patch(const HistoryEvent& event) {
  patch_upsert_due_ = true;
  const bool called = !commands_.empty() && commands_.front().kind == CommandKind::RecordPatch;
  if (called && matches(commands_.front(), event)) {
    commands_.pop_front();
    return {};
  }
  if (patch_mark(event).deprecated) return {};  // its call may be gone from the code
  return differ(event.event_id(), describe(event), commands_.empty() ? "no command" : describe(commands_.front()));
}

/// The event confirms the command: its machine moves on, and into the tables.
Result<> Run::confirm(PendingCommand& command, const HistoryEvent& event) {
  switch (command.kind) {
    case CommandKind::ScheduleActivityTask: {
      auto& machine = *command.activity;
      TRY(machine.state, advance(machine.state, ActivityEvent::ActivityTaskScheduled));
      machine.scheduled_event_id = event.event_id();
      machine.command = nullptr;
      activities_[event.event_id()] = std::move(command.activity);
      return {};
    }
    case CommandKind::RequestCancelActivityTask: {
      auto& machine = *command.cancelled_activity;
      TRY(machine.state, advance(machine.state, ActivityEvent::ActivityTaskCancelRequested));
      return {};
    }
    case CommandKind::StartTimer: {
      auto& machine = *command.timer;
      TRY(machine.state, advance(machine.state, TimerEvent::TimerStarted));
      machine.started_event_id = event.event_id();
      machine.command = nullptr;
      timers_[event.event_id()] = std::move(command.timer);
      return {};
    }
    case CommandKind::CancelTimer: {
      auto& machine = *command.cancelled_timer;
      TRY(machine.state, advance(machine.state, TimerEvent::TimerCanceled));
      timers_.erase(machine.started_event_id);
      return {};
    }
    case CommandKind::StartChild: {
      auto& machine = *command.child;
      TRY(machine.state, advance(machine.state, ChildEvent::StartChildWorkflowExecutionInitiated));
      machine.command = nullptr;
      children_[event.event_id()] = std::move(command.child);
      return {};
    }
    case CommandKind::SignalExternal:
    case CommandKind::RequestCancelExternal: {
      auto& machine = *command.external;
      TRY(machine.state, advance(machine.state, ExternalEvent::Initiated));
      machine.command = nullptr;
      externals_[event.event_id()] = std::move(command.external);
      return {};
    }
    case CommandKind::RecordLocalActivity: {
      TRY(command.local->state, advance(command.local->state, LocalEvent::MarkerRecorded));
      return {};
    }
    default: return {};
  }
}

void Run::deliver_signal(const HistoryEvent& event) {
  const auto& signal = event.workflow_execution_signaled_event_attributes();
  std::string input = json_of(signal.input());
  const auto handler = signal_handlers_.find(signal.signal_name());
  if (handler != signal_handlers_.end()) {
    const auto held = handler->second;  // a handler may replace itself
    held(std::move(input));
  } else {
    signals_kept_[signal.signal_name()].push_back(std::move(input));
  }
}

namespace {

std::int64_t scheduled_event_id(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_STARTED:
      return event.activity_task_started_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return event.activity_task_completed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return event.activity_task_failed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return event.activity_task_timed_out_event_attributes().scheduled_event_id();
    default: return event.activity_task_canceled_event_attributes().scheduled_event_id();
  }
}

Outcome<std::string> outcome_of(const HistoryEvent& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return json_of(event.activity_task_completed_event_attributes().result());
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return tl::unexpected(failure_of(event.activity_task_failed_event_attributes().failure()));
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return tl::unexpected(failure_of(event.activity_task_timed_out_event_attributes().failure()));
    default: break;
  }
  Failure cancelled;
  cancelled.kind = Failure::Kind::kCancelled;
  cancelled.message = "activity cancelled";
  cancelled.details = json_of(event.activity_task_canceled_event_attributes().details());
  return tl::unexpected(std::move(cancelled));
}

}  // namespace

Result<> Run::move(const HistoryEvent& event, ActivityEvent what) {
  const std::int64_t scheduled = scheduled_event_id(event);
  const auto found = activities_.find(scheduled);
  if (found == activities_.end()) {
    return differ(event.event_id(), describe(event) + " of event " + std::to_string(scheduled),
                  "no open activity of that event");
  }
  auto next = advance(found->second->state, what);
  if (!next) return differ(event.event_id(), describe(event), "an activity where " + next.error().message);
  found->second->state = *next;
  return {};
}

Result<> Run::fire(const HistoryEvent& event) {
  const auto found = timers_.find(event.timer_fired_event_attributes().started_event_id());
  if (found == timers_.end()) return differ(event.event_id(), describe(event), "no running timer of that id");
  auto next = advance(found->second->state, TimerEvent::TimerFired);
  if (!next) return differ(event.event_id(), describe(event), "a timer where " + next.error().message);
  found->second->state = *next;
  return {};
}

void Run::resolve(const HistoryEvent& event) {
  if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED) {
    cancel_requested_ = true;
  } else if (event.event_type() == enums::EVENT_TYPE_TIMER_FIRED) {
    auto timer = timers_.extract(event.timer_fired_event_attributes().started_event_id());
    if (timer.mapped()->future) timer.mapped()->future->set(Outcome<>{});
    if (auto limited = timer.mapped()->time_limit_of.lock()) limited->set(false);
    const auto waiting = locals_.find(timer.mapped()->local_activity);
    if (waiting != locals_.end()) waiting->second->wait = nullptr;
  } else if (const auto child = child_news(event)) {
    resolve_child(event, *child);
  } else if (const auto external = external_news(event)) {
    resolve_external(event, *external);
  } else {
    auto activity = activities_.extract(scheduled_event_id(event));
    activity.mapped()->future->set(outcome_of(event));  // no-op when the code gave it up before
  }
}

}  // namespace callimport::engine::worker
