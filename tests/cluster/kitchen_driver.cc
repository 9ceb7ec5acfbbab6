#include "tests/cluster/kitchen_driver.h"

#include <gtest/gtest.h>
#include <temporal/api/enums/v1/event_type.pb.h>
#include <temporal/api/history/v1/message.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <memory>
#include <thread>
#include <utility>

#include "engine/cluster/cluster.h"
#include "engine/cluster/handshake.h"
#include "engine/worker/payloads.h"
#include "engine/worker/task_split.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/os_random.h"
#include "tests/cluster/kitchen_workflow.h"

// Last: Abseil, which gRPC brings, has macros of the names of ours.
#include "api/grpc/channel.h"

namespace callimport::tests {
namespace {

namespace service = ::temporal::api::workflowservice::v1;
namespace enums = ::temporal::api::enums::v1;

constexpr const char* kSink = "kitchen-sink";
constexpr const char* kQueue = "kitchen";
inline constexpr int kPollsMax = 200;  // of one wait; each is answered with news, or after some seconds without

/// The worker and its loop, on a thread of its own.
class Kitchen {
 public:
  Kitchen(const std::string& address, Gate& gate)
      : cluster_(engine::Cluster::create(loop_, loop_, {api::open_channel(api::Connection{.address = address}), {}})) {
    engine::WorkerOptions options;
    options.task_queue = kQueue;
    options.identity = "worker";
    worker_ = engine::Worker::create(*cluster_, loop_, loop_, random_, options);
    register_kitchen(*worker_, loop_, gate);
  }
  ~Kitchen() {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    worker_.reset();
  }
  Result<> open() {
    Result<> met;
    engine::ClusterNeeds needs{"default", {{"CustomKeywordField", "Keyword"}, {"CustomIntField", "Int"}}};
    auto hands = engine::shake_hands(*cluster_, loop_, loop_, random_, std::move(needs));
    engine::spawn(loop_, std::move(hands), [this, &met](Result<engine::ClusterFacts> facts) {
      if (!facts) met = tl::unexpected(facts.error());
      loop_.stop();
    });
    loop_.run();
    if (!met) return met;
    worker_->start();
    thread_ = std::thread([this] { loop_.run(); });
    return met;
  }

 private:
  AsioLoop loop_;
  OsRandom random_;
  std::unique_ptr<engine::Cluster> cluster_;
  std::unique_ptr<engine::Worker> worker_;
  std::thread thread_;
};

template <class Response, class Request>
Response ask(api::Client& client, const std::string& method, const Request& request) {
  Response response;
  const auto status = client.call("/temporal.api.workflowservice.v1.WorkflowService/" + method, request, response,
                                  std::chrono::minutes{1});
  EXPECT_TRUE(status.ok()) << method << ": " << status.message;
  return response;
}

/// One run as the driver sees it: what it sends to it, what it waits for.
class Watched {
 public:
  Watched(api::Client& client, std::string id, std::string run_id = {})
      : client_(client), id_(std::move(id)), run_id_(std::move(run_id)) {}

