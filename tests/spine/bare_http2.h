#pragma once
// HTTP/2 by hand (RFC 9113), for tests of what no client library would do: connections that say half a thing, never
// read, or take everything back.
#include <cstdint>
#include <string>
#include <string_view>

namespace callimport::tests {

struct Frame {
  enum Type : unsigned char { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7 };
  unsigned char type = 0, flags = 0;
  std::uint32_t stream = 0;
  std::string payload{};
};
inline constexpr unsigned char kAck = 1;  ///< of settings and pings

std::string to_bytes(const Frame& frame);
/// A call's beginning, up to its message; its deadline is in a minute.
Frame call_headers(std::uint32_t stream, const std::string& method);
/// Its message and its end.
Frame call_message(std::uint32_t stream, std::string_view message);
/// The client's first words: preface and settings. @param window  bytes it takes of each stream unasked.
std::string greeting(std::uint32_t window);

/// One connection to a port of the loopback. Blocks; a wait of a minute is the other side's silence.
class BareHttp2 {
 public:
  /// Connects and says nothing yet. Throws when nobody listens.
  explicit BareHttp2(int port);
  ~BareHttp2();
  BareHttp2(BareHttp2&& other) noexcept;
  BareHttp2(const BareHttp2&) = delete;
  BareHttp2& operator=(const BareHttp2&) = delete;

  /// False: the other side is gone.
  bool send(std::string_view bytes);
  bool send(const Frame& frame) { return send(to_bytes(frame)); }
  /// Begins the next stream with a whole call. @return its number.
  std::uint32_t call(const std::string& method, std::string_view message);
  /// @return false at the end of the connection.
  bool receive(Frame& frame);
  /// Sends a ping and reads until its answer: everything sent before was read by the other side. False: it is gone.
  bool settle();
  /// Says no more and reads to the end, so that the other side is rid of it, too. False: it does not end.
  bool hang_up();
  /// The other side closed it: `receive` failed, and not for a minute's silence.
  bool ended() const { return ended_; }

 private:
  bool receive_bytes(std::size_t count, std::string& into);

  int fd_ = -1;
  bool ended_ = false;
  std::uint32_t next_stream_ = 1;
};

}  // namespace callimport::tests
