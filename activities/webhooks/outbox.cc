#include "activities/webhooks/outbox.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "activities/notify/events.h"
#include "activities/webhooks/ladder.h"
#include "activities/webhooks/types.h"

namespace callimport::activities {
namespace {

using storage::Webhook;
using storage::WebhookMessage;

constexpr int kGone = 410;
constexpr std::size_t kIdCharacters = 20;

constexpr std::chrono::seconds whole_ladder() {
  std::chrono::seconds sum{0};
  for (const auto step : kLadder) sum += step;
  return sum;
}

bool wants(const Webhook& webhook, std::string_view type) {
  return webhook.types.empty() || std::find(webhook.types.begin(), webhook.types.end(), type) != webhook.types.end();
}

WebhookMessage message_of(const Webhook& webhook, const EventHead& head, std::int64_t now_ms) {
  WebhookMessage made;
  made.webhook = webhook.number;
  made.id = head.id;
  made.type = head.type;
  made.at_ms = head.at_ms;
  made.next_ms = now_ms;
  return made;
}

/// Of the endpoint's next records those it wants. True when there may be more of them.
Result<bool> add_news(storage::LibraryTx& tx, const PayloadSource& source, Webhook& webhook, std::int64_t now_ms) {
  auto& rows = tx.webhooks();
  TRY(const auto queued, rows.queued_but(webhook.number, std::string(kCallRegistered)));
  const int room = kNewsQueuedMax - static_cast<int>(queued);
  if (room <= 0) return false;  // comes again when one of them has arrived
  TRY(const auto news, rows.news(webhook.news_after, room));
  for (const auto& [number, one] : news) {
    webhook.news_after = number;
    const auto type = type_of_event(one.event);
    if (type.empty() || !wants(webhook, type)) continue;
    const EventHead head{one.id, std::string(type), one.import, one.at_ms};
    TRY(const auto moment, rows.moment(one.import, one.at_ms));
    auto message = message_of(webhook, head, now_ms);
    message.body = import_payload(source, head, one.event, moment);
    TRY_VOID(rows.put(message));
  }
  return std::ssize(news) == room;
}

/// The import that all of them came with; empty: of several.
std::string import_of(const std::vector<storage::RegisteredCall>& calls) {
  const auto& first = calls.front().import;
  const bool alike = std::all_of(calls.begin(), calls.end(), [&](const auto& call) { return call.import == first; });
  return alike ? first : std::string();
}

/// True when some wait for company.
Result<bool> add_calls(storage::LibraryTx& tx, const PayloadSource& source, Random& random, Calls which,
                       Webhook& webhook, std::int64_t now_ms) {
  if (!wants(webhook, kCallRegistered)) return false;
  auto& rows = tx.webhooks();
  TRY(auto queued, rows.queued(webhook.number, std::string(kCallRegistered)));
  for (; queued < kCallMessagesQueuedMax; ++queued) {
    TRY(const auto calls, rows.calls(webhook.calls_after, kCallsPerMessage));
    if (calls.empty()) return false;
    if (std::ssize(calls) < kCallsPerMessage && which == Calls::kFull) return true;
    const EventHead head{"evt_" + random.id_text(kIdCharacters), std::string(kCallRegistered), import_of(calls),
                         now_ms};
    auto message = message_of(webhook, head, now_ms);
    message.body = calls_payload(source, head, calls);
    TRY_VOID(rows.put(message));
    webhook.calls_after = calls.back().number;
  }
  return false;
}

/// The same of calls that changed after they came.
Result<bool> add_changes(storage::LibraryTx& tx, const PayloadSource& source, Random& random, Calls which,
                         Webhook& webhook, std::int64_t now_ms) {
  if (!wants(webhook, kCallUpdated)) return false;
  auto& rows = tx.webhooks();
  TRY(auto queued, rows.queued(webhook.number, std::string(kCallUpdated)));
  for (; queued < kCallMessagesQueuedMax; ++queued) {
    TRY(const auto changes, rows.changes(webhook.changes_after, kCallsPerMessage));
    if (changes.empty()) return false;
    if (std::ssize(changes) < kCallsPerMessage && which == Calls::kFull) return true;
    std::vector<storage::RegisteredCall> calls;
    for (const auto& change : changes) calls.push_back(change.call);
    const EventHead head{"evt_" + random.id_text(kIdCharacters), std::string(kCallUpdated), import_of(calls), now_ms};
    auto message = message_of(webhook, head, now_ms);
    message.body = changes_payload(source, head, changes);
    TRY_VOID(rows.put(message));
    webhook.changes_after = changes.back().number;
  }
  return false;
}

Result<> tell_disabled(storage::LibraryTx& tx, const Webhook& webhook, std::int64_t now_ms) {
  storage::Notification told;
  told.at_ms = now_ms;
  told.event = "webhook.disabled";
  told.subject = "[Calls] Action needed: webhook " + webhook.id + " is off";
  told.text = "The webhook " + webhook.id + (webhook.owner.empty() ? "" : " of " + webhook.owner) +
              " was switched off: " + webhook.why + ".";
  told.next =
      "Nothing is lost: it goes on where it stopped. Mend the receiver, then: callimport webhooks enable " + webhook.id;
  told.facts = nlohmann::json{{"webhook", webhook.id}, {"to", webhook.owner}, {"why", webhook.why}}.dump();
  told.weight = to_string(find_event(told.event)->weight);
  return tx.notify(told);
}

}  // namespace

Result<Refilled> refill(storage::LibraryTx& tx, const PayloadSource& source, Random& random, Calls calls,
                        std::int64_t now_ms) {
  Refilled made;
  TRY(auto webhooks, tx.webhooks().all());
  for (auto& webhook : webhooks) {
    if (!webhook.enabled) continue;
    const auto news_before = webhook.news_after, calls_before = webhook.calls_after,
               changes_before = webhook.changes_after;
    TRY(const bool more, add_news(tx, source, webhook, now_ms));
    TRY(const bool waiting, add_calls(tx, source, random, calls, webhook, now_ms));
    TRY(const bool changed, add_changes(tx, source, random, calls, webhook, now_ms));
    made.more = made.more || more;
    made.calls_wait = made.calls_wait || waiting || changed;
    if (webhook.news_after == news_before && webhook.calls_after == calls_before &&
        webhook.changes_after == changes_before)
      continue;
    TRY_VOID(tx.webhooks().set(webhook));
  }
  return made;
}

Outcome judge(int status, std::string_view retry_after) {
  Outcome outcome{.status = status, .error = {}, .retry_after_s = 0};
  if (status >= 200 && status < 300) return outcome;
  outcome.error = "it answered " + std::to_string(status);
  if (status >= 300 && status < 400) outcome.error += ": redirects are not followed";
  std::from_chars(retry_after.data(), retry_after.data() + retry_after.size(), outcome.retry_after_s);
  outcome.retry_after_s = std::max<std::int64_t>(0, outcome.retry_after_s);
  return outcome;
}

Result<std::optional<Webhook>> find_webhook(storage::WebhookReads& reads, const std::string& id) {
  TRY(auto all, reads.all());
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.id == id; });
  if (found == all.end()) return std::optional<Webhook>();
  return std::optional(std::move(*found));
}

