#include "api/serve/counted.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "activities/import/request_counts.h"
#include "activities/notify/told_counts.h"
#include "engine/worker/task_waits.h"
#include "storage/sqlite/commit_times.h"

namespace callimport::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// @param counts  of each bucket by itself, the last for what is above all bounds
template <class Bounds, class Counts>
ClientMetric histogram(std::vector<ClientMetric::Label> labels, const Bounds& bounds, const Counts& counts,
                       double sum) {
  ClientMetric metric;
  metric.label = std::move(labels);
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    so_far += counts.at(i);
    const double bound = i < bounds.size() ? bounds.at(i) : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({so_far, bound});
  }
  metric.histogram.sample_count = so_far;
  metric.histogram.sample_sum = sum;
  return metric;
}

ClientMetric counter(std::vector<ClientMetric::Label> labels, std::uint64_t value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  return metric;
}

MetricFamily commits() {
  const auto times = storage::commit_times();
  MetricFamily family{
      "callimport_store_commit_seconds", "How long commits of the databases took", MetricType::Histogram, {}};
  family.metric.push_back(histogram({}, storage::kCommitBuckets, times.counts, times.seconds));
  return family;
}

MetricFamily task_waits() {
  MetricFamily family{"callimport_task_schedule_to_start_seconds",
                      "How long tasks waited until a worker of this process began them",
                      MetricType::Histogram,
                      {}};
  for (const auto& [key, waits] : engine::worker::task_waits()) {
    family.metric.push_back(histogram({{"kind", key.first}, {"queue", key.second}}, engine::worker::kTaskWaitBuckets,
                                      waits.counts, waits.seconds));
  }
  return family;
}

MetricFamily requests() {
  MetricFamily family{
      "callimport_platform_requests_total", "Requests to platforms, by what was answered", MetricType::Counter, {}};
  for (const auto& [key, count] : activities::request_counts()) {
    const auto& [platform, operation, status] = key;
    family.metric.push_back(
        counter({{"platform", platform}, {"operation", operation}, {"status_class", status}}, count));
  }
  return family;
}

MetricFamily told(const activities::ToldCounts& counts) {
  MetricFamily family{"callimport_notifications_total",
                      "Records told to people and programs, by what came of the attempt",
                      MetricType::Counter,
                      {}};
  for (const auto& [key, count] : counts.by_result) {
    const auto& [channel, kind, result] = key;
    family.metric.push_back(counter({{"channel", channel}, {"kind", kind}, {"result", result}}, count));
  }
  return family;
}

MetricFamily delays(const activities::ToldCounts& counts) {
  MetricFamily family{"callimport_notification_delay_seconds",
                      "From a record to the moment its channel took it",
                      MetricType::Histogram,
                      {}};
  for (const auto& [key, delay] : counts.delays) {
    family.metric.push_back(histogram({{"channel", key.first}, {"weight", key.second}}, activities::kToldBuckets,
                                      delay.counts, delay.seconds));
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> counted_families() {
  const auto counts = activities::told_counts();
  return {commits(), task_waits(), requests(), told(counts), delays(counts)};
}

}  // namespace callimport::api
