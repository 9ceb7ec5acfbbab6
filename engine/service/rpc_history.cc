// GetWorkflowExecutionHistory and its reverse (conformance C31 to C35).
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/retry.h"
#include "engine/service/task_events.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

constexpr std::size_t kPageDefault = 256;
constexpr std::int64_t kWaitMax = 20 * kNanosPerSecond;
constexpr std::int64_t kWaitMargin = kNanosPerSecond;

std::size_t page_size(int asked) {
  return asked > 0 && asked <= static_cast<int>(kPageDefault) ? static_cast<std::size_t>(asked) : kPageDefault;
}

/// Batches of one page from `token->next_event_id` on; moves the token. @return whether more follow.
bool add_page(const HistoryBatches& history, std::size_t page, pb::HistoryToken* token, History* out) {
  const std::int64_t end = token->end_event_id() != 0 ? token->end_event_id() : history.next_event_id() - 1;
  const auto& batches = history.batches();
  std::size_t at = history.find(token->next_event_id());
  for (std::size_t n = 0; n < page && at < batches.size() && batches[at].first_event_id() <= end; ++n, ++at) {
    add_events(batches[at], token->next_event_id(), end, out);
    token->set_next_event_id(batches[at].first_event_id() + batches[at].count());
  }
  return at < batches.size() && batches[at].first_event_id() <= end;
}

void add_last_event(const HistoryBatches& history, History* out) {
  const std::int64_t last = history.next_event_id() - 1;
  add_events(history.batches().back(), last, last, out);
}

/// Clients that do not look for the run that follows by themselves take any close but this for the end.
void name_successor(History* close) {
  HistoryEvent& event = *close->mutable_events(0);
  temporal::api::history::v1::WorkflowExecutionContinuedAsNewEventAttributes told;
  if (event.has_workflow_execution_completed_event_attributes()) {
    const auto& end = event.workflow_execution_completed_event_attributes();
    told.set_new_execution_run_id(end.new_execution_run_id());
    if (end.has_result()) *told.mutable_last_completion_result() = end.result();
  } else if (event.has_workflow_execution_failed_event_attributes()) {
    const auto& end = event.workflow_execution_failed_event_attributes();
    told.set_new_execution_run_id(end.new_execution_run_id());
    *told.mutable_failure() = end.failure();
  } else if (event.has_workflow_execution_timed_out_event_attributes()) {
    told.set_new_execution_run_id(event.workflow_execution_timed_out_event_attributes().new_execution_run_id());
    *told.mutable_failure() = timeout_failure("workflow timeout", enums::TIMEOUT_TYPE_START_TO_CLOSE);
  }
  if (told.new_execution_run_id().empty()) return;
  event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
  event.mutable_workflow_execution_continued_as_new_event_attributes()->Swap(&told);
}

/// One page of a run that gets no more events for this reader.
api::GetWorkflowExecutionHistoryResponse closed_page(const HistoryBatches& history, const pb::RunFacts& facts,
                                                     pb::HistoryToken token, std::size_t page, bool close_event) {
  api::GetWorkflowExecutionHistoryResponse out;
  if (close_event) {
    add_last_event(history, out.mutable_history());
    return out;
  }
  History* events = out.mutable_history();
  if (add_page(history, page, &token, events)) {
    token.SerializeToString(out.mutable_next_page_token());
  } else if (token.has_transient()) {
    add_unwritten_events(facts, token.transient(), events);
  }
  return out;
}

api::GetWorkflowExecutionHistoryReverseResponse reverse_page(const HistoryBatches& history, pb::HistoryToken token,
                                                             std::size_t page) {
  api::GetWorkflowExecutionHistoryReverseResponse out;
  const auto& batches = history.batches();
  const std::int64_t last = history.next_event_id() - 1;
  const std::int64_t newest = token.next_event_id() != 0 ? std::min(token.next_event_id(), last) : last;
  std::size_t at = history.find(newest) + 1;
  History forward;
  for (std::size_t n = 0; n < page && at > 0; ++n) {
    --at;
    forward.Clear();
    add_events(batches[at], 1, newest, &forward);
    for (int i = forward.events_size(); i > 0; --i)
      out.mutable_history()->add_events()->Swap(forward.mutable_events(i - 1));
  }
  if (at > 0) {
    token.set_next_event_id(batches[at].first_event_id() - 1);
    token.SerializeToString(out.mutable_next_page_token());
  }
  return out;
}

}  // namespace

