#pragma once
// The embedded service: one object on one loop. This header is its anatomy; the methods are spread over files by idea:
// core.cc (commit, recovery), dispatch.cc (queues, hand-outs), fire.cc (deadlines), runs.cc (finding and closing runs),
// crossings.cc and families.cc (runs that act on runs)
// and rpc_*.cc (the port).
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/embedded.h"
#include "engine/service/buffered_random.h"
#include "engine/service/children.h"
#include "engine/service/completion.h"
#include "engine/service/deadlines.h"
#include "engine/service/draft.h"
#include "engine/service/effects.h"
#include "engine/service/internal/namespace.h"
#include "engine/service/run_ids.h"
#include "engine/service/run_state.h"
#include "engine/service/updates.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"
#include "temporal/api/query/v1/message.pb.h"
#include "temporal/api/taskqueue/v1/message.pb.h"
#include "temporal/api/worker/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace callimport::engine {

using storage::RunKey;
class ListFilter;

inline constexpr std::size_t kRowsPerTurn = 2048;  ///< beyond it a group goes to the journal before the next request

/// A GetWorkflowExecutionHistory that waits for news of a run.
struct HistoryWait {
  std::uint64_t id = 0;
  RunKey run = 0;
  Call<api::GetWorkflowExecutionHistoryResponse> call;
  std::int64_t next_event_id = 1;
  bool close_event = false;  ///< only the closing event is wanted
  bool token_on_expiry = true;
  bool follows_runs = true;  ///< CallContext
  std::size_t page = 256;
  std::int64_t deadline_ns = 0;
  std::uint64_t call_number() const { return call.number; }
};

/// An UpdateWorkflowExecution, PollWorkflowExecutionUpdate or ExecuteMultiOperation that waits for an update.
struct UpdateWait {
  std::uint64_t id = 0, number = 0;
  RunKey run = 0;
  std::string update_id;
  UpdateStage wanted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
  std::int64_t deadline_ns = 0;
  bool callers_patience = false;  ///< the deadline is the caller's own, not the service's
  bool reading = false;           ///< completed; its outcome is being read from history
  std::function<void(UpdateReached)> done;
  std::uint64_t call_number() const { return number; }
};

/// An open run and what is only in memory about it.
struct OpenRun : Run {
  Namespace* space = nullptr;
  std::uint64_t task_stamp = 0;        ///< of its newest entry in a task queue
  bool task_queued = false;            ///< the pending workflow task is in a queue
  bool task_on_sticky = false;         ///< and it is the sticky one: schedule-to-start applies
  std::int64_t armed_ns = 0;           ///< its entry in the run deadlines; 0: none
  std::vector<std::uint64_t> queries;  ///< attached to the pending or started task
  std::vector<std::uint64_t> waits;    ///< history waits
  AdmittedUpdates admitted;            ///< updates that no worker has accepted or rejected yet
  std::vector<std::uint64_t> update_waits;
  UpdateNews update_news;                      ///< of the decision being committed, for those who wait
  std::vector<std::function<void()>> loading;  ///< resumed when the history was read back
  bool is_loading = false;
  std::int64_t snapshot_at = 0;        ///< transitions when the last snapshot was made
  std::list<RunKey>::iterator recent;  ///< place among the runs whose events are in memory
  bool in_recent = false;
  std::uint64_t batch_step = 0;        ///< the step of this batch operation that is under way; 0: none
  std::int64_t batch_patience_ns = 0;  ///< when that one is lost
};

struct ClosedRun {
  RunKey key = 0;
  Namespace* space = nullptr;
  storage::Seq last_row = 0;        ///< 0: not known, its rows may be gone
  const VisibleRow* row = nullptr;  ///< its names and times, where its namespace's lists keep them
  std::string summary;              ///< a serialized pb::RunSummary
  OpenRun* held = nullptr;          ///< still in memory, until its history is durable
};

struct WaitingPoll {
  std::uint64_t id = 0, number = 0;
  Namespace* space = nullptr;
  std::string queue, identity;
  bool activity = false, sticky = false;
  std::int64_t deadline_ns = 0;
  Reply<api::PollWorkflowTaskQueueResponse> workflow_reply;
  Reply<api::PollActivityTaskQueueResponse> activity_reply;
  std::uint64_t call_number() const { return number; }
};

