#include "api/serve/front.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "activities/import/contract.h"
#include "activities/import/prove.h"
#include "activities/import/report.h"
#include "activities/notify/samples.h"
#include "activities/notify/slack_view.h"
#include "api/cli/cli.h"
#include "api/cli/text.h"
#include "api/grpc/health.h"
#include "api/grpc/orphans.h"
#include "api/grpc/temporal_methods.h"
#include "api/grpc/test_methods.h"
#include "api/serve/backup_places.h"
#include "api/serve/forecast.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

inline constexpr auto kStopGrace = std::chrono::seconds{5};
inline constexpr auto kStopMax = std::chrono::seconds{20};  // then without order, e.g. when the disk is full

/// Worker first, then the service, then the doors; each while the loop still runs.
void begin_stop(House& house, Front& front, std::function<void(std::function<void()>)> stop_service,
                std::thread& closer) {
  spdlog::info("stopping");
  house.loop.at(house.loop.now() + kStopMax, [] {
    spdlog::error("not stopped in order within {} s; what was acknowledged is on disk all the same", kStopMax.count());
    std::_Exit(EXIT_FAILURE);
  });
  front.web.server.reset();
  stop_telling(house);
  front.worker->stop(kStopGrace, [&house, &front, &closer, stop_service = std::move(stop_service)] {
    stop_service([&house, &front, &closer] {
      closer = std::thread([&house, &front] {
        front.door->close(std::chrono::seconds{1});
        house.loop.stop();
      });
    });
  });
}

inline constexpr std::size_t kRunCharacters = 6;

/// What a caller was refused, under the id it was told. Others' APIs answer errors in the ordinary run of things.
void log_failure(const FailedCall& call) {
  const auto level = call.status.code == kGrpcInternal || call.status.code == kGrpcDataLoss ? spdlog::level::err
                     : call.method.starts_with(kOurMethods)                                 ? spdlog::level::info
                                                                                            : spdlog::level::debug;
  spdlog::log(level, "{} {} {}: status {}, {}", call.request_id, printable(call.method),
              call.who.empty() ? "by somebody" : "by " + printable(call.who), call.status.code,
              printable(call.status.message));
}

Result<std::string> report_text(House& house, const std::string& import, Names names) {
  TRY(auto report, activities::read_report(*house.library, import, to_unix_ms(house.loop.now()), house.prices));
  if (names == Names::kWithout) report = activities::without_names(std::move(report));
  return activities::write_note(report);
}

}  // namespace

StopSignals::StopSignals() {
  sigemptyset(&set_);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR2}) sigaddset(&set_, signal);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

