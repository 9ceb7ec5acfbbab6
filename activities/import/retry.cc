// Failed calls that a person wants tried again become pending, words that calls came without are wanted, and calls that
// a person gives up are set aside, in one transaction with the receipt.
#include "activities/import/step.h"

namespace callimport::activities {

namespace {

Result<std::int64_t> choose_again(storage::LibraryTx& tx, const std::string& import, const RetryNote& choice) {
  if (choice.failed) return tx.retry_failed(import, "");
  const std::string wordless = storage::wordless_state(choice.cause);
  if (!wordless.empty()) return tx.want_words(import, wordless);
  if (!choice.cause.empty()) return tx.retry_failed(import, choice.cause);
  return tx.retry_calls(import, choice.calls);
}

}  // namespace

Result<RetryResult> do_about(storage::LibraryTx& tx, const std::string& import, const RetryNote& choice) {
  RetryResult result;
  const storage::GapChoice gaps{choice.cause, choice.calls};
  if (choice.deed == kSetAside) {
    TRY(result.set_aside, tx.set_aside(import, gaps));
  } else if (choice.deed == kPutBack) {
    TRY_VOID(tx.put_back(import, gaps));
  } else {
    TRY(result.retried, choose_again(tx, import, choice));
  }
  return result;
}

Awaitable<ActivityResult> retry_calls(SharedDeps deps, ActivityContext& context, RetryInput input) {
  auto work = [input](storage::LibraryTx& tx) -> Result<std::string> {
    TRY(RetryResult result, do_about(tx, input.import, input.choice));
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
