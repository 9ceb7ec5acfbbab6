#include "tests/engine/service_world.h"

#include <algorithm>

#include "engine/history/history_rules.h"
#include "temporal/api/history/v1/message.pb.h"
#include "tests/engine/transcript.h"

namespace callimport::engine::testing_world {
namespace {
constexpr Nanos kPollDeadline = std::chrono::seconds{70};
constexpr std::pair<const char*, const char*> kCustomAttributes[] = {
    {"CustomKeywordField", "Keyword"},        {"CustomTextField", "Text"}, {"CustomIntField", "Int"},
    {"CustomDoubleField", "Double"},          {"CustomBoolField", "Bool"}, {"CustomDatetimeField", "Datetime"},
    {"CustomKeywordListField", "KeywordList"}};
}  // namespace

Payloads payloads(const std::string& json) {
  Payloads out;
  auto* payload = out.add_payloads();
  (*payload->mutable_metadata())["encoding"] = "json/plain";
  payload->set_data(json);
  return out;
}

google::protobuf::Duration seconds(double s) {
  google::protobuf::Duration out;
  const auto nanos = static_cast<std::int64_t>(s * 1e9 + 0.5);
  out.set_seconds(nanos / 1'000'000'000);
  out.set_nanos(static_cast<std::int32_t>(nanos % 1'000'000'000));
  return out;
}

ServiceWorld::ServiceWorld(EmbeddedOptions service_options, Durable durable, Timestamp now)
    : loop(now),
      journal(std::make_unique<MemoryJournal>(loop, std::move(durable))),
      options(std::move(service_options)) {
  for (const auto& [name, type] : kCustomAttributes) options.search_attributes.emplace(name, type);
  auto opened = EmbeddedService::open(*journal, loop, loop, random, options);
  EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
  service_ = std::move(*opened);
  loop.run_idle();
}

ServiceWorld::~ServiceWorld() {
  service_.reset();
  loop.drop_all();
}

void ServiceWorld::restart() {
  Durable durable = journal->durable();
  service_.reset();
  loop.drop_all();
  journal = std::make_unique<MemoryJournal>(loop, std::move(durable));
  auto opened = EmbeddedService::open(*journal, loop, loop, random, options);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  service_ = std::move(*opened);
  loop.run_idle();
}

api::StartWorkflowExecutionRequest ServiceWorld::start_request(const std::string& id) const {
  api::StartWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.set_workflow_id(id);
  request.mutable_workflow_type()->set_name("T");
  request.mutable_task_queue()->set_name("W");
  request.set_identity("cli");
  return request;
}

std::string ServiceWorld::start(const std::string& id) {
  const auto answer = call(&WorkflowService::StartWorkflowExecution, start_request(id));
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  run_names_.emplace(answer.reply.run_id(), "R" + std::to_string(run_names_.size() + 1));
  return answer.reply.run_id();
}

PortStatus ServiceWorld::signal(const std::string& name, const std::string& id, const std::string& request_id) {
  api::SignalWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id(id);
  request.set_signal_name(name);
  request.set_identity("cli");
  request.set_request_id(request_id);
  return call(&WorkflowService::SignalWorkflowExecution, request).status;
}

PortStatus ServiceWorld::cancel(const std::string& reason, const std::string& id) {
  api::RequestCancelWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id(id);
  request.set_reason(reason);
  request.set_identity("cli");
  return call(&WorkflowService::RequestCancelWorkflowExecution, request).status;
}

PortStatus ServiceWorld::terminate(const std::string& reason, const std::string& id) {
  api::TerminateWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_workflow_execution()->set_workflow_id(id);
  request.set_reason(reason);
  request.set_identity("cli");
  return call(&WorkflowService::TerminateWorkflowExecution, request).status;
}

api::DescribeWorkflowExecutionResponse ServiceWorld::describe(const std::string& id) {
  api::DescribeWorkflowExecutionRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  const auto answer = call(&WorkflowService::DescribeWorkflowExecution, request);
  EXPECT_TRUE(answer.ok()) << answer.status.message;
  return answer.reply;
}

Pending<WorkflowTask> ServiceWorld::poll_later(const std::string& queue, const std::string& sticky_of) {
  api::PollWorkflowTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name(queue);
  if (!sticky_of.empty()) {
    request.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    request.mutable_task_queue()->set_normal_name(sticky_of);
  }
  request.set_identity("wk");
  return send(&WorkflowService::PollWorkflowTaskQueue, request, within(kPollDeadline));
}

WorkflowTask ServiceWorld::poll(const std::string& queue, const std::string& sticky_of) {
  auto answer = poll_later(queue, sticky_of);
  EXPECT_TRUE(answer->ok()) << "no workflow task on " << queue;
  return answer->reply;
}

ActivityTask ServiceWorld::poll_activity(const std::string& queue) {
  api::PollActivityTaskQueueRequest request;
  request.set_namespace_("default");
  request.mutable_task_queue()->set_name(queue);
  request.set_identity("ak");
  const auto answer = send(&WorkflowService::PollActivityTaskQueue, request, within(kPollDeadline));
  EXPECT_TRUE(answer->ok()) << "no activity task on " << queue;
  return answer->reply;
}

api::RespondWorkflowTaskCompletedRequest ServiceWorld::completion(const WorkflowTask& task,
                                                                  const std::vector<Command>& commands) const {
  api::RespondWorkflowTaskCompletedRequest request;
  request.set_namespace_("default");
  request.set_task_token(task.task_token());
  request.set_identity("wk");
  for (const auto& command : commands) *request.add_commands() = command;
  return request;
}

Answer<api::RespondWorkflowTaskCompletedResponse> ServiceWorld::complete(const WorkflowTask& task,
                                                                         const std::vector<Command>& commands) {
  return call(&WorkflowService::RespondWorkflowTaskCompleted, completion(task, commands));
}

PortStatus ServiceWorld::complete_activity(const ActivityTask& task, const std::string& json) {
  api::RespondActivityTaskCompletedRequest request;
  request.set_namespace_("default");
  request.set_task_token(task.task_token());
  request.set_identity("ak");
  *request.mutable_result() = payloads(json);
  return call(&WorkflowService::RespondActivityTaskCompleted, request).status;
}

PortStatus ServiceWorld::fail_activity(const ActivityTask& task, const std::string& message, const std::string& type) {
  api::RespondActivityTaskFailedRequest request;
  request.set_namespace_("default");
  request.set_task_token(task.task_token());
  request.set_identity("ak");
  request.mutable_failure()->set_message(message);
  request.mutable_failure()->mutable_application_failure_info()->set_type(type);
  return call(&WorkflowService::RespondActivityTaskFailed, request).status;
}

std::vector<History> ServiceWorld::batches(const std::string& id, const std::string& run_id) {
  std::vector<History> out;
  api::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  request.mutable_execution()->set_run_id(run_id);
  request.set_maximum_page_size(1);
  do {
    const auto answer = call(&WorkflowService::GetWorkflowExecutionHistory, request);
    EXPECT_TRUE(answer.ok()) << answer.status.message;
    if (!answer.ok()) break;
    out.push_back(answer.reply.history());
    request.set_next_page_token(answer.reply.next_page_token());
  } while (!request.next_page_token().empty());
  return out;
}

History ServiceWorld::history(const std::string& id, const std::string& run_id) {
  History out;
  for (const auto& batch : batches(id, run_id)) out.MergeFrom(batch);
  return out;
}

std::string ServiceWorld::everything() {
  api::ListWorkflowExecutionsRequest list;
  list.set_namespace_("default");
  const auto rows = call(&WorkflowService::ListWorkflowExecutions, list);
  std::string out;
  for (const auto& row : rows.reply.executions()) {
    out += row.DebugString();
    api::DescribeWorkflowExecutionRequest request;
    request.set_namespace_("default");
    *request.mutable_execution() = row.execution();
    const auto described = call(&WorkflowService::DescribeWorkflowExecution, request);
    EXPECT_TRUE(described.ok()) << described.status.message;
    out += described.reply.DebugString();
    const History whole = history(row.execution().workflow_id(), row.execution().run_id());
    for (const auto& sentence : broken_rules(whole)) ADD_FAILURE() << "C.2: " << sentence;
    out += whole.DebugString();
  }
  api::ListSchedulesRequest schedules;
  schedules.set_namespace_("default");
  const auto listed = call(&WorkflowService::ListSchedules, schedules);
  for (const auto& row : listed.reply.schedules()) {
    api::DescribeScheduleRequest request;
    request.set_namespace_("default");
    request.set_schedule_id(row.schedule_id());
    out += row.DebugString() + call(&WorkflowService::DescribeSchedule, request).reply.DebugString();
  }
  return out;
}

std::string ServiceWorld::transcript(const std::string& id, const std::string& run_id, std::int64_t from) {
  const auto read = batches(id, run_id);
  History whole;
  for (const auto& batch : read) whole.MergeFrom(batch);
  for (const auto& sentence : broken_rules(whole)) ADD_FAILURE() << "C.2: " << sentence;
  for (const auto& event : whole.events()) {
    if (!event.has_workflow_execution_started_event_attributes()) continue;
    const auto& started = event.workflow_execution_started_event_attributes();
    for (const std::string* run : {&started.continued_execution_run_id(), &started.original_execution_run_id()}) {
      if (!run->empty()) run_names_.emplace(*run, "R" + std::to_string(run_names_.size() + 1));
    }
  }
  for (const auto& event : whole.events()) {
    const std::string& next = event.workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
    const std::string& retried = event.workflow_execution_failed_event_attributes().new_execution_run_id();
    const std::string& again = event.workflow_execution_completed_event_attributes().new_execution_run_id();
    const std::string& made = event.workflow_task_failed_event_attributes().new_run_id();
    const std::string& late = event.workflow_execution_timed_out_event_attributes().new_execution_run_id();
    for (const std::string* run : {&next, &retried, &again, &late, &made}) {
      if (!run->empty()) run_names_.emplace(*run, "R" + std::to_string(run_names_.size() + 1));
    }
  }
  return render(read, run_names_, from);
}

Command schedule_activity(const std::string& id, const std::string& queue, double start_to_close) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK);
  auto* a = out.mutable_schedule_activity_task_command_attributes();
  a->set_activity_id(id);
  a->mutable_activity_type()->set_name("A");
  a->mutable_task_queue()->set_name(queue);
  *a->mutable_start_to_close_timeout() = seconds(start_to_close);
  return out;
}

Command start_timer(const std::string& id, double s) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_START_TIMER);
  out.mutable_start_timer_command_attributes()->set_timer_id(id);
  *out.mutable_start_timer_command_attributes()->mutable_start_to_fire_timeout() = seconds(s);
  return out;
}

