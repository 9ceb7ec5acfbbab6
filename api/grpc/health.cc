#include "api/grpc/health.h"

#include "api/grpc/typed.h"
#include "api/proto/grpc/health.pb.h"

namespace callimport::api {

void add_health(Router& router) {
  using Request = grpc::health::v1::HealthCheckRequest;
  using Response = grpc::health::v1::HealthCheckResponse;
  router.services.insert("grpc.health.v1.Health");
  router.methods["/grpc.health.v1.Health/Check"] =
      typed_method<Request>([&router](std::shared_ptr<Request> request, CallContext, std::shared_ptr<Answer> answer) {
        if (!request->service().empty() && !router.services.contains(request->service())) {
          return answer->finish({kGrpcNotFound, "unknown service", {}, {}});
        }
        Response reply;
        reply.set_status(Response::SERVING);
        answer->reply(reply);
      });
  router.methods["/grpc.health.v1.Health/Check"].anonymous = true;
  // Health never changes while the server listens: one message, then the stream stays open until the caller goes.
  router.methods["/grpc.health.v1.Health/Watch"] =
      typed_method<Request>([&router](std::shared_ptr<Request> request, CallContext, std::shared_ptr<Answer> answer) {
        const bool known = request->service().empty() || router.services.contains(request->service());
        Response reply;
        reply.set_status(known ? Response::SERVING : Response::SERVICE_UNKNOWN);
        answer->write(reply);
      });
  router.methods["/grpc.health.v1.Health/Watch"].anonymous = true;
}

}  // namespace callimport::api
