#pragma once
// What workflow code sees: a C++20 coroutine on the worker's own scheduler, deterministic by construction. Time,
// chance, activities, timers, signals, queries, patches and side effects come from WorkflowContext and from nowhere
// else. Values cross as JSON text (payload encoding json/plain), so workflow code needs no Temporal message.
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "engine/flow.h"
#include "storage/model/time.h"

namespace callimport::engine {

struct RetryPolicy {
  Nanos initial = std::chrono::seconds{1};
  double coefficient = 2.0;
  Nanos maximum{0};                          ///< 0: 100 x initial
  int attempts_max = 0;                      ///< 0: unlimited
  std::vector<std::string> non_retryable{};  ///< failure types
};

/// Why an activity or child did not succeed.
struct Failure {
  enum class Kind : std::uint8_t { kApplication, kTimeout, kCancelled, kTerminated, kServer };
  Kind kind = Kind::kApplication;
  std::string
      type{};  ///< application type, or the timeout's (StartToClose, ScheduleToStart, ScheduleToClose, Heartbeat)
  std::string message{};
  std::string details{};  ///< JSON text, empty when none
  bool non_retryable = false;
};
template <class T = void>
using Outcome = tl::expected<T, Failure>;

/// What `cancel()` on an activity's or a child's future does.
enum class CancellationType : std::uint8_t {
  kTryCancel,                  ///< asks, and the outcome is `cancelled` at once
  kWaitCancellationCompleted,  ///< asks, and the outcome is what comes of it
  kAbandon,                    ///< asks nobody; the outcome is `cancelled` at once
  kWaitCancellationRequested   ///< children: the outcome is `cancelled` when the child was told; else as TryCancel
};

struct ActivityOptions {
  std::string task_queue{};   ///< empty: the workflow's own
  std::string activity_id{};  ///< empty: the sequence number as text
  Nanos start_to_close{0}, schedule_to_close{0}, schedule_to_start{0}, heartbeat{0};  ///< 0: not set
  std::optional<RetryPolicy> retry{};
  CancellationType cancellation = CancellationType::kTryCancel;
};

/// An activity that this worker runs within the workflow task: one marker in history instead of three events and a
/// task. For short work; the task is kept alive meanwhile. Its ActivityContext takes no heartbeats.
struct LocalActivityOptions {
  Nanos start_to_close{0}, schedule_to_close{0};          ///< 0: not set; neither: the workflow task's time-out
  std::optional<RetryPolicy> retry = RetryPolicy{};       ///< nullopt: one attempt
  Nanos local_retry_threshold = std::chrono::minutes{1};  ///< a longer wait between attempts is a timer in history
  CancellationType cancellation = CancellationType::kTryCancel;
};

/// What happens to a child when its parent closes.
enum class ParentClosePolicy : std::uint8_t { kTerminate, kAbandon, kRequestCancel };
/// Whether a workflow id may be used again once its run is closed.
enum class IdReuse : std::uint8_t { kAllowDuplicate, kAllowDuplicateFailedOnly, kRejectDuplicate };

/// A value of a search attribute; the type is the registered one.
using SearchValue = std::variant<std::string, std::int64_t, double, bool, std::vector<std::string>>;

struct ChildOptions {
  std::string workflow_id{};                                    ///< empty: a uuid of the run's own chance
  std::string task_queue{};                                     ///< empty: the workflow's own
  Nanos execution_timeout{0}, run_timeout{0}, task_timeout{0};  ///< 0: not set
  std::optional<RetryPolicy> retry{};
  std::string cron{};
  ParentClosePolicy parent_close = ParentClosePolicy::kTerminate;
  IdReuse reuse = IdReuse::kAllowDuplicate;
  CancellationType cancellation = CancellationType::kWaitCancellationCompleted;
  std::map<std::string, std::string> memo{};  ///< JSON texts
  std::map<std::string, SearchValue> search{};
};

/// Another workflow, of the same namespace.
struct WorkflowTarget {
  std::string workflow_id{};
  std::string run_id{};  ///< empty: the current run
};

struct WorkflowInfo {
  std::string name_space{}, workflow_id{}, run_id{}, first_run_id{}, type{}, task_queue{};
  int attempt = 1;
};

struct ContinueAsNew {
  std::string input{};  ///< JSON text; type, queue and timeouts are kept
};
struct Cancelled {
  std::string details{};
};
/// How a workflow ends: JSON result, failure, cancelled, or a next run.
using WorkflowEnd = std::variant<std::string, Failure, Cancelled, ContinueAsNew>;

/// A child workflow. `cancel()` of `result` asks for its cancellation as its CancellationType says.
struct Child {
  std::string workflow_id;
  Future<Outcome<std::string>> started;  ///< its run id; type WorkflowAlreadyExists when the id is taken
  Future<Outcome<std::string>> result;   ///< the same failure when it could not start
};

/// How a workflow takes an update (B19): `validate` accepts or rejects it, then `run` works on it, as a coroutine of
/// the run, and its outcome is the caller's. `validate` only reads; a rejected update leaves nothing in history, and
/// after a replay it was never there. Absent: every update is accepted.
struct UpdateHandler {
  std::function<Flow<Outcome<std::string>>(std::string input)> run;
  std::function<Outcome<>(const std::string& input)> validate{};
};

/// Threads: the worker's loop, during a workflow task only. Lifetime: the run's stay in the cache.
class WorkflowContext {
 public:
  virtual ~WorkflowContext() = default;

