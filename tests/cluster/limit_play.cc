#include "tests/cluster/limit_play.h"

#include <gtest/gtest.h>

#include <future>
#include <regex>
#include <set>

namespace callimport::tests {
namespace {

using std::chrono::milliseconds;

/// Without what differs by chance or between versions of the server.
void scrub(Json& json) {
  static const std::set<std::string> chance = {
      "eventTime",          "taskId", "version", "requestId",   "historySizeBytes",  "workerVersion",
      "namespaceId",        "runId",  "links",   "sdkMetadata", "newExecutionRunId", "meteringMetadata",
      "workflowTaskTimeout"};
  if (json.is_array()) {
    for (auto& one : json) scrub(one);
  }
  if (!json.is_object()) return;
  for (auto it = json.begin(); it != json.end();) {
    if (chance.contains(it.key())) {
      it = json.erase(it);
    } else {
      scrub(*it++);
    }
  }
}

/// Long payloads as their length.
std::string shortened(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find_first_not_of(text[at], at), text.size());
    out += end - at > 20 ? std::string(1, text[at]) + "*" + std::to_string(end - at) : text.substr(at, end - at);
    at = end;
  }
  return out;
}

}  // namespace

Json Play::ask(const std::string& method, Json request, milliseconds deadline) {
  request["namespace"] = "default";
  std::unique_ptr<google::protobuf::Message> reply;
  const auto status = target_.ask({id_ + ": " + method, method, request.dump(), deadline}, &reply);
  say(method + ": " + in_words(status));
  return status.ok() ? Json::parse(json_of(*reply)) : Json();
}

Json Play::start(Json more) {
  more.update({{"workflowId", id_}, {"workflowType", {{"name", "T"}}}, {"taskQueue", {{"name", id_}}}});
  more["workflowTaskTimeout"] = "60s";
  return ask("StartWorkflowExecution", std::move(more));
}

void Play::task() { task_ = ask("PollWorkflowTaskQueue", {{"taskQueue", {{"name", id_}}}, {"identity", "w"}}); }

void Play::activity() {
  activity_ = ask("PollActivityTaskQueue", {{"taskQueue", {{"name", id_ + "-a"}}}, {"identity", "a"}});
}

void Play::complete(Json commands, Json more) {
  more.update({{"taskToken", task_["taskToken"]}, {"commands", std::move(commands)}, {"identity", "w"}});
  ask("RespondWorkflowTaskCompleted", std::move(more));
}

Json Play::of_activity(const std::string& method, Json more) {
  more.update({{"taskToken", activity_["taskToken"]}, {"identity", "a"}});
  return ask(method, std::move(more));
}

Json Play::signal(std::size_t bytes) {
  return ask("SignalWorkflowExecution",
             {{"workflowExecution", execution()}, {"signalName", "s"}, {"input", payloads(bytes)}});
}

void Play::update(const std::string& update_id, std::size_t bytes) {
  ask("UpdateWorkflowExecution",
      {{"workflowExecution", execution()},
       {"request", {{"meta", {{"updateId", update_id}}}, {"input", {{"name", "n"}, {"args", payloads(bytes)}}}}},
       {"waitPolicy", {{"lifecycleStage", "UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED"}}}},
      milliseconds{400});
  // Whether its patience ended or it was refused is what matters, not the words of the former.
  if (lines_.back().find(": 4 |") != std::string::npos) lines_.back() = "the update waits";
}

