#include "storage/library/calls.h"

#include <algorithm>
#include <array>
#include <limits>

#include "storage/library/call_text.h"
#include "storage/library/webhooks.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

constexpr std::size_t kIdCharacters = 20;
constexpr std::size_t kIdCharactersShown = 100;  ///< of a wrong id in an error

#define CALLIMPORT_CALL_COLUMNS                                                                                    \
  "number, id, platform, workspace, source_id, import, title, source, media_type, start_ms, end_ms, duration_ms, " \
  "tags,"                                                                                                          \
  " transcript_state, details, fetched_ms, media_hash, media_bytes, container, audio_codec, video_codec, "         \
  "media_duration_ms, doc, docs, privacy"
// ?1 limit, ?2 platform, ?3 title pattern, ?4 from, ?5 until, ?6 and ?7 the start and id of the call before, ?8 import,
// ?9 privacy
#define CALLIMPORT_CALL_FILTER                                                                                  \
  " (?2 = '' OR platform = ?2) AND (?3 = '' OR title LIKE ?3 ESCAPE '\\') AND start_ms >= ?4 AND start_ms < ?5" \
  " AND (?9 = '' OR privacy = ?9) AND (start_ms, id) < (?6, ?7)"

#define CALLIMPORT_PARTICIPANT_COLUMNS "p.source_id, p.name, p.email, p.scope, p.attended, p.host, p.phone, p.user"

Participant read_participant(const Statement& row) {
  Participant participant{.source_id = row.text(0),
                          .name = row.text(1),
                          .email = row.text(2),
                          .scope = row.text(3),
                          .attended = std::nullopt,
                          .host = row.integer(5) != 0,
                          .phone = row.text(6),
                          .user = row.text(7)};
  if (!row.is_null(4)) participant.attended = row.integer(4) != 0;
  return participant;
}

constexpr std::array<const char*, 5> kMatches = {"", "matched", "ambiguous", "unmatched", "nothing_to_go_by"};

std::pair<Participant, Recognised> read_recognised(const Statement& row) {
  return {read_participant(row),
          {.match = kMatches[static_cast<std::size_t>(row.integer(8))],
           .side = row.text(9),
           .person = row.text(10),
           .person_name = row.text(11),
           .company = row.text(12)}};
}

/// As a participant is stored.
PeopleWrites::Match read_match(const Statement& row) {
  return {.recognised = static_cast<int>(row.integer(8)),
          .person = optional_integer(row, 10),
          .company = optional_integer(row, 11),
          .person_name = {},
          .company_name = {},
          .side = row.text(9)};
}

/// The stricter of what the platform says of a call and what holds in its workspace.
std::string stricter(const std::string& a, const std::string& b) {
  for (const char* one : {"private", "team", "everyone"}) {
    if (a == one || b == one) return one;
  }
  return "team";
}

Segment read_segment(const Statement& row) {
  return {.speaker = row.text(0),
          .participant = row.text(1),
          .start_ms = row.integer(2),
          .end_ms = row.integer(3),
          .text = row.text(4)};
}

std::optional<MediaFacts> read_media(const Statement& row) {
  if (row.is_null(16)) return std::nullopt;
  return MediaFacts{.hash = row.text(16),
                    .bytes = row.integer(17),
                    .container = row.text(18),
                    .audio_codec = row.text(19),
                    .video_codec = row.text(20),
                    .duration_ms = optional_integer(row, 21)};
}

/// For LIKE: titles that contain `text`, its % and _ being what they are.
std::string pattern_for(const std::string& text) {
  if (text.empty()) return {};
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

/// Names, addresses and companies as they are searched, a line each participant.
std::string searched_people(const std::vector<Participant>& participants,
                            const std::vector<PeopleWrites::Match>& matches) {
  std::string people;
  for (std::size_t i = 0; i < participants.size(); ++i) {
    const auto& one = participants[i];
    std::string line;
    for (const std::string& word :
         {one.name, matches[i].person_name == one.name ? std::string() : matches[i].person_name, one.email,
          matches[i].company_name}) {
      if (!word.empty()) line += (line.empty() ? "" : " ") + word;
    }
    people += (i == 0 ? "" : "\n") + line;
  }
  return people;
}

tl::unexpected<Error> too_long(std::size_t segments) {
  return fail(Code::kInvalid, "a transcript of " + std::to_string(segments) + " segments is too long");
}

tl::unexpected<Error> no_call(const std::string& id) {
  return fail(Code::kNotFound, "no such call " + id.substr(0, kIdCharactersShown));
}

}  // namespace

