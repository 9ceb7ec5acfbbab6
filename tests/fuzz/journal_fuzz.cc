// Bodies out of the journal: [0 snapshot, 1 row][run][length, 2 bytes][body] and so on. A service opens over them, or
// says that the journal is corrupt; what it took over it can write again. Then it lives for some minutes, with workers
// on every queue the bodies name: timers fire, tasks are taken and answered, and nothing of it ends the process.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "engine/embedded.h"
#include "engine/service/run_state.h"
#include "engine/service/transition_check.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"
#include "storage/model/ensure.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"
#include "tests/engine/memory_journal.h"

namespace {

using namespace callimport;
using engine::testing_world::Durable;
using engine::testing_world::MemoryJournal;

constexpr std::size_t kBodiesMax = 64;
constexpr storage::RunKey kRunsMax = 4;

Durable durable_of(std::string_view given) {
  Durable out;
  std::map<storage::RunKey, storage::Seq> last;
  const auto byte = [&given] {
    const auto value = given.empty() ? 0u : static_cast<unsigned char>(given.front());
    given.remove_prefix(given.empty() ? 0 : 1);
    return value;
  };
  for (std::size_t bodies = 0; bodies < kBodiesMax && !given.empty(); ++bodies) {
    const bool row = byte() % 2 == 1;
    const storage::RunKey run = static_cast<storage::RunKey>(byte()) % kRunsMax + 1;
    const std::size_t low = byte(), length = low + 256 * byte();
    std::string body(given.substr(0, length));
    given.remove_prefix(body.size());
    if (row) {
      const auto seq = static_cast<storage::Seq>(out.rows.size()) + 1;
      out.rows.push_back({seq, run, std::exchange(last[run], seq), std::move(body)});
    } else {
      out.snapshots[run] = {run, last[run], engine::kSnapshotVersion, std::move(body)};
    }
    out.last_run = std::max(out.last_run, run);
  }
  return out;
}

/// What can be taken over is given again as it came.
void take_over(const std::string& body) {
  engine::pb::RunSnapshot snapshot;
  if (!snapshot.ParseFromString(body) || engine::contradiction(snapshot)) return;
  engine::Run run;
  engine::from_snapshot(std::move(snapshot), &run);
  const std::string once = engine::to_snapshot(run).SerializeAsString();
  engine::pb::RunSnapshot again;
  ENSURE(again.ParseFromString(once) && !engine::contradiction(again));
}

/// Workers for what the bodies name, in namespaces they name.
class Workers {
 public:
  Workers(engine::EmbeddedService& service, simulations::SimLoop& loop) : service_(service), loop_(loop) {}

  void know(const engine::pb::RunFacts& facts) { queues_.insert({facts.name_space(), facts.task_queue()}); }
  void know(const std::string& name_space, const engine::pb::ActivityState& activity) {
    queues_.insert({name_space, activity.task_queue()});
  }
  void live();

 private:
  template <class Request, class Response, class Done>
  void call(void (engine::WorkflowService::*method)(const Request&, engine::CallContext, engine::Reply<Response>),
            Request request, const std::string& name_space, Done done) {
    request.set_namespace_(name_space);
    (service_.*method)(request, {++calls_, loop_.now() + kPatience},
                       [this, done](const engine::PortStatus& status, Response* reply) {
                         ENSURE(status.ok() == (reply != nullptr));
                         if (reply != nullptr) loop_.post([done, answer = *reply] { done(answer); });
                       });
  }
  void poll(const std::string& name_space, const std::string& queue);
  void answer(const std::string& name_space, const engine::api::PollWorkflowTaskQueueResponse& task);

