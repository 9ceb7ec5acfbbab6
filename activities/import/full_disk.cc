// What a full disk becomes: a wait that is told and ends by itself, not an attempt that is tried for ever while the
// import says that it runs.
#include "activities/import/step.h"

namespace callimport::activities {
namespace {

constexpr Nanos kLookAgain = 30s;

/// The step as far as it is stored, and the wait.
Result<StepResult> waiting_step(ImportDeps& deps, const StepInput& input, std::string message) {
  TRY(const storage::ImportRow row, deps.library.import(input.ask.import));
  StepResult result;
  result.counters = note_of(row.counters);
  result.known = row.counters.found;
  result.enumerated = row.enumerated;
  result.trouble = TroubleNote{"wait", kStoreFull, cut_text(std::move(message), kSentenceBytesMax), "",
                               to_unix_ms(deps.clock.now() + kLookAgain)};
  return result;
}

Awaitable<ActivityResult> tell_full(SharedDeps deps, StepInput input, std::string message) {
  auto job = [deps, input = std::move(input), message] { return waiting_step(*deps, input, message); };
  auto reading = engine::on_pool(deps->pool, deps->loop, std::move(job));
  const Result<StepResult> result = co_await std::move(reading);
  if (!result) co_return tl::unexpected(error_of({Code::kUnavailable, message}));
  co_return write_note(*result);
}

}  // namespace

Awaitable<ActivityResult> run_step(SharedDeps deps, ActivityContext& context, StepInput input, Body<StepInput> body) {
  const auto lane = input.serves_first_lane() ? storage::Lane::kFirst : storage::Lane::kBulk;
  const LiveImports::Step step(deps->live, input.ask.import, lane, deps->clock.now());
  if (!deps->reserve.whole()) {
    auto take = [deps] { return deps->reserve.take(); };
    auto taking = engine::on_pool(deps->pool, deps->loop, std::move(take));
    if (!co_await std::move(taking)) {
      auto telling = tell_full(deps, std::move(input), full_disk_error().message);
      co_return co_await std::move(telling);
    }
  }
  auto running = body(deps, context, input);
  ActivityResult result = co_await std::move(running);
  if (result || result.error().type != kStoreFull) co_return result;
  auto telling = tell_full(deps, std::move(input), result.error().message);
  co_return co_await std::move(telling);
}

}  // namespace callimport::activities
