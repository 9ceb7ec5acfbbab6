#pragma once
// One import in the real house: a Grain sandbox behind a socket in this process, the real binary as server, and what
// must hold at the end whatever happened on the way.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "api/cli/client.h"
#include "api/proto/callimport/v1/callimport.pb.h"
#include "simulations/sandboxes/grain.h"
#include "simulations/sandboxes/server.h"
#include "tests/spine/process.h"

namespace callimport::tests {

namespace v1 = ::callimport::v1;

/// Counts and keeps what was asked, and calls `at` when the armed request comes in, before it is answered.
class WatchedSandbox final : public simulations::Sandbox {
 public:
  explicit WatchedSandbox(simulations::GrainOptions options);
  simulations::SandboxReply handle(const simulations::SandboxRequest& request, Timestamp now) override;
  const simulations::CallSource& calls() const { return grain_->calls(); }

  struct Asked {
    std::string call, path;
  };
  std::size_t asked() const;
  std::vector<Asked> asked_since(std::size_t from) const;
  /// After `more` further requests `at` runs, once, on the sandbox's thread. 0 disarms.
  void arm(std::size_t more, std::function<void()> at);

 private:
  std::unique_ptr<simulations::GrainSandbox> grain_;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::size_t armed_at_ = 0;
  std::function<void()> at_;
};

class House {
 public:
  /// @param expire_after  requests the first token is good for; 0: for ever
  House(std::uint64_t calls, std::uint64_t seed, std::uint64_t expire_after = 0);

  /// Starts the server and waits until it answers. False: it ended before (killed by its own switch).
  bool serve(std::uint64_t die_after_commits = 0);
  /// The same as the worker of a cluster.
  bool work(const std::string& temporal);
  Process& server() { return *server_; }
  Ran verb(std::vector<std::string> args, std::string input = {});
  /// Adds the credential once and asks for the import; the same request id however often it is called.
  Ran start(const std::vector<std::string>& more = {});
  const std::string& import() const { return import_; }
  /// `credentials renew` with a token that the sandbox takes from then on.
  Ran renew_token();

  /// Follows the import until it is closed (true) or the server is gone (false).
  bool follow();
  /// Follows until the server's notice holds `words`; false when the stream ends before.
  bool follow_to_notice(const std::string& words);
  template <class Request, class Response>
  engine::PortStatus ask(const std::string& method, const Request& request, Response& response) {
    return client().call("/callimport.v1.CallImportService/" + method, request, response, std::chrono::seconds{30});
  }
  std::set<std::string> registered();  ///< source ids, of the manifest, now; empty when nothing answers
  /// Everything the issue asks of the end.
  void expect_whole();
  /// No request of the log at or after `from` names one of `calls` with its media.
  void expect_not_fetched_again(const std::set<std::string>& calls, std::size_t from);

  WatchedSandbox& sandbox() { return *sandbox_; }
  const Scratch& scratch() const { return scratch_; }
  std::string data() const { return scratch_ / "data"; }

 private:
  api::Client& client();
  bool launch(std::vector<std::string> args);

  Scratch scratch_;
  std::unique_ptr<WatchedSandbox> sandbox_;
  std::unique_ptr<simulations::SandboxServer> listening_;
  std::unique_ptr<Process> server_;
  std::unique_ptr<api::Client> client_;
  std::string import_, credential_;
};

}  // namespace callimport::tests
