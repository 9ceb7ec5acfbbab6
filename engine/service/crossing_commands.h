#pragma once
// Commands that reach another run: start a child, signal it or somebody else, request a cancel (conformance C.12).
// Steps of the decision on one completed workflow task; what they ask of the other run happens in the same append.
#include <optional>

#include "engine/service/commands.h"

namespace callimport::engine {

std::optional<CommandError> start_child(Draft& draft, const temporal::api::command::v1::Command& command,
                                        CommandContext& context);
std::optional<CommandError> signal_external(Draft& draft, const temporal::api::command::v1::Command& command,
                                            CommandContext& context);
std::optional<CommandError> cancel_external(Draft& draft, const temporal::api::command::v1::Command& command,
                                            CommandContext& context);

}  // namespace callimport::engine
