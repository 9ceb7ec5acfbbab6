#pragma once
// The words that templates of messages may use, and what they hold for one message. The list is closed: a fact that is
// not in it is never told, whatever its record holds, so that no title, name or code slips into a message.
//
// A word `until` of kind kTime is read from the fact `until_ms`, `took` of kind kSpan from `took_s`, `size` of kind
// kSize from `size_bytes`; all others from the fact of their own name. A time gives two words: `until` (16:30, tomorrow
// 04:10, Friday 12:00) and `until_when`, as a sentence needs it (at 16:30, tomorrow at 04:10, on Friday at 12:00).
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "storage/library/records.h"
#include "storage/model/time.h"
#include "storage/runtime/time_zone.h"

namespace callimport::activities {

/// Whom a message is written for: a colleague, or a person of the customer, who reads no codes, quotas or names of
/// ours.
enum class Audience : std::uint8_t { kInternal, kCustomer };

enum class WordKind : std::uint8_t { kText, kNumber, kTime, kSpan, kSize, kFlag, kList };
struct Word {
  std::string_view name;
  WordKind kind;
  bool always;     ///< every message of an import has it; else a template must say what holds without it
  bool customers;  ///< may be read by customers
  std::string_view meaning;
};
std::span<const Word> all_words();
/// Words of a list's items; outside of lists they mean the import.
std::span<const Word> item_words();

struct WordsInput {
  const storage::ImportRow& import;  ///< as it stands; an empty id: the message is of several imports or of none
  std::string_view facts;            ///< JSON object of the record
  std::int64_t now_ms = 0;           ///< when it happened: what "tomorrow" counts from
  std::string_view zone;             ///< the reader's, IANA; unknown ones count as UTC
  Audience audience = Audience::kInternal;
};
/// Texts, flags (true) and lists by name; what is not known is absent. Text is one line of valid UTF-8.
nlohmann::json words_of(const WordsInput& input);

/// Any text as one line: control characters and line separators become spaces, broken UTF-8 the replacement character.
std::string one_line(std::string_view text);
/// 4212 as 4,212.
std::string with_commas(std::int64_t number);
/// 90 as 1 min, 7,500 as 2 h 5 min, 200,000 as 2 days 7 h.
std::string span_text(std::int64_t seconds);
/// 410 GB, 3.2 MB: decimal, as providers write it.
std::string size_text(std::int64_t bytes);
/// As clocks in `zone` show it, seen from `now_ms`: 16:30, tomorrow 04:10, Friday 12:00, 4 Dec 2026 12:00.
std::string time_text(std::int64_t at_ms, std::int64_t now_ms, const TimeZone& zone);
std::string time_phrase(std::int64_t at_ms, std::int64_t now_ms,
                        const TimeZone& zone);  ///< at 16:30, tomorrow at 04:10
/// The city of a zone, as people say it: Madrid, New York, UTC.
std::string zone_city(std::string_view zone);
/// What the import is doing, in people's words: Running, Needs attention; and how far it is: Fetching recordings.
std::string state_text(const storage::ImportRow& import);
std::string stage_text(const storage::ImportRow& import);
/// The lane that says what the import does: the more urgent; once closed, the bulk lane.
const storage::LaneRow& shown_lane(const storage::ImportRow& import);

}  // namespace callimport::activities
