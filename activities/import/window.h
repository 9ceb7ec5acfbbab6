#pragma once
// The window of a running import: what was asked for, judged by the clock here and not in the workflow. Private to this
// folder.
#include <optional>
#include <string>

#include "activities/import/step.h"
#include "storage/windows/time_window.h"

namespace callimport::activities {

inline constexpr const char* kWindowClosed = "window.closed";
inline constexpr const char* kWindowNeverOpens = "window.never_opens";

/// What a start left unsaid, filled in with what the server says.
ImportInput with_defaults(ImportInput ask, const ImportDefaults& defaults);

/// @error kInvalid  words that are no window, a zone that does not exist, or one that never opens from `now` on.
Result<storage::TimeWindow> judge_window(const std::string& window, const std::string& zone, Timestamp now);

/// The window as it stands: last set in this process, or in the library, or as the step was asked.
storage::TimeWindow window_of(const ImportDeps& deps, const ImportInput& ask);
/// Blocks. The step's wish, with the window that a person set since.
ImportInput as_set_since(storage::Library& library, ImportInput ask);

/// What a closed window means for a step of the bulk: a wait until it opens, or, when it never does, a person's to act.
/// Nothing while it is open.
TroubleNote window_trouble(const storage::TimeWindow& window, const ImportInput& ask, Timestamp now);

}  // namespace callimport::activities
