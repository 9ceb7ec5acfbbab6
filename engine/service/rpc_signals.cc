// Signal, cancel and terminate (conformance C.6).
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/utf8_text.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {

constexpr std::size_t kIdBytesMax = 1000;

}  // namespace

std::optional<PortStatus> Service::check_signal_limit(const OpenRun& run) const {
  if (run.progress.signals() < options_.signals_max) return std::nullopt;
  return errors::invalid("exceeded workflow execution limit for signal events");
}

void Service::SignalWorkflowExecution(const api::SignalWorkflowExecutionRequest& request, CallContext context,
                                      Reply<api::SignalWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_workflow_execution()) return refuse(std::move(call), errors::execution_not_set());
  if (request.signal_name().empty())
    return refuse(std::move(call), errors::invalid("SignalName is not set on request."));
  if (!is_utf8(request.signal_name())) return refuse(std::move(call), errors::invalid("SignalName must be UTF-8."));
  if (request.signal_name().size() > kIdBytesMax) {
    return refuse(std::move(call), errors::invalid("SignalName length exceeds limit."));
  }
  if (request.request_id().size() > kIdBytesMax) {
    return refuse(std::move(call), errors::invalid("RequestId length exceeds limit."));
  }
  if (request.input().ByteSizeLong() > options_.blob_bytes_max) {
    return refuse(std::move(call), errors::invalid("Blob data size exceeds limit."));
  }
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.workflow_execution(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open == nullptr) return refuse(std::move(call), errors::already_completed());
  OpenRun& run = *found.open;
  if (run.signal_requests.contains(request.request_id())) {
    return answer(std::move(call), api::SignalWorkflowExecutionResponse());
  }
  if (run.progress.close_attempted() && run.task.state() == pb::WorkflowTask::STARTED) {  // C13
    return refuse(std::move(call), errors::closing());
  }
  if (auto wrong = check_signal_limit(run)) return refuse(std::move(call), std::move(*wrong));
  Draft draft(run, clock_.now());
  signal_run(draft, {.name = request.signal_name(),
                     .identity = request.identity(),
                     .request_id = request.request_id(),
                     .input = request.has_input() ? &request.input() : nullptr,
                     .header = request.has_header() ? &request.header() : nullptr});
  if (!draft.buffering()) schedule_task_if_idle(draft);
  if (auto wrong = grow(run, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
  answer(std::move(call), api::SignalWorkflowExecutionResponse());
}

/// first_execution_run_id names a chain: the current run must be of it, and a run_id is ignored then.
Service::Found Service::find_of_chain(const std::string& name_space,
                                      const temporal::api::common::v1::WorkflowExecution& execution,
                                      const std::string& first_run_id, PortStatus* error) {
  const std::string run_id = first_run_id.empty() ? execution.run_id() : "";
  const Found found = find_run(name_space, execution.workflow_id(), run_id, error);
  if (!found || first_run_id.empty()) return found;
  if (facts_of(found).first_run_id() == first_run_id) return found;
  *error = errors::not_found("workflow execution not found");
  return {};
}

void Service::RequestCancelWorkflowExecution(const api::RequestCancelWorkflowExecutionRequest& request,
                                             CallContext context,
                                             Reply<api::RequestCancelWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_workflow_execution()) return refuse(std::move(call), errors::execution_not_set());
  PortStatus error;
  const Found found =
      find_of_chain(request.namespace_(), request.workflow_execution(), request.first_execution_run_id(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open != nullptr) {
    Draft draft(*found.open, clock_.now());
    (void)request_cancel_run(
        draft, {.cause = request.reason(), .identity = request.identity(), .request_id = request.request_id()});
    if (auto wrong = grow(*found.open, std::move(draft))) return refuse(std::move(call), std::move(*wrong));
  }
  answer(std::move(call), api::RequestCancelWorkflowExecutionResponse());
}

void Service::TerminateWorkflowExecution(const api::TerminateWorkflowExecutionRequest& request, CallContext context,
                                         Reply<api::TerminateWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_workflow_execution()) return refuse(std::move(call), errors::execution_not_set());
  PortStatus error;
  const Found found =
      find_of_chain(request.namespace_(), request.workflow_execution(), request.first_execution_run_id(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open == nullptr) return refuse(std::move(call), errors::already_completed());
  Draft draft(*found.open, clock_.now());
  terminate_run(draft, request.reason(), request.has_details() ? &request.details() : nullptr, request.identity());
  commit(*found.open, std::move(draft));
  answer(std::move(call), api::TerminateWorkflowExecutionResponse());
}

}  // namespace callimport::engine
