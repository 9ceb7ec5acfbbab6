#include "storage/runtime/os_random.h"

#include <sys/random.h>

#include <cerrno>

#include "storage/model/ensure.h"

namespace callimport {

void OsRandom::fill(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    ENSURE(got > 0);  // without chance there are no ids and no keys: stop
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace callimport
