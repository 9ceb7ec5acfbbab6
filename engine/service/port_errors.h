#pragma once
// Answers of the port that are no success: codes, texts and typed details of conformance C.17.
#include <string>
#include <string_view>

#include "engine/workflow_service.h"

namespace temporal::api::failure::v1 {
class Failure;
}

namespace callimport::engine::errors {

// grpc::StatusCode's numbers.
inline constexpr int kUnknown = 2, kInvalidArgument = 3, kDeadlineExceeded = 4, kNotFound = 5, kAlreadyExists = 6,
                     kPermissionDenied = 7, kResourceExhausted = 8, kFailedPrecondition = 9, kAborted = 10,
                     kUnimplemented = 12, kUnavailable = 14;

PortStatus plain(int code, std::string text);
PortStatus invalid(std::string text);
PortStatus not_found(std::string text);  ///< with NotFoundFailure
PortStatus namespace_not_found(const std::string& name);
PortStatus namespace_exists(const std::string& name);
PortStatus not_for_system_namespace(const std::string& verb);
PortStatus already_started(std::string text, const std::string& start_request_id, const std::string& run_id);
PortStatus busy_workflow(std::string text);      ///< RESOURCE_EXHAUSTED, cause BUSY_WORKFLOW, scope NAMESPACE
PortStatus concurrent_limit(std::string text);   ///< the same, cause CONCURRENT_LIMIT
PortStatus permission_denied(std::string text);  ///< with PermissionDeniedFailure
PortStatus closing();                            ///< busy_workflow: the run is about to close, or went on in a new one
PortStatus aborted_by_closing();                 ///< an update that no worker had accepted when its run closed
PortStatus not_ready(std::string text);          ///< FAILED_PRECONDITION with WorkflowNotReadyFailure
PortStatus query_failed(std::string text, const temporal::api::failure::v1::Failure* failure);
PortStatus unavailable(std::string text);

PortStatus execution_not_set();
PortStatus workflow_not_found(const std::string& workflow_id);
PortStatus run_not_found(const std::string& workflow_id, const std::string& run_id);
PortStatus already_completed();
PortStatus task_not_found();      ///< a workflow task's token that no longer holds (C12)
PortStatus activity_not_found();  ///< an activity's (C29)

}  // namespace callimport::engine::errors
