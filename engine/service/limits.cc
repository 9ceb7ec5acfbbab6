#include "engine/service/limits.h"

#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/enums/v1/workflow.pb.h"

namespace callimport::engine {

std::optional<std::string> growth_error(const Draft& draft, const EmbeddedOptions& options, int more_events) {
  const bool stays_open = draft.progress().status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  if (!stays_open || !draft.changed() || draft.in_memory_only()) return std::nullopt;
  if (draft.run().history.history_bytes() > static_cast<std::int64_t>(options.history_bytes_max)) {
    return "Workflow history size exceeds limit.";
  }
  if (draft.next_event_id() - 1 + more_events > options.history_events_max) {
    return "Workflow history count exceeds limit.";
  }
  if (draft.state_bytes() > static_cast<std::int64_t>(options.state_bytes_max)) {
    return "Workflow mutable state size exceeds limit.";
  }
  return std::nullopt;
}

bool buffers_too_much(const Draft& draft, const EmbeddedOptions& options) {
  return draft.buffering() && (draft.buffered_count() > static_cast<std::size_t>(options.buffered_events_max) ||
                               draft.buffered_bytes() > options.buffered_bytes_max);
}

std::size_t fields_bytes(const google::protobuf::Map<std::string, temporal::api::common::v1::Payload>& fields) {
  std::size_t bytes = 0;
  for (const auto& [name, payload] : fields) bytes += name.size() + payload.data().size();
  return bytes;
}

}  // namespace callimport::engine
