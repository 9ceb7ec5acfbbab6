#include "api/http/slack_signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <charconv>

namespace callimport::api {

std::string slack_signature(std::string_view secret, std::string_view at, std::string_view body) {
  const std::string base = fmt::format("v0:{}:{}", at, body);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(base.data()), base.size(), mac, &size);
  std::string text = "v0=";
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", mac[i]);
  return text;
}

Result<> SlackSignatures::check(std::string_view at, std::string_view signature, std::string_view body, Timestamp now) {
  if (at.empty() || signature.empty()) return fail(Code::kInvalid, "it bears no signature of Slack");
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(at.data(), at.data() + at.size(), seconds);
  constexpr std::int64_t kFarthest = 100'000'000'000;  // beyond it nanoseconds would overflow
  if (error != std::errc() || end != at.data() + at.size() || seconds < 0 || seconds > kFarthest / 20)
    return fail(Code::kInvalid, "its time is none");
  // The signature first: whoever cannot sign learns nothing about ages.
  const std::string expected = slack_signature(secret_, at, body);
  if (signature.size() != expected.size() || CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) != 0)
    return fail(Code::kInvalid, "its signature is not Slack's");
  const Timestamp signed_at = from_unix_ms(seconds * 1'000);
  if (signed_at + kSlackAgeMax < now || signed_at > now + kSlackAgeMax)
    return fail(Code::kInvalid, "it was signed more than five minutes from now");
  std::erase_if(seen_, [now](const auto& one) { return one.second < now; });
  if (seen_.size() >= kSlackSeenMax) return fail(Code::kInvalid, "too many came within five minutes");
  if (!seen_.emplace(expected, signed_at + kSlackAgeMax).second)
    return fail(Code::kInvalid, "it was sent before: a replay");
  return {};
}

}  // namespace callimport::api
