#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>

#include "activities/media/child.h"
#include "activities/media/examine.h"
#include "activities/media/libav.h"
#include "activities/media/lockdown.h"

namespace callimport::activities {
namespace {
constexpr int kSocket = 0;

struct Order {
  std::int64_t expected_duration_ms = 0;
  int file = -1;
};

/// The next order; nullopt: the parent is gone.
std::optional<Order> receive() {
  char text[64];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec part{text, sizeof text};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(kSocket, &message, MSG_CMSG_CLOEXEC);
  if (got <= 0) return std::nullopt;
  Order order;
  std::from_chars(text, text + got, order.expected_duration_ms);
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (head != nullptr && head->cmsg_type == SCM_RIGHTS) std::memcpy(&order.file, CMSG_DATA(head), sizeof(int));
  return order;
}

bool answer(std::string text) {
  if (text.size() > kProbePacketBytesMax) text = "{}";  // the parent takes it for what it is: no verdict
  iovec part{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return sendmsg(kSocket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string examine(const Order& order) {
  const off_t size =
      order.file < 0 ? -1 : lseek(order.file, 0, SEEK_END);  // fstat would need a call that also takes paths
  if (size < 0) return "{}";
  MediaBytes bytes;
  bytes.size = static_cast<std::uint64_t>(size);
  bytes.read = [file = order.file](std::uint64_t offset, std::span<std::byte> into) -> Result<std::size_t> {
    const ssize_t got = pread(file, into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0) return fail(Code::kUnavailable, "the file cannot be read");
    return static_cast<std::size_t>(got);
  };
  return write_verdict(examine_media(bytes, order.expected_duration_ms));
}

/// Whatever a first use loads or asks of the system happens before the filter: locale, allocator, codec tables.
void warm_up() {
  const std::string nothing = "RIFF";
  MediaBytes bytes;
  bytes.size = nothing.size();
  bytes.read = [&nothing](std::uint64_t offset, std::span<std::byte> into) -> Result<std::size_t> {
    return nothing.copy(reinterpret_cast<char*>(into.data()), into.size(),
                        std::min(nothing.size(), static_cast<std::size_t>(offset)));
  };
  (void)write_verdict(examine_media(bytes, 0));
}
}  // namespace

int media_probe_child_main() {
  (void)syscall(SYS_close_range, 3u, ~0u, 0u);
  if (auto loaded = load_libav(); !loaded) {
    std::fprintf(stderr, "callimport media-probe: %s\n", loaded.error().message.c_str());
    return 3;
  }
  warm_up();
  if (auto bounded = lock_down_this_process(); !bounded) {
    std::fprintf(stderr, "callimport media-probe: %s\n", bounded.error().message.c_str());
    return 3;
  }
  while (const auto order = receive()) {
    const std::string verdict = examine(*order);
    if (order->file >= 0) close(order->file);
    if (!answer(verdict)) break;
  }
  return 0;
}

}  // namespace callimport::activities
