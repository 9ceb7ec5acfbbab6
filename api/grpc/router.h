#pragma once
// What the gRPC door serves, without gRPC in it: a table of full method names and the functions behind them.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "api/roles.h"
#include "engine/workflow_service.h"

namespace google::protobuf {
class MessageLite;
}

namespace callimport::api {

using engine::CallContext;
using engine::PortStatus;

/// grpc::StatusCode's numbers, those we say ourselves.
enum Grpc : int {
  kGrpcOk = 0,
  kGrpcCancelled = 1,
  kGrpcUnknown = 2,
  kGrpcInvalidArgument = 3,
  kGrpcDeadlineExceeded = 4,
  kGrpcNotFound = 5,
  kGrpcAlreadyExists = 6,
  kGrpcPermissionDenied = 7,
  kGrpcResourceExhausted = 8,
  kGrpcFailedPrecondition = 9,
  kGrpcUnimplemented = 12,
  kGrpcInternal = 13,
  kGrpcUnavailable = 14,
  kGrpcDataLoss = 15,
  kGrpcUnauthenticated = 16,
};
/// Of a call that was refused or failed: what it is called here, for whoever asks about it. In the log, too.
inline constexpr const char* kRequestIdTrailer = "request-id";

/// Each code of ours as one gRPC status. @return ok for no error is the caller's business.
PortStatus status_of(const Error& error);

/// The answers of one call. Threads: the loop. After `finish`, or once the call was cancelled, everything is dropped.
class Answer {
 public:
  virtual ~Answer() = default;
  /// A message of a stream, or the only one. @return false once the caller is gone.
  virtual bool write(const google::protobuf::MessageLite& message) = 0;
  virtual void finish(const PortStatus& status) = 0;
  /// The only message and OK, in one frame.
  virtual void reply(const google::protobuf::MessageLite& message) = 0;
  /// False once the caller is gone.
  virtual bool open() const = 0;
};

/// One incoming message. `bytes` is read during the call only.
struct Incoming {
  CallContext context;
  std::string_view bytes;
  std::shared_ptr<Answer> answer;  ///< shared: the handler's callbacks and the call's own entry
  Caller caller{};
};

/// Work to be done on the loop once the request was decoded.
using OnLoop = std::function<void()>;

struct Method {
  /// Decodes on a gRPC thread and returns what is to be done on the loop; that work ends in answer->finish.
  std::function<OnLoop(Incoming incoming)> serve;
  bool trusted = false;                   ///< wants the Unix socket or the token
  bool anonymous = false;                 ///< answered to anybody: health, which probes ask without a key
  MethodRole needs{{}, Role::kNone, {}};  ///< of whoever calls, where the configuration gives roles
  bool reads_features = false;            ///< CallContext::follows_runs is as the client's `supported-features` say
  bool many_requests = false;  ///< every message of the client comes to `serve`; the call ends when the client is done
};

struct Router {
  std::map<std::string, Method, std::less<>> methods;  ///< "/package.Service/Method"
  std::set<std::string, std::less<>> services;         ///< known services, for the text of an unknown method
  /// The loop, after the caller went away.
  std::function<void(std::uint64_t call)> cancelled;

  /// Gives every method its role; after the last one was added.
  void set_roles();
  /// Rows of roles and methods of callimport.v1 are the same.  @error kInvalid  a row without a method, a method
  /// without a row: a bug of ours, told at start.
  Result<> check_roles() const;

  /// The text of conformance A2 for a name that is not in `methods`.
  std::string unknown_text(std::string_view full_method) const;
};

}  // namespace callimport::api
