#include "api/serve/measures.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "activities/import/request_counts.h"
#include "api/serve/process_figures.h"
#include "storage/sqlite/commit_times.h"

namespace callimport::api {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using storage::ImportRow;
using storage::LaneRow;
using storage::StageChange;

constexpr int kPage = 1'000;
constexpr std::int64_t kWeekMs = 7ll * 24 * 3'600 * 1'000, kDayMs = 24ll * 3'600 * 1'000;
const Histogram::BucketBoundaries kStageBuckets = {1, 10, 60, 300, 900, 3'600, 3 * 3'600, 12 * 3'600, 48 * 3'600};
constexpr std::array<const char*, 4> kOpen = {"running", "waiting", "needs_attention", "paused"};
constexpr std::array<const char*, 4> kEnds = {"completed", "completed_with_gaps", "failed", "cancelled"};

bool is_end(std::string_view condition) { return std::find(kEnds.begin(), kEnds.end(), condition) != kEnds.end(); }

/// One lane as it was counted last.
struct CountedLane {
  LaneRow row;
  std::int64_t stage_since_ms = 0, wait_since_ms = 0;
};
struct CountedImport {
  std::array<CountedLane, 2> lanes;
  storage::Counters counters;
};

Result<std::vector<StageChange>> changes_since(storage::Library& library, const std::string& import,
                                               std::int64_t after) {
  std::vector<StageChange> all;
  while (true) {
    TRY(const auto page, library.timeline(import, after, kPage));
    all.insert(all.end(), page.begin(), page.end());
    if (page.size() < kPage) return all;
    after = page.back().change;
  }
}

}  // namespace

Result<MeasureLook> look_for_measures(storage::Library& library, storage::Vault& vault, const CountedChanges& counted,
                                      std::int64_t since_ms, std::int64_t now_ms) {
  MeasureLook look;
  look.now_ms = now_ms;
  TRY(look.credentials, vault.list());
  std::set<std::string> seen;
  const auto add = [&](ImportRow row) -> Result<> {
    SeenImport one;
    const auto known = counted.find(row.id);
    const std::int64_t after = known == counted.end() ? 0 : known->second;
    if (since_ms > 0 && row.change > after) {
      TRY(one.changes, changes_since(library, row.id, after));
    }
    seen.insert(row.id);
    one.row = std::move(row);
    look.imports.push_back(std::move(one));
    return {};
  };
  const auto add_all = [&](const storage::ImportFilter& filter) -> Result<> {
    std::optional<storage::ImportPlace> after;
    while (look.imports.size() < kMeasuredImportsMax) {
      TRY(auto page, library.imports_page(filter, after, kPage));
      const bool is_last = page.size() < kPage;
      for (auto& row : page) {
        after = storage::ImportPlace{row.created_ms, row.id};
        if (!seen.contains(row.id)) TRY_VOID(add(std::move(row)));
      }
      if (is_last) break;
    }
    return {};
  };
  TRY_VOID(add_all({.conditions = {kOpen.begin(), kOpen.end()}}));
  if (since_ms > 0) TRY_VOID(add_all({.created_after_ms = since_ms}));  // begun and ended since then
  for (const auto& [id, change] : counted) {
    if (seen.contains(id)) continue;
    auto row = library.import(id);
    if (row) TRY_VOID(add(std::move(*row)));
  }
  return look;
}

struct Measures::Inside {
  prometheus::Registry registry;
  Family<Gauge>& active = gauge("callimport_imports_active", "Imports that are open, by what they are doing");
  Family<Counter>& finished = counter("callimport_imports_finished_total", "Imports that ended, by how");
  Family<Counter>& calls =
      counter("callimport_calls_total", "Calls, by the stage that dealt with them and what came of it");
  Family<Histogram>& stages =
      histogram("callimport_stage_duration_seconds", "How long lanes of imports were in a stage");
  Family<Counter>& requests =
      counter("callimport_platform_requests_total", "Requests to platforms, by what was answered");
  Family<Counter>& waits =
      counter("callimport_platform_wait_seconds_total", "Time that lanes of imports waited, by why");
  Family<Gauge>& quota =
      gauge("callimport_platform_quota_remaining_ratio", "What is left of the scarcest limit, 0 to 1");
  Family<Counter>& bytes =
      counter("callimport_media_fetched_bytes_total", "Bytes of recordings that came into the library");
  Family<Gauge>& credentials = gauge("callimport_credentials_expiring", "Credentials whose access ends soon");
  CountedChanges changes;
  std::map<std::string, CountedImport> imports;
  std::set<std::string> known_platforms;
  std::int64_t last_ms = 0;  ///< of the look before; 0: there was none

