#pragma once
// Imports as Temporal sees them: the calls of WorkflowService the verbs need, without its 5 MB header.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/cli/session.h"

namespace callimport::api {

struct WorkflowRow {
  std::string workflow_id, run_id, type, status;        ///< status: Running, Completed, ...
  std::int64_t start_ms = 0, close_ms = 0;              ///< close: 0 while open
  std::map<std::string, std::string> memo, attributes;  ///< JSON texts
};

struct StartOrder {
  std::string workflow_id, input, request_id;  ///< input: JSON text
  std::string task_queue;                      ///< of the library the calls are for
};
/// True when this call started it; false when the same request (or a closed import of that key) was there already.
tl::expected<bool, CliError> start_import_workflow(Session& session, const StartOrder& order);
/// `input`: JSON text, empty for none.
tl::expected<void, CliError> signal_workflow(Session& session, const std::string& workflow_id,
                                             const std::string& signal, const std::string& input);
tl::expected<void, CliError> cancel_workflow(Session& session, const std::string& workflow_id,
                                             const std::string& reason);
/// Nothing when there is no such workflow.
tl::expected<std::optional<WorkflowRow>, CliError> describe_workflow(Session& session, const std::string& workflow_id);
/// The workflow's own answer, JSON text. @error  also when no worker answers in time.
tl::expected<std::string, CliError> query_workflow(Session& session, const std::string& workflow_id,
                                                   const std::string& query, std::chrono::milliseconds timeout);
/// All pages, `limit` rows at most.
tl::expected<std::vector<WorkflowRow>, CliError> list_workflows(Session& session, const std::string& query, int limit);
/// The whole history, read page by page, as `temporal workflow show -o json` writes it (or binary).
tl::expected<std::string, CliError> export_history(Session& session, const std::string& workflow_id,
                                                   const std::string& run_id, bool binary);

}  // namespace callimport::api
