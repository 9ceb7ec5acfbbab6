#include <nlohmann/json.hpp>
#include <utility>

#include "engine/worker/payloads.h"
#include "engine/worker/run.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

namespace {

/// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), the seed of a run's chance.
std::uint64_t hash(const std::string& text) {
  std::uint64_t value = 14695981039346656037u;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return value;
}

void set_schedule(CommandMessage* message, const ActivityMachine& machine, std::string input,
                  const ActivityOptions& options, const std::string& own_queue) {
  message->set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto* attributes = message->mutable_schedule_activity_task_command_attributes();
  attributes->set_activity_id(machine.id);
  attributes->mutable_activity_type()->set_name(machine.type);
  attributes->mutable_task_queue()->set_name(options.task_queue.empty() ? own_queue : options.task_queue);
  if (!input.empty()) set_json(attributes->mutable_input(), std::move(input));
  if (options.start_to_close > Nanos{0}) {
    set_duration(attributes->mutable_start_to_close_timeout(), options.start_to_close);
  }
  if (options.schedule_to_close > Nanos{0}) {
    set_duration(attributes->mutable_schedule_to_close_timeout(), options.schedule_to_close);
  }
  if (options.schedule_to_start > Nanos{0}) {
    set_duration(attributes->mutable_schedule_to_start_timeout(), options.schedule_to_start);
  }
  if (options.heartbeat > Nanos{0}) set_duration(attributes->mutable_heartbeat_timeout(), options.heartbeat);
  if (options.retry) set_retry(attributes->mutable_retry_policy(), *options.retry);
}

}  // namespace

void Run::seed(const std::string& run_id) { random_state_ = hash(run_id); }

