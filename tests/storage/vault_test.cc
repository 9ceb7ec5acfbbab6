// The vault: secrets come back by their handle and by nothing else, and are seen nowhere.
#include "storage/vault/vault.h"

#include <gtest/gtest.h>

#include <array>
#include <new>
#include <string>
#include <vector>

#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "storage/sqlite/database.h"
#include "storage/vault/oauth_bundle.h"

namespace callimport::storage {
namespace {

constexpr const char* kPath = "data/vault.db";
constexpr const char* kKeyPath = "data/vault.key";
const std::string kPlanted = "grain_pat_PLANTEDqX81zzSECRETtail7f";

class VaultTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_dirs("data").has_value());
    open();
  }
  void open() {
    vault_.reset();
    auto opened = Vault::open(disk_, random_, kPath, kKeyPath);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    vault_ = *std::move(opened);
  }
  CredentialId add(const std::string& text, const std::string& kind = "pat") {
    return vault_->add("grain", "acme", kind, Secret(text), 1'000).value();
  }
  CredentialFacts facts_of(const CredentialId& id) {
    for (const auto listed = vault_->list().value(); const auto& facts : listed) {
      if (facts.id == id.str()) return facts;
    }
    ADD_FAILURE() << id.str() << " is not listed";
    return {};
  }
  /// Every byte of every file in the folder.
  std::string all_bytes() {
    std::string all;
    for (const auto names = disk_.list("data").value(); const auto& name : names) {
      if (name == "vault.key") continue;
      auto file = disk_.open("data/" + name, OpenMode::kRead).value();
      std::string bytes(file->size().value(), '\0');
      EXPECT_EQ(bytes.size(), file->read(0, std::as_writable_bytes(std::span(bytes))).value());
      all += bytes;
    }
    return all;
  }
  std::string sealed_bytes(const CredentialId& id) {
    vault_.reset();
    std::string sealed;
    {
      auto db = Database::open(disk_, kPath, {.migrations = {}}).value();
      Statement get(db, "SELECT sealed FROM credential WHERE id = ?1");
      EXPECT_TRUE(get.bind(1, id.str()).step().value());
      sealed = get.blob(0);
    }
    open();
    return sealed;
  }
  void run_sql(const std::string& sql) {
    vault_.reset();
    {
      auto db = Database::open(disk_, kPath, {.migrations = {}}).value();
      ASSERT_TRUE(db.exec(sql).has_value());
    }
    open();
  }
  void write_key(const std::string& bytes) {
    vault_.reset();
    auto file = disk_.open(kKeyPath, OpenMode::kCreate).value();
    ASSERT_TRUE(file->truncate(0).has_value());
    ASSERT_TRUE(file->write(0, std::as_bytes(std::span(bytes))).has_value());
  }

  simulations::SimDisk disk_;
  simulations::SeededRandom random_{3};
  std::unique_ptr<Vault> vault_;
};

