// The worker registry (conformance A.8 tier 2): what workers say of themselves every minute, kept in memory only,
// because it is stale within minutes and every living worker says it again.
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/list_filter.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "temporal/api/worker/v1/message.pb.h"

namespace callimport::engine {
namespace {

using temporal::api::worker::v1::WorkerHeartbeat;

constexpr std::int64_t kWorkerGone = 300 * kNanosPerSecond;  ///< five heartbeats missed: it is dead
constexpr std::size_t kWorkersMax = 10'000;                  ///< a namespace
constexpr int kPageMax = 1'000;

const SearchTypes& worker_columns() {
  static const SearchTypes kColumns = {{"WorkerInstanceKey", enums::INDEXED_VALUE_TYPE_KEYWORD},
                                       {"WorkerIdentity", enums::INDEXED_VALUE_TYPE_KEYWORD},
                                       {"HostName", enums::INDEXED_VALUE_TYPE_KEYWORD},
                                       {"DeploymentName", enums::INDEXED_VALUE_TYPE_KEYWORD},
                                       {"BuildId", enums::INDEXED_VALUE_TYPE_KEYWORD},
                                       {"SdkName", enums::INDEXED_VALUE_TYPE_KEYWORD},
                                       {"SdkVersion", enums::INDEXED_VALUE_TYPE_KEYWORD},
                                       {"LastHeartbeatTime", enums::INDEXED_VALUE_TYPE_DATETIME},
                                       {"WorkerStatus", enums::INDEXED_VALUE_TYPE_KEYWORD},
                                       {"Status", enums::INDEXED_VALUE_TYPE_KEYWORD}};
  return kColumns;
}

std::string status_of(const WorkerHeartbeat& worker) {
  switch (worker.status()) {
    case enums::WORKER_STATUS_RUNNING: return "Running";
    case enums::WORKER_STATUS_SHUTTING_DOWN: return "ShuttingDown";
    case enums::WORKER_STATUS_SHUTDOWN: return "Shutdown";
    default: return "Unspecified";
  }
}

/// A worker as a row that the list filter reads: TaskQueue and StartTime are its own columns, the rest attributes.
VisibleRow row_of(const WorkerHeartbeat& worker) {
  VisibleRow row;
  row.task_queue = worker.task_queue();
  row.start_ns = to_nanos(worker.start_time());
  const auto set = [&row](const char* name, FilterValue value) { row.attributes.emplace_back(name, std::move(value)); };
  set("WorkerInstanceKey", worker.worker_instance_key());
  set("WorkerIdentity", worker.worker_identity());
  set("HostName", worker.host_info().host_name());
  set("DeploymentName", worker.deployment_version().deployment_name());
  set("BuildId", worker.deployment_version().build_id());
  set("SdkName", worker.sdk_name());
  set("SdkVersion", worker.sdk_version());
  set("LastHeartbeatTime", to_nanos(worker.heartbeat_time()));
  set("WorkerStatus", status_of(worker));
  set("Status", status_of(worker));
  return row;
}

void fill_row(const WorkerHeartbeat& worker, temporal::api::worker::v1::WorkerListInfo* out) {
  out->set_worker_instance_key(worker.worker_instance_key());
  out->set_worker_identity(worker.worker_identity());
  out->set_task_queue(worker.task_queue());
  if (worker.has_deployment_version()) *out->mutable_deployment_version() = worker.deployment_version();
  out->set_sdk_name(worker.sdk_name());
  out->set_sdk_version(worker.sdk_version());
  out->set_status(worker.status());
  if (worker.has_start_time()) *out->mutable_start_time() = worker.start_time();
  out->set_host_name(worker.host_info().host_name());
  out->set_worker_grouping_key(worker.host_info().worker_grouping_key());
  out->set_process_id(worker.host_info().process_id());
  *out->mutable_plugins() = worker.plugins();
  *out->mutable_drivers() = worker.drivers();
}

}  // namespace

void Service::note_worker(Namespace& space, const WorkerHeartbeat& worker) {
  if (worker.worker_instance_key().empty()) return;
  std::erase_if(space.workers,
                [now = callers_now_ns()](const auto& entry) { return now - entry.second.seen_ns > kWorkerGone; });
  if (worker.status() == enums::WORKER_STATUS_SHUTDOWN) {
    space.workers.erase(worker.worker_instance_key());
    return;
  }
  if (space.workers.size() >= kWorkersMax && !space.workers.contains(worker.worker_instance_key())) return;
  space.workers[worker.worker_instance_key()] = {callers_now_ns(), worker.SerializeAsString()};
}

/// The living ones that the query wants, in the order of their keys.
std::optional<PortStatus> Service::select_workers(const std::string& name_space, const std::string& query,
                                                  const std::string& after, std::vector<WorkerHeartbeat>* out) {
  if (auto wrong = gate(name_space)) return wrong;
  const auto filter = ListFilter::parse(query, worker_columns(), ListFilter::Use::kList);
  if (!filter) return errors::invalid(filter.error());
  const Namespace& space = *find_space(name_space);
  for (auto it = space.workers.upper_bound(after); it != space.workers.end(); ++it) {
    if (callers_now_ns() - it->second.seen_ns > kWorkerGone) continue;
    WorkerHeartbeat worker;
    if (!worker.ParseFromString(it->second.heartbeat)) continue;
    if (filter->matches(row_of(worker))) out->push_back(std::move(worker));
  }
  return std::nullopt;
}

void Service::RecordWorkerHeartbeat(const api::RecordWorkerHeartbeatRequest& request, CallContext context,
                                    Reply<api::RecordWorkerHeartbeatResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  for (const auto& worker : request.worker_heartbeat()) note_worker(space(request.namespace_()), worker);
  answer(std::move(call), api::RecordWorkerHeartbeatResponse());
}

void Service::ListWorkers(const api::ListWorkersRequest& request, CallContext context,
                          Reply<api::ListWorkersResponse> reply) {
  auto call = enter(context, std::move(reply));
  std::vector<WorkerHeartbeat> workers;
  if (auto wrong = select_workers(request.namespace_(), request.query(), request.next_page_token(), &workers)) {
    return refuse(std::move(call), std::move(*wrong));
  }
  const int size = request.page_size() > 0 ? std::min(request.page_size(), kPageMax) : kPageMax;
  api::ListWorkersResponse out;
  for (const auto& worker : workers) {
    if (out.workers_size() == size) {
      out.set_next_page_token(out.workers(size - 1).worker_instance_key());
      break;
    }
    fill_row(worker, out.add_workers());
    *out.add_workers_info()->mutable_worker_heartbeat() = worker;
  }
  answer(std::move(call), std::move(out));
}

void Service::CountWorkers(const api::CountWorkersRequest& request, CallContext context,
                           Reply<api::CountWorkersResponse> reply) {
  auto call = enter(context, std::move(reply));
  std::vector<WorkerHeartbeat> workers;
  if (auto wrong = select_workers(request.namespace_(), request.query(), "", &workers)) {
    return refuse(std::move(call), std::move(*wrong));
  }
  api::CountWorkersResponse out;
  out.set_count(static_cast<std::int64_t>(workers.size()));
  answer(std::move(call), std::move(out));
}

void Service::DescribeWorker(const api::DescribeWorkerRequest& request, CallContext context,
                             Reply<api::DescribeWorkerResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const auto& workers = space(request.namespace_()).workers;
  const auto it = workers.find(request.worker_instance_key());
  api::DescribeWorkerResponse out;
  if (it == workers.end() || callers_now_ns() - it->second.seen_ns > kWorkerGone ||
      !out.mutable_worker_info()->mutable_worker_heartbeat()->ParseFromString(it->second.heartbeat)) {
    return refuse(std::move(call), errors::not_found("worker " + request.worker_instance_key() + " not found"));
  }
  answer(std::move(call), std::move(out));
}

}  // namespace callimport::engine
