// What the quota ledger makes of the limits, in virtual time: whole imports through service, worker, library and
// Grain's sandbox, whose limit of 300 requests a minute is on. Times are virtual seconds; only `real_s` is this
// machine's.
//
// The lower bounds that the limits set, whatever the program does:
//   minute(r) = (ceil(r / 300) - 1) * 60 s      r requests need so many windows of a minute, the last of which may be
//   short half_day(b) = (ceil(b / 5000) - 1) * 12 h   b calls of bulk, likewise first n ready:  minute(2 + pages(n) + 3
//   n)  one request proves that the token may list, one that it may download; then
//                                               the pages that hold n calls; a call is details, transcript and link
//   whole of n:     max(minute(2 + pages(n) + 3 n), half_day(n - 100) + minute(3 ((n - 100) mod 5000)))
// A ratio is the measured time by its bound.
//
//   FiveThousandCalls   one import: its first 100 and its whole.
//   TwelveThousandCalls the same beyond two times 5,000 in 12 hours.
//   ThousandModelled    1,000 customers at the ledger itself: Jain's index of what they had after each 12 hours.
//   ThousandImports     1,000 customers' imports in one service, each with a Grain of its own: how long the slowest
//   first
//                       lane took, that by what it takes where there is no bulk at all (first_ratio), and Jain's index
//                       of bulk after the first 12 hours. What they left is then opened by the real program, and
//                       `callimport metrics imports` says the rest.
// Sizes come from CALLIMPORT_BENCH_CUSTOMERS.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "simulations/world/import_world.h"
#include "storage/quota/call_share.h"
#include "tests/simulations/customers.h"
#include "tests/spine/process.h"

