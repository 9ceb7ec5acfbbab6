#include "api/serve/serve.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/serve/dynamic_config.h"
#include "api/serve/front.h"
#include "api/serve/slack.h"
#include "engine/embedded.h"
#include "storage/journal/journal.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

inline constexpr std::size_t kPemBytesMax = 1u << 20;

const std::string kWorkerPrefix = "callimport-serve@";

Result<std::unique_ptr<storage::Journal>> open_journal(House& house, const ServeOrder& order) {
  storage::JournalOptions journal;
  journal.path = house.folder.journal();
  journal.die_after_commits = order.die_after_commits;
  return storage::open_journal(*house.disk, house.loop, journal);
}

Result<std::unique_ptr<engine::EmbeddedService>> open_engine(House& house, storage::Journal& journal,
                                                             SkippingClock* time, const ServeOrder& order) {
  const ServeConfig& config = order.config;
  engine::EmbeddedOptions options;
  for (const auto& words : order.limits) {
    TRY_VOID(set_dynamic_config(words, &options));
  }
  if (time != nullptr) {
    options.callers_clock = &house.loop;
    options.settled = [time] { time->look(); };
  }
  Clock& clock = time != nullptr ? static_cast<Clock&>(*time) : house.loop;
  options.namespaces = {config.name_space};
  for (const auto& name : config.namespaces) options.namespaces.push_back(name);
  options.retention = std::chrono::hours{config.retention_hours};
  options.search_attributes = workflows::import_search_attributes();
  for (const auto& [name, type] : config.search_attributes) options.search_attributes[name] = type;
  options.address = config.address;
  options.own_workers = kWorkerPrefix;  // the folder's lock says that no other serve lives
  TRY(auto service, engine::EmbeddedService::open(journal, house.loop, clock, house.random, options));
  if (time != nullptr) time->set_at_rest([service = service.get()] { return service->at_rest(); });
  return service;
}

engine::WorkerOptions worker_options(const ServeConfig& config) {
  engine::WorkerOptions worker;
  worker.name_space = config.name_space;
  worker.task_queue = workflows::kImportTaskQueue;
  const auto lanes = workflows::lane_queues(worker.task_queue);
  worker.more_activity_queues = {lanes.first, lanes.bulk};
  worker.identity = kWorkerPrefix + std::to_string(::getpid());
  worker.cached_runs_max = config.cached_runs_max;
  worker.activities_max = config.activities_max;
  return worker;
}

Result<std::string> content_of(const char* flag, const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream in(path, std::ios::binary);
  std::string text(kPemBytesMax, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.empty()) return fail(Code::kInvalid, fmt::format("{}: {} cannot be read or is empty", flag, path));
  return text;
}

Result<DoorOrder> door_order(const ServeConfig& config, engine::EmbeddedService& service,
                             const storage::Journal& journal, SkippingClock* time) {
  DoorOrder doors;
  doors.time = time;
  doors.operators = &service;
  doors.door.address = config.address;
  doors.door.require_token = config.require_token;
  doors.door.insecure_public = config.insecure_public;
  TRY(doors.door.tls_cert, content_of("--tls-cert", config.tls_cert_file));
  TRY(doors.door.tls_key, content_of("--tls-key", config.tls_key_file));
  if (!config.api_key_file.empty()) {
    TRY(doors.door.api_key, read_secret_file(config.api_key_file));
  }
  TRY_VOID(add_access(doors, config));
  doors.name_space = config.name_space;
  doors.task_queue = workflows::kImportTaskQueue;
  doors.journal_figures = [&journal] {
    const auto figures = journal.figures();
    return std::pair{figures.commits, figures.rows};
  };
  return doors;
}

}  // namespace

Result<> serve(const ServeOrder& order) {
  StopSignals signals;
  House house;
  TRY_VOID(open_house(house, order, "serve"));
  auto journal = open_journal(house, order);
  if (!journal) return tl::unexpected(with_advice(std::move(journal).error(), house.folder));
  std::unique_ptr<SkippingClock> time;
  if (order.time_skipping) time = std::make_unique<SkippingClock>(house.loop, house.loop);
  auto service = open_engine(house, **journal, time.get(), order);
  if (!service) return tl::unexpected(with_advice(std::move(service).error(), house.folder));
  Front front;
  open_worker(front, house, **service, worker_options(order.config));
  TRY(const auto doors, door_order(order.config, **service, **journal, time.get()));
  TRY_VOID(open_doors(front, house, **service, doors));
  TRY_VOID(open_slack_buttons(front, house, order.config));
  front.worker->start();
  start_telling(house);
  front.space->look();
  look_for_orphans(house, **service, doors.name_space, doors.task_queue);
  TRY_VOID(write_ready(order.ready_fd, {{"grpc", front.door->address()},
                                        {"socket", front.door->socket()},
                                        {"http", front.web.address},
                                        {"data", house.folder.path},
                                        {"pid", ::getpid()}}));
  if (!order.quiet) {
    fmt::print(stderr, "callimport serves {} and {}; data in {}. Ctrl-C stops it.\n", front.door->address(),
               front.door->socket(), house.folder.path);
  }
  run_until_stopped(house, front, signals, [&service](std::function<void()> then) { (*service)->stop(then); });
  return {};
}

}  // namespace callimport::api
