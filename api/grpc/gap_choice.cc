#include "api/grpc/gap_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "activities/import/texts.h"
#include "storage/model/spelling.h"

namespace callimport::api {
namespace {

using activities::grouped;
using activities::RetryNote;

constexpr std::size_t kCausesShown = 5;
constexpr std::size_t kIdBytesShown = 200;

}  // namespace

Result<RetryNote> choice_from(std::string_view verb, const Caller& caller, const std::string& why, bool failed,
                              const std::string& cause, const std::set<std::string>& calls) {
  const int chosen = (failed ? 1 : 0) + (cause.empty() ? 0 : 1) + (calls.empty() ? 0 : 1);
  if (chosen != 1) return fail(Code::kInvalid, fmt::format("{} wants one of: all failed calls, a cause, calls", verb));
  std::size_t bytes = cause.size();
  for (const auto& id : calls) bytes += id.size();
  if (calls.size() > kGapCallsMax || bytes > kGapIdsBytesMax) {
    return fail(Code::kInvalid, fmt::format("one {} names {} calls and {} KiB of ids at most; take --cause or --failed",
                                            verb, kGapCallsMax, kGapIdsBytesMax >> 10));
  }
  RetryNote choice;
  choice.failed = failed;
  choice.cause = cause;
  choice.calls.assign(calls.begin(), calls.end());
  choice.who = caller.person();
  choice.why = activities::cut_text(why, activities::kSentenceBytesMax);
  return choice;
}

std::string causes_of(const std::vector<storage::Problem>& problems) {
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), kCausesShown); ++i)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", grouped(problems[i].calls), problems[i].cause);
  return problems.size() > kCausesShown ? text + " and others" : text;
}

Result<> must_have_met(storage::Library& library, const Subject& subject, const std::string& cause) {
  if (cause.empty()) return {};
  TRY(const auto problems, library.problems(subject.row.id));
  TRY(auto causes, library.causes_met(subject.row.id));
  for (const auto& problem : problems) causes.push_back(problem.cause);
  if (std::find(causes.begin(), causes.end(), cause) != causes.end()) return {};
  const auto meant = nearest(cause, causes);
  return fail(Code::kNotFound,
              fmt::format("cause.unknown: no call of {} failed for {}{}; {}", subject.name,
                          activities::cut_text(cause, kIdBytesShown), meant ? ", did you mean " + *meant + "?" : "",
                          problems.empty() ? "it has no trouble" : "it has " + causes_of(problems)));
}

void refuse(v1::ActionResponse& answer, const std::string& source_id, std::string reason) {
  answer.set_refused_calls(answer.refused_calls() + 1);
  if (answer.refused_size() >= static_cast<int>(kRefusedShownMax)) return;
  auto& one = *answer.add_refused();
  one.set_source_id(source_id);
  one.set_reason(std::move(reason));
}

void refuse_many(v1::ActionResponse& answer, std::int64_t calls, std::string_view reason) {
  if (calls == 0) return;
  refuse(answer, fmt::format("{} calls", grouped(calls)), std::string(reason));
  answer.set_refused_calls(answer.refused_calls() - 1 + calls);
}

Result<> sort_out_calls(storage::Library& library, const std::string& import, RetryNote& choice, Refusal refusal,
                        v1::ActionResponse& answer) {
  std::vector<std::string> accepted;
  for (const auto& id : choice.calls) {
    TRY(const auto row, library.manifest_row(import, id));
    auto reason = refusal(row);
    if (reason.empty()) {
      accepted.push_back(id);
    } else {
      refuse(answer, activities::cut_text(id, kIdBytesShown), std::move(reason));
    }
  }
  choice.calls = std::move(accepted);
  answer.set_calls(static_cast<std::int64_t>(choice.calls.size()));
  return {};
}

}  // namespace callimport::api