/// The run a request means, and where in it; a token's run wins over the current one.
Service::Found Service::find_for_history(const std::string& name_space,
                                         const temporal::api::common::v1::WorkflowExecution& execution,
                                         const std::string& bytes, bool reverse, pb::HistoryToken* token,
                                         PortStatus* error) {
  if (bytes.empty()) {
    const Found found = find_run(name_space, execution, error);
    if (!found) return found;
    token->set_run_id(found.run_id());
    token->set_next_event_id(reverse ? 0 : 1);
    token->set_reverse(reverse);
    return found;
  }
  if (!token->ParseFromString(bytes) || token->run_id().empty() || token->reverse() != reverse) {
    *error = errors::invalid("Invalid NextPageToken.");
    return {};
  }
  if (!execution.run_id().empty() && execution.run_id() != token->run_id()) {
    *error = errors::invalid("RunId in the request does not match the NextPageToken.");
    return {};
  }
  const Found found = find_id(token->run_id());
  if (found && found.space() == &space(name_space)) return found;
  *error = errors::run_not_found(execution.workflow_id(), token->run_id());
  return {};
}

void Service::with_closed_history(const ClosedRun& closed,
                                  std::function<void(const pb::RunSummary&, const HistoryBatches&)> then) {
  const auto summary = [this](RunKey key) {
    const auto it = closed_.find(key);
    pb::RunSummary out;
    if (it != closed_.end()) ENSURE(out.ParseFromString(it->second.summary));
    return out;
  };
  const RunKey key = closed.key;
  if (closed.held != nullptr && closed.held->history.whole()) {
    then(summary(key), closed.held->history);
    return;
  }
  const auto serve = [key, summary, then](std::vector<pb::Batch> batches) {
    HistoryBatches history;
    for (auto& batch : batches) history.push(std::move(batch));
    then(summary(key), history);
  };
  auto rows_read = [serve, alive = alive_](Result<std::vector<storage::JournalRow>> rows) {
    if (!*alive) return;
    std::vector<pb::Batch> batches;
    for (std::size_t i = 0; rows && i < rows->size(); ++i) {
      pb::Transition change;
      if (!change.ParseFromString((*rows)[i].body)) return serve({});
      take_batches(change, &batches);
    }
    serve(std::move(batches));
  };
  const storage::Seq last = closed.last_row;
  auto read = [this, serve, last, rows_read, alive = alive_](Result<std::optional<storage::ClosedHistory>> stored) {
    if (!*alive) return;
    pb::ClosedRunHistory whole;
    if (stored && *stored && whole.ParseFromString((*stored)->history)) {
      serve({std::make_move_iterator(whole.mutable_batches()->begin()),
             std::make_move_iterator(whole.mutable_batches()->end())});
    } else if (last == 0) {
      serve({});
    } else {
      journal_.read_run(last, rows_read);  // closed a moment ago: its rows are still there
    }
  };
  after_flush([this, key, read = std::move(read)] { journal_.read_closed(key, read); });
}

void Service::GetWorkflowExecutionHistory(const api::GetWorkflowExecutionHistoryRequest& request, CallContext context,
                                          Reply<api::GetWorkflowExecutionHistoryResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_execution()) return refuse(std::move(call), errors::execution_not_set());
  pb::HistoryToken token;
  PortStatus error;
  const Found found =
      find_for_history(request.namespace_(), request.execution(), request.next_page_token(), false, &token, &error);
  if (!found) return refuse(std::move(call), std::move(error));
  const std::size_t page = page_size(request.maximum_page_size());
  const bool close_event = request.history_event_filter_type() == enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;
  const bool first = request.next_page_token().empty();
  if (found.open == nullptr) {
    auto held = std::make_shared<decltype(call)>(std::move(call));  // shared: rides in a copyable callback
    const bool names = close_event && !context.follows_runs;
    with_closed_history(*found.closed, [this, held, token, page, close_event, names](const pb::RunSummary& summary,
                                                                                     const HistoryBatches& history) {
      if (history.next_event_id() == 1) {
        return refuse(std::move(*held), errors::unavailable("the history could not be read; try again"));
      }
      auto out = closed_page(history, summary.facts(), token, page, close_event);
      if (names) name_successor(out.mutable_history());
      answer(std::move(*held), std::move(out));
    });
    return;
  }
  OpenRun& run = *found.open;
  const std::int64_t next = run.history.next_event_id();
  const bool nothing_new = token.end_event_id() == 0 && token.next_event_id() >= next;
  if (close_event || (request.wait_new_event() && !first && nothing_new)) {
    HistoryWait wait;
    wait.id = next_id_++;
    wait.run = run.key;
    wait.call = std::move(call);
    wait.next_event_id = token.next_event_id();
    wait.close_event = close_event;
    wait.token_on_expiry = request.wait_new_event();
    wait.follows_runs = context.follows_runs;
    wait.page = page;
    wait.deadline_ns = callers_now_ns() + kWaitMax;
    if (context.deadline) wait.deadline_ns = std::min(wait.deadline_ns, to_unix_ns(*context.deadline) - kWaitMargin);
    return wait_for_events(std::move(wait), run);
  }
  const bool waits = request.wait_new_event();
  auto held = std::make_shared<decltype(call)>(std::move(call));  // shared: rides in a copyable callback
  with_history(run, [this, held, token, page, waits](OpenRun& loaded) mutable {
    api::GetWorkflowExecutionHistoryResponse out = closed_page(loaded.history, loaded.facts, token, page, false);
    if (out.next_page_token().empty() && waits && token.end_event_id() == 0) {
      token.set_next_event_id(loaded.history.next_event_id());
      token.SerializeToString(out.mutable_next_page_token());
    }
    answer(std::move(*held), std::move(out));
  });
}

