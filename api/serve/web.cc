#include "api/serve/web.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>
#include <utility>

#include "api/build_commit.h"
#include "api/grpc/door.h"
#include "api/http/pages.h"
#include "api/http/problem.h"
#include "api/serve/front.h"
#include "api/serve/unsubscribe.h"
#include "api/version.h"

namespace callimport::api {
namespace {

inline constexpr int kWaitingLookedAt = 1'000;  ///< imports, for what platforms are down

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

/// On the pool: what can be seen in the library of platforms that do not answer. Never a reason not to be ready.
std::vector<Dependency> platforms_down(storage::Library& library) {
  const auto waiting = library.imports_page({.conditions = {"waiting"}}, std::nullopt, kWaitingLookedAt);
  if (!waiting) return {};
  std::map<std::string, int> imports;
  for (const auto& row : *waiting) {
    if (row.first.reason == "platform.outage" || row.bulk.reason == "platform.outage") ++imports[row.platform];
  }
  std::vector<Dependency> all;
  for (const auto& [platform, count] : imports) {
    all.push_back({"platform:" + platform, false, false, fmt::format("does not answer; {} imports wait", count)});
  }
  return all;
}

Dependency library_answers(storage::Library& library) {
  const auto open = library.open_imports();
  if (!open) return {"library", false, true, open.error().message};
  return {"library", true, true, fmt::format("{} imports open", *open)};
}

void look_at(Front& front, House& house, const OnDependencies& done) {
  std::vector<Dependency> all;
  all.push_back({"loop", true, true, ""});
  if (front.parts->journal_figures) {
    all.push_back({"journal", true, true, fmt::format("{} commits", front.parts->journal_figures().first)});
  }
  const std::string notice = front.parts->notice;
  all.push_back({"disk", notice.empty(), false, notice});
  house.pool->post([&house, done, all = std::move(all)]() mutable {
    all.push_back(library_answers(*house.library));
    for (auto& one : platforms_down(*house.library)) all.push_back(std::move(one));
    house.loop.post([done, all = std::move(all)] { done(all); });
  });
}

using OnMetrics = std::function<void(std::string text)>;

/// What the library has new, and then the text. The loop counts, the pool reads; who asks meanwhile gets the same
/// answer, so that nothing is counted twice and many who ask cost no more than one.
void measure(Front& front, House& house, OnMetrics done) {
  front.web.scrapes.push_back(std::move(done));
  if (front.web.scrapes.size() > 1) return;
  auto budgets = house.permits->list();
  house.pool->post([&front, &house, place = front.web.measures->place(), budgets = std::move(budgets)]() mutable {
    auto look = look_for_measures(*house.library, *house.vault, place, to_unix_ms(house.loop.now()));
    if (look) look->budgets = std::move(budgets);
    house.loop.post([&front, look = std::move(look)] {
      if (look) {
        front.web.measures->take(*look);
      } else {
        spdlog::warn("metrics: {}", look.error().message);
      }
      const std::string text = front.web.measures->text();
      for (const auto& one : std::exchange(front.web.scrapes, {})) one(text);
    });
  });
}

Result<> may_be_reached(const std::string& address, const DoorOptions& door) {
  const bool guarded = !door.tls_cert.empty() && !door.api_key.empty();
  if (is_loopback(address) || guarded || door.insecure_public) return {};
  return fail(Code::kInvalid,
              fmt::format("HTTP on {} can be reached from other machines: that needs --tls-cert and --tls-key and "
                          "--api-key-file, or --insecure-public to say that it is meant",
                          address));
}

}  // namespace

Result<> open_web(Front& front, House& house, const HttpConfig& config, const DoorOptions& door) {
  if (!config.enabled) return {};
  const bool is_asked = config.port >= 0;
  const int port = is_asked ? config.port : kHttpPort;
  TRY_VOID(may_be_reached(fmt::format("{}:{}", bracketed(config.host), port), door));
  Web& web = front.web;
  web.router = std::make_unique<WebRouter>(house.random, door.api_key);
  PageParts pages;
  pages.version = kVersion;
  pages.commit = build_commit();
  pages.look = [&front, &house](const OnDependencies& done) { look_at(front, house, done); };
  web.measures = std::make_unique<Measures>(kVersion, build_commit());
  pages.metrics = [&front, &house](OnMetrics scrape) { measure(front, house, std::move(scrape)); };
  add_pages(*web.router, pages);
  TRY(auto key, unsubscribe_key(*house.disk, house.folder));
  add_unsubscribe(*web.router, {front.router, house.loop, std::move(key)});
  WebServerOptions options;
  options.host = config.host;
  options.port = static_cast<std::uint16_t>(port);
  options.tls_cert = door.tls_cert;
  options.tls_key = door.tls_key;
  options.refused = &refused_reply;
  const auto* router = web.router.get();
  auto server = WebServer::listen(
      house.loop.io(),
      [router](WebRequest request, Respond respond) { router->handle(std::move(request), std::move(respond)); },
      std::move(options));
  if (!server && server.error().code == Code::kConflict && !is_asked) {
    spdlog::warn("no HTTP (health, metrics): {}; --http-port gives it another port", server.error().message);
    return {};
  }
  if (!server) return tl::unexpected(std::move(server).error());
  web.server = std::move(*server);
  web.address = fmt::format("{}:{}", bracketed(config.host), web.server->port());
  measure(front, house, [](const std::string&) {});  // from here on it is counted
  return {};
}

std::string web_base(const HttpConfig& config, const Web& web) {
  if (!config.url.empty()) return config.url.ends_with('/') ? config.url.substr(0, config.url.size() - 1) : config.url;
  return web.address.empty() ? std::string() : "http://" + web.address;
}

}  // namespace callimport::api
