// The C.2 checker: it finds what is wrong, and finds nothing in real histories but where they are known to be odd.
#include "engine/history/history_rules.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "engine/history/history_file.h"
#include "temporal/api/history/v1/message.pb.h"

namespace callimport::engine {
namespace {

namespace enums = ::temporal::api::enums::v1;
using temporal::api::history::v1::History;

/// Started, Scheduled, Started, Completed, TimerStarted, TimerFired, Signaled, Scheduled.
History plain() {
  History out;
  const auto add = [&out](enums::EventType type) {
    auto* event = out.add_events();
    event->set_event_id(out.events_size());
    event->set_event_type(type);
    event->set_task_id(100 + out.events_size());
    return event;
  };
  (void)add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)->mutable_workflow_execution_started_event_attributes();
  (void)add(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)->mutable_workflow_task_scheduled_event_attributes();
  add(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED)
      ->mutable_workflow_task_started_event_attributes()
      ->set_scheduled_event_id(2);
  auto* completed = add(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED)->mutable_workflow_task_completed_event_attributes();
  completed->set_scheduled_event_id(2);
  completed->set_started_event_id(3);
  add(enums::EVENT_TYPE_TIMER_STARTED)
      ->mutable_timer_started_event_attributes()
      ->set_workflow_task_completed_event_id(4);
  add(enums::EVENT_TYPE_TIMER_FIRED)->mutable_timer_fired_event_attributes()->set_started_event_id(5);
  (void)add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)->mutable_workflow_execution_signaled_event_attributes();
  (void)add(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED)->mutable_workflow_task_scheduled_event_attributes();
  return out;
}

TEST(HistoryRules, AWellFormedHistoryBreaksNone) { EXPECT_TRUE(broken_rules(plain()).empty()); }

struct Row {
  const char* name;
  void (*damage)(History&);
  const char* said;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
class Damaged : public testing::TestWithParam<Row> {};
TEST_P(Damaged, IsNamed) {
  History history = plain();
  GetParam().damage(history);
  std::string all;
  for (const auto& sentence : broken_rules(history)) all += sentence + "\n";
  EXPECT_NE(all.find(GetParam().said), std::string::npos) << all;
}
INSTANTIATE_TEST_SUITE_P(
    Table, Damaged,
    testing::Values(
        Row{"AGapInIds", [](History& h) { h.mutable_events(5)->set_event_id(9); }, "not dense"},
        Row{"AMissingStart", [](History& h) { h.mutable_events()->DeleteSubrange(0, 1); }, "is the first event"},
        Row{"TaskIdsThatFall", [](History& h) { h.mutable_events(4)->set_task_id(1); }, "task ids do not grow"},
        Row{"ACloseInTheMiddle",
            [](History& h) {
              h.mutable_events(6)->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
              (void)h.mutable_events(6)->mutable_workflow_execution_terminated_event_attributes();
            },
            "follows a closing event"},
        Row{"AStartedTaskWithoutEnd", [](History& h) { h.mutable_events()->DeleteSubrange(3, 1); },
            "not followed by its end"},
        Row{"ACommandOfNoTask",
            [](History& h) {
              h.mutable_events(4)->mutable_timer_started_event_attributes()->set_workflow_task_completed_event_id(3);
            },
            "is a EVENT_TYPE_WORKFLOW_TASK_STARTED"},
        Row{"AReferenceForward",
            [](History& h) { h.mutable_events(5)->mutable_timer_fired_event_attributes()->set_started_event_id(8); },
            "is no earlier event"},
        Row{"AReferenceThatIsNotSet",
            [](History& h) { h.mutable_events(5)->mutable_timer_fired_event_attributes()->set_started_event_id(0); },
            "is not set"},
        Row{"ATimerThatEndsTwice",
            [](History& h) {
              h.mutable_events(6)->set_event_type(enums::EVENT_TYPE_TIMER_CANCELED);
              h.mutable_events(6)->mutable_timer_canceled_event_attributes()->set_started_event_id(5);
            },
            "ended before"},
        Row{"TwoTasksAtOnce",
            [](History& h) {
              h.mutable_events(6)->set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
              (void)h.mutable_events(6)->mutable_workflow_task_scheduled_event_attributes();
            },
            "another workflow task is open"},
        Row{"ASignalBehindACompletion",
            [](History& h) {
              h.mutable_events(5)->set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED);
              (void)h.mutable_events(5)->mutable_child_workflow_execution_completed_event_attributes();
            },
            "a signal after a completion"},
        Row{"AChildThatEndsUnstarted",
            [](History& h) {
              h.mutable_events(4)->set_event_type(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
              (void)h.mutable_events(4)->mutable_start_child_workflow_execution_initiated_event_attributes();
              h.mutable_events(5)->set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED);
              h.mutable_events(5)
                  ->mutable_child_workflow_execution_terminated_event_attributes()
                  ->set_initiated_event_id(5);
            },
            "started_event_id is not set"},
        Row{"AChildThatStartsTwice",
            [](History& h) {
              h.mutable_events(4)->set_event_type(enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED);
              (void)h.mutable_events(4)->mutable_start_child_workflow_execution_initiated_event_attributes();
              for (const int i : {5, 6}) {
                h.mutable_events(i)->set_event_type(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
                h.mutable_events(i)
                    ->mutable_child_workflow_execution_started_event_attributes()
                    ->set_initiated_event_id(5);
              }
            },
            "started or ended before"},
        Row{"AnUnknownType", [](History& h) { h.mutable_events(6)->set_event_type(enums::EVENT_TYPE_UNSPECIFIED); },
            "unknown type"},
        Row{"NoAttributes", [](History& h) { h.mutable_events(6)->clear_attributes(); }, "has no attributes"},
        Row{"NoEvents", [](History& h) { h.Clear(); }, "the history is empty"}),
    [](const auto& test) { return test.param.name; });

TEST(HistoryRules, RealHistoriesBreakOnlyWhatIsKnown) {
  const std::filesystem::path folder = std::filesystem::path(CALLIMPORT_SOURCE_DIR) / "../shared/temporal/histories";
  if (!std::filesystem::exists(folder / "known.json")) GTEST_SKIP() << "no real histories at " << folder;
  std::ifstream known_file(folder / "known.json");
  const auto known = nlohmann::json::parse(known_file);
  int checked = 0, odd = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = std::filesystem::relative(entry.path(), folder).string();
    const bool data = name.ends_with(".json") || name.ends_with(".gz") || name.ends_with(".bin");
    if (!entry.is_regular_file() || !data || name == "known.json") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto histories = read_histories(bytes);
    if (!histories) {
      ADD_FAILURE() << name << ": " << histories.error().message;
      continue;
    }
    for (const auto& history : *histories) {
      ++checked;
      const auto broken = broken_rules(history);
      if (known.contains(name)) {
        ++odd;
        EXPECT_FALSE(broken.empty()) << name << " is known to be odd";
        continue;
      }
      for (const auto& sentence : broken) ADD_FAILURE() << name << ": " << sentence;
    }
  }
  EXPECT_GT(checked, 250);
  EXPECT_GT(odd, 5);
}

}  // namespace
}  // namespace callimport::engine
