#pragma once
// A message of each event as it might be, for previews and for the golden files: one import of Northwind's calls.
#include <string_view>

#include "activities/notify/layout.h"
#include "activities/notify/message.h"
#include "activities/notify/words.h"

namespace callimport::activities {

/// With facts such as its record would hold, to a person in Madrid. Of an unknown event: without facts.
Message sample_message(std::string_view event, Audience audience);
Surroundings sample_surroundings(std::string_view event, Audience audience);

}  // namespace callimport::activities
