#pragma once
// Messages by mail, to people by their address: one thread an import, and one each for what must be acted on.
#include <functional>
#include <memory>
#include <string>

#include "activities/notify/channel.h"
#include "activities/notify/mail.h"
#include "activities/notify/templates.h"

namespace callimport::activities {

struct MailManners {
  MailParty from;
  std::string open_url;  ///< where an import is looked at, {import} being its id; empty: no such link
  /// Who answers for an import, whom replies reach; without an address: replies go to `from`. May be empty.
  std::function<MailParty(const storage::ImportRow& import)> owner;
  /// An https address that ends such mails for this reader; empty: none. May be empty.
  std::function<std::string(const Message& message)> unsubscribe;
};

/// Name: mail. A message's ref is its Message-ID, the same at each attempt. Lifetime: `mail`, `templates` outlive it.
std::unique_ptr<Channel> make_mail_channel(Mail& mail, const Templates& templates, MailManners manners);

/// The mail that a message becomes.  @error kNotFound  there are no words for it
struct MadeMail {
  MailMessage mail;
  std::string shown;  ///< as the log keeps it: subject and text
};
Result<MadeMail> compose_mail(const Message& message, const Templates& templates, const MailManners& manners);

}  // namespace callimport::activities
