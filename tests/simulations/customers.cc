#include "tests/simulations/customers.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <tuple>

#include "simulations/world/import_world.h"
#include "storage/quota/call_share.h"
#include "storage/runtime/posix_disk.h"

namespace callimport::simulations {
namespace {

using storage::Account;
using storage::CallShare;

CallShare::Answer take_written(CallShare& share, const Account& who, std::int64_t wanted, std::int64_t pending,
                               Timestamp now) {
  while (true) {
    auto answer = share.take(who, wanted, pending, now);
    if (!answer.lease_wanted) return answer;
    std::vector<storage::UseRow> rows;
    share.lease(now, rows);
    for (const auto& row : rows) share.leased(row);
  }
}

}  // namespace

double jain_index(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double one : shares) {
    sum += one;
    squares += one * one;
  }
  return squares == 0 ? 1 : sum * sum / (static_cast<double>(shares.size()) * squares);
}

Modelled model_customers(int customers, std::int64_t calls_each, std::int64_t limit, Nanos period, std::int64_t batch) {
  struct Turn {
    Timestamp at;
    std::uint64_t order = 0;
    std::size_t customer = 0;
    bool operator<(const Turn& other) const { return std::tie(other.at, other.order) < std::tie(at, order); }
  };
  const auto account = [](std::size_t i) { return Account{"grain", fmt::format("customer-{}", i)}; };
  CallShare share("calls.bulk", limit, period);
  std::mt19937_64 random(5);
  std::priority_queue<Turn> turns;
  std::vector<double> had(static_cast<std::size_t>(customers), 0);
  for (std::size_t i = 0; i < had.size(); ++i) {
    share.attend(account(i), true, kSimulationStart);
    turns.push({kSimulationStart, random(), i});
  }
  Modelled seen;
  Timestamp boundary = kSimulationStart + period;
  while (!turns.empty()) {
    const Turn turn = turns.top();
    turns.pop();
    while (turn.at >= boundary) {
      seen.jain_least = std::min(seen.jain_least, jain_index(had));
      ++seen.periods;
      boundary += period;
    }
    const auto left = calls_each - static_cast<std::int64_t>(had[turn.customer]);
    if (left == 0) continue;
    const auto answer = take_written(share, account(turn.customer), std::min(batch, left), left, turn.at);
    had[turn.customer] += static_cast<double>(answer.calls);
    // Three requests a call, five requests a second.
    const Nanos busy = std::chrono::milliseconds{600} * answer.calls;
    turns.push({answer.calls > 0 ? turn.at + busy : *answer.until, random(), turn.customer});
    seen.until_done = turn.at - kSimulationStart;
  }
  return seen;
}

namespace {

/// Customers, each with a Grain behind a token of its own.
class Customers {
 public:
  static Result<std::unique_ptr<Customers>> make(const CustomersOptions& options) {
    auto made = std::unique_ptr<Customers>(new Customers(options));
    ImportWorldOptions world;
    world.seed = options.seed;
    world.budgets.bulk_calls = options.bulk_calls;
    world.activities_max = options.places;
    world.cached_runs_max = options.customers;
    world.grain.generated.calls = 1;
    TRY(made->world_, ImportWorld::make(world));
    TRY_VOID(made->world_->open());
    for (int i = 0; i < options.customers; ++i) TRY_VOID(made->add(i));
    made->world_->outside.answer = [self = made.get()](const SandboxRequest& request, Timestamp now) {
      return self->answer(request, now);
    };
    return made;
  }

