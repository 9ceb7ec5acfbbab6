#include "api/serve/serve.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "activities/http/curl_http.h"
#include "activities/import/deps.h"
#include "activities/media/child.h"
#include "activities/notify/deliverer.h"
#include "api/cli/cli.h"
#include "api/data_folder.h"
#include "api/grpc/door.h"
#include "api/grpc/health.h"
#include "api/grpc/product.h"
#include "api/grpc/temporal_methods.h"
#include "api/serve/channels.h"
#include "api/serve/log.h"
#include "api/serve/space.h"
#include "engine/embedded.h"
#include "engine/worker.h"
#include "storage/library/library.h"
#include "storage/media/media_store.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/os_random.h"
#include "storage/runtime/posix_disk.h"
#include "storage/runtime/threads.h"
#include "storage/vault/vault.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

inline constexpr auto kStopGrace = std::chrono::seconds{5};
inline constexpr auto kStopMax = std::chrono::seconds{20};  // then without order, e.g. when the disk is full

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(in, id);
  return id;
}

/// What a person can do about an error of opening.
std::string advice(const Error& error, const DataFolder& folder) {
  if (error.message.find("disk is full") != std::string::npos) {
    return fmt::format("{}. Free some space on the disk of {} and start again: nothing acknowledged was lost",
                       error.message, folder.path);
  }
  if (error.code == Code::kCorrupt) {
    return fmt::format(
        "{}. Stop here, copy the folder {} away, and put back a backup of the damaged file; `callimport doctor --data "
        "{}` "
        "says which it is",
        error.message, folder.path, folder.path);
  }
  return error.message;
}

/// Everything the server owns, in the order it must be taken down (last member first).
struct House {
  DataFolder folder;
  std::unique_ptr<FolderLock> lock;
  PosixDisk disk;
  OsRandom random;
  AsioLoop loop;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<storage::Library> library;
  std::unique_ptr<storage::Vault> vault;
  std::unique_ptr<storage::MediaStore> media;
  std::unique_ptr<engine::EmbeddedService> service;
  std::unique_ptr<activities::CurlHttp> http;
  std::unique_ptr<activities::ChildMediaProbe> probe;
  std::optional<activities::Pacers> pacers;
  std::unique_ptr<activities::Mail> mail;
  std::unique_ptr<activities::Deliverer> deliverer;
  std::unique_ptr<engine::Worker> worker;
  std::optional<ProductParts> parts;
  std::optional<SpaceWatch> space;
  Router router;
  std::unique_ptr<Door> door;
};

Result<> open_storage(House& house, const ServeOrder& order) {
  storage::JournalOptions journal;
  journal.path = house.folder.journal();
  journal.die_after_commits = order.die_after_commits;
  TRY(house.journal, storage::open_journal(house.disk, house.loop, journal));
  TRY(house.library, storage::Library::open(house.disk, house.random, house.folder.library()));
  TRY(house.vault, storage::Vault::open(house.disk, house.random, house.folder.vault(), house.folder.vault_key()));
  TRY(house.media, storage::MediaStore::open(house.disk, house.folder.media(), boot_id()));
  return {};
}

const std::string kWorkerPrefix = "callimport-serve@";

Result<> open_engine(House& house, const ServeOrder& order) {
  engine::EmbeddedOptions options;
  options.namespaces = {order.config.name_space};
  options.retention = std::chrono::hours{order.config.retention_hours};
  options.search_attributes = workflows::import_search_attributes();
  options.own_workers = kWorkerPrefix;  // the folder's lock says that no other serve lives
  TRY(house.service, engine::EmbeddedService::open(*house.journal, house.loop, house.loop, house.random, options));
  house.http =
      std::make_unique<activities::CurlHttp>(house.loop.io(), house.loop, activities::CurlOptions{.version = kVersion});
  house.probe = std::make_unique<activities::ChildMediaProbe>(house.loop.io(), house.loop);
  house.pacers.emplace();
  TRY(auto channels, make_channels(order.config, *house.http, house.loop, *house.pool, house.loop));
  house.mail = std::move(channels.mail);
  house.deliverer = std::make_unique<activities::Deliverer>(*house.library, house.loop, *house.pool, house.loop,
                                                            std::move(channels.all));

  engine::WorkerOptions worker;
  worker.name_space = order.config.name_space;
  worker.task_queue = workflows::kImportTaskQueue;
  worker.identity = kWorkerPrefix + std::to_string(::getpid());
  worker.cached_runs_max = order.config.cached_runs_max;
  worker.activities_max = order.config.activities_max;
  house.worker = engine::Worker::create(*house.service, house.loop, house.loop, house.random, worker);
  house.worker->register_workflow(workflows::kImportWorkflow, workflows::import_workflow);
  activities::register_import_activities(
      *house.worker,
      activities::ImportDeps{*house.library, *house.vault, *house.media, *house.http, *house.probe, house.loop,
                             *house.pool, house.loop, house.random, *house.pacers, channels.names,
                             [deliverer = house.deliverer.get()] { deliverer->wake(); }});
  return {};
}

