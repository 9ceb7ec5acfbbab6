#pragma once
// The list filter (conformance C.13): the WHERE part of a SELECT, parsed once, asked for each row. Three-valued as SQL
// is: a comparison with an absent value is neither true nor false.
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "engine/service/search_attributes.h"
#include "engine/service/visibility.h"

namespace callimport::engine {

inline constexpr std::size_t kFilterBytesMax = 64 << 10;
inline constexpr int kFilterDepthMax = 100;  ///< nested parentheses and NOTs

/// Running, Completed, ...
std::string_view status_name(int status);
/// `text` as a query's literal.
std::string quoted_for_query(std::string_view text);

struct FilterNode;

class ListFilter {
 public:
  enum class Use : std::uint8_t { kList, kCount, kSchedules };
  /// Schedules are found by their id and their search attributes, and by nothing else of their rows.
  /// @error  Temporal's words, most with the prefix "invalid query: ".
  static tl::expected<ListFilter, std::string> parse(std::string_view query, const SearchTypes& settable, Use use);
  ListFilter(ListFilter&&) noexcept;
  ListFilter& operator=(ListFilter&&) noexcept;
  ~ListFilter();

  /// Rows of other divisions (TemporalNamespaceDivision) are hidden unless the query names the column.
  bool matches(const VisibleRow& row) const;
  /// What every match has, as far as the query says so plainly: less to look at.
  bool only_open() const { return only_open_; }
  bool only_closed() const { return only_closed_; }
  const std::string& only_run_id() const { return only_run_id_; }  ///< empty: any
  bool groups_by_status() const { return group_by_status_; }

 private:
  ListFilter();
  void narrow(const FilterNode& node);
  std::unique_ptr<FilterNode> root_;  ///< null: everything
  bool mentions_division_ = false;
  bool group_by_status_ = false;
  bool only_open_ = false, only_closed_ = false;
  std::string only_run_id_;
};

}  // namespace callimport::engine
