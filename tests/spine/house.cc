#include "tests/spine/house.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace callimport::tests {
namespace {

constexpr const char* kRenewedToken = "grain_pat_renewed1_RenewedRenewedRenewedRenewedRenewed00000";

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

bool is_media(const std::string& path) {
  return path.find("/download") != std::string::npos || path.starts_with("/cdn/");
}

bool importable(const simulations::SandboxCall& call) {
  const bool there = call.fate == simulations::CallFate::kNormal;
  return there && (call.media == simulations::MediaState::kGood || call.media == simulations::MediaState::kNone);
}

}  // namespace

WatchedSandbox::WatchedSandbox(simulations::GrainOptions options)
    : grain_(std::move(*simulations::GrainSandbox::make(std::move(options)))) {}

simulations::SandboxReply WatchedSandbox::handle(const simulations::SandboxRequest& request, Timestamp now) {
  auto reply = grain_->handle(request, now);
  std::function<void()> at;
  {
    const std::lock_guard lock(mutex_);
    ++asked_;
    if (armed_at_ != 0 && asked_ >= armed_at_) {
      armed_at_ = 0;
      at = std::exchange(at_, {});
    }
  }
  if (at) at();
  return reply;
}

std::size_t WatchedSandbox::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

void WatchedSandbox::arm(std::size_t more, std::function<void()> at) {
  const std::lock_guard lock(mutex_);
  armed_at_ = more == 0 ? 0 : asked_ + more;
  at_ = std::move(at);
}

std::vector<LoggedRequest> read_request_log(const std::string& path) {
  std::vector<LoggedRequest> log;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    const auto at = entry.is_object() ? parse_utc(entry.value("time", "")) : fail(Code::kInvalid, "not an object");
    if (!at) {
      ADD_FAILURE() << "a line of the request log: " << line;
      continue;
    }
    log.push_back({to_unix_ms(*at), entry.value("call", ""), entry.value("path", ""), entry.value("status", 0)});
  }
  return log;
}

std::vector<std::string> fetched_again(const std::vector<LoggedRequest>& log,
                                       const std::map<std::string, std::int64_t>& fetched_ms) {
  std::vector<std::string> again;
  for (const auto& request : log) {
    const auto call = fetched_ms.find(request.call);
    if (call == fetched_ms.end() || !is_media(request.path) || request.at_ms <= call->second) continue;
    again.push_back(fmt::format("{} of call {} was asked for {} ms after it had been fetched", request.path,
                                request.call, request.at_ms - call->second));
  }
  return again;
}

simulations::GrainOptions House::options_for(std::uint64_t calls, std::uint64_t seed) {
  simulations::GrainOptions options;
  options.generated.calls = calls;
  options.generated.seed = seed;
  options.generated.media_bytes = 20'000;
  options.generated.broken_percent = 2;
  options.generated.deleted_percent = 1;
  options.generated.private_percent = 1;
  options.requests_per_minute = 0;
  options.page_size = 50;
  options.renewed_token = kRenewedToken;
  return options;
}

namespace {
simulations::GrainOptions expiring(simulations::GrainOptions options, std::uint64_t expire_after) {
  options.expire_after = expire_after;
  return options;
}
}  // namespace

House::House(std::uint64_t calls, std::uint64_t seed, std::uint64_t expire_after)
    : House(expiring(options_for(calls, seed), expire_after)) {}

House::House(simulations::GrainOptions options) {
  sandbox_ = std::make_unique<WatchedSandbox>(std::move(options));
  auto listening = simulations::SandboxServer::listen(*sandbox_, {"127.0.0.1", 0, scratch_ / "requests.jsonl"});
  if (!listening) throw std::runtime_error(listening.error().message);
  listening_ = std::move(*listening);
  listening_->start();
  write_file(scratch_ / "token", std::string(simulations::kGrainSandboxToken) + "\n");
}

bool House::serve(std::uint64_t die_after_commits) {
  std::vector<std::string> args{"serve", "--port", "0"};
  if (die_after_commits > 0) args.insert(args.end(), {"--die-after-commits", std::to_string(die_after_commits)});
  return launch(std::move(args));
}

bool House::work(const std::string& temporal) { return launch({"worker", "--temporal", temporal}); }

bool House::launch(std::vector<std::string> args) {
  client_.reset();
  args.insert(args.end(), {"--data", data(), "--log-level", log_level_, "--quiet"});
  Command command{std::move(args), {}, {}, true, {}, 0, false};
  server_ = std::make_unique<Process>(callimport_binary(), std::move(command), scratch_);
  ready_ = server_->wait_ready();
  if (!ready_.empty()) return true;
  const int code = server_->wait();
  EXPECT_EQ(code, -SIGKILL) << "the server ended by itself: " << server_->err();
  return false;
}

std::string House::base_url() const { return fmt::format("http://127.0.0.1:{}", listening_->port()); }

Ran House::verb(std::vector<std::string> args, std::string input) {
  args.insert(args.end(), {"--data", data()});
  return run(callimport_binary(), {std::move(args), {}, std::move(input), false, {}, 0, false}, scratch_);
}

Ran House::start(const std::vector<std::string>& more) {
  if (credential_.empty()) {
    const auto added =
        verb({"credentials", "add", "--platform", "grain", "--workspace", "acme", "--token-file", scratch_ / "token"});
    credential_ = first_line(added.out);
    if (added.code != 0) return added;
  }
  std::vector<std::string> args = {
      "start",    "--platform",   "grain",   "--customer",     "acme", "--credential", credential_,     "--base-url",
      base_url(), "--request-id", "the one", "--heartbeat-ms", "1000", "--yes",        "--no-estimate", "--owns-data"};
  args.insert(args.end(), more.begin(), more.end());
  // Nobody here waits for a night or approves gaps, unless the test is about it.
  const auto unless_said = [&](const char* flag, const char* value) {
    if (std::find(more.begin(), more.end(), flag) == more.end()) args.insert(args.end(), {flag, value});
  };
  unless_said("--window", "always");
  unless_said("--approve-above", "100");
  const auto ran = verb(std::move(args));
  if (ran.code == 0) import_ = first_line(ran.out);
  return ran;
}

