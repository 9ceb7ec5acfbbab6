// MeasureImports: time to the first calls, lengths, gaps and who was needed, over all imports.
#include <algorithm>
#include <cmath>
#include <map>

#include "activities/import/contract.h"
#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

using storage::ImportMeasure;

inline constexpr int kImportsMeasuredMax = 100'000;

/// The smallest value that `share` of all do not exceed (nearest rank).
std::int64_t percentile(const std::vector<std::int64_t>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

struct Group {
  v1::ImportFigures figures;
  std::vector<std::int64_t> first_ready, durations;

  void add(const ImportMeasure& one) {
    auto& f = figures;
    f.set_imports(f.imports() + 1);
    f.set_found(f.found() + one.found);
    f.set_gaps(f.gaps() + one.failed);
    if (one.first_ready_ms) first_ready.push_back(*one.first_ready_ms - one.created_ms);
    if (!one.closed_ms) return f.set_open(f.open() + 1);
    if (one.condition == "cancelled") return f.set_cancelled(f.cancelled() + 1);
    if (!one.needed_engineer) f.set_without_engineer(f.without_engineer() + 1);
    if (one.condition == "failed") return f.set_failed(f.failed() + 1);
    if (one.condition == "completed")
      f.set_completed(f.completed() + 1);
    else
      f.set_completed_with_gaps(f.completed_with_gaps() + 1);
    durations.push_back(*one.closed_ms - one.created_ms);
    f.set_ends_told(f.ends_told() + one.ends_told);
    f.set_ends_held(f.ends_held() + one.ends_held);
    const auto input = activities::read_note<activities::ImportInput>(one.input);
    if (!input || input->predicted.duration_to_ms <= 0) return;
    f.set_foretold(f.foretold() + 1);
    if (durations.back() <= input->predicted.duration_to_ms) f.set_kept(f.kept() + 1);
  }

  v1::ImportFigures whole() {
    std::sort(first_ready.begin(), first_ready.end());
    std::sort(durations.begin(), durations.end());
    if (!first_ready.empty()) {
      figures.set_first_ready_p50_ms(percentile(first_ready, 0.5));
      figures.set_first_ready_p90_ms(percentile(first_ready, 0.9));
      figures.set_first_ready_p99_ms(percentile(first_ready, 0.99));
    }
    if (!durations.empty()) {
      figures.set_duration_p50_ms(percentile(durations, 0.5));
      figures.set_duration_p90_ms(percentile(durations, 0.9));
      figures.set_duration_p99_ms(percentile(durations, 0.99));
    }
    return figures;
  }
};

Result<v1::MeasureImportsResponse> measure_imports(ProductParts& parts, const v1::MeasureImportsRequest& request) {
  TRY(const auto measures, parts.library.measures(request.platform(), request.created_after_ms(), kImportsMeasuredMax));
  Group all;
  std::map<std::string, Group> by_platform;
  for (const auto& one : measures) {
    all.add(one);
    auto& group = by_platform[one.platform];
    group.figures.set_platform(one.platform);
    group.add(one);
  }
  v1::MeasureImportsResponse reply;
  if (request.platform().empty()) *reply.add_figures() = all.whole();
  for (auto& [unused, group] : by_platform) *reply.add_figures() = group.whole();
  return reply;
}

}  // namespace

void add_measure_method(Router& router, ProductParts& parts) {
  add_pooled(router, parts, "MeasureImports", &measure_imports);
}

}  // namespace callimport::api
