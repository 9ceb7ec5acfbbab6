#pragma once
// A mail server for figures: takes everything at once and notes when.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace callimport::tests {

struct TakenMail {
  std::int64_t at_ms = 0;  ///< unix time at which it was about to be accepted, of the first time
  std::string list;        ///< its List-Id, without brackets
  int times = 0;
};

/// A thread for each line; SMTP without TLS, sign-in or extensions. Ends with its object.
class MailReceiver {
 public:
  MailReceiver();
  ~MailReceiver();
  MailReceiver(const MailReceiver&) = delete;
  MailReceiver& operator=(const MailReceiver&) = delete;

  std::string url() const;
  /// By the part of the Message-ID before the @: the message's own id.
  std::map<std::string, TakenMail> taken() const;
  /// Until `enough` of what was taken; false: not by then.
  bool wait_until(std::chrono::steady_clock::time_point by,
                  const std::function<bool(const std::map<std::string, TakenMail>&)>& enough);

 private:
  void accept_all();
  void talk(int line);
  void take(const std::string& text);

  int listening_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  std::map<std::string, TakenMail> taken_;  // guarded by mutex_
  std::list<std::thread> talks_;            // the accepting thread's
  std::thread thread_;
};

}  // namespace callimport::tests
