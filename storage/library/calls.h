#pragma once
// The library itself: calls with their participants and segments, once each by (platform, workspace, source id).
#include <optional>
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/runtime/random.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

inline constexpr int kSegmentBits = 24;  ///< a segment's row: call << kSegmentBits | its place
inline constexpr std::size_t kSegmentsPerCallMax = (std::size_t{1} << kSegmentBits) - 1;

class CallReads {
 public:
  explicit CallReads(Database& db);
  Result<Call> get(const std::string& id);
  Result<std::vector<Call>> list(const CallFilter& filter, const std::string& after_id, int limit);

 private:
  struct Numbered {
    std::int64_t number = 0;
    std::string tags;  ///< as stored
    Call call;
  };
  static Numbered read_call(const Statement& row);
  Result<Numbered> find(const std::string& id);
  Result<Call> with_participants(Numbered row);

  Statement exact_, by_prefix_, newest_, newest_of_import_, participants_, segments_;
};

/// Whose import brings a call: stored with it, whatever the call says itself.
struct Provenance {
  std::string platform, workspace, import;
};

/// Inside a transaction of the writer.
class CallWrites {
 public:
  CallWrites(Database& db, Random& random);
  /// Whether the library has the call already.
  Result<bool> knows(const std::string& platform, const std::string& workspace, const std::string& source_id);
  /// Puts a call in that the library does not have, under a new id.  @error kInvalid  over kSegmentsPerCallMax
  Result<> insert(const Call& call, const Provenance& from);

 private:
  Result<std::int64_t> insert_facts(const Call& call, const Provenance& from);

  Database& db_;
  Random& random_;
  Statement knows_, insert_, insert_participant_, insert_segment_, index_segment_;
};

}  // namespace callimport::storage
