// The port over gRPC against a server of a few lines in this process: what a call carries, what becomes of its answer,
// its deadline and its cancellation, and which answers are worth another try.
#include <fmt/format.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <temporal/api/errordetails/v1/message.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <temporal/api/workflowservice/v1/service.grpc.pb.h>

#include <atomic>
#include <future>
#include <map>

#include "api/grpc/channel.h"
#include "engine/cluster/cluster.h"
#include "engine/worker/rpc.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/os_random.h"
#include "tests/api/certificates.h"

namespace callimport::tests {
namespace {

namespace service = ::temporal::api::workflowservice::v1;
using engine::CallContext;
using engine::PortStatus;

inline constexpr std::size_t kBigAnswerBytes = 20u << 20;  // over gRPC's own limit of 4 MiB

/// Ends when its call is cancelled, by whoever.
class Silent final : public grpc::ServerUnaryReactor {
 public:
  explicit Silent(std::promise<void>& cancelled) : cancelled_(cancelled) {}
  void OnCancel() override {
    cancelled_.set_value();
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  std::promise<void>& cancelled_;
};

class Answers final : public service::WorkflowService::CallbackService {
 public:
  std::multimap<std::string, std::string> headers;  ///< of the last GetSystemInfo; read once it was answered
  std::promise<void> cancelled;                     ///< a poll was
  std::optional<grpc::Status> refuse_first;         ///< what the first ListNamespaces is answered; before it comes
  std::atomic<int> lists{0};

  grpc::ServerUnaryReactor* GetSystemInfo(grpc::CallbackServerContext* context, const service::GetSystemInfoRequest*,
                                          service::GetSystemInfoResponse* reply) override {
    for (const auto& [name, value] : context->client_metadata())
      headers.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
    reply->set_server_version("1.2.3");
    return finished(context, grpc::Status::OK);
  }
  grpc::ServerUnaryReactor* DescribeNamespace(grpc::CallbackServerContext* context,
                                              const service::DescribeNamespaceRequest* request,
                                              service::DescribeNamespaceResponse*) override {
    temporal::api::errordetails::v1::NamespaceNotFoundFailure failure;
    failure.set_namespace_(request->namespace_());
    google::rpc::Status details;
    details.set_code(5);
    details.add_details()->PackFrom(failure);
    return finished(context, {grpc::StatusCode::NOT_FOUND, "Namespace x is not found.", details.SerializeAsString()});
  }
  grpc::ServerUnaryReactor* ListNamespaces(grpc::CallbackServerContext* context, const service::ListNamespacesRequest*,
                                           service::ListNamespacesResponse*) override {
    return finished(context, lists.fetch_add(1) == 0 && refuse_first ? *refuse_first : grpc::Status::OK);
  }
  grpc::ServerUnaryReactor* GetWorkflowExecutionHistory(grpc::CallbackServerContext* context,
                                                        const service::GetWorkflowExecutionHistoryRequest*,
                                                        service::GetWorkflowExecutionHistoryResponse* reply) override {
    reply->set_next_page_token(std::string(kBigAnswerBytes, 'x'));
    return finished(context, grpc::Status::OK);
  }
  grpc::ServerUnaryReactor* PollWorkflowTaskQueue(grpc::CallbackServerContext*,
                                                  const service::PollWorkflowTaskQueueRequest*,
                                                  service::PollWorkflowTaskQueueResponse*) override {
    return new Silent(cancelled);
  }

 private:
  static grpc::ServerUnaryReactor* finished(grpc::CallbackServerContext* context, const grpc::Status& status) {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }
};

class Port : public testing::Test {
 protected:
  Port() { listen(grpc::InsecureServerCredentials(), {}); }

  void listen(const std::shared_ptr<grpc::ServerCredentials>& credentials, api::Connection connection,
              std::vector<std::pair<std::string, std::string>> headers = {{"client-name", "callimport-cpp"}}) {
    cluster_.reset();
    if (server_) server_->Shutdown();
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port);
    builder.RegisterService(&answers_);
    server_ = builder.BuildAndStart();
    connection.address = fmt::format("127.0.0.1:{}", port);
    for (auto& header : connection.headers("/temporal.")) headers.push_back(std::move(header));
    cluster_ = engine::Cluster::create(loop_, loop_, {api::open_channel(connection), std::move(headers)});
  }