Result<> switch_webhook(storage::LibraryTx& tx, Webhook& webhook, bool on, const std::string& why,
                        std::int64_t now_ms) {
  if (webhook.enabled == on) return {};
  webhook.enabled = on;
  webhook.why = on ? "" : why;
  TRY_VOID(tx.webhooks().set(webhook));
  if (on) TRY_VOID(tx.webhooks().begin_anew(webhook.number, now_ms));
  return {};
}

Result<> record_attempt(storage::LibraryTx& tx, const std::string& webhook_id, const std::string& message_id,
                        const storage::WebhookAttempt& attempt, const Outcome& outcome, std::uint64_t chance) {
  auto& rows = tx.webhooks();
  TRY(auto webhook, find_webhook(rows, webhook_id));
  if (!webhook) return {};
  TRY(auto message, rows.message(webhook->number, message_id));
  if (!message) return {};
  TRY_VOID(rows.add_attempt(message->number, attempt));
  const bool arrived = outcome.error.empty();
  const std::int64_t now_ms = attempt.at_ms + attempt.took_ms;
  ++message->attempts;
  const auto wait = retry_after(message->attempts, chance, std::chrono::seconds{outcome.retry_after_s});
  const bool last = message->type == kWebhookTest || !wait;
  message->state = arrived ? "delivered" : last ? "failed" : "queued";
  if (message->state == "queued") message->next_ms = now_ms + wait->count();
  TRY_VOID(rows.set_state(*message));
  (arrived ? webhook->success_ms : webhook->failure_ms) = now_ms;
  TRY_VOID(rows.set(*webhook));
  TRY_VOID(rows.trim(webhook->number, kMessagesKept));
  if (arrived || !webhook->enabled || message->type == kWebhookTest) return {};
  const std::int64_t silent_ms = std::chrono::milliseconds{whole_ladder()}.count();
  const bool silent = webhook->success_ms.value_or(0) < now_ms - silent_ms;
  if (outcome.status != kGone && !(last && silent)) return {};
  const std::string why =
      outcome.status == kGone ? "it answered 410, so it is gone for good" : "nothing arrived for three days";
  TRY_VOID(switch_webhook(tx, *webhook, false, why, now_ms));
  return tell_disabled(tx, *webhook, now_ms);
}

}  // namespace callimport::activities
