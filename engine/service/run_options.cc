#include "engine/service/run_options.h"

#include <utility>

namespace callimport::engine {

void update_options(Draft& draft, const OptionsUpdated& change) {
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  event.set_worker_may_ignore(true);
  *event.mutable_workflow_execution_options_updated_event_attributes() = change;
  if (!change.attached_request_id().empty()) draft.attach_request(attached_by(event));
  apply_override(change, &draft.edit_progress());
}

void apply_override(const OptionsUpdated& change, pb::RunProgress* progress) {
  if (change.unset_versioning_override()) progress->clear_versioning_override();
  if (change.has_versioning_override()) *progress->mutable_versioning_override() = change.versioning_override();
}

pb::AttachedRequest attached_by(const HistoryEvent& event) {
  pb::AttachedRequest out;
  out.set_request_id(event.workflow_execution_options_updated_event_attributes().attached_request_id());
  out.set_event_type(event.event_type());
  out.set_event_id(event.event_id());
  return out;
}

temporal::api::workflow::v1::VersioningOverride shown_override(
    const temporal::api::workflow::v1::VersioningOverride& override) {
  temporal::api::workflow::v1::VersioningOverride out = override;
  if (override.has_pinned()) {
    const auto& version = override.pinned().version();
    out.set_behavior(enums::VERSIONING_BEHAVIOR_PINNED);
    out.set_pinned_version(version.deployment_name() + "." + version.build_id());
  } else if (override.auto_upgrade()) {
    out.set_behavior(enums::VERSIONING_BEHAVIOR_AUTO_UPGRADE);
  }
  return out;
}

}  // namespace callimport::engine