void Service::wait_for_events(HistoryWait wait, OpenRun& run) {
  run.waits.push_back(wait.id);
  wait_deadlines_.set(wait.deadline_ns, wait.id);
  history_waits_.emplace(wait.id, std::move(wait));
}

/// News of a run, or its end. Only events just committed are wanted, and those are in memory.
void Service::wake_waits(OpenRun& run) {
  std::vector<std::uint64_t> still;
  for (const std::uint64_t id : std::exchange(run.waits, {})) {
    const auto it = history_waits_.find(id);
    if (it == history_waits_.end()) continue;
    if (it->second.close_event && run.open()) {
      still.push_back(id);
      continue;
    }
    HistoryWait wait = std::move(it->second);
    history_waits_.erase(it);
    wait_deadlines_.remove(wait.deadline_ns, id);
    answer_wait(std::move(wait), run);
  }
  run.waits = std::move(still);
}

void Service::answer_wait(HistoryWait wait, OpenRun& run) {
  api::GetWorkflowExecutionHistoryResponse out;
  History* events = out.mutable_history();
  pb::HistoryToken token;
  token.set_run_id(run.facts.run_id());
  token.set_next_event_id(wait.next_event_id);
  bool more = false;
  if (wait.close_event) {
    add_last_event(run.history, events);
    if (!wait.follows_runs) name_successor(events);
  } else {
    more = add_page(run.history, wait.page, &token, events);
  }
  if (more || run.open()) token.SerializeToString(out.mutable_next_page_token());
  answer(std::move(wait.call), std::move(out));
}

void Service::wait_expired(std::uint64_t id) {
  const auto it = history_waits_.find(id);
  if (it == history_waits_.end()) return;
  HistoryWait wait = std::move(it->second);
  history_waits_.erase(it);
  api::GetWorkflowExecutionHistoryResponse out;
  (void)out.mutable_history();
  const auto run = open_.find(wait.run);
  if (run != open_.end()) std::erase(run->second->waits, id);
  if (wait.token_on_expiry && run != open_.end()) {
    pb::HistoryToken token;
    token.set_run_id(run->second->facts.run_id());
    token.set_next_event_id(wait.next_event_id);
    token.SerializeToString(out.mutable_next_page_token());
  }
  answer(std::move(wait.call), std::move(out));
}

void Service::GetWorkflowExecutionHistoryReverse(const api::GetWorkflowExecutionHistoryReverseRequest& request,
                                                 CallContext context,
                                                 Reply<api::GetWorkflowExecutionHistoryReverseResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_execution()) return refuse(std::move(call), errors::execution_not_set());
  pb::HistoryToken token;
  PortStatus error;
  const Found found =
      find_for_history(request.namespace_(), request.execution(), request.next_page_token(), true, &token, &error);
  if (!found) return refuse(std::move(call), std::move(error));
  const std::size_t page = page_size(request.maximum_page_size());
  auto held = std::make_shared<decltype(call)>(std::move(call));  // shared: rides in a copyable callback
  if (found.open != nullptr) {
    with_history(*found.open, [this, held, token, page](OpenRun& run) {
      answer(std::move(*held), reverse_page(run.history, token, page));
    });
    return;
  }
  with_closed_history(*found.closed, [this, held, token, page](const pb::RunSummary&, const HistoryBatches& history) {
    answer(std::move(*held), reverse_page(history, token, page));
  });
}

}  // namespace callimport::engine
