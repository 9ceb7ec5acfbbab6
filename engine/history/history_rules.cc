#include "engine/history/history_rules.h"

#include <google/protobuf/descriptor.h>

#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine {
namespace {

namespace enums = ::temporal::api::enums::v1;
using enums::EventType;
using temporal::api::history::v1::History;
using temporal::api::history::v1::HistoryEvent;

enum class Absent : std::uint8_t { kFine, kBroken };

/// Every event of `type` names, in `field`, an earlier event of type `target`.
struct Reference {
  EventType type;
  const char* field;
  EventType target;
  Absent absent;
};

constexpr Reference kReferences[] = {
    {enums::EVENT_TYPE_WORKFLOW_TASK_STARTED, "scheduled_event_id", enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED, "scheduled_event_id", enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED, "started_event_id", enums::EVENT_TYPE_WORKFLOW_TASK_STARTED,
     Absent::kBroken},
    {enums::EVENT_TYPE_WORKFLOW_TASK_FAILED, "scheduled_event_id", enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_WORKFLOW_TASK_FAILED, "started_event_id", enums::EVENT_TYPE_WORKFLOW_TASK_STARTED,
     Absent::kFine},
    {enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, "scheduled_event_id", enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, "started_event_id", enums::EVENT_TYPE_WORKFLOW_TASK_STARTED,
     Absent::kFine},
    {enums::EVENT_TYPE_ACTIVITY_TASK_STARTED, "scheduled_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED, "scheduled_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED, "started_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_STARTED,
     Absent::kBroken},
    {enums::EVENT_TYPE_ACTIVITY_TASK_FAILED, "scheduled_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_ACTIVITY_TASK_FAILED, "started_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_STARTED,
     Absent::kBroken},
    {enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, "scheduled_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, "started_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_STARTED,
     Absent::kFine},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, "scheduled_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED, "scheduled_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
     Absent::kBroken},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED, "started_event_id", enums::EVENT_TYPE_ACTIVITY_TASK_STARTED,
     Absent::kFine},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED, "latest_cancel_requested_event_id",
     enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, Absent::kFine},
    {enums::EVENT_TYPE_TIMER_FIRED, "started_event_id", enums::EVENT_TYPE_TIMER_STARTED, Absent::kBroken},
    {enums::EVENT_TYPE_TIMER_CANCELED, "started_event_id", enums::EVENT_TYPE_TIMER_STARTED, Absent::kBroken},
    {enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, "initiated_event_id",
     enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, "initiated_event_id",
     enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, "initiated_event_id",
     enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, "initiated_event_id",
     enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, "initiated_event_id",
     enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, "initiated_event_id",
     enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, "initiated_event_id",
     enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, "started_event_id",
     enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, "started_event_id",
     enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, "started_event_id",
     enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, "started_event_id",
     enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, Absent::kBroken},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, "started_event_id",
     enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, Absent::kBroken},
    {enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, "initiated_event_id",
     enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED, "initiated_event_id",
     enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED, "initiated_event_id",
     enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED, "initiated_event_id",
     enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, Absent::kBroken},
    {enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED, "accepted_event_id",
     enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, Absent::kBroken},
};

/// These end what `field` names: a task, activity, timer or child ends once.
constexpr std::pair<EventType, const char*> kEnds[] = {
    {enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED, "scheduled_event_id"},
    {enums::EVENT_TYPE_WORKFLOW_TASK_FAILED, "scheduled_event_id"},
    {enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, "scheduled_event_id"},
    {enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED, "scheduled_event_id"},
    {enums::EVENT_TYPE_ACTIVITY_TASK_FAILED, "scheduled_event_id"},
    {enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT, "scheduled_event_id"},
    {enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED, "scheduled_event_id"},
    {enums::EVENT_TYPE_TIMER_FIRED, "started_event_id"},
    {enums::EVENT_TYPE_TIMER_CANCELED, "started_event_id"},
    {enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED, "initiated_event_id"},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, "initiated_event_id"},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED, "initiated_event_id"},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, "initiated_event_id"},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT, "initiated_event_id"},
    {enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED, "initiated_event_id"},
};

bool closes(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: return true;
    default: return false;
  }
}

bool completes_work(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT: return true;
    default: return false;
  }
}

bool ends_task(EventType type) {
  return type == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED || type == enums::EVENT_TYPE_WORKFLOW_TASK_FAILED ||
         type == enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT;
}

class Checker {
 public:
  std::vector<std::string> check(const History& history) {
    if (history.events().empty()) broken_.push_back("the history is empty");
    for (const auto& event : history.events()) {
      check_order(event);
      check_attributes(event);
      check_references(event);
      check_tasks(event);
      check_flush(event);
      types_[event.event_id()] = event.event_type();
      previous_ = event.event_type();
      ++seen_;
    }
    return std::move(broken_);
  }

