// What actions send to the workflow service.
#include <temporal/api/errordetails/v1/message.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include "api/grpc/product_actions.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

namespace service = ::temporal::api::workflowservice::v1;
using Done = OnCarriedOut;

constexpr const char* kIdentity = "callimport.v1";

void add_json(::temporal::api::common::v1::Payloads& payloads, const std::string& text) {
  auto& payload = *payloads.add_payloads();
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(text);
}

struct Sender {
  ProductParts& parts;
  const std::string& import;
  const std::string& request_id;
  Done done;

  void operator()(const SignalEffect& effect) const {
    service::SignalWorkflowExecutionRequest request;
    request.set_namespace_(parts.name_space);
    request.mutable_workflow_execution()->set_workflow_id(import);
    request.set_signal_name(effect.name);
    request.set_identity(kIdentity);
    request.set_request_id(request_id);
    if (!effect.json.empty()) add_json(*request.mutable_input(), effect.json);
    parts.service.SignalWorkflowExecution(request, {},
                                          [done = done](const PortStatus& status, auto*) { done(status, true); });
  }
  void operator()(const CancelEffect& effect) const {
    service::RequestCancelWorkflowExecutionRequest request;
    request.set_namespace_(parts.name_space);
    request.mutable_workflow_execution()->set_workflow_id(import);
    request.set_identity(kIdentity);
    request.set_request_id(request_id);
    request.set_reason(effect.reason);
    parts.service.RequestCancelWorkflowExecution(
        request, {}, [done = done](const PortStatus& status, auto*) { done(status, true); });
  }
  void operator()(const StartEffect& effect) const {
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_(parts.name_space);
    request.set_workflow_id(import);
    request.mutable_workflow_type()->set_name(workflows::kImportWorkflow);
    request.mutable_task_queue()->set_name(effect.task_queue);
    add_json(*request.mutable_input(), effect.input);
    request.set_identity(kIdentity);
    request.set_request_id(request_id);
    request.set_workflow_id_reuse_policy(::temporal::api::enums::v1::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    parts.service.StartWorkflowExecution(request, {}, [done = done](const PortStatus& status, auto* response) {
      if (status.code == kGrpcAlreadyExists)
        return done({kGrpcAlreadyExists, "import.running: it runs already", {}, {}}, false);
      done(status, response != nullptr && response->started());
    });
  }
  void operator()(const LibraryEffect&) const { done({}, false); }
  void operator()(std::monostate) const { done({}, false); }
};

}  // namespace

void carry_out(ProductParts& parts, const std::string& import, const std::string& request_id, const Effect& effect,
               Done done) {
  std::visit(Sender{parts, import, request_id, std::move(done)}, effect);
}

}  // namespace callimport::api
