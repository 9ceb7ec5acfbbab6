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

void pause_run(Draft& draft, const std::string& identity, const std::string& reason, const std::string& request_id) {
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED);
  auto* out = event.mutable_workflow_execution_paused_event_attributes();
  out->set_identity(identity);
  out->set_reason(reason);
  out->set_request_id(request_id);
  pb::RunProgress& progress = draft.edit_progress();
  progress.set_paused_ns(draft.now());
  progress.set_paused_by(identity);
  progress.set_pause_reason(reason);
  progress.set_pause_request_id(request_id);
}

void unpause_run(Draft& draft, const std::string& identity, const std::string& reason, const std::string& request_id) {
  HistoryEvent& event = draft.record(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UNPAUSED);
  auto* out = event.mutable_workflow_execution_unpaused_event_attributes();
  out->set_identity(identity);
  out->set_reason(reason);
  out->set_request_id(request_id);
  clear_pause(&draft.edit_progress());
}

void clear_pause(pb::RunProgress* progress) {
  progress->set_paused_ns(0);
  progress->clear_paused_by();
  progress->clear_pause_reason();
  progress->clear_pause_request_id();
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
