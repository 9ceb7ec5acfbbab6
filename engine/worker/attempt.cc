#include "engine/worker/attempt.h"

#include <exception>
#include <utility>

namespace callimport::engine::worker {

Awaitable<ActivityResult> attempt_once(std::shared_ptr<ActivityContext> context, ActivityFunction function,
                                       std::string input) {
  ActivityError error{.type = "Exception"};
  try {
    auto work = function(*context, std::move(input));
    auto result = co_await std::move(work);
    co_return result;
  } catch (const std::exception& thrown) {
    error.message = thrown.what();
  }
  co_return tl::unexpected(std::move(error));
}

}  // namespace callimport::engine::worker
