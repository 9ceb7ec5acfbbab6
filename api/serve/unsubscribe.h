#pragma once
// The link in a mail that ends such mails: GET and POST /unsubscribe/TOKEN. Looking changes nothing, one click is
// written down as a mute of the person the mail went to, in the audit log "via a link in a mail".
#include <string>

#include "api/data_folder.h"
#include "api/grpc/router.h"
#include "api/http/router.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/disk.h"
#include "storage/vault/vault.h"

namespace callimport::api {

struct UnsubscribeParts {
  const Router& router;  ///< the method that mutes
  Clock& clock;
  storage::Secret key;
};
/// Lifetime: what `parts` refers to outlives the router of the web.
void add_unsubscribe(WebRouter& web, UnsubscribeParts parts);

/// What links are signed with: of the vault's key, so that a copy of the data folder keeps old links good.
/// @error kNotFound, kCorrupt  as the vault's.
Result<storage::Secret> unsubscribe_key(Disk& disk, const DataFolder& folder);

}  // namespace callimport::api
