#include "api/http/server.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/http/connection.h"

namespace callimport::api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kBacklog = 1024;
constexpr std::chrono::milliseconds kNoDescriptors{50};  ///< until the next try, when others must go first

class BeastServer final : public WebServer {
 public:
  BeastServer(asio::io_context& io, WebHandler handler, const WebServerOptions& options)
      : shared_(std::make_shared<WebShared>(WebShared{std::move(handler), options.limits, options.refused, {}, {}})),
        acceptor_(std::make_shared<Acceptor>(io)) {}
  BeastServer(const BeastServer&) = delete;
  BeastServer& operator=(const BeastServer&) = delete;
  ~BeastServer() override {
    acceptor_->server = nullptr;
    error_code ignored;
    acceptor_->socket.close(ignored);
    acceptor_->pause.cancel();
    const auto open = shared_->open;  // a copy: closing may end some
    for (auto* connection : open) connection->close();
  }

  Result<> open(const WebServerOptions& options) {
    if (!options.tls_cert.empty()) TRY_VOID(use_tls(options));
    error_code error;
    const auto address = asio::ip::make_address(options.host == "localhost" ? "127.0.0.1" : options.host, error);
    if (error) return fail(Code::kUnavailable, options.host + " is not an address of this machine");
    const tcp::endpoint endpoint(address, options.port);
    auto& socket = acceptor_->socket;
    socket.open(endpoint.protocol(), error);
    if (!error) socket.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) socket.bind(endpoint, error);
    if (!error) socket.listen(kBacklog, error);
    if (error) {
      const Code code = error == asio::error::address_in_use ? Code::kConflict : Code::kUnavailable;
      return fail(code, fmt::format("cannot listen on {}:{}: {}", options.host, options.port, error.message()));
    }
    port_ = socket.local_endpoint().port();
    acceptor_->server = this;
    accept(acceptor_);
    return {};
  }

  std::uint16_t port() const override { return port_; }
  int connections() const override { return static_cast<int>(shared_->open.size()); }

 private:
  /// Shared with its handler, which may come after the server has gone.
  struct Acceptor {
    explicit Acceptor(asio::io_context& io) : socket(io), pause(io) {}
    tcp::acceptor socket;
    asio::steady_timer pause;
    BeastServer* server = nullptr;
  };

  Result<> use_tls(const WebServerOptions& options) {
    error_code error;
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
    if (!error) tls_->use_certificate_chain(asio::buffer(options.tls_cert), error);
    if (!error) tls_->use_private_key(asio::buffer(options.tls_key), asio::ssl::context::pem, error);
    if (error) return fail(Code::kInvalid, "TLS cannot use the certificate and key: " + error.message());
    return {};
  }

  static void accept(const std::shared_ptr<Acceptor>& acceptor) {
    acceptor->socket.async_accept([acceptor](error_code error, tcp::socket socket) {
      if (acceptor->server == nullptr || error == asio::error::operation_aborted) return;
      if (!error) {
        acceptor->server->take(std::move(socket));
        return accept(acceptor);
      }
      acceptor->pause.expires_after(kNoDescriptors);
      acceptor->pause.async_wait([acceptor](error_code) {
        if (acceptor->server != nullptr) accept(acceptor);
      });
    });
  }

  void take(tcp::socket socket) {
    if (connections() >= shared_->limits.connections) return;
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (tls_) {
      std::make_shared<WebConnection<TlsStream>>(TlsStream(PlainStream(std::move(socket)), *tls_), shared_)->start();
    } else {
      std::make_shared<WebConnection<PlainStream>>(PlainStream(std::move(socket)), shared_)->start();
    }
  }

  std::shared_ptr<WebShared> shared_;  // with the connections
  std::optional<asio::ssl::context> tls_;
  std::shared_ptr<Acceptor> acceptor_;
  std::uint16_t port_ = 0;
};

}  // namespace

Result<std::unique_ptr<WebServer>> WebServer::listen(asio::io_context& io, WebHandler handler,
                                                     WebServerOptions options) {
  auto server = std::make_unique<BeastServer>(io, std::move(handler), options);
  TRY_VOID(server->open(options));
  return server;
}

}  // namespace callimport::api
