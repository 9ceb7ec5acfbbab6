// Renewal of OAuth access against Grain's token endpoint in process: once for many who ask, sealed before it is used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "activities/oauth/access_tokens.h"
#include "activities/oauth/sign_in.h"
#include "activities/oauth/token_request.h"
#include "simulations/sandboxes/grain.h"
#include "simulations/sandboxes/in_process.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"

namespace callimport::activities {
namespace {

using simulations::GrainOptions;
using simulations::SandboxReply;
using simulations::SandboxRequest;

constexpr const char* kFirstRefresh = "grainrt_first0000000000000000000000";

/// Grain's sandbox behind a hook, a vault on a disk that can fail, and the thing under test.
class OAuth : public testing::Test {
 protected:
  class Between final : public simulations::Sandbox {
   public:
    explicit Between(OAuth& scene) : scene_(scene) {}
    SandboxReply handle(const SandboxRequest& request, Timestamp now) override {
      ++scene_.requests_;
      scene_.last_body_ = request.body;
      if (scene_.before_) scene_.before_();
      if (scene_.instead_) return *scene_.instead_;
      SandboxReply reply = scene_.sandbox_->handle(request, now);
      reply.delay = std::chrono::milliseconds{200};
      if (scene_.lose_answer_) reply.refused = true;
      return reply;
    }

   private:
    OAuth& scene_;
  };

  void SetUp() override {
    GrainOptions options;
    options.generated.calls = 3;
    options.oauth.client_id = "callimport";
    options.oauth.client_secret = "hush";
    options.oauth.refresh_token = kFirstRefresh;
    begin(options);
  }
  void begin(const GrainOptions& options) {
    sandbox_ = std::move(*simulations::GrainSandbox::make(options));
    ASSERT_TRUE(disk_.make_dirs("data").has_value());
    http_ = std::make_unique<simulations::SandboxHttp>(between_, loop_);
    open();
  }
  void open() {
    vault_.reset();
    vault_ = std::move(*storage::Vault::open(disk_, random_, "data/vault.db", "data/vault.key"));
    tokens_.emplace(*vault_, *http_, loop_, loop_, loop_);
  }
  CredentialId add(const std::string& refresh = kFirstRefresh) {
    storage::OAuthBundle bundle;
    bundle.refresh = storage::Secret(refresh);
    bundle.client_id = "callimport";
    bundle.client_secret = storage::Secret("hush");
    bundle.token_endpoint = "http://127.0.0.1:1" + std::string(simulations::kGrainTokenPath);
    return vault_->add("grain", "acme", "oauth", storage::write_bundle(bundle), 1).value();
  }
  /// What `askers` at once are answered.
  std::vector<Fetched<Access>> ask(const CredentialId& id, std::int64_t generation, int askers = 1) {
    std::vector<Fetched<Access>> answers;
    for (int i = 0; i < askers; ++i) {
      engine::spawn(loop_, tokens_->newer_than(id, generation),
                    [&answers](Fetched<Access> access) { answers.push_back(std::move(access)); });
    }
    const auto wanted = static_cast<std::size_t>(askers);
    loop_.run_until([&] { return answers.size() == wanted; });
    EXPECT_EQ(answers.size(), wanted);
    return answers;
  }
  storage::OAuthBundle sealed(const CredentialId& id) {
    return storage::read_bundle(vault_->open_sealed(id).value(), 0, {}).value();
  }
  /// Whether Grain takes it, asked on a path of its own.
  bool works(const std::string& token) {
    SandboxRequest request{"POST",
                           "/_/public-api/v2/recordings",
                           {{"host", "h"}, {"authorization", "Bearer " + token}, {"public-api-version", "2025-10-31"}},
                           "{}"};
    return sandbox_->handle(request, loop_.now()).status == 200;
  }

