#pragma once
// The metrics of a running house as Prometheus reads them (docs/metrics.md names them). Counters begin at zero with the
// process. No label is a customer, an import or a call.
//
// They are made from what the library says at each scrape: rows and timelines that changed since the scrape before. So
// nothing is counted twice, and nothing has to remember to count.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/quota/view.h"
#include "storage/vault/vault.h"

namespace callimport::api {

/// An import that is open, or was at the look before, with its changes since then.
struct SeenImport {
  storage::ImportRow row;
  std::vector<storage::StageChange> changes;
};
struct MeasureLook {
  std::int64_t now_ms = 0;
  std::vector<SeenImport> imports;
  std::vector<storage::CredentialFacts> credentials;
  std::vector<storage::BudgetView> budgets;
};
inline constexpr int kMeasuredImportsMax = 20'000;  ///< open ones; further ones are not looked at

/// The change up to which an import was counted, by id.
using CountedChanges = std::map<std::string, std::int64_t>;
/// Reads what changed. Blocks.
/// @param since_ms  of the look before; 0: nothing was counted yet, so what is there is where counting begins
Result<MeasureLook> look_for_measures(storage::Library& library, storage::Vault& vault, const CountedChanges& counted,
                                      std::int64_t since_ms, std::int64_t now_ms);

/// Threads: the loop.
class Measures {
 public:
  Measures(const std::string& version, const std::string& commit);
  ~Measures();
  Measures(const Measures&) = delete;
  Measures& operator=(const Measures&) = delete;

  const CountedChanges& counted() const;
  std::int64_t counted_at_ms() const;  ///< the last look; 0: none was taken yet
  void take(const MeasureLook& look);
  /// The text format, with what the process itself says of its memory, descriptors and time.
  std::string text() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace callimport::api
