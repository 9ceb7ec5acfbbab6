#pragma once
// The library itself: calls with their participants and segments, once each by (platform, workspace, source id).
#include <optional>
#include <string>
#include <vector>

#include "storage/library/library.h"
#include "storage/library/people.h"
#include "storage/runtime/random.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

inline constexpr std::size_t kSegmentsPerCallMax = (std::size_t{1} << 24) - 1;

/// A call's heading and segments are documents with numbers in a row; those of a later start are smaller, to the
/// second, so that the index answers newest call first.
inline constexpr int kDocBits = 30;                                      ///< of the place within a second
inline constexpr std::int64_t kSecondMax = (std::int64_t{1} << 33) - 1;  ///< starts are held to 1970 .. 2242 for this
/// The smallest and the largest number of the second in which a call began.
std::int64_t first_doc_of(std::int64_t start_ms);
std::int64_t last_doc_of(std::int64_t start_ms);
/// The start, to the second, of the call that has this document.
std::int64_t start_ms_of(std::int64_t doc);

class CallReads {
 public:
  explicit CallReads(Database& db);
  Result<Call> get(const std::string& id);
  Result<std::vector<Call>> list(const CallFilter& filter, const std::string& after_id, int limit);

 private:
  struct Numbered {
    std::int64_t number = 0, doc = 0, docs = 0;
    std::string tags;  ///< as stored
    Call call;
  };
  static Numbered read_call(const Statement& row);
  Result<Numbered> find(const std::string& id);
  Result<Call> with_participants(Numbered row);

  Statement exact_, by_prefix_, newest_, newest_of_import_, participants_, segments_;
};

/// Whose import brings a call: stored with it, whatever the call says itself.
struct Provenance {
  std::string platform, workspace, import;
};

/// Inside a transaction of the writer.
class CallWrites {
 public:
  CallWrites(Database& db, Random& random, PeopleWrites& people);
  /// Writes anew what the library has under `id`: with kUpdate title, length, tags, details, people and privacy; with
  /// kReplace transcript and recording as well, where `call` has them. Id, import, start and the id on the platform
  /// stay. The recording it had may be removed (LibraryTx::removable_media).  @error kInvalid  over kSegmentsPerCallMax
  Result<> rewrite(const std::string& id, const Call& call, const Provenance& from, DuplicatePolicy policy);
  /// A transcript for the call of this id on the platform, which has none; nothing where it has one or is gone.
  Result<> add_words(const Provenance& from, const std::string& source_id, const Words& words);
  /// As LibraryTx::rematch.
  Result<Rematched> rematch(std::int64_t from, int limit);
  /// Puts a call in that the library does not have, under a new id, its participants recognised.  @error kInvalid  over
  /// kSegmentsPerCallMax
  Result<> insert(const Call& call, const Provenance& from);

 private:
  struct Place {
    std::int64_t number = 0, doc = 0;
  };
  using Matches = std::vector<PeopleWrites::Match>;
  Result<Place> insert_facts(const Call& call, const Provenance& from, const std::string& people);
  Result<> insert_participants(std::int64_t number, const std::vector<Participant>& people, const Matches& matches);
  Result<Matches> match(const std::vector<Participant>& people, const Provenance& from);
  Result<std::int64_t> free_doc(std::int64_t start_ms, std::int64_t docs);
  Result<> index(std::int64_t doc, std::string_view text, std::string_view speaker, std::string_view people);

  Result<> insert_segments(std::int64_t doc, const std::vector<Segment>& segments);
  /// A call's heading and segments in the index: `docs` from `doc` on.
  struct Indexed {
    std::int64_t number = 0, doc = 0, docs = 0;
    std::string title, people;
  };
  static Indexed read_indexed(const Statement& row);
  /// The call's transcript, in the place of the one it has, which the index does not know any more; answers the call's
  /// new first document.
  Result<std::int64_t> replace_segments(const Indexed& old, const std::vector<Segment>& segments,
                                        const std::string& state);

  /// For programs that are told: kChanged... of webhooks.h, added up.
  Result<> note_change(std::int64_t call, int what);

  struct Matched {
    std::int64_t number = 0, doc = 0;
    std::string title, people;
    Provenance from;
  };
  /// True when anything was found otherwise than before.
  Result<bool> rematch_call(const Matched& call);

  Database& db_;
  Random& random_;
  PeopleWrites& people_;
  Statement last_doc_, insert_, insert_participant_, insert_segment_, index_;
  Statement next_calls_, participants_, set_match_, set_people_, unindex_;
  Statement place_of_, unindex_all_, drop_segments_, drop_participants_, set_facts_, set_transcript_, leave_media_,
      set_media_;
  Statement wordless_, set_wordless_, same_facts_, same_media_, note_change_;
};

}  // namespace callimport::storage
