#include "api/serve/slack_buttons.h"

#include <fmt/format.h>
#include <google/protobuf/message_lite.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "activities/notify/slack_view.h"
#include "api/grpc/product.h"
#include "api/http/problem.h"
#include "api/http/slack_signature.h"
#include "api/proto/callimport/v1/callimport.pb.h"
#include "api/serve/inner_call.h"
#include "storage/model/ids.h"

namespace callimport::api {
namespace {

using nlohmann::json;

constexpr const char* kWhy = "by a button in Slack";

/// What a method's reply says, in words for whoever pressed.
using Words = std::string (*)(const std::string& reply);

template <class Response>
std::string words_in(const std::string& reply) {
  Response response;
  if (!response.ParseFromString(reply)) return {};
  std::string words;
  for (const auto& sentence : response.words()) words += (words.empty() ? "" : " ") + sentence;
  if (words.empty()) words = response.already() ? "It is so already." : "Done.";
  return words;
}

struct ButtonRow {
  std::string_view action, method;
  Words words;
  std::optional<Role> role = std::nullopt;  ///< needed, where it is not the method's
};
constexpr ButtonRow kButtons[] = {
    {activities::kSlackPause, "PauseImport", &words_in<v1::ActionResponse>},
    {activities::kSlackResume, "ResumeImport", &words_in<v1::ActionResponse>},
    {activities::kSlackRetry, "RetryImport", &words_in<v1::ActionResponse>},
    {activities::kSlackApprove, "ApproveImport", &words_in<v1::ActionResponse>},
    // Of themselves, which whoever may look at an import may do.
    {activities::kSlackMute, "MuteMessages", &words_in<v1::MuteMessagesResponse>, Role::kViewer}};

const ButtonRow* find_button(std::string_view action) {
  for (const auto& row : kButtons) {
    if (row.action == action) return &row;
  }
  return nullptr;
}

std::string text_at(const json& object, const char* pointer) {
  const json::json_pointer path(pointer);
  if (!object.contains(path)) return {};
  const auto& found = object[path];
  return found.is_string() ? found.get<std::string>() : std::string();
}

template <class Request>
std::unique_ptr<google::protobuf::MessageLite> written(const SlackPressed& press, const std::string& request_id) {
  auto request = std::make_unique<Request>();
  request->mutable_action()->set_import(press.import);
  request->mutable_action()->set_why(kWhy);
  request->mutable_action()->set_request_id(request_id);
  return request;
}

std::unique_ptr<google::protobuf::MessageLite> request_of(const SlackPressed& press, const std::string& person,
                                                          const std::string& request_id) {
  if (press.action == activities::kSlackPause) return written<v1::PauseImportRequest>(press, request_id);
  if (press.action == activities::kSlackResume) return written<v1::ResumeImportRequest>(press, request_id);
  if (press.action == activities::kSlackApprove) return written<v1::ApproveImportRequest>(press, request_id);
  if (press.action == activities::kSlackMute) {
    auto request = std::make_unique<v1::MuteMessagesRequest>();
    request->set_person(person);
    request->set_import(press.import);
    request->mutable_deed()->set_why(kWhy);
    request->mutable_deed()->set_request_id(request_id);
    return request;
  }
  auto request = std::make_unique<v1::RetryImportRequest>();
  request->mutable_action()->set_import(press.import);
  request->mutable_action()->set_why(kWhy);
  request->mutable_action()->set_request_id(request_id);
  request->set_failed(true);
  return request;
}

/// Shared by the route and the actions under way.
struct Desk {
  SlackButtonParts parts;
  SlackSignatures signatures;

