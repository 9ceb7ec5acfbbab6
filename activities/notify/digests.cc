#include "activities/notify/digests.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "activities/notify/local_time.h"
#include "activities/notify/words.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using storage::AgendaRow;
using storage::ImportRow;

constexpr std::int64_t kHourMs = 3'600'000;

/// The lane that is shown: the one that stands still, else bulk.
const storage::LaneRow& shown(const ImportRow& row) {
  const auto moving = [](const storage::LaneRow& lane) {
    return lane.condition == "running" || lane.condition == "completed" || lane.condition == "completed_with_gaps";
  };
  return moving(row.first) ? row.bulk : row.first;
}

std::string lowered(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

/// How it stands, in people's words.
std::string words_for(const ImportRow& row) {
  const auto& lane = shown(row);
  if (row.closed_ms) {
    const auto grade = read_facts(row.report).value("grade", "");
    return lowered(state_text(row)) + (grade.empty() ? "" : ", grade " + grade);
  }
  if (lane.condition == "running") return lowered(stage_text(row));
  for (const auto& [reason, words] : {std::pair{"access.", "access ended"},
                                      {"gaps.approval", "its gaps want approval"},
                                      {"engine.no_progress", "nothing moves"},
                                      {"platform.outage", "the platform does not answer"},
                                      {"platform.", "the platform's limit"},
                                      {"budget.", "this installation's own limit"},
                                      {"window.", "closed window"},
                                      {"store.", "the disk is full"},
                                      {"start.scheduled", "is to begin later"}}) {
    if (lane.reason.starts_with(reason)) return words;
  }
  return lowered(state_text(row));
}

json line_of(const ImportRow& row, const Promises& promises) {
  const auto& lane = shown(row);
  const auto& c = row.counters;
  const auto promised = promises.find(row.id);
  return {{"import", row.id},
          {"customer", row.title.empty() ? row.workspace : row.title},
          {"platform", row.platform},
          {"words", words_for(row)},
          {"finish_ms", row.closed_ms || promised == promises.end() ? 0 : promised->second},
          {"title", row.title.empty() ? row.workspace : row.title},
          {"condition", lane.condition},
          {"reason", lane.reason},
          {"found", c.found},
          {"done", c.registered + c.duplicate},
          {"until_ms", lane.until_ms.value_or(0)},
          {"closed_ms", row.closed_ms.value_or(0)}};
}

/// Where a line belongs in the digest.
const char* part_of(const ImportRow& row) {
  if (row.closed_ms) return "finished";
  const auto& condition = shown(row).condition;
  if (condition == "needs_attention") return "needs";
  return condition == "waiting" || condition == "paused" ? "waiting" : "running";
}

std::string text_of(const json& facts) {
  std::string text;
  for (const auto& [part, words] : {std::pair{"needs", "need you"}, std::pair{"finished", "finished"},
                                    std::pair{"running", "running"}, std::pair{"waiting", "waiting"}}) {
    const auto count = facts["counts"][part].get<std::int64_t>();
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, words);
  }
  text += ".";
  for (const char* part : {"needs", "finished", "running", "waiting"}) {
    for (const auto& line : facts[part]) {
      text += fmt::format("\n- {}: {} of {} calls, {}", line.value("title", ""), line.value("done", 0ll),
                          line.value("found", 0ll), line.value("condition", ""));
    }
  }
  return text;
}

Turn weekly_due(const AgendaRow& known, const Roster& roster, const std::vector<ImportRow>& imports,
                std::int64_t now_ms, const Promises& promises) {
  Turn turn;
  const auto contact = roster.customers.find(known.key);
  if (contact == roster.customers.end() || !contact->second.weekly) {
    turn.drop.emplace_back(known.kind, known.key);
    return turn;
  }
  AgendaRow row = known;
  row.opened_ms = now_ms;
  row.next_ms = next_local(now_ms, kDigestMinute, contact->second.zone, kMonday);
  std::int64_t done = 0, found = 0, open = 0, finish_ms = 0;
  for (const auto& import : imports) {
    if (import.workspace != known.key) continue;
    done += import.counters.registered;
    found += import.counters.found;
    open += import.closed_ms ? 0 : 1;
    const auto promised = promises.find(import.id);
    if (!import.closed_ms && promised != promises.end()) finish_ms = std::max(finish_ms, promised->second);
  }
  const std::int64_t before = read_facts(known.facts).value("done", std::int64_t{0});
  row.facts = json{{"done", done}}.dump();
  turn.put.push_back(row);
  if (done == before && open == 0) return turn;
  const json facts = {{"to", "customer:" + known.key},
                      {"added", std::max<std::int64_t>(0, done - before)},
                      {"registered", done},
                      {"found", found},
                      {"finish_ms", finish_ms > now_ms ? finish_ms : 0},
                      {"since_ms", known.opened_ms}};
  turn.say.push_back(say(
      "digest.weekly", "", now_ms, "[Calls] " + contact->second.name + " · this week",
      fmt::format("This week: {} calls added; {} of {} are there.", facts["added"].get<std::int64_t>(), done, found),
      open > 0 ? "The rest follows. Nothing to do on your side." : "Nothing to do on your side.", facts));
  return turn;
}

}  // namespace

