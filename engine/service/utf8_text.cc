#include "engine/service/utf8_text.h"

#include <cstdint>

#include "temporal/api/failure/v1/message.pb.h"

namespace callimport::engine {
namespace {

using temporal::api::failure::v1::Failure;

/// Bytes of the character at `at`; 0 when there is none (overlong, surrogate, too high, cut off).
std::size_t character(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80u) return 1;
  if (first >= 0xC2u && first <= 0xDFu) return follows(1) ? 2 : 0;
  if (first >= 0xE0u && first <= 0xEFu) {
    if (!follows(1) || !follows(2)) return 0;
    if (first == 0xE0u && byte(1) < 0xA0u) return 0;
    return first == 0xEDu && byte(1) >= 0xA0u ? 0 : 3;
  }
  if (first >= 0xF0u && first <= 0xF4u) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    if (first == 0xF0u && byte(1) < 0x90u) return 0;
    return first == 0xF4u && byte(1) >= 0x90u ? 0 : 4;
  }
  return 0;
}

bool all_utf8(const Failure& failure) {
  const bool own = is_utf8(failure.message()) && is_utf8(failure.source()) && is_utf8(failure.stack_trace()) &&
                   is_utf8(failure.application_failure_info().type());
  return own && (!failure.has_cause() || all_utf8(failure.cause()));
}

void repair(Failure* failure) {
  failure->set_message(to_utf8(failure->message()));
  failure->set_source(to_utf8(failure->source()));
  failure->set_stack_trace(to_utf8(failure->stack_trace()));
  if (failure->has_application_failure_info()) {
    auto* info = failure->mutable_application_failure_info();
    info->set_type(to_utf8(info->type()));
  }
  if (failure->has_cause()) repair(failure->mutable_cause());
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character(text, at);
    if (size == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
    } else {
      out += text.substr(at, size);
      at += size;
    }
  }
  return out;
}

const Failure& readable(const Failure& failure, Failure* repaired) {
  if (all_utf8(failure)) return failure;
  *repaired = failure;
  repair(repaired);
  return *repaired;
}

}  // namespace callimport::engine
