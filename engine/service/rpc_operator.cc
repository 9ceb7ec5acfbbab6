// OperatorService: search attributes, clusters, Nexus endpoints (conformance A.1, C.13). DeleteNamespace is with the
// namespaces.
#include <set>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"

namespace callimport::engine {
namespace {

constexpr std::size_t kUuidLength = 36;

PortStatus namespace_not_set() { return errors::invalid("Namespace is not set on request."); }
PortStatus attributes_not_set() { return errors::invalid("SearchAttributes are not set on request."); }

/// No Nexus endpoint can be made here, so whichever is named is not there.
PortStatus no_endpoint(const std::string& id) {
  if (id.empty()) return errors::invalid("endpoint ID not set");
  if (id.size() != kUuidLength)
    return errors::invalid("malformed endpoint ID: \"invalid UUID length: " + std::to_string(id.size()) + "\"");
  return errors::not_found("Nexus endpoint with ID `" + id + "` not found");
}

PortStatus no_nexus() {
  return errors::plain(errors::kUnimplemented, "Nexus endpoints are not supported by the embedded service");
}
PortStatus one_cluster() {
  return errors::plain(errors::kUnimplemented, "remote clusters are not supported by the embedded service");
}

}  // namespace

void Service::AddSearchAttributes(const operator_api::AddSearchAttributesRequest& request, CallContext context,
                                  Reply<operator_api::AddSearchAttributesResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (request.search_attributes().empty()) return refuse(std::move(call), attributes_not_set());
  if (request.namespace_().empty()) return refuse(std::move(call), namespace_not_set());
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& changed = space(request.namespace_());
  if (changed.record == 0) return refuse(std::move(call), errors::not_for_system_namespace("update"));
  pb::NamespaceState state = changed.state;
  auto& held = *state.mutable_search_attributes();
  std::map<std::string, enums::IndexedValueType> asked(request.search_attributes().begin(),
                                                       request.search_attributes().end());
  for (const auto& [name, type] : asked) {
    if (is_reserved_attribute(name))
      return refuse(std::move(call), errors::invalid("Search attribute " + name + " is reserved by system."));
    if (!enums::IndexedValueType_IsValid(type)) {
      return refuse(std::move(call), errors::invalid("Unknown search attribute type: " + std::to_string(type) + "."));
    }
    if (!held.contains(name)) held[name] = type;
  }
  if (auto full = search_attribute_limit(held)) return refuse(std::move(call), errors::invalid(*full));
  write_namespace(changed, std::move(state));
  answer(std::move(call), operator_api::AddSearchAttributesResponse());
}

void Service::RemoveSearchAttributes(const operator_api::RemoveSearchAttributesRequest& request, CallContext context,
                                     Reply<operator_api::RemoveSearchAttributesResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (request.search_attributes().empty()) return refuse(std::move(call), attributes_not_set());
  if (request.namespace_().empty()) return refuse(std::move(call), namespace_not_set());
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& changed = space(request.namespace_());
  pb::NamespaceState state = changed.state;
  for (const auto& name : request.search_attributes()) {
    if (is_reserved_attribute(name)) {
      return refuse(std::move(call), errors::invalid("Unable to remove non-custom search attributes: " + name + "."));
    }
    state.mutable_search_attributes()->erase(name);
  }
  if (changed.record != 0) write_namespace(changed, std::move(state));
  answer(std::move(call), operator_api::RemoveSearchAttributesResponse());
}

void Service::ListSearchAttributes(const operator_api::ListSearchAttributesRequest& request, CallContext context,
                                   Reply<operator_api::ListSearchAttributesResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (request.namespace_().empty()) return refuse(std::move(call), namespace_not_set());
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  operator_api::ListSearchAttributesResponse out;
  for (const auto& [name, type] : space(request.namespace_()).search_types) {
    auto& attributes =
        is_reserved_attribute(name) ? *out.mutable_system_attributes() : *out.mutable_custom_attributes();
    attributes[name] = type;
  }
  for (const auto& [name, type] : system_search_attributes()) (*out.mutable_system_attributes())[name] = type;
  answer(std::move(call), std::move(out));
}

void Service::ListClusters(const operator_api::ListClustersRequest&, CallContext context,
                           Reply<operator_api::ListClustersResponse> reply) {
  operator_api::ListClustersResponse out;
  auto* self = out.add_clusters();
  self->set_cluster_name("active");
  self->set_cluster_id(cluster_id());
  self->set_address(options_.address);
  self->set_initial_failover_version(1);
  self->set_history_shard_count(1);
  self->set_is_connection_enabled(true);
  answer(enter(context, std::move(reply)), std::move(out));
}

void Service::AddOrUpdateRemoteCluster(const operator_api::AddOrUpdateRemoteClusterRequest&, CallContext context,
                                       Reply<operator_api::AddOrUpdateRemoteClusterResponse> reply) {
  refuse(enter(context, std::move(reply)), one_cluster());
}

void Service::RemoveRemoteCluster(const operator_api::RemoveRemoteClusterRequest&, CallContext context,
                                  Reply<operator_api::RemoveRemoteClusterResponse> reply) {
  refuse(enter(context, std::move(reply)),
         errors::not_found("The cluster to be deleted cannot be found in clusters cache."));
}

void Service::GetNexusEndpoint(const operator_api::GetNexusEndpointRequest& request, CallContext context,
                               Reply<operator_api::GetNexusEndpointResponse> reply) {
  refuse(enter(context, std::move(reply)), no_endpoint(request.id()));
}

void Service::CreateNexusEndpoint(const operator_api::CreateNexusEndpointRequest& request, CallContext context,
                                  Reply<operator_api::CreateNexusEndpointResponse> reply) {
  auto call = enter(context, std::move(reply));
  const bool empty = request.spec().name().empty();
  refuse(std::move(call), empty ? errors::invalid("endpoint name not set, empty target variant") : no_nexus());
}

void Service::UpdateNexusEndpoint(const operator_api::UpdateNexusEndpointRequest& request, CallContext context,
                                  Reply<operator_api::UpdateNexusEndpointResponse> reply) {
  auto call = enter(context, std::move(reply));
  const bool empty = request.spec().name().empty();
  refuse(std::move(call), empty ? errors::invalid("endpoint name not set, empty target variant") : no_nexus());
}

void Service::DeleteNexusEndpoint(const operator_api::DeleteNexusEndpointRequest& request, CallContext context,
                                  Reply<operator_api::DeleteNexusEndpointResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (request.id().empty() && request.version() <= 0)
    return refuse(std::move(call), errors::invalid("endpoint ID not set, endpoint version is non-positive"));
  refuse(std::move(call), no_endpoint(request.id()));
}

void Service::ListNexusEndpoints(const operator_api::ListNexusEndpointsRequest&, CallContext context,
                                 Reply<operator_api::ListNexusEndpointsResponse> reply) {
  answer(enter(context, std::move(reply)), operator_api::ListNexusEndpointsResponse());
}

}  // namespace callimport::engine
