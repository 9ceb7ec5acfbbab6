// Undo: what an import brought leaves the library again, in portions, so that others can write in between; a repeat
// goes on where one that was cut off stopped.
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "activities/import/contract.h"
#include "activities/import/texts.h"
#include "activities/import/unneeded_media.h"
#include "activities/notify/events.h"
#include "api/grpc/product_actions.h"
#include "workflows/import/table.h"

namespace callimport::api {
namespace {

using activities::grouped;
using nlohmann::json;
using storage::ImportRow;
using storage::LibraryTx;

inline constexpr int kCallsAtOnce = 100;  ///< of one transaction
inline constexpr int kCallsShown = 10;
inline constexpr std::int64_t kDayMs = 86'400'000;

/// Who takes it back, and when.
struct Undoing {
  std::string import, who, why;
  std::int64_t at_ms = 0;
};

Result<> mark(LibraryTx& tx, const Undoing& undoing) {
  TRY(const ImportRow row, tx.import(undoing.import));
  for (const auto lane : {storage::Lane::kFirst, storage::Lane::kBulk}) {
    storage::LaneRow now = lane == storage::Lane::kFirst ? row.first : row.bulk;
    if (now.condition == "undone") continue;
    const auto stage = workflows::parse_stage(now.stage);
    const auto condition = workflows::parse_condition(now.condition);
    const auto to =
        stage && condition ? workflows::advance({*stage, *condition}, workflows::Event::kUndoAsked) : std::nullopt;
    if (!to) return fail(Code::kConflict, "import.open: a lane of " + row.id + " is " + now.condition);
    now.condition = to_string(to->condition);
    now.reason.clear();
    now.until_ms.reset();
    now.who = undoing.who;
    now.why = undoing.why;
    TRY_VOID(tx.set_lane(row.id, lane, now, undoing.at_ms));
  }
  return {};
}

Result<> conclude(LibraryTx& tx, const Undoing& undoing, std::int64_t removed) {
  TRY(const ImportRow row, tx.import(undoing.import));
  auto report = json::parse(row.report, nullptr, false);
  if (!report.is_object()) report = json::object();
  const auto before = report.contains("undone") ? report["undone"].value("calls", std::int64_t{0}) : 0;
  report["undone"] = {{"by", undoing.who}, {"why", undoing.why}, {"at_ms", undoing.at_ms}, {"calls", before + removed}};
  const auto text = report.dump(-1, ' ', false, json::error_handler_t::replace);
  TRY_VOID(tx.close_import(row.id, row.closed_ms.value_or(undoing.at_ms), text));
  storage::Notification told;
  told.import = row.id;
  told.at_ms = undoing.at_ms;
  told.event = "import.undone";
  told.subject = activities::subject_of(row);
  told.text =
      fmt::format("{} took the import back: {} calls were removed from the library.", undoing.who, grouped(removed));
  told.next = "Nothing to do. Another import can fetch them again while the platform has them.";
  told.weight = activities::to_string(activities::find_event(told.event)->weight);
  return tx.notify(told);
}

Result<std::int64_t> remove_calls(storage::Library& library, const std::string& import) {
  storage::UndoPortion portion;
  portion.after_start_ms = std::numeric_limits<std::int64_t>::min();
  while (!portion.done) {
    TRY_VOID(library.change([&](LibraryTx& tx) -> Result<> {
      TRY(portion, tx.undo_calls(import, portion, kCallsAtOnce));
      return {};
    }));
  }
  return portion.removed;
}

Result<v1::ActionResponse> undo(ProductParts& parts, const Undoing& undoing) {
  TRY_VOID(parts.library.change([&](LibraryTx& tx) { return mark(tx, undoing); }));
  TRY(const auto calls, remove_calls(parts.library, undoing.import));
  TRY_VOID(parts.library.change([&](LibraryTx& tx) { return conclude(tx, undoing, calls); }));
  TRY(const auto files, activities::remove_unneeded_media(parts.library, parts.media));
  v1::ActionResponse answer;
  answer.set_import(undoing.import);
  answer.set_calls(calls);
  answer.add_words(fmt::format("{} calls and {} recordings were removed.", grouped(calls), grouped(files)));
  return answer;
}

Result<> may_be_undone(const ProductParts& parts, const Subject& subject, std::int64_t now_ms) {
  if (!subject.row.closed_ms)
    return fail(Code::kConflict, "import.open: " + subject.name + " is still running; cancel it first");
  const auto until_ms = *subject.row.closed_ms + parts.undo_days * kDayMs;
  if (now_ms <= until_ms) return {};
  return fail(Code::kConflict,
              fmt::format("undo.too_late: {} ended more than {} days ago", subject.name, parts.undo_days));
}

Result<> list_calls(ProductParts& parts, const std::string& import, v1::ActionResponse& answer) {
  storage::CallFilter filter;
  filter.import = import;
  TRY(const auto calls, parts.library.calls(filter, "", kCallsShown));
  for (const auto& call : calls) {
    answer.add_words(fmt::format("  {}  {}  {}",
                                 format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(call.start_ms))),
                                 call.source_id, activities::cut_text(call.title, 100)));
  }
  return {};
}

}  // namespace

Result<ActionPlan> plan_undo(ProductParts& parts, const Caller& caller, const v1::UndoImportRequest& request) {
  TRY(auto subject, subject_of(parts, request.action()));
  const auto now_ms = to_unix_ms(parts.clock.now());
  TRY_VOID(may_be_undone(parts, subject, now_ms));
  TRY(const auto facts, parts.library.undo_facts(subject.row.id));
  ActionPlan plan = std::move(subject.plan);
  plan.answer.set_calls(facts.calls);
  const bool undone = subject.row.bulk.condition == "undone";
  if (undone && facts.calls == 0 && (facts.media_left == 0 || facts.open_imports > 0)) {
    plan.answer.set_already(true);
    plan.answer.add_words(subject.name + " was taken back already.");
    return plan;
  }
  plan.answer.add_words(
      fmt::format("Undo {}: {} calls that it brought leave the library, with their transcripts and "
                  "{} MB of recordings; search no longer finds them. The newest:",
                  subject.name, grouped(facts.calls), grouped(facts.media_bytes / 1'000'000)));
  TRY_VOID(list_calls(parts, subject.row.id, plan.answer));
  if (facts.held > 0)
    plan.answer.add_words(
        fmt::format("{} calls stay: another import counts on them, or has changed them.", grouped(facts.held)));
  if (facts.open_imports > 0)
    plan.answer.add_words("Recordings stay on disk while an import is open; undo again afterwards removes them.");
  plan.answer.add_words(
      "The report, the timeline and the audit log stay. It cannot be brought back; another import can "
      "fetch the calls again while the platform has them.");
  plan.after = json({{"condition", "undone"}, {"calls", facts.calls}, {"held", facts.held}}).dump();
  Undoing undoing{subject.row.id, caller.person(),
                  activities::cut_text(request.action().why(), activities::kSentenceBytesMax), now_ms};
  plan.effect = LibraryEffect{[&parts, undoing = std::move(undoing)] { return undo(parts, undoing); }};
  return plan;
}

}  // namespace callimport::api
