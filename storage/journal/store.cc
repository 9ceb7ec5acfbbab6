#include "storage/journal/store.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "storage/journal/compression.h"
#include "storage/journal/schema.h"
#include "storage/model/ensure.h"

namespace callimport::storage {

namespace {
constexpr Seq kTrimRowsPerStep = 512;
constexpr std::string_view kPragmas =
    "PRAGMA secure_delete = OFF;"  // no secrets here, and zeros over trimmed rows would be written twice
    "PRAGMA cache_size = -4096;";  // KiB: appends touch few pages; a larger commit spills into the WAL
}  // namespace

void Riders::take(Riders&& other) {
  std::move(other.snapshots.begin(), other.snapshots.end(), std::back_inserter(snapshots));
  std::move(other.closed.begin(), other.closed.end(), std::back_inserter(closed));
  std::move(other.erased.begin(), other.erased.end(), std::back_inserter(erased));
}

struct JournalStore::Statements {
  explicit Statements(Database& db)
      : add_row(db, "INSERT INTO transition(seq, run, previous, sum, body) VALUES(?1, ?2, ?3, ?4, ?5)"),
        row(db, "SELECT run, previous, sum, body FROM transition WHERE seq = ?1"),
        last(db, "SELECT max(seq) FROM transition"),
        put_snapshot(db, "INSERT OR REPLACE INTO snapshot(run, seq, version, sum, body) VALUES(?1, ?2, ?3, ?4, ?5)"),
        drop_snapshot(db, "DELETE FROM snapshot WHERE run = ?1"),
        put_closed(
            db,
            "INSERT OR REPLACE INTO closed_histories(run, name_space, workflow_id, run_id, closed_ms, delete_after_ms,"
            " sum, summary, history) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        closed(db,
               "SELECT name_space, workflow_id, run_id, closed_ms, delete_after_ms, sum, summary, history"
               " FROM closed_histories WHERE run = ?1"),
        drop_closed(db, "DELETE FROM closed_histories WHERE run = ?1"),
        put_erased(db, "INSERT OR REPLACE INTO erased(run, seq) VALUES(?1, ?2)"),
        drop_erased(db, "DELETE FROM erased WHERE seq <= ?1"),
        drop_rows(db, "DELETE FROM transition WHERE seq <= ?1"),
        mark(db, "SELECT trimmed, last_run FROM mark WHERE id = 1"),
        put_mark(db, "UPDATE mark SET trimmed = ?1, last_run = ?2 WHERE id = 1") {}

