#include "simulations/sandboxes/slack.h"

#include <fmt/format.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "api/http/message.h"

namespace callimport::simulations {
namespace {

using nlohmann::json;

constexpr std::size_t kTextMax = 40'000, kBlocksMax = 50, kHeaderMax = 150, kSectionMax = 3'000, kFieldMax = 2'000,
                      kFieldsMax = 10, kButtonMax = 75, kValueMax = 2'000, kElementsMax = 25, kAllBlocksMax = 13'200;

SandboxReply answer(const json& body, int status = 200) {
  SandboxReply reply;
  reply.status = status;
  reply.headers.emplace_back("content-type", "application/json; charset=utf-8");
  reply.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return reply;
}
SandboxReply refuse(std::string_view error) { return answer({{"ok", false}, {"error", error}}); }

SandboxReply slower(int seconds) {
  auto reply = answer({{"ok", false}, {"error", "ratelimited"}}, 429);
  reply.headers.emplace_back("retry-after", std::to_string(seconds));
  return reply;
}

std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0u) != 0x80u; }));
}

/// A text object of that type, 1 to `most` characters.
bool is_text(const json& object, std::string_view type, std::size_t most) {
  if (!object.is_object() || text_in(object, "type") != type) return false;
  const std::size_t size = characters(text_in(object, "text"));
  return size >= 1 && size <= most;
}

bool is_section(const json& block) {
  if (block.contains("text") && !is_text(block["text"], "mrkdwn", kSectionMax)) return false;
  if (!block.contains("fields")) return block.contains("text");
  const json& fields = block["fields"];
  if (!fields.is_array() || fields.empty() || fields.size() > kFieldsMax) return false;
  return std::all_of(fields.begin(), fields.end(),
                     [](const json& field) { return is_text(field, "mrkdwn", kFieldMax); });
}

bool is_button(const json& element) {
  if (!element.is_object() || text_in(element, "type") != "button") return false;
  if (!element.contains("text") || !is_text(element["text"], "plain_text", kButtonMax)) return false;
  return text_in(element, "value").size() <= kValueMax && text_in(element, "action_id").size() <= 255;
}

bool is_actions(const json& block) {
  const auto elements = block.find("elements");
  if (elements == block.end() || !elements->is_array() || elements->empty() || elements->size() > kElementsMax)
    return false;
  std::set<std::string> ids;
  for (const auto& one : *elements) {
    if (!is_button(one) || !ids.insert(text_in(one, "action_id")).second) return false;
  }
  return true;
}

bool is_context(const json& block) {
  const auto elements = block.find("elements");
  if (elements == block.end() || !elements->is_array() || elements->empty() || elements->size() > 10) return false;
  return std::all_of(elements->begin(), elements->end(),
                     [](const json& one) { return is_text(one, "mrkdwn", kSectionMax); });
}

bool is_block(const json& block) {
  if (!block.is_object()) return false;
  const auto type = text_in(block, "type");
  if (type == "header") return block.contains("text") && is_text(block["text"], "plain_text", kHeaderMax);
  if (type == "section") return is_section(block);
  if (type == "context") return is_context(block);
  if (type == "actions") return is_actions(block);
  return type == "divider";
}

std::string hmac_hex(std::string_view key, std::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), mac, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", mac[i]);
  return hex;
}

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

const json* find_button(const SlackMessage& message, std::string_view action) {
  const auto blocks = message.payload.find("blocks");
  if (blocks == message.payload.end()) return nullptr;
  for (const auto& block : *blocks) {
    if (text_in(block, "type") != "actions") continue;
    for (const auto& one : block["elements"]) {
      if (text_in(one, "action_id") == action) return &one;
    }
  }
  return nullptr;
}

}  // namespace

std::string slack_fault(const json& body) {
  const auto text = text_in(body, "text");
  const auto blocks = body.find("blocks");
  const bool has_blocks = blocks != body.end() && blocks->is_array() && !blocks->empty();
  if (text.empty() && !has_blocks) return "no_text";
  if (characters(text) > kTextMax) return "msg_too_long";
  if (!has_blocks) return blocks == body.end() || blocks->is_array() ? "" : "invalid_blocks_format";
  if (blocks->size() > kBlocksMax || !std::all_of(blocks->begin(), blocks->end(), is_block)) return "invalid_blocks";
  if (characters(blocks->dump(-1, ' ', false, json::error_handler_t::replace)) > kAllBlocksMax)
    return "msg_blocks_too_long";
  return {};
}

SlackSandbox::SlackSandbox(SlackOptions options) : options_(std::move(options)) {
  for (std::size_t i = 0; i < options_.channels.size(); ++i)
    channels_[options_.channels[i]] = fmt::format("C0{:08d}", i + 1);
}