  simulations::SimLoop loop_;
  simulations::SimDisk disk_;
  simulations::SeededRandom random_{5};
  std::unique_ptr<simulations::GrainSandbox> sandbox_;
  Between between_{*this};
  std::unique_ptr<simulations::SandboxHttp> http_;
  std::unique_ptr<storage::Vault> vault_;
  std::optional<AccessTokens> tokens_;
  std::function<void()> before_;  ///< while a token request is on its way
  std::optional<SandboxReply> instead_;
  bool lose_answer_ = false;
  int requests_ = 0;
  std::string last_body_;
};

const std::string& cause_of(const Fetched<Access>& access) {
  static const std::string none;
  if (access) return none;
  if (const auto* again = std::get_if<Again>(&access.error())) return again->cause;
  if (const auto* wait = std::get_if<Wait>(&access.error())) return wait->cause;
  if (const auto* attention = std::get_if<NeedsAttention>(&access.error())) return attention->cause;
  return none;
}

TEST_F(OAuth, ManyWhoAskAtOnceGetOneRenewal) {
  const auto id = add();
  const auto answers = ask(id, 1, 40);
  EXPECT_EQ(requests_, 1);
  for (const auto& access : answers) {
    ASSERT_TRUE(access.has_value());
    EXPECT_EQ(access->token.reveal(), answers.front()->token.reveal());
    EXPECT_GT(access->generation, 1);
  }
  EXPECT_TRUE(works(answers.front()->token.reveal()));
  EXPECT_EQ(sealed(id).refresh.reveal(), sandbox_->oauth().refresh_token()) << "the newest one is kept";
  EXPECT_NE(sealed(id).refresh.reveal(), kFirstRefresh) << "Grain rotates them";
  const auto later = ask(id, 1);
  EXPECT_TRUE(later.front().has_value());
  EXPECT_EQ(requests_, 1) << "who comes late with the old one gets the new one";
  EXPECT_TRUE(ask(id, answers.front()->generation).front().has_value());
  EXPECT_EQ(requests_, 2) << "refused once more: renewed once more";
}

TEST_F(OAuth, TheAnswerIsSealedBeforeAnybodyUsesIt) {
  const auto id = add();
  // The disk takes nothing from the moment the platform answers.
  before_ = [this] { disk_.fail_nth(simulations::kOpChanges, 1, simulations::FaultLife::kFromThenOn); };
  const auto refused = ask(id, 1);
  EXPECT_THAT(cause_of(refused.front()), testing::StartsWith("store."));
  EXPECT_EQ(requests_, 1);
  before_ = nullptr;
  disk_.heal();
  const auto access = ask(id, 1);
  ASSERT_TRUE(access.front().has_value()) << cause_of(access.front());
  EXPECT_EQ(requests_, 1) << "the answer of before is sealed: the refresh token it replaced is dead";
  EXPECT_TRUE(works(access.front()->token.reveal()));
  open();
  EXPECT_EQ(sealed(id).refresh.reveal(), sandbox_->oauth().refresh_token());
}

TEST_F(OAuth, AnAnswerThatWasNeverSealedIsToldAsExpired) {
  const auto id = add();
  lose_answer_ = true;  // Grain rotates, and the process dies before it hears so
  EXPECT_EQ(cause_of(ask(id, 1).front()), "platform.outage");
  lose_answer_ = false;
  open();
  EXPECT_EQ(cause_of(ask(id, 1).front()), "access.expired");
}

TEST_F(OAuth, ARevokedTokenIsToldAsRevoked) {
  const auto id = add();
  sandbox_->oauth().revoke();
  EXPECT_EQ(cause_of(ask(id, 1).front()), "access.revoked");
}

TEST_F(OAuth, WhatSomebodyPutInMeanwhileWins) {
  const auto id = add();
  before_ = [&] {
    before_ = nullptr;
    ASSERT_TRUE(vault_->replace(id, storage::Secret("a-plain-token")).has_value());
  };
  const auto access = ask(id, 1);
  ASSERT_TRUE(access.front().has_value());
  EXPECT_EQ(access.front()->token.reveal(), "a-plain-token");
  EXPECT_EQ(vault_->open_sealed(id)->reveal(), "a-plain-token");
}

TEST_F(OAuth, ABareTokenIsGivenBackAsItIs) {
  const auto id = vault_->add("grain", "acme", "pat", storage::Secret("plain"), 1).value();
  const auto access = ask(id, 1);
  ASSERT_TRUE(access.front().has_value());
  EXPECT_EQ(access.front()->generation, 1);
  EXPECT_EQ(requests_, 0);
  ASSERT_TRUE(vault_->wipe(id, 2).has_value());
  EXPECT_EQ(cause_of(ask(id, 1).front()), "access.credential_gone");
}

TEST_F(OAuth, AnOldClientsTokenHasNeitherExpiryNorRenewal) {
  GrainOptions options;
  options.oauth.client_id = "callimport";
  options.oauth.client_secret = "hush";
  options.oauth.refresh_token = kFirstRefresh;
  options.oauth.legacy = true;
  sandbox_ = std::move(*simulations::GrainSandbox::make(options));
  const auto id = add();
  const auto access = ask(id, 1);
  ASSERT_TRUE(access.front().has_value());
  EXPECT_EQ(access.front()->expires_ms, 0);
  loop_.run_for(std::chrono::hours{24 * 365});
  EXPECT_TRUE(works(access.front()->token.reveal()));
}

struct Answered {
  const char* name;
  int status;
  const char* body;
  const char* cause;
};
void PrintTo(const Answered& row, std::ostream* out) { *out << row.name; }
class OAuthAnswers : public OAuth, public testing::WithParamInterface<Answered> {};

TEST_P(OAuthAnswers, BecomeTrouble) {
  const auto& row = GetParam();
  const auto id = add();
  SandboxReply reply;
  reply.status = row.status;
  reply.body = row.body;
  instead_ = reply;
  EXPECT_EQ(cause_of(ask(id, 1).front()), row.cause);
  EXPECT_EQ(sealed(id).refresh.reveal(), kFirstRefresh);
}
INSTANTIATE_TEST_SUITE_P(
    Table, OAuthAnswers,
    testing::Values(Answered{"Revoked", 400, R"({"error":"invalid_grant"})", "access.revoked"},
                    Answered{"RevokedAs401", 401, R"({"error":"invalid_grant"})", "access.revoked"},
                    Answered{"WrongClient", 400, R"({"error":"invalid_client"})", "access.client_refused"},
                    Answered{"Unauthorized", 401, R"({"error":"unauthorized_client"})", "access.client_refused"},
                    Answered{"Limited", 429, "", "platform.rate_limited"}, Answered{"Down", 503, "", "platform.outage"},
                    Answered{"APage", 200, "<html>", "platform.changed_answer"},
                    Answered{"NoToken", 200, R"({"token_type":"bearer"})", "platform.changed_answer"},
                    Answered{"ATokenOfNumbers", 200, R"({"access_token":7})", "platform.changed_answer"},
                    Answered{"ATokenWithALineBreak", 200, "{\"access_token\":\"a\\r\\nX: y\"}",
                             "platform.changed_answer"},
                    Answered{"SomethingElse", 400, R"({"error":"invalid_request"})", "platform.changed_answer"}),
    [](const auto& test) { return test.param.name; });

/// Each way clients write a token request is taken, and the old refresh token dies at once.
TEST(GrainTokenEndpoint, TakesJsonFormsAndMultipart) {
  GrainOptions options;
  options.oauth.client_id = "c";
  options.oauth.refresh_token = "first";
  auto sandbox = std::move(*simulations::GrainSandbox::make(options));
  const auto send = [&](const std::string& type, const std::string& body) {
    SandboxRequest request{"POST", std::string(simulations::kGrainTokenPath), {{"content-type", type}}, body};
    return sandbox->handle(request, simulations::kSimulationStart);
  };
  const auto next = [](const SandboxReply& reply) {
    return nlohmann::json::parse(reply.body).value("refresh_token", "");
  };
  const auto first =
      send("application/json", R"({"grant_type":"refresh_token","refresh_token":"first","client_id":"c"})");
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(nlohmann::json::parse(first.body)["expires_in"], 3600);
  const auto second = send("application/x-www-form-urlencoded",
                           "grant_type=refresh%5Ftoken&refresh_token=" + next(first) + "&client_id=c");
  ASSERT_EQ(second.status, 200) << second.body;
  std::string form;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"grant_type", "refresh_token"}, {"refresh_token", next(second)}, {"client_id", "c"}}) {
    form += "--cut\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  }
  const auto third = send("multipart/form-data; boundary=cut", form + "--cut--\r\n");
  EXPECT_EQ(third.status, 200) << third.body;
  for (const std::string& dead : {std::string("first"), next(first), next(second)}) {
    const auto refused =
        send("application/json",
             nlohmann::json{{"grant_type", "refresh_token"}, {"refresh_token", dead}, {"client_id", "c"}}.dump());
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.body, testing::HasSubstr("invalid_grant"));
  }
}

