#pragma once
// What a scrape of the metrics reads of the library: imports that changed since the one before, and of the others only
// that they did not.
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/library/library.h"
#include "storage/quota/view.h"
#include "storage/vault/vault.h"

namespace callimport::api {

/// An import with its changes since the look before.
struct SeenImport {
  storage::ImportRow row;
  std::vector<storage::StageChange> changes;
};
struct MeasureLook {
  std::int64_t now_ms = 0;
  std::vector<SeenImport> imports;
  std::optional<std::vector<storage::CredentialFacts>> credentials;  ///< absent: those of the look before still hold
  std::vector<storage::BudgetView> budgets;
};
inline constexpr int kMeasuredImportsMax = 20'000;          ///< open ones; further ones are not looked at
inline constexpr std::int64_t kCredentialsHoldMs = 60'000;  ///< for so long

/// Up to where was counted.
struct MeasurePlace {
  std::unordered_map<std::string, std::int64_t> changes;  ///< of each import that was open, by id
  std::int64_t at_ms = 0;                                 ///< of the look before; 0: there was none
  std::int64_t credentials_ms = 0;                        ///< when these were read
};

/// Reads what changed since `place`; without a look before it everything that is open, since counting begins there.
/// Blocks.
Result<MeasureLook> look_for_measures(storage::Library& library, storage::Vault& vault, const MeasurePlace& place,
                                      std::int64_t now_ms);

}  // namespace callimport::api