Command cancel_timer(const std::string& id) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_CANCEL_TIMER);
  out.mutable_cancel_timer_command_attributes()->set_timer_id(id);
  return out;
}

Command cancel_activity(std::int64_t scheduled) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK);
  out.mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(scheduled);
  return out;
}

Command complete_workflow(const std::string& json) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
  auto* a = out.mutable_complete_workflow_execution_command_attributes();
  if (!json.empty()) *a->mutable_result() = payloads(json);
  return out;
}

Command fail_workflow(const std::string& message, const std::string& type) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
  auto* failure = out.mutable_fail_workflow_execution_command_attributes()->mutable_failure();
  failure->set_message(message);
  failure->mutable_application_failure_info()->set_type(type);
  return out;
}

Command cancel_workflow() {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION);
  (void)out.mutable_cancel_workflow_execution_command_attributes();
  return out;
}

Command continue_as_new(const std::string& json) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION);
  *out.mutable_continue_as_new_workflow_execution_command_attributes()->mutable_input() = payloads(json);
  return out;
}

Command marker(const std::string& name) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_RECORD_MARKER);
  out.mutable_record_marker_command_attributes()->set_marker_name(name);
  return out;
}

Command start_child(const std::string& id, enums::ParentClosePolicy policy) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION);
  auto* a = out.mutable_start_child_workflow_execution_command_attributes();
  a->set_workflow_id(id);
  a->mutable_workflow_type()->set_name("C");
  a->mutable_task_queue()->set_name(id);
  a->set_parent_close_policy(policy);
  return out;
}

Command signal_other(const std::string& id, const std::string& signal, bool child_only) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION);
  auto* a = out.mutable_signal_external_workflow_execution_command_attributes();
  a->mutable_execution()->set_workflow_id(id);
  a->set_signal_name(signal);
  a->set_child_workflow_only(child_only);
  return out;
}

Command cancel_other(const std::string& id, bool child_only) {
  Command out;
  out.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION);
  auto* a = out.mutable_request_cancel_external_workflow_execution_command_attributes();
  a->set_workflow_id(id);
  a->set_child_workflow_only(child_only);
  return out;
}

}  // namespace callimport::engine::testing_world
