// GetSystemInfo, GetClusterInfo, namespaces and search attributes (conformance A.1, A.2).
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"

namespace callimport::engine {
namespace {

constexpr const char* kServerVersion = "1.29.1";  // A7: the level of Temporal's API we speak, not our own version

void fill_namespace(const Namespace& space, api::DescribeNamespaceResponse* out) {
  const bool system = space.name == kSystemNamespace;
  auto* info = out->mutable_namespace_info();
  info->set_name(space.name);
  info->set_state(enums::NAMESPACE_STATE_REGISTERED);
  info->set_id(space.id);
  if (system) info->set_owner_email("temporal-core@temporal.io");
  (void)info->mutable_capabilities();  // A.2: none that we could not serve
  auto* config = out->mutable_config();
  set_nanos(config->mutable_workflow_execution_retention_ttl(), space.retention_ns);
  (void)config->mutable_bad_binaries();
  config->set_history_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  config->set_visibility_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  out->mutable_replication_config()->set_active_cluster_name("active");
  out->mutable_replication_config()->add_clusters()->set_cluster_name("active");
}

}  // namespace

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
  out.set_cluster_id(uuid_of_name("cluster " + options_.namespaces.front()));
  out.set_cluster_name("active");
  out.set_history_shard_count(1);
  out.set_persistence_store("sqlite");
  out.set_visibility_store("sqlite");
  out.set_initial_failover_version(1);
  out.set_failover_version_increment(10);
  answer(enter(context, std::move(reply)), std::move(out));
}

void Service::DescribeNamespace(const api::DescribeNamespaceRequest& request, CallContext context,
                                Reply<api::DescribeNamespaceResponse> reply) {
  auto call = enter(context, std::move(reply));
  std::string name = request.namespace_();
  if (name.empty() && request.id().empty())
    return refuse(std::move(call), errors::invalid("Namespace not set on request."));
  if (name.empty()) {
    if (request.id().size() != 36) {
      return refuse(std::move(call),
                    errors::plain(errors::kUnknown, "invalid UUID length: " + std::to_string(request.id().size())));
    }
    for (const auto& [known, space] : namespaces_) {
      if (request.id() == space.id) name = known;
    }
  }
  if (!namespaces_.contains(name)) {
    return refuse(std::move(call), errors::namespace_not_found(name.empty() ? request.id() : name));
  }
  api::DescribeNamespaceResponse out;
  fill_namespace(namespaces_.at(name), &out);
  answer(std::move(call), std::move(out));
}

void Service::ListNamespaces(const api::ListNamespacesRequest&, CallContext context,
                             Reply<api::ListNamespacesResponse> reply) {
  api::ListNamespacesResponse out;
  fill_namespace(namespaces_.at(kSystemNamespace), out.add_namespaces());
  for (const auto& [name, space] : namespaces_) {
    if (name != kSystemNamespace) fill_namespace(space, out.add_namespaces());
  }
  answer(enter(context, std::move(reply)), std::move(out));
}

void Service::GetSearchAttributes(const api::GetSearchAttributesRequest&, CallContext context,
                                  Reply<api::GetSearchAttributesResponse> reply) {
  api::GetSearchAttributesResponse out;
  for (const auto& [name, type] : system_search_attributes()) (*out.mutable_keys())[name] = type;
  const auto& types = namespaces_.at(options_.namespaces.front()).search_types;
  for (const auto& [name, type] : types) (*out.mutable_keys())[name] = type;
  answer(enter(context, std::move(reply)), std::move(out));
}

}  // namespace callimport::engine
