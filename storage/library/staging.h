#pragma once
// Calls fetched whole that are not in the library yet, in the order they came.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/library/records.h"
#include "storage/sqlite/database.h"

struct ZSTD_CCtx_s;

namespace callimport::storage {

inline constexpr std::size_t kPlainBytesMax = 1024;            ///< a longer text is stored under zstd
inline constexpr std::size_t kStagedCallBytesMax = 256 << 20;  ///< of one call as JSON
inline constexpr std::int64_t kStagedPortionBytesMax = 32
                                                       << 20;  ///< of calls read at once, unless a single one is longer

/// Of a row of form, bytes and body.  @error kCorrupt
Result<Call> read_staged(const Statement& row);

/// Inside a transaction of the writer.
class Staging {
 public:
  explicit Staging(Database& db);
  ~Staging();
  /// Puts in, or replaces what is there for the call.  @error kInvalid  over kStagedCallBytesMax
  Result<> put(std::int64_t import, const Call& call);
  Result<> drop(std::int64_t import, const std::string& source_id);
  Result<std::vector<Call>> oldest(std::int64_t import, int limit);

 private:
  struct FreeContext {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  Statement put_, drop_, oldest_;
  std::unique_ptr<ZSTD_CCtx_s, FreeContext> compressor_;
};

}  // namespace callimport::storage