CallReads::CallReads(Database& db)
    : exact_(db, "SELECT " CALLIMPORT_CALL_COLUMNS " FROM call WHERE id = ?1"),
      by_prefix_(db, "SELECT " CALLIMPORT_CALL_COLUMNS " FROM call WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 2"),
      newest_(db, "SELECT " CALLIMPORT_CALL_COLUMNS " FROM call INDEXED BY call_by_age WHERE" CALLIMPORT_CALL_FILTER
                  " ORDER BY start_ms DESC, id DESC LIMIT ?1"),
      newest_of_import_(db, "SELECT " CALLIMPORT_CALL_COLUMNS
                            " FROM call INDEXED BY call_by_import WHERE import = ?8 AND" CALLIMPORT_CALL_FILTER
                            " ORDER BY start_ms DESC, id DESC LIMIT ?1"),
      participants_(
          db,
          "SELECT " CALLIMPORT_PARTICIPANT_COLUMNS
          ", p.recognised, p.side, coalesce(d.id, ''), coalesce(d.name, ''), coalesce(o.name, '')"
          " FROM participant p LEFT JOIN person d ON d.number = p.person LEFT JOIN company o ON o.number = p.company"
          " WHERE p.call = ?1 ORDER BY p.seq"),
      segments_(
          db,
          "SELECT speaker, participant, start_ms, end_ms, text FROM segment WHERE id >= ?1 AND id < ?2 ORDER BY id") {}

CallReads::Numbered CallReads::read_call(const Statement& row) {
  Call call{.id = row.text(1),
            .platform = row.text(2),
            .workspace = row.text(3),
            .source_id = row.text(4),
            .title = row.text(6),
            .source = row.text(7),
            .media_type = row.text(8),
            .start_ms = row.integer(9),
            .end_ms = optional_integer(row, 10),
            .duration_ms = optional_integer(row, 11),
            .tags = {},
            .participants = {},
            .segments = {},
            .media = read_media(row),
            .transcript_state = row.text(13),
            .details = row.text(14),
            .import = row.text(5),
            .fetched_ms = row.integer(15),
            .privacy = row.text(24)};
  return {.number = row.integer(0),
          .doc = row.integer(22),
          .docs = row.integer(23),
          .tags = row.text(12),
          .call = std::move(call)};
}

Result<CallReads::Numbered> CallReads::find(const std::string& id) {
  TRY(auto exact, first_row(exact_.bind(1, id), read_call));
  if (exact) return *std::move(exact);
  if (!id.starts_with(CallTag::prefix) || id.size() > CallTag::prefix.size() + kIdCharactersMax) return no_call(id);
  TRY(auto some, all_rows(by_prefix_.bind(1, id).bind(2, id + "\x7f"), read_call));
  if (some.empty()) return no_call(id);
  if (some.size() > 1) {
    return fail(Code::kConflict, "more than one call begins with " + id + ": " + some[0].call.id + " and " +
                                     some[1].call.id + " among them; give more characters");
  }
  return std::move(some.front());
}

Result<Call> CallReads::with_participants(Numbered row) {
  TRY(row.call.tags, tags_from_json(row.tags));
  TRY(auto people, all_rows(participants_.bind(1, row.number), read_recognised));
  for (auto& [participant, recognised] : people) {
    row.call.participants.push_back(std::move(participant));
    row.call.recognised.push_back(std::move(recognised));
  }
  return std::move(row.call);
}

Result<Call> CallReads::get(const std::string& id) {
  TRY(auto row, find(id));
  segments_.bind(1, row.doc + 1).bind(2, row.doc + row.docs);
  TRY(auto call, with_participants(std::move(row)));
  TRY(call.segments, all_rows(segments_, read_segment));
  return call;
}

