#include "storage/library/library.h"

#include "storage/library/actions.h"
#include "storage/library/calls.h"
#include "storage/library/duplicates.h"
#include "storage/library/imports.h"
#include "storage/library/looks.h"
#include "storage/library/manifest.h"
#include "storage/library/measures.h"
#include "storage/library/notifications.h"
#include "storage/library/people.h"
#include "storage/library/progress.h"
#include "storage/library/quarantine.h"
#include "storage/library/receipts.h"
#include "storage/library/schema.h"
#include "storage/library/search.h"
#include "storage/library/set_aside.h"
#include "storage/library/staging.h"
#include "storage/library/telling.h"
#include "storage/library/undo.h"
#include "storage/library/webhooks.h"
#include "storage/library/words.h"
#include "storage/quota/rows.h"
#include "storage/runtime/mutex.h"
#include "storage/sqlite/database.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

/// Page cache of a connection; what does not fit goes to the WAL before the commit, so memory stays flat.
constexpr std::size_t kLibraryIdCharacters = 16;
constexpr std::string_view kWriterCache = "PRAGMA cache_size = -16384";
constexpr std::string_view kReaderCache = "PRAGMA cache_size = -8192";
constexpr std::string_view kSearcherCache = "PRAGMA cache_size = -16384";

/// The writer connection with its prepared statements.
struct Writer {
  Writer(Database connection, Random& random)
      : db(std::move(connection)),
        import_reads(db),
        imports(db, import_reads),
        manifest(db, import_reads, imports),
        set_aside(db, import_reads, imports),
        staging(db),
        people(db, random),
        calls(db, random, people),
        duplicates(db),
        words(db, import_reads),
        looks(db, import_reads),
        receipts(db),
        notifications(db, random),
        telling(db, random),
        progress(db, import_reads),
        action_reads(db),
        actions(db, action_reads),
        undo(db, import_reads, imports),
        quota(db),
        quarantine(db),
        webhooks(db) {}

  Database db;
  ImportReads import_reads;
  ImportWrites imports;
  ManifestWrites manifest;
  SetAsideWrites set_aside;
  Staging staging;
  PeopleWrites people;
  CallWrites calls;
  DuplicateFinder duplicates;
  WordsWrites words;
  LookWrites looks;
  Receipts receipts;
  NotificationWrites notifications;
  TellingWrites telling;
  ProgressWrites progress;
  ActionReads action_reads;
  ActionWrites actions;
  UndoWrites undo;
  QuotaWrites quota;
  QuarantineWrites quarantine;
  WebhookWrites webhooks;
};

struct Reader {
  explicit Reader(Database connection)
      : db(std::move(connection)),
        imports(db),
        manifest(db, imports),
        set_aside(db, imports),
        measures(db),
        calls(db),
        duplicates(db),
        words(db, imports),
        looks(db, imports),
        notifications(db),
        telling(db),
        progress(db, imports),
        actions(db),
        undo(db, imports),
        quota(db),
        quarantine(db),
        webhooks(db) {}

  Database db;
  ImportReads imports;
  ManifestReads manifest;
  SetAsideReads set_aside;
  MeasureReads measures;
  CallReads calls;
  DuplicateFinder duplicates;
  WordsReads words;
  LookReads looks;
  NotificationReads notifications;
  TellingReads telling;
  ProgressReads progress;
  ActionReads actions;
  UndoReads undo;
  QuotaReads quota;
  QuarantineReads quarantine;
  WebhookReads webhooks;
};

/// A connection of its own, so that a long search holds nobody up.
struct Searcher {
  explicit Searcher(Database connection) : db(std::move(connection)), search(db), people(db) {}

  Database db;
  SearchReads search;
  PeopleReads people;
};

std::string_view duplicate_cause(DuplicatePolicy policy, Sameness how) {
  if (policy == DuplicatePolicy::kUpdate) return "duplicate.updated";
  if (policy == DuplicatePolicy::kReplace) return "duplicate.replaced";
  if (how == Sameness::kSameRecording) return "duplicate.same_recording";
  return how == Sameness::kSameMeeting ? "duplicate.same_meeting" : "duplicate.skipped";
}

