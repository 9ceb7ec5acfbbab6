#include "storage/vault/vault.h"

#include <sodium.h>

#include <algorithm>

#include "storage/model/ensure.h"
#include "storage/runtime/mutex.h"
#include "storage/sqlite/database.h"
#include "storage/sqlite/rows.h"
#include "storage/vault/oauth_bundle.h"
#include "storage/vault/schema.h"
#include "storage/vault/sealing.h"

namespace callimport::storage {

namespace {

constexpr std::size_t kSecretBytesMax = 16 << 10;
constexpr std::size_t kIdCharacters = 20;
constexpr std::string_view kKeyCheckText = "callimport vault 1";
constexpr std::string_view kKeyCheckFacts = "key check";
constexpr std::string_view kKeptFacts = "kept ";

std::string hash_of(const std::string& name) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()), reinterpret_cast<const unsigned char*>(name.data()),
                     name.size());
  return hash;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

Result<> check_secret(const std::string& text) {
  if (text.empty()) return fail(Code::kInvalid, "the credential is empty");
  if (text.size() > kSecretBytesMax) {
    return fail(Code::kInvalid, "the credential has " + std::to_string(text.size()) + " bytes, at most " +
                                    std::to_string(kSecretBytesMax) + " are taken: is it the right file?");
  }
  if (std::any_of(text.begin(), text.end(), is_control)) {
    return fail(Code::kInvalid,
                "the credential holds a line break or another control character: paste the token alone, on one line");
  }
  if (text.front() == ' ' || text.back() == ' ') {
    return fail(Code::kInvalid, "the credential begins or ends with a space: paste the token alone");
  }
  return {};
}

/// At most the first 4 and last 2 characters, fewer of a short one: never more than a third of it.
std::string label_for(const std::string& text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (!ascii || text.size() < 12) return "…";
  if (text.size() < 18) return text.substr(0, 4) + "…";
  return text.substr(0, 4) + "…" + text.substr(text.size() - 2);
}

/// What a secret is sealed beside. Each field with its length, so that no two sets of facts read the same.
std::string sealed_facts(const CredentialFacts& facts) {
  std::string text;
  for (const std::string* field : {&facts.id, &facts.platform, &facts.workspace, &facts.kind}) {
    text += std::to_string(field->size()) + ":" + *field;
  }
  return text;
}

CredentialFacts read_facts(const Statement& row) {
  return {.id = row.text(0),
          .platform = row.text(1),
          .workspace = row.text(2),
          .kind = row.text(3),
          .label = row.text(4),
          .added_ms = row.integer(5),
          .wiped_ms = optional_integer(row, 6),
          .expires_ms = optional_integer(row, 7)};
}

struct Credential {
  CredentialFacts facts;
  std::int64_t generation = 0;
  std::optional<std::int64_t> asked_ms;
  Sealed sealed;
};

/// Label and expiry of a secret: of a bundle, those of its access token.
Result<> describe(CredentialFacts& facts, const Secret& secret) {
  facts.expires_ms.reset();
  facts.label = label_for(secret.reveal());
  if (facts.kind != "oauth" || !is_bundle(secret.reveal())) return {};
  TRY(const OAuthBundle bundle, read_bundle(secret, 0, {}));
  facts.label = label_for(bundle.access.reveal().empty() ? bundle.refresh.reveal() : bundle.access.reveal());
  if (bundle.expires_ms != 0) facts.expires_ms = bundle.expires_ms;
  return {};
}

