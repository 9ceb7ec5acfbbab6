#include "activities/webhooks/url.h"

#include <curl/curl.h>

#include <memory>

namespace callimport::activities {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

/// A URL as libcurl will read it: numbers for an address in all their forms come out the same.
class ParsedUrl {
 public:
  explicit ParsedUrl(const std::string& text) : url_(curl_url()) {
    good_ = curl_url_set(url_.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  }
  bool good() const { return good_; }
  std::string part(CURLUPart which) const {
    char* text = nullptr;
    if (!good_ || curl_url_get(url_.get(), which, &text, 0) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }

 private:
  std::unique_ptr<CURLU, FreeUrl> url_;
  bool good_ = false;
};

bool is_this_machine(const std::string& host) { return host == "localhost" || host.ends_with(".localhost"); }

tl::unexpected<Error> refuse(const std::string& why) { return fail(Code::kInvalid, "webhook.url: " + why); }

}  // namespace

Result<> check_webhook_url(const std::string& url, const AddressGuard& guard) {
  if (url.size() > kWebhookUrlBytesMax) return refuse("the URL is longer than 2,000 bytes");
  const ParsedUrl parsed(url);
  const std::string scheme = parsed.part(CURLUPART_SCHEME), host = parsed.part(CURLUPART_HOST);
  if (!parsed.good() || host.empty() || (scheme != "https" && scheme != "http"))
    return refuse("it is not an https URL");
  if (!parsed.part(CURLUPART_USER).empty() || !parsed.part(CURLUPART_PASSWORD).empty())
    return refuse("it holds a user or a password; messages are signed instead");
  if (!parsed.part(CURLUPART_FRAGMENT).empty()) return refuse("it ends with #..., which is never sent");
  const auto address = is_this_machine(host) ? parse_address("127.0.0.1") : parse_address(host);
  if (address) {
    const auto refused = guard.refuses(*address);
    if (!refused.empty())
      return refuse("the address is internal (" + std::string(refused) +
                    "); [webhooks] allow_networks of the configuration would have to name it");
  }
  const bool meant = address && !not_public(*address).empty();
  if (scheme == "http" && !meant) return refuse("it is http; what is sent there must be https");
  return {};
}

std::string shown_url(const std::string& url) {
  const ParsedUrl parsed(url);
  std::string shown = parsed.part(CURLUPART_SCHEME) + "://" + parsed.part(CURLUPART_HOST);
  const auto port = parsed.part(CURLUPART_PORT);
  return port.empty() ? shown : shown + ":" + port;
}

}  // namespace callimport::activities
