#include "activities/import/problem_news.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/import/advice.h"
#include "activities/import/texts.h"

namespace callimport::activities {
namespace {

using storage::AgendaRow;
using storage::ImportRow;

enum Told : int { kNew = 0, kSolved = 1 };  ///< of a row on the agenda

struct Cause {
  std::string name;
  std::int64_t failed = 0;
};

std::string key_of(const ImportRow& import, const std::string& cause) { return import.id + "/" + cause; }

bool worth_telling(const ImportRow& import, std::int64_t failed) {
  return failed >= kProblemCalls || (failed > 0 && failed * 100 >= import.counters.found * kProblemPercent);
}

storage::Notification news(const ImportRow& import, const char* event, const Cause& cause, std::int64_t calls,
                           std::int64_t now_ms) {
  const Advice& advice = advice_for(cause.name);
  const auto& c = import.counters;
  const std::string how_many = fmt::format("{} of {} calls", grouped(calls), grouped(c.found));
  std::string text = fmt::format("New problem: {} ({}). The rest goes on.", advice.what, how_many);
  if (std::string_view(event) == "problem.solved") text = fmt::format("Solved: {} ({}).", advice.what, how_many);
  if (std::string_view(event) == "problem.back") text = fmt::format("Back again: {} ({}).", advice.what, how_many);
  const bool open = std::string_view(event) != "problem.solved";
  return say(event, import.id, now_ms, subject_of(import), text,
             open ? action_for(advice, import.id, cause.name) : "Nothing to do.",
             {{"cause", cause.name},
              {"what", advice.what},
              {"calls", calls},
              {"found", c.found},
              {"registered", c.registered},
              {"done", c.registered + c.duplicate}});
}

void told(Turn& turn, const ImportRow& import, const Cause& cause, int step, std::int64_t calls, std::int64_t now_ms) {
  AgendaRow row;
  row.kind = kProblem;
  row.key = key_of(import, cause.name);
  row.import = import.id;
  row.opened_ms = now_ms;
  row.step = step;
  row.facts = nlohmann::json{{"cause", cause.name}, {"calls", calls}}.dump();
  turn.put.push_back(std::move(row));
}

}  // namespace

Turn problem_news(const ImportRow& import, const std::vector<AgendaRow>& known,
                  const std::vector<storage::Problem>& problems, std::int64_t now_ms) {
  Turn turn;
  const auto row_of = [&](const std::string& cause) {
    return std::find_if(known.begin(), known.end(),
                        [&](const AgendaRow& row) { return row.key == key_of(import, cause); });
  };
  for (const auto& problem : problems) {
    const Cause cause{problem.cause, problem.failed};
    const auto row = row_of(cause.name);
    const bool fresh = row == known.end();
    if (!worth_telling(import, cause.failed) || (!fresh && row->step == kNew)) continue;
    turn.say.push_back(news(import, fresh ? "problem.new" : "problem.back", cause, cause.failed, now_ms));
    told(turn, import, cause, kNew, cause.failed, now_ms);
  }
  if (import.counters.pending > 0) return turn;  // what is tried again has not come yet
  for (const auto& row : known) {
    const auto facts = read_facts(row.facts);
    const Cause cause{facts.value("cause", ""), 0};
    const bool left = std::any_of(problems.begin(), problems.end(), [&](const storage::Problem& problem) {
      return problem.cause == cause.name && problem.failed > 0;
    });
    if (row.step != kNew || left) continue;
    const auto calls = facts.value("calls", std::int64_t{0});
    turn.say.push_back(news(import, "problem.solved", cause, calls, now_ms));
    told(turn, import, cause, kSolved, calls, now_ms);
  }
  return turn;
}

Result<bool> tell_problems(storage::LibraryTx& tx, const std::string& import, const std::vector<std::string>& causes,
                           std::int64_t now_ms) {
  storage::TellingReads& telling = tx.telling().reads();
  TRY(const auto known, telling.agenda().of_import(kProblem, import));
  const auto is_open = [](const AgendaRow& row) { return row.step == kNew; };
  const auto is_untold = [&](const std::string& cause) {
    return std::none_of(known.begin(), known.end(), [&](const AgendaRow& row) {
      return is_open(row) && read_facts(row.facts).value("cause", "") == cause;
    });
  };
  const bool looks = causes.empty() ? std::any_of(known.begin(), known.end(), is_open)
                                    : std::any_of(causes.begin(), causes.end(), is_untold);
  if (!looks) return false;
  TRY(const auto row, tx.import(import));
  TRY(const auto sums, telling.troubles(import));
  const Turn turn = problem_news(row, known, sums, now_ms);
  TRY_VOID(apply_turn(tx, turn));
  return !turn.say.empty();
}

}  // namespace callimport::activities
