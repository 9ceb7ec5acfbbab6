#include "api/grpc/router.h"

namespace callimport::api {

PortStatus status_of(const Error& error) {
  PortStatus status;
  status.message = error.message;
  switch (error.code) {
    case Code::kInvalid: status.code = kGrpcInvalidArgument; break;
    case Code::kNotFound: status.code = kGrpcNotFound; break;
    case Code::kConflict: status.code = kGrpcFailedPrecondition; break;
    case Code::kUnavailable: status.code = kGrpcUnavailable; break;
    case Code::kCancelled: status.code = kGrpcCancelled; break;
    case Code::kCorrupt: status.code = kGrpcDataLoss; break;
    case Code::kNondeterministic: status.code = kGrpcInternal; break;
  }
  return status;
}

void Router::set_roles() {
  for (auto& [name, method] : methods) method.needs = role_of_method(name);
}

Result<> Router::check_roles() const {
  std::set<std::string, std::less<>> rows;
  for (const auto& row : method_roles()) rows.insert(std::string(kOurMethods) + std::string(row.method));
  for (const auto& [name, method] : methods) {
    if (name.starts_with(kOurMethods) && rows.erase(name) == 0)
      return fail(Code::kInvalid, "no role is known for " + name + ": api/roles.cc needs a row");
  }
  if (rows.empty()) return {};
  return fail(Code::kInvalid, "api/roles.cc has a row for " + *rows.begin() + ", which is no method");
}

std::string Router::unknown_text(std::string_view full_method) const {
  if (!full_method.empty() && full_method.front() == '/') full_method.remove_prefix(1);
  const auto slash = full_method.rfind('/');
  if (slash == std::string_view::npos) return "malformed method name: \"/" + std::string(full_method) + "\"";
  const auto service = full_method.substr(0, slash);
  if (services.find(service) == services.end()) return "unknown service " + std::string(service);
  return "unknown method " + std::string(full_method.substr(slash + 1)) + " for service " + std::string(service);
}

}  // namespace callimport::api
