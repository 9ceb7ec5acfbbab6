// What a platform may answer: [what was asked][status][Retry-After's length][Retry-After][body]. Whatever it is becomes
// an answer within its bounds, or trouble that says what it is.
#include <fuzzer/FuzzedDataProvider.h>

#include "activities/platforms/answers.h"
#include "activities/platforms/json.h"
#include "activities/platforms/platform.h"
#include "storage/model/ensure.h"

namespace {

using namespace callimport;
using namespace callimport::activities;

constexpr Timestamp kNow{std::chrono::sys_days{std::chrono::year{2026} / 9 / 1}};

void check(const Trouble& trouble) {
  if (const auto* again = std::get_if<Again>(&trouble)) {
    ENSURE(!again->cause.empty() && (!again->after || *again->after >= Nanos{0}));
  } else if (const auto* wait = std::get_if<Wait>(&trouble)) {
    ENSURE(!wait->cause.empty() && wait->until >= kNow);
  } else if (const auto* attention = std::get_if<NeedsAttention>(&trouble)) {
    ENSURE(!attention->cause.empty() && !attention->who.empty());
  } else if (const auto* failed = std::get_if<CallFailed>(&trouble)) {
    ENSURE(!failed->cause.empty());
  }
}

template <class T>
const T* checked(const Fetched<T>& fetched) {
  if (!fetched) check(fetched.error());
  return fetched ? &*fetched : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr int kStatuses[] = {200, 200, 200, 200, 206, 302, 400, 401, 403, 404, 406, 408, 410, 429, 500, 503};
  if (size < 3) return 0;
  FuzzedDataProvider given(data + 3, size - 3);
  const Platform& platform = *platforms()[data[0] / 4 % platforms().size()];
  HttpReply reply;
  reply.status = kStatuses[data[1] % std::size(kStatuses)];
  const std::string header = given.ConsumeBytesAsString(data[2] % 32);
  if (!header.empty()) reply.headers.emplace_back(reply.status == 302 ? "location" : "retry-after", header);
  reply.body = given.ConsumeRemainingBytesAsString();
  (void)platform.read_rate(reply);
  switch (data[0] % 4) {
    case 0:
      if (const auto fetched = platform.read_page(reply, kNow); const auto* page = checked(fetched)) {
        for (const auto& call : page->calls) ENSURE(!call.source_id.empty() && call.source_id.size() <= 300);
        ENSURE(!page->next || !page->next->empty());
      }
      break;
    case 1:
      if (const auto fetched = platform.read_details(reply, kNow); const auto* call = checked(fetched)) {
        ENSURE(!call->source_id.empty());
        ENSURE(repair_utf8(call->title) == call->title);
      }
      break;
    case 2: (void)checked(platform.read_transcript(reply, kNow)); break;
    default:
      if (const auto fetched = platform.read_media(reply, kNow); const auto* link = checked(fetched)) {
        ENSURE(link->url.starts_with("http"));
      }
  }
  return 0;
}
