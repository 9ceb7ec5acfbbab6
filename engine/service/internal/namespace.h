#pragma once
// A namespace in memory: how long its closed runs stay, which search attributes it knows, and everything that is found
// by a name inside it: workflow ids, task queues, the order of lists.
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/service/search_attributes.h"
#include "engine/service/transition.pb.h"
#include "engine/service/visibility.h"
#include "storage/journal/journal.h"

namespace callimport::engine {

namespace pb = ::callimport::engine::v1;

inline constexpr const char* kSystemNamespace = "temporal-system";

struct TaskRef {
  enum class Kind : std::uint8_t { kWorkflow, kActivity, kQuery };
  Kind kind = Kind::kWorkflow;
  storage::RunKey run = 0;
  std::int64_t id = 0;      ///< kActivity: scheduled event; kQuery: the query
  std::uint64_t stamp = 0;  ///< kWorkflow: task_stamp; kActivity: ticket_of
};

struct Poller {
  std::int64_t last_ns = 0;
  double rate = 0;  ///< tasks a second it asked for; 0: it said nothing
};

struct TaskQueue {
  std::deque<TaskRef> tasks;
  std::deque<std::uint64_t> polls;
  std::int64_t last_poll_ns = 0;
  std::map<std::string, Poller> pollers;  ///< by identity
  double worker_rate = 0;                 ///< tasks a second, as the last poller that said one wants it; 0: none did
  std::optional<double> rate;             ///< tasks a second that may go out; 0: none; absent: as many as there are
  std::int64_t next_task_ns = 0;          ///< no task goes out before, where there is a rate
  bool waits_for_rate = false;            ///< a clock timer will look again
};

/// What a worker said of itself, and when.
struct KnownWorker {
  std::int64_t seen_ns = 0;
  std::string heartbeat;  ///< a serialized temporal.api.worker.v1.WorkerHeartbeat
};

/// Lifetime: until the last run of a deleted one is gone; at one address, so runs and polls point to theirs.
struct Namespace {
  std::string name;
  std::string id;  ///< a uuid
  std::int64_t retention_ns = 0;
  SearchTypes search_types;    ///< settable ones
  storage::RunKey record = 0;  ///< the run that holds it; 0: the system's, which is not written down
  pb::NamespaceState state;
  std::unordered_map<std::string, storage::RunKey> current_runs;  ///< workflow id -> its newest run
  std::map<std::string, storage::RunKey> batches;                 ///< job id -> its record
  std::unordered_map<std::string, TaskQueue> workflow_queues, activity_queues;
  Visibility visibility;
  std::map<std::string, storage::RunKey> schedules;  ///< schedule id -> its record
  std::deque<std::string> ended_schedules;           ///< ids of the last that ended; in memory only
  std::map<std::string, KnownWorker> workers;        ///< by worker instance key
};

using Namespaces = std::map<std::string, Namespace>;  ///< by name

/// The same name, the same id, on every start.
std::string uuid_of_name(const std::string& name);

}  // namespace callimport::engine