std::string SlackSandbox::channel_id(std::string_view name) const {
  const auto found = channels_.find(name);
  return found == channels_.end() ? std::string() : found->second;
}

std::string SlackSandbox::resolve(std::string_view channel) const {
  for (const auto& [name, id] : channels_) {
    if (channel == id || channel == name || channel == "#" + name) return id;
  }
  const auto& users = options_.users;
  return std::find(users.begin(), users.end(), channel) == users.end() ? std::string() : "D" + std::string(channel);
}

bool SlackSandbox::is_archived(std::string_view id) const {
  return std::any_of(archived_.begin(), archived_.end(), [&](const auto& name) { return channel_id(name) == id; });
}

const SlackMessage* SlackSandbox::find(std::string_view ts) const {
  const auto found =
      std::find_if(messages_.begin(), messages_.end(), [&](const SlackMessage& one) { return one.ts == ts; });
  return found == messages_.end() ? nullptr : &*found;
}

void SlackSandbox::remove_message(std::string_view ts) {
  std::erase_if(messages_, [&](const SlackMessage& one) { return one.ts == ts; });
}

/// Not Slack's: what stands in the channels, and a press as a person would make it, for who holds the sandbox.
SandboxReply SlackSandbox::shown(std::string_view path, std::string_view query, Timestamp now) const {
  if (path == "/_sandbox/press") {
    const auto made =
        press(api::form_value(query, "ts"), api::form_value(query, "action"), api::form_value(query, "user"), now);
    return answer({{"headers", made.headers}, {"body", made.body}});
  }
  if (path == "/_sandbox/requests") return answer(taken_);
  if (path == "/_sandbox/whispers") return answer(whispers_);
  json all = json::array();
  for (const auto& one : messages_) {
    all.push_back({{"channel", one.channel},
                   {"ts", one.ts},
                   {"thread_ts", one.thread},
                   {"broadcast", one.broadcast},
                   {"edits", one.edits},
                   {"payload", one.payload}});
  }
  return answer(all);
}

SandboxReply SlackSandbox::handle(const SandboxRequest& request, Timestamp now) {
  constexpr std::string_view kApi = "/api/", kOwn = "/_sandbox/";
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.starts_with(kOwn)) return shown(path, target.substr(std::min(path.size() + 1, target.size())), now);
  ++requests_;
  if (!options_.html.empty()) {
    SandboxReply reply;
    reply.status = 502;
    reply.headers.emplace_back("content-type", "text/html");
    reply.body = options_.html;
    return reply;
  }
  if (limited_ < options_.limit_first) return ++limited_, slower(options_.retry_after_s);
  SandboxReply reply;
  if (!path.starts_with(kApi)) {
    reply.status = 404;
    return reply;
  }
  reply = api(path.substr(kApi.size()), request, now);
  if (dropped_ < options_.drop_first) {
    ++dropped_;
    reply.refused = true;
  }
  return reply;
}

SandboxReply SlackSandbox::api(std::string_view method, const SandboxRequest& request, Timestamp now) {
  const auto bearer = find_header(request.headers, "authorization");
  if (bearer.empty()) return refuse("not_authed");
  if (revoked_) return refuse("token_revoked");
  if (bearer != "Bearer " + options_.token) return refuse("invalid_auth");
  if (method == "auth.test")
    return answer({{"ok", true}, {"team", "Sandbox"}, {"user", "callimport"}, {"bot_id", "B0"}});
  const auto mark = request.target.find('?');
  const std::string query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
  if (method == "chat.getPermalink")
    return permalink(api::form_value(query, "channel"), api::form_value(query, "message_ts"));
  if (method == "conversations.history") return history(api::form_value(query, "channel"));
  const bool writes = method == "chat.postMessage" || method == "chat.update" || method == "chat.postEphemeral";
  if (!writes) return refuse("unknown_method");
  if (!find_header(request.headers, "content-type").starts_with("application/json")) return refuse("invalid_form_data");
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return refuse("invalid_json");
  if (method == "chat.postEphemeral") return whisper(body);
  auto reply = method == "chat.update" ? update(body) : post(body, now);
  if (json::parse(reply.body).value("ok", false)) taken_.emplace_back(method, body);
  return reply;
}

