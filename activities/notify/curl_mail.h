#pragma once
#include <memory>
#include <string>

#include "activities/notify/mail.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

struct MailServer {
  std::string url;   ///< smtp://host:port or smtps://host:port
  std::string user;  ///< empty: no sign-in
  storage::Secret password;
  std::string ca_file;         ///< PEM, in place of this machine's; empty: this machine's
  bool tls = false;            ///< nothing is sent without it; with a user it is so in any case
  Nanos timeout = 60s;         ///< for a whole message
  Nanos answer_timeout = 30s;  ///< for one answer
};

/// SMTP by libcurl, one connection a message, on the pool. smtp:// is raised to TLS where the server offers it, and
/// must be when there is a password to send. What a server that fell silent may have taken is sent again under the same
/// Message-ID. Lifetime: loop, pool, clock outlive it.
std::unique_ptr<Mail> make_curl_mail(MailServer server, Executor& loop, Pool& pool, Clock& clock);

}  // namespace callimport::activities
