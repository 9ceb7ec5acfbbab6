#pragma once
// What can be said of an import's end when something is told: reckoned once, before the transaction, and written with
// the change.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "activities/import/contract.h"
#include "activities/import/deps.h"
#include "storage/library/library.h"

namespace callimport::activities {

inline constexpr std::int64_t kReckonAgainMs = 600'000;  ///< while nothing else is told, the end is reckoned so often

struct Outlook {
  std::optional<std::int64_t> from_ms, to_ms;  ///< of the end, unix ms; nothing: nobody can say yet
  std::string because;                         ///< what sets the pace, as part of a sentence
  bool paced = false;                          ///< from what was seen; else from what was foretold at the start
  std::int64_t size_bytes = 0;  ///< of all recordings, from earlier imports of the platform; 0: nobody can say
};

/// How the import may end once the lanes stand as `changes` say. Blocks; what cannot be read is not foretold.
Outlook outlook_of(const ImportDeps& deps, const std::string& import, const std::vector<LaneChange>& changes);
/// The same while a batch is under way, where it is time to look again: an import that was promised for some time, and
/// was not looked at for kReckonAgainMs. Nothing: it is not.
Outlook outlook_when_due(const ImportDeps& deps, const std::string& import);

/// The expected end as a record's facts; of import.counted also how long it will take from then on.
void add_outlook(storage::Notification& record, const Outlook& outlook);
/// What was said before the start, as facts of import.started.
nlohmann::json foretold_facts(const ImportInput& input, std::int64_t created_ms);
/// When the first calls should be playable; 0: nobody can say.
std::int64_t first_by_ms(const ImportInput& input, std::int64_t created_ms);

/// Inside a transaction: the end held against what people were last told. Late or on time again is recorded here.
Result<> weigh_outlook(storage::LibraryTx& tx, const std::string& import, const Outlook& outlook, std::int64_t now_ms);

}  // namespace callimport::activities
