#include "simulations/sandboxes/server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>

#include "api/http/server.h"
#include "simulations/sandboxes/grain.h"
#include "simulations/sandboxes/slack.h"

namespace callimport::simulations {
namespace {
namespace asio = boost::asio;
using boost::system::error_code;

/// As vendors' servers are: they take much and wait long.
constexpr api::WebLimits kLimits{.connections = kServerConnectionsMax,
                                 .head_bytes = 64 << 10,
                                 .body_bytes = 4u << 20,
                                 .request = std::chrono::minutes{10},
                                 .answer = std::chrono::minutes{10}};

Timestamp wall_clock() { return std::chrono::time_point_cast<Nanos>(std::chrono::system_clock::now()); }

/// Appends whole lines with one write each, so that a reader never sees half of one.
class RequestLog {
 public:
  RequestLog() = default;
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;
  ~RequestLog() {
    if (fd_ >= 0) ::close(fd_);
  }
  Result<> open(const std::string& path) {
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ < 0) return fail(Code::kUnavailable, "cannot write the request log " + path);
    return {};
  }
  void write(const SandboxLogEntry& entry) {
    if (fd_ < 0) return;
    const std::string line = to_json_line(entry) + "\n";
    if (::write(fd_, line.data(), line.size()) < 0)
      std::fputs("callimport: the request log cannot be written\n", stderr);
  }

 private:
  int fd_ = -1;
};

api::WebReply to_web_reply(SandboxReply reply) {
  api::WebReply out;
  out.status = reply.status;
  out.headers = std::move(reply.headers);
  out.body = std::move(reply.body);
  out.dropped = reply.refused;
  out.cut_after = reply.cut_after;
  return out;
}

class Server final : public SandboxServer {
 public:
  explicit Server(Sandbox& sandbox) : sandbox_(sandbox) {}
  ~Server() override {
    stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<> open(const ServerOptions& options) {
    if (!options.log_path.empty()) TRY_VOID(log_.open(options.log_path));
    api::WebServerOptions web;
    web.host = options.host;
    web.port = options.port;
    web.limits = kLimits;
    TRY(server_, api::WebServer::listen(
                     io_, [this](api::WebRequest asked, api::Respond respond) { answer(std::move(asked), respond); },
                     std::move(web)));
    return {};
  }

  std::uint16_t port() const override { return server_->port(); }
  void run() override {
    asio::signal_set signals(io_, SIGINT, SIGTERM);
    signals.async_wait([this](error_code error, int) {
      if (!error) io_.stop();
    });
    io_.run();
  }
  void start() override {
    thread_ = std::thread([this] { io_.run(); });
  }
  void stop() override { io_.stop(); }

 private:
  /// An answer on its way, which may wait out a delay; shared with the timer's handler.
  struct Answering {
    SandboxRequest request;
    SandboxReply reply;
    Timestamp at;
    api::Respond respond;
    asio::steady_timer timer;
  };

  void answer(api::WebRequest asked, const api::Respond& respond) {
    auto answering = std::make_shared<Answering>(Answering{{}, {}, wall_clock(), respond, asio::steady_timer(io_)});
    auto& request = answering->request;
    request.method = std::move(asked.method);
    request.target = std::move(asked.target);
    request.headers = std::move(asked.headers);
    request.body = std::move(asked.body);
    answering->reply = sandbox_.handle(request, answering->at);
    if (answering->reply.delay <= Nanos{0}) return finish(*answering);
    answering->timer.expires_after(answering->reply.delay);
    answering->timer.async_wait([this, answering](error_code error) {
      if (!error) finish(*answering);
    });
  }

  /// The log's line comes before the answer goes out: who has an answer in hand finds it there.
  void finish(Answering& answering) {
    const auto& request = answering.request;
    const auto& reply = answering.reply;
    std::size_t whole = reply.refused ? 0 : reply.body.size();
    if (request.method == "HEAD") whole = 0;
    log_.write(log_entry(request, reply, answering.at, std::min(whole, reply.cut_after.value_or(whole))));
    answering.respond(to_web_reply(std::move(answering.reply)));
  }

  Sandbox& sandbox_;
  RequestLog log_;
  asio::io_context io_{1};
  std::unique_ptr<api::WebServer> server_;  // before the thread ends, after the context
  std::thread thread_;
};
}  // namespace

Result<std::unique_ptr<SandboxServer>> SandboxServer::listen(Sandbox& sandbox, const ServerOptions& options) {
  auto server = std::make_unique<Server>(sandbox);
  TRY_VOID(server->open(options));
  return server;
}

namespace {

int complain(const Error& error, int code) {
  std::fprintf(stderr, "callimport sandbox: %s\n", error.message.c_str());
  return code;
}

/// Until it is stopped; the address is said on stdout and to whoever waits for it.
int run_sandbox(Sandbox& sandbox, const ServerOptions& options, int ready_fd) {
  auto server = SandboxServer::listen(sandbox, options);
  if (!server) return complain(server.error(), 1);
  const std::string line = fmt::format("listening on {}:{}\n", options.host, (*server)->port());
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
  if (ready_fd >= 0) {
    if (::write(ready_fd, line.data(), line.size()) < 0)
      std::fputs("callimport sandbox: --ready-fd cannot be written\n", stderr);
    ::close(ready_fd);
  }
  (*server)->run();
  return 0;
}

int run_grain(const std::vector<std::string>& args) {
  const auto command = sandbox_options(args);
  if (!command) return complain(command.error(), 2);
  auto sandbox = GrainSandbox::make(command->grain);
  if (!sandbox) return complain(sandbox.error(), 2);
  (*sandbox)->start_at(wall_clock());
  return run_sandbox(**sandbox, {command->host, command->port, command->log_path}, command->ready_fd);
}

int run_slack(const std::vector<std::string>& args) {
  const auto command = slack_sandbox_options(args);
  if (!command) return complain(command.error(), 2);
  SlackSandbox sandbox(command->slack);
  return run_sandbox(sandbox, {command->host, command->port, command->log_path}, command->ready_fd);
}

}  // namespace

int sandbox_main(const std::vector<std::string>& args) {
  const std::string name = args.empty() ? "" : args[0];
  for (const std::string& word : args) {
    if (word != "--help" && word != "-h") continue;
    if (name != "slack") std::fputs(std::string(sandbox_usage()).c_str(), stdout);
    if (name == "slack" || name == word) std::fputs(std::string(slack_sandbox_usage()).c_str(), stdout);
    return 0;
  }
  const std::vector<std::string> flags(args.begin() + (args.empty() ? 0 : 1), args.end());
  if (name == "grain") return run_grain(flags);
  if (name == "slack") return run_slack(flags);
  return complain({Code::kInvalid, "which? There are: grain, slack (callimport sandbox --help)"}, 2);
}

}  // namespace callimport::simulations
