// What retry and approve will do about the calls that did not come.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "activities/import/contract.h"
#include "activities/import/texts.h"
#include "api/grpc/product_actions.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

using activities::grouped;
using activities::RetryNote;
using nlohmann::json;
using storage::CallState;

inline constexpr std::size_t kIdsBytesMax = 48u << 10;  ///< of the calls one retry names
inline constexpr std::size_t kCausesShown = 5;
constexpr std::string_view kNeverAgain = "its id cannot be asked for, now or ever";

void refuse(v1::ActionResponse& answer, const std::string& source_id, std::string reason) {
  answer.set_refused_calls(answer.refused_calls() + 1);
  if (answer.refused_size() >= static_cast<int>(kRefusedShownMax)) return;
  auto& one = *answer.add_refused();
  one.set_source_id(source_id);
  one.set_reason(std::move(reason));
}

/// Why this call is not tried again; empty: it is.
std::string refusal_of(const std::optional<storage::ManifestRow>& row) {
  if (!row) return "this import has not found a call of this id";
  switch (row->state) {
    case CallState::kRegistered:
    case CallState::kDuplicate: return "it is in the library already and is never fetched again";
    case CallState::kPending:
    case CallState::kStaged: return "it has not failed: it is still to come";
    case CallState::kSkipped: return "it was left out on purpose (" + row->cause + ")";
    case CallState::kFailed: break;
  }
  return row->cause == storage::kCauseIdUnusable ? std::string(kNeverAgain) : std::string();
}

Result<RetryNote> choice_of(const Caller& caller, const v1::RetryImportRequest& request) {
  const int chosen = (request.failed() ? 1 : 0) + (request.cause().empty() ? 0 : 1) +
                     (request.calls().empty() ? 0 : 1) + (request.now() ? 1 : 0);
  if (chosen != 1) return fail(Code::kInvalid, "retry wants one of: all failed calls, a cause, calls, now");
  RetryNote choice;
  choice.failed = request.failed();
  choice.cause = request.cause();
  choice.who = caller.person();
  choice.why = activities::cut_text(request.action().why(), activities::kSentenceBytesMax);
  std::set<std::string> ids(request.calls().begin(), request.calls().end());
  std::size_t bytes = choice.cause.size();
  for (const auto& id : ids) bytes += id.size();
  if (ids.size() > kRetryCallsMax || bytes > kIdsBytesMax) {
    return fail(Code::kInvalid,
                fmt::format("one retry names {} calls and {} KiB of ids at most; take --cause or --failed",
                            kRetryCallsMax, kIdsBytesMax >> 10));
  }
  choice.calls.assign(ids.begin(), ids.end());
  return choice;
}

/// Accepted and refused calls of the choice; the choice keeps the accepted ones.
Result<> sort_out(ProductParts& parts, const std::string& import, RetryNote& choice, v1::ActionResponse& answer) {
  if (!choice.calls.empty()) {
    std::vector<std::string> accepted;
    for (const auto& id : choice.calls) {
      TRY(const auto row, parts.library.manifest_row(import, id));
      auto reason = refusal_of(row);
      if (reason.empty()) {
        accepted.push_back(id);
      } else {
        refuse(answer, id.substr(0, 200), std::move(reason));
      }
    }
    choice.calls = std::move(accepted);
    answer.set_calls(static_cast<std::int64_t>(choice.calls.size()));
    return {};
  }
  TRY(const auto failed, parts.library.failed_calls(import, choice.cause));
  TRY(const auto never, parts.library.failed_calls(import, std::string(storage::kCauseIdUnusable)));
  const bool among_them = choice.cause.empty() || choice.cause == storage::kCauseIdUnusable;
  answer.set_calls(among_them ? failed - never : failed);
  if (among_them && never > 0) {
    refuse(answer, fmt::format("{} calls", grouped(never)), std::string(kNeverAgain));
    answer.set_refused_calls(never);
  }
  return {};
}

/// The credential a closed import is started again with: the one given, or its own if it was not wiped.
Result<std::string> credential_for(ProductParts& parts, const std::string& given, const std::string& own) {
  TRY(const auto all, parts.vault.list());
  for (const auto& facts : all) {
    if (facts.id == (given.empty() ? own : given) && !facts.wiped_ms) return facts.id;
  }
  return fail(Code::kConflict,
              "access.credential_gone: the import's credential was wiped when it closed; trying calls "
              "again needs a token: --token-file FILE, --token-stdin or --credential ID");
}