bool follows(const Roster& roster, const Person& person, const ImportRow& import) {
  if (level_for(person, import) == Level::kNone) return false;
  if (person.watches_all || owner_of(roster, import) == &person) return true;
  return std::find(roster.approvers.begin(), roster.approvers.end(), person.id) != roster.approvers.end();
}

Turn digests_planned(const Roster& roster, const std::vector<AgendaRow>& known, std::int64_t now_ms) {
  Turn turn;
  const auto there = [&known](const char* kind, const std::string& key) {
    return std::any_of(known.begin(), known.end(),
                       [&](const AgendaRow& row) { return row.kind == kind && row.key == key; });
  };
  const auto plan = [&](const char* kind, const std::string& key, const std::string& zone, int weekday) {
    if (there(kind, key)) return;
    AgendaRow row;
    row.kind = kind;
    row.key = key;
    row.opened_ms = now_ms;
    row.next_ms = next_local(now_ms, kDigestMinute, zone, weekday);
    turn.put.push_back(std::move(row));
  };
  for (const auto& person : roster.people) {
    if (person.digest) plan(kDigest, person.id, person.zone, -1);
  }
  for (const auto& [workspace, contact] : roster.customers) {
    if (contact.weekly) plan(kWeekly, workspace, contact.zone, kMonday);
  }
  return turn;
}

Turn digest_due(const AgendaRow& known, const Roster& roster, const std::vector<ImportRow>& imports,
                std::int64_t now_ms, const Promises& promises) {
  if (known.kind == kWeekly) return weekly_due(known, roster, imports, now_ms, promises);
  Turn turn;
  const Person* person = roster.find(known.key);
  if (person == nullptr) {
    turn.drop.emplace_back(known.kind, known.key);
    return turn;
  }
  AgendaRow row = known;
  row.opened_ms = now_ms;
  row.next_ms = next_local(now_ms, kDigestMinute, person->zone);
  auto kept = read_facts(known.facts);
  const std::int64_t held_ms = kept.value("held_ms", std::int64_t{0});
  if (now_ms - held_ms > kHourMs) row.facts = "{}";
  turn.put.push_back(row);
  json facts = {{"to", person->id}, {"since_ms", known.opened_ms}, {"counts", json::object()}};
  for (const char* part : {"needs", "finished", "running", "waiting"}) {
    facts[part] = json::array();
    facts["counts"][part] = 0;
  }
  std::int64_t all = 0;
  for (const auto& import : imports) {
    const bool old = import.closed_ms && *import.closed_ms < known.opened_ms;
    if (old || !follows(roster, *person, import)) continue;
    const char* part = part_of(import);
    facts["counts"][part] = facts["counts"][part].get<std::int64_t>() + 1;
    ++all;
    if (facts[part].size() < kDigestLinesMax) facts[part].push_back(line_of(import, promises));
  }
  if (all == 0) return turn;
  facts["count"] = all;
  const std::string next = facts["needs"].empty()
                               ? "Nothing to do."
                               : "Look at those that need you: callimport list --state needs_attention";
  turn.say.push_back(say("digest.daily", "", now_ms, "[Calls] Your imports", text_of(facts), next, facts));
  return turn;
}

Turn digest_soon(const std::optional<AgendaRow>& known, const Person& person, std::int64_t now_ms) {
  Turn turn;
  AgendaRow row;
  if (known) row = *known;
  if (!known) {
    row.kind = kDigest;
    row.key = person.id;
    row.opened_ms = now_ms;
  }
  auto facts = read_facts(row.facts);
  const std::int64_t held_ms = facts.value("held_ms", std::int64_t{0});
  const std::int64_t soon = now_ms + kSoonMs;
  const bool sooner = !row.next_ms || *row.next_ms > soon;
  const bool say_so = now_ms - held_ms > kHourMs;
  if (!sooner && !say_so) return turn;
  if (sooner) row.next_ms = soon;
  if (say_so) {
    facts["held_ms"] = now_ms;
    turn.say.push_back(say("messages.held", "", now_ms, "[Calls] Many messages",
                           "More than 20 messages came for you within an hour; further ones come as a digest.",
                           "Nothing to do.", {{"to", person.id}}));
  }
  row.facts = facts.dump();
  turn.put.push_back(row);
  return turn;
}

}  // namespace callimport::activities
