// StartBatchOperation, DescribeBatchOperation, ListBatchOperations and StopBatchOperation (conformance C.16).
#include <algorithm>
#include <utility>

#include "engine/service/internal/batch_requests.h"
#include "engine/service/internal/core.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "storage/model/ensure.h"

namespace callimport::engine {
namespace {

constexpr int kListPageMax = 1000;

}  // namespace

void Service::StartBatchOperation(const BatchRequest& request, CallContext context,
                                  Reply<api::StartBatchOperationResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_batch(request)) return refuse(std::move(call), std::move(*wrong));
  Namespace& in = space(request.namespace_());
  for (const auto& [job, key] : in.batches) {
    if (open_.at(key)->batch_progress.state() == enums::BATCH_OPERATION_STATE_RUNNING) {
      return refuse(std::move(call), errors::concurrent_limit("Max concurrent batch operations is reached"));
    }
  }
  if (const auto it = in.batches.find(request.job_id()); it != in.batches.end()) {
    const std::string& run_id = open_.at(it->second)->facts.run_id();
    return refuse(
        std::move(call),
        errors::already_started("Workflow execution already finished. WorkflowId: " + request.job_id() +
                                    ", RunId: " + run_id + ". Workflow Id reuse policy: reject duplicate workflow Id.",
                                "", run_id));
  }
  PortStatus error;
  const auto total = count_batch(request, &error);
  if (!total) return refuse(std::move(call), std::move(error));
  pb::RunFacts facts;
  facts.set_kind(pb::RUN_KIND_BATCH);
  facts.set_name_space(in.name);
  facts.set_namespace_number(in.state.number());
  facts.set_workflow_id(request.job_id());
  facts.set_run_id(new_uuid());
  open_record(std::move(facts), [&](Draft& draft) {
    pb::BatchState batch;
    batch.set_start_ns(now_ns());
    batch.set_request(request.SerializeAsString());
    batch.set_end_run(draft.run().key);
    draft.set_batch(std::move(batch));
    pb::BatchProgress progress;
    progress.set_state(enums::BATCH_OPERATION_STATE_RUNNING);
    progress.set_total(*total);
    progress.set_next_ns(now_ns());
    draft.set_batch_progress(std::move(progress));
  });
  answer(std::move(call), api::StartBatchOperationResponse());
}

void Service::DescribeBatchOperation(const api::DescribeBatchOperationRequest& request, CallContext context,
                                     Reply<api::DescribeBatchOperationResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (request.job_id().empty()) return refuse(std::move(call), errors::invalid("JobId is not set on request."));
  PortStatus error;
  const Found found = find_batch(request.namespace_(), request.job_id(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  const pb::BatchState& batch = *found.open->batch;
  const pb::BatchProgress& progress = found.open->batch_progress;
  BatchRequest asked;
  ENSURE(asked.ParseFromString(batch.request()));
  api::DescribeBatchOperationResponse out;
  out.set_operation_type(batch_type(asked));
  out.set_job_id(asked.job_id());
  out.set_state(static_cast<enums::BatchOperationState>(progress.state()));
  set_nanos(out.mutable_start_time(), batch.start_ns());
  if (progress.close_ns() != 0) set_nanos(out.mutable_close_time(), progress.close_ns());
  out.set_total_operation_count(progress.total());
  out.set_complete_operation_count(progress.complete());
  out.set_failure_operation_count(progress.failed());
  out.set_identity(batch_identity(asked));
  out.set_reason(asked.reason());
  answer(std::move(call), std::move(out));
}

void Service::ListBatchOperations(const api::ListBatchOperationsRequest& request, CallContext context,
                                  Reply<api::ListBatchOperationsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  std::vector<const OpenRun*> newest;  // first
  for (const auto& [job, key] : space(request.namespace_()).batches) newest.push_back(open_.at(key).get());
  std::sort(newest.begin(), newest.end(), [](const OpenRun* a, const OpenRun* b) {
    return std::pair(a->batch->start_ns(), a->facts.run_id()) > std::pair(b->batch->start_ns(), b->facts.run_id());
  });
  const int size = request.page_size() > 0 ? std::min(request.page_size(), kListPageMax) : kListPageMax;
  api::ListBatchOperationsResponse out;
  bool given = !request.next_page_token().empty();  // until the row named by the token has passed
  for (const OpenRun* record : newest) {
    if (given) {
      given = record->facts.run_id() != request.next_page_token();
      continue;
    }
    auto* info = out.add_operation_info();
    info->set_job_id(record->facts.workflow_id());
    info->set_state(static_cast<enums::BatchOperationState>(record->batch_progress.state()));
    set_nanos(info->mutable_start_time(), record->batch->start_ns());
    if (record->batch_progress.close_ns() != 0)
      set_nanos(info->mutable_close_time(), record->batch_progress.close_ns());
    if (out.operation_info_size() == size && record != newest.back()) {
      out.set_next_page_token(record->facts.run_id());
      break;
    }
  }
  answer(std::move(call), std::move(out));
}

void Service::StopBatchOperation(const api::StopBatchOperationRequest& request, CallContext context,
                                 Reply<api::StopBatchOperationResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (request.job_id().empty()) return refuse(std::move(call), errors::invalid("JobId is not set on request."));
  if (request.reason().empty()) return refuse(std::move(call), errors::invalid("Reason is not set on request."));
  PortStatus error;
  const Found found = find_batch(request.namespace_(), request.job_id(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  if (found.open->batch_progress.state() != enums::BATCH_OPERATION_STATE_RUNNING) {
    return refuse(std::move(call), errors::already_completed());
  }
  close_batch(*found.open, found.open->batch_progress, enums::BATCH_OPERATION_STATE_FAILED);
  answer(std::move(call), api::StopBatchOperationResponse());
}

}  // namespace callimport::engine
