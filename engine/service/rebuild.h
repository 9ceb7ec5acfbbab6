#pragma once
// A run's state as its events alone tell it: what a reset begins with (conformance C.11). The one place that knows what
// each kind of event does to the state; live, decisions make the same changes beside the events they write.
#include <cstdint>
#include <string>
#include <vector>

#include "engine/service/run_state.h"

namespace callimport::engine {

/// `run` is empty but for its facts. Afterwards it holds `batches` and the state after their last event: pending
/// workflow task, activities (not started, attempt 1, scheduled at `now_ns`), timers, updates, memo, search attributes,
/// requests. What no event tells is as at a start: stickiness, queries, heartbeats, failed attempts.
void rebuild(const std::vector<pb::Batch>& batches, std::int64_t now_ns, Run* run);

}  // namespace callimport::engine