class Tx final : public LibraryTx {
 public:
  explicit Tx(Writer& writer) : w_(writer) {}

  Result<> put_import(const ImportRow& row) override { return w_.imports.put(row); }
  Result<ImportRow> import(const std::string& id) override { return w_.import_reads.get(id); }
  Result<> set_lane(const std::string& import, Lane lane, const LaneRow& row, std::int64_t at_ms) override {
    return w_.imports.set_lane(import, lane, row, at_ms);
  }
  Result<> set_cursor(const std::string& import, const std::string& cursor, bool enumerated) override {
    return w_.imports.set_cursor(import, cursor, enumerated);
  }
  Result<> set_first_ready(const std::string& import, std::int64_t at_ms) override {
    return w_.imports.set_first_ready(import, at_ms);
  }
  Result<> close_import(const std::string& import, std::int64_t at_ms, const std::string& report) override {
    return w_.imports.close(import, at_ms, report);
  }
  Result<> reopen_import(const std::string& import) override {
    TRY_VOID(reopen_keeping_failed(import));
    TRY_VOID(w_.manifest.retry_failed(import, ""));
    return {};
  }
  Result<> reopen_keeping_failed(const std::string& import) override {
    TRY_VOID(w_.imports.reopen(import));
    return w_.looks.forget_told(import);
  }

  using LibraryTx::add_manifest;
  Result<std::int64_t> add_manifest(const std::string& import, const std::vector<ManifestRow>& rows,
                                    const LaneOrder& order, DuplicatePolicy policy) override {
    return w_.manifest.add(import, rows, order, policy);
  }
  Result<> name_calls(const std::string& import, const std::vector<std::string>& source_ids) override {
    return w_.manifest.name(import, source_ids);
  }
  Result<> prioritize(const std::string& import, std::int64_t first_lane) override {
    return w_.manifest.prioritize(import, first_lane);
  }
  Result<std::vector<ManifestRow>> next_pending(const std::string& import, Lane lane, std::int64_t now_ms,
                                                int limit) override {
    return w_.manifest.next_pending(import, lane, now_ms, limit);
  }
  Result<> set_state(const std::string& import, const std::string& source_id, CallState state, const std::string& cause,
                     const std::string& detail) override;
  Result<> put_off(const std::string& import, const std::string& source_id, std::int64_t not_before_ms) override {
    return w_.manifest.put_off(import, source_id, not_before_ms);
  }
  Result<std::int64_t> retry_failed(const std::string& import, const std::string& cause) override {
    return w_.manifest.retry_failed(import, cause);
  }
  Result<std::int64_t> retry_calls(const std::string& import, const std::vector<std::string>& source_ids) override {
    return w_.manifest.retry_calls(import, source_ids);
  }
  Result<std::int64_t> set_aside(const std::string& import, const GapChoice& choice) override {
    return w_.set_aside.set_aside(import, choice);
  }
  Result<std::int64_t> put_back(const std::string& import, const GapChoice& choice) override {
    return w_.set_aside.put_back(import, choice);
  }
  Result<std::int64_t> want_words(const std::string& import, const std::string& state) override {
    return w_.words.want(import, state);
  }
  Result<std::vector<ManifestRow>> next_words(const std::string& import, Lane lane, int limit) override {
    return w_.words.next(import, lane, limit);
  }
  Result<> add_words(const std::string& import, const std::string& source_id, const Words& words) override;

  Result<> stage(const std::string& import, const Call& call) override;
  Result<std::vector<Call>> staged(const std::string& import, int limit) override;
  using LibraryTx::register_call;
  Result<CallState> register_call(const std::string& import, const Call& call, DuplicatePolicy policy) override;
  Result<CallState> recognise(const std::string& import, const Call& call, DuplicatePolicy policy) override;

