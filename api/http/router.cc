#include "api/http/router.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "api/http/problem.h"

namespace callimport::api {
namespace {

constexpr std::size_t kRequestIdMax = 100;
constexpr std::string_view kBearer = "Bearer ";

bool is_request_id(std::string_view text) {
  const auto good = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && text.size() <= kRequestIdMax && std::all_of(text.begin(), text.end(), good);
}

void name_answer(WebReply& reply, const std::string& id) {
  reply.headers.emplace_back("x-request-id", id);
  reply.headers.emplace_back("x-content-type-options", "nosniff");
  const bool said = std::any_of(reply.headers.begin(), reply.headers.end(),
                                [](const auto& header) { return header.first == "cache-control"; });
  if (!said) reply.headers.emplace_back("cache-control", "no-store");
}

}  // namespace

void WebRouter::add(std::string method, std::string path, WebAccess access, WebHandler handler) {
  paths_[std::move(path)][std::move(method)] = Route{access, std::move(handler)};
}

const WebRouter::Methods* WebRouter::find(std::string_view path) const {
  if (const auto exact = paths_.find(path); exact != paths_.end()) return &exact->second;
  while (!path.empty()) {
    path.remove_suffix(1);
    path = path.substr(0, path.rfind('/') + 1);
    if (const auto below = paths_.find(path); below != paths_.end()) return &below->second;
  }
  return nullptr;
}

std::string WebRouter::request_id(const WebRequest& request) const {
  const auto given = request.header("x-request-id");
  return is_request_id(given) ? std::string(given) : "req_" + random_.id_text(16);
}

bool WebRouter::bears_key(const WebRequest& request) const {
  if (key_.empty()) return true;
  const auto given = request.header("authorization");
  return given.size() == kBearer.size() + key_.size() && given.starts_with(kBearer) &&
         CRYPTO_memcmp(given.data() + kBearer.size(), key_.data(), key_.size()) == 0;
}

void WebRouter::handle(WebRequest request, Respond respond) const {
  request.id = request_id(request);
  Respond named = [id = request.id, respond = std::move(respond)](WebReply reply) {
    name_answer(reply, id);
    respond(std::move(reply));
  };
  const std::string path(request.path());
  const Methods* methods = find(path);
  if (methods == nullptr) return named(problem("http.not_found", "no such page", path, request.id));
  auto route = methods->find(request.method);
  if (route == methods->end() && request.method == "HEAD") route = methods->find("GET");
  if (route == methods->end()) {
    auto reply = problem("http.method", "not by " + request.method.substr(0, 20), path, request.id);
    std::string allowed;
    for (const auto& [method, unused] : *methods) allowed += (allowed.empty() ? "" : ", ") + method;
    reply.headers.emplace_back("allow", allowed);
    return named(std::move(reply));
  }
  if (route->second.access == WebAccess::kKey && !bears_key(request)) {
    auto reply = problem("http.key_missing", "no key, or another one", path, request.id);
    reply.headers.emplace_back("www-authenticate", "Bearer");
    return named(std::move(reply));
  }
  route->second.handler(std::move(request), std::move(named));
}

}  // namespace callimport::api
