#pragma once
// What people want to hear no more of. Which record that keeps from whom is decided above (activities/notify/muting).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

enum class MuteScope : std::uint8_t { kAll, kImport, kWorkspace, kEvent };
std::string_view to_string(MuteScope scope);  ///< all, import, workspace, event

inline constexpr int kMutesPerPersonMax = 10'000;

struct MuteRow {
  std::string person;  ///< of the configuration, or "customer:" and a workspace
  MuteScope scope = MuteScope::kAll;
  std::string target = {};  ///< an import, a workspace, an event; of all: empty
  std::int64_t at_ms = 0;
  std::string who = {}, origin = {}, why = {};  ///< did it, as actions have them
};

class MuteReads {
 public:
  explicit MuteReads(Database& db);
  /// Newest first; empty: of everybody.
  Result<std::vector<MuteRow>> list(const std::string& person, int limit);
  /// Whatever concerns a record of this import (empty: of none), its workspace and this event: of all before of one.
  Result<std::vector<MuteRow>> holding(const std::string& import, const std::string& workspace,
                                       const std::string& event);
  Result<std::optional<MuteRow>> find(const std::string& person, MuteScope scope, const std::string& target);
  Result<std::int64_t> count(const std::string& person);

 private:
  Statement list_, list_of_, holding_, find_, count_;
};

/// Inside a transaction of the writer.
class MuteWrites {
 public:
  explicit MuteWrites(Database& db);
  /// One that is there stays as it is: answers whether it is new.
  /// @error kInvalid  the person has kMutesPerPersonMax; a target where there is none, or none where there is one.
  Result<bool> put(const MuteRow& row);
  /// Answers how many there were, 0 or 1.
  Result<std::int64_t> drop(const std::string& person, MuteScope scope, const std::string& target);
  Result<std::int64_t> drop_all(const std::string& person);

  MuteReads& reads() { return reads_; }

 private:
  Database& db_;
  MuteReads reads_;
  Statement put_, drop_, drop_all_;
};

}  // namespace callimport::storage