  Result<> add_pace(const std::string& import, std::int64_t at_ms, std::int64_t calls) override {
    return w_.progress.add_pace(import, at_ms, calls);
  }
  Result<> add_attempt(const std::string& import, const std::string& source_id, const Attempt& attempt) override {
    return w_.progress.add_attempt(import, source_id, attempt);
  }
  Result<> see_cause(const std::string& import, const std::string& cause, std::int64_t at_ms) override {
    return w_.progress.see_cause(import, cause, at_ms);
  }
  Result<> put_report(const std::string& import, const std::string& body) override {
    return w_.progress.put_report(import, body);
  }
  WebhookWrites& webhooks() override { return w_.webhooks; }
  Result<std::vector<QuarantineFile>> put_in_quarantine(const QuarantineRow& row, std::int64_t bytes_max) override {
    return w_.quarantine.put(row, bytes_max);
  }
  Result<std::vector<QuarantineFile>> leave_quarantine(const std::string& import,
                                                       const std::string& source_id) override {
    return w_.quarantine.drop(import, source_id);
  }

  Result<PersonChange> put_person(const Contact& contact) override { return w_.people.put(contact); }
  Result<> set_workspace(const std::string& name, const WorkspaceRules& rules) override {
    return w_.people.set_workspace(name, rules);
  }
  Result<Rematched> rematch(std::int64_t from, int limit) override { return w_.calls.rematch(from, limit); }

  Result<> notify(const Notification& notification) override { return w_.notifications.add(notification); }
  TellingWrites& telling() override { return w_.telling; }

  Result<std::int64_t> add_action(const ActionRow& row, std::int64_t seen) override {
    return w_.actions.add(row, seen);
  }
  Result<> set_outcome(std::int64_t action, const std::string& outcome) override {
    return w_.actions.set_outcome(action, outcome);
  }
  Result<> consent(const ConsentRow& row) override { return w_.actions.consent(row); }

  Result<UndoPortion> undo_calls(const std::string& import, const UndoPortion& before, int limit) override {
    return w_.undo.portion(import, before, limit);
  }
  Result<std::vector<std::string>> removable_media(int limit) override { return w_.undo.removable_media(limit); }
  Result<> media_removed(const std::string& hash) override { return w_.undo.media_removed(hash); }

 private:
  Result<> leave_staging(const ManifestWrites::Place& place) {
    if (place.state != CallState::kStaged) return {};
    return w_.staging.drop(place.import, place.source_id);
  }
  /// @error kInvalid  the call is of another workspace.
  Result<Provenance> provenance(const std::string& import, const Call& call);
  Result<> repeat(const ManifestWrites::Place& place, const Call& call, const Provenance& from,
                  const Repeated& repeated, DuplicatePolicy policy);

  Writer& w_;
};

Result<> Tx::set_state(const std::string& import, const std::string& source_id, CallState state,
                       const std::string& cause, const std::string& detail) {
  if (state == CallState::kStaged || state == CallState::kRegistered) {
    return fail(Code::kInvalid, "a call becomes " + std::string(to_string(state)) + " with its content only");
  }
  TRY(const auto place, w_.manifest.find(import, source_id));
  TRY_VOID(w_.manifest.move(place, state, cause, detail, 0));
  return leave_staging(place);
}

Result<> Tx::stage(const std::string& import, const Call& call) {
  TRY(const auto place, w_.manifest.find(import, call.source_id));
  TRY_VOID(w_.manifest.move(place, CallState::kStaged, "", "", 0));
  return w_.staging.put(place.import, call);
}

Result<std::vector<Call>> Tx::staged(const std::string& import, int limit) {
  TRY(const std::int64_t number, w_.import_reads.number(import));
  return w_.staging.oldest(number, limit);
}

Result<> Tx::add_words(const std::string& import, const std::string& source_id, const Words& words) {
  TRY(const ImportRow row, w_.import_reads.get(import));
  TRY_VOID(w_.words.drop(import, source_id));
  return w_.calls.add_words({.platform = row.platform, .workspace = row.workspace, .import = import}, source_id, words);
}

Result<Provenance> Tx::provenance(const std::string& import, const Call& call) {
  TRY(const ImportRow row, w_.import_reads.get(import));
  if ((!call.platform.empty() && call.platform != row.platform) ||
      (!call.workspace.empty() && call.workspace != row.workspace)) {
    return fail(Code::kInvalid,
                "call " + clipped(call.source_id, 100) + " is not of the workspace of import " + import);
  }
  return Provenance{.platform = row.platform, .workspace = row.workspace, .import = import};
}

