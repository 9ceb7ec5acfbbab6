#include "activities/import/outlook.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "activities/estimate/past.h"
#include "activities/estimate/standing.h"
#include "activities/import/step.h"
#include "activities/notify/delays.h"
#include "storage/library/telling.h"

namespace callimport::activities {
namespace {

constexpr std::int64_t kJustShownMs = 120'000;  ///< who looks at the import now sees the same as who is told
constexpr std::int64_t kBesidesMs = 15'000;     ///< proving access and ordering, at most

std::string because_of(const std::string& cause) {
  constexpr std::string_view kWaiting = "waiting: ";
  if (cause.starts_with(kWaiting)) return "it waits (" + cause.substr(kWaiting.size()) + ")";
  if (cause == "the pace so far") return "it goes slower than it was foretold";
  return cause.empty() ? std::string() : "it is held by " + cause;
}

Budget budget_of(const ImportDeps& deps) {
  const auto& own = deps.permits.settings();
  return {own.bulk_calls, std::chrono::duration_cast<std::chrono::milliseconds>(own.period).count()};
}

Pace pace_of(storage::Library& library, const std::string& import, std::int64_t now_ms) {
  const auto told = library.told_time_left(import).value_or(std::nullopt);
  if (!told || now_ms - told->at_ms > kJustShownMs) return {};
  return Pace(TimeLeft{told->from_ms, told->to_ms, told->cause, 0});
}

/// What the start foretold, for the calls there are now.
Outlook foretold(const storage::ImportRow& row, std::int64_t now_ms) {
  Outlook outlook;
  const auto input = read_note<ImportInput>(row.input);
  if (!input || input->predicted.duration_to_ms <= 0) return outlook;
  const Prediction& said = input->predicted;
  double scale = 1;
  const std::int64_t wanted = row.counters.found - row.counters.duplicate - row.counters.skipped;
  if (row.enumerated && said.calls > 0 && wanted > 0)
    scale = static_cast<double>(wanted) / static_cast<double>(said.calls);
  const auto at = [&](std::int64_t ms) {
    return row.created_ms + static_cast<std::int64_t>(static_cast<double>(ms) * scale);
  };
  if (at(said.duration_to_ms) <= now_ms) return outlook;
  outlook.from_ms = std::max(at(said.duration_from_ms), now_ms);
  outlook.to_ms = at(said.duration_to_ms);
  return outlook;
}

/// Only where the calls have just been counted is it news.
std::int64_t size_of(storage::Library& library, const storage::ImportRow& row, const std::vector<LaneChange>& changes) {
  const bool counted = std::any_of(changes.begin(), changes.end(),
                                   [](const LaneChange& change) { return change.event == "calls known"; });
  const auto input = read_note<ImportInput>(row.input);
  if (!counted || !input || !input->media) return 0;
  const auto measures = library.measures(row.platform, 0, kPastImportsMax);
  if (!measures) return 0;
  const auto wanted = static_cast<double>(row.counters.found - row.counters.skipped);
  return static_cast<std::int64_t>(past_of(*measures).bytes_per_call * wanted);
}

/// "1 Jan 2023"
std::string day_of(std::int64_t at_ms) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(from_unix_ms(at_ms)));
  return fmt::format("{} {} {}", static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1),
                     static_cast<int>(date.year()));
}

}  // namespace

Outlook outlook_of(const ImportDeps& deps, const std::string& import, const std::vector<LaneChange>& changes) {
  auto row = deps.library.import(import);
  if (!row) return {};
  for (const LaneChange& change : changes) (change.lane == "first" ? row->first : row->bulk) = row_of(change);
  const std::int64_t now_ms = to_unix_ms(deps.clock.now());
  const Standing standing = standing_of(deps.library, budget_of(deps), now_ms, *row);
  if (standing.person) return {};  // nobody knows how long
  Pace pace = pace_of(deps.library, import, now_ms);
  const TimeLeft left = pace.look(standing);
  Outlook outlook = foretold(*row, now_ms);
  if (left.to_ms && *left.to_ms > now_ms) outlook = {left.from_ms, left.to_ms, because_of(left.cause), true, 0};
  outlook.size_bytes = size_of(deps.library, *row, changes);
  return outlook;
}

Outlook outlook_when_due(const ImportDeps& deps, const std::string& import) {
  std::optional<storage::AgendaRow> known;
  const auto read = deps.library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
    TRY(known, telling.agenda().find(kDelay, import));
    return {};
  });
  if (!read || !known) return {};
  const std::int64_t looked_ms = read_facts(known->facts).value("looked_ms", known->opened_ms);
  if (to_unix_ms(deps.clock.now()) - looked_ms < kReckonAgainMs) return {};
  return outlook_of(deps, import, {});
}

void add_outlook(storage::Notification& record, const Outlook& outlook) {
  auto facts = read_facts(record.facts);
  if (record.event == "import.counted" && outlook.size_bytes > 0) facts["size_bytes"] = outlook.size_bytes;
  if (outlook.to_ms) facts["finish_ms"] = *outlook.to_ms;
  if (record.event == "import.counted" && outlook.from_ms && outlook.to_ms) {
    facts["least_s"] = (*outlook.from_ms - record.at_ms) / 1'000;
    facts["most_s"] = (*outlook.to_ms - record.at_ms) / 1'000;
  }
  record.facts = write_note(facts);
}

std::int64_t first_by_ms(const ImportInput& input, std::int64_t created_ms) {
  const Prediction& said = input.predicted;
  // Hours in which bulk stands still are part of what was foretold of the whole, and say nothing of the first calls.
  const bool always = input.window.empty() || input.window == storage::kWindowAlways;
  if (!always || said.calls <= 0 || said.duration_to_ms <= 0) return 0;
  const std::int64_t first = std::min<std::int64_t>(input.settings.first_lane, said.calls);
  return created_ms + kBesidesMs + said.duration_to_ms / said.calls * first;
}

nlohmann::json foretold_facts(const ImportInput& input, std::int64_t created_ms) {
  auto facts = nlohmann::json::object();
  const Prediction& said = input.predicted;
  if (said.calls > 0) facts["calls"] = said.calls;
  if (input.after_ms > 0) facts["oldest"] = day_of(input.after_ms);
  if (said.duration_to_ms > 0) {
    facts["least_s"] = said.duration_from_ms / 1'000;
    facts["most_s"] = said.duration_to_ms / 1'000;
  }
  if (const std::int64_t first_by = first_by_ms(input, created_ms); first_by > 0) {
    facts["first_by_ms"] = first_by;
    facts["first_lane"] = std::min<std::int64_t>(input.settings.first_lane, said.calls);
  }
  return facts;
}

Result<> weigh_outlook(storage::LibraryTx& tx, const std::string& import, const Outlook& outlook, std::int64_t now_ms) {
  if (!outlook.paced) return {};
  TRY(const auto known, tx.telling().reads().agenda().find(kDelay, import));
  if (!known) return {};
  return apply_turn(tx, delay_reckoned(*known, {*outlook.from_ms, *outlook.to_ms, outlook.because}, now_ms));
}

}  // namespace callimport::activities
