// GetSystemInfo, GetClusterInfo, namespaces and search attributes (conformance A.1, A.2).
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"

namespace callimport::engine {
namespace {

constexpr const char* kServerVersion = "1.29.1";  // A7: the level of Temporal's API we speak, not our own version
constexpr const char* kSystemNamespaceId = "32049b68-7872-4094-8e63-d0dd59896a83";

/// The same name, the same id, on every start: shaped as a uuid, made from the name.
std::string id_of(const std::string& name) {
  constexpr char kHex[] = "0123456789abcdef";
  std::uint64_t words[2] = {1469598103934665603ull, 0x9e3779b97f4a7c15ull};
  for (auto& word : words) {
    for (const char c : name) word = (word ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  }
  std::string out;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out.push_back('-');
    const auto nibble = static_cast<unsigned>((words[i / 16] >> (4 * (i % 16))) & 15u);
    out.push_back(i == 12 ? '4' : i == 16 ? kHex[8 + nibble % 4] : kHex[nibble]);
  }
  return out;
}

void fill_namespace(const Namespace& space, api::DescribeNamespaceResponse* out) {
  const bool system = space.name == kSystemNamespace;
  auto* info = out->mutable_namespace_info();
  info->set_name(space.name);
  info->set_state(enums::NAMESPACE_STATE_REGISTERED);
  info->set_id(system ? kSystemNamespaceId : id_of(space.name));
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
  out.set_cluster_id(id_of("cluster " + options_.namespaces.front()));
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
    if (request.id() == kSystemNamespaceId) name = kSystemNamespace;
    for (const auto& [known, space] : namespaces_) {
      if (request.id() == id_of(known)) name = known;
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
