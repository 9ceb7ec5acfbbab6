// The import as a customer meets it: the real binary, its sandbox beside it, real sockets and fsync, all on this
// machine.
//   ImportCalls: calls a second from an unthrottled sandbox with 100 KB recordings, probing included.
//   ImportManifest: peak memory of the service for a manifest of a million rows, recordings off.
// Sizes come from CALLIMPORT_BENCH_CALLS and CALLIMPORT_BENCH_MANIFEST.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/spine/process.h"

namespace callimport::tests {
namespace {

constexpr const char* kToken = "grain_pat_bench000_0123456789abcdefghijklmnopqrstuvwxyzABCD";

std::int64_t size_from(const char* name, std::int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

/// VmHWM of a process in MiB: the most it ever had in memory.
double peak_mib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stod(line.substr(6)) / 1024.0;
  }
  return 0;
}

/// User and system time of a process in seconds.
double cpu_seconds(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(stat)), {});
  text.erase(0, text.rfind(')') + 2);
  std::istringstream fields(text);
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Everything after the last space of a readiness line: HOST:PORT.
std::string address_of(const std::string& line) { return line.substr(line.rfind(' ') + 1); }

struct Imported {
  double seconds = 0, service_mib = 0, service_cpu = 0, sandbox_cpu = 0;
  std::int64_t registered = 0, found = 0;
};

Imported import_once(std::int64_t calls, bool media, benchmark::State& state) {
  const Scratch folder;
  const std::string binary = callimport_binary();
  const std::string data = folder / "data";
  std::vector<std::string> sandbox_args = {
      "sandbox", "grain",   "--listen", "127.0.0.1:0",       "--calls", std::to_string(calls), "--rate",
      "off",     "--token", kToken,     "--transcript-only", "0",       "--page-size",         "100"};
  if (!media) sandbox_args.insert(sandbox_args.end(), {"--media", "off"});
  Process sandbox(binary, {.args = sandbox_args, .ready = true}, folder);
  const std::string url = "http://" + address_of(sandbox.wait_ready());
  write_file(folder / "unthrottled.toml", "[budgets]\nbulk_calls = 1000000000\n");
  Process service(binary,
                  {.args = {"serve", "--data", data, "--config-file", folder / "unthrottled.toml", "--port", "0",
                            "--log-level", "warn"},
                   .ready = true},
                  folder);
  Imported result;
  if (service.wait_ready().empty()) {
    state.SkipWithError("the service did not start");
    return result;
  }
  std::vector<std::string> start = {"start",      "--window", "always",      "--data",        data,
                                    "--platform", "grain",    "--workspace", "bench",         "--token-stdin",
                                    "--base-url", url,        "--yes",       "--no-estimate", "--owns-data"};
  if (!media) start.push_back("--no-media");
  const auto begun = std::chrono::steady_clock::now();
  Ran started = run(binary, {.args = start, .input = kToken}, folder);
  const std::string id = started.out.substr(0, started.out.find('\n'));
  const Ran watched = run(binary, {.args = {"watch", "--data", data, id, "--quiet"}}, folder);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  result.service_mib = peak_mib(service.pid());
  result.service_cpu = cpu_seconds(service.pid());
  result.sandbox_cpu = cpu_seconds(sandbox.pid());
  const Ran shown = run(binary, {.args = {"show", "--data", data, id, "-o", "json"}}, folder);
  const auto json = nlohmann::json::parse(shown.out, nullptr, false);
  if (json.is_discarded() || !json.contains("counters")) {
    state.SkipWithError(("no counters in: " + shown.out + shown.err + started.err).c_str());
    return result;
  }
  result.found = json["counters"]["found"].get<std::int64_t>();
  result.registered = json["counters"]["registered"].get<std::int64_t>();
  if (result.registered != calls) state.SkipWithError(("not all calls were registered: " + shown.out).c_str());
  return result;
}

void ImportCalls(benchmark::State& state) {
  const std::int64_t calls = size_from("CALLIMPORT_BENCH_CALLS", 6'000);
  for (auto _ : state) {
    const Imported done = import_once(calls, true, state);
    state.SetIterationTime(done.seconds);
    state.counters["calls_per_s"] = static_cast<double>(done.registered) / done.seconds;
    state.counters["service_cpu_s"] = done.service_cpu;
    state.counters["sandbox_cpu_s"] = done.sandbox_cpu;
    state.counters["service_peak_MiB"] = done.service_mib;
  }
}
BENCHMARK(ImportCalls)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

void ImportManifest(benchmark::State& state) {
  const std::int64_t calls = size_from("CALLIMPORT_BENCH_MANIFEST", 1'000'000);
  for (auto _ : state) {
    const Imported done = import_once(calls, false, state);
    state.SetIterationTime(done.seconds);
    state.counters["rows"] = static_cast<double>(done.found);
    state.counters["service_peak_MiB"] = done.service_mib;
    state.counters["calls_per_s"] = static_cast<double>(done.registered) / done.seconds;
  }
}
BENCHMARK(ImportManifest)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace callimport::tests

BENCHMARK_MAIN();
