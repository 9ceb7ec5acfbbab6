#pragma once
// What stands between a House and the world that asks for work: the worker on some workflow service, the doors, and the
// order in which all of it starts and stops.
#include <csignal>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>

#include "api/grpc/door.h"
#include "api/grpc/product.h"
#include "api/serve/house.h"
#include "api/serve/space.h"
#include "api/serve/web.h"
#include "engine/operator_service.h"
#include "engine/worker.h"
#include "storage/runtime/skipping_clock.h"

namespace callimport::api {

/// SIGTERM and SIGINT, waited for on a thread of its own; threads made after this one have them blocked.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  /// The first signal stops in order; a second ends the process at once, which loses nothing acknowledged.
  void wait(std::function<void()> stop);

 private:
  sigset_t set_{};
  std::thread thread_;
};

/// Members in the order they must be taken down: last first. Lifetime: the house and the service outlive it.
struct Front {
  std::unique_ptr<engine::Worker> worker;
  std::optional<ProductParts> parts;
  std::optional<SpaceWatch> space;
  Router router;
  std::unique_ptr<Door> door;
  Web web;
};

/// A worker for import workflows and their activities; not started yet.
void open_worker(Front& front, House& house, engine::WorkflowService& service, engine::WorkerOptions options);

struct DoorOrder {
  HttpConfig http{};
  DoorOptions door{};  ///< without socket and token, which are the folder's
  std::string name_space = "default", task_queue;
  int undo_days = 30;
  SkippingClock* time = nullptr;                 ///< TestService is served over it; null: there is none
  engine::OperatorService* operators = nullptr;  ///< null: the service behind the doors is somebody else's
  std::function<std::pair<std::uint64_t, std::uint64_t>()> journal_figures{};  ///< commits, rows; empty: no journal
};
/// Roles, tokens and what else of the configuration says who may what.  @error kInvalid  a token file: says which.
Result<> add_access(DoorOrder& order, const ServeConfig& config);
/// Temporal's services over `service`, callimport.v1 over the house, health and reflection; HTTP.
Result<> open_doors(Front& front, House& house, engine::WorkflowService& service, const DoorOrder& order);

/// Open imports for which nothing runs are started again, once the worker runs; the log says which. Returns at once.
void look_for_orphans(House& house, engine::WorkflowService& service, const std::string& name_space,
                      const std::string& task_queue);

/// One line of JSON to the descriptor somebody waits on.  @error kInvalid  it cannot be written.
Result<> write_ready(int ready_fd, const nlohmann::json& line);

/// The caller's thread becomes the loop, until a signal: then deliveries and worker stop, `stop_service` is called with
/// what to do after it, and the doors close.
void run_until_stopped(House& house, Front& front, StopSignals& signals,
                       std::function<void(std::function<void()> then)> stop_service);

}  // namespace callimport::api
