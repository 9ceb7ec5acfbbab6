// What retry and approve will do about the calls that did not come.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "activities/import/contract.h"
#include "activities/import/texts.h"
#include "api/grpc/gap_choice.h"
#include "api/grpc/product_actions.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

using activities::grouped;
using activities::RetryNote;
using nlohmann::json;
using storage::CallState;

constexpr std::string_view kNeverAgain = "its id cannot be asked for, now or ever";

/// Why this call is not tried again; empty: it is.
std::string refusal_of(const std::optional<storage::ManifestRow>& row) {
  if (!row) return "this import has not found a call of this id";
  switch (row->state) {
    case CallState::kRegistered:
    case CallState::kDuplicate: return "it is in the library already and is never fetched again";
    case CallState::kPending:
    case CallState::kStaged: return "it has not failed: it is still to come";
    case CallState::kSkipped:
      if (row->set_aside) return "somebody said that it will not come; skip --undo takes that back";
      return "it was left out on purpose (" + row->cause + ")";
    case CallState::kFailed: break;
  }
  return row->cause == storage::kCauseIdUnusable ? std::string(kNeverAgain) : std::string();
}

/// What a cause or all failed calls come to; the choice stays as it is.
Result<> sort_out_many(ProductParts& parts, const std::string& import, const RetryNote& choice,
                       v1::ActionResponse& answer) {
  TRY(const auto failed, parts.library.failed_calls(import, choice.cause));
  TRY(const auto never, parts.library.failed_calls(import, std::string(storage::kCauseIdUnusable)));
  const bool among_them = choice.cause.empty() || choice.cause == storage::kCauseIdUnusable;
  answer.set_calls(among_them ? failed - never : failed);
  if (among_them) refuse_many(answer, never, kNeverAgain);
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

}  // namespace

Result<ActionPlan> plan_retry(ProductParts& parts, const Caller& caller, const v1::RetryImportRequest& request) {
  const bool chooses = request.failed() || !request.cause().empty() || !request.calls().empty();
  if (request.now() == chooses)
    return fail(Code::kInvalid, "retry wants one of: all failed calls, a cause, calls, now");
  RetryNote choice;
  if (chooses) {
    TRY(choice, choice_of("retry", caller, request));
  }
  TRY(auto subject, subject_of(parts, request.action()));
  if (request.now()) return plan_now(std::move(subject), caller);
  const auto& row = subject.row;
  if (row.bulk.condition == "undone")
    return fail(Code::kConflict, "import.undone: " + subject.name + " was taken back; start another import instead");
  ActionPlan plan = std::move(subject.plan);
  TRY_VOID(must_have_met(parts.library, subject, choice.cause));
  if (choice.calls.empty()) {
    TRY_VOID(sort_out_many(parts, row.id, choice, plan.answer));
  } else {
    TRY_VOID(sort_out_calls(parts.library, row.id, choice, refusal_of, plan.answer));
  }
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
