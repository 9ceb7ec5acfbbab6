#include "activities/notify/curl_mail.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "activities/notify/words.h"

namespace callimport::activities {
namespace {

constexpr std::size_t kWordsBytesMax = 300;  ///< of what a server said

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

using Outcome = tl::expected<void, Refused>;

/// How far the conversation came, and what was said last.
struct Conversation {
  std::string_view unsent;
  std::string command;  ///< the last one's first word: EHLO, AUTH, MAIL, RCPT, DATA
  std::string answer;   ///< the last line of a refusal
  bool handed_over = false;
};

std::size_t read_some(char* into, std::size_t size, std::size_t count, void* from) {
  auto& talk = *static_cast<Conversation*>(from);
  const std::size_t bytes = std::min(size * count, talk.unsent.size());
  std::memcpy(into, talk.unsent.data(), bytes);
  talk.unsent.remove_prefix(bytes);
  talk.handed_over = talk.handed_over || bytes == 0;
  return bytes;
}

/// libcurl shows an answer's lines as headers. Only a refusal is kept: what follows it is a farewell.
std::size_t hear_line(char* text, std::size_t size, std::size_t count, void* to) {
  auto& talk = *static_cast<Conversation*>(to);
  const std::string_view line = std::string_view(text, size * count).substr(0, kWordsBytesMax);
  if (line.starts_with('4') || line.starts_with('5')) talk.answer = one_line(line);
  return size * count;
}

/// Only a command's first word is kept: the rest of AUTH is a secret.
int note_command(CURL* /*easy*/, curl_infotype type, char* text, std::size_t bytes, void* to) {
  if (type != CURLINFO_HEADER_OUT) return 0;
  const std::string_view line(text, bytes);
  const std::string_view word = line.substr(0, line.find_first_of(" \r\n"));
  static constexpr std::array<std::string_view, 7> kCommands = {"EHLO", "HELO", "STARTTLS", "AUTH",
                                                                "MAIL", "RCPT", "DATA"};
  if (std::find(kCommands.begin(), kCommands.end(), word) != kCommands.end())
    static_cast<Conversation*>(to)->command = std::string(word);
  return 0;
}

/// 5xx to RCPT is about the receiver, 5xx to DATA and to the text about this message: both stay so. What is refused
/// before that is about us (a password, a sender that may not), and may be mended.
Outcome refused(CURLcode code, long status, const Conversation& talk, const std::string& words) {
  Refused made;
  const bool about_message = talk.command == "RCPT" || talk.command == "DATA";
  const bool for_good = status >= 500 && status < 600 && about_message && code != CURLE_LOGIN_DENIED;
  made.ever_again = !for_good;
  if (status >= 400 && !talk.answer.empty()) {
    made.reason =
        fmt::format("the mail server answered {}: {}", talk.command.empty() ? "at once" : talk.command, talk.answer);
  } else if (talk.handed_over) {
    made.reason = fmt::format(
        "the mail server did not say whether it took the message ({}); it is sent again under the "
        "same Message-ID",
        words);
  } else {
    made.reason = "the mail server did not take it: " + words;
  }
  return tl::unexpected(std::move(made));
}

std::unique_ptr<curl_slist, FreeList> list_of(const std::string& address) {
  return std::unique_ptr<curl_slist, FreeList>(curl_slist_append(nullptr, ("<" + address + ">").c_str()));
}

long milliseconds(Nanos time) { return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(time).count()); }

/// Blocks until the server has accepted the message.
Outcome send_now(const MailServer& server, const std::string& text, const std::string& from, const std::string& to) {
  const std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  const auto receivers = list_of(to);
  if (!easy || !receivers) return tl::unexpected(Refused{true, "libcurl has no memory", std::nullopt});
  const std::string sender = "<" + from + ">";
  Conversation talk;
  talk.unsent = text;
  curl_easy_setopt(easy.get(), CURLOPT_URL, server.url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  const bool must = server.tls || !server.user.empty();
  curl_easy_setopt(easy.get(), CURLOPT_USE_SSL, static_cast<long>(must ? CURLUSESSL_ALL : CURLUSESSL_TRY));
  if (!server.ca_file.empty()) curl_easy_setopt(easy.get(), CURLOPT_CAINFO, server.ca_file.c_str());
  if (!server.user.empty()) {
    curl_easy_setopt(easy.get(), CURLOPT_USERNAME, server.user.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_PASSWORD, server.password.reveal().c_str());
  }
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_FROM, sender.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT, receivers.get());
  curl_easy_setopt(easy.get(), CURLOPT_READFUNCTION, &read_some);
  curl_easy_setopt(easy.get(), CURLOPT_READDATA, &talk);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, &hear_line);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &talk);
  curl_easy_setopt(easy.get(), CURLOPT_DEBUGFUNCTION, &note_command);
  curl_easy_setopt(easy.get(), CURLOPT_DEBUGDATA, &talk);
  curl_easy_setopt(easy.get(), CURLOPT_VERBOSE, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, milliseconds(server.timeout));
  curl_easy_setopt(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, milliseconds(server.answer_timeout));
  curl_easy_setopt(easy.get(), CURLOPT_SERVER_RESPONSE_TIMEOUT,
                   static_cast<long>(std::chrono::ceil<std::chrono::seconds>(server.answer_timeout).count()));
  const CURLcode code = curl_easy_perform(easy.get());
  if (code == CURLE_OK) return {};
  long status = 0;
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
  return refused(code, status, talk, curl_easy_strerror(code));
}

class CurlMail final : public Mail {
 public:
  CurlMail(MailServer server, Executor& loop, Pool& pool, Clock& clock)
      : server_(std::make_shared<MailServer>(std::move(server))), loop_(loop), pool_(pool), clock_(clock) {}

  engine::Awaitable<Outcome> send(MailMessage message) override {
    Result<std::string> text = write_mail(message, clock_.now());
    if (!text) co_return tl::unexpected(Refused{false, text.error().message, std::nullopt});
    auto job = [server = server_, text = std::move(*text), from = message.from.address, to = message.to.address] {
      return send_now(*server, text, from, to);
    };
    auto sending = engine::on_pool(pool_, loop_, std::move(job));
    co_return co_await std::move(sending);
  }

 private:
  std::shared_ptr<const MailServer> server_;  // shared with jobs that outlive us on the pool
  Executor& loop_;
  Pool& pool_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<Mail> make_curl_mail(MailServer server, Executor& loop, Pool& pool, Clock& clock) {
  return std::make_unique<CurlMail>(std::move(server), loop, pool, clock);
}

}  // namespace callimport::activities
