#include "tests/bench/mail_receiver.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

#include "storage/model/ensure.h"

namespace callimport::tests {
namespace {

bool say(int line, std::string_view text) {
  return ::send(line, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

/// What stands between `open` and `close` in the first header line that begins with `name`.
std::string between(const std::string& text, const std::string& name, char open, char close) {
  const auto at = text.find("\r\n" + name);
  const auto begin = at == std::string::npos ? at : text.find(open, at);
  const auto end = begin == std::string::npos ? begin : text.find(close, begin);
  return end == std::string::npos ? std::string() : text.substr(begin + 1, end - begin - 1);
}

std::int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

MailReceiver::MailReceiver() : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ENSURE(::bind(listening_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  ENSURE(::listen(listening_, 64) == 0);
  ENSURE(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { accept_all(); });
}

MailReceiver::~MailReceiver() {
  ::shutdown(listening_, SHUT_RDWR);
  thread_.join();
  ::close(listening_);
}

std::string MailReceiver::url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }

std::map<std::string, TakenMail> MailReceiver::taken() const {
  const std::lock_guard lock(mutex_);
  return taken_;
}

bool MailReceiver::wait_until(std::chrono::steady_clock::time_point by,
                              const std::function<bool(const std::map<std::string, TakenMail>&)>& enough) {
  std::unique_lock lock(mutex_);
  return news_.wait_until(lock, by, [&] { return enough(taken_); });
}

void MailReceiver::accept_all() {
  while (true) {
    const int line = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (line < 0) break;
    timeval patience{};
    patience.tv_sec = 20;  // whoever says nothing for so long is gone
    ::setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    talks_.emplace_back([this, line] { talk(line); });
  }
  for (auto& one : talks_) one.join();
}

void MailReceiver::talk(int line) {
  std::string unread;
  bool in_text = false, open = say(line, "220 here\r\n");
  char piece[8'192];
  while (open) {
    const ssize_t got = ::recv(line, piece, sizeof piece, 0);
    if (got <= 0) break;
    unread.append(piece, static_cast<std::size_t>(got));
    while (open) {
      const auto end = unread.find(in_text ? "\r\n.\r\n" : "\r\n");
      if (end == std::string::npos) break;
      const std::string part = unread.substr(0, end);
      unread.erase(0, end + (in_text ? 5 : 2));
      if (in_text) {
        take("\r\n" + part);
        in_text = false;
        open = say(line, "250 taken\r\n");
      } else if (part == "DATA") {
        in_text = true;
        open = say(line, "354 go on\r\n");
      } else {
        open = say(line, part == "QUIT" ? "221 bye\r\n" : "250 yes\r\n") && part != "QUIT";
      }
    }
  }
  ::close(line);
}

void MailReceiver::take(const std::string& text) {
  const std::lock_guard lock(mutex_);
  auto& mail = taken_[between(text, "Message-ID:", '<', '@')];
  if (++mail.times > 1) return;
  mail.at_ms = unix_ms();
  mail.list = between(text, "List-Id:", '<', '>');
  news_.notify_all();
}

}  // namespace callimport::tests
