#pragma once
// The rows of library.db as values. Times are unix milliseconds UTC, lengths are milliseconds, sizes are bytes. Absent
// is absent: an empty string or nullopt, never a guess.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/ids.h"

namespace callimport::storage {

/// found = registered + duplicate + skipped + failed + pending, in every row ever stored (checked by the schema too).
struct Counters {
  std::int64_t found = 0, registered = 0, duplicate = 0, skipped = 0, failed = 0, pending = 0;
  std::int64_t media_bytes = 0;  ///< of registered calls
  bool add_up() const { return found == registered + duplicate + skipped + failed + pending; }
  friend bool operator==(const Counters&, const Counters&) = default;
};

/// One lane's place in the machine, in the product's words (workflows/import/table.h gives them meaning).
struct LaneRow {
  std::string stage;  ///< authenticate, enumerate, prioritize, fetch, register, notify
  std::string
      condition;       ///< running, waiting, needs_attention, paused, completed, completed_with_gaps, failed, cancelled
  std::string reason;  ///< dotted cause for waiting and needs_attention, e.g. platform.outage
  std::string who, why;  ///< who must act, or who paused and why
  std::optional<std::int64_t> until_ms;
  friend bool operator==(const LaneRow&, const LaneRow&) = default;
};

struct ImportRow {
  std::string id;  ///< imp_..., also the workflow id
  std::string platform, workspace, title;
  std::string credential;  ///< cred_..., a handle; empty once wiped
  std::string input;       ///< JSON: what `start` asked for, nothing secret
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> closed_ms, first_ready_ms;  ///< first lane registered
  LaneRow first, bulk;
  Counters counters;
  std::string cursor;  ///< where enumeration stands; empty before the first page
  bool enumerated = false;
  std::string report;       ///< JSON, once closed
  std::int64_t change = 0;  ///< grows with every change of this row: what `watch` resumes from
};

enum class CallState : std::uint8_t { kPending, kStaged, kRegistered, kDuplicate, kSkipped, kFailed };
std::string_view to_string(CallState state);
enum class Lane : std::uint8_t { kFirst, kBulk };

/// What becomes of a call that the library has already, by its id on the platform or as the same meeting under another
/// id (duplicates.h). What the import itself brought is skipped, whatever the policy.
enum class DuplicatePolicy : std::uint8_t { kSkip, kUpdate, kReplace };
std::string_view to_string(DuplicatePolicy policy);
/// skip (also the empty text), update, replace; nothing for others.
std::optional<DuplicatePolicy> parse_duplicate_policy(std::string_view text);

/// missing or failed, of transcript.missing and transcript.failed: the state of calls that came without words. Empty:
/// the cause is of calls that did not come.
std::string wordless_state(std::string_view cause);

/// Cause of a call whose id cannot be asked for, now or ever: no retry takes it up.
inline constexpr std::size_t kNamedCallsMax = 50'000;  ///< one by one, of one import
inline constexpr std::string_view kCauseIdUnusable = "call.id_unusable";

struct ManifestRow {
  std::string import, source_id;
  std::int64_t start_ms = 0;
  std::string title, media_type;  ///< audio, video, transcript
  std::optional<std::int64_t> duration_ms;
  /// Whose the call is, and which company's, as the platform's list tells; for the order only, not kept here.
  std::string owner = {}, account = {};
  Lane lane = Lane::kBulk;
  std::int64_t position = 0;  ///< sort key within the lane, smaller first (ties by source_id); given by the library
  CallState state = CallState::kPending;
  std::string cause, detail;  ///< for skipped, failed: dotted cause and a sentence; kept after a retry succeeds: empty
  std::optional<std::int64_t> not_before_ms;  ///< recording not ready: look again then
  int attempts = 0;                           ///< that ended: fetched, failed or put off
  std::string repeats = {};                   ///< the library's call that this one is again; empty: none
  bool words_only = false;                    ///< it is in the library, as `repeats`, and lacks its transcript only
  bool set_aside = false;                     ///< it failed, and a person said that it will not come: skipped
};

/// Which of the calls that did not come: of a cause, or these, by source id; with neither all of them.
struct GapChoice {
  std::string cause = {};
  std::vector<std::string> calls = {};
};

struct Participant {
  std::string source_id, name, email, scope;  ///< scope: internal, external, unknown
  std::optional<bool> attended;
  bool host = false;
  std::string phone = {}, user = {};  ///< user: the platform's own id of the person
  friend bool operator==(const Participant&, const Participant&) = default;
};
/// What the directory makes of a participant.
struct Recognised {
  std::string match;  ///< matched, ambiguous, unmatched, nothing_to_go_by; empty: not looked at yet
  std::string side;   ///< internal, external, unknown
  std::string person, person_name, company;  ///< person: per_...
  friend bool operator==(const Recognised&, const Recognised&) = default;
};
struct Segment {
  std::string speaker;      ///< display name as the platform gives it
  std::string participant;  ///< Participant::source_id, may be empty
  std::int64_t start_ms = 0, end_ms = 0;
  std::string text;
  friend bool operator==(const Segment&, const Segment&) = default;
};
struct MediaFacts {
  std::string hash;  ///< SHA-256, lower-case hex: also its place in the media store
  std::int64_t bytes = 0;
  std::string container, audio_codec, video_codec;
  std::optional<std::int64_t> duration_ms;
  friend bool operator==(const MediaFacts&, const MediaFacts&) = default;
};

/// A call ready for the library: minimum is source_id and start_ms.
struct Call {
  std::string id;  ///< call_..., given at registration
  std::string platform, workspace, source_id;
  std::string title, source, media_type;
  std::int64_t start_ms = 0;
  std::optional<std::int64_t> end_ms, duration_ms;
  std::vector<std::string> tags;
  std::vector<Participant> participants;
  std::vector<Segment> segments;
  std::optional<MediaFacts> media;
  std::string transcript_state;  ///< ready, made (by a transcriber), missing, failed (it could not be made)
  std::string details;           ///< JSON: what else the platform said, without links or secrets
  std::string import;            ///< provenance
  std::int64_t fetched_ms = 0;
  std::vector<Recognised> recognised = {};  ///< of each participant, in their order; only of the library's calls
  std::string privacy =
      {};  ///< private, team, everyone; empty before registration: nothing stricter than the workspace's
};

/// A row for the directory, as a person wrote it. What is empty is not known.
struct Contact {
  std::string kind = "contact";  ///< user, contact
  std::string name = {}, email = {}, phone = {}, company = {}, domain = {};
  std::string platform = {}, user = {};  ///< the platform's own id of the person
};
enum class PersonChange : std::uint8_t { kAdded, kUpdated, kUnchanged };
struct PersonKey {
  std::string kind, value;  ///< kind: email, phone, user:PLATFORM
  friend bool operator==(const PersonKey&, const PersonKey&) = default;
};
struct PersonRow {
  std::string id, kind, name, company;
  std::vector<PersonKey> keys;
};
/// Participants that the directory does not tell, those alike as one.
struct UnmatchedRow {
  bool ambiguous = false;
  std::string email, phone, user, name, platform, example_call;
  std::int64_t calls = 0;
};
struct PeopleCounts {  ///< people of the directory; and participants of calls
  std::int64_t people = 0, matched = 0, ambiguous = 0, unmatched = 0, nothing_to_go_by = 0, not_looked_at = 0;
};
/// One portion of matching anew.
struct Rematched {
  std::int64_t next = 0;  ///< the portion after it; 0: that was the last
  std::int64_t calls = 0, changed = 0;
};
/// What holds in a whole workspace.
struct WorkspaceRules {
  std::string privacy = "team";           ///< of its calls at least: private, team, everyone
  std::vector<std::string> domains = {};  ///< of its own people
  std::string customer = {};              ///< whose it is; empty: its own name
};

/// How two calls are one.
enum class Sameness : std::uint8_t { kOther, kSameRecording, kSameMeeting, kSameId };
/// The call that another one is again.
struct Repeated {
  std::string call, import;  ///< call: empty while it is staged; import: that brought it
  Sameness how = Sameness::kOther;
};

/// What the import brought itself is there as it asked for it.
inline DuplicatePolicy policy_for(const Repeated& repeated, const std::string& import, DuplicatePolicy asked) {
  return repeated.import == import ? DuplicatePolicy::kSkip : asked;
}

/// A transcript for a call that came without one; no segments: there is none still.
struct Words {
  std::vector<Segment> segments;
  std::string state;    ///< as Call::transcript_state
  std::string made_by;  ///< the transcriber's model; empty: it is the platform's
};

struct StageChange {  ///< the timeline
  std::int64_t change = 0, at_ms = 0;
  Lane lane = Lane::kFirst;
  LaneRow row;
  Counters counters;
};

/// One change worth telling, as it was recorded; what becomes of it: telling.h.
struct Notification {
  std::string id;      ///< ntf_..., stable
  std::string import;  ///< empty: of several, or of none
  std::int64_t at_ms = 0;
  std::string event;                ///< of the closed list in activities/notify/events.h
  std::string subject, text, next;  ///< what happened; what happens next and what you must do
  /// A JSON object: what templates may say. No titles, no names of calls' people, no secrets.
  std::string facts = "{}";
  std::string weight = "routine";  ///< routine, important, act
};

/// A broken recording in the media store's quarantine, and the call it was to be.
struct QuarantineFile {
  std::string hash, cause;  ///< together its name
  friend bool operator==(const QuarantineFile&, const QuarantineFile&) = default;
};
struct QuarantineRow {
  std::int64_t number = 0;  ///< grows: the newest has the highest
  std::string import, source_id;
  std::string hash;  ///< SHA-256 of what came
  std::int64_t bytes = 0;
  std::string cause, detail;
  std::int64_t at_ms = 0;
  bool kept = true;  ///< false: the file had to make room for newer ones
};

struct Problem {  ///< failed and skipped calls by cause
  std::string cause, detail;
  std::int64_t calls = 0;
  std::int64_t failed = 0;                                                      ///< of `calls`; the others were skipped
  std::string example;                                                          ///< source id of one of them
  std::optional<std::int64_t> first_ms = std::nullopt, last_ms = std::nullopt;  ///< when calls met it
  std::optional<std::int64_t> came_back_ms = std::nullopt;  ///< when calls met it after all of it was tried again
  std::int64_t set_aside = 0;                               ///< of those skipped: by a person
};

/// How one attempt at a call ended.
struct Attempt {
  int number = 0;  ///< from 1, over all retries; given by the library
  std::int64_t at_ms = 0, took_ms = 0;
  std::string outcome;  ///< fetched, recognised (as a call of the library), failed, put_off
  std::string cause, detail;
};

struct PaceSpan {  ///< calls that came into the library within `minutes` minutes from at_ms on
  std::int64_t at_ms = 0, minutes = 1, calls = 0;
};

/// A row of the manifest with what the library knows of the call; `user` is who recorded or hosted it, by
/// e-mail, else by name (the ids of participants are a call's own); empty where nobody says.
struct FoundCall {
  std::string source_id;
  std::int64_t start_ms = 0;
  CallState state = CallState::kPending;
  std::string call, user, user_name;
  std::int64_t duration_ms = 0;
};

/// One import, for figures over many of them.
struct ImportMeasure {
  std::string id, platform;
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> closed_ms, first_ready_ms;
  std::string condition;  ///< of the bulk lane: once closed, how it ended
  std::int64_t found = 0, registered = 0, failed = 0, media_bytes = 0;
  std::string input;  ///< JSON: holds what was foretold
  /// Of the times left that were told while it ran: how many, and in how many the end fell; 0 while it is open.
  std::int64_t ends_told = 0, ends_held = 0;
  bool needed_engineer = false;  ///< it failed, or stood still for a reason that neither operator nor customer can end
};

/// One thing a person did, or had done by a program of theirs. `number` grows.
struct ActionRow {
  std::int64_t number = 0, at_ms = 0;
  std::string import{};           ///< empty: of none
  std::string verb{};             ///< start, pause, resume, retry, approve, cancel, undo ...
  std::string who{}, origin{};    ///< os:anna, token:ci; the terminal on the socket, a program at an address
  std::string why{};              ///< as given
  std::string before{}, after{};  ///< JSON: how it stood, what was asked for
  std::string request_id{};       ///< the same again is the same action
  std::string outcome{};          ///< empty: done; else what came of it
};
/// The customer owns the calls of this workspace: said once by `who`.
struct ConsentRow {
  std::string platform{}, workspace{}, customer{}, who{};
  std::int64_t at_ms = 0;
};

/// The time left of an open import as people were last told it.
struct ToldTimeLeft {
  std::int64_t at_ms = 0, from_ms = 0, to_ms = 0;
  std::string cause{};
};

struct SearchHit {
  std::string call, title, speaker, text;  ///< text: the segment with the words between \x02 and \x03
  std::int64_t call_start_ms = 0, start_ms = 0;
  std::string platform, import, privacy;
  bool heading = false;  ///< found in the title or among the people: `text` is that, and there is no speaker
};

}  // namespace callimport::storage
