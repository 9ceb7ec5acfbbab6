#include "tests/bench/bench_server.h"

#include <fmt/format.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "workflows/import/import_workflow.h"

namespace callimport::tests {

namespace service = ::temporal::api::workflowservice::v1;

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

Ran BenchServer::verb(std::vector<std::string> args, const std::string& input) {
  args.insert(args.end(), {"--data", data()});
  return run(callimport_binary(), {.args = std::move(args), .input = input}, folder);
}

bool BenchServer::open_sandbox(std::vector<std::string> more) {
  std::vector<std::string> args = {"sandbox", "grain", "--listen", "127.0.0.1:0", "--rate", "off"};
  args.insert(args.end(), more.begin(), more.end());
  sandbox = std::make_unique<Process>(callimport_binary(), Command{.args = std::move(args), .ready = true}, folder);
  const std::string line = sandbox->wait_ready();
  url = "http://" + line.substr(line.rfind(' ') + 1);
  return !line.empty();
}

bool BenchServer::open(std::vector<std::string> more) {
  std::vector<std::string> args = {"serve",       "--data", data(),        "--port", "0",
                                   "--http-port", "0",      "--log-level", "error"};
  args.insert(args.end(), more.begin(), more.end());
  serve = std::make_unique<Process>(callimport_binary(), Command{.args = std::move(args), .ready = true}, folder);
  const auto ready = nlohmann::json::parse(serve->wait_ready(), nullptr, false);
  if (!ready.is_object()) return false;
  const std::string http = ready.value("http", "");
  http_port = http.empty() ? 0 : static_cast<std::uint16_t>(std::stoi(http.substr(http.rfind(':') + 1)));
  client = api::Client::create(api::Connection{.address = "unix:" + data() + "/callimport.sock"});
  return true;
}

void BenchServer::close() {
  client.reset();
  serve->signal(SIGTERM);
  serve->wait();
  serve.reset();
}

std::string BenchServer::add_credential(const std::string& token) {
  const Ran added = verb({"credentials", "add", "--platform", "grain", "--workspace", "bench", "--token-stdin"}, token);
  return added.code == 0 ? added.out.substr(0, added.out.find('\n')) : std::string();
}

bool BenchServer::start_import(const BenchImport& import) {
  const nlohmann::json input = {{"import", import.id},
                                {"platform", "grain"},
                                {"workspace", import.workspace},
                                {"title", import.title},
                                {"credential", import.credential},
                                {"base_url", url},
                                {"window", "always"},
                                {"started_by", import.started_by}};
  service::StartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id(import.id);
  request.mutable_workflow_type()->set_name(workflows::kImportWorkflow);
  request.mutable_task_queue()->set_name(workflows::kImportTaskQueue);
  auto& payload = *request.mutable_input()->add_payloads();
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(input.dump());
  request.set_request_id(import.id);
  service::StartWorkflowExecutionResponse response;
  return call("/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution", request, response);
}

void BenchServer::complain(const std::string& method, const std::string& why) {
  fmt::print(stderr, "{}: {}\n", method, why);
}

}  // namespace callimport::tests
