#pragma once
// what each trouble means, in four parts, for people. docs/errors.md tells the same at length; a test holds them
// to the same codes.
#include <span>
#include <string>
#include <string_view>

namespace callimport::activities {

struct Advice {
  std::string_view cause;   ///< dotted code
  std::string_view what;    ///< happened
  std::string_view means;   ///< for the customer
  std::string_view who;     ///< can fix it; "nobody" where nothing needs fixing
  std::string_view action;  ///< what they do; {import} and {cause} stand for the import's id and the cause
};

std::span<const Advice> all_advice();
/// Of an unknown cause: that it is unknown, and to show it to support.
const Advice& advice_for(std::string_view cause);
/// The action with its places filled in.
std::string action_for(const Advice& advice, std::string_view import, std::string_view cause);

}  // namespace callimport::activities
