#pragma once
// The link in a mail that ends such mails (RFC 8058). Whoever holds it may do that one thing for that one person and
// import, and nothing else: it is signed, names nobody readably to others, and needs no sign-in. Opening it changes
// nothing, since mail gateways open links; only a POST does.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "activities/notify/message.h"
#include "storage/model/result.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

/// What a link ends: messages to a person about an import; without an import those of an event.
struct Unsubscribe {
  std::string person, import, event = {};
  std::int64_t until_ms = 0;  ///< the link works until then; 0: for ever
  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

inline constexpr std::size_t kUnsubscribeTokenMax = 1'024;
inline constexpr std::string_view kUnsubscribePath = "/unsubscribe/";  ///< the token follows

/// @param key  32 bytes, the installation's own
std::string make_unsubscribe(const storage::Secret& key, const Unsubscribe& what);
/// @error kInvalid  not one that `key` signed, or cut off on its way
Result<Unsubscribe> read_unsubscribe(const storage::Secret& key, std::string_view token);

/// What the link of a message ends, the same at each attempt to send it; nothing: it has none, a test for one.
inline constexpr std::int64_t kUnsubscribeDays = 400;
std::optional<Unsubscribe> unsubscribe_of(const Message& message);

/// What the HTTP door is asked, and answers.
struct UnsubscribeAsk {
  std::string_view method, token, body;
  std::int64_t now_ms = 0;
};
struct UnsubscribeReply {
  int status = 200;
  std::string html;                 ///< without script, image or link to elsewhere
  std::optional<Unsubscribe> done;  ///< to be written down before the answer goes
};
/// GET or HEAD: a page with a button. POST with the body of one click, or of that button: it is done. Without it: 400.
/// A link that is none: 404, one that is too old: 410. Other methods: 405.
UnsubscribeReply answer_unsubscribe(const storage::Secret& key, const UnsubscribeAsk& ask);
/// When it could not be written down: 503, with what to do.
UnsubscribeReply unsubscribe_failed();

}  // namespace callimport::activities
