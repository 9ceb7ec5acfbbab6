#pragma once
// Credentials at rest: sealed with libsodium (XChaCha20-Poly1305) under a key that lies in a file beside the database,
// not in it.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/ids.h"
#include "storage/model/result.h"
#include "storage/runtime/disk.h"
#include "storage/runtime/random.h"

namespace callimport::storage {

/// Text that must not be printed: no operator<<, no copy to logs; memory is wiped when it goes or is assigned over.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) noexcept = default;
  Secret& operator=(Secret other) noexcept {
    text_.swap(other.text_);  // what was here is wiped with `other`
    return *this;
  }
  ~Secret();
  const std::string& reveal() const noexcept { return text_; }

 private:
  std::string text_;
};

struct CredentialFacts {                      ///< what may be shown
  std::string id, platform, workspace, kind;  ///< kind: pat, wat, oauth
  std::string label;                          ///< first 4 and last 2 characters at most, e.g. grai…7f
  std::int64_t added_ms = 0;
  std::optional<std::int64_t> wiped_ms;
  std::optional<std::int64_t> expires_ms;  ///< of an OAuth access token, where told
};

struct OpenedCredential {
  Secret secret;
  std::string platform, workspace, kind;
  std::int64_t generation = 0;  ///< grows with each new secret
};

inline constexpr int kKeptMax = 100;  ///< secrets of minutes at once

/// Threads: any; calls block. Lifetime: `disk`, `random` outlive it.
class Vault {
 public:
  /// `path`: vault.db; `key_path`: 32 bytes, 0600, made when both are absent.
  /// @error kNotFound  the database is there but the key is not: says where it is expected and that a copy must be put
  /// back.
  /// @error kCorrupt   the key is not 32 bytes, or not the one this database was sealed with.
  static Result<std::unique_ptr<Vault>> open(Disk& disk, Random& random, const std::string& path,
                                             const std::string& key_path);
  virtual ~Vault() = default;
  /// A secret of kind oauth may be a bundle (oauth_bundle.h).
  /// @error kInvalid  empty, over 16 KiB, with a control character (a newline pasted along) or a space at an end, a
  /// bundle that is none: says so without showing it.
  virtual Result<CredentialId> add(const std::string& platform, const std::string& workspace, const std::string& kind,
                                   Secret secret, std::int64_t now_ms) = 0;
  /// Renewed access: same handle, new secret.  @error kNotFound absent or wiped; kInvalid as `add`.
  virtual Result<> replace(const CredentialId& id, Secret secret) = 0;
  /// The same, where nobody has put in another secret since `generation`.  @error kConflict  somebody has.
  virtual Result<> renew(const CredentialId& id, std::int64_t generation, Secret secret) = 0;
  /// Before the platform is asked for a new token in place of the sealed one: durable when it returns. True when it
  /// was asked before and no answer was sealed: the platform may have rotated it away then.  @error kNotFound
  virtual Result<bool> note_asked(const CredentialId& id, std::int64_t now_ms) = 0;
  virtual Result<Secret> open_sealed(
      const CredentialId& id) = 0;  ///< @error kNotFound absent or wiped; kCorrupt wrong key or damaged
  virtual Result<OpenedCredential> open_credential(const CredentialId& id) = 0;  ///< @error as open_sealed
  /// The sealed bytes are overwritten, the facts stay. Again is success.  @error kNotFound
  virtual Result<> wipe(const CredentialId& id, std::int64_t now_ms) = 0;
  virtual Result<std::vector<CredentialFacts>> list() = 0;  ///< in the order they were added

  // Secrets of minutes, which a restart outlives. They are no credentials: nobody sees them in a list.
  /// Sealed until then, or until taken, under a name that is a secret itself: only its hash is stored. What is over
  /// goes, and of the others all but the kKeptMax that end last.  @error kInvalid  over 16 KiB.
  virtual Result<> keep(const std::string& name, const Secret& secret, std::int64_t until_ms, std::int64_t now_ms) = 0;
  /// Once.  @error kNotFound  taken, over, or never kept; kCorrupt  damaged.
  virtual Result<Secret> take(const std::string& name, std::int64_t now_ms) = 0;
};

}  // namespace callimport::storage