  Result<CustomersSeen> run() {
    const Timestamp begun = world_->loop.now();
    for (const auto& input : inputs_) {
      if (&input == &inputs_.back() && options_.late > 0s) world_->loop.run_for(options_.late);
      TRY_VOID(world_->start(input));
    }
    const auto all_ready = [this] { return ready() == std::ssize(inputs_); };
    Timestamp look = begun;
    bool are_ready = false;
    const auto ready_now = [&] {
      if (are_ready || world_->loop.now() < look) return are_ready;  // asking at every step would take a day
      look = world_->loop.now() + 1s;
      are_ready = all_ready();
      return are_ready;
    };
    if (!world_->run_until(ready_now, 12h)) return fail(Code::kUnavailable, "not every first lane came to its end");
    TRY_VOID(note_first(begun));
    world_->run_until([&] { return world_->loop.now() >= begun + 11h + 50min; }, 12h);
    TRY(seen_.jain_after_first_period, jain_of_bulk());
    if (!world_->run_until_closed(24h * 60)) return fail(Code::kUnavailable, "not every import came to its end");
    TRY(const auto rows, world_->library().imports(100'000));
    std::int64_t last = 0;
    for (const auto& row : rows) {
      if (came(row) != static_cast<std::int64_t>(options_.calls_each))
        return fail(Code::kCorrupt,
                    fmt::format("{} has {} of {} calls: {} failed, {} pending, {}", row.id, came(row),
                                row.counters.found, row.counters.failed, row.counters.pending, row.bulk.condition));
      last = std::max(last, row.closed_ms.value_or(0));
      TRY(const auto changes, world_->library().timeline(row.id, 0, 1'000));
      for (const auto& change : changes) seen_.alarms += change.row.reason == "engine.no_progress" ? 1 : 0;
    }
    seen_.whole_s = static_cast<double>(last - to_unix_ms(begun)) / 1'000;
    if (!options_.keep_in.empty()) TRY_VOID(keep());
    return seen_;
  }

 private:
  /// Customers' people share addresses here; a meeting is compared within one customer only, and so comes to both.
  static std::int64_t came(const storage::ImportRow& row) { return row.counters.registered; }

  explicit Customers(const CustomersOptions& options) : options_(options) {}

  Result<> add(int number) {
    const std::string token = fmt::format("grain_pat_{:08}_{}", number, std::string(40, 'x'));
    GrainOptions grain;
    grain.generated.calls = options_.calls_each;
    grain.generated.seed = static_cast<std::uint64_t>(number) + 1;
    grain.token = token;
    grain.slow = options_.answer_time;
    TRY(sandboxes_[token], GrainSandbox::make(grain));
    const std::string workspace = fmt::format("customer-{:04}", number);
    TRY(const auto credential,
        world_->vault().add("grain", workspace, "pat", storage::Secret(token), to_unix_ms(world_->loop.now())));
    auto input = world_->ask(credential.str());
    input.import = fmt::format("imp_{:04}", number);
    input.workspace = workspace;
    input.title = workspace;
    input.media = false;
    input.settings.first_lane = options_.first_lane;
    inputs_.push_back(std::move(input));
    return {};
  }

  std::optional<SandboxReply> answer(const SandboxRequest& request, Timestamp now) {
    const auto bearer = find_header(request.headers, "authorization");
    const auto found = bearer.size() < 7 ? sandboxes_.end() : sandboxes_.find(std::string(bearer.substr(7)));
    if (found == sandboxes_.end()) return std::nullopt;
    SandboxReply reply = found->second->handle(request, now);
    if (reply.status == 429) ++seen_.refused;
    return reply;
  }

  std::int64_t ready() {
    const auto rows = world_->library().imports(100'000);
    if (!rows) return 0;
    return std::count_if(rows->begin(), rows->end(), [](const auto& row) { return row.first_ready_ms.has_value(); });
  }

  Result<> note_first(Timestamp begun) {
    TRY(const auto rows, world_->library().imports(100'000));
    std::int64_t last = 0;
    for (const auto& row : rows) last = std::max(last, row.first_ready_ms.value_or(0));
    seen_.slowest_first_s = static_cast<double>(last - to_unix_ms(begun)) / 1'000;
    TRY(const auto late, world_->library().import(inputs_.back().import));
    seen_.late_first_s = static_cast<double>(late.first_ready_ms.value_or(0) - late.created_ms) / 1'000;
    return {};
  }

  /// The databases, as the real program opens them. There are no recordings.
  Result<> keep() {
    world_->close();
    PosixDisk here;
    TRY_VOID(here.make_dirs(options_.keep_in));
    for (const char* name :
         {"journal.db", "journal.db-wal", "library.db", "library.db-wal", "vault.db", "vault.db-wal", "vault.key"}) {
      const std::string path = std::string("/data/") + name;
      TRY(const bool is_there, world_->disk.exists(path));
      if (!is_there) continue;
      TRY(const auto from, world_->disk.open(path, OpenMode::kRead));
      TRY(const auto bytes, from->size());
      std::vector<std::byte> content(bytes);
      TRY_VOID(from->read(0, content));
      TRY(const auto to, here.open(options_.keep_in + "/" + name, OpenMode::kCreateNew));
      TRY_VOID(to->write(0, content));
    }
    return {};
  }

  Result<double> jain_of_bulk() {
    TRY(const auto rows, world_->library().imports(100'000));
    std::vector<double> had;
    for (const auto& row : rows) had.push_back(static_cast<double>(came(row) - options_.first_lane));
    return jain_index(had);
  }

  CustomersOptions options_;
  CustomersSeen seen_;
  std::map<std::string, std::unique_ptr<GrainSandbox>> sandboxes_;  ///< by token
  std::vector<activities::ImportInput> inputs_;
  std::unique_ptr<ImportWorld> world_;  ///< last: it still asks the sandboxes while it goes
};

}  // namespace

Result<CustomersSeen> run_customers(const CustomersOptions& options) {
  TRY(auto customers, Customers::make(options));
  return customers->run();
}

}  // namespace callimport::simulations