class SqliteVault final : public Vault {
 public:
  SqliteVault(Database db, SealingKey key, Random& random)
      : random_(random),
        key_(std::move(key)),
        db_(std::move(db)),
        insert_(db_,
                "INSERT INTO credential(id, platform, workspace, kind, label, added_ms, nonce, sealed, expires_ms)"
                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        get_(db_,
             "SELECT id, platform, workspace, kind, label, added_ms, wiped_ms, expires_ms, generation, asked_ms, nonce,"
             " sealed FROM credential WHERE id = ?1"),
        replace_(db_,
                 "UPDATE credential SET label = ?2, nonce = ?3, sealed = ?4, expires_ms = ?5, asked_ms = NULL,"
                 " generation = generation + 1 WHERE id = ?1"),
        ask_(db_, "UPDATE credential SET asked_ms = ?2 WHERE id = ?1"),
        overwrite_(
            db_,
            "UPDATE credential SET nonce = zeroblob(length(nonce)), sealed = zeroblob(length(sealed)) WHERE id = ?1"),
        wipe_(db_, "UPDATE credential SET wiped_ms = ?2, nonce = x'', sealed = x'' WHERE id = ?1"),
        list_(db_,
              "SELECT id, platform, workspace, kind, label, added_ms, wiped_ms, expires_ms FROM credential"
              " ORDER BY number"),
        get_check_(db_, "SELECT nonce, sealed FROM key_check"),
        put_check_(db_, "INSERT INTO key_check(one, nonce, sealed) VALUES(1, ?1, ?2)"),
        keep_(db_, "INSERT INTO kept(name, until_ms, nonce, sealed) VALUES(?1, ?2, ?3, ?4)"),
        kept_(db_, "SELECT nonce, sealed FROM kept WHERE name = ?1 AND until_ms > ?2"),
        drop_kept_(db_, "DELETE FROM kept WHERE name = ?1"),
        drop_over_(db_, "DELETE FROM kept WHERE until_ms <= ?1"),
        drop_excess_(db_,
                     "DELETE FROM kept WHERE name IN (SELECT name FROM kept ORDER BY until_ms DESC, name LIMIT -1"
                     " OFFSET ?1)") {}

  Result<> check_key(const std::string& path, const std::string& key_path);

  Result<CredentialId> add(const std::string& platform, const std::string& workspace, const std::string& kind,
                           Secret secret, std::int64_t now_ms) override;
  Result<> replace(const CredentialId& id, Secret secret) override;
  Result<> renew(const CredentialId& id, std::int64_t generation, Secret secret) override;
  Result<bool> note_asked(const CredentialId& id, std::int64_t now_ms) override;
  Result<Secret> open_sealed(const CredentialId& id) override;
  Result<OpenedCredential> open_credential(const CredentialId& id) override;
  Result<> wipe(const CredentialId& id, std::int64_t now_ms) override;
  Result<std::vector<CredentialFacts>> list() override;
  Result<> keep(const std::string& name, const Secret& secret, std::int64_t until_ms, std::int64_t now_ms) override;
  Result<Secret> take(const std::string& name, std::int64_t now_ms) override;

 private:
  Result<Credential> get(const CredentialId& id) REQUIRES(mutex_);
  Result<Credential> get_unwiped(const CredentialId& id) REQUIRES(mutex_);
  Result<> put(Credential found, const Secret& secret) REQUIRES(mutex_);

  Random& random_;
  const SealingKey key_;
  Mutex mutex_;
  Database db_ GUARDED_BY(mutex_);
  Statement insert_ GUARDED_BY(mutex_), get_ GUARDED_BY(mutex_), replace_ GUARDED_BY(mutex_), ask_ GUARDED_BY(mutex_),
      overwrite_ GUARDED_BY(mutex_), wipe_ GUARDED_BY(mutex_), list_ GUARDED_BY(mutex_), get_check_ GUARDED_BY(mutex_),
      put_check_ GUARDED_BY(mutex_);
  Statement keep_ GUARDED_BY(mutex_), kept_ GUARDED_BY(mutex_), drop_kept_ GUARDED_BY(mutex_),
      drop_over_ GUARDED_BY(mutex_), drop_excess_ GUARDED_BY(mutex_);
};

Result<> SqliteVault::check_key(const std::string& path, const std::string& key_path) {
  MutexLock lock(mutex_);
  TRY(const auto stored, first_row(get_check_, [](const Statement& row) { return Sealed{row.blob(0), row.blob(1)}; }));
  if (!stored) {
    const Sealed check = key_.seal(random_, Secret(std::string(kKeyCheckText)), kKeyCheckFacts);
    return put_check_.bind_blob(1, check.nonce).bind_blob(2, check.bytes).run();
  }
  if (key_.open(*stored, kKeyCheckFacts)) return {};
  return fail(Code::kCorrupt,
              key_path + " is not the key that " + path + " was sealed with: put back a copy of the right one");
}

Result<Credential> SqliteVault::get(const CredentialId& id) {
  TRY(auto found, first_row(get_.bind(1, id.str()), [](const Statement& row) {
        return Credential{read_facts(row), row.integer(8), optional_integer(row, 9),
                          Sealed{row.blob(10), row.blob(11)}};
      }));
  if (!found) return fail(Code::kNotFound, "no such credential " + id.str());
  return *std::move(found);
}

Result<Credential> SqliteVault::get_unwiped(const CredentialId& id) {
  TRY(auto found, get(id));
  if (found.facts.wiped_ms) return fail(Code::kNotFound, "credential " + id.str() + " was wiped: add it again");
  return found;
}

Result<CredentialId> SqliteVault::add(const std::string& platform, const std::string& workspace,
                                      const std::string& kind, Secret secret, std::int64_t now_ms) {
  TRY_VOID(check_secret(secret.reveal()));
  TRY(auto id, CredentialId::parse(std::string(CredentialTag::prefix) + random_.id_text(kIdCharacters)));
  CredentialFacts facts{.id = id.str(),
                        .platform = platform,
                        .workspace = workspace,
                        .kind = kind,
                        .label = {},
                        .added_ms = now_ms,
                        .wiped_ms = std::nullopt,
                        .expires_ms = std::nullopt};
  TRY_VOID(describe(facts, secret));
  const Sealed sealed = key_.seal(random_, secret, sealed_facts(facts));
  MutexLock lock(mutex_);
  insert_.bind(1, facts.id).bind(2, platform).bind(3, workspace).bind(4, kind).bind(5, facts.label).bind(6, now_ms);
  insert_.bind_blob(7, sealed.nonce).bind_blob(8, sealed.bytes);
  insert_.bind(9, facts.expires_ms);
  TRY_VOID(insert_.run());
  return id;
}

Result<> SqliteVault::put(Credential found, const Secret& secret) {
  TRY_VOID(describe(found.facts, secret));
  const Sealed sealed = key_.seal(random_, secret, sealed_facts(found.facts));
  replace_.bind(1, found.facts.id).bind(2, found.facts.label).bind_blob(3, sealed.nonce).bind_blob(4, sealed.bytes);
  replace_.bind(5, found.facts.expires_ms);
  return replace_.run();
}

Result<> SqliteVault::replace(const CredentialId& id, Secret secret) {
  TRY_VOID(check_secret(secret.reveal()));
  MutexLock lock(mutex_);
  TRY(Credential found, get_unwiped(id));
  return put(std::move(found), secret);
}

Result<> SqliteVault::renew(const CredentialId& id, std::int64_t generation, Secret secret) {
  TRY_VOID(check_secret(secret.reveal()));
  MutexLock lock(mutex_);
  TRY(Credential found, get_unwiped(id));
  if (found.generation != generation)
    return fail(Code::kConflict, "credential " + id.str() + " was replaced meanwhile");
  return put(std::move(found), secret);
}

Result<bool> SqliteVault::note_asked(const CredentialId& id, std::int64_t now_ms) {
  MutexLock lock(mutex_);
  TRY(const Credential found, get_unwiped(id));
  TRY_VOID(ask_.bind(1, id.str()).bind(2, now_ms).run());
  return found.asked_ms.has_value();
}

Result<Secret> SqliteVault::open_sealed(const CredentialId& id) {
  TRY(auto opened, open_credential(id));
  return std::move(opened.secret);
}

Result<OpenedCredential> SqliteVault::open_credential(const CredentialId& id) {
  MutexLock lock(mutex_);
  TRY(Credential found, get_unwiped(id));
  auto secret = key_.open(found.sealed, sealed_facts(found.facts));
  if (!secret) return fail(Code::kCorrupt, "credential " + id.str() + ": " + secret.error().message + "; add it again");
  return OpenedCredential{std::move(*secret), std::move(found.facts.platform), std::move(found.facts.workspace),
                          std::move(found.facts.kind), found.generation};
}

Result<> SqliteVault::wipe(const CredentialId& id, std::int64_t now_ms) {
  MutexLock lock(mutex_);
  TRY(const Credential found, get(id));
  if (!found.facts.wiped_ms) {
    TRY(auto transaction, Transaction::begin(db_));
    TRY_VOID(overwrite_.bind(1, id.str()).run());
    TRY_VOID(wipe_.bind(1, id.str()).bind(2, now_ms).run());
    TRY_VOID(std::move(transaction).commit());
  }
  return db_.exec("PRAGMA wal_checkpoint(TRUNCATE)");  // the WAL still held the pages as they were
}

Result<std::vector<CredentialFacts>> SqliteVault::list() {
  MutexLock lock(mutex_);
  return all_rows(list_, read_facts);
}

Result<> SqliteVault::keep(const std::string& name, const Secret& secret, std::int64_t until_ms, std::int64_t now_ms) {
  if (secret.reveal().size() > kSecretBytesMax) return fail(Code::kInvalid, "a secret to keep is too long");
  const std::string hash = hash_of(name);
  const Sealed sealed = key_.seal(random_, secret, std::string(kKeptFacts) + hash);
  MutexLock lock(mutex_);
  TRY(auto transaction, Transaction::begin(db_));
  TRY_VOID(drop_over_.bind(1, now_ms).run());
  TRY_VOID(drop_excess_.bind(1, kKeptMax - 1).run());
  keep_.bind_blob(1, hash).bind(2, until_ms).bind_blob(3, sealed.nonce).bind_blob(4, sealed.bytes);
  TRY_VOID(keep_.run());
  return std::move(transaction).commit();
}

Result<Secret> SqliteVault::take(const std::string& name, std::int64_t now_ms) {
  const std::string hash = hash_of(name);
  MutexLock lock(mutex_);
  TRY(auto transaction, Transaction::begin(db_));
  kept_.bind_blob(1, hash).bind(2, now_ms);
  TRY(const auto found, first_row(kept_, [](const Statement& row) { return Sealed{row.blob(0), row.blob(1)}; }));
  TRY_VOID(drop_kept_.bind_blob(1, hash).run());
  TRY_VOID(std::move(transaction).commit());
  if (!found) return fail(Code::kNotFound, "nothing is kept under this name");
  return key_.open(*found, std::string(kKeptFacts) + hash);
}

/// A key is made only for a new database: one beside an older database would hide that the right one is missing.
Result<SealingKey> key_for(Disk& disk, Random& random, const std::string& path, const std::string& key_path) {
  TRY(const bool has_key, disk.exists(key_path));
  if (has_key) return SealingKey::load(disk, key_path);
  TRY(const bool has_database, disk.exists(path));
  if (!has_database) return SealingKey::make(disk, random, key_path);
  return fail(Code::kNotFound, "the key of " + path + " is missing: it is expected at " + key_path +
                                   ". Without it no credential can be read; put back a copy of it");
}

}  // namespace

Result<std::unique_ptr<Vault>> Vault::open(Disk& disk, Random& random, const std::string& path,
                                           const std::string& key_path) {
  ENSURE(sodium_init() >= 0);
  TRY(auto key, key_for(disk, random, path, key_path));
  TRY(auto db, Database::open(disk, path, {.migrations = vault_schema::kMigrations}));
  TRY_VOID(db.exec("PRAGMA secure_delete = ON"));
  auto vault = std::make_unique<SqliteVault>(std::move(db), std::move(key), random);
  TRY_VOID(vault->check_key(path, key_path));
  return vault;
}

}  // namespace callimport::storage
