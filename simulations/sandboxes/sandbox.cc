#include "simulations/sandboxes/sandbox.h"

#include <nlohmann/json.hpp>

namespace callimport::simulations {

std::string_view find_header(const SandboxHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

SandboxLogEntry log_entry(const SandboxRequest& request, const SandboxReply& reply, Timestamp at,
                          std::size_t bytes_sent) {
  SandboxLogEntry entry;
  entry.at = at;
  entry.method = request.method;
  entry.path = request.target.substr(0, request.target.find('?'));
  entry.call = reply.call;
  entry.status = reply.refused ? 0 : reply.status;
  entry.bytes = bytes_sent;
  entry.range = std::string(find_header(request.headers, "range"));
  return entry;
}

std::string to_json_line(const SandboxLogEntry& entry) {
  const nlohmann::ordered_json line = {{"time", format_utc(entry.at)}, {"method", entry.method}, {"path", entry.path},
                                       {"call", entry.call},           {"status", entry.status}, {"bytes", entry.bytes},
                                       {"range", entry.range}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace callimport::simulations
