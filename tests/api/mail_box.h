#pragma once
// A mail server of the test's own on the loopback: takes every mail it is given, one connection after the other.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace callimport::tests {

class MailBox {
 public:
  struct Came {
    std::string to, text;  ///< the address; head and body as they were sent
  };

  MailBox() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listening_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listening_, 16), 0);
    EXPECT_EQ(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~MailBox() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      ::shutdown(listening_, SHUT_RDWR);
      if (line_ >= 0) ::shutdown(line_, SHUT_RDWR);
    }
    thread_.join();
    ::close(listening_);
  }
  MailBox(const MailBox&) = delete;
  MailBox& operator=(const MailBox&) = delete;

  std::string url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }
  /// The first that is so, once it has come; nothing after a minute.
  std::optional<Came> wait_for(const std::function<bool(const Came&)>& wanted) {
    std::unique_lock lock(mutex_);
    std::optional<Came> found;
    news_.wait_for(lock, std::chrono::minutes{1}, [&] {
      for (const auto& one : came_) {
        if (!found && wanted(one)) found = one;
      }
      return found.has_value();
    });
    return found;
  }
  std::optional<Came> wait_for(const std::string& to, const std::string& word) {
    return wait_for([&](const Came& one) { return one.to == to && one.text.find(word) != std::string::npos; });
  }

 private:
  void serve() {
    while (true) {
      const int line = ::accept(listening_, nullptr, nullptr);
      {
        const std::lock_guard lock(mutex_);
        if (over_ || line < 0) {
          if (line >= 0) ::close(line);
          return;
        }
        line_ = line;
      }
      talk(line);
      const std::lock_guard lock(mutex_);
      line_ = -1;
      ::close(line);
    }
  }
  void talk(int line) {
    std::string text;
    Came mail;
    bool data = false;
    char piece[4096];
    say(line, "220 box");
    while (true) {
      const ssize_t got = ::read(line, piece, sizeof piece);
      if (got <= 0) return;
      text.append(piece, static_cast<std::size_t>(got));
      for (std::size_t end = text.find("\r\n"); end != std::string::npos; end = text.find("\r\n")) {
        const std::string one = text.substr(0, end);
        text.erase(0, end + 2);
        if (one.starts_with("QUIT")) return say(line, "221 bye");
        take(line, one, data, mail);
      }
    }
  }
  void take(int line, const std::string& one, bool& data, Came& mail) {
    if (data && one != ".") {
      mail.text += one + "\n";
      return;
    }
    if (data) {
      const std::lock_guard lock(mutex_);
      came_.push_back(std::exchange(mail, {}));
      news_.notify_all();
    }
    if (one.starts_with("RCPT TO:<")) mail.to = one.substr(9, one.find('>') - 9);
    data = one == "DATA";
    say(line, data ? "354 go on" : "250 yes");
  }
  static void say(int line, const std::string& text) {
    const std::string whole = text + "\r\n";
    (void)::send(line, whole.data(), whole.size(), MSG_NOSIGNAL);
  }

  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<Came> came_;
  bool over_ = false;
  int listening_, line_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace callimport::tests
