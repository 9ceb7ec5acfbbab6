#include "storage/journal/journal.h"

#include <csignal>

#include <algorithm>
#include <atomic>
#include <deque>
#include <iterator>
#include <thread>
#include <utility>

#include "storage/journal/store.h"
#include "storage/model/ensure.h"
#include "storage/runtime/mutex.h"

namespace callimport::storage {

namespace {

constexpr std::size_t kCommitBytesMax = 16u << 20;      ///< turns beyond this wait for the next commit
constexpr std::int64_t kIdleCheckpointBytes = 1 << 20;  ///< less than this in the WAL is not worth two fsyncs
constexpr std::chrono::milliseconds kIdle{100};

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

/// The side of the writer: its own thread, or the loop.
class Writer {
 public:
  Writer(std::unique_ptr<JournalStore> store, const JournalOptions& options) : store_(std::move(store)), options_(options) {}

  JournalStore& store() noexcept { return *store_; }
  bool failed() const noexcept { return failure_.has_value(); }
  Journal::Figures figures() const { return {commits_.load(), rows_.load()}; }
  Result<Seq> reset() {
    failure_.reset();
    riders_ = {};
    auto last = store_->reload();
    if (!last) failure_ = last.error();
    return last;
  }

  /// Commits turns, together as far as kCommitBytesMax goes, then does their errands. Answers in the order of the calls.
  std::vector<Answer> process(std::deque<Turn> turns) {
    std::vector<Answer> answers;
    while (!turns.empty()) process_group(turns, answers);
    return answers;
  }

  /// Riders that found no commit: written now, before somebody reads, or at the end.
  void settle() {
    if (!riders_.empty() && !failed()) (void)commit({});
  }

  /// True while `idle_step` has something to do.
  bool has_idle_work() const {
    return !failed() && (!riders_.empty() || store_->trim_due() || store_->wal_bytes() > idle_checkpoint_at_);
  }
  void idle_step() {
    settle();
    if (store_->trim_due()) {
      if (auto done = store_->trim_step(); !done) failure_ = done.error();
    } else if (store_->wal_bytes() > idle_checkpoint_at_) {
      checkpoint();
    }
  }

 private:
  void process_group(std::deque<Turn>& turns, std::vector<Answer>& answers) {
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

  static std::vector<JournalRow> rows_of(std::vector<Append>& appends) {
    std::vector<JournalRow> rows;
    for (auto& append : appends) std::move(append.rows.begin(), append.rows.end(), std::back_inserter(rows));
    return rows;
  }

  Result<> commit(std::vector<JournalRow> rows) {
    if (failure_) return tl::unexpected(*failure_);
    Riders riders = std::exchange(riders_, {});
    auto done = numbered(rows);
    if (done) done = store_->commit(rows, riders);
    if (!done) {
      failure_ = done.error();
      return done;
    }
    rows_ += rows.size();
    if (++commits_ == options_.die_after_commits) ::raise(SIGKILL);
    if (store_->wal_bytes() > checkpoint_at_) checkpoint();
    return {};
  }

  Result<> numbered(const std::vector<JournalRow>& rows) const {
    Seq expected = store_->last();
    for (const auto& row : rows) {
      if (row.seq == ++expected && row.run > 0 && row.previous >= 0 && row.previous < row.seq) continue;
      return fail(Code::kCorrupt, "journal: row " + std::to_string(row.seq) + " of run " + std::to_string(row.run) +
                                      " given where row " + std::to_string(expected) + " is next");
    }
    return {};
  }

  /// A failed checkpoint loses nothing: the WAL grows, and the next try comes when it has grown by as much again.
  void checkpoint() {
    const bool done = store_->checkpoint().has_value();
    const std::int64_t left = done ? 0 : store_->wal_bytes();
    checkpoint_at_ = left + options_.wal_bytes_max;
    idle_checkpoint_at_ = left + std::min(kIdleCheckpointBytes, options_.wal_bytes_max);
  }

  std::unique_ptr<JournalStore> store_;
  JournalOptions options_;
  std::optional<Error> failure_;
  Riders riders_;
  std::int64_t checkpoint_at_ = options_.wal_bytes_max;
  std::int64_t idle_checkpoint_at_ = std::min(kIdleCheckpointBytes, options_.wal_bytes_max);
  std::atomic<std::uint64_t> commits_{0}, rows_{0};
};

class WriterJournal final : public Journal {
 public:
  WriterJournal(std::unique_ptr<JournalStore> store, Executor& loop, const JournalOptions& options)
      : loop_(loop), threaded_(options.threaded), writer_(std::move(store), options) {}

  ~WriterJournal() override {
    if (!threaded_) {
      if (!turn_.empty()) (void)writer_.process(take_turn());
      writer_.settle();
      return;
    }
    hand_over();
    if (!thread_.joinable()) return;
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.wake_one();
    thread_.join();
  }

  Result<Recovered> recover() override {
    ENSURE(calls_ == 0);
    return writer_.store().recover();
  }