  Family<Gauge>& gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  Family<Counter>& counter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& histogram(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  void begin(const ImportRow& row, std::int64_t at_ms) {
    CountedImport& one = imports[row.id];
    one.counters = row.counters;
    for (std::size_t lane = 0; lane < 2; ++lane) {
      one.lanes.at(lane) = {lane == 0 ? row.first : row.bulk, at_ms, at_ms};
    }
  }

  void wait(const std::string& platform, CountedLane& lane, std::int64_t until_ms) {
    if (lane.row.condition == "waiting" && until_ms > lane.wait_since_ms) {
      waits.Add({{"platform", platform}, {"reason", lane.row.reason}})
          .Increment(static_cast<double>(until_ms - lane.wait_since_ms) / 1'000);
    }
    lane.wait_since_ms = std::max(lane.wait_since_ms, until_ms);
  }

  void step(const std::string& platform, CountedLane& lane, const StageChange& change) {
    wait(platform, lane, change.at_ms);
    const bool ended = is_end(change.row.condition) && !is_end(lane.row.condition);
    if (!lane.row.stage.empty() && (change.row.stage != lane.row.stage || ended)) {
      stages.Add({{"platform", platform}, {"stage", lane.row.stage}}, kStageBuckets)
          .Observe(static_cast<double>(std::max<std::int64_t>(change.at_ms - lane.stage_since_ms, 0)) / 1'000);
      lane.stage_since_ms = change.at_ms;
    }
    if (ended && change.lane == storage::Lane::kBulk) {
      finished.Add({{"platform", platform}, {"result", change.row.condition}}).Increment();
    }
    lane.row = change.row;
  }

  void count_calls(const ImportRow& row, CountedImport& one) {
    const auto add = [&](const char* stage, const char* outcome, std::int64_t now, std::int64_t before) {
      if (now > before) {
        calls.Add({{"platform", row.platform}, {"stage", stage}, {"outcome", outcome}})
            .Increment(static_cast<double>(now - before));
      }
    };
    const auto& now = row.counters;
    const auto& before = one.counters;
    add("enumerate", "found", now.found, before.found);
    add("enumerate", "duplicate", now.duplicate, before.duplicate);
    add("enumerate", "skipped", now.skipped, before.skipped);
    add("fetch", "failed", now.failed, before.failed);
    add("register", "registered", now.registered, before.registered);
    if (now.media_bytes > before.media_bytes) {
      bytes.Add({{"platform", row.platform}}).Increment(static_cast<double>(now.media_bytes - before.media_bytes));
    }
    one.counters = now;
  }

  void take_import(const SeenImport& seen, std::int64_t now_ms) {
    const ImportRow& row = seen.row;
    const bool is_known = imports.contains(row.id);
    if (!is_known && (last_ms == 0 || row.created_ms < last_ms)) {  // what it did before is of another time
      begin(row, now_ms);
      changes[row.id] = row.change;
      return;
    }
    if (!is_known) {
      ImportRow nothing;
      nothing.id = row.id;
      begin(nothing, seen.changes.empty() ? now_ms : seen.changes.front().at_ms);
    }
    CountedImport& one = imports[row.id];
    const auto counted = changes.find(row.id);
    for (const auto& change : seen.changes) {
      if (counted != changes.end() && change.change <= counted->second) continue;  // two scrapes at once
      step(row.platform, one.lanes.at(static_cast<std::size_t>(change.lane)), change);
    }
    for (auto& lane : one.lanes) wait(row.platform, lane, now_ms);
    count_calls(row, one);
    changes[row.id] = row.change;
    if (!row.closed_ms) return;
    imports.erase(row.id);
    changes.erase(row.id);
  }

  void count_open(const MeasureLook& look) {
    std::map<std::pair<std::string, std::string>, int> open;
    for (const auto& seen : look.imports) {
      if (seen.row.closed_ms) continue;
      const auto urgent = [&](const char* state) {
        return seen.row.first.condition == state || seen.row.bulk.condition == state;
      };
      const char* state = urgent("needs_attention") ? "needs_attention"
                          : urgent("paused")        ? "paused"
                          : urgent("running")       ? "running"
                                                    : "waiting";
      ++open[{seen.row.platform, state}];
    }
    std::set<std::string> platforms;
    for (const auto& [key, count] : open) platforms.insert(key.first);
    for (const auto& platform : known_platforms) platforms.insert(platform);
    known_platforms = platforms;
    for (const auto& platform : platforms) {
      for (const char* state : kOpen)
        active.Add({{"platform", platform}, {"state", state}}).Set(open[std::pair(platform, std::string(state))]);
    }
  }
  void count_rest(const MeasureLook& look) {
    std::map<std::string, std::array<int, 2>> ending;
    for (const auto& one : look.credentials) {
      auto& counts = ending[one.platform];
      if (one.wiped_ms || !one.expires_ms || *one.expires_ms < look.now_ms) continue;
      counts[0] += *one.expires_ms - look.now_ms <= kDayMs ? 1 : 0;
      counts[1] += *one.expires_ms - look.now_ms <= kWeekMs ? 1 : 0;
    }
    for (const auto& [platform, counts] : ending) {
      credentials.Add({{"platform", platform}, {"within", "1d"}}).Set(counts[0]);
      credentials.Add({{"platform", platform}, {"within", "7d"}}).Set(counts[1]);
    }
    std::map<std::string, double> left;
    for (const auto& view : look.budgets) {
      if (view.limit <= 0 || view.account.platform.empty()) continue;
      const double ratio = std::clamp(static_cast<double>(view.left) / static_cast<double>(view.limit), 0.0, 1.0);
      const auto [found, is_new] = left.emplace(view.account.platform, ratio);
      if (!is_new) found->second = std::min(found->second, ratio);
    }
    for (const auto& [platform, ratio] : left) quota.Add({{"platform", platform}}).Set(ratio);
    for (const auto& [key, count] : activities::request_counts()) {
      const auto& [platform, operation, status] = key;
      auto& kept = requests.Add({{"platform", platform}, {"operation", operation}, {"status_class", status}});
      kept.Increment(static_cast<double>(count) - kept.Value());
    }
  }
};

Measures::Measures(const std::string& version, const std::string& commit) : inside_(std::make_unique<Inside>()) {
  inside_->gauge("callimport_build_info", "Which program this is")
      .Add({{"version", version}, {"commit", commit}})
      .Set(1);
}
Measures::~Measures() = default;

const CountedChanges& Measures::counted() const { return inside_->changes; }
std::int64_t Measures::counted_at_ms() const { return inside_->last_ms; }

void Measures::take(const MeasureLook& look) {
  for (const auto& seen : look.imports) inside_->take_import(seen, look.now_ms);
  inside_->count_open(look);
  inside_->count_rest(look);
  inside_->last_ms = look.now_ms;
}

namespace {

prometheus::MetricFamily commit_family() {
  const auto times = storage::commit_times();
  prometheus::MetricFamily family{"callimport_store_commit_seconds",
                                  "How long commits of the databases took",
                                  prometheus::MetricType::Histogram,
                                  {}};
  prometheus::ClientMetric metric;
  for (std::size_t i = 0; i < times.counts.size(); ++i) {
    metric.histogram.sample_count += times.counts.at(i);
    const double bound =
        i < storage::kCommitBuckets.size() ? storage::kCommitBuckets.at(i) : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({metric.histogram.sample_count, bound});
  }
  metric.histogram.sample_sum = times.seconds;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

std::string Measures::text() const {
  auto families = inside_->registry.Collect();
  families.push_back(commit_family());
  return prometheus::TextSerializer().Serialize(families) + process_figures_text();
}

}  // namespace callimport::api
