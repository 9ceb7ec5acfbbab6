#pragma once
// Mail out: one message to one person, as RFC 5322 text and through a seam.
#include <string>
#include <vector>

#include "activities/notify/message.h"
#include "engine/awaitable.h"
#include "storage/model/result.h"
#include "storage/model/time.h"

namespace callimport::activities {

struct MailParty {
  std::string name;  ///< any text; may be empty
  std::string address;
};
/// `Ana <ana@example.test>` or the address alone.
MailParty parse_party(const std::string& text);

struct MailMessage {
  std::string id;       ///< stable: the same message has the same Message-ID, however often it is sent
  std::string answers;  ///< Message-ID of the thread's first, as `message_id` gave it; empty: this one is the first
  std::string list, list_name;      ///< one list an import (RFC 2919): its id, and what people call it; empty: no list
  MailParty from, to, reply_to;     ///< reply_to without an address: replies go to the sender
  std::string subject, text, html;  ///< UTF-8, lines by \n; anything may be in them
  std::string unsubscribe;          ///< an https address that takes a POST (RFC 8058); empty: none
};

/// The whole, CRLF, multipart/alternative with the text first, quoted-printable. Nothing in a name, a subject or an id
/// can begin a header of its own.
/// @error kInvalid  an address that is none: says whose
Result<std::string> write_mail(const MailMessage& message, Timestamp now);
/// Without < and >; its right side is the sender's domain.
std::string message_id(const MailMessage& message);

/// Threads: the loop. Never shows a password.
class Mail {
 public:
  virtual ~Mail() = default;
  /// The server has it; or `reason` holds its words. `ever_again` is false when it refused this receiver or this
  /// message for good (5xx to RCPT or DATA).
  virtual engine::Awaitable<tl::expected<void, Refused>> send(MailMessage message) = 0;
};

}  // namespace callimport::activities