void Play::take_update(std::size_t bytes) {
  ASSERT_FALSE(task_["messages"].empty());
  const Json request = task_["messages"][0];
  const std::string instance = request["protocolInstanceId"], prefix = "type.googleapis.com/temporal.api.update.v1.";
  const auto message = [&](const std::string& id, Json body) {
    return Json{{"id", id}, {"protocolInstanceId", instance}, {"body", std::move(body)}};
  };
  Json body = request["body"];
  body.erase("@type");
  const Json messages = {
      message("accept", {{"@type", prefix + "Acceptance"},
                         {"acceptedRequestMessageId", request["id"]},
                         {"acceptedRequestSequencingEventId", request["eventId"]},
                         {"acceptedRequest", body}}),
      message("answer",
              {{"@type", prefix + "Response"}, {"meta", body["meta"]}, {"outcome", {{"success", payloads(bytes)}}}})};
  const auto named = [](const char* id) { return command("PROTOCOL_MESSAGE", "protocolMessage", {{"messageId", id}}); };
  complete({named("accept"), named("answer")}, {{"messages", messages}});
}

void Play::query(std::size_t bytes) {
  std::unique_ptr<google::protobuf::Message> reply;
  const Json request = {{"namespace", "default"}, {"execution", execution()}, {"query", {{"queryType", "q"}}}};
  auto asked = std::async(std::launch::async, [&] {
    return target_.ask({"query", "QueryWorkflow", request.dump(), std::chrono::seconds{15}}, &reply);
  });
  task();
  ask("RespondQueryTaskCompleted", {{"taskToken", task_["taskToken"]},
                                    {"completedType", "QUERY_RESULT_TYPE_ANSWERED"},
                                    {"queryResult", payloads(bytes)}});
  say("query: " + in_words(asked.get()));
}

void Play::close_event(const Json& run_id) {
  const Json request = {{"namespace", "default"},
                        {"execution", {{"workflowId", id_}, {"runId", run_id}}},
                        {"waitNewEvent", true},
                        {"historyEventFilterType", "HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT"}};
  auto events = target_.must("GetWorkflowExecutionHistory", request.dump())["history"]["events"];
  scrub(events);
  say(events.dump());
}

void Play::ended() {
  Json request = {{"namespace", "default"},
                  {"execution", execution()},
                  {"waitNewEvent", true},
                  {"historyEventFilterType", "HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT"}};
  const auto reply = target_.must("GetWorkflowExecutionHistory", request.dump());
  say(reply["history"].contains("events") ? "ended" : "open");
}

void Play::history() {
  auto events = target_.must("GetWorkflowExecutionHistory",
                             Json{{"namespace", "default"}, {"execution", execution()}}.dump())["history"]["events"];
  static const std::regex uuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
  for (std::size_t i = 2; i < events.size(); ++i) {
    scrub(events[i]);
    say(std::regex_replace(shortened(events[i].dump()), uuid, "UUID"));
  }
}

Json payloads(std::size_t bytes) { return {{"payloads", {{{"data", std::string(bytes / 3 * 4, 'A')}}}}}; }

Json memo(std::size_t bytes) { return {{"fields", {{"m", {{"data", std::string(bytes / 3 * 4, 'A')}}}}}}; }

Json failure(std::size_t bytes) {
  return {{"message", std::string(bytes / 2, 'm')},
          {"stackTrace", std::string(bytes / 2, 't')},
          {"source", "S"},
          {"applicationFailureInfo", {{"type", "E"}}}};
}

Json command(const std::string& type, const std::string& name, Json attributes) {
  return {{"commandType", "COMMAND_TYPE_" + type}, {name + "CommandAttributes", std::move(attributes)}};
}

Json marker(std::size_t bytes) {
  return command("RECORD_MARKER", "recordMarker", {{"markerName", "m"}, {"details", {{"d", payloads(bytes)}}}});
}

Json schedule(const Play& play, const std::string& id, Json more) {
  more.update({{"activityId", id},
               {"activityType", {{"name", "A"}}},
               {"taskQueue", {{"name", play.id() + "-a"}}},
               {"startToCloseTimeout", "600s"}});
  return command("SCHEDULE_ACTIVITY_TASK", "scheduleActivityTask", std::move(more));
}

Json times(int n, const Json& command) { return Json(static_cast<std::size_t>(n), command); }

}  // namespace callimport::tests
