#pragma once
// What a person asks to be done to an import: planned first, which says what will happen, then written down, then done.
// Private to api/grpc.
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/grpc/deeds.h"
#include "api/grpc/product_internal.h"

namespace callimport::api {

/// What leaves for the workflow once the action is written down. All carry its request id: again changes nothing.
struct SignalEffect {
  std::string name, json;
};
struct CancelEffect {
  std::string reason;
};
struct StartEffect {
  std::string input, task_queue;
  std::optional<std::int64_t> reopens{};  ///< when the import to be tried again had closed: its row opens once it runs
  bool failed_too = false;                ///< and its failed calls become pending; else the run's first step chooses
};
/// Work in the library itself, on the pool; answers what came of it.
struct LibraryEffect {
  std::function<Result<v1::ActionResponse>()> work;
};
using Effect = std::variant<std::monostate, SignalEffect, CancelEffect, StartEffect, LibraryEffect>;

struct ActionPlan {
  v1::ActionResponse answer;  ///< import, words, already, calls, refused
  std::string before = "{}";  ///< JSON, for the record
  std::string after = "{}";
  Effect effect;  ///< nothing: there is nothing to do
  std::optional<storage::ConsentRow> consent;
  std::vector<std::string> calls{};  ///< that the import to be started names
};

/// The plans, one a verb; all read the library only.  @error  with a dotted code first, when it cannot be done.
Result<ActionPlan> plan_start(ProductParts& parts, const Caller& caller, const v1::StartImportRequest& request);
Result<ActionPlan> plan_pause(ProductParts& parts, const Caller& caller, const v1::PauseImportRequest& request);
Result<ActionPlan> plan_resume(ProductParts& parts, const Caller& caller, const v1::ResumeImportRequest& request);
Result<ActionPlan> plan_cancel(ProductParts& parts, const Caller& caller, const v1::CancelImportRequest& request);

Result<ActionPlan> plan_retry(ProductParts& parts, const Caller& caller, const v1::RetryImportRequest& request);
Result<ActionPlan> plan_skip(ProductParts& parts, const Caller& caller, const v1::SkipCallsRequest& request);
Result<ActionPlan> plan_approve(ProductParts& parts, const Caller& caller, const v1::ApproveImportRequest& request);
Result<ActionPlan> plan_set_window(ProductParts& parts, const Caller& caller, const v1::SetWindowRequest& request);
Result<ActionPlan> plan_undo(ProductParts& parts, const Caller& caller, const v1::UndoImportRequest& request);

/// What every plan about an import that is there begins with.
struct Subject {
  storage::ImportRow row;
  std::string name;  ///< "Acme (imp_7f3a)"
  ActionPlan plan;   ///< with import and before
};
Result<Subject> subject_of(ProductParts& parts, const v1::Action& action);
/// The condition of the lane that is shown.
const storage::LaneRow& shown_lane(const storage::ImportRow& row);
/// @error kConflict  import.closed: what the verb would have needed an open one for.
Result<> must_be_open(const Subject& subject, std::string_view doing);

/// `acted`: false when the same request had been carried out before.
using OnCarriedOut = std::function<void(const PortStatus& status, bool acted)>;
/// Sends what an effect asks for; `done` comes on the loop. Not for LibraryEffect.
void carry_out(ProductParts& parts, const std::string& import, const std::string& request_id, const Effect& effect,
               OnCarriedOut done);

}  // namespace callimport::api
