// What setting another window will do to an import that runs.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "activities/import/contract.h"
#include "api/grpc/product_actions.h"
#include "storage/windows/time_window.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

using nlohmann::json;

std::string dumped(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string opening_of(const storage::TimeWindow& window, Timestamp now) {
  if (window.always()) return "Bulk may run at any hour then.";
  if (const auto closes = window.closes_at(now))
    return fmt::format("It is open then, until {}.", storage::spoken_moment(*closes, window.zone()));
  const auto opens = window.next_opening(now);
  return fmt::format("It is closed then, and opens at {}.",
                     opens ? storage::spoken_moment(*opens, window.zone()) : std::string("no time"));
}

}  // namespace

Result<ActionPlan> plan_set_window(ProductParts& parts, const Caller& caller, const v1::SetWindowRequest& request) {
  TRY(auto subject, subject_of(parts, request.action()));
  TRY_VOID(must_be_open(subject, "set a window for"));
  const auto ask = activities::read_note<activities::ImportInput>(subject.row.input);
  if (!ask) return fail(Code::kConflict, "the window of " + subject.row.id + " is not known here");
  const Timestamp now = parts.clock.now();
  const std::string zone = request.zone().empty() ? ask->zone : request.zone();
  TRY(const auto window, storage::TimeWindow::parse(request.window(), zone));
  if (!window.next_opening(now)) return fail(Code::kInvalid, "this window never opens from now on");
  ActionPlan plan = std::move(subject.plan);
  if (request.window() == ask->window && zone == ask->zone) {
    plan.answer.set_already(true);
    plan.answer.add_words(fmt::format("The window of {} is that already.", subject.name));
    return plan;
  }
  const std::string known = ask->window.empty() ? std::string(storage::kWindowAlways) : ask->window;
  plan.answer.add_words(
      fmt::format("The window of {} is \"{}\"; it becomes \"{}\".", subject.name, known, request.window()));
  plan.answer.add_words(opening_of(window, now));
  plan.answer.add_words("It holds from the next call on; calls under way end.");
  plan.before = dumped({{"window", known}, {"zone", ask->zone}});
  plan.after = dumped({{"window", request.window()}, {"zone", zone}});
  const auto why = activities::cut_text(request.action().why(), activities::kSentenceBytesMax);
  plan.effect =
      SignalEffect{workflows::kSignalSetWindow,
                   dumped({{"window", request.window()}, {"zone", zone}, {"who", caller.person()}, {"why", why}})};
  return plan;
}

}  // namespace callimport::api
