#pragma once
// Calls through the port that are tried again after a transient error (conformance A9), on the loop and its Clock.
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/workflow_service.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/random.h"

namespace callimport::engine::worker {

namespace grpc_code {
inline constexpr int kCancelled = 1, kUnknown = 2, kInvalidArgument = 3, kDeadlineExceeded = 4, kNotFound = 5,
                     kResourceExhausted = 8, kAborted = 10, kOutOfRange = 11, kUnimplemented = 12, kInternal = 13,
                     kUnavailable = 14, kDataLoss = 15;
}

/// True for the answer to a request over the message limit: sending it again can't help.
inline bool is_too_large(const PortStatus& status) {
  return status.code == grpc_code::kResourceExhausted &&
         status.message.starts_with("grpc: received message larger than max");
}

inline bool is_transient(const PortStatus& status) {
  switch (status.code) {
    case grpc_code::kUnknown:
    case grpc_code::kResourceExhausted:
    case grpc_code::kAborted:
    case grpc_code::kOutOfRange:
    case grpc_code::kInternal:
    case grpc_code::kUnavailable:
    case grpc_code::kDataLoss: return !is_too_large(status);
    default: return false;
  }
}

struct Backoff {
  Nanos initial = std::chrono::milliseconds{100};
  double coefficient = 1.7;
  Nanos maximum = std::chrono::seconds{5};
  int attempts_max = 10;
  Nanos trying_max = std::chrono::seconds{10};  ///< from the first attempt on; no attempt begins after it
};
inline constexpr Nanos kExhaustedInitial = std::chrono::seconds{1}, kExhaustedMax = std::chrono::seconds{10};

/// Before attempt `failed + 1`; up to a fifth is taken off by chance, so that workers don't come back together.
inline Nanos delay_after(const Backoff& backoff, const PortStatus& status, int failed, Random& random) {
  const bool exhausted = status.code == grpc_code::kResourceExhausted;
  const double coefficient = exhausted ? 2.0 : backoff.coefficient;
  const auto most = static_cast<double>((exhausted ? kExhaustedMax : backoff.maximum).count());
  auto wait = static_cast<double>((exhausted ? kExhaustedInitial : backoff.initial).count());
  for (int i = 1; i < failed && wait < most; ++i) wait *= coefficient;
  const double off = static_cast<double>(random.next() % 1024) / 1024 * 0.2;
  return Nanos{static_cast<std::int64_t>(std::min(wait, most) * (1 - off))};
}

/// How many polls of one kind to keep open. The service records a task as started before it hands it out, so a poll
/// takes a commit: one more while tasks come, half as many when one comes back empty.
class PollCount {
 public:
  PollCount(int least, int most) : least_(std::max(least, 1)), most_(std::max(least_, most)), wanted_(least_) {}
  int wanted() const { return wanted_; }
  void brought_task() { wanted_ = std::min(wanted_ + 1, most_); }
  void came_empty() { wanted_ = std::max(wanted_ / 2, least_); }

 private:
  int least_, most_, wanted_;
};

inline constexpr Nanos kRefusedGrace = std::chrono::seconds{60};

/// Polls answered with a code that no second try mends: after a minute of nothing else somebody must be told (A9).
class PollRefusals {
 public:
  explicit PollRefusals(std::function<void(const PortStatus&)> tell) : tell_(std::move(tell)) {}
  void note(const PortStatus& status, Timestamp now) {
    const bool refused = !status.ok() && !is_transient(status) && status.code != grpc_code::kDeadlineExceeded &&
                         status.code != grpc_code::kCancelled;
    if (!refused) return since_.reset();
    if (!since_) since_ = now;
    if (now - *since_ >= kRefusedGrace && tell_) std::exchange(tell_, nullptr)(status);
  }

 private:
  std::function<void(const PortStatus&)> tell_;
  std::optional<Timestamp> since_;
};

/// What every part of a worker needs to call the service. All four outlive the worker; an activity that did not heed
/// the end of `stop` may outlive them, so nothing is touched once `alive` is false.
struct Port {
  WorkflowService& service;
  Executor& loop;
  Clock& clock;
  Random& random;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);  ///< shared by the worker and all that calls for it
};

/// Sends `request` until it succeeds, fails for good, or `backoff.attempts_max` attempts failed; then `reply` comes
/// once. Owned by the callbacks it waits for.
template <class Request, class Response>
class RetryingCall : public std::enable_shared_from_this<RetryingCall<Request, Response>> {
 public:
  using Method = void (WorkflowService::*)(const Request&, CallContext, Reply<Response>);
  RetryingCall(const Port& port, Method method, std::shared_ptr<Request> request, Backoff backoff,
               Reply<Response> reply)
      : port_(port), method_(method), request_(std::move(request)), backoff_(backoff), reply_(std::move(reply)) {}

  void send() {
    if (!*port_.alive) return;
    if (failed_ == 0) began_ = port_.clock.now();
    CallContext context;
    context.deadline = port_.clock.now() + std::chrono::seconds{30};
    auto self = this->shared_from_this();
    (port_.service.*method_)(*request_, context,
                             [self](const PortStatus& status, Response* response) { self->finish(status, response); });
  }

 private:
  void finish(const PortStatus& status, Response* response) {
    if (!*port_.alive) return;
    const bool again = !status.ok() && is_transient(status) && ++failed_ < backoff_.attempts_max;
    const Nanos wait = again ? delay_after(backoff_, status, failed_, port_.random) : Nanos{0};
    if (!again || port_.clock.now() + wait > began_ + backoff_.trying_max) {
      auto reply = std::move(reply_);
      if (reply) reply(status, response);
      return;
    }
    auto self = this->shared_from_this();
    port_.clock.at(port_.clock.now() + wait, [self] { self->send(); });
  }

  const Port port_;
  Method method_;
  std::shared_ptr<Request> request_;  // shared: the caller may keep it to look at after the reply
  Backoff backoff_;
  Reply<Response> reply_;
  int failed_ = 0;
  Timestamp began_{};
};

template <class Request, class Response>
void call(const Port& port, void (WorkflowService::*method)(const Request&, CallContext, Reply<Response>),
          std::shared_ptr<Request> request, Reply<Response> reply, Backoff backoff = Backoff{}) {
  auto retrying =
      std::make_shared<RetryingCall<Request, Response>>(port, method, std::move(request), backoff, std::move(reply));
  retrying->send();
}

}  // namespace callimport::engine::worker
