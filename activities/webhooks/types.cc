#include "activities/webhooks/types.h"

#include <algorithm>
#include <array>

namespace callimport::activities {
namespace {

constexpr std::array kTypes = {
    WebhookType{"import.started", "an import has begun, or goes on with what is missing"},
    WebhookType{"import.stage_changed", "an import is at another stage"},
    WebhookType{"import.first_ready", "the first calls can be played"},
    WebhookType{"import.waiting", "an import waits, and goes on by itself"},
    WebhookType{"import.needs_attention", "an import waits for a person"},
    WebhookType{"import.paused", "a person paused an import"},
    WebhookType{"import.resumed", "an import goes on, whatever it had stood for"},
    WebhookType{"import.estimate_changed", "the finish is later than foretold, or on time again"},
    WebhookType{"import.problem", "a cause keeps calls from coming, or does so no longer"},
    WebhookType{"import.completed", "an import is done, with or without gaps"},
    WebhookType{"import.failed", "an import stopped for good"},
    WebhookType{"import.cancelled", "a person ended an import"},
    WebhookType{"import.undone", "a person took the calls of an import out again"},
    WebhookType{"platform.outage", "a platform does not answer"},
    WebhookType{"platform.recovered", "it answers again"},
    WebhookType{kCallRegistered, "calls are in the library: for transcription and analysis"},
    WebhookType{kCallUpdated, "words or content of calls came later, or in the place of others"},
};

struct EventType {
  std::string_view event, type;
};
/// Not here: digests, reminders, channels and rehearsals, which are told to people.
constexpr std::array kEvents = {
    EventType{"import.started", "import.started"},
    EventType{"import.access_checked", "import.stage_changed"},
    EventType{"import.counted", "import.stage_changed"},
    EventType{"import.ordered", "import.stage_changed"},
    EventType{"import.fetched", "import.stage_changed"},
    EventType{"import.registered", "import.stage_changed"},
    EventType{"import.first_ready", "import.first_ready"},
    EventType{"import.waiting_shortly", "import.waiting"},
    EventType{"import.waiting", "import.waiting"},
    EventType{"import.outage", "import.waiting"},
    EventType{"import.goes_on", "import.resumed"},
    EventType{"import.resumed", "import.resumed"},
    EventType{"import.retried", "import.resumed"},
    EventType{"import.attention_ended", "import.resumed"},
    EventType{"access.restored", "import.resumed"},
    EventType{"import.needs_attention", "import.needs_attention"},
    EventType{"access.needed", "import.needs_attention"},
    EventType{"import.gaps_decision", "import.needs_attention"},
    EventType{"import.no_progress", "import.needs_attention"},
    EventType{"import.paused", "import.paused"},
    EventType{"import.delayed", "import.estimate_changed"},
    EventType{"import.on_time_again", "import.estimate_changed"},
    EventType{"problem.new", "import.problem"},
    EventType{"problem.solved", "import.problem"},
    EventType{"problem.back", "import.problem"},
    EventType{"import.completed", "import.completed"},
    EventType{"import.failed", "import.failed"},
    EventType{"import.cancelled", "import.cancelled"},
    EventType{"import.undone", "import.undone"},
    EventType{"platform.outage", "platform.outage"},
    EventType{"platform.recovered", "platform.recovered"},
};

}  // namespace

std::span<const WebhookType> webhook_types() { return kTypes; }

bool is_webhook_type(std::string_view name) {
  return std::any_of(kTypes.begin(), kTypes.end(), [name](const auto& type) { return type.name == name; });
}

std::string_view type_of_event(std::string_view event) {
  const auto found =
      std::find_if(kEvents.begin(), kEvents.end(), [event](const auto& one) { return one.event == event; });
  return found == kEvents.end() ? std::string_view{} : found->type;
}

}  // namespace callimport::activities
