#pragma once
// What an activity sees: who called it, a heartbeat, and whether it should stop. Activities touch the world; they are
// idempotent, cancellable and bounded by a deadline. Input, result and details are JSON text.
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "engine/awaitable.h"
#include "storage/model/time.h"

namespace callimport::engine {

struct ActivityInfo {
  std::string name_space{}, workflow_id{}, run_id{}, workflow_type{}, activity_id{}, activity_type{}, task_queue{};
  int attempt = 1;
  Timestamp scheduled{}, started{};
  std::optional<Timestamp> deadline{};  ///< of this attempt (start-to-close), if any
  std::string heartbeat_details{};      ///< JSON text of the last attempt's last heartbeat; empty: none
};

class ActivityContext {
 public:
  virtual ~ActivityContext() = default;
  virtual const ActivityInfo& info() const = 0;
  /// Cheap; sent at most every heartbeat-timeout x 0.8, the newest details win.
  virtual void heartbeat(std::string details) = 0;
  /// Cancellation was requested, the run is gone, or the worker stops: return `cancelled` soon.
  virtual bool cancelled() const = 0;
};

/// Why an attempt did not succeed.
struct ActivityError {
  std::string type{};     ///< e.g. platform.rate_limited; the retry policy may list it
  std::string message{};  ///< no secrets
  bool non_retryable = false;
  std::optional<Nanos> next_retry_delay{};  ///< overrides the policy's interval
  std::string details{};                    ///< JSON text
  bool cancelled = false;                   ///< answers a cancellation; other fields but details are ignored
};
using ActivityResult = tl::expected<std::string, ActivityError>;

/// `context` outlives the coroutine; other parameters are by value.
using ActivityFunction = std::function<Awaitable<ActivityResult>(ActivityContext& context, std::string input)>;

}  // namespace callimport::engine
