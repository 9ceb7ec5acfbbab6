// The gRPC door in process, over a port that answers from a script: texts, health, reflection, limits, details, pings,
// cancelling.
#include "api/grpc/door.h"

#include <arpa/inet.h>
#include <google/protobuf/empty.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <temporal/api/errordetails/v1/message.pb.h>
#include <temporal/api/operatorservice/v1/request_response.pb.h>
#include <temporal/api/testservice/v1/request_response.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "api/cli/client.h"
#include "api/grpc/certificate.h"
#include "api/grpc/health.h"
#include "api/grpc/temporal_methods.h"
#include "api/grpc/test_methods.h"
#include "api/grpc/typed.h"
#include "api/proto/grpc/health.pb.h"
#include "api/proto/grpc/reflection.pb.h"
#include "engine/nesting.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/skipping_clock.h"
#include "tests/api/certificates.h"
#include "tests/spine/process.h"

namespace callimport::api {
namespace {

using engine::Reply;
namespace service = temporal::api::workflowservice::v1;
constexpr const char* kWorkflow = "/temporal.api.workflowservice.v1.WorkflowService/";

/// Answers every method with UNIMPLEMENTED text, but those a test set. On the loop only; `cancelled` may be read after.
class ScriptedService final : public engine::WorkflowService, public engine::OperatorService {
 public:
  explicit ScriptedService(Executor& loop) : loop_(loop) {}
#define X(Name)                                                                                                       \
  void Name(const engine::api::Name##Request& request, CallContext context, Reply<engine::api::Name##Response> reply) \
      override {                                                                                                      \
    answer(#Name, request.ByteSizeLong(), context, reply);                                                            \
  }
#include "engine/rpcs.inc"
#undef X
#define X(Name)                                                                      \
  void Name(const engine::operator_api::Name##Request& request, CallContext context, \
            Reply<engine::operator_api::Name##Response> reply) override {            \
    answer(#Name, request.ByteSizeLong(), context, reply);                           \
  }
#include "engine/operator_rpcs.inc"
#undef X
  void cancel(std::uint64_t call) override {
    const std::lock_guard lock(mutex_);
    cancelled_.insert(call);
    changed_.notify_all();
  }

  std::map<std::string, PortStatus> statuses;  ///< before the first call
  std::set<std::string> silent;                ///< never answered
  std::atomic<bool> follows_runs = false;      ///< of the last call

  void wait_pending(std::size_t calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return pending_.size() >= calls; });
  }
  void wait_all_cancelled() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return cancelled_ == pending_; });
  }

 private:
  template <class Response>
  void answer(const std::string& name, std::size_t, CallContext context, Reply<Response> reply) {
    follows_runs = context.follows_runs;
    if (silent.contains(name)) {
      const std::lock_guard lock(mutex_);
      pending_.insert(context.call);
      changed_.notify_all();
      return;
    }
    loop_.post([this, name, reply] {
      const auto found = statuses.find(name);
      if (found != statuses.end() && !found->second.ok()) return reply(found->second, nullptr);
      Response response;
      fill(response);
      reply({}, &response);
    });
  }
  template <class Response>
  void fill(Response&) {}
  void fill(temporal::api::operatorservice::v1::DeleteNamespaceResponse& response) {
    response.set_deleted_namespace("gone");
  }
  void fill(service::GetSystemInfoResponse& response) { response.set_server_version("1.29.0"); }

  Executor& loop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::uint64_t> pending_, cancelled_;
};

class DoorTest : public testing::Test {
 protected:
  void SetUp() override {
    add_temporal_methods(router_, service_);
    add_operator_methods(router_, service_);
    Method secret = typed_method<service::GetSystemInfoRequest>(
        [](auto, CallContext, std::shared_ptr<Answer> answer) { answer->reply(service::GetSystemInfoResponse()); });
    secret.trusted = true;
    router_.services.insert("callimport.v1.CallImportService");
    router_.methods["/callimport.v1.CallImportService/Secret"] = secret;
    add_health(router_);
    add_reflection(router_);
  }
  void open(DoorOptions options = {}) {
    options.address = "127.0.0.1:0";
    options.socket = scratch_ / "door.sock";
    options.token = "the-token";
    auto door = Door::open(router_, loop_, options);
    ASSERT_TRUE(door) << door.error().message;
    door_ = std::move(*door);
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    if (door_ == nullptr) return;
    door_->close(std::chrono::milliseconds{0});
    loop_.stop();
    thread_.join();
  }

