#pragma once
#include <string>

#include "activities/http/addresses.h"
#include "storage/model/result.h"

namespace callimport::activities {

inline constexpr std::size_t kWebhookUrlBytesMax = 2'000;

/// Whether messages may be sent to a URL, as far as the URL tells: what its name resolves to is judged anew at every
/// connection. https, or http to an address that the configuration allows aloud.
/// @error kInvalid  webhook.url: what is wrong with it.
Result<> check_webhook_url(const std::string& url, const AddressGuard& guard);
/// Scheme, host and port: a path or query may hold a secret, so nothing else is shown.
std::string shown_url(const std::string& url);

}  // namespace callimport::activities
