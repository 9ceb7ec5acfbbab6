#include "activities/notify/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "activities/platforms/platform.h"
#include "storage/model/text.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using storage::ImportRow;
using enum WordKind;

constexpr std::size_t kTextBytesMax = 200;  ///< of one word; a link has room in it
constexpr std::size_t kItemsMax = 100;      ///< of one list
constexpr std::size_t kNumberCharacters = 8;
constexpr bool kAlways = true, kSometimes = false, kForAll = true, kOurs = false;

constexpr std::array kWords = {
    // Of the import, as it stands.
    Word{"customer", kText, kAlways, kForAll, "whose calls they are"},
    Word{"platform", kText, kAlways, kForAll, "where they come from, as people call it"},
    Word{"import", kText, kAlways, kForAll, "its id"},
    Word{"number", kText, kAlways, kForAll, "the first characters of its id, enough to find it"},
    Word{"state", kText, kAlways, kForAll, "Running, Waiting, Needs attention ..."},
    Word{"stage", kText, kAlways, kForAll, "Fetching recordings ..."},
    Word{"found", kNumber, kAlways, kForAll, "calls known of"},
    Word{"done", kNumber, kAlways, kForAll, "of those, in the library"},
    Word{"left", kNumber, kAlways, kForAll, "of those, still to come"},
    Word{"importable", kNumber, kAlways, kForAll, "of those, that could come and were not here before"},
    Word{"registered", kNumber, kAlways, kForAll, "of those, that came"},
    Word{"missing", kNumber, kAlways, kForAll, "of those, that did not come"},
    Word{"duplicates", kNumber, kSometimes, kForAll, "that the library had before; absent: none"},
    Word{"percent", kNumber, kAlways, kForAll, "done of found"},
    Word{"zone", kText, kAlways, kForAll, "the city whose clock the times are of"},
    Word{"counted", kFlag, kSometimes, kForAll, "some calls are known"},
    Word{"more_to_come", kFlag, kSometimes, kForAll, "some of them are still to come"},
    // Of what happened.
    Word{"again", kFlag, kSometimes, kForAll, "it was asked for before, and goes on with what is missing"},
    Word{"calls", kNumber, kSometimes, kForAll, "how many it is about"},
    Word{"added", kNumber, kSometimes, kForAll, "calls that came since the last digest"},
    Word{"whole", kNumber, kSometimes, kForAll, "of how many"},
    Word{"share", kNumber, kSometimes, kForAll, "calls of whole, in percent"},
    Word{"first_lane", kNumber, kSometimes, kForAll, "calls that come first"},
    Word{"lane", kText, kSometimes, kForAll, "first or bulk"},
    Word{"oldest", kText, kSometimes, kForAll, "the day of the oldest call"},
    Word{"hours", kNumber, kSometimes, kForAll, "of conversation"},
    Word{"size", kSize, kSometimes, kForAll, "of the recordings"},
    Word{"no_way", kNumber, kSometimes, kForAll, "calls that cannot come across"},
    Word{"least", kSpan, kSometimes, kForAll, "expected duration, from"},
    Word{"most", kSpan, kSometimes, kForAll, "to"},
    Word{"took", kSpan, kSometimes, kForAll, "how long it took"},
    Word{"waited", kSpan, kSometimes, kForAll, "how long nothing moved"},
    Word{"first_by", kTime, kSometimes, kForAll, "the first calls can be played by then"},
    Word{"finish", kTime, kSometimes, kForAll, "expected end"},
    Word{"planned", kTime, kSometimes, kForAll, "the end as it was expected before"},
    Word{"until", kTime, kSometimes, kForAll, "when it goes on by itself"},
    Word{"at", kTime, kSometimes, kForAll, "when it happened"},
    Word{"since", kTime, kSometimes, kForAll, "when it began"},
    Word{"ends", kTime, kSometimes, kForAll, "when access ends"},
    Word{"link_until", kTime, kSometimes, kForAll, "how long a link holds"},
    Word{"times", kNumber, kSometimes, kForAll, "how often"},
    Word{"count", kNumber, kSometimes, kForAll, "how many imports it is about"},
    Word{"in_progress", kNumber, kSometimes, kForAll, "downloads under way, which will finish"},
    Word{"removed", kNumber, kSometimes, kForAll, "calls taken out of the library"},
    Word{"grade", kText, kSometimes, kForAll, "Perfect, Good, Investigate, Poor"},
    Word{"window", kText, kSometimes, kForAll, "when bulk may run"},
    Word{"access_link", kText, kSometimes, kForAll, "where the customer's admin gives new access"},
    Word{"report_link", kText, kSometimes, kForAll, "the report"},
    Word{"revoked", kFlag, kSometimes, kForAll, "access was taken back, not run out"},
    Word{"by_person", kFlag, kSometimes, kForAll, "a person did it"},
    Word{"gaps", kList, kSometimes, kForAll, "what did not come, by cause"},
    Word{"steps", kList, kSometimes, kForAll, "what happened before, oldest first"},
    Word{"hit", kList, kSometimes, kOurs, "imports that are hit"},
    Word{"needs", kList, kSometimes, kForAll, "what waits for the reader"},
    Word{"finished", kList, kSometimes, kForAll, "imports that ended"},
    Word{"running", kList, kSometimes, kForAll, "imports under way"},
    Word{"waiting", kList, kSometimes, kForAll, "imports that wait"},
    // For colleagues only.
    Word{"cause", kText, kSometimes, kOurs, "a dotted code"},
    Word{"what", kText, kSometimes, kOurs, "the cause in words, with codes and limits in it"},
    Word{"because", kText, kSometimes, kOurs, "why it is late"},
    Word{"reason", kText, kSometimes, kOurs, "what a channel says"},
    Word{"limit", kText, kSometimes, kOurs, "which limit"},
    Word{"who", kText, kSometimes, kOurs, "who did it, or who must act"},
    Word{"why", kText, kSometimes, kOurs, "in the words of who did it"},
    Word{"credential", kText, kSometimes, kOurs, "the handle of access"},
    Word{"owner", kText, kSometimes, kOurs, "who answers for the import"},
    Word{"webhook", kText, kSometimes, kOurs, "an endpoint's id"},
    Word{"channel", kText, kSometimes, kOurs, "a way of telling"},
    Word{"days_in_a_row", kNumber, kSometimes, kOurs, "how many days the same happened"},
    Word{"refused", kNumber, kSometimes, kOurs, "requests in ten that the platform refused"},
    Word{"used", kNumber, kSometimes, kOurs, "percent in use"},
};

