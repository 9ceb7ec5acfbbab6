#pragma once
// What is changed about a running run from outside, each time with one WorkflowExecutionOptionsUpdated event: requests
// attached to it (C6) and the versioning override (C.10).
#include <string>

#include "engine/service/draft.h"

namespace callimport::engine {

using OptionsUpdated = ::temporal::api::history::v1::WorkflowExecutionOptionsUpdatedEventAttributes;

/// Writes the event and what it means. No workflow task is due for it.
void update_options(Draft& draft, const OptionsUpdated& change);

/// The override after the event.
void apply_override(const OptionsUpdated& change, pb::RunProgress* progress);
/// The request an event attached; its id is 0 while the event is buffered.
pb::AttachedRequest attached_by(const HistoryEvent& event);

/// The run's tasks are handed out no more until it goes on; what happens to it is recorded all the same.
void pause_run(Draft& draft, const std::string& identity, const std::string& reason, const std::string& request_id);
void unpause_run(Draft& draft, const std::string& identity, const std::string& reason, const std::string& request_id);
void clear_pause(pb::RunProgress* progress);

/// How DescribeWorkflowExecution shows an override: with the older fields of the same meaning filled in.
temporal::api::workflow::v1::VersioningOverride shown_override(
    const temporal::api::workflow::v1::VersioningOverride& override);

}  // namespace callimport::engine
