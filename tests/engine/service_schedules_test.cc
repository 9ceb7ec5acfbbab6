// Schedules (conformance C.15): what they start and when, what overlaps do, and what survives.
#include <google/protobuf/text_format.h>

#include <set>

#include "engine/service/schedules.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "tests/engine/recovery_loops.h"
#include "tests/engine/schedule_world.h"

namespace callimport::engine::testing_world {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr int kInvalid = 3, kNotFound = 5, kExists = 6, kPrecondition = 9;

void in_days(ScheduleWorld& world, int days) { world.advance(hours{24 * days}); }

TEST(Schedules, AnIntervalStartsRunsNamedByTheirTimes) {  // [live]
  ScheduleWorld world;
  world.create(60);
  auto told = world.schedule();
  EXPECT_EQ(told.info().future_action_times_size(), 10);
  EXPECT_EQ(told.info().future_action_times(0).seconds() % 60, 0);
  EXPECT_EQ(told.conflict_token(), std::string("\0\0\0\0\0\0\0\1", 8));
  EXPECT_EQ(told.schedule().policies().overlap_policy(), enums::SCHEDULE_OVERLAP_POLICY_SKIP);
  EXPECT_EQ(told.schedule().policies().catchup_window().seconds(), 31'536'000);
  world.advance(minutes{1});
  EXPECT_EQ(world.actions(), "00:01:00 RUNNING");
  const std::string id = "run-2026-09-01T00:01:00Z";
  const auto started = world.history(id).events(0).workflow_execution_started_event_attributes();
  EXPECT_EQ(started.identity(), "temporal-scheduler-default-S");
  const auto& attributes = started.search_attributes().indexed_fields();
  EXPECT_EQ(attributes.at("TemporalScheduledById").data(), "\"S\"");
  EXPECT_EQ(attributes.at("TemporalScheduledStartTime").data(), "\"2026-09-01T00:01:00Z\"");
  EXPECT_EQ(attributes.at("TemporalScheduledStartTime").metadata().at("type"), "Datetime");
  world.answer({complete_workflow()});
  world.advance(minutes{1});
  EXPECT_EQ(world.actions(), "00:01:00 COMPLETED, 00:02:00 RUNNING");
  EXPECT_EQ(world.figures(), "2 taken, 0 skipped, 0 buffered, 1 running");
}

struct OverlapRow {
  const char* name;
  Overlap policy;
  const char* figures;  ///< after four times more, with the first run still open
  const char* after;    ///< when the worker ended the first run; ""  nothing is open to end
};
void PrintTo(const OverlapRow& row, std::ostream* out) { *out << row.name; }
class Overlaps : public testing::TestWithParam<OverlapRow> {};
TEST_P(Overlaps, DecideWhatBecomesOfActions) {  // [live] but for `after`
  const OverlapRow& row = GetParam();
  ScheduleWorld world;
  world.create(1, [&row](auto& r) { r.mutable_schedule()->mutable_policies()->set_overlap_policy(row.policy); });
  world.advance(milliseconds{5'500});
  EXPECT_EQ(world.figures(), row.figures);
  if (std::string(row.after).empty()) return;
  world.answer({complete_workflow()});
  EXPECT_EQ(world.figures(), row.after);
}
INSTANTIATE_TEST_SUITE_P(Table, Overlaps,
                         testing::Values(OverlapRow{"Skip", enums::SCHEDULE_OVERLAP_POLICY_SKIP,
                                                    "1 taken, 4 skipped, 0 buffered, 1 running",
                                                    "1 taken, 4 skipped, 0 buffered, 0 running"},
                                         OverlapRow{"BufferOne", enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
                                                    "1 taken, 3 skipped, 1 buffered, 1 running",
                                                    "2 taken, 3 skipped, 0 buffered, 1 running"},
                                         OverlapRow{"BufferAll", enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
                                                    "1 taken, 0 skipped, 4 buffered, 1 running",
                                                    "2 taken, 0 skipped, 3 buffered, 1 running"},
                                         OverlapRow{"CancelOther", enums::SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER,
                                                    "1 taken, 0 skipped, 4 buffered, 1 running",
                                                    "2 taken, 3 skipped, 0 buffered, 1 running"},
                                         OverlapRow{"TerminateOther", enums::SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER,
                                                    "5 taken, 0 skipped, 0 buffered, 1 running", ""},
                                         OverlapRow{"AllowAll", enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
                                                    "5 taken, 0 skipped, 0 buffered, 0 running", ""}),
                         [](const auto& test) { return test.param.name; });

TEST(Schedules, OthersAreAskedToEndInTheirWords) {  // [live]
  ScheduleWorld world;
  world.create(0);
  EXPECT_TRUE(world.trigger().ok());
  world.advance(milliseconds{1'000});
  EXPECT_TRUE(world.trigger(enums::SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER).ok());
  EXPECT_EQ(world.transcript("run-2026-09-01T00:00:00Z", "", 3),
            "[3 WorkflowExecutionCancelRequested cause=cancelled by schedule overlap policy "
            "identity=temporal-scheduler-default-S\n");
  world.advance(milliseconds{1'000});
  EXPECT_TRUE(world.trigger(enums::SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER).ok());
  const auto ended = world.history("run-2026-09-01T00:00:00Z").events(3);
  EXPECT_EQ(ended.workflow_execution_terminated_event_attributes().reason(), "terminated by schedule overlap policy");
  EXPECT_EQ(ended.workflow_execution_terminated_event_attributes().identity(), "temporal-scheduler-default-S");
  EXPECT_EQ(world.actions(), "00:00:00 TERMINATED, 00:00:02 RUNNING") << "the later took the earlier's place";
}

TEST(Schedules, AChainIsOneRun) {  // an action ends when the last run of its chain does
  ScheduleWorld world;
  world.create(0);
  EXPECT_TRUE(world.trigger(enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL).ok());
  EXPECT_TRUE(world.trigger(enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL).ok());
  world.answer({continue_as_new("1")});
  EXPECT_EQ(world.figures(), "1 taken, 0 skipped, 1 buffered, 1 running");
  world.restart();
  world.advance(milliseconds{1'500});
  world.answer({complete_workflow()});
  EXPECT_EQ(world.figures(), "2 taken, 0 skipped, 0 buffered, 1 running");
}

TEST(Schedules, TheLastResultAndFailureAreHandedOn) {  // [live]
  ScheduleWorld world;
  world.create(1);
  const auto started = [&world](const std::string& second) {
    return world.history("run-2026-09-01T00:00:0" + second + "Z")
        .events(0)
        .workflow_execution_started_event_attributes();
  };
  world.advance(milliseconds{1'000});
  EXPECT_FALSE(started("1").has_last_completion_result());
  world.answer({complete_workflow("\"first\"")});
  world.advance(milliseconds{1'000});
  EXPECT_EQ(started("2").last_completion_result().payloads(0).data(), "\"first\"");
  world.answer({fail_workflow("broken")});
  world.restart();
  world.advance(milliseconds{1'000});
  EXPECT_EQ(started("3").last_completion_result().payloads(0).data(), "\"first\"");
  EXPECT_EQ(started("3").continued_failure().message(), "broken");
  world.answer({complete_workflow("\"third\"")});
  world.advance(milliseconds{1'000});
  EXPECT_EQ(started("4").last_completion_result().payloads(0).data(), "\"third\"");
  EXPECT_FALSE(started("4").has_continued_failure());
}

TEST(Schedules, PauseOnFailure) {
  for (const bool timeout : {false, true}) {
    ScheduleWorld world;
    world.create(60, [timeout](auto& r) {
      r.mutable_schedule()->mutable_policies()->set_pause_on_failure(true);
      auto* action = r.mutable_schedule()->mutable_action()->mutable_start_workflow();
      if (timeout) *action->mutable_workflow_run_timeout() = seconds(1);
    });
    world.advance(minutes{1});
    if (!timeout) world.answer({fail_workflow("broken")});
    world.advance(minutes{5});
    const auto told = world.schedule();
    EXPECT_TRUE(told.schedule().state().paused());
    const std::string id = "run-2026-09-01T00:01:00Z";
    EXPECT_EQ(told.schedule().state().notes(), timeout ? "paused due to workflow timeout: " + id  // [live]
                                                       : "paused due to workflow failure: " + id + ": broken");
    EXPECT_EQ(told.conflict_token().back(), '\2');
    EXPECT_EQ(world.figures(), "1 taken, 0 skipped, 0 buffered, 0 running");
    EXPECT_TRUE(world.unpause("mended").ok());
    world.advance(minutes{1});
    EXPECT_EQ(world.figures(), "2 taken, 0 skipped, 0 buffered, 1 running") << "paused time does not come back";
  }
}

TEST(Schedules, APausedOneWaits) {
  ScheduleWorld world;
  world.create(60, [](auto& r) { r.mutable_initial_patch()->set_pause("why"); });
  EXPECT_EQ(world.schedule().conflict_token().back(), '\2');  // [live]
  EXPECT_EQ(world.schedule().info().future_action_times_size(), 10);
  world.advance(minutes{10});
  EXPECT_EQ(world.figures(), "0 taken, 0 skipped, 0 buffered, 0 running");
  EXPECT_TRUE(world.trigger().ok());
  EXPECT_EQ(world.figures(), "1 taken, 0 skipped, 0 buffered, 1 running") << "by hand all the same";
  EXPECT_TRUE(world.unpause("go").ok());
  EXPECT_EQ(world.schedule().schedule().state().notes(), "go");
  world.advance(minutes{1});
  EXPECT_EQ(world.figures(), "1 taken, 1 skipped, 0 buffered, 1 running");
}

TEST(Schedules, StopAfterTheirLastAction) {
  ScheduleWorld world;
  world.create(1, [](auto& r) {
    r.mutable_schedule()->mutable_state()->set_limited_actions(true);
    r.mutable_schedule()->mutable_state()->set_remaining_actions(3);
    r.mutable_schedule()->mutable_policies()->set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL);
  });
  EXPECT_EQ(world.schedule().info().future_action_times_size(), 3);  // [live]
  world.advance(minutes{1});
  EXPECT_EQ(world.actions(), "00:00:01 RUNNING, 00:00:02 RUNNING, 00:00:03 RUNNING");
  EXPECT_EQ(world.schedule().schedule().state().remaining_actions(), 0);
  EXPECT_EQ(world.schedule().conflict_token().back(), '\4');
  EXPECT_EQ(world.schedule().info().future_action_times_size(), 0);
}

TEST(Schedules, CatchUpWithinTheirWindow) {
  ScheduleWorld world;
  world.create(60, [](auto& r) {
    auto* policies = r.mutable_schedule()->mutable_policies();
    policies->set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL);
    *policies->mutable_catchup_window() = seconds(300);
  });
  world.advance(minutes{2});
  // Nobody was there for an hour; the process that comes then finds the window's times due.
  ScheduleWorld later({}, world.journal->durable(), world.loop.now() + hours{1});
  later.advance(milliseconds{10});
  EXPECT_EQ(later.figures(), "8 taken, 0 skipped, 0 buffered, 0 running, 54 missed");
  // A clock that was set back waits until it is where it was.
  ScheduleWorld earlier({}, world.journal->durable(), world.loop.now() - hours{1});
  earlier.advance(minutes{59});
  EXPECT_EQ(earlier.figures(), "2 taken, 0 skipped, 0 buffered, 0 running");
  earlier.advance(minutes{2});
  EXPECT_EQ(earlier.figures(), "3 taken, 0 skipped, 0 buffered, 0 running");
}

TEST(Schedules, ALongAbsenceFillsTheBufferAndNoMore) {
  ScheduleWorld world;
  world.create(1, [](auto& r) {
    r.mutable_schedule()->mutable_policies()->set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL);
  });
  ScheduleWorld later({}, world.journal->durable(), world.loop.now() + hours{5} + milliseconds{500});
  later.advance(milliseconds{100});
  // 18,000 times, looked at in two portions: of the first, 1,000 fit; of the second, one took the place of the started.
  EXPECT_EQ(later.figures(), "1 taken, 0 skipped, 1000 buffered, 1 running, 16999 dropped");
}

TEST(Schedules, Backfills) {
  ScheduleWorld world;
  world.create(60, [](auto& r) { r.mutable_schedule()->mutable_state()->set_paused(true); });
  const auto backfill = [&world](Overlap overlap) {
    return world.patch([overlap](auto& r) {
      auto* one = r.mutable_patch()->add_backfill_request();
      one->mutable_start_time()->set_seconds(1'767'225'600);  // 2026-01-01T00:00:00Z: its start counts
      one->mutable_end_time()->set_seconds(1'767'225'600 + 180);
      one->set_overlap_policy(overlap);
    });
  };
  EXPECT_TRUE(backfill(enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL).ok());
  EXPECT_EQ(world.actions(), "00:00:00 RUNNING, 00:01:00 RUNNING, 00:02:00 RUNNING, 00:03:00 RUNNING");
  EXPECT_TRUE(backfill(enums::SCHEDULE_OVERLAP_POLICY_SKIP).ok());
  EXPECT_EQ(world.figures(), "4 taken, 3 skipped, 0 buffered, 0 running") << "the id of the one to start is taken";
}

TEST(Schedules, ALongBackfillGoesInPortions) {
  ScheduleWorld world;
  world.create(60, [](auto& r) { r.mutable_schedule()->mutable_state()->set_paused(true); });
  EXPECT_TRUE(world
                  .patch([](auto& r) {
                    auto* one = r.mutable_patch()->add_backfill_request();
                    one->mutable_start_time()->set_seconds(1'767'225'600);
                    one->mutable_end_time()->set_seconds(1'767'225'600 + 60 * 999);
                    one->set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL);
                  })
                  .ok());
  world.advance(milliseconds{100});
  EXPECT_EQ(world.figures(), "1 taken, 0 skipped, 500 buffered, 1 running");
  world.restart();
  for (int i = 0; i < 999; ++i) {
    world.answer({complete_workflow()});
    world.advance(milliseconds{2});
  }
  EXPECT_EQ(world.figures(), "1000 taken, 0 skipped, 0 buffered, 1 running");
}

TEST(Schedules, ATriggerMayNameItsTime) {  // [live]
  ScheduleWorld world;
  world.create(0, [](auto& r) {
    r.mutable_initial_patch()->mutable_trigger_immediately()->mutable_scheduled_time()->set_seconds(1'767'225'600);
  });
  EXPECT_EQ(world.schedule().info().recent_actions(0).start_workflow_result().workflow_id(),
            "run-2026-01-01T00:00:00Z");
}

TEST(Schedules, TheIdMayBeKept) {  // the server's default scheduler does not heed it
  ScheduleWorld world;
  world.create(0, [](auto& r) { r.mutable_schedule()->mutable_policies()->set_keep_original_workflow_id(true); });
  EXPECT_TRUE(world.trigger().ok());
  EXPECT_EQ(world.schedule().info().running_workflows(0).workflow_id(), "run");
}

TEST(Schedules, TenRecentActionsAreKept) {
  ScheduleWorld world;
  world.create(1, [](auto& r) {
    r.mutable_schedule()->mutable_policies()->set_overlap_policy(enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL);
  });
  world.advance(milliseconds{12'500});
  EXPECT_EQ(world.schedule().info().recent_actions_size(), 10);
  EXPECT_EQ(world.actions().substr(0, 8), "00:00:03");
}

// Requests.

api::UpdateScheduleRequest update_of(ScheduleWorld& world, int every_s) {
  api::UpdateScheduleRequest request;
  request.set_namespace_("default");
  request.set_schedule_id("S");
  *request.mutable_schedule() = world.creation(every_s).schedule();
  return request;
}

TEST(Schedules, AreUpdatedOnce) {
  ScheduleWorld world;
  world.create(60);
  auto update = update_of(world, 3600);
  update.set_conflict_token(world.schedule().conflict_token());
  update.set_request_id("u1");
  (*update.mutable_memo()->mutable_fields())["owner"].set_data("\"north\"");
  EXPECT_TRUE(world.call(&WorkflowService::UpdateSchedule, update).ok());
  auto told = world.schedule();
  EXPECT_EQ(told.schedule().spec().interval(0).interval().seconds(), 3600);
  EXPECT_EQ(told.memo().fields().at("owner").data(), "\"north\"");
  EXPECT_EQ(told.conflict_token().back(), '\2');
  EXPECT_TRUE(told.info().has_update_time());
  EXPECT_TRUE(world.call(&WorkflowService::UpdateSchedule, update).ok()) << "the same request again";
  EXPECT_EQ(world.schedule().conflict_token().back(), '\2');
  update.set_request_id("u2");
  const auto stale = world.call(&WorkflowService::UpdateSchedule, update).status;
  EXPECT_EQ(stale.code, kPrecondition);
  EXPECT_EQ(stale.message, "mismatched conflict token");
  world.advance(minutes{30});
  EXPECT_EQ(world.figures(), "0 taken, 0 skipped, 0 buffered, 0 running") << "the times of before are gone";
  world.advance(minutes{30});
  EXPECT_EQ(world.figures(), "1 taken, 0 skipped, 0 buffered, 1 running");
}

TEST(Schedules, APatchIsObeyedOnce) {
  ScheduleWorld world;
  world.create(0);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(world
                    .patch([](auto& r) {
                      r.set_request_id("t1");
                      r.mutable_patch()->mutable_trigger_immediately();
                    })
                    .ok());
    world.restart();
  }
  EXPECT_EQ(world.figures(), "1 taken, 0 skipped, 0 buffered, 1 running");
}

TEST(Schedules, AreMadeOnce) {  // [live]
  ScheduleWorld world;
  world.create(60);
  world.create(60);
  const auto twice = world.try_create(60, [](auto& r) { r.set_request_id("another"); });
  EXPECT_EQ(twice.status.code, kExists);
  EXPECT_TRUE(twice.status.message.starts_with(
      "Workflow execution is already running. WorkflowId: temporal-sys-scheduler:S, RunId: "));
  EXPECT_TRUE(world.remove().ok());
  EXPECT_EQ(world.try_describe().status.message, "schedule not found");
  EXPECT_EQ(world.remove().message, "workflow execution already completed");
  EXPECT_EQ(world.remove("zz").message, "workflow not found for ID: temporal-sys-scheduler:zz");
  world.restart();
  EXPECT_EQ(world.try_describe().status.code, kNotFound);
  world.create(60);
}

struct Refusal {
  const char* name;
  const char* change;  ///< merged into the request as text
  const char* text;
};
void PrintTo(const Refusal& row, std::ostream* out) { *out << row.name; }
class ScheduleRefusals : public testing::TestWithParam<Refusal> {};
TEST_P(ScheduleRefusals, SayWhy) {  // [live]
  const Refusal& row = GetParam();
  ScheduleWorld world;
  const auto answer = world.try_create(
      0, [&row](auto& r) { ASSERT_TRUE(google::protobuf::TextFormat::MergeFromString(row.change, &r)) << row.change; });
  EXPECT_EQ(answer.status.code, std::string(row.text).empty() ? 0 : kInvalid);
  EXPECT_EQ(answer.status.message, row.text);
}
#define ACTION(text) "schedule { action { start_workflow { " text " } } }"
INSTANTIATE_TEST_SUITE_P(
    Table, ScheduleRefusals,
    testing::Values(Refusal{"NoRequestId", "request_id: ''", "RequestId is not set on request."},
                    Refusal{"NoId", "schedule_id: ''", "missing task queue name"},
                    Refusal{"NoType", ACTION("workflow_type { name: '' }"), "WorkflowType is not set on request."},
                    Refusal{"NoQueue", ACTION("task_queue { name: '' }"), "missing task queue name"},
                    Refusal{"AReservedQueue", ACTION("task_queue { name: '/_sys/x' }"),
                            "task queue name cannot start with reserved prefix /_sys/"},
                    Refusal{"NoWorkflowId", ACTION("workflow_id: ''"), ""},
                    Refusal{"ACronOfItsOwn", ACTION("cron_schedule: '* * * * *'"),
                            "Scheduled workflow must not contain CronSchedule"},
                    Refusal{"AReusePolicy",
                            ACTION("workflow_id_reuse_policy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE"),
                            "Scheduled workflow must not contain WorkflowIDReusePolicy"},
                    Refusal{"NegativeTimeout", ACTION("workflow_run_timeout { seconds: -1 }"),
                            "An invalid WorkflowRunTimeoutSeconds is set on request. cause: negative duration"},
                    Refusal{"AnUnknownAttribute",
                            ACTION("search_attributes { indexed_fields { key: 'Nope' value { data: '1' } } }"),
                            "Namespace default has no mapping defined for search attribute Nope"},
                    Refusal{"ABadRetryPolicy", ACTION("retry_policy { initial_interval { seconds: -1 } }"), ""},
                    Refusal{"ABadCron", "schedule { spec { cron_string: 'nonsense' } }",
                            "Invalid schedule spec: CronString does not have 5-7 fields"},
                    Refusal{"Mars", "schedule { spec { timezone_name: 'Mars/X' } }",
                            "Invalid schedule spec: unknown time zone Mars/X"}),
    [](const auto& test) { return test.param.name; });

TEST(ScheduleRefusals, ALongIdLeavesRoomForItsTime) {
  ScheduleWorld world;
  const auto create = [&world](std::size_t bytes) {
    return world.try_create(0, [bytes](auto& r) {
      r.set_schedule_id("S" + std::to_string(bytes));
      r.mutable_schedule()->mutable_action()->mutable_start_workflow()->set_workflow_id(std::string(bytes, 'x'));
    });
  };
  EXPECT_TRUE(create(979).ok());
  EXPECT_EQ(create(980).status.message, "WorkflowId length exceeds limit.");  // [live]
}

TEST(ScheduleRefusals, NotesHaveALimit) {
  ScheduleWorld world;
  world.create(0);
  EXPECT_TRUE(world.pause(std::string(kScheduleNotesBytesMax, 'x')).ok());
  EXPECT_EQ(world.unpause(std::string(kScheduleNotesBytesMax + 1, 'x')).message, "Schedule notes exceeds limit.");
}

TEST(ScheduleRefusals, AnActionThatCannotStartIsNotCounted) {  // [live]
  ScheduleWorld world;
  world.create(0, [](auto& r) {
    auto* action = r.mutable_schedule()->mutable_action()->mutable_start_workflow();
    *action->mutable_retry_policy()->mutable_initial_interval() = seconds(-1);
  });
  EXPECT_TRUE(world.trigger().ok());
  EXPECT_EQ(world.figures(), "0 taken, 0 skipped, 0 buffered, 0 running");
}

TEST(Schedules, TellTheirTimes) {  // [live]
  ScheduleWorld world;
  world.create(60);
  api::ListScheduleMatchingTimesRequest request;
  request.set_namespace_("default");
  request.set_schedule_id("S");
  EXPECT_EQ(world.call(&WorkflowService::ListScheduleMatchingTimes, request).status.message,
            "missing or invalid query");
  request.mutable_start_time()->set_seconds(1'767'225'600);
  request.mutable_end_time()->set_seconds(1'767'225'600 + 120);
  EXPECT_EQ(world.call(&WorkflowService::ListScheduleMatchingTimes, request).reply.start_time_size(), 2);
  request.mutable_end_time()->set_seconds(1'767'225'600 + 86'400 * 31);
  EXPECT_EQ(world.call(&WorkflowService::ListScheduleMatchingTimes, request).reply.start_time_size(), 1000);
  request.mutable_start_time()->set_seconds(253'402'300'799);  // the last that there is
  request.mutable_end_time()->set_seconds(-62'135'596'800);
  EXPECT_EQ(world.call(&WorkflowService::ListScheduleMatchingTimes, request).reply.start_time_size(), 0);
}

// Lists.

std::string ids_of(ScheduleWorld& world, const std::string& query = "", int page = 0) {
  api::ListSchedulesRequest request;
  request.set_namespace_("default");
  request.set_query(query);
  request.set_maximum_page_size(page);
  std::string out;
  do {
    const auto rows = world.call(&WorkflowService::ListSchedules, request);
    if (!rows.ok()) return rows.status.message;
    for (const auto& row : rows.reply.schedules()) out += row.schedule_id() + " ";
    request.set_next_page_token(rows.reply.next_page_token());
  } while (!request.next_page_token().empty());
  return out;
}

TEST(Schedules, AreListedAndHiddenFromWorkflows) {
  ScheduleWorld world;
  for (const std::string id : {"a", "b", "c"}) {
    world.create(3600, [&id](auto& r) {
      r.set_schedule_id(id);
      r.mutable_schedule()->mutable_state()->set_paused(id == "b");
      (*r.mutable_memo()->mutable_fields())["owner"].set_data("\"" + id + "\"");
    });
    world.advance(milliseconds{1});
  }
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(ids_of(world), "c b a ");
    EXPECT_EQ(ids_of(world, "", 1), "c b a ");
    EXPECT_EQ(ids_of(world, "TemporalSchedulePaused = true"), "b ");
    EXPECT_EQ(ids_of(world, "ScheduleId > 'a'"), "c b ");
    EXPECT_EQ(ids_of(world, "WorkflowType = 'T'"),
              "invalid query filter for schedules: cannot filter on \"WorkflowType\"");  // [live]
    api::CountSchedulesRequest count;
    count.set_namespace_("default");
    EXPECT_EQ(world.call(&WorkflowService::CountSchedules, count).reply.count(), 3);
    api::ListWorkflowExecutionsRequest list;
    list.set_namespace_("default");
    EXPECT_EQ(world.call(&WorkflowService::ListWorkflowExecutions, list).reply.executions_size(), 0);
    list.set_query("TemporalNamespaceDivision = 'TemporalScheduler' AND WorkflowId = 'temporal-sys-scheduler:a'");
    const auto rows = world.call(&WorkflowService::ListWorkflowExecutions, list).reply;
    ASSERT_EQ(rows.executions_size(), 1);
    EXPECT_EQ(rows.executions(0).type().name(), "temporal-sys-scheduler-workflow");
    world.restart();
  }
  EXPECT_TRUE(world.patch([](auto& r) { r.mutable_patch()->set_unpause("go"); }, "b").ok());
  EXPECT_EQ(ids_of(world, "TemporalSchedulePaused = true"), "");
  api::ListSchedulesRequest request;
  request.set_namespace_("default");
  const auto row = world.call(&WorkflowService::ListSchedules, request).reply.schedules(0);
  EXPECT_EQ(row.info().workflow_type().name(), "T");
  EXPECT_EQ(row.info().future_action_times_size(), 5);
  EXPECT_EQ(row.memo().fields().at("owner").data(), "\"c\"");
  EXPECT_FALSE(row.has_search_attributes());
}

// Lives.

TEST(Schedules, WithNothingToDoEndAfterAWeek) {
  ScheduleWorld world;
  world.create(0);
  in_days(world, 6);
  EXPECT_TRUE(world.trigger().ok());
  world.answer({complete_workflow()});
  in_days(world, 6);
  EXPECT_TRUE(world.try_describe().ok());
  in_days(world, 2);
  EXPECT_EQ(world.try_describe().status.code, kNotFound);
  world.create(0, [](auto& r) { r.mutable_schedule()->mutable_state()->set_paused(true); });
  in_days(world, 30);
  EXPECT_TRUE(world.try_describe().ok()) << "a paused one waits";
}

TEST(Schedules, DoNotKeepTheJournalFromBeingTrimmed) {
  ScheduleWorld world;
  world.create(0, [](auto& r) { (*r.mutable_memo()->mutable_fields())["owner"].set_data("\"north\""); });
  for (int i = 0; i < 4'200; ++i) {
    const std::string id = "W" + std::to_string(i);
    world.start(id);
    EXPECT_TRUE(world.terminate("x", id).ok());
    EXPECT_TRUE(world.pause("note").ok());
    if (i == 4'000) EXPECT_TRUE(world.trigger().ok());
  }
  EXPECT_GT(world.journal->trimmed, 10'000);
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(world.figures(), "1 taken, 0 skipped, 0 buffered, 1 running");
    EXPECT_EQ(world.schedule().memo().fields().at("owner").data(), "\"north\"");
    EXPECT_EQ(ids_of(world), "S ");
    world.restart();
  }
  EXPECT_TRUE(world.terminate("x", "run-2026-09-01T00:00:00Z").ok());
  EXPECT_EQ(world.figures(), "1 taken, 0 skipped, 0 buffered, 0 running") << "its run is watched all the same";
}

/// A schedule of a run a second that ends after three, and a worker that completes the runs.
class Driver {
 public:
  struct Told {
    bool created = false;
  };
  Driver(ServiceWorld& world, Told told) : world_(world), told_(told) {}
  Told told() const { return told_; }
  bool round() {
    if (!told_.created) told_.created = world_.send(&WorkflowService::CreateSchedule, creation())->ok();
    if (!task_ || task_->done) {
      if (task_ && task_->ok() && !task_->reply.task_token().empty()) {
        (void)world_.send(&WorkflowService::RespondWorkflowTaskCompleted,
                          world_.completion(task_->reply, {complete_workflow("\"done\"")}));
      }
      task_ = world_.poll_later("W");
    }
    world_.advance(milliseconds{300});
    const auto told = described();
    return told.info().action_count() == 3 && told.info().running_workflows_size() == 0;
  }
  void forget() { task_.reset(); }

  static api::DescribeScheduleResponse described_in(ServiceWorld& world) {
    api::DescribeScheduleRequest request;
    request.set_namespace_("default");
    request.set_schedule_id("S");
    return world.call(&WorkflowService::DescribeSchedule, request).reply;
  }

 private:
  api::CreateScheduleRequest creation() const {
    api::CreateScheduleRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        "namespace: 'default' schedule_id: 'S' request_id: 'once' schedule {"
        " spec { interval { interval { seconds: 1 } } }"
        " action { start_workflow { workflow_id: 'run' workflow_type { name: 'T' } task_queue { name: 'W' } } }"
        " policies { overlap_policy: SCHEDULE_OVERLAP_POLICY_BUFFER_ALL }"
        " state { limited_actions: true remaining_actions: 3 } }",
        &request));
    return request;
  }
  api::DescribeScheduleResponse described() { return described_in(world_); }

  ServiceWorld& world_;
  Told told_;
  Pending<WorkflowTask> task_;
};

void expect_three(ServiceWorld& world, const std::string& when) {
  const auto told = Driver::described_in(world);
  std::set<std::string> runs;
  for (const auto& action : told.info().recent_actions()) {
    runs.insert(action.start_workflow_result().run_id());
    EXPECT_EQ(action.start_workflow_status(), enums::WORKFLOW_EXECUTION_STATUS_COMPLETED) << when;
  }
  EXPECT_EQ(runs.size(), 3u) << when;
  api::ListWorkflowExecutionsRequest list;
  list.set_namespace_("default");
  EXPECT_EQ(world.call(&WorkflowService::ListWorkflowExecutions, list).reply.executions_size(), 3) << when;
}

TEST(ScheduleRecovery, EachActionIsTakenOnce) { end_after_each_commit<Driver>(expect_three); }
TEST(ScheduleRecovery, ARestartShowsTheSame) { restart_after_each_round<Driver>(); }
TEST(ScheduleRecovery, AFailedAppendChangesNothing) { fail_each_append_once<Driver>({}, expect_three); }

TEST(Schedules, OfADeletedNamespaceEndWithIt) {
  ScheduleWorld world;
  api::RegisterNamespaceRequest registration;
  registration.set_namespace_("mine");
  *registration.mutable_workflow_execution_retention_period() = seconds(3600);
  ASSERT_TRUE(world.call(&WorkflowService::RegisterNamespace, registration).ok());
  world.create(1, [](auto& r) { r.set_namespace_("mine"); });
  world.advance(milliseconds{1'500});
  operator_api::DeleteNamespaceRequest deletion;
  deletion.set_namespace_("mine");
  bool deleted = false;
  world.service().DeleteNamespace(deletion, {}, [&deleted](const PortStatus& status, auto*) { deleted = status.ok(); });
  world.advance(milliseconds{5'000});
  EXPECT_TRUE(deleted);
  EXPECT_EQ(world.service().figures().open_runs, 0u);
  world.restart();
  EXPECT_EQ(world.try_create(1, [](auto& r) { r.set_namespace_("mine"); }).status.code, kNotFound);
}

}  // namespace
}  // namespace callimport::engine::testing_world
