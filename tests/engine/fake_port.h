#pragma once
// The port with nothing behind it: every call is written down and waits until the test answers it.
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "engine/workflow_service.h"
#include "storage/runtime/executor.h"

namespace callimport::engine::testing_support {

template <class Request, class Response>
struct Call {
  Request request;
  CallContext context;
  Reply<Response> reply;  ///< empty once answered
};

/// The calls of one method, oldest first.
template <class Request, class Response>
struct Calls {
  std::vector<Call<Request, Response>> all;
  /// When set, every call is answered with it at once (on the loop).
  std::function<PortStatus(const Request&, Response&)> always;

  std::size_t size() const { return all.size(); }
  /// Those nobody answered yet, not counting cancelled ones.
  std::size_t waiting(const std::set<std::uint64_t>& cancelled) const {
    std::size_t count = 0;
    for (const auto& call : all) count += call.reply && !cancelled.contains(call.context.call) ? 1 : 0;
    return count;
  }
  const Request& last() const { return all.back().request; }
};

class FakePort final : public WorkflowService {
 public:
  explicit FakePort(Executor& loop) : loop_(loop) {}

#define X(Name)                                                                                                  \
  Calls<api::Name##Request, api::Name##Response> Name##Calls;                                                    \
  void Name(const api::Name##Request& request, CallContext context, Reply<api::Name##Response> reply) override { \
    take(Name##Calls, request, context, std::move(reply));                                                       \
  }
#include "engine/rpcs.inc"
#undef X

  void cancel(std::uint64_t call) override { cancelled.insert(call); }
  std::set<std::uint64_t> cancelled;

  /// Answers the oldest call of a method that waits. False when none does.
  template <class Request, class Response>
  bool answer(Calls<Request, Response>& calls, Response response, PortStatus status = {}) {
    for (auto& call : calls.all) {
      if (!call.reply || cancelled.contains(call.context.call)) continue;
      post(std::exchange(call.reply, nullptr), std::move(status), std::move(response));
      return true;
    }
    return false;
  }
  template <class Request, class Response>
  bool refuse(Calls<Request, Response>& calls, int code, const std::string& text) {
    PortStatus status;
    status.code = code;
    status.message = text;
    return answer(calls, Response{}, status);
  }

 private:
  template <class Request, class Response>
  void take(Calls<Request, Response>& calls, const Request& request, CallContext context, Reply<Response> reply) {
    calls.all.push_back({request, context, std::move(reply)});
    if (!calls.always) return;
    Response response;
    PortStatus status = calls.always(request, response);
    post(std::exchange(calls.all.back().reply, nullptr), std::move(status), std::move(response));
  }
  template <class Response>
  void post(Reply<Response> reply, PortStatus status, Response response) {
    auto held = std::make_shared<Response>(std::move(response));  // shared: rides in a copyable Task
    loop_.post([reply = std::move(reply), status = std::move(status), held] {
      reply(status, status.ok() ? held.get() : nullptr);
    });
  }
  Executor& loop_;
};

}  // namespace callimport::engine::testing_support
