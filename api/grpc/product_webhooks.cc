// Endpoints of others: added, listed, switched, tried. A signing secret leaves in the answer that made it and is
// sealed.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "activities/webhooks/signature.h"
#include "activities/webhooks/types.h"
#include "activities/webhooks/url.h"
#include "api/grpc/deeds.h"
#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

using storage::Webhook;

constexpr std::size_t kIdCharacters = 20;
constexpr std::size_t kOwnerBytesMax = 200;
constexpr std::int64_t kOverlapS = 24 * 3'600, kOverlapMaxS = 30 * kOverlapS;

std::int64_t now_ms(ProductParts& parts) { return to_unix_ms(parts.clock.now()); }

void wake(ProductParts& parts) {
  parts.loop.post([&parts] {
    if (parts.webhooks != nullptr) parts.webhooks->wake();
  });
}

/// The one that `text` is, or begins.
Result<Webhook> resolve(storage::WebhookReads& reads, const std::string& text) {
  TRY(auto all, reads.all());
  std::vector<Webhook> found;
  for (auto& one : all) {
    if (one.id == text) return std::move(one);
    if (!text.empty() && one.id.starts_with(text)) found.push_back(std::move(one));
  }
  if (found.size() > 1) return fail(Code::kConflict, "several webhooks begin with " + text);
  if (found.empty()) return fail(Code::kNotFound, "no webhook " + text);
  return std::move(found.front());
}

Result<Webhook> resolve(ProductParts& parts, const std::string& text) {
  Webhook found;
  TRY_VOID(parts.library.look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
    TRY(found, resolve(reads, text));
    return {};
  }));
  return found;
}

/// For the record: no secret, and of the URL what may be shown.
std::string note_of(const Webhook& row) {
  const nlohmann::json note = {{"webhook", row.id},
                               {"url", activities::shown_url(row.url)},
                               {"types", row.types},
                               {"owner", row.owner},
                               {"enabled", row.enabled}};
  return note.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<v1::Webhook> to_message(storage::WebhookReads& reads, const Webhook& row) {
  v1::Webhook made;
  made.set_id(row.id);
  made.set_url(activities::shown_url(row.url));
  for (const auto& type : row.types) made.add_types(type);
  made.set_owner(row.owner);
  made.set_enabled(row.enabled);
  made.set_why(row.why);
  made.set_created_ms(row.created_ms);
  if (row.success_ms) made.set_success_ms(*row.success_ms);
  if (row.failure_ms) made.set_failure_ms(*row.failure_ms);
  if (!row.old_secret.empty()) made.set_old_secret_until_ms(row.old_until_ms);
  TRY(const auto queued, reads.queued_but(row.number, ""));
  made.set_queued(queued);
  return made;
}

v1::WebhookAttempt to_message(const storage::WebhookAttempt& attempt) {
  v1::WebhookAttempt made;
  made.set_at_ms(attempt.at_ms);
  made.set_took_ms(attempt.took_ms);
  made.set_status(attempt.status);
  made.set_error(attempt.error);
  return made;
}

// Adding.

Result<> about_adding(ProductParts& parts, const v1::AddWebhookRequest& request, Deed& deed) {
  TRY_VOID(activities::check_webhook_url(request.url(), parts.webhook_guard));
  for (const auto& type : request.types()) {
    if (!activities::is_webhook_type(type))
      return fail(Code::kInvalid, "webhook.type: there is no type \"" + type.substr(0, 60) + "\"");
  }
  if (request.owner().size() > kOwnerBytesMax) return fail(Code::kInvalid, "the owner's name is longer than 200 bytes");
  Webhook row;
  row.url = request.url();
  row.types.assign(request.types().begin(), request.types().end());
  row.owner = request.owner().empty() ? deed.caller.person() : request.owner();
  deed.after = note_of(row);
  return {};
}

Result<> put_new(storage::LibraryTx& tx, Webhook& row, bool all_calls) {
  auto& rows = tx.webhooks();
  TRY(const auto all, rows.all());
  if (std::ssize(all) >= activities::kEndpointsMax) {
    return fail(Code::kConflict,
                "there are " + std::to_string(all.size()) + " webhooks, which is the most; remove one");
  }
  TRY(row.news_after, rows.last_news());
  TRY(row.changes_after, rows.last_change());
  if (!all_calls) {
    TRY(row.calls_after, rows.last_call());
  }
  return rows.add(row);
}

Result<v1::WebhookSecretResponse> told_secret(ProductParts& parts, const std::string& id, const std::string& secret) {
  v1::WebhookSecretResponse reply;
  TRY_VOID(parts.library.look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
    TRY(const auto row, resolve(reads, id));
    TRY(*reply.mutable_webhook(), to_message(reads, row));
    return {};
  }));
  reply.set_secret(secret);
  return reply;
}

