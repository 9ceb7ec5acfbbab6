#include "activities/notify/wishes.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/notify/muting.h"
#include "activities/notify/turn.h"

namespace callimport::activities {
namespace {

using storage::ImportRow;
using storage::Notification;

constexpr std::string_view kCustomerPrefix = "customer:";

std::vector<std::string> named_in(const Notification& record) {
  std::vector<std::string> ids;
  const auto facts = read_facts(record.facts);
  if (!facts.contains("to")) return ids;
  const auto& to = facts["to"];
  if (to.is_string()) ids.push_back(to.get<std::string>());
  if (!to.is_array()) return ids;
  for (const auto& one : to) {
    if (one.is_string()) ids.push_back(one.get<std::string>());
  }
  return ids;
}

std::string thread_of(const Notification& record, const EventRow& event, bool roots) {
  if (!record.import.empty() && (event.thread.empty() || roots)) return record.import;
  std::string own = record.import;
  if (own.empty()) {
    // What begins and ends with a platform or a channel is one thread; all else is its own.
    const auto facts = read_facts(record.facts);
    own = facts.value("platform_id", facts.value("channel", ""));
    if (own.empty() || record.event == "message.test") own = record.id;
  }
  return event.thread.empty() ? own : own + "/" + std::string(event.thread);
}

bool wanted(Level level, Weight weight, Part part) {
  switch (level) {
    case Level::kEverything: return true;
    // The owner of an import follows it step by step in merged messages; others hear of what matters.
    case Level::kImportant: return weight != Weight::kRoutine || part == Part::kOwner || part == Part::kWatcher;
    case Level::kAct: return weight == Weight::kAct;
    case Level::kNone: return false;
  }
  return true;
}

std::int64_t due_of(const Notification& record, Weight weight, const Manner& manner, std::int64_t now_ms) {
  if (weight != Weight::kRoutine || !manner.merges) return now_ms;
  return std::max(now_ms, record.at_ms + kMergeMs);
}

Wish wish_of(const Notification& record, const EventRow& event, const ImportRow& import, const ChannelView& channel,
             std::int64_t now_ms) {
  Wish wish;
  wish.event = record.event;
  wish.channel = channel.name;
  wish.thread = thread_of(record, event, channel.manner.roots);
  wish.weight = weight_in(record, import);
  wish.due_ms = due_of(record, wish.weight, channel.manner, now_ms);
  wish.merges = wish.weight != Weight::kAct && channel.manner.merges;
  return wish;
}

void to_people(const Notification& record, const EventRow& event, const ImportRow& import, const Roster& roster,
               const std::vector<ChannelView>& channels, std::int64_t now_ms, std::vector<Wish>& into) {
  // A channel's trouble is told by another one.
  const std::string troubled = record.event == "channel.down" ? read_facts(record.facts).value("channel", "") : "";
  const std::string only = record.event == "message.test" ? read_facts(record.facts).value("channel", "") : "";
  for (const auto& [person, part] : concerned(roster, import, event.audience, named_in(record))) {
    for (const auto& [channel, address] : person->addresses) {
      const auto view = std::find_if(channels.begin(), channels.end(),
                                     [&name = channel](const ChannelView& one) { return one.name == name; });
      if (view == channels.end() || !view->manner.people || channel == troubled) continue;
      if (!only.empty() && channel != only) continue;
      Wish wish = wish_of(record, event, import, *view, now_ms);
      wish.kind = Kind::kPerson;
      wish.part = part;
      wish.to = {person->id, person->name, address, person->zone, false};
      const Level level = level_for(*person, import);
      wish.why = fmt::format("{} of the import, level {}", to_string(part), to_string(level));
      wish.suppressed = !wanted(level, wish.weight, part);
      if (wish.suppressed)
        wish.why = fmt::format("level {}: {} news are not told", to_string(level), to_string(wish.weight));
      into.push_back(std::move(wish));
      break;
    }
  }
}

void to_customer(const Notification& record, const EventRow& event, const ImportRow& import, const Roster& roster,
                 const std::vector<ChannelView>& channels, std::int64_t now_ms, std::vector<Wish>& into) {
  std::string workspace = (event.audience & kToCustomer) != 0 ? import.workspace : "";
  for (const auto& id : named_in(record)) {
    if (id.starts_with(kCustomerPrefix)) workspace = id.substr(kCustomerPrefix.size());
  }
  const auto contact = roster.customers.find(workspace);
  if (contact == roster.customers.end() || contact->second.address.empty()) return;
  for (const auto& channel : channels) {
    if (channel.name != "mail") continue;
    Wish wish = wish_of(record, event, import, channel, now_ms);
    const auto& who = contact->second;
    wish.kind = Kind::kCustomer;
    wish.to = {std::string(kCustomerPrefix) + workspace, who.name, who.address, who.zone, true};
    wish.suppressed = !who.told && record.event != "digest.weekly";
    wish.why = !wish.suppressed ? "the customer is told of this" : "messages to this customer are off";
    into.push_back(std::move(wish));
  }
}

void to_own(const Notification& record, const EventRow& event, const ImportRow& import, const ChannelView& channel,
            std::int64_t now_ms, std::vector<Wish>& into) {
  const auto facts = read_facts(record.facts);
  const bool test = record.event == "message.test";
  if (test && (!named_in(record).empty() || facts.value("channel", "") != channel.name) && channel.name != "log")
    return;
  for (const auto& recipient : channel.own) {
    Wish wish = wish_of(record, event, import, channel, now_ms);
    wish.to = recipient;
    wish.why = "every record of this kind goes to " + channel.name;
    if (!channel.manner.roots) {
      into.push_back(std::move(wish));
      continue;
    }
    if ((event.forms & (kReplies | kBroadcasts)) != 0) {
      Wish reply = wish;
      reply.form = (event.forms & kBroadcasts) != 0 ? Form::kBroadcast : Form::kReply;
      into.push_back(std::move(reply));
    }
    if ((event.forms & kEdits) == 0) continue;
    wish.form = Form::kEditRoot;
    wish.weight = Weight::kRoutine;
    wish.merges = true;
    wish.due_ms = now_ms + kEditMs;
    wish.why = "the import's root message shows how it stands";
    into.push_back(std::move(wish));
  }
}

}  // namespace

std::vector<Wish> wishes(const Notification& record, const ImportRow& import, const Roster& roster,
                         const std::vector<ChannelView>& channels, const std::string& hush, std::int64_t now_ms,
                         const std::vector<storage::MuteRow>& mutes) {
  std::vector<Wish> made;
  const EventRow* event = find_event(record.event);
  if (event == nullptr) return made;
  to_people(record, *event, import, roster, channels, now_ms, made);
  to_customer(record, *event, import, roster, channels, now_ms, made);
  for (const auto& channel : channels) to_own(record, *event, import, channel, now_ms, made);
  for (Wish& wish : made) {
    const bool speaks = wish.kind != Kind::kOwn || (wish.form != Form::kEditRoot && wish.merges);
    if (hush.empty() || wish.suppressed || !speaks) continue;
    wish.suppressed = true;
    wish.why = hush;
  }
  heed_mutes({record, import, roster, channels, mutes}, made);
  return made;
}

Weight weight_in(const Notification& record, const ImportRow& import) {
  const bool whole = import.enumerated && import.counters.pending == 0;
  if (record.event == "import.first_ready" && whole) return Weight::kRoutine;
  return weight_of(record.weight);
}

}  // namespace callimport::activities
