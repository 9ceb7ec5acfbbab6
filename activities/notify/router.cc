#include "activities/notify/router.h"

#include <algorithm>

#include "activities/notify/restraint.h"
#include "activities/notify/rules.h"

namespace callimport::activities {
namespace {

using storage::LibraryTx;
using storage::MessageRow;
using storage::ToldRow;

ToldRow told_of(const storage::Notification& record, const Wish& wish) {
  return {.notification = record.id,
          .channel = wish.channel,
          .recipient = wish.to.id,
          .form = std::string(to_string(wish.form)),
          .state = wish.suppressed ? "suppressed" : "carried",
          .why = wish.why,
          .message = {}};
}

MessageRow message_of(const storage::Notification& record, const Wish& wish, std::int64_t now_ms) {
  MessageRow made;
  made.import = record.import;
  made.thread = wish.thread;
  made.channel = wish.channel;
  made.recipient = wish.to.id;
  made.name = wish.to.name;
  made.address = wish.to.address;
  made.zone = wish.to.zone;
  made.customer = wish.to.customer;
  made.form = to_string(wish.form);
  made.weight = to_string(wish.weight);
  made.made_ms = now_ms;
  made.due_ms = wish.due_ms;
  return made;
}

/// The first message of a line begins it.
Result<> begin_line(LibraryTx& tx, const storage::Notification& record, const Manner& manner, Wish& wish,
                    std::int64_t now_ms) {
  TRY(const bool begun, tx.telling().reads().has_line(wish.channel, wish.to.id, wish.thread));
  if (begun) return {};
  if (!manner.roots || wish.form == Form::kEditRoot) {
    wish.form = Form::kRoot;
    if (manner.roots) wish.due_ms = now_ms;
    return {};
  }
  if (record.import.empty()) return {};
  Wish root = wish;
  root.form = Form::kRoot;
  root.due_ms = now_ms;
  root.why = "the import's root message shows how it stands";
  TRY(const auto id, tx.telling().add(message_of(record, root, now_ms)));
  ToldRow told = told_of(record, root);
  told.message = id;
  return tx.telling().tell(told);
}

Form joined(Form before, Form now) {
  if (before == Form::kRoot || before == Form::kEditRoot) return before;
  return before == Form::kBroadcast ? before : now;
}

/// What a person's own wishes hold back.
Result<> restrain(LibraryTx& tx, const Roster& roster, Wish& wish, std::int64_t now_ms) {
  if (wish.kind == Kind::kOwn || wish.suppressed) return {};
  TRY(const auto routine, tx.telling().reads().routine_made(wish.channel, wish.to.id, wish.thread));
  TRY(const auto waits, tx.telling().reads().joinable(wish.channel, wish.to.id, wish.thread, false));
  if (!waits) keep_steps(wish, routine);
  const Person* person = roster.find(wish.to.id);
  if (person != nullptr) keep_quiet(wish, *person, now_ms);
  return {};
}

/// What waits for company in the same line goes ahead of a warning, not in its way.
Result<> clear_way(LibraryTx& tx, const Wish& wish, std::int64_t now_ms) {
  TRY(const auto waits, tx.telling().reads().joinable(wish.channel, wish.to.id, wish.thread, false));
  if (!waits || waits->due_ms <= now_ms) return {};
  return tx.telling().join(waits->id, waits->form, waits->weight, now_ms);
}

Result<> place(LibraryTx& tx, const Roster& roster, const storage::Notification& record, const Manner& manner,
               Wish wish, std::int64_t now_ms) {
  storage::TellingWrites& telling = tx.telling();
  TRY_VOID(restrain(tx, roster, wish, now_ms));
  if (wish.suppressed) return telling.tell(told_of(record, wish));
  TRY_VOID(begin_line(tx, record, manner, wish, now_ms));
  if (wish.merges) {
    const bool edits = wish.form == Form::kEditRoot;
    TRY(const auto waits, telling.reads().joinable(wish.channel, wish.to.id, wish.thread, edits));
    if (waits && weight_of(waits->weight) != Weight::kAct) {
      const Weight weight = std::max(weight_of(waits->weight), wish.weight);
      const auto form = to_string(joined(form_of(waits->form), wish.form));
      TRY_VOID(telling.join(waits->id, std::string(form), std::string(to_string(weight)),
                            std::min(waits->due_ms, wish.due_ms)));
      ToldRow told = told_of(record, wish);
      told.message = waits->id;
      TRY_VOID(telling.tell(told));
      return telling.merge_told(waits->id, record.id);
    }
  }
  if (!wish.merges) TRY_VOID(clear_way(tx, wish, now_ms));
  ToldRow told = told_of(record, wish);
  TRY(told.message, telling.add(message_of(record, wish, now_ms)));
  return telling.tell(told);
}

/// Channels that an earlier version had served already.
Result<std::vector<std::string>> served_before(LibraryTx& tx, const std::string& record) {
  TRY(const auto told, tx.telling().reads().told(record));
  std::vector<std::string> channels;
  for (const auto& row : told) {
    if (row.recipient.empty()) channels.push_back(row.channel);
  }
  return channels;
}

Result<> route_one(LibraryTx& tx, const Roster& roster, const Routing& one, std::int64_t now_ms) {
  auto import = tx.import(one.record.import);
  if (!import && import.error().code != Code::kNotFound) return tl::unexpected(import.error());
  const storage::ImportRow row = import ? *std::move(import) : storage::ImportRow();
  TRY(const auto hush, remember(tx, roster, one.record, row));
  TRY(const auto served, served_before(tx, one.record.id));
  TRY(const auto mutes, tx.telling().reads().mutes().holding(one.record.import, row.workspace, one.record.event));
  for (const auto& channel : one.channels) {
    if (std::find(served.begin(), served.end(), channel.name) != served.end()) continue;
    for (auto& wish : wishes(one.record, row, roster, one.channels, hush, now_ms, mutes)) {
      if (wish.channel != channel.name) continue;
      TRY_VOID(place(tx, roster, one.record, channel.manner, std::move(wish), now_ms));
    }
  }
  return tx.telling().routed(one.record.id);
}

}  // namespace

Result<> route(LibraryTx& tx, const Roster& roster, const std::vector<Routing>& portion, std::int64_t now_ms) {
  for (const auto& one : portion) TRY_VOID(route_one(tx, roster, one, now_ms));
  return {};
}

Result<std::string> stand_in(LibraryTx& tx, const Roster& roster, const MessageRow& message,
                             const std::vector<std::string>& channels, const std::string& why, std::int64_t now_ms) {
  const Person* person = message.instead_of.empty() ? roster.find(message.recipient) : nullptr;
  if (person == nullptr) return std::string();
  for (const auto& [channel, address] : person->addresses) {
    if (channel == message.channel || std::find(channels.begin(), channels.end(), channel) == channels.end()) continue;
    MessageRow other = message;
    other.id.clear();
    other.channel = channel;
    other.address = address;
    other.made_ms = other.due_ms = now_ms;
    other.instead_of = message.id;
    TRY(const auto id, tx.telling().add(other));
    TRY(const auto news, tx.telling().reads().news(message.id));
    for (const auto& one : news) {
      ToldRow told{.notification = one.id,
                   .channel = channel,
                   .recipient = person->id,
                   .form = message.form,
                   .state = "carried",
                   .why = why,
                   .message = id};
      TRY_VOID(tx.telling().tell(told));
    }
    if (!news.empty()) TRY_VOID(tx.telling().merge_told(id, news.back().id));
    return channel;
  }
  return std::string();
}

}  // namespace callimport::activities
