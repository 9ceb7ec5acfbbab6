#pragma once
// Mail out: one plain-text message, as RFC 5322 text and through a seam.
#include <string>
#include <vector>

#include "engine/awaitable.h"
#include "storage/model/result.h"
#include "storage/model/time.h"

namespace callimport::activities {

struct MailMessage {
  std::string id;      ///< stable: the same news has the same Message-ID, however often it is sent
  std::string thread;  ///< all messages of one import answer to it
  std::string from;
  std::vector<std::string> to;
  std::string subject, text;  ///< UTF-8, lines by \n; anything may be in it
};

/// The message with its headers, CRLF, quoted-printable. Nothing in a subject or an id can begin a header of its own.
/// @error kInvalid  an address with a control character, a space or none of `@`; no receiver.
Result<std::string> write_mail(const MailMessage& message, Timestamp now);
/// What an address is to an SMTP server: the part between < and >, or the whole.
std::string bare_address(const std::string& address);

/// Threads: the loop. @error kUnavailable  not accepted; kInvalid  as write_mail. Never shows a password.
class Mail {
 public:
  virtual ~Mail() = default;
  virtual engine::Awaitable<Result<>> send(MailMessage message) = 0;
};

}  // namespace callimport::activities
