#pragma once
// The notification channels of a configuration: the log always, mail and Slack where set.
#include <memory>
#include <string>
#include <vector>

#include "activities/http/http.h"
#include "activities/notify/channel.h"
#include "activities/notify/mail.h"
#include "activities/notify/people.h"
#include "activities/notify/templates.h"
#include "api/serve/config.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"

namespace callimport::api {

struct Channels {
  std::unique_ptr<activities::Templates> templates;  ///< the words of all; outlives them
  std::unique_ptr<activities::Mail> mail;            ///< outlives the mail channel
  std::vector<std::unique_ptr<activities::Channel>> all;
};
/// @error kInvalid  a secret's file cannot be read or is empty; mail without sender: names the key. A file of templates
/// that
///                  says what it may not: `file:line: what is wrong; what to do`
/// @param links  the key of links that end mails
Result<Channels> make_channels(const ServeConfig& config, const storage::Secret& links, activities::Http& http,
                               Executor& loop, Pool& pool, Clock& clock);

/// The people of a configuration: those of mail.to that are none of them watch every import.
activities::Roster roster_of(const ServeConfig& config);

}  // namespace callimport::api