  /// Runs the loop until the answer has come. `into` is filled when it is one.
  template <class Request, class Response>
  PortStatus ask(void (engine::WorkflowService::*method)(const Request&, CallContext, engine::Reply<Response>),
                 const Request& request, Response* into, CallContext context = {}) {
    PortStatus answer{-1, {}, {}, {}};
    loop_.post([&] {
      (cluster_.get()->*method)(request, context, [&](const PortStatus& status, Response* reply) {
        EXPECT_EQ(status.ok(), reply != nullptr);
        if (reply != nullptr && into != nullptr) into->Swap(reply);
        answer = status;
        loop_.stop();
      });
      EXPECT_EQ(answer.code, -1) << "a reply inside the call";
    });
    loop_.run();
    return answer;
  }

  bool answers() {
    service::GetSystemInfoResponse reply;
    return ask(&engine::WorkflowService::GetSystemInfo, {}, &reply).ok();
  }

  AsioLoop loop_;
  Answers answers_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<engine::Cluster> cluster_;
};

TEST_F(Port, SaysWhoCallsAndWhere) {
  listen(grpc::InsecureServerCredentials(), api::Connection{.name_space = "calls", .api_key = "key"});
  service::GetSystemInfoResponse reply;
  ASSERT_TRUE(ask(&engine::WorkflowService::GetSystemInfo, {}, &reply).ok());
  EXPECT_EQ(reply.server_version(), "1.2.3");
  const auto header = [this](const char* name) {
    const auto found = answers_.headers.find(name);
    return found == answers_.headers.end() ? std::string() : found->second;
  };
  EXPECT_EQ(header("client-name"), "callimport-cpp");
  EXPECT_EQ(header("temporal-namespace"), "calls");
  EXPECT_EQ(header("authorization"), "Bearer key");
}

TEST_F(Port, HandsOnTheTypedDetail) {
  service::DescribeNamespaceRequest request;
  request.set_namespace_("x");
  const auto status = ask<service::DescribeNamespaceRequest, service::DescribeNamespaceResponse>(
      &engine::WorkflowService::DescribeNamespace, request, nullptr);
  EXPECT_EQ(status.code, 5);
  EXPECT_EQ(status.message, "Namespace x is not found.");
  EXPECT_EQ(status.detail_type, "temporal.api.errordetails.v1.NamespaceNotFoundFailure");
  temporal::api::errordetails::v1::NamespaceNotFoundFailure failure;
  ASSERT_TRUE(failure.ParseFromString(status.detail_bytes));
  EXPECT_EQ(failure.namespace_(), "x");
}

TEST_F(Port, TakesAnswersOverFourMegabytes) {
  service::GetWorkflowExecutionHistoryResponse reply;
  ASSERT_TRUE(ask(&engine::WorkflowService::GetWorkflowExecutionHistory, {}, &reply).ok());
  EXPECT_EQ(reply.next_page_token().size(), kBigAnswerBytes);
}

TEST_F(Port, EndsACallAtItsDeadline) {
  const CallContext context{7, loop_.now() + std::chrono::milliseconds{50}};
  const auto status = ask<service::PollWorkflowTaskQueueRequest, service::PollWorkflowTaskQueueResponse>(
      &engine::WorkflowService::PollWorkflowTaskQueue, {}, nullptr, context);
  EXPECT_EQ(status.code, 4);
  EXPECT_EQ(cluster_->pending(), 0u);
}

TEST_F(Port, KeepsACancelledCallSilent) {
  bool replied = false;
  const auto poll = [&](const PortStatus&, service::PollWorkflowTaskQueueResponse*) { replied = true; };
  cluster_->PollWorkflowTaskQueue({}, {9, loop_.now() + std::chrono::seconds{60}}, poll);
  // A call behind it on the same connection: the server has the poll by then.
  ASSERT_TRUE(answers());
  cluster_->cancel(9);
  cluster_->cancel(9);
  cluster_->cancel(10);
  EXPECT_EQ(cluster_->pending(), 0u);
  answers_.cancelled.get_future().wait();
  ASSERT_TRUE(answers());
  EXPECT_FALSE(replied);
}

TEST_F(Port, LeavesNothingBehindWhenItGoes) {
  bool replied = false;
  cluster_->PollWorkflowTaskQueue({}, {9, loop_.now() + std::chrono::seconds{60}},
                                  [&](const PortStatus&, service::PollWorkflowTaskQueueResponse*) { replied = true; });
  ASSERT_TRUE(answers());
  cluster_.reset();
  answers_.cancelled.get_future().wait();
  loop_.post([this] { loop_.stop(); });
  loop_.run();
  EXPECT_FALSE(replied);
}

TEST_F(Port, SaysAtOnceThatNobodyIsThere) {
  server_->Shutdown();
  const auto status = ask<service::GetSystemInfoRequest, service::GetSystemInfoResponse>(
      &engine::WorkflowService::GetSystemInfo, {}, nullptr);
  EXPECT_EQ(status.code, 14);
}

struct Retry {
  const char* name;
  grpc::StatusCode code;
  const char* text;
  bool again;
};
void PrintTo(const Retry& row, std::ostream* out) { *out << row.name; }
class PortRetries : public Port, public testing::WithParamInterface<Retry> {};
TEST_P(PortRetries, AreThoseOfTheTable) {  // A9
  const Retry& row = GetParam();
  answers_.refuse_first = grpc::Status(row.code, row.text);
  PortStatus answer{-1, {}, {}, {}};
  OsRandom random;
  loop_.post([&] {
    engine::worker::call<service::ListNamespacesRequest, service::ListNamespacesResponse>(
        {*cluster_, loop_, loop_, random}, &engine::WorkflowService::ListNamespaces,
        std::make_shared<service::ListNamespacesRequest>(),
        [&](const PortStatus& status, service::ListNamespacesResponse*) {
          answer = status;
          loop_.stop();
        });
  });
  loop_.run();
  EXPECT_EQ(answers_.lists.load(), row.again ? 2 : 1);
  EXPECT_EQ(answer.code, row.again ? 0 : row.code) << answer.message;
}
INSTANTIATE_TEST_SUITE_P(Table, PortRetries,
                         testing::Values(Retry{"Cancelled", grpc::StatusCode::CANCELLED, "", false},
                                         Retry{"Unknown", grpc::StatusCode::UNKNOWN, "", true},
                                         Retry{"InvalidArgument", grpc::StatusCode::INVALID_ARGUMENT, "", false},
                                         Retry{"DeadlineExceeded", grpc::StatusCode::DEADLINE_EXCEEDED, "", false},
                                         Retry{"NotFound", grpc::StatusCode::NOT_FOUND, "", false},
                                         Retry{"AlreadyExists", grpc::StatusCode::ALREADY_EXISTS, "", false},
                                         Retry{"PermissionDenied", grpc::StatusCode::PERMISSION_DENIED, "", false},
                                         Retry{"ResourceExhausted", grpc::StatusCode::RESOURCE_EXHAUSTED, "busy", true},
                                         Retry{"TooLarge", grpc::StatusCode::RESOURCE_EXHAUSTED,
                                               "grpc: received message larger than max (5242885 vs. 4194304)", false},
                                         Retry{"FailedPrecondition", grpc::StatusCode::FAILED_PRECONDITION, "", false},
                                         Retry{"Aborted", grpc::StatusCode::ABORTED, "", true},
                                         Retry{"OutOfRange", grpc::StatusCode::OUT_OF_RANGE, "", true},
                                         Retry{"Unimplemented", grpc::StatusCode::UNIMPLEMENTED, "", false},
                                         Retry{"Internal", grpc::StatusCode::INTERNAL, "", true},
                                         Retry{"Unavailable", grpc::StatusCode::UNAVAILABLE, "", true},
                                         Retry{"DataLoss", grpc::StatusCode::DATA_LOSS, "", true},
                                         Retry{"Unauthenticated", grpc::StatusCode::UNAUTHENTICATED, "", false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_F(Port, SpeaksTlsToWhomItBelieves) {
  const auto made = make_certificate("calls.example");
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({made.key, made.certificate});
  api::Connection connection;
  connection.tls.on = true;
  connection.tls.ca = made.certificate;
  connection.api_key = "key";
  listen(grpc::SslServerCredentials(options), connection);
  EXPECT_TRUE(answers());
  connection.tls.ca = make_certificate("calls.example").certificate;
  listen(grpc::SslServerCredentials(options), connection);
  EXPECT_FALSE(answers());
}

}  // namespace
}  // namespace callimport::tests
