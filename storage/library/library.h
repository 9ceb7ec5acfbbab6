#pragma once
// library.db: imports, manifest, staged calls, the library itself with full-text search, receipts, notifications.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/library/lane_order.h"
#include "storage/library/records.h"
#include "storage/model/result.h"
#include "storage/quota/budget.h"
#include "storage/runtime/disk.h"
#include "storage/runtime/random.h"

namespace callimport::storage {

class TellingReads;
class TellingWrites;
class WebhookReads;
class WebhookWrites;

/// Which attempt of which activity writes. A repeat returns the stored result; an older attempt than the stored one is
/// refused. `scheduled_ns` tells an activity from another one of the same id: after a journal from a backup a run may
/// take another course, and a receipt of the old one answers nothing there. 0: not known, the id is enough.
struct ReceiptKey {
  std::string run_id, activity_id;
  int attempt = 1;
  std::int64_t scheduled_ns = 0;
};

/// What undoing an import would remove, and what stands in the way of it.
struct UndoFacts {
  std::int64_t calls = 0, media_bytes = 0;  ///< that it brought and nothing else counts on
  std::int64_t held = 0;                    ///< that another import counts as duplicates
  std::int64_t media_left = 0;              ///< recordings of calls removed earlier, still on disk
  std::int64_t open_imports = 0;
};
/// How far removing has come; the next portion goes on after it.
struct UndoPortion {
  std::int64_t removed = 0, after_start_ms = 0;
  std::string after_id{};
  bool done = false;
};

/// One write transaction. Every method sees what came before it in the same transaction; after an error that is not of
/// the input (kUnavailable, kCorrupt) it cannot be saved: hand the error up. What names an import or a call that is not
/// there answers kNotFound. No method reads or holds more rows than it answers: a million manifest rows stay cheap.
class LibraryTx {
 public:
  virtual ~LibraryTx() = default;

  // Imports.
  virtual Result<> put_import(const ImportRow& row) = 0;        ///< insert, or take over a new input for an existing id
                                                                ///< (re-request): state and manifest stay
  virtual Result<ImportRow> import(const std::string& id) = 0;  ///< @error kNotFound
  /// Writes the lane and appends it to the timeline with the import's counters as they stand.
  virtual Result<> set_lane(const std::string& import, Lane lane, const LaneRow& row, std::int64_t at_ms) = 0;
  virtual Result<> set_cursor(const std::string& import, const std::string& cursor, bool enumerated) = 0;
  virtual Result<> set_first_ready(const std::string& import, std::int64_t at_ms) = 0;
  virtual Result<> close_import(const std::string& import, std::int64_t at_ms,
                                const std::string& report) = 0;  ///< also forgets the credential handle
  virtual Result<> reopen_import(
      const std::string& import) = 0;  ///< re-request: closed_ms and report cleared; failed calls become pending again,
                                       ///< those of kCauseIdUnusable excepted

  /// The same, and failed calls stay as they are.
  virtual Result<> reopen_keeping_failed(const std::string& import) = 0;

