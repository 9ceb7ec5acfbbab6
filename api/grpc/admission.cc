#include "api/grpc/admission.h"

#include <fmt/format.h>

namespace callimport::api {
namespace {

inline constexpr std::size_t kProgramBytesMax = 60;

/// Takes as long for any wrong token.
bool same_text(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0u : 1u;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^
                                        static_cast<unsigned char>(b.empty() ? '\0' : b[i % b.size()]));
  }
  return difference == 0;
}

bool bears(std::string_view sent, const std::string& token) {
  return !token.empty() && same_text("Bearer " + token, sent);
}

std::string_view header(const grpc::GenericServerContext& context, const char* name) {
  const auto& headers = context.client_metadata();
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second.data(), found->second.size());
}

/// For the audit log: which program, and from where.
std::string origin_of(const grpc::GenericServerContext& context) {
  const auto program = header(context, "client-name");
  const auto peer = context.peer();
  return fmt::format("{} {}", program.empty() ? "a program" : std::string(program.substr(0, kProgramBytesMax)),
                     peer.starts_with("fd:") ? "on the socket" : "at " + peer);
}

}  // namespace

/// os:USER on a socket, token:NAME with a token; empty: nobody we know.
std::string Admission::name_of(const Method& method, const grpc::GenericServerContext& context) const {
  if (const auto user = peers_.user_of(context.peer())) return "os:" + *user;
  const auto sent = header(context, "authorization");
  if (sent.empty()) return {};
  if (bears(sent, options_.token)) return "token:access";
  for (const auto& one : options_.tokens) {
    if (bears(sent, one.text)) return "token:" + one.name;
  }
  return !method.trusted && bears(sent, options_.api_key) ? "token:api-key" : "";
}

std::optional<grpc::Status> Admission::refuse(const Method& method, const grpc::GenericServerContext& context,
                                              Caller& caller) const {
  const bool by_role = !options_.roles.empty() && method.needs.role != Role::kNone;
  const bool closed = method.trusted || by_role || options_.require_token || !options_.api_key.empty();
  if (!closed || method.anonymous) return std::nullopt;
  caller.name = name_of(method, context);
  if (caller.name.empty()) {
    return grpc::Status(
        grpc::StatusCode::UNAUTHENTICATED,
        method.trusted ? "this method is answered on the Unix socket of the data folder, or with its token as bearer"
                       : "this server wants its API key or access token as bearer");
  }
  caller.role = options_.roles.of(caller.name);
  if (method.trusted) caller.origin = origin_of(context);
  if (!by_role || caller.role >= method.needs.role) return std::nullopt;
  return grpc::Status(grpc::StatusCode::PERMISSION_DENIED,
                      options_.roles.refusal(method.needs.doing, method.needs.role, caller));
}

}  // namespace callimport::api
