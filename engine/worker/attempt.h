#pragma once
// One attempt of an activity, whoever asked for it.
#include <memory>
#include <string>

#include "engine/activity.h"

namespace callimport::engine::worker {

/// What the function returns; an exception is a failure of type `Exception`. Keeps the context and the function (its
/// captures) alive as long as the coroutine runs.
Awaitable<ActivityResult> attempt_once(std::shared_ptr<ActivityContext> context, ActivityFunction function,
                                       std::string input);

}  // namespace callimport::engine::worker
