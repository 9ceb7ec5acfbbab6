#include "tests/engine/schedule_world.h"

#include "temporal/api/enums/v1/schedule.pb.h"

namespace callimport::engine::testing_world {

api::CreateScheduleRequest ScheduleWorld::creation(int every_s, const Change& change) const {
  api::CreateScheduleRequest request;
  request.set_namespace_("default");
  request.set_schedule_id("S");
  request.set_request_id("create");
  auto* schedule = request.mutable_schedule();
  if (every_s > 0) *schedule->mutable_spec()->add_interval()->mutable_interval() = seconds(every_s);
  auto* action = schedule->mutable_action()->mutable_start_workflow();
  action->set_workflow_id("run");
  action->mutable_workflow_type()->set_name("T");
  action->mutable_task_queue()->set_name("W");
  if (change) change(request);
  return request;
}

Answer<api::CreateScheduleResponse> ScheduleWorld::try_create(int every_s, const Change& change) {
  return call(&WorkflowService::CreateSchedule, creation(every_s, change));
}

void ScheduleWorld::create(int every_s, const Change& change) {
  const auto created = try_create(every_s, change);
  EXPECT_TRUE(created.ok()) << created.status.message;
}

PortStatus ScheduleWorld::patch(const std::function<void(api::PatchScheduleRequest&)>& change, const std::string& id) {
  api::PatchScheduleRequest request;
  request.set_namespace_("default");
  request.set_schedule_id(id);
  change(request);
  return call(&WorkflowService::PatchSchedule, request).status;
}

PortStatus ScheduleWorld::trigger(Overlap overlap) {
  return patch([overlap](auto& r) { r.mutable_patch()->mutable_trigger_immediately()->set_overlap_policy(overlap); });
}
PortStatus ScheduleWorld::pause(const std::string& note) {
  return patch([&note](auto& r) { r.mutable_patch()->set_pause(note); });
}
PortStatus ScheduleWorld::unpause(const std::string& note) {
  return patch([&note](auto& r) { r.mutable_patch()->set_unpause(note); });
}

PortStatus ScheduleWorld::remove(const std::string& id) {
  api::DeleteScheduleRequest request;
  request.set_namespace_("default");
  request.set_schedule_id(id);
  return call(&WorkflowService::DeleteSchedule, request).status;
}

Answer<api::DescribeScheduleResponse> ScheduleWorld::try_describe(const std::string& id) {
  api::DescribeScheduleRequest request;
  request.set_namespace_("default");
  request.set_schedule_id(id);
  return call(&WorkflowService::DescribeSchedule, request);
}

api::DescribeScheduleResponse ScheduleWorld::schedule(const std::string& id) {
  const auto described = try_describe(id);
  EXPECT_TRUE(described.ok()) << described.status.message;
  return described.reply;
}

std::string ScheduleWorld::figures() {
  const auto info = schedule().info();
  std::string out = std::to_string(info.action_count()) + " taken, " + std::to_string(info.overlap_skipped()) +
                    " skipped, " + std::to_string(info.buffer_size()) + " buffered, " +
                    std::to_string(info.running_workflows_size()) + " running";
  if (info.missed_catchup_window() > 0) out += ", " + std::to_string(info.missed_catchup_window()) + " missed";
  if (info.buffer_dropped() > 0) out += ", " + std::to_string(info.buffer_dropped()) + " dropped";
  return out;
}

std::string ScheduleWorld::actions() {
  constexpr std::size_t kTimeBytes = 9, kPrefixBytes = sizeof("WORKFLOW_EXECUTION_STATUS_") - 1;
  std::string out;
  const auto info = schedule().info();
  for (const auto& action : info.recent_actions()) {
    const std::string& id = action.start_workflow_result().workflow_id();
    if (!out.empty()) out += ", ";
    out += id.substr(id.size() - kTimeBytes, kTimeBytes - 1) + " " +
           enums::WorkflowExecutionStatus_Name(action.start_workflow_status()).substr(kPrefixBytes);
  }
  return out;
}

void ScheduleWorld::answer(const std::vector<Command>& commands) {
  const WorkflowTask task = poll();
  ASSERT_FALSE(task.task_token().empty()) << "no task";
  EXPECT_TRUE(complete(task, commands).ok());
}

}  // namespace callimport::engine::testing_world
