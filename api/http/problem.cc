#include "api/http/problem.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "storage/model/ensure.h"

namespace callimport::api {
namespace {

constexpr ProblemKind kKinds[] = {
    {"http.bad_request", 400, "The request cannot be understood", "correct the request"},
    {"http.key_missing", 401, "This needs the server's key", "send it as Authorization: Bearer KEY"},
    {"http.refused", 403, "The request is not accepted", "look at the server's log: it says why"},
    {"http.not_found", 404, "There is nothing here", "GET /readyz?verbose shows that you are at the right server"},
    {"http.method", 405, "This cannot be done here in this way", "use a method that the header Allow names"},
    {"http.too_large", 413, "The request is too large", "send less"},
    {"http.headers_too_large", 431, "The headers of the request are too large", "send fewer or shorter headers"},
    {"http.failed", 500, "The server could not do this", "try again; if it stays, ask whoever runs the server"},
    {"http.not_ready", 503, "The server cannot do this now", "try again in a while"},
};

const ProblemKind& kind_of(std::string_view code) {
  const auto* found = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& k) { return k.code == code; });
  ENSURE(found != std::end(kKinds));
  return *found;
}

}  // namespace

std::span<const ProblemKind> problem_kinds() { return kKinds; }

WebReply problem(std::string_view code, std::string_view detail, std::string_view instance,
                 std::string_view request_id) {
  const ProblemKind& kind = kind_of(code);
  nlohmann::ordered_json body = {{"type", "/errors/" + std::string(kind.code)},
                                 {"title", kind.title},
                                 {"status", kind.status},
                                 {"detail", detail},
                                 {"instance", instance},
                                 {"code", kind.code},
                                 {"request_id", request_id},
                                 {"next_action", kind.next}};
  return text_reply(kind.status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
                    "application/problem+json");
}

WebReply refused_reply(int status) {
  const auto* found =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& kind) { return kind.status == status; });
  const ProblemKind& kind = found == std::end(kKinds) ? kKinds[0] : *found;
  return problem(kind.code, kind.title, "", "");
}

}  // namespace callimport::api
