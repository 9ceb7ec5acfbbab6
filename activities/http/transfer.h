#pragma once
// One request under way in libcurl: its easy handle, what came so far, and why it was stopped, if we stopped it.
#include <curl/curl.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "activities/http/addresses.h"
#include "activities/http/http.h"
#include "storage/runtime/clock.h"

namespace callimport::activities {

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// Threads: the loop. Not movable: libcurl holds its address.
class Transfer {
 public:
  using Done = std::function<void(Result<HttpReply>)>;
  /// `done` is called once, by whoever takes the transfer out of the multi handle.
  Transfer(HttpRequest request, Clock& clock, Done done);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// @error kInvalid  a URL that is not http or https, a header with a line break, a method that is not a word.
  Result<> prepare(CURL* easy, const std::string& user_agent);
  /// After `prepare`. Lifetime: `guard` outlives the transfer.
  void keep_from(const AddressGuard& guard);
  CURL* easy() const { return easy_; }
  /// What the finished exchange amounts to.
  Result<HttpReply> outcome(CURLcode code);
  void finish(Result<HttpReply> result) { done_(std::move(result)); }

  bool streams() const { return static_cast<bool>(request_.on_body); }
  Nanos timeout() const { return request_.timeout; }
  Timestamp last_byte() const { return last_byte_; }
  /// Ends the transfer with this error instead of what libcurl will say.
  void stop_with(Error error) { stopped_ = std::move(error); }
  Clock::TimerId stall_timer = 0;

 private:
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static std::size_t write(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t read_body(char* into, std::size_t size, std::size_t count, void* self);
  static int seek_body(void* self, curl_off_t offset, int origin);
  static std::size_t read_header(char* data, std::size_t size, std::size_t count, void* self);
  std::size_t take_body(std::string_view piece);
  void take_header(std::string_view line);

  HttpRequest request_;
  Clock& clock_;
  Done done_;
  CURL* easy_ = nullptr;  // owned by CurlHttp's pool
  std::unique_ptr<curl_slist, FreeList> headers_;
  HttpReply reply_;
  std::size_t header_bytes_ = 0;
  std::uint64_t sent_ = 0;  ///< of a body source
  bool head_shown_ = false;
  bool cut_ = false;  ///< the body was longer than anybody wants to know
  const AddressGuard* guard_ = nullptr;
  std::string_view refused_;  ///< what the address was that the guard refused last
  Timestamp last_byte_;
  std::optional<Error> stopped_;
};

}  // namespace callimport::activities