 private:
  void say(const HistoryEvent& event, const std::string& what) {
    broken_.push_back("event " + std::to_string(event.event_id()) + " (" + enums::EventType_Name(event.event_type()) +
                      "): " + what);
  }

  void check_order(const HistoryEvent& event) {
    if (event.event_id() != seen_ + 1) say(event, "ids are not dense from 1");
    const bool starts = event.event_type() == enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;
    if (starts != (seen_ == 0)) say(event, "WorkflowExecutionStarted is the first event, and only that");
    if (closed_) say(event, "follows a closing event");
    closed_ = closed_ || closes(event.event_type());
    if (event.task_id() != 0 && event.task_id() <= last_task_id_) say(event, "task ids do not grow");
    if (event.task_id() != 0) last_task_id_ = event.task_id();
  }

  void check_attributes(const HistoryEvent& event) {
    if (event.event_type() == enums::EVENT_TYPE_UNSPECIFIED || !enums::EventType_IsValid(event.event_type())) {
      say(event, "unknown type");
    }
    if (event.attributes_case() == HistoryEvent::ATTRIBUTES_NOT_SET) say(event, "has no attributes");
  }

  static const google::protobuf::Message* attributes_of(const HistoryEvent& event) {
    const auto* oneof = event.GetDescriptor()->FindOneofByName("attributes");
    const auto* field = event.GetReflection()->GetOneofFieldDescriptor(event, oneof);
    return field == nullptr ? nullptr : &event.GetReflection()->GetMessage(event, field);
  }
  /// 0 where the field is not set or not there.
  static std::int64_t number(const google::protobuf::Message& attributes, const char* name) {
    const auto* field = attributes.GetDescriptor()->FindFieldByName(name);
    return field == nullptr ? 0 : attributes.GetReflection()->GetInt64(attributes, field);
  }

  void check_reference(const HistoryEvent& event, const char* field, std::int64_t id, EventType target, Absent absent) {
    if (id == 0) {
      if (absent == Absent::kBroken) say(event, std::string(field) + " is not set");
      return;
    }
    const auto named = types_.find(id);
    if (named == types_.end()) {
      say(event, std::string(field) + " " + std::to_string(id) + " is no earlier event");
    } else if (named->second != target) {
      say(event, std::string(field) + " " + std::to_string(id) + " is a " + enums::EventType_Name(named->second));
    }
  }

  void check_references(const HistoryEvent& event) {
    const auto* attributes = attributes_of(event);
    if (attributes == nullptr) return;
    for (const Reference& r : kReferences) {
      if (r.type == event.event_type())
        check_reference(event, r.field, number(*attributes, r.field), r.target, r.absent);
    }
    constexpr const char* kCompleted = "workflow_task_completed_event_id";
    check_reference(event, kCompleted, number(*attributes, kCompleted), enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
                    Absent::kFine);
    if (event.event_type() == enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED) {
      const std::int64_t child = number(*attributes, "initiated_event_id");
      if (!children_.insert(child).second || ended_.contains(child)) say(event, "the child started or ended before");
    }
    for (const auto& [type, field] : kEnds) {
      if (type != event.event_type()) continue;
      const std::int64_t id = number(*attributes, field);
      if (id != 0 && !ended_.insert(id).second)
        say(event, std::string(field) + " " + std::to_string(id) + " ended before");
    }
  }

  void check_tasks(const HistoryEvent& event) {
    const EventType type = event.event_type();
    if (previous_ == enums::EVENT_TYPE_WORKFLOW_TASK_STARTED && !ends_task(type) && !closes(type)) {
      say(event, "WorkflowTaskStarted is not followed by its end");
    }
    if (type == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) {
      if (task_open_) say(event, "another workflow task is open");
      task_open_ = true;
    }
    if (ends_task(type)) task_open_ = false;
  }

  /// A completed task's flush: its signals come before completions of work.
  void check_flush(const HistoryEvent& event) {
    const EventType type = event.event_type();
    if (type == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
      in_flush_ = true;
      completion_flushed_ = false;
    } else if (type == enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED) {
      in_flush_ = false;
    }
    if (!in_flush_) return;
    if (completes_work(type)) completion_flushed_ = true;
    if (type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED && completion_flushed_) {
      say(event, "a signal after a completion inside one flush");
    }
  }

  std::vector<std::string> broken_;
  std::map<std::int64_t, EventType> types_;
  std::set<std::int64_t> ended_;
  std::set<std::int64_t> children_;  ///< started ones, by initiated event
  std::int64_t seen_ = 0, last_task_id_ = 0;
  EventType previous_ = enums::EVENT_TYPE_UNSPECIFIED;
  bool closed_ = false, task_open_ = false, in_flush_ = false, completion_flushed_ = false;
};

}  // namespace

std::vector<std::string> broken_rules(const History& history) { return Checker().check(history); }

}  // namespace callimport::engine