/// The verifier and challenge of RFC 7636, appendix B.
TEST(GrainTokenEndpoint, GivesTokensForACodeOnceAndToItsClientOnly) {
  GrainOptions options;
  options.oauth.client_id = "c";
  auto sandbox = std::move(*simulations::GrainSandbox::make(options));
  const auto authorize = [&](const std::string& redirect) {
    SandboxRequest request;
    request.target = std::string(simulations::kGrainAuthorizePath) +
                     "?response_type=code&client_id=c&state=s1&code_challenge_method=S256"
                     "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&redirect_uri=" +
                     redirect;
    return sandbox->handle(request, simulations::kSimulationStart);
  };
  EXPECT_EQ(authorize("http://evil.test/").status, 400) << "not the registered prefix";
  const auto code_of = [](const SandboxReply& reply) {
    const std::string location(simulations::find_header(reply.headers, "location"));
    EXPECT_THAT(location, testing::HasSubstr("&state=s1"));
    const std::size_t at = location.find("code=") + 5;
    return location.substr(at, location.find('&') - at);
  };
  const auto exchange = [&](const std::string& code, const std::string& verifier) {
    SandboxRequest request{"POST",
                           std::string(simulations::kGrainTokenPath),
                           {{"content-type", "application/x-www-form-urlencoded"}},
                           "grant_type=authorization_code&client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fback"
                           "&code=" +
                               code + "&code_verifier=" + verifier};
    return sandbox->handle(request, simulations::kSimulationStart).status;
  };
  const std::string verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  const std::string stolen = code_of(authorize("http://127.0.0.1:9/back"));
  EXPECT_EQ(exchange(stolen, "another-verifier"), 400);
  EXPECT_EQ(exchange(stolen, verifier), 400) << "a code is good for one try";
  const std::string code = code_of(authorize("http://127.0.0.1:9/back"));
  EXPECT_EQ(exchange(code, verifier), 200);
  EXPECT_EQ(exchange(code, verifier), 400);
}

