// Messages to programs of others (ux 2.8): how they are signed, when they are sent again, what they say, where they may
// go, and what a death or a hostile receiver changes. Time is virtual; the receiver is a handler in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "activities/notify/events.h"
#include "activities/notify/told_counts.h"
#include "activities/webhooks/ladder.h"
#include "activities/webhooks/sender.h"
#include "activities/webhooks/signature.h"
#include "activities/webhooks/types.h"
#include "activities/webhooks/url.h"
#include "simulations/sandboxes/in_process.h"
#include "simulations/world/sim_loop.h"
#include "storage/library/schema.h"
#include "storage/sqlite/database.h"
#include "tests/storage/library_fixture.h"

namespace callimport::activities {
namespace {

using simulations::SandboxReply;
using simulations::SandboxRequest;
using storage::LibraryTx;
using storage::Secret;
using storage::Webhook;
using storage::WebhookMessage;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// The specification's own example.
constexpr const char* kExampleSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kExampleId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr const char* kExampleBody = R"({"test": 2432232314})";
constexpr const char* kExampleSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

TEST(Signature, IsThatOfTheSpecification) {
  EXPECT_EQ(kExampleSignature, sign_message({Secret(kExampleSecret)}, kExampleId, 1614265330, kExampleBody).value());
}

TEST(Signature, OfTwoSecretsStandsBesideTheOther) {
  simulations::SeededRandom random(1);
  const Secret fresh = new_signing_secret(random);
  EXPECT_TRUE(fresh.reveal().starts_with("whsec_"));
  const auto alone = sign_message({fresh}, kExampleId, 1614265330, kExampleBody).value();
  const auto both = sign_message({fresh, Secret(kExampleSecret)}, kExampleId, 1614265330, kExampleBody).value();
  EXPECT_EQ(alone + " " + kExampleSignature, both);
}

struct SecretRow {
  const char* name;
  const char* text;
  bool good;
};
void PrintTo(const SecretRow& row, std::ostream* out) { *out << row.name; }
class SigningSecrets : public testing::TestWithParam<SecretRow> {};
TEST_P(SigningSecrets, AreCheckedAndNeverShown) {
  const auto checked = check_signing_secret(Secret(GetParam().text));
  EXPECT_EQ(GetParam().good, checked.has_value());
  if (!checked && std::string_view(GetParam().text).size() > 8) {
    EXPECT_THAT(checked.error().message, Not(HasSubstr(std::string(GetParam().text).substr(6))));
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, SigningSecrets,
    testing::Values(SecretRow{"TwentyFourBytes", kExampleSecret, true},
                    SecretRow{"TwentyThreeBytes", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false},
                    SecretRow{"SixtyFourBytes",
                              "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                              "AAAAAA==",
                              true},
                    SecretRow{"SixtyFiveBytes",
                              "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                              "AAAAAAA=",
                              false},
                    SecretRow{"NoPrefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
                    SecretRow{"NotBase64", "whsec_MfKQ9r8GKYqrTwjUPD8I-PZIo2LaLaSw", false},
                    SecretRow{"Empty", "", false}),
    [](const auto& test) { return test.param.name; });

TEST(TheLadder, TakesThreeDaysAndEachStepComesALittleLate) {
  const std::vector<std::chrono::seconds> steps = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
  for (std::size_t failed = 1; failed <= steps.size(); ++failed) {
    const std::chrono::milliseconds whole = steps[failed - 1];
    EXPECT_EQ(whole, retry_after(static_cast<int>(failed), 0, 0s)) << failed;
    for (const std::uint64_t chance : {1ull, 12'345ull, ~0ull}) {
      const auto after = retry_after(static_cast<int>(failed), chance, 0s);
      EXPECT_GE(*after, whole);
      EXPECT_LE(*after, whole + whole / 10);
    }
  }
  EXPECT_FALSE(retry_after(kLadderAttempts, 0, 0s)) << "ten attempts in all";
}

TEST(TheLadder, HeedsAReceiverThatAsksForMoreTime) {
  EXPECT_EQ(10min, retry_after(1, 0, 600s));
  EXPECT_EQ(30min, retry_after(3, 0, 600s)) << "never sooner than its own step";
  EXPECT_EQ(24h, retry_after(1, 0, std::chrono::seconds{1'000'000'000})) << "nor for ever";
}

struct AddressRow {
  const char* name;
  const char* address;
  const char* what;
};
void PrintTo(const AddressRow& row, std::ostream* out) { *out << row.name; }
class Addresses : public testing::TestWithParam<AddressRow> {};
TEST_P(Addresses, ArePublicOrWhatTheyAre) {
  const auto address = parse_address(GetParam().address);
  ASSERT_TRUE(address) << GetParam().address;
  EXPECT_EQ(GetParam().what, not_public(*address));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Addresses,
    testing::Values(
        AddressRow{"Public", "93.184.216.34", ""}, AddressRow{"PublicSix", "2606:2800:220:1::1", ""},
        AddressRow{"MappedPublic", "::ffff:93.184.216.34", ""},
        AddressRow{"TranslatedPublic", "64:ff9b::93.184.216.34", ""}, AddressRow{"Loopback", "127.0.0.1", "loopback"},
        AddressRow{"LoopbackFar", "127.255.3.4", "loopback"}, AddressRow{"LoopbackSix", "::1", "loopback"},
        AddressRow{"MappedLoopback", "::ffff:127.0.0.1", "loopback"},
        AddressRow{"MappedInHex", "::ffff:7f00:1", "loopback"},
        AddressRow{"CompatibleLoopback", "::127.0.0.1", "loopback"},
        AddressRow{"TranslatedLoopback", "64:ff9b::7f00:1", "loopback"},
        AddressRow{"SixToFourLoopback", "2002:7f00:1::", "loopback"},
        AddressRow{"Unspecified", "0.0.0.0", "unspecified"}, AddressRow{"UnspecifiedSix", "::", "unspecified"},
        AddressRow{"Metadata", "169.254.169.254", "cloud metadata"},
        AddressRow{"MappedMetadata", "::ffff:169.254.169.254", "cloud metadata"},
        AddressRow{"MetadataSix", "fd00:ec2::254", "cloud metadata"},
        AddressRow{"MetadataElsewhere", "100.100.100.200", "cloud metadata"},
        AddressRow{"PlatformServices", "168.63.129.16", "cloud metadata"},
        AddressRow{"LinkLocal", "169.254.1.1", "link-local"}, AddressRow{"LinkLocalSix", "fe80::1", "link-local"},
        AddressRow{"TenNet", "10.255.255.255", "private"}, AddressRow{"OneSevenTwo", "172.31.0.1", "private"},
        AddressRow{"BesideOneSevenTwo", "172.32.0.1", ""}, AddressRow{"OneNineTwo", "192.168.1.1", "private"},
        AddressRow{"UniqueLocal", "fdab::1", "private"},
        AddressRow{"ProviderNet", "100.127.0.1", "shared by a provider"},
        AddressRow{"BesideProviderNet", "100.128.0.1", ""}, AddressRow{"Multicast", "224.0.0.1", "multicast"},
        AddressRow{"Broadcast", "255.255.255.255", "reserved"}, AddressRow{"Teredo", "2001::1", "reserved"},
        AddressRow{"Documentation", "2001:db8::1", "for examples"}, AddressRow{"SiteLocal", "fec0::1", "reserved"}),
    [](const auto& test) { return test.param.name; });

TEST(Networks, AreReadWithTheirSize) {
  const AddressGuard guard{{parse_network("10.1.0.0/16").value(), parse_network("fd12::/32").value()}};
  EXPECT_EQ("", guard.refuses(*parse_address("10.1.255.255")));
  EXPECT_EQ("", guard.refuses(*parse_address("::ffff:10.1.2.3")));
  EXPECT_EQ("private", guard.refuses(*parse_address("10.2.0.0")));
  EXPECT_EQ("", guard.refuses(*parse_address("fd12:0:1::1")));
  EXPECT_EQ("private", guard.refuses(*parse_address("fd13::1")));
  for (const auto* bad :
       {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "fd00::/129", "localhost", "10.0.0/8", "1/2/3"}) {
    EXPECT_FALSE(parse_network(bad)) << bad;
  }
}

struct UrlRow {
  const char* name;
  std::string url;
  const char* refused;
};
void PrintTo(const UrlRow& row, std::ostream* out) { *out << row.name; }
class WebhookUrls : public testing::TestWithParam<UrlRow> {};
TEST_P(WebhookUrls, AreTakenOrRefusedWithTheReason) {
  const auto checked = check_webhook_url(GetParam().url, {});
  EXPECT_EQ(std::string_view(GetParam().refused).empty(), checked.has_value());
  if (!checked) EXPECT_THAT(checked.error().message, HasSubstr(GetParam().refused));
}
INSTANTIATE_TEST_SUITE_P(
    Table, WebhookUrls,
    testing::Values(UrlRow{"Https", "https://hooks.example.com/calls?k=1", ""},
                    UrlRow{"Http", "http://hooks.example.com/", "must be https"},
                    UrlRow{"Loopback", "https://127.0.0.1/", "loopback"},
                    UrlRow{"Localhost", "https://localhost:8443/", "loopback"},
                    UrlRow{"BelowLocalhost", "https://a.localhost/", "loopback"},
                    UrlRow{"LoopbackAsOneNumber", "https://2130706433/", "loopback"},
                    UrlRow{"LoopbackInHex", "https://0x7f.1/", "loopback"},
                    UrlRow{"LoopbackInOctal", "https://0177.0.0.1/", "loopback"},
                    UrlRow{"LoopbackMapped", "https://[::ffff:127.0.0.1]/", "loopback"},
                    UrlRow{"Metadata", "https://169.254.169.254/latest/meta-data", "cloud metadata"},
                    UrlRow{"User", "https://user:word@hooks.example.com/", "a user or a password"},
                    UrlRow{"Fragment", "https://hooks.example.com/#a", "never sent"},
                    UrlRow{"File", "file:///etc/passwd", "not an https URL"},
                    UrlRow{"Gopher", "gopher://hooks.example.com/", "not an https URL"},
                    UrlRow{"NoHost", "https://", "not an https URL"}, UrlRow{"Words", "not a url", "not an https URL"},
                    UrlRow{"LineBreak", "https://hooks.example.com/\r\nHost: x", "not an https URL"},
                    UrlRow{"TooLong", "https://hooks.example.com/" + std::string(2'000, 'a'), "longer than"}),
    [](const auto& test) { return test.param.name; });

TEST(WebhookUrl, OfAnAllowedNetworkMayBePlain) {
  const AddressGuard guard{{parse_network("127.0.0.0/8").value()}};
  EXPECT_TRUE(check_webhook_url("http://127.0.0.1:8080/hook", guard));
  EXPECT_FALSE(check_webhook_url("http://10.0.0.1:8080/hook", guard));
  EXPECT_EQ("http://127.0.0.1:8080", shown_url("http://127.0.0.1:8080/hook?token=secret"));
}

struct AnswerRow {
  const char* name;
  int status;
  const char* retry_after;
  bool arrived;
  std::int64_t waits_s;
};
void PrintTo(const AnswerRow& row, std::ostream* out) { *out << row.name; }
class Answers : public testing::TestWithParam<AnswerRow> {};
TEST_P(Answers, AreJudged) {
  const auto outcome = judge(GetParam().status, GetParam().retry_after);
  EXPECT_EQ(GetParam().arrived, outcome.error.empty()) << outcome.error;
  EXPECT_EQ(GetParam().waits_s, outcome.retry_after_s);
}
INSTANTIATE_TEST_SUITE_P(Table, Answers,
                         testing::Values(AnswerRow{"Ok", 200, "", true, 0}, AnswerRow{"NoContent", 204, "", true, 0},
                                         AnswerRow{"Redirect", 302, "", false, 0},
                                         AnswerRow{"NotModified", 304, "", false, 0},
                                         AnswerRow{"TooMany", 429, "120", false, 120},
                                         AnswerRow{"ADateIsNotRead", 503, "Fri, 31 Dec 2027 23:59:59 GMT", false, 0},
                                         AnswerRow{"Negative", 503, "-5", false, 0},
                                         AnswerRow{"Broken", 500, "", false, 0}),
                         [](const auto& test) { return test.param.name; });

/// Whatever is new among the records is either told to programs or knowingly kept to people.
TEST(WebhookTypes, EveryRecordIsOneOrConcernsPeopleOnly) {
  const std::set<std::string_view> people = {
      "import.half_way",     "import.flapping",   "access.ends_soon",    "import.approved", "import.window_changed",
      "simulation.finished", "store.nearly_full", "escalation.reminder", "messages.held",   "channel.down",
      "channel.restored",    "webhook.disabled",  "digest.daily",        "digest.weekly",   "message.test"};
  for (const auto& event : events()) {
    const auto type = type_of_event(event.id);
    EXPECT_EQ(people.contains(event.id), type.empty()) << event.id;
    if (!type.empty()) EXPECT_TRUE(is_webhook_type(type)) << type;
  }
}

/// A receiver that answers as the test says, and keeps what came.
class Receiver final : public simulations::Sandbox {
 public:
  SandboxReply handle(const SandboxRequest& request, Timestamp now) override {
    came.push_back(request);
    at.push_back(now);
    return answer ? answer(request) : SandboxReply{};
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const auto& request : came) all.emplace_back(simulations::find_header(request.headers, "webhook-id"));
    return all;
  }
  std::function<SandboxReply(const SandboxRequest&)> answer;
  std::vector<SandboxRequest> came;
  std::vector<Timestamp> at;
};

SandboxReply status(int code) {
  SandboxReply reply;
  reply.status = code;
  return reply;
}

class Sending : public storage::LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    vault_ = std::move(*storage::Vault::open(disk_, random_, "data/vault.db", "data/vault.key"));
  }
  void TearDown() override {
    sender_.reset();
    loop_.drop_all();
    http_.reset();
  }
  void begin() {
    http_ = std::make_unique<simulations::SandboxHttp>(receiver_, loop_);
    sender_ = std::make_unique<WebhookSender>(
        SenderParts{*library_, *vault_, *http_, loop_, loop_, loop_, random_, {"lib1", "callimport://lib1"}});
    sender_->start();
  }
  /// The process dies and starts again; nothing of the one before runs on.
  void die_and_start() {
    sender_.reset();
    loop_.drop_all();
    http_.reset();
    reopen();
    begin();
  }
  std::string seal(const Secret& secret) { return vault_->add("webhook", "", "webhook", secret, 0).value().str(); }
  Webhook add_endpoint(const std::string& id, std::vector<std::string> types = {}) {
    Webhook row;
    row.id = id;
    row.url = "https://" + id + ".example.com/hook";
    row.types = std::move(types);
    row.owner = "ana";
    row.secret = seal(Secret(kExampleSecret));
    EXPECT_OK(library_->change([&](LibraryTx& tx) { return tx.webhooks().add(row); }));
    return endpoint(id);
  }
  Webhook endpoint(const std::string& id) {
    Webhook found;
    EXPECT_OK(library_->look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
      TRY(auto row, find_webhook(reads, id));
      found = row.value_or(Webhook());
      return {};
    }));
    return found;
  }
  std::vector<WebhookMessage> messages(const Webhook& of) {
    std::vector<WebhookMessage> found;
    EXPECT_OK(library_->look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
      TRY(found, reads.messages(of.number, 0, 1'000));
      return {};
    }));
    return found;
  }
  std::vector<storage::WebhookAttempt> attempts(const WebhookMessage& of) {
    std::vector<storage::WebhookAttempt> found;
    EXPECT_OK(library_->look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
      TRY(found, reads.attempts(of.number));
      return {};
    }));
    return found;
  }
  void tell(const std::string& id, const std::string& event, const std::string& import = storage::kImport) {
    storage::Notification told;
    told.id = id;
    told.import = import;
    told.at_ms = to_unix_ms(loop_.now());
    told.event = event;
    EXPECT_OK(library_->change([&](LibraryTx& tx) { return tx.notify(told); }));
    if (sender_) sender_->wake();
  }
  void register_calls(int from, int count) {
    for (int i = from; i < from + count; ++i) take_in(storage::call_with("c" + std::to_string(i), {}));
    if (sender_) sender_->wake();
  }
  std::size_t records(const std::string& event) {
    std::size_t count = 0;
    const auto all = library_->notifications("", 1'000).value();
    for (const auto& one : all) count += one.event == event ? 1 : 0;
    return count;
  }

  simulations::SimLoop loop_;
  Receiver receiver_;
  std::unique_ptr<storage::Vault> vault_;
  std::unique_ptr<simulations::SandboxHttp> http_;
  std::unique_ptr<WebhookSender> sender_;
};

TEST_F(Sending, AMessageSaysThinlyHowTheImportStoodThen) {
  add_endpoint("whk_a");
  ASSERT_OK(library_->change([&](LibraryTx& tx) {
    return tx.set_lane(
        storage::kImport, storage::Lane::kBulk,
        {"fetch", "waiting", "platform.daily_quota", "", "a person's words", to_unix_ms(loop_.now()) + 5'000},
        to_unix_ms(loop_.now()));
  }));
  tell("ntf_1", "import.waiting");
  ASSERT_OK(library_->change([&](LibraryTx& tx) {
    return tx.set_lane(storage::kImport, storage::Lane::kBulk, {"fetch", "running", "", "", "", {}},
                       to_unix_ms(loop_.now()) + 1'000);
  }));
  begin();
  loop_.run_for(1s);
  ASSERT_THAT(receiver_.came, SizeIs(1));
  const auto& request = receiver_.came[0];
  EXPECT_EQ("POST", request.method);
  EXPECT_EQ("application/json", simulations::find_header(request.headers, "content-type"));
  const auto event = nlohmann::json::parse(request.body);
  EXPECT_EQ("1.0", event["specversion"]);
  EXPECT_EQ("ntf_1", event["id"]);
  EXPECT_EQ("/callimport/lib1", event["source"]);
  EXPECT_EQ("import.waiting", event["type"]);
  EXPECT_EQ("imp_1", event["subject"]);
  EXPECT_EQ("2026-09-01T00:00:00Z", event["time"]);
  const auto expected = nlohmann::json::parse(R"({
    "version": 1, "event": "import.waiting", "import": "imp_1", "url": "callimport://lib1/imports/imp_1",
    "lane": "bulk", "stage": "fetch", "condition": "waiting", "reason": "platform.daily_quota",
    "until": "2026-09-01T00:00:05Z",
    "counts": {"found": 0, "registered": 0, "duplicate": 0, "skipped": 0, "failed": 0, "pending": 0}})");
  EXPECT_EQ(expected, event["data"]) << "thin: no title, no words of people, no credential";
  const auto stamp = std::string(simulations::find_header(request.headers, "webhook-timestamp"));
  EXPECT_EQ(sign_message({Secret(kExampleSecret)}, "ntf_1", std::stoll(stamp), request.body).value(),
            simulations::find_header(request.headers, "webhook-signature"));
}

TEST_F(Sending, OnlyTypesThatAreWantedAndConcernPrograms) {
  add_endpoint("whk_a", {"import.completed"});
  add_endpoint("whk_b");
  begin();
  for (const auto* event : {"import.counted", "digest.daily", "import.completed"})
    tell("ntf_" + std::string(event), event);
  loop_.run_for(1s);
  EXPECT_THAT(messages(endpoint("whk_a")), SizeIs(1));
  EXPECT_THAT(messages(endpoint("whk_b")), SizeIs(2));
  EXPECT_THAT(receiver_.ids(),
              testing::UnorderedElementsAre("ntf_import.completed", "ntf_import.completed", "ntf_import.counted"))
      << "one event, one id, whoever is told";
}

TEST_F(Sending, TriesAgainByTheLadderUnderTheSameIdThenSwitchesOff) {
  add_endpoint("whk_a");
  begin();
  receiver_.answer = [](const SandboxRequest&) { return status(500); };
  tell("ntf_1", "import.completed");
  loop_.run_for(72h);
  EXPECT_TRUE(endpoint("whk_a").enabled);
  EXPECT_THAT(receiver_.came, SizeIs(9));
  loop_.run_for(12h);
  ASSERT_THAT(receiver_.came, SizeIs(kLadderAttempts));
  EXPECT_THAT(receiver_.ids(), testing::Each("ntf_1"));
  for (std::size_t i = 1; i < receiver_.at.size(); ++i) {
    EXPECT_GE(receiver_.at[i] - receiver_.at[i - 1], kLadder.at(i));
    EXPECT_LE(receiver_.at[i] - receiver_.at[i - 1], kLadder.at(i) * 11 / 10 + 1s);
  }
  const auto off = endpoint("whk_a");
  EXPECT_FALSE(off.enabled);
  EXPECT_THAT(off.why, HasSubstr("three days"));
  EXPECT_EQ(1u, records("webhook.disabled")) << "the owner is told";
  EXPECT_EQ("failed", messages(off)[0].state);
  auto counts = told_counts().by_result;  // of the whole process
  EXPECT_LE(std::uint64_t{kLadderAttempts - 1}, (counts[{"webhook", "import.completed", "put_off"}]));
  EXPECT_LE(1u, (counts[{"webhook", "import.completed", "failed"}]));
  EXPECT_EQ("it answered 500", attempts(messages(off)[0]).back().error);
  loop_.run_for(100h);
  EXPECT_THAT(receiver_.came, SizeIs(kLadderAttempts));
}

TEST_F(Sending, OneThatFailsAmongOthersThatArriveSwitchesNothingOff) {
  add_endpoint("whk_a");
  begin();
  receiver_.answer = [](const SandboxRequest& asked) {
    return status(simulations::find_header(asked.headers, "webhook-id") == "ntf_poison" ? 500 : 200);
  };
  tell("ntf_poison", "import.completed");
  loop_.run_for(60h);
  tell("ntf_2", "import.started");
  loop_.run_for(60h);
  EXPECT_TRUE(endpoint("whk_a").enabled);
  EXPECT_EQ("failed", messages(endpoint("whk_a"))[1].state);
  EXPECT_EQ("delivered", messages(endpoint("whk_a"))[0].state);
}

TEST_F(Sending, AReceiverThatIsGoneIsAskedNoMore) {
  add_endpoint("whk_a");
  begin();
  receiver_.answer = [](const SandboxRequest&) { return status(410); };
  tell("ntf_1", "import.started");
  tell("ntf_2", "import.completed");
  loop_.run_for(1h);
  const auto off = endpoint("whk_a");
  EXPECT_FALSE(off.enabled);
  EXPECT_THAT(off.why, HasSubstr("410"));
  EXPECT_EQ(1u, records("webhook.disabled"));
  const auto asked = receiver_.came.size();
  EXPECT_LE(asked, 2u);
  tell("ntf_3", "import.completed");
  loop_.run_for(100h);
  EXPECT_EQ(asked, receiver_.came.size());

  // Switched on again it goes on where it stopped: nothing was lost.
  receiver_.answer = nullptr;
  receiver_.came.clear();
  ASSERT_OK(library_->change([&](LibraryTx& tx) {
    auto row = off;
    return switch_webhook(tx, row, true, "", to_unix_ms(loop_.now()));
  }));
  sender_->wake();
  loop_.run_for(1s);
  EXPECT_THAT(receiver_.ids(), testing::IsSupersetOf({"ntf_1", "ntf_2", "ntf_3"}));
}

TEST_F(Sending, ADeathBetweenTheAnswerAndItsRowSendsTheSameIdAgain) {
  add_endpoint("whk_a");
  begin();
  tell("ntf_1", "import.completed");
  // The receiver has it, and the process is gone before anything is written down.
  ASSERT_TRUE(loop_.run_until([&] { return receiver_.came.size() == 1; }));
  EXPECT_EQ("queued", messages(endpoint("whk_a"))[0].state);
  die_and_start();
  loop_.run_for(1s);
  EXPECT_THAT(receiver_.ids(), ElementsAre("ntf_1", "ntf_1"));
  EXPECT_EQ(receiver_.came[0].body, receiver_.came[1].body) << "the same bytes, too";
  EXPECT_EQ("delivered", messages(endpoint("whk_a"))[0].state);
  EXPECT_THAT(attempts(messages(endpoint("whk_a"))[0]), SizeIs(1));
}

TEST_F(Sending, ADeathWhileCallsAreHandedOverSendsTheSameMessageAgain) {
  add_endpoint("whk_a", {"call.registered"});
  register_calls(0, 3);
  begin();
  ASSERT_TRUE(loop_.run_until([&] { return receiver_.came.size() == 1; }));
  die_and_start();
  loop_.run_for(1min);
  ASSERT_THAT(receiver_.came, SizeIs(2));
  EXPECT_EQ(receiver_.ids()[0], receiver_.ids()[1]);
  EXPECT_EQ(receiver_.came[0].body, receiver_.came[1].body);
}

TEST_F(Sending, ATimeOutIsAFailureWithItsReason) {
  add_endpoint("whk_a");
  begin();
  receiver_.answer = [](const SandboxRequest&) {
    SandboxReply slow;
    slow.delay = 1h;
    return slow;
  };
  tell("ntf_1", "import.completed");
  loop_.run_for(25s);
  const auto tried = attempts(messages(endpoint("whk_a"))[0]);
  ASSERT_THAT(tried, SizeIs(1));
  EXPECT_EQ(0, tried[0].status);
  EXPECT_EQ(20'000, tried[0].took_ms);
  EXPECT_THAT(tried[0].error, Not(IsEmpty()));
}

TEST_F(Sending, AReceiverThatHangsHoldsUpNoOther) {
  add_endpoint("whk_a");
  add_endpoint("whk_b");
  begin();
  receiver_.answer = [](const SandboxRequest& asked) {
    SandboxReply reply;
    if (simulations::find_header(asked.headers, "host").starts_with("whk_a")) reply.delay = 1h;
    return reply;
  };
  for (int i = 0; i < 20; ++i) tell("ntf_" + std::to_string(i), "import.counted");
  loop_.run_for(2s);
  std::size_t arrived = 0;
  for (const auto& message : messages(endpoint("whk_b"))) arrived += message.state == "delivered" ? 1 : 0;
  EXPECT_EQ(20u, arrived);
  for (const auto& message : messages(endpoint("whk_a"))) EXPECT_EQ("queued", message.state);
}

TEST_F(Sending, CallsAreHandedOverWithWhatTheContractNames) {
  add_endpoint("whk_a", {"call.registered"});
  begin();
  loop_.run_idle();  // a start takes all that is there
  register_calls(1, 1);
  loop_.run_for(4s);
  EXPECT_THAT(receiver_.came, IsEmpty()) << "fewer than a message's wait for company";
  loop_.run_for(2s);
  ASSERT_THAT(receiver_.came, SizeIs(1));
  const auto event = nlohmann::json::parse(receiver_.came[0].body);
  EXPECT_EQ("call.registered", event["type"]);
  EXPECT_EQ("imp_1", event["subject"]);
  EXPECT_EQ(1, event["data"]["version"]);
  EXPECT_EQ(1, event["data"]["counts"]["calls"]);
  auto call = event["data"]["calls"][0];
  EXPECT_THAT(call["id"].get<std::string>(), testing::StartsWith("call_"));
  EXPECT_EQ(nlohmann::json::parse(R"({"platform":"grain","workspace":"acme","source_id":"c1","source":"zoom"})"),
            call["data_source"]);
  EXPECT_EQ(storage::hash_for("c1"), call["media"]["sha256"].get<std::string>());
  EXPECT_EQ("ready", call["transcript"]);
  EXPECT_EQ("1970-01-01T00:00:05Z", call["start"]);
  EXPECT_THAT(receiver_.came[0].body, Not(HasSubstr("Ada"))) << "no people";
  EXPECT_THAT(receiver_.came[0].body, Not(HasSubstr("Call c1"))) << "no titles";
}

TEST_F(Sending, ManyCallsAreAFewRowsAndEachArrivesOnce) {
  constexpr int kMany = 330;
  add_endpoint("whk_a", {"call.registered"});
  begin();
  receiver_.answer = [](const SandboxRequest&) { return status(503); };
  register_calls(0, kMany);
  loop_.run_for(1min);
  EXPECT_THAT(messages(endpoint("whk_a")), SizeIs(kCallMessagesQueuedMax))
      << "the rest are no rows while nobody takes them";
  receiver_.answer = nullptr;
  receiver_.came.clear();
  loop_.run_for(1h);
  std::set<std::string> calls;
  std::size_t told = 0;
  for (const auto& request : receiver_.came) {
    const auto event = nlohmann::json::parse(request.body);
    EXPECT_LE(event["data"]["calls"].size(), static_cast<std::size_t>(kCallsPerMessage));
    for (const auto& call : event["data"]["calls"]) {
      calls.insert(call["data_source"]["source_id"]);
      ++told;
    }
  }
  EXPECT_THAT(receiver_.came, SizeIs((kMany + kCallsPerMessage - 1) / kCallsPerMessage));
  EXPECT_EQ(static_cast<std::size_t>(kMany), told);
  EXPECT_THAT(calls, SizeIs(kMany));
}

TEST_F(Sending, AnEndpointThatTakesNothingKeepsABoundedQueue) {
  add_endpoint("whk_a");
  begin();
  receiver_.answer = [](const SandboxRequest&) { return status(500); };
  for (int i = 0; i < kNewsQueuedMax + 50; ++i) tell("ntf_" + std::to_string(i), "import.counted");
  loop_.run_for(1min);
  EXPECT_THAT(messages(endpoint("whk_a")), SizeIs(kNewsQueuedMax));
  receiver_.answer = nullptr;
  loop_.run_for(1h);
  EXPECT_THAT(messages(endpoint("whk_a")), SizeIs(kNewsQueuedMax + 50));
  for (const auto& message : messages(endpoint("whk_a"))) EXPECT_EQ("delivered", message.state);
}

TEST_F(Sending, TheLogIsBounded) {
  add_endpoint("whk_a");
  begin();
  for (int i = 0; i < kMessagesKept + 30; ++i) {
    tell("ntf_" + std::to_string(i), "import.counted");
    loop_.run_for(1s);
  }
  EXPECT_THAT(messages(endpoint("whk_a")), SizeIs(kMessagesKept));
  EXPECT_EQ("ntf_" + std::to_string(kMessagesKept + 29), messages(endpoint("whk_a"))[0].id);
}

TEST_F(Sending, AnOldSecretSignsUntilItsTimeIsOver) {
  auto row = add_endpoint("whk_a");
  const Secret fresh = new_signing_secret(random_);
  row.old_secret = row.secret;
  row.secret = seal(fresh);
  row.old_until_ms = to_unix_ms(loop_.now() + 1h);
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.webhooks().set(row); }));
  begin();
  tell("ntf_1", "import.started");
  loop_.run_for(2h);
  tell("ntf_2", "import.completed");
  loop_.run_for(1s);
  ASSERT_THAT(receiver_.came, SizeIs(2));
  const auto signature = [&](std::size_t i) {
    return std::string(simulations::find_header(receiver_.came[i].headers, "webhook-signature"));
  };
  const auto signed_by = [&](std::size_t i, const std::vector<Secret>& secrets) {
    const auto stamp = std::string(simulations::find_header(receiver_.came[i].headers, "webhook-timestamp"));
    return sign_message(secrets, receiver_.ids()[i], std::stoll(stamp), receiver_.came[i].body).value();
  };
  EXPECT_EQ(signed_by(0, {fresh, Secret(kExampleSecret)}), signature(0));
  EXPECT_EQ(signed_by(1, {fresh}), signature(1));
  EXPECT_EQ("", endpoint("whk_a").old_secret);
  EXPECT_FALSE(vault_->open_sealed(CredentialId::parse(row.old_secret).value())) << "wiped";
}

TEST_F(Sending, SendsOneNowWhateverItsStateAndSaysWhatCame) {
  auto row = add_endpoint("whk_a");
  row.enabled = false;
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.webhooks().set(row));
    WebhookMessage test;
    test.webhook = row.number;
    test.id = "evt_test";
    test.type = kWebhookTest;
    test.body = "{}";
    return tx.webhooks().put(test);
  }));
  begin();
  receiver_.answer = [](const SandboxRequest&) { return status(418); };
  std::optional<Result<storage::WebhookAttempt>> made, missing;
  sender_->send_now("whk_a", "evt_test", [&](Result<storage::WebhookAttempt> got) { made = std::move(got); });
  sender_->send_now("whk_a", "evt_none", [&](Result<storage::WebhookAttempt> got) { missing = std::move(got); });
  loop_.run_for(1s);
  ASSERT_TRUE(made && *made);
  EXPECT_EQ(418, (*made)->status);
  EXPECT_EQ("failed", messages(row)[0].state) << "a test is not tried again";
  ASSERT_TRUE(missing);
  EXPECT_EQ(Code::kNotFound, missing->error().code);
}

