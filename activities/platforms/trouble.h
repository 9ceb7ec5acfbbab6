#pragma once
// What can come instead of an answer, named by what the import does about it (design section 3).
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>

#include "storage/model/time.h"

namespace callimport::activities {

inline constexpr Nanos kShortWaitMax = std::chrono::seconds{60};  ///< up to here a delayed retry, beyond it a told wait

/// Worth another try soon, nobody needs to hear of it: 5xx, a cut line, a 429 of up to kShortWaitMax.
struct Again {
  std::string cause, message;
  std::optional<Nanos> after;
};
/// Goes on by itself at `until`: long 429, daily quota, outage.
struct Wait {
  std::string cause, message;
  Timestamp until;
};
/// A person must act: access expired, revoked, scope missing.
struct NeedsAttention {
  std::string cause, message, who;
};
/// What came instead of a good recording: kept in quarantine under its hash.
struct BrokenFile {
  std::string hash;
  std::int64_t bytes = 0;
};
/// This call cannot come across; the rest goes on: deleted, private, no recording, damaged.
struct CallFailed {
  std::string cause, message;
  std::optional<BrokenFile> file = std::nullopt;
};
/// This call is not ready yet; look again at `until`.
struct NotReady {
  std::string cause;
  Nanos after;
};

using Trouble = std::variant<Again, Wait, NeedsAttention, CallFailed, NotReady>;
template <class T>
using Fetched = tl::expected<T, Trouble>;

}  // namespace callimport::activities
