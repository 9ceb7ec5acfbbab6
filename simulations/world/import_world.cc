#include "simulations/world/import_world.h"

#include <fmt/format.h>
#include <temporal/api/history/v1/message.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <map>
#include <set>

#include "activities/import/deps.h"
#include "storage/journal/journal.h"
#include "workflows/import/import_workflow.h"

namespace callimport::simulations {
namespace {

using engine::PortStatus;
using engine::WorkflowService;
namespace api = engine::api;

class RecordingChannel final : public activities::Channel {
 public:
  explicit RecordingChannel(std::vector<storage::Notification>& into) : into_(into) {}
  std::string_view name() const override { return "log"; }
  activities::Manner manner() const override {
    activities::Manner made;
    made.merges = false;
    return made;
  }
  std::vector<activities::Recipient> own(const storage::Notification&) const override {
    return {{"log", "the log", "", "UTC"}};
  }
  engine::Awaitable<tl::expected<activities::Sent, activities::Refused>> send(activities::Message message) override {
    into_.insert(into_.end(), message.news.begin(), message.news.end());
    co_return activities::Sent{message.id, ""};
  }

 private:
  std::vector<storage::Notification>& into_;
};

void set_json(temporal::api::common::v1::Payloads* to, const std::string& json) {
  auto* payload = to->add_payloads();
  (*payload->mutable_metadata())["encoding"] = "json/plain";
  payload->set_data(json);
}

}  // namespace

SandboxReply Interceptor::handle(const SandboxRequest& request, Timestamp now) {
  if (answer) {
    if (auto instead = answer(request, now)) return *std::move(instead);
  }
  return behind_.handle(request, now);
}

Result<std::unique_ptr<ImportWorld>> ImportWorld::make(ImportWorldOptions options) {
  TRY(auto sandbox, GrainSandbox::make(options.grain));
  std::unique_ptr<ImportWorld> world(new ImportWorld(std::move(options), std::move(sandbox)));
  return world;
}

ImportWorld::ImportWorld(ImportWorldOptions options, std::unique_ptr<GrainSandbox> made)
    : random(options.seed),
      sandbox(std::move(made)),
      outside(*sandbox),
      http(std::make_unique<SandboxHttp>(outside, loop)),
      options_(std::move(options)),
      probe_(disk) {
  http->keep_log();
}

ImportWorld::~ImportWorld() { close(); }

Result<> ImportWorld::open() {
  TRY_VOID(disk.make_dirs("/data"));
  reserve_.emplace(disk, "/data/reserve", options_.reserve_bytes);
  reserved_.emplace(disk, *reserve_);
  (void)reserve_->take();
  storage::JournalOptions journal;
  journal.path = "/data/journal.db";
  journal.threaded = false;
  TRY(journal_, storage::open_journal(*reserved_, loop, journal));
  TRY(library_, storage::Library::open(*reserved_, random, "/data/library.db"));
  TRY(vault_, storage::Vault::open(*reserved_, random, "/data/vault.db", "/data/vault.key"));
  TRY(media_, storage::MediaStore::open(*reserved_, "/data/media", "boot-" + std::to_string(boot_)));
  access_ = std::make_unique<activities::AccessTokens>(*vault_, *http, loop, loop, loop);
  permits_ = std::make_unique<activities::Permits>(*library_, loop, loop, loop, options_.budgets);
  TRY_VOID(permits_->load());
  if (options_.transcriber) transcriber_.emplace(*options_.transcriber, *http, *reserved_, loop, loop, loop, random);
  engine::EmbeddedOptions service;
  service.retention = std::chrono::hours{24 * 365};
  service.search_attributes = workflows::import_search_attributes();
  TRY(service_, engine::EmbeddedService::open(*journal_, loop, loop, random, service));
  std::vector<std::unique_ptr<activities::Channel>> channels;
  channels.push_back(std::make_unique<RecordingChannel>(told));
  deliverer_ =
      std::make_unique<activities::Deliverer>(*library_, loop, loop, loop, activities::Roster(), std::move(channels));
  engine::WorkerOptions worker;
  worker.task_queue = workflows::kImportTaskQueue;
  const auto lanes = workflows::lane_queues(worker.task_queue);
  worker.more_activity_queues = {lanes.first, lanes.bulk};
  worker.identity = "world";
  worker.cached_runs_max = options_.cached_runs_max;
  worker.activities_max = options_.activities_max;
  worker_ = engine::Worker::create(*service_, loop, loop, random, worker);
  worker_->register_workflow(workflows::kImportWorkflow, workflows::import_workflow);
  looking_ = std::make_shared<activities::ImportDeps>(
      activities::ImportDeps{*library_, *vault_, *media_, *http, probe_, loop, loop, loop, random, *permits_, *reserve_,
                             *access_, [deliverer = deliverer_.get()] { deliverer->wake(); }});
  looking_->live->set_places(options_.activities_max);
  looking_->transcriber = transcriber_ ? &*transcriber_ : nullptr;
  activities::register_import_activities(*worker_, *looking_);
  worker_->start();
  deliverer_->start();
  return {};
}

void ImportWorld::close() {
  if (deliverer_) deliverer_->stop();
  worker_.reset();
  looking_.reset();
  loop.drop_all();
  deliverer_.reset();
  service_.reset();
  journal_.reset();
  permits_.reset();
  media_.reset();
  transcriber_.reset();
  access_.reset();
  vault_.reset();
  library_.reset();
  loop.drop_all();
}

Result<> ImportWorld::restart() {
  close();
  disk.kill();
  return open();
}

Result<> ImportWorld::lose_power() {
  close();
  disk.crash(random);
  ++boot_;
  return open();
}

template <class Request, class Response>
Result<> ImportWorld::call(void (WorkflowService::*method)(const Request&, engine::CallContext,
                                                           engine::Reply<Response>),
                           Request request, Response* into) {
  request.set_namespace_("default");
  PortStatus answer;
  bool answered = false;
  engine::CallContext context;
  context.deadline = loop.now() + 60s;
  (service_.get()->*method)(request, context, [&](const PortStatus& status, Response* reply) {
    answer = status;
    answered = true;
    if (reply != nullptr && into != nullptr) into->Swap(reply);
  });
  loop.run_until([&answered] { return answered; });
  if (!answered) return fail(Code::kUnavailable, "no answer");
  if (answer.ok()) return {};
  return fail(answer.code == 6 ? Code::kConflict : Code::kUnavailable, answer.message);
}

std::string ImportWorld::add_credential(const std::string& token) {
  const auto id = vault_->add("grain", "acme", "pat", storage::Secret(token), to_unix_ms(loop.now()));
  return id ? id->str() : "";
}

activities::ImportInput ImportWorld::ask(const std::string& credential) const {
  activities::ImportInput input;
  input.import = "imp_world";
  input.platform = "grain";
  input.workspace = "acme";
  input.title = "Northwind";
  input.credential = credential;
  input.base_url = "http://grain.sandbox";
  return input;
}

Result<std::string> ImportWorld::start(const activities::ImportInput& input) {
  api::StartWorkflowExecutionRequest request;
  request.set_workflow_id(input.import);
  request.mutable_workflow_type()->set_name(workflows::kImportWorkflow);
  request.mutable_task_queue()->set_name(workflows::kImportTaskQueue);
  request.set_request_id(random.uuid4());
  set_json(request.mutable_input(), activities::write_note(input));
  api::StartWorkflowExecutionResponse reply;
  TRY_VOID(call(&WorkflowService::StartWorkflowExecution, std::move(request), &reply));
  return reply.run_id();
}

Result<> ImportWorld::signal(const std::string& import, const std::string& name, const std::string& json) {
  api::SignalWorkflowExecutionRequest request;
  request.mutable_workflow_execution()->set_workflow_id(import);
  request.set_signal_name(name);
  request.set_request_id(random.uuid4());
  set_json(request.mutable_input(), json);
  return call<api::SignalWorkflowExecutionRequest, api::SignalWorkflowExecutionResponse>(
      &WorkflowService::SignalWorkflowExecution, std::move(request), nullptr);
}

Result<> ImportWorld::cancel(const std::string& import) {
  api::RequestCancelWorkflowExecutionRequest request;
  request.mutable_workflow_execution()->set_workflow_id(import);
  request.set_request_id(random.uuid4());
  return call<api::RequestCancelWorkflowExecutionRequest, api::RequestCancelWorkflowExecutionResponse>(
      &WorkflowService::RequestCancelWorkflowExecution, std::move(request), nullptr);
}

Result<std::string> ImportWorld::status(const std::string& import) {
  api::QueryWorkflowRequest request;
  request.mutable_execution()->set_workflow_id(import);
  request.mutable_query()->set_query_type(workflows::kQueryStatus);
  api::QueryWorkflowResponse reply;
  TRY_VOID(call(&WorkflowService::QueryWorkflow, std::move(request), &reply));
  if (reply.query_result().payloads_size() != 1) return fail(Code::kCorrupt, "a query without one answer");
  return reply.query_result().payloads(0).data();
}

bool ImportWorld::run_until(const std::function<bool()>& done, Nanos limit) {
  const Timestamp end = loop.now() + limit;
  loop.run_until([&] { return loop.now() > end || done(); });
  return done();
}

bool ImportWorld::run_until_closed(Nanos limit) {
  const Timestamp end = loop.now() + limit;
  const auto none_open = [this] { return service_->figures().open_runs == 0; };
  while (run_until(none_open, end - loop.now())) {
    loop.run_for(5s);  // a service that starts over after a failed write knows no run for a moment
    if (none_open()) return true;
  }
  return false;
}

std::vector<temporal::api::history::v1::History> ImportWorld::histories(const std::string& import,
                                                                        const std::string& first_run) {
  std::vector<temporal::api::history::v1::History> all;
  std::string run = first_run;
  while (!run.empty()) {
    temporal::api::history::v1::History history;
    std::string token;
    do {
      api::GetWorkflowExecutionHistoryRequest request;
      request.mutable_execution()->set_workflow_id(import);
      request.mutable_execution()->set_run_id(run);
      request.set_next_page_token(token);
      api::GetWorkflowExecutionHistoryResponse reply;
      if (!call(&WorkflowService::GetWorkflowExecutionHistory, std::move(request), &reply)) return all;
      history.MergeFrom(reply.history());
      token = reply.next_page_token();
    } while (!token.empty());
    run.clear();
    if (history.events_size() > 0) {
      const auto& last = history.events(history.events_size() - 1);
      run = last.workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
    }
    all.push_back(std::move(history));
  }
  return all;
}

Result<> ImportWorld::renew(const std::string& import, const std::string& credential, const std::string& token) {
  TRY(const auto id, CredentialId::parse(credential));
  TRY_VOID(vault_->replace(id, storage::Secret(token)));
  return signal(import, workflows::kSignalCredentialsRenewed, "{}");
}

std::vector<std::pair<std::string, std::size_t>> ImportWorld::downloads() const {
  std::vector<std::pair<std::string, std::size_t>> made;
  for (const auto& entry : http->log()) {
    const bool media = entry.status == 200 || entry.status == 206;
    // What is sent elsewhere, recordings to be transcribed or messages, is posted.
    const bool place = entry.method == "GET" && entry.path.find("public-api") == std::string::npos;
    if (media && place && entry.range != "bytes=0-0") made.emplace_back(entry.call, entry.bytes);
  }
  return made;
}

namespace {

void check_timeline(storage::Library& library, const std::string& import, std::vector<std::string>& broken) {
  std::int64_t after = 0;
  while (true) {
    const auto changes = library.timeline(import, after, 500);
    if (!changes) {
      broken.push_back("the timeline cannot be read: " + changes.error().message);
      return;
    }
    for (const auto& change : *changes) {
      if (!change.counters.add_up())
        broken.push_back(fmt::format("counters do not add up at change {}", change.change));
      after = change.change;
    }
    if (changes->empty()) return;
  }
}

/// Every call of the manifest that says registered is in the library once, whole.
void check_calls(ImportWorld& world, const storage::ImportRow& row, std::vector<std::string>& broken) {
  std::map<std::string, int> in_library;
  std::string after;
  while (true) {
    storage::CallFilter filter;
    const auto calls = world.library().calls(filter, after, 500);
    if (!calls || calls->empty()) break;
    for (const auto& call : *calls) {
      ++in_library[call.source_id];
      if (!call.media) continue;
      const auto there = world.media().contains(call.media->hash);
      if (!there || !*there) broken.push_back("the recording of " + call.source_id + " is not in the media store");
    }
    after = calls->back().id;
  }
  for (const auto& [source_id, times] : in_library) {
    if (times != 1) broken.push_back(fmt::format("call {} is in the library {} times", source_id, times));
  }
  std::int64_t registered = 0;
  after.clear();
  while (true) {
    const auto rows = world.library().manifest(row.id, storage::CallState::kRegistered, "", after, 500);
    if (!rows || rows->empty()) break;
    for (const auto& one : *rows) {
      ++registered;
      if (!in_library.contains(one.source_id))
        broken.push_back("call " + one.source_id + " says registered and is not in the library");
    }
    after = rows->back().source_id;
  }
  if (registered != row.counters.registered) {
    broken.push_back(fmt::format("{} calls are registered, the counter says {}", registered, row.counters.registered));
  }
}

}  // namespace

std::vector<std::string> broken_promises(ImportWorld& world, const std::string& import) {
  std::vector<std::string> broken;
  const auto row = world.library().import(import);
  if (!row) return {"the import cannot be read: " + row.error().message};
  if (!row->counters.add_up()) broken.emplace_back("the counters do not add up");
  check_timeline(world.library(), import, broken);
  check_calls(world, *row, broken);
  return broken;
}

}  // namespace callimport::simulations
