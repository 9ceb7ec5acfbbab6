// Who may do what (ux X-12): a role for every method, refusals that say whom to ask, and who is at the other end of a
// socket.
#include "api/roles.h"

#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "api/grpc/channel.h"
#include "api/grpc/door.h"
#include "api/grpc/typed.h"
#include "api/proto/callimport/v1/callimport.pb.h"
#include "api/serve/config.h"
#include "storage/runtime/loop.h"
#include "tests/spine/process.h"

namespace callimport::api {
namespace {

constexpr const char* kOurs = "/callimport.v1.CallImportService/";

TEST(MethodRoles, NoMethodOfOursIsForgotten) {
  const auto* service =
      ::callimport::v1::GetServerInfoRequest::descriptor()->file()->FindServiceByName("CallImportService");
  ASSERT_NE(service, nullptr);
  std::set<std::string> rows;
  for (const auto& row : method_roles()) {
    EXPECT_NE(row.role, Role::kNone) << row.method;
    EXPECT_FALSE(row.doing.empty()) << row.method;
    EXPECT_TRUE(rows.insert(std::string(row.method)).second) << row.method << " twice";
  }
  for (int i = 0; i < service->method_count(); ++i) {
    EXPECT_EQ(rows.erase(service->method(i)->name()), 1u)
        << service->method(i)->name() << " has no row in api/roles.cc";
  }
  EXPECT_EQ(rows, std::set<std::string>{}) << "rows without a method";
}

/// ID-19: whoever may do more than look is written down with what they do: as an action, or as a deed.
TEST(MethodRoles, WhatAViewerMayNotDoIsInTheAuditLog) {
  const auto* service =
      ::callimport::v1::GetServerInfoRequest::descriptor()->file()->FindServiceByName("CallImportService");
  int written = 0;
  for (int i = 0; i < service->method_count(); ++i) {
    const auto& method = *service->method(i);
    const auto& name = method.name();
    const bool looks = name.starts_with("List") || name.starts_with("Get") || name.starts_with("Begin");
    if (role_of_method(kOurs + name).role <= Role::kViewer || looks) continue;
    const auto& input = *method.input_type();
    EXPECT_TRUE(input.FindFieldByName("action") != nullptr || input.FindFieldByName("deed") != nullptr) << name;
    ++written;
  }
  EXPECT_GT(written, 15);
}

TEST(MethodRoles, ARowTooManyOrTooFewIsToldAtStart) {
  Router router;
  for (const auto& row : method_roles()) router.methods[kOurs + std::string(row.method)] = {};
  EXPECT_TRUE(router.check_roles().has_value());
  router.methods[kOurs + std::string("Nobody")] = {};
  EXPECT_EQ(router.check_roles().error().message,
            "no role is known for /callimport.v1.CallImportService/Nobody: api/roles.cc needs a row");
  router.methods.erase(kOurs + std::string("Nobody"));
  router.methods.erase(kOurs + std::string("UndoImport"));
  EXPECT_EQ(router.check_roles().error().message,
            "api/roles.cc has a row for /callimport.v1.CallImportService/UndoImport, which is no method");
}

struct TemporalRow {
  const char* name;
  const char* method;
  Role role;
};
void PrintTo(const TemporalRow& row, std::ostream* out) { *out << row.name; }
class OtherServices : public testing::TestWithParam<TemporalRow> {};
TEST_P(OtherServices, ReadingIsAViewers) { EXPECT_EQ(role_of_method(GetParam().method).role, GetParam().role); }
INSTANTIATE_TEST_SUITE_P(
    Table, OtherServices,
    testing::Values(
        TemporalRow{"List", "/temporal.api.workflowservice.v1.WorkflowService/ListWorkflowExecutions", Role::kViewer},
        TemporalRow{"Signal", "/temporal.api.workflowservice.v1.WorkflowService/SignalWorkflowExecution", Role::kAdmin},
        TemporalRow{"Poll", "/temporal.api.workflowservice.v1.WorkflowService/PollWorkflowTaskQueue", Role::kAdmin},
        TemporalRow{"Health", "/grpc.health.v1.Health/Check", Role::kNone},
        TemporalRow{"UnknownOfOurs", "/callimport.v1.CallImportService/Nobody", Role::kAdmin}),
    [](const auto& test) { return test.param.name; });

TEST(RoleMap, WithoutRowsEverybodyIsAdmin) { EXPECT_EQ(RoleMap().of("os:anna"), Role::kAdmin); }

TEST(RoleMap, SaysWhomToAsk) {
  RoleMap roles;
  roles.set("os:anna", Role::kApprover);
  roles.set("token:ben", Role::kAdmin);
  roles.set("os:carl", Role::kOperator);
  EXPECT_EQ(roles.of("os:dora"), Role::kNone);
  const Caller carl{"os:carl", "", roles.of("os:carl")};
  EXPECT_EQ(roles.refusal("approve", Role::kApprover, carl),
            "role.refused: approve needs the role approver: anna, ben have it; os:carl is operator");
  EXPECT_EQ(roles.refusal("undo", Role::kAdmin, {"os:dora", "", Role::kNone}),
            "role.refused: undo needs the role admin: ben has it; os:dora is not in [roles]");
}

TEST(RolesInTheConfiguration, AreReadOrNamed) {
  const auto config = parse_config("[roles]\n\"os:anna\" = \"viewer\"\n\"token:ci\" = \"admin\"\n", "c.toml");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_EQ(config->roles.of("os:anna"), Role::kViewer);
  EXPECT_EQ(config->roles.of("token:ci"), Role::kAdmin);
  for (const char* wrong :
       {"[roles]\n\"anna\" = \"viewer\"\n", "[roles]\n\"os:anna\" = \"boss\"\n", "[roles]\n\"os:anna\" = 3\n"}) {
    const auto refused = parse_config(wrong, "c.toml");
    ASSERT_FALSE(refused.has_value()) << wrong;
    EXPECT_TRUE(refused.error().message.starts_with("c.toml:2: ")) << refused.error().message;
  }
}

/// A door with one method of each role, each answering with who called.
class DoorWithRoles : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"ListImports", "PauseImport"}) {
      Method method;
      method.trusted = true;
      method.serve = [](Incoming incoming) -> OnLoop {
        return [caller = incoming.caller, answer = incoming.answer] {
          ::callimport::v1::AuditEntry entry;
          entry.set_who(caller.name);
          entry.set_origin(caller.origin);
          answer->reply(entry);
        };
      };
      router_.methods[kOurs + std::string(name)] = std::move(method);
    }
    router_.set_roles();
  }
  void open(DoorOptions options) {
    options.address = "127.0.0.1:0";
    options.socket = scratch_ / "door.sock";
    options.token = "the-token";
    options.tokens = {{"ci", "another-token"}};
    auto door = Door::open(router_, loop_, std::move(options));
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
  struct Said {
    grpc::Status status;
    ::callimport::v1::AuditEntry entry;
  };
  Said call(const std::string& method, const std::string& address, const std::string& bearer = {}) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{20});
    context.AddMetadata("client-name", "a-test");
    if (!bearer.empty()) context.AddMetadata("authorization", "Bearer " + bearer);
    grpc::GenericStub caller(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
    const grpc::Slice nothing("");
    const grpc::ByteBuffer sent(&nothing, 1);
    grpc::ByteBuffer got;
    grpc::CompletionQueue queue;
    auto pending = caller.PrepareUnaryCall(&context, kOurs + method, sent, &queue);
    pending->StartCall();
    Said said;
    pending->Finish(&got, &said.status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    grpc::Slice slice;
    if (said.status.ok() && got.DumpToSingleSlice(&slice).ok())
      said.entry.ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
    return said;
  }
  std::string socket() const { return "unix:" + door_->socket(); }
  static std::string me() {
    const char* name = ::getuid() == 0 ? "root" : std::getenv("USER");
    return name == nullptr ? std::string() : name;
  }

  callimport::tests::Scratch scratch_;
  AsioLoop loop_;
  Router router_;
  std::unique_ptr<Door> door_;
  std::thread thread_;
};