/// Those of a file from before the one with `sql`; all of them when none has it.
std::span<const storage::Migration> migrations_before(std::string_view sql) {
  const std::span<const storage::Migration> all = storage::library_schema::kMigrations;
  const auto ours = std::find_if(all.begin(), all.end(), [sql](const storage::Migration& one) {
    return one.sql.find(sql) != std::string_view::npos;
  });
  return all.first(static_cast<std::size_t>(ours - all.begin()));
}

/// A file of the schema before: its calls are told to whoever asks for all of them.
TEST_F(Sending, AnOlderFileIsMigrated) {
  const auto older = migrations_before("CREATE TABLE webhook(");
  ASSERT_LT(older.size(), storage::library_schema::kMigrations.size());
  path_ = "data/older.db";
  {
    auto db = storage::Database::open(disk_, path_, {.migrations = older});
    ASSERT_TRUE(db) << db.error().message;
    ASSERT_OK(db->exec(
        "INSERT INTO import(id, platform, workspace, title, credential, input, created_ms)"
        " VALUES('imp_1', 'grain', 'acme', '', '', '{}', 1);"
        "INSERT INTO call(id, platform, workspace, source_id, import, title, source, media_type, start_ms,"
        " tags, transcript_state, details, fetched_ms)"
        " VALUES('call_1', 'grain', 'acme', 'c1', 'imp_1', '', 'zoom', 'audio', 5000, '[]', 'missing', '{}', 1)"));
  }
  reopen();
  add_endpoint("whk_a", {"call.registered"});
  begin();
  loop_.run_for(10s);
  ASSERT_THAT(receiver_.came, SizeIs(1));
  const auto call = nlohmann::json::parse(receiver_.came[0].body)["data"]["calls"][0];
  EXPECT_EQ("call_1", call["id"]);
  EXPECT_TRUE(call["media"].is_null());
}

