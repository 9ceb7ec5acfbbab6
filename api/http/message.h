#pragma once
// A request and a reply as handlers see them: whole, in memory, without a socket.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace callimport::api {

using WebHeaders = std::vector<std::pair<std::string, std::string>>;

struct WebRequest {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, as on the request line
  WebHeaders headers;        ///< names lower-case, in the order they came
  std::string body;
  std::string id;  ///< the router gives it: what answer, log and audit name the request by

  std::string_view path() const;
  /// The first value of that name in the query, decoded; empty: none.
  std::string query(std::string_view name) const;
  /// The value of the first header of that lower-case name; empty: none.
  std::string_view header(std::string_view name) const;
};

struct WebReply {
  int status = 200;
  WebHeaders headers{};  ///< names lower-case; without content-length
  std::string body{};
  // What only a server does that plays one that fails (a sandbox):
  bool dropped = false;                    ///< no answer: the line is reset
  std::optional<std::size_t> cut_after{};  ///< the line ends after so many bytes of the body
};

/// Answers a request, once, on the loop, at once or later; what comes later than the client's patience goes nowhere.
using Respond = std::function<void(WebReply reply)>;
/// Called on the loop.
using WebHandler = std::function<void(WebRequest request, Respond respond)>;

/// %41 and + as they are in queries and forms; a % that begins nothing stays.
std::string url_decoded(std::string_view text);
/// The first value of that name among name=value&..., decoded; empty: none. Also for bodies of forms.
std::string form_value(std::string_view form, std::string_view name);
WebReply text_reply(int status, std::string text, std::string_view type = "text/plain; charset=utf-8");

}  // namespace callimport::api
