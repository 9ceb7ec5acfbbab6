#include <temporal/api/history/v1/message.pb.h>

#include "engine/worker.h"
#include "engine/worker/run.h"

namespace callimport::engine {

Result<> replay(const temporal::api::history::v1::History& history, const WorkflowFunction& function,
                ReplayDifference* difference) {
  if (history.events_size() == 0) return fail(Code::kInvalid, "an empty history");
  worker::Run run(function, {}, {}, {});
  auto result = run.apply(history.events(), worker::Delivery::Whole);
  if (result || result.error().code == Code::kInvalid) return result;
  if (result.error().code == Code::kCorrupt) return fail(Code::kInvalid, result.error().message);
  if (difference != nullptr) *difference = run.difference();
  return result;
}

}  // namespace callimport::engine
