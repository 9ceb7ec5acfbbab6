#include "activities/platforms/answers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "activities/platforms/json.h"

namespace callimport::activities {

std::optional<Timestamp> read_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const auto time = parse_utc(
      fmt::format("{}-{:02}-{}T{}Z", text.substr(12, 4), month / 3 + 1, text.substr(5, 2), text.substr(17, 8)));
  return time ? std::optional(*time) : std::nullopt;
}

std::optional<Nanos> read_retry_after(const HttpReply& reply, Timestamp now) {
  const std::string_view text = reply.header("retry-after");
  if (text.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  Nanos wait{0};
  if (error == std::errc{} && end == text.data() + text.size()) {
    wait = std::chrono::seconds{std::clamp<std::int64_t>(seconds, 0, 86'400)};
  } else if (error == std::errc::result_out_of_range) {
    wait = kAccessRetryMax;
  } else if (const auto date = read_http_date(text)) {
    wait = std::max(*date, now) - now;  // the difference of any two may be more than counts
  } else {
    return std::nullopt;
  }
  return std::clamp<Nanos>(wait, Nanos{0}, kAccessRetryMax);
}

std::optional<Trouble> read_delay(const HttpReply& reply, Timestamp now) {
  const bool limited = reply.status == 429;
  if (!limited && reply.status != 408 && (reply.status < 500 || reply.status > 599)) return std::nullopt;
  const std::string cause = limited ? "platform.rate_limited" : "platform.outage";
  const std::string message = fmt::format("the platform answered {}", reply.status);
  const auto after = read_retry_after(reply, now);
  if (after && *after > kShortWaitMax) return Wait{cause, message, now + *after};
  if (limited) return Again{cause, message, after.value_or(kRetryUnsaid)};
  return Again{cause, message, after};
}

Wait changed_answer(std::string message, Timestamp now) {
  return Wait{"platform.changed_answer", std::move(message), now + kChangedAnswerWait};
}

Fetched<nlohmann::json> read_body(const HttpReply& reply, Timestamp now) {
  const std::size_t first = reply.body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos)
    return tl::unexpected<Trouble>(changed_answer("the platform answered nothing where data should be", now));
  if (reply.body[first] == '<')
    return tl::unexpected<Trouble>(changed_answer("the platform answered a web page where data should be", now));
  auto body = parse_json(reply.body);
  if (!body)
    return tl::unexpected<Trouble>(
        changed_answer("the platform's answer cannot be read: " + body.error().message, now));
  return std::move(*body);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

std::string encode_path_segment(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '~' || c == '-'))
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", byte);
  }
  return encoded;
}

}  // namespace callimport::activities