Result<std::vector<Call>> CallReads::list(const CallFilter& filter, const std::string& after_id, int limit) {
  std::pair<std::int64_t, std::string> before{std::numeric_limits<std::int64_t>::max(), "\xff"};
  if (!after_id.empty()) {
    TRY(const auto after, first_row(exact_.bind(1, after_id), read_call));
    if (!after) return no_call(after_id);
    before = {after->call.start_ms, after->call.id};
  }
  Statement& statement = filter.import.empty() ? newest_ : newest_of_import_;
  statement.bind(1, limit).bind(2, filter.platform).bind(3, pattern_for(filter.text));
  statement.bind(4, filter.after_ms == 0 ? std::numeric_limits<std::int64_t>::min() : filter.after_ms);
  statement.bind(5, filter.before_ms == 0 ? std::numeric_limits<std::int64_t>::max() : filter.before_ms);
  statement.bind(6, before.first).bind(7, before.second);
  if (!filter.import.empty()) statement.bind(8, filter.import);
  statement.bind(9, filter.privacy);
  TRY(auto rows, all_rows(statement, read_call));
  std::vector<Call> calls;
  calls.reserve(rows.size());
  for (auto& row : rows) {
    TRY(auto call, with_participants(std::move(row)));
    calls.push_back(std::move(call));
  }
  return calls;
}

