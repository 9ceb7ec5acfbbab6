#include "tests/cluster/kitchen_workflow.h"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace callimport::tests {
namespace {

using namespace std::chrono_literals;
using engine::CancellationType;
using engine::Flow;
using engine::LocalActivityOptions;
using engine::Outcome;
using engine::WorkflowContext;
using engine::WorkflowEnd;

/// What the steps share. It lives in the workflow's frame, and they are awaited there.
struct Sink {
  WorkflowContext& context;
  int asked = 1, at = 0;
  bool open = false, settled = false;
  int total = 0;
  std::vector<std::string> notes{}, told{};

  void tell(const std::string& what, const Outcome<std::string>& outcome) {
    const bool cancelled = !outcome && outcome.error().kind == engine::Failure::Kind::kCancelled;
    told.push_back(what + " " + (outcome ? *outcome : cancelled ? "cancelled" : outcome.error().type));
  }
  void tell(const std::string& what, const Outcome<>& outcome) {
    tell(what, outcome ? Outcome<std::string>("done") : Outcome<std::string>(tl::unexpected(outcome.error())));
  }
};

Flow<void> reach(Sink& sink, int step) {
  auto due = sink.context.until([&sink, step] { return sink.asked >= step; });
  co_await due;
}

engine::ActivityOptions plain(int attempts_max = 1) {
  engine::ActivityOptions options;
  options.start_to_close = 60s;
  options.retry = engine::RetryPolicy{.initial = 100ms, .coefficient = 1, .attempts_max = attempts_max};
  return options;
}

void first_task(Sink& sink) {
  const auto dice = sink.context.side_effect([] { return std::string("\"dice\""); });
  sink.tell("side effect", Outcome<std::string>(dice));
  sink.tell("patch", Outcome<std::string>(sink.context.patched("kitchen-patch") ? "new" : "old"));
  sink.context.upsert_search_attributes(
      {{"CustomKeywordField", std::string("sink")}, {"CustomIntField", std::int64_t{7}}});
  sink.context.upsert_memo({{"kitchen", "\"sink\""}});
  sink.at = 1;
}

Flow<void> activities(Sink& sink) {
  co_await reach(sink, 2);
  auto once = co_await sink.context.activity("once", "1", plain());
  sink.tell("once", once);
  sink.at = 2;
  co_await reach(sink, 3);
  auto flaky = co_await sink.context.activity("flaky", "", plain(5));
  sink.tell("flaky", flaky);
  sink.at = 3;
  co_await reach(sink, 4);
  auto broken = co_await sink.context.activity("broken", "", plain());
  sink.tell("broken", broken);
  sink.at = 4;
}

/// Started in one step, cancelled in the next.
Flow<void> cancelled_activity(Sink& sink, int step, std::string label, CancellationType type) {
  co_await reach(sink, step);
  auto options = plain();
  options.heartbeat = 3s;
  options.cancellation = type;
  auto held = sink.context.activity("held", "\"" + label + "\"", options);
  sink.at = step;
  co_await reach(sink, step + 1);
  held.cancel();
  auto outcome = co_await held;
  sink.tell("held " + label, outcome);
  sink.at = step + 1;
}

Flow<void> local_activities(Sink& sink) {
  co_await reach(sink, 11);
  auto never = sink.context.activity("once", "1", plain());
  never.cancel();
  auto dropped = co_await never;
  sink.tell("never", dropped);
  sink.at = 11;
  co_await reach(sink, 12);
  auto quick = co_await sink.context.local_activity("quick", "", LocalActivityOptions());
  sink.tell("quick", quick);
  sink.at = 12;
  co_await reach(sink, 13);
  LocalActivityOptions options;
  options.retry = engine::RetryPolicy{.initial = 10ms};
  auto moody = co_await sink.context.local_activity("moody", "", options);
  sink.tell("moody", moody);
  sink.at = 13;
  co_await reach(sink, 14);
  options.retry = engine::RetryPolicy{.initial = 3s};
  options.local_retry_threshold = 1s;
  auto sleepy = co_await sink.context.local_activity("sleepy", "", options);
  sink.tell("sleepy", sleepy);
  sink.at = 14;
}

Flow<void> timers(Sink& sink) {
  co_await reach(sink, 15);
  auto fired = co_await sink.context.timer(200ms);
  sink.tell("timer", fired);
  sink.at = 15;
  co_await reach(sink, 16);
  auto hour = sink.context.timer(1h);
  sink.at = 16;
  co_await reach(sink, 17);
  hour.cancel();
  auto cancelled = co_await hour;
  sink.tell("hour", cancelled);
  sink.at = 17;
  co_await reach(sink, 18);
  auto in_vain = sink.context.until([] { return false; }, 200ms);
  const bool held = co_await in_vain;
  sink.tell("in vain", Outcome<std::string>(held ? "true" : "false"));
  sink.at = 18;
  co_await reach(sink, 19);
  auto opened = sink.context.until([&sink] { return sink.open; }, 1h);
  const bool open = co_await opened;
  sink.tell("open", Outcome<std::string>(open ? "true" : "false"));
  sink.at = 19;
}

engine::Child start_child(Sink& sink, const std::string& label, engine::ChildOptions options) {
  options.workflow_id = "kitchen-sink-" + label;
  return sink.context.child("KitchenChild", "\"" + label + "\"", std::move(options));
}

Flow<void> finished_child(Sink& sink) {
  co_await reach(sink, 20);
  auto child = start_child(sink, "done", {});
  auto result = co_await child.result;
  sink.tell("child done", result);
  sink.at = 20;
}

Flow<void> cancelled_child(Sink& sink, int step, std::string label, CancellationType type) {
  co_await reach(sink, step);
  engine::ChildOptions options;
  options.cancellation = type;
  auto child = start_child(sink, label, std::move(options));
  co_await child.started;
  sink.at = step;
  co_await reach(sink, step + 1);
  child.result.cancel();
  auto result = co_await child.result;
  sink.tell("child " + label, result);
  sink.at = step + 1;
}

Flow<void> others(Sink& sink) {
  co_await reach(sink, 29);
  engine::ChildOptions options;
  options.reuse = engine::IdReuse::kRejectDuplicate;
  auto again = start_child(sink, "done", std::move(options));
  auto refused = co_await again.result;
  sink.tell("child done", refused);
  sink.at = 29;
  const std::string target = "kitchen-sink-target", nobody = "kitchen-sink-nobody";
  int step = 30;
  for (const auto& id : {target, nobody}) {
    co_await reach(sink, step);
    engine::WorkflowTarget other{.workflow_id = id};
    auto signalled = co_await sink.context.signal(std::move(other), "note", "\"hello\"");
    sink.tell("signal " + id, signalled);
    sink.at = step++;
  }
  for (const auto& id : {target, nobody}) {
    co_await reach(sink, step);
    engine::WorkflowTarget other{.workflow_id = id};
    auto requested = co_await sink.context.request_cancel(std::move(other));
    sink.tell("cancel " + id, requested);
    sink.at = step++;
  }
}

Flow<Outcome<std::string>> add(Sink& sink, std::string input) {
  sink.total += std::stoi(input);
  co_return std::to_string(sink.total);
}

Flow<Outcome<std::string>> later(Sink& sink) {
  auto settled = sink.context.until([&sink] { return sink.settled; });
  co_await settled;
  co_return "\"later\"";
}

Outcome<> positive(const std::string& input) {
  if (std::stoi(input) >= 0) return {};
  engine::Failure failure;
  failure.type = "Negative";
  failure.message = "only positive numbers";
  return tl::unexpected(std::move(failure));
}

void listen(Sink& sink) {
  auto& context = sink.context;
  context.on_signal("step", [&sink](std::string input) { sink.asked = std::stoi(input); });
  context.on_signal("open", [&sink](std::string) { sink.open = true; });
  context.on_signal("settle", [&sink](std::string) { sink.settled = true; });
  context.on_signal("note", [&sink](std::string input) { sink.notes.push_back(std::move(input)); });
  context.on_query("at", [&sink](std::string) -> Outcome<std::string> { return std::to_string(sink.at); });
  context.on_query("total", [&sink](std::string) -> Outcome<std::string> { return std::to_string(sink.total); });
  context.on_query("told", [&sink](std::string) -> Outcome<std::string> { return nlohmann::json(sink.told).dump(); });
  context.on_query("notes", [&sink](std::string) -> Outcome<std::string> { return nlohmann::json(sink.notes).dump(); });
  context.on_update("add", {[&sink](std::string input) { return add(sink, std::move(input)); }, positive});
  context.on_update("later", {[&sink](std::string) { return later(sink); }, {}});
}

Flow<WorkflowEnd> first_run(Sink& sink) {
  first_task(sink);
  co_await activities(sink);
  co_await cancelled_activity(sink, 5, "try", CancellationType::kTryCancel);
  co_await cancelled_activity(sink, 7, "wait", CancellationType::kWaitCancellationCompleted);
  co_await cancelled_activity(sink, 9, "abandon", CancellationType::kAbandon);
  co_await local_activities(sink);
  co_await timers(sink);
  co_await finished_child(sink);
  co_await cancelled_child(sink, 21, "try", CancellationType::kTryCancel);
  co_await cancelled_child(sink, 23, "wait", CancellationType::kWaitCancellationCompleted);
  co_await cancelled_child(sink, 25, "requested", CancellationType::kWaitCancellationRequested);
  co_await cancelled_child(sink, 27, "abandon", CancellationType::kAbandon);
  co_await others(sink);
  co_await reach(sink, 34);  // updates
  sink.at = 34;
  co_await reach(sink, 35);  // signals
  sink.at = 35;
  co_await reach(sink, 36);
  co_return engine::ContinueAsNew{"2"};
}

Flow<WorkflowEnd> second_run(Sink& sink) {
  using engine::ParentClosePolicy;
  sink.tell("patch", Outcome<std::string>(sink.context.patched("kitchen-patch") ? "new" : "old"));
  sink.at = 1;
  co_await reach(sink, 2);
  const std::vector<std::pair<std::string, ParentClosePolicy>> children{{"left", ParentClosePolicy::kAbandon},
                                                                        {"killed", ParentClosePolicy::kTerminate},
                                                                        {"asked", ParentClosePolicy::kRequestCancel}};
  for (const auto& [label, policy] : children) {
    engine::ChildOptions options;
    options.parent_close = policy;
    auto child = start_child(sink, label, std::move(options));
    co_await child.started;
  }
  sink.at = 2;
  co_await reach(sink, 3);
  auto cancelled = sink.context.until([&sink] { return sink.context.cancel_requested(); });
  sink.at = 3;
  co_await cancelled;
  co_return std::string("\"sunk\"");
}

engine::ActivityError failed(const char* type, bool non_retryable = false) {
  engine::ActivityError error;
  error.type = type;
  error.message = "as it was meant to";
  error.non_retryable = non_retryable;
  return error;
}

/// Fails in the first attempts, then has `result`.
engine::ActivityFunction moody(int failures, std::string result) {
  return
      [failures, result](engine::ActivityContext& context, std::string) -> engine::Awaitable<engine::ActivityResult> {
        if (context.info().attempt <= failures) co_return tl::unexpected(failed("Moody"));
        co_return result;
      };
}

engine::Awaitable<engine::ActivityResult> hold(engine::ActivityContext& context, std::string input, Clock& clock,
                                               Gate& gate) {
  const auto label = nlohmann::json::parse(input).get<std::string>();
  const bool to_the_end = label == "abandon";
  gate.tell_started(label);
  while (!gate.released(label) || (!to_the_end && !context.cancelled())) {
    context.heartbeat("");
    auto pause = engine::sleep_for(clock, 100ms);
    co_await std::move(pause);
  }
  if (to_the_end) co_return input;
  engine::ActivityError cancelled{.cancelled = true};
  co_return tl::unexpected(std::move(cancelled));
}

engine::Awaitable<engine::ActivityResult> break_down(engine::ActivityContext&, std::string) {
  co_return tl::unexpected(failed("Broken", true));
}

}  // namespace

