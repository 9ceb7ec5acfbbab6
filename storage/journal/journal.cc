#include "storage/journal/journal.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <thread>
#include <utility>

#include "storage/journal/store.h"
#include "storage/journal/writer.h"
#include "storage/model/ensure.h"
#include "storage/runtime/mutex.h"

namespace callimport::storage {

namespace {

constexpr std::chrono::milliseconds kIdle{100};

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

  Result<Recovered> recover(int snapshot_version) override {
    ENSURE(calls_ == 0);
    return writer_.store().recover(snapshot_version);
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
  /// A callback closed over its result; shared, because a std::function is copied and a result of many rows should not
  /// be.
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
    auto held =
        std::make_shared<std::vector<Answer>>(std::move(answers));  // shared: a Task is copyable; one owner in effect
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
