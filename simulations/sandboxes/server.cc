#include "simulations/sandboxes/server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <cstdio>
#include <thread>

#include "simulations/sandboxes/grain.h"

namespace callimport::simulations {
namespace {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kRequestBodyMax = 4u << 20;
constexpr int kBacklog = 1024;

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

struct Shared {
  Sandbox& sandbox;
  RequestLog log;
  int connections = 0;
};

/// One connection. Keeps itself alive through its handlers; all of them run on the server's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), shared_(shared) {
    ++shared_.connections;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { --shared_.connections; }

  void read() {
    parser_.emplace();
    parser_->body_limit(kRequestBodyMax);
    http::async_read(socket_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->answer();
    });
  }

 private:
  void answer() {
    const auto& message = parser_->get();
    request_ = {};
    request_.method = std::string(message.method_string());
    request_.target = std::string(message.target());
    for (const auto& field : message) {
      std::string name(field.name_string());
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request_.headers.emplace_back(std::move(name), std::string(field.value()));
    }
    request_.body = message.body();
    at_ = wall_clock();
    reply_ = shared_.sandbox.handle(request_, at_);
    if (reply_.delay <= Nanos{0}) return respond();
    timer_.expires_after(reply_.delay);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (!error) self->respond();
    });
  }

  void respond() {
    // Before the answer goes out: who has an answer in hand finds its line in the log.
    if (request_.method == "HEAD") reply_.cut_after = 0;
    const std::size_t whole = reply_.refused ? 0 : reply_.body.size();
    shared_.log.write(log_entry(request_, reply_, at_, std::min(whole, reply_.cut_after.value_or(whole))));
    if (reply_.refused) return reset();
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(reply_.status));
    for (const auto& [name, value] : reply_.headers) response_.set(name, value);
    response_.content_length(reply_.body.size());
    response_.keep_alive(parser_->get().keep_alive());
    if (reply_.cut_after) return respond_in_part();
    response_.body() = std::move(reply_.body);
    http::async_write(socket_, response_,
                      [self = shared_from_this()](error_code error, std::size_t) { self->finish(error); });
  }

  /// The head promises the whole body; only the first part follows, then the line drops (or, after HEAD, nothing more
  /// is due).
  void respond_in_part() {
    serializer_.emplace(response_);
    http::async_write_header(socket_, *serializer_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->finish(error);
      const std::size_t part = std::min(*self->reply_.cut_after, self->reply_.body.size());
      asio::async_write(self->socket_, asio::buffer(self->reply_.body.data(), part),
                        [self](error_code late, std::size_t) {
                          const bool is_head = self->request_.method == "HEAD";
                          self->finish(is_head ? late : error_code(asio::error::connection_aborted));
                        });
    });
  }

  void finish(error_code error) {
    if (error || !response_.keep_alive()) {
      error_code ignored;
      socket_.shutdown(tcp::socket::shutdown_both, ignored);
      return;
    }
    read();
  }

  void reset() {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  SandboxRequest request_;
  SandboxReply reply_;
  Timestamp at_;
  Shared& shared_;
};

class Server final : public SandboxServer {
 public:
  explicit Server(Sandbox& sandbox) : shared_{sandbox, {}, 0}, acceptor_(io_), pause_(io_) {}
  ~Server() override {
    stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<> open(const ServerOptions& options) {
    if (!options.log_path.empty()) TRY_VOID(shared_.log.open(options.log_path));
    error_code error;
    const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
    if (error) return fail(Code::kUnavailable, options.host + " is not an address of this machine");
    const tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(kBacklog, error);
    if (error)
      return fail(Code::kUnavailable,
                  fmt::format("cannot listen on {}:{}: {}", options.host, options.port, error.message()));
    port_ = acceptor_.local_endpoint().port();
    accept();
    return {};
  }

  std::uint16_t port() const override { return port_; }
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
  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) {  // out of descriptors: others must go first
        pause_.expires_after(std::chrono::milliseconds{50});
        pause_.async_wait([this](error_code) { accept(); });
        return;
      }
      if (shared_.connections < kServerConnectionsMax) {
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        std::make_shared<Connection>(std::move(socket), shared_)->read();
      }
      accept();
    });
  }

  Shared shared_;  // before the context: connections left in it refer to this
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};
}  // namespace

Result<std::unique_ptr<SandboxServer>> SandboxServer::listen(Sandbox& sandbox, const ServerOptions& options) {
  auto server = std::make_unique<Server>(sandbox);
  TRY_VOID(server->open(options));
  return server;
}

int sandbox_main(const std::vector<std::string>& args) {
  const auto complain = [](const Error& error) {
    std::fprintf(stderr, "callimport sandbox: %s\n", error.message.c_str());
  };
  for (const std::string& word : args) {
    if (word != "--help" && word != "-h") continue;
    std::fputs(std::string(sandbox_usage()).c_str(), stdout);
    return 0;
  }
  if (args.empty() || args[0] != "grain") {
    return complain({Code::kInvalid, "which platform? There is: grain (callimport sandbox grain --help)"}), 2;
  }
  const auto command = sandbox_options({args.begin() + 1, args.end()});
  if (!command) return complain(command.error()), 2;
  auto sandbox = GrainSandbox::make(command->grain);
  if (!sandbox) return complain(sandbox.error()), 2;
  (*sandbox)->start_at(wall_clock());
  auto server = SandboxServer::listen(**sandbox, {command->host, command->port, command->log_path});
  if (!server) return complain(server.error()), 1;
  const std::string line = fmt::format("listening on {}:{}\n", command->host, (*server)->port());
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
  if (command->ready_fd >= 0) {
    if (::write(command->ready_fd, line.data(), line.size()) < 0)
      std::fputs("callimport sandbox: --ready-fd cannot be written\n", stderr);
    ::close(command->ready_fd);
  }
  (*server)->run();
  return 0;
}

}  // namespace callimport::simulations
