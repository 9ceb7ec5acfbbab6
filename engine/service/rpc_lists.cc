// ListWorkflowExecutions, CountWorkflowExecutions, DescribeWorkflowExecution (conformance C.10, C.13).
#include <map>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/list_filter.h"
#include "engine/service/port_errors.h"
#include "engine/service/run_view.h"

namespace callimport::engine {
namespace {
constexpr int kListPageMax = 1000;
}

void Service::ListWorkflowExecutions(const api::ListWorkflowExecutionsRequest& request, CallContext context,
                                     Reply<api::ListWorkflowExecutionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& listed = space(request.namespace_());
  auto filter = ListFilter::parse(request.query(), listed.search_types, ListFilter::Use::kList);
  if (!filter) return refuse(std::move(call), errors::invalid(filter.error()));
  api::ListWorkflowExecutionsResponse out;
  auto at = listed.visibility.begin();
  if (!request.next_page_token().empty()) {
    pb::ListToken token;
    if (!token.ParseFromString(request.next_page_token()) || token.run() == 0) {
      return refuse(std::move(call), errors::plain(errors::kUnknown, "something went wrong, please retry (0)"));
    }
    at = listed.visibility.upper_bound({token.closed_ns(), token.start_ns(), token.run()});
  }
  const int size = request.page_size() > 0 ? std::min(request.page_size(), kListPageMax) : kListPageMax;
  for (; at != listed.visibility.end(); ++at) {
    const pb::RunSummary run = summary_of(find(at->run));
    if (!filter->matches(run)) continue;
    fill_info(run, ViewOf::kListRow, out.add_executions());
    if (out.executions_size() < size) continue;
    if (std::next(at) != listed.visibility.end()) {
      pb::ListToken token;
      token.set_closed_ns(at->closed_ns);
      token.set_start_ns(at->start_ns);
      token.set_run(at->run);
      token.SerializeToString(out.mutable_next_page_token());
    }
    break;
  }
  answer(std::move(call), std::move(out));
}

void Service::CountWorkflowExecutions(const api::CountWorkflowExecutionsRequest& request, CallContext context,
                                      Reply<api::CountWorkflowExecutionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& listed = space(request.namespace_());
  auto filter = ListFilter::parse(request.query(), listed.search_types, ListFilter::Use::kCount);
  if (!filter) return refuse(std::move(call), errors::invalid(filter.error()));
  api::CountWorkflowExecutionsResponse out;
  std::map<std::string, std::int64_t> groups;
  std::int64_t total = 0;
  for (const auto& key : listed.visibility) {
    const pb::RunSummary run = summary_of(find(key.run));
    if (!filter->matches(run)) continue;
    ++total;
    if (!filter->groups_by_status()) continue;
    ++groups[std::get<std::string>(column_value(run, "ExecutionStatus", enums::INDEXED_VALUE_TYPE_KEYWORD))];
  }
  out.set_count(total);
  for (const auto& [name, count] : groups) {
    auto* group = out.add_groups();
    auto* value = group->add_group_values();
    (*value->mutable_metadata())["encoding"] = "json/plain";
    (*value->mutable_metadata())["type"] = "Keyword";
    value->set_data("\"" + name + "\"");
    group->set_count(count);
  }
  answer(std::move(call), std::move(out));
}

void Service::DescribeWorkflowExecution(const api::DescribeWorkflowExecutionRequest& request, CallContext context,
                                        Reply<api::DescribeWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  const Found found = find_run(request.namespace_(), request.execution(), &error);
  if (!found) return refuse(std::move(call), std::move(error));
  const pb::RunSummary run = summary_of(found);
  api::DescribeWorkflowExecutionResponse out;
  fill_config(run.facts(), out.mutable_execution_config());
  fill_info(run, ViewOf::kDescribe, out.mutable_workflow_execution_info());
  fill_extended(run, out.mutable_workflow_extended_info());
  out.mutable_workflow_extended_info()->set_reset_run_id(reset_of(run.facts().run_id()));
  if (found.open != nullptr) {
    for (const auto& [id, activity] : found.open->activities) {
      fill_pending_activity(activity.state, now_ns(), out.add_pending_activities());
    }
    for (const auto& [id, child] : found.open->children) fill_pending_child(child, out.add_pending_children());
    if (found.open->task.state() != pb::WorkflowTask::NONE) {
      fill_pending_task(found.open->task, out.mutable_pending_workflow_task());
    }
  }
  answer(std::move(call), std::move(out));
}

}  // namespace callimport::engine