/// SplitMix64 (https://prng.di.unimi.it/splitmix64.c).
std::uint64_t Run::random() {
  std::uint64_t z = (random_state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::string Run::uuid() {
  const std::uint64_t high = (random() & ~0xf000u) | 0x4000u;
  const std::uint64_t low = (random() & ~(3ull << 62)) | (2ull << 62);
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
    const std::uint64_t half = i < 16 ? high : low;
    text += kDigits[(half >> (60 - 4 * (i % 16))) & 15u];
  }
  return text;
}

PendingCommand& Run::push(CommandKind kind, std::string id, std::string type) {
  auto& command = commands_.emplace_back();
  command.kind = kind;
  command.id = std::move(id);
  command.type = std::move(type);
  if (!replaying_) command.message = std::make_unique<CommandMessage>();
  return command;
}

Future<Outcome<std::string>> Run::activity(std::string type, std::string input, ActivityOptions options) {
  auto state = std::make_shared<FutureState<Outcome<std::string>>>();  // shared with the caller's Future
  state->queue = &scheduler_;
  if (refuses()) return Future(std::move(state));
  const std::int64_t number = ++last_activity_;
  std::string id = options.activity_id.empty() ? std::to_string(number) : options.activity_id;
  auto machine = std::make_unique<ActivityMachine>();
  machine->id = id;
  machine->type = type;
  machine->cancellation = options.cancellation;
  machine->future = state;
  // The machine lives as long as the future has no value, and `cancel` is not called after that.
  state->cancel = [this, held = machine.get()] { cancel_activity(*held); };
  auto& command = push(CommandKind::ScheduleActivityTask, std::move(id), std::move(type));
  machine->command = &command;
  if (command.message) {
    set_schedule(command.message.get(), *machine, std::move(input), options, info_.task_queue);
  }
  command.activity = std::move(machine);
  return Future(std::move(state));
}

void Run::cancel_activity(ActivityMachine& activity) {
  if (refuses() || activity.state == ActivityState::Closed) return;
  auto future = activity.future;
  const bool queued = activity.state == ActivityState::CommandQueued;
  if (activity.cancellation == CancellationType::kAbandon && !queued) {
    future->set(tl::unexpected(cancelled("activity abandoned")));
    return;
  }
  const bool requested =
      activity.state == ActivityState::CancelQueued || activity.state == ActivityState::CancelRequested;
  auto next = advance(activity.state, ActivityEvent::CancelWanted);
  activity.state = *next;
  if (queued) {
    activity.command->dropped = true;
    future->set(tl::unexpected(cancelled("activity cancelled before it was scheduled")));
    return;
  }
  if (requested) return;
  auto& command = push(CommandKind::RequestCancelActivityTask, activity.id, {});
  command.cancelled_activity = &activity;
  if (command.message) {
    command.message->set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
    command.message->mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(
        activity.scheduled_event_id);
  }
  if (activity.cancellation != CancellationType::kWaitCancellationCompleted) {
    future->set(tl::unexpected(cancelled("activity cancelled")));
  }
}

std::unique_ptr<TimerMachine>& Run::push_timer(Nanos duration) {
  auto machine = std::make_unique<TimerMachine>();
  machine->id = std::to_string(++last_timer_);
  auto& command = push(CommandKind::StartTimer, machine->id, {});
  machine->command = &command;
  if (command.message) {
    command.message->set_command_type(enums::COMMAND_TYPE_START_TIMER);
    auto* attributes = command.message->mutable_start_timer_command_attributes();
    attributes->set_timer_id(machine->id);
    set_duration(attributes->mutable_start_to_fire_timeout(), std::max(duration, Nanos{0}));
  }
  command.timer = std::move(machine);
  return command.timer;
}

Future<Outcome<>> Run::timer(Nanos duration) {
  auto state = std::make_shared<FutureState<Outcome<>>>();  // shared with the caller's Future
  state->queue = &scheduler_;
  if (refuses()) return Future(std::move(state));
  auto& machine = push_timer(duration);
  machine->future = state;
  state->cancel = [this, held = machine.get()] { cancel_timer(*held); };
  return Future(std::move(state));
}

void Run::cancel_timer(TimerMachine& timer) {
  const bool over = timer.state == TimerState::Closed || timer.state == TimerState::CancelQueued;
  if (refuses() || over) return;
  auto future = timer.future;
  const bool queued = timer.state == TimerState::CommandQueued;
  auto next = advance(timer.state, TimerEvent::CancelWanted);
  timer.state = *next;
  if (queued) {
    timer.command->dropped = true;
  } else {
    auto& command = push(CommandKind::CancelTimer, timer.id, {});
    command.cancelled_timer = &timer;
    if (command.message) {
      command.message->set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
      command.message->mutable_cancel_timer_command_attributes()->set_timer_id(timer.id);
    }
  }
  if (future) future->set(tl::unexpected(cancelled("timer cancelled")));
}

Future<bool> Run::until(std::function<bool()> condition) {
  auto state = std::make_shared<FutureState<bool>>();  // shared with the caller's Future
  state->queue = &scheduler_;
  if (refuses()) return Future(std::move(state));
  if (condition()) {
    state->set(true);
  } else {
    scheduler_.add_condition(std::move(condition), state, nullptr);
  }
  return Future(std::move(state));
}

Future<bool> Run::until(std::function<bool()> condition, Nanos timeout) {
  auto state = std::make_shared<FutureState<bool>>();  // shared with the caller's Future
  state->queue = &scheduler_;
  if (refuses()) return Future(std::move(state));
  if (condition()) {
    state->set(true);
    return Future(std::move(state));
  }
  auto& machine = push_timer(timeout);
  machine->time_limit_of = state;
  // The timer lives as long as it may fire; `met` runs only while `state` has no value, so before it fired.
  scheduler_.add_condition(std::move(condition), state, [this, held = machine.get()] { cancel_timer(*held); });
  return Future(std::move(state));
}

void Run::on_signal(std::string name, std::function<void(std::string)> handler) {
  signal_handlers_[name] = handler;
  auto kept = signals_kept_.extract(name);
  if (kept.empty()) return;
  for (auto& input : kept.mapped()) handler(std::move(input));
}

void Run::on_query(std::string name, std::function<Outcome<std::string>(std::string)> handler) {
  query_handlers_[std::move(name)] = std::move(handler);
}

void Run::spawn(Flow<void> flow) {
  if (!refuses()) scheduler_.spawn(std::move(flow));
}

bool Run::patched(std::string_view id) { return use_patch(id, false); }
void Run::deprecate_patch(std::string_view id) { use_patch(id, true); }

/// The truth table of B17; an answer, once given, stays.
bool Run::use_patch(std::string_view id, bool deprecated) {
  const auto known = patches_.find(id);
  if (known != patches_.end()) return known->second;
  if (refuses()) return false;
  const bool answer = !replaying_ || patches_ahead_.contains(id);
  patches_.emplace(id, answer || deprecated);
  if (answer) push_patch(std::string(id), deprecated);
  return answer || deprecated;
}

void Run::push_patch(const std::string& id, bool deprecated) {
  patches_marked_.insert(id);
  auto& command = push(CommandKind::RecordPatch, id, {});
  if (!command.message) return;
  command.message->set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
  auto* marker = command.message->mutable_record_marker_command_attributes();
  marker->set_marker_name(std::string(kPatchMarker));
  const nlohmann::json data{{"id", id}, {"deprecated", deprecated}};
  set_json(&(*marker->mutable_details())["patch-data"], data.dump());

  const std::string all = nlohmann::json(patches_marked_).dump();
  if (all.size() > kChangeVersionBytesMax) return;
  command.second = std::make_unique<CommandMessage>();
  command.second->set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& fields = *command.second->mutable_upsert_workflow_search_attributes_command_attributes()
                      ->mutable_search_attributes()
                      ->mutable_indexed_fields();
  auto& payload = fields[std::string(kChangeVersion)];
  set_json(&payload, all);
  (*payload.mutable_metadata())["type"] = "KeywordList";
}

std::string Run::side_effect(std::function<std::string()> produce) {
  if (refuses()) return "null";
  const std::int64_t number = ++last_side_effect_;
  std::string data;
  if (replaying_) {
    auto recorded = side_effects_ahead_.extract(number);
    if (recorded.empty()) {
      const std::string got = "RecordMarker SideEffect " + std::to_string(number);
      fault_ = differ(next_event_id_, "no marker for it in this workflow task", got).error();
      scheduler_.halt();
      return "null";
    }
    data = std::move(recorded.mapped());
  } else {
    data = produce();
  }
  auto& command = push(CommandKind::RecordSideEffect, std::to_string(number), {});
  if (command.message) {
    command.message->set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
    auto* marker = command.message->mutable_record_marker_command_attributes();
    marker->set_marker_name(std::string(kSideEffectMarker));
    set_json(&(*marker->mutable_details())["side-effect-id"], std::to_string(number));
    set_json(&(*marker->mutable_details())["data"], data);
  }
  return data;
}

void Run::upsert_memo(std::map<std::string, std::string> json_values) {
  if (refuses()) return;
  for (auto& [key, json] : json_values) set_json(&memo_[key], json);
  auto& command = push(CommandKind::ModifyProperties, {}, {});
  if (!command.message) return;
  command.message->set_command_type(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES);
  auto& fields = *command.message->mutable_modify_workflow_properties_command_attributes()
                      ->mutable_upserted_memo()
                      ->mutable_fields();
  for (auto& [key, json] : json_values) set_json(&fields[key], std::move(json));
}

void Run::upsert_search_attributes(std::map<std::string, SearchValue> values) {
  if (refuses()) return;
  for (const auto& [key, value] : values) set_search_value(&search_[key], value);
  auto& command = push(CommandKind::UpsertSearchAttributes, {}, {});
  if (!command.message) return;
  command.message->set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& fields = *command.message->mutable_upsert_workflow_search_attributes_command_attributes()
                      ->mutable_search_attributes()
                      ->mutable_indexed_fields();
  for (const auto& [key, value] : values) set_search_value(&fields[key], value);
}

void Run::set_closing_message(PendingCommand& command, const WorkflowEnd& end) {
  auto& message = *command.message;
  if (const auto* result = std::get_if<std::string>(&end)) {
    message.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    auto* attributes = message.mutable_complete_workflow_execution_command_attributes();
    if (!result->empty()) set_json(attributes->mutable_result(), *result);
  } else if (const auto* failure = std::get_if<Failure>(&end)) {
    message.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
    set_failure(message.mutable_fail_workflow_execution_command_attributes()->mutable_failure(), *failure);
  } else if (const auto* stopped = std::get_if<Cancelled>(&end)) {
    message.set_command_type(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION);
    auto* attributes = message.mutable_cancel_workflow_execution_command_attributes();
    if (!stopped->details.empty()) set_json(attributes->mutable_details(), stopped->details);
  } else if (const auto* next = std::get_if<ContinueAsNew>(&end)) {
    message.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
    auto* attributes = message.mutable_continue_as_new_workflow_execution_command_attributes();
    attributes->mutable_workflow_type()->set_name(info_.type);
    attributes->mutable_task_queue()->set_name(info_.task_queue);
    if (!next->input.empty()) set_json(attributes->mutable_input(), next->input);
    attributes->set_initiator(enums::CONTINUE_AS_NEW_INITIATOR_WORKFLOW);
    const auto& started = *started_;
    if (started.has_workflow_run_timeout())
      *attributes->mutable_workflow_run_timeout() = started.workflow_run_timeout();
    if (started.has_workflow_task_timeout()) {
      *attributes->mutable_workflow_task_timeout() = started.workflow_task_timeout();
    }
    if (started.has_retry_policy()) *attributes->mutable_retry_policy() = started.retry_policy();
    if (started.has_header()) *attributes->mutable_header() = started.header();
    if (started.has_memo()) *attributes->mutable_memo() = started.memo();
    for (const auto& [key, value] : memo_) (*attributes->mutable_memo()->mutable_fields())[key] = value;
    if (started.has_search_attributes()) *attributes->mutable_search_attributes() = started.search_attributes();
    auto keep = [&]() -> auto& { return *attributes->mutable_search_attributes()->mutable_indexed_fields(); };
    for (const auto& [key, value] : search_) keep()[key] = value;
    if (attributes->has_search_attributes()) keep().erase(std::string(kChangeVersion));  // patches are a run's own
  }
}

}  // namespace callimport::engine::worker