constexpr std::array kItemWords = {
    Word{"words", kText, kAlways, kForAll, "what it is"},
    Word{"calls", kNumber, kSometimes, kForAll, "how many calls"},
    Word{"when", kText, kSometimes, kForAll, "when"},
    Word{"customer", kText, kSometimes, kForAll, "whose calls"},
    Word{"platform", kText, kSometimes, kForAll, "from where"},
    Word{"import", kText, kSometimes, kForAll, "its id"},
    Word{"done", kNumber, kSometimes, kForAll, "calls in the library"},
    Word{"found", kNumber, kSometimes, kForAll, "of how many"},
    Word{"finish", kTime, kSometimes, kForAll, "expected end"},
    Word{"until", kTime, kSometimes, kForAll, "when it goes on by itself"},
};

std::string shortened(std::string text) {
  if (text.size() <= kTextBytesMax) return text;
  std::size_t end = kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string text_of(const json& value) {
  return value.is_string() ? shortened(one_line(value.get_ref<const std::string&>())) : std::string();
}

std::string platform_text(const std::string& name) {
  const Platform* platform = find_platform(name);
  return one_line(platform == nullptr ? std::string_view(name) : platform->title);
}

std::string state_name(std::string_view condition) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kStates = {
      {{"running", "Running"},
       {"waiting", "Waiting"},
       {"needs_attention", "Needs attention"},
       {"paused", "Paused"},
       {"completed", "Completed"},
       {"completed_with_gaps", "Completed with gaps"},
       {"failed", "Failed"},
       {"cancelled", "Cancelled"},
       {"undone", "Undone"}}};
  for (const auto& [name, text] : kStates) {
    if (name == condition) return std::string(text);
  }
  return "Running";
}

struct Reader {
  std::int64_t now_ms;
  TimeZone zone;
  Audience audience;

  std::string key_of(const Word& word) const {
    std::string key(word.name);
    if (word.kind == kTime) key += "_ms";
    if (word.kind == kSpan) key += "_s";
    if (word.kind == kSize) key += "_bytes";
    return key;
  }

  void read(const Word& word, const json& facts, json& into) const {
    if (audience == Audience::kCustomer && !word.customers) return;
    const auto found = facts.find(key_of(word));
    if (found == facts.end() || found->is_null()) return;
    const std::string name(word.name);
    if (word.kind == kText) {
      std::string text = text_of(*found);
      if (word.name == "platform") text = platform_text(text);
      if (!text.empty()) into[name] = std::move(text);
    } else if (word.kind == kFlag) {
      if (found->is_boolean() && found->get<bool>()) into[name] = true;
    } else if (word.kind == kList) {
      read_list(name, *found, into);
    } else if (found->is_number_integer()) {
      read_number(word, found->get<std::int64_t>(), into);
    }
  }

