// ExecuteMultiOperation: update-with-start (conformance C.9).
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "temporal/api/errordetails/v1/message.pb.h"

namespace callimport::engine {
namespace {

using StartRequest = api::StartWorkflowExecutionRequest;
using UpdateCall = api::UpdateWorkflowExecutionRequest;

/// What the operation that is not at fault is told.
PortStatus aborted() {
  PortStatus out = errors::plain(errors::kAborted, "Operation was aborted.");
  out.detail_type = temporal::api::failure::v1::MultiOperationExecutionAborted::descriptor()->full_name();
  return out;
}

std::optional<PortStatus> check_start_operation(const StartRequest& start) {
  if (!start.cron_schedule().empty()) return errors::invalid("CronSchedule is not allowed.");
  if (start.request_eager_execution()) return errors::invalid("RequestEagerExecution is not supported.");
  if (to_nanos(start.workflow_start_delay()) > 0) return errors::invalid("WorkflowStartDelay is not supported.");
  return std::nullopt;
}

std::optional<PortStatus> check_update_operation(const UpdateCall& update, const StartRequest& start) {
  if (!update.workflow_execution().run_id().empty()) return errors::invalid("RunId is not allowed.");
  if (!update.first_execution_run_id().empty()) return errors::invalid("FirstExecutionRunId is not allowed.");
  if (update.workflow_execution().workflow_id() != start.workflow_id()) {
    return errors::invalid("WorkflowId is not consistent with previous operation(s).");
  }
  return check_update_request(update);
}

}  // namespace

struct Service::UpdateWithStart {
  Call<api::ExecuteMultiOperationResponse> call;
  StartRequest start;
  UpdateCall update;
  CallContext context;
  bool started = false;  ///< a run, by this operation
  bool retried = false;
};

void Service::ExecuteMultiOperation(const api::ExecuteMultiOperationRequest& request, CallContext context,
                                    Reply<api::ExecuteMultiOperationResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const auto& operations = request.operations();
  if (operations.size() != 2 || !operations[0].has_start_workflow() || !operations[1].has_update_workflow()) {
    return refuse(std::move(call), errors::invalid("Operations have to be exactly [Start, Update]."));
  }
  auto operation = std::make_shared<UpdateWithStart>();  // shared: by the callbacks that wait for the update
  operation->call = std::move(call);
  operation->start = operations[0].start_workflow();
  operation->update = operations[1].update_workflow();
  operation->context = context;
  operation->start.set_namespace_(request.namespace_());
  if (operation->start.request_id().empty()) operation->start.set_request_id(new_uuid());
  auto wrong_start = check_start_operation(operation->start);
  if (!wrong_start) wrong_start = check_start_request(operation->start);
  if (wrong_start) return refuse_multi(*operation, *wrong_start, aborted());
  if (auto wrong = check_update_operation(operation->update, operation->start)) {
    return refuse_multi(*operation, aborted(), *wrong);
  }
  auto* meta = operation->update.mutable_request()->mutable_meta();
  if (meta->update_id().empty()) meta->set_update_id(new_uuid());
  update_with_start(std::move(operation));
}

/// An update that is known, or a run that may be used, is taken as it is; else a run is started, and its first task
/// brings the update.
void Service::update_with_start(std::shared_ptr<UpdateWithStart> operation) {
  const StartRequest& start = operation->start;
  const UpdateRequest& asked = operation->update.request();
  Found found = find_current(start.namespace_(), start.workflow_id());
  bool use = false;
  if (found) {
    const pb::RunSummary current = summary_of(found);
    use = knows_update(found, asked.meta().update_id());
    if (found.open != nullptr) {
      use = use || current.facts().start_request_id() == start.request_id() ||
            start.workflow_id_conflict_policy() == enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING;
    }
  }
  api::ExecuteMultiOperationResponse out;
  auto& start_reply = *out.add_responses()->mutable_start_workflow();
  if (use) {
    const pb::RunSummary current = summary_of(found);
    start_reply = started_reply(start.namespace_(), start.workflow_id(), current.facts().run_id(), false,
                                current.progress().status());
    if (found.open == nullptr) start_reply.clear_link();
    if (auto wrong = admit(found, asked)) return refuse_multi(*operation, aborted(), *wrong);
  } else {
    StartAnswer started = start_workflow(start, &asked);
    if (!started.status.ok()) return refuse_multi(*operation, started.status, aborted());
    operation->started = true;
    start_reply = std::move(started.reply);
    PortStatus error;
    found = find_run(start.namespace_(), start.workflow_id(), start_reply.run_id(), &error);
    if (!found) return refuse_multi(*operation, PortStatus(), error);
  }
  const std::string& id = asked.meta().update_id();
  *out.add_responses()->mutable_update_workflow() = update_reply(found, id);
  UpdateWait wait;
  wait.number = operation->call.number;
  wait.update_id = id;
  const auto wanted = operation->update.wait_policy().lifecycle_stage();
  if (wanted != enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED) wait.wanted = wanted;
  wait.done = [this, operation, out](UpdateReached reached) mutable {
    if (!reached.error.ok()) return update_with_start_failed(operation, std::move(reached.error));
    auto& update = *out.mutable_responses(1)->mutable_update_workflow();
    update.set_stage(reached.stage);
    if (reached.outcome) *update.mutable_outcome() = std::move(*reached.outcome);
    answer(std::move(operation->call), std::move(out));
  };
  wait_for_update(found, std::move(wait), operation->context);
}

/// A run that was there closed before its worker saw the update: once more, with a run of our own maybe. When that
/// happens again the client is to try.
void Service::update_with_start_failed(std::shared_ptr<UpdateWithStart> operation, PortStatus error) {
  const bool by_closing = error.code == errors::kNotFound && error.message == errors::aborted_by_closing().message;
  if (operation->started || !by_closing) {
    return refuse_multi(*operation, operation->started ? PortStatus() : aborted(), std::move(error));
  }
  if (operation->retried) {
    return refuse_multi(*operation, aborted(), errors::plain(errors::kAborted, error.message));
  }
  operation->retried = true;
  after_flush([this, operation] {
    if (auto wrong = gate(operation->start.namespace_())) return refuse(std::move(operation->call), std::move(*wrong));
    update_with_start(operation);
  });
}

/// One status an operation; the answer has the code of the one at fault.
void Service::refuse_multi(UpdateWithStart& operation, PortStatus start, PortStatus update) {
  temporal::api::errordetails::v1::MultiOperationExecutionFailure detail;
  const auto add = [&detail](const PortStatus& status) {
    auto* out = detail.add_statuses();
    out->set_code(status.code);
    out->set_message(status.message);
    if (status.detail_type.empty()) return;
    auto* any = out->add_details();
    any->set_type_url("type.googleapis.com/" + status.detail_type);
    any->set_value(status.detail_bytes);
  };
  add(start);
  add(update);
  const bool start_at_fault = !start.ok() && start.message != aborted().message;
  PortStatus out = errors::plain(start_at_fault ? start.code : update.code, "Update-with-Start could not be executed.");
  out.detail_type = temporal::api::errordetails::v1::MultiOperationExecutionFailure::descriptor()->full_name();
  out.detail_bytes = detail.SerializeAsString();
  refuse(std::move(operation.call), std::move(out));
}

}  // namespace callimport::engine
