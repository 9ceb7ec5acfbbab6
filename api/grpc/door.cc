#include "api/grpc/door.h"

#include <absl/synchronization/mutex.h>
#include <fmt/format.h>
#include <google/rpc/status.pb.h>
#include <grpc/slice.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <unordered_map>
#include <utility>

#include "api/connection.h"
#include "api/grpc/certificate.h"

namespace callimport::api {
namespace {

grpc::Status to_grpc(const PortStatus& status) {
  const auto code = static_cast<grpc::StatusCode>(status.code);
  if (status.detail_type.empty()) return {code, status.message};
  // C.17: the trailer holds a google.rpc.Status with the same code and text and one Any.
  google::rpc::Status details;
  details.set_code(status.code);
  details.set_message(status.message);
  auto* any = details.add_details();
  any->set_type_url("type.googleapis.com/" + status.detail_type);
  any->set_value(status.detail_bytes);
  return {code, status.message, details.SerializeAsString()};
}

/// Serialized once, into the buffer that is sent.
grpc::ByteBuffer to_buffer(const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  grpc::Slice slice(grpc_slice_malloc(size), grpc::Slice::STEAL_REF);
  message.SerializeWithCachedSizesToArray(const_cast<std::uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

/// What came, in one piece: most messages come so.
grpc::Slice whole_of(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.TrySingleSlice(&slice).ok() && !buffer.DumpToSingleSlice(&slice).ok()) return {};
  return slice;
}

inline constexpr std::chrono::milliseconds kPingAnswerMax = std::chrono::seconds{20};

int in_ms(std::chrono::milliseconds duration) { return static_cast<int>(duration.count()); }

/// Takes as long for any wrong token.
bool same_text(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0u : 1u;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^
                                        static_cast<unsigned char>(b.empty() ? '\0' : b[i % b.size()]));
  }
  return difference == 0;
}

/// Bytes of replies that were handed to gRPC and not yet taken from it, by connection. The loop's.
class UnreadReplies {
 public:
  /// False: too many wait already.
  bool add(const std::string& peer, std::size_t bytes) {
    const auto found = by_peer_.find(peer);
    const std::size_t waiting = found == by_peer_.end() ? 0 : found->second;
    if (all_ + bytes > kUnreadBytesMax || waiting + bytes > kUnreadBytesPerConnectionMax) return false;
    by_peer_[peer] = waiting + bytes;
    all_ += bytes;
    return true;
  }
  void remove(const std::string& peer, std::size_t bytes) {
    const auto found = by_peer_.find(peer);
    all_ -= bytes;
    found->second -= bytes;
    if (found->second == 0) by_peer_.erase(found);
  }

 private:
  std::unordered_map<std::string, std::size_t> by_peer_;
  std::size_t all_ = 0;
};

class Call;

/// What the calls share. The map is the loop's; it holds a call from its first work on the loop until its Finish, and a
/// reactor cannot be done before its Finish: so a pointer found in the map is alive.
struct Shared {
  const Router& router;
  Executor& loop;
  DoorOptions options;
  std::atomic<std::uint64_t> next_number{1};
  std::atomic<std::size_t> pending{0};
  std::unordered_map<std::uint64_t, Call*> calls;  // loop
  UnreadReplies unread;                            // loop
};

/// One RPC. gRPC owns its life: it deletes itself in OnDone, which comes after its one Finish.
class Call final : public grpc::ServerGenericBidiReactor {
 public:
  Call(std::shared_ptr<Shared> shared, grpc::GenericCallbackServerContext* context)
      : shared_(std::move(shared)), context_(context), number_(shared_->next_number.fetch_add(1)) {
    counted_ = true;
    const auto before = shared_->pending.fetch_add(1);
    const auto found = shared_->router.methods.find(context->method());
    if (found == shared_->router.methods.end()) {
      Finish({grpc::StatusCode::UNIMPLEMENTED, shared_->router.unknown_text(context->method())});
    } else if (before >= kPendingCallsMax) {
      Finish({grpc::StatusCode::RESOURCE_EXHAUSTED, fmt::format("more than {} calls are open", kPendingCallsMax)});
    } else if (!admitted(found->second)) {
      Finish({grpc::StatusCode::UNAUTHENTICATED,
              found->second.trusted
                  ? "this method is answered on the Unix socket of the data folder, or with its token as bearer"
                  : "this server wants its API key or access token as bearer"});
    } else {
      method_ = &found->second;
      StartRead(&incoming_);
    }
  }

  // On gRPC's threads.
  void OnReadDone(bool ok) override;
  void OnCancel() override;
  void OnWriteDone(bool ok) override;
  void OnDone() override {
    if (counted_) shared_->pending.fetch_sub(1);
    if (unread_bytes_ > 0) {
      shared_->loop.post(
          [shared = shared_, peer = peer_, bytes = unread_bytes_] { shared->unread.remove(peer, bytes); });
    }
    delete this;
  }
  /// OnDone and OnCancel above do next to nothing: they need no thread of gRPC's executor of their own, which would
  /// cost a wake-up a call (measured: a tenth of the server's CPU).
  bool InternalInlineable() override { return true; }

