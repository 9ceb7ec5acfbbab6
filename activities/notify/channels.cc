#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "activities/notify/channel.h"
#include "activities/notify/words.h"

namespace callimport::activities {
namespace {

class LogChannel final : public Channel {
 public:
  std::string_view name() const override { return "log"; }
  Manner manner() const override {
    Manner made;
    made.merges = false;
    return made;
  }
  std::vector<Recipient> own(const storage::Notification&) const override { return {{"log", "the log", "", "UTC"}}; }
  engine::Awaitable<tl::expected<Sent, Refused>> send(Message message) override {
    Sent sent;
    for (const auto& one : message.news) {
      const std::string line =
          fmt::format("{} {}: {} {}", one.import, one.event, one_line(one.text), one_line(one.next));
      spdlog::info("{}", line);
      sent.rendered += line + "\n";
    }
    co_return sent;
  }
};

class SlackChannel final : public Channel {
 public:
  SlackChannel(Http& http, storage::Secret url) : http_(http), url_(std::move(url)) {}
  std::string_view name() const override { return "slack"; }
  Manner manner() const override {
    Manner made;
    made.gap = std::chrono::seconds{1};
    return made;
  }
  std::vector<Recipient> own(const storage::Notification&) const override { return {{"#slack", "Slack", "", "UTC"}}; }
  engine::Awaitable<tl::expected<Sent, Refused>> send(Message message) override {
    HttpRequest request;
    request.method = "POST";
    request.url = url_.reveal();
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = slack_body(message.news);
    request.body_bytes_max = 64u << 10;
    Sent answer{"", request.body};
    auto sending = http_.send(std::move(request));
    const Result<HttpReply> reply = co_await std::move(sending);
    if (reply && reply->status == 200) co_return answer;
    const std::string reason = reply ? "Slack answered " + std::to_string(reply->status) : reply.error().message;
    co_return tl::unexpected(again(reason));
  }

 private:
  static Refused again(const std::string& reason) {
    return {.ever_again = true, .reason = reason, .after = std::nullopt};
  }

  Http& http_;
  storage::Secret url_;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string message_text(const std::vector<storage::Notification>& news) {
  // The newest first: it is the news. What came before it is told below, oldest first.
  const auto& newest = news.back();
  std::string text = newest.text + "\n" + newest.next + "\n";
  if (news.size() > 1) text += "\nBefore that:\n";
  for (std::size_t i = 0; i + 1 < news.size(); ++i) {
    text += "- " + format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(news[i].at_ms))) + " " +
            news[i].text + "\n";
  }
  if (newest.import.empty()) return text;
  return text + "\nMore: callimport show " + newest.import + "\n";
}

std::string slack_body(const std::vector<storage::Notification>& news) {
  std::string text = escaped(news.back().subject + "\n" + message_text(news));
  if (text.size() > kSlackTextMax) {
    std::size_t end = text.rfind('\n', kSlackTextMax - 20);
    if (end == std::string::npos) end = kSlackTextMax - 20;
    text = text.substr(0, end) + "\n... and more";
  }
  const nlohmann::json body = {{"text", text}, {"unfurl_links", false}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::unique_ptr<Channel> make_log_channel() { return std::make_unique<LogChannel>(); }
std::unique_ptr<Channel> make_slack_channel(Http& http, storage::Secret webhook_url) {
  return std::make_unique<SlackChannel>(http, std::move(webhook_url));
}

}  // namespace callimport::activities
