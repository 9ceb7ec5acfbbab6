#pragma once
// A Grain sandbox with a small workspace, asked by hand: token, version and host are sent unless a test says otherwise.
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "simulations/sandboxes/grain.h"
#include "simulations/world/sim_loop.h"

namespace callimport::simulations {
using nlohmann::json;

inline constexpr Timestamp kStart = kSimulationStart;

struct Bench {
  Bench() : Bench(small(50)) {}
  explicit Bench(GrainOptions options) {
    auto made = GrainSandbox::make(std::move(options));
    EXPECT_TRUE(made) << made.error().message;
    sandbox = std::move(*made);
    sandbox->start_at(kStart);
  }
  static GrainOptions small() { return small(50); }
  static GrainOptions small(std::uint64_t calls) {
    GrainOptions options;
    options.generated.calls = calls;
    options.generated.media_bytes = 4'000;
    options.requests_per_minute = 0;
    return options;
  }
  SandboxReply ask(const std::string& method, const std::string& target, const std::string& body = "",
                   SandboxHeaders more = {}) {
    SandboxRequest request{method, target, {{"host", "sandbox.test:9301"}}, body};
    if (send_token) request.headers.emplace_back("authorization", "Bearer " + token);
    if (send_version) request.headers.emplace_back("public-api-version", "2025-10-31");
    for (auto& header : more) request.headers.push_back(std::move(header));
    return sandbox->handle(request, now);
  }
  SandboxReply list(const json& body = json::object()) {
    return ask("POST", "/_/public-api/v2/recordings", body.dump());
  }
  SandboxReply call(std::uint64_t index, const std::string& method, const std::string& rest,
                    const std::string& body = "", SandboxHeaders more = {}) {
    return ask(method, "/_/public-api/v2/recordings/" + sandbox->calls().head(index).id + rest, body, std::move(more));
  }
  /// Path and query of the media link of a call.
  std::string link(std::uint64_t index) {
    const SandboxReply reply = call(index, "GET", "/download");
    const std::string_view location = find_header(reply.headers, "location");
    return location.empty() ? "" : std::string(location.substr(std::string_view("http://sandbox.test:9301").size()));
  }
  SandboxReply fetch(const std::string& target, SandboxHeaders headers = {}) {
    return sandbox->handle({"GET", target, std::move(headers), ""}, now);
  }
  std::uint64_t find(CallFate fate) const {
    for (std::uint64_t i = 0; i < sandbox->calls().size(); ++i) {
      if (sandbox->calls().head(i).fate == fate) return i;
    }
    ADD_FAILURE() << "no such call in this workspace";
    return 0;
  }
  std::unique_ptr<GrainSandbox> sandbox;
  Timestamp now = kStart;
  std::string token{kGrainSandboxToken};
  bool send_token = true, send_version = true;
};

}  // namespace callimport::simulations
