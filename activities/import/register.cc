// Takes staged calls into the library: a portion in one transaction, each call once by (platform, workspace, call id).
#include <algorithm>

#include "activities/import/problem_news.h"
#include "activities/import/step.h"

namespace callimport::activities {
namespace {

Result<std::string> take_in(storage::LibraryTx& tx, const ImportInput& ask, std::int64_t now_ms) {
  TRY(auto calls, tx.staged(ask.import, ask.settings.register_batch));
  // Newest first, which is the order of the library's documents: the index then writes the portion as one.
  std::sort(calls.begin(), calls.end(),
            [](const storage::Call& a, const storage::Call& b) { return a.start_ms > b.start_ms; });
  StepResult result;
  result.taken = std::ssize(calls);
  const auto policy = storage::parse_duplicate_policy(ask.duplicates).value_or(storage::DuplicatePolicy::kSkip);
  for (const auto& call : calls) {
    TRY(const storage::CallState state, tx.register_call(ask.import, call, policy));
    if (state != storage::CallState::kRegistered) continue;
    ++result.done;
    if (call.transcript_state == "missing" || call.transcript_state == "failed")
      TRY_VOID(tx.see_cause(ask.import, "transcript." + call.transcript_state, now_ms));
  }
  TRY_VOID(tx.add_pace(ask.import, now_ms, result.done));
  TRY(const auto left, tx.staged(ask.import, 1));
  TRY(const auto now, tx.import(ask.import));
  result.counters = note_of(now.counters);
  result.known = now.counters.found;
  result.drained = left.empty();
  return write_note(result);
}

}  // namespace

Awaitable<ActivityResult> register_calls(SharedDeps deps, ActivityContext& context, StepInput input) {
  auto work = [deps, ask = input.ask](storage::LibraryTx& tx) {
    return take_in(tx, ask, to_unix_ms(deps->clock.now()));
  };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  const auto result = read_note<StepResult>(*written);
  if (result && result->drained && result->counters.pending == 0) {
    auto tell = [deps, import = input.ask.import] {
      return tell_problems(deps->library, import, {}, to_unix_ms(deps->clock.now()));
    };
    auto telling = engine::on_pool(deps->pool, deps->loop, std::move(tell));
    const Result<bool> told = co_await std::move(telling);
    if (!told) co_return tl::unexpected(error_of(told.error()));
  }
  if (deps->told) deps->told();  // calls are told to other programs
  co_return *written;
}

}  // namespace callimport::activities
