#include "storage/vault/sealing.h"

#include <sodium.h>

#include "storage/model/ensure.h"

namespace callimport::storage {

namespace {

static_assert(kKeyBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

const std::uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }
std::uint8_t* bytes_of(std::string& text) { return reinterpret_cast<std::uint8_t*>(text.data()); }

std::string folder_of_file(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Secret::~Secret() {
  text_.resize(text_.capacity());  // does not grow; so that what an earlier, longer text left behind goes too
  sodium_memzero(text_.data(), text_.size());
}

SealingKey::SealingKey(SealingKey&& other) noexcept : key_(other.key_) { sodium_memzero(other.key_.data(), kKeyBytes); }
SealingKey::~SealingKey() { sodium_memzero(key_.data(), kKeyBytes); }

Result<SealingKey> SealingKey::make(Disk& disk, Random& random, const std::string& path) {
  SealingKey made;
  random.fill(made.key_);
  const std::string unfinished = path + ".new";
  TRY(const bool left_over, disk.exists(unfinished));
  if (left_over) TRY_VOID(disk.remove(unfinished));
  TRY(auto file, disk.open(unfinished, OpenMode::kCreateNew));
  TRY_VOID(file->write(0, std::as_bytes(std::span(made.key_))));
  TRY_VOID(file->sync());
  file.reset();
  TRY_VOID(disk.rename(unfinished, path));
  TRY_VOID(disk.sync_dir(folder_of_file(path)));
  return made;
}

Result<SealingKey> SealingKey::load(Disk& disk, const std::string& path) {
  TRY(auto file, disk.open(path, OpenMode::kRead));
  TRY(const std::uint64_t size, file->size());
  SealingKey loaded;
  TRY(const std::size_t got, file->read(0, std::as_writable_bytes(std::span(loaded.key_))));
  if (size != kKeyBytes || got != kKeyBytes) {
    return fail(Code::kCorrupt, path + " is not a vault's key: it has " + std::to_string(size) + " bytes instead of " +
                                    std::to_string(kKeyBytes) + "; put back a copy of the right one");
  }
  return loaded;
}

Sealed SealingKey::seal(Random& random, const Secret& secret, std::string_view facts) const {
  std::array<std::uint8_t, kNonceBytes> nonce{};
  random.fill(nonce);
  const std::string& text = secret.reveal();
  Sealed sealed{.nonce = std::string(reinterpret_cast<const char*>(nonce.data()), nonce.size()),
                .bytes = std::string(text.size() + kTagBytes, '\0')};
  unsigned long long size = 0;
  ENSURE(crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(sealed.bytes), &size, bytes_of(text), text.size(),
                                                    bytes_of(facts), facts.size(), nullptr, nonce.data(),
                                                    key_.data()) == 0);
  ENSURE(size == sealed.bytes.size());
  return sealed;
}

Result<Secret> SealingKey::open(const Sealed& sealed, std::string_view facts) const {
  const auto damaged = [] {
    return fail(Code::kCorrupt, "it does not open with this key: another key sealed it, or it is damaged");
  };
  if (sealed.nonce.size() != kNonceBytes || sealed.bytes.size() < kTagBytes) return damaged();
  std::string text(sealed.bytes.size() - kTagBytes, '\0');
  unsigned long long size = 0;
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      bytes_of(text), &size, nullptr, bytes_of(std::string_view(sealed.bytes)), sealed.bytes.size(), bytes_of(facts),
      facts.size(), bytes_of(std::string_view(sealed.nonce)), key_.data());
  if (opened != 0) return damaged();
  ENSURE(size == text.size());
  Secret secret(std::move(text));
  text.resize(text.capacity());  // a short text was copied, not moved
  sodium_memzero(text.data(), text.size());
  return secret;
}

Secret SealingKey::derived(std::string_view purpose) const {
  std::string made(kKeyBytes, '\0');
  ENSURE(crypto_generichash(bytes_of(made), made.size(), bytes_of(purpose), purpose.size(), key_.data(), key_.size()) ==
         0);
  return Secret(std::move(made));
}

}  // namespace callimport::storage