/// RFC 7636, appendix B.
TEST(SignIn, TheChallengeIsTheVerifiersHash) {
  EXPECT_EQ(challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

class SigningIn : public OAuth {
 protected:
  void SetUp() override {
    OAuth::SetUp();
    OAuthClients clients;
    clients["grain"] = {"callimport", storage::Secret("hush"), "workspace", "http://127.0.0.1:1"};
    clients_ = std::move(clients);
    sign_ins_.emplace(*vault_, *http_, loop_, random_, clients_);
  }
  /// The process dies and another one takes over its vault.
  void restart() {
    sign_ins_.reset();
    open();
    sign_ins_.emplace(*vault_, *http_, loop_, random_, clients_);
  }
  /// What the browser brings back from the authorize page.
  std::string code_for(const SignInBegun& begun) {
    const auto target = begun.address.substr(std::string("http://127.0.0.1:1").size());
    const SandboxReply reply = sandbox_->handle({"GET", target, {}, {}}, loop_.now());
    EXPECT_EQ(reply.status, 302) << reply.body;
    const std::string location(simulations::find_header(reply.headers, "location"));
    EXPECT_TRUE(location.starts_with("http://127.0.0.1:4321/callback/grain?code=")) << location;
    EXPECT_TRUE(location.ends_with("&state=" + begun.state)) << location;
    const auto from = location.find("code=") + 5;
    return location.substr(from, location.find('&') - from);
  }
  Result<storage::OAuthBundle> exchange(PendingSignIn pending, const std::string& code) {
    std::optional<Result<storage::OAuthBundle>> made;
    engine::spawn(loop_, sign_ins_->exchange(std::move(pending), storage::Secret(code)),
                  [&made](Result<storage::OAuthBundle> bundle) { made = std::move(bundle); });
    loop_.run_until([&] { return made.has_value(); });
    return std::move(*made);
  }
  static SignInOrder order() { return {"grain", "acme", 4321, {}}; }
  OAuthClients clients_;
  std::optional<SignIns> sign_ins_;
};

TEST_F(SigningIn, ACodeBecomesTokensThatCanBeRenewed) {
  const auto begun = sign_ins_->begin(order());
  ASSERT_TRUE(begun.has_value()) << begun.error().message;
  EXPECT_THAT(begun->address, testing::HasSubstr("&code_challenge_method=S256&"));
  EXPECT_TRUE(begun->address.ends_with("&scopes=workspace")) << begun->address;
  EXPECT_THAT(begun->address, testing::Not(testing::HasSubstr("hush")));
  const std::string code = code_for(*begun);
  auto pending = sign_ins_->take(begun->state);
  ASSERT_TRUE(pending.has_value()) << pending.error().message;
  EXPECT_FALSE(sign_ins_->take(begun->state).has_value()) << "a state is good once";
  const auto bundle = exchange(*pending, code);
  ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
  EXPECT_TRUE(bundle->access.reveal().starts_with("grainat_"));
  EXPECT_EQ(bundle->refresh.reveal(), sandbox_->oauth().refresh_token());
  EXPECT_EQ(bundle->token_endpoint, "http://127.0.0.1:1" + std::string(simulations::kGrainTokenPath));
  const auto again = exchange(*pending, code);
  ASSERT_FALSE(again.has_value()) << "a code is good once";
  EXPECT_TRUE(again.error().message.starts_with("signin.code_refused: Grain does not take")) << again.error().message;
}

TEST_F(SigningIn, IsForgottenAfterTenMinutes) {
  const auto begun = sign_ins_->begin(order());
  ASSERT_TRUE(begun.has_value());
  bool over = false;
  loop_.at(from_unix_ms(begun->until_ms), [&over] { over = true; });
  loop_.run_until([&over] { return over; });
  const auto pending = sign_ins_->take(begun->state);
  ASSERT_FALSE(pending.has_value());
  EXPECT_EQ(pending.error().code, Code::kNotFound);
}

TEST_F(SigningIn, OutlivesARestartSealed) {
  const auto begun = sign_ins_->begin(order());
  ASSERT_TRUE(begun.has_value());
  const std::string code = code_for(*begun);
  restart();
  EXPECT_TRUE(vault_->list()->empty()) << "it is no credential";
  const auto pending = sign_ins_->take(begun->state);
  ASSERT_TRUE(pending.has_value()) << pending.error().message;
  EXPECT_EQ(pending->order.workspace, "acme");
  const auto bundle = exchange(*pending, code);
  ASSERT_TRUE(bundle.has_value()) << bundle.error().message;
  EXPECT_TRUE(bundle->access.reveal().starts_with("grainat_"));
  restart();
  EXPECT_EQ(sign_ins_->take(begun->state).error().code, Code::kNotFound) << "a state is good once, restart or not";
}

TEST_F(SigningIn, OfAClientThatIsGoneIsUnknown) {
  const auto begun = sign_ins_->begin(order());
  clients_.clear();
  restart();
  EXPECT_EQ(sign_ins_->take(begun->state).error().code, Code::kNotFound);
}

TEST_F(SigningIn, OnlySoManyAreKnown) {
  std::vector<std::string> states;
  for (std::size_t i = 0; i < kSignInsMax + 2; ++i) states.push_back(sign_ins_->begin(order())->state);
  std::size_t known = 0;
  for (const auto& state : states) known += sign_ins_->take(state).has_value() ? 1u : 0u;
  EXPECT_EQ(known, kSignInsMax);
}

TEST_F(SigningIn, WhatCannotBeBegun) {
  EXPECT_TRUE(sign_ins_->begin({"gnog", "", 4321, {}}).error().message.starts_with("platform.unknown: "));
  EXPECT_EQ(sign_ins_->begin({"grain", "", 0, {}}).error().code, Code::kInvalid);
  EXPECT_EQ(sign_ins_->begin({"grain", "", 65'536, {}}).error().code, Code::kInvalid);
  SignIns without(*vault_, *http_, loop_, random_, {});
  EXPECT_TRUE(without.begin(order()).error().message.starts_with("signin.client_missing: "));
}

}  // namespace
}  // namespace callimport::activities
