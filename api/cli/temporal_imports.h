#pragma once
// Imports as Temporal alone knows them: from memo, search attributes and the workflow's own answer. So the terminal
// works against any Temporal service, also where no library of ours is asked (design section 4).
#include <optional>
#include <string>
#include <vector>

#include "api/cli/session.h"
#include "api/cli/workflows.h"
#include "api/proto/callimport/v1/callimport.pb.h"

namespace callimport::api {

/// An import by its id or a unique beginning; nothing when there is none. Counters come from the workflow when a worker
/// answers within a few seconds, else they are absent.
tl::expected<std::optional<::callimport::v1::Import>, CliError> import_of_workflow(Session& session,
                                                                                   const std::string& id);

struct TemporalFilter {
  std::vector<std::string> conditions;
  std::string platform, text, query;
  bool attention = false;
  std::int64_t after_ms = 0;
  int limit = 100;
};
/// Newest first, one row an import, without counters.
tl::expected<std::vector<::callimport::v1::Import>, CliError> imports_of_workflows(Session& session,
                                                                                   const TemporalFilter& filter);

}  // namespace callimport::api
