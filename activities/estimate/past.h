#pragma once
// What earlier imports of a platform say of the next one. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "storage/library/records.h"

namespace callimport::activities {

inline constexpr int kPastImportsMax = 50;

/// Earlier imports of the platform.
struct Past {
  int imports = 0;            ///< that ended with calls
  double bytes_per_call = 0;  ///< of those with recordings; 0: none
  int foretold = 0;           ///< of these, had a prediction
  int kept = 0;               ///< of those, ended within it
  double latest_over = 0;     ///< median of actual length / the latest foretold; 0: none
};
Past past_of(const std::vector<storage::ImportMeasure>& measures);
/// What was foretold of a platform's imports against what became of it (ux X-09); empty: nothing was foretold.
std::string accuracy_words(const Past& past, std::string_view platform);

}  // namespace callimport::activities
