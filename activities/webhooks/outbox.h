#pragma once
// What is new in the library becomes messages: for each endpoint from where it stands, a bounded number at a time. An
// endpoint that takes nothing keeps its place and costs no more rows, however long it is away. Pure over a transaction.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "activities/webhooks/payload.h"
#include "storage/library/library.h"
#include "storage/runtime/random.h"

namespace callimport::activities {

inline constexpr int kNewsQueuedMax = 200;        ///< messages of records that wait for one endpoint
inline constexpr int kCallMessagesQueuedMax = 4;  ///< of calls: at kCallsPerMessage each
inline constexpr int kMessagesKept = 500;         ///< of an endpoint's that have ended: its log
inline constexpr int kEndpointsMax = 100;

/// Calls come in ones and twos: fewer than a full message's wait for company.
enum class Calls : std::uint8_t { kFull, kAll };

struct Refilled {
  bool calls_wait = false;  ///< some are new, fewer than a message's
  bool more = false;        ///< there was more than one go takes: come again
};
/// Fills the queue of every enabled endpoint. In a transaction of the library.
Result<Refilled> refill(storage::LibraryTx& tx, const PayloadSource& source, Random& random, Calls calls,
                        std::int64_t now_ms);

/// How an attempt ended, in the receiver's words.
struct Outcome {
  int status = 0;     ///< 0: no answer
  std::string error;  ///< empty: it arrived
  std::int64_t retry_after_s = 0;
};
/// What an answer amounts to: 2xx has arrived, all else has not, a redirect neither.
Outcome judge(int status, std::string_view retry_after);

/// Writes an attempt down, and what follows from it: the next one by the ladder (a test has none), or the endpoint's
/// end, which its owner is told in the same transaction. An endpoint or message that is gone meanwhile is success.
Result<> record_attempt(storage::LibraryTx& tx, const std::string& webhook, const std::string& message,
                        const storage::WebhookAttempt& attempt, const Outcome& outcome, std::uint64_t chance);

Result<std::optional<storage::Webhook>> find_webhook(storage::WebhookReads& reads, const std::string& id);
/// Switches it off, or on again: then what waits begins anew. The state it has already stays, with its reason.
Result<> switch_webhook(storage::LibraryTx& tx, storage::Webhook& webhook, bool on, const std::string& why,
                        std::int64_t now_ms);

}  // namespace callimport::activities
