#pragma once
// A few calls out of the whole time a workspace has calls in, for trying an import out (ux NW-11).
#include <cstdint>
#include <functional>
#include <vector>

#include "activities/import/choice.h"
#include "activities/import/session.h"
#include "activities/import/spread.h"

namespace callimport::activities {

inline constexpr int kSampleProbesMax = 60;  ///< list requests one sample costs at most, finding the oldest call apart
inline constexpr int kOlderProbesMax = 24;   ///< doubling from a day reaches any date

/// The page of calls that began before `before_ms`, within what was asked for. Rows without a start are left out.
Awaitable<Fetched<ListPage>> list_before(std::shared_ptr<Session> session, ImportInput ask, std::int64_t before_ms);

/// `calls` of the candidates, spread evenly from the newest to the oldest of them, newest first. Pure.
std::vector<storage::ManifestRow> pick_evenly(std::vector<storage::ManifestRow> candidates, std::size_t calls);

/// Up to ask.calls_max calls of the choice (which outlives the picking) across the dates asked for, newest first. One
/// request a call at most, so it may be done in one step; `stop` is looked at between requests: then what was found so
/// far comes.
Awaitable<Fetched<std::vector<storage::ManifestRow>>> pick_sample(std::shared_ptr<Session> session, ImportInput ask,
                                                                  const Choice& choice, std::function<bool()> stop);

}  // namespace callimport::activities
