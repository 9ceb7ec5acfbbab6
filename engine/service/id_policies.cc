#include "engine/service/id_policies.h"

#include "engine/service/workflow_tasks.h"

namespace callimport::engine {

std::optional<PortStatus> resolve_policies(IdPolicies* p, enums::WorkflowIdConflictPolicy fallback) {
  const bool asked = p->conflict != enums::WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED;
  if (p->reuse == enums::WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING) {
    if (asked) {
      return errors::invalid(
          "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a "
          "WorkflowIDConflictPolicy");
    }
    *p = {enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING};
    return std::nullopt;
  }
  if (p->reuse == enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE &&
      p->conflict == enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING) {
    return errors::invalid(
        "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with "
        "WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING");
  }
  if (p->reuse == enums::WORKFLOW_ID_REUSE_POLICY_UNSPECIFIED)
    p->reuse = enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE;
  if (!asked) p->conflict = fallback;
  return std::nullopt;
}

/// C3: whether the id of a closed run may be used again.
std::optional<PortStatus> check_reuse(enums::WorkflowIdReusePolicy reuse, const pb::RunSummary& last) {
  const auto& f = last.facts();
  const std::string who = "WorkflowId: " + f.workflow_id() + ", RunId: " + f.run_id() + ". Workflow Id reuse policy: ";
  if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE) {
    return errors::already_started("Workflow execution already finished. " + who + "reject duplicate workflow Id.",
                                   f.start_request_id(), f.run_id());
  }
  const int status = last.progress().status();
  const bool success = status == enums::WORKFLOW_EXECUTION_STATUS_COMPLETED ||
                       status == enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW;
  if (reuse == enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY && success) {
    return errors::already_started(
        "Workflow execution already finished successfully. " + who + "allow duplicate workflow Id if last run failed.",
        f.start_request_id(), f.run_id());
  }
  return std::nullopt;
}

void terminate_for(Draft& draft, const std::string& new_run_id) {
  temporal::api::common::v1::Payloads details;
  auto* payload = details.add_payloads();
  (*payload->mutable_metadata())["encoding"] = "json/plain";
  payload->set_data("\"terminated by new runID: " + new_run_id + "\"");
  terminate_run(draft, "TerminateIfRunning WorkflowIdReusePolicy", &details, kHistoryService);
}

}  // namespace callimport::engine
