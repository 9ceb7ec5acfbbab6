#pragma once
// Whether a request comes from Slack: its v0 signature over time and body, not older than five minutes, seen once.
#include <map>
#include <string>
#include <string_view>

#include "storage/model/result.h"
#include "storage/model/time.h"

namespace callimport::api {

inline constexpr std::chrono::minutes kSlackAgeMax{5};  ///< also of a clock that is ahead
inline constexpr std::size_t kSlackSeenMax = 10'000;    ///< signatures of that time; beyond it all are refused

/// Threads: one at a time.
class SlackSignatures {
 public:
  /// @param secret  the app's signing secret
  explicit SlackSignatures(std::string secret) : secret_(std::move(secret)) {}
  /// Good once: the same request again is refused.
  /// @param at         of X-Slack-Request-Timestamp
  /// @param signature  of X-Slack-Signature
  /// @error kInvalid  in words for the log: missing, old, forged, replayed. Never shows the secret.
  Result<> check(std::string_view at, std::string_view signature, std::string_view body, Timestamp now);

 private:
  std::string secret_;
  std::map<std::string, Timestamp, std::less<>> seen_;  ///< until when a replay would still be young enough
};

/// v0=HEX, as Slack signs a body.
std::string slack_signature(std::string_view secret, std::string_view at, std::string_view body);

}  // namespace callimport::api
