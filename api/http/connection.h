#pragma once
// One connection of the server, plain or TLS. Private to api/http.
#include <algorithm>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "api/http/server.h"

namespace callimport::api {

namespace beast_http = boost::beast::http;
using PlainStream = boost::beast::tcp_stream;
using TlsStream = boost::asio::ssl::stream<boost::beast::tcp_stream>;

class OpenConnection {
 public:
  virtual ~OpenConnection() = default;
  virtual void close() = 0;
};

/// What the connections of a server share; it outlives the server by the connections that still unwind.
struct WebShared {
  WebHandler handler;
  WebLimits limits;
  RefusedReply refused;
  std::set<OpenConnection*> open;
  /// For their answers: nobody else holds them then, and no answer that is kept too long holds them beyond the loop.
  std::map<OpenConnection*, std::shared_ptr<OpenConnection>> waiting;
};

inline WebRequest to_web_request(beast_http::request<beast_http::string_body>&& message) {
  WebRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

/// Keeps itself alive through its handlers, and through `waiting` while the answer is made; all of it on the loop.
template <class Stream>
class WebConnection final : public OpenConnection, public std::enable_shared_from_this<WebConnection<Stream>> {
  using error_code = boost::system::error_code;
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

 public:
  WebConnection(Stream stream, std::shared_ptr<WebShared> shared)
      : stream_(std::move(stream)), shared_(std::move(shared)) {
    shared_->open.insert(this);
  }
  WebConnection(const WebConnection&) = delete;
  WebConnection& operator=(const WebConnection&) = delete;
  ~WebConnection() override { shared_->open.erase(this); }

  void start() {
    if constexpr (kTls) {
      boost::beast::get_lowest_layer(stream_).expires_after(shared_->limits.request);
      stream_.async_handshake(boost::asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (!error) self->read();
                              });
    } else {
      read();
    }
  }

  void close() override {
    closed_ = true;
    boost::beast::get_lowest_layer(stream_).close();
    const auto last = shared_->waiting.extract(this);  // may be what we live by
  }

 private:
  /// A request's way to its answer. When its last copy goes without one, there will be none.
  struct Asked {
    Asked(std::weak_ptr<WebConnection> by, std::uint64_t which) : connection(std::move(by)), number(which) {}
    Asked(const Asked&) = delete;
    Asked& operator=(const Asked&) = delete;
    ~Asked() {
      if (const auto self = connection.lock(); self && self->awaits(number)) self->close();
    }
    std::weak_ptr<WebConnection> connection;
    std::uint64_t number;
  };
  bool awaits(std::uint64_t asked) const { return asked_ == asked && answered_ != asked && !closed_; }

  void read() {
    if (closed_) return;
    parser_.emplace();
    parser_->header_limit(shared_->limits.head_bytes);
    parser_->body_limit(shared_->limits.body_bytes);
    boost::beast::get_lowest_layer(stream_).expires_after(shared_->limits.request);
    beast_http::async_read(stream_, buffer_, *parser_,
                           [self = this->shared_from_this()](error_code error, std::size_t) { self->got(error); });
  }

  void got(error_code error) {
    using beast_http::error;
    if (closed_) return;
    if (error == error::body_limit) return refuse(413);
    if (error == error::header_limit) return refuse(431);
    const bool malformed = error.category() == make_error_code(error::bad_method).category();
    if (error && malformed && error != error::end_of_stream && error != error::partial_message) return refuse(400);
    if (error) return close();
    keep_alive_ = parser_->get().keep_alive();
    is_head_ = parser_->get().method() == beast_http::verb::head;
    boost::beast::get_lowest_layer(stream_).expires_never();
    auto shared = shared_;  // outlives the call, whatever the handler does to the server
    shared->waiting[this] = this->shared_from_this();
    // Shared by the copies of the answer's function.
    const auto asked = std::make_shared<Asked>(this->weak_from_this(), ++asked_);
    shared->handler(to_web_request(parser_->release()), [asked](WebReply reply) {
      const auto self = asked->connection.lock();
      if (!self || !self->awaits(asked->number)) return;
      self->answered_ = asked->number;
      self->shared_->waiting.erase(self.get());
      self->answer(std::move(reply));
    });
  }

  /// What cannot be read is answered by the server itself, and the line ends: where the next request begins is unknown.
  void refuse(int status) {
    keep_alive_ = is_head_ = false;
    answer(shared_->refused ? shared_->refused(status) : WebReply{.status = status});
  }

  void answer(WebReply reply) {
    if (reply.dropped) return reset();
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(reply.status));
    for (const auto& [name, value] : reply.headers) response_.set(name, value);
    response_.content_length(reply.body.size());
    response_.keep_alive(keep_alive_);
    boost::beast::get_lowest_layer(stream_).expires_after(shared_->limits.answer);
    cut_after_ = reply.cut_after;
    part_ = std::move(reply.body);
    if (is_head_ || cut_after_) return answer_in_part();
    response_.body() = std::move(part_);
    beast_http::async_write(stream_, response_,
                            [self = this->shared_from_this()](error_code error, std::size_t) { self->finish(error); });
  }

  /// The head promises the whole body; only a part of it follows: of a HEAD request none, and that is well.
  void answer_in_part() {
    serializer_.emplace(response_);
    beast_http::async_write_header(stream_, *serializer_,
                                   [self = this->shared_from_this()](error_code error, std::size_t) {
                                     if (error || self->is_head_) return self->finish(error);
                                     self->write_part();
                                   });
  }

  void write_part() {
    const std::size_t part = std::min(*cut_after_, part_.size());
    boost::asio::async_write(stream_, boost::asio::buffer(part_.data(), part),
                             [self = this->shared_from_this()](error_code, std::size_t) {
                               self->finish(boost::asio::error::connection_aborted);
                             });
  }

  void finish(error_code error) {
    if (closed_) return;
    if (!error && keep_alive_) return read();
    error_code ignored;
    boost::beast::get_lowest_layer(stream_).socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
    close();
  }

  void reset() {
    error_code ignored;
    boost::beast::get_lowest_layer(stream_).socket().set_option(boost::asio::socket_base::linger(true, 0), ignored);
    close();
  }

  Stream stream_;
  std::shared_ptr<WebShared> shared_;  // with the server and its other connections
  boost::beast::flat_buffer buffer_;
  std::optional<beast_http::request_parser<beast_http::string_body>> parser_;
  beast_http::response<beast_http::string_body> response_;
  std::optional<beast_http::response_serializer<beast_http::string_body>> serializer_;
  std::optional<std::size_t> cut_after_;
  std::string part_;
  std::uint64_t asked_ = 0, answered_ = 0;
  bool keep_alive_ = false, is_head_ = false, closed_ = false;
};

}  // namespace callimport::api
