// ResetWorkflowExecution (conformance C.11): gathers the histories it needs, then decides in one turn.
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/resets.h"
#include "engine/service/workflow_tasks.h"

namespace callimport::engine {
namespace {
constexpr std::size_t kIdBytesMax = 1000;
}

/// A reset whose histories are being read.
struct ResetOrder {
  ResetRequest request;
  Call<api::ResetWorkflowExecutionResponse> call;
  ResetPlan plan;
  bool base_read = false;
};

void Service::ResetWorkflowExecution(const api::ResetWorkflowExecutionRequest& request, CallContext context,
                                     Reply<api::ResetWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (request.request_id().empty()) return refuse(std::move(call), errors::invalid("RequestId is not set on request."));
  if (request.request_id().size() > kIdBytesMax) {
    return refuse(std::move(call), errors::invalid("RequestId length exceeds limit."));
  }
  PortStatus error;
  const Found base = find_run(request.namespace_(), request.workflow_execution(), &error);
  if (!base) return refuse(std::move(call), std::move(error));
  auto order = std::make_shared<ResetOrder>();  // shared: rides in copyable callbacks
  order->request = request;
  order->call = std::move(call);
  order->plan.base = facts_of(base);
  read_for_reset(std::move(order), base);
}

/// The base run first, then what continued it. Only the last of them can be open, so nothing read goes stale.
void Service::read_for_reset(std::shared_ptr<ResetOrder> order, Found found) {
  if (found.open != nullptr) {
    with_history(*found.open, [this, order](OpenRun& run) {
      const bool last = take_for_reset(*order, run.history);
      if (!last) return;
      History buffered;
      for (const auto& event : run.buffered) *buffered.add_events() = event;
      const bool base = run.facts.run_id() == order->plan.base.run_id();
      pick_events(order->request, buffered, base ? ResetSource::kBase : ResetSource::kSuccessor, &order->plan.later);
      decide_reset(*order);
    });
    return;
  }
  with_closed_history(*found.closed, [this, order](const pb::RunSummary&, const HistoryBatches& history) {
    if (!take_for_reset(*order, history)) return;
    const Found successor = find_id(continued_in(history));
    if (!successor) return decide_reset(*order);
    read_for_reset(order, successor);
  });
}

/// @return false: the call was answered.
bool Service::take_for_reset(ResetOrder& order, const HistoryBatches& history) {
  if (!history.whole() || history.next_event_id() == 1) {
    refuse(std::move(order.call), errors::unavailable("the history could not be read; try again"));
    return false;
  }
  if (std::exchange(order.base_read, true)) {
    for (const auto& batch : history.batches()) {
      History events;
      add_events(batch, 1, history.next_event_id(), &events);
      pick_events(order.request, events, ResetSource::kSuccessor, &order.plan.later);
    }
    return true;
  }
  auto wrong = split_history(order.request, history, &order.plan.kept, &order.plan.later);
  if (!wrong) return true;
  refuse(std::move(order.call), std::move(*wrong));
  return false;
}

/// The run this request made when it came before: the current one, or one that was reset to since. Empty: none.
std::string Service::made_by(const ResetOrder& order, const Found& current) {
  std::vector<Found> candidates = {current};
  if (const auto it = resets_.find(order.plan.base.run_id()); it != resets_.end()) {
    for (const RunKey key : it->second) candidates.push_back(find(key));
  }
  for (const Found& made : candidates) {
    if (!made) continue;
    const pb::RunFacts facts = facts_of(made);
    if (facts.start_request_id() == order.request.request_id()) return facts.run_id();
  }
  return "";
}

void Service::decide_reset(ResetOrder& order) {
  const ResetRequest& request = order.request;
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(order.call), std::move(*wrong));
  api::ResetWorkflowExecutionResponse out;
  const Found current = find_current(request.namespace_(), order.plan.base.workflow_id());
  out.set_run_id(made_by(order, current));
  if (!out.run_id().empty()) return answer(std::move(order.call), std::move(out));
  out.set_run_id(new_uuid());
  order.plan.run_id = out.run_id();
  order.plan.task_request_id = new_uuid();
  pb::Transition first;
  if (auto wrong = reset_run(request, std::move(order.plan), clock_.now(), options_, &next_task_id_, &first)) {
    return refuse(std::move(order.call), std::move(*wrong));
  }
  if (current.open != nullptr) {
    Draft draft(*current.open, clock_.now());
    terminate_run(draft, request.reason(), nullptr, kResetter);
    draft.edit_progress().set_reset_run_id(out.run_id());
    commit(*current.open, std::move(draft));
  }
  OpenRun& run = add_run(next_run_++);
  index_new(run, first.rebuilt().facts());
  commit(run, std::move(first));
  answer(std::move(order.call), std::move(out));
}

}  // namespace callimport::engine
