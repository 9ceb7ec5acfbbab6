#include "api/serve/slack_buttons.h"

#include <fmt/format.h>
#include <google/protobuf/message_lite.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/grpc/product.h"
#include "api/http/problem.h"
#include "api/http/slack_signature.h"
#include "api/proto/callimport/v1/callimport.pb.h"
#include "storage/model/ids.h"

namespace callimport::api {
namespace {

using nlohmann::json;

constexpr const char* kWhy = "by a button in Slack";

struct ButtonRow {
  std::string_view action, method;
};
constexpr ButtonRow kButtons[] = {{"import.pause", "PauseImport"},
                                  {"import.resume", "ResumeImport"},
                                  {"import.retry_failed", "RetryImport"},
                                  {"import.approve", "ApproveImport"}};

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
std::string written(const SlackPressed& press, const std::string& request_id,
                    const std::function<void(Request&)>& more = {}) {
  Request request;
  request.mutable_action()->set_import(press.import);
  request.mutable_action()->set_why(kWhy);
  request.mutable_action()->set_request_id(request_id);
  if (more) more(request);
  return request.SerializeAsString();
}

std::string request_of(const SlackPressed& press, const std::string& request_id) {
  if (press.action == "import.pause") return written<v1::PauseImportRequest>(press, request_id);
  if (press.action == "import.resume") return written<v1::ResumeImportRequest>(press, request_id);
  if (press.action == "import.approve") return written<v1::ApproveImportRequest>(press, request_id);
  return written<v1::RetryImportRequest>(press, request_id, [](v1::RetryImportRequest& one) { one.set_failed(true); });
}

/// The one answer of an action, handed on as words.
class ActionAnswer final : public Answer {
 public:
  using Done = std::function<void(const PortStatus& status, const std::string& words)>;
  explicit ActionAnswer(Done done) : done_(std::move(done)) {}
  bool write(const google::protobuf::MessageLite& message) override {
    v1::ActionResponse response;
    if (response.ParseFromString(message.SerializeAsString())) {
      for (const auto& sentence : response.words()) words_ += (words_.empty() ? "" : " ") + sentence;
      if (words_.empty()) words_ = response.already() ? "It is so already." : "Done.";
    }
    return true;
  }
  void finish(const PortStatus& status) override {
    if (const auto done = std::exchange(done_, {})) done(status, words_);
  }
  void reply(const google::protobuf::MessageLite& message) override {
    write(message);
    finish({});
  }
  bool open() const override { return true; }

 private:
  Done done_;
  std::string words_;
};

/// Shared by the route and the actions under way.
struct Desk {
  SlackButtonParts parts;
  SlackSignatures signatures;

  void whisper(const SlackPressed& press, const std::string& text) const {
    if (parts.whisper) parts.whisper(press.channel, press.user, text);
  }
};

/// Who presses, or nothing when they are not known or may not.
Result<Caller> caller_of(const Desk& desk, const SlackPressed& press, const MethodRole& needs) {
  const std::string person = desk.parts.person ? desk.parts.person(press.user) : std::string();
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
  if (caller.role < needs.role) return fail(Code::kInvalid, roles.refusal(needs.doing, needs.role, caller));
  return caller;
}

void act(const std::shared_ptr<Desk>& desk, const SlackPressed& press, Caller caller, const std::string& request_id,
         const Respond& respond) {
  const std::string full = fmt::format("/{}/{}", kProductService, find_button(press.action)->method);
  const auto method = desk->parts.router.methods.find(full);
  if (method == desk->parts.router.methods.end()) return respond(refused_reply(500));
  const auto bytes = request_of(press, request_id);
  auto answer = std::make_shared<ActionAnswer>(  // shared with the action under way
      [desk, press, respond, who = caller.name](const PortStatus& status, const std::string& words) {
        if (status.ok()) {
          spdlog::info("{} pressed {} for {} in Slack", who, press.action, press.import);
          desk->whisper(press, words);
        } else {
          spdlog::warn("{} pressed {} for {} in Slack: {}", who, press.action, press.import, status.message);
          desk->whisper(press, "Not done: " + status.message);
        }
        respond(text_reply(200, ""));  // Slack shows an error of its own for anything else
      });
  Incoming incoming{{}, bytes, answer, std::move(caller)};
  const OnLoop work = method->second.serve(std::move(incoming));
  if (work) work();
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
  const auto needs = role_of_method(fmt::format("/{}/{}", kProductService, button->method));
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
