#include "activities/http/transfer.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <span>

#include "activities/http/curl_http.h"

namespace callimport::activities {
namespace {
bool is_this_machine(std::string_view url) {
  for (const std::string_view host : {"http://127.0.0.1", "http://localhost", "http://[::1]", "https://127.0.0.1",
                                      "https://localhost", "https://[::1]"}) {
    if (url.starts_with(host) && (url.size() == host.size() || url[host.size()] == ':' || url[host.size()] == '/'))
      return true;
  }
  return false;
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

bool is_http(std::string_view url) { return url.starts_with("http://") || url.starts_with("https://"); }

/// libcurl's own texts name no URL.
Error describe(CURLcode code, bool answered) {
  if (code == CURLE_URL_MALFORMAT) return {Code::kInvalid, "not an http or https URL"};
  if (code == CURLE_PEER_FAILED_VERIFICATION)
    return {Code::kUnavailable, "no answer: the server's certificate is not trusted"};
  if (code == CURLE_UNSUPPORTED_PROTOCOL) return {Code::kUnavailable, "no answer: what came is not HTTP"};
  if (answered) return {Code::kUnavailable, fmt::format("cut off in the body: {}", curl_easy_strerror(code))};
  return {Code::kUnavailable, fmt::format("no answer: {}", curl_easy_strerror(code))};
}
}  // namespace

Transfer::Transfer(HttpRequest request, Clock& clock, Done done)
    : request_(std::move(request)), clock_(clock), done_(std::move(done)), last_byte_(clock.now()) {}

Result<> Transfer::prepare(CURL* easy, const std::string& user_agent) {
  easy_ = easy;
  if (!is_http(request_.url)) return fail(Code::kInvalid, "not an http or https URL");
  if (request_.method.empty() ||
      !std::all_of(request_.method.begin(), request_.method.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return fail(Code::kInvalid, "the method is not a word in capitals");
  }
  const auto add_header = [this](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return;
    (void)headers_.release();
    headers_.reset(longer);
  };
  for (const auto& [name, value] : request_.headers) {
    if (has_line_break(name) || has_line_break(value)) return fail(Code::kInvalid, "a header holds a line break");
    add_header(value.empty() ? name + ";" : name + ": " + value);
  }
  add_header("Expect:");  // no extra round trip before a body
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::read_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  const auto ms = [](Nanos t) {
    return static_cast<long>(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::milliseconds>(t).count()));
  };
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms(std::min(kConnectTimeout, request_.timeout)));
  // A streamed body may last hours as long as bytes come; and it is taken as it is, so that ranges count the server's
  // bytes.
  if (!streams()) {
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms(request_.timeout));
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  }
  if (is_this_machine(request_.url)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (request_.method == "HEAD")
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  else if (request_.method != "GET")
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  if (request_.body_source) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body_source->size));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Transfer::read_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &Transfer::seek_body);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
  } else if (request_.method == "POST" || request_.method == "PUT" || !request_.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
  }
  return {};
}

void Transfer::keep_from(const AddressGuard& guard) {
  guard_ = &guard;
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
}

curl_socket_t Transfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  const auto to = address_of(address->addr);
  const auto refused = to ? transfer.guard_->refuses(*to) : "no internet address";
  if (!refused.empty()) {
    transfer.refused_ = refused;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Result<HttpReply> Transfer::outcome(CURLcode code) {
  if (cut_) return std::move(reply_);
  if (code != CURLE_OK && reply_.status == 0 && !refused_.empty())
    return fail(Code::kUnavailable, fmt::format("not asked: the address is internal ({})", refused_));
  if (stopped_) return tl::unexpected(*stopped_);
  if (code != CURLE_OK) return tl::unexpected(describe(code, reply_.status != 0));
  return std::move(reply_);
}

std::size_t Transfer::write(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->take_body({data, size * count});
}

std::size_t Transfer::take_body(std::string_view piece) {
  last_byte_ = clock_.now();
  if (streams() && (reply_.status == 200 || reply_.status == 206)) {
    if (!head_shown_ && request_.on_head) {
      head_shown_ = true;
      if (auto taken = request_.on_head(reply_); !taken) {
        stopped_ = taken.error();
        return CURL_WRITEFUNC_ERROR;
      }
    }
    if (auto taken = request_.on_body(piece); !taken) {
      stopped_ = taken.error();
      return CURL_WRITEFUNC_ERROR;
    }
    return piece.size();
  }
  if (reply_.body.size() + piece.size() > request_.body_bytes_max) {
    if (request_.beyond_max == HttpRequest::Beyond::kIsCut) {
      reply_.body += piece.substr(0, request_.body_bytes_max - reply_.body.size());
      cut_ = true;
      return CURL_WRITEFUNC_ERROR;
    }
    stopped_ = Error{Code::kInvalid, fmt::format("the reply is larger than {} bytes", request_.body_bytes_max)};
    return CURL_WRITEFUNC_ERROR;
  }
  reply_.body += piece;
  return piece.size();
}

std::size_t Transfer::read_body(char* into, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const BodySource& source = *transfer.request_.body_source;
  const std::uint64_t left = source.size - std::min(source.size, transfer.sent_);
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, size * count));
  if (wanted == 0) return 0;
  transfer.last_byte_ = transfer.clock_.now();
  const auto got = source.read(transfer.sent_, std::as_writable_bytes(std::span(into, wanted)));
  if (!got || *got == 0 || *got > wanted) {
    transfer.stopped_ = got ? Error{Code::kUnavailable, "what was to be sent became shorter"} : got.error();
    return CURL_READFUNC_ABORT;
  }
  transfer.sent_ += *got;
  return *got;
}

int Transfer::seek_body(void* self, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  static_cast<Transfer*>(self)->sent_ = static_cast<std::uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

std::size_t Transfer::read_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.last_byte_ = transfer.clock_.now();
  transfer.header_bytes_ += size * count;
  if (transfer.header_bytes_ > kHeaderBytesMax) {
    transfer.stopped_ = Error{Code::kInvalid, "the reply's headers are too large"};
    return CURL_WRITEFUNC_ERROR;
  }
  transfer.take_header({data, size * count});
  return size * count;
}

void Transfer::take_header(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // a new head: what an interim answer (100) said does not count
    reply_.headers.clear();
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    reply_.status = static_cast<int>(status);
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  line.remove_prefix(colon + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  reply_.headers.emplace_back(std::move(name), std::string(line));
}

}  // namespace callimport::activities
