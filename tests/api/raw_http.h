#pragma once
// HTTP as bytes on a socket: what no well-behaved client would send, and exactly what came back.
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace callimport::tests {

/// One connection to 127.0.0.1. Blocks.
class RawHttp {
 public:
  explicit RawHttp(std::uint16_t port) : socket_(io_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port}, error_);
  }
  void send(std::string_view bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes), error_); }
  /// All that comes until the other side ends the line.
  std::string rest() {
    std::string got;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(got), error_);
    return got;
  }
  /// What has come once `end` is in it, or the line ended.
  std::string until(std::string_view end) {
    std::string got;
    char piece[4096];
    while (got.find(end) == std::string::npos) {
      const auto size = socket_.read_some(boost::asio::buffer(piece), error_);
      if (error_) break;
      got.append(piece, size);
    }
    return got;
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  boost::system::error_code error_;
};

/// The whole answer to one request, head and body.
inline std::string http_exchange(std::uint16_t port, std::string_view bytes) {
  RawHttp line(port);
  line.send(bytes);
  return line.rest();
}
/// GET of a path, with further header lines, each ended by CRLF.
inline std::string http_get(std::uint16_t port, const std::string& target, const std::string& more = {}) {
  return http_exchange(port, "GET " + target + " HTTP/1.1\r\nHost: here\r\nConnection: close\r\n" + more + "\r\n");
}
inline int http_status(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}
inline std::string http_body(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : answer.substr(end + 4);
}

}  // namespace callimport::tests
