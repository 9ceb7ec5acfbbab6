#include "activities/notify/sending.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/notify/channel_health.h"
#include "activities/notify/digests.h"
#include "activities/notify/muting.h"
#include "activities/notify/restraint.h"
#include "activities/notify/router.h"
#include "activities/notify/rules.h"
#include "activities/notify/told_counts.h"

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

/// Who else hears of a record, by name, everybody once: people and channels, but neither its reader nor customers.
Result<std::string> others_of(LibraryTx& tx, const Roster& roster, const MessageRow& row,
                              const storage::Notification& record) {
  constexpr std::size_t kNamedMax = 5;
  TRY(const auto told, tx.telling().reads().told(record.id));
  std::vector<std::string> names;
  for (const auto& one : told) {
    const bool apart = one.state == "suppressed" || one.recipient.empty() || one.form == "edit_root" ||
                       one.recipient == row.recipient || one.recipient.starts_with("customer:");
    if (apart) continue;
    const Person* person = roster.find(one.recipient);
    std::string name = person == nullptr || person->name.empty() ? one.recipient : person->name;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamedMax); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() <= kNamedMax ? text : fmt::format("{} and {} more", text, names.size() - kNamedMax);
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

/// How a record is in the message, as the log has it.
Result<std::optional<storage::ToldRow>> told_in(LibraryTx& tx, const std::string& record, const std::string& message) {
  TRY(const auto all, tx.telling().reads().told(record));
  const auto found =
      std::find_if(all.begin(), all.end(), [&message](const storage::ToldRow& row) { return row.message == message; });
  return found == all.end() ? std::optional<storage::ToldRow>() : std::optional(*found);
}

/// True when the recipient has muted all of its news since it was made: it ends, and the log says so.
Result<bool> left_to_mute(LibraryTx& tx, const MessageRow& row, const std::string& workspace,
                          const std::vector<storage::Notification>& news, std::int64_t now_ms) {
  if (news.empty() || row.attempts > 0 || weight_of(row.weight) == Weight::kAct) return false;
  std::vector<std::pair<storage::ToldRow, std::string>> told;
  for (const auto& one : news) {
    TRY(const auto mutes, tx.telling().reads().mutes().holding(one.import, workspace, one.event));
    const auto* mute = mute_of(mutes, row.recipient);
    TRY(const auto how, told_in(tx, one.id, row.id));
    if (mute == nullptr || !how || !may_be_muted(one.event) || how->form.starts_with(kSentAgain)) return false;
    told.emplace_back(*how, spoken_mute(*mute));
  }
  for (auto& [how, why] : told) {
    how.state = "suppressed";
    how.why = why;
    TRY_VOID(tx.telling().tell(how));
  }
  TRY_VOID(tx.telling().end(row.id, "suppressed", now_ms, told.back().second, "", ""));
  return true;
}

/// What the log and the mutes say of a message that goes.
Result<> add_rule(LibraryTx& tx, Message& message) {
  if (message.news.empty()) return {};
  const storage::Notification& newest = message.news.back();
  TRY(const auto how, told_in(tx, newest.id, message.id));
  if (how) message.why = how->why;
  TRY(const auto mutes,
      tx.telling().reads().mutes().holding(newest.import, message.import_row.workspace, newest.event));
  for (const auto& mute : mutes) message.muted.push_back(mute.person);
  return {};
}

/// What became of the message: sent, put_off, bounced or failed.
std::string_view result_of(const Attempted& attempted) {
  if (attempted.answer) return "sent";
  if (!attempted.answer.error().ever_again) return "bounced";
  const auto given_up_ms = std::chrono::floor<std::chrono::milliseconds>(attempted.manner.given_up).count();
  return attempted.answered_ms - attempted.row.made_ms >= given_up_ms ? "failed" : "put_off";
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
  if (!queued || queued->state != "queued" || queued->due_ms > now_ms) return std::optional<Parcel>();
  Parcel parcel;
  TRY(parcel.message.news, telling.reads().news(message));
  auto import = tx.import(queued->import);
  if (!import && import.error().code != Code::kNotFound) return tl::unexpected(import.error());
  if (import) parcel.message.import_row = *std::move(import);
  const std::string& workspace = parcel.message.import_row.workspace;
  TRY(const bool muted, left_to_mute(tx, *queued, workspace, parcel.message.news, now_ms));
  if (muted) return std::optional<Parcel>();
  const Person* person = roster.find(queued->recipient);
  if (person != nullptr) {
    TRY(const bool left, left_to_digest(tx, *person, *queued, parcel.message.news, now_ms));
    if (left) return std::optional<Parcel>();
  }
  TRY_VOID(telling.begin(message));
  parcel.row = *queued;
  ++parcel.row.attempts;
  TRY(parcel.message.root_ref, telling.reads().root_ref(parcel.row.channel, parcel.row.recipient, parcel.row.thread));
  if (!parcel.row.customer && !parcel.message.news.empty()) {
    TRY(parcel.message.others, others_of(tx, roster, parcel.row, parcel.message.news.back()));
  }
  fill(parcel);
  TRY_VOID(add_rule(tx, parcel.message));
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
  const std::string_view result = result_of(attempted);
  if (result == "put_off") return tx.telling().put_off(row.id, attempted.again_ms, refused.reason);
  TRY_VOID(tx.telling().end(row.id, std::string(result), now_ms, refused.reason, "", ""));
  TRY_VOID(stand_in(tx, roster, row, attempted.channels, row.channel + " did not take it: " + refused.reason, now_ms));
  return {};
}

void count_attempt(const Attempted& attempted, const std::vector<storage::Notification>& news) {
  if (form_of(attempted.row.form) == Form::kEditRoot) return;
  const std::string_view result = result_of(attempted);
  for (const auto& one : news)
    count_told({attempted.row.channel, one.event, to_string(weight_of(one.weight)), result,
                attempted.answered_ms - one.at_ms});
}

}  // namespace callimport::activities
