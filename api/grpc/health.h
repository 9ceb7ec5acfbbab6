#pragma once
#include "api/grpc/router.h"

namespace callimport::api {

/// grpc.health.v1: SERVING for the empty name and every service of `router`, NOT_FOUND `unknown service` else (A3). Add
/// it last.
void add_health(Router& router);
/// grpc.reflection v1 and v1alpha over the descriptors linked into this binary (A4). Add it last.
void add_reflection(Router& router);

}  // namespace callimport::api
