// Updates of a run: found in a task or in history, validated, worked on by a coroutine, completed (conformance B8, B18,
// B19).
#include <algorithm>
#include <exception>
#include <utility>

#include "engine/worker/payloads.h"
#include "engine/worker/run.h"

namespace callimport::engine::worker {
namespace enums = ::temporal::api::enums::v1;

namespace {

Failure refused(std::string message) {
  Failure failure;
  failure.type = "UpdateRejected";
  failure.message = std::move(message);
  failure.non_retryable = true;
  return failure;
}

}  // namespace

void Run::on_update(std::string name, UpdateHandler handler) { update_handlers_[std::move(name)] = std::move(handler); }

/// Those that the finished task accepted, as its completion wrote them; and for the task in hand, those that a reset
/// brought along as events.
Result<> Run::collect_updates(const Events& events, const LogicalTask& task, int ahead_end) {
  for (int i = task.end + 1; i < ahead_end; ++i) {
    if (events[i].event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_STARTED) break;
    if (events[i].event_type() != enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) continue;
    IncomingUpdate update = update_of(events[i].workflow_execution_update_accepted_event_attributes());
    auto admitted = admitted_.extract(update.id);
    if (!admitted.empty()) update.request = std::move(admitted.mapped());
    if (!update.request.has_input()) {
      return fail(Code::kCorrupt,
                  "event " + std::to_string(events[i].event_id()) + " accepts an update whose request is nowhere");
    }
    add_update(std::move(update));
  }
  if (!task.live) return {};
  for (int i = task.begin; i <= task.end; ++i) {
    if (!events[i].has_workflow_execution_update_admitted_event_attributes()) continue;
    const auto& request = events[i].workflow_execution_update_admitted_event_attributes().request();
    admitted_.erase(request.meta().update_id());
    add_update({.id = request.meta().update_id(), .after = events[i].event_id(), .request = request});
  }
  return {};
}

Result<> Run::collect_messages(const ProtocolMessages& messages) {
  for (const auto& message : messages) {
    TRY(auto update, update_of(message));
    add_update(std::move(update));
  }
  return {};
}

/// They stay in the order of the events they come after; those of one event in the order they came.
void Run::add_update(IncomingUpdate update) {
  const auto place =
      std::upper_bound(updates_.begin(), updates_.end(), update.after,
                       [](std::int64_t after, const IncomingUpdate& held) { return after < held.after; });
  updates_.insert(place, std::move(update));
}

void Run::deliver_update(const IncomingUpdate& update) {
  const auto found = update_handlers_.find(update.request.input().name());
  const UpdateHandler* handler = found == update_handlers_.end() ? nullptr : &found->second;
  if (auto why = refusal_of(update, handler)) {
    if (!replaying_) *outgoing_.Add() = rejection(update, *why);
    return;
  }
  if (handler == nullptr) {  // accepted by code that had one
    fault_ = differ(next_event_id_, "an accepted update " + update.id + " of name " + update.request.input().name(),
                    "no handler for it")
                 .error();
    scheduler_.halt();
    return;
  }
  accept_update(update, *handler);
}

std::optional<Failure> Run::refusal_of(const IncomingUpdate& update, const UpdateHandler* handler) {
  if (update.accepted) return std::nullopt;
  if (handler == nullptr) {
    std::string known;
    for (const auto& [name, unused] : update_handlers_) known += (known.empty() ? "" : ", ") + name;
    return refused("unknown update " + update.request.input().name() +
                   "; this workflow knows: " + (known.empty() ? "none" : known));
  }
  if (!handler->validate) return std::nullopt;
  const std::string input = json_of(update.request.input().args());
  read_only_ = true;  // a replay does not validate: nothing of it may last
  const std::uint64_t chance = random_state_;
  std::optional<Failure> why;
  try {
    if (auto valid = handler->validate(input); !valid) why = valid.error();
  } catch (const std::exception& error) {
    why = refused(std::string("exception in update validator: ") + error.what());
  }
  random_state_ = chance;
  read_only_ = false;
  return why;
}

void Run::accept_update(const IncomingUpdate& update, UpdateHandler handler) {
  push_message(CommandKind::AcceptUpdate, update.id, replaying_ ? ProtocolMessage() : acceptance(update));
  updates_open_.insert(update.id);
  spawn(work_on_update(update.id, std::move(handler), json_of(update.request.input().args())));
}

Flow<void> Run::work_on_update(std::string id, UpdateHandler handler, std::string input) {
  auto flow = handler.run(std::move(input));
  auto outcome = co_await flow;
  complete_update(id, outcome);
}

void Run::complete_update(const std::string& id, const Outcome<std::string>& outcome) {
  if (refuses()) return;
  updates_open_.erase(id);
  push_message(CommandKind::CompleteUpdate, id, replaying_ ? ProtocolMessage() : completion(id, outcome));
}

void Run::push_message(CommandKind kind, const std::string& id, ProtocolMessage message) {
  auto& command = push(kind, id, {});
  if (!command.message) return;
  command.message->set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
  command.message->mutable_protocol_message_command_attributes()->set_message_id(message.id());
  *outgoing_.Add() = std::move(message);
}

void Run::take_messages(ProtocolMessages* out) {
  out->Swap(&outgoing_);
  outgoing_.Clear();
}

}  // namespace callimport::engine::worker
