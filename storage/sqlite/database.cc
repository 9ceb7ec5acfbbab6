#include "storage/sqlite/database.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <chrono>

#include "storage/model/ensure.h"
#include "storage/sqlite/commit_times.h"
#include "storage/sqlite/failure.h"
#include "storage/sqlite/vfs.h"

namespace callimport::storage {

namespace {

constexpr std::int64_t kPageBytes = 4096;
constexpr std::int64_t kFrameHeaderBytes = 24;
constexpr std::int64_t kWalFileBytesKept = 64 << 20;  ///< a WAL that grew beyond is cut to this when it begins again

int count_wal_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<std::int64_t*>(pages) = count;
  return SQLITE_OK;
}

/// The one integer `sql` gives.
Result<std::int64_t> ask(Database& db, std::string_view sql) {
  Statement statement(db, sql);
  TRY(const bool row, statement.step());
  ENSURE(row);
  return statement.integer(0);
}

/// Refused before anything is written, the journal mode included. Answers the version found.
Result<std::int64_t> known_version(Database& db, const std::string& path, std::span<const Migration> migrations) {
  for (std::size_t i = 0; i < migrations.size(); ++i) ENSURE(migrations[i].version == static_cast<int>(i) + 1);
  TRY(const std::int64_t found, ask(db, "PRAGMA user_version"));
  TRY([[maybe_unused]] const std::int64_t tables,
      ask(db, "SELECT count(*) FROM sqlite_schema"));  // reads the schema's pages
  if (migrations.empty() || found <= std::ssize(migrations)) return found;
  return fail(Code::kConflict, fmt::format("{} has schema version {}, and this program knows versions up to {}: "
                                           "use the newer program that wrote it, or another data folder",
                                           path, found, migrations.size()));
}

Result<> migrate(Database& db, std::span<const Migration> missing) {
  for (const auto& step : missing) {
    TRY(auto transaction, Transaction::begin(db));
    TRY_VOID(db.exec(step.sql));
    TRY_VOID(db.exec(fmt::format("PRAGMA user_version = {}", step.version)));
    TRY_VOID(std::move(transaction).commit());
  }
  return {};
}

Result<> configure(Database& db, const OpenOptions& options) {
  TRY_VOID(
      db.exec("PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"
              "PRAGMA trusted_schema = OFF"));
  if (options.read_only) return {};
  if (options.plain_copy) return db.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  TRY_VOID(db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  TRY_VOID(db.exec(fmt::format("PRAGMA journal_size_limit = {}", kWalFileBytesKept)));
  return {};
}

}  // namespace

struct Database::Inside {
  std::shared_ptr<Vfs> vfs;                // shared by every connection to this disk
  std::shared_ptr<SharedDatabase> joined;  // shared by every connection to this file
  sqlite3* db = nullptr;
  std::int64_t wal_pages = 0;

  ~Inside() {
    if (db != nullptr) ENSURE(sqlite3_close(db) == SQLITE_OK);  // else a Statement outlives its Database
    if (joined) vfs->leave(std::move(joined));
  }
};

Database::Database(std::unique_ptr<Inside> inside) : inside_(std::move(inside)), db_(inside_->db) {}
Database::Database(Database&& other) noexcept
    : inside_(std::move(other.inside_)), db_(std::exchange(other.db_, nullptr)) {}
Database& Database::operator=(Database&& other) noexcept {
  inside_ = std::move(other.inside_);
  db_ = std::exchange(other.db_, nullptr);
  return *this;
}
Database::~Database() = default;

Result<Database> Database::open(Disk& disk, const std::string& path, OpenOptions options) {
  auto inside = std::make_unique<Inside>();
  inside->vfs = Vfs::of(disk);
  TRY(inside->joined, inside->vfs->join(path, !options.read_only));
  const int access = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int opened = sqlite3_open_v2(path.c_str(), &inside->db, access | SQLITE_OPEN_NOMUTEX, inside->vfs->name());
  if (opened != SQLITE_OK) return failure(inside->db, opened);
  sqlite3_extended_result_codes(inside->db, 1);
  sqlite3_busy_timeout(inside->db, options.busy_timeout_ms);
  sqlite3_db_config(inside->db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(inside->db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);

  Database db(std::move(inside));
  TRY(const std::int64_t version, known_version(db, path, options.migrations));
  TRY_VOID(configure(db, options));
  if (options.checkpoint_by_caller) sqlite3_wal_hook(db.db_, count_wal_pages, &db.inside_->wal_pages);
  if (!options.migrations.empty()) TRY_VOID(migrate(db, options.migrations.subspan(static_cast<std::size_t>(version))));
  return db;
}

Result<> Database::exec(std::string_view sql) {
  const int code = sqlite3_exec(db_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(db_, code);
  return {};
}

std::int64_t Database::last_insert_rowid() const { return sqlite3_last_insert_rowid(db_); }
std::int64_t Database::changes() const { return sqlite3_changes64(db_); }
std::int64_t Database::wal_bytes() const { return inside_->wal_pages * (kPageBytes + kFrameHeaderBytes); }

Result<> Database::checkpoint() {
  int in_wal = 0, moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
  if (code == SQLITE_BUSY) return {};  // another connection is at it
  if (code != SQLITE_OK) return failure(db_, code);
  if (in_wal == moved) inside_->wal_pages = 0;
  return {};
}

Result<> Database::check() {
  Statement statement(*this, "PRAGMA quick_check(1)");
  TRY(const bool row, statement.step());
  ENSURE(row);
  if (statement.text(0) == "ok") return {};
  return fail(Code::kCorrupt, damaged(db_, statement.text(0)));
}

Result<Transaction> Transaction::begin(Database& db) {
  TRY_VOID(db.exec("BEGIN IMMEDIATE"));
  return Transaction(db);
}

Transaction::~Transaction() {
  if (db_ == nullptr || sqlite3_get_autocommit(db_->handle()) != 0) return;  // SQLite may have rolled back by itself
  (void)db_->exec("ROLLBACK");
}

Result<> Transaction::commit() && {
  Database* db = std::exchange(db_, nullptr);
  const auto begun = std::chrono::steady_clock::now();  // for the metrics only
  auto done = db->exec("COMMIT");
  if (done) count_commit(std::chrono::steady_clock::now() - begun);
  if (!done && sqlite3_get_autocommit(db->handle()) == 0) (void)db->exec("ROLLBACK");
  return done;
}

}  // namespace callimport::storage
