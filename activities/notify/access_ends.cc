#include "activities/notify/access_ends.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "storage/model/time.h"

namespace callimport::activities {
namespace {

using storage::AgendaRow;

constexpr std::int64_t kDay = 24 * 3'600'000;
constexpr std::array<std::int64_t, 2> kBefore = {7 * kDay, kDay};

std::string moment(std::int64_t at_ms) {
  return format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(at_ms)));
}

/// The first step that lies ahead of `now_ms`, counted in kBefore; its length: none.
int step_after(std::int64_t ends_ms, std::int64_t now_ms) {
  const auto ahead =
      std::find_if(kBefore.begin(), kBefore.end(), [&](std::int64_t before) { return ends_ms - before > now_ms; });
  return static_cast<int>(ahead - kBefore.begin());
}

}  // namespace

AgendaRow access_ends_at(const AccessEnd& end, std::int64_t now_ms) {
  AgendaRow row;
  row.kind = kAccessEnds;
  row.key = row.import = end.import;
  row.opened_ms = now_ms;
  row.next_ms = std::max(now_ms, end.at_ms - kBefore.front());
  row.facts = nlohmann::json{{"ends_ms", end.at_ms}, {"credential", end.credential}}.dump();
  return row;
}

std::int64_t access_end_of(const AgendaRow& known) { return read_facts(known.facts).value("ends_ms", std::int64_t{0}); }

Turn access_ends_due(const AgendaRow& known, const storage::ImportRow& import, std::int64_t finish_ms,
                     std::int64_t now_ms) {
  Turn turn;
  const std::int64_t ends_ms = access_end_of(known);
  if (import.id.empty() || import.closed_ms || now_ms >= ends_ms) {
    turn.drop.emplace_back(known.kind, known.key);
    return turn;
  }
  AgendaRow row = known;
  row.step = step_after(ends_ms, now_ms);
  row.next_ms.reset();
  if (const auto at = static_cast<std::size_t>(row.step); at < kBefore.size()) row.next_ms = ends_ms - kBefore.at(at);
  turn.put.push_back(row);
  if (finish_ms > 0 && finish_ms <= ends_ms) return turn;
  auto facts = read_facts(known.facts);
  const std::string& title = import.title.empty() ? import.workspace : import.title;
  facts["customer"] = title;
  facts["platform"] = import.platform;
  if (finish_ms > 0) facts["finish_ms"] = finish_ms;
  const std::string before = finish_ms > 0 ? ", before the expected finish (" + moment(finish_ms) + ")" : "";
  turn.say.push_back(
      say("access.ends_soon", known.import, now_ms,
          fmt::format("[Calls] {} · {} import {}", title, import.platform, import.id),
          fmt::format("Access ends {}{}.", moment(ends_ms), before),
          fmt::format("Ask the customer's admin for access that lasts longer, then: callimport credentials renew {}",
                      facts.value("credential", "")),
          facts));
  return turn;
}

}  // namespace callimport::activities
