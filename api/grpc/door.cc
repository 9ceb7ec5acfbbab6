#include "api/grpc/door.h"

#include <absl/synchronization/mutex.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/server_posix.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "api/connection.h"
#include "api/grpc/calls.h"
#include "api/grpc/certificate.h"
#include "api/grpc/socket.h"

namespace callimport::api {
namespace {

inline constexpr std::chrono::milliseconds kPingAnswerMax = std::chrono::seconds{20};

int in_ms(std::chrono::milliseconds duration) { return static_cast<int>(duration.count()); }

class GrpcDoor final : public Door {
 public:
  GrpcDoor(const Router& router, Executor& loop, DoorOptions options)
      : options_(std::move(options)), calls_(router, loop, options_) {}
  ~GrpcDoor() override { close(std::chrono::milliseconds{0}); }

  Result<> start() {
    const auto& options = options_;
    // Debian builds Abseil with its search for lock cycles on, which gRPC's every lock pays for.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(static_cast<int>(kLibraryRequestBytesMax));
    // A5: clients ping every 10 to 30 s, also when idle; the defaults would close them.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);  // counts what nobody asks for
    // Whoever connects and says nothing, or is gone without a word, does not stay.
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, in_ms(kHandshakeMax));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, in_ms(options.silent_max));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, in_ms(std::min(options.silent_max, kPingAnswerMax)));
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_SENT_PING_INTERVAL_WITHOUT_DATA_MS, in_ms(options.silent_max));
    int port = 0;
    if (!options.address.empty()) builder.AddListeningPort(options.address, credentials(), &port);
    calls_.join(builder);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || (!options.address.empty() && port == 0)) {
      return fail(Code::kConflict,
                  fmt::format("cannot listen on {}: in use, or not an address of this machine", options.address));
    }
    calls_.serve();
    TRY_VOID(listen(options.socket, S_IRUSR | S_IWUSR));
    TRY_VOID(listen(options.shared_socket, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH));
    if (!options.address.empty())
      address_ = options.address.substr(0, options.address.rfind(':') + 1) + std::to_string(port);
    return {};
  }

  std::string address() const override { return address_; }
  std::string socket() const override { return options_.socket; }
  void close(std::chrono::milliseconds grace) override {
    if (server_ == nullptr) return;
    listeners_.clear();  // nothing is handed to the server from here on
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    calls_.close();
    server_.reset();
  }

 private:
  Result<> listen(const std::string& path, mode_t mode) {
    if (path.empty()) return {};
    auto accepted = [this](int fd) {
      const int kept = calls_.peers().keep(fd);
      if (kept >= 0) grpc::AddInsecureChannelFromFd(server_.get(), kept);
    };
    TRY(auto listener, SocketListener::open(path, mode, std::move(accepted)));
    listeners_.push_back(std::move(listener));
    return {};
  }

  std::shared_ptr<grpc::ServerCredentials> credentials() const {
    const auto& options = options_;
    if (options.tls_cert.empty()) return grpc::InsecureServerCredentials();
    grpc::SslServerCredentialsOptions tls(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    tls.pem_key_cert_pairs.push_back({options.tls_key, options.tls_cert});
    return grpc::SslServerCredentials(tls);
  }

  const DoorOptions options_;
  Calls calls_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::unique_ptr<SocketListener>> listeners_;
  std::string address_;
};

}  // namespace

Result<std::unique_ptr<Door>> Door::open(const Router& router, Executor& loop, DoorOptions options) {
  if (!options.shared_socket.empty() && options.roles.empty()) {
    return fail(Code::kInvalid, "server.shared_socket can be opened by every user of this machine: that needs [roles]");
  }
  TRY_VOID(check_certificate(options.tls_cert, options.tls_key));
  if (!options.address.empty() && !is_loopback(options.address) && !options.insecure_public &&
      (options.tls_cert.empty() || options.api_key.empty())) {
    return fail(Code::kInvalid,
                fmt::format("{} can be reached from other machines: that needs --tls-cert and --tls-key and "
                            "--api-key-file, or --insecure-public to say that it is meant",
                            options.address));
  }
  auto door = std::make_unique<GrpcDoor>(router, loop, std::move(options));
  TRY_VOID(door->start());
  return std::unique_ptr<Door>(std::move(door));
}

}  // namespace callimport::api