  virtual const WorkflowInfo& info() const = 0;
  virtual Timestamp now() const = 0;   ///< time of the last WorkflowTaskStarted; never goes back (B10)
  virtual std::uint64_t random() = 0;  ///< seeded from original_execution_run_id (B10)
  virtual std::string uuid() = 0;
  virtual bool replaying() const = 0;  ///< for logs only
  virtual std::int64_t history_length() const = 0;
  virtual bool suggest_continue_as_new() const = 0;

  /// Schedules now; await the future for the outcome. Drop it to ignore the outcome; `cancel()` it to ask for
  /// cancellation.
  virtual Future<Outcome<std::string>> activity(std::string type, std::string input, ActivityOptions options) = 0;
  /// The same on this worker and within the workflow task, by the function registered for `type`. At least once.
  virtual Future<Outcome<std::string>> local_activity(std::string type, std::string input,
                                                      LocalActivityOptions options) = 0;
  /// Starts a workflow that belongs to this one.
  virtual Child child(std::string type, std::string input, ChildOptions options) = 0;
  /// Ready when the service passed it on, not when it had an effect; type WorkflowNotFound when there is no such run.
  virtual Future<Outcome<>> signal(WorkflowTarget target, std::string name, std::string input) = 0;
  virtual Future<Outcome<>> request_cancel(WorkflowTarget target) = 0;
  /// Ready when the timer fired; the outcome is a kCancelled failure after `cancel()`. Zero fires at once, with events.
  virtual Future<Outcome<>> timer(Nanos duration) = 0;
  /// Ready as soon as `condition` holds; conditions are looked at in the order they were registered, after every
  /// resumption. Await the future or keep it: with the last copy dropped, the condition is dropped too.
  virtual Future<bool> until(std::function<bool()> condition) = 0;
  /// The same with a durable timer beside it: true when the condition held, false when time ran out first.
  virtual Future<bool> until(std::function<bool()> condition, Nanos timeout) = 0;

  /// Signals that came before the handler was set are delivered to it then, in order (B22).
  virtual void on_signal(std::string name, std::function<void(std::string input)> handler) = 0;
  /// Answered between tasks, must only read. Not after the body returned: what the handler refers to may be gone then.
  virtual void on_query(std::string name, std::function<Outcome<std::string>(std::string input)> handler) = 0;
  /// Set it before the body's first suspension: an update without a handler is rejected.
  virtual void on_update(std::string name, UpdateHandler handler) = 0;
  /// No update is being worked on: what to wait for before the body returns, as that ends the handlers.
  virtual bool updates_finished() const = 0;
  virtual bool cancel_requested() const = 0;

  /// A second coroutine of this run; it lives until it returns or the run ends.
  virtual void spawn(Flow<void> flow) = 0;

  /// True on new runs and where the marker is; false when replaying a history older than the change (B17).
  virtual bool patched(std::string_view id) = 0;
  virtual void deprecate_patch(std::string_view id) = 0;
  /// Runs `produce` once ever and records its JSON text as a marker; replays return the recorded text.
  virtual std::string side_effect(std::function<std::string()> produce) = 0;

  virtual void upsert_memo(std::map<std::string, std::string> json_values) = 0;
  virtual void upsert_search_attributes(std::map<std::string, SearchValue> values) = 0;
};

/// The workflow's body. `context` outlives the coroutine; parameters are by value.
using WorkflowFunction = std::function<Flow<WorkflowEnd>(WorkflowContext& context, std::string input)>;

}  // namespace callimport::engine
