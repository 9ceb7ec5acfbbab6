// Cron expressions from anywhere, at any time: [8 bytes: unix ns][expression]. What is taken has moments that go on.
#include <cstring>
#include <string>

#include "engine/service/cron.h"
#include "storage/model/ensure.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callimport::engine;
  constexpr std::int64_t kYear = std::int64_t{365} * 24 * 3600 * 1'000'000'000;
  if (size < 8) return 0;
  std::int64_t any = 0;
  std::memcpy(&any, data, 8);
  const std::int64_t now = any % (60 * kYear);  // 1910 to 2029; with the longest interval, two centuries on
  const std::string text(reinterpret_cast<const char*>(data) + 8, size - 8);
  if (text.empty()) return 0;
  const auto cron = parse_cron(text);
  const auto error = cron_error(text, now);
  if (!cron) ENSURE(error && !error->empty());
  if (!cron) return 0;
  const auto next = next_after(*cron, now);
  ENSURE(!next || *next > now);
  const auto backoff = cron_backoff(*cron, now, now);
  ENSURE(!backoff || *backoff >= 0);
  return 0;
}
