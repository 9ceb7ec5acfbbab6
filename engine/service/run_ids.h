#pragma once
// Which run has this id. Run ids are UUIDs, so 16 bytes of each are kept in the place of 36 characters: there is one
// for every run within its retention.
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "engine/service/uuid_text.h"
#include "storage/journal/journal.h"
#include "storage/model/ensure.h"

namespace callimport::engine {

/// Threads: one at a time.
class RunIds {
 public:
  void set(std::string_view run_id, storage::RunKey run) {
    const auto bytes = uuid_bytes(run_id);
    ENSURE(bytes.has_value());
    runs_[*bytes] = run;
  }
  /// @return nothing: no run has it, or it is no UUID.
  std::optional<storage::RunKey> find(std::string_view run_id) const {
    const auto bytes = uuid_bytes(run_id);
    if (!bytes) return std::nullopt;
    const auto it = runs_.find(*bytes);
    return it == runs_.end() ? std::nullopt : std::optional(it->second);
  }
  void erase(std::string_view run_id) {
    if (const auto bytes = uuid_bytes(run_id)) runs_.erase(*bytes);
  }

 private:
  /// Random as they are, their first bytes are as good as a hash of all.
  struct FirstBytes {
    std::size_t operator()(const UuidBytes& id) const {
      std::size_t hash = 0;
      std::memcpy(&hash, id.data(), sizeof hash);
      return hash;
    }
  };
  std::unordered_map<UuidBytes, storage::RunKey, FirstBytes> runs_;
};

}  // namespace callimport::engine
