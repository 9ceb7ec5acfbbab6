#pragma once
// Warnings that want somebody to act, and what follows when nobody does (5.4): each step is a durable row with its
// time.
#include <string>
#include <string_view>
#include <vector>

#include "activities/notify/people.h"
#include "activities/notify/turn.h"

namespace callimport::activities {

inline constexpr const char* kEscalation = "escalation";  ///< kind; the key is import and thread

/// Who hears of it when it is still so.
enum class Next : std::uint8_t { kOwner, kOwnerAndOnCall, kBackup, kTeamLeads, kAdmins, kCustomer };
struct EscalationStep {
  std::int64_t after_ms;  ///< since it began
  Next whom;
  std::string_view words;  ///< why they are told
};
/// Of the situation that this event begins; empty: it is no escalation, or has no later steps.
std::vector<EscalationStep> escalation_steps(std::string_view event);

/// The record begins one, if it is of such an event.
Turn escalation_began(const storage::Notification& record);
/// Keys of what this record ends.
std::vector<std::string> escalations_ended(const storage::Notification& record);
/// A step is due.
Turn escalation_due(const storage::AgendaRow& known, const Roster& roster, const storage::ImportRow& import,
                    std::int64_t now_ms);

}  // namespace callimport::activities
