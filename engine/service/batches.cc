// Batch operations (conformance C.16): a record that walks over the runs it means, some a turn, and does to each what a
// client's call would do. What was done and how far the walk is go into one append, so that nothing is done twice. A
// reset reads histories, and its progress comes after it: one that is repeated after a kill is known by its request id.
#include <algorithm>
#include <utility>

#include "engine/service/internal/batch_requests.h"
#include "engine/service/internal/core.h"
#include "engine/service/list_filter.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

constexpr std::int64_t kStepPause = kNanosPerSecond / 10;     ///< kBatchStepMax a step are kBatchRateMax a second
constexpr std::int64_t kStepPatience = 10 * kNanosPerSecond;  ///< a step of resets that takes longer is done again
constexpr std::size_t kLookedAtPerStep = 10'000;              ///< runs, so that a step stays short

std::size_t step_size(const BatchRequest& request) {
  const double in_a_pause =
      batch_rate(request) * static_cast<double>(kStepPause) / static_cast<double>(kNanosPerSecond);
  return std::clamp<std::size_t>(static_cast<std::size_t>(in_a_pause), 1, kBatchStepMax);
}

/// Until the next step, so that the rate holds.
std::int64_t pause_after(const BatchRequest& request, std::size_t operations) {
  const double seconds = static_cast<double>(operations) / batch_rate(request);
  constexpr double kSecondsMax = 3600;
  return std::max(kStepPause, static_cast<std::int64_t>(std::min(seconds, kSecondsMax) * kNanosPerSecond));
}

/// What is gone, or closed, needs nothing more.
bool is_done(const PortStatus& status) { return status.ok() || status.code == errors::kNotFound; }

}  // namespace

struct Service::BatchStep {
  RunKey record = 0;
  std::uint64_t id = 0;  ///< OpenRun::batch_step
  std::string batch_id;  ///< of which request ids are made
  BatchRequest request;
  std::vector<Execution> targets;
  std::int64_t cursor = 0;  ///< after this step
  bool last = false;
  std::size_t under_way = 0;
  std::int64_t complete = 0, failed = 0;
  void count(bool done) { ++(done ? complete : failed); }
};

template <class Request, class Response>
PortStatus Service::perform(void (Service::*method)(const Request&, CallContext, Reply<Response>),
                            const Request& request) {
  (this->*method)(request, {}, [](const PortStatus&, Response*) {});
  return *turn_.effects.back()->decided();  // answering is the last thing they do
}

Service::Found Service::find_batch(const std::string& name_space, const std::string& job_id, PortStatus* error) {
  const auto& batches = space(name_space).batches;
  const auto it = batches.find(job_id);
  if (it != batches.end()) return find(it->second);
  *error = errors::workflow_not_found(job_id);
  return {};
}

void Service::forget_batch(const OpenRun& record) {
  auto& batches = record.space->batches;
  const auto it = batches.find(record.facts.workflow_id());
  if (it != batches.end() && it->second == record.key) batches.erase(it);
}

/// How many runs the request means now. @return nothing: the query is wrong.
std::optional<std::int64_t> Service::count_batch(const BatchRequest& request, PortStatus* error) {
  if (request.executions_size() > 0) return request.executions_size();
  const Namespace& in = space(request.namespace_());
  const auto filter = ListFilter::parse(batch_query(request), in.search_types, ListFilter::Use::kList);
  if (!filter) {
    *error = errors::invalid(filter.error());
    return std::nullopt;
  }
  std::int64_t count = 0;
  scan(in, *filter, nullptr, [&count](const VisibilityKey&, const VisibleRow&) {
    ++count;
    return true;
  });
  return count;
}

/// The targets of the next step. @return false: the query does not parse any more (an attribute was removed).
bool Service::collect_batch(const OpenRun& record, BatchStep* step) {
  const std::int64_t from = record.batch_progress.cursor();
  const std::size_t most = step_size(step->request);
  if (step->request.executions_size() > 0) {
    const std::int64_t count = step->request.executions_size();
    step->cursor = std::min(from + static_cast<std::int64_t>(most), count);
    for (std::int64_t i = from; i < step->cursor; ++i) {
      step->targets.push_back(step->request.executions(static_cast<int>(i)));
    }
    step->last = step->cursor == count;
    return true;
  }
  const auto filter = ListFilter::parse(batch_query(step->request), record.space->search_types, ListFilter::Use::kList);
  if (!filter) return false;
  const RunKey end = record.batch->end_run();
  auto open = filter->only_closed() ? open_.end() : open_.upper_bound(from);
  auto closed = filter->only_open() ? closed_.end() : closed_.upper_bound(from);
  const auto next = [&] {
    const RunKey next_open = open == open_.end() ? end : open->first;
    const RunKey next_closed = closed == closed_.end() ? end : closed->first;
    return std::min({next_open, next_closed, end});
  };
  step->cursor = from;
  for (std::size_t looked_at = 0; step->targets.size() < most && looked_at < kLookedAtPerStep; ++looked_at) {
    if (next() == end) break;
    step->cursor = next();
    if (open != open_.end() && open->first == step->cursor) ++open;
    if (closed != closed_.end() && closed->first == step->cursor) ++closed;
    const Found found = find(step->cursor);
    if (found.space() != record.space) continue;
    const auto row = record.space->visibility.find(visibility_key(found));
    if (row == record.space->visibility.end() || !filter->matches(row->second)) continue;
    step->targets.push_back(execution_of(step->cursor));
  }
  step->last = next() == end;
  return true;
}

