#pragma once
// The one key of a vault, and what it seals: XChaCha20-Poly1305 with the facts beside the secret as associated data, so
// that a sealed text cannot be moved to another handle. Source:
// https://doc.libsodium.org/secret-key_cryptography/aead/chacha20-poly1305/xchacha20-poly1305_construction
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/model/result.h"
#include "storage/runtime/disk.h"
#include "storage/runtime/random.h"
#include "storage/vault/vault.h"

namespace callimport::storage {

inline constexpr std::size_t kKeyBytes = 32;

struct Sealed {
  std::string nonce, bytes;
};

/// Wiped from memory when it goes. Threads: any, once made.
class SealingKey {
 public:
  /// Makes a key and its file, durably, or not at all: it is written under another name first.
  static Result<SealingKey> make(Disk& disk, Random& random, const std::string& path);
  /// @error kNotFound  no such file.  @error kCorrupt  not kKeyBytes long.
  static Result<SealingKey> load(Disk& disk, const std::string& path);
  SealingKey(const SealingKey&) = delete;
  SealingKey(SealingKey&& other) noexcept;
  SealingKey& operator=(SealingKey&&) = delete;
  ~SealingKey();

  Sealed seal(Random& random, const Secret& secret, std::string_view facts) const;
  /// @error kCorrupt  sealed under another key or beside other facts, or damaged.
  Result<Secret> open(const Sealed& sealed, std::string_view facts) const;
  /// Another key of kKeyBytes for another purpose: the same each time, and nothing of this one can be told from it.
  Secret derived(std::string_view purpose) const;

 private:
  SealingKey() = default;
  std::array<std::uint8_t, kKeyBytes> key_{};
};

}  // namespace callimport::storage
