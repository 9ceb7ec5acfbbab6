// What start, pause, resume and cancel will do to an import, in words and as an effect.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "activities/import/choice.h"
#include "activities/import/contract.h"
#include "activities/import/texts.h"
#include "activities/platforms/platform.h"
#include "api/grpc/product_actions.h"
#include "workflows/import/import_workflow.h"
#include "workflows/import/table.h"

namespace callimport::api {
namespace {

using activities::grouped;
using nlohmann::json;
using storage::ImportRow;

inline constexpr int kActionsLookedAt = 200;
constexpr const char* kItself = "callimport";  ///< who paused, when nobody did

std::string dumped(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string cut(const std::string& text) { return activities::cut_text(text, activities::kSentenceBytesMax); }

std::string at(std::int64_t unix_ms) {
  return format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(unix_ms)));
}

bool paused_by_person(const ImportRow& row) {
  const auto& lane = shown_lane(row);
  return lane.condition == "paused" && lane.who != kItself;
}

activities::ImportInput input_of(const ImportRow& row) {
  return activities::read_note<activities::ImportInput>(row.input).value_or(activities::ImportInput{});
}

/// How it stood when a person last paused it; nothing when nobody did.
Result<std::optional<storage::StageChange>> last_pause(storage::Library& library, const std::string& import) {
  constexpr int kPage = 1'000;
  std::optional<storage::StageChange> last;
  for (std::int64_t after = 0;;) {
    TRY(const auto changes, library.timeline(import, after, kPage));
    for (const auto& change : changes) {
      after = change.change;
      if (change.row.condition == "paused" && change.row.who != kItself && (!last || last->row != change.row))
        last = change;
    }
    if (changes.size() < kPage) return last;
  }
}

/// ID-10: what changed while it was paused.
Result<std::string> changed_meanwhile(ProductParts& parts, const ImportRow& row) {
  TRY(const auto pause, last_pause(parts.library, row.id));
  if (!pause) return std::string("Nothing is known of the pause.");
  const auto& then = pause->counters;
  const auto& now = row.counters;
  std::string text =
      fmt::format("{} paused it at {}{}; since then {} calls came into the library and {} failed", pause->row.who,
                  at(pause->at_ms), pause->row.why.empty() ? "" : " (" + pause->row.why + ")",
                  grouped(now.registered - then.registered), grouped(now.failed - then.failed));
  TRY(const auto actions, parts.library.actions(row.id, 0, kActionsLookedAt));
  std::string others;
  for (const auto& action : actions) {
    if (action.at_ms <= pause->at_ms || action.verb == "pause") continue;
    others += fmt::format("{}{} did {}", others.empty() ? "" : ", ", action.who, action.verb);
  }
  return text + (others.empty() ? "." : "; " + others + ".");
}

tl::unexpected<Error> not_said() {
  return fail(
      Code::kConflict,
      "consent.missing: nobody has said yet that the customer owns these calls and may have them copied; say it "
      "once with --owns-data");
}

/// Whether the same request was carried out before, and the import has begun.
Result<bool> started_before(ProductParts& parts, const v1::Action& action) {
  if (action.request_id().empty() || !parts.library.import(action.import())) return false;
  TRY(const auto actions, parts.library.actions(action.import(), 0, kActionsLookedAt));
  return std::any_of(actions.begin(), actions.end(),
                     [&](const auto& one) { return one.request_id == action.request_id(); });
}

std::string calls_wanted(const activities::ImportInput& ask) {
  const auto choice = activities::choice_words(ask);
  return fmt::format("The first {} calls come first, then {}; {}{}.", grouped(ask.settings.first_lane),
                     ask.calls_max > 0 ? fmt::format("up to {} in all", grouped(ask.calls_max)) : "all others",
                     ask.media ? "recordings and transcripts" : "transcripts only",
                     choice.empty() ? choice : "; " + choice);
}

/// The calls that a start names: with the request, or those it was told when it was first asked for.
Result<> take_named(ProductParts& parts, const v1::StartImportRequest& request, activities::ImportInput& ask,
                    ActionPlan& plan) {
  if (request.calls_size() == 0 && ask.named == 0) return {};
  std::set<std::string> calls(request.calls().begin(), request.calls().end());
  calls.erase("");
  if (calls.empty()) {
    TRY(const auto before, parts.library.named_calls(ask.import));
    if (!before.empty()) return {};
    return fail(Code::kInvalid, "calls.unnamed: this import asks for calls by their ids, and none came with it");
  }
  if (calls.size() > storage::kNamedCallsMax) {
    return fail(Code::kInvalid, fmt::format("calls.too_many: an import names {} calls at most, not {}",
                                            grouped(storage::kNamedCallsMax), grouped(std::ssize(calls))));
  }
  ask.named = std::ssize(calls);
  plan.calls.assign(calls.begin(), calls.end());
  return {};
}

}  // namespace