std::int64_t first_doc_of(std::int64_t start_ms) {
  return (kSecondMax - std::clamp<std::int64_t>(start_ms / 1'000, 0, kSecondMax)) << kDocBits;
}

std::int64_t last_doc_of(std::int64_t start_ms) { return first_doc_of(start_ms) + ((std::int64_t{1} << kDocBits) - 1); }

std::int64_t start_ms_of(std::int64_t doc) { return (kSecondMax - (doc >> kDocBits)) * 1'000; }

CallWrites::CallWrites(Database& db, Random& random, PeopleWrites& people)
    : db_(db),
      random_(random),
      people_(people),
      last_doc_(db, "SELECT doc + docs FROM call WHERE doc >= ?1 AND doc <= ?2 ORDER BY doc DESC LIMIT 1"),
      insert_(
          db,
          "INSERT INTO call(id, platform, workspace, source_id, import, title, source, media_type, start_ms, end_ms,"
          " duration_ms, tags, transcript_state, details, fetched_ms, media_hash, media_bytes, container, audio_codec,"
          " video_codec, media_duration_ms, doc, docs, people, privacy)"
          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,"
          " ?22, ?23, ?24, ?25)"),
      insert_participant_(db,
                          "INSERT INTO participant(call, seq, source_id, name, email, scope, attended, host, phone,"
                          " user, recognised, side, person, company)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"),
      insert_segment_(
          db, "INSERT INTO segment(id, speaker, participant, start_ms, end_ms, text) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"),
      index_(db, "INSERT INTO doc_text(rowid, text, speaker, people) VALUES(?1, ?2, ?3, ?4)"),
      next_calls_(db,
                  "SELECT number, doc, title, people, platform, workspace, import FROM call WHERE number > ?1"
                  " ORDER BY number LIMIT ?2"),
      participants_(db,
                    "SELECT " CALLIMPORT_PARTICIPANT_COLUMNS
                    ", p.recognised, p.side, p.person, p.company FROM participant p WHERE p.call = ?1 ORDER BY p.seq"),
      set_match_(db,
                 "UPDATE participant SET recognised = ?3, side = ?4, person = ?5, company = ?6"
                 " WHERE call = ?1 AND seq = ?2"),
      set_people_(db, "UPDATE call SET people = ?2 WHERE number = ?1"),
      unindex_(db, "INSERT INTO doc_text(doc_text, rowid, text, speaker, people) VALUES('delete', ?1, ?2, '', ?3)"),
      place_of_(db, "SELECT number, doc, docs, title, people FROM call WHERE id = ?1"),
      unindex_all_(db,
                   "INSERT INTO doc_text(doc_text, rowid, text, speaker, people)"
                   " SELECT 'delete', id, text, speaker, people FROM doc WHERE id >= ?1 AND id < ?2"),
      drop_segments_(db, "DELETE FROM segment WHERE id > ?1 AND id < ?2"),
      drop_participants_(db, "DELETE FROM participant WHERE call = ?1"),
      set_facts_(db,
                 "UPDATE call SET title = ?2, source = ?3, end_ms = ?4, duration_ms = ?5, tags = ?6, details = ?7,"
                 " fetched_ms = ?8, people = ?9, privacy = ?10 WHERE number = ?1"),
      set_transcript_(db, "UPDATE call SET doc = ?2, docs = ?3, transcript_state = ?4 WHERE number = ?1"),
      leave_media_(db,
                   "INSERT INTO media_to_remove(hash) SELECT media_hash FROM call WHERE number = ?1"
                   " AND media_hash IS NOT NULL AND media_hash <> ?2 ON CONFLICT DO NOTHING"),
      set_media_(db,
                 "UPDATE call SET media_type = ?2, media_hash = ?3, media_bytes = ?4, container = ?5, audio_codec = ?6,"
                 " video_codec = ?7, media_duration_ms = ?8 WHERE number = ?1"),
      wordless_(db,
                "SELECT number, doc, docs, title, people FROM call WHERE platform = ?1 AND workspace = ?2"
                " AND source_id = ?3 AND transcript_state IN ('missing', 'failed')"),
      set_wordless_(db,
                    "UPDATE call SET transcript_state = ?2, details = iif(?3 = '', details,"
                    " json_set(iif(json_valid(details), details, '{}'), '$.transcript_made_by', ?3))"
                    " WHERE number = ?1"),
      same_facts_(db,
                  "SELECT 1 FROM call WHERE number = ?1 AND title IS ?2 AND source IS ?3 AND end_ms IS ?4"
                  " AND duration_ms IS ?5 AND tags IS ?6 AND details IS ?7 AND people IS ?8 AND privacy IS ?9"),
      same_media_(db, "SELECT 1 FROM call WHERE number = ?1 AND media_hash IS ?2"),
      note_change_(db,
                   "INSERT OR REPLACE INTO call_change(call, what) VALUES(?1, ?2 |"
                   " coalesce((SELECT what FROM call_change WHERE call = ?1), 0))") {}

Result<std::int64_t> CallWrites::free_doc(std::int64_t start_ms, std::int64_t docs) {
  const std::int64_t first = first_doc_of(start_ms), last = last_doc_of(start_ms);
  last_doc_.bind(1, first).bind(2, last);
  TRY(const auto taken, first_row(last_doc_, [](const Statement& row) { return row.integer(0); }));
  const std::int64_t doc = taken.value_or(first);
  if (docs - 1 > last - doc) return fail(Code::kInvalid, "too many calls began in the same second");
  return doc;
}

Result<> CallWrites::index(std::int64_t doc, std::string_view text, std::string_view speaker, std::string_view people) {
  return index_.bind(1, doc).bind(2, text).bind(3, speaker).bind(4, people).run();
}

Result<CallWrites::Place> CallWrites::insert_facts(const Call& call, const Provenance& from,
                                                   const std::string& people) {
  const auto docs = static_cast<std::int64_t>(call.segments.size()) + 1;
  TRY(const std::int64_t doc, free_doc(call.start_ms, docs));
  insert_.bind(1, std::string(CallTag::prefix) + random_.id_text(kIdCharacters));
  insert_.bind(2, from.platform).bind(3, from.workspace).bind(4, call.source_id).bind(5, from.import);
  insert_.bind(6, call.title)
      .bind(7, call.source)
      .bind(8, call.media_type)
      .bind(9, call.start_ms)
      .bind(10, call.end_ms);
  insert_.bind(11, call.duration_ms).bind(12, tags_to_json(call.tags)).bind(13, call.transcript_state);
  insert_.bind(14, call.details).bind(15, call.fetched_ms);
  if (call.media) {
    const MediaFacts& media = *call.media;
    insert_.bind(16, media.hash).bind(17, media.bytes).bind(18, media.container);
    insert_.bind(19, media.audio_codec).bind(20, media.video_codec).bind(21, media.duration_ms);
  }
  insert_.bind(22, doc).bind(23, docs).bind(24, people);
  TRY(const auto rules, people_.workspace(from.workspace));
  TRY_VOID(insert_.bind(25, stricter(call.privacy, rules.privacy)).run());
  return Place{db_.last_insert_rowid(), doc};
}

Result<CallWrites::Matches> CallWrites::match(const std::vector<Participant>& people, const Provenance& from) {
  Matches matches;
  for (const auto& one : people) {
    TRY(auto match, people_.match(one, from.platform, from.workspace));
    matches.push_back(std::move(match));
  }
  return matches;
}

Result<> CallWrites::insert_participants(std::int64_t number, const std::vector<Participant>& people,
                                         const Matches& matches) {
  for (std::size_t i = 0; i < people.size(); ++i) {
    const Participant& p = people[i];
    const auto& match = matches[i];
    auto& insert = insert_participant_;
    insert.bind(1, number).bind(2, static_cast<std::int64_t>(i)).bind(3, p.source_id).bind(4, p.name).bind(5, p.email);
    if (p.attended) insert.bind(7, *p.attended ? 1 : 0);
    insert.bind(6, p.scope).bind(8, p.host ? 1 : 0).bind(9, p.phone).bind(10, p.user);
    insert.bind(11, match.recognised).bind(12, match.side).bind(13, match.person).bind(14, match.company);
    TRY_VOID(insert.run());
  }
  return {};
}

Result<bool> CallWrites::rematch_call(const Matched& call) {
  const auto read = [](const Statement& row) { return std::pair{read_participant(row), read_match(row)}; };
  TRY(auto stored, all_rows(participants_.bind(1, call.number), read));
  std::vector<Participant> people;
  Matches matches;
  bool changed = false;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    TRY(auto match, people_.match(stored[i].first, call.from.platform, call.from.workspace));
    const auto& before = stored[i].second;
    if (match.recognised != before.recognised || match.person != before.person || match.company != before.company ||
        match.side != before.side) {
      set_match_.bind(1, call.number).bind(2, static_cast<std::int64_t>(i)).bind(3, match.recognised);
      TRY_VOID(set_match_.bind(4, match.side).bind(5, match.person).bind(6, match.company).run());
      changed = true;
    }
    people.push_back(std::move(stored[i].first));
    matches.push_back(std::move(match));
  }
  const std::string text = searched_people(people, matches);
  if (text == call.people) return changed;
  TRY_VOID(unindex_.bind(1, call.doc).bind(2, call.title).bind(3, call.people).run());
  TRY_VOID(set_people_.bind(1, call.number).bind(2, text).run());
  TRY_VOID(index(call.doc, call.title, "", text));
  return true;
}

Result<Rematched> CallWrites::rematch(std::int64_t from, int limit) {
  const auto read = [](const Statement& row) {
    return Matched{row.integer(0), row.integer(1), row.text(2), row.text(3), {row.text(4), row.text(5), row.text(6)}};
  };
  TRY(const auto calls, all_rows(next_calls_.bind(1, from).bind(2, limit), read));
  Rematched out;
  for (const auto& call : calls) {
    TRY(const bool changed, rematch_call(call));
    ++out.calls;
    out.changed += changed ? 1 : 0;
  }
  if (static_cast<int>(calls.size()) == limit) out.next = calls.back().number;
  return out;
}

Result<> CallWrites::insert(const Call& call, const Provenance& from) {
  if (call.segments.size() > kSegmentsPerCallMax) return too_long(call.segments.size());
  TRY(const auto matches, match(call.participants, from));
  const std::string people = searched_people(call.participants, matches);
  TRY(const Place place, insert_facts(call, from, people));
  TRY_VOID(insert_participants(place.number, call.participants, matches));
  TRY_VOID(index(place.doc, call.title, "", people));
  return insert_segments(place.doc, call.segments);
}

Result<> CallWrites::insert_segments(std::int64_t doc, const std::vector<Segment>& segments) {
  std::int64_t id = doc;
  for (const auto& s : segments) {
    insert_segment_.bind(1, ++id).bind(2, s.speaker).bind(3, s.participant).bind(4, s.start_ms).bind(5, s.end_ms);
    TRY_VOID(insert_segment_.bind(6, s.text).run());
    TRY_VOID(index(id, s.text, s.speaker, ""));
  }
  return {};
}

CallWrites::Indexed CallWrites::read_indexed(const Statement& row) {
  return {row.integer(0), row.integer(1), row.integer(2), row.text(3), row.text(4)};
}

Result<std::int64_t> CallWrites::replace_segments(const Indexed& old, const std::vector<Segment>& segments,
                                                  const std::string& state) {
  TRY_VOID(drop_segments_.bind(1, old.doc).bind(2, old.doc + old.docs).run());
  const auto wanted = static_cast<std::int64_t>(segments.size()) + 1;
  std::int64_t at = old.doc;
  if (wanted > old.docs) {
    TRY(at, free_doc(start_ms_of(old.doc), wanted));
  }
  TRY_VOID(set_transcript_.bind(1, old.number).bind(2, at).bind(3, wanted).bind(4, state).run());
  TRY_VOID(insert_segments(at, segments));
  return at;
}

Result<> CallWrites::rewrite(const std::string& id, const Call& call, const Provenance& from, DuplicatePolicy policy) {
  if (call.segments.size() > kSegmentsPerCallMax) return too_long(call.segments.size());
  TRY(const auto old, first_row(place_of_.bind(1, id), read_indexed));
  if (!old) return no_call(id);
  const bool whole = policy == DuplicatePolicy::kReplace;
  const bool words = whole && !call.segments.empty();
  TRY_VOID(unindex_all_.bind(1, old->doc).bind(2, old->doc + (words ? old->docs : 1)).run());
  TRY(const auto matches, match(call.participants, from));
  const std::string people = searched_people(call.participants, matches);
  TRY(const auto rules, people_.workspace(from.workspace));
  const std::string privacy = stricter(call.privacy, rules.privacy), tags = tags_to_json(call.tags);
  const auto there = [](const Statement&) { return true; };
  same_facts_.bind(1, old->number).bind(2, call.title).bind(3, call.source).bind(4, call.end_ms);
  same_facts_.bind(5, call.duration_ms).bind(6, tags).bind(7, call.details).bind(8, people).bind(9, privacy);
  TRY(const auto same, first_row(same_facts_, there));
  int changed = same ? 0 : kChangedDetails;
  set_facts_.bind(1, old->number).bind(2, call.title).bind(3, call.source).bind(4, call.end_ms);
  set_facts_.bind(5, call.duration_ms).bind(6, tags).bind(7, call.details).bind(8, call.fetched_ms);
  TRY_VOID(set_facts_.bind(9, people).bind(10, privacy).run());
  TRY_VOID(drop_participants_.bind(1, old->number).run());
  TRY_VOID(insert_participants(old->number, call.participants, matches));
  std::int64_t doc = old->doc;
  if (words) {
    changed |= kChangedWords;
    TRY(doc, replace_segments(*old, call.segments, call.transcript_state));
  }
  if (whole && call.media) {
    const MediaFacts& media = *call.media;
    TRY_VOID(leave_media_.bind(1, old->number).bind(2, media.hash).run());
    TRY(const auto known, first_row(same_media_.bind(1, old->number).bind(2, media.hash), there));
    changed |= known ? 0 : kChangedMedia;
    set_media_.bind(1, old->number).bind(2, call.media_type).bind(3, media.hash).bind(4, media.bytes);
    set_media_.bind(5, media.container).bind(6, media.audio_codec).bind(7, media.video_codec);
    TRY_VOID(set_media_.bind(8, media.duration_ms).run());
  }
  TRY_VOID(note_change(old->number, changed));
  return index(doc, call.title, "", people);
}

Result<> CallWrites::note_change(std::int64_t call, int what) {
  if (what == 0) return {};
  return note_change_.bind(1, call).bind(2, what).run();
}

Result<> CallWrites::add_words(const Provenance& from, const std::string& source_id, const Words& words) {
  if (words.segments.size() > kSegmentsPerCallMax) return too_long(words.segments.size());
  wordless_.bind(1, from.platform).bind(2, from.workspace).bind(3, source_id);
  TRY(const auto old, first_row(wordless_, read_indexed));
  if (!old) return {};
  TRY_VOID(set_wordless_.bind(1, old->number).bind(2, words.state).bind(3, words.made_by).run());
  if (words.segments.empty()) return {};
  TRY_VOID(note_change(old->number, kChangedWords));
  TRY_VOID(unindex_all_.bind(1, old->doc).bind(2, old->doc + old->docs).run());
  TRY(const std::int64_t doc, replace_segments(*old, words.segments, words.state));
  return index(doc, old->title, "", old->people);
}

}  // namespace callimport::storage
