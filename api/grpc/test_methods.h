#pragma once
#include "api/grpc/router.h"
#include "storage/runtime/skipping_clock.h"

namespace callimport::api {

/// Temporal's TestService over a clock that skips (conformance C.14). An unlock without a lock is FAILED_PRECONDITION.
/// Lifetime: `clock` outlives `router`.
void add_test_methods(Router& router, SkippingClock& clock);

inline constexpr std::string_view kTestService = "temporal.api.testservice.v1.TestService";

}  // namespace callimport::api
