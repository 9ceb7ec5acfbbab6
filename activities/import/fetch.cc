// A batch of calls, several at once, into staging. What is done is staged in portions, so that a crash costs a portion
// and not the batch; a portion needs no receipt, because a call's state in the manifest refuses what comes late.
#include <algorithm>
#include <array>
#include <deque>

#include "activities/import/fetch_call.h"
#include "activities/import/problem_news.h"
#include "activities/import/quarantine.h"
#include "activities/import/together.h"
#include "activities/import/window.h"

namespace callimport::activities {
namespace {

constexpr std::size_t kPortionCalls = 20;
constexpr std::size_t kSuspectsMax = 3;  ///< calls in a row that fail as an outage would, before the batch stops

struct Ended {
  storage::ManifestRow row;
  Timestamp began;
  Nanos took;
  tl::expected<FetchedCall, Trouble> made;
};

/// Calls of each lane that the budgets allow, and what is not used of it.
struct Taken {
  std::array<std::int64_t, 2> unspent = {0, 0};
  std::array<Timestamp, 2> at{};
  std::optional<Trouble> held;  ///< a lane got nothing
};

/// State of one attempt. Shared by its coroutines, which all end before it returns.
struct Batch {
  SharedDeps deps;
  ActivityContext& context;
  StepInput input;
  std::shared_ptr<Session> session;
  std::deque<storage::ManifestRow> waiting;
  std::vector<Ended> ended;     ///< not staged yet
  std::vector<Ended> suspects;  ///< the platform's trouble, or the call's
  std::size_t suspects_in_row = 0;
  std::optional<Trouble> stop;
  bool storing = false;
  std::int64_t done = 0, calls_ended = 0;
  bool window_closed = false;  ///< what is under way ends, nothing more is taken
  Taken taken;

