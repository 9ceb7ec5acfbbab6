#pragma once
// Append-only log of transitions: the engine's single source of truth. Rows are opaque bytes here.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/result.h"
#include "storage/runtime/disk.h"
#include "storage/runtime/executor.h"

namespace callimport::storage {

inline constexpr std::size_t kRowsPerAppendMax = 4096;
inline constexpr std::size_t kRowBytesMax = 64u << 20;

using Seq = std::int64_t;     ///< dense over the whole journal, from 1
using RunKey = std::int64_t;  ///< dense over all runs ever journaled, from 1; given by the caller, never reused

struct JournalRow {
  Seq seq = 0;  ///< given by the caller: last() + 1, + 2, ...
  RunKey run = 0;
  Seq previous = 0;  ///< the run's row before this one; 0 for its first
  std::string body;
};

/// A run's whole history, written once when it closes; the rows may then be trimmed.
struct ClosedHistory {
  RunKey run = 0;
  std::string name_space, workflow_id, run_id;
  std::int64_t closed_ms = 0, delete_after_ms = 0;  ///< unix ms
  std::string summary;                              ///< what lists and describes need, opaque here
  std::string history;                              ///< opaque here; stored compressed (zstd)
};

/// A run's state after row `seq`. May be thrown away while its rows exist.
struct Snapshot {
  RunKey run = 0;
  Seq seq = 0;
  int version = 0;
  std::string body;
};

struct ClosedSummary {
  RunKey run = 0;
  std::string summary;
};

/// Threads: called on the core loop; one writer thread inside; callbacks come on the core loop, in call order.
/// Durable when `done` is called: WAL, synchronous=FULL (https://sqlite.org/wal.html). What is called in one turn of
/// the loop (one task and those already queued behind it) is in one commit, whatever the order of the calls; turns that
/// come while a commit is under way share the next one (group commit). Lifetime: `disk` and `loop` outlive it. Its
/// destructor writes what was called and tells nobody.
class Journal {
 public:
  using Done = std::function<void(Result<>)>;
  virtual ~Journal() = default;

  /// Adds `rows` (1..kRowsPerAppendMax), with the snapshots and closed histories that belong to them, all or none.
  /// @error kUnavailable  disk full or I/O; nothing was written; nothing later was written either (appends fail until
  /// `reset`).
  /// @error kCorrupt      a bug of ours (gap in seq, previous not before seq): nothing of the commit was written; the
  /// caller stops.
  virtual void append(std::vector<JournalRow> rows, Done done) = 0;
  /// Snapshots and closed histories ride with the commit of their turn, else with the next one, or are written when the
  /// journal is idle; no callback. A run with a closed history is closed: `recover` gives none of its rows, its
  /// snapshot is dropped.
  virtual void put_snapshots(std::vector<Snapshot> snapshots) = 0;
  virtual void put_closed(ClosedHistory closed) = 0;
  /// After a failed append: forget what was queued, go on after the last durable row. Answers that row's seq; append
  /// nothing between this call and its answer.
  virtual void reset(std::function<void(Result<Seq>)> done) = 0;

  /// Rows of one run from `last` back to its first, oldest first. Sees all rows whose append was called before.
  /// @error kNotFound  no such row, or trimmed.  @error kCorrupt  damage, with the file and what to do.
  virtual void read_run(Seq last, std::function<void(Result<std::vector<JournalRow>>)> done) = 0;
  virtual void read_closed(RunKey run, std::function<void(Result<std::optional<ClosedHistory>>)> done) = 0;
  /// For good: rows of theirs still in the log are never given again either.
  virtual void erase_closed(std::vector<RunKey> runs) = 0;

  /// Rows with seq < `floor` are removed, in small steps, some with each commit and the rest when idle. The caller
  /// knows that their runs are all closed (or snapshotted and readable elsewhere).
  virtual void trim(Seq floor) = 0;

  struct Recovered {
    Seq last = 0;
    RunKey last_run = 0;
    std::vector<Snapshot> snapshots;  ///< newest of each open run
    std::vector<JournalRow> rows;     ///< all rows not covered by a snapshot of their run, by seq
    std::vector<ClosedSummary> closed;
  };
  /// Blocking; once, before anything else. Snapshots of another version are of no use: the rows say it again.
  /// @error kCorrupt  damage: a wrong checksum, a missing row, a row whose `previous` is not the run's row before it.
  virtual Result<Recovered> recover(int snapshot_version) = 0;

  /// Commits so far and rows in them (figures for `doctor` and the benches).
  struct Figures {
    std::uint64_t commits = 0, rows = 0;
  };
  virtual Figures figures() const = 0;
};

struct JournalOptions {
  std::string path;      ///< journal.db
  bool threaded = true;  ///< false: the writer runs on the loop (simulation)
  /// Checkpoint beyond this, or when idle. A short WAL is overwritten in place, so that a sync writes no file size
  /// (measured: 134 us a commit, 166 to 235 us at 64 MiB).
  std::int64_t wal_bytes_max = 8 << 20;
  std::uint64_t die_after_commits = 0;  ///< tests: SIGKILL to ourselves right after the n-th commit; 0: never
};

/// @error  as Database::open.
Result<std::unique_ptr<Journal>> open_journal(Disk& disk, Executor& loop, JournalOptions options);

}  // namespace callimport::storage
