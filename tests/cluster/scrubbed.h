#pragma once
// Histories of two servers made comparable: what differs by chance (ids, times, names of queues) is taken out.
#include <string>
#include <vector>

#include "api/cli/client.h"

namespace temporal::api::history::v1 {
class History;
}

namespace callimport::tests {

using temporal::api::history::v1::History;

/// All runs of a workflow, oldest first, once the last one is closed (waits for it).
std::vector<History> closed_histories(api::Client& client, const std::string& workflow_id);

/// One line an event: number, type, and its attributes as JSON without ids, times and queue names.
std::vector<std::string> scrubbed(const History& history);

/// What workflow code did, whatever the pace: a line a command event in order, then a line an activity with what came
/// of it. Workflow tasks and who was first are left out.
std::vector<std::string> canonical(const History& history);

}  // namespace callimport::tests
