#pragma once
// A look at a workspace before an import of it: checks, each with its name, and what there is to be counted. Nothing is
// written, nothing is kept; every request goes at the pace of imports, since it is the same budget.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activities/estimate/figures.h"
#include "activities/import/step.h"

namespace callimport::activities {

enum class CheckResult : std::uint8_t { kPass, kWarning, kFail, kUnknown };  ///< kUnknown: it could not be checked
std::string_view to_string(CheckResult result);

struct Check {
  std::string name;  ///< access.valid
  std::string title;
  CheckResult result = CheckResult::kUnknown;
  std::string text;  ///< what was found, and what to do
  std::int64_t at_ms = 0;
};
/// Names of all checks, in the order they are told (ux NW-04).
const std::vector<std::string>& check_names();

struct SurveyOrder {
  ImportInput ask;                        ///< its credential, or `secret`
  std::optional<storage::Secret> secret;  ///< used for this look and kept nowhere
  std::string token_kind;                 ///< with secret
  Nanos time = std::chrono::seconds{8};   ///< what is not known by then is extrapolated; 0: count to the end
  bool counting = true;                   ///< false: checks only
  std::vector<std::string> named;         ///< of an order that names its calls: their ids
  std::vector<std::string> only = {};     ///< names of checks, and nothing is asked for others; empty: all
  std::function<Result<std::uint64_t>()> free_bytes;  ///< of the library's disk; empty: not known. On the pool
};

struct SurveyState {
  std::vector<Check> checks;
  ImportInput ask;  ///< with what the server adds to it
  storage::TimeWindow window;
  Seen seen;
  Past past;
  bool whole = false;  ///< it is over
};

/// Called on the loop whenever something new is known; false: nobody listens any more, and the survey ends.
using SurveyTell = std::function<bool(const SurveyState& state)>;

/// Trouble of the platform becomes a check that failed or could not be made; the rest is told all the same.
Awaitable<void> survey(SharedDeps deps, SurveyOrder order, std::shared_ptr<SurveyState> state, SurveyTell tell);

}  // namespace callimport::activities
