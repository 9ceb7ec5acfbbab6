// Walks the platform's pages into the manifest, from the cursor where the last step stopped. The pages of one step
// become one transaction: rows, cursor and receipt together.
#include "activities/import/choice.h"
#include "activities/import/sample.h"
#include "activities/import/session.h"

namespace callimport::activities {
namespace {

struct Walk {
  std::string from, cursor;
  bool ended = false;
  bool stuck = false;                      ///< its last page leads to itself
  std::vector<storage::ManifestRow> rows;  ///< those the import is asked for
};

/// Judged when the import was opened.
storage::LaneOrder order_of(const ImportInput& ask) {
  return storage::parse_lane_order(ask.order).value_or(storage::LaneOrder());
}

ListQuery query_for(const ImportInput& ask, const std::string& cursor) {
  ListQuery query;
  query.cursor = cursor;
  query.accounts = order_of(ask).by == storage::LaneOrder::By::kAccount;
  if (ask.after_ms != 0) query.after = from_unix_ms(ask.after_ms);
  if (ask.before_ms != 0) query.before = from_unix_ms(ask.before_ms);
  return query;
}

constexpr int kRepeatsMax = 8;

/// Nothing but calls that are known, or the same cursor again: the list repeats itself, and may do so for ever. It is
/// walked on slowly and people are told; after kRepeatsMax steps it is a person's to decide.
void note_repeat(StepResult& result, const StepInput& input, std::string message, Timestamp again) {
  result.repeats = input.repeats + 1;
  result.trouble = TroubleNote{"wait", "platform.changed_answer", std::move(message), "", to_unix_ms(again)};
  if (result.repeats < kRepeatsMax) return;
  result.trouble.kind = "attention";
  result.trouble.who = "support";
  result.trouble.until_ms = 0;
}

/// @param again  when to ask on, should the list repeat itself.
Result<std::string> store_pages(storage::LibraryTx& tx, const StepInput& input, const Walk& walk, const Choice& choice,
                                Timestamp now, Timestamp again) {
  const ImportInput& ask = input.ask;
  TRY(const storage::ImportRow before, tx.import(ask.import));
  if (before.cursor != walk.from || before.enumerated) {
    return fail(Code::kConflict, "another attempt has counted on from here in import " + ask.import);
  }
  const auto policy = storage::parse_duplicate_policy(ask.duplicates).value_or(storage::DuplicatePolicy::kSkip);
  TRY(const std::int64_t added, tx.add_manifest(ask.import, walk.rows, order_of(ask), policy));
  for (const auto& row : walk.rows) {
    if (row.state == storage::CallState::kPending) continue;
    TRY_VOID(tx.see_cause(ask.import, row.cause, to_unix_ms(now)));
  }
  if (walk.ended && choice.named() > 0) {
    TRY(const std::int64_t missing, tx.add_manifest(ask.import, choice.not_listed(ask.import), order_of(ask), policy));
    if (missing > 0) TRY_VOID(tx.see_cause(ask.import, std::string(kCauseNotListed), to_unix_ms(now)));
  }
  TRY(const storage::ImportRow row, tx.import(ask.import));
  const std::int64_t wanted = ask.named > 0 ? choice.named() : ask.calls_max;
  const bool all_there = wanted > 0 && row.counters.found >= wanted;
  TRY_VOID(tx.set_cursor(ask.import, walk.cursor, walk.ended || all_there));
  StepResult result;
  result.counters = note_of(row.counters);
  result.known = row.counters.found;
  result.enumerated = walk.ended || all_there;
  if (walk.stuck && !result.enumerated) note_repeat(result, input, "the platform's list does not go on", again);
  if (!walk.stuck && added == 0 && !walk.rows.empty() && !result.enumerated) {
    note_repeat(result, input, "the platform's list repeats calls it gave before", again);
  }
  return write_note(result);
}

/// A sample across all dates is no walk: it is picked whole.
Awaitable<Fetched<bool>> pick(std::shared_ptr<Session> session, ActivityContext& context, StepInput input,
                              const Choice& choice, Walk& walk) {
  auto picking = pick_sample(session, input.ask, choice, [&context] { return context.cancelled(); });
  Fetched<std::vector<storage::ManifestRow>> picked = co_await std::move(picking);
  if (!picked) co_return tl::unexpected(picked.error());
  walk.rows = std::move(*picked);
  for (auto& row : walk.rows) row.import = input.ask.import;
  walk.ended = true;
  co_return true;
}

/// Reads pages until there are enough. Trouble after at least one page waits for the next step.
Awaitable<Fetched<bool>> walk_pages(std::shared_ptr<Session> session, ActivityContext& context, StepInput input,
                                    const Choice& choice, Walk& walk, std::int64_t known) {
  const Platform& platform = session->platform();
  const std::int64_t calls_max = input.ask.calls_max;
  for (int page_number = 0; page_number < std::max(input.pages, 1); ++page_number) {
    if (context.cancelled()) break;
    auto asking = session->ask(Operation::kList, platform.list(session->auth(), query_for(input.ask, walk.cursor)),
                               platform.read_page);
    Fetched<ListPage> page = co_await std::move(asking);
    if (!page && page_number > 0) break;
    if (!page) co_return tl::unexpected(page.error());
    for (auto& row : page->calls) {
      if (!choice.takes(row)) continue;
      row.import = input.ask.import;
      if (calls_max > 0 && known + std::ssize(walk.rows) >= calls_max) break;
      walk.rows.push_back(std::move(row));
    }
    walk.ended = !page->next;
    walk.stuck = page->next && *page->next == walk.cursor;
    if (page->next) walk.cursor = *page->next;
    const std::int64_t seen = known + std::ssize(walk.rows);
    if (walk.ended || walk.stuck || (calls_max > 0 && seen >= calls_max) || (input.enough > 0 && seen >= input.enough))
      break;
  }
  co_return true;
}

}  // namespace

Awaitable<ActivityResult> enumerate_calls(SharedDeps deps, ActivityContext& context, StepInput input) {
  auto opening = open_session(deps, &context, input);
  SessionMade made = co_await std::move(opening);
  if (!made) co_return tl::unexpected(made.error());
  auto import_of = [deps, id = input.ask.import] { return deps->library.import(id); };
  auto reading = engine::on_pool(deps->pool, deps->loop, std::move(import_of));
  const Result<storage::ImportRow> row = co_await std::move(reading);
  if (!row) co_return tl::unexpected(error_of(row.error()));
  StepResult so_far;
  so_far.counters = note_of(row->counters);
  so_far.known = row->counters.found;
  so_far.enumerated = row->enumerated;
  if (row->enumerated) co_return write_note(so_far);

  auto names_of = [deps, &input]() -> Result<std::vector<std::string>> {
    if (input.ask.named == 0) return std::vector<std::string>();
    return deps->library.named_calls(input.ask.import);
  };
  auto naming = engine::on_pool(deps->pool, deps->loop, std::move(names_of));
  Result<std::vector<std::string>> names = co_await std::move(naming);
  if (!names) co_return tl::unexpected(error_of(names.error()));
  const Choice choice(input.ask, *std::move(names));

  Walk walk{row->cursor, row->cursor, false, false, {}};
  const bool sample = input.ask.calls_max > 0 && input.ask.spread;
  auto walking = sample ? pick(*made, context, input, choice, walk)
                        : walk_pages(*made, context, input, choice, walk, row->counters.found);
  const Fetched<bool> walked = co_await std::move(walking);
  if (!walked) {
    const Nanos outage_wait = (*made)->platform().outage_wait;
    co_return answer_trouble(context, input, walked.error(), std::move(so_far), outage_wait, deps->clock.now());
  }
  if (context.cancelled()) co_return tl::unexpected(cancelled_answer());
  const Timestamp now = deps->clock.now();
  const Timestamp again = now + (*made)->platform().outage_wait;
  auto work = [input, walk = std::move(walk), choice, now, again](storage::LibraryTx& tx) {
    return store_pages(tx, input, walk, choice, now, again);
  };
  auto writing = write_with_receipt(deps, receipt_of(context), std::move(work));
  Result<std::string> written = co_await std::move(writing);
  if (!written) co_return tl::unexpected(error_of(written.error()));
  co_return *written;
}

}  // namespace callimport::activities
