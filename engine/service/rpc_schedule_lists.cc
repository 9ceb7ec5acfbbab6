// What clients see of schedules (conformance C.15).
#include <algorithm>
#include <utility>

#include "engine/service/internal/core.h"
#include "engine/service/list_filter.h"
#include "engine/service/port_errors.h"
#include "engine/service/proto_time.h"
#include "engine/service/run_view.h"
#include "engine/service/schedules.h"

namespace callimport::engine {
namespace {

constexpr int kSchedulePageMax = 1000;

/// Those that a client gave it.
temporal::api::common::v1::SearchAttributes own_attributes(const OpenRun& record) {
  temporal::api::common::v1::SearchAttributes out = record.search_attributes;
  out.mutable_indexed_fields()->erase("TemporalNamespaceDivision");
  out.mutable_indexed_fields()->erase("TemporalSchedulePaused");
  return out;
}

template <class Out>
void fill_own_fields(const OpenRun& record, Out* out) {
  if (!record.memo.fields().empty()) *out->mutable_memo() = record.memo;
  auto attributes = own_attributes(record);
  if (!attributes.indexed_fields().empty()) *out->mutable_search_attributes() = std::move(attributes);
}

template <class Info>
void fill_future(const OpenRun& record, std::int64_t now, int count, Info* out) {
  const auto times = times_of(record, record.schedule->plan);
  if (!times) return;
  for (const std::int64_t at : future_times(*times, now, record.schedule->progress, count))
    set_nanos(out->add_future_action_times(), at);
}

void fill_entry(const OpenRun& record, std::int64_t now, temporal::api::schedule::v1::ScheduleListEntry* out) {
  const pb::SchedulePlan& plan = record.schedule->plan;
  const pb::ScheduleProgress& progress = record.schedule->progress;
  out->set_schedule_id(schedule_id_of(record.facts));
  fill_own_fields(record, out);
  auto* info = out->mutable_info();
  *info->mutable_spec() = plan.spec();
  if (plan.action().has_start_workflow())
    *info->mutable_workflow_type() = plan.action().start_workflow().workflow_type();
  info->set_notes(progress.state().notes());
  info->set_paused(progress.state().paused());
  const auto& recent = progress.info().recent_actions();
  for (int i = std::max(0, recent.size() - kListedActions); i < recent.size(); ++i)
    *info->add_recent_actions() = recent.Get(i);
  fill_future(record, now, kListedActions, info);
}

}  // namespace

void Service::DescribeSchedule(const api::DescribeScheduleRequest& request, CallContext context,
                               Reply<api::DescribeScheduleResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  const OpenRun* record =
      find_schedule(request.namespace_(), request.schedule_id(), errors::not_found("schedule not found"), &error);
  if (record == nullptr) return refuse(std::move(call), std::move(error));
  const pb::SchedulePlan& plan = record->schedule->plan;
  const pb::ScheduleProgress& progress = record->schedule->progress;
  api::DescribeScheduleResponse out;
  auto* schedule = out.mutable_schedule();
  *schedule->mutable_spec() = plan.spec();
  *schedule->mutable_action() = plan.action();
  *schedule->mutable_policies() = plan.policies();
  *schedule->mutable_state() = progress.state();
  auto* info = out.mutable_info();
  *info = progress.info();
  info->set_buffer_size(progress.buffer_size());
  fill_future(*record, now_ns(), kFutureActions, info);
  fill_own_fields(*record, &out);
  out.set_conflict_token(conflict_token(progress));
  answer(std::move(call), std::move(out));
}

void Service::ListScheduleMatchingTimes(const api::ListScheduleMatchingTimesRequest& request, CallContext context,
                                        Reply<api::ListScheduleMatchingTimesResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  PortStatus error;
  const OpenRun* record =
      find_schedule(request.namespace_(), request.schedule_id(), errors::not_found("schedule not found"), &error);
  if (record == nullptr) return refuse(std::move(call), std::move(error));
  if (!request.has_start_time() || !request.has_end_time())
    return refuse(std::move(call), errors::query_failed("missing or invalid query", nullptr));
  const auto times = times_of(*record, record->schedule->plan);
  api::ListScheduleMatchingTimesResponse out;
  const std::int64_t end = to_nanos(request.end_time());
  std::int64_t after = to_nanos(request.start_time());
  while (times && out.start_time_size() < kMatchingTimesMax) {
    const auto time = times->next(after);
    if (!time || time->due_ns > end) break;
    after = time->due_ns;
    set_nanos(out.add_start_time(), after);
  }
  answer(std::move(call), std::move(out));
}

std::vector<VisibilityKey> Service::matching_schedules(const Namespace& of, const ListFilter& filter) const {
  std::vector<VisibilityKey> out;
  for (const auto& [id, key] : of.schedules) {
    const VisibilityKey row = visibility_key({open_.at(key).get(), nullptr});
    if (filter.matches(of.visibility.at(row))) out.push_back(row);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void Service::ListSchedules(const api::ListSchedulesRequest& request, CallContext context,
                            Reply<api::ListSchedulesResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& of = space(request.namespace_());
  const auto filter = ListFilter::parse(request.query(), of.search_types, ListFilter::Use::kSchedules);
  if (!filter) return refuse(std::move(call), errors::invalid(filter.error()));
  VisibilityKey after;
  if (!request.next_page_token().empty() && !read_list_token(request.next_page_token(), &after))
    return refuse(std::move(call), errors::plain(errors::kUnknown, "something went wrong, please retry (0)"));
  const auto rows = matching_schedules(of, *filter);
  auto at = request.next_page_token().empty() ? rows.begin() : std::upper_bound(rows.begin(), rows.end(), after);
  const int asked = request.maximum_page_size();
  const int size = asked > 0 ? std::min(asked, kSchedulePageMax) : kSchedulePageMax;
  api::ListSchedulesResponse out;
  for (; at != rows.end() && out.schedules_size() < size; ++at)
    fill_entry(*open_.at(at->run), now_ns(), out.add_schedules());
  if (at != rows.end()) write_list_token(*std::prev(at), out.mutable_next_page_token());
  answer(std::move(call), std::move(out));
}

void Service::CountSchedules(const api::CountSchedulesRequest& request, CallContext context,
                             Reply<api::CountSchedulesResponse> reply) {
  auto call = enter(context, std::move(reply));
  if (auto wrong = gate(request.namespace_())) return refuse(std::move(call), std::move(*wrong));
  const Namespace& of = space(request.namespace_());
  const auto filter = ListFilter::parse(request.query(), of.search_types, ListFilter::Use::kSchedules);
  if (!filter) return refuse(std::move(call), errors::invalid(filter.error()));
  api::CountSchedulesResponse out;
  out.set_count(static_cast<std::int64_t>(matching_schedules(of, *filter).size()));
  answer(std::move(call), std::move(out));
}

}  // namespace callimport::engine
