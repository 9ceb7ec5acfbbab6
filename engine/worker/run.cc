#include "engine/worker/run.h"

#include <exception>
#include <utility>

#include "engine/worker/payloads.h"

namespace callimport::engine::worker {

Run::Run(const WorkflowFunction& function, std::string name_space, std::string workflow_id, std::string run_id)
    : function_(function) {
  info_.name_space = std::move(name_space);
  info_.workflow_id = std::move(workflow_id);
  info_.run_id = std::move(run_id);
}

Run::~Run() {
  read_only_ = true;  // destructors in the frames run now and may call the context: it refuses
  scheduler_.destroy_frames();
}

Result<> Run::apply(const Events& events, Delivery delivery) { return apply(events, delivery, ProtocolMessages()); }

Result<> Run::apply(const Events& events, Delivery delivery, const ProtocolMessages& messages) {
  int first = 0;
  while (first < events.size() && events[first].event_id() < next_event_id_) ++first;
  for (int i = first; i < events.size(); ++i) {
    const std::int64_t due = next_event_id_ + (i - first);
    if (events[i].event_id() != due) {
      return fail(Code::kCorrupt, "history out of order: event " + std::to_string(events[i].event_id()) + " where " +
                                      std::to_string(due) + " is due");
    }
  }
  const auto tasks = split(events, first, delivery);
  if (delivery == Delivery::Whole && tasks.empty()) {
    return fail(Code::kInvalid, "the history holds no finished workflow task");
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const int ahead_end = i + 1 < tasks.size() ? tasks[i + 1].end : events.size();
    updates_.clear();
    if (tasks[i].live) TRY_VOID(collect_messages(messages));
    TRY_VOID(run_task(events, tasks[i], ahead_end));
  }
  if (delivery == Delivery::Whole) return check_rest(events, tasks.back().end + 1);
  return {};
}

Result<> Run::run_task(const Events& events, const LogicalTask& task, int ahead_end) {
  replaying_ = !task.live;
  signals_.clear();
  inputs_.clear();
  completed_read_ = false;
  locals_ahead_.clear();
  look_ahead(events, task.end + 1, ahead_end);
  for (int i = task.begin; i <= task.end; ++i) TRY_VOID(read(events[i]));
  TRY_VOID(collect_updates(events, task, ahead_end));
  TRY_VOID(check_no_leftover(events, task.end));
  if (!started_) return fail(Code::kCorrupt, "the history does not begin with WorkflowExecutionStarted");

  next_event_id_ = events[task.end].event_id() + 1;
  // A replay merges a heartbeat with what comes after it, so here it must not show either: time stands still.
  const bool continues = task.heartbeat && updates_.empty() && scheduler_.started();
  if (!continues) {
    const auto& event = events[task.end];
    now_ = std::max(now_, time_of(event.event_time()));
    history_length_ = event.event_id();
    suggest_continue_as_new_ = event.workflow_task_started_event_attributes().suggest_continue_as_new();
  }
  return activate();
}

Result<> Run::check_rest(const Events& events, int begin) {
  replaying_ = true;
  signals_.clear();
  inputs_.clear();
  completed_read_ = false;
  for (int i = begin; i < events.size(); ++i) TRY_VOID(read(events[i]));
  return check_no_leftover(events, events.size() - 1);
}

/// Commands that a finished task did not record (B12).
Result<> Run::check_no_leftover(const Events& events, int end) {
  drop_cancelled();
  if (!completed_read_ || commands_.empty()) return {};
  const std::int64_t next = last_command_event_ + 1;
  const HistoryEvent* after = nullptr;
  for (int i = end; i >= 0 && events[i].event_id() >= next; --i) after = &events[i];
  std::string expected = "no further command";
  if (after != nullptr) expected = describe(*after) + ", so no further command in this workflow task";
  return differ(next, std::move(expected), describe(commands_.front()));
}

void Run::look_ahead(const Events& events, int begin, int end) {
  for (int i = begin; i < end; ++i) {
    if (is_marker(events[i], kPatchMarker)) {
      patches_ahead_.insert(patch_mark(events[i]).id);
    } else if (is_marker(events[i], kSideEffectMarker)) {
      auto mark = side_effect_mark(events[i]);
      side_effects_ahead_[mark.number] = std::move(mark.data);
    } else if (is_marker(events[i], kLocalActivityMarker)) {
      locals_ahead_.push_back(local_mark(events[i]));
    }
  }
}

/// Jobs in the order of B15; patches were looked ahead already, queries come later by `answer`.
Result<> Run::activate() {
  try {
    if (!scheduler_.started()) {
      scheduler_.start(function_(*this, std::move(input_)), [this] { answer_for_the_last_time(); });
      TRY_VOID(turn());
    }
    TRY_VOID(deliver_signals_and_updates());
    for (const auto* input : inputs_) {
      if (scheduler_.done()) break;
      resolve(*input);
      TRY_VOID(turn());
    }
    TRY_VOID(replay_locals());
    return settle();
  } catch (const std::exception& error) {
    return fail(Code::kInvalid, std::string("exception in workflow code: ") + error.what());
  }
}

/// When nothing can run any more.
Result<> Run::settle() {
  scheduler_.sweep();
  if (scheduler_.done() && !closed_) close();
  if (fault_) return tl::unexpected(*fault_);
  return {};
}

/// In the order of history: an update comes after the event it names.
Result<> Run::deliver_signals_and_updates() {
  auto update = updates_.begin();
  auto signal = signals_.begin();
  while (!scheduler_.done() && (update != updates_.end() || signal != signals_.end())) {
    const bool signal_first =
        signal != signals_.end() && (update == updates_.end() || (*signal)->event_id() <= update->after);
    if (signal_first) {
      deliver_signal(**signal++);
    } else {
      deliver_update(*update++);
    }
    TRY_VOID(turn());
  }
  return {};
}

Result<> Run::turn() {
  scheduler_.drain();
  if (fault_) return tl::unexpected(*fault_);
  return {};
}

void Run::close() {
  close_with(scheduler_.take_end());
  closed_ = true;
  query_handlers_.clear();  // the frame's locals are gone, and handlers may refer to them
  update_handlers_.clear();
}

void Run::close_with(WorkflowEnd end) {
  static constexpr CommandKind kKinds[] = {CommandKind::CompleteWorkflow, CommandKind::FailWorkflow,
                                           CommandKind::CancelWorkflow, CommandKind::ContinueAsNew};
  auto& command = push(kKinds[end.index()], {}, {});
  if (command.message) set_closing_message(command, end);
}

Result<> Run::differ(std::int64_t event_id, std::string expected, std::string got) {
  difference_ = {event_id, std::move(expected), std::move(got)};
  return fail(Code::kNondeterministic, "nondeterministic workflow " + info_.workflow_id + " at event " +
                                           std::to_string(event_id) + ": the history has " + difference_.expected +
                                           ", the workflow code made " + difference_.got);
}

void Run::take_commands(google::protobuf::RepeatedPtrField<CommandMessage>* out) {
  drop_cancelled();
  for (auto& command : commands_) {
    if (command.dropped) continue;
    if (command.message) out->AddAllocated(command.message.release());
    if (command.second) out->AddAllocated(command.second.release());
  }
}

void Run::take_metadata(::temporal::api::sdk::v1::WorkflowTaskCompletedMetadata* out) {
  if (std::exchange(metadata_written_, true)) return;
  out->set_sdk_name(std::string(kSdkName));
  out->set_sdk_version(std::string(kSdkVersion));
  out->add_lang_used_flags(static_cast<std::uint32_t>(Flag::kOneJobATime));
}

void Run::expect_queries(std::vector<Query> queries) {
  queries_ = std::move(queries);
  last_answers_.clear();
}

/// The last moment at which what the handlers refer to is there.
void Run::answer_for_the_last_time() {
  for (const auto& query : queries_) last_answers_.push_back(answer(query.type, query.input));
}

Outcome<std::string> Run::answer(const std::string& query, std::string input) {
  const auto refuse = [](std::string message) {
    Failure failure;
    failure.type = "QueryFailed";
    failure.message = std::move(message);
    return tl::unexpected(std::move(failure));
  };
  if (closed_) {
    for (std::size_t i = 0; i < last_answers_.size(); ++i) {
      if (queries_[i].type == query && queries_[i].input == input) return last_answers_[i];
    }
    return refuse("query " + query + ": the workflow has returned, its state is gone");
  }
  const auto handler = query_handlers_.find(query);
  if (handler == query_handlers_.end()) {
    std::string known;
    for (const auto& [name, unused] : query_handlers_) known += (known.empty() ? "" : ", ") + name;
    return refuse("unknown query " + query + "; this workflow knows: " + (known.empty() ? "none" : known));
  }
  read_only_ = true;  // a query must not produce commands (B21), nor use up the run's chance
  const std::uint64_t chance = random_state_;
  Outcome<std::string> answer;
  try {
    answer = handler->second(std::move(input));
  } catch (const std::exception& error) {
    answer = refuse(std::string("exception in query handler: ") + error.what());
  }
  random_state_ = chance;
  read_only_ = false;
  return answer;
}

}  // namespace callimport::engine::worker
