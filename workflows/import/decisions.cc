#include "workflows/import/decisions.h"

#include <algorithm>

namespace callimport::workflows {
namespace {

using nlohmann::json;

json write_lane(const LaneState& lane) {
  return {{"stage", to_string(lane.place.stage)},
          {"condition", to_string(lane.place.condition)},
          {"reason", lane.now.reason},
          {"who", lane.now.who},
          {"why", lane.now.why},
          {"until_ms", lane.now.until_ms},
          {"trouble_since_ms", lane.trouble_since_ms},
          {"trouble_step", lane.trouble_step},
          {"by_person", lane.by_person},
          {"fetched", lane.fetched},
          {"failed", lane.failed},
          {"again", lane.again},
          {"ready_told", lane.ready_told}};
}

Result<LaneState> read_lane(const json& from) {
  const auto stage = parse_stage(from.at("stage").get<std::string>());
  const auto condition = parse_condition(from.at("condition").get<std::string>());
  if (!stage || !condition) return fail(Code::kInvalid, "a lane without a known stage and condition");
  LaneState lane;
  lane.place = {*stage, *condition};
  lane.now = {from.at("reason"), from.at("who"), from.at("why"), from.at("until_ms")};
  lane.trouble_since_ms = from.at("trouble_since_ms");
  lane.trouble_step = from.at("trouble_step");
  lane.by_person = from.at("by_person");
  lane.fetched = from.at("fetched");
  lane.failed = from.at("failed");
  lane.again = from.value("again", false);
  lane.ready_told = from.value("ready_told", false);
  return lane;
}

/// Which kind of notification a change is worth; empty: people know already.
std::string news(LaneName lane, const LaneState& before, const LaneState& after, Event event) {
  switch (event) {
    case Event::kWaitBegan:
      return before.place.condition == Condition::kWaiting && before.now.reason == after.now.reason
                 ? ""
                 : "condition.changed";
    case Event::kOutageLasted: return before.place.condition == Condition::kPaused ? "" : "condition.changed";
    case Event::kAttentionNeeded:
    case Event::kPausedByPerson:
    case Event::kWorkPassed:
    case Event::kAccessRenewed:
    case Event::kRetryAsked:
    case Event::kGapsApproved:
    case Event::kResumed: return "condition.changed";
    case Event::kAllRegistered: return lane == LaneName::kFirst && !before.ready_told ? "first.ready" : "stage.changed";
    default: return "stage.changed";
  }
}

/// Of two lanes that stop for what is the whole import's (access, standing still, a start set for later), or go on
/// after it, people hear once.
bool told_by_other(const LaneState& other, const LaneState& before, const LaneState& after, Event event) {
  const std::string& reason = other.now.reason;
  const bool whole = reason.starts_with("access.") || reason == "engine.no_progress" || reason == "start.scheduled";
  const bool stands =
      other.place.condition == Condition::kNeedsAttention || other.place.condition == Condition::kWaiting;
  if (!whole || !stands) return false;
  if (event == Event::kAttentionNeeded || event == Event::kWaitBegan) return reason == after.now.reason;
  return (event == Event::kAccessRenewed || event == Event::kWorkPassed) && reason == before.now.reason;
}

}  // namespace

std::string_view to_string(LaneName lane) { return lane == LaneName::kFirst ? "first" : "bulk"; }

json write_state(const ImportState& state) {
  return {{"first", write_lane(state.first)},
          {"bulk", write_lane(state.bulk)},
          {"pause",
           {{"on", state.pause.on},
            {"who", state.pause.who},
            {"why", state.pause.why},
            {"until_ms", state.pause.until_ms}}},
          {"approval", {{"given", state.approval.given}, {"who", state.approval.who}, {"why", state.approval.why}}},
          {"gaps_mended", state.gaps_mended},
          {"counters", state.counters},
          {"opened", state.opened},
          {"enumerated", state.enumerated},
          {"newest_first", state.newest_first},
          {"bulk_ordered", state.bulk_ordered},
          {"known", state.known},
          {"lane_bulk", state.lane_bulk},
          {"runs", state.runs},
          {"previous_run", state.previous_run}};
}

Result<ImportState> read_state(const json& from) {
  ImportState state;
  if (from.is_null()) return state;
  try {
    TRY(state.first, read_lane(from.at("first")));
    TRY(state.bulk, read_lane(from.at("bulk")));
    const json& pause = from.at("pause");
    state.pause = {pause.at("on"), pause.at("who"), pause.at("why"), pause.at("until_ms")};
    if (from.contains("approval")) {
      const json& approval = from.at("approval");
      state.approval = {approval.at("given"), approval.at("who"), approval.at("why")};
    }
    state.gaps_mended = from.value("gaps_mended", false);
    state.counters = from.at("counters");
    state.opened = from.at("opened");
    state.enumerated = from.at("enumerated");
    state.newest_first = from.at("newest_first");
    state.bulk_ordered = from.at("bulk_ordered");
    state.known = from.at("known");
    state.lane_bulk = from.at("lane_bulk");
    state.runs = from.at("runs");
    state.previous_run = from.at("previous_run");
  } catch (const json::exception& error) {
    return fail(Code::kInvalid, std::string("not the state of an import: ") + error.what());
  }
  return state;
}

std::optional<activities::LaneChange> apply(ImportState& state, LaneName name, Event event,
                                            const Circumstance& circumstance, std::int64_t now_ms) {
  LaneState& lane = state.lane(name);
  const auto to = advance(lane.place, event);
  if (!to) return std::nullopt;
  const LaneState before = lane;
  lane.place = *to;
  lane.now = circumstance;
  lane.by_person = event == Event::kPausedByPerson;
  if (event == Event::kAllRegistered) lane.ready_told = true;
  if (to->condition == Condition::kRunning || is_final(to->condition)) {
    lane.trouble_since_ms = 0;
    lane.trouble_step.clear();
  } else if (lane.trouble_since_ms == 0 || before.now.reason != circumstance.reason) {
    lane.trouble_since_ms = now_ms;
  }
  activities::LaneChange change;
  change.lane = to_string(name);
  change.stage = to_string(to->stage);
  change.condition = to_string(to->condition);
  change.reason = circumstance.reason;
  change.who = circumstance.who;
  change.why = circumstance.why;
  change.until_ms = circumstance.until_ms;
  change.event = to_string(event);
  change.told = news(name, before, lane, event);
  const LaneState& other = state.lane(name == LaneName::kFirst ? LaneName::kBulk : LaneName::kFirst);
  if (told_by_other(other, before, lane, event)) change.told.clear();
  return change;
}

WaitDecision decide_wait(const LaneState& lane, const activities::TroubleNote& trouble,
                         const activities::ImportSettings& settings, std::int64_t now_ms) {
  WaitDecision decision;
  decision.circumstance = {trouble.cause, "", trouble.message, std::max(trouble.until_ms, now_ms + 1'000)};
  const bool same = lane.now.reason == trouble.cause && lane.trouble_since_ms != 0;
  const bool lasted = same && now_ms - lane.trouble_since_ms >= settings.outage_pause_ms;
  const bool stands = lane.place.condition == Condition::kWaiting || lane.place.condition == Condition::kPaused;
  if (!lasted || !stands) return decision;
  if (trouble.cause == "store.full") decision.circumstance.until_ms = now_ms + settings.outage_probe_ms;
  if (trouble.cause != "platform.outage") return decision;
  decision.event = Event::kOutageLasted;
  decision.circumstance.who = "callimport";
  decision.circumstance.until_ms = now_ms + settings.outage_probe_ms;
  return decision;
}

bool recovers(const LaneState& lane, std::string_view step) {
  if (!lane.trouble_step.empty() && lane.trouble_step != step) return false;
  switch (lane.place.condition) {
    case Condition::kWaiting:
    case Condition::kNeedsAttention: return true;
    case Condition::kPaused: return !lane.by_person;
    default: return false;
  }
}

Condition result_of(const ImportState& state) {
  const Condition gravest = state.lane(shown(state)).place.condition;
  // A first lane that closed with gaps, which were tried again with the bulk.
  const bool mended = state.gaps_mended && state.counters.failed == 0;
  return gravest == Condition::kCompletedWithGaps && mended ? Condition::kCompleted : gravest;
}

LaneName shown(const ImportState& state) {
  return first_is_shown(state.first.place, state.bulk.place) ? LaneName::kFirst : LaneName::kBulk;
}

json describe(const activities::ImportInput& ask, const ImportState& state) {
  const LaneState& lane = state.lane(shown(state));
  return {{"import", ask.import},
          {"platform", ask.platform},
          {"workspace", ask.workspace},
          {"title", ask.title},
          {"stage", to_string(lane.place.stage)},
          {"condition", to_string(lane.place.condition)},
          {"reason", lane.now.reason},
          {"who", lane.now.who},
          {"why", lane.now.why},
          {"until_ms", lane.now.until_ms},
          {"first", write_lane(state.first)},
          {"bulk", write_lane(state.bulk)},
          {"counters", state.counters},
          {"enumerated", state.enumerated},
          {"runs", state.runs}};
}

}  // namespace callimport::workflows