  void start(const std::string& type, const std::string& input) {
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id_);
    request.mutable_workflow_type()->set_name(type);
    request.mutable_task_queue()->set_name(kQueue);
    request.set_request_id(id_);
    engine::worker::set_json(request.mutable_input(), input);
    run_id_ = ask<service::StartWorkflowExecutionResponse>(client_, "StartWorkflowExecution", request).run_id();
  }
  void signal(const std::string& name, const std::string& input = "1") {
    service::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id_);
    request.mutable_workflow_execution()->set_run_id(run_id_);
    request.set_signal_name(name);
    engine::worker::set_json(request.mutable_input(), input);
    ask<service::SignalWorkflowExecutionResponse>(client_, "SignalWorkflowExecution", request);
    ++needed_[enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED];
  }
  void cancel() {
    service::RequestCancelWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id_);
    ask<service::RequestCancelWorkflowExecutionResponse>(client_, "RequestCancelWorkflowExecution", request);
    ++needed_[enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED];
  }
  /// The outcome's JSON text, or the failure's message; empty when it is only accepted.
  std::string update(const std::string& name, const std::string& update_id, const std::string& input,
                     enums::UpdateWorkflowExecutionLifecycleStage stage) {
    service::UpdateWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id_);
    request.mutable_wait_policy()->set_lifecycle_stage(stage);
    request.mutable_request()->mutable_meta()->set_update_id(update_id);
    request.mutable_request()->mutable_meta()->set_identity("driver");
    request.mutable_request()->mutable_input()->set_name(name);
    engine::worker::set_json(request.mutable_request()->mutable_input()->mutable_args(), input);
    const auto reply =
        ask<service::UpdateWorkflowExecutionResponse>(client_, "UpdateWorkflowExecution", request).outcome();
    return reply.has_failure() ? reply.failure().message() : engine::worker::json_of(reply.success());
  }
  std::string query(const std::string& type) {
    service::QueryWorkflowRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id_);
    request.mutable_query()->set_query_type(type);
    service::QueryWorkflowResponse reply;
    const auto status = client_.call("/temporal.api.workflowservice.v1.WorkflowService/QueryWorkflow", request, reply,
                                     std::chrono::minutes{1});
    return status.ok() ? engine::worker::json_of(reply.query_result()) : "refused: " + status.message;
  }

  /// One more of `type`, before it is at rest.
  Watched& need(enums::EventType type, int more = 1) {
    needed_[type] += more;
    return *this;
  }
  /// Returns once all that is needed has come, and no workflow task is due or under way.
  void rest() {
    for (int polls = 0; polls < kPollsMax && !at_rest(); ++polls) {
      if (testing::Test::HasFailure()) return;
      read();
    }
    EXPECT_TRUE(at_rest()) << id_ << " has no rest; its last event is number " << last_id_;
  }
  /// Its last event tells the next run.
  const std::string& next_run() const { return next_run_; }

 private:
  bool at_rest() const {
    for (const auto& [type, count] : needed_) {
      const auto came = came_.find(type);
      if (came == came_.end() || came->second < count) return false;
    }
    return last_ != enums::EVENT_TYPE_UNSPECIFIED && last_ != enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED &&
           last_ != enums::EVENT_TYPE_WORKFLOW_TASK_STARTED && last_ != enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED;
  }
  void read() {
    service::GetWorkflowExecutionHistoryRequest request;
    request.set_namespace_("default");
    request.mutable_execution()->set_workflow_id(id_);
    request.mutable_execution()->set_run_id(run_id_);
    request.set_wait_new_event(true);
    request.set_next_page_token(token_);
    auto reply = ask<service::GetWorkflowExecutionHistoryResponse>(client_, "GetWorkflowExecutionHistory", request);
    token_ = reply.next_page_token();
    for (const auto& event : reply.history().events()) {
      if (event.event_id() <= last_id_) continue;
      last_id_ = event.event_id();
      last_ = event.event_type();
      ++came_[last_];
      next_run_ = event.workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
      EXPECT_NE(last_, enums::EVENT_TYPE_WORKFLOW_TASK_FAILED) << event.ShortDebugString();
      EXPECT_NE(last_, enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT) << event.ShortDebugString();
    }
  }

  api::Client& client_;
  const std::string id_;
  std::string run_id_, token_, next_run_;
  std::map<enums::EventType, int> came_, needed_;
  enums::EventType last_ = enums::EVENT_TYPE_UNSPECIFIED;
  std::int64_t last_id_ = 0;
};

class Driver {
 public:
  Driver(const std::string& address, Gate& gate)
      : client_(api::Client::create(api::Connection{.address = address})), gate_(gate), target_(watch("target")) {}