  void read_number(const Word& word, std::int64_t number, json& into) const {
    const std::string name(word.name);
    if (word.kind == kNumber) into[name] = with_commas(number);
    if (word.kind == kSpan) into[name] = span_text(number);
    if (word.kind == kSize) into[name] = size_text(number);
    if (word.kind == kTime && number > 0) {
      into[name] = time_text(number, now_ms, zone);
      into[name + "_when"] = time_phrase(number, now_ms, zone);
    }
  }

  void read_list(const std::string& name, const json& items, json& into) const {
    if (!items.is_array()) return;
    json list = json::array();
    for (const json& item : items) {
      if (!item.is_object() || list.size() >= kItemsMax) continue;
      json made = json::object();
      for (const Word& word : kItemWords) read(word, item, made);
      if (!made.contains("words") && item.contains("condition")) made["words"] = state_name(text_of(item["condition"]));
      if (made.contains("words")) list.push_back(std::move(made));
    }
    if (!list.empty()) into[name] = std::move(list);
  }
};

void read_import(const ImportRow& import, json& into) {
  const auto& c = import.counters;
  into["customer"] = shortened(one_line(import.title.empty() ? import.workspace : import.title));
  into["platform"] = platform_text(import.platform);
  into["import"] = one_line(import.id);
  const std::size_t start = import.id.starts_with(ImportTag::prefix) ? ImportTag::prefix.size() : 0;
  into["number"] = one_line(import.id.substr(start, kNumberCharacters));
  into["state"] = state_text(import);
  into["stage"] = stage_text(import);
  into["found"] = with_commas(c.found);
  into["done"] = with_commas(c.registered + c.duplicate);
  into["left"] = with_commas(c.pending);
  into["registered"] = with_commas(c.registered);
  into["importable"] = with_commas(c.found - c.duplicate - c.skipped);
  into["missing"] = with_commas(c.failed);
  into["percent"] = with_commas(c.found == 0 ? 0 : 100 * (c.registered + c.duplicate) / c.found);
  if (c.duplicate > 0) into["duplicates"] = with_commas(c.duplicate);
  if (c.found > 0) into["counted"] = true;
  if (c.pending > 0) into["more_to_come"] = true;
}

/// Bytes of the valid UTF-8 character at the front of `text`; 0: none is there.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);  // surrogates; 10FFFF
  return overlong || outside ? 0 : bytes;
}

/// U+2028, U+2029 and U+0085 end lines for some readers; U+202A to U+202E and U+2066 to U+2069 turn text around.
bool breaks_or_turns(std::string_view character) {
  if (character == "\xc2\x85") return true;
  if (character.size() != 3 || character[0] != '\xe2') return false;
  const auto second = static_cast<unsigned char>(character[1]), third = static_cast<unsigned char>(character[2]);
  return (second == 0x80 && third >= 0xa8 && third <= 0xae) || (second == 0x81 && third >= 0xa6 && third <= 0xa9);
}

struct Moment {
  std::string day;  ///< empty: today
  std::string clock;
  bool named = false;  ///< the day is the name of one, or a date: "on" goes before it
};

std::int64_t local_seconds(std::int64_t ms, const TimeZone& zone) {
  const std::int64_t seconds = ms >= 0 ? ms / 1'000 : (ms - 999) / 1'000;
  return seconds + zone.at(seconds).offset;
}

Moment moment_of(std::int64_t at_ms, std::int64_t now_ms, const TimeZone& zone) {
  constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                     "Thursday", "Friday", "Saturday"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds at{std::chrono::seconds{local_seconds(at_ms, zone)}};
  const std::chrono::sys_seconds now{std::chrono::seconds{local_seconds(now_ms, zone)}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const auto ahead = (day - std::chrono::floor<std::chrono::days>(now)).count();
  const std::int64_t minutes = (at - day).count() / 60;
  Moment moment{{}, fmt::format("{:02}:{:02}", minutes / 60, minutes % 60)};
  if (ahead == 0) return moment;
  moment.named = ahead != 1 && ahead != -1;
  if (ahead == 1) moment.day = "tomorrow";
  if (ahead == -1) moment.day = "yesterday";
  if (ahead > 1 && ahead < 7) moment.day = kDays.at(std::chrono::weekday(day).c_encoding());
  if (ahead >= 7 || ahead < -1) {
    const std::chrono::year_month_day date(day);
    moment.day = fmt::format("{} {} {}", static_cast<unsigned>(date.day()),
                             kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()));
  }
  return moment;
}