Result<> Tx::repeat(const ManifestWrites::Place& place, const Call& call, const Provenance& from,
                    const Repeated& repeated, DuplicatePolicy policy) {
  if (policy != DuplicatePolicy::kSkip) TRY_VOID(w_.calls.rewrite(repeated.call, call, from, policy));
  return w_.manifest.repeat(place, repeated.call, duplicate_cause(policy, repeated.how));
}

Result<CallState> Tx::register_call(const std::string& import, const Call& call, DuplicatePolicy policy) {
  TRY(const auto place, w_.manifest.find(import, call.source_id));
  if (place.state == CallState::kRegistered || place.state == CallState::kDuplicate) return place.state;
  TRY(const Provenance from, provenance(import, call));
  TRY_VOID(leave_staging(place));
  TRY(const auto repeated, w_.duplicates.find(call, from.platform, from.workspace));
  if (repeated) {
    TRY_VOID(repeat(place, call, from, *repeated, policy_for(*repeated, import, policy)));
    return CallState::kDuplicate;
  }
  TRY_VOID(w_.manifest.move(place, CallState::kRegistered, "", "", call.media ? call.media->bytes : 0));
  TRY_VOID(w_.calls.insert(call, from));
  return CallState::kRegistered;
}

Result<CallState> Tx::recognise(const std::string& import, const Call& call, DuplicatePolicy policy) {
  TRY(const auto place, w_.manifest.find(import, call.source_id));
  if (place.state != CallState::kPending) return place.state;
  TRY(const Provenance from, provenance(import, call));
  TRY(const auto repeated, w_.duplicates.find(call, from.platform, from.workspace));
  if (!repeated) return CallState::kPending;
  const DuplicatePolicy own = policy_for(*repeated, import, policy);
  if (own == DuplicatePolicy::kReplace) return CallState::kPending;
  TRY_VOID(repeat(place, call, from, *repeated, own));
  return CallState::kDuplicate;
}

class SqliteLibrary final : public Library {
 public:
  SqliteLibrary(Database writer, Database reader, Database searcher, std::string id, Random& random)
      : id_(std::move(id)),
        writer_(std::move(writer), random),
        reader_(std::move(reader)),
        searcher_(std::move(searcher)) {}

  const std::string& id() const override { return id_; }

  Result<std::string> write(const ReceiptKey& key,
                            const std::function<Result<std::string>(LibraryTx&)>& work) override {
    MutexLock lock(write_mutex_);
    TRY(auto transaction, Transaction::begin(writer_.db));
    TRY(auto stored, writer_.receipts.find(key));
    if (stored) return *std::move(stored);
    Tx tx(writer_);
    TRY(auto result, work(tx));
    TRY_VOID(writer_.receipts.put(key, result));
    TRY_VOID(std::move(transaction).commit());
    return result;
  }
  Result<> change(const std::function<Result<>(LibraryTx&)>& work) override {
    MutexLock lock(write_mutex_);
    TRY(auto transaction, Transaction::begin(writer_.db));
    Tx tx(writer_);
    TRY_VOID(work(tx));
    return std::move(transaction).commit();
  }
  Result<> drop_receipts(const std::string& run_id) override {
    MutexLock lock(write_mutex_);
    return writer_.receipts.drop(run_id);
  }

