// How soon people and programs are told: the real binary, 100 imports running in it, its sandbox beside it and the
// receivers in this process, all on this machine.
//   Mail: from an escalation's record to the mail server's acceptance, and of merged routine news from the end of their
//     ten minutes. The records of those are in the library before the server starts, so that their minutes end while
//     it runs; each person owns a few imports, as in life, since nobody is sent more than 40 an hour.
//   Webhooks: deliveries a second to CALLIMPORT_BENCH_ENDPOINTS endpoints (10) that answer at once.
// Each ends within 90 seconds, whatever happens, with what it saw by then.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "activities/notify/events.h"
#include "activities/notify/wishes.h"
#include "simulations/sandboxes/server.h"
#include "storage/library/library.h"
#include "storage/library/telling.h"
#include "storage/runtime/os_random.h"
#include "storage/runtime/posix_disk.h"
#include "tests/bench/bench_server.h"
#include "tests/bench/mail_receiver.h"

namespace callimport::tests {
namespace {

using Clock = std::chrono::steady_clock;
using storage::Library;
using storage::LibraryTx;
using storage::Notification;

constexpr int kPeople = 100, kRunning = 100, kEscalations = 200, kMerged = 200;
constexpr int kAtOnce = 10;  ///< escalations that come together
constexpr std::chrono::seconds kBegin{30}, kLimit{75};
constexpr std::int64_t kMergedFromMs = 25'000, kMergedEveryMs = 100;  ///< ends of their windows, after the start
constexpr int kRecords = 400;                                         ///< that each endpoint hears of

std::int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}
std::string person(int number) { return fmt::format("p{:03}", number % kPeople); }
std::string running_id(int number) { return fmt::format("imp_r{:04}", number); }
std::string escalated_id(int number) { return fmt::format("imp_e{:04}", number); }
std::string merged_id(int number) { return fmt::format("imp_m{:04}", number); }

/// The server's library while it does not run.
bool in_library(const BenchServer& server, const std::function<Result<>(Library&)>& work) {
  std::filesystem::create_directories(server.data());
  PosixDisk disk;
  OsRandom random;
  auto library = Library::open(disk, random, server.data() + "/library.db");
  const Result<> worked = library ? work(**library) : tl::unexpected(library.error());
  if (!worked) fmt::print(stderr, "library: {}\n", worked.error().message);
  return worked.has_value();
}

/// An import that has ended, so that nothing runs for it, and records of its way.
Result<> add_ended(LibraryTx& tx, const std::string& id, const std::string& owner,
                   const std::vector<std::pair<std::string, std::int64_t>>& events) {
  storage::ImportRow row;
  row.id = id;
  row.platform = "grain";
  row.workspace = "workspace-" + id;
  row.title = "Customer " + id;
  row.input = nlohmann::json{{"started_by", "os:" + owner}}.dump();
  row.created_ms = events.front().second;
  row.first.stage = row.bulk.stage = "notify";
  row.first.condition = row.bulk.condition = "completed";
  TRY_VOID(tx.put_import(row));
  TRY_VOID(tx.close_import(id, events.back().second, "{}"));
  for (const auto& [event, at_ms] : events) {
    Notification record;
    record.import = id;
    record.at_ms = at_ms;
    record.event = event;
    record.weight = activities::to_string(activities::find_event(event)->weight);
    record.subject = record.text = record.next = event;
    TRY_VOID(tx.notify(record));
  }
  return {};
}

std::string configuration(const std::string& mail_url) {
  std::string text = fmt::format(
      "[budgets]\nbulk_calls = 1000000000\n"
      "[mail]\nurl = \"{}\"\nfrom = \"calls@example.test\"\nto = []\n",
      mail_url);
  for (int i = 0; i < kPeople; ++i)
    text += fmt::format(
        "[people.{0}]\nname = \"{0}\"\nmail = \"{0}@example.test\"\nknown_as = [\"os:{0}\"]\n"
        "level = \"everything\"\ndigest = false\n",
        person(i));
  return text;
}

struct Delays {
  std::vector<double> act, merged;
  int missing = 0;  ///< escalations and merged messages that were not taken
};

/// What the library knows of the messages, beside what the mail server took.
Result<Delays> delays_of(Library& library, const std::map<std::string, TakenMail>& taken) {
  Delays delays;
  TRY_VOID(library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
    TRY(const auto messages, telling.messages({.channel = "mail", .limit = 10'000}));
    for (const auto& message : messages) {
      const bool act = message.weight == "act" && message.import.starts_with("imp_e");
      if (!act && !message.import.starts_with("imp_m")) continue;
      TRY(const auto news, telling.news(message.id));
      const auto mail = taken.find(message.id);
      if (mail == taken.end() || news.empty()) {
        ++delays.missing;
        continue;
      }
      const std::int64_t from_ms = act ? news.front().at_ms : news.front().at_ms + activities::kMergeMs;
      (act ? delays.act : delays.merged).push_back(static_cast<double>(mail->second.at_ms - from_ms));
    }
    return {};
  }));
  return delays;
}

bool start_escalations(BenchServer& server, const std::string& credential, Clock::time_point by) {
  for (int i = 0; i < kEscalations && Clock::now() < by; ++i) {
    BenchImport import{escalated_id(i), "refused-" + std::to_string(i), "Refused", credential, "os:" + person(i)};
    if (!server.start_import(import)) return false;
    if (i % kAtOnce == kAtOnce - 1) api::wait_a_while(std::chrono::milliseconds{500});
  }
  return true;
}

void tell(benchmark::State& state, const Delays& delays) {
  state.counters["escalations"] = static_cast<double>(delays.act.size());
  state.counters["escalation_p50_ms"] = percentile(delays.act, 0.5);
  state.counters["escalation_p99_ms"] = percentile(delays.act, 0.99);
  state.counters["escalation_max_ms"] = percentile(delays.act, 1);
  state.counters["merged"] = static_cast<double>(delays.merged.size());
  state.counters["merged_p50_ms"] = percentile(delays.merged, 0.5);
  state.counters["merged_p99_ms"] = percentile(delays.merged, 0.99);
  state.counters["missing"] = delays.missing;
}

/// Imports that run to the end of it, and calls that came in meanwhile.
Result<> tell_load(benchmark::State& state, Library& library, double seconds) {
  int running = 0;
  std::int64_t calls = 0;
  for (int i = 0; i < kRunning; ++i) {
    TRY(const auto row, library.import(running_id(i)));
    running += row.first.condition == "running" || row.bulk.condition == "running" ? 1 : 0;
    calls += row.counters.registered;
  }
  state.counters["running"] = running;
  state.counters["calls_per_s"] = static_cast<double>(calls) / seconds;
  return {};
}

void Mail(benchmark::State& state) {
  for (auto _ : state) {
    MailReceiver receiver;
    BenchServer server;
    const std::int64_t base_ms = unix_ms() - activities::kMergeMs + kMergedFromMs;
    const bool seeded = in_library(server, [&](Library& library) {
      return library.change([&](LibraryTx& tx) -> Result<> {
        for (int i = 0; i < kMerged; ++i) {
          const std::int64_t at_ms = base_ms + i * kMergedEveryMs;
          TRY_VOID(add_ended(tx, merged_id(i), person(i),
                             {{"import.access_checked", at_ms},
                              {"import.counted", at_ms + 2'000},
                              {"import.ordered", at_ms + 3'000}}));
        }
        return {};
      });
    });
    write_file(server.data() + "/callimport.toml", configuration(receiver.url()));
    const bool open = seeded &&
                      server.open_sandbox({"--calls", "3000", "--media-bytes", "10000", "--token", kTakenToken}) &&
                      server.open();
    if (!open) return state.SkipWithError("the server did not start");
    const std::string good = server.add_credential(kTakenToken), refused = server.add_credential(kRefusedToken);
    const auto begun = Clock::now();
    for (int i = 0; i < kRunning; ++i) {
      BenchImport import{running_id(i), "customer-" + std::to_string(i), "Running", good, "os:" + person(i)};
      if (!server.start_import(import)) return state.SkipWithError("an import did not start");
    }
    const auto of = [](const std::map<std::string, TakenMail>& taken, const char* prefix) {
      return std::count_if(taken.begin(), taken.end(),
                           [&](const auto& one) { return one.second.list.starts_with(prefix); });
    };
    // Each of the running ones has told that it began.
    receiver.wait_until(begun + kBegin, [&](const auto& taken) { return of(taken, "imp_r") >= kRunning; });
    if (!start_escalations(server, refused, begun + kLimit)) return state.SkipWithError("an import did not start");
    // Their beginning, and that they want somebody.
    receiver.wait_until(begun + kLimit, [&](const auto& taken) {
      return of(taken, "imp_e") >= 2 * kEscalations && of(taken, "imp_m") >= kMerged;
    });
    const double seconds = seconds_since(begun);
    state.SetIterationTime(seconds);
    const auto taken = receiver.taken();
    state.counters["mails"] = static_cast<double>(taken.size());
    server.close();
    (void)in_library(server, [&](Library& library) -> Result<> {
      TRY(const auto delays, delays_of(library, taken));
      tell(state, delays);
      return tell_load(state, library, seconds);
    });
  }
}
BENCHMARK(Mail)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

/// Counts, and says yes.
class Target final : public simulations::Sandbox {
 public:
  simulations::SandboxReply handle(const simulations::SandboxRequest&, Timestamp) override {
    came.fetch_add(1);
    return {};
  }
  std::atomic<int> came{0};
};

int endpoints_wanted() {
  const char* text = std::getenv("CALLIMPORT_BENCH_ENDPOINTS");
  return text == nullptr ? 10 : std::max(std::atoi(text), 1);
}

void Webhooks(benchmark::State& state) {
  for (auto _ : state) {
    const int endpoints = endpoints_wanted(), expected = endpoints * kRecords;
    Target target;
    auto listening = simulations::SandboxServer::listen(target, {});
    if (!listening) return state.SkipWithError("no port for the target");
    (*listening)->start();
    BenchServer server;
    std::filesystem::create_directories(server.data());
    write_file(server.data() + "/callimport.toml", "[webhooks]\nallow_networks = [\"127.0.0.0/8\"]\n");
    if (!server.open()) return state.SkipWithError("the server did not start");
    for (int i = 0; i < endpoints; ++i) {
      const auto url = fmt::format("http://127.0.0.1:{}/{}", (*listening)->port(), i);
      if (server.verb({"webhooks", "add", url}).code != 0) return state.SkipWithError("no webhook was added");
    }
    server.close();
    const bool seeded = in_library(server, [&](Library& library) {
      return library.change([&](LibraryTx& tx) {
        std::vector<std::pair<std::string, std::int64_t>> events;
        for (int i = 0; i < kRecords; ++i) events.emplace_back("import.waiting", unix_ms());
        return add_ended(tx, "imp_w", "nobody", events);
      });
    });
    const auto begun = Clock::now();
    if (!seeded || !server.open()) return state.SkipWithError("the server did not start again");
    while (target.came.load() < expected && seconds_since(begun) < 60) api::wait_a_while(std::chrono::milliseconds{50});
    const double seconds = seconds_since(begun);
    state.SetIterationTime(seconds);
    state.counters["endpoints"] = endpoints;
    state.counters["delivered"] = target.came.load();
    state.counters["deliveries_per_s"] = target.came.load() / seconds;
    state.counters["missing"] = std::max(expected - target.came.load(), 0);
    server.close();
  }
}
BENCHMARK(Webhooks)->UseManualTime()->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace callimport::tests

BENCHMARK_MAIN();
