// Which namespaces there are (conformance C.16).
#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"

namespace callimport::engine {
namespace {
constexpr std::chrono::hours kSystemRetention{24 * 7};
}

void Service::open_namespaces() {
  Namespace& system = space_of_run(kSystemNamespace);
  system.retention_ns = std::chrono::duration_cast<Nanos>(kSystemRetention).count();
  for (const auto& name : options_.namespaces) (void)space_of_run(name);
}

Namespace& Service::space_of_run(const std::string& name) {
  const auto it = namespaces_.find(name);
  if (it != namespaces_.end()) return it->second;
  Namespace& made = namespaces_[name];
  made.name = name;
  made.retention_ns = std::chrono::duration_cast<Nanos>(options_.retention).count();
  made.search_types = settable_search_attributes(options_.search_attributes);
  return made;
}

std::optional<PortStatus> Service::check_namespace(const std::string& name_space) const {
  if (namespaces_.contains(name_space)) return std::nullopt;
  if (name_space.empty()) return errors::invalid("Namespace is empty.");
  return errors::namespace_not_found(name_space);
}

}  // namespace callimport::engine