/// As the record says, which knows who asked.
Result<std::string> owner_noted(ProductParts& parts, const Noted& noted, const v1::AddWebhookRequest& request) {
  TRY(const auto rows, parts.library.actions({}, noted.number + 1, 1));
  const auto note = nlohmann::json::parse(rows.empty() ? "" : rows.front().after, nullptr, false);
  return note.is_object() ? note.value("owner", request.owner()) : request.owner();
}

Result<v1::WebhookSecretResponse> add_webhook(ProductParts& parts, const v1::AddWebhookRequest& request, Noted& noted) {
  if (noted.again && !noted.outcome.empty()) return told_secret(parts, noted.outcome, {});
  TRY(const std::string owner, owner_noted(parts, noted, request));
  Webhook row;
  row.id = "whk_" + parts.random.id_text(kIdCharacters);
  row.url = request.url();
  row.types.assign(request.types().begin(), request.types().end());
  row.owner = owner;
  row.created_ms = now_ms(parts);
  const auto secret = activities::new_signing_secret(parts.random);
  TRY(const auto sealed, parts.vault.add(std::string(kWebhookSecrets), row.id, "signing", secret, row.created_ms));
  row.secret = sealed.str();
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) { return put_new(tx, row, request.all_calls()); }));
  noted.outcome = row.id;
  wake(parts);
  return told_secret(parts, row.id, secret.reveal());
}

// What is done to one that is there.

template <class Request>
Result<> about_one(ProductParts& parts, const Request& request, Deed& deed) {
  TRY(const auto row, resolve(parts, request.id()));
  deed.before = note_of(row);
  return {};
}

Result<> about_switching(ProductParts& parts, const v1::SwitchWebhookRequest& request, Deed& deed) {
  TRY_VOID(about_one(parts, request, deed));
  deed.after = request.on() ? R"({"enabled":true})" : R"({"enabled":false})";
  return {};
}

Result<v1::SwitchWebhookResponse> switch_one(ProductParts& parts, const v1::SwitchWebhookRequest& request, Noted&) {
  v1::SwitchWebhookResponse reply;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(auto row, resolve(tx.webhooks(), request.id()));
    const std::string why = request.deed().why().empty() ? "switched off by a person" : request.deed().why();
    TRY_VOID(activities::switch_webhook(tx, row, request.on(), why.substr(0, kOwnerBytesMax), now_ms(parts)));
    TRY(*reply.mutable_webhook(), to_message(tx.webhooks(), row));
    return {};
  }));
  wake(parts);
  return reply;
}

Result<> about_rotating(ProductParts& parts, const v1::RotateWebhookRequest& request, Deed& deed) {
  if (request.overlap_s() < -1 || request.overlap_s() > kOverlapMaxS)
    return fail(Code::kInvalid, "both secrets sign for 30 days at the most");
  return about_one(parts, request, deed);
}

Result<v1::WebhookSecretResponse> rotate(ProductParts& parts, const v1::RotateWebhookRequest& request, Noted& noted) {
  if (noted.again && !noted.outcome.empty()) return told_secret(parts, noted.outcome, {});
  TRY(const auto before, resolve(parts, request.id()));
  const auto secret = activities::new_signing_secret(parts.random);
  TRY(const auto sealed, parts.vault.add(std::string(kWebhookSecrets), before.id, "signing", secret, now_ms(parts)));
  const std::int64_t overlap_s = request.overlap_s() == 0 ? kOverlapS : std::max<std::int64_t>(0, request.overlap_s());
  std::string older;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(auto row, resolve(tx.webhooks(), before.id));
    older = row.old_secret;
    row.old_secret = row.secret;
    row.old_until_ms = now_ms(parts) + overlap_s * 1'000;
    row.secret = sealed.str();
    return tx.webhooks().set(row);
  }));
  if (const auto id = CredentialId::parse(older)) (void)parts.vault.wipe(*id, now_ms(parts));
  noted.outcome = before.id;
  wake(parts);
  return told_secret(parts, before.id, secret.reveal());
}

Result<v1::RemoveWebhookResponse> remove_webhook(ProductParts& parts, const v1::RemoveWebhookRequest& request, Noted&) {
  Webhook row;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(row, resolve(tx.webhooks(), request.id()));
    return tx.webhooks().remove(row.number);
  }));
  for (const auto& secret : {row.secret, row.old_secret}) {
    const auto id = CredentialId::parse(secret);
    if (id) TRY_VOID(parts.vault.wipe(*id, now_ms(parts)));
  }
  return v1::RemoveWebhookResponse{};
}

// Looking.

Result<v1::ListWebhooksResponse> list_webhooks(ProductParts& parts, const v1::ListWebhooksRequest& request) {
  v1::ListWebhooksResponse reply;
  TRY_VOID(parts.library.look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
    std::vector<Webhook> rows;
    if (request.id().empty()) {
      TRY(rows, reads.all());
    } else {
      TRY(auto one, resolve(reads, request.id()));
      rows.push_back(std::move(one));
    }
    for (const auto& row : rows) {
      TRY(*reply.add_webhooks(), to_message(reads, row));
    }
    return {};
  }));
  return reply;
}

