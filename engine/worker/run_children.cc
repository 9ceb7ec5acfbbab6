// Children of a run, and what it says to other workflows: asked for by workflow code, moved by events (conformance B.4,
// C.12).
#include <utility>

#include "engine/worker/others.h"
#include "engine/worker/payloads.h"
#include "engine/worker/run.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

Child Run::child(std::string type, std::string input, ChildOptions options) {
  auto started = std::make_shared<FutureState<Outcome<std::string>>>();  // both shared with the caller's Futures
  auto result = std::make_shared<FutureState<Outcome<std::string>>>();
  started->queue = result->queue = &scheduler_;
  if (refuses()) return {options.workflow_id, Future(std::move(started)), Future(std::move(result))};
  auto machine = std::make_unique<ChildMachine>();
  machine->id = options.workflow_id.empty() ? uuid() : options.workflow_id;
  machine->type = std::move(type);
  machine->cancellation = options.cancellation;
  machine->started = started;
  machine->result = result;
  // The machine lives as long as `result` has no value, and `cancel` is not called after that.
  result->cancel = [this, held = machine.get()] { cancel_child(*held); };
  auto& command = push(CommandKind::StartChild, machine->id, machine->type);
  machine->command = &command;
  if (command.message) {
    command.message->set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
    auto* start = command.message->mutable_start_child_workflow_execution_command_attributes();
    start->set_workflow_id(machine->id);
    start->mutable_workflow_type()->set_name(machine->type);
    if (!input.empty()) set_json(start->mutable_input(), std::move(input));
    set_start(start, options, info_);
  }
  std::string id = machine->id;
  command.child = std::move(machine);
  return {std::move(id), Future(std::move(started)), Future(std::move(result))};
}

void Run::cancel_child(ChildMachine& child) {
  if (refuses() || child.state == ChildState::Closed) return;
  auto started = child.started, result = child.result;
  const auto give_up = [&started, &result](const char* why) {
    started->set(tl::unexpected(cancelled(why)));
    result->set(tl::unexpected(cancelled(why)));
  };
  const bool queued = child.state == ChildState::CommandQueued;
  if (child.cancellation == CancellationType::kAbandon && !queued) return give_up("child workflow abandoned");
  auto next = advance(child.state, ChildEvent::CancelWanted);
  child.state = *next;
  if (queued) {
    child.command->dropped = true;
    return give_up("child workflow cancelled before it was started");
  }
  if (std::exchange(child.cancel_requested, true)) return;
  auto& request = push_external(CommandKind::RequestCancelExternal, child.id, {});
  if (child.cancellation == CancellationType::kWaitCancellationRequested) request.external->told_child = result;
  if (request.message) {
    request.message->set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
    auto* attributes = request.message->mutable_request_cancel_external_workflow_execution_command_attributes();
    attributes->set_workflow_id(child.id);
    attributes->set_child_workflow_only(true);
  }
  if (child.cancellation == CancellationType::kTryCancel) give_up("child workflow cancelled");
}

PendingCommand& Run::push_external(CommandKind kind, std::string id, std::string name) {
  auto& command = push(kind, std::move(id), std::move(name));
  command.external = std::make_unique<ExternalMachine>();
  command.external->command = &command;
  return command;
}

/// Its cancellation has an effect only before it was sent.
Future<Outcome<>> Run::await_external(PendingCommand& command) {
  auto state = std::make_shared<FutureState<Outcome<>>>();  // shared with the caller's Future
  state->queue = &scheduler_;
  command.external->future = state;
  state->cancel = [this, held = command.external.get()] {
    if (refuses() || held->state != ExternalState::CommandQueued) return;
    auto next = advance(held->state, ExternalEvent::CancelWanted);
    held->state = *next;
    held->command->dropped = true;
    held->future->set(tl::unexpected(cancelled("cancelled before it was sent")));
  };
  return Future(std::move(state));
}

Future<Outcome<>> Run::signal(WorkflowTarget target, std::string name, std::string input) {
  if (refuses()) return never();
  auto& command = push_external(CommandKind::SignalExternal, target.workflow_id, name);
  if (command.message) {
    command.message->set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
    auto* attributes = command.message->mutable_signal_external_workflow_execution_command_attributes();
    attributes->mutable_execution()->set_workflow_id(target.workflow_id);
    attributes->mutable_execution()->set_run_id(target.run_id);
    attributes->set_signal_name(std::move(name));
    if (!input.empty()) set_json(attributes->mutable_input(), std::move(input));
  }
  return await_external(command);
}

Future<Outcome<>> Run::request_cancel(WorkflowTarget target) {
  if (refuses()) return never();
  auto& command = push_external(CommandKind::RequestCancelExternal, target.workflow_id, {});
  if (command.message) {
    command.message->set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
    auto* attributes = command.message->mutable_request_cancel_external_workflow_execution_command_attributes();
    attributes->set_workflow_id(target.workflow_id);
    attributes->set_run_id(target.run_id);
  }
  return await_external(command);
}

Future<Outcome<>> Run::never() {
  auto state = std::make_shared<FutureState<Outcome<>>>();
  state->queue = &scheduler_;
  return Future(std::move(state));
}

Result<> Run::move_child(const HistoryEvent& event, const ChildNews& news) {
  const auto found = children_.find(news.initiated);
  if (found == children_.end()) {
    return differ(event.event_id(), describe(event) + " of event " + std::to_string(news.initiated),
                  "no open child of that event");
  }
  auto next = advance(found->second->state, news.what);
  if (!next) return differ(event.event_id(), describe(event), "a child where " + next.error().message);
  found->second->state = *next;
  inputs_.push_back(&event);
  return {};
}

Result<> Run::move_external(const HistoryEvent& event, const ExternalNews& news) {
  const auto found = externals_.find(news.initiated);
  if (found == externals_.end()) {
    return differ(event.event_id(), describe(event) + " of event " + std::to_string(news.initiated),
                  "no open request of that event");
  }
  auto next = advance(found->second->state, news.what);
  if (!next) return differ(event.event_id(), describe(event), "a request where " + next.error().message);
  found->second->state = *next;
  inputs_.push_back(&event);
  return {};
}

void Run::resolve_child(const HistoryEvent& event, const ChildNews& news) {
  if (news.what == ChildEvent::ChildWorkflowExecutionStarted) {
    // A later event of the same task may have ended it: it is in the table until that one's own turn comes.
    const auto& child = *children_.at(news.initiated);
    child.started->set(event.child_workflow_execution_started_event_attributes().workflow_execution().run_id());
    return;
  }
  auto child = children_.extract(news.initiated);
  auto outcome = outcome_of_child(event);
  if (news.what == ChildEvent::StartChildWorkflowExecutionFailed) child.mapped()->started->set(outcome);
  child.mapped()->result->set(std::move(outcome));  // no-op when the code gave it up before
}

void Run::resolve_external(const HistoryEvent& event, const ExternalNews& news) {
  auto external = externals_.extract(news.initiated);
  if (external.mapped()->future) external.mapped()->future->set(outcome_of_request(event));
  const bool told = news.what == ExternalEvent::PassedOn;
  if (auto child = external.mapped()->told_child.lock(); child && told) {
    child->set(tl::unexpected(cancelled("child workflow was asked to cancel")));
  }
}

}  // namespace callimport::engine::worker