  // Manifest. Counters of the import row change in the same transaction.
  /// Adds rows not known yet; those already registered from this workspace come in as kDuplicate, or pending when the
  /// policy is to update or replace what the library has. Answers how many were
  /// new. Rows come as kPending, or as kSkipped or kFailed with their cause. Long titles are cut: the call keeps the
  /// whole.
  /// @error kInvalid  another state, or no source id.
  virtual Result<std::int64_t> add_manifest(const std::string& import, const std::vector<ManifestRow>& rows,
                                            const LaneOrder& order, DuplicatePolicy policy) = 0;
  Result<std::int64_t> add_manifest(const std::string& import, const std::vector<ManifestRow>& rows,
                                    const LaneOrder& order) {
    return add_manifest(import, rows, order, DuplicatePolicy::kSkip);
  }
  Result<std::int64_t> add_manifest(const std::string& import, const std::vector<ManifestRow>& rows) {
    return add_manifest(import, rows, {});
  }
  /// The import is asked for these calls only: in place of those named before. Before it is there, too.
  /// @error kInvalid  more than kNamedCallsMax, or an empty id.
  virtual Result<> name_calls(const std::string& import, const std::vector<std::string>& source_ids) = 0;
  /// First lane = by the order they were added in, the first `first_lane` of what is in it and what is pending in bulk
  /// (100,000 at most); the rest is bulk. Ties by source id. May be repeated while enumeration goes on.
  virtual Result<> prioritize(const std::string& import, std::int64_t first_lane) = 0;
  /// Next rows to fetch in a lane: pending, not_before_ms absent or <= now, by position.
  virtual Result<std::vector<ManifestRow>> next_pending(const std::string& import, Lane lane, std::int64_t now_ms,
                                                        int limit) = 0;
  /// pending or staged to pending, duplicate, skipped or failed; staged content is forgotten. Again is success.
  /// @error kInvalid  kStaged and kRegistered, which come with content.  @error kConflict  the call has ended in
  /// another state.
  virtual Result<> set_state(const std::string& import, const std::string& source_id, CallState state,
                             const std::string& cause, const std::string& detail) = 0;
  virtual Result<> put_off(const std::string& import, const std::string& source_id, std::int64_t not_before_ms) = 0;
  virtual Result<std::int64_t> retry_failed(const std::string& import,
                                            const std::string& cause) = 0;  ///< empty cause: all; answers how many
  /// Of these those that failed become pending; answers how many. Others stay as they are.
  virtual Result<std::int64_t> retry_calls(const std::string& import, const std::vector<std::string>& source_ids) = 0;
  /// A person says that these failed calls will not come: they become skipped and keep their cause, and no retry of all
  /// or of a cause takes them up. Answers how many; others stay as they are.
  virtual Result<std::int64_t> set_aside(const std::string& import, const GapChoice& choice) = 0;
  /// Of those set aside: they have failed again. Answers how many.
  virtual Result<std::int64_t> put_back(const std::string& import, const GapChoice& choice) = 0;

  // Words of calls that came without: for what has registered, no counter moves.
  /// Calls the import brought whose transcript is in this state (missing, failed) are wanted; answers how many.
  virtual Result<std::int64_t> want_words(const std::string& import, const std::string& state) = 0;
  /// Wanted ones of the lane, with words_only.
  virtual Result<std::vector<ManifestRow>> next_words(const std::string& import, Lane lane, int limit) = 0;
  /// The try has ended: the call is wanted no more. The words are indexed unless it has some already.
  virtual Result<> add_words(const std::string& import, const std::string& source_id, const Words& words) = 0;

  // Staged calls: fetched whole, not in the library yet.
  /// Its manifest row becomes kStaged; again replaces it.  @error kConflict  the call has ended.
  virtual Result<> stage(const std::string& import, const Call& call) = 0;
  /// Oldest first; fewer than `limit` when they are long (32 MiB of JSON at once), but one if there is one.
  virtual Result<std::vector<Call>> staged(const std::string& import, int limit) = 0;
  /// Into the library, once by (platform, workspace, source_id): registered, or duplicate when it is there already, by
  /// its id or as the same meeting (duplicates.h); the manifest row names the call it repeats. Unstages
  /// it. Again answers the same. Platform, workspace and import of the library's row are the import's; `call.id` is
  /// ignored.
  /// @error kConflict  skipped or failed.  @error kInvalid  of another workspace.
  virtual Result<CallState> register_call(const std::string& import, const Call& call, DuplicatePolicy policy) = 0;
  /// The same for a call of which only the details are known: kDuplicate when the library has it and it is skipped or
  /// brought up to date; kPending when it is to be fetched whole, and then nothing has changed.
  virtual Result<CallState> recognise(const std::string& import, const Call& call, DuplicatePolicy policy) = 0;
  Result<CallState> register_call(const std::string& import, const Call& call) {
    return register_call(import, call, DuplicatePolicy::kSkip);
  }

  // How it went.
  /// Calls that came into the library at that time, for the chart.
  virtual Result<> add_pace(const std::string& import, std::int64_t at_ms, std::int64_t calls) = 0;
  /// An attempt at a call has ended; its last ten are kept.
  virtual Result<> add_attempt(const std::string& import, const std::string& source_id, const Attempt& attempt) = 0;
  /// A call failed or was skipped for this cause.
  virtual Result<> see_cause(const std::string& import, const std::string& cause, std::int64_t at_ms) = 0;
  virtual Result<> put_report(const std::string& import,
                              const std::string& body) = 0;  ///< @error kInvalid  over 256 KiB

