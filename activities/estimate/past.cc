#include "activities/estimate/past.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/import/contract.h"
#include "storage/model/text.h"

namespace callimport::activities {
namespace {

constexpr std::int64_t kFewCalls = 30;  ///< an import of fewer tells nothing of the next one

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

std::string accuracy_words(const Past& past, std::string_view platform) {
  if (past.foretold == 0) return {};
  return fmt::format("{} of {} past imports of {} ended within what was foretold; half took at most {:.0f} % of it",
                     with_thousands(past.kept), with_thousands(past.foretold), platform, past.latest_over * 100);
}

Past past_of(const std::vector<storage::ImportMeasure>& measures) {
  Past past;
  std::vector<double> sizes, late;
  for (const auto& one : measures) {
    const bool ended = one.condition == "completed" || one.condition == "completed_with_gaps";
    if (!one.closed_ms || !ended || one.registered < kFewCalls) continue;
    ++past.imports;
    if (one.media_bytes > 0)
      sizes.push_back(static_cast<double>(one.media_bytes) / static_cast<double>(one.registered));
    const auto input = read_note<ImportInput>(one.input);
    if (!input || input->predicted.duration_to_ms <= 0) continue;
    ++past.foretold;
    const auto actual = static_cast<double>(*one.closed_ms - one.created_ms);
    late.push_back(actual / static_cast<double>(input->predicted.duration_to_ms));
    if (late.back() <= 1) ++past.kept;
  }
  past.bytes_per_call = median(std::move(sizes));
  past.latest_over = median(std::move(late));
  return past;
}

}  // namespace callimport::activities