TEST_F(DoorWithRoles, KnowsTheUserOfASocketAndTheNameOfAToken) {
  open({});
  const auto user = call("PauseImport", socket());
  ASSERT_TRUE(user.status.ok()) << user.status.error_message();
  EXPECT_EQ(user.entry.who(), "os:" + me());
  EXPECT_EQ(user.entry.origin(), "a-test on the socket");
  EXPECT_EQ(call("PauseImport", door_->address(), "the-token").entry.who(), "token:access");
  const auto ci = call("PauseImport", door_->address(), "another-token");
  EXPECT_EQ(ci.entry.who(), "token:ci");
  EXPECT_TRUE(ci.entry.origin().starts_with("a-test at ipv4:127.0.0.1:")) << ci.entry.origin();
  EXPECT_EQ(call("PauseImport", door_->address(), "wrong").status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(DoorWithRoles, RefusesWhatARoleMayNotAndSaysWhoMay) {
  DoorOptions options;
  options.roles.set("token:ci", Role::kViewer);
  options.roles.set("token:access", Role::kOperator);
  open(options);
  EXPECT_TRUE(call("ListImports", door_->address(), "another-token").status.ok());
  const auto refused = call("PauseImport", door_->address(), "another-token");
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(refused.status.error_message(),
            "role.refused: pause needs the role operator: access has it; token:ci is viewer");
  EXPECT_TRUE(call("PauseImport", door_->address(), "the-token").status.ok());
  EXPECT_EQ(call("ListImports", socket()).status.error_code(), grpc::StatusCode::PERMISSION_DENIED)
      << "whoever is not in the map may nothing, the socket's owner included";
}

TEST_F(DoorWithRoles, ASharedSocketNeedsRoles) {
  DoorOptions options;
  options.address = "127.0.0.1:0";
  options.shared_socket = scratch_ / "shared.sock";
  const auto refused = Door::open(router_, loop_, options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::kInvalid);
}

TEST_F(DoorWithRoles, AnswersManyConnectionsOneAfterAnother) {
  open({});
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(call("ListImports", socket()).status.ok()) << i;
}

}  // namespace
}  // namespace callimport::api
