// Signing in at a platform in a browser (ux 2.11, NW-03, ID-12): the real binary, the sandbox's authorize page, and a
// browser that is a few lines of HTTP.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "simulations/sandboxes/grain_oauth.h"
#include "tests/api/terminal.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kClientSecret = "PLANTEDclientSECRETz7";

struct Shown {
  int status = 0;
  std::string location, all;
};

/// One exchange with a server on 127.0.0.1.
Shown browse(const std::string& url, const std::string& method = "GET", const std::string& body = {}) {
  const std::string head = "http://127.0.0.1:";
  Shown shown;
  if (!url.starts_with(head)) return shown;
  const auto slash = url.find('/', head.size());
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(head.size(), slash - head.size()))));
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const std::string request = method + " " + url.substr(slash) +
                              " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
                              "Content-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body;
  char buffer[4096];
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    for (ssize_t got = 0; (got = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
      shown.all.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(fd);
  if (shown.all.size() > 12) shown.status = std::atoi(shown.all.c_str() + 9);
  for (const char* name : {"\r\nlocation: ", "\r\nLocation: "}) {
    const auto at = shown.all.find(name);
    if (at == std::string::npos) continue;
    const auto from = at + std::string(name).size();
    shown.location = shown.all.substr(from, shown.all.find('\r', from) - from);
  }
  return shown;
}

std::string value_in(const std::string& url, const std::string& name) {
  const auto at = url.find(name + "=");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 1;
  return url.substr(from, url.find('&', from) - from);
}

simulations::GrainOptions with_client(bool deny) {
  auto options = House::options_for(20, 17);
  options.oauth.client_id = "callimport";
  options.oauth.client_secret = kClientSecret;
  options.oauth.deny = deny;
  return options;
}

/// A server that knows Grain's client, and the terminal where somebody connects.
class Connect : public testing::Test {
 protected:
  void serve(const simulations::GrainOptions& options) {
    house_.emplace(options);
    std::filesystem::create_directories(house_->data());
    std::filesystem::permissions(house_->data(), std::filesystem::perms::owner_all);
    write_file(house_->scratch() / "client.secret", std::string(kClientSecret) + "\n");
    write_file(house_->data() + "/callimport.toml",
               "[oauth.grain]\nclient_id = \"callimport\"\nclient_secret_file = \"" +
                   house_->scratch() / "client.secret" + "\"\nbase_url = \"" + house_->base_url() + "/\"\n");
    ASSERT_TRUE(house_->serve());
  }
  void begin(const std::vector<std::string>& more) {
    std::vector<std::string> args = {"credentials", "connect", "grain", "--no-browser", "--data", house_->data()};
    args.insert(args.end(), more.begin(), more.end());
    terminal_.emplace(args, house_->scratch(), std::map<std::string, std::string>{}, 300, 30);
  }
  /// The address that the terminal shows.
  std::string address() {
    EXPECT_TRUE(terminal_->expect("/oauth2/authorize?")) << terminal_->seen();
    EXPECT_TRUE(terminal_->expect("\n"));
    const auto& seen = terminal_->seen();
    const auto from = seen.rfind("http://", seen.find("/oauth2/authorize?"));
    return seen.substr(from, seen.find_first_of("\r\n", from) - from);
  }
  std::string connected() {
    const auto& seen = terminal_->seen();
    const auto from = seen.rfind("\ncred_") == std::string::npos ? seen.find("cred_") : seen.rfind("\ncred_") + 1;
    return seen.substr(from, seen.find_first_of("\r\n ", from) - from);
  }

  std::optional<House> house_;
  std::optional<Terminal> terminal_;
};

TEST_F(Connect, BringsAccessThatAnImportRunsWith) {
  serve(with_client(false));
  begin({"--workspace", "acme", "--why", "the customer is on the phone"});
  const auto page = browse(address());
  ASSERT_EQ(page.status, 302) << page.all;
  EXPECT_THAT(page.location, HasSubstr("/callback/grain?code="));
  const auto thanks = browse(page.location);
  EXPECT_EQ(thanks.status, 200) << thanks.all;
  EXPECT_THAT(thanks.all, HasSubstr("Cache-Control: no-store"));
  EXPECT_THAT(thanks.all, HasSubstr("Referrer-Policy: no-referrer"));
  EXPECT_EQ(terminal_->wait(), 0) << terminal_->seen();
  for (const char* secret : {"grainat_", "grainrt_", "graincode_", "PLANTED"})
    EXPECT_THAT(terminal_->seen(), Not(HasSubstr(secret)));
  const auto credential = connected();
  ASSERT_TRUE(credential.starts_with("cred_")) << terminal_->seen();

  house_->use(credential);
  ASSERT_EQ(house_->start().code, 0);
  ASSERT_TRUE(house_->follow());
  house_->expect_whole();
  const auto log = json::parse(house_->verb({"audit", "-o", "json"}).out);
  const auto& connecting = log.back();
  EXPECT_EQ(connecting["verb"], "connect a credential");
  EXPECT_EQ(connecting["why"], "the customer is on the phone");
  EXPECT_EQ(connecting["after"]["workspace"], "acme");
  EXPECT_EQ(connecting["outcome"], credential);
  for (const char* secret : {"grainat_", "grainrt_", "graincode_", "PLANTED"})
    EXPECT_FALSE(found_below(house_->data(), secret)) << secret;
}

/// The verb waits on while the server is exchanged under it, and the browser that comes back then succeeds; so does one
/// that comes back while no server is there.
TEST_F(Connect, OutlivesARestartOfTheServer) {
  serve(with_client(false));
  begin({"--workspace", "acme"});
  const auto first = browse(address());
  house_->server().kill_hard();
  ASSERT_TRUE(house_->serve());
  EXPECT_EQ(browse(first.location).status, 200);
  EXPECT_EQ(terminal_->wait(), 0) << terminal_->seen();
  ASSERT_TRUE(connected().starts_with("cred_")) << terminal_->seen();

  begin({"--workspace", "acme"});
  const auto second = browse(address());
  house_->server().kill_hard();
  EXPECT_EQ(browse(second.location).status, 200);
  EXPECT_TRUE(terminal_->expect("waiting for it")) << terminal_->seen();
  ASSERT_TRUE(house_->serve());
  EXPECT_EQ(terminal_->wait(), 0) << terminal_->seen();
  EXPECT_EQ(json::parse(house_->verb({"credentials", "list", "-o", "json"}).out).size(), 2u);
  for (const char* secret : {"grainat_", "grainrt_", "graincode_", "PLANTED"})
    EXPECT_FALSE(found_below(house_->data(), secret)) << secret;
}

TEST_F(Connect, AForgedStateIsRefusedAndWaitedPast) {
  serve(with_client(false));
  begin({"--workspace", "acme"});
  const auto page = browse(address());
  const auto callback = page.location.substr(0, page.location.find('?'));
  EXPECT_EQ(browse(callback + "?code=stolen&state=forged").status, 400);
  EXPECT_TRUE(terminal_->expect("does not belong to this sign-in")) << terminal_->seen();
  EXPECT_EQ(browse(callback + "?code=stolen").status, 400);
  EXPECT_EQ(browse(callback.substr(0, callback.find("/callback")) + "/favicon.ico").status, 404);
  EXPECT_EQ(browse(page.location, "POST").status, 404) << "only a browser's GET counts";
  EXPECT_EQ(browse(page.location).status, 200);
  EXPECT_EQ(terminal_->wait(), 0) << terminal_->seen();
  EXPECT_EQ(browse(page.location).status, 0) << "nobody listens any more";
}

TEST_F(Connect, ANoIsSaid) {
  serve(with_client(true));
  begin({});
  const auto page = browse(address());
  EXPECT_THAT(page.location, HasSubstr("error=access_denied"));
  EXPECT_THAT(browse(page.location).all, HasSubstr("Access was not given"));
  EXPECT_EQ(terminal_->wait(), 4) << terminal_->seen();
  EXPECT_THAT(terminal_->seen(), HasSubstr("somebody said no in the browser"));
  EXPECT_THAT(terminal_->seen(), HasSubstr("next: callimport credentials connect grain"));
}

/// Whoever saw the code and was faster cannot use it without the verifier, and we hear of it.
TEST_F(Connect, ACodeThatWasUsedBeforeIsRefused) {
  serve(with_client(false));
  begin({});
  const auto page = browse(address());
  const json stolen = {
      {"grant_type", "authorization_code"},    {"client_id", "callimport"},
      {"client_secret", kClientSecret},        {"code", value_in(page.location, "code")},
      {"code_verifier", std::string(64, 'x')}, {"redirect_uri", page.location.substr(0, page.location.find('?'))}};
  EXPECT_EQ(browse(house_->base_url() + std::string(simulations::kGrainTokenPath), "POST", stolen.dump()).status, 400);
  EXPECT_EQ(browse(page.location).status, 200);
  EXPECT_EQ(terminal_->wait(), 4) << terminal_->seen();
  EXPECT_THAT(terminal_->seen(), HasSubstr("Grain does not take the code"));
  EXPECT_EQ(json::parse(house_->verb({"credentials", "list", "-o", "json"}).out).size(), 0u);
  const auto log = json::parse(house_->verb({"audit", "-o", "json"}).out);
  EXPECT_THAT(log.at(0)["outcome"].get<std::string>(), HasSubstr("not done: signin.code_refused")) << log;
}

TEST_F(Connect, WaitsOnlySoLong) {
  serve(with_client(false));
  begin({"--wait", "1", "-o", "json"});
  (void)address();
  EXPECT_EQ(terminal_->wait(), 7) << terminal_->seen();
  EXPECT_THAT(terminal_->seen(), HasSubstr("signin.timeout"));
}

TEST_F(Connect, WithoutAClientItSaysWhatIsMissing) {
  house_.emplace(with_client(false));
  ASSERT_TRUE(house_->serve());
  const auto ran = house_->verb({"credentials", "connect", "grain"});
  EXPECT_EQ(ran.code, 4) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("Grain has issued no OAuth client"));
  EXPECT_THAT(ran.err, HasSubstr("next: callimport help config"));
}

