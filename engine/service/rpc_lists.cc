// Lists and counts of runs, by query or by the old filters (conformance C.13).
#include <algorithm>
#include <map>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/list_filter.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/run_view.h"

namespace callimport::engine {
namespace {

constexpr int kListPageMax = 1000;

/// The filters that ListOpen and ListClosed share, as a query's further conditions.
template <class Request>
std::string conditions(const Request& request) {
  std::string out;
  const auto& times = request.start_time_filter();
  if (times.has_earliest_time()) out += " AND StartTime >= " + std::to_string(to_nanos(times.earliest_time()));
  if (times.has_latest_time()) out += " AND StartTime <= " + std::to_string(to_nanos(times.latest_time()));
  if (request.has_execution_filter()) {
    const auto& execution = request.execution_filter();
    if (!execution.workflow_id().empty()) out += " AND WorkflowId = " + quoted_for_query(execution.workflow_id());
    if (!execution.run_id().empty()) out += " AND RunId = " + quoted_for_query(execution.run_id());
  }
  if (request.has_type_filter()) out += " AND WorkflowType = " + quoted_for_query(request.type_filter().name());
  return out;
}

template <class Request>
std::optional<PortStatus> check_times(const Request& request) {
  const auto& times = request.start_time_filter();
  const bool both = times.has_earliest_time() && times.has_latest_time();
  if (!both || to_nanos(times.earliest_time()) <= to_nanos(times.latest_time())) return std::nullopt;
  return errors::invalid("EarliestTime in StartTimeFilter should not be larger than LatestTime.");
}

}  // namespace

void Service::scan(const Namespace& space, const ListFilter& filter, const VisibilityKey* after,
                   const std::function<bool(const VisibilityKey&, const VisibleRow&)>& match) {
  const VisibilityKey last_open{VisibilityKey::kOpen, std::numeric_limits<std::int64_t>::min(), 0};
  const auto& rows = space.visibility;
  auto at = after != nullptr ? rows.upper_bound(*after) : rows.begin();
  if (filter.only_closed()) {
    const auto first = rows.upper_bound(last_open);
    if (after == nullptr || *after < last_open) at = first;
  }
  if (!filter.only_run_id().empty()) {  // one at most
    const Found found = find_id(filter.only_run_id());
    if (found.space() != &space) return;
    const auto row = rows.find(visibility_key(found));
    if (row == rows.end() || (after != nullptr && !(*after < row->first)) || !filter.matches(row->second)) return;
    match(row->first, row->second);
    return;
  }
  for (; at != rows.end(); ++at) {
    if (filter.only_open() && at->first.closed_ns != VisibilityKey::kOpen) return;
    if (filter.matches(at->second) && !match(at->first, at->second)) return;
  }
}

/// One page; its token is the last row given.
template <class Response>
void Service::list_runs(Call<Response> call, const std::string& name_space, const std::string& query, int page_size,
                        const std::string& token) {
  const Namespace& listed = space(name_space);
  const auto filter = ListFilter::parse(query, listed.search_types, ListFilter::Use::kList);
  if (!filter) return refuse(std::move(call), errors::invalid(filter.error()));
  VisibilityKey after;
  if (!token.empty() && !read_list_token(token, &after)) {
    return refuse(std::move(call), errors::plain(errors::kUnknown, "something went wrong, please retry (0)"));
  }
  const int size = page_size > 0 ? std::min(page_size, kListPageMax) : kListPageMax;
  Response out;
  VisibilityKey last;
  scan(listed, *filter, token.empty() ? nullptr : &after, [&](const VisibilityKey& key, const VisibleRow&) {
    if (out.executions_size() == size) {
      write_list_token(last, out.mutable_next_page_token());
      return false;
    }
    fill_info(summary_of(find(key.run)), ViewOf::kListRow, out.add_executions());
    last = key;
    return true;
  });
  answer(std::move(call), std::move(out));
}

void Service::ListWorkflowExecutions(const api::ListWorkflowExecutionsRequest& request, CallContext context,
                                     Reply<api::ListWorkflowExecutionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  list_runs(std::move(call), request.namespace_(), request.query(), request.page_size(), request.next_page_token());
}

void Service::ScanWorkflowExecutions(const api::ScanWorkflowExecutionsRequest& request, CallContext context,
                                     Reply<api::ScanWorkflowExecutionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  list_runs(std::move(call), request.namespace_(), request.query(), request.page_size(), request.next_page_token());
}

void Service::ListOpenWorkflowExecutions(const api::ListOpenWorkflowExecutionsRequest& request, CallContext context,
                                         Reply<api::ListOpenWorkflowExecutionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_times(request)) return refuse(std::move(call), std::move(*wrong));
  const std::string query = "CloseTime IS NULL" + conditions(request);
  list_runs(std::move(call), request.namespace_(), query, request.maximum_page_size(), request.next_page_token());
}

void Service::ListClosedWorkflowExecutions(const api::ListClosedWorkflowExecutionsRequest& request, CallContext context,
                                           Reply<api::ListClosedWorkflowExecutionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (auto wrong = check_times(request)) return refuse(std::move(call), std::move(*wrong));
  std::string query = "CloseTime IS NOT NULL" + conditions(request);
  if (request.has_status_filter()) {
    const auto status = request.status_filter().status();
    if (status == enums::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED || status == enums::WORKFLOW_EXECUTION_STATUS_RUNNING) {
      return refuse(std::move(call), errors::invalid("StatusFilter must be specified and must be not Running."));
    }
    query += " AND ExecutionStatus = " + std::to_string(static_cast<int>(status));
  }
  list_runs(std::move(call), request.namespace_(), query, request.maximum_page_size(), request.next_page_token());
}

void Service::CountWorkflowExecutions(const api::CountWorkflowExecutionsRequest& request, CallContext context,
                                      Reply<api::CountWorkflowExecutionsResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& listed = space(request.namespace_());
  const auto filter = ListFilter::parse(request.query(), listed.search_types, ListFilter::Use::kCount);
  if (!filter) return refuse(std::move(call), errors::invalid(filter.error()));
  std::map<int, std::int64_t> of_status;
  std::int64_t total = 0;
  scan(listed, *filter, nullptr, [&](const VisibilityKey&, const VisibleRow& row) {
    ++total;
    ++of_status[row.status];
    return true;
  });
  api::CountWorkflowExecutionsResponse out;
  out.set_count(total);
  for (const auto& [status, count] : of_status) {
    if (!filter->groups_by_status()) break;
    auto* group = out.add_groups();
    auto* value = group->add_group_values();
    (*value->mutable_metadata())["encoding"] = "json/plain";
    (*value->mutable_metadata())["type"] = "Keyword";
    value->set_data("\"" + std::string(status_name(status)) + "\"");
    group->set_count(count);
  }
  answer(std::move(call), std::move(out));
}

void Service::DescribeWorkflowExecution(const api::DescribeWorkflowExecutionRequest& request, CallContext context,
                                        Reply<api::DescribeWorkflowExecutionResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  if (!request.has_execution()) return refuse(std::move(call), errors::execution_not_set());
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
