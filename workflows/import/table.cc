#include "workflows/import/table.h"

#include <array>

namespace callimport::workflows {
namespace {

constexpr Condition kRunning = Condition::kRunning;
constexpr Condition kWaiting = Condition::kWaiting;
constexpr Condition kAttention = Condition::kNeedsAttention;
constexpr Condition kPaused = Condition::kPaused;

constexpr TableRow step(Stage from, Event event, Stage to, std::string_view meaning) {
  return {from, kRunning, event, {to, kRunning}, meaning};
}
constexpr TableRow closing(Event event, Condition to, std::string_view meaning) {
  return {Stage::kNotify, kRunning, event, {Stage::kNotify, to}, meaning};
}
constexpr TableRow anywhere(Condition from, Event event, Condition to, std::string_view meaning) {
  return {std::nullopt, from, event, {Stage::kAuthenticate, to}, meaning};
}

constexpr std::array kTable = {
    step(Stage::kAuthenticate, Event::kAccessProven, Stage::kEnumerate, "Access works; the calls are counted."),
    step(Stage::kEnumerate, Event::kCallsKnown, Stage::kPrioritize,
         "The lane's calls are known; they are put in order."),
    step(Stage::kPrioritize, Event::kOrderSet, Stage::kFetch, "The order is set; recordings are fetched."),
    step(Stage::kPrioritize, Event::kLaneEmpty, Stage::kNotify, "The lane has no call left to fetch."),
    step(Stage::kFetch, Event::kAllFetched, Stage::kRegister, "All is fetched that can be; the rest is registered."),
    step(Stage::kRegister, Event::kAllRegistered, Stage::kNotify, "All is in the library; people are told."),
    closing(Event::kClosedWhole, Condition::kCompleted, "Every call came across."),
    closing(Event::kClosedWithGaps, Condition::kCompletedWithGaps,
            "Some calls did not come across; the report names them."),
    step(Stage::kNotify, Event::kRetryAsked, Stage::kFetch, "A person has failed calls tried again."),
    TableRow{Stage::kNotify,
             kAttention,
             Event::kRetryAsked,
             {Stage::kFetch, kRunning},
             "Instead of approving the gaps a person has them tried again."},
    TableRow{
        Stage::kNotify, kAttention, Event::kGapsApproved, {Stage::kNotify, kRunning}, "A person approved the gaps."},

    anywhere(
        kRunning, Event::kWaitBegan, kWaiting,
        "The platform asks to wait or does not answer, the window is closed, the disk is full, or the start is later."),
    anywhere(kWaiting, Event::kWaitBegan, kWaiting, "Still waiting, for another reason or longer."),
    anywhere(kPaused, Event::kWaitBegan, kWaiting, "The platform answers again, and asks to wait."),
    anywhere(kWaiting, Event::kOutageLasted, kPaused,
             "The outage lasts: the import pauses itself, and goes on asking."),
    anywhere(kPaused, Event::kOutageLasted, kPaused, "Still no answer."),
    anywhere(kRunning, Event::kAttentionNeeded, kAttention, "A person must act."),
    anywhere(kWaiting, Event::kAttentionNeeded, kAttention, "The wait ended, and a person must act."),
    anywhere(kPaused, Event::kAttentionNeeded, kAttention, "The platform answers again, and a person must act."),
    anywhere(kWaiting, Event::kWorkPassed, kRunning, "The wait is over: work passes again."),
    anywhere(kPaused, Event::kWorkPassed, kRunning, "The outage is over: work passes again."),
    anywhere(kAttention, Event::kWorkPassed, kRunning, "Work passes again."),
    anywhere(kAttention, Event::kAccessRenewed, kRunning, "The credential was renewed."),
    anywhere(kRunning, Event::kPausedByPerson, kPaused, "A person paused the import."),
    anywhere(kWaiting, Event::kPausedByPerson, kPaused, "A person paused the import while it waited."),
    anywhere(kAttention, Event::kPausedByPerson, kPaused, "A person paused the import while it needed attention."),
    anywhere(kPaused, Event::kPausedByPerson, kPaused, "A person paused an import that had paused itself."),
    anywhere(kPaused, Event::kResumed, kRunning, "A person, or the date set, ended the pause."),

    anywhere(kRunning, Event::kGaveUp, Condition::kFailed, "It cannot go on; what is registered stays."),
    anywhere(kWaiting, Event::kGaveUp, Condition::kFailed, "It cannot go on; what is registered stays."),
    anywhere(kAttention, Event::kGaveUp, Condition::kFailed, "It cannot go on; what is registered stays."),
    anywhere(kPaused, Event::kGaveUp, Condition::kFailed, "It cannot go on; what is registered stays."),
    anywhere(kRunning, Event::kCancelAsked, Condition::kCancelled, "A person cancelled; what is registered stays."),
    anywhere(kWaiting, Event::kCancelAsked, Condition::kCancelled, "A person cancelled; what is registered stays."),
    anywhere(kAttention, Event::kCancelAsked, Condition::kCancelled, "A person cancelled; what is registered stays."),
    anywhere(kPaused, Event::kCancelAsked, Condition::kCancelled, "A person cancelled; what is registered stays."),

    anywhere(Condition::kCompleted, Event::kUndoAsked, Condition::kUndone, "A person took it back."),
    anywhere(Condition::kCompletedWithGaps, Event::kUndoAsked, Condition::kUndone, "A person took it back."),
    anywhere(Condition::kFailed, Event::kUndoAsked, Condition::kUndone, "A person took it back."),
    anywhere(Condition::kCancelled, Event::kUndoAsked, Condition::kUndone, "A person took it back."),
};

constexpr std::array<std::string_view, kStages> kStageNames = {"authenticate", "enumerate", "prioritize",
                                                               "fetch",        "register",  "notify"};
constexpr std::array<std::string_view, kStages> kStageTitles = {"Checking access",       "Counting calls",
                                                                "Choosing the order",    "Fetching recordings",
                                                                "Adding to the library", "Finishing and verifying"};
constexpr std::array<std::string_view, kConditions> kConditionNames = {"running", "waiting",   "needs_attention",
                                                                       "paused",  "completed", "completed_with_gaps",
                                                                       "failed",  "cancelled", "undone"};
constexpr std::array<std::string_view, kEvents> kEventNames = {
    "access proven",  "calls known",        "order set",        "lane empty",     "all fetched",
    "all registered", "closed whole",       "closed with gaps", "wait began",     "attention needed",
    "outage lasted",  "paused by a person", "work passed",      "access renewed", "resumed",
    "gave up",        "cancel asked",       "retry asked",      "gaps approved",  "undo asked"};

/// Smaller is more urgent.
int urgency(Condition condition) {
  switch (condition) {
    case Condition::kNeedsAttention: return 0;
    case Condition::kPaused: return 1;
    case Condition::kWaiting: return 2;
    case Condition::kRunning: return 3;
    case Condition::kFailed: return 4;
    case Condition::kCancelled: return 5;
    case Condition::kCompletedWithGaps: return 6;
    case Condition::kCompleted: return 7;
    case Condition::kUndone: return 8;
  }
  return 9;
}

template <class Names, class T>
std::string_view name_in(const Names& names, T value) {
  return names.at(static_cast<std::size_t>(value));
}

template <class T, class Names>
std::optional<T> parse_in(const Names& names, std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) == text) return static_cast<T>(i);
  }
  return std::nullopt;
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  if (out.size() < width) out.append(width - out.size(), ' ');
  return out;
}

}  // namespace

