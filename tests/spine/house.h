#pragma once
// One import in the real house: a Grain sandbox behind a socket in this process, the real binary as server, and what
// must hold at the end whatever happened on the way.
#include <atomic>
#include <functional>
#include <map>
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

/// Counts what was asked, and calls `at` when the armed request comes in, before it is answered.
class WatchedSandbox final : public simulations::Sandbox {
 public:
  explicit WatchedSandbox(simulations::GrainOptions options);
  simulations::SandboxReply handle(const simulations::SandboxRequest& request, Timestamp now) override;
  const simulations::CallSource& calls() const { return grain_->calls(); }

  std::size_t asked() const;
  /// After `more` further requests `at` runs, once, on the sandbox's thread. 0 disarms.
  void arm(std::size_t more, std::function<void()> at);

 private:
  std::unique_ptr<simulations::GrainSandbox> grain_;
  mutable std::mutex mutex_;
  std::size_t asked_ = 0;
  std::size_t armed_at_ = 0;
  std::function<void()> at_;
};

/// One line of the sandbox's requests.jsonl.
struct LoggedRequest {
  std::int64_t at_ms = 0;
  std::string call, path;
  int status = 0;
};
/// A line that is none fails the test.
std::vector<LoggedRequest> read_request_log(const std::string& path);
/// Media requests made after the fetch that the call was registered from, as sentences. `fetched_ms`: of each
/// registered call, when that fetch ended. Whatever was killed in between, there should be none.
std::vector<std::string> fetched_again(const std::vector<LoggedRequest>& log,
                                       const std::map<std::string, std::int64_t>& fetched_ms);

class House {
 public:
  /// @param expire_after  requests the first token is good for; 0: for ever
  House(std::uint64_t calls, std::uint64_t seed, std::uint64_t expire_after = 0);
  /// With another sandbox; the credential is then the test's to add.
  explicit House(simulations::GrainOptions options);
  static simulations::GrainOptions options_for(std::uint64_t calls, std::uint64_t seed);

  /// Starts the server and waits until it answers. False: it ended before (killed by its own switch).
  bool serve(std::uint64_t die_after_commits = 0);
  /// The same as the worker of a cluster.
  bool work(const std::string& temporal);
  Process& server() { return *server_; }
  const std::string& ready() const { return ready_; }  ///< the line of JSON with its addresses
  Ran verb(std::vector<std::string> args, std::string input = {});
  /// Adds the credential once and asks for the import; the same request id however often it is called.
  Ran start(const std::vector<std::string>& more = {});
  const std::string& import() const { return import_; }
  const std::string& credential() const { return credential_; }
  /// For `start`, instead of one that it adds.
  void use(const std::string& credential) { credential_ = credential; }
  /// Flags of every server started from now on.
  void log_at(const std::string& level) { log_level_ = level; }
  /// `credentials renew` with a token that the sandbox takes from then on.
  Ran renew_token();

  /// Follows the import until it is closed (true) or the server is gone (false).
  bool follow();
  /// Follows until `seen` is true of what comes; false when the stream ends before.
  bool follow_until(const std::function<bool(const v1::WatchImportResponse&)>& seen);
  template <class Request, class Response>
  engine::PortStatus ask(const std::string& method, const Request& request, Response& response) {
    return client().call("/callimport.v1.CallImportService/" + method, request, response, std::chrono::seconds{30});
  }
  std::set<std::string> registered();  ///< source ids, of the manifest, now; empty when nothing answers
  /// Everything the issue asks of the end.
  void expect_whole();
  /// The log on disk, whole, shows no media of a registered call fetched again, and each call's media at least once.
  void expect_none_fetched_again();
  /// Of the server: commits of its journal so far.
  std::uint64_t journal_commits();

  WatchedSandbox& sandbox() { return *sandbox_; }
  const Scratch& scratch() const { return scratch_; }
  std::string base_url() const;  ///< of the sandbox
  std::string data() const { return scratch_ / "data"; }

 private:
  api::Client& client();
  bool launch(std::vector<std::string> args);

  Scratch scratch_;
  std::unique_ptr<WatchedSandbox> sandbox_;
  std::unique_ptr<simulations::SandboxServer> listening_;
  std::unique_ptr<Process> server_;
  std::unique_ptr<api::Client> client_;
  std::string import_, credential_, ready_, log_level_ = "warn";
};

}  // namespace callimport::tests
