#include "api/serve/inner_call.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "api/grpc/product.h"

namespace callimport::api {
namespace {

/// The one answer of a method, handed on.
class InnerAnswer final : public Answer {
 public:
  explicit InnerAnswer(OnInnerReply done) : done_(std::move(done)) {}
  bool write(const google::protobuf::MessageLite& message) override {
    reply_ = message.SerializeAsString();
    return true;
  }
  void finish(const PortStatus& status) override {
    if (const auto done = std::exchange(done_, {})) done(status, reply_);
  }
  void reply(const google::protobuf::MessageLite& message) override {
    write(message);
    finish({});
  }
  bool open() const override { return true; }

 private:
  OnInnerReply done_;
  std::string reply_;
};

}  // namespace

void call_inside(const Router& router, std::string_view method, const google::protobuf::MessageLite& request,
                 Caller caller, OnInnerReply done) {
  const auto found = router.methods.find(fmt::format("/{}/{}", kProductService, method));
  if (found == router.methods.end()) {
    return done({kGrpcInternal, fmt::format("there is no method {}", method), {}, {}}, {});
  }
  const std::string bytes = request.SerializeAsString();
  auto answer = std::make_shared<InnerAnswer>(std::move(done));  // shared with the call under way
  const OnLoop work = found->second.serve(Incoming{{}, bytes, answer, std::move(caller)});
  if (work) work();
}

}  // namespace callimport::api
