#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "activities/notify/channel.h"

namespace callimport::activities {
namespace {

/// One line whatever is in it.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

class LogChannel final : public Channel {
 public:
  std::string_view name() const override { return "log"; }
  bool merges() const override { return false; }
  engine::Awaitable<Result<>> send(std::vector<storage::Notification> news) override {
    for (const auto& one : news)
      spdlog::info("{} {}: {} {}", one.import, one.event, one_line(one.text), one_line(one.next));
    co_return Result<>{};
  }
};

class MailChannel final : public Channel {
 public:
  MailChannel(Mail& mail, std::string from, std::vector<std::string> to)
      : mail_(mail), from_(std::move(from)), to_(std::move(to)) {}
  std::string_view name() const override { return "mail"; }
  engine::Awaitable<Result<>> send(std::vector<storage::Notification> news) override {
    MailMessage message;
    message.id = news.back().id;
    message.thread = news.back().import;
    message.from = from_;
    message.to = to_;
    message.subject = news.back().subject;
    message.text = message_text(news);
    co_return co_await mail_.send(std::move(message));
  }

 private:
  Mail& mail_;
  std::string from_;
  std::vector<std::string> to_;
};

class SlackChannel final : public Channel {
 public:
  SlackChannel(Http& http, storage::Secret url) : http_(http), url_(std::move(url)) {}
  std::string_view name() const override { return "slack"; }
  engine::Awaitable<Result<>> send(std::vector<storage::Notification> news) override {
    HttpRequest request;
    request.method = "POST";
    request.url = url_.reveal();
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = slack_body(news);
    request.body_bytes_max = 64u << 10;
    CO_TRY(const HttpReply reply, co_await http_.send(std::move(request)));
    if (reply.status == 200) co_return Result<>{};
    co_return fail(Code::kUnavailable, "Slack answered " + std::to_string(reply.status));
  }

 private:
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
std::unique_ptr<Channel> make_mail_channel(Mail& mail, std::string from, std::vector<std::string> to) {
  return std::make_unique<MailChannel>(mail, std::move(from), std::move(to));
}
std::unique_ptr<Channel> make_slack_channel(Http& http, storage::Secret webhook_url) {
  return std::make_unique<SlackChannel>(http, std::move(webhook_url));
}

}  // namespace callimport::activities
