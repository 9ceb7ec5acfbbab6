#include "storage/journal/writer.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <string>
#include <utility>

namespace callimport::storage {

namespace {

constexpr std::size_t kCommitBytesMax = 16u << 20;      ///< turns beyond this wait for the next commit
constexpr std::int64_t kIdleCheckpointBytes = 1 << 20;  ///< less than this in the WAL is not worth two fsyncs

std::vector<JournalRow> rows_of(std::vector<Append>& appends) {
  std::vector<JournalRow> rows;
  for (auto& append : appends) std::move(append.rows.begin(), append.rows.end(), std::back_inserter(rows));
  return rows;
}

}  // namespace

Writer::Writer(std::unique_ptr<JournalStore> store, const JournalOptions& options)
    : store_(std::move(store)),
      wal_bytes_max_(options.wal_bytes_max),
      die_after_commits_(options.die_after_commits),
      checkpoint_at_(wal_bytes_max_),
      idle_checkpoint_at_(std::min(kIdleCheckpointBytes, wal_bytes_max_)) {}

Result<Seq> Writer::reset() {
  failure_.reset();
  riders_ = {};
  auto last = store_->reload();
  if (!last) failure_ = last.error();
  return last;
}

std::vector<Answer> Writer::process(std::deque<Turn> turns) {
  std::vector<Answer> answers;
  while (!turns.empty()) process_group(turns, answers);
  return answers;
}

void Writer::settle() {
  if (!riders_.empty() && !failure_) (void)commit({});
}

bool Writer::has_idle_work() const {
  return !failure_ && (!riders_.empty() || store_->trim_due() || store_->wal_bytes() > idle_checkpoint_at_);
}

void Writer::idle_step() {
  settle();
  if (store_->trim_due()) {
    if (auto done = store_->trim_step(); !done) failure_ = done.error();
  } else if (store_->wal_bytes() > idle_checkpoint_at_) {
    checkpoint();
  }
}

void Writer::process_group(std::deque<Turn>& turns, std::vector<Answer>& answers) {
  std::vector<Append> appends;
  std::vector<Errand> errands;
  std::size_t bytes = 0;
  do {
    Turn turn = std::move(turns.front());
    turns.pop_front();
    bytes += turn.bytes;
    std::move(turn.appends.begin(), turn.appends.end(), std::back_inserter(appends));
    std::move(turn.errands.begin(), turn.errands.end(), std::back_inserter(errands));
    riders_.take(std::move(turn.riders));
  } while (!turns.empty() && bytes + turns.front().bytes <= kCommitBytesMax);

  const std::size_t first = answers.size();
  if (!appends.empty()) {
    const auto done = commit(rows_of(appends));
    for (auto& append : appends) {
      answers.push_back({append.call, [tell = std::move(append.done), done] { tell(done); }});
    }
  }
  for (auto& errand : errands) answers.push_back({errand.call, errand.work()});
  std::sort(answers.begin() + static_cast<std::ptrdiff_t>(first), answers.end(),
            [](const Answer& a, const Answer& b) { return a.call < b.call; });
}

Result<> Writer::commit(std::vector<JournalRow> rows) {
  if (failure_) return tl::unexpected(*failure_);
  Riders riders = std::exchange(riders_, {});
  auto done = numbered(rows);
  if (done) done = store_->commit(rows, riders);
  if (!done) {
    failure_ = done.error();
    return done;
  }
  rows_ += rows.size();
  if (++commits_ == die_after_commits_) ::raise(SIGKILL);
  if (store_->wal_bytes() > checkpoint_at_) checkpoint();
  return {};
}

Result<> Writer::numbered(const std::vector<JournalRow>& rows) const {
  Seq expected = store_->last();
  for (const auto& row : rows) {
    if (row.seq == ++expected && row.run > 0 && row.previous >= 0 && row.previous < row.seq) continue;
    return fail(Code::kCorrupt, "journal: row " + std::to_string(row.seq) + " of run " + std::to_string(row.run) +
                                    " given where row " + std::to_string(expected) + " is next");
  }
  return {};
}

/// A failed checkpoint loses nothing: the WAL grows, and the next try comes when it has grown by as much again.
void Writer::checkpoint() {
  const bool done = store_->checkpoint().has_value();
  const std::int64_t left = done ? 0 : store_->wal_bytes();
  checkpoint_at_ = left + wal_bytes_max_;
  idle_checkpoint_at_ = left + std::min(kIdleCheckpointBytes, wal_bytes_max_);
}

}  // namespace callimport::storage
