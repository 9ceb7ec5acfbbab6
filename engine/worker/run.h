#pragma once
// One workflow run: its code's coroutines, its machines, and the history they were driven with. History in, commands
// out; no service, no clock, no I/O. The same object serves a live task, a replay and a query.
#include <temporal/api/common/v1/message.pb.h>
#include <temporal/api/sdk/v1/task_complete_metadata.pb.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/sdk_name.h"
#include "engine/worker.h"
#include "engine/worker/commands.h"
#include "engine/worker/locals.h"
#include "engine/worker/others.h"
#include "engine/worker/scheduler.h"
#include "engine/worker/task_split.h"
#include "engine/worker/updates.h"
#include "engine/workflow.h"

namespace callimport::engine::worker {

/// Numbers of behaviours that a history may depend on (B.7), written once a run; never reused.
enum class Flag : std::uint32_t {
  kOneJobATime = 1  ///< jobs in the order of B15, the FIFO drained after each
};
inline constexpr std::uint32_t kFlagsMax = 1;
/// Beyond this the list of patches is no longer upserted (B16).
inline constexpr std::size_t kChangeVersionBytesMax = 2048;

/// Threads: the loop. Lifetime: `function` outlives it. Destroying it destroys the coroutine frames (eviction).
class Run final : public WorkflowContext {
 public:
  Run(const WorkflowFunction& function, std::string name_space, std::string workflow_id, std::string run_id);
  ~Run() override;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Feeds events; those before `next_event_id()` are skipped. After an error the run is good for nothing but
  /// destruction.
  /// @error kNondeterministic  code and history differ, see `difference()`
  /// @error kCorrupt           gap in the history, an event nobody knows, a flag from the future (B3, B5, B.7)
  /// @error kInvalid           an exception left the workflow code
  /// @param messages  of the task in hand: updates for it.
  Result<> apply(const Events& events, Delivery delivery);
  Result<> apply(const Events& events, Delivery delivery, const ProtocolMessages& messages);
  const ReplayDifference& difference() const { return difference_; }

  /// Moves the live task's commands to `out`; they stay expected here until their events come.
  void take_commands(google::protobuf::RepeatedPtrField<CommandMessage>* out);
  /// The same with what is said about updates; acceptances and outcomes have a command each, rejections have none
  /// (B18).
  void take_messages(ProtocolMessages* out);
  void take_metadata(::temporal::api::sdk::v1::WorkflowTaskCompletedMetadata* out);
  struct Query {
    std::string type, input;
  };
  /// What will be asked after the next `apply`: should the workflow return meanwhile, its answers can be had at that
  /// moment only.
  void expect_queries(std::vector<Query> queries);
  Outcome<std::string> answer(const std::string& query, std::string input);

  /// Local activities that workflow code asked for since the last call, in order, and numbers of those it no longer
  /// wants. Whoever takes one calls `local_finished` some time after; a wait of theirs is not the history's.
  std::vector<LocalRequest> take_local_requests();
  std::vector<std::int64_t> take_local_cancels() { return std::exchange(local_cancels_, {}); }
  /// While true the task in hand is kept open: not answered but by a heartbeat (B23).
  bool waits_for_locals() const { return !closed_ && locals_running_ > 0; }
  /// During a live task, after its `apply`: workflow code goes on with the result. One it does not want any more is
  /// ignored. Errors as of `apply`.
  Result<> local_finished(std::int64_t number, LocalResult result);
  /// Of the workflow's tasks.
  Nanos task_timeout() const;

  std::int64_t next_event_id() const { return next_event_id_; }
  std::int64_t last_started_id() const { return next_event_id_ - 1; }
  /// The service dropped everything after `event_id` (B20).
  void rewind(std::int64_t event_id) { next_event_id_ = event_id + 1; }
  bool closed() const { return closed_; }
  /// Updates that were accepted and not completed, in order of their ids. Once the run is closed, they never will be.
  std::vector<std::string> unfinished_updates() const { return {updates_open_.begin(), updates_open_.end()}; }

