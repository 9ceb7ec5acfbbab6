#pragma once
// The two events of a workflow task that may be written long after they happened: those of transient attempts and of
// speculative tasks (conformance C13, C.8).
#include <string>

#include "engine/service/transition.pb.h"

namespace temporal::api::history::v1 {
class History;
class HistoryEvent;
}  // namespace temporal::api::history::v1

namespace callimport::engine {

namespace pb = ::callimport::engine::v1;

/// Attributes only. @param sticky_queue  empty: scheduled on the normal queue.
void fill_task_scheduled(const pb::RunFacts& facts, const pb::WorkflowTask& task, const std::string& sticky_queue,
                         ::temporal::api::history::v1::HistoryEvent* event);
void fill_task_started(const pb::WorkflowTask& task, ::temporal::api::history::v1::HistoryEvent* event);

/// Both, as a worker is shown them before they are stored.
void add_unwritten_events(const pb::RunFacts& facts, const pb::WorkflowTask& task,
                          ::temporal::api::history::v1::History* history);

}  // namespace callimport::engine