  // On the loop.
  bool write(const google::protobuf::MessageLite& message);
  void finish(const PortStatus& status);
  void reply(const google::protobuf::MessageLite& message);
  void written(bool ok);
  bool cancelled() const { return cancelled_.load(); }

 private:
  /// The token opens everything, the API key all but our own service; without either set, Temporal's service is open.
  bool admitted(const Method& method) const {
    const auto& options = shared_->options;
    const bool closed = method.trusted || options.require_token || !options.api_key.empty();
    if (!closed || method.anonymous || context_->peer().rfind("unix:", 0) == 0) return true;
    const auto& headers = context_->client_metadata();
    const auto found = headers.find("authorization");
    if (found == headers.end()) return false;
    const std::string_view sent(found->second.data(), found->second.size());
    if (!options.token.empty() && same_text("Bearer " + options.token, sent)) return true;
    return !method.trusted && !options.api_key.empty() && same_text("Bearer " + options.api_key, sent);
  }
  std::optional<Timestamp> deadline() const {
    const auto at = context_->deadline();
    if (at == std::chrono::system_clock::time_point::max()) return std::nullopt;
    return std::chrono::time_point_cast<Nanos>(at);
  }
  void end(const grpc::Status& status);
  void send_next();
  bool queue(const google::protobuf::MessageLite& message);

  std::shared_ptr<Shared> shared_;  // shared with the door: calls may end after it closed
  grpc::GenericCallbackServerContext* context_;
  const std::uint64_t number_;
  const Method* method_ = nullptr;
  bool counted_ = false;
  bool begun_ = false;  // a message came; gRPC's threads, one read at a time
  grpc::ByteBuffer incoming_;
  std::atomic<bool> cancelled_{false};
  // The loop's.
  std::deque<grpc::ByteBuffer> outgoing_;
  bool writing_ = false;
  std::optional<grpc::Status> ending_;
  std::string peer_;  // set with the first byte of:
  std::size_t unread_bytes_ = 0;
};

/// Names a call by number, never by its reactor: answers of a call that is over are dropped.
class NumberedAnswer final : public Answer {
 public:
  NumberedAnswer(std::shared_ptr<Shared> shared, std::uint64_t number) : shared_(std::move(shared)), number_(number) {}
  bool write(const google::protobuf::MessageLite& message) override {
    const auto found = shared_->calls.find(number_);
    return found != shared_->calls.end() && found->second->write(message);
  }
  void finish(const PortStatus& status) override {
    const auto found = shared_->calls.find(number_);
    if (found != shared_->calls.end()) found->second->finish(status);
  }
  void reply(const google::protobuf::MessageLite& message) override {
    const auto found = shared_->calls.find(number_);
    if (found != shared_->calls.end()) found->second->reply(message);
  }
  bool open() const override { return shared_->calls.contains(number_); }

 private:
  std::shared_ptr<Shared> shared_;
  std::uint64_t number_;
};

void Call::OnReadDone(bool ok) {
  auto shared = shared_;
  const auto number = number_;
  if (!ok) {
    const bool nothing_came = !begun_;
    shared->loop.post([shared, this, number, nothing_came] {
      if (nothing_came) shared->calls.emplace(number, this);
      const auto found = shared->calls.find(number);
      if (found == shared->calls.end()) return;
      PortStatus status;
      if (nothing_came) status = {kGrpcInternal, "the call came without a message", {}, {}};
      found->second->finish(status);
    });
    return;
  }
  const bool first = !begun_;
  begun_ = true;
  auto answer = std::make_shared<NumberedAnswer>(shared, number);
  OnLoop work;
  if (incoming_.Length() > kRequestBytesMax) {
    PortStatus status{
        kGrpcResourceExhausted,
        fmt::format("grpc: received message larger than max ({} vs. {})", incoming_.Length(), kRequestBytesMax),
        {},
        {}};
    work = [answer, status] { answer->finish(status); };
  } else {
    const grpc::Slice whole = whole_of(incoming_);
    incoming_.Clear();
    const std::string_view bytes(reinterpret_cast<const char*>(whole.begin()), whole.size());
    work = method_->serve({{number, deadline()}, bytes, answer});
  }
  const bool again = method_->many_requests;
  shared->loop.post([shared, this, number, first, again, work = std::move(work)] {
    if (first) {
      shared->calls.emplace(number, this);  // alive: nothing has finished it yet
      if (cancelled()) return end(grpc::Status::CANCELLED);
    }
    work();
    if (again && shared->calls.contains(number)) StartRead(&incoming_);
  });
}

void Call::OnCancel() {
  cancelled_.store(true);
  auto shared = shared_;
  const auto number = number_;
  shared->loop.post([shared, number] {
    const auto found = shared->calls.find(number);
    if (found == shared->calls.end()) return;
    auto* call = found->second;
    if (shared->router.cancelled) shared->router.cancelled(number);
    call->end(grpc::Status::CANCELLED);
  });
}

void Call::OnWriteDone(bool ok) {
  auto shared = shared_;
  const auto number = number_;
  shared->loop.post([shared, number, ok] {
    const auto found = shared->calls.find(number);
    if (found != shared->calls.end()) found->second->written(ok);
  });
}

/// The next message to go out. False: too much waits for readers, and the call ends with that.
bool Call::queue(const google::protobuf::MessageLite& message) {
  grpc::ByteBuffer buffer = to_buffer(message);
  const std::size_t bytes = buffer.Length();
  if (bytes >= kUnreadCountsFrom) {
    if (peer_.empty()) peer_ = context_->peer();
    if (!shared_->unread.add(peer_, bytes)) {
      finish({kGrpcResourceExhausted, "too many replies wait to be read by their callers", {}, {}});
      return false;
    }
    unread_bytes_ += bytes;
  }
  outgoing_.push_back(std::move(buffer));
  return true;
}

bool Call::write(const google::protobuf::MessageLite& message) {
  if (ending_ || !queue(message)) return false;
  if (!writing_) send_next();
  return true;
}

void Call::send_next() {
  writing_ = true;
  StartWrite(&outgoing_.front());
}

void Call::written(bool ok) {
  writing_ = false;
  const std::size_t sent = outgoing_.front().Length();
  if (sent >= kUnreadCountsFrom) {
    shared_->unread.remove(peer_, sent);
    unread_bytes_ -= sent;
  }
  outgoing_.pop_front();
  if (!ok) return end(grpc::Status::CANCELLED);
  if (!outgoing_.empty()) return send_next();
  if (ending_) end(*ending_);
}

void Call::finish(const PortStatus& status) {
  if (ending_) return;
  if (!writing_) return end(to_grpc(status));
  ending_ = to_grpc(status);
}

void Call::reply(const google::protobuf::MessageLite& message) {
  if (writing_ || ending_) {
    if (write(message)) finish({});
    return;
  }
  if (!queue(message)) return;
  shared_->calls.erase(number_);
  StartWriteAndFinish(&outgoing_.front(), grpc::WriteOptions(), grpc::Status::OK);  // counts as its Finish
}

void Call::end(const grpc::Status& status) {
  shared_->calls.erase(number_);
  Finish(status);  // the reactor may be gone when this returns
}

class Generic final : public grpc::CallbackGenericService {
 public:
  explicit Generic(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Call(shared_, context);
  }

