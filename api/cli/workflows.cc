#include "api/cli/workflows.h"

#include <fmt/format.h>
#include <temporal/api/history/v1/message.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <unistd.h>

#include "api/grpc/router.h"
#include "engine/history/history_file.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

namespace service = ::temporal::api::workflowservice::v1;
using ::temporal::api::common::v1::Payload;

inline constexpr int kHistoryPagesMax = 1000;
inline constexpr const char* kAlreadyStarted = "temporal.api.errordetails.v1.WorkflowExecutionAlreadyStartedFailure";

Payload json_payload(const std::string& text) {
  Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(text);
  return payload;
}

std::string identity() { return fmt::format("callimport-cli@{}", ::getpid()); }

template <class Request, class Response>
tl::expected<engine::PortStatus, CliError> send(Session& session, const char* method, const Request& request,
                                                Response& response, std::chrono::milliseconds timeout) {
  CLI_TRY(auto* client, session.client());
  return client->call(std::string("/temporal.api.workflowservice.v1.WorkflowService/") + method, request, response,
                      timeout);
}
template <class Request, class Response>
tl::expected<engine::PortStatus, CliError> send(Session& session, const char* method, const Request& request,
                                                Response& response) {
  return send(session, method, request, response, session.timeout());
}

std::string status_words(int status) {
  const auto name = ::temporal::api::enums::v1::WorkflowExecutionStatus_Name(
      static_cast<::temporal::api::enums::v1::WorkflowExecutionStatus>(status));
  constexpr std::string_view prefix = "WORKFLOW_EXECUTION_STATUS_";
  if (!name.starts_with(prefix)) return "Unknown";
  std::string words;
  bool upper = true;
  for (const char c : name.substr(prefix.size())) {
    if (c == '_') {
      upper = true;
      continue;
    }
    words += upper ? c : static_cast<char>(c - 'A' + 'a');
    upper = false;
  }
  return words;
}

std::int64_t ms_of(const google::protobuf::Timestamp& time) { return time.seconds() * 1000 + time.nanos() / 1'000'000; }

WorkflowRow row_of(const ::temporal::api::workflow::v1::WorkflowExecutionInfo& info) {
  WorkflowRow row{info.execution().workflow_id(),
                  info.execution().run_id(),
                  info.type().name(),
                  status_words(info.status()),
                  ms_of(info.start_time()),
                  0,
                  {},
                  {}};
  if (info.has_close_time()) row.close_ms = ms_of(info.close_time());
  for (const auto& [name, payload] : info.memo().fields()) row.memo[name] = payload.data();
  for (const auto& [name, payload] : info.search_attributes().indexed_fields()) row.attributes[name] = payload.data();
  return row;
}

}  // namespace