TEST_F(Sending, CallsThatWereTakenOutAgainDoNotHideThoseThatFollow) {
  add_endpoint("whk_a", {"call.registered"});
  begin();
  register_calls(0, 3);
  loop_.run_for(10s);
  ASSERT_THAT(receiver_.came, SizeIs(1));
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.close_import(storage::kImport, 1, "{}"));
    TRY(const auto done, tx.undo_calls(storage::kImport, {}, 100));
    EXPECT_EQ(3, done.removed);
    return tx.reopen_import(storage::kImport);
  }));
  register_calls(10, 2);
  loop_.run_for(10s);
  ASSERT_THAT(receiver_.came, SizeIs(2));
  EXPECT_EQ(2u, nlohmann::json::parse(receiver_.came[1].body)["data"]["calls"].size());
}

/// Calls that other imports bring again, and words that come later.
class Changing : public Sending {
 protected:
  /// By an import of its own each time, as a call ends once in one.
  void bring_again(const storage::Call& call, storage::DuplicatePolicy policy) {
    const std::string import = "imp_again" + std::to_string(++imports_);
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.put_import(storage::import_row(import)));
      TRY_VOID(tx.add_manifest(import, {storage::manifest_row(call.source_id)}, {}, policy));
      TRY(const auto state, tx.register_call(import, call, policy));
      EXPECT_EQ(storage::CallState::kDuplicate, state);
      return {};
    }));
    if (sender_) sender_->wake();
  }
  void give_words(const std::string& source_id) {
    const storage::Words words{.segments = {storage::segment("heard")}, .state = "made", .made_by = "whisper"};
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.add_words(storage::kImport, source_id, words); }));
    if (sender_) sender_->wake();
  }
  /// Of each message its calls: "c1 words media".
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    for (const auto& request : receiver_.came) {
      const auto event = nlohmann::json::parse(request.body);
      EXPECT_EQ("call.updated", event["type"]);
      EXPECT_EQ(event["data"]["calls"].size(), event["data"]["counts"]["calls"]);
      std::string line;
      for (const auto& call : event["data"]["calls"]) {
        line += (line.empty() ? "" : ", ") + call["data_source"]["source_id"].get<std::string>();
        for (const auto& what : call["changed"]) line += " " + what.get<std::string>();
      }
      lines.push_back(line);
    }
    return lines;
  }
  static storage::Call wordless(const std::string& source_id) {
    auto call = storage::call_with(source_id, {});
    call.transcript_state = "missing";
    return call;
  }
  int imports_ = 0;
};

