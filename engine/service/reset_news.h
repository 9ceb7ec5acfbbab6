#pragma once
// What others told a run after the point it is reset to, told again (conformance C.11): what became of its children,
// and of the signals and cancel requests it sent. Nobody would tell it a second time.
#include <cstdint>

#include "engine/service/draft.h"

namespace callimport::engine {

/// Whether an event tells a parent what became of a child: started, not started, closed.
bool is_child_news(const HistoryEvent& event);
/// The same news for a run made by a reset, where it is a child of the kept part; nothing otherwise.
void repeat_child_news(Draft& parent, const HistoryEvent& news);

/// The Initiated event whose outcome at another workflow `event` tells; 0: it is no such event.
std::int64_t asked_outside(const HistoryEvent& event);

/// The event once more, now.
HistoryEvent& repeat_event(Draft& draft, const HistoryEvent& news);

}  // namespace callimport::engine
