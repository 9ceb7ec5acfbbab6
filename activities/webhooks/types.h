#pragma once
// What programs of others can hear of: the types of docs/webhooks.md, and which record of ours becomes which.
#include <span>
#include <string_view>

namespace callimport::activities {

inline constexpr std::string_view kCallRegistered = "call.registered", kCallUpdated = "call.updated";
inline constexpr std::string_view kWebhookTest = "webhook.test";  ///< sent when asked for, whatever the types chosen

struct WebhookType {
  std::string_view name, words;
};
std::span<const WebhookType> webhook_types();  ///< those an endpoint can choose
bool is_webhook_type(std::string_view name);

/// The type that a record of this event becomes; empty: none, it concerns people only.
std::string_view type_of_event(std::string_view event);

}  // namespace callimport::activities
