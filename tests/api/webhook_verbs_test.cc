// Webhooks from the terminal over a real server (ux 2.8): a receiver behind a socket is told of a whole import, across
// a SIGKILL, and a stock library verifies every signature that it was sent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using simulations::SandboxReply;
using simulations::SandboxRequest;
using testing::HasSubstr;
using testing::Not;

/// Somebody's program: keeps what came, answers as it is told.
class Receiver final : public simulations::Sandbox {
 public:
  SandboxReply handle(const SandboxRequest& request, Timestamp) override {
    const std::lock_guard lock(mutex_);
    came_.push_back(request);
    news_.notify_all();
    SandboxReply reply;
    reply.status = status_;
    return reply;
  }
  void answer(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  std::vector<SandboxRequest> came() {
    const std::lock_guard lock(mutex_);
    return came_;
  }
  /// Until what came is `enough`; false after a minute.
  bool wait_until(const std::function<bool(const std::vector<SandboxRequest>&)>& enough) {
    std::unique_lock lock(mutex_);
    return news_.wait_for(lock, std::chrono::minutes{1}, [&] { return enough(came_); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::vector<SandboxRequest> came_;
  int status_ = 200;
};

std::string header(const SandboxRequest& request, std::string_view name) {
  return std::string(simulations::find_header(request.headers, name));
}

std::size_t of_type(const std::vector<SandboxRequest>& came, const std::string& type) {
  std::size_t count = 0;
  for (const auto& one : came) count += json::parse(one.body)["type"] == type ? 1 : 0;
  return count;
}

std::set<std::string> calls_in(const std::vector<SandboxRequest>& came) {
  std::set<std::string> calls;
  for (const auto& one : came) {
    const auto event = json::parse(one.body);
    if (event["type"] != "call.registered") continue;
    for (const auto& call : event["data"]["calls"]) calls.insert(call["data_source"]["source_id"]);
  }
  return calls;
}

class WebhookVerbs : public testing::Test {
 protected:
  void SetUp() override {
    auto server = simulations::SandboxServer::listen(receiver_, {});
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    server_->start();
    std::filesystem::create_directories(house_.data());
    write_file(house_.data() + "/callimport.toml", "[webhooks]\nallow_networks = [\"127.0.0.0/8\"]\n");
    ASSERT_TRUE(house_.serve());
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + "/hook?key=PLANTEDinTHEurl";
  }
  json add(const std::vector<std::string>& more = {}) {
    std::vector<std::string> args = {"webhooks", "add", url(), "-o", "json"};
    args.insert(args.end(), more.begin(), more.end());
    const auto ran = house_.verb(args);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out, nullptr, false);
  }
  json read(std::vector<std::string> args) {
    args.insert(args.end(), {"-o", "json"});
    const auto ran = house_.verb(args);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out, nullptr, false);
  }

  Receiver receiver_;
  std::unique_ptr<simulations::SandboxServer> server_;
  House house_{30, 5};
};

/// A line of what verify_webhooks.py reads.
std::string line_of(const std::string& secret, const SandboxRequest& request) {
  json headers;
  for (const auto* name : {"webhook-id", "webhook-timestamp", "webhook-signature"})
    headers[name] = header(request, name);
  return json{{"secret", secret}, {"headers", headers}, {"body", request.body}}.dump() + "\n";
}

/// Python with the library; empty: `./dev tools` has not been run.
std::string checker() {
  const char* folder = std::getenv("CALLIMPORT_TOOLS");
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string base = folder != nullptr  ? folder
                           : cache != nullptr ? std::string(cache) + "/callimport-tools"
                                              : std::string(home == nullptr ? "" : home) + "/.cache/callimport-tools";
  const auto path = base + "/bin/checkers/bin/python";
  return std::filesystem::exists(path) ? path : std::string();
}

TEST_F(WebhookVerbs, AWholeImportIsToldAcrossAKillAndAStockLibraryVerifiesIt) {
  const auto added = add();
  const std::string id = added["id"], secret = added["secret"];
  EXPECT_THAT(secret, testing::StartsWith("whsec_"));
  ASSERT_EQ(house_.start().code, 0);
  receiver_.answer(503);  // what comes now is not taken, so all of it waits
  ASSERT_TRUE(house_.follow());
  ASSERT_TRUE(receiver_.wait_until([](const auto& came) { return !came.empty(); }));
  house_.server().kill_hard();
  receiver_.answer(200);
  ASSERT_TRUE(house_.serve());
  const auto registered = house_.registered();
  ASSERT_FALSE(registered.empty());
  EXPECT_EQ(house_.verb({"webhooks", "disable", id}).code, 0);
  EXPECT_EQ(house_.verb({"webhooks", "enable", id, "--why", "mended"}).code, 0) << "all that waits begins anew";
  ASSERT_TRUE(receiver_.wait_until([&](const auto& came) {
    return calls_in(came) == registered && of_type(came, "import.completed") > 0;
  })) << "told of "
      << calls_in(receiver_.came()).size() << " of " << registered.size();

  const auto log = read({"webhooks", "log", id, "--limit", "500"});
  std::set<std::string> logged;
  for (const auto& message : log) logged.insert(message["id"].get<std::string>());
  EXPECT_EQ(log.size(), logged.size()) << "every message is in the log once";
  ASSERT_TRUE(receiver_.wait_until([&](const auto& all) {
    std::set<std::string> ids;
    for (const auto& one : all) ids.insert(header(one, "webhook-id"));
    return ids == logged;
  }));
  const auto came = receiver_.came();
  std::map<std::string, std::string> bodies;
  std::string lines;
  for (const auto& one : came) {
    const auto [known, fresh] = bodies.emplace(header(one, "webhook-id"), one.body);
    EXPECT_EQ(known->second, one.body) << "one id, one message";
    EXPECT_THAT(one.body, Not(HasSubstr("SandboxSandbox")));
    lines += line_of(secret, one);
  }
  EXPECT_THAT(house_.verb({"audit", "-o", "json"}).out, HasSubstr("mended"));
  EXPECT_FALSE(found_below(house_.data(), secret)) << "sealed";
  EXPECT_FALSE(found_below(house_.data(), secret.substr(6)));

  const auto python = checker();
  if (python.empty()) GTEST_SKIP() << "no standardwebhooks: ./dev tools installs it";
  const std::string other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  auto forged = came.front();
  forged.body += " ";
  write_file(house_.scratch() / "messages", lines + line_of(other, came.front()) + line_of(secret, forged));
  Command verify;
  // By a shell, which calls it by its whole path: that is how it finds its packages.
  verify.args = {"-c", "exec \"$0\" \"$@\"", python,
                 std::string(CALLIMPORT_SOURCE_DIR) + "/tests/api/verify_webhooks.py", house_.scratch() / "messages"};
  const auto verified = run("/bin/sh", verify, house_.scratch());
  ASSERT_EQ(verified.code, 0) << verified.err;
  std::istringstream said(verified.out);
  std::string verdict;
  for (std::size_t i = 0; i < came.size() + 2; ++i) {
    ASSERT_TRUE(std::getline(said, verdict)) << i;
    EXPECT_EQ(verdict, i < came.size() ? "good" : "No matching signature found");
  }
}

TEST_F(WebhookVerbs, AreAddedTestedExchangedAndRemoved) {
  const auto added = add({"--type", "import.completed", "--owner", "ana"});
  const std::string id = added["id"];
  EXPECT_EQ(added["owner"], "ana");
  EXPECT_EQ(added["types"], json::array({"import.completed"}));
  EXPECT_EQ(added["url"].get<std::string>(), "http://127.0.0.1:" + std::to_string(server_->port()))
      << "the rest may be a secret";
  EXPECT_THAT(house_.verb({"credentials", "list", "-o", "json"}).out, Not(HasSubstr("whsec")));
  EXPECT_EQ(read({"credentials", "list"}).size(), 0u) << "a signing secret is no credential";

  const auto tested = house_.verb({"webhooks", "test", id.substr(0, 10)});
  EXPECT_EQ(tested.code, 0) << tested.err;
  EXPECT_THAT(tested.out, HasSubstr("arrived: 200"));
  receiver_.answer(500);
  const auto failed = house_.verb({"webhooks", "test", id});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.out, HasSubstr("it answered 500"));
  const auto log = read({"webhooks", "log", id});
  ASSERT_EQ(log.size(), 2u);
  EXPECT_EQ(log[0]["state"], "failed");
  EXPECT_EQ(log[1]["state"], "delivered");

  receiver_.answer(200);
  const std::string message = log[0]["id"];
  EXPECT_EQ(house_.verb({"webhooks", "resend", id, message}).code, 0);
  const auto again = read({"webhooks", "log", id, "--message", message});
  EXPECT_EQ(again[0]["attempts"].size(), 2u);
  EXPECT_EQ(again[0]["body"]["type"], "webhook.test");
  EXPECT_EQ(header(receiver_.came().back(), "webhook-id"), message);

  const auto rotated = read({"webhooks", "rotate", id});
  EXPECT_NE(rotated["secret"], added["secret"]);
  EXPECT_FALSE(rotated["old_secret_until"].is_null());
  ASSERT_EQ(house_.verb({"webhooks", "test", id}).code, 0);
  EXPECT_THAT(header(receiver_.came().back(), "webhook-signature"), testing::MatchesRegex("v1,[^ ]+ v1,[^ ]+"));

  EXPECT_EQ(house_.verb({"webhooks", "remove", id, "--yes"}).code, 0);
  EXPECT_EQ(read({"webhooks", "list"}).size(), 0u);
  EXPECT_EQ(house_.verb({"webhooks", "test", id}).code, 1);
  const auto audit = house_.verb({"audit", "-o", "json"}).out;
  for (const auto* verb : {"add a webhook", "exchange a webhook's secret", "send to a webhook", "remove a webhook"})
    EXPECT_THAT(audit, HasSubstr(verb));
  EXPECT_THAT(audit, Not(HasSubstr("PLANTED")));
}

TEST_F(WebhookVerbs, WhereNobodyMaySendIsRefusedWithTheReason) {
  const auto refused = [&](const std::string& to) {
    const auto ran = house_.verb({"webhooks", "add", to});
    EXPECT_EQ(ran.code, 2) << to;
    return ran.err;
  };
  EXPECT_THAT(refused("http://hooks.example.com/"), HasSubstr("must be https"));
  EXPECT_THAT(refused("https://169.254.169.254/latest"), HasSubstr("cloud metadata"));
  EXPECT_THAT(refused("https://10.0.0.1/"), HasSubstr("private"));
  EXPECT_EQ(house_.verb({"webhooks", "add", url(), "--type", "import.nope"}).code, 2);
  EXPECT_EQ(read({"webhooks", "list"}).size(), 0u);
}

}  // namespace
}  // namespace callimport::tests
