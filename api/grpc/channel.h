#pragma once
// Opens what a Connection names: the one place where the house makes gRPC client channels.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string_view>

#include "api/connection.h"

namespace callimport::api {

/// Nothing is sent before the first call. TLS as the connection says; pings every 30 s, also when idle, as Temporal's
/// own clients do (conformance A5); answers up to 128 MiB; reconnects after 0.1 s to 1 s.
std::shared_ptr<grpc::Channel> open_channel(const Connection& connection);

/// What every call carries: the connection's headers, and who calls.
void add_headers(grpc::ClientContext& context, const Connection& connection, std::string_view method,
                 std::string_view client_name);

}  // namespace callimport::api
