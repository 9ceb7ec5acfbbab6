#pragma once
// ENSURE: what we believe at this point. On in release: a broken invariant aborts, the supervisor restarts us and the
// journal replays.
namespace callimport {
[[noreturn]] void ensure_failed(const char* expression, const char* file, int line);
}
#define ENSURE(expression) \
  ((expression) ? static_cast<void>(0) : ::callimport::ensure_failed(#expression, __FILE__, __LINE__))