  Result<ImportRow> import(const std::string& id) override {
    MutexLock lock(read_mutex_);
    return reader_.imports.get(id);
  }
  Result<std::vector<ImportRow>> imports(int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.imports.newest(limit);
  }
  Result<std::vector<ImportRow>> imports_page(const ImportFilter& filter, const std::optional<ImportPlace>& after,
                                              int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.imports.page(filter, after, limit);
  }
  Result<std::vector<std::string>> import_ids(const std::string& prefix, int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.imports.ids(prefix, limit);
  }
  Result<std::int64_t> open_imports() override {
    MutexLock lock(read_mutex_);
    return reader_.imports.open_count();
  }
  Result<std::vector<ImportChange>> open_changes(int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.imports.open_changes(limit);
  }
  Result<std::vector<std::string>> imports_with(const std::string& credential, int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.imports.with(credential, limit);
  }
  Result<ManifestCounts> manifest_counts(const std::string& import, Lane lane) override {
    MutexLock lock(read_mutex_);
    TRY(auto counts, reader_.manifest.counts(import, lane));
    TRY(counts.words, reader_.words.wanted(import, lane));
    return counts;
  }
  Result<std::vector<ManifestRow>> manifest(const std::string& import, std::optional<CallState> state,
                                            const std::string& cause, const std::string& after_source_id,
                                            int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.manifest.rows(import, state, cause, after_source_id, limit);
  }
  Result<std::vector<std::string>> named_calls(const std::string& import) override {
    MutexLock lock(read_mutex_);
    return reader_.manifest.named(import);
  }
  Result<std::optional<ManifestRow>> manifest_row(const std::string& import, const std::string& source_id) override {
    MutexLock lock(read_mutex_);
    return reader_.manifest.row(import, source_id);
  }
  Result<bool> is_shared(const std::string& import, const std::string& source_id) override {
    MutexLock lock(read_mutex_);
    return reader_.manifest.is_shared(import, source_id);
  }
  Result<std::vector<Problem>> problems(const std::string& import) override {
    MutexLock lock(read_mutex_);
    return reader_.manifest.problems(import);
  }
  Result<std::vector<std::string>> causes_met(const std::string& import) override {
    MutexLock lock(read_mutex_);
    return reader_.set_aside.causes_met(import);
  }
  Result<std::int64_t> failed_calls(const std::string& import, const std::string& cause) override {
    MutexLock lock(read_mutex_);
    const std::string wordless = wordless_state(cause);
    return wordless.empty() ? reader_.manifest.failed(import, cause) : reader_.words.wordless(import, wordless);
  }
  Result<std::int64_t> look(const std::string& import, const std::string& who, std::int64_t now_ms) override {
    MutexLock lock(write_mutex_);
    return writer_.looks.look(import, who, now_ms);
  }
  Result<std::optional<ToldTimeLeft>> told_time_left(const std::string& import) override {
    MutexLock lock(read_mutex_);
    return reader_.looks.time_left(import);
  }
  Result<> tell_time_left(const std::string& import, const ToldTimeLeft& told) override {
    MutexLock lock(write_mutex_);
    TRY(auto transaction, Transaction::begin(writer_.db));
    TRY_VOID(writer_.looks.tell(import, told));
    return std::move(transaction).commit();
  }
  Result<std::vector<ToldTimeLeft>> times_told(const std::string& import) override {
    MutexLock lock(read_mutex_);
    return reader_.looks.times_told(import);
  }
  Result<std::vector<QuarantineRow>> quarantine(const std::string& import, std::int64_t after, int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.quarantine.list(import, after, limit);
  }
  Result<std::vector<QuarantineFile>> quarantine_files() override {
    MutexLock lock(read_mutex_);
    return reader_.quarantine.files();
  }
  Result<std::vector<StageChange>> timeline(const std::string& import, std::int64_t after_change, int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.imports.timeline(import, after_change, limit);
  }
  Result<std::vector<ImportMeasure>> measures(const std::string& platform, std::int64_t created_after_ms,
                                              int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.measures.newest(platform, created_after_ms, limit);
  }
  Result<std::int64_t> known_calls(const std::string& platform, const std::string& workspace,
                                   const std::vector<std::string>& source_ids) override {
    MutexLock lock(read_mutex_);
    return reader_.measures.known(platform, workspace, source_ids);
  }

  Result<std::vector<PaceSpan>> pace(const std::string& import) override {
    MutexLock lock(read_mutex_);
    return reader_.progress.pace(import);
  }
  Result<std::vector<Attempt>> attempts(const std::string& import, const std::string& source_id) override {
    MutexLock lock(read_mutex_);
    return reader_.progress.attempts(import, source_id);
  }
  Result<std::vector<FoundCall>> found_calls(const std::string& import, const std::string& after_source_id,
                                             int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.progress.found_calls(import, after_source_id, limit);
  }
  Result<std::string> report(const std::string& import) override {
    MutexLock lock(read_mutex_);
    return reader_.progress.report(import);
  }

