#pragma once
// Who makes a call, and whether they may: by the user of a socket, by the token they bear, and by their role.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>
#include <string_view>

#include "api/grpc/door.h"
#include "api/grpc/router.h"
#include "api/grpc/socket.h"

namespace callimport::api {

/// Threads: any, one call at a time. Lifetime: `options` and `peers` outlive it.
class Admission {
 public:
  Admission(const DoorOptions& options, const Peers& peers) : options_(options), peers_(peers) {}
  /// Nothing: they may, and `caller` says who it is. The token opens everything, the API key all but our own service;
  /// without either set, Temporal's service is open, unless roles say who may what.
  std::optional<grpc::Status> refuse(const Method& method, const grpc::GenericServerContext& context,
                                     Caller& caller) const;

 private:
  std::string name_of(const Method& method, const grpc::GenericServerContext& context) const;

  const DoorOptions& options_;
  const Peers& peers_;
};

}  // namespace callimport::api
