#pragma once
// One row a call of an import, from found to registered. A million of them stay cheap: no statement here reads or holds
// more rows than it answers, and counters move with the rows.
#include <array>
#include <string>
#include <vector>

#include "storage/library/imports.h"
#include "storage/library/library.h"

namespace callimport::storage {

inline constexpr std::size_t kManifestTitleBytesMax =
    512;  ///< longer titles are cut here; the call itself keeps the whole
inline constexpr std::size_t kManifestDetailBytesMax = 1024;
inline constexpr std::int64_t kFirstLaneCallsMax = 100'000;  ///< a longer first lane is cut to this

class ManifestReads {
 public:
  ManifestReads(Database& db, ImportReads& imports);
  Result<ManifestCounts> counts(const std::string& import, Lane lane);
  Result<std::vector<ManifestRow>> rows(const std::string& import, std::optional<CallState> state,
                                        const std::string& cause, const std::string& after_source_id, int limit);
  Result<std::optional<ManifestRow>> row(const std::string& import, const std::string& source_id);
  Result<std::vector<std::string>> named(const std::string& import);
  Result<bool> is_shared(const std::string& import, const std::string& source_id);
  Result<std::vector<Problem>> problems(const std::string& import);
  Result<std::int64_t> failed(const std::string& import, const std::string& cause);  ///< empty cause: of any

 private:
  ImportReads& imports_;
  Statement all_, in_state_, in_trouble_, without_words_, one_, problems_, wordless_, earliest_, failed_, named_,
      shared_;
};

/// Inside a transaction of the writer.
///
/// States only move forward: pending and staged to any other; registered, duplicate, skipped and failed stay, but for
/// failed on an explicit retry. So counters go down for pending only.
class ManifestWrites {
 public:
  ManifestWrites(Database& db, ImportReads& imports, ImportWrites& counters);
  Result<std::int64_t> add(const std::string& import, const std::vector<ManifestRow>& rows, const LaneOrder& order,
                           DuplicatePolicy policy);
  Result<> prioritize(const std::string& import, std::int64_t first_lane);
  Result<> name(const std::string& import, const std::vector<std::string>& source_ids);
  Result<std::vector<ManifestRow>> next_pending(const std::string& import, Lane lane, std::int64_t now_ms, int limit);
  Result<> put_off(const std::string& import, const std::string& source_id, std::int64_t not_before_ms);
  Result<std::int64_t> retry_failed(const std::string& import, const std::string& cause);

  Result<std::int64_t> retry_calls(const std::string& import, const std::vector<std::string>& source_ids);

  /// A row on the move, found once.
  struct Place {
    std::int64_t import = 0;
    std::string source_id;
    Lane lane = Lane::kBulk;
    CallState state = CallState::kPending;
  };
  Result<Place> find(const std::string& import, const std::string& source_id);  ///< @error kNotFound
  /// @param media_bytes  of a call that becomes registered.  @error kConflict  not a move forward.
  Result<> move(const Place& place, CallState to, std::string_view cause, std::string_view detail,
                std::int64_t media_bytes);
  /// To kDuplicate, of that call of the library.
  Result<> repeat(const Place& place, const std::string& call, std::string_view cause);

 private:
  Result<bool> insert(std::int64_t import, const ManifestRow& row, std::int64_t position, CallState state,
                      const std::string& repeats);

  /// Rows of one kind that stand on the wrong side of the first lane's end: counted by state, then moved.
  struct Crossing {
    Lane from;
    Statement count, move;
  };
  struct Boundary {
    std::int64_t position = 0;
    std::string source_id;
  };
  Result<Boundary> end_of_first_lane(std::int64_t import, std::int64_t calls);
  Result<> cross(std::int64_t import, Crossing& crossing, const Boundary& end);

  Database& db_;
  ImportReads& imports_;
  ImportWrites& counters_;
  Statement set_repeats_, workspace_, registered_, insert_, find_, move_, put_off_, fresh_, due_, boundary_;
  std::array<Crossing, 3> crossings_;
  Statement failed_by_lane_, retry_, retry_one_, forget_names_, name_, tried_again_;
};

/// The longest start of `text` within `bytes_max` that does not cut a UTF-8 character.
std::string clipped(std::string_view text, std::size_t bytes_max);

}  // namespace callimport::storage