const storage::LaneRow& shown_lane(const ImportRow& row) {
  const auto place = [](const storage::LaneRow& lane) {
    return workflows::Place{workflows::parse_stage(lane.stage).value_or(workflows::Stage::kAuthenticate),
                            workflows::parse_condition(lane.condition).value_or(workflows::Condition::kRunning)};
  };
  if (row.closed_ms) return row.bulk;
  return workflows::first_is_shown(place(row.first), place(row.bulk)) ? row.first : row.bulk;
}

Result<Subject> subject_of(ProductParts& parts, const v1::Action& action) {
  TRY(const auto id, resolve_import(parts.library, action.import()));
  Subject subject;
  TRY(subject.row, parts.library.import(id));
  const auto& row = subject.row;
  subject.name = fmt::format("{} ({})", row.title.empty() ? row.workspace : row.title, id);
  subject.plan.answer.set_import(id);
  const auto& lane = shown_lane(row);
  subject.plan.before = dumped({{"stage", lane.stage},
                                {"condition", lane.condition},
                                {"reason", lane.reason},
                                {"who", lane.who},
                                {"why", lane.why},
                                {"until_ms", lane.until_ms.value_or(0)},
                                {"registered", row.counters.registered},
                                {"failed", row.counters.failed},
                                {"pending", row.counters.pending}});
  return subject;
}

Result<> must_be_open(const Subject& subject, std::string_view doing) {
  if (!subject.row.closed_ms) return {};
  return fail(Code::kConflict, fmt::format("import.closed: {} has ended ({}), there is nothing to {}", subject.name,
                                           shown_lane(subject.row).condition, doing));
}

Result<ActionPlan> plan_start(ProductParts& parts, const Caller& caller, const v1::StartImportRequest& request) {
  TRY(auto ask, activities::read_note<activities::ImportInput>(request.input()));
  const auto& id = request.action().import();
  TRY_VOID(ImportId::parse(id));
  if (!ask.import.empty() && ask.import != id) return fail(Code::kInvalid, "the input names another import than " + id);
  ask.import = id;
  const auto* platform = activities::find_platform(ask.platform);
  if (platform == nullptr) return fail(Code::kInvalid, "platform.unknown: no connector for " + cut(ask.platform));
  if (ask.started_by.empty() || caller.name.starts_with("os:")) ask.started_by = caller.person();
  ActionPlan plan;
  TRY_VOID(take_named(parts, request, ask, plan));
  if (const auto refused = activities::choice_refused(*platform, ask); !refused.empty()) {
    return fail(Code::kInvalid, "input.invalid: " + refused);
  }
  plan.answer.set_import(id);
  TRY(const bool before, started_before(parts, request.action()));
  if (before) {
    plan.answer.set_already(true);
    plan.answer.add_words("This request was started before as " + id + ".");
    return plan;
  }
  const auto known = parts.library.import(id);
  if (known && known->bulk.condition == "undone")
    return fail(Code::kConflict, "import.undone: " + id + " was taken back; start another import instead");
  storage::ConsentRow consent{ask.platform, ask.workspace, request.customer(), caller.name,
                              to_unix_ms(parts.clock.now())};
  TRY(const bool consented, parts.library.consented(consent));
  plan.answer.add_words(fmt::format("Start {} from {} for {}.", id, platform->title,
                                    ask.workspace.empty() ? "the token's workspace" : cut(ask.workspace)));
  plan.answer.add_words(calls_wanted(ask));
  if (!consented && !request.owns_data()) {
    if (!request.action().dry_run()) return not_said();
    plan.answer.add_words("Before that somebody says that the customer owns these calls.");
  }
  plan.answer.set_consent_needed(!consented);
  if (consent.customer.empty()) consent.customer = consent.workspace;
  if (!consented) plan.consent = std::move(consent);
  plan.after = dumped({{"platform", ask.platform},
                       {"workspace", ask.workspace},
                       {"customer", request.customer()},
                       {"said that the customer owns the data", request.owns_data()}});
  plan.effect = StartEffect{activities::write_note(ask),
                            request.task_queue().empty() ? parts.facts.task_queue : request.task_queue(),
                            known ? known->closed_ms : std::nullopt, ask.retries.empty()};
  return plan;
}

