#include "activities/notify/events.h"

#include <algorithm>
#include <array>

namespace callimport::activities {
namespace {

constexpr Weight kRoutine = Weight::kRoutine, kImportant = Weight::kImportant, kAct = Weight::kAct;
constexpr unsigned kAll = kToOwner | kToWatchers;

constexpr std::array kEvents = {
    // The way of an import.
    EventRow{"import.started", kImportant, "", kEdits, kAll | kToCustomer, "The import has begun"},
    EventRow{"import.access_checked", kRoutine, "", kReplies, kAll, "Access works"},
    EventRow{"import.counted", kRoutine, "", kReplies | kEdits, kAll, "The calls are counted"},
    EventRow{"import.ordered", kRoutine, "", kReplies, kAll, "The order is set, fetching begins"},
    EventRow{"import.first_ready", kImportant, "", kReplies | kEdits, kAll | kToCustomer,
             "The first calls can be played"},
    EventRow{"import.half_way", kRoutine, "", kEdits, 0, "Half of the calls are done"},
    EventRow{"import.fetched", kRoutine, "", kReplies, kAll, "The recordings are fetched"},
    EventRow{"import.registered", kRoutine, "", kReplies, kAll, "The calls are in the library"},
    EventRow{"import.completed", kImportant, "", kBroadcasts | kEdits, kAll | kToCustomer, "The import is done"},
    EventRow{"import.gaps_decision", kAct, "gaps", kBroadcasts | kEdits, kToApprover, "Gaps want somebody's approval"},
    EventRow{"import.failed", kAct, "failed", kBroadcasts | kEdits, kAll, "The import stopped"},
    // Waits, and their end.
    EventRow{"import.waiting_shortly", kRoutine, "", kEdits, 0, "A wait of less than half an hour"},
    EventRow{"import.waiting", kImportant, "", kReplies | kEdits, kToOwner, "A longer wait that ends by itself"},
    EventRow{"import.outage", kImportant, "", kEdits, kToOwner, "The platform does not answer this import"},
    EventRow{"import.flapping", kImportant, "", kReplies, kToOwner, "The import goes in and out of the same wait"},
    EventRow{"import.goes_on", kRoutine, "", kReplies | kEdits, kToOwner, "The import goes on by itself"},
    EventRow{"import.delayed", kImportant, "", kReplies | kEdits, kToOwner | kToCustomer,
             "The finish moves beyond the estimate"},
    EventRow{"import.on_time_again", kRoutine, "", kReplies | kEdits, kToOwner, "The finish is as foretold again"},
    EventRow{"platform.outage", kImportant, "outage", kBroadcasts, kToNamed | kToOps,
             "A platform does not answer; its imports wait"},
    EventRow{"platform.recovered", kImportant, "outage", kReplies, kToNamed | kToOps, "The platform answers again"},
    // What wants a person.
    EventRow{"access.needed", kAct, "access", kBroadcasts | kEdits, kToOwner, "Access ended and must be renewed"},
    EventRow{"access.restored", kImportant, "access", kReplies | kEdits, kToOwner, "Access works again"},
    EventRow{"access.ends_soon", kImportant, "", kReplies, kToOwner, "Access ends before the expected finish"},
    EventRow{"import.needs_attention", kAct, "attention", kBroadcasts | kEdits, kToOwner,
             "The import waits for a person"},
    EventRow{"import.no_progress", kAct, "stuck", kBroadcasts | kEdits, kToOnCall | kToOwner | kToOps,
             "Nothing moves, and nobody knows why"},
    EventRow{"import.attention_ended", kImportant, "attention", kReplies | kEdits, kToOwner,
             "What waited for a person goes on"},
    EventRow{"store.nearly_full", kAct, "store", kBroadcasts, kToAdmin | kToOps, "The disk is nearly full"},
    // Problems of calls.
    EventRow{"problem.new", kImportant, "", kReplies, kToOwner, "A new cause keeps calls from coming"},
    EventRow{"problem.solved", kImportant, "", kReplies, kToOwner, "Calls of a cause came after all"},
    EventRow{"problem.back", kImportant, "", kReplies, kToOwner, "A cause that was solved is back"},
    // What people do.
    EventRow{"import.paused", kImportant, "", kReplies | kEdits, kAll, "Somebody paused the import"},
    EventRow{"import.resumed", kImportant, "", kReplies | kEdits, kAll, "Somebody resumed the import"},
    EventRow{"import.cancelled", kImportant, "", kReplies | kEdits, kAll, "Somebody cancelled the import"},
    EventRow{"import.undone", kImportant, "", kReplies | kEdits, kAll, "Somebody took the import back"},
    EventRow{"import.retried", kRoutine, "", kReplies | kEdits, kAll, "Failed calls are tried again"},
    EventRow{"import.approved", kRoutine, "", kReplies | kEdits, kAll, "Somebody approved the gaps"},
    EventRow{"import.window_changed", kRoutine, "", kReplies, kAll, "The import was given another window"},
    EventRow{"simulation.finished", kRoutine, "", kReplies, kToOwner, "A rehearsal is done"},
    // Of the rules themselves.
    EventRow{"escalation.reminder", kAct, "reminder", kBroadcasts, kToNamed, "Nothing happened since a warning"},
    EventRow{"messages.held", kImportant, "held", 0, kToNamed, "Many messages; the rest comes as a digest"},
    EventRow{"channel.down", kAct, "channel", 0, kToAdmin | kToOps, "A channel takes no messages"},
    EventRow{"channel.restored", kImportant, "channel", 0, kToAdmin | kToOps, "A channel takes messages again"},
    EventRow{"webhook.disabled", kAct, "webhook", 0, kToNamed | kToAdmin | kToOps, "An endpoint was switched off"},
    EventRow{"digest.daily", kImportant, "digest", 0, kToNamed, "What happened to your imports since yesterday"},
    EventRow{"digest.weekly", kImportant, "weekly", 0, kToNamed, "What came over this week, for the customer"},
    EventRow{"message.test", kImportant, "test", kBroadcasts, kToNamed, "A test of a channel"},
};

}  // namespace

std::string_view to_string(Weight weight) {
  switch (weight) {
    case Weight::kRoutine: return "routine";
    case Weight::kImportant: return "important";
    case Weight::kAct: return "act";
  }
  return "routine";
}

Weight weight_of(std::string_view text) {
  if (text == "act") return Weight::kAct;
  return text == "important" ? Weight::kImportant : Weight::kRoutine;
}

std::span<const EventRow> events() { return kEvents; }

const EventRow* find_event(std::string_view id) {
  const auto found = std::find_if(kEvents.begin(), kEvents.end(), [id](const EventRow& row) { return row.id == id; });
  return found == kEvents.end() ? nullptr : &*found;
}

}  // namespace callimport::activities
