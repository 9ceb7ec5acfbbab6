#include "activities/webhooks/signature.h"

#include <sodium.h>

#include <array>
#include <span>

namespace callimport::activities {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kNewKeyBytes = 32;

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // the zero it is ended with
  return text;
}

/// The bytes of a secret; wiped when they go.
class SigningKey {
 public:
  SigningKey() = default;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

  Result<> read(const storage::Secret& secret) {
    const std::string& text = secret.reveal();
    const auto bad = [] {
      return fail(Code::kInvalid, "a signing secret is whsec_ and the base64 of 24 to 64 random bytes");
    };
    if (!text.starts_with(kSecretPrefix)) return bad();
    const char* end = nullptr;
    const int read =
        sodium_base642bin(bytes_.data(), bytes_.size(), text.data() + kSecretPrefix.size(),
                          text.size() - kSecretPrefix.size(), nullptr, &size_, &end, sodium_base64_VARIANT_ORIGINAL);
    if (read != 0 || end != text.data() + text.size() || size_ < kSigningKeyBytesMin) return bad();
    return {};
  }
  std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, kSigningKeyBytesMax> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace

storage::Secret new_signing_secret(Random& random) {
  std::array<std::uint8_t, kNewKeyBytes> bytes{};
  random.fill(bytes);
  std::string text(kSecretPrefix);
  text += base64(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return storage::Secret(std::move(text));
}

Result<> check_signing_secret(const storage::Secret& secret) {
  SigningKey key;
  return key.read(secret);
}

Result<std::string> sign_message(const std::vector<storage::Secret>& secrets, std::string_view id,
                                 std::int64_t timestamp_s, std::string_view body) {
  std::string signatures;
  const std::string head = std::string(id) + "." + std::to_string(timestamp_s) + ".";
  for (const auto& secret : secrets) {
    SigningKey key;
    TRY_VOID(key.read(secret));
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.bytes().data(), key.bytes().size());
    for (const std::string_view part : {std::string_view(head), body}) {
      crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
    }
    std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES> made{};
    crypto_auth_hmacsha256_final(&state, made.data());
    sodium_memzero(&state, sizeof state);
    signatures += (signatures.empty() ? "v1," : " v1,") + base64(made);
  }
  return signatures;
}

}  // namespace callimport::activities