std::span<const TableRow> table() { return kTable; }

std::optional<Place> advance(Place from, Event event) {
  for (const TableRow& row : kTable) {
    if (row.event != event || row.condition != from.condition) continue;
    if (!row.stage) return Place{from.stage, row.to.condition};
    if (*row.stage == from.stage) return row.to;
  }
  return std::nullopt;
}

std::string_view to_string(Stage stage) { return name_in(kStageNames, stage); }
std::string_view to_string(Condition condition) { return name_in(kConditionNames, condition); }
std::string_view to_string(Event event) { return name_in(kEventNames, event); }
std::string_view title_of(Stage stage) { return name_in(kStageTitles, stage); }
std::optional<Stage> parse_stage(std::string_view text) { return parse_in<Stage>(kStageNames, text); }
std::optional<Condition> parse_condition(std::string_view text) { return parse_in<Condition>(kConditionNames, text); }

bool is_final(Condition condition) { return condition >= Condition::kCompleted; }

bool first_is_shown(Place first, Place bulk) { return urgency(first.condition) <= urgency(bulk.condition); }

std::string describe_table() {
  std::string out = "Each lane of an import (the first calls, and the bulk) has a stage and a condition.\n\nSTAGES\n";
  for (std::size_t i = 0; i < kStageNames.size(); ++i) {
    out += "  " + padded(kStageNames.at(i), 14) + std::string(kStageTitles.at(i)) + "\n";
  }
  out += "\nTRANSITIONS\n  " + padded("stage", 14) + padded("condition", 17) + padded("event", 20) +
         padded("leads to", 32) + "meaning\n";
  for (const TableRow& row : kTable) {
    std::string to(to_string(row.to.condition));
    std::string from = "any";
    if (row.stage) {
      from = to_string(*row.stage);
      to = std::string(to_string(row.to.stage)) + ", " + to;
    }
    out += "  " + padded(from, 14) + padded(to_string(row.condition), 17) + padded(to_string(row.event), 20) +
           padded(to, 32) + std::string(row.meaning) + "\n";
  }
  return out +
         "\nThe import shows the more urgent lane: needs_attention, paused, waiting, running, failed, cancelled,\n"
         "completed_with_gaps, completed, undone; of equals the first lane.\n";
}

}  // namespace callimport::workflows