  std::string person_of(const SlackPressed& press) const {
    return parts.person ? parts.person(press.user) : std::string();
  }
  void whisper(const SlackPressed& press, const std::string& text) const {
    if (parts.whisper) parts.whisper(press.channel, press.user, text);
  }
};

/// Who presses, or nothing when they are not known or may not.
Result<Caller> caller_of(const Desk& desk, const SlackPressed& press, const MethodRole& needs) {
  const std::string person = desk.person_of(press);
  Caller caller;
  caller.name = "slack:" + (person.empty() ? press.user : person);
  caller.origin = "via Slack, as " + press.user;
  caller.role = Role::kNone;
  const RoleMap& roles = desk.parts.roles;
  if (!roles.empty()) caller.role = std::max(roles.of(caller.name), roles.of("slack:" + press.user));
  if (caller.role == Role::kNone) {
    return fail(Code::kInvalid,
                fmt::format("role.refused: the Slack user {} is nobody here; [roles] \"slack:{}\" = \"operator\" lets "
                            "them press buttons",
                            press.user, press.user));
  }
  if (press.action == activities::kSlackMute && person.empty()) {
    return fail(Code::kInvalid, fmt::format("{} gets no messages of ours: nobody in [people] has slack = \"{}\"",
                                            press.user, press.user));
  }
  if (caller.role < needs.role) return fail(Code::kInvalid, roles.refusal(needs.doing, needs.role, caller));
  return caller;
}

void act(const std::shared_ptr<Desk>& desk, const SlackPressed& press, Caller caller, const std::string& request_id,
         const Respond& respond) {
  const ButtonRow& button = *find_button(press.action);
  const std::string person = desk->person_of(press);
  const auto request = request_of(press, person, request_id);
  const std::string who = caller.name;
  call_inside(desk->parts.router, button.method, *request, std::move(caller),
              [desk, press, respond, who, words = button.words](const PortStatus& status, const std::string& reply) {
                if (status.ok()) {
                  spdlog::info("{} pressed {} for {} in Slack", who, press.action, press.import);
                  desk->whisper(press, words(reply));
                } else {
                  spdlog::warn("{} pressed {} for {} in Slack: {}", who, press.action, press.import, status.message);
                  desk->whisper(press, "Not done: " + status.message);
                }
                respond(text_reply(200, ""));  // Slack shows an error of its own for anything else
              });
}

void pressed(const std::shared_ptr<Desk>& desk, const WebRequest& request, const Respond& respond) {
  const auto refuse = [&](const char* code, const std::string& why) {
    spdlog::warn("a request to {} was refused ({}): {}", kSlackActionsPath, request.id, why);
    respond(problem(code, "not accepted", kSlackActionsPath, request.id));
  };
  const auto signature = request.header("x-slack-signature");
  const auto proven = desk->signatures.check(request.header("x-slack-request-timestamp"), signature, request.body,
                                             desk->parts.clock.now());
  if (!proven) return refuse("http.refused", proven.error().message);
  const auto press = read_slack_press(request.body);
  if (!press) return refuse("http.bad_request", press.error().message);
  if (press->action == "open") return respond(text_reply(200, ""));  // a link: Slack only tells that it was followed
  const auto* button = find_button(press->action);
  if (button == nullptr) return refuse("http.bad_request", "there is no such button");
  auto needs = role_of_method(fmt::format("/{}/{}", kProductService, button->method));
  needs.role = button->role.value_or(needs.role);
  auto caller = caller_of(*desk, *press, needs);
  if (!caller) {
    desk->whisper(*press, caller.error().message);
    return refuse("http.refused", caller.error().message);
  }
  act(desk, *press, std::move(*caller), fmt::format("slack-{}", signature.substr(3, 40)), respond);
}

}  // namespace

Result<SlackPressed> read_slack_press(std::string_view body) {
  constexpr std::size_t kIdMax = 40;
  const auto payload = json::parse(form_value(body, "payload"), nullptr, false);
  if (!payload.is_object() || text_at(payload, "/type") != "block_actions")
    return fail(Code::kInvalid, "it is no press of a button");
  SlackPressed press;
  press.user = text_at(payload, "/user/id");
  press.channel = text_at(payload, "/channel/id");
  press.action = text_at(payload, "/actions/0/action_id");
  press.import = text_at(payload, "/actions/0/value");
  if (press.user.empty() || press.user.size() > kIdMax || press.channel.size() > kIdMax)
    return fail(Code::kInvalid, "it does not say who pressed");
  const auto is_id = [](const std::string& id) {
    return std::all_of(id.begin(), id.end(), [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
  };
  if (!is_id(press.user) || !is_id(press.channel)) return fail(Code::kInvalid, "who pressed is no id of Slack");
  if (press.action != "open" && !ImportId::parse(press.import)) return fail(Code::kInvalid, "it names no import");
  return press;
}

void add_slack_buttons(WebRouter& web, SlackButtonParts parts) {
  std::string secret = parts.signing_secret;
  auto desk = std::make_shared<Desk>(Desk{std::move(parts), SlackSignatures(std::move(secret))});
  web.add("POST", kSlackActionsPath, WebAccess::kAnybody,
          [desk](const WebRequest& request, const Respond& respond) { pressed(desk, request, respond); });
}

}  // namespace callimport::api
