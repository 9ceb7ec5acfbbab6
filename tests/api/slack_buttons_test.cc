// Buttons under Slack's messages, through the real binary: who is who, what is forged, what becomes of a press
// (ux 2.9).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "simulations/sandboxes/grain.h"
#include "simulations/sandboxes/server.h"
#include "simulations/sandboxes/slack.h"
#include "tests/api/raw_http.h"
#include "tests/spine/process.h"

namespace callimport::tests {
namespace {

using simulations::SlackPress;
using testing::HasSubstr;
using testing::Not;

Timestamp now() { return std::chrono::time_point_cast<Nanos>(std::chrono::system_clock::now()); }

/// The payload of a press, as Slack writes it.
std::string payload(const std::string& user, const std::string& action, const std::string& import) {
  return nlohmann::json({{"type", "block_actions"},
                         {"user", {{"id", user}}},
                         {"channel", {{"id", "C000000001"}}},
                         {"actions", {{{"action_id", action}, {"value", import}}}}})
      .dump();
}

std::string form(const std::string& json) {
  std::string out = "payload=";
  for (const char c : json) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

class SlackButtons : public testing::Test {
 protected:
  void SetUp() override {
    simulations::GrainOptions options;
    options.generated.calls = 200;
    options.requests_per_minute = 0;
    options.slow = std::chrono::milliseconds{50};  // so that it is under way when somebody presses
    grain_ = std::move(*simulations::GrainSandbox::make(options));
    listening_ = std::move(*simulations::SandboxServer::listen(*grain_, {"127.0.0.1", 0, ""}));
    listening_->start();
    write_file(scratch_ / "secret", std::string(simulations::kSlackSandboxSecret) + "\n");
    write_file(scratch_ / "token", std::string(simulations::kGrainSandboxToken) + "\n");
    const passwd* self = ::getpwuid(::geteuid());
    write_file(
        scratch_ / "callimport.toml",
        fmt::format("[slack]\nsigning_secret_file = \"{}\"\n[http]\nport = 0\n[roles]\n\"os:{}\" = \"admin\"\n"
                    "\"slack:U0ANA\" = \"operator\"\n\"slack:U0VIEW\" = \"viewer\"\n\"slack:U0BEN\" = \"viewer\"\n"
                    "[people.ben]\nslack = \"U0BEN\"\n",
                    scratch_ / "secret", self == nullptr ? "root" : self->pw_name));
    serve_.emplace(callimport_binary(),
                   Command{.args = {"serve", "--data", scratch_ / "data", "--port", "0", "--config-file",
                                    scratch_ / "callimport.toml"},
                           .ready = true},
                   scratch_);
    const auto line = serve_->wait_ready();
    ASSERT_FALSE(line.empty()) << serve_->err();
    const std::string address = nlohmann::json::parse(line)["http"];
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }

  Ran verb(std::vector<std::string> args) {
    args.insert(args.end(), {"--data", scratch_ / "data"});
    return run(callimport_binary(), {.args = std::move(args)}, scratch_);
  }
  std::string start() {
    const auto added =
        verb({"credentials", "add", "--platform", "grain", "--workspace", "acme", "--token-file", scratch_ / "token"});
    EXPECT_EQ(0, added.code) << added.err;
    const auto started = verb({"start", "--platform", "grain", "--customer", "acme", "--credential",
                               added.out.substr(0, added.out.find('\n')), "--base-url",
                               fmt::format("http://127.0.0.1:{}", listening_->port()), "--yes", "--no-estimate",
                               "--owns-data", "--window", "always"});
    EXPECT_EQ(0, started.code) << started.err;
    return started.out.substr(0, started.out.find('\n'));
  }
  std::string post(const SlackPress& press) const {
    std::string head;
    for (const auto& [name, value] : press.headers) head += name + ": " + value + "\r\n";
    return http_exchange(port_, fmt::format("POST /slack/actions HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{}"
                                            "Content-Length: {}\r\n\r\n{}",
                                            head, press.body.size(), press.body));
  }
  int press(const std::string& user, const std::string& action, const std::string& import) const {
    return http_status(post(slack_.sign(form(payload(user, action, import)), now())));
  }

  Scratch scratch_;
  simulations::SlackSandbox slack_{simulations::SlackOptions{}};
  std::unique_ptr<simulations::GrainSandbox> grain_;
  std::unique_ptr<simulations::SandboxServer> listening_;
  std::optional<Process> serve_;
  std::uint16_t port_ = 0;
};

TEST_F(SlackButtons, WhoIsKnownActsAndIsInTheAuditLog) {
  const auto import = start();
  EXPECT_EQ(200, press("U0ANA", "import.pause", import)) << serve_->err();
  const auto audit = verb({"audit", import, "--output", "json"});
  EXPECT_THAT(audit.out, HasSubstr("slack:U0ANA"));
  EXPECT_THAT(audit.out, HasSubstr("via Slack"));
  EXPECT_THAT(audit.out, HasSubstr("by a button in Slack"));
  EXPECT_EQ(200, press("U0ANA", "import.resume", import));
  EXPECT_THAT(verb({"audit", import, "--output", "json"}).out, HasSubstr("resume"));
}

TEST_F(SlackButtons, WhatIsForgedReplayedOrOfNobodyIsRefusedAndSaid) {
  const auto import = start();
  auto forged = slack_.sign(form(payload("U0ANA", "import.pause", import)), now());
  forged.body = form(payload("U0ANA", "import.resume", import));
  EXPECT_EQ(403, http_status(post(forged)));
  EXPECT_THAT(serve_->err(), HasSubstr("its signature is not Slack's"));
  const auto old = slack_.sign(form(payload("U0ANA", "import.pause", import)), now() - std::chrono::minutes{6});
  EXPECT_EQ(403, http_status(post(old)));
  EXPECT_THAT(serve_->err(), HasSubstr("more than five minutes"));
  EXPECT_EQ(403, http_status(post({form(payload("U0ANA", "import.pause", import)), {}})));
  EXPECT_THAT(serve_->err(), HasSubstr("no signature"));
  EXPECT_EQ(403, press("U0EVE", "import.pause", import));
  EXPECT_THAT(serve_->err(), HasSubstr("U0EVE is nobody here"));
  EXPECT_EQ(403, press("U0VIEW", "import.pause", import));
  EXPECT_THAT(serve_->err(), HasSubstr("needs the role operator"));
  EXPECT_EQ(403, press("U0ANA", "import.approve", import));
  EXPECT_THAT(serve_->err(), HasSubstr("needs the role approver"));
  EXPECT_EQ(400, press("U0ANA", "import.undo", import));
  EXPECT_EQ(400, press("U0ANA", "import.pause", "../../etc"));
  EXPECT_THAT(verb({"audit", import, "--output", "json"}).out, Not(HasSubstr("Slack"))) << "nothing was done";
  const auto good = slack_.sign(form(payload("U0ANA", "import.pause", import)), now());
  EXPECT_EQ(200, http_status(post(good)));
  EXPECT_EQ(403, http_status(post(good)));
  EXPECT_THAT(serve_->err(), HasSubstr("a replay"));
}

/// 5.5: whoever may look may have less of it, and support sees and undoes it as it does a link's.
TEST_F(SlackButtons, MuteIsOfThePersonWhoPresses) {
  const auto import = start();
  EXPECT_EQ(200, press("U0BEN", "import.mute", import)) << serve_->err();
  const auto mutes = nlohmann::json::parse(verb({"notifications", "mutes", "--output", "json"}).out, nullptr, false);
  ASSERT_EQ(1u, mutes.size()) << mutes.dump(1);
  EXPECT_EQ("ben", mutes[0]["person"]);
  EXPECT_EQ(mutes[0]["target"], import);
  EXPECT_EQ("slack:ben", mutes[0]["who"]);
  EXPECT_EQ("via Slack, as U0BEN", mutes[0]["origin"]);
  EXPECT_THAT(verb({"audit", import, "--output", "json"}).out, HasSubstr("mute messages"));
  EXPECT_EQ(403, press("U0BEN", "import.pause", import)) << "no more than that";
  EXPECT_EQ(403, press("U0ANA", "import.mute", import));
  EXPECT_THAT(serve_->err(), HasSubstr("nobody in [people] has slack = \"U0ANA\""));
  EXPECT_EQ(0, verb({"notifications", "unmute", "ben"}).code);
  EXPECT_THAT(verb({"notifications", "mutes", "--output", "json"}).out, Not(HasSubstr("ben")));
}

}  // namespace
}  // namespace callimport::tests
