#include "storage/runtime/time_zone.h"

#include <date/tz.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "storage/model/spelling.h"

namespace callimport {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

constexpr std::size_t kNameCharactersMax = 100;

}  // namespace

std::optional<TimeZone> TimeZone::find(const std::string& name) {
  TimeZone out;
  if (name.empty() || name == "UTC" || name == "Local") return out;
  try {
    out.zone_ = date::locate_zone(name);
  } catch (const std::exception&) {  // the library's only way to say no
    return std::nullopt;
  }
  return out;
}

TimeZone::Stretch TimeZone::at(std::int64_t unix_seconds) const {
  if (zone_ == nullptr) return {0, std::numeric_limits<std::int64_t>::max()};
  const auto info = zone_->get_info(date::sys_seconds(std::chrono::seconds(unix_seconds)));
  return {info.offset.count(), info.end.time_since_epoch().count()};
}

std::int64_t TimeZone::moment_of(std::int64_t local) const {
  if (zone_ == nullptr) return local;
  const auto info = zone_->get_info(date::local_seconds(std::chrono::seconds(local)));
  if (info.result == date::local_info::nonexistent) return info.first.end.time_since_epoch().count();
  return local - info.first.offset.count();
}

std::string nearest_zone(const std::string& name) {
  if (name.empty() || name.size() > kNameCharactersMax) return {};
  const std::string wanted = lower(name);
  std::string best;
  std::size_t least = std::max<std::size_t>(2, wanted.size() / 4) + 1;
  const auto consider = [&](const std::string& zone) {
    const std::string known = lower(zone);
    // A city alone is meant as the zone that ends with it.
    const std::string city = known.substr(known.rfind('/') + 1);
    const std::size_t whole = letters_apart(wanted, known), part = letters_apart(wanted, city);
    const std::size_t apart = std::min(whole, city.size() < 4 ? whole : part);
    if (apart < least) {
      least = apart;
      best = zone;
    }
  };
  try {
    const auto& all = date::get_tzdb();
    for (const auto& zone : all.zones) consider(zone.name());
  } catch (const std::exception&) {  // no database on this machine: nothing is near
    return {};
  }
  return best;
}

std::string machine_zone() {
  try {
    return date::current_zone()->name();
  } catch (const std::exception&) {
    return "UTC";
  }
}

std::string format_local(Timestamp at, const TimeZone& zone) {
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  const std::int64_t local = seconds + zone.at(seconds).offset;
  std::string text = format_utc(Timestamp{std::chrono::seconds{local}});
  text[10] = ' ';
  text.resize(local % 60 == 0 ? 16 : 19);
  return text;
}

}  // namespace callimport
