#pragma once
// The calls of a gRPC server, without generated service code: one thread speaks to gRPC, the loop answers. What passes
// between the two goes in batches, so that a turn of the loop costs one wake-up and not one an answer.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "api/grpc/admission.h"
#include "api/grpc/door.h"
#include "api/grpc/router.h"
#include "storage/runtime/executor.h"

namespace callimport::api {

class Call;
class Desk;

/// Bytes of replies that were handed to gRPC and not yet taken from it, by connection.
class UnreadReplies {
 public:
  /// False: too many wait already.
  bool add(const std::string& peer, std::size_t bytes);
  void remove(const std::string& peer, std::size_t bytes);

 private:
  std::unordered_map<std::string, std::size_t> by_peer_;
  std::size_t all_ = 0;
};

/// Threads: the owner's for everything public; inside, a thread of its own from `serve` to `close`. Lifetime: `router`,
/// `loop` and `options` outlive it; answers may be given after it is gone, and are dropped.
class Calls {
 public:
  Calls(const Router& router, Executor& loop, const DoorOptions& options);
  ~Calls();  ///< closes
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  Peers& peers() { return peers_; }
  void join(grpc::ServerBuilder& builder);  ///< before it builds the server
  void serve();                             ///< once the server is there
  void close();                             ///< after its Shutdown, or when it could not be built

 private:
  friend class Call;
  void run();
  void handle(void* tag, bool ok);
  void take_mail();
  void accept();
  void to_loop(Task work) { inbox_.push_back(std::move(work)); }
  void hand_over();

  const Router& router_;
  Executor& loop_;
  const DoorOptions& options_;
  Peers peers_;
  Admission admission_;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::shared_ptr<Desk> desk_;  // shared with the answers on the loop, which may outlive us
  std::thread thread_;

  // The thread's.
  std::unordered_map<std::uint64_t, std::unique_ptr<Call>> calls_;
  std::uint64_t last_number_ = 0;
  std::size_t open_ = 0;  ///< of `calls_`, those that came
  bool closing_ = false;  ///< nothing may be asked of gRPC any more
  UnreadReplies unread_;
  std::vector<Task> inbox_;  ///< what the loop is to do
};

}  // namespace callimport::api
