#include "activities/webhooks/sender.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "activities/notify/told_counts.h"
#include "activities/webhooks/ladder.h"
#include "activities/webhooks/signature.h"
#include "activities/webhooks/types.h"

namespace callimport::activities {
namespace {

using storage::Webhook;
using storage::WebhookAttempt;
using storage::WebhookMessage;

struct Job {
  Webhook webhook;
  WebhookMessage message;
};
/// What a look found to do, and when to look again.
struct Found {
  std::vector<Job> jobs;
  std::optional<std::int64_t> next_ms;
  bool calls_wait = false;
};

void sooner(std::optional<std::int64_t>& at, const std::optional<std::int64_t>& other) {
  if (other) at = std::min(at.value_or(*other), *other);
}

/// A secret that was exchanged goes when its time is over.
Result<> forget_old_secret(const SenderParts& parts, const Webhook& webhook, std::int64_t now_ms) {
  if (webhook.old_secret.empty() || webhook.old_until_ms > now_ms) return {};
  if (const auto id = CredentialId::parse(webhook.old_secret)) (void)parts.vault.wipe(*id, now_ms);
  return parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(auto row, find_webhook(tx.webhooks(), webhook.id));
    if (!row || row->old_secret != webhook.old_secret) return {};
    row->old_secret.clear();
    return tx.webhooks().set(*row);
  });
}

/// On the pool: fills the queues and answers what is due.
Result<Found> look_into(const SenderParts& parts, Calls calls) {
  const std::int64_t now_ms = to_unix_ms(parts.clock.now());
  std::vector<Webhook> webhooks;
  TRY_VOID(parts.library.look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
    TRY(webhooks, reads.all());
    return {};
  }));
  Found found;
  if (std::none_of(webhooks.begin(), webhooks.end(), [](const auto& one) { return one.enabled; })) return found;
  for (const auto& webhook : webhooks) TRY_VOID(forget_old_secret(parts, webhook, now_ms));
  Refilled refilled;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(refilled, refill(tx, parts.source, parts.random, calls, now_ms));
    return {};
  }));
  found.calls_wait = refilled.calls_wait;
  if (refilled.more) found.next_ms = now_ms;
  TRY_VOID(parts.library.look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
    for (const auto& webhook : webhooks) {
      if (!webhook.enabled) continue;
      TRY(auto due, reads.due(webhook.number, now_ms, 2 * kAtOnceOfOne));  // half of them may be under way
      for (auto& message : due) found.jobs.push_back({webhook, std::move(message)});
      TRY(const auto next, reads.next_ms(webhook.number, now_ms));
      sooner(found.next_ms, next);
    }
    return {};
  }));
  return found;
}

