#pragma once
// One call, whole: details, transcript, recording.
#include <memory>
#include <string>

#include "activities/import/session.h"

namespace callimport::activities {

inline constexpr int kNotReadyTriesMax = 10;  ///< looks at a transcript that never comes, over about two days

/// Ready to be staged. Trouble: CallFailed and NotReady are the call's; all else is the platform's, the store's, or,
/// when other calls pass meanwhile, the call's after all.
Awaitable<Fetched<storage::Call>> fetch_call(std::shared_ptr<Session> session, ActivityContext& context,
                                             ImportInput ask, storage::ManifestRow row);

}  // namespace callimport::activities
