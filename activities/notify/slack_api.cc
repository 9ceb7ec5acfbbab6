#include "activities/notify/slack_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace callimport::activities {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kSlowest{24 * 3'600};  ///< a Retry-After beyond it is not believed
constexpr std::size_t kWordMax = 80;

struct ErrorRow {
  std::string_view error;
  SlackOutcome outcome;
  std::string_view advice;
};
/// Slack's words, as its pages of chat.postMessage and chat.update list them. What is not here is kNotDone.
constexpr ErrorRow kErrors[] = {
    {"ratelimited", SlackOutcome::kSlower, ""},
    {"rate_limited", SlackOutcome::kSlower, ""},
    {"message_limit_exceeded", SlackOutcome::kSlower, ""},
    {"invalid_auth", SlackOutcome::kNoAccess, "put a good bot token in slack.token_file"},
    {"not_authed", SlackOutcome::kNoAccess, "put a bot token in slack.token_file"},
    {"account_inactive", SlackOutcome::kNoAccess, "the app or its bot was removed: install it again"},
    {"token_revoked", SlackOutcome::kNoAccess, "install the app again and put its new bot token in slack.token_file"},
    {"token_expired", SlackOutcome::kNoAccess, "put a new bot token in slack.token_file"},
    {"missing_scope", SlackOutcome::kNoAccess, "give the app the scope chat:write and install it again"},
    {"not_allowed_token_type", SlackOutcome::kNoAccess, "slack.token_file must hold a bot token (xoxb-)"},
    {"org_login_required", SlackOutcome::kNoAccess, "the workspace is being moved"},
    {"team_access_not_granted", SlackOutcome::kNoAccess, "the app may not work in this workspace"},
    {"channel_not_found", SlackOutcome::kNoChannel, "the channel is gone, or private and without the bot"},
    {"is_archived", SlackOutcome::kNoChannel, "the channel is archived"},
    {"user_not_found", SlackOutcome::kNoChannel, "the person is gone"},
    {"user_disabled", SlackOutcome::kNoChannel, "the person is gone"},
    {"not_in_channel", SlackOutcome::kNotDone, "invite the bot to the channel"},
    {"message_not_found", SlackOutcome::kNoMessage, "somebody deleted the message"},
    {"thread_not_found", SlackOutcome::kNoMessage, "somebody deleted the thread"},
    {"cannot_reply_to_message", SlackOutcome::kNoMessage, "it takes no replies"},
    {"cant_update_message", SlackOutcome::kNoMessage, "it is not the bot's own"},
    {"edit_window_closed", SlackOutcome::kNoMessage, "the workspace allows edits for a while only"},
    {"invalid_blocks", SlackOutcome::kNotAsBlocks, ""},
    {"invalid_blocks_format", SlackOutcome::kNotAsBlocks, ""},
    {"msg_blocks_too_long", SlackOutcome::kNotAsBlocks, ""},
    {"msg_too_long", SlackOutcome::kNotAsBlocks, ""},
    {"fatal_error", SlackOutcome::kUnclear, "Slack itself does not know whether it was done"},
    {"internal_error", SlackOutcome::kUnclear, "Slack itself does not know whether it was done"},
    {"request_timeout", SlackOutcome::kUnclear, ""},
};

/// Somebody else's word as part of our sentence.
std::string tame(std::string_view word) {
  std::string out;
  for (const char c : word.substr(0, kWordMax)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain || c == '_' || c == '/' || c == '-' || c == '.' ? c : ' ';
  }
  return out;
}

std::optional<Nanos> retry_after(const HttpReply& reply) {
  const auto text = reply.header("retry-after");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::min<std::chrono::seconds>(std::chrono::seconds{seconds}, kSlowest);
}

/// What is no JSON object is no answer of Slack's: a proxy, an outage's page.
SlackAnswer not_slack(const HttpReply& reply) {
  SlackAnswer answer;
  answer.outcome = reply.status >= 400 && reply.status < 500 ? SlackOutcome::kNotDone : SlackOutcome::kUnclear;
  const auto type = reply.header("content-type");
  answer.reason = fmt::format("Slack answered {} with {} in the place of JSON", reply.status,
                              type.empty() ? "nothing" : tame(type.substr(0, type.find(';'))));
  answer.after = retry_after(reply);
  return answer;
}

std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

SlackAnswer read_slack_answer(const Result<HttpReply>& reply) {
  SlackAnswer answer;
  if (!reply) {
    answer.reason = "Slack did not answer: " + reply.error().message;
    if (reply.error().code == Code::kInvalid) answer.outcome = SlackOutcome::kNotDone;
    return answer;
  }
  if (reply->status == 429) {
    answer.outcome = SlackOutcome::kSlower;
    answer.after = retry_after(*reply).value_or(std::chrono::seconds{30});
    answer.reason =
        fmt::format("Slack asks to wait {} s", std::chrono::ceil<std::chrono::seconds>(*answer.after).count());
    return answer;
  }
  answer.body = json::parse(reply->body, nullptr, false);
  if (!answer.body.is_object() || !answer.body.contains("ok")) return not_slack(*reply);
  if (answer.body["ok"] == true) {
    answer.outcome = SlackOutcome::kDone;
    answer.channel = text_in(answer.body, "channel");
    answer.ts = text_in(answer.body, "ts");
    return answer;
  }
  const std::string error = text_in(answer.body, "error");
  const auto* row =
      std::find_if(std::begin(kErrors), std::end(kErrors), [&](const ErrorRow& one) { return one.error == error; });
  const bool known = row != std::end(kErrors);
  answer.outcome = known ? row->outcome : SlackOutcome::kNotDone;
  answer.after = retry_after(*reply);
  answer.reason = "Slack: " + (error.empty() ? "no word why" : tame(error));
  if (known && !row->advice.empty()) answer.reason += "; " + std::string(row->advice);
  return answer;
}

SlackApi::SlackApi(Http& http, storage::Secret token, std::string base)
    : http_(http), token_(std::move(token)), base_(base.empty() ? std::string(kSlackApi) : std::move(base)) {
  if (!base_.ends_with('/')) base_ += '/';
}

HttpRequest SlackApi::request_for(std::string_view method) const {
  HttpRequest request;
  request.url = base_ + std::string(method);
  request.headers.emplace_back("Authorization", "Bearer " + token_.reveal());
  request.body_bytes_max = kSlackReplyMax;
  return request;
}

engine::Awaitable<SlackAnswer> SlackApi::call(std::string method, json body) {
  HttpRequest request = request_for(method);
  request.method = "POST";
  request.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  auto sending = http_.send(std::move(request));
  const Result<HttpReply> reply = co_await std::move(sending);
  co_return read_slack_answer(reply);
}

engine::Awaitable<SlackAnswer> SlackApi::get(std::string method) {
  auto sending = http_.send(request_for(method));
  const Result<HttpReply> reply = co_await std::move(sending);
  co_return read_slack_answer(reply);
}

}  // namespace callimport::activities
