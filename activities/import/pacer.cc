#include "activities/import/pacer.h"

#include <charconv>
#include <optional>

namespace callimport::activities {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

void Pacer::heard(const HttpReply& reply, Timestamp now) {
  const auto limit = whole_number(reply.header("x-ratelimit-limit"));
  const auto left = whole_number(reply.header("x-ratelimit-remaining"));
  if (limit && *limit > 0 && left) {
    per_minute_ = *limit;
    remaining_ = *left;
  }
  if (reply.status != 429) return;
  remaining_ = 0;
  const auto seconds = whole_number(reply.header("retry-after"));
  if (seconds && *seconds <= 60) blocked_until_ = std::max(blocked_until_, now + std::chrono::seconds{*seconds});
}

}  // namespace callimport::activities
