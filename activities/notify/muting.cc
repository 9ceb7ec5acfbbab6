#include "activities/notify/muting.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/notify/turn.h"
#include "storage/model/time.h"

namespace callimport::activities {
namespace {

using storage::ImportRow;
using storage::MuteRow;
using storage::MuteScope;

constexpr std::string_view kCustomerPrefix = "customer:";
constexpr std::size_t kDateCharacters = 10;  // of 2026-09-01T00:00:00Z

std::string what(const MuteRow& mute) {
  switch (mute.scope) {
    case MuteScope::kAll: return "everything";
    case MuteScope::kImport: return "this import";
    case MuteScope::kWorkspace: return "imports of " + mute.target;
    case MuteScope::kEvent: return mute.target;
  }
  return "this";
}

bool hears(const std::vector<Wish>& made, const Person& person) {
  return std::any_of(made.begin(), made.end(), [&person](const Wish& wish) {
    return wish.kind == Kind::kPerson && !wish.suppressed && wish.to.id == person.id;
  });
}

/// The person's first address on a channel that takes people. A channel's trouble is told by another one.
bool readdress(const MuteRule& rule, const Person& person, Wish& wish) {
  const std::string troubled =
      rule.record.event == "channel.down" ? read_facts(rule.record.facts).value("channel", "") : "";
  for (const auto& [channel, address] : person.addresses) {
    const auto view = std::find_if(rule.channels.begin(), rule.channels.end(),
                                   [&name = channel](const ChannelView& one) { return one.name == name; });
    if (view == rule.channels.end() || !view->manner.people || channel == troubled) continue;
    wish.channel = channel;
    wish.to = {person.id, person.name, address, person.zone, false};
    return true;
  }
  return false;
}

void suppress(Wish& wish, std::string why) {
  wish.suppressed = true;
  wish.why = std::move(why);
}

bool can_act(const MuteRule& rule, const Person& person) {
  return mute_of(rule.mutes, person.id) == nullptr && level_for(person, rule.import) != Level::kNone;
}

/// Nobody follows: it is enough that somebody hears of it.
void keep_unless_heard(const MuteRule& rule, const std::vector<Wish>& made, const std::string& why, Wish& wish) {
  if (wish.kind == Kind::kCustomer) return suppress(wish, why);
  const auto other = std::find_if(made.begin(), made.end(), [&rule](const Wish& one) {
    return one.kind == Kind::kPerson && !one.suppressed && mute_of(rule.mutes, one.to.id) == nullptr;
  });
  if (other != made.end()) return suppress(wish, fmt::format("{}; {} hears of it", why, other->to.name));
  wish.why += fmt::format("; {}, told all the same: there is nobody else to act", why);
}

/// What wants somebody to act, to the next one who can.
void hand_on(const MuteRule& rule, const MuteRow& mute, std::vector<Wish>& made, std::size_t index) {
  const std::string why = spoken_mute(mute);
  for (const Person* next : next_in_line(rule.roster, rule.import, mute.person)) {
    if (!can_act(rule, *next)) continue;
    if (hears(made, *next)) return suppress(made[index], fmt::format("{}; {} hears of it", why, next->name));
    Wish other = made[index];
    if (!readdress(rule, *next, other)) continue;
    other.kind = Kind::kPerson;
    const std::string& of = made[index].to.name.empty() ? made[index].to.id : made[index].to.name;
    other.why = fmt::format("{}{}, who {}", kInPlaceOf, of, why);
    suppress(made[index], fmt::format("{}; it goes to {} instead", why, next->name));
    made.push_back(std::move(other));
    return;
  }
  keep_unless_heard(rule, made, why, made[index]);
}

}  // namespace

const MuteRow* mute_of(const Mutes& mutes, std::string_view person) {
  const auto found =
      std::find_if(mutes.begin(), mutes.end(), [person](const MuteRow& one) { return one.person == person; });
  return found == mutes.end() ? nullptr : &*found;
}

std::string spoken_mute(const MuteRow& mute) {
  std::string text =
      fmt::format("muted {} on {}", what(mute), format_utc(from_unix_ms(mute.at_ms)).substr(0, kDateCharacters));
  if (!mute.who.empty()) text += " by " + mute.who;
  if (!mute.why.empty()) text += ": " + mute.why;
  return text;
}

bool may_be_muted(std::string_view event) { return event != "message.test"; }

std::vector<const Person*> next_in_line(const Roster& roster, const ImportRow& import, std::string_view person) {
  std::vector<const Person*> line;
  const auto add = [&line, person](const Person* one) {
    if (one == nullptr || one->id == person || std::find(line.begin(), line.end(), one) != line.end()) return;
    line.push_back(one);
  };
  const Person* owner = owner_of(roster, import);
  const bool customer = person.starts_with(kCustomerPrefix);
  if (customer) add(owner);
  const Person* self = customer ? owner : roster.find(person);
  if (self != nullptr) add(roster.find(self->backup));
  add(owner);
  for (const auto* ids : {&roster.team_leads, &roster.admins}) {
    for (const auto& id : *ids) add(roster.find(id));
  }
  return line;
}

const Person* whom_to_mention(const Roster& roster, const Message& message, const storage::Notification& news) {
  const Person* owner = owner_of(roster, message.import_row);
  if (owner == nullptr) return nullptr;
  const auto has_muted = [&message](const Person& person) {
    return std::find(message.muted.begin(), message.muted.end(), person.id) != message.muted.end();
  };
  if (!has_muted(*owner)) return owner;
  if (weight_of(news.weight) != Weight::kAct) return nullptr;
  const auto line = next_in_line(roster, message.import_row, owner->id);
  const auto next = std::find_if(line.begin(), line.end(), [&](const Person* one) { return !has_muted(*one); });
  return next == line.end() ? owner : *next;
}

void heed_mutes(const MuteRule& rule, std::vector<Wish>& made) {
  if (rule.mutes.empty() || !may_be_muted(rule.record.event)) return;
  const std::size_t before = made.size();
  for (std::size_t i = 0; i < before; ++i) {
    if (made[i].kind == Kind::kOwn || made[i].suppressed) continue;
    const MuteRow* mute = mute_of(rule.mutes, made[i].to.id);
    if (mute == nullptr) continue;
    if (made[i].weight != Weight::kAct) {
      suppress(made[i], spoken_mute(*mute));
      continue;
    }
    hand_on(rule, *mute, made, i);
  }
}

}  // namespace callimport::activities
