#pragma once
// Access that is known to end: told a week and a day before, where the import is not expected to be done by then. Only
// of access that nobody renews by itself.
#include <cstdint>

#include "activities/notify/turn.h"

namespace callimport::activities {

inline constexpr const char* kAccessEnds = "access_ends";  ///< kind on the agenda; the key is the import

struct AccessEnd {
  std::string import, credential;
  std::int64_t at_ms = 0;
};
/// To be remembered from `now_ms` on: due at once when less than a week is left.
storage::AgendaRow access_ends_at(const AccessEnd& end, std::int64_t now_ms);
/// Of a row of these.
std::int64_t access_end_of(const storage::AgendaRow& known);
/// @param finish_ms  when the import is expected to be done; 0: nobody can say
Turn access_ends_due(const storage::AgendaRow& known, const storage::ImportRow& import, std::int64_t finish_ms,
                     std::int64_t now_ms);

}  // namespace callimport::activities
