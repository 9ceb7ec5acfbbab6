// A journal whose rows contradict themselves or each other opens as corrupt, with words, and does not end the process.
#include <gtest/gtest.h>

#include <functional>

#include "engine/service/run_state.h"
#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {
namespace {

/// What a service says that opens this; empty: it opened.
std::string opened(const Durable& durable) {
  simulations::SimLoop loop(simulations::kSimulationStart);
  MemoryJournal journal(loop, durable);
  simulations::SeededRandom random{7};
  const auto service = EmbeddedService::open(journal, loop, loop, random, {});
  if (service) {
    loop.drop_all();
    return "";
  }
  EXPECT_EQ(service.error().code, Code::kCorrupt);
  return service.error().message;
}

/// Rows 1 and 2 are the namespace's, run 1. Run 2: row 3 starts it, row 4 starts its task, row 5 completes that and
/// schedules a.
Durable durable_story() {
  ServiceWorld world;
  world.start();
  EXPECT_TRUE(world.complete(world.poll(), {schedule_activity("a")}).ok());
  EXPECT_EQ(world.journal->durable().rows.size(), 5u);
  return world.journal->durable();
}

struct Row {
  const char* name;
  std::size_t row;
  std::function<void(pb::Transition&)> spoil;
  const char* message;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class CorruptJournal : public testing::TestWithParam<Row> {};

TEST_P(CorruptJournal, OpensWithWords) {
  const Row& row = GetParam();
  Durable durable = durable_story();
  ASSERT_EQ(opened(durable), "");
  pb::Transition change;
  ASSERT_TRUE(change.ParseFromString(durable.rows.at(row.row - 1).body));
  row.spoil(change);
  durable.rows.at(row.row - 1).body = change.SerializeAsString();
  EXPECT_EQ(opened(durable), row.message);
}

pb::ActivityState& activity(pb::Transition& change) { return *change.mutable_activities(0); }

INSTANTIATE_TEST_SUITE_P(
    Table, CorruptJournal,
    testing::Values(
        Row{"AGapInTheHistory", 4, [](pb::Transition& c) { c.mutable_batches(0)->set_first_event_id(7); },
            "journal: row 4 of run 2: a batch begins with event 7 where event 3 comes next"},
        Row{"ABatchOfNothing", 4, [](pb::Transition& c) { c.mutable_batches(0)->set_count(0); },
            "journal: row 4 of run 2: a batch has 0 events"},
        Row{"ABatchThatGoesBack", 4, [](pb::Transition& c) { c.mutable_batches(0)->set_count(-1); },
            "journal: row 4 of run 2: a batch has -1 events"},
        Row{"ARunWithoutAName", 3, [](pb::Transition& c) { c.clear_facts(); },
            "journal: row 3 of run 2: it does not say of which workflow it is"},
        Row{"ARunIdThatIsNone", 3, [](pb::Transition& c) { c.mutable_facts()->set_run_id("other"); },
            "journal: row 3 of run 2: its run id is no UUID"},
        Row{"ARunOfNoKind", 3, [](pb::Transition& c) { c.mutable_facts()->set_kind(static_cast<pb::RunKind>(99)); },
            "journal: row 3 of run 2: it is of kind 99"},
        Row{"ARunThatIsNot", 3, [](pb::Transition& c) { c.clear_progress(); },
            "journal: row 3 of run 2: it does not say how the run is"},
        Row{"AnotherRunsRow", 4, [](pb::Transition& c) { c.mutable_facts()->set_run_id("other"); },
            "journal: row 4 of run 2: it is of another run"},
        Row{"AResetInTheMiddle", 4, [](pb::Transition& c) { c.mutable_rebuilt(); },
            "journal: row 4 of run 2: it begins the run anew"},
        Row{"AnActivityOfABatchThatIsNotThere", 5, [](pb::Transition& c) { activity(c).set_event_batch(9); },
            "journal: row 5 of run 2: activity 5 was scheduled in batch 9 of 1"},
        Row{"AnActivityBeyondItsBatch", 5, [](pb::Transition& c) { activity(c).set_event_offset(1 << 20); },
            "journal: row 5 of run 2: activity 5 was scheduled outside of its batch"},
        Row{"AnActivityBeforeItsBatch", 5, [](pb::Transition& c) { activity(c).set_event_offset(-1); },
            "journal: row 5 of run 2: activity 5 was scheduled outside of its batch"},
        Row{"AnActivityOfAnotherEvent", 5, [](pb::Transition& c) { activity(c).set_event_length(1); },
            "journal: row 5 of run 2: activity 5's event is none"},
        Row{"AnActivityNeverScheduled", 5, [](pb::Transition& c) { activity(c).clear_event_batch(); },
            "journal: row 5 of run 2: activity 5 was not scheduled"},
        Row{"ANamespaceWithoutItsState", 1, [](pb::Transition& c) { c.clear_namespace_state(); },
            "journal: row 1 of run 1: it is a namespace's, and does not tell of one"},
        Row{"ANamespaceThatIsTheSystems", 2, [](pb::Transition& c) { c.mutable_namespace_state()->set_number(1); },
            "journal: run 1: namespace default is another one, too"},
        Row{"ABatchWithoutItsState", 3, [](pb::Transition& c) { c.mutable_facts()->set_kind(pb::RUN_KIND_BATCH); },
            "journal: row 3 of run 2: it is a batch's, and does not tell of one"},
        Row{"AScheduleWithoutItsState", 3,
            [](pb::Transition& c) { c.mutable_facts()->set_kind(pb::RUN_KIND_SCHEDULE); },
            "journal: row 3 of run 2: it is a schedule's, and does not tell of one"}),
    [](const auto& test) { return test.param.name; });

TEST(CorruptJournal, ASnapshotWithoutARun) {
  Durable durable = durable_story();
  durable.snapshots[2] = {2, 5, kSnapshotVersion, pb::RunSnapshot().SerializeAsString()};
  EXPECT_EQ(opened(durable), "journal: the snapshot of run 2: it does not say of which workflow it is");
}

TEST(CorruptJournal, TwoNamespacesOfOneName) {
  Durable durable = durable_story();
  pb::Transition change;
  ASSERT_TRUE(change.ParseFromString(durable.rows[0].body));
  change.mutable_namespace_state()->set_number(change.namespace_state().number() + 1);
  durable.rows.push_back({6, 3, 0, change.SerializeAsString()});
  EXPECT_EQ(opened(durable), "journal: run 3: namespace default is another one, too");
}

}  // namespace
}  // namespace callimport::engine::testing_world
