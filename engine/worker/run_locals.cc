// Local activities of a run: live they are handed to a runner, in a replay their markers lie ahead (conformance B.4).
#include <exception>
#include <utility>

#include "engine/worker/payloads.h"
#include "engine/worker/run.h"

namespace callimport::engine::worker {

namespace {
constexpr Nanos kTaskTimeout = std::chrono::seconds{10};  // where the start says nothing
}

Nanos Run::task_timeout() const {
  const Nanos told = started_ ? duration_of(started_->workflow_task_timeout()) : Nanos{0};
  return told > Nanos{0} ? told : kTaskTimeout;
}

Future<Outcome<std::string>> Run::local_activity(std::string type, std::string input, LocalActivityOptions options) {
  auto state = std::make_shared<FutureState<Outcome<std::string>>>();  // shared with the caller's Future
  state->queue = &scheduler_;
  if (refuses()) return Future(std::move(state));
  LocalActivityMachine machine;
  machine.type = std::move(type);
  machine.input = std::move(input);
  machine.options = std::move(options);
  machine.scheduled = now_;
  machine.future = state;
  add_local(std::move(machine));
  return Future(std::move(state));
}

/// Under a number of its own; it lives as long as it has no result, and so has its future no value.
LocalActivityMachine& Run::add_local(LocalActivityMachine machine) {
  machine.number = ++last_local_;
  machine.state = LocalState::Requested;
  auto held = std::make_unique<LocalActivityMachine>(std::move(machine));
  held->future->cancel = [this, local = held.get()] { cancel_local(*local); };
  auto& placed = locals_[held->number];
  placed = std::move(held);
  return *placed;
}

/// What was given up leaves no marker: a replay gives it up at the same point. So whether it already runs must not
/// matter.
void Run::cancel_local(LocalActivityMachine& local) {
  if (refuses()) return;
  if (local.wait == nullptr && local.options.cancellation == CancellationType::kWaitCancellationCompleted) {
    local_cancels_.push_back(local.number);
    return;
  }
  if (local.wait != nullptr) cancel_timer(*local.wait);
  if (local.state == LocalState::Running) {
    --locals_running_;
    if (local.options.cancellation != CancellationType::kAbandon) local_cancels_.push_back(local.number);
  }
  auto next = advance(local.state, LocalEvent::CancelWanted);
  local.state = *next;
  const auto over = locals_.extract(local.number);
  over.mapped()->future->set(tl::unexpected(cancelled("local activity cancelled")));
}

std::vector<LocalRequest> Run::take_local_requests() {
  std::vector<LocalRequest> requests;
  for (auto& [number, local] : locals_) {
    if (local->state != LocalState::Requested || local->wait != nullptr) continue;
    auto next = advance(local->state, LocalEvent::Taken);
    local->state = *next;
    ++locals_running_;
    auto& request = requests.emplace_back(
        LocalRequest{number, local->type, local->input, local->options, local->attempt, local->scheduled});
    const bool unlimited = request.options.start_to_close <= Nanos{0} && request.options.schedule_to_close <= Nanos{0};
    if (unlimited) request.options.start_to_close = task_timeout();
  }
  return requests;
}

Result<> Run::local_finished(std::int64_t number, LocalResult result) {
  auto local = locals_.extract(number);
  if (local.empty() || closed_) return {};
  TRY(local.mapped()->state, advance(local.mapped()->state, LocalEvent::ResultCame));
  --locals_running_;
  try {
    resolve_local(std::move(local.mapped()), std::move(result));
    TRY_VOID(turn());
    return settle();
  } catch (const std::exception& error) {
    return fail(Code::kInvalid, std::string("exception in workflow code: ") + error.what());
  }
}

/// After all other jobs (B15), in the order of the markers; each may let the code ask for the next.
Result<> Run::replay_locals() {
  while (!locals_ahead_.empty() && !scheduler_.done()) {
    const LocalMark mark = std::move(locals_ahead_.front());
    locals_ahead_.pop_front();
    auto local = locals_.extract(mark.number);
    if (local.empty()) return {};  // the marker meets no command when it is read, and that is the error to tell
    TRY(local.mapped()->state, advance(local.mapped()->state, LocalEvent::MarkerAhead));
    resolve_local(std::move(local.mapped()), {mark.outcome, mark.attempt, mark.backoff, {}});
    TRY_VOID(turn());
  }
  return {};
}

/// Its marker first, then what the code makes of it.
void Run::resolve_local(std::unique_ptr<LocalActivityMachine> local, LocalResult result) {
  const std::string id = std::to_string(local->number);
  auto& command = push(CommandKind::RecordLocalActivity, id, local->type);
  if (command.message) {
    const LocalMark mark{local->number, result.attempt, id, local->type, result.outcome, result.backoff};
    set_local_mark(command.message.get(), mark, local->scheduled, result.completed);
  }
  LocalActivityMachine again = *local;
  command.local = std::move(local);
  if (!result.backoff) {
    again.future->set(std::move(result.outcome));
    return;
  }
  again.attempt = result.attempt + 1;
  wait_for_next_attempt(std::move(again), *result.backoff);
}

void Run::wait_for_next_attempt(LocalActivityMachine local, Nanos backoff) {
  auto& placed = add_local(std::move(local));
  auto& timer = push_timer(backoff);
  timer->local_activity = placed.number;
  placed.wait = timer.get();
}

}  // namespace callimport::engine::worker
