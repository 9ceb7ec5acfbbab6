#pragma once
// The list filter (conformance C.13): the WHERE part of a SELECT, parsed once, asked for each row. Three-valued as SQL
// is: a comparison with an absent value is neither true nor false.
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

#include "engine/service/search_attributes.h"
#include "engine/service/transition.pb.h"

namespace callimport::engine {

namespace pb = ::callimport::engine::v1;

inline constexpr std::size_t kFilterBytesMax = 64 << 10;
inline constexpr int kFilterDepthMax = 100;  ///< nested parentheses and NOTs

/// A column's value in one row; monostate: absent.
using FilterValue = std::variant<std::monostate, std::int64_t, double, bool, std::string, std::vector<std::string>>;
FilterValue column_value(const pb::RunSummary& run, const std::string& column, enums::IndexedValueType type);

struct FilterNode;

class ListFilter {
 public:
  enum class Use : std::uint8_t { kList, kCount };
  /// @error  Temporal's words, with the prefix "invalid query: ".
  static tl::expected<ListFilter, std::string> parse(std::string_view query, const SearchTypes& settable, Use use);
  ListFilter(ListFilter&&) noexcept;
  ListFilter& operator=(ListFilter&&) noexcept;
  ~ListFilter();

  /// Rows of other divisions (TemporalNamespaceDivision) are hidden unless the query names the column.
  bool matches(const pb::RunSummary& run) const;
  bool groups_by_status() const { return group_by_status_; }

 private:
  ListFilter();
  std::unique_ptr<FilterNode> root_;  ///< null: everything
  bool mentions_division_ = false;
  bool group_by_status_ = false;
};

}  // namespace callimport::engine
