// Bad input, on the real server and on ours: the same requests, and the same status code, text and typed detail
// (conformance A.1, C.1, C.6, C.10, C.13, C.16, C.17).
#include <fmt/format.h>
#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <temporal/api/errordetails/v1/message.pb.h>
#include <temporal/api/operatorservice/v1/request_response.pb.h>
#include <temporal/api/operatorservice/v1/service.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <temporal/api/workflowservice/v1/service.pb.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>

#include "api/cli/client.h"
#include "tests/cluster/dev_server.h"
#include "tests/cluster/hostile_requests.h"

namespace callimport::tests {
namespace {

namespace pb = google::protobuf;
namespace service = ::temporal::api::workflowservice::v1;
using std::chrono::milliseconds;

const std::string kWorkflowService = "temporal.api.workflowservice.v1.WorkflowService";
const std::string kOperatorService = "temporal.api.operatorservice.v1.OperatorService";

std::unique_ptr<pb::Message> made(const pb::Descriptor* type) {
  return std::unique_ptr<pb::Message>(pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

std::string json_of(const pb::Message& message) {
  std::string json;
  EXPECT_TRUE(pb::util::MessageToJsonString(message, &json).ok());
  return json;
}

/// Any bytes where a message should be.
class AnyBytes final : public pb::MessageLite {
 public:
  explicit AnyBytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string GetTypeName() const override { return "bytes"; }
  pb::MessageLite* New(pb::Arena*) const override { return new AnyBytes(std::string()); }
  void Clear() override { bytes_.clear(); }
  bool IsInitialized() const override { return true; }
  void CheckTypeAndMergeFrom(const pb::MessageLite&) override {}
  std::size_t ByteSizeLong() const override { return bytes_.size(); }
  int GetCachedSize() const override { return static_cast<int>(bytes_.size()); }
  std::uint8_t* _InternalSerialize(std::uint8_t* to, pb::io::EpsCopyOutputStream* stream) const override {
    return stream->WriteRaw(bytes_.data(), static_cast<int>(bytes_.size()), to);
  }

 private:
  std::string bytes_;
};

/// Code, text and detail in one line; what differs by chance is masked.
std::string in_words(const engine::PortStatus& status) {
  std::string detail;
  if (!status.detail_type.empty()) {
    const auto* type = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(status.detail_type);
    const auto message = type == nullptr ? nullptr : made(type);
    detail = status.detail_type.substr(status.detail_type.rfind('.') + 1);
    if (message != nullptr && message->ParseFromString(status.detail_bytes)) detail += json_of(*message);
  }
  static const std::regex uuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), trace("\\([0-9a-f]+\\)"),
      library("(error unmarshalling request: )[^|]*");
  const auto line = fmt::format("{} | {} | {}", status.code, status.message, detail);
  return std::regex_replace(std::regex_replace(std::regex_replace(line, uuid, "UUID"), trace, "(HEX)"), library,
                            "$1... ")
      .substr(0, 400);
}

/// One of the two servers, and what the table's words mean there.
class Target {
 public:
  explicit Target(const std::string& address) : client_(api::Client::create(api::Connection{.address = address})) {}

  engine::PortStatus call(const std::string& method, const pb::MessageLite& request, pb::MessageLite& reply,
                          milliseconds deadline = std::chrono::seconds{15}) {
    return client_->call(method, request, reply, deadline);
  }
  /// A request of the table. An answer that is none ends in `reply`'s type being wrong, which fails the test.
  engine::PortStatus ask(const HostileRequest& row, std::unique_ptr<pb::Message>* reply = nullptr) {
    const bool ours = row.method.starts_with("operator/");
    const std::string& name = ours ? kOperatorService : kWorkflowService;
    const std::string method = ours ? row.method.substr(9) : row.method;
    const auto* type = pb::DescriptorPool::generated_pool()->FindServiceByName(name)->FindMethodByName(method);
    auto request = made(type->input_type()), answer = made(type->output_type());
    pb::util::JsonParseOptions options;
    options.ignore_unknown_fields = true;
    const auto parsed = pb::util::JsonStringToMessage(with_words(row.json), request.get(), options);
    EXPECT_TRUE(parsed.ok()) << row.name << ": " << parsed.message();
    const auto status = call("/" + name + "/" + method, *request, *answer, row.deadline);
    if (reply != nullptr) *reply = std::move(answer);
    return status;
  }
  /// One that must succeed.
  nlohmann::json must(const std::string& method, const std::string& json) {
    std::unique_ptr<pb::Message> reply;
    const auto status = ask({method, method, json}, &reply);
    EXPECT_TRUE(status.ok()) << method << ": " << status.message;
    return nlohmann::json::parse(json_of(*reply));
  }

  void prepare();

 private:
  std::string with_words(std::string json) const {
    for (const auto& [word, meaning] : words_) {
      for (auto at = json.find(word); at != std::string::npos; at = json.find(word, at + meaning.size()))
        json.replace(at, word.size(), meaning);
    }
    return json;
  }

  std::unique_ptr<api::Client> client_;
  std::map<std::string, std::string> words_;
};

/// Runs `open`, `closed` (terminated in its first task) and `busy` (activity 1 done, activity 2 under way).
void Target::prepare() {
  must("RegisterNamespace", R"({"namespace":"elsewhere","workflowExecutionRetentionPeriod":"86400s"})");
  must("operator/AddSearchAttributes",
       R"({"namespace":"default","searchAttributes":{"CustomIntField":"INDEXED_VALUE_TYPE_INT"}})");
  const auto start = [this](const std::string& id, const std::string& queue) {
    return must("StartWorkflowExecution", fmt::format(R"({{"namespace":"default","workflowId":"{}","requestId":"r-{}",)"
                                                      R"("workflowType":{{"name":"T"}},"taskQueue":{{"name":"{}"}}}})",
                                                      id, id, queue));
  };
  const auto poll = [this](const std::string& method, const std::string& queue) {
    return must(method, fmt::format(R"({{"namespace":"default","taskQueue":{{"name":"{}"}}}})", queue))["taskToken"];
  };
  start("open", "open");
  words_["$CLOSED_RUN"] = start("closed", "closed")["runId"];
  words_["$CLOSED_TASK"] = poll("PollWorkflowTaskQueue", "closed");
  must("TerminateWorkflowExecution", R"({"namespace":"default","workflowExecution":{"workflowId":"closed"}})");
  start("busy", "busy");
  words_["$USED_TASK"] = poll("PollWorkflowTaskQueue", "busy");
  std::string commands;
  for (const char* id : {"1", "2"}) {
    commands +=
        fmt::format(R"({}{{"commandType":"COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK",)"
                    R"("scheduleActivityTaskCommandAttributes":{{"activityId":"{}","activityType":{{"name":"A"}},)"
                    R"("taskQueue":{{"name":"busy-{}"}},"startToCloseTimeout":"600s"}}}})",
                    commands.empty() ? "" : ",", id, id);
  }
  must("RespondWorkflowTaskCompleted",
       R"({"namespace":"default","taskToken":"$USED_TASK","commands":[)" + commands + "]}");
  words_["$USED_ACTIVITY"] = poll("PollActivityTaskQueue", "busy-1");
  must("RespondActivityTaskCompleted", R"({"namespace":"default","taskToken":"$USED_ACTIVITY"})");
  words_["$LIVE_ACTIVITY"] = poll("PollActivityTaskQueue", "busy-2");
}

class Hostile : public testing::Test {
 protected:
  void SetUp() override {
    NEEDS_TEMPORAL();
    ASSERT_TRUE(dev_server_.start()) << dev_server_.words();
    Command command;
    command.args = {"serve", "--port", "0", "--data", scratch_ / "ours", "--quiet", "--log-level", "off"};
    command.ready = true;
    serve_ = std::make_unique<Process>(callimport_binary(), std::move(command), scratch_);
    const auto ready = nlohmann::json::parse(serve_->wait_ready(), nullptr, false);
    ASSERT_TRUE(ready.is_object()) << serve_->err();
    real_ = std::make_unique<Target>(dev_server_.address());
    ours_ = std::make_unique<Target>(ready["grpc"]);
  }

  Scratch scratch_;
  DevServer dev_server_{scratch_};
  std::unique_ptr<Process> serve_;
  std::unique_ptr<Target> real_, ours_;
};

TEST_F(Hostile, RequestsAreRefusedInTheSameWords) {
  if (IsSkipped() || HasFatalFailure()) return;
  real_->prepare();
  ours_->prepare();
  ASSERT_FALSE(HasFailure());
  int refused = 0;
  for (const auto& row : hostile_requests()) {
    const std::string theirs = in_words(real_->ask(row)), here = in_words(ours_->ask(row));
    const auto compared = [&row](const std::string& words) {
      return row.same == Same::kAll ? words : words.substr(0, words.find(' '));
    };
    EXPECT_EQ(compared(theirs), compared(here)) << row.name << "\n" << theirs << "\n" << here;
    refused += theirs.starts_with("0 ") ? 0 : 1;
  }
  EXPECT_GT(refused, 300);
  EXPECT_EQ(
      ours_->must("DescribeWorkflowExecution",
                  R"({"namespace":"default","execution":{"workflowId":"busy"}})")["workflowExecutionInfo"]["status"],
      "WORKFLOW_EXECUTION_STATUS_RUNNING");
}

struct Bytes {
  const char* name;
  std::string method, bytes;
};
std::vector<Bytes> hostile_bytes() {
  const std::string prefix = "/" + kWorkflowService + "/", start = prefix + "StartWorkflowExecution";
  const auto sized = [](std::size_t bytes) {  // a request of so many bytes, tags and lengths included
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    auto* data = request.mutable_input()->add_payloads()->mutable_data();
    while (request.ByteSizeLong() < bytes) data->resize(data->size() + bytes - request.ByteSizeLong(), 'x');
    while (request.ByteSizeLong() > bytes) data->pop_back();
    return request.SerializeAsString();
  };
  const auto named = [](const std::string& id) {
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id);
    return request.SerializePartialAsString();
  };
  return {{"cut off", start,
           std::string("\x0a\x05"
                       "ab")},
          {"a group that never ends", start, "\x0b"},
          {"field zero", start, std::string("\0\0", 2)},
          {"a number of eleven bytes", start, std::string("\x08") + std::string(10, '\xff') + "\x01"},
          {"fields nobody knows", prefix + "DescribeNamespace", "\xfa\x3f\x01x"},
          {"an id that is no UTF-8", start, named("\xff\xfe")},
          {"an id with a half surrogate", start, named("\xed\xa0\x80")},
          {"exactly 4 MiB", start, sized(4u << 20)},
          {"4 MiB and a byte", start, sized((4u << 20) + 1)},
          {"5 MiB", start, sized(5u << 20)},
          {"no such method", prefix + "Nope", ""},
          {"no such service", "/foo.Bar/Baz", ""},
          {"a path without a method", "/foo", ""},
          {"the time service", "/temporal.api.testservice.v1.TestService/GetCurrentTime", ""}};
}

TEST_F(Hostile, BytesAreRefusedInTheSameWords) {
  if (IsSkipped() || HasFatalFailure()) return;
  for (const auto& row : hostile_bytes()) {
    service::GetSystemInfoResponse unused;
    const std::string theirs = in_words(real_->call(row.method, AnyBytes(row.bytes), unused));
    EXPECT_EQ(theirs, in_words(ours_->call(row.method, AnyBytes(row.bytes), unused))) << row.name;
    EXPECT_FALSE(theirs.starts_with("0 ")) << row.name;
  }
}

}  // namespace
}  // namespace callimport::tests
