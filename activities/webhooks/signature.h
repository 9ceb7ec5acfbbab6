#pragma once
// How a receiver knows that a message is ours and whole: Standard Webhooks (https://www.standardwebhooks.com), v1.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/result.h"
#include "storage/runtime/random.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

inline constexpr std::size_t kSigningKeyBytesMin = 24, kSigningKeyBytesMax = 64;

/// "whsec_" and 32 bytes of chance in base64.
storage::Secret new_signing_secret(Random& random);
/// @error kInvalid  not whsec_ and base64 of 24 to 64 bytes; never shows it.
Result<> check_signing_secret(const storage::Secret& secret);

/// The value of webhook-signature: "v1," and HMAC-SHA256 over id.timestamp.body in base64, once for each secret, parted
/// by spaces. While a secret is exchanged both sign, the newer first.  @error kInvalid  as check_signing_secret
Result<std::string> sign_message(const std::vector<storage::Secret>& secrets, std::string_view id,
                                 std::int64_t timestamp_s, std::string_view body);

}  // namespace callimport::activities
