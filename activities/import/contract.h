#pragma once
// What the import's workflow and its activities say to each other, as JSON: ids, counts and causes only. Calls, pages,
// cursors and reports stay in library.db, so that no input or result grows with the import (kContractBytesMax). Times
// are unix ms, 0: none.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"
#include "storage/model/time.h"

namespace callimport::activities {

inline constexpr std::size_t kContractBytesMax = 64u << 10;  ///< of one activity's input or result

// What people and platforms may put into one, in bytes; longer text is cut, longer names are refused.
inline constexpr std::size_t kNameBytesMax = 500, kUrlBytesMax = 2'000, kSentenceBytesMax = 1'000;

inline constexpr const char* kOpenImport = "import.open";
inline constexpr const char* kAuthenticate = "import.authenticate";
inline constexpr const char* kEnumerate = "import.enumerate";
inline constexpr const char* kPrioritize = "import.prioritize";
inline constexpr const char* kFetch = "import.fetch";
inline constexpr const char* kRegister = "import.register";
inline constexpr const char* kChangeStage = "import.stage";
inline constexpr const char* kCloseImport = "import.close";
inline constexpr const char* kForget = "import.forget";
inline constexpr const char* kSetWindow = "import.set_window";
inline constexpr const char* kProgress = "import.progress";
inline constexpr const char* kRetry = "import.retry";

/// How an import goes about it. Every default suits a real workspace; tests and benches turn them.
struct ImportSettings {
  int first_lane = 100;                      ///< calls that come before all others
  int fetch_batch = 100;                     ///< calls one fetch takes on
  int fetch_at_once = 24;                    ///< of these under way together
  int register_batch = 50;                   ///< calls one library transaction takes in
  int pages = 20;                            ///< pages one step of counting reads
  int tries_in_step = 5;                     ///< attempts of a step before an outage is told
  int tries_of_call = 6;                     ///< of one call that fails while others pass
  std::int64_t heartbeat_ms = 5'000;         ///< a silent activity is tried again after this
  std::int64_t outage_pause_ms = 3'600'000;  ///< an outage that lasts this long pauses the import; it goes on asking
  std::int64_t outage_probe_ms = 600'000;    ///< how often it asks then
  std::int64_t no_progress_ms = 300'000;     ///< nothing moved and no wait was named for so long: attention
  int events_max = 2'000;                    ///< of one run's history, then continue as new
  int approve_above_percent = 5;  ///< a person approves the gaps when more of what was found failed; 100: never
  friend bool operator==(const ImportSettings&, const ImportSettings&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ImportSettings, first_lane, fetch_batch, fetch_at_once, register_batch,
                                                pages, tries_in_step, tries_of_call, heartbeat_ms, outage_pause_ms,
                                                outage_probe_ms, no_progress_ms, events_max, approve_above_percent)

/// What a person wants done about calls that failed: all of them, those of a cause, or these.
struct RetryNote {
  bool failed = false;
  std::string cause;
  std::vector<std::string> calls;  ///< source ids
  std::string who, why;
  std::string deed = {};  ///< empty: they are tried again; kSetAside, kPutBack
  /// Nothing is fetched for it.
  bool only_counts() const { return !deed.empty(); }
  bool chooses_nothing() const { return !failed && cause.empty() && calls.empty(); }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RetryNote, failed, cause, calls, who, why, deed)
inline constexpr const char* kSetAside = "set_aside";  ///< they will not come: they count as skipped
inline constexpr const char* kPutBack = "put_back";    ///< those set aside have failed again

/// What was said before the start about how long it will take: kept, so that the end can be held against it. All 0:
/// nothing was said.
struct Prediction {
  std::int64_t calls = 0, duration_from_ms = 0, duration_to_ms = 0;
  std::string cause;  ///< of the length, in words: "Grain's 300 requests a minute"
  friend bool operator==(const Prediction&, const Prediction&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Prediction, calls, duration_from_ms, duration_to_ms, cause)

/// What `start` asks for: the workflow's input. Nothing secret: `credential` is a handle of the vault.
struct ImportInput {
  std::string import;  ///< imp_..., also the workflow id
  std::string platform, workspace, title;
  std::string credential;                    ///< cred_...
  std::string base_url;                      ///< empty: the vendor's
  std::int64_t after_ms = 0, before_ms = 0;  ///< on the start of a call: inclusive, exclusive
  std::int64_t calls_max = 0;                ///< only so many; 0: all
  bool spread = false;                       ///< with calls_max: across all dates asked for instead of the newest
  std::int64_t min_length_ms = 0;            ///< shorter ones are left out; a call of unknown length is not
  std::vector<std::string> users;            ///< only calls that one of these recorded; empty: of all
  std::int64_t named = 0;  ///< only so many, named one by one at the start (the library has their ids)
  bool media = true;       ///< false: details and transcripts only
  Prediction predicted;
  std::string started_by;
  std::string window;      ///< when bulk may run (storage/windows); empty: as the server says, opening fills it in
  std::string zone;        ///< the customer's, an IANA name
  std::string order;       ///< who comes first (storage/library/lane_order.h)
  std::int64_t at_ms = 0;  ///< not to begin before; 0: at once
  std::string duplicates;  ///< calls the library has already: skip (also when empty), update, replace
  ImportSettings settings;
  std::vector<RetryNote> retries;  ///< of a closed import started again: only these calls; empty: all that is missing
  nlohmann::json state;            ///< of the machine, from one run to the next; null at the start
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ImportInput, import, platform, workspace, title, credential, base_url,
                                                after_ms, before_ms, calls_max, spread, min_length_ms, users, named,
                                                media, predicted, started_by, window, zone, order, at_ms, duplicates,
                                                settings, retries, state)

/// found = registered + duplicate + skipped + failed + pending
struct CounterNote {
  std::int64_t found = 0, registered = 0, duplicate = 0, skipped = 0, failed = 0, pending = 0, media_bytes = 0;
  friend bool operator==(const CounterNote&, const CounterNote&) = default;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CounterNote, found, registered, duplicate, skipped, failed, pending,
                                                media_bytes)

/// Why a step could not go on, when it is worth telling. `kind` is empty when nothing came between.
struct TroubleNote {
  std::string kind;  ///< wait, attention
  std::string cause, message, who;
  std::int64_t until_ms = 0;
  bool none() const { return kind.empty(); }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TroubleNote, kind, cause, message, who, until_ms)

/// Input of open, authenticate, enumerate, prioritize, fetch and register: what the workflow was asked, and the step's
/// own part.
struct StepInput {
  ImportInput ask;          ///< without its state
  std::string lane;         ///< first, bulk
  bool probing = false;     ///< asks whether trouble is over: one try, little work
  int pages = 0;            ///< enumerate: at most
  std::int64_t enough = 0;  ///< enumerate: stop when so many are known; 0: no such stop
  int repeats = 0;          ///< enumerate: steps in a row, just before, that met no new call
  /// Access comes before both lanes; pages are the first lane's as long as it lacks calls.
  bool serves_first_lane() const { return lane == "first" || (lane.empty() && (pages == 0 || enough > 0)); }
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StepInput, ask, lane, probing, pages, enough, repeats)

/// Result of the same. Each step fills what it knows.
struct StepResult {
  TroubleNote trouble;
  CounterNote counters;                        ///< of the import, in the step's transaction
  std::string window, zone, order;             ///< open: as asked for, or the server's
  bool newest_first = false;                   ///< authenticate: the platform lists in the first lane's order
  bool enumerated = false;                     ///< open, enumerate: the manifest is complete
  std::int64_t known = 0;                      ///< open, enumerate: calls in the manifest
  std::int64_t lane_first = 0, lane_bulk = 0;  ///< prioritize: calls not done yet in each lane
  std::int64_t taken = 0, done = 0;            ///< fetch, register: calls looked at, calls staged or registered
  std::int64_t ended = 0;                      ///< fetch: calls staged or failed: the step got somewhere
  bool drained = false;                        ///< fetch: no call of the lane is pending; register: nothing is staged
  std::int64_t look_again_ms = 0;              ///< fetch: all pending calls are put off until then
  std::int64_t lane_failed = 0;                ///< fetch, when drained: failed calls of the lane
  int repeats = 0;                             ///< enumerate: steps in a row that met no new call
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StepResult, trouble, counters, window, zone, order, newest_first,
                                                enumerated, known, lane_first, lane_bulk, taken, done, ended, drained,
                                                look_again_ms, lane_failed, repeats)

/// A window that a person gives a running import. The answer: empty, or why the words are not taken.
struct WindowInput {
  std::string import;
  std::int64_t heartbeat_ms = 5'000;
  std::string window, zone;  ///< zone empty: stays
  std::string who, why;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(WindowInput, import, heartbeat_ms, window, zone, who, why)
struct WindowResult {
  std::string refused;       ///< why the words are not taken; empty: they are
  std::string window, zone;  ///< as they stand now
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(WindowResult, refused, window, zone)

/// Whether anything of the import has moved in this process, also within a step that still runs.
struct ProgressInput {
  std::string import;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ProgressInput, import)
struct ProgressResult {
  std::int64_t moved_ms = 0;  ///< when it last did, or began to be watched
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ProgressResult, moved_ms)

/// One lane's new place, as it is stored, told and shown.
struct LaneChange {
  std::string lane;  ///< first, bulk
  std::string stage, condition, reason, who, why;
  std::int64_t until_ms = 0;
  std::string event;  ///< what happened, in the table's words
  std::string told;   ///< kind of notification; empty: known already, nobody is told again
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(LaneChange, lane, stage, condition, reason, who, why, until_ms, event,
                                                told)

inline constexpr std::size_t kChangesMax = 20;  ///< of one stage change
struct StageInput {
  std::string import;
  std::int64_t heartbeat_ms = 5'000;
  std::vector<LaneChange> changes;  ///< in order
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(StageInput, import, heartbeat_ms, changes)

struct CloseInput {
  std::string import;
  std::int64_t heartbeat_ms = 5'000;
  std::vector<LaneChange> changes;        ///< how the lanes end, still untold
  std::string result;                     ///< completed, completed_with_gaps, failed, cancelled
  std::string cause, message;             ///< of failed
  std::string approved_by, approved_why;  ///< of the gaps; empty: nobody was asked
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CloseInput, import, heartbeat_ms, changes, result, cause, message,
                                                approved_by, approved_why)

struct RetryInput {
  std::string import;
  RetryNote choice;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RetryInput, import, choice)
struct RetryResult {
  CounterNote counters;
  std::int64_t retried = 0;    ///< calls that are pending again
  std::int64_t set_aside = 0;  ///< calls that count as skipped now
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RetryResult, counters, retried, set_aside)

/// True when so much is missing that a person must say that the import may close.
inline bool gaps_want_approval(const CounterNote& counters, const ImportSettings& settings) {
  return counters.failed * 100 > counters.found * settings.approve_above_percent;
}

/// After the end (or the end of one run): receipts of these runs go, and the credential is wiped when named.
struct ForgetInput {
  std::vector<std::string> runs;
  std::string credential;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ForgetInput, runs, credential)

/// At most `bytes_max` bytes, cut between characters of UTF-8.
inline std::string cut_text(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text;
}

/// Reads one of the above. @error kInvalid  not JSON, or a field of another type.
template <class T>
Result<T> read_note(std::string_view text) {
  try {
    return nlohmann::json::parse(text).get<T>();
  } catch (const nlohmann::json::exception& error) {
    return fail(Code::kInvalid, std::string("not a message of the import: ") + error.what());
  }
}
/// Foreign text is cut to valid UTF-8, never refused.
template <class T>
std::string write_note(const T& note) {
  return nlohmann::json(note).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace callimport::activities