  void first_run() {
    target_.start("KitchenChild", "\"target\"");
    target_.rest();
    sink().start("KitchenSink", "1");
    done(1);
    activities();
    held("try", 5, enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
    held("wait", 7, enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED);
    held("abandon", 9, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    locals_and_timers();
    children();
    others();
    words();
    told_ = sink().query("told");
    step(36).need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW).rest();
  }

  void second_run() {
    sink_ = std::make_unique<Watched>(*client_, kSink, sink().next_run());
    done(1);
    step(2).need(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED, 3);
    auto left = watch("left"), killed = watch("killed"), asked = watch("asked");
    done(2);
    for (auto* child : {&left, &killed, &asked}) child->rest();
    step(3);
    done(3);
    sink().cancel();
    sink().need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED).rest();
    killed.need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED).rest();
    asked.need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED).rest();
    asked.signal("finish");
    asked.need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED).rest();
    left.signal("finish");
    left.need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED).rest();
  }

  KitchenHistories histories() {
    KitchenHistories all;
    all.told = told_;
    all.runs[kSink] = closed_histories(*client_, kSink);
    for (const auto& label : watched_) {
      const auto id = std::string(kSink) + "-" + label;
      all.runs[id] = closed_histories(*client_, id);
    }
    return all;
  }

 private:
  Watched& sink() { return *sink_; }
  Watched watch(const std::string& label) {
    watched_.push_back(label);
    return {*client_, std::string(kSink) + "-" + label};
  }
  Watched& step(int number) {
    sink().signal("step", std::to_string(number));
    return sink();
  }
  void done(int number) {
    sink().rest();
    EXPECT_EQ(std::to_string(number), sink().query("at"));
  }
  void do_step(int number, enums::EventType type) {
    step(number).need(type);
    done(number);
  }

  void activities() {
    do_step(2, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    do_step(3, enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED);
    do_step(4, enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
  }

  /// Steps `first` and the one after it.
  void held(const std::string& label, int first, enums::EventType ending) {
    step(first);
    done(first);
    gate_.wait_started(label);
    step(first + 1);
    if (label != "abandon") sink().need(enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED);
    sink().rest();
    gate_.release(label);
    sink().need(ending);
    done(first + 1);
  }

  void locals_and_timers() {
    step(11);
    done(11);
    for (const int local : {12, 13}) do_step(local, enums::EVENT_TYPE_MARKER_RECORDED);
    step(14).need(enums::EVENT_TYPE_MARKER_RECORDED, 2);
    sink().need(enums::EVENT_TYPE_TIMER_FIRED);
    done(14);
    do_step(15, enums::EVENT_TYPE_TIMER_FIRED);
    do_step(16, enums::EVENT_TYPE_TIMER_STARTED);
    do_step(17, enums::EVENT_TYPE_TIMER_CANCELED);
    do_step(18, enums::EVENT_TYPE_TIMER_FIRED);
    step(19).rest();
    sink().signal("open");
    sink().need(enums::EVENT_TYPE_TIMER_CANCELED);
    done(19);
  }

  void children() {
    auto child = watch("done");
    step(20).need(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED).rest();
    child.rest();
    child.signal("finish");
    sink().need(enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED);
    done(20);
    cancelled_child("try", 21);
    cancelled_child("wait", 23);
    cancelled_child("requested", 25);
    cancelled_child("abandon", 27);
  }

  void cancelled_child(const std::string& label, int first) {
    auto child = watch(label);
    do_step(first, enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED);
    child.rest();
    step(first + 1);
    const bool abandoned = label == "abandon";
    if (!abandoned) {
      sink().need(enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
      child.need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
    }
    sink().rest();
    child.rest();
    child.signal("finish");
    sink().need(abandoned ? enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED
                          : enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED);
    done(first + 1);
  }

  void others() {
    do_step(29, enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED);
    do_step(30, enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED);
    target_.need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED).rest();
    do_step(31, enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
    do_step(32, enums::EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
    target_.need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED).rest();
    target_.signal("finish");
    target_.need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED).rest();
    do_step(33, enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED);
  }

  void words() {
    constexpr auto kCompleted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
    constexpr auto kAccepted = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
    step(34);
    done(34);
    EXPECT_EQ("5", sink().update("add", "add-1", "5", kCompleted));
    EXPECT_EQ("only positive numbers", sink().update("add", "add-2", "-1", kCompleted));
    EXPECT_EQ("", sink().update("later", "later-1", "0", kAccepted));
    sink().need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, 2);
    sink().need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED).rest();
    sink().signal("settle");
    sink().need(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED).rest();
    EXPECT_EQ("5", sink().query("total"));
    EXPECT_TRUE(sink().query("nothing").starts_with("refused: unknown query nothing"));
    step(35);
    done(35);
    for (const char* note : {"\"a\"", "\"b\""}) {
      sink().signal("note", note);
      sink().rest();
    }
    EXPECT_EQ(R"(["\"a\"","\"b\""])", sink().query("notes"));
  }

  std::unique_ptr<api::Client> client_;
  Gate& gate_;
  std::vector<std::string> watched_;
  Watched target_;
  std::unique_ptr<Watched> sink_ = std::make_unique<Watched>(*client_, kSink);
  std::string told_;
};

}  // namespace

KitchenHistories drive_kitchen(const std::string& address) {
  Gate gate;
  Kitchen kitchen(address, gate);
  const auto opened = kitchen.open();
  EXPECT_TRUE(opened.has_value()) << opened.error().message;
  if (!opened) return {};
  Driver driver(address, gate);
  driver.first_run();
  if (!testing::Test::HasFailure()) driver.second_run();
  if (testing::Test::HasFailure()) return {};
  return driver.histories();
}

}  // namespace callimport::tests
