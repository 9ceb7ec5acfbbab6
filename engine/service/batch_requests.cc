#include "engine/service/internal/batch_requests.h"

#include <algorithm>

#include "engine/service/list_filter.h"
#include "engine/service/port_errors.h"
#include "engine/service/utf8_text.h"
#include "storage/model/ensure.h"
#include "temporal/api/enums/v1/event_type.pb.h"
#include "temporal/api/enums/v1/reset.pb.h"
#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine {
namespace {

constexpr std::size_t kIdBytesMax = 1000;
constexpr const char* kTypeOrAll = "Either activity type must be set, or match all should be set to true";

/// A type or all, of those operations that mean activities.
template <class Operation>
bool names_activities(const Operation& operation) {
  return operation.has_type() ? !operation.type().empty() : operation.match_all();
}

std::optional<std::string> reset_error(const temporal::api::batch::v1::BatchOperationReset& reset) {
  if (reset.has_options()) {
    if (reset.options().target_case() == temporal::api::common::v1::ResetOptions::TARGET_NOT_SET) {
      return "batch reset missing target";
    }
    return std::nullopt;
  }
  if (reset.reset_type() == enums::RESET_TYPE_UNSPECIFIED) return "unknown batch reset type Unspecified";
  if (!enums::ResetType_IsValid(reset.reset_type())) {
    return "unknown batch reset type " + std::to_string(reset.reset_type());
  }
  return std::nullopt;
}

std::optional<std::string> activities_error(const BatchRequest& request) {
  if (request.has_unpause_activities_operation()) {
    const auto& unpause = request.unpause_activities_operation();
    if (unpause.activity_case() == unpause.ACTIVITY_NOT_SET) return "activity filter must be set";
    return names_activities(unpause) ? std::nullopt : std::optional<std::string>(kTypeOrAll);
  }
  if (request.has_reset_activities_operation()) {
    const auto& reset = request.reset_activities_operation();
    if (reset.activity_case() == reset.ACTIVITY_NOT_SET) return "must provide ActivityType or MatchAll";
    return names_activities(reset) ? std::nullopt : std::optional<std::string>(kTypeOrAll);
  }
  const auto& update = request.update_activity_options_operation();
  if (update.has_activity_options() && update.restore_original()) {
    return "cannot set both activity options and restore original";
  }
  if (!update.has_activity_options() && !update.restore_original()) {
    return "Either activity type must be set, or restore original should be set to true";
  }
  return names_activities(update) ? std::nullopt : std::optional<std::string>(kTypeOrAll);
}

std::optional<std::string> operation_error(const BatchRequest& request) {
  switch (request.operation_case()) {
    case BatchRequest::kTerminationOperation:
    case BatchRequest::kCancellationOperation:
    case BatchRequest::kDeletionOperation: return std::nullopt;
    case BatchRequest::kSignalOperation:
      if (request.signal_operation().signal().empty()) return "must provide signal name";
      return std::nullopt;
    case BatchRequest::kUpdateWorkflowOptionsOperation:
      if (!request.update_workflow_options_operation().has_workflow_execution_options()) {
        return "must provide UpdateOptions";
      }
      if (!request.update_workflow_options_operation().has_update_mask()) return "must provide UpdateMask";
      return std::nullopt;
    case BatchRequest::kResetOperation: return reset_error(request.reset_operation());
    default: return activities_error(request);
  }
}

/// Who asked, wherever the operation says it.
template <class Visitor>
auto visit_operation(const BatchRequest& request, Visitor visit) {
  switch (request.operation_case()) {
    case BatchRequest::kTerminationOperation: return visit(request.termination_operation());
    case BatchRequest::kCancellationOperation: return visit(request.cancellation_operation());
    case BatchRequest::kSignalOperation: return visit(request.signal_operation());
    case BatchRequest::kDeletionOperation: return visit(request.deletion_operation());
    case BatchRequest::kResetOperation: return visit(request.reset_operation());
    case BatchRequest::kUpdateWorkflowOptionsOperation: return visit(request.update_workflow_options_operation());
    case BatchRequest::kUnpauseActivitiesOperation: return visit(request.unpause_activities_operation());
    case BatchRequest::kResetActivitiesOperation: return visit(request.reset_activities_operation());
    default: return visit(request.update_activity_options_operation());
  }
}

template <class Call>
Call call_for(const BatchRequest& batch) {
  Call call;
  call.set_namespace_(batch.namespace_());
  call.set_identity(batch_identity(batch));
  return call;
}

std::optional<std::int64_t> first_task(const HistoryBatches& history) {
  std::optional<std::int64_t> scheduled;
  for (const auto& batch : history.batches()) {
    History events;
    ENSURE(events.ParseFromString(batch.events()));
    for (const auto& event : events.events()) {
      if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) return event.event_id();
      if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED && !scheduled) {
        scheduled = event.event_id() + 1;
      }
    }
  }
  return scheduled;
}

