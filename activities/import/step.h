#pragma once
// What the import's activities share: one attempt, its heartbeat, and how trouble becomes an answer. Private to this
// folder.
#include <memory>
#include <string>
#include <utility>

#include "activities/import/contract.h"
#include "activities/import/deps.h"
#include "activities/platforms/platform.h"
#include "engine/activity.h"
#include "engine/awaitable.h"

namespace callimport::activities {

using engine::ActivityContext;
using engine::ActivityError;
using engine::ActivityResult;
using engine::Awaitable;
using storage::Operation;

/// Owned by the registered functions and by every attempt under way, which may outlive the worker's grace.
using SharedDeps = std::shared_ptr<ImportDeps>;

/// Heartbeats while it lives: an attempt that is silent longer than the workflow allows is taken for dead.
class Pulse {
 public:
  Pulse(Clock& clock, ActivityContext& context, std::int64_t heartbeat_ms);
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

 private:
  void beat();
  Clock& clock_;
  ActivityContext& context_;
  Nanos every_;
  Clock::TimerId timer_ = 0;
};

storage::ReceiptKey receipt_of(const ActivityContext& context);
CounterNote note_of(const storage::Counters& counters);
storage::LaneRow row_of(const LaneChange& change);

/// A library, vault or media store that does not do it now is tried again; one that is corrupt ends the import.
ActivityError error_of(const Error& error);
ActivityError cancelled_answer();
/// The import ends: nobody can repair this from outside.
ActivityError final_error(std::string type, std::string message);
/// A step that met trouble of the platform: a short one fails the attempt and is tried again, a longer one completes
/// the step and is told. `result` is what the step has done so far. A platform that does not answer is told after
/// `tries_in_step` attempts.
ActivityResult answer_trouble(const ActivityContext& context, const StepInput& input, const Trouble& trouble,
                              StepResult result, Nanos outage_wait, Timestamp now);
/// As a disk says it.
inline Error full_disk_error() { return {Code::kUnavailable, "the disk is full"}; }
inline constexpr const char* kStoreFull = "store.full";
bool is_store_trouble(const Trouble& trouble);
/// A store's error as trouble of the step. It fails the attempt, unless `run_step` tells of it.
Again store_trouble(const Error& error);

template <class Input>
using Body = Awaitable<ActivityResult> (*)(SharedDeps, ActivityContext&, Input);
/// Runs a step. Where the disk is full it completes with Wait{store.full}, and does so without beginning while the
/// reserve cannot be taken again. The first step of all fails and is tried again instead: there is no import yet whose
/// wait could be shown.
Awaitable<ActivityResult> run_step(SharedDeps deps, ActivityContext& context, StepInput input, Body<StepInput> body);

// The activities, one file each.
Awaitable<ActivityResult> open_import(SharedDeps deps, ActivityContext& context, StepInput input);
Awaitable<ActivityResult> authenticate(SharedDeps deps, ActivityContext& context, StepInput input);
Awaitable<ActivityResult> enumerate_calls(SharedDeps deps, ActivityContext& context, StepInput input);
Awaitable<ActivityResult> prioritize_calls(SharedDeps deps, ActivityContext& context, StepInput input);
Awaitable<ActivityResult> fetch_calls(SharedDeps deps, ActivityContext& context, StepInput input);
Awaitable<ActivityResult> register_calls(SharedDeps deps, ActivityContext& context, StepInput input);
Awaitable<ActivityResult> change_stage(SharedDeps deps, ActivityContext& context, StageInput input);
Awaitable<ActivityResult> close_import(SharedDeps deps, ActivityContext& context, CloseInput input);
Awaitable<ActivityResult> set_window(SharedDeps deps, ActivityContext& context, WindowInput input);
Awaitable<ActivityResult> tell_progress(SharedDeps deps, ActivityContext& context, ProgressInput input);
Awaitable<ActivityResult> retry_calls(SharedDeps deps, ActivityContext& context, RetryInput input);
Awaitable<ActivityResult> forget(SharedDeps deps, ActivityContext& context, ForgetInput input);

/// What a person wants done about calls that failed: they become pending, or words wanted, or are set aside or put
/// back. Answers how many, without counters.
Result<RetryResult> do_about(storage::LibraryTx& tx, const std::string& import, const RetryNote& choice);

/// One library transaction on the pool, with the attempt's receipt; `work` is called there.
template <class Work>
Awaitable<Result<std::string>> write_with_receipt(SharedDeps deps, storage::ReceiptKey key, Work work) {
  auto job = [deps, key = std::move(key), work = std::move(work)] { return deps->library.write(key, std::cref(work)); };
  co_return co_await engine::on_pool(deps->pool, deps->loop, std::move(job));
}

}  // namespace callimport::activities