  std::shared_ptr<grpc::Channel> channel(const std::string& address = {}, grpc::ChannelArguments arguments = {}) {
    arguments.SetMaxReceiveMessageSize(128 << 20);
    return grpc::CreateCustomChannel(address.empty() ? door_->address() : address, grpc::InsecureChannelCredentials(),
                                     arguments);
  }
  grpc::Status call(const std::string& method, const google::protobuf::MessageLite& request,
                    google::protobuf::MessageLite* reply = nullptr, const std::string& bearer = {},
                    const std::string& address = {}) {
    return call_bytes(method, request.SerializeAsString(), reply, bearer, address);
  }
  grpc::Status call_bytes(const std::string& method, const std::string& request,
                          google::protobuf::MessageLite* reply = nullptr, const std::string& bearer = {},
                          const std::string& address = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{20});
    if (!bearer.empty()) context.AddMetadata("authorization", "Bearer " + bearer);
    grpc::GenericStub caller(channel(address));
    grpc::Slice slice(request);
    grpc::ByteBuffer sent(&slice, 1), got;
    grpc::CompletionQueue queue;
    auto pending = caller.PrepareUnaryCall(&context, method, sent, &queue);
    pending->StartCall();
    grpc::Status status;
    pending->Finish(&got, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    if (status.ok() && reply != nullptr) {
      std::vector<grpc::Slice> slices;
      EXPECT_TRUE(got.Dump(&slices).ok());
      std::string bytes;
      for (const auto& one : slices) bytes.append(reinterpret_cast<const char*>(one.begin()), one.size());
      EXPECT_TRUE(reply->ParseFromString(bytes));
    }
    return status;
  }

  callimport::tests::Scratch scratch_;
  AsioLoop loop_;
  SkippingClock clock_{loop_, loop_};
  ScriptedService service_{loop_};
  Router router_;
  std::unique_ptr<Door> door_;
  std::thread thread_;
};

struct UnknownRow {
  const char *name, *method, *text;
};
TEST_F(DoorTest, UnknownNamesAreToldInTheServersWords) {
  open();
  for (const auto& row :
       {UnknownRow{
            "known service", "/temporal.api.workflowservice.v1.WorkflowService/CountActivityExecutions",
            "unknown method CountActivityExecutions for service temporal.api.workflowservice.v1.WorkflowService"},
        UnknownRow{"no such method", "/temporal.api.workflowservice.v1.WorkflowService/Nope",
                   "unknown method Nope for service temporal.api.workflowservice.v1.WorkflowService"},
        UnknownRow{"operator", "/temporal.api.operatorservice.v1.OperatorService/Nope",
                   "unknown method Nope for service temporal.api.operatorservice.v1.OperatorService"},
        UnknownRow{"unknown service", "/foo.Bar/Baz", "unknown service foo.Bar"},
        UnknownRow{"test service", "/temporal.api.testservice.v1.TestService/Sleep",
                   "unknown service temporal.api.testservice.v1.TestService"}}) {
    const auto status = call(row.method, google::rpc::Status());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << row.name;
    EXPECT_EQ(status.error_message(), row.text);
  }
}