void Service::batch_due(OpenRun& record) {
  const std::int64_t due = next_deadline_of(record);
  if (stopping_) return;
  if (due > now_ns()) return arm(record);
  if (record.batch_progress.state() != enums::BATCH_OPERATION_STATE_RUNNING) return end_record(record);
  auto step = std::make_shared<BatchStep>();  // shared: rides in the callbacks of resets
  step->record = record.key;
  step->batch_id = record.facts.run_id();
  ENSURE(step->request.ParseFromString(record.batch->request()));
  if (!collect_batch(record, step.get())) {
    return close_batch(record, record.batch_progress, enums::BATCH_OPERATION_STATE_FAILED);
  }
  step->id = next_id_++;
  record.batch_step = step->id;
  if (step->request.has_reset_operation() && !step->targets.empty()) {
    step->under_way = step->targets.size();
    record.batch_patience_ns = now_ns() + kStepPatience;
    arm(record);
    for (std::size_t i = 0; i < step->targets.size(); ++i) reset_for_batch(step, i);
    return;
  }
  if (turn_.rows.size() >= kRowsPerTurn / 2) flush();  // the step and its progress are one append
  for (const auto& target : step->targets) step->count(is_done(apply_batch(step->request, step->batch_id, target)));
  end_batch_step(*step);
}

PortStatus Service::apply_batch(const BatchRequest& batch, const std::string& batch_id, const Execution& target) {
  const std::string request_id = uuid_of_name(batch_id + "/" + target.workflow_id() + "/" + target.run_id());
  switch (batch.operation_case()) {
    case BatchRequest::kTerminationOperation:
      return perform(&Service::TerminateWorkflowExecution, terminate_call(batch, target));
    case BatchRequest::kCancellationOperation:
      return perform(&Service::RequestCancelWorkflowExecution, cancel_call(batch, target, request_id));
    case BatchRequest::kSignalOperation:
      return perform(&Service::SignalWorkflowExecution, signal_call(batch, target, request_id));
    case BatchRequest::kDeletionOperation:
      return perform(&Service::DeleteWorkflowExecution, delete_call(batch, target));
    case BatchRequest::kUpdateWorkflowOptionsOperation:
      return perform(&Service::UpdateWorkflowExecutionOptions, update_options_call(batch, target));
    case BatchRequest::kUnpauseActivitiesOperation:
      return perform(&Service::UnpauseActivity, unpause_activities_call(batch, target));
    case BatchRequest::kResetActivitiesOperation:
      return perform(&Service::ResetActivity, reset_activities_call(batch, target));
    default: return perform(&Service::UpdateActivityOptions, update_activities_call(batch, target));
  }
}

/// Finds the place in the run's history, then resets to it. The last answer of a step ends it.
void Service::reset_for_batch(std::shared_ptr<BatchStep> step, std::size_t target) {
  const auto answered = [this, step](bool done) {
    step->count(done);
    if (--step->under_way == 0) end_batch_step(*step);
  };
  PortStatus error;
  const Found found = find_run(step->request.namespace_(), step->targets[target], &error);
  if (!found) return after_flush([answered] { answered(false); });
  const auto reset = [this, step, answered](const pb::RunSummary& run, const HistoryBatches& history) {
    Execution named;
    named.set_workflow_id(run.facts().workflow_id());
    named.set_run_id(run.facts().run_id());
    const auto point = batch_reset_point(step->request, named.run_id(), history, run.reset_points());
    if (!history.whole() || !point) return after_flush([answered] { answered(false); });
    const std::string request_id = uuid_of_name(step->batch_id + "/" + named.workflow_id() + "/" + named.run_id());
    ResetWorkflowExecution(reset_call(step->request, named, request_id, *point), {},
                           [answered](const PortStatus& status, auto*) { answered(is_done(status)); });
  };
  if (found.closed != nullptr) return with_closed_history(*found.closed, reset);
  with_history(*found.open, [reset](OpenRun& run) { reset(to_summary(run), run.history); });
}

void Service::end_batch_step(const BatchStep& step) {
  if (stopping_ || starting_over_) return;  // the record knows where to go on
  const auto it = open_.find(step.record);
  if (it == open_.end() || it->second->batch_step != step.id) return;  // gone, rebuilt, stopped, or too late
  OpenRun& record = *it->second;
  record.batch_step = 0;
  pb::BatchProgress progress = record.batch_progress;
  progress.set_cursor(step.cursor);
  progress.set_complete(progress.complete() + step.complete);
  progress.set_failed(progress.failed() + step.failed);
  progress.set_next_ns(now_ns() + pause_after(step.request, step.targets.size()));
  if (step.last) return close_batch(record, std::move(progress), enums::BATCH_OPERATION_STATE_COMPLETED);
  Draft draft(record, clock_.now());
  draft.set_batch_progress(std::move(progress));
  commit(record, std::move(draft));
}

/// It stays to be looked at as long as a closed run would.
void Service::close_batch(OpenRun& record, pb::BatchProgress progress, enums::BatchOperationState state) {
  progress.set_state(state);
  progress.set_close_ns(now_ns());
  progress.set_next_ns(add_nanos(now_ns(), record.space->retention_ns));
  if (state == enums::BATCH_OPERATION_STATE_COMPLETED) progress.set_total(progress.complete() + progress.failed());
  record.batch_step = 0;  // what is under way comes too late
  Draft draft(record, clock_.now());
  draft.set_batch_progress(std::move(progress));
  commit(record, std::move(draft));
}

}  // namespace callimport::engine