tl::expected<bool, CliError> start_import_workflow(Session& session, const StartOrder& order) {
  service::StartWorkflowExecutionRequest request;
  request.set_namespace_(session.name_space());
  request.set_workflow_id(order.workflow_id);
  request.mutable_workflow_type()->set_name(workflows::kImportWorkflow);
  request.mutable_task_queue()->set_name(order.task_queue);
  *request.mutable_input()->add_payloads() = json_payload(order.input);
  request.set_identity(identity());
  request.set_request_id(order.request_id);
  request.set_workflow_id_reuse_policy(::temporal::api::enums::v1::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
  service::StartWorkflowExecutionResponse response;
  CLI_TRY(const auto status, send(session, "StartWorkflowExecution", request, response));
  if (status.ok()) return response.started();
  if (status.detail_type == kAlreadyStarted) return false;
  return tl::unexpected(to_error(status, session));
}

tl::expected<void, CliError> signal_workflow(Session& session, const std::string& workflow_id,
                                             const std::string& signal, const std::string& input) {
  service::SignalWorkflowExecutionRequest request;
  request.set_namespace_(session.name_space());
  request.mutable_workflow_execution()->set_workflow_id(workflow_id);
  request.set_signal_name(signal);
  request.set_identity(identity());
  if (!input.empty()) *request.mutable_input()->add_payloads() = json_payload(input);
  service::SignalWorkflowExecutionResponse response;
  CLI_TRY(const auto status, send(session, "SignalWorkflowExecution", request, response));
  if (!status.ok()) return tl::unexpected(to_error(status, session));
  return {};
}

tl::expected<void, CliError> cancel_workflow(Session& session, const std::string& workflow_id,
                                             const std::string& reason) {
  service::RequestCancelWorkflowExecutionRequest request;
  request.set_namespace_(session.name_space());
  request.mutable_workflow_execution()->set_workflow_id(workflow_id);
  request.set_identity(identity());
  request.set_reason(reason);
  service::RequestCancelWorkflowExecutionResponse response;
  CLI_TRY(const auto status, send(session, "RequestCancelWorkflowExecution", request, response));
  if (!status.ok()) return tl::unexpected(to_error(status, session));
  return {};
}

tl::expected<std::optional<WorkflowRow>, CliError> describe_workflow(Session& session, const std::string& workflow_id) {
  service::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(session.name_space());
  request.mutable_execution()->set_workflow_id(workflow_id);
  service::DescribeWorkflowExecutionResponse response;
  CLI_TRY(const auto status, send(session, "DescribeWorkflowExecution", request, response));
  if (status.code == kGrpcNotFound) return std::optional<WorkflowRow>{};
  if (!status.ok()) return tl::unexpected(to_error(status, session));
  return std::optional<WorkflowRow>{row_of(response.workflow_execution_info())};
}

tl::expected<std::string, CliError> query_workflow(Session& session, const std::string& workflow_id,
                                                   const std::string& query, std::chrono::milliseconds timeout) {
  service::QueryWorkflowRequest request;
  request.set_namespace_(session.name_space());
  request.mutable_execution()->set_workflow_id(workflow_id);
  request.mutable_query()->set_query_type(query);
  service::QueryWorkflowResponse response;
  CLI_TRY(const auto status, send(session, "QueryWorkflow", request, response, timeout));
  if (!status.ok()) return tl::unexpected(to_error(status, session));
  if (response.query_result().payloads_size() == 0) return std::string();
  return response.query_result().payloads(0).data();
}

tl::expected<std::vector<WorkflowRow>, CliError> list_workflows(Session& session, const std::string& query, int limit) {
  std::vector<WorkflowRow> rows;
  service::ListWorkflowExecutionsRequest request;
  request.set_namespace_(session.name_space());
  request.set_query(query);
  request.set_page_size(1000);
  do {
    service::ListWorkflowExecutionsResponse response;
    CLI_TRY(const auto status, send(session, "ListWorkflowExecutions", request, response));
    if (!status.ok()) return tl::unexpected(to_error(status, session));
    for (const auto& info : response.executions()) rows.push_back(row_of(info));
    request.set_next_page_token(response.next_page_token());
  } while (!request.next_page_token().empty() && static_cast<int>(rows.size()) < limit);
  if (static_cast<int>(rows.size()) > limit) rows.resize(static_cast<std::size_t>(limit));
  return rows;
}

tl::expected<std::string, CliError> export_history(Session& session, const std::string& workflow_id,
                                                   const std::string& run_id, bool binary) {
  service::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(session.name_space());
  request.mutable_execution()->set_workflow_id(workflow_id);
  request.mutable_execution()->set_run_id(run_id);
  ::temporal::api::history::v1::History history;
  for (int page = 0; page < kHistoryPagesMax; ++page) {
    service::GetWorkflowExecutionHistoryResponse response;
    CLI_TRY(const auto status, send(session, "GetWorkflowExecutionHistory", request, response));
    if (!status.ok()) return tl::unexpected(to_error(status, session));
    for (auto& event : *response.mutable_history()->mutable_events()) *history.add_events() = std::move(event);
    if (response.next_page_token().empty()) break;
    request.set_next_page_token(response.next_page_token());
  }
  return binary ? engine::write_binary(history) : engine::write_json(history);
}

}  // namespace callimport::api