struct PendingQuery {
  std::uint64_t id = 0;
  std::string uuid;
  RunKey run = 0;
  Call<api::QueryWorkflowResponse> call;
  temporal::api::query::v1::WorkflowQuery query;
  std::int64_t deadline_ns = 0;
  std::int64_t sticky_until_ns = 0;  ///< queued on a sticky queue until then
  bool sent = false;                 ///< a worker has it
  std::uint64_t queued = 0;          ///< stamp of its newest entry in a task queue
};

struct ResetOrder;    // rpc_resets.cc
class ScheduleTimes;  // schedule_times.h

/// When a schedule's record acts. @return nothing: its time zone is not there any more.
std::optional<ScheduleTimes> times_of(const OpenRun& record, const pb::SchedulePlan& plan);

class Service final : public EmbeddedService {
 public:
  Service(storage::Journal& journal, Executor& loop, Clock& clock, Random& random, EmbeddedOptions options);
  ~Service() override;
  Result<> recover();

#define X(Name) \
  void Name(const api::Name##Request& request, CallContext context, Reply<api::Name##Response> reply) override;
#include "engine/rpcs.inc"
#undef X
#define X(Name)                                                              \
  void Name(const operator_api::Name##Request& request, CallContext context, \
            Reply<operator_api::Name##Response> reply) override;
#include "engine/operator_rpcs.inc"
#undef X
  void cancel(std::uint64_t call) override;
  Figures figures() const override;
  bool at_rest() const override;
  void stop(std::function<void()> done) override;

 private:
  // core.cc: write, then act.
  template <class R>
  Call<R> enter(CallContext context, Reply<R> reply);
  template <class R>
  void answer(Call<R> call, R response);
  template <class R>
  void refuse(Call<R> call, PortStatus status);
  void add_effect(std::unique_ptr<Effect> effect);
  void commit(OpenRun& run, Draft draft);
  void commit(OpenRun& run, pb::Transition change);  ///< journal row, apply, settle
  static void serialize(pb::Transition* change, std::string* body);
  OpenRun& add_run(RunKey key);
  Result<> recover_open(storage::Journal::Recovered& recovered);
  void schedule_flush();
  void after_flush(std::function<void()> task);  ///< later in this turn, when what was decided is with the journal
  void maybe_trim();
  void flush();
  void hand_to_journal(std::vector<storage::JournalRow> rows);
  void committed(Result<> result);
  void start_over();
  void reset_journal();
  void rebuild_next();
  void rebuild(RunKey key, Result<std::vector<storage::JournalRow>> rows);
  void finish_start_over();
  void maybe_finish_stop();
  bool all_written() const { return in_flight_.empty() && turn_.rows.empty() && turn_.erased.empty(); }
  /// A refusal for every call: stopping, starting over, or no such namespace.
  std::optional<PortStatus> gate(const std::string& name_space) const;
  std::optional<PortStatus> check_namespace(const std::string& name_space) const;
  std::int64_t now_ns() const { return to_unix_ns(clock_.now()); }
  std::int64_t callers_now_ns() const { return to_unix_ns(callers_clock_.now()); }
  std::string new_uuid() { return random_.uuid4(); }

  // namespaces.cc
  Namespace& space(const std::string& name) { return namespaces_.at(name); }  ///< `gate` let the name through
  std::string cluster_id() const;
  Namespace* find_space(const std::string& name);
  Namespace* find_space_of(const pb::RunFacts& facts);
  Namespace& space_of(const pb::RunFacts& facts) { return *find_space_of(facts); }
  void open_system_namespace();
  Result<> open_namespaces();  ///< those of the options
  /// Made where only a run of before there were records names it. @return null: it is lost.
  Namespace* recovered_space(const pb::RunFacts& facts);
  void register_namespace(const std::string& name, pb::NamespaceState state);
  void write_namespace(const Namespace& space, pb::NamespaceState state);
  bool may_adopt(const pb::NamespaceState& state);  ///< no other one has its name, and its number is not the system's
  void adopt_namespace(const OpenRun& record);
  void sweep_later(std::int64_t number);
  void sweep_namespace(std::int64_t number);
  bool sweep_run(RunKey key);
  void remove_namespace(std::int64_t number);
  void remove_lost_namespaces();

  // records.cc
  /// A record that lives from now on. `facts` name its kind and its namespace; `fill` puts its state into the draft.
  OpenRun& open_record(pb::RunFacts facts, const std::function<void(Draft&)>& fill);
  void end_record(OpenRun& record);  ///< `record` is gone afterwards
  void settle_record(OpenRun& record);
  void renew_record(RunKey key);
  void renew_old_records();
  void index_record(OpenRun& record);       ///< found by its name, where its kind has one, and shown
  void leave_index(const OpenRun& record);  ///< the same undone

  // schedule_actions.cc
  /// A run that a schedule waits for closed for good.
  struct ScheduledEnd {
    RunKey schedule = 0;
    std::string first_run_id;
    temporal::api::history::v1::HistoryEvent event;
  };
  void act_on_schedule(OpenRun& record, Draft draft);
  bool take_action(const OpenRun& record, Draft& draft, const pb::BufferedAction& action, bool watched);
  void end_running(const OpenRun& record, const pb::ScheduleProgress& progress, bool terminate);
  void schedule_due(OpenRun& record);
  void hear_ended(const ScheduledEnd& end);
  // runs.cc
  struct Found {
    OpenRun* open = nullptr;
    const ClosedRun* closed = nullptr;
    explicit operator bool() const { return open != nullptr || closed != nullptr; }
    Namespace* space() const { return open != nullptr ? open->space : closed != nullptr ? closed->space : nullptr; }
    /// Only of one that is there.
    const std::string& workflow_id() const {
      return open != nullptr ? open->facts.workflow_id() : closed->row->workflow_id;
    }
    const std::string& run_id() const { return open != nullptr ? open->facts.run_id() : closed->row->run_id; }
  };
  Found find(RunKey key);
  Found find_id(const std::string& run_id);  ///< in any namespace
  Found find_current(const std::string& name_space, const std::string& workflow_id);
  /// run_id empty: the current run. The namespace was let through by `gate`.
  Found find_run(const std::string& name_space, const std::string& workflow_id, const std::string& run_id,
                 PortStatus* error);
  Found find_run(const std::string& name_space, const temporal::api::common::v1::WorkflowExecution& execution,
                 PortStatus* error) {
    return find_run(name_space, execution.workflow_id(), execution.run_id(), error);
  }
  pb::RunSummary summary_of(const Found& found) const;
  pb::RunFacts facts_of(const Found& found) const;
  void settle(OpenRun& run, const std::vector<std::int64_t>& activities, bool events_came);
  void end_run(OpenRun& run);
  void store_closed(std::unique_ptr<OpenRun> run);
  void load_batches(OpenRun& run, const std::vector<storage::JournalRow>& rows);
  void adopt_loaded(OpenRun& run, const std::vector<storage::JournalRow>& rows);
  void index_open(OpenRun& run);
  void index_new(OpenRun& run, const pb::RunFacts& facts);  ///< before its first commit
  void index_reset(RunKey run, const std::string& base_run_id);
  std::string reset_of(const std::string& run_id);  ///< the newest run made from it; empty: none
  void forget_run(RunKey key);                      ///< as if it had never been; its waits are refused
  void index_closed(ClosedRun closed, const pb::RunSummary& summary);
  void show(const OpenRun& run);  ///< in lists, as it is now
  static VisibilityKey visibility_key(const Found& found);
  void expire_closed(RunKey key);
  void arm(OpenRun& run);
  void maybe_snapshot(OpenRun& run);
  void touch(OpenRun& run);
  void evict_histories();
  /// Runs `then` with the whole history in memory, now or later; not at all when the run is gone by then.
  void with_history(OpenRun& run, std::function<void(OpenRun&)> then);
  RunKey start(StartPlan plan);
  /// Commits what may be too much for the run (C.2, C.16): beyond a limit nothing of it is done and the run is ended.
  /// @return what the caller is told then; `run` may be gone.
  std::optional<PortStatus> grow(OpenRun& run, Draft draft);

  // crossings.cc: what a command of one run does to another.
  void cross(RunKey source, Crossing& crossing);
  void send_signal(RunKey source, const Crossing& crossing);
  void send_cancel(RunKey source, const Crossing& crossing);
  Found target_of(RunKey source, const std::string& name_space,
                  const temporal::api::common::v1::WorkflowExecution& named, bool child_only);
  temporal::api::common::v1::WorkflowExecution execution_of(RunKey key);
  void hear_back(OpenRun& run, Draft draft);

  // families.cc
  /// A child's last run closed: its parent's event is due.
  struct Report {
    pb::Parent parent;
    ChildClose close;
  };
  /// A child whose parent closed: the parent close policy is due.
  struct Orphan {
    pb::ChildState child;
    temporal::api::common::v1::WorkflowExecution parent;
  };
  void start_child(RunKey source, Crossing& crossing);
  bool make_room_for_child(const OpenRun& parent, const StartPlan& plan, enums::WorkflowIdReusePolicy reuse);
  void leave_family(const OpenRun& run);  ///< it closed
  void settle_families();                 ///< what closes of this turn mean to parents and children
  void tell_parent(const Report& report);
  void apply_close_policy(const Orphan& orphan);
  void find_orphans();  ///< among all open runs
  std::optional<Orphan> orphan_of(const OpenRun& child);

  // batches.cc
  /// Does what a client's call would, in this turn; for methods that answer at once.
  /// @return what a client would be told when it is durable.
  template <class Request, class Response>
  PortStatus perform(void (Service::*method)(const Request&, CallContext, Reply<Response>), const Request& request);
  struct BatchStep;
  Found find_batch(const std::string& name_space, const std::string& job_id, PortStatus* error);
  void batch_due(OpenRun& record);
  bool collect_batch(const OpenRun& record, BatchStep* step);
  PortStatus apply_batch(const api::StartBatchOperationRequest& batch, const std::string& batch_id,
                         const temporal::api::common::v1::WorkflowExecution& target);
  void reset_for_batch(std::shared_ptr<BatchStep> step, std::size_t target);
  void end_batch_step(const BatchStep& step);
  void close_batch(OpenRun& record, pb::BatchProgress progress, enums::BatchOperationState state);
  void forget_batch(const OpenRun& record);
  std::optional<std::int64_t> count_batch(const api::StartBatchOperationRequest& request, PortStatus* error);

  // dispatch.cc
  TaskQueue& queue_of(const WaitingPoll& poll);
  void enqueue_workflow_task(OpenRun& run);
  void enqueue_activity(OpenRun& run, Activity& activity);
  void enqueue_if_due(OpenRun& run, Activity& activity, std::int64_t now);
  void enqueue_due(OpenRun& run);
  bool sticky_alive(Namespace& space, const std::string& queue);
  void match(TaskQueue& queue);
  bool hand_out(const TaskRef& task, WaitingPoll& poll);
  bool hand_out_workflow_task(const TaskRef& task, WaitingPoll& poll);
  bool hand_out_activity(const TaskRef& task, WaitingPoll& poll);
  bool hand_out_query(const TaskRef& task, WaitingPoll& poll);
  bool is_valid(const TaskRef& task);
  WaitingPoll* next_poll(TaskQueue& queue);
  void wait_for_task(WaitingPoll poll);
  void poll_expired(std::uint64_t id);
  template <class Request, class Response, class Fill>
  void take_poll(const Request& request, CallContext context, Reply<Response> reply, Fill fill);
  std::optional<PortStatus> check_poll(const CallContext& context, const std::string& queue,
                                       const std::string& identity) const;
  std::int64_t poll_deadline(const CallContext& context) const;
  api::PollWorkflowTaskQueueResponse workflow_task_reply(OpenRun& run, bool sticky);
  api::PollActivityTaskQueueResponse activity_task_reply(const OpenRun& run, const Activity& activity) const;
  bool started_needs_history(const OpenRun& run, bool sticky) const;

  // fire.cc
  void run_due(RunKey key);
  bool fire_run_timeout(OpenRun& run, std::int64_t now);
  void fire_workflow_task(OpenRun& run, std::int64_t now);
  /// Times out what a worker of the process before us had started (EmbeddedOptions::own_workers).
  void give_up_lost_work(OpenRun& run);
  void fire_timers(OpenRun& run, std::int64_t now);
  void fire_activities(OpenRun& run, std::int64_t now);
  std::int64_t next_deadline_of(const OpenRun& run) const;

  // rpc_lists.cc
  /// Rows that match, in the order of lists, until `match` says no. `after`: where a page before ended; null: the
  /// start.
  void scan(const Namespace& space, const ListFilter& filter, const VisibilityKey* after,
            const std::function<bool(const VisibilityKey&, const VisibleRow&)>& match);
  template <class Response>
  void list_runs(Call<Response> call, const std::string& name_space, const std::string& query, int page_size,
                 const std::string& token);

  // rpc_schedules.cc, rpc_schedule_lists.cc
  /// @param ended  the answer when there was one of that id.
  OpenRun* find_schedule(const std::string& name_space, const std::string& schedule_id, PortStatus ended,
                         PortStatus* error);
  std::optional<PortStatus> check_schedule(const Namespace& space,
                                           temporal::api::schedule::v1::Schedule* schedule) const;
  std::optional<PortStatus> check_schedule_fields(const Namespace& space, const temporal::api::common::v1::Memo& memo,
                                                  temporal::api::common::v1::SearchAttributes* attributes) const;
  /// Records whose rows match, in the order of lists.
  std::vector<VisibilityKey> matching_schedules(const Namespace& space, const ListFilter& filter) const;

  // rpc_task_queues.cc, rpc_workers.cc
  void note_poller(TaskQueue& queue, const std::string& identity, double rate);
  static temporal::api::taskqueue::v1::TaskQueueConfig queue_config(const Namespace& space, const std::string& name);
  temporal::api::taskqueue::v1::TaskQueueStats queue_stats(const TaskQueue* queue);
  /// What a client configured wins over what a worker asked for.
  static void set_rate(const Namespace& space, const std::string& name, TaskQueue& queue);
  /// Whether a task may go out now; if not, looks again when one may.
  bool within_rate(TaskQueue& queue, const WaitingPoll& poll);
  void note_worker(Namespace& space, const temporal::api::worker::v1::WorkerHeartbeat& worker);
  std::optional<PortStatus> select_workers(const std::string& name_space, const std::string& query,
                                           const std::string& after,
                                           std::vector<temporal::api::worker::v1::WorkerHeartbeat>* out);

  // rpc_starts.cc, rpc_signals.cc, rpc_workflow_tasks.cc
  struct StartAnswer {
    PortStatus status;
    api::StartWorkflowExecutionResponse reply;
  };
  std::optional<PortStatus> check_start_request(const api::StartWorkflowExecutionRequest& request) const;
  /// @param update  comes with the first workflow task of the run, should one be started; null: none.
  StartAnswer start_workflow(const api::StartWorkflowExecutionRequest& request, const UpdateRequest* update);
  static api::StartWorkflowExecutionResponse started_reply(const std::string& name_space,
                                                           const std::string& workflow_id, const std::string& run_id,
                                                           bool started, int status);
  std::optional<PortStatus> attach_request(OpenRun& run, const api::StartWorkflowExecutionRequest& request);
  std::optional<PortStatus> check_signal_limit(const OpenRun& run) const;
  Found find_of_chain(const std::string& name_space, const temporal::api::common::v1::WorkflowExecution& execution,
                      const std::string& first_run_id, PortStatus* error);
  std::optional<PortStatus> parse_token(const std::string& bytes, pb::TaskToken::Kind kind, pb::TaskToken* token) const;
  OpenRun* task_of(const pb::TaskToken& token);

  // rpc_resets.cc
  void read_for_reset(std::shared_ptr<ResetOrder> order, Found found);
  bool take_for_reset(ResetOrder& order, const HistoryBatches& history);
  std::string made_by(const ResetOrder& order, const Found& current);
  void decide_reset(ResetOrder& order);

  // rpc_deletions.cc
  void erase_ended(OpenRun& run);
  void erase_closed(RunKey key);  ///< for good, here and in the journal; back again when that cannot be written
  void forget_name(RunKey key, Namespace& space, const std::string& workflow_id, const std::string& run_id);

  // rpc_activity_operations.cc
  template <class Request>
  OpenRun* activities_for(const Request& request, std::vector<std::int64_t>* ids, PortStatus* error);
  template <class Request, class Response, class Change>
  void change_activities(const Request& request, CallContext context, Reply<Response> reply, Change change);
  std::int64_t within_jitter(const google::protobuf::Duration& jitter);

  // rpc_activities.cc
  OpenRun* activity_by_token(const std::string& bytes, std::int64_t* scheduled, PortStatus* error);
  OpenRun* activity_by_name(const std::string& name_space, const std::string& workflow_id, const std::string& run_id,
                            const std::string& activity_id, std::int64_t* scheduled, PortStatus* error);
  template <class Request>
  OpenRun* activity_of(const Request& request, std::int64_t* scheduled, PortStatus* error);
  template <class Request, class Response, class Act>
  void on_activity(const Request& request, CallContext context, Reply<Response> reply, Act act);
  template <class Request, class Response>
  void beat(const Request& request, CallContext context, Reply<Response> reply);
  template <class Request, class Response>
  void complete(const Request& request, CallContext context, Reply<Response> reply);
  template <class Request, class Response>
  void fail_attempt(const Request& request, CallContext context, Reply<Response> reply);
  template <class Request, class Response>
  void cancel_attempt(const Request& request, CallContext context, Reply<Response> reply);

  // rpc_queries.cc
  void queue_query(PendingQuery& query);
  void send_query(std::uint64_t id, Call<api::PollWorkflowTaskQueueResponse> call, const pb::RunSummary& summary,
                  const HistoryBatches* whole);
  void answer_query(std::uint64_t id, const temporal::api::query::v1::WorkflowQueryResult& result);
  void refuse_query(std::uint64_t id, PortStatus status);
  void forget_query(const PendingQuery& query);
  void query_due(std::uint64_t id);
  void settle_queries(std::vector<std::uint64_t> asked,
                      const google::protobuf::Map<std::string, temporal::api::query::v1::WorkflowQueryResult>& results);
  void release_queries(OpenRun& run);

  // rpc_updates.cc
  std::optional<PortStatus> admit(const Found& found, const UpdateRequest& request);
  void wait_for_update(const Found& found, UpdateWait wait, const CallContext& context);
  bool knows_update(const Found& found, const std::string& update_id) const;
  void look_at_update(UpdateWait& wait);
  void read_outcome(UpdateWait& wait, const Found& found, std::int64_t event_id);
  void end_update_wait(std::uint64_t id, UpdateReached reached);
  void update_wait_due(std::uint64_t id);
  void settle_updates(OpenRun& run);
  void abandon_update(const OpenRun& run, const UpdateWait& wait);
  api::UpdateWorkflowExecutionResponse update_reply(const Found& found, const std::string& update_id) const;

  // rpc_multi.cc
  struct UpdateWithStart;
  void update_with_start(std::shared_ptr<UpdateWithStart> operation);
  void update_with_start_failed(std::shared_ptr<UpdateWithStart> operation, PortStatus error);
  void refuse_multi(UpdateWithStart& operation, PortStatus start, PortStatus update);

  // rpc_history.cc
  Found find_for_history(const std::string& name_space, const temporal::api::common::v1::WorkflowExecution& execution,
                         const std::string& bytes, bool reverse, pb::HistoryToken* token, PortStatus* error);
  void with_closed_history(const ClosedRun& closed,
                           std::function<void(const pb::RunSummary&, const HistoryBatches&)> then);
  void wait_for_events(HistoryWait wait, OpenRun& run);
  void wake_waits(OpenRun& run);
  void wait_expired(std::uint64_t id);
  void answer_wait(HistoryWait wait, OpenRun& run);

  storage::Journal& journal_;
  Executor& loop_;
  Clock& clock_;
  Clock& callers_clock_;  ///< EmbeddedOptions
  BufferedRandom random_;
  const EmbeddedOptions options_;
  std::shared_ptr<bool> alive_;  ///< posted tasks and journal callbacks look at it; both own it

  // What is known.
  std::map<RunKey, std::unique_ptr<OpenRun>> open_;
  std::map<RunKey, ClosedRun> closed_;
  std::map<RunKey, std::unique_ptr<OpenRun>> closing_;  ///< closed, their events being read back to be stored
  std::size_t ended_since_trim_ = 0;
  RunIds run_ids_;                                               ///< of open and closed runs
  std::unordered_map<std::string, std::vector<RunKey>> resets_;  ///< run id -> runs made from it, oldest first
  Namespaces namespaces_;
  std::map<std::int64_t, Namespace*> namespaces_by_number_;
  std::unordered_map<std::string, RunKey> watched_;  ///< first run id of what a schedule waits for -> its record
  std::size_t records_ = 0;                          ///< of the open runs, those that are no workflows
  storage::Seq next_row_ = 1;
  RunKey next_run_ = 1;
  std::int64_t next_task_id_ = 0;
  std::list<RunKey> recent_;  ///< runs whose events are in memory, longest untouched first
  std::size_t held_bytes_ = 0;

  // What is under way.
  Group turn_;
  std::deque<Group> in_flight_;
  bool flush_posted_ = false;
  std::deque<Report> reports_;  ///< none are left when a group goes to the journal
  std::deque<Orphan> orphans_;
  std::deque<ScheduledEnd> scheduled_ends_;  ///< the same
  bool starting_over_ = false;
  Timestamp last_reset_{};       ///< of the journal, after a failed write
  std::vector<RunKey> overdue_;  ///< came due meanwhile
  std::vector<RunKey> rebuilt_;
  std::vector<std::unique_ptr<OpenRun>> unstored_;
  std::map<RunKey, storage::Seq> to_rebuild_;  ///< run -> its last durable row; 0: it never was
  bool stopping_ = false;
  std::function<void()> stopped_;
  std::unordered_set<std::uint64_t> calls_;  ///< numbered calls that still want an answer
  std::map<std::uint64_t, WaitingPoll> polls_;
  std::map<std::uint64_t, HistoryWait> history_waits_;
  std::map<std::uint64_t, PendingQuery> queries_;
  std::unordered_map<std::string, std::uint64_t> queries_by_uuid_;
  std::map<std::uint64_t, UpdateWait> update_waits_;
  std::uint64_t next_id_ = 1;  ///< of polls, waits, queries, stamps

  Deadlines<RunKey> run_deadlines_;
  Deadlines<RunKey> retention_;
  Deadlines<std::uint64_t> poll_deadlines_;
  Deadlines<std::uint64_t> wait_deadlines_;
  Deadlines<std::uint64_t> query_deadlines_;
  Deadlines<std::uint64_t> update_deadlines_;

  template <class R>
  friend class ReplyEffect;
};

/// The answer of one RPC.
template <class R>
class ReplyEffect final : public Effect {
 public:
  ReplyEffect(Service& service, Call<R> call, PortStatus status, R response)
      : service_(service), call_(std::move(call)), status_(std::move(status)), response_(std::move(response)) {}
  void act() override {
    if (call_.number != 0 && service_.calls_.erase(call_.number) == 0) return;  // cancelled meanwhile
    call_.reply(status_, status_.ok() ? &response_ : nullptr);
  }
  void refuse(const PortStatus& status) override {
    if (call_.number != 0 && service_.calls_.erase(call_.number) == 0) return;
    call_.reply(status_.ok() ? status : status_, nullptr);
  }
  const PortStatus* decided() const override { return &status_; }

 private:
  Service& service_;
  Call<R> call_;
  PortStatus status_;
  R response_;
};

template <class R>
Call<R> Service::enter(CallContext context, Reply<R> reply) {
  if (turn_.rows.size() >= kRowsPerTurn) flush();
  if (context.call != 0) calls_.insert(context.call);
  return {context.call, std::move(reply)};
}
template <class R>
void Service::answer(Call<R> call, R response) {
  add_effect(std::make_unique<ReplyEffect<R>>(*this, std::move(call), PortStatus{}, std::move(response)));
}
template <class R>
void Service::refuse(Call<R> call, PortStatus status) {
  add_effect(std::make_unique<ReplyEffect<R>>(*this, std::move(call), std::move(status), R()));
}

}  // namespace callimport::engine