/// The order in which a lane's condition matters to a reader; ended ones least.
int urgency(std::string_view condition) {
  if (condition == "needs_attention") return 4;
  if (condition == "paused") return 3;
  if (condition == "waiting") return 2;
  return condition == "running" ? 1 : 0;
}

}  // namespace

std::span<const Word> all_words() { return kWords; }
std::span<const Word> item_words() { return kItemWords; }

json words_of(const WordsInput& input) {
  json facts = json::parse(input.facts, nullptr, false);
  if (!facts.is_object()) facts = json::object();
  const auto zone = TimeZone::find(std::string(input.zone));
  const Reader reader{input.now_ms, zone.value_or(TimeZone()), input.audience};
  json words = json::object();
  words["zone"] = zone ? zone_city(input.zone) : "UTC";
  if (!input.import.id.empty()) read_import(input.import, words);
  for (const Word& word : kWords) {
    if (!word.always || input.import.id.empty()) reader.read(word, facts, words);
  }
  const auto since = facts.find("since_ms");
  if (!words.contains("waited") && since != facts.end() && since->is_number_integer() && input.now_ms > *since)
    words["waited"] = span_text((input.now_ms - since->get<std::int64_t>()) / 1'000);
  return words;
}

std::string one_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(bytes, 1));
    if (bytes == 0) {
      out += "\xef\xbf\xbd";
    } else if (static_cast<unsigned char>(character[0]) < 0x20 || character[0] == 0x7f || breaks_or_turns(character)) {
      if (!out.ends_with(' ')) out += ' ';
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  const std::size_t first = out.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

std::string with_commas(std::int64_t number) { return with_thousands(number); }

std::string span_text(std::int64_t seconds) {
  const std::int64_t hours = seconds / 3'600;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3'600) return fmt::format("{} min", seconds / 60);
  if (hours >= 48)
    return hours % 24 == 0 ? fmt::format("{} days", hours / 24) : fmt::format("{} days {} h", hours / 24, hours % 24);
  const std::int64_t minutes = seconds % 3'600 / 60;
  return minutes == 0 ? fmt::format("{} h", hours) : fmt::format("{} h {} min", hours, minutes);
}

std::string size_text(std::int64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"bytes", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  auto size = static_cast<double>(bytes);
  for (; size >= 999.5 && unit + 1 < kUnits.size(); ++unit) size /= 1'000;
  if (unit > 0 && size < 9.95) return fmt::format("{:.1f} {}", size, kUnits.at(unit));
  return fmt::format("{:.0f} {}", size, kUnits.at(unit));
}

std::string time_text(std::int64_t at_ms, std::int64_t now_ms, const TimeZone& zone) {
  const Moment moment = moment_of(at_ms, now_ms, zone);
  return moment.day.empty() ? moment.clock : moment.day + " " + moment.clock;
}

std::string time_phrase(std::int64_t at_ms, std::int64_t now_ms, const TimeZone& zone) {
  const Moment moment = moment_of(at_ms, now_ms, zone);
  if (moment.day.empty()) return "at " + moment.clock;
  return (moment.named ? "on " : "") + moment.day + " at " + moment.clock;
}

std::string zone_city(std::string_view zone) {
  if (zone.empty() || zone == "Local") return "UTC";
  std::string city(zone.substr(zone.rfind('/') + 1));
  std::replace(city.begin(), city.end(), '_', ' ');
  return city;
}

const storage::LaneRow& shown_lane(const ImportRow& import) {
  if (import.closed_ms) return import.bulk;
  return urgency(import.first.condition) > urgency(import.bulk.condition) ? import.first : import.bulk;
}

std::string state_text(const ImportRow& import) { return state_name(shown_lane(import).condition); }

std::string stage_text(const ImportRow& import) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kStages = {
      {{"authenticate", "Checking access"},
       {"enumerate", "Counting calls"},
       {"prioritize", "Choosing the order"},
       {"fetch", "Fetching recordings"},
       {"register", "Adding to the library"},
       {"notify", "Finishing and verifying"}}};
  const std::string& stage = shown_lane(import).stage;
  for (const auto& [name, text] : kStages) {
    if (name == stage) return std::string(text);
  }
  return "Checking access";
}

}  // namespace callimport::activities
