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

const storage::RegisteredCall& call_of(const storage::RegisteredCall& call) { return call; }
const storage::RegisteredCall& call_of(const storage::ChangedCall& change) { return change.call; }

/// The import that all of them came with; empty: of several.
template <class Row>
std::string import_of(const std::vector<Row>& rows) {
  const auto& first = call_of(rows.front()).import;
  const bool alike =
      std::all_of(rows.begin(), rows.end(), [&](const Row& row) { return call_of(row).import == first; });
  return alike ? first : std::string();
}

/// Calls that are handed over in portions, and where an endpoint stands among them.
template <class Row>
struct HandedOver {
  std::string_view type;
  std::int64_t Webhook::* after;
  Result<std::vector<Row>> (storage::WebhookReads::*read)(std::int64_t after, int limit);
  std::string (*payload)(const PayloadSource& source, const EventHead& head, const std::vector<Row>& rows);
};
constexpr HandedOver<storage::RegisteredCall> kCame{kCallRegistered, &Webhook::calls_after,
                                                    &storage::WebhookReads::calls, &calls_payload};
constexpr HandedOver<storage::ChangedCall> kChanged{kCallUpdated, &Webhook::changes_after,
                                                    &storage::WebhookReads::changes, &changes_payload};

/// True when some wait for company.
template <class Row>
Result<bool> hand_over(const HandedOver<Row>& what, storage::LibraryTx& tx, const PayloadSource& source, Random& random,
                       Calls which, Webhook& webhook, std::int64_t now_ms) {
  if (!wants(webhook, what.type)) return false;
  auto& rows = tx.webhooks();
  TRY(auto queued, rows.queued(webhook.number, std::string(what.type)));
  for (; queued < kCallMessagesQueuedMax; ++queued) {
    TRY(const auto portion, (rows.*what.read)(webhook.*what.after, kCallsPerMessage));
    if (portion.empty()) return false;
    if (std::ssize(portion) < kCallsPerMessage && which == Calls::kFull) return true;
    const EventHead head{"evt_" + random.id_text(kIdCharacters), std::string(what.type), import_of(portion), now_ms};
    auto message = message_of(webhook, head, now_ms);
    message.body = what.payload(source, head, portion);
    TRY_VOID(rows.put(message));
    webhook.*what.after = portion.back().number;
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
    TRY(const bool waiting, hand_over(kCame, tx, source, random, calls, webhook, now_ms));
    TRY(const bool changed, hand_over(kChanged, tx, source, random, calls, webhook, now_ms));
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
