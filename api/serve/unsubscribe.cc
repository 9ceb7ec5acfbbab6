#include "api/serve/unsubscribe.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

#include "activities/notify/unsubscribe.h"
#include "api/proto/callimport/v1/callimport.pb.h"
#include "api/serve/inner_call.h"
#include "storage/vault/sealing.h"

namespace callimport::api {
namespace {

using activities::Unsubscribe;
using activities::UnsubscribeReply;

constexpr const char* kWhy = "no more mails, by the link in one";

/// Nothing of the page runs, loads or is shown inside another.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

WebReply page_of(UnsubscribeReply reply) {
  WebReply made = text_reply(reply.status, std::move(reply.html), "text/html; charset=utf-8");
  made.headers.emplace_back("content-security-policy", kPolicy);
  made.headers.emplace_back("referrer-policy", "no-referrer");
  made.headers.emplace_back("x-robots-tag", "noindex");
  return made;
}

v1::MuteMessagesRequest mute_of(const Unsubscribe& what) {
  v1::MuteMessagesRequest request;
  request.set_person(what.person);
  request.set_import(what.import);
  request.set_event(what.event);
  request.mutable_deed()->set_why(kWhy);
  return request;
}

void unsubscribe(const UnsubscribeParts& parts, const WebRequest& request, const Respond& respond) {
  const std::string_view token = request.path().substr(activities::kUnsubscribePath.size());
  auto reply =
      activities::answer_unsubscribe(parts.key, {request.method, token, request.body, to_unix_ms(parts.clock.now())});
  if (!reply.done) {
    if (reply.status != 200) spdlog::info("{} {}: {}", request.id, activities::kUnsubscribePath, reply.status);
    return respond(page_of(std::move(reply)));
  }
  const Unsubscribe what = *reply.done;
  Caller caller;
  caller.name = "mail:" + what.person;
  caller.origin = "via a link in a mail";
  call_inside(parts.router, "MuteMessages", mute_of(what), std::move(caller),
              [respond, reply = std::move(reply), person = what.person](const PortStatus& status, const std::string&) {
                // Who is not in the configuration any more gets no mails either.
                if (status.ok() || status.code == kGrpcNotFound) return respond(page_of(reply));
                spdlog::warn("{} wants no more mails, which could not be written down: {}", person, status.message);
                respond(page_of(activities::unsubscribe_failed()));
              });
}

}  // namespace

void add_unsubscribe(WebRouter& web, UnsubscribeParts parts) {
  const auto shared = std::make_shared<UnsubscribeParts>(std::move(parts));  // by both methods
  for (const char* method : {"GET", "POST"}) {
    web.add(method, std::string(activities::kUnsubscribePath), WebAccess::kAnybody,
            [shared](const WebRequest& request, const Respond& respond) { unsubscribe(*shared, request, respond); });
  }
}

Result<storage::Secret> unsubscribe_key(Disk& disk, const DataFolder& folder) {
  TRY(const auto key, storage::SealingKey::load(disk, folder.vault_key()));
  return key.derived("links that end mails, 1");
}

}  // namespace callimport::api
