#pragma once
// One connection to a server, without gRPC in the header. Calls block the terminal's one thread; Ctrl-C ends them.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/connection.h"
#include "engine/workflow_service.h"
#include "storage/model/result.h"

namespace google::protobuf {
class MessageLite;
}

namespace callimport::api {

/// A server's stream being read. Dropping it cancels the call.
class ClientStream {
 public:
  enum class Next { kMessage, kEnd, kTimeout, kInterrupted };
  virtual ~ClientStream() = default;
  virtual Next next(google::protobuf::MessageLite& into, std::chrono::milliseconds timeout) = 0;
  virtual engine::PortStatus status() = 0;  ///< after kEnd
};

/// Threads: one. Nothing is sent before the first call.
class Client {
 public:
  static std::unique_ptr<Client> create(Connection connection);
  virtual ~Client() = default;
  /// `method`: /package.Service/Method. Status code 1 (CANCELLED) with the text "interrupted" after Ctrl-C.
  virtual engine::PortStatus call(std::string_view method, const google::protobuf::MessageLite& request,
                                  google::protobuf::MessageLite& reply, std::chrono::milliseconds timeout) = 0;
  virtual std::unique_ptr<ClientStream> stream(std::string_view method,
                                               const google::protobuf::MessageLite& request) = 0;
  /// True as soon as the server answers; false when `timeout` ran out or Ctrl-C came.
  virtual bool wait_connected(std::chrono::milliseconds timeout) = 0;
  /// What the server calls the last call or stream that it refused or failed, as in its log; empty: it did not say.
  virtual std::string failed_request() const = 0;
};

/// Ctrl-C sets a flag that every wait of the client looks at; a second one ends the program.
void watch_for_interrupt();
bool interrupted();
/// Waits; false as soon as Ctrl-C came.
bool wait_a_while(std::chrono::milliseconds duration);

}  // namespace callimport::api
