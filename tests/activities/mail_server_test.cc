// Mail by libcurl against a server of our own on the loopback: what arrives is what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
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

/// Takes one mail, keeps every line it was told, and answers as `answers` says for a command's first word ("." is the
/// end of the text): "" says nothing more, "!" drops the line, absent is yes.
class MailSink {
 public:
  explicit MailSink(std::map<std::string, std::string> answers = {})
      : answers_(std::move(answers)), listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
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
    std::string text;
    bool data = false;
    bool open = answer(line, "greeting", "220 sink");
    char piece[4096];
    while (open) {
      const ssize_t got = ::read(line, piece, sizeof piece);
      if (got <= 0) break;
      text.append(piece, static_cast<std::size_t>(got));
      for (std::size_t end = text.find("\r\n"); open && end != std::string::npos; end = text.find("\r\n")) {
        const std::string one = text.substr(0, end);
        text.erase(0, end + 2);
        open = take(line, one, data);
      }
    }
    ::close(line);
  }
  bool take(int line, const std::string& one, bool& data) {
    if (data && one != ".") {
      body += one + "\n";
      return true;
    }
    const std::string word = one.substr(0, one.find(' '));
    if (!data) lines.push_back(one);
    data = word == "DATA";
    if (word == "DATA") return answer(line, word, "354 go on");
    return answer(line, word, word == "QUIT" ? "221 bye" : "250 yes");
  }
  bool answer(int line, const std::string& word, const std::string& yes) {
    const auto other = answers_.find(word);
    const std::string text = other == answers_.end() ? yes : other->second;
    if (text == "!") return false;
    const std::string whole = text.empty() ? "" : text + "\r\n";
    EXPECT_EQ(::write(line, whole.data(), whole.size()), static_cast<ssize_t>(whole.size()));
    return true;
  }

  std::map<std::string, std::string> answers_;
  int listening_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

using Outcome = tl::expected<void, Refused>;

Outcome send(const std::string& url, MailMessage message) {
  AsioLoop loop;
  ThreadPool pool(1);
  MailServer server;
  server.url = url;
  server.timeout = 10s;
  server.answer_timeout = 1s;
  const auto mail = make_curl_mail(server, loop, pool, loop);
  Outcome sent = tl::unexpected(Refused{true, "nothing came", std::nullopt});
  engine::spawn(loop, mail->send(std::move(message)), [&](Outcome result) {
    sent = std::move(result);
    loop.stop();
  });
  loop.run();
  return sent;
}

MailMessage message() {
  MailMessage made;
  made.id = "msg_1";
  made.from = {"Calls", "calls@example.test"};
  made.to = {"Bo", "bo@example.test"};
  made.subject = "[Calls] Northwind";
  made.text = "Done.\n.\nEnd.";
  made.html = "<p>Done.</p>";
  return made;
}

TEST(MailServer, GetsWhatWasWritten) {
  MailSink sink;
  const auto sent = send(sink.url(), message());
  sink.hear_out();
  ASSERT_TRUE(sent.has_value()) << sent.error().reason;
  EXPECT_THAT(sink.lines, Contains(HasSubstr("MAIL FROM:<calls@example.test>")));
  EXPECT_THAT(sink.lines, Contains(HasSubstr("RCPT TO:<bo@example.test>")));
  EXPECT_THAT(sink.body, HasSubstr("Subject: [Calls] Northwind\n"));
  EXPECT_THAT(sink.body, HasSubstr("Message-ID: <msg_1@example.test>\n"));
  EXPECT_THAT(sink.body, HasSubstr("\nDone.\n..\nEnd.\n")) << "a line of one dot is stuffed";
}

struct Fault {
  const char* name;
  std::map<std::string, std::string> answers;
  bool ever_again;
  const char* said;
};
void PrintTo(const Fault& row, std::ostream* out) { *out << row.name; }
class MailFaults : public testing::TestWithParam<Fault> {};

TEST_P(MailFaults, AreToldWithTheServersWords) {
  MailSink sink(GetParam().answers);
  const auto sent = send(sink.url(), message());
  sink.hear_out();
  ASSERT_FALSE(sent.has_value());
  EXPECT_EQ(sent.error().ever_again, GetParam().ever_again) << sent.error().reason;
  EXPECT_THAT(sent.error().reason, HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Table, MailFaults,
    testing::Values(
        Fault{"NoSuchMailbox", {{"RCPT", "550 5.1.1 no such mailbox"}}, false, "RCPT: 550 5.1.1 no such mailbox"},
        Fault{"MailboxFullForNow", {{"RCPT", "452 4.2.2 over quota, later"}}, true, "RCPT: 452 4.2.2 over quota"},
        Fault{"TextRefused", {{".", "554 5.7.1 looks like spam"}}, false, "DATA: 554 5.7.1 looks like spam"},
        Fault{"TextRefusedForNow", {{".", "451 4.7.1 greylisted"}}, true, "451 4.7.1 greylisted"},
        Fault{"SenderMayNot", {{"MAIL", "553 5.7.1 you may not send"}}, true, "MAIL: 553 5.7.1 you may not send"},
        Fault{"Busy", {{"greeting", "421 4.3.2 too busy"}}, true, "421 4.3.2 too busy"},
        Fault{"SilentFromTheStart", {{"greeting", ""}}, true, "the mail server did not take it"},
        Fault{"SilentAfterTheText", {{".", ""}}, true, "sent again under the same Message-ID"},
        Fault{"GoneAfterTheText", {{".", "!"}}, true, "sent again under the same Message-ID"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(MailServer, OneReceiverOfThreeRefusedIsThatOnesAlone) {
  int arrived = 0;
  for (const char* address : {"ana@example.test", "bo@example.test", "cy@example.test"}) {
    MailMessage one = message();
    one.to.address = address;
    MailSink sink(one.to.address.starts_with("bo") ? std::map<std::string, std::string>{{"RCPT", "550 no such mailbox"}}
                                                   : std::map<std::string, std::string>{});
    const auto sent = send(sink.url(), one);
    arrived += sent ? 1 : 0;
    if (!sent) EXPECT_FALSE(sent.error().ever_again);
  }
  EXPECT_EQ(arrived, 2);
}

TEST(MailServer, NobodyThereIsTriedLater) {
  const auto sent = send("smtp://127.0.0.1:1", message());
  ASSERT_FALSE(sent.has_value());
  EXPECT_TRUE(sent.error().ever_again);
}

TEST(MailServer, APasswordIsNotSentWithoutTls) {
  MailSink sink;
  AsioLoop loop;
  ThreadPool pool(1);
  MailServer server;
  server.url = sink.url();
  server.user = "calls";
  server.password = storage::Secret("a-secret-word");
  const auto mail = make_curl_mail(server, loop, pool, loop);
  Outcome sent;
  engine::spawn(loop, mail->send(message()), [&](Outcome result) {
    sent = std::move(result);
    loop.stop();
  });
  loop.run();
  sink.hear_out();
  ASSERT_FALSE(sent.has_value());
  EXPECT_TRUE(sent.error().ever_again);
  for (const std::string& line : sink.lines) EXPECT_THAT(line, testing::Not(HasSubstr("AUTH")));
  EXPECT_THAT(sent.error().reason, testing::Not(HasSubstr("a-secret-word")));
}

}  // namespace
}  // namespace callimport::activities
