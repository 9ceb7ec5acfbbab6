#pragma once
// The quota ledger at work: every request to a platform's API, and every call an import takes on, has a permit first.
// Decisions are storage/quota's; here are the clock that wakes who waits, and the rows that are written beforehand.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "activities/platforms/platform.h"
#include "engine/awaitable.h"
#include "storage/library/library.h"
#include "storage/quota/call_share.h"
#include "storage/quota/request_line.h"
#include "storage/quota/settings.h"
#include "storage/quota/view.h"

namespace callimport::activities {

/// Threads: the loop. Lifetime: `library`, `loop`, `pool`, `clock` outlive it; it outlives the worker.
class Permits {
 public:
  /// One account's line; lives as long as the ledger.
  class Desk;
  struct Request {
    storage::Operation operation = storage::Operation::kAny;
    bool despite_block = false;
    Timestamp at{};
  };

  Permits(storage::Library& library, Executor& loop, Pool& pool, Clock& clock, storage::BudgetSettings settings);
  ~Permits();
  Permits(const Permits&) = delete;
  Permits& operator=(const Permits&) = delete;

  /// Takes over what an earlier process wrote. Blocks; once, before anything else.
  Result<> load();

  const storage::BudgetSettings& settings() const { return settings_; }

  /// Who looks at an account without an import, or on behalf of one that may be closed. Its requests leave no row: they
  /// count as long as the process lives.
  Desk& visit(const Platform& platform, const std::string& workspace);
  /// The import is open and works with this account. Again at each of its steps.
  Desk& attend(const Platform& platform, const std::string& workspace, const std::string& import);
  /// The import is closed.
  void leave(const std::string& import);

  /// One request's slot: now, or slept for, or, when it is further away than kShortWaitMax,
  /// Wait{platform.rate_limited | platform.daily_quota}. `ask.patience` is filled in.
  engine::Awaitable<Fetched<Request>> request(Desk& desk, storage::RequestAsk ask);
  /// It was not sent after all.
  void unused(Desk& desk, const Request& request);
  /// What came in answer to the request.
  void heard(Desk& desk, const Request& request, const HttpReply& reply);

  /// Up to `wanted` calls for a lane, at least one, or Wait{budget.internal}. `pending`: calls the lane still has.
  engine::Awaitable<Fetched<std::int64_t>> calls(Desk& desk, storage::Lane lane, std::int64_t wanted,
                                                 std::int64_t pending);
  /// Calls taken at `at` that did not come to an end.
  void calls_unused(Desk& desk, storage::Lane lane, std::int64_t calls, Timestamp at);

  std::vector<storage::BudgetView> list();

 private:
  using Verdict = Fetched<Request>;
  storage::CallShare& share(storage::Lane lane) { return lane == storage::Lane::kFirst ? first_ : bulk_; }
  void look(Desk& desk);
  void decide(Desk& desk, std::uint64_t ticket, Verdict verdict);
  Wait wait_for(const Desk& desk, const storage::Hold& hold) const;
  engine::Awaitable<Result<>> written();
  void flush();
  void flushed(const storage::QuotaRows& rows, const Result<>& stored);
  void refuse_all(Desk& desk, const Error& error);

  storage::Library& library_;
  Executor& loop_;
  Pool& pool_;
  Clock& clock_;
  storage::BudgetSettings settings_;
  storage::QuotaRows left_by_others_;  ///< of an earlier process: taken over when an account is first met
  std::map<storage::Account, std::unique_ptr<Desk>> desks_;
  std::map<std::string, Desk*> desk_of_;  ///< by open import
  storage::CallShare bulk_, first_;
  std::set<Desk*> dirty_;  ///< their rows are to be written
  std::vector<std::function<void(Result<>)>> waiting_for_write_, writing_for_;
  bool writing_ = false;
  std::shared_ptr<bool> alive_;  ///< posted tasks look at it; both own it
};

}  // namespace callimport::activities