Result<> open_doors(House& house, const ServeOrder& order) {
  ServerFacts facts;
  facts.version = kVersion;
  facts.data_folder = house.folder.path;
  facts.socket = house.folder.socket();
  facts.pid = ::getpid();
  facts.started_ms = to_unix_ms(house.loop.now());
  house.parts.emplace(ProductParts{house.loop,
                                   house.loop,
                                   *house.pool,
                                   house.disk,
                                   *house.library,
                                   *house.vault,
                                   *house.media,
                                   *house.service,
                                   order.config.name_space,
                                   facts,
                                   [journal = house.journal.get()] {
                                     const auto figures = journal->figures();
                                     return std::pair{figures.commits, figures.rows};
                                   },
                                   {}});
  house.space.emplace(house.loop, house.loop, *house.pool, house.disk, house.folder.path,
                      [parts = &*house.parts](std::string notice) { parts->notice = std::move(notice); });
  add_temporal_methods(house.router, *house.service);
  add_product_methods(house.router, *house.parts);
  add_health(house.router);
  add_reflection(house.router);
  DoorOptions options;
  options.address = order.config.address;
  options.socket = house.folder.socket();
  options.require_token = order.config.require_token;
  TRY(options.token, access_token(house.folder));
  TRY(house.door, Door::open(house.router, house.loop, options));
  house.parts->facts.grpc_address = house.door->address();
  return {};
}

Result<> write_ready(const ServeOrder& order, const House& house) {
  if (order.ready_fd < 0) return {};
  const nlohmann::json line = {{"grpc", house.door->address()},
                               {"socket", house.door->socket()},
                               {"data", house.folder.path},
                               {"pid", ::getpid()}};
  const auto text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const bool written = ::write(order.ready_fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(order.ready_fd);
  if (!written) return fail(Code::kInvalid, fmt::format("--ready-fd {} cannot be written", order.ready_fd));
  return {};
}

/// Waits for SIGTERM or SIGINT on a thread of its own; every other thread has them blocked.
class StopSignals {
 public:
  StopSignals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR2}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  /// The first signal stops in order; a second ends the process at once, which loses nothing acknowledged.
  void wait(std::function<void()> stop) {
    thread_ = std::thread([this, stop = std::move(stop)] {
      for (int seen = 0;;) {
        int signal = 0;
        if (sigwait(&set_, &signal) != 0) continue;
        if (signal == SIGUSR2) return;
        if (++seen > 1) std::_Exit(EXIT_FAILURE);
        stop();
      }
    });
  }
  ~StopSignals() {
    if (!thread_.joinable()) return;
    pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
  }

 private:
  sigset_t set_{};
  std::thread thread_;
};

/// Worker first, then the service, then the doors; each while the loop still runs.
void begin_stop(House& house, std::thread& closer) {
  spdlog::info("stopping");
  house.loop.at(house.loop.now() + kStopMax, [] {
    spdlog::error("not stopped in order within {} s; what was acknowledged is on disk all the same", kStopMax.count());
    std::_Exit(EXIT_FAILURE);
  });
  house.deliverer->stop();
  house.worker->stop(kStopGrace, [&house, &closer] {
    house.service->stop([&house, &closer] {
      closer = std::thread([&house] {
        house.door->close(std::chrono::seconds{1});
        house.loop.stop();
      });
    });
  });
}

}  // namespace

Result<> serve(const ServeOrder& order) {
  ::umask(S_IRWXG | S_IRWXO);
  ::prctl(PR_SET_DUMPABLE, 0);  // no core file, no ptrace by others of the user: secrets are in memory
  set_up_log(order.log_level, order.log_format);
  StopSignals signals;
  House house;
  house.folder.path = order.data_folder;
  house.pool = std::make_unique<ThreadPool>(static_cast<std::size_t>(order.config.pool_threads));
  TRY(house.lock, FolderLock::take(house.folder, fmt::format("callimport serve, process {}", ::getpid())));
  const auto opened = [&]() -> Result<> {
    TRY_VOID(open_storage(house, order));
    TRY_VOID(open_engine(house, order));
    return open_doors(house, order);
  }();
  if (!opened) return fail(opened.error().code, advice(opened.error(), house.folder));
  house.worker->start();
  house.deliverer->start();
  house.space->look();
  TRY_VOID(write_ready(order, house));
  if (!order.quiet) {
    fmt::print(stderr, "callimport serves {} and {}; data in {}. Ctrl-C stops it.\n", house.door->address(),
               house.door->socket(), house.folder.path);
  }
  std::thread closer;
  bool stopping = false;
  signals.wait([&] {
    house.loop.post([&] {
      if (!std::exchange(stopping, true)) begin_stop(house, closer);
    });
  });
  house.loop.run();
  if (closer.joinable()) closer.join();
  house.door.reset();
  spdlog::info("stopped; everything acknowledged is on disk");
  return {};
}

}  // namespace callimport::api
