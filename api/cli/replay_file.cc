#include "api/cli/replay_file.h"

#include <temporal/api/history/v1/message.pb.h>

#include "engine/history/history_file.h"
#include "engine/worker.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {

Result<std::vector<ReplayOutcome>> replay_file(std::string_view bytes) {
  TRY(const auto histories, engine::read_histories(bytes));
  if (histories.empty()) return fail(Code::kInvalid, "there is no history in it");
  std::vector<ReplayOutcome> outcomes;
  for (const auto& history : histories) {
    if (history.events_size() == 0 || !history.events(0).has_workflow_execution_started_event_attributes()) {
      return fail(Code::kInvalid, "not a history: its first event is not WorkflowExecutionStarted");
    }
    ReplayOutcome outcome;
    outcome.events = history.events_size();
    outcome.type = history.events(0).workflow_execution_started_event_attributes().workflow_type().name();
    if (outcome.type != workflows::kImportWorkflow) {
      return fail(Code::kInvalid, "a history of workflow type " + outcome.type + ": this program has the code of " +
                                      workflows::kImportWorkflow + " only");
    }
    engine::ReplayDifference difference;
    const auto replayed = engine::replay(history, workflows::import_workflow, &difference);
    outcome.same = replayed.has_value();
    if (!replayed && replayed.error().code != Code::kNondeterministic) return tl::unexpected(replayed.error());
    outcome.event = difference.event_id;
    outcome.expected = difference.expected;
    outcome.got = difference.got;
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace callimport::api