std::optional<std::int64_t> last_task(const HistoryBatches& history) {
  std::optional<std::int64_t> scheduled;
  for (auto batch = history.batches().rbegin(); batch != history.batches().rend(); ++batch) {
    History events;
    ENSURE(events.ParseFromString(batch->events()));
    for (int i = events.events_size() - 1; i >= 0; --i) {
      const HistoryEvent& event = events.events(i);
      if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) return event.event_id();
      if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) scheduled = event.event_id() + 1;
    }
  }
  return scheduled;
}

}  // namespace

std::optional<PortStatus> check_batch(const BatchRequest& request) {
  const enums::BatchOperationType type = batch_type(request);
  const bool nothing_meant = request.visibility_query().empty() && request.executions_size() == 0;
  if (request.reason().empty() || nothing_meant || type == enums::BATCH_OPERATION_TYPE_UNSPECIFIED) {
    return errors::invalid("must provide required parameters: BatchType/Reason/Namespace/Query/Executions");
  }
  if (request.job_id().empty()) return errors::invalid("JobId is not set on request.");
  if (request.job_id().size() > kIdBytesMax) return errors::invalid("JobId length exceeds limit.");
  if (!is_utf8(request.job_id())) return errors::invalid("JobId must be UTF-8.");
  if (!is_utf8(request.reason())) return errors::invalid("Reason must be UTF-8.");
  if (!request.visibility_query().empty() && request.executions_size() > 0) {
    return errors::invalid("batch query and executions are mutually exclusive");
  }
  if (request.executions_size() > kBatchExecutionsMax) {
    return errors::invalid("the number of executions exceeds the limit of " + std::to_string(kBatchExecutionsMax));
  }
  if (auto wrong = operation_error(request)) return errors::invalid(*wrong);
  return std::nullopt;
}

enums::BatchOperationType batch_type(const BatchRequest& request) {
  switch (request.operation_case()) {
    case BatchRequest::kTerminationOperation: return enums::BATCH_OPERATION_TYPE_TERMINATE;
    case BatchRequest::kCancellationOperation: return enums::BATCH_OPERATION_TYPE_CANCEL;
    case BatchRequest::kSignalOperation: return enums::BATCH_OPERATION_TYPE_SIGNAL;
    case BatchRequest::kDeletionOperation: return enums::BATCH_OPERATION_TYPE_DELETE;
    case BatchRequest::kResetOperation: return enums::BATCH_OPERATION_TYPE_RESET;
    case BatchRequest::kUpdateWorkflowOptionsOperation: return enums::BATCH_OPERATION_TYPE_UPDATE_EXECUTION_OPTIONS;
    case BatchRequest::kUnpauseActivitiesOperation: return enums::BATCH_OPERATION_TYPE_UNPAUSE_ACTIVITY;
    case BatchRequest::kResetActivitiesOperation: return enums::BATCH_OPERATION_TYPE_RESET_ACTIVITY;
    case BatchRequest::kUpdateActivityOptionsOperation: return enums::BATCH_OPERATION_TYPE_UPDATE_ACTIVITY_OPTIONS;
    default: return enums::BATCH_OPERATION_TYPE_UNSPECIFIED;  // of activities without a workflow: not in 1.29.1
  }
}

std::string batch_identity(const BatchRequest& request) {
  return visit_operation(request, [](const auto& operation) { return operation.identity(); });
}

std::string batch_query(const BatchRequest& request) {
  std::string query = "(" + request.visibility_query() + ")";
  if (!request.has_deletion_operation() && !request.has_reset_operation()) query += " AND ExecutionStatus = 'Running'";
  if (!request.has_unpause_activities_operation()) return query;
  const auto& unpause = request.unpause_activities_operation();
  if (!unpause.has_type()) return query + " AND TemporalPauseInfo IS NOT NULL";
  return query + " AND TemporalPauseInfo = " + quoted_for_query("property:activityType=" + unpause.type());
}

double batch_rate(const BatchRequest& request) {
  const double asked = request.max_operations_per_second();
  return asked > 0 ? std::min(asked, kBatchRateMax) : kBatchRateMax;
}

api::TerminateWorkflowExecutionRequest terminate_call(const BatchRequest& batch, const BatchTarget& target) {
  auto call = call_for<api::TerminateWorkflowExecutionRequest>(batch);
  *call.mutable_workflow_execution() = target;
  call.set_reason(batch.reason());
  if (batch.termination_operation().has_details()) *call.mutable_details() = batch.termination_operation().details();
  return call;
}

api::RequestCancelWorkflowExecutionRequest cancel_call(const BatchRequest& batch, const BatchTarget& target,
                                                       const std::string& request_id) {
  auto call = call_for<api::RequestCancelWorkflowExecutionRequest>(batch);
  *call.mutable_workflow_execution() = target;
  call.set_request_id(request_id);
  return call;
}

