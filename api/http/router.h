#pragma once
// The one small router of HTTP: a path to what answers it. Everything that goes wrong before a handler is answered
// here, as a problem; every answer names its request.
#include <functional>
#include <map>
#include <string>

#include "api/http/message.h"
#include "storage/runtime/random.h"

namespace callimport::api {

/// Whom a path answers, where the server has a key (it must, on an address that others reach).
enum class WebAccess : std::uint8_t {
  kAnybody,  ///< probes; links and signed requests, which prove themselves
  kKey,      ///< who bears the key
};

/// Threads: the loop. Lifetime: `random` outlives it.
class WebRouter {
 public:
  /// `key`: what kKey paths want as a bearer token; empty: nothing.
  WebRouter(Random& random, std::string key) : random_(random), key_(std::move(key)) {}

  /// A path that ends in / answers everything below it, the longest such path first. GET answers HEAD, too.
  void add(std::string method, std::string path, WebAccess access, WebHandler handler);
  void handle(WebRequest request, Respond respond) const;

 private:
  struct Route {
    WebAccess access;
    WebHandler handler;
  };
  using Methods = std::map<std::string, Route, std::less<>>;
  const Methods* find(std::string_view path) const;
  std::string request_id(const WebRequest& request) const;
  bool bears_key(const WebRequest& request) const;

  Random& random_;
  std::string key_;
  std::map<std::string, Methods, std::less<>> paths_;
};

}  // namespace callimport::api
