// What a workflow cannot see of a step that still runs: whether it moves.
#include "activities/import/step.h"

namespace callimport::activities {

Awaitable<ActivityResult> tell_progress(SharedDeps deps, ActivityContext& context, ProgressInput input) {
  (void)context;
  ProgressResult result;
  result.moved_ms = to_unix_ms(deps->live->moved_at(input.import, deps->clock.now()));
  co_return write_note(result);
}

}  // namespace callimport::activities