api::SignalWorkflowExecutionRequest signal_call(const BatchRequest& batch, const BatchTarget& target,
                                                const std::string& request_id) {
  const auto& signal = batch.signal_operation();
  auto call = call_for<api::SignalWorkflowExecutionRequest>(batch);
  *call.mutable_workflow_execution() = target;
  call.set_request_id(request_id);
  call.set_signal_name(signal.signal());
  if (signal.has_input()) *call.mutable_input() = signal.input();
  if (signal.has_header()) *call.mutable_header() = signal.header();
  return call;
}

api::DeleteWorkflowExecutionRequest delete_call(const BatchRequest& batch, const BatchTarget& target) {
  api::DeleteWorkflowExecutionRequest call;
  call.set_namespace_(batch.namespace_());
  *call.mutable_workflow_execution() = target;
  return call;
}

api::UpdateWorkflowExecutionOptionsRequest update_options_call(const BatchRequest& batch, const BatchTarget& target) {
  const auto& update = batch.update_workflow_options_operation();
  auto call = call_for<api::UpdateWorkflowExecutionOptionsRequest>(batch);
  *call.mutable_workflow_execution() = target;
  *call.mutable_workflow_execution_options() = update.workflow_execution_options();
  *call.mutable_update_mask() = update.update_mask();
  return call;
}

api::UnpauseActivityRequest unpause_activities_call(const BatchRequest& batch, const BatchTarget& target) {
  const auto& unpause = batch.unpause_activities_operation();
  auto call = call_for<api::UnpauseActivityRequest>(batch);
  *call.mutable_execution() = target;
  if (unpause.has_type()) {
    call.set_type(unpause.type());
  } else {
    call.set_unpause_all(true);
  }
  call.set_reset_attempts(unpause.reset_attempts());
  call.set_reset_heartbeat(unpause.reset_heartbeat());
  if (unpause.has_jitter()) *call.mutable_jitter() = unpause.jitter();
  return call;
}

api::ResetActivityRequest reset_activities_call(const BatchRequest& batch, const BatchTarget& target) {
  const auto& reset = batch.reset_activities_operation();
  auto call = call_for<api::ResetActivityRequest>(batch);
  *call.mutable_execution() = target;
  if (reset.has_type()) {
    call.set_type(reset.type());
  } else {
    call.set_match_all(true);
  }
  call.set_reset_heartbeat(reset.reset_heartbeat());
  call.set_keep_paused(reset.keep_paused());
  if (reset.has_jitter()) *call.mutable_jitter() = reset.jitter();
  call.set_restore_original_options(reset.restore_original_options());
  return call;
}

api::UpdateActivityOptionsRequest update_activities_call(const BatchRequest& batch, const BatchTarget& target) {
  const auto& update = batch.update_activity_options_operation();
  auto call = call_for<api::UpdateActivityOptionsRequest>(batch);
  *call.mutable_execution() = target;
  if (update.has_type()) {
    call.set_type(update.type());
  } else {
    call.set_match_all(true);
  }
  if (update.has_activity_options()) *call.mutable_activity_options() = update.activity_options();
  if (!update.restore_original() && update.has_update_mask()) *call.mutable_update_mask() = update.update_mask();
  call.set_restore_original(update.restore_original());
  return call;
}

api::ResetWorkflowExecutionRequest reset_call(const BatchRequest& batch, const BatchTarget& target,
                                              const std::string& request_id, std::int64_t finish_event_id) {
  const auto& reset = batch.reset_operation();
  auto call = call_for<api::ResetWorkflowExecutionRequest>(batch);
  *call.mutable_workflow_execution() = target;
  call.set_reason(batch.reason());
  call.set_request_id(request_id);
  call.set_workflow_task_finish_event_id(finish_event_id);
  if (reset.has_options()) {
    call.set_reset_reapply_type(reset.options().reset_reapply_type());
    *call.mutable_reset_reapply_exclude_types() = reset.options().reset_reapply_exclude_types();
  } else {
    call.set_reset_reapply_type(reset.reset_reapply_type());
  }
  *call.mutable_post_reset_operations() = reset.post_reset_operations();
  return call;
}

std::optional<std::int64_t> batch_reset_point(const BatchRequest& batch, const std::string& run_id,
                                              const HistoryBatches& history,
                                              const temporal::api::workflow::v1::ResetPoints& points) {
  const auto& reset = batch.reset_operation();
  if (!reset.has_options()) {
    return reset.reset_type() == enums::RESET_TYPE_FIRST_WORKFLOW_TASK ? first_task(history) : last_task(history);
  }
  const auto& options = reset.options();
  if (options.has_first_workflow_task()) return first_task(history);
  if (options.has_last_workflow_task()) return last_task(history);
  if (options.target_case() == options.kWorkflowTaskId) return options.workflow_task_id();
  for (const auto& point : points.points()) {
    const bool same = point.build_id() == options.build_id() || point.binary_checksum() == options.build_id();
    if (same && point.resettable() && point.run_id() == run_id) return point.first_workflow_task_completed_id();
  }
  return std::nullopt;
}

}  // namespace callimport::engine