Result<Effect> start_again(ProductParts& parts, const storage::ImportRow& row, const RetryNote& choice,
                           const std::string& given) {
  TRY(auto ask, activities::read_note<activities::ImportInput>(row.input));
  TRY(ask.credential, credential_for(parts, given, ask.credential));
  ask.retries = {choice};
  ask.state = nullptr;
  return StartEffect{activities::write_note(ask), parts.facts.task_queue, row.closed_ms};
}

Result<ActionPlan> plan_now(Subject subject, const Caller& caller) {
  TRY_VOID(must_be_open(subject, "wait for"));
  const auto& lane = shown_lane(subject.row);
  ActionPlan plan = std::move(subject.plan);
  if (lane.condition == "paused" && lane.who != "callimport") {
    return fail(Code::kConflict, "import.paused: " + lane.who + " paused " + subject.name + "; resume it instead");
  }
  if (lane.condition == "running") {
    plan.answer.set_already(true);
    plan.answer.add_words(subject.name + " waits for nothing: it is running.");
    return plan;
  }
  plan.answer.add_words(fmt::format("{} ends its wait ({}) and asks again at once.", subject.name, lane.reason));
  plan.after = json({{"who", caller.person()}}).dump();
  plan.effect = SignalEffect{workflows::kSignalRetryNow, "{}"};
  return plan;
}

std::string causes_of(const std::vector<storage::Problem>& problems) {
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), kCausesShown); ++i)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(problems[i].calls), problems[i].cause);
  return problems.size() > kCausesShown ? text + " and others" : text;
}

}  // namespace

Result<ActionPlan> plan_retry(ProductParts& parts, const Caller& caller, const v1::RetryImportRequest& request) {
  TRY(auto choice, choice_of(caller, request));
  TRY(auto subject, subject_of(parts, request.action()));
  if (request.now()) return plan_now(std::move(subject), caller);
  const auto& row = subject.row;
  if (row.bulk.condition == "undone")
    return fail(Code::kConflict, "import.undone: " + subject.name + " was taken back; start another import instead");
  ActionPlan plan = std::move(subject.plan);
  TRY_VOID(sort_out(parts, row.id, choice, plan.answer));
  plan.answer.add_words(
      fmt::format("Retry {} calls of {}; {} refused; 0 repeated: the {} in the library are not fetched "
                  "again.",
                  grouped(plan.answer.calls()), subject.name, grouped(plan.answer.refused_calls()),
                  grouped(row.counters.registered + row.counters.duplicate)));
  if (plan.answer.calls() == 0) {
    plan.answer.set_already(plan.answer.refused_calls() == 0);
    return plan;
  }
  plan.after = activities::write_note(choice);
  if (row.closed_ms) {
    TRY(plan.effect, start_again(parts, row, choice, request.credential()));
    plan.answer.add_words("It had ended: it is opened again for them, and closes with a new report.");
    if (row.counters.pending > 0)
      plan.answer.add_words(
          fmt::format("The {} calls that were still to come go on as well.", grouped(row.counters.pending)));
    return plan;
  }
  if (shown_lane(row).condition == "paused") plan.answer.add_words("It is paused: they are fetched once it goes on.");
  plan.effect = SignalEffect{workflows::kSignalRetry, activities::write_note(choice)};
  return plan;
}

Result<ActionPlan> plan_approve(ProductParts& parts, const Caller& caller, const v1::ApproveImportRequest& request) {
  TRY(auto subject, subject_of(parts, request.action()));
  TRY_VOID(must_be_open(subject, "approve"));
  const auto& row = subject.row;
  const auto& lane = shown_lane(row);
  if (lane.condition != "needs_attention" || lane.reason != "gaps.approval") {
    return fail(Code::kConflict, fmt::format("approval.not_asked: {} does not ask for approval: it is {}", subject.name,
                                             lane.condition));
  }
  TRY(const auto problems, parts.library.problems(row.id));
  ActionPlan plan = std::move(subject.plan);
  plan.answer.set_calls(row.counters.failed);
  plan.answer.add_words(fmt::format("Approve the gaps of {}: {} of {} calls did not come across ({}).", subject.name,
                                    grouped(row.counters.failed), grouped(row.counters.found), causes_of(problems)));
  plan.answer.add_words(
      "It closes as completed_with_gaps, with your name in its report; its credential is wiped. The "
      "calls can still be tried again afterwards, with a new token.");
  const auto why = activities::cut_text(request.action().why(), activities::kSentenceBytesMax);
  const auto note = json({{"who", caller.person()}, {"why", why}}).dump(-1, ' ', false, json::error_handler_t::replace);
  plan.after = note;
  plan.effect = SignalEffect{workflows::kSignalApprove, note};
  return plan;
}

}  // namespace callimport::api