  const WorkflowInfo& info() const override { return info_; }
  Timestamp now() const override { return now_; }
  std::uint64_t random() override;
  std::string uuid() override;
  bool replaying() const override { return replaying_; }
  std::int64_t history_length() const override { return history_length_; }
  bool suggest_continue_as_new() const override { return suggest_continue_as_new_; }
  Future<Outcome<std::string>> activity(std::string type, std::string input, ActivityOptions options) override;
  Future<Outcome<std::string>> local_activity(std::string type, std::string input,
                                              LocalActivityOptions options) override;
  Child child(std::string type, std::string input, ChildOptions options) override;
  Future<Outcome<>> signal(WorkflowTarget target, std::string name, std::string input) override;
  Future<Outcome<>> request_cancel(WorkflowTarget target) override;
  Future<Outcome<>> timer(Nanos duration) override;
  Future<bool> until(std::function<bool()> condition) override;
  Future<bool> until(std::function<bool()> condition, Nanos timeout) override;
  void on_signal(std::string name, std::function<void(std::string input)> handler) override;
  void on_query(std::string name, std::function<Outcome<std::string>(std::string input)> handler) override;
  void on_update(std::string name, UpdateHandler handler) override;
  bool updates_finished() const override { return updates_open_.empty(); }
  bool cancel_requested() const override { return cancel_requested_; }
  void spawn(Flow<void> flow) override;
  bool patched(std::string_view id) override;
  void deprecate_patch(std::string_view id) override;
  std::string side_effect(std::function<std::string()> produce) override;
  void upsert_memo(std::map<std::string, std::string> json_values) override;
  void upsert_search_attributes(std::map<std::string, SearchValue> values) override;

 private:
  // run.cc: the task as a whole
  Result<> run_task(const Events& events, const LogicalTask& task, int ahead_end);
  Result<> check_rest(const Events& events, int begin);
  void look_ahead(const Events& events, int begin, int end);
  Result<> activate();
  Result<> settle();
  Result<> deliver_signals_and_updates();
  Result<> turn();
  void close();
  void answer_for_the_last_time();
  void close_with(WorkflowEnd end);
  Result<> differ(std::int64_t event_id, std::string expected, std::string got);
  Result<> check_no_leftover(const Events& events, int end);
  bool refuses() const { return read_only_ || closed_ || fault_.has_value(); }
  void seed(const std::string& run_id);

  // run_events.cc: one event
  Result<> read(const HistoryEvent& event);
  Result<> read_started(const HistoryEvent& event);
  Result<> read_task_completed(const HistoryEvent& event);
  Result<> match(const HistoryEvent& event);
  Result<> match_patch(const HistoryEvent& event);
  Result<> confirm(PendingCommand& command, const HistoryEvent& event);
  void deliver_signal(const HistoryEvent& event);
  /// Machines move when an event is read, futures are set when its job comes: what a job cancels may be over already.
  Result<> move(const HistoryEvent& event, ActivityEvent what);
  Result<> fire(const HistoryEvent& event);
  void resolve(const HistoryEvent& event);
  void drop_cancelled();

  // run_updates.cc
  Result<> collect_updates(const Events& events, const LogicalTask& task, int ahead_end);
  Result<> collect_messages(const ProtocolMessages& messages);
  void add_update(IncomingUpdate update);
  void deliver_update(const IncomingUpdate& update);
  std::optional<Failure> refusal_of(const IncomingUpdate& update, const UpdateHandler* handler);
  void accept_update(const IncomingUpdate& update, UpdateHandler handler);
  Flow<void> work_on_update(std::string id, UpdateHandler handler, std::string input);
  void complete_update(const std::string& id, const Outcome<std::string>& outcome);
  void push_message(CommandKind kind, const std::string& id, ProtocolMessage message);

  // run_children.cc
  void cancel_child(ChildMachine& child);
  PendingCommand& push_external(CommandKind kind, std::string id, std::string name);
  Future<Outcome<>> await_external(PendingCommand& command);
  Future<Outcome<>> never();
  Result<> move_child(const HistoryEvent& event, const ChildNews& news);
  Result<> move_external(const HistoryEvent& event, const ExternalNews& news);
  void resolve_child(const HistoryEvent& event, const ChildNews& news);
  void resolve_external(const HistoryEvent& event, const ExternalNews& news);