  void append(std::vector<JournalRow> rows, Done done) override {
    ENSURE(!rows.empty() && rows.size() <= kRowsPerAppendMax);
    for (const auto& row : rows) {
      ENSURE(row.body.size() <= kRowBytesMax);
      turn_.bytes += row.body.size();
    }
    turn_.appends.push_back({next_call(), std::move(rows), std::move(done)});
  }

  void put_snapshots(std::vector<Snapshot> snapshots) override {
    (void)next_call();
    std::move(snapshots.begin(), snapshots.end(), std::back_inserter(turn_.riders.snapshots));
  }

  void put_closed(ClosedHistory closed) override {
    (void)next_call();
    turn_.riders.closed.push_back(std::move(closed));
  }

  void erase_closed(std::vector<RunKey> runs) override {
    (void)next_call();
    std::move(runs.begin(), runs.end(), std::back_inserter(turn_.riders.erased));
  }

  void reset(std::function<void(Result<Seq>)> done) override {
    run_errand([this, done = std::move(done)] { return told(done, writer_.reset()); });
  }

  void read_run(Seq last, std::function<void(Result<std::vector<JournalRow>>)> done) override {
    run_errand([this, last, done = std::move(done)] { return told(done, writer_.store().read_run(last)); });
  }

  void read_closed(RunKey run, std::function<void(Result<std::optional<ClosedHistory>>)> done) override {
    run_errand([this, run, done = std::move(done)] {
      writer_.settle();
      return told(done, writer_.store().read_closed(run));
    });
  }

  void trim(Seq floor) override {
    run_errand([this, floor]() -> std::function<void()> {
      writer_.store().want_trim(floor);
      return {};
    });
  }

  Figures figures() const override { return writer_.figures(); }

 private:
  /// A callback closed over its result; shared, because a std::function is copied and a result of many rows should not be.
  template <class T>
  static std::function<void()> told(const std::function<void(Result<T>)>& done, Result<T> result) {
    auto held = std::make_shared<Result<T>>(std::move(result));
    return [done, held] { done(std::move(*held)); };
  }

  void run_errand(std::function<std::function<void()>()> work) {
    const std::uint64_t call = next_call();
    turn_.errands.push_back({call, std::move(work)});
  }

  /// The first call of a turn also sees to it that the turn is handed over when it ends.
  std::uint64_t next_call() {
    if (turn_.empty() && !hand_over_posted_) {
      hand_over_posted_ = true;
      loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
        if (!alive.expired()) hand_over();
      });
    }
    return ++calls_;
  }

  std::deque<Turn> take_turn() {
    std::deque<Turn> turns;
    turns.push_back(std::exchange(turn_, {}));
    return turns;
  }

  void hand_over() {
    hand_over_posted_ = false;
    if (turn_.empty()) return;
    if (!threaded_) {
      tell(writer_.process(take_turn()));
      do_idle_work();
      return;
    }
    {
      MutexLock lock(mutex_);
      queue_.push_back(std::exchange(turn_, {}));
    }
    changed_.wake_one();
    if (!thread_.joinable()) thread_ = std::thread([this] { write_until_stopped(); });
  }

  void tell(std::vector<Answer> answers) {
    std::erase_if(answers, [](const Answer& answer) { return answer.tell == nullptr; });
    if (answers.empty()) return;
    auto held = std::make_shared<std::vector<Answer>>(std::move(answers));  // shared: a Task is copyable; one owner in effect
    loop_.post([held] {
      for (auto& answer : *held) answer.tell();
    });
  }

  /// Without a thread, idle is when the loop comes back to us with nothing new.
  void do_idle_work() {
    if (!writer_.has_idle_work() || idle_posted_) return;
    idle_posted_ = true;
    loop_.post([this, alive = std::weak_ptr<int>(alive_)] {
      if (alive.expired()) return;
      idle_posted_ = false;
      if (writer_.has_idle_work()) writer_.idle_step();
      do_idle_work();
    });
  }

  /// Sleeps until there are turns; does idle work in between. Empty when it is time to stop.
  std::deque<Turn> wait_for_turns() {
    MutexLock lock(mutex_);
    while (queue_.empty() && !stopping_) {
      if (!writer_.has_idle_work()) {
        changed_.wait(mutex_);
      } else if (!changed_.wait_for(mutex_, kIdle) && queue_.empty() && !stopping_) {
        mutex_.unlock();
        writer_.idle_step();
        mutex_.lock();
      }
    }
    return std::exchange(queue_, {});
  }

  void write_until_stopped() {
    while (true) {
      std::deque<Turn> turns = wait_for_turns();
      if (turns.empty()) break;
      tell(writer_.process(std::move(turns)));
    }
    writer_.settle();
  }

  Executor& loop_;
  const bool threaded_;
  Writer writer_;  // the writer thread's once it runs

  // The loop's.
  Turn turn_;
  std::uint64_t calls_ = 0;
  bool hand_over_posted_ = false, idle_posted_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // shared with tasks posted to the loop, which may outlive us

  Mutex mutex_;
  Condition changed_;
  std::deque<Turn> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Journal>> open_journal(Disk& disk, Executor& loop, JournalOptions options) {
  TRY(auto store, JournalStore::open(disk, options.path));
  return std::make_unique<WriterJournal>(std::move(store), loop, options);
}

}  // namespace callimport::storage
