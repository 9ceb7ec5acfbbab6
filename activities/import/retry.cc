// Failed calls that a person wants tried again become pending, and words that calls came without are wanted, in one
// transaction with the receipt.
#include "activities/import/step.h"

namespace callimport::activities {

Result<std::int64_t> choose_again(storage::LibraryTx& tx, const std::string& import, const RetryNote& choice) {
  if (choice.failed) return tx.retry_failed(import, "");
  const std::string wordless = storage::wordless_state(choice.cause);
  if (!wordless.empty()) return tx.want_words(import, wordless);
  if (!choice.cause.empty()) return tx.retry_failed(import, choice.cause);
  return tx.retry_calls(import, choice.calls);
}

Awaitable<ActivityResult> retry_calls(SharedDeps deps, ActivityContext& context, RetryInput input) {
  auto work = [input](storage::LibraryTx& tx) -> Result<std::string> {
    RetryResult result;
    TRY(result.retried, choose_again(tx, input.import, input.choice));
    TRY(const storage::ImportRow now, tx.import(input.import));
    result.counters = note_of(now.counters);
    return write_note(result);
  };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  co_return *written;
}

}  // namespace callimport::activities
