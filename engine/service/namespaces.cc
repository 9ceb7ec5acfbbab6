// Which namespaces there are (conformance C.16).
#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"

namespace callimport::engine {
namespace {
constexpr std::chrono::hours kSystemRetention{24 * 7};
constexpr const char* kSystemNamespaceId = "32049b68-7872-4094-8e63-d0dd59896a83";
}  // namespace

std::string uuid_of_name(const std::string& name) {
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

void Service::open_namespaces() {
  Namespace& system = space_of_run(kSystemNamespace);
  system.id = kSystemNamespaceId;
  system.retention_ns = std::chrono::duration_cast<Nanos>(kSystemRetention).count();
  for (const auto& name : options_.namespaces) (void)space_of_run(name);
}

Namespace& Service::space_of_run(const std::string& name) {
  const auto it = namespaces_.find(name);
  if (it != namespaces_.end()) return it->second;
  Namespace& made = namespaces_[name];
  made.name = name;
  made.id = uuid_of_name(name);
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
