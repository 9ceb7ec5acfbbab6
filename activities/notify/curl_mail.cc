#include "activities/notify/curl_mail.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>

namespace callimport::activities {
namespace {

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Unsent {
  std::string_view text;
};

std::size_t read_some(char* into, std::size_t size, std::size_t count, void* from) {
  auto& unsent = *static_cast<Unsent*>(from);
  const std::size_t bytes = std::min(size * count, unsent.text.size());
  std::memcpy(into, unsent.text.data(), bytes);
  unsent.text.remove_prefix(bytes);
  return bytes;
}

/// Blocks until the server has accepted the message.
Result<> send_now(const MailServer& server, const std::string& text, const std::string& from,
                  const std::vector<std::string>& to) {
  const std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  if (!easy) return fail(Code::kUnavailable, "libcurl has no memory");
  std::unique_ptr<curl_slist, FreeList> receivers;
  for (const std::string& address : to) {
    const std::string bracketed = "<" + address + ">";
    curl_slist* longer = curl_slist_append(receivers.get(), bracketed.c_str());
    if (longer == nullptr) return fail(Code::kUnavailable, "libcurl has no memory");
    (void)receivers.release();
    receivers.reset(longer);
  }
  const std::string sender = "<" + from + ">";
  Unsent unsent{text};
  curl_easy_setopt(easy.get(), CURLOPT_URL, server.url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy.get(), CURLOPT_USE_SSL,
                   static_cast<long>(server.user.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL));
  if (!server.user.empty()) {
    curl_easy_setopt(easy.get(), CURLOPT_USERNAME, server.user.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_PASSWORD, server.password.reveal().c_str());
  }
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_FROM, sender.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT, receivers.get());
  curl_easy_setopt(easy.get(), CURLOPT_READFUNCTION, &read_some);
  curl_easy_setopt(easy.get(), CURLOPT_READDATA, &unsent);
  curl_easy_setopt(easy.get(), CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS,
                   static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(server.timeout).count()));
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK)
    return fail(Code::kUnavailable, std::string("the mail server did not take it: ") + curl_easy_strerror(code));
  return {};
}

class CurlMail final : public Mail {
 public:
  CurlMail(MailServer server, Executor& loop, Pool& pool, Clock& clock)
      : server_(std::make_shared<MailServer>(std::move(server))), loop_(loop), pool_(pool), clock_(clock) {}

  engine::Awaitable<Result<>> send(MailMessage message) override {
    CO_TRY(std::string text, write_mail(message, clock_.now()));
    std::vector<std::string> to;
    for (const std::string& address : message.to) to.push_back(bare_address(address));
    auto job = [server = server_, text = std::move(text), from = bare_address(message.from), to = std::move(to)] {
      return send_now(*server, text, from, to);
    };
    co_return co_await engine::on_pool(pool_, loop_, std::move(job));
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
