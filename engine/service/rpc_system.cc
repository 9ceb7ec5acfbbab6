// GetSystemInfo, GetClusterInfo and the raw search attributes (conformance A.1, A.2).
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"

namespace callimport::engine {
namespace {

constexpr const char* kServerVersion = "1.29.1";  // A7: the level of Temporal's API we speak, not our own version

}  // namespace

std::string Service::cluster_id() const { return uuid_of_name("cluster " + options_.namespaces.front()); }

void Service::GetSystemInfo(const api::GetSystemInfoRequest&, CallContext context,
                            Reply<api::GetSystemInfoResponse> reply) {
  api::GetSystemInfoResponse out;
  out.set_server_version(kServerVersion);
  auto* can = out.mutable_capabilities();
  can->set_signal_and_query_header(true);
  can->set_internal_error_differentiation(true);
  can->set_activity_failure_include_heartbeat(true);
  can->set_encoded_failure_attributes(true);
  can->set_upsert_memo(true);
  can->set_sdk_metadata(true);
  can->set_supports_schedules(true);
  can->set_count_group_by_execution_status(true);
  answer(enter(context, std::move(reply)), std::move(out));
}

void Service::GetClusterInfo(const api::GetClusterInfoRequest&, CallContext context,
                             Reply<api::GetClusterInfoResponse> reply) {
  api::GetClusterInfoResponse out;
  for (const char* client : {"Nexus-go-sdk", "temporal-cli", "temporal-go", "temporal-java", "temporal-php",
                             "temporal-server", "temporal-typescript"}) {
    (*out.mutable_supported_clients())[client] = "<2.0.0";
  }
  (*out.mutable_supported_clients())["temporal-ui"] = "<3.0.0";
  out.set_server_version(kServerVersion);
  out.mutable_version_info()->mutable_current()->set_version(kServerVersion);
  out.mutable_version_info()->mutable_current()->set_notes("Call Import Engine");
  out.set_cluster_id(cluster_id());
  out.set_cluster_name("active");
  out.set_history_shard_count(1);
  out.set_persistence_store("sqlite");
  out.set_visibility_store("sqlite");
  out.set_initial_failover_version(1);
  out.set_failover_version_increment(10);
  answer(enter(context, std::move(reply)), std::move(out));
}

void Service::GetSearchAttributes(const api::GetSearchAttributesRequest&, CallContext context,
                                  Reply<api::GetSearchAttributesResponse> reply) {
  api::GetSearchAttributesResponse out;
  for (const auto& [name, type] : system_search_attributes()) (*out.mutable_keys())[name] = type;
  for (const auto& [name, type] : settable_search_attributes({})) (*out.mutable_keys())[name] = type;
  for (const auto& [name, type] : raw_columns()) (*out.mutable_keys())[name] = type;
  answer(enter(context, std::move(reply)), std::move(out));
}

}  // namespace callimport::engine
