#pragma once
// Who comes first in an import: the order of its manifest, from which the first lane is cut.
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/library/records.h"
#include "storage/model/result.h"

namespace callimport::storage {

struct LaneOrder {
  enum class By : std::uint8_t { kNewest, kLength, kOwner, kAccount };
  By by = By::kNewest;
  std::string who;  ///< of kOwner and kAccount: theirs come first; empty: one owner or account after another
  friend bool operator==(const LaneOrder&, const LaneOrder&) = default;
};

/// newest, length (the longest first), owner, account, owner:ana@acme.com, account:northwind.com; empty: newest.
/// @error kInvalid  says which there are.
Result<LaneOrder> parse_lane_order(std::string_view text);
/// "newest first", "the longest first", "those of ana@acme.com first".
std::string spoken_order(const LaneOrder& order);

/// The sort key of a call, smaller first; of equal keys the id decides. Within an owner or an account the newest comes
/// first; these follow each other by the first seven letters of their names.
std::int64_t position_for(const ManifestRow& row, const LaneOrder& order);

}  // namespace callimport::storage