  bool stopping() const {
    return stop.has_value() || context.cancelled() || suspects_in_row >= kSuspectsMax || window_closed;
  }
};
using SharedBatch = std::shared_ptr<Batch>;

Nanos look_again_after(const storage::ManifestRow& row) {
  return std::min<Nanos>(5s * (1 << std::min(row.attempts, 5)), 60s);
}

storage::Attempt attempt_of(const Ended& one) {
  storage::Attempt attempt{0, to_unix_ms(one.began), one.took / 1ms, "fetched", "", ""};
  if (one.made && one.made->details_only) attempt.outcome = "recognised";
  if (one.made && one.row.words_only && one.made->call.segments.empty()) {
    attempt.outcome = "failed";
    attempt.cause = "transcript." + one.made->call.transcript_state;
  }
  if (one.made) return attempt;
  attempt.outcome = std::holds_alternative<CallFailed>(one.made.error()) ? "failed" : "put_off";
  std::visit(
      [&attempt](const auto& trouble) {
        attempt.cause = trouble.cause;
        if constexpr (requires { trouble.message; }) attempt.detail = trouble.message;
      },
      one.made.error());
  return attempt;
}

/// One portion on its way into the library.
struct Portion {
  const ImportDeps& deps;
  const ImportInput& ask;
  Timestamp now;
  std::vector<storage::QuarantineFile> unneeded;  ///< broken files that nothing needs once this is committed
  std::vector<std::string> causes = {};           ///< of calls that failed now
};

/// The broken file's row, in place of one of an earlier try; none once the call came across.
Result<> store_quarantine(storage::LibraryTx& tx, Portion& portion, const std::string& id, const CallFailed* failed) {
  std::vector<storage::QuarantineFile> unneeded;
  if (failed != nullptr && failed->file) {
    storage::QuarantineRow row{.number = 0,
                               .import = portion.ask.import,
                               .source_id = id,
                               .hash = failed->file->hash,
                               .bytes = failed->file->bytes,
                               .cause = failed->cause,
                               .detail = failed->message,
                               .at_ms = to_unix_ms(portion.now)};
    TRY(unneeded, tx.put_in_quarantine(row, portion.deps.quarantine_bytes_max));
  } else {
    TRY(unneeded, tx.leave_quarantine(portion.ask.import, id));
  }
  portion.unneeded.insert(portion.unneeded.end(), unneeded.begin(), unneeded.end());
  return {};
}

/// What became of the words of a call that is in the library: whatever it was, the try has ended.
Result<> store_words(storage::LibraryTx& tx, const Portion& portion, const Ended& one) {
  const std::string& import = portion.ask.import;
  const storage::Words none{.segments = {}, .state = "failed", .made_by = {}};
  storage::Words words = none;
  if (one.made) {
    words.segments = one.made->call.segments;
    words.state = one.made->call.transcript_state;
    if (words.state == "made") words.made_by = portion.deps.transcriber->model();
  }
  Result<> added = tx.add_words(import, one.row.source_id, words);
  if (!added && added.error().code == Code::kInvalid) {
    words = none;
    added = tx.add_words(import, one.row.source_id, words);
  }
  if (!added || !words.segments.empty()) return added;
  return tx.see_cause(import, "transcript." + words.state, to_unix_ms(portion.now));
}

/// A call that the library has; when it was removed from there meanwhile, it is fetched whole.
Result<> store_recognised(storage::LibraryTx& tx, const Portion& portion, const storage::Call& call) {
  const auto policy = storage::parse_duplicate_policy(portion.ask.duplicates).value_or(storage::DuplicatePolicy::kSkip);
  TRY(const storage::CallState state, tx.recognise(portion.ask.import, call, policy));
  if (state != storage::CallState::kPending) return {};
  return tx.put_off(portion.ask.import, call.source_id, to_unix_ms(portion.now));
}

Result<> store_one(storage::LibraryTx& tx, Portion& portion, const Ended& one) {
  const ImportInput& ask = portion.ask;
  const Timestamp now = portion.now;
  const std::string& id = one.row.source_id;
  if (one.row.words_only) return store_words(tx, portion, one);
  if (one.made && one.made->details_only) {
    TRY_VOID(store_recognised(tx, portion, one.made->call));
    return store_quarantine(tx, portion, id, nullptr);
  }
  if (one.made) {
    TRY_VOID(tx.stage(ask.import, one.made->call));
    return store_quarantine(tx, portion, id, nullptr);
  }
  if (const auto* failed = std::get_if<CallFailed>(&one.made.error())) {
    TRY_VOID(tx.see_cause(ask.import, failed->cause, to_unix_ms(now)));
    TRY_VOID(store_quarantine(tx, portion, id, failed));
    portion.causes.push_back(failed->cause);
    return tx.set_state(ask.import, id, storage::CallState::kFailed, failed->cause, failed->message);
  }
  if (const auto* not_ready = std::get_if<NotReady>(&one.made.error())) {
    return tx.put_off(ask.import, id, to_unix_ms(now + not_ready->after));
  }
  return tx.put_off(ask.import, id, to_unix_ms(now + look_again_after(one.row)));
}

Result<> store_portion(const ImportDeps& deps, const ImportInput& ask, const std::vector<Ended>& ended, Timestamp now) {
  Portion portion{deps, ask, now, {}, {}};
  bool told = false;
  TRY_VOID(deps.library.change([&](storage::LibraryTx& tx) -> Result<> {
    portion.unneeded.clear();
    portion.causes.clear();
    for (const Ended& one : ended) {
      TRY_VOID(tx.add_attempt(ask.import, one.row.source_id, attempt_of(one)));
      const Result<> stored = store_one(tx, portion, one);
      if (stored || stored.error().code == Code::kConflict) continue;  // another attempt was faster with this call
      if (stored.error().code != Code::kInvalid) return stored;
      TRY_VOID(tx.see_cause(ask.import, "library.rejected", to_unix_ms(now)));
      portion.causes.emplace_back("library.rejected");
      TRY_VOID(tx.set_state(ask.import, one.row.source_id, storage::CallState::kFailed, "library.rejected",
                            stored.error().message));
    }
    if (portion.causes.empty()) return {};
    TRY(told, tell_problems(tx, ask.import, portion.causes, to_unix_ms(now)));
    return {};
  }));
  if (told && deps.told) deps.loop.post(deps.told);
  // What cannot be removed now is swept at the next start.
  for (const auto& file : portion.unneeded) (void)drop_broken(deps.media, file);
  return {};
}

/// Calls that are in the library already cost none of those we may bring.
bool takes_budget(const Ended& one) { return !one.row.words_only && !(one.made && one.made->details_only); }

/// Stages what has ended. One at a time; who comes meanwhile leaves it to the next.
Awaitable<void> store_ended(SharedBatch batch) {
  if (batch->storing || batch->ended.empty() || batch->context.cancelled()) co_return;
  batch->storing = true;
  auto portion =
      std::make_shared<std::vector<Ended>>(std::exchange(batch->ended, {}));  // shared with the job on the pool
  auto job = [batch, portion] {
    return store_portion(*batch->deps, batch->input.ask, *portion, batch->deps->clock.now());
  };
  auto storing = engine::on_pool(batch->deps->pool, batch->deps->loop, std::move(job));
  const Result<> stored = co_await std::move(storing);
  for (Ended& one : *portion) {  // here: the job, which may outlive this, ends on the pool
    if (one.made) one.made->claim.release();
  }
  batch->storing = false;
  if (!stored) {
    batch->stop = store_trouble(stored.error());
    co_return;
  }
  batch->session->moved();
  for (const Ended& one : *portion) {
    if (!one.made && !std::holds_alternative<CallFailed>(one.made.error())) continue;
    ++batch->calls_ended;
    if (!takes_budget(one)) continue;
    batch->done += one.made ? 1 : 0;
    --batch->taken.unspent[static_cast<std::size_t>(one.row.lane)];
  }
}

void sort_out(Batch& batch, Ended one) {
  const Trouble* trouble = one.made ? nullptr : &one.made.error();
  if (trouble == nullptr || std::holds_alternative<CallFailed>(*trouble) ||
      std::holds_alternative<NotReady>(*trouble)) {
    batch.suspects_in_row = 0;
    batch.ended.push_back(std::move(one));
    return;
  }
  const auto* again = std::get_if<Again>(trouble);
  const auto* wait = std::get_if<Wait>(trouble);
  const bool doubtful = (again != nullptr && again->cause != "platform.rate_limited" && !is_store_trouble(*trouble)) ||
                        (wait != nullptr && wait->cause == "platform.changed_answer");
  if (!doubtful) {
    if (!batch.stop) batch.stop = *trouble;
    return;
  }
  ++batch.suspects_in_row;
  batch.suspects.push_back(std::move(one));
}

/// The disk is full, as another step found out: what it gave up is not for recordings.
void heed_full_disk(Batch& batch) {
  if (!batch.deps->reserve.whole() && !batch.stop) batch.stop = store_trouble(full_disk_error());
}

/// The window may close, or be set anew, while the batch is under way. The first lane has none.
void heed_window(Batch& batch) {
  if (batch.input.lane == "first") return;
  batch.window_closed = !window_of(*batch.deps, batch.input.ask).is_open(batch.deps->clock.now());
}

Awaitable<void> work(SharedBatch batch) {
  while (!batch->waiting.empty() && !batch->stopping()) {
    heed_full_disk(*batch);
    heed_window(*batch);
    if (batch->stopping()) co_return;
    storage::ManifestRow row = std::move(batch->waiting.front());
    batch->waiting.pop_front();
    const Timestamp began = batch->deps->clock.now();
    auto fetching = row.words_only ? fetch_words(batch->session, batch->context, row)
                                   : fetch_call(batch->session, batch->context, batch->input.ask, row);
    Fetched<FetchedCall> made = co_await std::move(fetching);
    sort_out(*batch, Ended{std::move(row), began, batch->deps->clock.now() - began, std::move(made)});
    if (batch->ended.size() < kPortionCalls) continue;
    auto storing = store_ended(batch);
    co_await std::move(storing);
  }
}

/// Calls that failed as an outage would: while the platform answers, the trouble is theirs.
Awaitable<void> judge_suspects(SharedBatch batch) {
  if (batch->suspects.empty() || batch->stop || batch->context.cancelled()) co_return;
  const Platform& platform = batch->session->platform();
  auto checking = batch->session->ask(Operation::kList, platform.check(batch->session->auth()), platform.read_page);
  const Fetched<ListPage> alive = co_await std::move(checking);
  if (!alive) {
    batch->stop = alive.error();
    co_return;
  }
  for (Ended& one : batch->suspects) {
    if (one.row.attempts + 1 >= batch->input.ask.settings.tries_of_call) {
      CallFailed failed{"platform.changed_answer", ""};
      if (const auto* again = std::get_if<Again>(&one.made.error())) failed = CallFailed{again->cause, again->message};
      if (const auto* wait = std::get_if<Wait>(&one.made.error())) failed = CallFailed{wait->cause, wait->message};
      one.made = tl::unexpected<Trouble>(std::move(failed));
    }
    batch->ended.push_back(std::move(one));
  }
  batch->suspects.clear();
}

constexpr std::array<storage::Lane, 2> kLanes = {storage::Lane::kFirst, storage::Lane::kBulk};

bool is_asked(const StepInput& input, storage::Lane lane) {
  return input.lane == "any" || input.lane == (lane == storage::Lane::kFirst ? "first" : "bulk");
}

std::int64_t batch_size(const StepInput& input) {
  return input.probing ? std::min(4, input.ask.settings.fetch_batch) : input.ask.settings.fetch_batch;
}

Result<std::array<std::int64_t, 2>> count_pending(storage::Library& library, const StepInput& input) {
  std::array<std::int64_t, 2> pending = {0, 0};
  for (const storage::Lane lane : kLanes) {
    if (!is_asked(input, lane)) continue;
    TRY(const auto counts, library.manifest_counts(input.ask.import, lane));
    pending[static_cast<std::size_t>(lane)] = counts.pending;
  }
  return pending;
}

/// What the installation's budget allows of the calls that are pending.
Awaitable<Taken> take_calls(SharedDeps deps, std::shared_ptr<Session> session, StepInput input,
                            std::array<std::int64_t, 2> pending) {
  Taken taken;
  std::int64_t room = batch_size(input);
  for (const storage::Lane lane : kLanes) {
    const auto index = static_cast<std::size_t>(lane);
    const std::int64_t wanted = std::min(room, pending[index]);
    if (wanted == 0) continue;
    auto asking = deps->permits.calls(session->desk(), lane, wanted, pending[index]);
    const Fetched<std::int64_t> calls = co_await std::move(asking);
    if (!calls) {
      taken.held = calls.error();
      continue;
    }
    taken.unspent[index] = *calls;
    taken.at[index] = deps->clock.now();
    room -= *calls;
  }
  co_return taken;
}

/// All that is unspent, but for the calls of `rows`.
void give_back(ImportDeps& deps, Session& session, Taken& taken, const std::vector<storage::ManifestRow>& rows) {
  for (const storage::Lane lane : kLanes) {
    const auto index = static_cast<std::size_t>(lane);
    const auto of_lane = [lane](const storage::ManifestRow& row) { return row.lane == lane && !row.words_only; };
    const std::int64_t kept = std::count_if(rows.begin(), rows.end(), of_lane);
    deps.permits.calls_unused(session.desk(), lane, taken.unspent[index] - kept, taken.at[index]);
    taken.unspent[index] = kept;
  }
}

/// The calls that the budgets allow, and after them those whose words are wanted, as far as there is room.
Result<std::vector<storage::ManifestRow>> take_batch(storage::Library& library, const StepInput& input,
                                                     const Taken& taken, Timestamp now) {
  std::vector<storage::ManifestRow> rows;
  TRY_VOID(library.change([&](storage::LibraryTx& tx) -> Result<> {
    for (const storage::Lane lane : kLanes) {
      const auto calls = static_cast<int>(taken.unspent[static_cast<std::size_t>(lane)]);
      if (calls == 0) continue;
      TRY(auto more, tx.next_pending(input.ask.import, lane, to_unix_ms(now), calls));
      std::move(more.begin(), more.end(), std::back_inserter(rows));
    }
    for (const storage::Lane lane : kLanes) {
      if (!is_asked(input, lane)) continue;
      const auto room = static_cast<int>(batch_size(input) - std::ssize(rows));
      TRY(auto more, tx.next_words(input.ask.import, lane, room));
      std::move(more.begin(), more.end(), std::back_inserter(rows));
    }
    return {};
  }));
  return rows;
}

/// How many calls of the lane did not come across.
Result<std::int64_t> failed_in(storage::Library& library, const std::string& import, storage::Lane lane) {
  std::int64_t failed = 0;
  std::string after;
  while (true) {
    TRY(const auto rows, library.manifest(import, storage::CallState::kFailed, "", after, 1'000));
    for (const auto& row : rows) failed += row.lane == lane ? 1 : 0;
    if (rows.size() < 1'000) return failed;
    after = rows.back().source_id;
  }
}

/// Where the lane stands now, for the workflow's next decision.
Result<StepResult> look_at_lane(storage::Library& library, const StepInput& input, StepResult result, Timestamp now) {
  std::int64_t pending = 0, again_ms = 0;
  for (const storage::Lane lane : {storage::Lane::kFirst, storage::Lane::kBulk}) {
    const std::string_view name = lane == storage::Lane::kFirst ? "first" : "bulk";
    if (input.lane != "any" && input.lane != name) continue;
    TRY(const auto counts, library.manifest_counts(input.ask.import, lane));
    pending += counts.pending + counts.words;
    const std::int64_t earliest = counts.earliest_not_before_ms.value_or(0);
    if (earliest != 0) again_ms = again_ms == 0 ? earliest : std::min(again_ms, earliest);
  }
  TRY(const auto row, library.import(input.ask.import));
  result.counters = note_of(row.counters);
  result.known = row.counters.found;
  result.drained = pending == 0;
  if (!result.drained && result.taken == 0) result.look_again_ms = std::max(again_ms, to_unix_ms(now) + 1'000);
  if (!result.drained || input.lane != "first") return result;
  TRY(result.lane_failed, failed_in(library, input.ask.import, storage::Lane::kFirst));
  return result;
}

Awaitable<void> run_batch(SharedBatch batch) {
  std::vector<Awaitable<void>> workers;
  const auto at_once = static_cast<std::size_t>(std::max(1, batch->input.ask.settings.fetch_at_once));
  for (std::size_t i = 0; i < std::min(at_once, batch->waiting.size()); ++i) workers.push_back(work(batch));
  auto working = together(batch->deps->loop, std::move(workers));
  co_await std::move(working);
  auto judging = judge_suspects(batch);
  co_await std::move(judging);
  auto storing = store_ended(batch);
  co_await std::move(storing);
  batch->ended.clear();  // what is not staged after all leaves its place to others, here on the loop
}

/// The lane as it stands, and until when its window is closed. A lane with nothing left to fetch waits for no window.
Result<StepResult> look_at_closed(storage::Library& library, const StepInput& input, const storage::TimeWindow& window,
                                  Timestamp now) {
  TRY(StepResult result, look_at_lane(library, input, {}, now));
  result.look_again_ms = 0;
  if (!result.drained) result.trouble = window_trouble(window, input.ask, now);
  return result;
}

/// Calls for one attempt: as many as the budgets allow.
Awaitable<Result<std::vector<storage::ManifestRow>>> begin_batch(SharedBatch batch) {
  const SharedDeps& deps = batch->deps;
  auto count = [deps, input = batch->input] { return count_pending(deps->library, input); };
  auto counting = engine::on_pool(deps->pool, deps->loop, std::move(count));
  const auto pending = co_await std::move(counting);
  if (!pending) co_return tl::unexpected(pending.error());
  auto asking = take_calls(deps, batch->session, batch->input, *pending);
  batch->taken = co_await std::move(asking);
  auto take = [deps, batch] { return take_batch(deps->library, batch->input, batch->taken, deps->clock.now()); };
  auto taking = engine::on_pool(deps->pool, deps->loop, std::move(take));
  co_return co_await std::move(taking);
}

/// One batch, now.
Awaitable<ActivityResult> fetch_open(SharedDeps deps, ActivityContext& context, StepInput input) {
  auto opening = open_session(deps, &context, input);
  SessionMade made = co_await std::move(opening);
  if (!made) co_return tl::unexpected(made.error());
  auto batch = std::make_shared<Batch>(Batch{deps, context, input, *made, {}, {}, {}, 0, {}, false, 0, 0, false, {}});
  auto beginning = begin_batch(batch);
  Result<std::vector<storage::ManifestRow>> rows = co_await std::move(beginning);
  give_back(*deps, **made, batch->taken, rows.value_or(std::vector<storage::ManifestRow>{}));
  if (!rows) co_return tl::unexpected(error_of(rows.error()));

  StepResult result;
  result.taken = std::ssize(*rows);
  batch->waiting.assign(std::make_move_iterator(rows->begin()), std::make_move_iterator(rows->end()));
  auto running = run_batch(batch);
  co_await std::move(running);
  give_back(*deps, **made, batch->taken, {});
  if (result.taken == 0 && !batch->stop) batch->stop = batch->taken.held;
  if (context.cancelled()) co_return tl::unexpected(cancelled_answer());
  if (batch->stop && is_store_trouble(*batch->stop)) {
    co_return answer_trouble(context, input, *batch->stop, std::move(result), 60s, deps->clock.now());
  }
  result.done = batch->done;
  result.ended = batch->calls_ended;
  auto look = [deps, input, result] { return look_at_lane(deps->library, input, result, deps->clock.now()); };
  auto looking = engine::on_pool(deps->pool, deps->loop, std::move(look));
  Result<StepResult> seen = co_await std::move(looking);
  if (!seen) co_return tl::unexpected(error_of(seen.error()));
  if (batch->stop) {
    const Nanos outage_wait = (*made)->platform().outage_wait;
    co_return answer_trouble(context, input, *batch->stop, std::move(*seen), outage_wait, deps->clock.now());
  }
  co_return write_note(*seen);
}

}  // namespace

Awaitable<ActivityResult> fetch_calls(SharedDeps deps, ActivityContext& context, StepInput input) {
  if (input.lane != "first") {
    auto since = [deps, ask = input.ask] { return as_set_since(deps->library, ask); };
    auto reading = engine::on_pool(deps->pool, deps->loop, std::move(since));
    input.ask = co_await std::move(reading);
    const storage::TimeWindow window = window_of(*deps, input.ask);
    const Timestamp now = deps->clock.now();
    if (!window.is_open(now)) {
      auto look = [deps, input, window, now] { return look_at_closed(deps->library, input, window, now); };
      auto looking = engine::on_pool(deps->pool, deps->loop, std::move(look));
      const Result<StepResult> seen = co_await std::move(looking);
      if (!seen) co_return tl::unexpected(error_of(seen.error()));
      co_return write_note(*seen);
    }
  }
  auto fetching = fetch_open(deps, context, std::move(input));
  co_return co_await std::move(fetching);
}

}  // namespace callimport::activities
