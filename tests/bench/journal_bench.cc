// What the journal costs: one durable row at a time, and many at once. Run it in a folder on the disk you ask about.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "storage/journal/journal.h"
#include "storage/model/ensure.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/posix_disk.h"
#include "storage/sqlite/database.h"
#include "tests/bench/bench_folder.h"

namespace callimport::storage {
namespace {

using tests::BenchFolder;

/// The yardstick: what one row costs in plain SQLite with WAL and synchronous=FULL on this disk.
void one_row_sqlite_commit(benchmark::State& state) {
  BenchFolder folder;
  PosixDisk disk;
  auto db = Database::open(disk, folder.file("plain.db"), {});
  ENSURE(db.has_value());
  ENSURE(db->exec("CREATE TABLE row(id INTEGER PRIMARY KEY, body BLOB) STRICT").has_value());
  Statement insert(*db, "INSERT INTO row(body) VALUES(?1)");
  const std::string body(static_cast<std::size_t>(state.range(0)), 'r');
  for (auto _ : state) {
    auto transaction = Transaction::begin(*db);
    ENSURE(transaction.has_value());
    ENSURE(insert.bind_blob(1, body).run().has_value());
    ENSURE(std::move(*transaction).commit().has_value());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(one_row_sqlite_commit)->Arg(200)->Arg(1024)->UseRealTime()->Unit(benchmark::kMicrosecond);

/// Keeps `outstanding` appends of one row under way, each by a run of its own, until `total` rows are durable.
class Appender {
 public:
  Appender(Journal& journal, AsioLoop& loop, std::size_t bytes) : journal_(journal), loop_(loop), body_(bytes, 'r') {}

  void run(std::int64_t outstanding, std::int64_t total) {
    left_to_start_ = left_to_finish_ = total;
    loop_.post([this, outstanding] {
      for (std::int64_t i = 0; i < outstanding; ++i) start();
    });
    loop_.run();
  }

 private:
  void start() {
    if (left_to_start_ == 0) return;
    --left_to_start_;
    const Seq seq = ++last_;
    journal_.append({JournalRow{seq, seq, 0, body_}}, [this](Result<> done) {
      ENSURE(done.has_value());
      if (--left_to_finish_ == 0) loop_.stop();
      start();
    });
  }

  Journal& journal_;
  AsioLoop& loop_;
  const std::string body_;
  Seq last_ = 0;
  std::int64_t left_to_start_ = 0, left_to_finish_ = 0;
};

void journal_append(benchmark::State& state) {
  BenchFolder folder;
  PosixDisk disk;
  AsioLoop loop;
  auto journal = open_journal(disk, loop, {.path = folder.file("journal.db")});
  ENSURE(journal.has_value());
  Appender appender(**journal, loop, 1024);
  const std::int64_t outstanding = state.range(0), per_round = outstanding == 1 ? 1 : 100'000;
  for (auto _ : state) appender.run(outstanding, per_round);
  state.SetItemsProcessed(state.iterations() * per_round);
  const auto figures = (*journal)->figures();
  state.counters["rows_per_commit"] = static_cast<double>(figures.rows) / static_cast<double>(figures.commits);
}
BENCHMARK(journal_append)->Arg(1)->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(journal_append)->Arg(100)->Arg(1000)->UseRealTime()->Unit(benchmark::kMillisecond);

/// Start-up: every open run has five rows of 300 bytes and no snapshot.
void journal_recover(benchmark::State& state) {
  BenchFolder folder;
  PosixDisk disk;
  const std::int64_t runs = state.range(0);
  {
    AsioLoop loop;
    auto journal = open_journal(disk, loop, {.path = folder.file("journal.db")});
    ENSURE(journal.has_value());
    std::vector<JournalRow> rows;
    for (Seq seq = 1; seq <= runs * 5; ++seq) {
      rows.push_back({seq, (seq - 1) % runs + 1, seq > runs ? seq - runs : 0, std::string(300, 'r')});
      if (rows.size() < 4'000 && seq < runs * 5) continue;
      (*journal)->append(std::exchange(rows, {}), [&, seq](Result<> done) {
        ENSURE(done.has_value());
        if (seq == runs * 5) loop.stop();
      });
    }
    loop.run();
  }
  for (auto _ : state) {
    AsioLoop loop;
    auto journal = open_journal(disk, loop, {.path = folder.file("journal.db")});
    ENSURE(journal.has_value());
    auto recovered = (*journal)->recover(1);
    ENSURE(recovered.has_value() && std::ssize(recovered->rows) == runs * 5);
  }
}
BENCHMARK(journal_recover)->Arg(100'000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace callimport::storage

BENCHMARK_MAIN();
