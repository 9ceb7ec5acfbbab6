// What a list filter costs over 100,000 closed runs, each with five search attributes: a whole scan, as a count makes
// it.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/service/list_filter.h"

namespace callimport::engine {
namespace {

constexpr int kRuns = 100'000;

SearchTypes types() {
  return settable_search_attributes(
      {{"Stage", "Keyword"}, {"Platform", "Keyword"}, {"Customer", "Keyword"}, {"Calls", "Int"}, {"Note", "Text"}});
}

Visibility runs() {
  Visibility out;
  for (int i = 0; i < kRuns; ++i) {
    const std::string n = std::to_string(i);
    VisibleRow row;
    row.status = 2 + i % 3;
    row.start_ns = i * 1000LL;
    row.closed_ns = row.start_ns + 500;
    row.workflow_id = "import-of-customer-" + n;
    row.run_id = std::string(30, 'a') + n;
    row.type = "ImportWorkflow";
    row.task_queue = "import-queue";
    row.attributes.emplace_back("Stage", std::string(i % 2 == 0 ? "fetch" : "done"));
    row.attributes.emplace_back("Platform", std::string("platform-") + std::to_string(i % 4));
    row.attributes.emplace_back("Customer", "customer-" + n);
    row.attributes.emplace_back("Calls", std::int64_t{i});
    row.attributes.emplace_back("Note", std::string("the quick brown fox"));
    const VisibilityKey key{row.closed_ns, row.start_ns, i + 1};
    out.emplace(key, std::move(row));
  }
  return out;
}

void count(benchmark::State& state, const char* query) {
  static const Visibility rows = runs();
  const auto filter = ListFilter::parse(query, types(), ListFilter::Use::kCount);
  std::size_t found = 0;
  for (auto _ : state) {
    found = 0;
    for (const auto& [key, row] : rows) found += filter->matches(row) ? 1u : 0u;
  }
  state.counters["found"] = static_cast<double>(found);
}
BENCHMARK_CAPTURE(count, status, "ExecutionStatus = 'Failed'")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(count, workflow_id, "WorkflowId = 'import-of-customer-77777'")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(count, keyword, "Customer = 'customer-77777'")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(count, three_and_or,
                  "(Stage = 'fetch' OR Platform IN ('platform-1', 'platform-3')) AND Calls > 50000")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(count, text, "Note = 'wolf fox'")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace callimport::engine

BENCHMARK_MAIN();
