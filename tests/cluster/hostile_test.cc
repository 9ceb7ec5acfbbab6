// Bad input, on the real server and on ours: the same requests, and the same status code, text and typed detail
// (conformance A.1, C.1, C.6, C.10, C.13, C.16, C.17).
#include <fmt/format.h>
#include <google/protobuf/unknown_field_set.h>
#include <gtest/gtest.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "tests/cluster/both_servers.h"
#include "tests/cluster/hostile_requests.h"
#include "tests/cluster/hostile_target.h"

namespace callimport::tests {
namespace {

namespace pb = google::protobuf;
namespace service = ::temporal::api::workflowservice::v1;

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

/// Runs `open`, `closed` (terminated in its first task) and `busy` (activity 1 done, activity 2 under way).
void prepare(Target& target) {
  target.must("RegisterNamespace", R"({"namespace":"elsewhere","workflowExecutionRetentionPeriod":"86400s"})");
  target.must("operator/AddSearchAttributes",
              R"({"namespace":"default","searchAttributes":{"CustomIntField":"INDEXED_VALUE_TYPE_INT"}})");
  const auto start = [&target](const std::string& id, const std::string& queue) {
    return target.must("StartWorkflowExecution",
                       fmt::format(R"({{"namespace":"default","workflowId":"{}","requestId":"r-{}",)"
                                   R"("workflowType":{{"name":"T"}},"taskQueue":{{"name":"{}"}}}})",
                                   id, id, queue));
  };
  const auto poll = [&target](const std::string& method, const std::string& queue) {
    return target.must(method,
                       fmt::format(R"({{"namespace":"default","taskQueue":{{"name":"{}"}}}})", queue))["taskToken"];
  };
  start("open", "open");
  target.set_word("$CLOSED_RUN", start("closed", "closed")["runId"]);
  target.set_word("$CLOSED_TASK", poll("PollWorkflowTaskQueue", "closed"));
  target.must("TerminateWorkflowExecution", R"({"namespace":"default","workflowExecution":{"workflowId":"closed"}})");
  start("busy", "busy");
  target.set_word("$USED_TASK", poll("PollWorkflowTaskQueue", "busy"));
  std::string commands;
  for (const char* id : {"1", "2"}) {
    commands +=
        fmt::format(R"({}{{"commandType":"COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK",)"
                    R"("scheduleActivityTaskCommandAttributes":{{"activityId":"{}","activityType":{{"name":"A"}},)"
                    R"("taskQueue":{{"name":"busy-{}"}},"startToCloseTimeout":"600s"}}}})",
                    commands.empty() ? "" : ",", id, id);
  }
  target.must("RespondWorkflowTaskCompleted",
              R"({"namespace":"default","taskToken":"$USED_TASK","commands":[)" + commands + "]}");
  target.set_word("$USED_ACTIVITY", poll("PollActivityTaskQueue", "busy-1"));
  target.must("RespondActivityTaskCompleted", R"({"namespace":"default","taskToken":"$USED_ACTIVITY"})");
  target.set_word("$LIVE_ACTIVITY", poll("PollActivityTaskQueue", "busy-2"));
}

class Hostile : public BothServers {};

TEST_F(Hostile, RequestsAreRefusedInTheSameWords) {
  if (IsSkipped() || HasFatalFailure()) return;
  prepare(*real_);
  prepare(*ours_);
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
