#include "engine/service/port_errors.h"

#include <utility>

#include "temporal/api/errordetails/v1/message.pb.h"

namespace callimport::engine::errors {
namespace {
namespace details = ::temporal::api::errordetails::v1;

template <class Detail>
PortStatus with(int code, std::string text, const Detail& detail) {
  return {code, std::move(text), std::string(Detail::descriptor()->full_name()), detail.SerializeAsString()};
}

PortStatus exhausted(temporal::api::enums::v1::ResourceExhaustedCause cause, std::string text) {
  details::ResourceExhaustedFailure detail;
  detail.set_cause(cause);
  detail.set_scope(temporal::api::enums::v1::RESOURCE_EXHAUSTED_SCOPE_NAMESPACE);
  return with(kResourceExhausted, std::move(text), detail);
}
}  // namespace

PortStatus plain(int code, std::string text) { return {code, std::move(text), "", ""}; }
PortStatus invalid(std::string text) { return plain(kInvalidArgument, std::move(text)); }
PortStatus not_found(std::string text) { return with(kNotFound, std::move(text), details::NotFoundFailure()); }
PortStatus unavailable(std::string text) { return plain(kUnavailable, std::move(text)); }

PortStatus namespace_not_found(const std::string& name) {
  details::NamespaceNotFoundFailure detail;
  detail.set_namespace_(name);
  return with(kNotFound, "Namespace " + name + " is not found.", detail);
}

PortStatus namespace_exists(const std::string& name) {
  return with(kAlreadyExists, "Namespace \"" + name + "\" already exists", details::NamespaceAlreadyExistsFailure());
}
PortStatus not_for_system_namespace(const std::string& verb) {
  return plain(kFailedPrecondition, "unable to " + verb + " system namespace");
}

PortStatus already_started(std::string text, const std::string& start_request_id, const std::string& run_id) {
  details::WorkflowExecutionAlreadyStartedFailure detail;
  detail.set_start_request_id(start_request_id);
  detail.set_run_id(run_id);
  return with(kAlreadyExists, std::move(text), detail);
}

PortStatus busy_workflow(std::string text) {
  return exhausted(temporal::api::enums::v1::RESOURCE_EXHAUSTED_CAUSE_BUSY_WORKFLOW, std::move(text));
}
PortStatus concurrent_limit(std::string text) {
  return exhausted(temporal::api::enums::v1::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT, std::move(text));
}
PortStatus closing() { return busy_workflow("workflow operation can not be applied because workflow is closing"); }
PortStatus aborted_by_closing() { return not_found("workflow update was aborted by closing workflow"); }
PortStatus permission_denied(std::string text) {
  return with(kPermissionDenied, std::move(text), details::PermissionDeniedFailure());
}

PortStatus not_ready(std::string text) {
  return with(kFailedPrecondition, std::move(text), details::WorkflowNotReadyFailure());
}

PortStatus query_failed(std::string text, const temporal::api::failure::v1::Failure* failure) {
  details::QueryFailedFailure detail;
  if (failure != nullptr) *detail.mutable_failure() = *failure;
  return with(kInvalidArgument, std::move(text), detail);
}

PortStatus execution_not_set() { return invalid("Execution is not set on request."); }
PortStatus workflow_not_found(const std::string& workflow_id) {
  return not_found("workflow not found for ID: " + workflow_id);
}
PortStatus run_not_found(const std::string& workflow_id, const std::string& run_id) {
  return not_found("workflow execution not found for workflow ID \"" + workflow_id + "\" and run ID \"" + run_id +
                   "\"");
}
PortStatus already_completed() { return not_found("workflow execution already completed"); }
PortStatus task_not_found() { return not_found("Workflow task not found."); }
PortStatus activity_not_found() {
  return not_found("invalid activityID or activity already timed out or invoking workflow is completed");
}

}  // namespace callimport::engine::errors
