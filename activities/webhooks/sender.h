#pragma once
// Carries messages to the endpoints of others. At least once: an attempt is written down after its answer, so one that
// a death came between is sent again, under the same id. Endpoints wait for nobody but themselves, and no import for
// them.
#include <functional>
#include <memory>
#include <string>

#include "activities/http/http.h"
#include "activities/webhooks/outbox.h"
#include "storage/library/library.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"
#include "storage/runtime/random.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

inline constexpr Nanos kAnswerTimeout = std::chrono::seconds{20};  ///< the whole exchange
inline constexpr std::size_t kAnswerBytesMax = 16u << 10;          ///< what follows is not read
inline constexpr int kAtOnceOfOne = 4, kAtOnceOfAll = 32;          ///< requests under way, to one endpoint and to all
inline constexpr auto kCallsLinger = std::chrono::seconds{5};      ///< calls wait so long for company
inline constexpr auto kAfterDiskTrouble = std::chrono::seconds{30};

struct SenderParts {
  storage::Library& library;
  storage::Vault& vault;
  Http& http;  ///< guarded: endpoints are other people's words
  Executor& loop;
  Pool& pool;
  Clock& clock;
  Random& random;
  PayloadSource source;
};

/// Threads: the loop. Lifetime: what `parts` names outlives it.
class WebhookSender {
 public:
  explicit WebhookSender(SenderParts parts);
  ~WebhookSender();
  WebhookSender(const WebhookSender&) = delete;
  WebhookSender& operator=(const WebhookSender&) = delete;

  void start();
  /// Something was stored: look now.
  void wake();
  /// No new requests; what is under way ends by itself and is written down if it still can be.
  void stop();
  /// Sends a message that is there at once, whatever its state and its endpoint's. `done` comes on the loop.
  /// @error kNotFound  no such endpoint or message.
  void send_now(std::string webhook, std::string message, std::function<void(Result<storage::WebhookAttempt>)> done);

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;  // shared with requests under way, which may outlive us
};

}  // namespace callimport::activities