TEST_F(Connect, AStateIsGoodOnceAndOnlyHere) {
  serve(with_client(false));
  v1::BeginSignInRequest begin;
  begin.set_platform("grain");
  begin.set_port(9);
  v1::BeginSignInResponse begun;
  ASSERT_TRUE(house_->ask("BeginSignIn", begin, begun).ok());
  const auto page = browse(begun.address());
  v1::FinishSignInRequest finish;
  finish.set_code(value_in(page.location, "code"));
  finish.set_state("forged");
  v1::FinishSignInResponse finished;
  const auto forged = house_->ask("FinishSignIn", finish, finished);
  EXPECT_EQ(forged.code, 5);
  EXPECT_TRUE(forged.message.starts_with("signin.unknown: ")) << forged.message;
  finish.set_state(value_in(page.location, "state"));
  EXPECT_TRUE(house_->ask("FinishSignIn", finish, finished).ok());
  EXPECT_EQ(finished.credential().kind(), "oauth");
  EXPECT_EQ(house_->ask("FinishSignIn", finish, finished).code, 5);
}

/// ID-12: the same import goes on by itself.
TEST_F(Connect, NewAccessLetsAnImportThatWaitsGoOn) {
  serve(with_client(false));
  const json dead = {{"access_token", "grainat_dead"},
                     {"refresh_token", "grainrt_dead"},
                     {"client_id", "callimport"},
                     {"client_secret", kClientSecret},
                     {"token_endpoint", house_->base_url() + std::string(simulations::kGrainTokenPath)}};
  const auto added = house_->verb(
      {"credentials", "add", "--platform", "grain", "--workspace", "acme", "--kind", "oauth", "--token-stdin"},
      dead.dump());
  ASSERT_EQ(added.code, 0) << added.err;
  const auto credential = added.out.substr(0, added.out.find('\n'));
  house_->use(credential);
  ASSERT_EQ(house_->start().code, 0);
  ASSERT_TRUE(house_->follow_until(
      [](const v1::WatchImportResponse& now) { return now.import().first().reason() == "access.revoked"; }));
  begin({"--credential", credential});
  browse(browse(address()).location);
  EXPECT_EQ(terminal_->wait(), 0) << terminal_->seen();
  EXPECT_THAT(terminal_->seen(), HasSubstr("connected anew; 1 import(s) go on with it"));
  ASSERT_TRUE(house_->follow());
  house_->expect_whole();
}

}  // namespace
}  // namespace callimport::tests