void StopSignals::wait(std::function<void()> stop) {
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

StopSignals::~StopSignals() {
  if (!thread_.joinable()) return;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

void open_worker(Front& front, House& house, engine::WorkflowService& service, engine::WorkerOptions options) {
  auto deps = import_deps(house);
  deps.live->set_places(options.activities_max);
  options.warn = [](const std::string& sentence) { spdlog::warn("{}", sentence); };
  front.worker = engine::Worker::create(service, house.loop, house.loop, house.random, std::move(options));
  front.worker->register_workflow(workflows::kImportWorkflow, workflows::import_workflow);
  activities::register_import_activities(*front.worker, std::move(deps));
}

Result<> add_access(DoorOrder& order, const ServeConfig& config) {
  order.undo_days = config.undo_days;
  order.http = config.http;
  order.door.roles = config.roles;
  order.door.shared_socket = config.shared_socket;
  for (const auto& path : config.token_files) {
    TRY(auto text, read_secret_file(path));
    order.door.tokens.push_back({std::filesystem::path(path).stem(), std::move(text)});
  }
  return {};
}

namespace {

/// A credential held against an import's platform, with what the house's imports use of the world.
ProveAccess prove_with(House& house) {
  return [&house](const std::string& ask, std::optional<storage::OpenedCredential> fresh,
                  std::function<void(std::optional<AccessRefusal>)> done) {
    auto input = activities::read_note<activities::ImportInput>(ask);
    if (!input) return done(AccessRefusal{"engine.bug", input.error().message});
    const auto deps =
        std::make_shared<activities::ImportDeps>(import_deps(house));  // shared with the coroutine's steps
    engine::spawn(house.loop, activities::prove_credential(deps, std::move(*input), std::move(fresh)),
                  [done = std::move(done)](const std::optional<activities::Refusal>& refusal) {
                    if (!refusal) return done(std::nullopt);
                    done(AccessRefusal{refusal->cause, refusal->message});
                  });
  };
}

/// What people would get of an event, by the templates this server has.
Result<MessagePreview> preview(House& house, const std::string& event, bool customer) {
  using activities::Audience;
  if (house.templates == nullptr) return fail(Code::kUnavailable, "there are no templates here");
  if (activities::find_event(event) == nullptr)
    return fail(Code::kNotFound, "no event " + event + "; all of them: callimport notifications preview");
  const Audience audience = customer ? Audience::kCustomer : Audience::kInternal;
  const auto sample = activities::sample_message(event, audience);
  TRY(auto rendered, house.templates->render(sample, audience, activities::sample_surroundings(event, audience)));
  MessagePreview made{std::move(rendered.subject), std::move(rendered.text), std::move(rendered.html), {}};
  if (customer) return made;
  activities::SlackManners manners;
  manners.lines = [&house](const storage::Notification& news, const storage::ImportRow& import) {
    const auto lines = house.templates->lines(news, import, "UTC", Audience::kInternal);
    return lines ? *lines : activities::plain_lines()(news, import);
  };
  made.slack = activities::slack_payload(activities::news_post(sample, manners)).dump(2);
  return made;
}

}  // namespace

Result<> open_doors(Front& front, House& house, engine::WorkflowService& service, const DoorOrder& order) {
  ServerFacts facts;
  facts.version = kVersion;
  facts.data_folder = house.folder.path;
  facts.socket = house.folder.socket();
  facts.task_queue = order.task_queue;
  facts.pid = ::getpid();
  facts.started_ms = to_unix_ms(house.loop.now());
  facts.window = house.defaults.window;
  facts.zone = house.defaults.zone;
  facts.order = house.defaults.order;
  facts.first_lane = house.defaults.first_lane;
  front.parts.emplace(ProductParts{house.loop, house.loop, *house.pool, *house.disk, house.random, *house.library,
                                   *house.vault, *house.media, service, order.name_space, facts,
                                   order.journal_figures});
  front.parts->looking = std::make_shared<activities::ImportDeps>(import_deps(house));
  front.parts->prices = house.prices;
  front.parts->report = [&house](const std::string& import, Names names) { return report_text(house, import, names); };
  front.parts->back_up = [&house](storage::BackupOrder order) {
    order.from = backup_places(house.folder);
    return storage::back_up(*house.disk, order);
  };
  front.parts->undo_days = order.undo_days;
  front.parts->roster = &house.deliverer->roster();
  front.parts->channels = house.deliverer->channels();
  front.parts->told = [&house] { wake_tellers(house); };
  front.parts->preview = [&house](const std::string& event, bool customer) { return preview(house, event, customer); };
  front.parts->forecast = [&house](const std::string& rules) { return forecast_week(house, rules); };
  front.parts->budgets = [&house] { return house.permits->list(); };
  const storage::BudgetSettings& own = house.permits->settings();
  front.parts->budget = {own.bulk_calls, std::chrono::duration_cast<std::chrono::milliseconds>(own.period).count()};
  front.parts->prove = prove_with(house);
  front.parts->sign_ins = house.sign_ins.get();
  front.parts->webhooks = house.webhooks.get();
  front.parts->webhook_source = house.webhook_source;
  front.parts->webhook_guard = house.webhook_guard;
  front.space.emplace(house.loop, house.loop, *house.pool, *house.disk, *house.reserve, house.folder.path,
                      [parts = &*front.parts](std::string notice) { parts->notice = std::move(notice); });
  add_temporal_methods(front.router, service);
  if (order.operators != nullptr) add_operator_methods(front.router, *order.operators);
  if (order.time != nullptr) add_test_methods(front.router, *order.time);
  add_product_methods(front.router, *front.parts);
  add_health(front.router);
  add_reflection(front.router);
  front.router.set_roles();
  TRY_VOID(front.router.check_roles());
  DoorOptions options = order.door;
  options.socket = house.folder.socket();
  options.request_prefix = fmt::format("req_{}_", house.random.id_text(kRunCharacters));
  options.failed = &log_failure;
  TRY(options.token, access_token(house.folder));
  TRY(front.door, Door::open(front.router, house.loop, options));
  front.parts->facts.grpc_address = front.door->address();
  return open_web(front, house, order.http, order.door);
}

void look_for_orphans(House& house, engine::WorkflowService& service, const std::string& name_space,
                      const std::string& task_queue) {
  OrphanParts parts{.library = *house.library,
                    .vault = *house.vault,
                    .service = service,
                    .loop = house.loop,
                    .pool = *house.pool,
                    .clock = house.loop,
                    .name_space = name_space,
                    .task_queue = task_queue,
                    .told = [&house] { wake_tellers(house); }};
  take_up_orphans(std::move(parts), [](const OrphansFound& found) {
    for (const auto& import : found.restarted)
      spdlog::warn("{} was open and nothing ran for it: started again", import);
    for (const auto& import : found.told)
      spdlog::warn("{} is open, nothing runs for it and its credential is gone: callimport start --import-id {}",
                   import, import);
  });
}

Result<> write_ready(int ready_fd, const nlohmann::json& line) {
  if (ready_fd < 0) return {};
  const auto text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const bool written = ::write(ready_fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(ready_fd);
  if (!written) return fail(Code::kInvalid, fmt::format("--ready-fd {} cannot be written", ready_fd));
  return {};
}

void run_until_stopped(House& house, Front& front, StopSignals& signals,
                       std::function<void(std::function<void()> then)> stop_service) {
  std::thread closer;
  bool stopping = false;
  signals.wait([&] {
    house.loop.post([&] {
      if (!std::exchange(stopping, true)) begin_stop(house, front, stop_service, closer);
    });
  });
  house.loop.run();
  if (closer.joinable()) closer.join();
  front.door.reset();
  spdlog::info("stopped; everything acknowledged is on disk");
}

}  // namespace callimport::api
