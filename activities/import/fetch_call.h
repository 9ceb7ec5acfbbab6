#pragma once
// One call, whole: details, transcript, recording; or only what it lacks.
#include <memory>
#include <string>

#include "activities/import/session.h"
#include "activities/import/under_way.h"

namespace callimport::activities {

inline constexpr int kNotReadyTriesMax = 10;  ///< looks at a transcript that never comes, over about two days

struct FetchedCall {
  storage::Call call;
  bool details_only = false;        ///< the library has the call, and needs no more of it
  CallsUnderWay::Claim claim = {};  ///< until it is staged
};

/// Ready to be staged, unless the library has it: that is asked before transcript and recording. The same meeting as a
/// call that is under way or staged is looked at again once that one is in the library. Trouble: CallFailed
/// and NotReady are the call's; all else is the platform's, the store's, or, when other calls pass meanwhile, the
/// call's after all.
Awaitable<Fetched<FetchedCall>> fetch_call(std::shared_ptr<Session> session, ActivityContext& context, ImportInput ask,
                                           storage::ManifestRow row);

/// The words of a call that the library has without: the platform's if it has some by now, else those of the recording
/// that is there, where somebody transcribes. The call's state says what came of it; trouble is the platform's.
Awaitable<Fetched<FetchedCall>> fetch_words(std::shared_ptr<Session> session, ActivityContext& context,
                                            storage::ManifestRow row);

}  // namespace callimport::activities
