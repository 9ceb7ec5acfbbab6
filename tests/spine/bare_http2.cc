#include "tests/spine/bare_http2.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace callimport::tests {
namespace {

inline constexpr std::size_t kFrameHeadBytes = 9;
inline constexpr unsigned char kEndStream = 1, kEndHeaders = 4;
inline constexpr timeval kSilenceMax{60, 0};

std::string big_endian(std::uint32_t number, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(number >> shift & 0xff);
  return text;
}

/// HPACK: a text of less than 127 bytes, as it is.
std::string header_text(std::string_view text) {
  if (text.size() >= 127) throw std::runtime_error("a header text of more than one length byte");
  return static_cast<char>(text.size()) + std::string(text);
}

}  // namespace

std::string to_bytes(const Frame& frame) {
  return big_endian(static_cast<std::uint32_t>(frame.payload.size()), 3) + static_cast<char>(frame.type) +
         static_cast<char>(frame.flags) + big_endian(frame.stream, 4) + frame.payload;
}

Frame call_headers(std::uint32_t stream, const std::string& method) {
  // RFC 7541: 0x83 is :method POST, 0x86 :scheme http; 1 and 4 name :authority and :path; 0 begins a name in full.
  const std::string fields = std::string("\x83\x86\x01") + header_text("localhost") + '\x04' + header_text(method) +
                             '\0' + header_text("content-type") + header_text("application/grpc") + '\0' +
                             header_text("te") + header_text("trailers") + '\0' + header_text("grpc-timeout") +
                             header_text("60S");
  return {Frame::kHeaders, kEndHeaders, stream, fields};
}

Frame call_message(std::uint32_t stream, std::string_view message) {
  const auto length = static_cast<std::uint32_t>(message.size());
  return {Frame::kData, kEndStream, stream, '\0' + big_endian(length, 4) + std::string(message)};
}

std::string greeting(std::uint32_t window) {
  constexpr std::uint32_t kInitialWindowSize = 4;
  const Frame settings{Frame::kSettings, 0, 0, big_endian(kInitialWindowSize, 2) + big_endian(window, 4)};
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + to_bytes(settings);
}

BareHttp2::BareHttp2(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(port));
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kSilenceMax, sizeof kSilenceMax);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    ::close(fd_);
    throw std::runtime_error("no connection to port " + std::to_string(port));
  }
}
BareHttp2::~BareHttp2() {
  if (fd_ >= 0) ::close(fd_);
}
BareHttp2::BareHttp2(BareHttp2&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ended_(other.ended_), next_stream_(other.next_stream_) {}

bool BareHttp2::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::uint32_t BareHttp2::call(const std::string& method, std::string_view message) {
  const std::uint32_t stream = std::exchange(next_stream_, next_stream_ + 2);
  send(to_bytes(call_headers(stream, method)) + to_bytes(call_message(stream, message)));
  return stream;
}

bool BareHttp2::receive_bytes(std::size_t count, std::string& into) {
  into.resize(count);
  for (std::size_t got = 0; got < count;) {
    const auto more = ::recv(fd_, into.data() + got, count - got, 0);
    ended_ = more == 0 || (more < 0 && errno == ECONNRESET);
    if (more <= 0) return false;
    got += static_cast<std::size_t>(more);
  }
  return true;
}

bool BareHttp2::receive(Frame& frame) {
  std::string head;
  if (!receive_bytes(kFrameHeadBytes, head)) return false;
  const auto byte = [&head](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(head[i])); };
  frame.type = static_cast<unsigned char>(head[3]);
  frame.flags = static_cast<unsigned char>(head[4]);
  frame.stream = (byte(5) & 0x7f) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
  return receive_bytes(byte(0) << 16 | byte(1) << 8 | byte(2), frame.payload);
}

bool BareHttp2::settle() {
  if (!send({Frame::kPing, 0, 0, std::string(8, 'p')})) return false;
  for (Frame frame; receive(frame);) {
    if (frame.type == Frame::kPing && frame.flags == kAck) return true;
    if (frame.type == Frame::kGoAway) return false;
  }
  return false;
}

bool BareHttp2::hang_up() {
  ::shutdown(fd_, SHUT_WR);
  for (Frame frame; receive(frame);) {
  }
  return ended_;
}

}  // namespace callimport::tests
