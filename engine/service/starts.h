#pragma once
// The first transition of a run: by a client, by signal-with-start, by a parent, as continue-as-new, retry or cron
// (conformance C.1, C.5, C.12); and what reaches a run from outside later: signals and cancel requests.
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
  int parent_close_policy = 0;  ///< of a child; the rest of its family is in the attributes
};

/// Writes Started, the signal if any, and the first WorkflowTaskScheduled unless a backoff runs. `draft` is of an empty
/// Run. A child's first task is a batch of its own: it comes after its parent recorded the start (E10).
void start_run(Draft& draft, StartPlan plan);

/// C10: the first moment of the cron schedule, if there is one, in whole seconds from now, and the initiator.
void set_first_backoff(const std::string& cron_schedule, std::int64_t now_ns, StartedAttributes* out);
/// The end of the execution timeout, truncated to milliseconds.
void set_expiration(std::int64_t when_ns, StartedAttributes* out);

/// WorkflowExecutionSignaled, once per request id; buffers while a task is started.
void signal_run(Draft& draft, const FirstSignal& signal,
                const temporal::api::common::v1::WorkflowExecution* external = nullptr);

struct CancelRequest {
  std::string cause, identity, request_id;
  const temporal::api::common::v1::WorkflowExecution* external = nullptr;  ///< who asks, when it is a workflow
  std::int64_t external_initiated = 0;
};
/// WorkflowExecutionCancelRequested, once a run (C.6), and a task for it; ends a first backoff. @return false: it was
/// requested before.
bool request_cancel_run(Draft& draft, const CancelRequest& request);

/// C7: run timeout = min(run, execution), task timeout default 10 s and at most 120 s and the run's. 0: unlimited.
struct RunTimeouts {
  std::int64_t execution = 0, run = 0, task = 0;
};
RunTimeouts clip_timeouts(RunTimeouts asked);

}  // namespace callimport::engine
