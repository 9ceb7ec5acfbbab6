#pragma once
// Slack's Web API as far as messages need it: one request a call, and what each answer means. A pure reader beside the
// sender, so that every answer Slack may give has a row in a test.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "activities/http/http.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

inline constexpr std::string_view kSlackApi = "https://slack.com/api/";
inline constexpr std::size_t kSlackReplyMax = 256u << 10;

/// What came of one call.
enum class SlackOutcome : std::uint8_t {
  kDone,
  kSlower,      ///< 429: not done; after `after`
  kUnclear,     ///< no answer, or one that does not say: it may be done
  kNotDone,     ///< not now; it may be, later
  kNoAccess,    ///< the token: nothing goes until a person acts
  kNoChannel,   ///< the channel or person is gone: never
  kNoMessage,   ///< the message to edit or to answer is gone
  kNotAsBlocks  ///< the blocks are not taken; the text may be
};
struct SlackAnswer {
  SlackOutcome outcome = SlackOutcome::kUnclear;
  std::string channel, ts;     ///< of the message, when done
  std::string reason;          ///< for the log: Slack's own word, and what to do; no secret
  std::optional<Nanos> after;  ///< Retry-After
  nlohmann::json body;         ///< the answer, when it is JSON
};
SlackAnswer read_slack_answer(const Result<HttpReply>& reply);

/// Threads: the loop. Lifetime: `http` outlives it and the calls under way.
class SlackApi {
 public:
  /// @param base  of the API, e.g. a sandbox's http://127.0.0.1:9302/api/; empty: Slack's own
  SlackApi(Http& http, storage::Secret token, std::string base);
  /// @param method  chat.postMessage, chat.update, ...
  engine::Awaitable<SlackAnswer> call(std::string method, nlohmann::json body);
  /// @param method  with its query: methods that read take no JSON
  engine::Awaitable<SlackAnswer> get(std::string method);

 private:
  HttpRequest request_for(std::string_view method) const;

  Http& http_;
  storage::Secret token_;
  std::string base_;
};

}  // namespace callimport::activities
