#pragma once
// A Method from a function of a typed request: decoding happens on gRPC's thread, the function runs on the loop.
#include <memory>
#include <utility>

#include "api/grpc/router.h"
#include "engine/nesting.h"

namespace callimport::api {

/// `function(std::shared_ptr<Request>, CallContext, std::shared_ptr<Answer>)`.
template <class Request, class Function>
Method typed_method(Function function) {
  Method method;
  method.serve = [function = std::move(function)](Incoming incoming) -> OnLoop {
    auto request = std::make_shared<Request>();  // shared: rides in a copyable task
    auto answer = std::move(incoming.answer);
    if (!engine::parse_request(incoming.bytes, request.get())) {
      return [answer] {
        answer->finish({kGrpcInternal, "grpc: error unmarshalling request: not a message of this method", {}, {}});
      };
    }
    return [function, request, context = incoming.context, answer] { function(request, context, answer); };
  };
  return method;
}

/// `function(std::shared_ptr<Request>, Caller, std::shared_ptr<Answer>)`, of a trusted method.
template <class Request, class Function>
Method callers_method(Function function) {
  Method method;
  method.trusted = true;
  method.serve = [function = std::move(function)](Incoming incoming) -> OnLoop {
    auto request = std::make_shared<Request>();  // shared: rides in a copyable task
    auto answer = std::move(incoming.answer);
    if (!request->ParseFromArray(incoming.bytes.data(), static_cast<int>(incoming.bytes.size()))) {
      return [answer] { answer->finish({kGrpcInternal, "grpc: error unmarshalling request", {}, {}}); };
    }
    return [function, request, caller = std::move(incoming.caller), answer] { function(request, caller, answer); };
  };
  return method;
}

}  // namespace callimport::api
