#include "api/cli/import_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cli/shape.h"

namespace callimport::api {
namespace {

using workflows::Condition;
using workflows::Stage;

constexpr const char* kDone = "done";
constexpr const char* kToCome = "to_come";

bool ended_whole(Condition condition) {
  return condition == Condition::kCompleted || condition == Condition::kCompletedWithGaps ||
         condition == Condition::kUndone;
}

std::string state_in(const v1::LaneStatus& lane, Stage stage) {
  const auto at = workflows::parse_stage(lane.stage()).value_or(Stage::kAuthenticate);
  const auto condition = workflows::parse_condition(lane.condition()).value_or(Condition::kRunning);
  if (ended_whole(condition) || stage < at) return kDone;
  if (stage > at) return kToCome;
  return workflows::is_final(condition) ? "stopped" : std::string(workflows::to_string(condition));
}

std::string state_of(const v1::Import& import, Stage stage) {
  const auto bulk = state_in(import.bulk(), stage);
  if (import.has_closed_ms() || import.first().condition().empty()) return bulk;
  const auto first = state_in(import.first(), stage);
  if (first == bulk) return first;
  if (bulk == kToCome && first == kDone) return "first_calls_done";
  if (bulk == kDone || bulk == kToCome) return first == kDone || first == kToCome ? bulk : first;
  if (first == kDone || first == kToCome) return bulk;
  return shown_lane(import).condition();  // both are in it
}

struct StateWords {
  const char *state, *mark, *words;
};
constexpr StateWords kStates[] = {{"done", "✓", "done"},
                                  {"done_with_gaps", "✓", "done with gaps"},
                                  {"running", "●", "running"},
                                  {"waiting", "●", "waiting"},
                                  {"needs_attention", "●", "needs a person"},
                                  {"paused", "●", "paused"},
                                  {"stopped", "●", "stopped here"},
                                  {"first_calls_done", "○", "first calls"},
                                  {"to_come", "○", "to come"}};

const StateWords& words_of(const std::string& state) {
  const auto* found =
      std::find_if(std::begin(kStates), std::end(kStates), [&](const StateWords& one) { return state == one.state; });
  return found == std::end(kStates) ? kStates[std::size(kStates) - 1] : *found;
}

std::string time_of(const v1::StageTime& time) {
  if (time.duration_ms() == 0) return {};
  std::string text = human_duration(time.duration_ms());
  if (time.waited_ms() >= 1'000) text += ", waited " + human_duration(time.waited_ms());
  if (time.has_calls()) text += fmt::format(", {} calls", human_count(time.calls()));
  if (time.has_calls_per_minute()) text += fmt::format(", {:.0f} a minute", time.calls_per_minute());
  return text;
}

std::string rail(const v1::GetImportResponse& reply) {
  std::string text;
  for (const auto& stop : rail_of(reply.import())) {
    const auto& state = words_of(stop.state);
    std::string took;
    for (const auto& time : reply.stages()) {
      if (time.stage() == workflows::to_string(stop.stage)) took = time_of(time);
    }
    auto line =
        fmt::format("  {} {} {}{}", state.mark, fit(workflows::title_of(stop.stage), 23), fit(state.words, 16), took);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

/// What a person must know beside the reason.
std::string meanwhile(const v1::Import& import) {
  const bool stands = shown_lane(import).condition() == "needs_attention" && import.counters().pending() > 0;
  return stands ? "until then what is missing waits; what came stays and can be used\n" : "";
}

std::string counters_of(const Session& session, const v1::Import& import) {
  if (!import.has_counters()) return "counters are not known: no worker answers\n";
  const auto& counters = import.counters();
  const auto done = counters.found() - counters.pending();
  auto text = fmt::format("{} {} of {}{}\n{}\n", bar(done, counters.found(), 30), human_count(done),
                          human_count(counters.found()), import.enumerated() ? "" : " so far", counter_line(counters));
  if (const auto live = live_line(session, import); !live.empty()) text += live + "\n";
  text += fmt::format("recordings {}", human_bytes(counters.media_bytes()));
  if (!import.has_closed_ms()) {
    text += "; left: " + time_left(import, session.now_ms());
    if (!import.eta().accuracy().empty()) text += "\nso far: " + import.eta().accuracy();
  }
  return text + "\n";
}

std::string times_of(const Session& session, const v1::Import& import) {
  auto text = fmt::format("started {}", session.time(import.created_ms()));
  if (const auto by = shape(import).value("started_by", ""); !by.empty()) text += " by " + printable(by);
  if (import.has_first_ready_ms())
    text += fmt::format(", first calls ready after {}", human_duration(import.first_ready_ms() - import.created_ms()));
  if (import.has_closed_ms())
    text += fmt::format(", ended after {}", human_duration(import.closed_ms() - import.created_ms()));
  return text + "\n";
}

/// each number with the command that lists its rows.
std::string problems_of(const v1::GetImportResponse& reply) {
  constexpr int kShown = 5;
  const auto& problems = reply.problems();
  if (problems.empty()) return {};
  std::string text =
      fmt::format("\nproblems; the calls of one: callimport show {} --calls --cause CAUSE\n", reply.import().id());
  for (int i = 0; i < std::min(problems.size(), kShown); ++i) {
    text += fmt::format("  {:>6}  {}  {}\n", human_count(problems[i].calls()), problems[i].cause(),
                        printable(problems[i].detail()));
  }
  if (problems.size() > kShown) text += fmt::format("  and {} more causes\n", problems.size() - kShown);
  return text;
}

}  // namespace

std::vector<RailStop> rail_of(const v1::Import& import) {
  std::vector<RailStop> stops;
  for (int i = 0; i < workflows::kStages; ++i) {
    const auto stage = static_cast<Stage>(i);
    auto state = state_of(import, stage);
    if (stage == Stage::kFetch && state == kDone && import.counters().failed() > 0) state = "done_with_gaps";
    stops.push_back({stage, std::move(state)});
  }
  return stops;
}

std::string live_line(const Session& session, const v1::Import& import) {
  const auto& lane = shown_lane(import);
  if (import.has_closed_ms() || !import.has_counters() || lane.condition() != "running") return {};
  const auto& counters = import.counters();
  const auto& eta = import.eta();
  auto text = fmt::format("{}: {} of {}", stage_words(lane.stage()), human_count(counters.found() - counters.pending()),
                          human_count(counters.found()));
  if (eta.calls_per_minute() > 0) text += fmt::format(" at {:.0f} a minute", eta.calls_per_minute());
  if (eta.has_pause_ms()) {
    text += fmt::format("; next pause {}: {}", session.time(eta.pause_ms()), eta.pause_cause());
    if (eta.has_goes_on_ms()) text += ", goes on " + session.time(eta.goes_on_ms());
  }
  return text;
}

std::string next_command(const v1::Import& import, bool problems) {
  const auto& lane = shown_lane(import);
  if (lane.condition() == "needs_attention") {
    const auto& reason = lane.reason();
    if (reason.starts_with("access."))
      return "callimport credentials renew " + import.credential() + " --token-file FILE";
    if (reason == "gaps.approval")
      return "callimport approve " + import.id() + ", or callimport retry " + import.id() + " --failed";
    if (reason.starts_with("window.")) return "callimport window set " + import.id() + " nights";
    return "callimport retry " + import.id() + " --now";
  }
  if (lane.condition() == "paused") return "callimport resume " + import.id();
  if (!import.has_closed_ms()) return "callimport watch " + import.id();
  if (problems) return "callimport show " + import.id() + " --problems";
  return "callimport calls list --import " + import.id();
}

std::string import_screen(const Session& session, const v1::GetImportResponse& reply, const std::string& page) {
  const auto& import = reply.import();
  const auto width = session.width();
  const auto title = printable(import.title().empty() ? import.workspace() : import.title());
  const auto place = fmt::format("  ({} · {})", import.platform(), printable(import.workspace()));
  std::string text = fmt::format("{}\n\n{}\n", import.id(), state_line(session, import)) + meanwhile(import);
  text += rail(reply) + "\n" + counters_of(session, import) + times_of(session, import);
  if (!page.empty()) text += page + "\n";
  const bool one_line = width == 0 || columns(title) + columns(place) <= width;
  return session.bold(title) + (one_line ? "" : "\n") + place + "\n" +
         wrapped_lines(text + problems_of(reply), width, 4);
}

}  // namespace callimport::api
