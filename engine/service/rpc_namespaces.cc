// Namespaces as clients make, read and change them (conformance A.2, C.16).
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "temporal/api/enums/v1/namespace.pb.h"
#include "temporal/api/replication/v1/message.pb.h"

namespace callimport::engine {
namespace {

constexpr const char* kCluster = "active";
constexpr std::size_t kNameBytesMax = 1000;
constexpr std::int64_t kRetentionMin = 3600 * kNanosPerSecond;
constexpr int kPageMax = 1000;
constexpr std::size_t kNamespacesMax = 10'000;

/// Replies of Describe, Update and List have the same parts.
template <class Response>
void fill_namespace(const Namespace& space, Response* out) {
  const pb::NamespaceState& state = space.state;
  auto* info = out->mutable_namespace_info();
  info->set_name(state.name());
  info->set_id(state.id());
  info->set_state(static_cast<enums::NamespaceState>(state.state()));
  info->set_description(state.description());
  info->set_owner_email(state.owner_email());
  *info->mutable_data() = state.data();
  info->set_supports_schedules(true);
  info->mutable_capabilities()->set_sync_update(true);  // A.2: what is served, and nothing else
  info->mutable_capabilities()->set_async_update(true);
  auto* config = out->mutable_config();
  set_nanos(config->mutable_workflow_execution_retention_ttl(), state.retention_ns());
  (void)config->mutable_bad_binaries();
  config->set_history_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  config->set_visibility_archival_state(enums::ARCHIVAL_STATE_DISABLED);
  for (const auto& [column, name] : custom_columns(state.search_attributes())) {
    (*config->mutable_custom_search_attribute_aliases())[column] = name;
  }
  out->mutable_replication_config()->set_active_cluster_name(kCluster);
  out->mutable_replication_config()->add_clusters()->set_cluster_name(kCluster);
  const bool by_client = space.record != 0 && state.option_retention_ns() == 0;
  if (by_client) out->mutable_replication_config()->set_state(enums::REPLICATION_STATE_NORMAL);
}

PortStatus not_set() { return errors::invalid("Namespace not set on request."); }
PortStatus bad_retention() { return errors::invalid("A valid retention period is not set on request."); }

std::optional<PortStatus> check_new(const api::RegisterNamespaceRequest& r) {
  if (r.namespace_().empty()) return not_set();
  if (r.namespace_().size() > kNameBytesMax) return errors::invalid("Namespace length exceeds limit.");
  if (to_nanos(r.workflow_execution_retention_period()) < kRetentionMin) return bad_retention();
  if (r.is_global_namespace()) return errors::invalid("Cannot register global namespace when not enabled");
  if (!r.active_cluster_name().empty() && r.active_cluster_name() != kCluster)
    return errors::invalid("Invalid cluster name: " + r.active_cluster_name());
  for (const auto& cluster : r.clusters()) {
    if (cluster.cluster_name() != kCluster) return errors::invalid("Invalid cluster name: " + cluster.cluster_name());
  }
  return std::nullopt;
}

std::optional<PortStatus> check_update(const api::UpdateNamespaceRequest& r) {
  if (r.promote_namespace()) {
    return errors::invalid(
        "global namespace is not enabled on this cluster, cannot update global namespace or promote local "
        "namespace: " +
        r.namespace_());
  }
  const std::string& cluster = r.replication_config().active_cluster_name();
  if (!cluster.empty() && cluster != kCluster) return errors::invalid("Invalid cluster name: " + cluster);
  if (r.config().has_workflow_execution_retention_ttl() &&
      to_nanos(r.config().workflow_execution_retention_ttl()) < kRetentionMin) {
    return bad_retention();
  }
  return std::nullopt;
}

}  // namespace

void Service::RegisterNamespace(const api::RegisterNamespaceRequest& request, CallContext context,
                                Reply<api::RegisterNamespaceResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(kSystemNamespace)) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_new(request)) return refuse(std::move(call), std::move(*wrong));
  if (namespaces_.contains(request.namespace_()))
    return refuse(std::move(call), errors::namespace_exists(request.namespace_()));
  if (namespaces_.size() >= kNamespacesMax)
    return refuse(std::move(call), errors::plain(errors::kResourceExhausted, "too many namespaces"));
  pb::NamespaceState state;
  state.set_id(new_uuid());
  state.set_description(request.description());
  state.set_owner_email(request.owner_email());
  *state.mutable_data() = request.data();
  state.set_retention_ns(to_nanos(request.workflow_execution_retention_period()));
  register_namespace(request.namespace_(), std::move(state));
  answer(std::move(call), api::RegisterNamespaceResponse());
}

void Service::DescribeNamespace(const api::DescribeNamespaceRequest& request, CallContext context,
                                Reply<api::DescribeNamespaceResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (request.namespace_().empty() && request.id().empty()) return refuse(std::move(call), not_set());
  const Namespace* space = find_space(request.namespace_());
  if (request.namespace_().empty()) {
    if (request.id().size() != 36) {
      return refuse(std::move(call),
                    errors::plain(errors::kUnknown, "invalid UUID length: " + std::to_string(request.id().size())));
    }
    for (const auto& [name, one] : namespaces_) {
      if (request.id() == one.id) space = &one;
    }
  }
  if (space == nullptr) {
    const std::string& name = request.namespace_().empty() ? request.id() : request.namespace_();
    return refuse(std::move(call), errors::namespace_not_found(name));
  }
  api::DescribeNamespaceResponse out;
  fill_namespace(*space, &out);
  answer(std::move(call), std::move(out));
}

