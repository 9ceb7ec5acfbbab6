#include "activities/notify/sending.h"

#include "activities/notify/channel_health.h"
#include "activities/notify/digests.h"
#include "activities/notify/restraint.h"
#include "activities/notify/router.h"
#include "activities/notify/rules.h"

namespace callimport::activities {
namespace {

using storage::LibraryTx;
using storage::MessageRow;

void fill(Parcel& parcel) {
  const MessageRow& row = parcel.row;
  Message& message = parcel.message;
  message.id = row.id;
  message.import = row.import;
  message.thread = row.thread;
  message.form = form_of(row.form);
  if (message.form == Form::kEditRoot) message.earlier_ref = message.root_ref;
  message.to = {row.recipient, row.name, row.address, row.zone, row.customer};
  message.attempt = row.attempts;
}

/// True when the person has had enough for this hour: the digest comes sooner instead.
Result<bool> left_to_digest(LibraryTx& tx, const Person& person, const MessageRow& row,
                            const std::vector<storage::Notification>& news, std::int64_t now_ms) {
  if (news.empty()) return false;
  TRY(const auto sent, tx.telling().reads().sent_since(person.id, now_ms - kHourMs));
  const std::string why = guarded(news.back().event, weight_of(row.weight), sent);
  if (why.empty()) return false;
  TRY_VOID(tx.telling().end(row.id, "suppressed", now_ms, why, "", ""));
  TRY(const auto digest, tx.telling().reads().agenda().find(kDigest, person.id));
  TRY_VOID(apply_turn(tx, digest_soon(digest, person, now_ms)));
  return true;
}

Result<> note_health(LibraryTx& tx, const Attempted& attempted, std::int64_t now_ms) {
  const std::string& channel = attempted.row.channel;
  TRY(const auto trouble, tx.telling().reads().agenda().find(kChannelTrouble, channel));
  if (attempted.answer) return trouble ? apply_turn(tx, channel_took(*trouble, now_ms)) : Result<>();
  const Refused& refused = attempted.answer.error();
  if (!refused.ever_again) return {};  // of this recipient, not of the channel
  return apply_turn(tx, channel_refused(trouble, channel, refused.reason, now_ms));
}

}  // namespace

Result<std::optional<Parcel>> prepare(LibraryTx& tx, const Roster& roster, const std::string& message,
                                      std::int64_t now_ms) {
  storage::TellingWrites& telling = tx.telling();
  TRY(const auto queued, telling.reads().message(message));
  if (!queued || queued->state != "queued") return std::optional<Parcel>();
  Parcel parcel;
  TRY(parcel.message.news, telling.reads().news(message));
  const Person* person = roster.find(queued->recipient);
  if (person != nullptr) {
    TRY(const bool left, left_to_digest(tx, *person, *queued, parcel.message.news, now_ms));
    if (left) return std::optional<Parcel>();
  }
  TRY_VOID(telling.begin(message));
  parcel.row = *queued;
  ++parcel.row.attempts;
  TRY(parcel.message.root_ref, telling.reads().root_ref(parcel.row.channel, parcel.row.recipient, parcel.row.thread));
  auto import = tx.import(parcel.row.import);
  if (!import && import.error().code != Code::kNotFound) return tl::unexpected(import.error());
  if (import) parcel.message.import_row = *std::move(import);
  fill(parcel);
  return std::optional<Parcel>(std::move(parcel));
}

Result<> conclude(LibraryTx& tx, const Roster& roster, const Attempted& attempted, std::int64_t now_ms) {
  const MessageRow& row = attempted.row;
  TRY_VOID(note_health(tx, attempted, now_ms));
  if (attempted.answer) {
    const Sent& sent = *attempted.answer;
    return tx.telling().end(row.id, "sent", now_ms, "", sent.ref, sent.rendered);
  }
  const Refused& refused = attempted.answer.error();
  const auto given_up_ms = std::chrono::floor<std::chrono::milliseconds>(attempted.manner.given_up).count();
  const bool late = now_ms - row.made_ms >= given_up_ms;
  if (refused.ever_again && !late) return tx.telling().put_off(row.id, attempted.again_ms, refused.reason);
  TRY_VOID(tx.telling().end(row.id, refused.ever_again ? "failed" : "bounced", now_ms, refused.reason, "", ""));
  TRY_VOID(stand_in(tx, roster, row, attempted.channels, row.channel + " did not take it: " + refused.reason, now_ms));
  return {};
}

}  // namespace callimport::activities
