// Ten thousand open imports in one server: what `list`, `show` and a scrape of the metrics cost, and what the
// server weighs.
//
// The real binary and a sandbox beside it. Each import, of a workspace of its own, is started through Temporal's
// service with a token that the platform refuses, and so comes to wait for a person: open, with its workflow, its rows
// and its notifications. CALLIMPORT_BENCH_IMPORTS: how many.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/proto/callimport/v1/callimport.pb.h"
#include "tests/api/raw_http.h"
#include "tests/bench/bench_server.h"

namespace callimport::tests {
namespace {

namespace v1 = ::callimport::v1;
using Clock = std::chrono::steady_clock;

constexpr int kAsked = 200;  ///< times each question is asked

int imports_wanted() {
  const char* text = std::getenv("CALLIMPORT_BENCH_IMPORTS");
  return text == nullptr ? 10'000 : std::atoi(text);
}

/// A field of /proc/PID/status in MiB.
double memory_mib(pid_t pid, const std::string& field) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stod(line.substr(field.size() + 1)) / 1024.0;
  }
  return 0;
}

struct Server : BenchServer {
  std::string credential;

  bool open_all_parts() {
    if (!open_sandbox({"--calls", "10"}) || !open()) return false;
    credential = add_credential(kRefusedToken);
    return !credential.empty();
  }
  /// Open imports that wait for a person.
  std::int64_t waiting();
};

std::string id_of(int number) { return fmt::format("imp_bench{:05}", number); }

std::int64_t Server::waiting() {
  std::int64_t count = 0;
  v1::ListImportsRequest request;
  request.set_needs_attention(true);
  request.set_page_size(1'000);
  do {
    v1::ListImportsResponse page;
    if (!ask("ListImports", request, page)) return -1;
    count += page.imports_size();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return count;
}

/// Milliseconds that 95 of 100 answers stay below.
double p95_ms(const std::function<bool(int turn)>& ask, benchmark::State& state) {
  std::vector<double> times;
  for (int turn = 0; turn < kAsked; ++turn) {
    const auto begun = Clock::now();
    if (!ask(turn)) state.SkipWithError("the server did not answer");
    times.push_back(seconds_since(begun) * 1'000);
  }
  return percentile(std::move(times), 0.95);
}

double list_p95_ms(Server& server, v1::ListImportsRequest request, benchmark::State& state) {
  return p95_ms(
      [&](int) {
        v1::ListImportsResponse page;
        return server.ask("ListImports", request, page);
      },
      state);
}

/// The whole program: its own start, connection and words included.
double verb_ms(Server& server, const std::vector<std::string>& args) {
  std::vector<double> times;
  for (int turn = 0; turn < 20; ++turn) {
    const auto begun = Clock::now();
    (void)server.verb(args);
    times.push_back(seconds_since(begun) * 1'000);
  }
  return percentile(std::move(times), 0.5);
}

bool open_all(Server& server, int imports, benchmark::State& state) {
  for (int i = 0; i < imports; ++i) {
    if (!server.start_import(
            {id_of(i), fmt::format("customer-{}", i), fmt::format("Customer number {}", i), server.credential}))
      return false;
  }
  const auto begun = Clock::now();
  for (std::int64_t waiting = 0; waiting < imports;) {
    api::wait_a_while(std::chrono::seconds{2});
    waiting = server.waiting();
    if (waiting < 0 || seconds_since(begun) > 1'200) {
      state.SkipWithError("not all imports came to wait");
      return false;
    }
  }
  return true;
}

void OpenImports(benchmark::State& state) {
  for (auto _ : state) {
    Server server;
    const int imports = imports_wanted();
    if (!server.open_all_parts()) return state.SkipWithError("the server did not start");
    state.counters["empty_MiB"] = memory_mib(server.serve->pid(), "VmRSS");
    const auto begun = Clock::now();
    if (!open_all(server, imports, state)) return state.SkipWithError("the imports did not start");
    state.SetIterationTime(seconds_since(begun));
    state.counters["imports"] = imports;
    v1::ListImportsRequest all, attention, none, text;
    attention.add_conditions("needs_attention");
    none.add_conditions("failed");
    text.set_text("number 77");
    state.counters["list_ms"] = list_p95_ms(server, all, state);
    state.counters["list_attention_ms"] = list_p95_ms(server, attention, state);
    state.counters["list_failed_ms"] = list_p95_ms(server, none, state);
    state.counters["list_text_ms"] = list_p95_ms(server, text, state);
    state.counters["show_ms"] = p95_ms(
        [&](int turn) {
          v1::GetImportRequest request;
          request.set_id(id_of(turn * 7'919 % imports));
          v1::GetImportResponse reply;
          return server.ask("GetImport", request, reply);
        },
        state);
    state.counters["scrape_ms"] =
        p95_ms([&](int) { return http_status(http_get(server.http_port, "/metrics")) == 200; }, state);
    state.counters["verb_version_ms"] = verb_ms(server, {"version"});
    state.counters["verb_list_ms"] = verb_ms(server, {"list"});
    state.counters["verb_show_ms"] = verb_ms(server, {"show", id_of(imports / 2)});
    state.counters["RSS_MiB"] = memory_mib(server.serve->pid(), "VmRSS");
    state.counters["peak_MiB"] = memory_mib(server.serve->pid(), "VmHWM");
  }
}
BENCHMARK(OpenImports)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace callimport::tests

BENCHMARK_MAIN();
