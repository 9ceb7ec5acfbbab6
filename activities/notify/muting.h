#pragma once
// People who want to hear no more of something: their messages are left out, and what wants somebody to act goes to the
// next person instead, who is told in whose place. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "activities/notify/wishes.h"
#include "storage/library/mutes.h"

namespace callimport::activities {

using Mutes = std::vector<storage::MuteRow>;

/// Of mutes that hold for a record the person's own; null: none.
const storage::MuteRow* mute_of(const Mutes& mutes, std::string_view person);
/// "muted this import on 2026-09-01 by mail:ana: too many"
std::string spoken_mute(const storage::MuteRow& mute);
/// A test was asked for just now, and goes whatever is muted.
bool may_be_muted(std::string_view event);

/// How the rule of a message to somebody who acts for another begins.
inline constexpr std::string_view kInPlaceOf = "in the place of ";

/// Who acts where `person` has muted, the next first: their backup, the owner, team leads, admins. For a customer it is
/// the owner and who follows them.
std::vector<const Person*> next_in_line(const Roster& roster, const storage::ImportRow& import,
                                        std::string_view person);
/// Whom a message in a shared channel calls by name: the owner; when they have muted it, who acts for them where
/// somebody must. Null: nobody.
const Person* whom_to_mention(const Roster& roster, const Message& message, const storage::Notification& news);

/// What the wishes of one record were made of.
struct MuteRule {
  const storage::Notification& record;
  const storage::ImportRow& import;
  const Roster& roster;
  const std::vector<ChannelView>& channels;
  const Mutes& mutes;  ///< that hold for the record
};
/// Suppresses what goes to muted people and customers. What wants somebody to act is added for the next person who can
/// be reached and does not hear of it anyway; when there is nobody at all, the muted person is told all the same.
void heed_mutes(const MuteRule& rule, std::vector<Wish>& made);

}  // namespace callimport::activities
