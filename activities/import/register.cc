// Takes staged calls into the library: a portion in one transaction, each call once by (platform, workspace, call id).
#include <algorithm>

#include "activities/import/milestones.h"
#include "activities/import/problem_news.h"
#include "activities/import/step.h"

namespace callimport::activities {
namespace {

/// What the portion may have to say of the end: where it comes half way, or the end was not looked at for some time.
Outlook outlook_for(const ImportDeps& deps, const ImportInput& ask) {
  const auto row = deps.library.import(ask.import);
  if (!row || !row->enumerated) return {};
  const auto& c = row->counters;
  const std::int64_t done = c.registered + c.duplicate;
  const bool crosses = 2 * done < c.found && 2 * (done + ask.settings.register_batch) >= c.found;
  return crosses ? outlook_of(deps, ask.import, {}) : outlook_when_due(deps, ask.import);
}

Result<std::string> take_in(storage::LibraryTx& tx, const ImportInput& ask, const Outlook& outlook,
                            std::int64_t now_ms) {
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
  if (is_half_way(now)) TRY_VOID(tell_half_way(tx, now, outlook, now_ms));
  TRY_VOID(weigh_outlook(tx, ask.import, outlook, now_ms));
  if (result.drained && now.counters.pending == 0) TRY_VOID(tell_problems(tx, ask.import, {}, now_ms));
  return write_note(result);
}

}  // namespace

Awaitable<ActivityResult> register_calls(SharedDeps deps, ActivityContext& context, StepInput input) {
  auto job = [deps, ask = input.ask, key = receipt_of(context)] {
    const Outlook outlook = outlook_for(*deps, ask);
    return deps->library.write(
        key, [&](storage::LibraryTx& tx) { return take_in(tx, ask, outlook, to_unix_ms(deps->clock.now())); });
  };
  auto writing = engine::on_pool(deps->pool, deps->loop, std::move(job));
  Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  if (deps->told) deps->told();  // calls are told to other programs
  co_return *written;
}

}  // namespace callimport::activities
