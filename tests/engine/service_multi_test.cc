// Update-with-start (conformance C.9).
#include <gtest/gtest.h>

#include "engine/service/port_errors.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "tests/engine/update_world.h"

namespace callimport::engine::testing_world {
namespace {

using Multi = api::ExecuteMultiOperationRequest;
using MultiAnswer = Pending<api::ExecuteMultiOperationResponse>;

Multi multi_request(const ServiceWorld& world, const std::string& update_id = "u1") {
  Multi request;
  request.set_namespace_("default");
  auto& start = *request.add_operations()->mutable_start_workflow();
  start = world.start_request();
  *request.add_operations()->mutable_update_workflow() = update_request(update_id);
  return request;
}
api::StartWorkflowExecutionRequest& start_of(Multi& request) {
  return *request.mutable_operations(0)->mutable_start_workflow();
}
api::UpdateWorkflowExecutionRequest& update_of(Multi& request) {
  return *request.mutable_operations(1)->mutable_update_workflow();
}
MultiAnswer send(ServiceWorld& world, const Multi& request) {
  return world.send(&WorkflowService::ExecuteMultiOperation, request);
}
Multi use_existing(const ServiceWorld& world, const std::string& update_id) {
  Multi request = multi_request(world, update_id);
  start_of(request).set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  return request;
}

/// "3 [3 text | 10 Operation was aborted. (MultiOperationExecutionAborted)]"
std::string told(const MultiAnswer& answer) {
  if (!answer->done) return "waits";
  EXPECT_EQ(answer->status.message, "Update-with-Start could not be executed.");
  EXPECT_EQ(answer->status.detail_type, "temporal.api.errordetails.v1.MultiOperationExecutionFailure");
  temporal::api::errordetails::v1::MultiOperationExecutionFailure detail;
  EXPECT_TRUE(detail.ParseFromString(answer->status.detail_bytes));
  std::string out = std::to_string(answer->status.code) + " [";
  for (const auto& status : detail.statuses()) {
    out += (out.back() == '[' ? "" : " | ") + std::to_string(status.code()) + " " + status.message();
    for (const auto& any : status.details()) out += " (" + any.type_url().substr(any.type_url().rfind('.') + 1) + ")";
  }
  return out + "]";
}
const char* const kAborted10 = "10 Operation was aborted. (MultiOperationExecutionAborted)";

TEST(UpdateWithStart, NewRunGetsTheUpdateWithItsFirstTask) {
  ServiceWorld world;
  auto polled = world.poll_later();  // a worker waits already
  const auto answer = send(world, multi_request(world));
  ASSERT_TRUE(polled->ok());
  EXPECT_EQ(messages_of(polled->reply), "u1/request");
  EXPECT_EQ(polled->reply.messages(0).event_id(), 2);
  EXPECT_TRUE(respond_updates(world, polled->reply, {"accept u1", "complete u1"}).ok());
  ASSERT_TRUE(answer->ok()) << answer->status.message;
  ASSERT_EQ(answer->reply.responses_size(), 2);
  const auto& start = answer->reply.responses(0).start_workflow();
  EXPECT_TRUE(start.started());
  EXPECT_EQ(start.run_id(), polled->reply.workflow_execution().run_id());
  EXPECT_EQ(start.status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  const auto& update = answer->reply.responses(1).update_workflow();
  EXPECT_EQ(update.stage(), kCompleted);
  EXPECT_EQ(update.outcome().success().payloads(0).data(), "\"out\"");
  EXPECT_EQ(update.update_ref().workflow_execution().run_id(), start.run_id());
}

TEST(UpdateWithStart, KnownUpdateNeedsNoStart) {
  ServiceWorld world;
  send(world, multi_request(world));
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1", "complete u1"}).ok());
  const auto running = send(world, multi_request(world));
  ASSERT_TRUE(running->ok()) << "whatever the conflict policy";
  EXPECT_FALSE(running->reply.responses(0).start_workflow().started());
  EXPECT_EQ(running->reply.responses(1).update_workflow().stage(), kCompleted);
  world.terminate("r");
  const auto closed = send(world, multi_request(world));
  ASSERT_TRUE(closed->ok());
  EXPECT_EQ(closed->reply.responses(0).start_workflow().status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(closed->reply.responses(1).update_workflow().outcome().success().payloads(0).data(), "\"out\"");
}

TEST(UpdateWithStart, RunningRunAndTheConflictPolicies) {
  ServiceWorld world;
  begin_idle(world);
  EXPECT_EQ(told(send(world, multi_request(world))).substr(0, 5), "6 [6 ");
  const auto used = send(world, use_existing(world, "u1"));
  EXPECT_EQ(told(used), "waits");
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u1", "complete u1"}).ok());
  ASSERT_TRUE(used->ok());
  EXPECT_FALSE(used->reply.responses(0).start_workflow().started());
  Multi request = multi_request(world, "u2");
  start_of(request).set_workflow_id_conflict_policy(enums::WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING);
  const auto replaced = send(world, request);
  EXPECT_TRUE(respond_updates(world, world.poll(), {"accept u2"}).ok());
  EXPECT_EQ(world.describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  EXPECT_EQ(told(replaced), "waits");
}

TEST(UpdateWithStart, SameRequestTwiceStartsOnce) {
  ServiceWorld world;
  Multi request = multi_request(world);
  start_of(request).set_request_id("once");
  const auto first = send(world, request);
  update_of(request) = update_request("u2");
  const auto second = send(world, request);
  const WorkflowTask task = world.poll();
  EXPECT_EQ(messages_of(task), "u1/request u2/request");
}

TEST(UpdateWithStart, RejectionIsAnAnswerAndTheRunStays) {
  ServiceWorld world;
  const auto answer = send(world, multi_request(world));
  EXPECT_TRUE(respond_updates(world, world.poll(), {"reject u1"}).ok());
  ASSERT_TRUE(answer->ok());
  EXPECT_EQ(answer->reply.responses(1).update_workflow().outcome().failure().message(), "no");
  EXPECT_EQ(world.describe().workflow_execution_info().status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
}

TEST(UpdateWithStart, StartedRunThatClosesAtOnce) {
  ServiceWorld world;
  const auto answer = send(world, multi_request(world));
  EXPECT_TRUE(world.complete(world.poll(), {complete_workflow()}).ok());
  EXPECT_EQ(told(answer), "5 [0  | 5 workflow update was aborted by closing workflow (NotFoundFailure)]");
}

TEST(UpdateWithStart, RunThatClosesUnderItIsStartedAnew) {
  ServiceWorld world;
  begin_idle(world);
  world.signal("s");
  const WorkflowTask task = world.poll();
  const auto answer = send(world, use_existing(world, "u1"));
  EXPECT_TRUE(world.complete(task, {complete_workflow()}).ok());
  EXPECT_EQ(told(answer), "waits");
  const WorkflowTask next = world.poll();
  EXPECT_EQ(messages_of(next), "u1/request");
  EXPECT_NE(next.workflow_execution().run_id(), task.workflow_execution().run_id());
  EXPECT_TRUE(respond_updates(world, next, {"accept u1", "complete u1"}).ok());
  ASSERT_TRUE(answer->ok());
  EXPECT_TRUE(answer->reply.responses(0).start_workflow().started());
}

struct Wrong {
  const char* name;
  std::function<void(Multi&)> edit;
  std::string told;
};
void PrintTo(const Wrong& row, std::ostream* out) { *out << row.name; }
class WrongMulti : public testing::TestWithParam<Wrong> {};

TEST_P(WrongMulti, NamesTheOneAtFault) {
  ServiceWorld world;
  Multi request = multi_request(world);
  GetParam().edit(request);
  EXPECT_EQ(told(send(world, request)), GetParam().told);
  EXPECT_EQ(world.everything(), "") << "nothing was started";
}

Wrong bad_start(const char* name, std::function<void(Multi&)> edit, const std::string& text) {
  return {name, std::move(edit), "3 [3 " + text + " | " + kAborted10 + "]"};
}
Wrong bad_update(const char* name, std::function<void(Multi&)> edit, const std::string& text) {
  return {name, std::move(edit), "3 [" + std::string(kAborted10) + " | 3 " + text + "]"};
}
INSTANTIATE_TEST_SUITE_P(
    C9, WrongMulti,
    testing::Values(
        bad_start(
            "Cron", [](Multi& r) { start_of(r).set_cron_schedule("* * * * *"); }, "CronSchedule is not allowed."),
        bad_start(
            "Eager", [](Multi& r) { start_of(r).set_request_eager_execution(true); },
            "RequestEagerExecution is not supported."),
        bad_start(
            "Delay", [](Multi& r) { start_of(r).mutable_workflow_start_delay()->set_seconds(1); },
            "WorkflowStartDelay is not supported."),
        bad_start(
            "NoWorkflowId", [](Multi& r) { start_of(r).clear_workflow_id(); }, "WorkflowId is not set on request."),
        bad_update(
            "RunId", [](Multi& r) { update_of(r).mutable_workflow_execution()->set_run_id("x"); },
            "RunId is not allowed."),
        bad_update(
            "FirstRunId", [](Multi& r) { update_of(r).set_first_execution_run_id("x"); },
            "FirstExecutionRunId is not allowed."),
        bad_update(
            "OtherWorkflow", [](Multi& r) { update_of(r).mutable_workflow_execution()->set_workflow_id("V"); },
            "WorkflowId is not consistent with previous operation(s)."),
        bad_update(
            "NoName", [](Multi& r) { update_of(r).mutable_request()->mutable_input()->clear_name(); },
            "Update name is not set on request."),
        Wrong{"WaitForAdmitted",
              [](Multi& r) { update_of(r).mutable_wait_policy()->set_lifecycle_stage(testing_world::kAdmitted); },
              "7 [" + std::string(kAborted10) +
                  " | 7 UpdateWorkflowExecution issued asynchronously and waiting on update admitted is not supported. "
                  "(PermissionDeniedFailure)]"}),
    [](const auto& test) { return test.param.name; });

TEST(UpdateWithStart, OnlyStartThenUpdate) {
  ServiceWorld world;
  Multi request = multi_request(world);
  request.mutable_operations()->SwapElements(0, 1);
  const auto answer = send(world, request);
  ASSERT_TRUE(answer->done);
  EXPECT_EQ(answer->status.code, errors::kInvalidArgument);
  EXPECT_EQ(answer->status.message, "Operations have to be exactly [Start, Update].");
  EXPECT_EQ(answer->status.detail_type, "");
}

}  // namespace
}  // namespace callimport::engine::testing_world
