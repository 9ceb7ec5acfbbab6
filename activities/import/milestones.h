#pragma once
// What is told because of where an import has come to, beside its changes of place: half way, and the end of what
// wanted a person. Inside the transaction of what brought it there.
#include <cstdint>

#include "activities/import/outlook.h"

namespace callimport::activities {

/// Half of the calls are in the library, all are counted, and some are still to come.
bool is_half_way(const storage::ImportRow& import);
/// Once an import, whatever it goes through: the record's id is the import's.
Result<> tell_half_way(storage::LibraryTx& tx, const storage::ImportRow& import, const Outlook& outlook,
                       std::int64_t now_ms);

inline constexpr const char* kAttention = "attention";  ///< kind on the agenda: since when a person is wanted; the key
                                                        ///< is the import
/// A told change, as its record stands: remembers since when a person is wanted, and turns what ends it into
/// import.attention_ended.  @param before  the lane's condition and reason before the change
Result<> mark_attention(storage::LibraryTx& tx, const storage::LaneRow& before, storage::Notification& record);

}  // namespace callimport::activities