TEST_F(Changing, WordsThatComeLaterAreToldAgain) {
  take_in(wordless("c1"));
  add_endpoint("whk_a", {"call.updated"});
  begin();
  loop_.run_for(10s);
  EXPECT_THAT(told(), IsEmpty()) << "a call as it came is no change";
  give_words("c1");
  loop_.run_for(4s);
  EXPECT_THAT(told(), IsEmpty()) << "it waits for company";
  loop_.run_for(2s);
  EXPECT_THAT(told(), testing::ElementsAre("c1 words"));
  const auto event = nlohmann::json::parse(receiver_.came[0].body);
  EXPECT_EQ("imp_1", event["subject"]);
  EXPECT_EQ(1, event["data"]["version"]);
  EXPECT_EQ("made", event["data"]["calls"][0]["transcript"]) << "as it is now";
  give_words("c1");
  loop_.run_for(10s);
  EXPECT_THAT(told(), SizeIs(1)) << "a call that has words keeps them";
}

TEST_F(Changing, ContentInThePlaceOfOtherIsToldAndTheSameIsNot) {
  auto call = storage::call_with("c1", {storage::segment("old words")});
  take_in(call);
  add_endpoint("whk_a", {"call.updated"});
  begin();
  loop_.run_for(10s);
  call.fetched_ms += 1'000;
  bring_again(call, storage::DuplicatePolicy::kUpdate);
  loop_.run_for(10s);
  EXPECT_THAT(told(), IsEmpty()) << "brought again as it was";
  call.title = "Another title";
  bring_again(call, storage::DuplicatePolicy::kUpdate);
  loop_.run_for(10s);
  EXPECT_THAT(told(), testing::ElementsAre("c1 details"));
  call.media->hash = storage::hash_for("other");
  call.segments = {storage::segment("new words")};
  bring_again(call, storage::DuplicatePolicy::kReplace);
  loop_.run_for(10s);
  EXPECT_THAT(told(), testing::ElementsAre("c1 details", "c1 details words media")) << "all that is newer than it came";
}