  // People.
  /// A row of the directory: new, or more about somebody it has, found by user id, then e-mail, then phone.
  /// @error kInvalid  an address, number or kind that is none; nothing to recognise the person by. Nothing was written.
  virtual Result<PersonChange> put_person(const Contact& contact) = 0;
  virtual Result<> set_workspace(const std::string& name, const WorkspaceRules& rules) = 0;
  /// Looks at the participants of the next `limit` calls anew.  @param from  Rematched::next of the portion before; 0:
  /// begin
  virtual Result<Rematched> rematch(std::int64_t from, int limit) = 0;

  // Broken recordings. Both answer the files that nothing needs any more: the caller removes them after the commit.
  /// The row of a call whose file is in quarantine; the oldest files go until all take at most `bytes_max`.
  virtual Result<std::vector<QuarantineFile>> put_in_quarantine(const QuarantineRow& row, std::int64_t bytes_max) = 0;
  virtual Result<std::vector<QuarantineFile>> leave_quarantine(const std::string& import,
                                                               const std::string& source_id) = 0;

  /// The record. An id that is there already changes nothing; an empty one is made.
  virtual Result<> notify(const Notification& notification) = 0;
  /// What becomes of records: messages and what the rules remember (telling.h). Never null, lives as long as this.
  virtual TellingWrites& telling() = 0;

  virtual WebhookWrites& webhooks() = 0;  ///< storage/library/webhooks.h; it ends with the transaction

  // What people do.
  /// Answers its number. A request id that is there already answers that number and changes nothing. `seen`: the last
  /// action of the import its author knew of; 0: not compared.
  /// @error kConflict  another action came since: says who did what.  @error kInvalid  the request id is another's.
  virtual Result<std::int64_t> add_action(const ActionRow& row, std::int64_t seen) = 0;
  virtual Result<> set_outcome(std::int64_t action, const std::string& outcome) = 0;
  virtual Result<> consent(const ConsentRow& row) = 0;  ///< again changes nothing

  // Undoing.
  /// Removes up to `limit` calls the import brought and no other counts on; in the manifest they become skipped.
  virtual Result<UndoPortion> undo_calls(const std::string& import, const UndoPortion& before, int limit) = 0;
  /// Recordings of removed calls, and those that others replaced, that no call names; none while an import is open.
  virtual Result<std::vector<std::string>> removable_media(int limit) = 0;
  virtual Result<> media_removed(const std::string& hash) = 0;
};

/// Of one lane. `pending` is still to be fetched, put off or not; `earliest_not_before_ms` is of those put off.
struct ManifestCounts {
  std::int64_t pending = 0, staged = 0, total = 0;
  std::optional<std::int64_t> earliest_not_before_ms = std::nullopt;
  std::int64_t words = 0;  ///< registered calls whose words are wanted
};

/// What is empty or 0 does not filter. `text`: part of title, workspace or id, whatever the case of its letters.
struct ImportFilter {
  std::vector<std::string> conditions = {};  ///< any of these, as the import shows it
  std::string platform = {}, text = {};
  std::int64_t created_after_ms = 0;  ///< inclusive
};
/// How far an import has changed (ImportRow::change), without the rest of it.
struct ImportChange {
  std::string id;
  std::int64_t change = 0;
};
/// Where a page of imports ended.
struct ImportPlace {
  std::int64_t created_ms = 0;
  std::string id;
};

/// What is empty or 0 does not filter. `text`: part of the title. Starts from after_ms on and before before_ms.
struct CallFilter {
  std::string import = {}, platform = {}, text = {};
  std::int64_t after_ms = 0, before_ms = 0;
  std::string privacy = {};
};

enum class SearchOrder : std::uint8_t { kNewest, kBest };

struct SearchRequest {
  std::string query;  ///< as parse_query (search_query.h) takes it
  CallFilter filter = {};
  int limit = 50;
  SearchOrder order = SearchOrder::kNewest;
  std::string after = {};  ///< SearchPage::next of the page before
};

struct SearchPage {
  std::vector<SearchHit> hits;
  std::string next = {};  ///< empty: there is no more
};

/// How many calls that answer the search have each value, most calls first (months: newest first).
struct Facet {
  std::string name, value;  ///< name: platform, import, month, has
  std::int64_t calls = 0;
  friend bool operator==(const Facet&, const Facet&) = default;
};
struct SearchFacets {
  std::vector<Facet> facets;
  std::int64_t calls = 0, hits = 0;
  bool more = false;  ///< counting stopped at kHitsCountedMax (search.h)
};

/// Threads: any; calls block (use a Pool). One writer at a time inside; reads have a connection of their own and see
/// only what is committed. Lifetime: `disk` and `random` outlive it.
class Library {
 public:
  /// @error  as Database::open
  static Result<std::unique_ptr<Library>> open(Disk& disk, Random& random, const std::string& path);
  virtual ~Library() = default;