  Result<std::optional<Repeated>> repeated(const Call& call, const std::string& platform,
                                           const std::string& workspace) override {
    MutexLock lock(read_mutex_);
    return reader_.duplicates.find(call, platform, workspace, call.import);
  }
  Result<Call> call(const std::string& id) override {
    MutexLock lock(read_mutex_);
    return reader_.calls.get(id);
  }
  Result<std::vector<Call>> calls(const CallFilter& filter, const std::string& after_id, int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.calls.list(filter, after_id, limit);
  }
  Result<SearchPage> search(const SearchRequest& request) override {
    MutexLock lock(search_mutex_);
    return searcher_.search.find(request);
  }
  Result<SearchFacets> facets(const SearchRequest& request) override {
    MutexLock lock(search_mutex_);
    return searcher_.search.facets(request);
  }
  Result<std::vector<PersonRow>> people(const std::string& text, const std::string& after_id, int limit) override {
    MutexLock lock(search_mutex_);
    return searcher_.people.list(text, after_id, limit);
  }
  Result<std::vector<UnmatchedRow>> unmatched(int limit) override {
    MutexLock lock(search_mutex_);
    return searcher_.people.unmatched(limit);
  }
  Result<PeopleCounts> people_counts() override {
    MutexLock lock(search_mutex_);
    return searcher_.people.counts();
  }

  Result<std::vector<Notification>> notifications(const std::string& import, int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.notifications.newest(import, limit);
  }
  Result<> look_at_telling(const std::function<Result<>(TellingReads&)>& work) override {
    MutexLock lock(read_mutex_);
    return work(reader_.telling);
  }

  Result<> look_at_webhooks(const std::function<Result<>(WebhookReads&)>& read) override {
    MutexLock lock(read_mutex_);
    return read(reader_.webhooks);
  }

  Result<std::vector<ActionRow>> actions(const std::string& import, std::int64_t before, int limit) override {
    MutexLock lock(read_mutex_);
    return reader_.actions.newest(import, before, limit);
  }
  Result<UndoFacts> undo_facts(const std::string& import) override {
    MutexLock lock(read_mutex_);
    return reader_.undo.facts(import);
  }
  Result<bool> consented(const ConsentRow& row) override {
    MutexLock lock(read_mutex_);
    return reader_.actions.consented(row);
  }
  Result<QuotaRows> quota() override {
    MutexLock lock(read_mutex_);
    return reader_.quota.all();
  }
  Result<> put_quota(const QuotaRows& rows) override {
    MutexLock lock(write_mutex_);
    TRY(auto transaction, Transaction::begin(writer_.db));
    TRY_VOID(writer_.quota.put(rows));
    return std::move(transaction).commit();
  }

  Result<> checkpoint() override {
    MutexLock lock(write_mutex_);
    return writer_.db.checkpoint();
  }

 private:
  const std::string id_;
  Mutex write_mutex_, read_mutex_, search_mutex_;
  Writer writer_ GUARDED_BY(write_mutex_);
  Reader reader_ GUARDED_BY(read_mutex_);
  Searcher searcher_ GUARDED_BY(search_mutex_);
};

/// The id in the file; makes one when there is none.
Result<std::string> identity_of(Database& db, Random& random) {
  Statement find(db, "SELECT id FROM identity");
  TRY(auto found, first_row(find, [](const Statement& row) { return row.text(0); }));
  if (found) return *std::move(found);
  auto made = random.id_text(kLibraryIdCharacters);
  TRY_VOID(Statement(db, "INSERT INTO identity(one, id) VALUES(1, ?1)").bind(1, made).run());
  return made;
}

}  // namespace

Result<std::unique_ptr<Library>> Library::open(Disk& disk, Random& random, const std::string& path) {
  TRY(auto writer, Database::open(disk, path, {.migrations = library_schema::kMigrations}));
  TRY_VOID(writer.exec(kWriterCache));
  TRY(auto reader, Database::open(disk, path, {.migrations = {}, .read_only = true}));
  TRY_VOID(reader.exec(kReaderCache));
  TRY(auto searcher, Database::open(disk, path, {.migrations = {}, .read_only = true}));
  TRY_VOID(searcher.exec(kSearcherCache));
  TRY(auto id, identity_of(writer, random));
  return std::make_unique<SqliteLibrary>(std::move(writer), std::move(reader), std::move(searcher), std::move(id),
                                         random);
}

}  // namespace callimport::storage