Ran House::renew_token() {
  return verb({"credentials", "renew", credential_, "--token-stdin"}, std::string(kRenewedToken) + "\n");
}

api::Client& House::client() {
  if (client_ == nullptr)
    client_ = api::Client::create(api::Connection{.address = "unix:" + data() + "/callimport.sock"});
  return *client_;
}

bool House::follow() {
  v1::WatchImportRequest request;
  request.set_id(import_);
  auto stream = client().stream("/callimport.v1.CallImportService/WatchImport", request);
  bool closed = false;
  v1::WatchImportResponse message;
  while (stream->next(message, std::chrono::minutes{10}) == api::ClientStream::Next::kMessage) {
    const auto& c = message.import().counters();
    EXPECT_EQ(c.found(), c.registered() + c.duplicate() + c.skipped() + c.failed() + c.pending());
    closed = message.import().has_closed_ms();
  }
  return closed;
}

bool House::follow_until(const std::function<bool(const v1::WatchImportResponse&)>& seen) {
  v1::WatchImportRequest request;
  request.set_id(import_);
  auto stream = client().stream("/callimport.v1.CallImportService/WatchImport", request);
  v1::WatchImportResponse message;
  while (stream->next(message, std::chrono::minutes{2}) == api::ClientStream::Next::kMessage) {
    if (seen(message)) return true;
  }
  return false;
}

std::set<std::string> House::registered() {
  std::set<std::string> ids;
  v1::ListImportCallsRequest request;
  request.set_import(import_);
  request.set_state("registered");
  request.set_page_size(1000);
  do {
    v1::ListImportCallsResponse response;
    if (!ask("ListImportCalls", request, response).ok()) break;
    for (const auto& call : response.calls()) ids.insert(call.source_id());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return ids;
}

void House::expect_none_fetched_again() {
  std::map<std::string, std::int64_t> fetched_ms;
  std::set<std::string> with_media;
  v1::ListCallsRequest calls;
  calls.set_page_size(1000);
  do {
    v1::ListCallsResponse response;
    ASSERT_TRUE(ask("ListCalls", calls, response).ok());
    for (const auto& call : response.calls()) {
      fetched_ms[call.source_id()] = call.fetched_ms();
      if (call.has_media()) with_media.insert(call.source_id());
    }
    calls.set_page_token(response.next_page_token());
  } while (!calls.page_token().empty());
  ASSERT_FALSE(fetched_ms.empty());

  const auto log = read_request_log(scratch_ / "requests.jsonl");
  EXPECT_EQ(log.size(), sandbox_->asked()) << "the log has a line for each request";
  EXPECT_EQ(fetched_again(log, fetched_ms), std::vector<std::string>{});
  for (const auto& request : log) {
    if (request.path.starts_with("/cdn/")) with_media.erase(request.call);
  }
  EXPECT_EQ(with_media, std::set<std::string>{}) << "recordings that came from nowhere";
}

std::uint64_t House::journal_commits() {
  v1::GetServerInfoResponse info;
  EXPECT_TRUE(ask("GetServerInfo", v1::GetServerInfoRequest{}, info).ok());
  return info.journal_commits();
}

void House::expect_whole() {
  std::set<std::string> wanted;
  for (std::uint64_t i = 0; i < sandbox_->calls().size(); ++i) {
    const auto call = sandbox_->calls().head(i);
    if (importable(call)) wanted.insert(call.id);
  }
  std::multiset<std::string> kept;
  v1::ListCallsRequest calls;
  calls.set_page_size(1000);
  do {
    v1::ListCallsResponse response;
    ASSERT_TRUE(ask("ListCalls", calls, response).ok());
    for (const auto& call : response.calls()) kept.insert(call.source_id());
    calls.set_page_token(response.next_page_token());
  } while (!calls.page_token().empty());
  EXPECT_EQ(std::multiset<std::string>(wanted.begin(), wanted.end()), kept)
      << "every importable call once, and nothing else";

  v1::ListTimelineRequest timeline;
  timeline.set_import(import_);
  timeline.set_page_size(1000);
  int changes = 0;
  for (;;) {
    v1::ListTimelineResponse response;
    ASSERT_TRUE(ask("ListTimeline", timeline, response).ok());
    for (const auto& entry : response.entries()) {
      const auto& c = entry.counters();
      EXPECT_EQ(c.found(), c.registered() + c.duplicate() + c.skipped() + c.failed() + c.pending())
          << "at change " << entry.change();
      timeline.set_after_change(entry.change());
      ++changes;
    }
    if (response.entries_size() < 1000) break;
  }
  EXPECT_GT(changes, 6) << "an import has stages";

  v1::GetImportRequest import;
  import.set_id(import_);
  v1::GetImportResponse end;
  ASSERT_TRUE(ask("GetImport", import, end).ok());
  EXPECT_TRUE(end.import().has_closed_ms());
  EXPECT_EQ(end.import().counters().registered(), static_cast<std::int64_t>(wanted.size()));
  EXPECT_EQ(end.import().counters().pending(), 0);
  EXPECT_EQ(end.import().counters().found(), static_cast<std::int64_t>(sandbox_->calls().size()));
}

}  // namespace callimport::tests