  /// 16 characters of [0-9a-z], made with the file: the workers of a cluster find this library's work by it.
  virtual const std::string& id() const = 0;

  /// Runs `work` in one transaction together with its receipt. A repeat of the same activity returns the stored result
  /// and does not run `work`.  @error kConflict  an older attempt than the one that wrote.  @error kInvalid  a result
  /// over 64 KiB.
  virtual Result<std::string> write(const ReceiptKey& key,
                                    const std::function<Result<std::string>(LibraryTx&)>& work) = 0;
  /// Without a receipt: for what is no activity (deliveries, tools). `work` may run once only.
  virtual Result<> change(const std::function<Result<>(LibraryTx&)>& work) = 0;
  virtual Result<> drop_receipts(const std::string& run_id) = 0;  ///< once the run is closed

  virtual Result<ImportRow> import(const std::string& id) = 0;    ///< @error kNotFound
  virtual Result<std::vector<ImportRow>> imports(int limit) = 0;  ///< newest first
  /// Newest first, of equals the greater id first, from the one after `after` on; without cursors and reports.
  virtual Result<std::vector<ImportRow>> imports_page(const ImportFilter& filter,
                                                      const std::optional<ImportPlace>& after, int limit) = 0;
  virtual Result<std::vector<std::string>> import_ids(const std::string& prefix, int limit) = 0;  ///< sorted
  virtual Result<std::int64_t> open_imports() = 0;
  virtual Result<std::vector<ImportChange>> open_changes(int limit) = 0;  ///< of imports that are open, in no order
  /// Ids of imports that are not closed and work with this credential.
  virtual Result<std::vector<std::string>> imports_with(const std::string& credential, int limit) = 0;
  virtual Result<ManifestCounts> manifest_counts(const std::string& import, Lane lane) = 0;
  virtual Result<std::vector<ManifestRow>> manifest(const std::string& import, std::optional<CallState> state,
                                                    const std::string& cause, const std::string& after_source_id,
                                                    int limit) = 0;
  /// What name_calls was told, by id.
  virtual Result<std::vector<std::string>> named_calls(const std::string& import) = 0;
  virtual Result<std::optional<ManifestRow>> manifest_row(const std::string& import, const std::string& source_id) = 0;
  /// True when the library has this call, or the one it repeats, and it is not private; what has not come in is not
  /// known to be shared.
  virtual Result<bool> is_shared(const std::string& import, const std::string& source_id) = 0;
  virtual Result<std::vector<Problem>> problems(const std::string& import) = 0;  ///< most calls first
  /// Causes that calls of the import met, by name, whatever became of the calls.
  virtual Result<std::vector<std::string>> causes_met(const std::string& import) = 0;
  /// Calls that failed, of one cause or (empty) of any; of transcript.missing and transcript.failed those that came
  /// without words.
  virtual Result<std::int64_t> failed_calls(const std::string& import, const std::string& cause) = 0;
  /// `who` looks at the problems now; answers when they did last, 0: never. Looks within a minute are one.
  virtual Result<std::int64_t> look(const std::string& import, const std::string& who, std::int64_t now_ms) = 0;
  virtual Result<std::optional<ToldTimeLeft>> told_time_left(const std::string& import) = 0;
  /// Those told while it ran, since it was last opened, in order and without their causes.
  virtual Result<std::vector<ToldTimeLeft>> times_told(const std::string& import) = 0;
  virtual Result<> tell_time_left(const std::string& import, const ToldTimeLeft& told) = 0;
  virtual Result<std::vector<QuarantineRow>> quarantine(const std::string& import, std::int64_t after,
                                                        int limit) = 0;  ///< oldest first; empty import: of all
  virtual Result<std::vector<QuarantineFile>> quarantine_files() = 0;    ///< all that are to be kept
  virtual Result<std::vector<StageChange>> timeline(const std::string& import, std::int64_t after_change,
                                                    int limit) = 0;

