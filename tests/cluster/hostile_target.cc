#include "tests/cluster/hostile_target.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <temporal/api/errordetails/v1/message.pb.h>
#include <temporal/api/operatorservice/v1/request_response.pb.h>
#include <temporal/api/operatorservice/v1/service.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <temporal/api/workflowservice/v1/service.pb.h>

#include <regex>

namespace callimport::tests {
namespace {

namespace pb = google::protobuf;

const std::string kOperatorService = "temporal.api.operatorservice.v1.OperatorService";

std::unique_ptr<pb::Message> made(const pb::Descriptor* type) {
  return std::unique_ptr<pb::Message>(pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

}  // namespace

std::string json_of(const pb::Message& message) {
  std::string json;
  EXPECT_TRUE(pb::util::MessageToJsonString(message, &json).ok());
  return json;
}

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

engine::PortStatus Target::ask(const HostileRequest& row, std::unique_ptr<pb::Message>* reply) {
  const bool of_operator = row.method.starts_with("operator/");
  const std::string& name = of_operator ? kOperatorService : kWorkflowService;
  const std::string method = of_operator ? row.method.substr(9) : row.method;
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

nlohmann::json Target::must(const std::string& method, const std::string& json) {
  std::unique_ptr<pb::Message> reply;
  const auto status = ask({method, method, json}, &reply);
  EXPECT_TRUE(status.ok()) << method << ": " << status.message;
  return nlohmann::json::parse(json_of(*reply));
}

std::string Target::with_words(std::string json) const {
  for (const auto& [word, meaning] : words_) {
    for (auto at = json.find(word); at != std::string::npos; at = json.find(word, at + meaning.size()))
      json.replace(at, word.size(), meaning);
  }
  return json;
}

}  // namespace callimport::tests