  // run_locals.cc
  LocalActivityMachine& add_local(LocalActivityMachine machine);
  void cancel_local(LocalActivityMachine& local);
  Result<> replay_locals();
  void resolve_local(std::unique_ptr<LocalActivityMachine> local, LocalResult result);
  void wait_for_next_attempt(LocalActivityMachine local, Nanos backoff);

  // run_context.cc: what workflow code asks for
  PendingCommand& push(CommandKind kind, std::string id, std::string type);
  std::unique_ptr<TimerMachine>& push_timer(Nanos duration);
  void cancel_activity(ActivityMachine& activity);
  void cancel_timer(TimerMachine& timer);
  bool use_patch(std::string_view id, bool deprecated);
  void push_patch(const std::string& id, bool deprecated);
  void set_closing_message(PendingCommand& command, const WorkflowEnd& end);

  const WorkflowFunction& function_;
  WorkflowInfo info_;
  Scheduler scheduler_;
  std::optional<::temporal::api::history::v1::WorkflowExecutionStartedEventAttributes> started_;  // input moved out
  std::string input_;

  std::deque<PendingCommand> commands_;
  std::unordered_map<std::int64_t, std::unique_ptr<ActivityMachine>>
      activities_;                                                            // by scheduled event id; never iterated
  std::unordered_map<std::int64_t, std::unique_ptr<TimerMachine>> timers_;    // by started event id; never iterated
  std::unordered_map<std::int64_t, std::unique_ptr<ChildMachine>> children_;  // by initiated event id; never iterated
  std::unordered_map<std::int64_t, std::unique_ptr<ExternalMachine>> externals_;  // the same
  std::map<std::int64_t, std::unique_ptr<LocalActivityMachine>> locals_;          // without a result; by number
  std::deque<LocalMark> locals_ahead_;
  std::vector<std::int64_t> local_cancels_;
  int locals_running_ = 0;
  std::int64_t last_activity_ = 0, last_timer_ = 0, last_side_effect_ = 0, last_local_ = 0;

  std::map<std::string, std::function<void(std::string)>> signal_handlers_;
  std::map<std::string, std::vector<std::string>> signals_kept_;  // came before their handler
  std::map<std::string, std::function<Outcome<std::string>(std::string)>> query_handlers_;
  std::vector<Query> queries_;                      // expected
  std::vector<Outcome<std::string>> last_answers_;  // to them, as of the return of the workflow code
  std::map<std::string, UpdateHandler> update_handlers_;
  std::map<std::string, UpdateRequest> admitted_;  // by an event, and not accepted yet; by update id
  std::set<std::string> updates_open_;             // accepted, their handlers still at it
  std::vector<IncomingUpdate> updates_;            // of the task being read
  ProtocolMessages outgoing_;
  std::map<std::string, bool, std::less<>> patches_;  // answers given
  std::set<std::string, std::less<>> patches_ahead_, patches_marked_;
  std::map<std::int64_t, std::string> side_effects_ahead_;
  std::map<std::string, ::temporal::api::common::v1::Payload> memo_, search_;  // as upserted so far

  std::vector<const HistoryEvent*> signals_, inputs_;  // of the task being read; the caller holds the events
  std::int64_t next_event_id_ = 1;
  std::int64_t history_length_ = 0;
  std::int64_t last_command_event_ = 0;  // last WorkflowTaskCompleted or command event read
  Timestamp now_{};
  std::uint64_t random_state_ = 0;
  std::string sdk_name_;
  ReplayDifference difference_;
  std::optional<Error> fault_;
  bool replaying_ = false, cancel_requested_ = false, suggest_continue_as_new_ = false;
  bool completed_read_ = false;    // a WorkflowTaskCompleted is among the events of the task being read
  bool patch_upsert_due_ = false;  // the event right after a patch marker may be its upsert
  bool metadata_written_ = false, read_only_ = false, closed_ = false;
};

}  // namespace callimport::engine::worker
