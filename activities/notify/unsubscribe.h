#pragma once
// The link in a mail that ends such mails (RFC 8058). Whoever holds it may do that one thing for that one person and
// import, and nothing else: it is signed, names nobody readably to others, and needs no sign-in. Opening it changes
// nothing, since mail gateways open links; only a POST does.
#include <optional>
#include <string>
#include <string_view>

#include "storage/model/result.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

/// What a link ends: mails to a person about an import; an empty import: all mails that nobody must act on.
struct Unsubscribe {
  std::string person, import;
  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

inline constexpr std::size_t kUnsubscribeTokenMax = 1'024;
inline constexpr std::string_view kUnsubscribePath = "/unsubscribe/";  ///< the token follows

/// @param key  32 bytes, the installation's own
std::string make_unsubscribe(const storage::Secret& key, const Unsubscribe& what);
/// @error kInvalid  not one that `key` signed, or cut off on its way
Result<Unsubscribe> read_unsubscribe(const storage::Secret& key, std::string_view token);

/// What the HTTP door answers.
struct UnsubscribeReply {
  int status = 200;
  std::string html;                 ///< without script, image or link to elsewhere
  std::optional<Unsubscribe> done;  ///< to be written down before the answer goes
};
/// @param method  GET or HEAD: a page with a button. POST: with the body of one click or of that button, it is done.
///                Others: 405.
UnsubscribeReply answer_unsubscribe(const storage::Secret& key, std::string_view method, std::string_view token);

}  // namespace callimport::activities