  virtual Result<std::vector<PaceSpan>> pace(const std::string& import) = 0;  ///< oldest first; 1,000 at most
  virtual Result<std::vector<Attempt>> attempts(const std::string& import,
                                                const std::string& source_id) = 0;  ///< oldest first; the last ten
  /// By source id, from the one after `after_source_id` on.
  virtual Result<std::vector<FoundCall>> found_calls(const std::string& import, const std::string& after_source_id,
                                                     int limit) = 0;
  virtual Result<std::string> report(const std::string& import) = 0;  ///< as stored at its close; empty: there is none
  /// Newest first; an empty platform: of all.
  virtual Result<std::vector<ImportMeasure>> measures(const std::string& platform, std::int64_t created_after_ms,
                                                      int limit) = 0;
  /// How many of these calls of a workspace are in the library.
  virtual Result<std::int64_t> known_calls(const std::string& platform, const std::string& workspace,
                                           const std::vector<std::string>& source_ids) = 0;

  /// Which call of the library this one is again: by its id, else as the same meeting; or one that its import has
  /// staged, which has no id yet. Details are enough.
  virtual Result<std::optional<Repeated>> repeated(const Call& call, const std::string& platform,
                                                   const std::string& workspace) = 0;
  virtual Result<Call> call(const std::string& id) = 0;  ///< whole, with participants and segments; also by unique
                                                         ///< prefix  @error kNotFound, kConflict (ambiguous)
  virtual Result<std::vector<Call>> calls(const CallFilter& filter, const std::string& after_id,
                                          int limit) = 0;  ///< without segments, newest first
  /// Words of one segment, or of one call's title and people, in any order; filters on its call. Case, accents and
  /// apostrophes do not matter. Newest call first, or best first among the newest kRankedMax. Any input is safe.
  /// @error kInvalid  what is wrong with the query, and where.
  virtual Result<SearchPage> search(const SearchRequest& request) = 0;
  virtual Result<SearchFacets> facets(const SearchRequest& request) = 0;

  /// By id.  @param text  part of a name, key or company; empty: all
  virtual Result<std::vector<PersonRow>> people(const std::string& text, const std::string& after_id, int limit) = 0;
  virtual Result<std::vector<UnmatchedRow>> unmatched(int limit) = 0;  ///< most calls first
  virtual Result<PeopleCounts> people_counts() = 0;

  virtual Result<std::vector<Notification>> notifications(const std::string& import,
                                                          int limit) = 0;  ///< newest first; empty import: of all
  /// Messages, and what became of records (telling.h), as committed.
  virtual Result<> look_at_telling(const std::function<Result<>(TellingReads&)>& work) = 0;

  /// `read` sees what is committed when each of its reads begins.
  virtual Result<> look_at_webhooks(const std::function<Result<>(WebhookReads&)>& read) = 0;

  /// Newest first, those before the number `before` (0: from the newest); empty import: of all.
  virtual Result<std::vector<ActionRow>> actions(const std::string& import, std::int64_t before, int limit) = 0;
  virtual Result<UndoFacts> undo_facts(const std::string& import) = 0;
  virtual Result<bool> consented(const ConsentRow& row) = 0;  ///< whoever said it; empty customer: of any
  /// How much of the budgets is used: what the quota ledger takes up after a restart.
  virtual Result<QuotaRows> quota() = 0;
  virtual Result<> put_quota(const QuotaRows& rows) = 0;  ///< one transaction

  virtual Result<> checkpoint() = 0;
};

}  // namespace callimport::storage
