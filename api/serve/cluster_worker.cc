#include "api/serve/cluster_worker.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/grpc/channel.h"
#include "api/grpc/temporal_methods.h"
#include "api/serve/front.h"
#include "api/serve/slack.h"
#include "engine/cluster/handshake.h"
#include "engine/sdk_name.h"
#include "engine/worker.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

inline constexpr int kPollsMax = 20;                          ///< long polls of a kind: a cluster is shared with others
inline constexpr auto kStickyWait = std::chrono::seconds{5};  ///< what a run waits for a worker that died

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "somewhere";
}

/// One library has one home: its workflows and activities run where its files are.
std::string task_queue_of(const storage::Library& library) { return "library-" + library.id(); }

std::vector<std::pair<std::string, std::string>> worker_headers(const Connection& temporal) {
  auto headers = temporal.headers(kWorkflowService);
  headers.emplace_back("client-name", engine::kSdkName);
  headers.emplace_back("client-version", engine::kSdkVersion);
  headers.emplace_back("supported-server-versions", ">=1.0.0 <2.0.0");
  return headers;
}

engine::WorkerOptions worker_options(const WorkerOrder& order, const std::string& task_queue) {
  engine::WorkerOptions worker;
  worker.name_space = order.temporal.name_space;
  worker.task_queue = task_queue;
  const auto lanes = workflows::lane_queues(task_queue);
  worker.more_activity_queues = {lanes.first, lanes.bulk};
  worker.identity = fmt::format("callimport-worker@{}:{}", host_name(), ::getpid());
  worker.cached_runs_max = order.config.cached_runs_max;
  worker.activities_max = order.config.activities_max;
  worker.polls_max = kPollsMax;
  worker.sticky_schedule_to_start = kStickyWait;
  return worker;
}

/// Runs the loop until the cluster has answered.
Result<engine::ClusterFacts> meet(House& house, engine::Cluster& cluster, const WorkerOrder& order) {
  Result<engine::ClusterFacts> met = fail(Code::kCancelled, "stopped");
  auto hands = engine::shake_hands(cluster, house.loop, house.loop, house.random,
                                   {order.temporal.name_space, workflows::import_search_attributes()});
  engine::spawn(house.loop, std::move(hands), [&](Result<engine::ClusterFacts> facts) {
    met = std::move(facts);
    house.loop.stop();
  });
  house.loop.run();
  if (!met) met.error().message = fmt::format("{}: {}", order.temporal.address, met.error().message);
  return met;
}

}  // namespace

Result<> work_on_cluster(const WorkerOrder& order) {
  StopSignals signals;
  House house;
  TRY_VOID(open_house(house, order, "worker"));
  const auto cluster =
      engine::Cluster::create(house.loop, house.loop, {open_channel(order.temporal), worker_headers(order.temporal)});
  TRY(const auto facts, meet(house, *cluster, order));
  if (!facts.notice.empty()) spdlog::warn(facts.notice);
  const auto task_queue = task_queue_of(*house.library);

  Front front;
  Result<> ended;
  auto options = worker_options(order, task_queue);
  options.refused = [&ended, &order](const engine::PortStatus& status) {
    ended = fail(Code::kUnavailable,
                 fmt::format("{} has refused our polls for a minute: {}", order.temporal.address, status.message));
    ::kill(::getpid(), SIGTERM);  // stops in order
  };
  open_worker(front, house, *cluster, std::move(options));
  DoorOrder doors;
  TRY_VOID(add_access(doors, order.config));
  doors.name_space = order.temporal.name_space;
  doors.task_queue = task_queue;
  TRY_VOID(open_doors(front, house, *cluster, doors));
  TRY_VOID(open_slack_buttons(front, house, order.config));
  front.worker->start();
  start_telling(house);
  front.space->look();
  look_for_orphans(house, *cluster, order.temporal.name_space, task_queue);
  TRY_VOID(write_ready(order.ready_fd, {{"temporal", order.temporal.address},
                                        {"namespace", order.temporal.name_space},
                                        {"task_queue", task_queue},
                                        {"socket", front.door->socket()},
                                        {"http", front.web.address},
                                        {"data", house.folder.path},
                                        {"pid", ::getpid()}}));
  if (!order.quiet) {
    fmt::print(stderr,
               "callimport works for Temporal {} at {}, namespace {}, on task queue {}; data in {}. Ctrl-C stops it.\n",
               facts.server_version, order.temporal.address, order.temporal.name_space, task_queue, house.folder.path);
  }
  run_until_stopped(house, front, signals, [](std::function<void()> then) { then(); });
  return ended;
}

}  // namespace callimport::api
