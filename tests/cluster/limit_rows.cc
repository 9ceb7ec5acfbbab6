#include "tests/cluster/limit_rows.h"

namespace callimport::tests {
namespace {

using Rows = std::vector<LimitRow>;

// One more than this, and the server's own. Events: two of the start, one of the task, one of its completion.
constexpr int kFirstEvents = 4, kEventsMax = 40;
constexpr std::size_t kBig = 9'000, kTooBig = 11'000;  // of one payload, around limit.blobSize.error
constexpr std::size_t kMemoTooBig = 5'000;

void first_task(Play& play) {
  play.start();
  play.task();
}

/// The history has `events` now.
void fill(Play& play, int events) {
  first_task(play);
  play.complete(times(events - kFirstEvents, marker()));
}

void end_with(Play& play, const Json& commands) {
  first_task(play);
  play.complete(commands);
  play.history();
}

void with_activity(Play& play, const Json& more = Json::object()) {
  first_task(play);
  play.complete({schedule(play, "1", more)});
  play.activity();
}

Json cancel_of(const std::string& activity_event) {
  return command("REQUEST_CANCEL_ACTIVITY_TASK", "requestCancelActivityTask", {{"scheduledEventId", activity_event}});
}
Json complete_with(const Json& result) {
  return command("COMPLETE_WORKFLOW_EXECUTION", "completeWorkflowExecution", {{"result", result}});
}
Json child(const std::string& id, Json more = Json::object()) {
  more.update({{"workflowId", id}, {"workflowType", {{"name", "T"}}}, {"taskQueue", {{"name", "nobody"}}}});
  return command("START_CHILD_WORKFLOW_EXECUTION", "startChildWorkflowExecution", std::move(more));
}
Json signal_other(Json more = Json::object()) {
  more.update({{"execution", {{"workflowId", "nobody"}}}, {"signalName", "s"}});
  return command("SIGNAL_EXTERNAL_WORKFLOW_EXECUTION", "signalExternalWorkflowExecution", std::move(more));
}
Json cancel_other() {
  return command("REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION", "requestCancelExternalWorkflowExecution",
                 {{"workflowId", "nobody"}});
}
Json modify_memo(std::size_t bytes) {
  return command("MODIFY_WORKFLOW_PROPERTIES", "modifyWorkflowProperties", {{"upsertedMemo", memo(bytes)}});
}

void add_history_counts(Rows& rows) {
  rows.push_back({"events: a completion that goes beyond", [](Play& play) {
                    first_task(play);
                    play.complete(times(kEventsMax, marker()));
                    play.history();
                  }});
  rows.push_back({"events: a signal that goes beyond", [](Play& play) {
                    fill(play, kEventsMax);
                    play.signal(3);
                    play.signal(3);
                    play.history();
                  }});
  rows.push_back({"events: a cancel request that goes beyond", [](Play& play) {
                    fill(play, kEventsMax);
                    play.ask("RequestCancelWorkflowExecution", {{"workflowExecution", {{"workflowId", play.id()}}}});
                    play.history();
                  }});
  rows.push_back({"events: terminated at the limit", [](Play& play) {
                    fill(play, kEventsMax);
                    play.ask(
                        "TerminateWorkflowExecution",
                        {{"workflowExecution", {{"workflowId", play.id()}}}, {"reason", "r"}, {"identity", "cli"}});
                    play.history();
                  }});
  rows.push_back({"events: closed beyond the limit", [](Play& play) {
                    first_task(play);
                    Json commands = times(kEventsMax, marker());
                    commands.push_back(complete_with(payloads(3)));
                    play.complete(commands);
                    play.history();
                  }});
  rows.push_back({"events: an activity's end that goes beyond", [](Play& play) {
                    first_task(play);
                    Json commands = times(kEventsMax - kFirstEvents - 3, marker());
                    commands.push_back(schedule(play, "1"));
                    play.complete(commands);
                    play.activity();
                    play.of_activity("RespondActivityTaskCompleted", Json::object());
                    play.history();
                  }});
  rows.push_back({"events: a timer that goes beyond", [](Play& play) {
                    first_task(play);
                    Json commands = times(kEventsMax - kFirstEvents - 2, marker());
                    commands.push_back(
                        command("START_TIMER", "startTimer", {{"timerId", "1"}, {"startToFireTimeout", "0.1s"}}));
                    play.complete(commands);
                    play.ended();
                    play.history();
                  }});
  rows.push_back({"events: a task whose start goes beyond", [](Play& play) {
                    fill(play, kEventsMax - 2);
                    play.signal(3);
                    play.ask("PollWorkflowTaskQueue", {{"taskQueue", {{"name", play.id()}}}}, std::chrono::seconds{3});
                    play.ended();
                    play.history();
                  }});
  rows.push_back({"events: a task handed back that goes beyond", [](Play& play) {
                    first_task(play);
                    play.complete(times(kEventsMax - kFirstEvents - 1, marker()),
                                  {{"returnNewWorkflowTask", true}, {"forceCreateNewWorkflowTask", true}});
                    play.history();
                  }});
  rows.push_back({"events: a failed task at the limit", [](Play& play) {
                    fill(play, kEventsMax - 3);
                    play.signal(3);
                    play.task();
                    play.complete({command("START_TIMER", "startTimer", {{"timerId", ""}})});
                    play.history();
                  }});
  rows.push_back({"events: what arrives while a task runs", [](Play& play) {
                    fill(play, kEventsMax - 4);
                    play.signal(3);
                    play.task();
                    play.signal(3);
                    play.signal(3);
                    play.complete(Json::array());
                    play.history();
                  }});
  rows.push_back({"events: a new run is advised", [](Play& play) {
                    fill(play, 30);
                    play.signal(3);
                    play.task();
                    play.history();
                  }});
}

void add_sizes(Rows& rows) {
  rows.push_back({"size: the change after the one that went beyond", [](Play& play) {
                    first_task(play);
                    play.complete(times(6, marker(kBig)));
                    play.signal(kBig);
                    play.signal(3);
                    play.history();
                  }});
  rows.push_back({"size: a task is not started", [](Play& play) {
                    first_task(play);
                    play.complete(times(7, marker(kBig)), {{"forceCreateNewWorkflowTask", true}});
                    play.ask("PollWorkflowTaskQueue", {{"taskQueue", {{"name", play.id()}}}}, std::chrono::seconds{3});
                    play.ended();
                    play.history();
                  }});
  rows.push_back({"size: an activity is not started", [](Play& play) {
                    first_task(play);
                    Json commands = times(7, marker(kBig));
                    commands.push_back(schedule(play, "1"));
                    play.complete(commands);
                    play.ask("PollActivityTaskQueue", {{"taskQueue", {{"name", play.id() + "-a"}}}},
                             std::chrono::seconds{3});
                    play.ended();
                    play.history();
                  }});
  rows.push_back({"size: a new run is advised", [](Play& play) {
                    first_task(play);
                    play.complete(times(4, marker(kBig)), {{"forceCreateNewWorkflowTask", true}});
                    play.task();
                    play.history();
                  }});
  rows.push_back({"state: heartbeats of many activities", [](Play& play) {
                    first_task(play);
                    play.complete({schedule(play, "1"), schedule(play, "2"), schedule(play, "3")});
                    for (int i = 0; i < 3; ++i) {
                      play.activity();
                      play.of_activity("RecordActivityTaskHeartbeat", {{"details", payloads(kBig)}});
                    }
                    play.history();
                  }});
}

void add_counts(Rows& rows) {
  rows.push_back({"pending: activities", [](Play& play) {
                    first_task(play);
                    Json commands = Json::array();
                    for (const char* id : {"1", "2", "3", "4"}) commands.push_back(schedule(play, id));
                    play.complete(commands);
                    play.history();
                  }});
  rows.push_back({"pending: activities of two tasks", [](Play& play) {
                    first_task(play);
                    play.complete({schedule(play, "1"), schedule(play, "2"), schedule(play, "3")},
                                  {{"forceCreateNewWorkflowTask", true}});
                    play.task();
                    play.complete({schedule(play, "4")});
                    play.history();
                  }});
  rows.push_back({"pending: children", [](Play& play) {
                    Json commands = Json::array();
                    for (const char* id : {"-1", "-2", "-3", "-4"}) commands.push_back(child(play.id() + id));
                    end_with(play, commands);
                  }});
  rows.push_back({"pending: signals to others", [](Play& play) { end_with(play, times(4, signal_other())); }});
  rows.push_back({"pending: cancels of others", [](Play& play) { end_with(play, times(4, cancel_other())); }});
  rows.push_back({"signals of a run", [](Play& play) {
                    play.start();
                    for (int i = 0; i < 20; ++i) play.signal(3);
                    play.signal(3);
                    play.ask("SignalWithStartWorkflowExecution", {{"workflowId", play.id()},
                                                                  {"workflowType", {{"name", "T"}}},
                                                                  {"taskQueue", {{"name", play.id()}}},
                                                                  {"signalName", "s"}});
                  }});
  rows.push_back({"buffer: events", [](Play& play) {
                    first_task(play);
                    for (int i = 0; i < 5; ++i) play.signal(3);
                    play.complete(Json::array());
                    play.task();
                    play.complete(Json::array());
                    play.history();
                  }});
  rows.push_back({"buffer: bytes", [](Play& play) {
                    first_task(play);
                    for (int i = 0; i < 3; ++i) play.signal(2'400);
                    play.history();
                  }});
  rows.push_back({"updates: under way", [](Play& play) {
                    fill(play, 5);
                    for (const char* id : {"1", "2", "3", "4"}) play.update(id, 3);
                  }});
  rows.push_back({"updates: bytes under way", [](Play& play) {
                    fill(play, 5);
                    for (const char* id : {"1", "2"}) play.update(id, 4'500);
                  }});
  rows.push_back({"updates: in all", [](Play& play) {
                    fill(play, 5);
                    for (const char* id : {"1", "2", "3", "4", "5"}) {
                      play.update(id, 3);
                      play.task();
                      play.take_update(3);
                    }
                    play.update("6", 3);
                  }});
}

void add_activity_blobs(Rows& rows) {
  rows.push_back({"blob: an activity's result", [](Play& play) {
                    with_activity(play);
                    play.of_activity("RespondActivityTaskCompleted", {{"result", payloads(kTooBig)}});
                    play.history();
                  }});
  rows.push_back({"blob: an activity's failure", [](Play& play) {
                    with_activity(play);
                    const auto reply = play.of_activity("RespondActivityTaskFailed", {{"failure", failure(kTooBig)}});
                    play.say(std::to_string(reply["failures"].size()));
                    play.history();
                  }});
  rows.push_back({"blob: a failure and the last heartbeat with it", [](Play& play) {
                    with_activity(play, {{"retryPolicy", {{"initialInterval", "1s"}, {"maximumAttempts", 1}}}});
                    const auto reply =
                        play.of_activity("RespondActivityTaskFailed",
                                         {{"failure", failure(30)}, {"lastHeartbeatDetails", payloads(kTooBig)}});
                    play.say(reply["failures"].dump());
                    play.history();
                  }});
  rows.push_back({"blob: a failure that is retried", [](Play& play) {
                    with_activity(play, {{"retryPolicy", {{"initialInterval", "600s"}, {"maximumInterval", "600s"}}}});
                    play.of_activity("RespondActivityTaskFailed", {{"failure", failure(6'000)}});
                    const auto run =
                        play.ask("DescribeWorkflowExecution", {{"execution", {{"workflowId", play.id()}}}});
                    play.say(run["pendingActivities"][0]["lastFailure"].dump());
                  }});
  rows.push_back({"blob: a heartbeat", [](Play& play) {
                    with_activity(play);
                    const auto reply =
                        play.of_activity("RecordActivityTaskHeartbeat", {{"details", payloads(kTooBig)}});
                    play.say(reply["cancelRequested"].dump());
                    play.history();
                  }});
  rows.push_back({"blob: details of a cancellation nobody asked for", [](Play& play) {
                    with_activity(play);
                    play.of_activity("RespondActivityTaskCanceled", {{"details", payloads(kTooBig)}});
                    play.history();
                  }});
  rows.push_back({"blob: details of a cancellation", [](Play& play) {
                    with_activity(play);
                    play.signal(3);
                    play.task();
                    play.complete({cancel_of("5")});
                    play.of_activity("RespondActivityTaskCanceled", {{"details", payloads(kTooBig)}});
                    play.history();
                  }});
}

void add_workflow_blobs(Rows& rows) {
  rows.push_back({"blob: a start's input", [](Play& play) { play.start({{"input", payloads(kTooBig)}}); }});
  rows.push_back({"blob: a start's memo", [](Play& play) { play.start({{"memo", memo(kMemoTooBig)}}); }});
  rows.push_back({"blob: a signal", [](Play& play) {
                    play.start();
                    play.signal(kTooBig);
                  }});
  rows.push_back({"blob: details of a termination", [](Play& play) {
                    play.start();
                    play.ask("TerminateWorkflowExecution", {{"workflowExecution", {{"workflowId", play.id()}}},
                                                            {"details", payloads(kTooBig)},
                                                            {"reason", "r"},
                                                            {"identity", "cli"}});
                    play.history();
                  }});
  rows.push_back({"blob: a task's failure", [](Play& play) {
                    play.start();
                    const auto task = play.ask("PollWorkflowTaskQueue", {{"taskQueue", {{"name", play.id()}}}});
                    play.ask("RespondWorkflowTaskFailed",
                             {{"taskToken", task["taskToken"]},
                              {"cause", "WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE"},
                              {"failure", failure(kTooBig)}});
                    play.history();
                  }});
  rows.push_back({"blob: a result", [](Play& play) { end_with(play, {complete_with(payloads(kTooBig))}); }});
  rows.push_back(
      {"blob: a failure", [](Play& play) {
         end_with(play, {command("FAIL_WORKFLOW_EXECUTION", "failWorkflowExecution", {{"failure", failure(kTooBig)}})});
       }});
  rows.push_back({"blob: details of a cancelled run", [](Play& play) {
                    end_with(play, {command("CANCEL_WORKFLOW_EXECUTION", "cancelWorkflowExecution",
                                            {{"details", payloads(kTooBig)}})});
                  }});
  rows.push_back({"blob: the next run's input", [](Play& play) {
                    end_with(play, {command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", "continueAsNewWorkflowExecution",
                                            {{"input", payloads(kTooBig)}})});
                  }});
  rows.push_back({"blob: the next run's memo", [](Play& play) {
                    end_with(play, {command("CONTINUE_AS_NEW_WORKFLOW_EXECUTION", "continueAsNewWorkflowExecution",
                                            {{"memo", memo(kMemoTooBig)}})});
                  }});
  rows.push_back({"blob: a child's input",
                  [](Play& play) { end_with(play, {child(play.id() + "-c", {{"input", payloads(kTooBig)}})}); }});
  rows.push_back({"blob: a child's memo",
                  [](Play& play) { end_with(play, {child(play.id() + "-c", {{"memo", memo(kMemoTooBig)}})}); }});
  rows.push_back({"blob: an activity's input",
                  [](Play& play) { end_with(play, {schedule(play, "1", {{"input", payloads(kTooBig)}})}); }});
  rows.push_back({"blob: a marker", [](Play& play) { end_with(play, {marker(kTooBig)}); }});
  rows.push_back({"blob: a signal to another",
                  [](Play& play) { end_with(play, {signal_other({{"input", payloads(kTooBig)}})}); }});
  rows.push_back({"blob: a change of the memo", [](Play& play) { end_with(play, {modify_memo(kTooBig)}); }});
  rows.push_back({"blob: a memo that grew", [](Play& play) { end_with(play, {modify_memo(kMemoTooBig)}); }});
  rows.push_back({"blob: a query's arguments", [](Play& play) {
                    fill(play, 5);
                    play.ask("QueryWorkflow", {{"execution", {{"workflowId", play.id()}}},
                                               {"query", {{"queryType", "q"}, {"queryArgs", payloads(kTooBig)}}}});
                  }});
  rows.push_back({"blob: a query's answer", [](Play& play) {
                    fill(play, 5);
                    play.query(kTooBig);
                  }});
  rows.push_back({"blob: an update's outcome", [](Play& play) {
                    fill(play, 5);
                    play.update("1", 3);
                    play.task();
                    play.take_update(kTooBig);
                    play.history();
                  }});
}

}  // namespace

std::vector<std::string> low_limits() {
  return {"limit.historyCount.error=40",
          "limit.historyCount.suggestContinueAsNew=30",
          "limit.historySize.error=60000",
          "limit.historySize.suggestContinueAsNew=30000",
          "limit.mutableStateSize.error=25000",
          "limit.blobSize.error=10000",
          "limit.blobSize.warn=3000",
          "limit.memoSize.error=4000",
          "limit.numPendingActivities.error=3",
          "limit.numPendingChildExecutions.error=3",
          "limit.numPendingSignals.error=3",
          "limit.numPendingCancelRequests.error=3",
          "history.maximumSignalsPerExecution=20",
          "history.maximumBufferedEventsBatch=4",
          "history.maximumBufferedEventsSizeInBytes=6000",
          "history.maxInFlightUpdates=3",
          "history.maxInFlightUpdatePayloads=8000",
          "history.maxTotalUpdates=5"};
}

std::vector<LimitRow> limit_rows() {
  Rows rows;
  add_history_counts(rows);
  add_sizes(rows);
  add_counts(rows);
  add_activity_blobs(rows);
  add_workflow_blobs(rows);
  return rows;
}

}  // namespace callimport::tests