namespace callimport::tests {
namespace {

constexpr std::int64_t kFirstLane = 100, kPage = 20, kPerMinute = 300, kBulkCalls = 5'000;
constexpr double kHalfDay = 12 * 3'600;

double windows(std::int64_t uses, std::int64_t limit, double period) {
  return uses <= 0 ? 0 : static_cast<double>((uses + limit - 1) / limit - 1) * period;
}
double minute_bound(std::int64_t requests) { return windows(requests, kPerMinute, 60); }
std::int64_t requests_of(std::int64_t calls) { return 2 + (calls + kPage - 1) / kPage + 3 * calls; }
double whole_bound(std::int64_t calls) {
  const std::int64_t bulk = calls - kFirstLane;
  const double by_calls = windows(bulk, kBulkCalls, kHalfDay) + minute_bound(3 * (bulk % kBulkCalls));
  return std::max(minute_bound(requests_of(calls)), by_calls);
}

double seconds_between(std::int64_t from_ms, std::int64_t to_ms) {
  return static_cast<double>(to_ms - from_ms) / 1'000;
}

void one_import(benchmark::State& state, std::int64_t calls) {
  for (auto _ : state) {
    const auto begun = std::chrono::steady_clock::now();
    simulations::ImportWorldOptions options;
    options.grain.generated.calls = static_cast<std::uint64_t>(calls);
    options.grain.generated.media_bytes = 500;
    options.grain.generated.transcript_only_percent = 0;
    auto made = simulations::ImportWorld::make(options);
    if (!made || !(*made)->open()) return state.SkipWithError("the world does not open");
    auto& world = **made;
    const auto input = world.ask(world.add_credential());
    if (!world.start(input)) return state.SkipWithError("the import does not start");
    if (!world.run_until_closed(24h * 30)) return state.SkipWithError("the import does not end");
    const auto row = world.library().import(input.import);
    if (!row || row->counters.registered != calls || !row->first_ready_ms || !row->closed_ms)
      return state.SkipWithError("not all calls were registered");
    const double first = seconds_between(row->created_ms, *row->first_ready_ms);
    const double whole = seconds_between(row->created_ms, *row->closed_ms);
    state.SetIterationTime(whole);
    state.counters["first_100_s"] = first;
    state.counters["first_100_ratio"] = first / minute_bound(requests_of(kFirstLane));
    state.counters["whole_s"] = whole;
    state.counters["whole_ratio"] = whole / whole_bound(calls);
    const auto log = world.http->log();
    state.counters["refused"] =
        static_cast<double>(std::count_if(log.begin(), log.end(), [](const auto& one) { return one.status == 429; }));
    state.counters["real_s"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }
}

void FiveThousandCalls(benchmark::State& state) { one_import(state, 5'000); }
BENCHMARK(FiveThousandCalls)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);
void TwelveThousandCalls(benchmark::State& state) { one_import(state, 12'000); }
BENCHMARK(TwelveThousandCalls)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

int customers_asked() {
  const char* text = std::getenv("CALLIMPORT_BENCH_CUSTOMERS");
  return text == nullptr ? 1'000 : std::atoi(text);
}

void ThousandModelled(benchmark::State& state) {
  for (auto _ : state) {
    const auto modelled = simulations::model_customers(customers_asked(), 60, kBulkCalls, 12h, 10);
    state.SetIterationTime(std::chrono::duration<double>(modelled.until_done).count());
    state.counters["jain_least"] = modelled.jain_least;
    state.counters["half_days"] = static_cast<double>(modelled.periods);
    state.counters["whole_ratio"] = std::chrono::duration<double>(modelled.until_done).count() /
                                    windows(customers_asked() * 60, kBulkCalls, kHalfDay);
  }
}
BENCHMARK(ThousandModelled)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

/// `callimport metrics imports` over a data folder, as counters. False: it said nothing of use.
bool add_metrics(const Scratch& folder, const std::string& data, benchmark::State& state) {
  Process serve(callimport_binary(), {.args = {"serve", "--data", data, "--port", "0", "--quiet"}, .ready = true},
                folder);
  if (serve.wait_ready().empty()) return false;
  const Ran ran = run(callimport_binary(), {.args = {"metrics", "imports", "--data", data, "-o", "json"}}, folder);
  const auto groups = nlohmann::json::parse(ran.out, nullptr, false);
  if (!groups.is_array() || groups.empty()) return false;
  for (const char* name : {"imports", "completed", "completed_with_gaps", "without_engineer", "gaps",
                           "first_ready_p50_s", "first_ready_p99_s", "duration_p50_s", "duration_p99_s"}) {
    if (groups[0].contains(name) && groups[0][name].is_number()) state.counters[name] = groups[0][name].get<double>();
  }
  return true;
}

void ThousandImports(benchmark::State& state) {
  for (auto _ : state) {
    const auto begun = std::chrono::steady_clock::now();
    const Scratch folder;
    simulations::CustomersOptions options;
    options.customers = customers_asked();
    options.calls_each = 4;
    options.first_lane = 4;
    options.bulk_calls = options.customers * 5;
    const auto without_bulk = simulations::run_customers(options);
    if (!without_bulk) return state.SkipWithError(without_bulk.error().message.c_str());
    options.calls_each = 12;
    options.keep_in = folder / "data";
    const auto seen = simulations::run_customers(options);
    if (!seen) return state.SkipWithError(seen.error().message.c_str());
    if (!add_metrics(folder, options.keep_in, state))
      return state.SkipWithError("the program did not open what was left");
    state.SetIterationTime(seen->whole_s);
    state.counters["slowest_first_s"] = seen->slowest_first_s;
    state.counters["first_ratio"] = seen->slowest_first_s / without_bulk->slowest_first_s;
    state.counters["jain_after_12h"] = seen->jain_after_first_period;
    state.counters["whole_s"] = seen->whole_s;
    state.counters["refused"] = static_cast<double>(seen->refused);
    state.counters["alarms"] = static_cast<double>(seen->alarms);
    state.counters["real_s"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }
}
BENCHMARK(ThousandImports)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace callimport::tests

BENCHMARK_MAIN();
