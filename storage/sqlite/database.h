#pragma once
// SQLite behind four small types. sqlite3.h is seen in this folder only.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "storage/model/result.h"
#include "storage/runtime/disk.h"

struct sqlite3;
struct sqlite3_stmt;

namespace callimport::storage {

/// One embedded, numbered, forward-only step. `version` is dense from 1 and becomes PRAGMA user_version.
struct Migration {
  int version;
  std::string_view sql;
};

struct OpenOptions {
  std::span<const Migration> migrations;  ///< applied in one transaction each; empty for a second connection
  bool read_only = false;                 ///< a reader beside the one writer
  int busy_timeout_ms = 5000;
  bool plain_copy = false;  ///< the target of a copy: nothing is set up, no WAL; not durable until the file is synced
  bool checkpoint_by_caller = false;  ///< no automatic checkpoint: the caller watches `wal_bytes`
};

/// One connection: WAL, synchronous=FULL, foreign keys on, double-quoted strings off, through the VFS over `Disk`.
/// Files are guarded against other processes by an exclusive lock on the database file; connections of this process
/// share it. Threads: one at a time. Lifetime: `disk` outlives it. After a simulated power loss: destroy all of a
/// file's, then open anew.
class Database {
 public:
  /// @error kConflict     the file is from a newer version; the text names both numbers; or locked by another process
  /// @error kCorrupt      not a database, or quick_check fails on open of its header pages
  /// @error kUnavailable  cannot be opened or written: permission, disk full
  static Result<Database> open(Disk& disk, const std::string& path, OpenOptions options);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// Several statements, no parameters, no rows.
  Result<> exec(std::string_view sql);
  std::int64_t last_insert_rowid() const;
  std::int64_t changes() const;
  /// Moves the WAL into the database file; the next write then begins it again at its start, when nobody reads.
  Result<> checkpoint();
  /// Bytes of the WAL not yet known to be checkpointed, as of the last commit; only with `checkpoint_by_caller`.
  std::int64_t wal_bytes() const;
  /// Reads the whole file, so for `doctor` and the like.  @error kCorrupt  with the first damage found
  Result<> check();
  /// Everything of this database as of one moment, into `target`, opened as plain_copy; what it held is gone.
  Result<> copy_to(Database& target);
  sqlite3* handle() const noexcept { return db_; }

 private:
  struct Inside;
  explicit Database(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
  sqlite3* db_ = nullptr;  // owned by inside_
};

/// Prepared once, bound always, reset when it ends. @invariant the SQL is a literal: a syntax error aborts at
/// construction; trouble with the disk at construction shows in `run` and `step`. Lifetime: ends before its Database.
class Statement {
 public:
  Statement(Database& db, std::string_view sql);
  Statement(Statement&& other) noexcept
      : stmt_(std::exchange(other.stmt_, nullptr)), broken_(std::move(other.broken_)) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, int value) { return bind(index, static_cast<std::int64_t>(value)); }
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);  ///< copied
  Statement& bind(int index, const std::string& text) { return bind(index, std::string_view(text)); }
  Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  Statement& bind_blob(int index, std::string_view bytes);  ///< copied
  Statement& bind_null(int index);
  template <class T>
  Statement& bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind_null(index);
  }

  /// Runs to the end, rows ignored; resets and clears bindings whatever happens.
  /// @error kConflict constraint; kUnavailable full, busy, I/O; kCorrupt malformed; kInvalid what SQL itself refuses (a
  /// full-text query nobody can parse, a value over 1 GB).
  Result<> run();
  /// Next row or false at the end; reset by `reset()` or by the end.
  Result<bool> step();
  void reset();

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::string blob(int column) const;
  bool is_null(int column) const;

 private:
  sqlite3_stmt* stmt_ = nullptr;
  std::unique_ptr<Error> broken_;  // set when it could not be prepared
};

/// Takes the write lock at once (BEGIN IMMEDIATE), so conflict shows first; rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<> commit() &&;

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;  // not owned; null once finished
};

}  // namespace callimport::storage