/// On the pool: the request of one attempt, signed for this moment.
Result<HttpRequest> write_request(const SenderParts& parts, const Job& job) {
  const std::int64_t now_ms = to_unix_ms(parts.clock.now());
  std::vector<storage::Secret> secrets;
  std::vector<std::string> handles = {job.webhook.secret};
  if (!job.webhook.old_secret.empty() && job.webhook.old_until_ms > now_ms) handles.push_back(job.webhook.old_secret);
  for (const auto& handle : handles) {
    TRY(const auto id, CredentialId::parse(handle));
    TRY(auto secret, parts.vault.open_sealed(id));
    secrets.push_back(std::move(secret));
  }
  HttpRequest request;
  TRY(const auto signature, sign_message(secrets, job.message.id, now_ms / 1'000, job.message.body));
  request.method = "POST";
  request.url = job.webhook.url;
  request.headers = {{"Content-Type", "application/json"},
                     {"webhook-id", job.message.id},
                     {"webhook-timestamp", std::to_string(now_ms / 1'000)},
                     {"webhook-signature", signature}};
  request.body = job.message.body;
  request.timeout = kAnswerTimeout;
  request.body_bytes_max = kAnswerBytesMax;
  request.beyond_max = HttpRequest::Beyond::kIsCut;
  return request;
}

/// For the metrics, as record_attempt wrote it down.
void count_attempt(const Job& job, const WebhookAttempt& made, const Outcome& outcome) {
  const bool again =
      job.message.type != kWebhookTest && retry_after(job.message.attempts + 1, 0, std::chrono::seconds{0});
  const std::string_view result = outcome.error.empty() ? "sent" : again ? "put_off" : "failed";
  count_told({kWebhookChannel, job.message.type, kNoWeight, result, made.at_ms + made.took_ms - job.message.at_ms});
}

Result<Job> read_job(const SenderParts& parts, const std::string& webhook_id, const std::string& message_id) {
  Job job;
  TRY_VOID(parts.library.look_at_webhooks([&](storage::WebhookReads& reads) -> Result<> {
    TRY(auto webhook, find_webhook(reads, webhook_id));
    if (!webhook) return fail(Code::kNotFound, "no webhook " + webhook_id);
    job.webhook = std::move(*webhook);
    TRY(auto message, reads.message(job.webhook.number, message_id));
    if (!message) return fail(Code::kNotFound, "no message " + message_id + " of " + webhook_id);
    job.message = std::move(*message);
    return {};
  }));
  return job;
}

}  // namespace

struct WebhookSender::Inside {
  using Self = std::shared_ptr<Inside>;
  SenderParts parts;
  bool running = false, again = false, stopped = true;
  Calls calls = Calls::kAll;
  Clock::TimerId timer = 0, linger = 0;
  std::set<std::pair<std::string, std::string>> under_way{};  // endpoint, message
  std::map<std::string, int> of_one{};
  std::set<std::pair<std::string, std::string>> ended{};  // since the look under way began: what it read of them is old

  static void look(const Self& self) {
    if (self->stopped) return;
    self->again = self->running;
    if (std::exchange(self->running, true)) return;
    self->parts.clock.cancel(std::exchange(self->timer, 0));
    engine::spawn(self->parts.loop, round(self), [self](std::optional<std::int64_t> again_ms) {
      self->running = false;
      if (self->stopped) return;
      if (std::exchange(self->again, false)) return look(self);
      if (!again_ms) return;
      self->timer = self->parts.clock.at(from_unix_ms(*again_ms), [self] {
        self->timer = 0;
        look(self);
      });
    });
  }

  /// Begins what may be begun; answers when to look again.
  static engine::Awaitable<std::optional<std::int64_t>> round(Self self) {
    const Calls calls = std::exchange(self->calls, Calls::kFull);
    self->ended.clear();
    auto work = [self, calls] { return look_into(self->parts, calls); };
    auto looking = engine::on_pool(self->parts.pool, self->parts.loop, std::move(work));
    const Result<Found> found = co_await std::move(looking);
    if (!found) {
      self->calls = calls;
      co_return to_unix_ms(self->parts.clock.now() + kAfterDiskTrouble);
    }
    if (found->calls_wait) self->wait_for_company(self);
    for (const auto& job : found->jobs) begin(self, job);
    co_return found->next_ms;
  }

  void wait_for_company(const Self& self) {
    if (linger != 0 || stopped) return;
    linger = parts.clock.at(parts.clock.now() + kCallsLinger, [self] {
      self->linger = 0;
      self->calls = Calls::kAll;
      look(self);
    });
  }

  static void begin(const Self& self, const Job& job) {
    if (self->stopped || std::ssize(self->under_way) >= kAtOnceOfAll) return;
    if (self->of_one[job.webhook.id] >= kAtOnceOfOne) return;
    if (self->ended.contains({job.webhook.id, job.message.id}) || !self->take(job)) return;
    engine::spawn(self->parts.loop, attempt(self, job), [self](const Result<WebhookAttempt>&) { look(self); });
  }

  bool take(const Job& job) {
    if (!under_way.emplace(job.webhook.id, job.message.id).second) return false;
    ++of_one[job.webhook.id];
    return true;
  }

  void give_back(const Job& job) {
    under_way.erase({job.webhook.id, job.message.id});
    if (running) ended.emplace(job.webhook.id, job.message.id);
    if (--of_one[job.webhook.id] == 0) of_one.erase(job.webhook.id);
  }

  /// One exchange, written down. The message stays taken until it is.
  static engine::Awaitable<Result<WebhookAttempt>> attempt(Self self, Job job) {
    const SenderParts& parts = self->parts;
    WebhookAttempt made;
    made.at_ms = to_unix_ms(parts.clock.now());
    auto writing = engine::on_pool(parts.pool, parts.loop, [self, job] { return write_request(self->parts, job); });
    Result<HttpRequest> request = co_await std::move(writing);
    Outcome outcome;
    if (request) {
      auto sending = parts.http.send(std::move(*request));
      const Result<HttpReply> reply = co_await std::move(sending);
      if (!reply && reply.error().code == Code::kCancelled) {
        self->give_back(job);
        co_return tl::unexpected(reply.error());
      }
      if (reply)
        outcome = judge(reply->status, reply->header("retry-after"));
      else
        outcome.error = reply.error().message;
    } else {
      outcome.error = "it could not be signed: " + request.error().message;
    }
    made.took_ms = to_unix_ms(parts.clock.now()) - made.at_ms;
    made.status = outcome.status;
    made.error = outcome.error;
    auto record = [self, job, made, outcome] {
      return self->parts.library.change([&](storage::LibraryTx& tx) {
        return record_attempt(tx, job.webhook.id, job.message.id, made, outcome, self->parts.random.next());
      });
    };
    auto recording = engine::on_pool(parts.pool, parts.loop, std::move(record));
    const Result<> recorded = co_await std::move(recording);
    if (!recorded) {  // sent, and nobody would know: not again at once
      auto resting = engine::sleep_for(parts.clock, kAfterDiskTrouble);
      co_await std::move(resting);
    }
    self->give_back(job);
    if (!recorded) co_return tl::unexpected(recorded.error());
    count_attempt(job, made, outcome);
    co_return made;
  }

  static engine::Awaitable<Result<WebhookAttempt>> attempt_named(Self self, std::string webhook, std::string message) {
    auto read = [self, webhook, message] { return read_job(self->parts, webhook, message); };
    auto reading = engine::on_pool(self->parts.pool, self->parts.loop, std::move(read));
    const Result<Job> job = co_await std::move(reading);
    if (!job) co_return tl::unexpected(job.error());
    if (!self->take(*job)) co_return fail(Code::kConflict, "webhook.busy: this message is being sent just now");
    auto trying = attempt(self, *job);
    co_return co_await std::move(trying);
  }
};

WebhookSender::WebhookSender(SenderParts parts) : inside_(std::make_shared<Inside>(Inside{std::move(parts)})) {}

WebhookSender::~WebhookSender() { stop(); }

void WebhookSender::start() {
  inside_->stopped = false;
  Inside::look(inside_);
}

void WebhookSender::wake() { Inside::look(inside_); }

void WebhookSender::stop() {
  inside_->stopped = true;
  inside_->parts.clock.cancel(std::exchange(inside_->timer, 0));
  inside_->parts.clock.cancel(std::exchange(inside_->linger, 0));
}

void WebhookSender::send_now(std::string webhook, std::string message,
                             std::function<void(Result<WebhookAttempt>)> done) {
  engine::spawn(inside_->parts.loop, Inside::attempt_named(inside_, std::move(webhook), std::move(message)),
                [self = inside_, done = std::move(done)](Result<WebhookAttempt> made) {
                  done(std::move(made));
                  Inside::look(self);
                });
}

}  // namespace callimport::activities