void Gate::tell_started(const std::string& label) {
  const std::lock_guard lock(mutex_);
  started_.insert(label);
  changed_.notify_all();
}

void Gate::wait_started(const std::string& label) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return started_.contains(label); });
}

void Gate::release(const std::string& label) {
  const std::lock_guard lock(mutex_);
  released_.insert(label);
}

bool Gate::released(const std::string& label) const {
  const std::lock_guard lock(mutex_);
  return released_.contains(label);
}

Flow<WorkflowEnd> kitchen_sink(WorkflowContext& context, std::string input) {
  Sink sink{context};
  listen(sink);
  if (input == "2") co_return co_await second_run(sink);
  co_return co_await first_run(sink);
}

Flow<WorkflowEnd> kitchen_child(WorkflowContext& context, std::string input) {
  int finishes = 0;
  context.on_signal("finish", [&finishes](std::string) { ++finishes; });
  auto finished = context.until([&finishes] { return finishes > 0; });
  co_await finished;
  if (context.cancel_requested()) co_return engine::Cancelled{};
  co_return input;
}

void register_kitchen(engine::Worker& worker, Clock& clock, Gate& gate) {
  worker.register_workflow("KitchenSink", kitchen_sink);
  worker.register_workflow("KitchenChild", kitchen_child);
  worker.register_activity("once", moody(0, "\"once\""));
  worker.register_activity("flaky", moody(2, "\"done\""));
  worker.register_activity("broken", break_down);
  worker.register_activity("quick", moody(0, "\"quick\""));
  worker.register_activity("moody", moody(2, "\"well\""));
  worker.register_activity("sleepy", moody(1, "\"awake\""));
  worker.register_activity("held", [&clock, &gate](engine::ActivityContext& context, std::string input) {
    return hold(context, std::move(input), clock, gate);
  });
}

}  // namespace callimport::tests
