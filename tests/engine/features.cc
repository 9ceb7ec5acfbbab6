#include "tests/engine/features.h"

#include <map>
#include <utility>

namespace callimport::engine::testing_support {
namespace {

ActivityOptions ten_seconds() {
  ActivityOptions options;
  options.start_to_close = 10s;
  return options;
}
std::string text(const Outcome<std::string>& outcome) {
  return outcome ? *outcome : "\"" + outcome.error().type + ":" + outcome.error().message + "\"";
}
void wait(EngineWorld& world) { world.loop.run_for(30s); }

Flow<WorkflowEnd> activity(WorkflowContext& context, std::string) {
  auto outcome = co_await context.activity("echo", "\"hi\"", ten_seconds());
  co_return text(outcome);
}

Flow<WorkflowEnd> activities_in_parallel(WorkflowContext& context, std::string) {
  std::vector<Future<Outcome<std::string>>> futures;
  for (int i = 0; i < 5; ++i) futures.push_back(context.activity("echo", std::to_string(i), ten_seconds()));
  std::string all = "[";
  for (auto& future : futures) {
    auto outcome = co_await future;
    all += (all.size() > 1 ? "," : "") + text(outcome);
  }
  co_return all + "]";
}

Flow<WorkflowEnd> activity_retried(WorkflowContext& context, std::string) {
  auto options = ten_seconds();
  options.retry = RetryPolicy{.initial = 200ms, .attempts_max = 3};
  auto outcome = co_await context.activity("third_time", "", options);
  co_return text(outcome);
}

Flow<WorkflowEnd> activity_given_up(WorkflowContext& context, std::string) {
  auto options = ten_seconds();
  options.retry = RetryPolicy{.initial = 200ms, .attempts_max = 2};
  auto outcome = co_await context.activity("third_time", "", options);
  Failure failure;
  failure.type = "GaveUp";
  failure.message = text(outcome);
  co_return failure;
}

Flow<WorkflowEnd> activity_timed_out(WorkflowContext& context, std::string) {
  ActivityOptions options;
  options.start_to_close = 2s;
  options.retry = RetryPolicy{.attempts_max = 1};
  auto outcome = co_await context.activity("forever", "", options);
  co_return text(outcome);
}

Flow<WorkflowEnd> activity_cancelled(WorkflowContext& context, std::string) {
  ActivityOptions options;
  options.start_to_close = 60s;
  options.heartbeat = 2s;
  options.cancellation = CancellationType::kWaitCancellationCompleted;
  auto future = context.activity("forever", "", options);
  auto stop = context.until([&context] { return context.cancel_requested(); });
  co_await stop;
  future.cancel();
  auto outcome = co_await future;
  const bool cancelled = !outcome && outcome.error().kind == Failure::Kind::kCancelled;
  co_return Cancelled{.details = cancelled ? outcome.error().details : "\"?\""};
}

Flow<WorkflowEnd> timers(WorkflowContext& context, std::string) {
  auto one = context.timer(1s);
  auto two = context.timer(60s);
  auto fired = co_await one;
  two.cancel();
  auto zero = co_await context.timer(0s);
  co_return std::string(fired && zero ? "true" : "false");
}

Flow<WorkflowEnd> signals(WorkflowContext& context, std::string) {
  std::string all;
  context.on_signal("add", [&all](std::string input) { all += (all.empty() ? "" : ",") + input; });
  auto three = context.until([&all] { return all.size() >= 5; });
  co_await three;
  co_return "[" + all + "]";
}

Flow<WorkflowEnd> until_with_timeout(WorkflowContext& context, std::string) {
  bool go = false;
  context.on_signal("go", [&go](std::string) { go = true; });
  auto late = context.until([&go] { return go; }, 2s);
  const bool first = co_await late;
  auto soon = context.until([&go] { return go; }, 60s);
  const bool second = co_await soon;
  co_return std::string(!first && second ? "true" : "false");
}

Flow<WorkflowEnd> continue_as_new(WorkflowContext& context, std::string input) {
  const int left = std::stoi(input);
  auto slept = co_await context.timer(2s);
  if (slept && left > 0) co_return ContinueAsNew{.input = std::to_string(left - 1)};
  co_return std::string("\"last\"");
}

Flow<WorkflowEnd> side_effects(WorkflowContext& context, std::string) {
  static int made = 0;  // the world's, not the workflow's: what a side effect is for
  const auto first = context.side_effect([] { return std::to_string(++made); });
  auto slept = co_await context.timer(1s);
  const auto second = context.side_effect([] { return std::to_string(++made); });
  auto outcome = co_await context.activity("echo", first, ten_seconds());
  co_return std::string(slept && std::stoi(second) == std::stoi(text(outcome)) + 1 ? "true" : "false");
}

Flow<WorkflowEnd> patches(WorkflowContext& context, std::string) {
  context.deprecate_patch("old");
  if (context.patched("new")) {
    auto outcome = co_await context.activity("echo", "1", ten_seconds());
    if (!outcome) co_return std::string("\"failed\"");
  }
  auto slept = co_await context.timer(1s);
  co_return std::string(slept && context.patched("new") ? "true" : "false");
}

Flow<WorkflowEnd> upserts(WorkflowContext& context, std::string) {
  context.upsert_memo({{"stage", "\"fetch\""}});
  context.upsert_search_attributes({{"Stage", std::string("fetch")}, {"Count", std::int64_t{7}}});
  auto slept = co_await context.timer(1s);
  co_return std::string(slept ? "true" : "false");
}

Flow<void> helper(WorkflowContext& context, int* done, int seconds) {
  auto slept = co_await context.timer(std::chrono::seconds{seconds});
  if (slept) *done += seconds;
}
Flow<WorkflowEnd> spawned(WorkflowContext& context, std::string) {
  int done = 0;
  for (const int seconds : {3, 1, 2}) context.spawn(helper(context, &done, seconds));
  auto all = context.until([&done] { return done == 6; });
  co_await all;
  co_return context.uuid().substr(0, 0) + std::to_string(done);
}

/// Two kinds of update: one works on an activity, one answers at once; and the body waits for both.
Flow<Outcome<std::string>> fetch_update(WorkflowContext& context, int* taken, std::string input) {
  auto outcome = co_await context.activity("echo", input, ten_seconds());
  if (outcome) ++*taken;
  co_return outcome;
}
Flow<Outcome<std::string>> count_update(int* taken, std::string) { co_return std::to_string(++*taken); }
Flow<WorkflowEnd> updates(WorkflowContext& context, std::string) {
  int taken = 0;
  UpdateHandler fetch;
  fetch.run = [&context, &taken](std::string input) { return fetch_update(context, &taken, std::move(input)); };
  fetch.validate = [](const std::string& input) -> Outcome<> {
    if (input != "0") return {};
    Failure none;
    none.message = "nothing to fetch";
    return tl::unexpected(none);
  };
  UpdateHandler count;
  count.run = [&taken](std::string input) { return count_update(&taken, std::move(input)); };
  context.on_update("fetch", fetch);
  context.on_update("count", count);
  auto enough = context.until([&] { return taken >= 4 && context.updates_finished(); });
  co_await enough;
  co_return std::to_string(taken);
}

/// The same workflow as parent and as child, by its input.
Flow<WorkflowEnd> grow(WorkflowContext& context) {
  auto stopped = context.until([&context] { return context.cancel_requested(); }, 5s);
  const bool cancelled = co_await stopped;
  if (cancelled) co_return Cancelled{};
  co_return std::string("\"grown\"");
}
Flow<WorkflowEnd> children(WorkflowContext& context, std::string input) {
  if (input == "\"child\"") co_return co_await grow(context);
  ChildOptions options{.workflow_id = "w-1"};
  auto grown = co_await context.child("T", "\"child\"", options).result;
  options.reuse = IdReuse::kRejectDuplicate;
  auto again = co_await context.child("T", "\"child\"", options).result;
  options.workflow_id = "w-2";
  auto stopped = context.child("T", "\"child\"", options);
  auto started = co_await stopped.started;
  stopped.result.cancel();
  auto end = co_await stopped.result;
  auto told = co_await context.signal({.workflow_id = "w-2"}, "any", "1");
  co_return "[" + text(grown) + "," + text(again) + "," + text(end) + (started && !told ? "]" : "!");
}

/// One that is done at once, one whose third attempt comes by a timer, one longer than the workflow's task.
Flow<WorkflowEnd> local_activities(WorkflowContext& context, std::string input) {
  LocalActivityOptions options;
  options.start_to_close = 60s;
  options.retry = RetryPolicy{.initial = 200ms};
  options.local_retry_threshold = 1s;
  auto first = co_await context.local_activity("echo", input, options);
  auto third = co_await context.local_activity("third_time", "", options);
  auto slow = co_await context.local_activity("slow", "", options);
  co_return "[" + text(first) + "," + text(third) + "," + text(slow) + "]";
}

Awaitable<ActivityResult> echo(ActivityContext&, std::string input) { co_return input; }
Awaitable<ActivityResult> third_time(ActivityContext& context, std::string) {
  if (context.info().attempt >= 3) co_return std::string("3");
  ActivityError error{.type = "NotYet", .message = "attempt " + std::to_string(context.info().attempt)};
  if (context.info().attempt == 2) error.next_retry_delay = 5s;
  co_return tl::unexpected(std::move(error));
}

}  // namespace

void add_activities(Worker& worker, Clock& clock) {
  worker.register_activity("echo", echo);
  worker.register_activity("third_time", third_time);
  Clock* held = &clock;
  worker.register_activity("slow", [held](ActivityContext& context, std::string) -> Awaitable<ActivityResult> {
    for (int i = 0; !context.cancelled() && i < 20; ++i) co_await sleep_for(*held, 1s);
    ActivityError error{.cancelled = true};
    if (context.cancelled()) co_return tl::unexpected(std::move(error));
    co_return std::string("20");
  });
  worker.register_activity("forever", [held](ActivityContext& context, std::string) -> Awaitable<ActivityResult> {
    for (int i = 0; !context.cancelled() && i < 100; ++i) {
      context.heartbeat(std::to_string(i));
      co_await sleep_for(*held, 1s);
    }
    ActivityError error{.details = "\"let go\"", .cancelled = true};
    co_return tl::unexpected(std::move(error));
  });
}

std::vector<Feature> features() {
  const auto three_signals = [](EngineWorld& world) {
    for (const char* input : {"1", "2", "3"}) world.signal("w", "add", input);
    wait(world);
  };
  const auto cancelled = [](EngineWorld& world) {
    world.loop.run_for(3s);
    world.cancel("w");
    wait(world);
  };
  const auto late_go = [](EngineWorld& world) {
    world.loop.run_for(5s);
    world.signal("w", "go", "1");
    wait(world);
  };
  const auto asked = [](EngineWorld& world) {
    world.loop.run_for(3s);
    EXPECT_EQ("1", world.update("w", "fetch", "1", "u1"));
    EXPECT_EQ("failure: nothing to fetch", world.update("w", "fetch", "0", "u2"));
    EXPECT_EQ("2", world.update("w", "count", "1", "u3"));
    EXPECT_EQ("7", world.update("w", "fetch", "7", "u4"));
    EXPECT_EQ("7", world.update("w", "fetch", "8", "u4")) << "the same update";
    world.loop.run_for(3s);
    EXPECT_EQ("4", world.update("w", "count", "1", "u5"));
    wait(world);
  };
  return {
      {"activity", activity, wait, "WorkflowExecutionCompleted"},
      {"activities_in_parallel", activities_in_parallel, wait, "WorkflowExecutionCompleted"},
      {"activity_retried", activity_retried, wait, "WorkflowExecutionCompleted"},
      {"activity_given_up", activity_given_up, wait, "WorkflowExecutionFailed"},
      {"activity_timed_out", activity_timed_out, wait, "WorkflowExecutionCompleted"},
      {"activity_cancelled", activity_cancelled, cancelled, "WorkflowExecutionCanceled"},
      {"timers", timers, wait, "WorkflowExecutionCompleted"},
      {"signals", signals, three_signals, "WorkflowExecutionCompleted"},
      {"until_with_timeout", until_with_timeout, late_go, "WorkflowExecutionCompleted"},
      {"continue_as_new", continue_as_new, wait, "WorkflowExecutionCompleted"},
      {"side_effects", side_effects, wait, "WorkflowExecutionCompleted"},
      {"patches", patches, wait, "WorkflowExecutionCompleted"},
      {"upserts", upserts, wait, "WorkflowExecutionCompleted"},
      {"spawned", spawned, wait, "WorkflowExecutionCompleted"},
      {"updates", updates, asked, "WorkflowExecutionCompleted"},
      {"children", children, wait, "WorkflowExecutionCompleted"},
      {"local_activities", local_activities, wait, "WorkflowExecutionCompleted"},
  };
}

}  // namespace callimport::engine::testing_support
