#include "tests/cluster/scrubbed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <temporal/api/history/v1/message.pb.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>

#include "engine/history/history_file.h"
#include "engine/worker/task_split.h"

namespace callimport::tests {
namespace {

namespace service = ::temporal::api::workflowservice::v1;
namespace enums = ::temporal::api::enums::v1;
using Json = nlohmann::json;
using Event = ::temporal::api::history::v1::HistoryEvent;

template <class Request, class Response>
Response ask(api::Client& client, const std::string& method, const Request& request) {
  Response response;
  const auto status = client.call("/temporal.api.workflowservice.v1.WorkflowService/" + method, request, response,
                                  std::chrono::minutes{2});
  EXPECT_TRUE(status.ok()) << method << ": " << status.message;
  return response;
}

/// Returns once the run is closed (long poll).
void wait_closed(api::Client& client, const std::string& workflow_id) {
  service::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(workflow_id);
  request.set_wait_new_event(true);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  for (int polls = 0; polls < 100; ++polls) {
    const auto reply = ask<service::GetWorkflowExecutionHistoryRequest, service::GetWorkflowExecutionHistoryResponse>(
        client, "GetWorkflowExecutionHistory", request);
    const auto& events = reply.history().events();
    if (!events.empty() && events.rbegin()->event_type() != enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW)
      return;
    request.set_next_page_token(events.empty() ? reply.next_page_token() : std::string());
    if (testing::Test::HasFailure()) return;
  }
  ADD_FAILURE() << workflow_id << " does not close";
}

History history_of(api::Client& client, const std::string& workflow_id, const std::string& run_id) {
  service::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(workflow_id);
  request.mutable_execution()->set_run_id(run_id);
  History history;
  do {
    auto reply = ask<service::GetWorkflowExecutionHistoryRequest, service::GetWorkflowExecutionHistoryResponse>(
        client, "GetWorkflowExecutionHistory", request);
    history.mutable_events()->MergeFrom(reply.history().events());
    request.set_next_page_token(reply.next_page_token());
  } while (!request.next_page_token().empty());
  return history;
}

bool is_chance(const std::string& key) {
  static const std::regex chance(
      "eventTime|taskId|.*[rR]unId|.*[nN]amespaceId|requestId|identity|historySizeBytes|workflowId|.*Time|version|"
      "workerVersion|"
      "firstExecutionRunId|cronSchedule");
  return std::regex_match(key, chance);
}

/// Ids of ours, times in ms and what was counted by the clock.
std::string without_chance(const std::string& text) {
  static const std::regex id("(imp|cred|call|ntf)_[0-9a-z]+"), time(R"(\b1[0-9]{12}\b)"),
      pace(R"re("[a-z_]*_m?s":[0-9]+)re");
  static const std::regex place("127\\.0\\.0\\.1:[0-9]+");
  static const std::regex moment(R"re("(nanos|seconds)":[0-9]+)re");  // of a local activity
  static const std::regex uuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  auto plain = std::regex_replace(text, id, "$1_");
  plain = std::regex_replace(plain, uuid, "uuid");
  plain = std::regex_replace(plain, place, "sandbox");
  plain = std::regex_replace(plain, moment, "\"$1\":0");
  plain = std::regex_replace(plain, pace, "\"ms\":0");
  return std::regex_replace(plain, time, "0");
}

std::string decoded(const std::string& base64) {
  static const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  unsigned bits = 0;
  int held = 0;
  for (const char c : base64) {
    const auto value = digits.find(c);
    if (value == std::string::npos) break;
    bits = bits << 6 | static_cast<unsigned>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    text += static_cast<char>(bits >> held & 0xFF);
  }
  return text;
}

void scrub(Json& json) {
  if (json.is_array()) {
    for (auto& one : json) scrub(one);
  }
  if (!json.is_object()) return;
  for (auto it = json.begin(); it != json.end();) {
    if (is_chance(it.key())) {
      it = json.erase(it);
      continue;
    }
    if (it.key() == "data" && it->is_string()) *it = without_chance(decoded(it->get<std::string>()));
    if (it.key() == "taskQueue" || it.key() == "workerTaskQueue") {
      it->erase("name");
      it->erase("normalName");
    }
    scrub(*it);
    ++it;
  }
}

std::string attributes_of(const Event& event) {
  History one;
  *one.add_events() = event;
  auto json = Json::parse(engine::write_json(one))["events"][0];
  for (const char* key : {"eventId", "eventType", "eventTime"}) json.erase(key);
  scrub(json);
  return json.dump();
}

std::int64_t scheduled_id(const Event& event) {
  switch (event.event_type()) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
      return event.activity_task_completed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
      return event.activity_task_failed_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
      return event.activity_task_timed_out_event_attributes().scheduled_event_id();
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
      return event.activity_task_canceled_event_attributes().scheduled_event_id();
    default: return 0;
  }
}

/// Kind and name; what it carries may depend on who was first.
std::string command_line(const Event& event) {
  const auto name = engine::worker::event_name(event);
  if (event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) {
    const auto& scheduled = event.activity_task_scheduled_event_attributes();
    return fmt::format("{} {} {}", name, scheduled.activity_id(), scheduled.activity_type().name());
  }
  if (event.event_type() == enums::EVENT_TYPE_TIMER_STARTED)
    return name + " " + event.timer_started_event_attributes().timer_id();
  return name;
}

}  // namespace

std::vector<History> closed_histories(api::Client& client, const std::string& workflow_id) {
  wait_closed(client, workflow_id);
  service::DescribeWorkflowExecutionRequest describe;
  describe.set_namespace_("default");
  describe.mutable_execution()->set_workflow_id(workflow_id);
  const auto last = ask<service::DescribeWorkflowExecutionRequest, service::DescribeWorkflowExecutionResponse>(
      client, "DescribeWorkflowExecution", describe);
  std::vector<History> all;
  std::string run = last.workflow_execution_info().first_run_id();
  while (!run.empty()) {
    all.push_back(history_of(client, workflow_id, run));
    if (all.back().events().empty()) break;
    run = all.back().events().rbegin()->workflow_execution_continued_as_new_event_attributes().new_execution_run_id();
  }
  return all;
}

std::vector<std::string> scrubbed(const History& history) {
  std::vector<std::string> lines;
  for (const auto& event : history.events()) {
    lines.push_back(fmt::format("{} {} {}", event.event_id(), engine::worker::event_name(event), attributes_of(event)));
  }
  return lines;
}

std::vector<std::string> canonical(const History& history) {
  std::vector<std::string> lines;
  std::map<std::int64_t, std::string> activities;
  for (const auto& event : history.events()) {
    if (engine::worker::is_command_event(event)) lines.push_back(command_line(event));
    if (event.event_type() == enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) {
      activities[event.event_id()] = event.activity_task_scheduled_event_attributes().activity_id() + ": ";
    } else if (const auto scheduled = scheduled_id(event); scheduled != 0) {
      activities[scheduled] += engine::worker::event_name(event);
    }
  }
  for (const auto& [scheduled, outcome] : activities) lines.push_back(outcome);
  return lines;
}

}  // namespace callimport::tests
