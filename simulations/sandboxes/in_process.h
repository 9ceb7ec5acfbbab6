#pragma once
// A sandbox as our Http, in process: no socket, and time is the Clock's, so a suite of troubles runs in virtual time.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activities/http/http.h"
#include "simulations/sandboxes/sandbox.h"
#include "storage/runtime/clock.h"

namespace callimport::simulations {

inline constexpr std::size_t kInProcessPieceBytes = 16u << 10;  ///< a streamed body arrives in pieces of this size

/// Every URL goes to the one sandbox, whatever its host. Delays pass on `clock`; a refused answer, a cut body and an
/// answer later than the request's timeout are kUnavailable, as the header of Http says. Threads: the loop of `clock`.
/// Lifetime: sandbox and clock outlive it; when it goes, requests under way end as kCancelled.
class SandboxHttp final : public activities::Http {
 public:
  /// Asked before each request with its number (1, 2, ...): an error is what the request ends with; the sandbox never
  /// sees it.
  using Fault = std::function<std::optional<Error>(std::uint64_t number)>;

  SandboxHttp(Sandbox& sandbox, Clock& clock);
  ~SandboxHttp() override;
  SandboxHttp(const SandboxHttp&) = delete;
  SandboxHttp& operator=(const SandboxHttp&) = delete;

  engine::Awaitable<Result<activities::HttpReply>> send(activities::HttpRequest request) override;

  void set_fault(Fault fault) { fault_ = std::move(fault); }
  std::uint64_t requests() const { return requests_; }
  /// What the sandbox answered, oldest first, when switched on.
  void keep_log() { keeps_log_ = true; }
  const std::vector<SandboxLogEntry>& log() const { return log_; }

 private:
  SandboxReply ask(const activities::HttpRequest& request);

  Sandbox& sandbox_;
  Clock& clock_;
  Fault fault_;
  std::uint64_t requests_ = 0;
  bool keeps_log_ = false;
  std::vector<SandboxLogEntry> log_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // shared with requests that wait out a delay
};

}  // namespace callimport::simulations
