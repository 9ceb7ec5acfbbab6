#pragma once
// What the process counted by itself, each at the place where it happens: commits, tasks that waited, requests to
// platforms, and what was told to people and programs.
#include <prometheus/metric_family.h>

#include <vector>

namespace callimport::api {

/// Families without a sample are there, too: who writes a rule sees every name from the start.
std::vector<prometheus::MetricFamily> counted_families();

}  // namespace callimport::api