TEST_F(VaultTest, GivesBackWhatItSealed) {
  std::vector<std::pair<CredentialId, std::string>> added;
  for (const std::string& text :
       {kPlanted, std::string("x"), std::string(16 << 10, 'k'), std::string("pässwörd with spaces")}) {
    added.emplace_back(add(text), text);
  }
  open();
  for (const auto& [id, text] : added) EXPECT_EQ(text, vault_->open_sealed(id)->reveal());
  const auto listed = vault_->list().value();
  ASSERT_EQ(4u, listed.size());
  EXPECT_EQ(added[0].first.str(), listed[0].id);
  EXPECT_EQ("grain", listed[0].platform);
  EXPECT_EQ("acme", listed[0].workspace);
  EXPECT_EQ("pat", listed[0].kind);
  EXPECT_EQ(1'000, listed[0].added_ms);
  EXPECT_EQ(std::nullopt, listed[0].wiped_ms);
}

struct Row {
  const char* name;
  std::string text;
  bool taken;
  std::string label = "";
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
class VaultTexts : public VaultTest, public testing::WithParamInterface<Row> {};

TEST_P(VaultTexts, AreTakenOrRefusedWithoutBeingShown) {
  const auto& row = GetParam();
  const auto id = vault_->add("grain", "acme", "pat", Secret(row.text), 1);
  ASSERT_EQ(row.taken, id.has_value());
  if (row.taken) {
    EXPECT_EQ(row.label, facts_of(*id).label);
    return;
  }
  EXPECT_EQ(Code::kInvalid, id.error().code);
  EXPECT_EQ(std::string::npos, id.error().message.find("PLANTED"));
  EXPECT_TRUE(vault_->list()->empty());
}

INSTANTIATE_TEST_SUITE_P(
    Texts, VaultTexts,
    testing::Values(Row{"Usual", kPlanted, true, "grai…7f"}, Row{"Seventeen", "abcdefghijklmnopq", true, "abcd…"},
                    Row{"Eighteen", "abcdefghijklmnopqr", true, "abcd…qr"}, Row{"Eleven", "abcdefghijk", true, "…"},
                    Row{"Twelve", "abcdefghijkl", true, "abcd…"}, Row{"One", "x", true, "…"},
                    Row{"NotAscii", "ключ-ключ-ключ-ключ", true, "…"}, Row{"Empty", "", false},
                    Row{"Newline", kPlanted + "\n", false}, Row{"NewlineInside", "PLANTED\r\nx", false},
                    Row{"Tab", "PLANTED\tx", false}, Row{"Nul", std::string("PLANTED\0x", 9), false},
                    Row{"Delete", "PLANTED\x7f", false}, Row{"SpaceBefore", " PLANTED", false},
                    Row{"SpaceAfter", "PLANTED ", false}, Row{"AtLimit", std::string(16 << 10, 'a'), true, "aaaa…aa"},
                    Row{"OverLimit", "PLANTED" + std::string(16 << 10, 'a'), false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(VaultTest, NoSecretIsInTheFilesNorInErrors) {
  const auto first = add(kPlanted);
  const auto second = add(kPlanted + "again", "oauth");
  ASSERT_TRUE(vault_->replace(first, Secret("renewed" + kPlanted)).has_value());
  EXPECT_EQ(std::string::npos, all_bytes().find("PLANTED")) << "in the WAL";
  vault_.reset();
  EXPECT_EQ(std::string::npos, all_bytes().find("PLANTED")) << "in the database";
  EXPECT_NE(std::string::npos, all_bytes().find(first.str())) << "this test looks at the wrong bytes";
  open();
  std::string errors;
  errors += vault_->replace(first, Secret(kPlanted + "\n")).error().message;
  ASSERT_TRUE(vault_->wipe(second, 5).has_value());
  errors += vault_->open_sealed(second).error().message;
  errors += vault_->replace(second, Secret(kPlanted)).error().message;
  disk_.fail_nth(simulations::kOpChanges, 1, simulations::FaultLife::kFromThenOn);
  errors += vault_->add("grain", "acme", "pat", Secret(kPlanted), 1).error().message;
  EXPECT_EQ(std::string::npos, errors.find("PLANTED")) << errors;
  EXPECT_EQ(std::string::npos, errors.find("SECRET")) << errors;
}

TEST_F(VaultTest, ReplacingKeepsTheHandle) {
  const auto id = add(kPlanted);
  ASSERT_TRUE(vault_->replace(id, Secret("a-new-token-of-some-length")).has_value());
  open();
  EXPECT_EQ("a-new-token-of-some-length", vault_->open_sealed(id)->reveal());
  EXPECT_EQ("a-ne…th", facts_of(id).label);
  EXPECT_EQ(1'000, facts_of(id).added_ms);
  const auto unknown = CredentialId::parse("cred_nobody").value();
  EXPECT_EQ(Code::kNotFound, vault_->replace(unknown, Secret("x")).error().code);
  EXPECT_EQ(Code::kNotFound, vault_->open_sealed(unknown).error().code);
  EXPECT_EQ(Code::kNotFound, vault_->wipe(unknown, 1).error().code);
}

TEST_F(VaultTest, WipedBytesAreGoneAndTheFactsStay) {
  const auto id = add(kPlanted);
  const auto other = add("another token");
  const std::string sealed = sealed_bytes(id);
  ASSERT_EQ(kPlanted.size() + 16, sealed.size());
  ASSERT_NE(std::string::npos, all_bytes().find(sealed));
  ASSERT_TRUE(vault_->wipe(id, 7'000).has_value());
  EXPECT_EQ(std::string::npos, all_bytes().find(sealed));
  EXPECT_EQ(std::string::npos, all_bytes().find(sealed.substr(0, 16)));
  EXPECT_EQ(7'000, facts_of(id).wiped_ms);
  EXPECT_EQ("grai…7f", facts_of(id).label);
  EXPECT_EQ(Code::kNotFound, vault_->open_sealed(id).error().code);
  EXPECT_EQ(Code::kNotFound, vault_->replace(id, Secret("x")).error().code);
  EXPECT_TRUE(vault_->wipe(id, 9'000).has_value());
  EXPECT_EQ(7'000, facts_of(id).wiped_ms);
  EXPECT_EQ("another token", vault_->open_sealed(other)->reveal());
}

TEST_F(VaultTest, ASealedTextOpensUnderItsOwnFactsOnly) {
  const auto a = add(kPlanted), b = add("another token");
  run_sql("UPDATE credential SET (nonce, sealed) = (SELECT nonce, sealed FROM credential WHERE id = '" + a.str() +
          "') WHERE id = '" + b.str() + "'");
  EXPECT_EQ(Code::kCorrupt, vault_->open_sealed(b).error().code) << "moved to another handle";
  run_sql("UPDATE credential SET workspace = 'globex'");
  EXPECT_EQ(Code::kCorrupt, vault_->open_sealed(a).error().code) << "moved to another workspace";
  run_sql("UPDATE credential SET workspace = 'acme'");
  EXPECT_EQ(kPlanted, vault_->open_sealed(a)->reveal());
  run_sql("UPDATE credential SET sealed = CAST(sealed || x'00' AS BLOB)");
  EXPECT_EQ(Code::kCorrupt, vault_->open_sealed(a).error().code) << "damaged";
  run_sql("UPDATE credential SET sealed = x'00', nonce = x''");
  EXPECT_EQ(Code::kCorrupt, vault_->open_sealed(a).error().code) << "cut";
}

TEST_F(VaultTest, AMissingKeyIsAskedBack) {
  add(kPlanted);
  vault_.reset();
  ASSERT_TRUE(disk_.rename(kKeyPath, "data/elsewhere").has_value());
  const auto refused = Vault::open(disk_, random_, kPath, kKeyPath);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kNotFound, refused.error().code);
  EXPECT_NE(std::string::npos, refused.error().message.find(kKeyPath)) << refused.error().message;
  EXPECT_NE(std::string::npos, refused.error().message.find("copy")) << refused.error().message;
  EXPECT_FALSE(disk_.exists(kKeyPath).value()) << "a new key beside an old database";
  ASSERT_TRUE(disk_.rename("data/elsewhere", kKeyPath).has_value());
  open();
}

TEST_F(VaultTest, AWrongKeyIsNamed) {
  add(kPlanted);
  for (const std::string& bytes : {std::string(32, 'w'), std::string(31, 'w'), std::string(33, 'w'), std::string()}) {
    write_key(bytes);
    const auto refused = Vault::open(disk_, random_, kPath, kKeyPath);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(Code::kCorrupt, refused.error().code);
    EXPECT_NE(std::string::npos, refused.error().message.find(kKeyPath)) << refused.error().message;
  }
}

TEST_F(VaultTest, AKeyThatIsThereIsUsedForANewDatabase) {
  write_key(std::string(32, 'w'));
  ASSERT_TRUE(disk_.remove(kPath).has_value());
  open();
  const auto id = add(kPlanted);
  open();
  EXPECT_EQ(kPlanted, vault_->open_sealed(id)->reveal());
}

OAuthBundle bundle_of(const std::string& access, std::int64_t expires_ms) {
  OAuthBundle bundle;
  bundle.access = Secret(access);
  bundle.refresh = Secret("grainrt_PLANTEDrefreshPLANTED");
  bundle.client_id = "callimport";
  bundle.client_secret = Secret("PLANTEDclient");
  bundle.token_endpoint = "https://api.grain.test/token";
  bundle.expires_ms = expires_ms;
  return bundle;
}

TEST_F(VaultTest, AnOAuthBundleShowsItsAccessTokenAndItsEndOnly) {
  const auto id =
      vault_->add("grain", "acme", "oauth", write_bundle(bundle_of("grainat_PLANTEDaccess9z", 7'000)), 1).value();
  open();
  EXPECT_EQ("grai…9z", facts_of(id).label);
  EXPECT_EQ(7'000, facts_of(id).expires_ms);
  EXPECT_EQ(std::string::npos, all_bytes().find("PLANTED"));
  const auto opened = vault_->open_credential(id).value();
  EXPECT_EQ("oauth", opened.kind);
  const auto bundle = read_bundle(opened.secret, 0, {}).value();
  EXPECT_EQ("grainrt_PLANTEDrefreshPLANTED", bundle.refresh.reveal());
  EXPECT_EQ("PLANTEDclient", bundle.client_secret.reveal());
  ASSERT_TRUE(
      vault_->renew(id, opened.generation, write_bundle(bundle_of("grainat_another-accessQQ", 9'000))).has_value());
  EXPECT_EQ("grai…QQ", facts_of(id).label);
  EXPECT_EQ(9'000, facts_of(id).expires_ms);
}

TEST_F(VaultTest, ARenewalOfWhatWasReplacedIsRefused) {
  const auto id = add(kPlanted);
  const auto first = vault_->open_credential(id).value();
  ASSERT_TRUE(vault_->replace(id, Secret("put in by a person")).has_value());
  const auto late = vault_->renew(id, first.generation, Secret("renewed"));
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(Code::kConflict, late.error().code);
  EXPECT_EQ("put in by a person", vault_->open_sealed(id)->reveal());
  const auto second = vault_->open_credential(id).value();
  EXPECT_GT(second.generation, first.generation);
  EXPECT_TRUE(vault_->renew(id, second.generation, Secret("renewed")).has_value());
}

TEST_F(VaultTest, RemembersThatAnAnswerWasNeverSealed) {
  const auto id = add(kPlanted);
  EXPECT_FALSE(vault_->note_asked(id, 1).value());
  open();
  EXPECT_TRUE(vault_->note_asked(id, 2).value()) << "the one before left no answer";
  ASSERT_TRUE(vault_->replace(id, Secret("answered")).has_value());
  EXPECT_FALSE(vault_->note_asked(id, 3).value());
}

struct BundleRow {
  const char* name;
  std::string text;
  const char* wrong;  ///< part of the refusal; empty: taken
};
void PrintTo(const BundleRow& row, std::ostream* out) { *out << row.name; }
class Bundles : public testing::TestWithParam<BundleRow> {};
TEST_P(Bundles, AreReadOrRefusedWithoutBeingShown) {
  const auto& row = GetParam();
  const auto bundle = read_bundle(Secret(row.text), 1'000, "https://api.grain.test/token");
  EXPECT_EQ(std::string(row.wrong).empty(), bundle.has_value());
  if (bundle) return;
  EXPECT_NE(std::string::npos, bundle.error().message.find(row.wrong)) << bundle.error().message;
  EXPECT_EQ(std::string::npos, bundle.error().message.find("PLANTED")) << bundle.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Table, Bundles,
    testing::Values(
        BundleRow{"Whole", R"({"access_token":"a","refresh_token":"r","client_id":"c","expires_in":3600})", ""},
        BundleRow{"LegacyWithoutRefresh", R"({"access_token":"a"})", ""},
        BundleRow{"RefreshAlone", R"({"refresh_token":"r","client_id":"c","access_token":null})", ""},
        BundleRow{"ThisMachine", R"({"refresh_token":"r","client_id":"c","token_endpoint":"http://127.0.0.1:9/t"})",
                  ""},
        BundleRow{"OpenHttp", R"({"refresh_token":"PLANTED","client_id":"c","token_endpoint":"http://api.test/t"})",
                  "token_endpoint"},
        BundleRow{"LooksLikeThisMachine",
                  R"({"refresh_token":"r","client_id":"c","token_endpoint":"http://127.0.0.1.evil.test/t"})",
                  "token_endpoint"},
        BundleRow{"NoClient", R"({"refresh_token":"PLANTED"})", "client_id"},
        BundleRow{"NoToken", R"({"client_id":"PLANTED"})", "neither"},
        BundleRow{"TokenIsANumber", R"({"access_token":7})", "access_token"},
        BundleRow{"ExpiryOfAWord", R"({"access_token":"PLANTED","expires_in":"soon"})", "expires_in"},
        BundleRow{"ExpiryBeforeNow", R"({"access_token":"PLANTED","expires_in":-1})", "expires_in"},
        BundleRow{"EndlessExpiry", R"({"access_token":"PLANTED","expires_in":1e300})", "expires_in"},
        BundleRow{"NotJson", "{PLANTED", "JSON"}, BundleRow{"AList", R"(["PLANTED"])", "JSON"}),
    [](const auto& test) { return test.param.name; });

/// A vault of the first schema opens, keeps its credentials and takes new ones.
TEST_F(VaultTest, AnOlderFileIsMigrated) {
  const auto id = add(kPlanted);
  run_sql(
      "ALTER TABLE credential DROP COLUMN generation; ALTER TABLE credential DROP COLUMN expires_ms;"
      "ALTER TABLE credential DROP COLUMN asked_ms; DROP TABLE kept; PRAGMA user_version = 1");
  EXPECT_EQ(kPlanted, vault_->open_sealed(id)->reveal());
  EXPECT_EQ(1, vault_->open_credential(id)->generation);
  EXPECT_EQ(std::nullopt, facts_of(id).expires_ms);
  EXPECT_TRUE(vault_->replace(id, Secret("newer")).has_value());
  EXPECT_EQ(2, vault_->open_credential(id)->generation);
}

TEST_F(VaultTest, KeepsASecretOfMinutesOnce) {
  ASSERT_TRUE(vault_->keep("state-1", Secret(kPlanted), 1'000, 0).has_value());
  ASSERT_TRUE(vault_->keep("state-2", Secret("other"), 1'000, 0).has_value());
  EXPECT_EQ(Code::kNotFound, vault_->take("state-3", 10).error().code);
  EXPECT_EQ(kPlanted, vault_->take("state-1", 999)->reveal());
  EXPECT_EQ(Code::kNotFound, vault_->take("state-1", 999).error().code) << "once";
  EXPECT_EQ(Code::kNotFound, vault_->take("state-2", 1'000).error().code) << "it is over";
  EXPECT_TRUE(vault_->list()->empty()) << "it is no credential";
  EXPECT_EQ(Code::kInvalid, vault_->keep("state-4", Secret(std::string((16 << 10) + 1, 'x')), 1, 0).error().code);
}

TEST_F(VaultTest, KeepsTheLastHundredOfThem) {
  for (int i = 0; i < kKeptMax + 2; ++i)
    ASSERT_TRUE(vault_->keep("state-" + std::to_string(i), Secret("s"), 1'000 + i, 0).has_value());
  EXPECT_FALSE(vault_->take("state-0", 0).has_value());
  EXPECT_FALSE(vault_->take("state-1", 0).has_value());
  EXPECT_TRUE(vault_->take("state-2", 0).has_value()) << "those that end first go first";
}

/// What was sealed and acknowledged opens after a power loss, the key included.
TEST(VaultPower, LosesNothingAcknowledged) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    simulations::SimDisk disk;
    simulations::SeededRandom random(seed);
    ASSERT_TRUE(disk.make_dirs("data").has_value());
    std::vector<std::pair<CredentialId, std::string>> sealed;
    for (int round = 0; round < 3; ++round) {
      disk.fail_nth(simulations::kOpChanges, 1 + random.below(40), simulations::FaultLife::kFromThenOn);
      auto vault = Vault::open(disk, random, kPath, kKeyPath);
      for (int i = 0; vault && i < 10; ++i) {
        const std::string text = "token number " + std::to_string(i);
        auto id = (*vault)->add("grain", "acme", "pat", Secret(text), 1);
        if (!id) break;
        sealed.emplace_back(*id, text);
      }
      vault = fail(Code::kCancelled, "power lost");
      disk.crash(random);
      disk.heal();
      auto again = Vault::open(disk, random, kPath, kKeyPath);
      ASSERT_TRUE(again.has_value()) << again.error().message;
      for (const auto& [id, text] : sealed) EXPECT_EQ(text, (*again)->open_sealed(id)->reveal());
    }
  }
}

TEST(Secrets, AreWipedWhereTheyWere) {
  alignas(Secret) std::array<char, sizeof(Secret)> room{};
  auto* secret = new (room.data()) Secret("PLANTED");  // short: lies inside the object
  EXPECT_NE(std::string_view::npos, std::string_view(room.data(), room.size()).find("PLANTED"));
  secret->~Secret();
  EXPECT_EQ(std::string_view::npos, std::string_view(room.data(), room.size()).find("PLANTED"));
}

}  // namespace
}  // namespace callimport::storage