  static constexpr std::chrono::seconds kPatience{20};
  engine::EmbeddedService& service_;
  simulations::SimLoop& loop_;
  std::set<std::pair<std::string, std::string>> queues_;
  std::uint64_t calls_ = 0;
};

/// Each second task closes its run, the others wait for a timer.
void Workers::answer(const std::string& name_space, const engine::api::PollWorkflowTaskQueueResponse& task) {
  namespace enums = temporal::api::enums::v1;
  if (task.task_token().empty()) return;
  if (task.has_query()) {
    engine::api::RespondQueryTaskCompletedRequest done;
    done.set_task_token(task.task_token());
    return call(&engine::WorkflowService::RespondQueryTaskCompleted, done, name_space, [](const auto&) {});
  }
  engine::api::RespondWorkflowTaskCompletedRequest done;
  done.set_task_token(task.task_token());
  auto& command = *done.add_commands();
  if (calls_ % 2 == 0) {
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes();
  } else {
    command.set_command_type(enums::COMMAND_TYPE_START_TIMER);
    auto& timer = *command.mutable_start_timer_command_attributes();
    timer.set_timer_id(std::to_string(calls_));
    timer.mutable_start_to_fire_timeout()->set_seconds(7);
  }
  call(&engine::WorkflowService::RespondWorkflowTaskCompleted, done, name_space, [](const auto&) {});
}

void Workers::poll(const std::string& name_space, const std::string& queue) {
  engine::api::PollWorkflowTaskQueueRequest tasks;
  tasks.mutable_task_queue()->set_name(queue);
  call(&engine::WorkflowService::PollWorkflowTaskQueue, tasks, name_space,
       [this, name_space](const auto& task) { answer(name_space, task); });
  engine::api::PollActivityTaskQueueRequest activities;
  activities.mutable_task_queue()->set_name(queue);
  call(&engine::WorkflowService::PollActivityTaskQueue, activities, name_space,
       [this, name_space](const engine::api::PollActivityTaskQueueResponse& task) {
         if (task.task_token().empty()) return;
         engine::api::RespondActivityTaskCompletedRequest done;
         done.set_task_token(task.task_token());
         call(&engine::WorkflowService::RespondActivityTaskCompleted, done, name_space, [](const auto&) {});
       });
}

void Workers::live() {
  constexpr int kRounds = 8;
  constexpr std::uint64_t kStepsMax = 2'000;  // retries of a nanosecond would fill any time
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& [name_space, queue] : queues_) poll(name_space, queue);
    const auto end = loop_.now() + std::chrono::minutes{1};
    const std::uint64_t last = loop_.steps() + kStepsMax;
    while (loop_.now() < end && loop_.steps() < last && loop_.step()) {
    }
  }
}

/// Its events are those it counts. The service believes the journal's checksums here, and reads no history to open.
bool holds_its_events(const engine::pb::Transition& change) {
  for (const auto* batches : {&change.copied(), &change.batches()}) {
    for (const auto& batch : *batches) {
      temporal::api::history::v1::History history;
      if (!history.ParseFromString(batch.events()) || history.events_size() != batch.count()) return false;
      std::int64_t id = batch.first_event_id();
      for (const auto& event : history.events()) {
        if (event.event_id() != id++) return false;
      }
    }
  }
  return true;
}

/// A schedule that missed a year of its times, or is to make up for one, is at it for seconds.
bool is_on_time(const engine::pb::Transition& change) {
  const auto& progress = change.schedule_progress();
  const auto start = std::chrono::nanoseconds(simulations::kSimulationStart.time_since_epoch()).count();
  constexpr std::int64_t kHour = 3'600'000'000'000;
  return !change.has_schedule_progress() || (progress.backfills().empty() && progress.processed_ns() > start - kHour);
}

/// The histories can be read. With snapshots they cannot: the rows before them are not there.
bool can_live(const Durable& durable) {
  return durable.snapshots.empty() && std::all_of(durable.rows.begin(), durable.rows.end(), [](const auto& row) {
           engine::pb::Transition change;
           return change.ParseFromString(row.body) && holds_its_events(change) && is_on_time(change);
         });
}

/// What the bodies say of queues.
void tell(const Durable& durable, Workers* workers) {
  for (const auto& row : durable.rows) {
    engine::pb::Transition body;
    ENSURE(body.ParseFromString(row.body));
    workers->know(body.facts());
    for (const auto& activity : body.activities()) workers->know(body.facts().name_space(), activity);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Durable durable = durable_of({reinterpret_cast<const char*>(data), size});
  for (const auto& [run, snapshot] : durable.snapshots) take_over(snapshot.body);
  simulations::SimLoop loop(simulations::kSimulationStart);
  MemoryJournal journal(loop, durable);
  simulations::SeededRandom random{7};
  {
    const auto service = engine::EmbeddedService::open(journal, loop, loop, random, {});
    ENSURE(service || service.error().code == Code::kCorrupt);
    if (service && can_live(durable)) {
      Workers workers(**service, loop);
      tell(durable, &workers);
      workers.live();
    }
  }
  loop.drop_all();
  return 0;
}