 private:
  std::shared_ptr<Shared> shared_;
};

class GrpcDoor final : public Door {
 public:
  explicit GrpcDoor(std::shared_ptr<Shared> shared) : shared_(std::move(shared)), service_(shared_) {}
  ~GrpcDoor() override {
    close(std::chrono::milliseconds{0});
    if (!shared_->options.socket.empty()) ::unlink(shared_->options.socket.c_str());
  }

  Result<> start() {
    const auto& options = shared_->options;
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
    if (!options.socket.empty()) {
      ::unlink(options.socket.c_str());  // left by a killed server; the data folder's lock says nobody listens there
      builder.AddListeningPort("unix:" + options.socket, grpc::InsecureServerCredentials());
    }
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || (!options.address.empty() && port == 0)) {
      return fail(Code::kConflict, fmt::format("cannot listen on {}{}{}: in use, or not an address of this machine",
                                               options.address, options.socket.empty() ? "" : " and ", options.socket));
    }
    if (!options.socket.empty()) ::chmod(options.socket.c_str(), S_IRUSR | S_IWUSR);
    if (!options.address.empty())
      address_ = options.address.substr(0, options.address.rfind(':') + 1) + std::to_string(port);
    return {};
  }

  std::string address() const override { return address_; }
  std::string socket() const override { return shared_->options.socket; }
  void close(std::chrono::milliseconds grace) override {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    server_.reset();
  }

 private:
  std::shared_ptr<grpc::ServerCredentials> credentials() const {
    const auto& options = shared_->options;
    if (options.tls_cert.empty()) return grpc::InsecureServerCredentials();
    grpc::SslServerCredentialsOptions tls(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    tls.pem_key_cert_pairs.push_back({options.tls_key, options.tls_cert});
    return grpc::SslServerCredentials(tls);
  }

  std::shared_ptr<Shared> shared_;
  Generic service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace

Result<std::unique_ptr<Door>> Door::open(const Router& router, Executor& loop, DoorOptions options) {
  if (options.socket.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return fail(
        Code::kInvalid,
        fmt::format("the path {} is too long for a Unix socket ({} characters at most): use a shorter data folder",
                    options.socket, sizeof(sockaddr_un{}.sun_path) - 1));
  }
  TRY_VOID(check_certificate(options.tls_cert, options.tls_key));
  if (!options.address.empty() && !is_loopback(options.address) && !options.insecure_public &&
      (options.tls_cert.empty() || options.api_key.empty())) {
    return fail(Code::kInvalid,
                fmt::format("{} can be reached from other machines: that needs --tls-cert and --tls-key and "
                            "--api-key-file, or --insecure-public to say that it is meant",
                            options.address));
  }
  auto shared = std::make_shared<Shared>(router, loop, std::move(options));
  auto door = std::make_unique<GrpcDoor>(std::move(shared));
  TRY_VOID(door->start());
  return std::unique_ptr<Door>(std::move(door));
}

}  // namespace callimport::api