TEST_F(DoorTest, EveryMethodOfThePortIsServed) {
  open();
#define X(Name)                                                                                               \
  {                                                                                                           \
    engine::api::Name##Response response;                                                                     \
    EXPECT_TRUE(call(std::string(kWorkflow) + #Name, engine::api::Name##Request(), &response).ok()) << #Name; \
  }
#include "engine/rpcs.inc"
#undef X
}

TEST_F(DoorTest, TestServiceMovesTime) {  // C.14
  namespace test = temporal::api::testservice::v1;
  const std::string prefix = "/temporal.api.testservice.v1.TestService/";
  clock_.set_at_rest([] { return true; });
  add_test_methods(router_, clock_);
  open();
  const auto now = [&] {
    test::GetCurrentTimeResponse reply;
    EXPECT_TRUE(call(prefix + "GetCurrentTime", google::protobuf::Empty(), &reply).ok());
    return reply.time().seconds();
  };
  const auto began = now();
  test::SleepRequest hour;
  hour.mutable_duration()->set_seconds(3600);
  EXPECT_TRUE(call(prefix + "UnlockTimeSkippingWithSleep", hour).ok()) << "it begins with one lock";
  EXPECT_GE(now(), began + 3600);
  test::SleepUntilRequest past;
  past.mutable_timestamp()->set_seconds(began);
  EXPECT_TRUE(call(prefix + "SleepUntil", past).ok());
  EXPECT_TRUE(call(prefix + "UnlockTimeSkipping", test::UnlockTimeSkippingRequest()).ok());
  EXPECT_EQ(call(prefix + "UnlockTimeSkipping", test::UnlockTimeSkippingRequest()).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(call(prefix + "UnlockTimeSkippingWithSleep", hour).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_TRUE(call(prefix + "Sleep", hour).ok());
  EXPECT_GE(now(), began + 7200);
  EXPECT_TRUE(call(prefix + "LockTimeSkipping", test::LockTimeSkippingRequest()).ok());
  EXPECT_TRUE(call(prefix + "UnlockTimeSkipping", test::UnlockTimeSkippingRequest()).ok()) << "counted";
}

TEST_F(DoorTest, ErrorsCarryOneTypedDetail) {
  temporal::api::errordetails::v1::NamespaceNotFoundFailure detail;
  detail.set_namespace_("nope");
  service_.statuses["DescribeNamespace"] = {kGrpcNotFound, "Namespace nope is not found.",
                                            "temporal.api.errordetails.v1.NamespaceNotFoundFailure",
                                            detail.SerializeAsString()};
  service_.statuses["ListNamespaces"] = {kGrpcInvalidArgument, "Namespace is empty.", {}, {}};
  open();
  const auto status = call(std::string(kWorkflow) + "DescribeNamespace", service::DescribeNamespaceRequest());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  google::rpc::Status trailer;
  ASSERT_TRUE(trailer.ParseFromString(status.error_details()));
  EXPECT_EQ(trailer.code(), kGrpcNotFound);
  EXPECT_EQ(trailer.message(), "Namespace nope is not found.");
  ASSERT_EQ(trailer.details_size(), 1);
  temporal::api::errordetails::v1::NamespaceNotFoundFailure got;
  ASSERT_TRUE(trailer.details(0).UnpackTo(&got));
  EXPECT_EQ(got.namespace_(), "nope");
  EXPECT_EQ(call(std::string(kWorkflow) + "ListNamespaces", service::ListNamespacesRequest()).error_details(), "")
      << "none where the table names none";
}

TEST_F(DoorTest, RequestsOverFourMebibytesAreRefusedInTheWordsClientsKnow) {
  open();
  const auto sized = [](std::size_t bytes) {
    service::StartWorkflowExecutionRequest request;
    request.set_identity(std::string(bytes - 5, 'x'));
    return request;
  };
  const auto start = std::string(kWorkflow) + "StartWorkflowExecution";
  const auto at_limit = sized(kRequestBytesMax);
  const auto over = sized(kRequestBytesMax + 1);
  ASSERT_EQ(at_limit.ByteSizeLong(), kRequestBytesMax);
  EXPECT_TRUE(call(start, at_limit).ok());
  const auto status = call(start, over);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(),
            "grpc: received message larger than max (" + std::to_string(over.ByteSizeLong()) + " vs. 4194304)");
}

TEST_F(DoorTest, GarbageIsRefused) {
  open();
  for (const std::string& garbage : {std::string("\xff"), std::string("\x0a\x7fshort"), std::string(1000, '\x0b')}) {
    EXPECT_EQ(call_bytes(std::string(kWorkflow) + "StartWorkflowExecution", garbage).error_code(),
              grpc::StatusCode::INTERNAL);
  }
}

/// Failures nest without end; what the service could not parse again once it is written down is refused (C.16).
TEST_F(DoorTest, MessagesNestAsDeepAsTheServiceCanParseThem) {
  open();
  service::RespondActivityTaskFailedRequest request;
  auto* failure = request.mutable_failure();
  for (int depth = 1; depth < engine::kNestingMax; ++depth) failure = failure->mutable_cause();
  const auto method = std::string(kWorkflow) + "RespondActivityTaskFailed";
  EXPECT_TRUE(call(method, request).ok());
  failure->mutable_cause();
  EXPECT_EQ(call(method, request).error_code(), grpc::StatusCode::INTERNAL);
}

TEST_F(DoorTest, HealthKnowsTheServices) {
  open();
  for (const char* name :
       {"", "temporal.api.workflowservice.v1.WorkflowService", "temporal.api.operatorservice.v1.OperatorService",
        "temporal.server.api.adminservice.v1.AdminService"}) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    grpc::health::v1::HealthCheckResponse response;
    ASSERT_TRUE(call("/grpc.health.v1.Health/Check", request, &response).ok()) << name;
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  }
  grpc::health::v1::HealthCheckRequest request;
  request.set_service("nope");
  const auto status = call("/grpc.health.v1.Health/Check", request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "unknown service");
}

TEST_F(DoorTest, ReflectionListsServicesAndKnowsTheirFiles) {
  open();
  for (const char* version : {"v1", "v1alpha"}) {
    grpc::reflection::v1::ServerReflectionRequest list;
    list.set_list_services("");
    grpc::reflection::v1::ServerReflectionResponse response;
    const auto method = std::string("/grpc.reflection.") + version + ".ServerReflection/ServerReflectionInfo";
    ASSERT_TRUE(call(method, list, &response).ok());
    std::set<std::string> names;
    for (const auto& one : response.list_services_response().service()) names.insert(one.name());
    for (const char* name :
         {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
          "temporal.api.operatorservice.v1.OperatorService", "temporal.api.workflowservice.v1.WorkflowService",
          "temporal.server.api.adminservice.v1.AdminService"}) {
      EXPECT_TRUE(names.contains(name)) << name;
    }
    grpc::reflection::v1::ServerReflectionRequest symbol;
    symbol.set_file_containing_symbol("temporal.api.workflowservice.v1.WorkflowService");
    ASSERT_TRUE(call(method, symbol, &response).ok());
    EXPECT_GT(response.file_descriptor_response().file_descriptor_proto_size(), 10);
    symbol.set_file_containing_symbol("no.Such");
    ASSERT_TRUE(call(method, symbol, &response).ok());
    EXPECT_EQ(response.error_response().error_code(), kGrpcNotFound);
  }
}

struct FeatureRow {
  const char *name, *said;  ///< in `supported-features`; null: nothing
  bool follows;
};
TEST_F(DoorTest, ClientsSayThatTheyFollowRuns) {
  open();
  for (const auto& row :
       {FeatureRow{"nothing", nullptr, false}, FeatureRow{"empty", "", false},
        FeatureRow{"alone", "follows-next-run-id", true}, FeatureRow{"among others", "a,follows-next-run-id,b", true},
        FeatureRow{"another", "follows-next-run-ids,follows", false}}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{20});
    if (row.said != nullptr) context.AddMetadata("supported-features", row.said);
    grpc::GenericStub caller(channel());
    grpc::Slice empty("");
    grpc::CompletionQueue queue;
    auto pending = caller.PrepareUnaryCall(&context, std::string(kWorkflow) + "GetWorkflowExecutionHistory",
                                           grpc::ByteBuffer(&empty, 1), &queue);
    pending->StartCall();
    grpc::ByteBuffer reply;
    grpc::Status status;
    pending->Finish(&reply, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    EXPECT_TRUE(status.ok()) << row.name;
    EXPECT_EQ(service_.follows_runs, row.follows) << row.name;
  }
}

TEST_F(DoorTest, OperatorServiceIsServed) {
  open();
  temporal::api::operatorservice::v1::DeleteNamespaceResponse response;
  const std::string prefix = "/temporal.api.operatorservice.v1.OperatorService/";
  ASSERT_TRUE(call(prefix + "DeleteNamespace", service::GetSystemInfoRequest(), &response).ok());
  EXPECT_EQ(response.deleted_namespace(), "gone");
  EXPECT_EQ(call(prefix + "Nope", service::GetSystemInfoRequest()).error_message(),
            "unknown method Nope for service temporal.api.operatorservice.v1.OperatorService");
}

TEST_F(DoorTest, TrustedMethodsWantTheSocketOrTheToken) {
  open();
  const std::string method = "/callimport.v1.CallImportService/Secret";
  const service::GetSystemInfoRequest request;
  EXPECT_EQ(call(method, request).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(call(method, request, nullptr, "the-tokem").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(call(method, request, nullptr, "the-token-and-more").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(call(method, request, nullptr, "the-token").ok());
  EXPECT_TRUE(call(method, request, nullptr, {}, "unix:" + door_->socket()).ok());
  EXPECT_TRUE(call(std::string(kWorkflow) + "GetSystemInfo", request).ok()) << "Temporal's service is open on loopback";
}

TEST_F(DoorTest, RequireTokenClosesTemporalsServiceToo) {
  DoorOptions options;
  options.require_token = true;
  open(options);
  const service::GetSystemInfoRequest request;
  EXPECT_EQ(call(std::string(kWorkflow) + "GetSystemInfo", request).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(call(std::string(kWorkflow) + "GetSystemInfo", request, nullptr, "the-token").ok());
}

TEST_F(DoorTest, ApiKeyOpensTemporalsServiceAndTheTokenEverything) {
  DoorOptions options;
  options.api_key = "the-key";
  open(options);
  const service::GetSystemInfoRequest request;
  const std::string theirs = std::string(kWorkflow) + "GetSystemInfo", ours = "/callimport.v1.CallImportService/Secret";
  for (const std::string& bearer : {std::string(), std::string("the-kez"), std::string("the-key-and-more")}) {
    EXPECT_EQ(call(theirs, request, nullptr, bearer).error_code(), grpc::StatusCode::UNAUTHENTICATED) << bearer;
    EXPECT_EQ(call(ours, request, nullptr, bearer).error_code(), grpc::StatusCode::UNAUTHENTICATED) << bearer;
  }
  EXPECT_TRUE(call(theirs, request, nullptr, "the-key").ok());
  EXPECT_EQ(call(ours, request, nullptr, "the-key").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(call(theirs, request, nullptr, "the-token").ok());
  EXPECT_TRUE(call(ours, request, nullptr, "the-token").ok());
  EXPECT_TRUE(call("/grpc.health.v1.Health/Check", grpc::health::v1::HealthCheckRequest()).ok())
      << "probes have no key";
}

/// Streams are looked at as single calls are: reflection without the key ends before it answers.
TEST_F(DoorTest, StreamsWantTheApiKeyToo) {
  DoorOptions options;
  options.api_key = "the-key";
  open(options);
  const auto ended = [&](const std::string& bearer) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{20});
    if (!bearer.empty()) context.AddMetadata("authorization", "Bearer " + bearer);
    grpc::GenericStub caller(channel());
    grpc::CompletionQueue queue;
    void* tag = nullptr;
    bool ok = false;
    auto stream = caller.PrepareCall(&context, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", &queue);
    stream->StartCall(this);
    queue.Next(&tag, &ok);
    stream->WritesDone(this);
    queue.Next(&tag, &ok);
    grpc::Status status;
    stream->Finish(&status, this);
    queue.Next(&tag, &ok);
    return status.error_code();
  };
  EXPECT_EQ(ended({}), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_NE(ended("the-key"), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(DoorTest, SpeaksTlsToThoseWhoBelieveItsCertificate) {
  const auto made = tests::make_certificate("calls.example");
  const auto other = tests::make_certificate("calls.example");
  DoorOptions options;
  options.tls_cert = made.certificate;
  options.tls_key = made.key;
  open(options);
  const auto asked = [&](Connection connection) {
    connection.address = door_->address();
    const auto client = Client::create(connection);
    service::GetSystemInfoResponse response;
    return client
        ->call(std::string(kWorkflow) + "GetSystemInfo", service::GetSystemInfoRequest(), response,
               std::chrono::seconds{20})
        .code;
  };
  EXPECT_EQ(asked({.tls = {.on = true, .ca = made.certificate}}), kGrpcOk);
  EXPECT_EQ(asked({.tls = {.on = true, .ca = made.certificate, .server_name = "calls.example"}}), kGrpcOk);
  EXPECT_EQ(asked({.tls = {.on = true, .ca = made.certificate, .server_name = "other.example"}}), kGrpcUnavailable);
  EXPECT_EQ(asked({.tls = {.on = true, .ca = other.certificate}}), kGrpcUnavailable);
  EXPECT_EQ(asked({}), kGrpcUnavailable) << "plain text";
}

struct PublicRow {
  const char* name;
  std::string address;
  bool tls, key, said;
  const char* error;  ///< part of it; empty: opens
};
TEST_F(DoorTest, PublicAddressesWantTlsAndAKeyOrAWord) {
  const auto made = tests::make_certificate("calls.example");
  for (const auto& row : {PublicRow{"loopback", "127.0.0.1:0", false, false, false, ""},
                          PublicRow{"bare", "0.0.0.0:0", false, false, false, "--insecure-public"},
                          PublicRow{"tls only", "0.0.0.0:0", true, false, false, "--api-key-file"},
                          PublicRow{"key only", "0.0.0.0:0", false, true, false, "--tls-cert"},
                          PublicRow{"both", "0.0.0.0:0", true, true, false, ""},
                          PublicRow{"said aloud", "0.0.0.0:0", false, false, true, ""}}) {
    DoorOptions options;
    options.address = row.address;
    options.insecure_public = row.said;
    if (row.key) options.api_key = "the-key";
    if (row.tls) options.tls_cert = made.certificate;
    if (row.tls) options.tls_key = made.key;
    const auto door = Door::open(router_, loop_, options);
    if (*row.error == '\0') {
      EXPECT_TRUE(door.has_value()) << row.name << ": " << door.error().message;
    } else {
      ASSERT_FALSE(door.has_value()) << row.name;
      EXPECT_EQ(door.error().code, Code::kInvalid);
      EXPECT_NE(door.error().message.find(row.error), std::string::npos) << door.error().message;
    }
  }
}

TEST(Certificates, ThatAreNoneAreRefusedUnshown) {
  const auto one = tests::make_certificate("one.example"), two = tests::make_certificate("two.example");
  EXPECT_TRUE(check_certificate({}, {}));
  EXPECT_TRUE(check_certificate(one.certificate, one.key));
  for (const auto& [certificate, key] :
       {std::pair{one.certificate, two.key}, std::pair{one.certificate, std::string()},
        std::pair{std::string("PEM?"), one.key}, std::pair{one.certificate, one.certificate}}) {
    const auto checked = check_certificate(certificate, key);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Code::kInvalid);
    EXPECT_EQ(checked.error().message.find("BEGIN"), std::string::npos);
  }
}

/// Callers that went away are known to the port by number, whatever they were waiting for.
TEST_F(DoorTest, CallersThatGoAreCancelledByNumber) {
  service_.silent.insert("PollWorkflowTaskQueue");
  open();
  constexpr int kCalls = 50;
  grpc::GenericStub caller(channel());
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>>> calls;
  std::vector<grpc::ByteBuffer> replies(kCalls);
  std::vector<grpc::Status> statuses(kCalls);
  for (std::size_t i = 0; i < kCalls; ++i) {
    grpc::Slice empty("");
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    calls.push_back(caller.PrepareUnaryCall(contexts.back().get(), std::string(kWorkflow) + "PollWorkflowTaskQueue",
                                            grpc::ByteBuffer(&empty, 1), &queue));
    calls.back()->StartCall();
    calls.back()->Finish(&replies[i], &statuses[i], this);
  }
  service_.wait_pending(kCalls);
  for (const auto& context : contexts) context->TryCancel();
  service_.wait_all_cancelled();
  void* tag = nullptr;
  bool ok = false;
  for (int i = 0; i < kCalls; ++i) queue.Next(&tag, &ok);
  for (const auto& status : statuses) EXPECT_EQ(status.error_code(), grpc::StatusCode::CANCELLED);
}

/// Bare HTTP/2: a connection with its greeting sent, and nothing else.
class BareConnection {
 public:
  static constexpr char kPing = 6, kGoAway = 7, kAck = 1;
  struct Frame {
    char type = 0, flags = 0;
    std::string body;
  };

  explicit BareConnection(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9));
  }
  ~BareConnection() { ::close(fd_); }
  BareConnection(const BareConnection&) = delete;

  bool send(const std::string& bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  bool ping(char flags, const std::string& body) {
    return send(std::string("\0\0\x08\6", 4) + flags + std::string(4, '\0') + body);
  }
  /// Nothing: the server closed it.
  std::optional<Frame> next() {
    const auto head = receive(9);
    if (head.size() != 9) return std::nullopt;
    const auto length =
        static_cast<std::size_t>(static_cast<unsigned char>(head[1])) << 8 | static_cast<unsigned char>(head[2]);
    return Frame{head[3], head[4], receive(length)};
  }

 private:
  std::string receive(std::size_t count) {
    std::string bytes(count, '\0');
    std::size_t got = 0;
    while (got < count) {
      const auto more = ::recv(fd_, bytes.data() + got, count - got, 0);
      if (more <= 0) return {};
      got += static_cast<std::size_t>(more);
    }
    return bytes;
  }

  int fd_;
};

/// Pings on an idle connection, one after another, each awaited. @return how many were answered, of `wanted`.
int pings_answered(int port, int wanted) {
  BareConnection connection(port);
  for (int answered = 0; answered < wanted; ++answered) {
    if (!connection.ping(0, std::string(8, static_cast<char>('a' + answered % 26)))) return answered;
    while (true) {
      const auto frame = connection.next();
      if (!frame || frame->type == BareConnection::kGoAway) return answered;
      if (frame->type == BareConnection::kPing && frame->flags == BareConnection::kAck) break;
    }
  }
  return wanted;
}

/// Answers the server's first `answers` pings. @return how many came before it closed the connection; `most` end it.
int pings_until_closed(int port, int answers, int most) {
  BareConnection connection(port);
  int came = 0;
  while (came < most) {
    const auto frame = connection.next();
    if (!frame) break;
    if (frame->type != BareConnection::kPing || frame->flags == BareConnection::kAck) continue;
    if (came++ < answers) connection.ping(BareConnection::kAck, frame->body);
  }
  return came;
}

inline constexpr int kPings = 50;

/// Clients ping idle connections every 10 to 30 s; here without any time between (A5).
TEST_F(DoorTest, PingsOnAnIdleConnectionAreTolerated) {
  open();
  const auto address = door_->address();
  EXPECT_EQ(pings_answered(std::stoi(address.substr(address.rfind(':') + 1)), kPings), kPings);
}

/// Whoever answers no ping is gone without a word; the rule is tried with a shorter silence.
TEST_F(DoorTest, ConnectionsThatAnswerNoPingAreClosed) {
  DoorOptions options;
  options.silent_max = std::chrono::milliseconds{100};
  open(options);
  const auto address = door_->address();
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  EXPECT_EQ(pings_until_closed(port, 0, 10), 1);
  EXPECT_EQ(pings_until_closed(port, 3, 10), 4);
  EXPECT_EQ(pings_until_closed(port, 10, 10), 10) << "who answers stays";
}

/// The same client is sent away by a server with gRPC's defaults: so the test above can fail.
TEST(Pings, EndAConnectionToADefaultServer) {
  grpc::CallbackGenericService nothing;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&nothing);
  const auto server = builder.BuildAndStart();
  EXPECT_LT(pings_answered(port, kPings), 10);
}

TEST(DoorOpen, AddressInUseIsNamed) {
  AsioLoop loop;
  Router router;
  DoorOptions options;
  options.address = "127.0.0.1:0";
  auto first = Door::open(router, loop, options);
  ASSERT_TRUE(first);
  options.address = (*first)->address();
  const auto second = Door::open(router, loop, options);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  EXPECT_NE(second.error().message.find(options.address), std::string::npos);
}

}  // namespace
}  // namespace callimport::api