  Statement add_row, row, last, put_snapshot, drop_snapshot, put_closed, closed, drop_closed, put_erased, drop_erased,
      drop_rows, mark, put_mark;
  Compression compression;
};

Result<std::unique_ptr<JournalStore>> JournalStore::open(Disk& disk, const std::string& path) {
  OpenOptions options;
  options.migrations = journal_schema::kMigrations;
  options.checkpoint_by_caller = true;
  TRY(auto db, Database::open(disk, path, options));
  TRY_VOID(db.exec(kPragmas));
  std::unique_ptr<JournalStore> store(new JournalStore(std::move(db), path));
  TRY_VOID(store->load_mark());
  TRY_VOID(store->reload());
  return store;
}

JournalStore::JournalStore(Database db, std::string path)
    : db_(std::move(db)), path_(std::move(path)), statements_(std::make_unique<Statements>(db_)) {}
JournalStore::~JournalStore() = default;

tl::unexpected<Error> JournalStore::damaged(const std::string& what) const {
  return fail(Code::kCorrupt,
              path_ + " is damaged (" + what + "): stop, keep a copy of the file, and restore it from a backup");
}

Result<> JournalStore::load_mark() {
  TRY(const bool found, statements_->mark.step());
  if (!found) return damaged("its mark is missing");
  trimmed_ = statements_->mark.integer(0);
  last_run_ = statements_->mark.integer(1);
  statements_->mark.reset();
  return {};
}

Result<Seq> JournalStore::reload() {
  TRY(const bool found, statements_->last.step());
  ENSURE(found);
  last_ = std::max(trimmed_, statements_->last.integer(0));  // no rows: NULL, which reads as 0
  statements_->last.reset();
  return last_;
}

Result<> JournalStore::commit(const std::vector<JournalRow>& rows, const Riders& riders) {
  const Seq last = last_ + std::ssize(rows);
  const Seq trimmed = trimmed_;
  const auto write = [&]() -> Result<> {
    TRY(auto transaction, Transaction::begin(db_));
    TRY_VOID(write_rows(rows));
    TRY_VOID(write_riders(riders, last));
    if (trim_due()) TRY_VOID(trim_rows(2 * std::ssize(rows) + 64));
    return std::move(transaction).commit();
  };
  auto done = write();
  if (!done) {
    trimmed_ = trimmed;
    return done;
  }
  last_ = last;
  for (const auto& row : rows) last_run_ = std::max(last_run_, row.run);
  return {};
}

Result<> JournalStore::write_rows(const std::vector<JournalRow>& rows) {
  Seq expected = last_;
  for (const auto& row : rows) {
    ENSURE(row.seq == ++expected);
    TRY_VOID(statements_->add_row.bind(1, row.seq)
                 .bind(2, row.run)
                 .bind(3, row.previous)
                 .bind(4, checksum(row.run, row.previous, row.body))
                 .bind_blob(5, row.body)
                 .run());
  }
  return {};
}

Result<> JournalStore::write_riders(const Riders& riders, Seq last) {
  auto& s = *statements_;
  for (const auto& snapshot : riders.snapshots) {
    s.put_snapshot.bind(1, snapshot.run).bind(2, snapshot.seq).bind(3, snapshot.version);
    s.put_snapshot.bind(4, checksum(snapshot.run, snapshot.seq, snapshot.body)).bind_blob(5, snapshot.body);
    TRY_VOID(s.put_snapshot.run());
  }
  for (const auto& closed : riders.closed) {
    const std::string packed = s.compression.compress(closed.history);
    s.put_closed.bind(1, closed.run).bind(2, closed.name_space).bind(3, closed.workflow_id).bind(4, closed.run_id);
    s.put_closed.bind(5, closed.closed_ms).bind(6, closed.delete_after_ms);
    s.put_closed.bind(7, checksum(closed.run, checksum(0, 0, closed.summary), packed));
    s.put_closed.bind_blob(8, closed.summary).bind_blob(9, packed);
    TRY_VOID(s.put_closed.run());
    TRY_VOID(s.drop_snapshot.bind(1, closed.run).run());
  }
  for (const RunKey run : riders.erased) {
    TRY_VOID(s.drop_closed.bind(1, run).run());
    TRY_VOID(s.drop_snapshot.bind(1, run).run());
    TRY_VOID(s.put_erased.bind(1, run).bind(2, last).run());
    last_run_ = std::max(last_run_, run);
  }
  if (!riders.erased.empty()) TRY_VOID(s.put_mark.bind(1, trimmed_).bind(2, last_run_).run());
  return {};
}

void JournalStore::want_trim(Seq floor) {
  ENSURE(recovered_);  // else the highest run is not known, and would be forgotten with its rows
  trim_floor_ = std::max(trim_floor_, std::min(floor, last_ + 1));
}

Result<> JournalStore::trim_rows(Seq count) {
  const Seq until = std::min(trimmed_ + count, trim_floor_ - 1);
  TRY_VOID(statements_->drop_rows.bind(1, until).run());
  TRY_VOID(statements_->drop_erased.bind(1, until).run());
  TRY_VOID(statements_->put_mark.bind(1, until).bind(2, last_run_).run());
  trimmed_ = until;
  return {};
}

Result<> JournalStore::trim_step() {
  const Seq trimmed = trimmed_;
  const auto write = [&]() -> Result<> {
    TRY(auto transaction, Transaction::begin(db_));
    TRY_VOID(trim_rows(kTrimRowsPerStep));
    return std::move(transaction).commit();
  };
  auto done = write();
  if (!done) trimmed_ = trimmed;
  return done;
}

Result<std::vector<JournalRow>> JournalStore::read_run(Seq last) {
  std::vector<JournalRow> rows;
  auto& read = statements_->row;
  for (Seq seq = last; seq != 0; seq = rows.back().previous) {
    TRY(const bool found, read.bind(1, seq).step());
    if (!found && (seq <= trimmed_ || seq > last_))
      return fail(Code::kNotFound, fmt::format("{}: no row {}", path_, seq));
    if (!found) return damaged(fmt::format("row {} is missing", seq));
    JournalRow row{seq, read.integer(0), read.integer(1), read.blob(3)};
    const auto sum = read.integer(2);
    read.reset();
    if (sum != checksum(row.run, row.previous, row.body))
      return damaged(fmt::format("row {} has a wrong checksum", seq));
    if (row.previous >= seq || row.previous < 0 || (!rows.empty() && rows.back().run != row.run)) {
      return damaged(fmt::format("row {} does not follow its run", seq));
    }
    rows.push_back(std::move(row));
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

Result<std::optional<ClosedHistory>> JournalStore::read_closed(RunKey run) {
  auto& read = statements_->closed;
  TRY(const bool found, read.bind(1, run).step());
  if (!found) return std::nullopt;
  ClosedHistory closed{run, read.text(0), read.text(1), read.text(2), read.integer(3), read.integer(4), read.blob(6),
                       {}};
  const std::string packed = read.blob(7);
  const auto sum = read.integer(5);
  read.reset();
  if (sum != checksum(run, checksum(0, 0, closed.summary), packed)) {
    return damaged(fmt::format("the history of run {} has a wrong checksum", run));
  }
  TRY(closed.history, statements_->compression.decompress(packed));
  return closed;
}

Result<Journal::Recovered> JournalStore::recover(int snapshot_version) {
  Journal::Recovered recovered;
  std::unordered_map<RunKey, Seq> newest;  // of each open run: its last row seen, or its snapshot's
  std::unordered_set<RunKey> finished;
  Statement closed(db_, "SELECT run, summary FROM closed_histories ORDER BY run");
  while (true) {
    TRY(const bool row, closed.step());
    if (!row) break;
    finished.insert(closed.integer(0));
    recovered.closed.push_back({closed.integer(0), closed.blob(1)});
    last_run_ = std::max(last_run_, closed.integer(0));
  }
  Statement erased(db_, "SELECT run FROM erased");
  while (true) {
    TRY(const bool row, erased.step());
    if (!row) break;
    finished.insert(erased.integer(0));
  }
  Statement snapshots(db_, "SELECT run, seq, version, sum, body FROM snapshot ORDER BY run");
  while (true) {
    TRY(const bool row, snapshots.step());
    if (!row) break;
    Snapshot snapshot{snapshots.integer(0), snapshots.integer(1), static_cast<int>(snapshots.integer(2)),
                      snapshots.blob(4)};
    last_run_ = std::max(last_run_, snapshot.run);
    const bool whole = snapshots.integer(3) == checksum(snapshot.run, snapshot.seq, snapshot.body);
    if (!whole || snapshot.version != snapshot_version) continue;  // its rows say it again
    newest[snapshot.run] = snapshot.seq;
    recovered.snapshots.push_back(std::move(snapshot));
  }
  Statement rows(db_, "SELECT seq, run, previous, sum, body FROM transition ORDER BY seq");
  Seq expected = trimmed_;
  while (true) {
    TRY(const bool more, rows.step());
    if (!more) break;
    const Seq seq = rows.integer(0);
    const RunKey run = rows.integer(1);
    last_run_ = std::max(last_run_, run);
    if (seq != ++expected) return damaged(fmt::format("row {} is missing", expected));
    if (finished.contains(run)) continue;
    Seq& before = newest[run];
    if (seq <= before) continue;  // in the snapshot
    JournalRow row{seq, run, rows.integer(2), rows.blob(4)};
    if (rows.integer(3) != checksum(run, row.previous, row.body))
      return damaged(fmt::format("row {} has a wrong checksum", seq));
    if (row.previous != before) return damaged(fmt::format("row {} does not follow its run", seq));
    before = seq;
    recovered.rows.push_back(std::move(row));
  }
  recovered.last = last_;
  recovered.last_run = last_run_;
  recovered_ = true;
  return recovered;
}

Result<> JournalStore::checkpoint() { return db_.checkpoint(); }
std::int64_t JournalStore::wal_bytes() const { return db_.wal_bytes(); }

}  // namespace callimport::storage
