#include "api/grpc/test_methods.h"

#include <google/protobuf/empty.pb.h>
#include <temporal/api/testservice/v1/request_response.pb.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "api/grpc/typed.h"

namespace callimport::api {
namespace {

namespace testservice = ::temporal::api::testservice::v1;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

Nanos nanos_of(const google::protobuf::Duration& duration) {
  constexpr std::int64_t kSecondsMax = 100LL * 366 * 24 * 3600;
  const std::int64_t seconds = std::clamp<std::int64_t>(duration.seconds(), 0, kSecondsMax);
  return Nanos{seconds * kNanosPerSecond + duration.nanos()};
}

/// One answer when the clock says so.
template <class Response>
void answer_at(SkippingClock& clock, Timestamp when, std::shared_ptr<Answer> answer, std::function<void()> first) {
  clock.at(when, [answer = std::move(answer), first = std::move(first)] {
    if (first) first();
    answer->reply(Response());
  });
}

class TestMethods {
 public:
  explicit TestMethods(SkippingClock& clock) : clock_(clock) {}

  void LockTimeSkipping(const testservice::LockTimeSkippingRequest&, const std::shared_ptr<Answer>& answer) const {
    clock_.lock();
    answer->reply(testservice::LockTimeSkippingResponse());
  }
  void UnlockTimeSkipping(const testservice::UnlockTimeSkippingRequest&, const std::shared_ptr<Answer>& answer) const {
    if (!clock_.unlock()) return answer->finish(unbalanced());
    answer->reply(testservice::UnlockTimeSkippingResponse());
  }
  void Sleep(const testservice::SleepRequest& request, const std::shared_ptr<Answer>& answer) const {
    answer_at<testservice::SleepResponse>(clock_, clock_.now() + nanos_of(request.duration()), answer, {});
  }
  void SleepUntil(const testservice::SleepUntilRequest& request, const std::shared_ptr<Answer>& answer) const {
    const auto& until = request.timestamp();
    const Timestamp when = from_unix_ns(until.seconds() * kNanosPerSecond + until.nanos());
    if (when <= clock_.now()) return answer->reply(testservice::SleepResponse());
    answer_at<testservice::SleepResponse>(clock_, when, answer, {});
  }
  void UnlockTimeSkippingWithSleep(const testservice::SleepRequest& request,
                                   const std::shared_ptr<Answer>& answer) const {
    const Timestamp when = clock_.now() + nanos_of(request.duration());
    if (!clock_.unlock()) return answer->finish(unbalanced());
    answer_at<testservice::SleepResponse>(clock_, when, answer, [clock = &clock_] { clock->lock(); });
  }
  void GetCurrentTime(const google::protobuf::Empty&, const std::shared_ptr<Answer>& answer) const {
    testservice::GetCurrentTimeResponse reply;
    const std::int64_t now = to_unix_ns(clock_.now());
    reply.mutable_time()->set_seconds(now / kNanosPerSecond);
    reply.mutable_time()->set_nanos(static_cast<std::int32_t>(now % kNanosPerSecond));
    answer->reply(reply);
  }

 private:
  static PortStatus unbalanced() {
    return {kGrpcFailedPrecondition, "Time skipping is not locked: unbalanced unlock", {}, {}};
  }
  SkippingClock& clock_;
};

}  // namespace

void add_test_methods(Router& router, SkippingClock& clock) {
  const TestMethods methods(clock);
  const std::string prefix = "/" + std::string(kTestService) + "/";
#define X(Name, Request, Response)                                                          \
  router.methods[prefix + #Name] =                                                          \
      typed_method<Request>([methods](std::shared_ptr<Request> request, const CallContext&, \
                                      const std::shared_ptr<Answer>& answer) { methods.Name(*request, answer); });
#include "api/grpc/test_rpcs.inc"
#undef X
  router.services.insert(std::string(kTestService));
}

}  // namespace callimport::api
