#include "api/serve/measures.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "activities/import/contract.h"
#include "api/serve/counted.h"
#include "api/serve/process_figures.h"

namespace callimport::api {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::MetricFamily;
using prometheus::MetricType;
using storage::ImportRow;
using storage::LaneRow;
using storage::StageChange;

constexpr std::int64_t kWeekMs = 7ll * 24 * 3'600 * 1'000, kDayMs = 24ll * 3'600 * 1'000;
const Histogram::BucketBoundaries kStageBuckets = {1, 10, 60, 300, 900, 3'600, 3 * 3'600, 12 * 3'600, 48 * 3'600};
const Histogram::BucketBoundaries kErrorBuckets = {0.05, 0.1, 0.25, 0.5, 1, 2, 5};
constexpr std::array<const char*, 4> kOpen = {"running", "waiting", "needs_attention", "paused"};
constexpr std::array<const char*, 4> kEnds = {"completed", "completed_with_gaps", "failed", "cancelled"};

bool is_end(std::string_view condition) { return std::find(kEnds.begin(), kEnds.end(), condition) != kEnds.end(); }

/// One lane as it was counted last.
struct CountedLane {
  LaneRow row;
  std::int64_t stage_since_ms = 0, wait_since_ms = 0;
};
struct CountedImport {
  std::string platform;
  std::array<CountedLane, 2> lanes;
  storage::Counters counters;
  bool again = false;  ///< it had ended before and was taken up again: its length says nothing
};

const char* urgent_state(const CountedImport& one) {
  const auto is = [&one](const char* state) {
    return one.lanes[0].row.condition == state || one.lanes[1].row.condition == state;
  };
  return is("needs_attention") ? "needs_attention" : is("paused") ? "paused" : is("running") ? "running" : "waiting";
}

/// How far the length of an import was from what was foretold.
struct EtaError {
  const char* direction;  ///< early, kept, late
  double ratio;           ///< of the nearer end of what was foretold; 0: within it
};
std::optional<EtaError> eta_error(const ImportRow& row) {
  if (row.bulk.condition != "completed" && row.bulk.condition != "completed_with_gaps") return std::nullopt;
  const auto input = activities::read_note<activities::ImportInput>(row.input);
  if (!input || input->predicted.duration_to_ms <= 0 || !row.closed_ms) return std::nullopt;
  const std::int64_t took_ms = *row.closed_ms - std::max(row.created_ms, input->at_ms);
  const auto took = static_cast<double>(std::max<std::int64_t>(took_ms, 0));
  const auto least = static_cast<double>(input->predicted.duration_from_ms);
  const auto most = static_cast<double>(input->predicted.duration_to_ms);
  if (took > most) return EtaError{"late", (took - most) / most};
  if (took < least) return EtaError{"early", (least - took) / least};
  return EtaError{"kept", 0};
}

}  // namespace

struct Measures::Inside {
  prometheus::Registry registry;
  std::vector<MetricFamily> families;                                  ///< of the registry, without samples
  std::map<std::pair<std::string, std::string>, std::int64_t> waited;  ///< ms by platform and reason, not added up yet
  Family<Gauge>& active = gauge("callimport_imports_active", "Imports that are open, by what they are doing");
  Family<Counter>& finished = counter("callimport_imports_finished_total", "Imports that ended, by how");
  Family<Counter>& calls =
      counter("callimport_calls_total", "Calls, by the stage that dealt with them and what came of it");
  Family<Histogram>& stages =
      histogram("callimport_stage_duration_seconds", "How long lanes of imports were in a stage");
  Family<Counter>& waits =
      counter("callimport_platform_wait_seconds_total", "Time that lanes of imports waited, by why");
  Family<Gauge>& quota =
      gauge("callimport_platform_quota_remaining_ratio", "What is left of the scarcest limit, 0 to 1");
  Family<Counter>& bytes =
      counter("callimport_media_fetched_bytes_total", "Bytes of recordings that came into the library");
  Family<Gauge>& credentials = gauge("callimport_credentials_expiring", "Credentials whose access ends soon");
  Family<Histogram>& etas = histogram(
      "callimport_eta_error_ratio", "How far the length of imports that came to their end was from what was foretold");
  MeasurePlace place;
  std::unordered_map<std::string, CountedImport> imports;
  std::set<std::string> known_platforms;