SandboxReply SlackSandbox::post(const json& body, Timestamp now) {
  const auto id = resolve(text_in(body, "channel"));
  if (id.empty()) return refuse("channel_not_found");
  if (is_archived(id)) return refuse("is_archived");
  const auto last = last_.find(id);
  if (options_.paced && last != last_.end() && now - last->second < std::chrono::seconds{1}) return slower(1);
  if (const auto fault = slack_fault(body); !fault.empty()) return refuse(fault);
  const auto thread = text_in(body, "thread_ts");
  if (!thread.empty()) {
    const auto* root = find(thread);
    if (root == nullptr || root->channel != id || !root->thread.empty()) return refuse("thread_not_found");
  }
  last_[id] = now;
  SlackMessage made;
  made.channel = id;
  made.ts = fmt::format("{}.{:06d}", to_unix_ms(now) / 1'000, messages_.size() + 1);
  made.thread = thread;
  made.broadcast = body.value("reply_broadcast", false);
  made.payload = body;
  messages_.push_back(made);
  return answer({{"ok", true}, {"channel", id}, {"ts", made.ts}, {"message", {{"text", text_in(body, "text")}}}});
}

SandboxReply SlackSandbox::whisper(const json& body) {
  const auto& users = options_.users;
  const auto user = text_in(body, "user");
  if (resolve(text_in(body, "channel")).empty()) return refuse("channel_not_found");
  if (std::find(users.begin(), users.end(), user) == users.end()) return refuse("user_not_in_channel");
  if (const auto fault = slack_fault(body); !fault.empty()) return refuse(fault);
  whispers_.emplace_back(user, text_in(body, "text"));
  return answer({{"ok", true}, {"message_ts", "1.000001"}});
}

SandboxReply SlackSandbox::update(const json& body) {
  const auto channel = text_in(body, "channel");
  const bool known =
      std::any_of(channels_.begin(), channels_.end(), [&](const auto& one) { return one.second == channel; });
  if (!known && !channel.starts_with("D")) return refuse("channel_not_found");  // names are not taken here
  if (is_archived(channel)) return refuse("is_archived");
  if (const auto fault = slack_fault(body); !fault.empty()) return refuse(fault);
  const auto ts = text_in(body, "ts");
  const auto found =
      std::find_if(messages_.begin(), messages_.end(), [&](const SlackMessage& one) { return one.ts == ts; });
  if (found == messages_.end() || found->channel != channel) return refuse("message_not_found");
  ++found->edits;
  found->payload = body;
  return answer({{"ok", true}, {"channel", channel}, {"ts", ts}, {"text", text_in(body, "text")}});
}

SandboxReply SlackSandbox::permalink(std::string_view channel, std::string_view ts) const {
  const auto* message = find(ts);
  if (message == nullptr || message->channel != channel) return refuse("message_not_found");
  std::string digits(ts);
  std::erase(digits, '.');
  return answer({{"ok", true},
                 {"channel", channel},
                 {"permalink", fmt::format("https://sandbox.slack.example/archives/{}/p{}", channel, digits)}});
}

SandboxReply SlackSandbox::history(std::string_view channel) const {
  if (!options_.history) return refuse("missing_scope");
  json all = json::array();
  for (auto message = messages_.rbegin(); message != messages_.rend() && all.size() < 100; ++message) {
    if (message->channel != channel || (!message->thread.empty() && !message->broadcast)) continue;
    json one = {{"type", "message"}, {"ts", message->ts}, {"text", text_in(message->payload, "text")}};
    if (message->payload.contains("metadata")) one["metadata"] = message->payload["metadata"];
    all.push_back(std::move(one));
  }
  return answer({{"ok", true}, {"messages", std::move(all)}, {"has_more", false}});
}

SlackPress SlackSandbox::sign(std::string body, Timestamp now) const {
  const auto at = std::to_string(to_unix_ms(now) / 1'000);
  SlackPress press;
  press.headers = {{"content-type", "application/x-www-form-urlencoded"},
                   {"x-slack-request-timestamp", at},
                   {"x-slack-signature", "v0=" + hmac_hex(options_.signing_secret, "v0:" + at + ":" + body)}};
  press.body = std::move(body);
  return press;
}

SlackPress SlackSandbox::press(std::string_view ts, std::string_view action, std::string_view user,
                               Timestamp now) const {
  const auto* message = find(ts);
  const json* button = message == nullptr ? nullptr : find_button(*message, action);
  const std::string at = fmt::format("{}.{:06d}", to_unix_ms(now) / 1'000, to_unix_ms(now) % 1'000);
  const json payload = {
      {"type", "block_actions"},
      {"user", {{"id", user}, {"username", "person"}, {"team_id", "T0"}}},
      {"team", {{"id", "T0"}, {"domain", "sandbox"}}},
      {"container", {{"type", "message"}, {"message_ts", ts}}},
      {"trigger_id", fmt::format("{}.{}", to_unix_ms(now), requests_)},
      {"channel", {{"id", message == nullptr ? "" : message->channel}}},
      {"message", {{"type", "message"}, {"ts", ts}}},
      {"actions", json::array({{{"type", "button"},
                                {"action_id", action},
                                {"block_id", "b"},
                                {"value", button == nullptr ? std::string() : text_in(*button, "value")},
                                {"action_ts", at}}})}};
  return sign("payload=" + url_encoded(payload.dump()), now);
}

}  // namespace callimport::simulations
