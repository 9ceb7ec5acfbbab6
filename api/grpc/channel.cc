#include "api/grpc/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <string>

#include "api/version.h"

namespace callimport::api {
namespace {

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const Tls& tls) {
  if (!tls.on) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls.ca;
  options.pem_cert_chain = tls.cert;
  options.pem_private_key = tls.key;
  return grpc::SslCredentials(options);
}

}  // namespace

std::shared_ptr<grpc::Channel> open_channel(const Connection& connection) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(128 << 20);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // the time one try has to connect, TLS included
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 15'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_MIN_SENT_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);  // else five minutes
  if (is_loopback(connection.address)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  if (connection.tls.on && !connection.tls.server_name.empty())
    arguments.SetSslTargetNameOverride(connection.tls.server_name);
  return grpc::CreateCustomChannel(connection.address, credentials_of(connection.tls), arguments);
}

void add_headers(grpc::ClientContext& context, const Connection& connection, std::string_view method,
                 std::string_view client_name) {
  context.AddMetadata("client-name", std::string(client_name));
  context.AddMetadata("client-version", kVersion);
  for (const auto& [name, value] : connection.headers(method)) context.AddMetadata(name, value);
}

}  // namespace callimport::api