TEST_F(Changing, SeveralChangesOfACallAreOneAndEachEndpointHasItsPlace) {
  for (const char* id : {"c1", "c2"}) take_in(wordless(id));
  add_endpoint("whk_a", {"call.updated"});
  begin();
  loop_.run_for(10s);
  give_words("c1");
  give_words("c2");
  auto again = wordless("c1");
  again.title = "Another title";
  bring_again(again, storage::DuplicatePolicy::kUpdate);
  loop_.run_for(10s);
  EXPECT_THAT(told(), testing::ElementsAre("c2 words, c1 details words"));
  die_and_start();
  loop_.run_for(10s);
  EXPECT_THAT(told(), SizeIs(1)) << "a restart tells nothing again";
  take_in(wordless("c3"));
  give_words("c3");
  loop_.run_for(10s);
  EXPECT_THAT(told(), testing::ElementsAre("c2 words, c1 details words", "c3 words"));
}

/// An endpoint of before stands at its place and is told from there on.
TEST_F(Changing, AnOlderFileIsMigrated) {
  const auto older = migrations_before("CREATE TABLE call_change(");
  ASSERT_LT(older.size(), storage::library_schema::kMigrations.size());
  path_ = "data/older.db";
  {
    auto db = storage::Database::open(disk_, path_, {.migrations = older});
    ASSERT_TRUE(db) << db.error().message;
    ASSERT_OK(db->exec(
        "INSERT INTO webhook(id, url, types, owner, state, why, secret, old_secret, old_until_ms, created_ms,"
        " news_after, calls_after) VALUES('whk_old', 'https://a.example.com/', '[\"call.updated\"]', 'ana', 'enabled',"
        " '', '" +
        seal(Secret(kExampleSecret)) + "', '', 0, 0, 0, 0)"));
  }
  reopen();
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.put_import(storage::import_row()); }));
  take_in(wordless("c1"));
  begin();
  give_words("c1");
  loop_.run_for(10s);
  EXPECT_THAT(told(), testing::ElementsAre("c1 words"));
}

}  // namespace
}  // namespace callimport::activities
