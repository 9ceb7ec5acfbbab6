#include "activities/import/step.h"

#include <algorithm>

namespace callimport::activities {

Pulse::Pulse(Clock& clock, ActivityContext& context, std::int64_t heartbeat_ms)
    : clock_(clock),
      context_(context),
      every_(std::chrono::milliseconds{std::max<std::int64_t>(heartbeat_ms, 1'000)} / 4) {
  timer_ = clock_.at(clock_.now() + every_, [this] { beat(); });
}

Pulse::~Pulse() { clock_.cancel(timer_); }

void Pulse::beat() {
  context_.heartbeat("{}");
  timer_ = clock_.at(clock_.now() + every_, [this] { beat(); });
}

storage::ReceiptKey receipt_of(const ActivityContext& context) {
  const auto& info = context.info();
  return {.run_id = info.run_id,
          .activity_id = info.activity_id,
          .attempt = info.attempt,
          .scheduled_ns = to_unix_ns(info.scheduled)};
}

CounterNote note_of(const storage::Counters& c) {
  return {c.found, c.registered, c.duplicate, c.skipped, c.failed, c.pending, c.media_bytes};
}

storage::LaneRow row_of(const LaneChange& change) {
  storage::LaneRow row;
  row.stage = change.stage;
  row.condition = change.condition;
  row.reason = change.reason;
  row.who = change.who;
  row.why = change.why;
  if (change.until_ms > 0) row.until_ms = change.until_ms;
  return row;
}

Again store_trouble(const Error& error) {
  return Again{is_disk_full(error) ? kStoreFull : "store.unavailable", error.message, std::nullopt};
}

bool is_store_trouble(const Trouble& trouble) {
  const auto* again = std::get_if<Again>(&trouble);
  return again != nullptr && again->cause.starts_with("store.");
}

ActivityError cancelled_answer() {
  ActivityError answer;
  answer.cancelled = true;
  return answer;
}

ActivityError final_error(std::string type, std::string message) {
  ActivityError answer;
  answer.type = std::move(type);
  answer.message = std::move(message);
  answer.non_retryable = true;
  return answer;
}

ActivityError error_of(const Error& error) {
  if (error.code == Code::kCancelled) return cancelled_answer();
  ActivityError answer;
  answer.message = error.message;
  answer.type = "engine.bug";
  answer.non_retryable = true;
  // A conflict means that another attempt was faster; the next one sees what it did.
  if (error.code == Code::kConflict) answer.non_retryable = false;
  if (error.code == Code::kUnavailable) {
    answer.type = store_trouble(error).cause;
    answer.non_retryable = false;
  }
  return answer;
}

namespace {

constexpr Nanos kSilenceTold = 3min;

ActivityError try_again(const Again& again) {
  ActivityError answer;
  answer.type = again.cause;
  answer.message = cut_text(again.message, kSentenceBytesMax);
  answer.next_retry_delay = again.after;
  return answer;
}

}  // namespace

ActivityResult answer_trouble(const ActivityContext& context, const StepInput& input, const Trouble& trouble,
                              StepResult result, Nanos outage_wait, Timestamp now) {
  result.trouble = TroubleNote{"wait", "", "", "", 0};
  if (const auto* again = std::get_if<Again>(&trouble)) {
    const auto& info = context.info();
    // A platform that is silent takes its time to fail: it is told of before the watchdog says that nothing moves.
    const bool long_tried = info.attempt > 2 && now - info.scheduled >= kSilenceTold;
    const bool tried = input.probing || long_tried || info.attempt >= input.ask.settings.tries_in_step;
    if (!tried || again->cause == "platform.rate_limited" || is_store_trouble(trouble)) {
      return tl::unexpected(try_again(*again));
    }
    result.trouble = TroubleNote{"wait", again->cause, again->message, "", to_unix_ms(now + outage_wait)};
  } else if (const auto* wait = std::get_if<Wait>(&trouble)) {
    result.trouble = TroubleNote{"wait", wait->cause, wait->message, "", to_unix_ms(wait->until)};
  } else if (const auto* attention = std::get_if<NeedsAttention>(&trouble)) {
    result.trouble = TroubleNote{"attention", attention->cause, attention->message, attention->who, 0};
  } else if (const auto* failed = std::get_if<CallFailed>(&trouble)) {
    // A step about the whole workspace that is refused as if it were one call: the answer is not what it was.
    result.trouble = TroubleNote{"wait", failed->cause, failed->message, "", to_unix_ms(now + outage_wait)};
  } else if (const auto* not_ready = std::get_if<NotReady>(&trouble)) {
    result.trouble = TroubleNote{"wait", not_ready->cause, "not ready yet", "", to_unix_ms(now + not_ready->after)};
  }
  result.trouble.message = cut_text(std::move(result.trouble.message), kSentenceBytesMax);
  return write_note(result);
}

}  // namespace callimport::activities