Result<> add_message(storage::WebhookReads& reads, const storage::WebhookMessage& message, bool with_body,
                     v1::ListWebhookMessagesResponse& reply) {
  auto& made = *reply.add_messages();
  made.set_number(message.number);
  made.set_id(message.id);
  made.set_type(message.type);
  made.set_at_ms(message.at_ms);
  made.set_state(message.state);
  if (message.state == "queued") made.set_next_ms(message.next_ms);
  if (with_body) made.set_body(message.body);
  TRY(const auto attempts, reads.attempts(message.number));
  for (const auto& attempt : attempts) *made.add_attempts() = to_message(attempt);
  return {};
}

Result<v1::ListWebhookMessagesResponse> list_messages(ProductParts& parts,
                                                      const v1::ListWebhookMessagesRequest& request) {
  v1::ListWebhookMessagesResponse reply;
  TRY_VOID(parts.library.look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
    TRY(const auto row, resolve(reads, request.webhook()));
    if (!request.message().empty()) {
      TRY(const auto one, reads.message(row.number, request.message()));
      if (!one) return fail(Code::kNotFound, "no message " + request.message() + " of " + row.id);
      return add_message(reads, *one, true, reply);
    }
    TRY(const auto messages, reads.messages(row.number, request.before(), page_size(request.page_size())));
    for (const auto& message : messages) TRY_VOID(add_message(reads, message, false, reply));
    return {};
  }));
  return reply;
}

// Sending.

struct ToSend {
  std::string webhook, message;
};

/// On the pool: written down, and a test is put among the messages.
Result<ToSend> prepare_sending(ProductParts& parts, const v1::SendWebhookRequest& request, const Caller& caller) {
  TRY(const auto row, resolve(parts, request.webhook()));
  ToSend made{row.id, request.message()};
  const std::int64_t at_ms = now_ms(parts);
  storage::WebhookMessage test;
  if (request.message().empty()) {
    made.message = "evt_" + parts.random.id_text(kIdCharacters);
    const activities::EventHead head{made.message, std::string(activities::kWebhookTest), {}, at_ms};
    test.webhook = row.number;
    test.id = head.id;
    test.type = head.type;
    test.at_ms = at_ms;
    test.body = activities::test_payload(parts.webhook_source, head, caller.person());
    test.state = "failed";  // until it arrived: nobody but whoever asked sends it
  }
  Deed deed = deed_of(product_method("SendWebhook"), caller, request.deed());
  deed.before = note_of(row);
  deed.after = nlohmann::json{{"message", made.message}, {"test", request.message().empty()}}.dump();
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(const auto noted, note_deed(parts, tx, deed));
    if (noted.again) return fail(Code::kConflict, "webhook.busy: this was asked for before");
    if (!test.id.empty()) return tx.webhooks().put(test);
    TRY(auto message, tx.webhooks().message(row.number, made.message));
    if (!message) return fail(Code::kNotFound, "no message " + made.message + " of " + row.id);
    message->attempts = 0;
    return tx.webhooks().set_state(*message);
  }));
  return made;
}

void send_webhook(ProductParts& parts, const std::shared_ptr<v1::SendWebhookRequest>& request, const Caller& caller,
                  const std::shared_ptr<Answer>& answer) {
  if (parts.webhooks == nullptr) return answer->finish(status_of({Code::kUnavailable, "webhooks are not served here"}));
  parts.pool.post([&parts, request, caller, answer] {
    auto ready =
        std::make_shared<Result<ToSend>>(prepare_sending(parts, *request, caller));  // rides in a copyable task
    parts.loop.post([&parts, answer, ready] {
      if (!*ready) return answer->finish(status_of(ready->error()));
      parts.webhooks->send_now((*ready)->webhook, (*ready)->message,
                               [answer, ready](const Result<storage::WebhookAttempt>& made) {
                                 if (!made) return answer->finish(status_of(made.error()));
                                 v1::SendWebhookResponse reply;
                                 reply.set_message((*ready)->message);
                                 *reply.mutable_attempt() = to_message(*made);
                                 answer->reply(reply);
                               });
    });
  });
}

}  // namespace

void add_webhook_methods(Router& router, ProductParts& parts) {
  add_deed(router, parts, "AddWebhook", &about_adding, &add_webhook);
  add_deed(router, parts, "RotateWebhook", &about_rotating, &rotate);
  add_deed(router, parts, "SwitchWebhook", &about_switching, &switch_one);
  add_deed(router, parts, "RemoveWebhook", &about_one<v1::RemoveWebhookRequest>, &remove_webhook);
  add_pooled(router, parts, "ListWebhooks", &list_webhooks);
  add_pooled(router, parts, "ListWebhookMessages", &list_messages);
  router.methods[product_method("SendWebhook")] = callers_method<v1::SendWebhookRequest>(
      [&parts](const std::shared_ptr<v1::SendWebhookRequest>& request, const Caller& caller,
               const std::shared_ptr<Answer>& answer) { send_webhook(parts, request, caller, answer); });
}

}  // namespace callimport::api
