// Mail by libcurl against a server of our own on the loopback: what arrives is what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "activities/notify/curl_mail.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/threads.h"

namespace callimport::activities {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// Takes one mail and keeps every line it was told. `refuses`: says no to the receiver.
class MailSink {
 public:
  explicit MailSink(bool refuses) : refuses_(refuses), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listening_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listening_, 1), 0);
    EXPECT_EQ(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~MailSink() {
    hear_out();
    ::close(listening_);
  }
  /// Until the conversation is over; then `lines` and `body` may be read.
  void hear_out() {
    ::shutdown(listening_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  std::string url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> lines;
  std::string body;

 private:
  void serve() {
    const int line = ::accept(listening_, nullptr, nullptr);
    if (line < 0) return;
    say(line, "220 sink");
    std::string text;
    bool data = false;
    char piece[4096];
    for (ssize_t got = ::read(line, piece, sizeof piece); got > 0; got = ::read(line, piece, sizeof piece)) {
      text.append(piece, static_cast<std::size_t>(got));
      for (std::size_t end = text.find("\r\n"); end != std::string::npos; end = text.find("\r\n")) {
        const std::string one = text.substr(0, end);
        text.erase(0, end + 2);
        take(line, one, data);
      }
    }
    ::close(line);
  }
  void take(int line, const std::string& one, bool& data) {
    if (data) {
      if (one == ".") {
        data = false;
        say(line, "250 taken");
      } else {
        body += one + "\n";
      }
      return;
    }
    lines.push_back(one);
    if (one.starts_with("DATA")) {
      data = true;
      say(line, "354 go on");
    } else if (one.starts_with("RCPT") && refuses_) {
      say(line, "550 no such mailbox");
    } else if (one.starts_with("QUIT")) {
      say(line, "221 bye");
    } else {
      say(line, "250 yes");
    }
  }
  static void say(int line, const std::string& text) {
    const std::string whole = text + "\r\n";
    EXPECT_EQ(::write(line, whole.data(), whole.size()), static_cast<ssize_t>(whole.size()));
  }

  bool refuses_;
  int listening_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

Result<> send(const std::string& url, MailMessage message) {
  AsioLoop loop;
  ThreadPool pool(1);
  MailServer server;
  server.url = url;
  server.timeout = 10s;
  const auto mail = make_curl_mail(server, loop, pool, loop);
  Result<> sent = fail(Code::kCancelled, "nothing came");
  engine::spawn(loop, mail->send(std::move(message)), [&](Result<> result) {
    sent = std::move(result);
    loop.stop();
  });
  loop.run();
  return sent;
}

MailMessage message() {
  return {"ntf_1",
          "imp_1",
          "Calls <calls@example.test>",
          {"ana@example.test", "Bo <bo@example.test>"},
          "[Calls] Northwind",
          "Done.\n.\nEnd."};
}

TEST(MailServer, GetsWhatWasWritten) {
  MailSink sink(false);
  const auto sent = send(sink.url(), message());
  sink.hear_out();
  ASSERT_TRUE(sent.has_value()) << sent.error().message;
  EXPECT_THAT(sink.lines, Contains(HasSubstr("MAIL FROM:<calls@example.test>")));
  EXPECT_THAT(sink.lines, Contains(HasSubstr("RCPT TO:<ana@example.test>")));
  EXPECT_THAT(sink.lines, Contains(HasSubstr("RCPT TO:<bo@example.test>")));
  EXPECT_THAT(sink.body, HasSubstr("Subject: [Calls] Northwind\n"));
  EXPECT_THAT(sink.body, HasSubstr("Message-ID: <ntf_1@callimport>\n"));
  EXPECT_THAT(sink.body, HasSubstr("\nDone.\n..\nEnd.\n")) << "a line of one dot is stuffed";
}

TEST(MailServer, ARefusalIsTriedLater) {
  MailSink sink(true);
  const auto sent = send(sink.url(), message());
  sink.hear_out();
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().code, Code::kUnavailable);
}

TEST(MailServer, NobodyThereIsTriedLater) {
  const auto sent = send("smtp://127.0.0.1:1", message());
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace callimport::activities
