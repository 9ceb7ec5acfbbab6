#pragma once
// What every vendor's refusals have in common, so that a connector only says where it differs.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "activities/http/http.h"
#include "activities/platforms/trouble.h"

namespace callimport::activities {

inline constexpr Nanos kRetryUnsaid = std::chrono::seconds{10};  ///< a 429 that does not say when
inline constexpr Nanos kChangedAnswerWait =
    std::chrono::minutes{15};  ///< before a page that is not what it was is asked for again
inline constexpr Nanos kAccessRetryMax = std::chrono::hours{24};  ///< a vendor may not send us further away than this

/// 429, 5xx and 408; nullopt for every other status. 429: Again up to kShortWaitMax, Wait beyond. 5xx:
/// Again{platform.outage}, or Wait where it asks for longer. How many such answers in a row make an outage is the
/// caller's to count.
std::optional<Trouble> read_delay(const HttpReply& reply, Timestamp now);
/// Retry-After in seconds or as an HTTP date, never negative, at most kAccessRetryMax; nullopt when absent or neither.
std::optional<Nanos> read_retry_after(const HttpReply& reply, Timestamp now);
/// Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110, 5.6.7)
std::optional<Timestamp> read_http_date(std::string_view text);
/// An answer that is not of the documented form: asked for again after kChangedAnswerWait.
Wait changed_answer(std::string message, Timestamp now);
/// Parses a 200's body.  Trouble: Wait{platform.changed_answer}, in words that show nothing of it.
Fetched<nlohmann::json> read_body(const HttpReply& reply, Timestamp now);
/// True for 8-4-4-4-12 lower- or upper-case hex digits.
bool is_uuid(std::string_view text);
/// Everything outside [0-9A-Za-z._~-] as %XX, so that an id stays one path segment whatever it holds.
std::string encode_path_segment(std::string_view text);

}  // namespace callimport::activities
