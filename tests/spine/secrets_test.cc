// Secrets planted in a whole import on the real binary, and looked for in everything it leaves behind (X-16, CR-06).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "simulations/sandboxes/grain_oauth.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

constexpr const char* kClientSecret = "PLANTEDclientSECRETq81zz";
constexpr const char* kRefresh = "grainrt_PLANTEDfirstREFRESHq81zz";
constexpr const char* kBadToken = "grain_pat_PLANTEDb_PLANTEDbadTOKENPLANTEDbadTOKENPLANTED0000";

/// What must be found nowhere: what we planted, and what the sandbox makes up as it goes.
const std::vector<std::string>& secrets() {
  static const std::vector<std::string> all = {
      "PLANTED",           // refresh token, client secret, the token that is refused
      "grainat_",          // access tokens
      "grainrt_",          // refresh tokens
      "SandboxSandbox",    // the personal token
      "Signature=",        // signed media links
      "KSANDBOX",          //
      "/cdn/recordings/",  //
      "share/recording/",  // links that open a recording for whoever has them
      "share/highlight/",
  };
  return all;
}

void expect_no_secret(const std::string& text, const std::string& where) {
  for (const auto& secret : secrets()) {
    const auto at = text.find(secret);
    EXPECT_EQ(at, std::string::npos) << where << ": …" << text.substr(at < 40 ? 0 : at - 40, 100) << "…";
  }
}

void expect_no_secret_below(const std::string& folder, const std::string& when) {
  ASSERT_TRUE(found_below(folder, "acme")) << "the search sees what is there, " << when;
  for (const auto& secret : secrets()) EXPECT_FALSE(found_below(folder, secret)) << secret << ", " << when;
}

std::string bundle(const House& house) {
  return nlohmann::json{{"refresh_token", kRefresh},
                        {"client_id", "callimport"},
                        {"client_secret", kClientSecret},
                        {"token_endpoint", house.base_url() + std::string(simulations::kGrainTokenPath)}}
      .dump(2);
}

simulations::GrainOptions with_oauth() {
  auto options = House::options_for(60, 11);
  options.oauth.client_id = "callimport";
  options.oauth.client_secret = kClientSecret;
  options.oauth.refresh_token = kRefresh;
  options.oauth.access_life = std::chrono::seconds{61};  // renewed ahead of its end: about once a second
  return options;
}

class Secrets : public testing::Test {
 protected:
  void SetUp() override {
    house_.log_at("trace");
    ASSERT_TRUE(house_.serve());
  }
  /// Runs a verb, and looks for secrets in what it says.
  Ran verb(const std::vector<std::string>& args, const std::string& input = {}) {
    auto ran = house_.verb(args, input);
    std::string words;
    for (const auto& word : args) words += word + " ";
    expect_no_secret(ran.out + ran.err, words);
    return ran;
  }
  House house_{with_oauth()};
};

TEST_F(Secrets, AreFoundNowhereOnceAnImportHasPassed) {
  const auto added =
      verb({"credentials", "add", "--platform", "grain", "--workspace", "acme", "--kind", "oauth", "--token-stdin"},
           bundle(house_));
  ASSERT_EQ(added.code, 0) << added.err;
  house_.use(added.out.substr(0, added.out.find('\n')));
  const auto personal = verb({"credentials", "add", "--platform", "grain", "--token-file", house_.scratch() / "token"});
  ASSERT_EQ(personal.code, 0) << personal.err;
  ASSERT_EQ(house_.start().code, 0);
  // While it runs, a token that the platform refuses is offered.
  const auto refused = verb({"credentials", "renew", added.out.substr(0, added.out.find('\n')), "--token-stdin"},
                            std::string(kBadToken) + "\n");
  EXPECT_NE(refused.code, 0) << "refused, or too late: the import has closed and the credential is wiped";
  expect_no_secret_below(house_.data(), "while it runs");
  ASSERT_TRUE(house_.follow());
  house_.expect_whole();

  for (const auto& args : std::vector<std::vector<std::string>>{{"credentials", "list"},
                                                                {"credentials", "list", "-o", "json"},
                                                                {"list", "-o", "json"},
                                                                {"show", house_.import(), "--problems"},
                                                                {"show", house_.import(), "-o", "json"},
                                                                {"show", house_.import(), "--calls", "-o", "json"},
                                                                {"calls", "list", "--limit", "100", "-o", "json"},
                                                                {"calls", "search", "the"},
                                                                {"history", "export", house_.import()},
                                                                {"credentials", "remove", "cred_nope", "--yes"}}) {
    verb(args);
  }
  const auto listed = nlohmann::json::parse(verb({"calls", "list", "--limit", "5", "-o", "json"}).out);
  for (const auto& call : listed.is_array() ? listed : listed.at("calls"))
    verb({"calls", "show", call.at("id").get<std::string>(), "-o", "json"});

  house_.server().signal(SIGTERM);
  EXPECT_EQ(house_.server().wait(), 0);
  EXPECT_THAT(house_.server().err(), testing::HasSubstr("stopped"));
  expect_no_secret(house_.server().out() + house_.server().err(), "the log at level trace");
  expect_no_secret_below(house_.data(), "after the end");
}

/// The kernel gives /proc/PID of a process that is not dumpable to root, whoever runs it; no core file is written.
TEST(Memory, OfTheServerIsNobodysToRead) {
  const Scratch scratch;
  ASSERT_EQ(::chmod(scratch.path().c_str(), 0777), 0);
  constexpr uid_t kNobody = 65534;
  const uid_t user = ::geteuid() == 0 ? kNobody : ::geteuid();
  Command command{{"serve", "--data", scratch / "data", "--port", "0", "--quiet"}, {}, {}, true, {}, 0, false};
  if (::geteuid() == 0) command.user = kNobody;
  Process server(callimport_binary(), std::move(command), scratch);
  ASSERT_FALSE(server.wait_ready().empty()) << server.err();
  const std::string proc = "/proc/" + std::to_string(server.pid());
  std::ifstream status(proc + "/status");
  std::string line, owner;
  while (std::getline(status, line)) owner = line.starts_with("Uid:") ? line : owner;
  EXPECT_THAT(owner, testing::HasSubstr(std::to_string(user)));
  for (const char* name : {"/environ", "/mem", "/maps"}) {
    struct stat facts{};
    ASSERT_EQ(::stat((proc + name).c_str(), &facts), 0) << name;
    EXPECT_EQ(facts.st_uid, 0u) << name << " belongs to the user who runs it: others of the user's programs read it";
  }
  std::ifstream limits(proc + "/limits");
  std::string core;
  while (std::getline(limits, line)) core = line.starts_with("Max core file size") ? line : core;
  EXPECT_THAT(core, testing::ContainsRegex("size +0 +0 ")) << core;
}

}  // namespace
}  // namespace callimport::tests
