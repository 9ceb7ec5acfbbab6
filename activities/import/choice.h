#pragma once
// Which calls of the platform's list an import is asked for, beside their dates. Pure.
#include <set>
#include <string>
#include <vector>

#include "activities/import/contract.h"
#include "activities/platforms/platform.h"

namespace callimport::activities {

class Choice {
 public:
  /// @param named  of an import that names its calls (ask.named > 0): their ids.
  Choice(const ImportInput& ask, std::vector<std::string> named);

  bool takes(const storage::ManifestRow& row) const;
  bool takes_all() const { return !by_name_ && min_length_ms_ <= 0 && users_.empty(); }
  std::int64_t named() const { return static_cast<std::int64_t>(named_.size()); }

  /// Those that were named, each as a call that the platform's list does not have: for the end of the list, where the
  /// others are known already.
  std::vector<storage::ManifestRow> not_listed(const std::string& import) const;

 private:
  bool by_name_;
  std::set<std::string> named_;
  std::int64_t min_length_ms_;
  std::set<std::string> users_;  ///< folded
};

inline constexpr std::string_view kCauseNotListed = "call.not_listed";

/// What is wrong with the choice for this platform; empty: nothing.
std::string choice_refused(const Platform& platform, const ImportInput& ask);
/// "only calls of 2 min and more, recorded by ana@acme.test"; empty: no such limits.
std::string choice_words(const ImportInput& ask);

}  // namespace callimport::activities
