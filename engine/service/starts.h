#pragma once
// The first transition of a run: by a client, by signal-with-start, as continue-as-new or as a retry (conformance C.1,
// C.5).
#include <cstdint>
#include <string>

#include "engine/service/draft.h"
#include "temporal/api/history/v1/message.pb.h"

namespace temporal::api::update::v1 {
class Request;
}

namespace callimport::engine {

using StartedAttributes = ::temporal::api::history::v1::WorkflowExecutionStartedEventAttributes;

struct FirstSignal {
  std::string name, identity, request_id;
  const temporal::api::common::v1::Payloads* input = nullptr;
  const temporal::api::common::v1::Header* header = nullptr;
};

struct StartPlan {
  StartedAttributes attributes;  ///< whole, but for run ids
  std::string name_space, run_id, request_id;
  std::int64_t namespace_number = 0;
  const temporal::api::sdk::v1::UserMetadata* user_metadata = nullptr;
  const FirstSignal* signal = nullptr;
  const temporal::api::update::v1::Request* update = nullptr;  ///< admitted together with the run
};

/// Writes Started, the signal if any, and the first WorkflowTaskScheduled unless a backoff runs. `draft` is of an empty
/// Run.
void start_run(Draft& draft, StartPlan plan);

/// WorkflowExecutionSignaled, once per request id; buffers while a task is started.
void signal_run(Draft& draft, const FirstSignal& signal,
                const temporal::api::common::v1::WorkflowExecution* external = nullptr);

/// C7: run timeout = min(run, execution), task timeout default 10 s and at most 120 s and the run's. 0: unlimited.
struct RunTimeouts {
  std::int64_t execution = 0, run = 0, task = 0;
};
RunTimeouts clip_timeouts(RunTimeouts asked);

}  // namespace callimport::engine
