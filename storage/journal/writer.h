#pragma once
// The side of the journal that writes: what one turn holds, what is committed together, and what is done when idle.
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "storage/journal/journal.h"
#include "storage/journal/store.h"

namespace callimport::storage {

/// One callback with its result, and the number of the call it answers.
struct Answer {
  std::uint64_t call;
  std::function<void()> tell;
};

struct Append {
  std::uint64_t call;
  std::vector<JournalRow> rows;
  Journal::Done done;
};

/// Work of the writer that is no append; `work` runs after the commit of its turn and leaves what to tell.
struct Errand {
  std::uint64_t call;
  std::function<std::function<void()>()> work;
};

/// What was called in one turn of the loop: one commit holds all of it, whatever the order of the calls.
struct Turn {
  std::vector<Append> appends;
  Riders riders;
  std::vector<Errand> errands;
  std::size_t bytes = 0;

  bool empty() const noexcept { return appends.empty() && riders.empty() && errands.empty(); }
};

/// Threads: one at a time, the writer's own or the loop's; `figures` from any.
class Writer {
 public:
  Writer(std::unique_ptr<JournalStore> store, const JournalOptions& options);

  JournalStore& store() noexcept { return *store_; }
  Journal::Figures figures() const { return {commits_.load(), rows_.load()}; }

  /// Commits turns, together as far as a limit of bytes goes, then does their errands. Answers in the order of the
  /// calls.
  std::vector<Answer> process(std::deque<Turn> turns);
  /// After a failed commit, which fails all later ones: forgets it, and what rode with it.
  Result<Seq> reset();
  /// Riders that found no commit: written now, before somebody reads, or at the end.
  void settle();
  /// True while `idle_step` has something to do.
  bool has_idle_work() const;
  void idle_step();

 private:
  void process_group(std::deque<Turn>& turns, std::vector<Answer>& answers);
  Result<> commit(std::vector<JournalRow> rows);
  Result<> numbered(const std::vector<JournalRow>& rows) const;
  void checkpoint();

  std::unique_ptr<JournalStore> store_;
  const std::int64_t wal_bytes_max_;
  const std::uint64_t die_after_commits_;
  std::optional<Error> failure_;
  Riders riders_;
  std::int64_t checkpoint_at_, idle_checkpoint_at_;  ///< bytes in the WAL
  std::atomic<std::uint64_t> commits_{0}, rows_{0};
};

}  // namespace callimport::storage