Result<ActionPlan> plan_pause(ProductParts& parts, const Caller& caller, const v1::PauseImportRequest& request) {
  TRY(auto subject, subject_of(parts, request.action()));
  TRY_VOID(must_be_open(subject, "pause"));
  const auto& row = subject.row;
  const auto now_ms = to_unix_ms(parts.clock.now());
  const auto until_ms = request.until_ms();
  if (until_ms < 0 || (until_ms > 0 && until_ms <= now_ms)) {
    return fail(Code::kInvalid, "pause.until_past: a pause cannot end at " + at(until_ms) + ", which is over");
  }
  ActionPlan plan = std::move(subject.plan);
  const auto& lane = shown_lane(row);
  if (paused_by_person(row) && lane.until_ms.value_or(0) == until_ms && lane.why == request.action().why()) {
    plan.answer.set_already(true);
    plan.answer.add_words(fmt::format("{} is paused already, by {}.", subject.name, lane.who));
    return plan;
  }
  const int at_once = input_of(row).settings.fetch_at_once;
  plan.answer.add_words(fmt::format("Pause {}: {} of {} calls are in the library.", subject.name,
                                    grouped(row.counters.registered + row.counters.duplicate),
                                    grouped(row.counters.found)));
  plan.answer.add_words(
      fmt::format("Downloads under way finish ({} at most) and are kept; no other begins. Nothing is "
                  "lost.",
                  at_once));
  plan.answer.add_words(until_ms == 0 ? "It stays so until somebody resumes it."
                                      : "It goes on by itself at " + at(until_ms) + ".");
  plan.answer.add_words(
      fmt::format("Its credential {} stays sealed until the import ends, however long it pauses; the "
                  "platform may let the token expire before.",
                  row.credential));
  plan.after = dumped({{"condition", "paused"}, {"until_ms", until_ms}});
  plan.effect =
      SignalEffect{workflows::kSignalPause,
                   dumped({{"who", caller.person()}, {"why", cut(request.action().why())}, {"until_ms", until_ms}})};
  return plan;
}

Result<ActionPlan> plan_resume(ProductParts& parts, const Caller& caller, const v1::ResumeImportRequest& request) {
  TRY(auto subject, subject_of(parts, request.action()));
  TRY_VOID(must_be_open(subject, "resume"));
  const auto& row = subject.row;
  ActionPlan plan = std::move(subject.plan);
  if (shown_lane(row).condition != "paused") {
    plan.answer.set_already(true);
    plan.answer.add_words(fmt::format("{} is not paused: it is {}.", subject.name, shown_lane(row).condition));
    return plan;
  }
  plan.answer.add_words(fmt::format("Resume {}: {} calls are left.", subject.name, grouped(row.counters.pending)));
  if (paused_by_person(row)) {
    TRY(auto changed, changed_meanwhile(parts, row));
    plan.answer.add_words(std::move(changed));
  } else {
    plan.answer.add_words("It had paused itself (" + shown_lane(row).reason + "); it asks the platform again at once.");
  }
  plan.after = dumped({{"condition", "running"}});
  plan.effect = SignalEffect{workflows::kSignalResume, dumped({{"who", caller.person()}})};
  return plan;
}

Result<ActionPlan> plan_cancel(ProductParts& parts, const Caller& caller, const v1::CancelImportRequest& request) {
  TRY(auto subject, subject_of(parts, request.action()));
  TRY_VOID(must_be_open(subject, "cancel"));
  const auto& counters = subject.row.counters;
  ActionPlan plan = std::move(subject.plan);
  plan.answer.set_calls(counters.pending);
  plan.answer.add_words(fmt::format("Cancel {}: {} calls will not come.", subject.name, grouped(counters.pending)));
  plan.answer.add_words(fmt::format("{} calls stay in the library; downloads under way end first.",
                                    grouped(counters.registered + counters.duplicate)));
  plan.answer.add_words(
      "Its credential is wiped. It can be started again with --import-id, and goes on with what is missing.");
  plan.after = dumped({{"condition", "cancelled"}});
  const auto& why = request.action().why();
  plan.effect = CancelEffect{why.empty() ? "asked by " + caller.person() : cut(why)};
  return plan;
}

}  // namespace callimport::api
