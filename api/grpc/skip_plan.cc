// What skip will do: calls that failed and will not come stop counting as trouble, until somebody puts them back.
#include <fmt/format.h>

#include "activities/import/texts.h"
#include "api/grpc/gap_choice.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

using activities::grouped;
using activities::RetryNote;
using storage::CallState;
using Row = std::optional<storage::ManifestRow>;

constexpr std::string_view kWordsOnly = "they are in the library; only their transcripts are missing";

std::string not_to_skip(const Row& row) {
  if (!row) return "this import has not found a call of this id";
  switch (row->state) {
    case CallState::kRegistered:
    case CallState::kDuplicate: return "it is in the library already";
    case CallState::kPending:
    case CallState::kStaged: return "it has not failed: it is still to come";
    case CallState::kSkipped: return "it is skipped already (" + row->cause + ")";
    case CallState::kFailed: break;
  }
  return {};
}

std::string not_to_put_back(const Row& row) {
  if (!row) return "this import has not found a call of this id";
  return row->set_aside ? std::string() : "nobody has set it aside";
}

/// What a cause or all of them come to.
Result<> sort_out_many(storage::Library& library, const std::string& import, const RetryNote& choice,
                       v1::ActionResponse& answer) {
  TRY(const auto problems, library.problems(import));
  std::int64_t calls = 0;
  for (const auto& problem : problems) {
    if (!choice.cause.empty() && problem.cause != choice.cause) continue;
    if (!storage::wordless_state(problem.cause).empty()) {
      if (!choice.cause.empty()) refuse_many(answer, problem.calls, kWordsOnly);
      continue;
    }
    calls += choice.deed == activities::kPutBack ? problem.set_aside : problem.failed;
  }
  answer.set_calls(calls);
  return {};
}

void say(const Subject& subject, const RetryNote& choice, v1::ActionResponse& answer) {
  const auto calls = grouped(answer.calls()), refused = grouped(answer.refused_calls());
  if (choice.deed == activities::kPutBack) {
    answer.add_words(fmt::format("Put back {} calls of {}: they count as failed again and can be retried; {} refused.",
                                 calls, subject.name, refused));
  } else {
    answer.add_words(
        fmt::format("Skip {} calls of {}: they will not come, and count as skipped instead of failed; {} refused.",
                    calls, subject.name, refused));
  }
  if (answer.calls() == 0) return;
  if (choice.deed == activities::kSetAside)
    answer.add_words("Nothing is removed, their causes stay on record, and skip --undo takes it back.");
  if (subject.row.closed_ms)
    answer.add_words(
        "It has ended: its report stays as it was written then; lists and figures count them anew from now on.");
}

/// Of an import that has ended: nothing runs for it that would have to know.
Effect in_the_library(ProductParts& parts, const Subject& subject, const RetryNote& choice,
                      const v1::ActionResponse& answer) {
  return LibraryEffect{[&parts, import = subject.row.id, closed_ms = subject.row.closed_ms, choice,
                        answer]() -> Result<v1::ActionResponse> {
    auto done = answer;
    TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
      TRY(const auto row, tx.import(import));
      if (row.closed_ms != closed_ms)
        return fail(Code::kConflict, "import.changed: " + import + " was opened again meanwhile");
      const storage::GapChoice gaps{choice.cause, choice.calls};
      const bool back = choice.deed == activities::kPutBack;
      auto moved = back ? tx.put_back(import, gaps) : tx.set_aside(import, gaps);
      if (!moved) return tl::unexpected(moved.error());
      done.set_calls(*moved);
      return {};
    }));
    return done;
  }};
}

}  // namespace

Result<ActionPlan> plan_skip(ProductParts& parts, const Caller& caller, const v1::SkipCallsRequest& request) {
  TRY(auto choice, choice_of("skip", caller, request));
  choice.deed = request.undo() ? activities::kPutBack : activities::kSetAside;
  TRY(auto subject, subject_of(parts, request.action()));
  const auto& row = subject.row;
  if (row.bulk.condition == "undone")
    return fail(Code::kConflict, "import.undone: " + subject.name + " was taken back; nothing of it counts any more");
  TRY_VOID(must_have_met(parts.library, subject, choice.cause));
  ActionPlan plan = std::move(subject.plan);
  if (choice.calls.empty()) {
    TRY_VOID(sort_out_many(parts.library, row.id, choice, plan.answer));
  } else {
    const Refusal refusal = request.undo() ? not_to_put_back : not_to_skip;
    TRY_VOID(sort_out_calls(parts.library, row.id, choice, refusal, plan.answer));
  }
  say(subject, choice, plan.answer);
  if (plan.answer.calls() == 0) {
    plan.answer.set_already(plan.answer.refused_calls() == 0);
    return plan;
  }
  plan.after = activities::write_note(choice);
  if (row.closed_ms) {
    plan.effect = in_the_library(parts, subject, choice, plan.answer);
  } else {
    plan.effect = SignalEffect{workflows::kSignalRetry, activities::write_note(choice)};
  }
  return plan;
}

}  // namespace callimport::api