  Family<Gauge>& gauge(const char* name, const char* help) {
    families.push_back({name, help, MetricType::Gauge, {}});
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  Family<Counter>& counter(const char* name, const char* help) {
    families.push_back({name, help, MetricType::Counter, {}});
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& histogram(const char* name, const char* help) {
    families.push_back({name, help, MetricType::Histogram, {}});
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  CountedImport& begin(const ImportRow& row, std::int64_t at_ms) {
    CountedImport& one = imports[row.id];
    one.counters = row.counters;
    for (std::size_t lane = 0; lane < 2; ++lane) {
      one.lanes.at(lane) = {lane == 0 ? row.first : row.bulk, at_ms, at_ms};
    }
    return one;
  }

  void wait(const std::string& platform, CountedLane& lane, std::int64_t until_ms) {
    if (lane.row.condition == "waiting" && until_ms > lane.wait_since_ms)
      waited[{platform, lane.row.reason}] += until_ms - lane.wait_since_ms;
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
    const auto known = imports.find(row.id);
    const bool is_known = known != imports.end();
    const bool is_old = place.at_ms == 0 || row.created_ms < place.at_ms;
    if (!is_known && is_old) {  // what it did before is of another time
      if (row.closed_ms) return;
      CountedImport& one = begin(row, now_ms);
      one.platform = row.platform;
      one.again = place.at_ms != 0;
      place.changes[row.id] = row.change;
      return;
    }
    if (!is_known) {
      ImportRow nothing;
      nothing.id = row.id;
      begin(nothing, seen.changes.empty() ? now_ms : seen.changes.front().at_ms).platform = row.platform;
    }
    CountedImport& one = imports[row.id];
    for (const auto& change : seen.changes) {
      step(row.platform, one.lanes.at(static_cast<std::size_t>(change.lane)), change);
      one.again = one.again || (!row.closed_ms && change.lane == storage::Lane::kBulk && is_end(change.row.condition));
    }
    one.lanes[0].row = row.first;
    one.lanes[1].row = row.bulk;
    count_calls(row, one);
    place.changes[row.id] = row.change;
    if (!row.closed_ms) return;
    count_eta(row, one);
    for (auto& lane : one.lanes) wait(row.platform, lane, now_ms);
    imports.erase(row.id);
    place.changes.erase(row.id);
  }

  void count_eta(const ImportRow& row, const CountedImport& one) {
    const auto error = eta_error(row);
    if (!error || one.again) return;
    etas.Add({{"platform", row.platform}, {"direction", error->direction}}, kErrorBuckets).Observe(error->ratio);
  }

  /// All that are open, whether they changed or not.
  void count_open(std::int64_t now_ms) {
    std::map<std::pair<std::string_view, std::string_view>, int> open;
    for (auto& [id, one] : imports) {
      for (auto& lane : one.lanes) wait(one.platform, lane, now_ms);
      ++open[{one.platform, urgent_state(one)}];
    }
    for (const auto& [key, count] : open) known_platforms.emplace(key.first);
    for (const auto& platform : known_platforms) {
      for (const char* state : kOpen)
        active.Add({{"platform", platform}, {"state", state}}).Set(open[{platform, state}]);
    }
    for (const auto& [key, ms] : std::exchange(waited, {})) {
      waits.Add({{"platform", key.first}, {"reason", key.second}}).Increment(static_cast<double>(ms) / 1'000);
    }
  }
  void count_credentials(const std::vector<storage::CredentialFacts>& all, std::int64_t now_ms) {
    std::map<std::string, std::array<int, 2>> ending;
    for (const auto& one : all) {
      auto& counts = ending[one.platform];
      if (one.wiped_ms || !one.expires_ms || *one.expires_ms < now_ms) continue;
      counts[0] += *one.expires_ms - now_ms <= kDayMs ? 1 : 0;
      counts[1] += *one.expires_ms - now_ms <= kWeekMs ? 1 : 0;
    }
    for (const auto& [platform, counts] : ending) {
      credentials.Add({{"platform", platform}, {"within", "1d"}}).Set(counts[0]);
      credentials.Add({{"platform", platform}, {"within", "7d"}}).Set(counts[1]);
    }
  }
  void count_budgets(const std::vector<storage::BudgetView>& budgets) {
    std::map<std::string, double> left;
    for (const auto& view : budgets) {
      if (view.limit <= 0 || view.account.platform.empty()) continue;
      const double ratio = std::clamp(static_cast<double>(view.left) / static_cast<double>(view.limit), 0.0, 1.0);
      const auto [found, is_new] = left.emplace(view.account.platform, ratio);
      if (!is_new) found->second = std::min(found->second, ratio);
    }
    for (const auto& [platform, ratio] : left) quota.Add({{"platform", platform}}).Set(ratio);
  }
};

Measures::Measures(const std::string& version, const std::string& commit) : inside_(std::make_unique<Inside>()) {
  inside_->gauge("callimport_build_info", "Which program this is")
      .Add({{"version", version}, {"commit", commit}})
      .Set(1);
}
Measures::~Measures() = default;

const MeasurePlace& Measures::place() const { return inside_->place; }

void Measures::take(const MeasureLook& look) {
  for (const auto& seen : look.imports) inside_->take_import(seen, look.now_ms);
  inside_->count_open(look.now_ms);
  if (look.credentials) {
    inside_->count_credentials(*look.credentials, look.now_ms);
    inside_->place.credentials_ms = look.now_ms;
  }
  inside_->count_budgets(look.budgets);
  inside_->place.at_ms = look.now_ms;
}

std::string Measures::text() const {
  auto families = inside_->registry.Collect();
  for (const auto& family : inside_->families) {
    const bool has_samples =
        std::any_of(families.begin(), families.end(), [&](const MetricFamily& one) { return one.name == family.name; });
    if (!has_samples) families.push_back(family);
  }
  for (auto& family : counted_families()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families) + process_figures_text();
}

}  // namespace callimport::api