/// In the order of their ids, as the real one; a page's token is the last id.
void Service::ListNamespaces(const api::ListNamespacesRequest& request, CallContext context,
                             Reply<api::ListNamespacesResponse> reply) {
  std::vector<const Namespace*> all;
  for (const auto& [name, space] : namespaces_) {
    const bool deleted = space.state.state() == enums::NAMESPACE_STATE_DELETED;
    if (deleted && !request.namespace_filter().include_deleted()) continue;
    if (space.id > request.next_page_token()) all.push_back(&space);
  }
  std::sort(all.begin(), all.end(), [](const Namespace* a, const Namespace* b) { return a->id < b->id; });
  const int size = request.page_size() > 0 ? std::min(request.page_size(), kPageMax) : kPageMax;
  api::ListNamespacesResponse out;
  for (const Namespace* space : all) {
    if (out.namespaces_size() == size) {
      out.set_next_page_token(out.namespaces(size - 1).namespace_info().id());
      break;
    }
    fill_namespace(*space, out.add_namespaces());
  }
  answer(enter(context, std::move(reply)), std::move(out));
}

void Service::UpdateNamespace(const api::UpdateNamespaceRequest& request, CallContext context,
                              Reply<api::UpdateNamespaceResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (request.namespace_().empty()) return refuse(std::move(call), not_set());
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_update(request)) return refuse(std::move(call), std::move(*wrong));
  const Namespace& changed = space(request.namespace_());
  if (changed.record == 0) return refuse(std::move(call), errors::not_for_system_namespace("update"));
  pb::NamespaceState state = changed.state;
  if (request.has_update_info()) {
    const auto& asked = request.update_info();
    if (!asked.description().empty()) state.set_description(asked.description());
    if (!asked.owner_email().empty()) state.set_owner_email(asked.owner_email());
    for (const auto& [key, value] : asked.data()) (*state.mutable_data())[key] = value;
    if (asked.state() != enums::NAMESPACE_STATE_UNSPECIFIED && !state.being_deleted()) state.set_state(asked.state());
  }
  if (request.config().has_workflow_execution_retention_ttl())
    state.set_retention_ns(to_nanos(request.config().workflow_execution_retention_ttl()));
  write_namespace(changed, std::move(state));
  api::UpdateNamespaceResponse out;
  fill_namespace(changed, &out);
  answer(std::move(call), std::move(out));
}

void Service::DeprecateNamespace(const api::DeprecateNamespaceRequest& request, CallContext context,
                                 Reply<api::DeprecateNamespaceResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (request.namespace_().empty()) return refuse(std::move(call), not_set());
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& changed = space(request.namespace_());
  if (changed.record == 0) return refuse(std::move(call), errors::not_for_system_namespace("deprecate"));
  pb::NamespaceState state = changed.state;
  if (!state.being_deleted()) state.set_state(enums::NAMESPACE_STATE_DEPRECATED);
  write_namespace(changed, std::move(state));
  answer(std::move(call), api::DeprecateNamespaceResponse());
}

/// The name is free at once; the runs go in the background.
void Service::DeleteNamespace(const operator_api::DeleteNamespaceRequest& request, CallContext context,
                              Reply<operator_api::DeleteNamespaceResponse> reply) {
  constexpr std::size_t kIdPart = 5;
  auto call = enter(context, std::move(reply));
  const std::string& name = request.namespace_();
  const std::string& id = request.namespace_id();
  if (name.empty() && id.empty()) return refuse(std::move(call), not_set());
  if (!name.empty() && !id.empty())
    return refuse(std::move(call), errors::invalid("Only one of namespace name or Id should be set on request."));
  if (auto wrong = gate(kSystemNamespace)) return refuse(std::move(call), std::move(*wrong));
  const Namespace* space = find_space(name);
  for (const auto& [known, one] : namespaces_) {
    if (!id.empty() && one.id == id) space = &one;
  }
  if (space == nullptr) return refuse(std::move(call), errors::namespace_not_found(name.empty() ? id : name));
  if (space->record == 0) return refuse(std::move(call), errors::not_for_system_namespace("delete"));
  operator_api::DeleteNamespaceResponse out;
  if (space->state.being_deleted()) {
    out.set_deleted_namespace(space->name);
    return answer(std::move(call), std::move(out));
  }
  pb::NamespaceState state = space->state;
  std::string left = space->name + "-deleted-" + space->id.substr(0, kIdPart);
  for (std::size_t more = kIdPart + 1; namespaces_.contains(left) && more <= space->id.size(); ++more)
    left = space->name + "-deleted-" + space->id.substr(0, more);
  if (namespaces_.contains(left)) return refuse(std::move(call), errors::namespace_exists(left));
  state.set_name(left);
  state.set_state(enums::NAMESPACE_STATE_DELETED);
  state.set_being_deleted(true);
  write_namespace(*space, std::move(state));
  out.set_deleted_namespace(left);
  answer(std::move(call), std::move(out));
}

}  // namespace callimport::engine
