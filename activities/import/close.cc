// The end: the report is written and told in one transaction; then what must not stay is forgotten.
#include <algorithm>

#include "activities/import/milestones.h"
#include "activities/import/report.h"
#include "activities/import/stage.h"
#include "activities/import/texts.h"
#include "activities/import/unneeded_media.h"
#include "activities/notify/access_ends.h"
#include "storage/library/telling.h"

namespace callimport::activities {
namespace {

/// What is read before the transaction: nothing else writes to an import that closes.
struct Findings {
  std::vector<storage::Problem> problems;
  Report report;
};

Result<Findings> look(const ImportDeps& deps, const CloseInput& input) {
  Findings found;
  TRY(found.problems, deps.library.problems(input.import));
  const ReportMoment moment{to_unix_ms(deps.clock.now()), input.result, deps.prices};
  TRY(found.report, make_report(deps.library, input.import, moment));
  return found;
}

/// Who approved by a signal alone stands in no action.
void put_approval(nlohmann::json& approvals, const CloseInput& input, std::int64_t now_ms) {
  const auto is_this = [&input](const nlohmann::json& one) { return one.value("who", "") == input.approved_by; };
  if (input.approved_by.empty() || std::any_of(approvals.begin(), approvals.end(), is_this)) return;
  approvals.push_back({{"who", input.approved_by}, {"at_ms", now_ms}, {"why", input.approved_why}});
}

Result<std::string> close(storage::LibraryTx& tx, const ImportDeps& deps, const CloseInput& input,
                          const Findings& found) {
  const std::int64_t now_ms = to_unix_ms(deps.clock.now());
  TRY_VOID(store_changes(tx, input.import, input.changes, {}, now_ms));
  TRY(const storage::ImportRow row, tx.import(input.import));
  const std::string report = write_note(write_report(row, input, found.report.verdict, found.problems, now_ms));
  nlohmann::json whole = found.report.body;
  put_approval(whole["approvals"], input, now_ms);
  TRY_VOID(tx.put_report(input.import, write_note(whole)));
  TRY_VOID(tx.close_import(input.import, now_ms, report));
  for (const char* kind : {kAttention, kAccessEnds}) TRY_VOID(tx.telling().agenda().drop(kind, input.import));
  TRY_VOID(tx.notify(compose_closed(row, input, found.report.verdict, found.problems, now_ms)));
  return report;
}

}  // namespace

Awaitable<ActivityResult> close_import(SharedDeps deps, ActivityContext& context, CloseInput input) {
  auto read = [deps, input] { return look(*deps, input); };
  auto reading = engine::on_pool(deps->pool, deps->loop, std::move(read));
  Result<Findings> found = co_await std::move(reading);
  // An import that failed before it had a row has nothing to close.
  if (!found && found.error().code == Code::kNotFound) co_return std::string("{}");
  if (!found) co_return tl::unexpected(error_of(found.error()));
  auto work = [deps, input, found = std::move(*found)](storage::LibraryTx& tx) {
    return close(tx, *deps, input, found);
  };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  // Recordings that it replaced; what does not go now goes at the next end of an import, or the next start.
  auto remove = [deps] { return remove_unneeded_media(deps->library, deps->media); };
  auto removing = engine::on_pool(deps->pool, deps->loop, std::move(remove));
  (void)co_await std::move(removing);
  deps->live->forget(input.import);
  deps->permits.leave(input.import);
  if (deps->told) deps->told();
  co_return *written;
}

Awaitable<ActivityResult> forget(SharedDeps deps, ActivityContext& context, ForgetInput input) {
  (void)context;
  auto work = [deps, input]() -> Result<> {
    for (const std::string& run : input.runs) {
      TRY_VOID(deps->library.drop_receipts(run));
    }
    const auto credential = CredentialId::parse(input.credential);
    if (!credential) return {};
    // Another import may still work with it; the last one to close wipes it.
    TRY(const auto others, deps->library.imports_with(input.credential, 1));
    if (!others.empty()) return {};
    const Result<> wiped = deps->vault.wipe(*credential, to_unix_ms(deps->clock.now()));
    if (!wiped && wiped.error().code != Code::kNotFound) return wiped;
    return {};
  };
  auto forgetting = engine::on_pool(deps->pool, deps->loop, std::move(work));
  const Result<> forgotten = co_await std::move(forgetting);
  if (!forgotten) co_return tl::unexpected(error_of(forgotten.error()));
  co_return std::string("{}");
}

}  // namespace callimport::activities
