#include "api/http/pages.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http/problem.h"

namespace callimport::api {
namespace {

constexpr std::string_view kErrors = "/errors/";
constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

bool is_ready(const std::vector<Dependency>& all) {
  return std::all_of(all.begin(), all.end(), [](const Dependency& one) { return one.good || !one.needed; });
}

/// As Kubernetes' own pages read: one line each, the verdict last.
std::string verbose_text(const std::vector<Dependency>& all) {
  std::string text;
  for (const auto& one : all) {
    const char* mark = one.good ? "[+]" : one.needed ? "[-]" : "[!]";
    text += mark + one.name + (one.good ? " ok" : one.needed ? " failed" : " degraded");
    text += (one.words.empty() ? "" : ": " + one.words) + "\n";
  }
  return text + (is_ready(all) ? "readyz check passed\n" : "readyz check failed\n");
}

bool asks_for(const WebRequest& request, std::string_view word) {
  const auto mark = request.target.find('?');
  if (mark == std::string::npos) return false;
  const auto query = "&" + request.target.substr(mark + 1) + "&";
  const auto at = query.find("&" + std::string(word));
  return at != std::string::npos && (query[at + 1 + word.size()] == '&' || query[at + 1 + word.size()] == '=');
}

WebReply error_page(const WebRequest& request) {
  const auto code = request.path().substr(kErrors.size());
  for (const auto& kind : problem_kinds()) {
    if (kind.code != code) continue;
    return text_reply(200, std::string(kind.code) + " (" + std::to_string(kind.status) + ")\n" +
                               std::string(kind.title) + ".\nWhat to do: " + std::string(kind.next) + ".\n");
  }
  return problem("http.not_found", "no such error", request.path(), request.id);
}

}  // namespace

void add_pages(WebRouter& router, const PageParts& parts) {
  // The loop answers: it lives.
  router.add("GET", "/livez", WebAccess::kAnybody,
             [](const WebRequest&, const Respond& respond) { respond(text_reply(200, "ok\n")); });
  router.add("GET", "/readyz", WebAccess::kAnybody, [look = parts.look](const WebRequest& request, Respond respond) {
    const bool verbose = asks_for(request, "verbose");
    look([verbose, respond = std::move(respond)](const std::vector<Dependency>& all) {
      const bool ready = is_ready(all);
      auto reply = text_reply(ready ? 200 : 503, verbose ? verbose_text(all) : ready ? "ok\n" : "not ready\n");
      if (!ready) reply.headers.emplace_back("retry-after", "5");
      respond(std::move(reply));
    });
  });
  const nlohmann::ordered_json version = {{"version", parts.version}, {"commit", parts.commit}};
  router.add("GET", "/version", WebAccess::kKey,
             [text = version.dump() + "\n"](const WebRequest&, const Respond& respond) {
               respond(text_reply(200, text, "application/json"));
             });
  router.add("GET", std::string(kErrors), WebAccess::kAnybody,
             [](const WebRequest& request, const Respond& respond) { respond(error_page(request)); });
  if (!parts.metrics) return;
  router.add("GET", "/metrics", WebAccess::kKey, [metrics = parts.metrics](const WebRequest&, Respond respond) {
    metrics(
        [respond = std::move(respond)](std::string text) { respond(text_reply(200, std::move(text), kMetricsType)); });
  });
}

}  // namespace callimport::api
