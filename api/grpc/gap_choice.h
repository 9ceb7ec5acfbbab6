#pragma once
// Which of the calls that did not come a person means, and which of them cannot be meant. Private to api/grpc.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "activities/import/contract.h"
#include "api/grpc/product_actions.h"

namespace callimport::api {

inline constexpr std::size_t kGapCallsMax = 500;           ///< source ids one action names
inline constexpr std::size_t kGapIdsBytesMax = 48u << 10;  ///< of these
inline constexpr std::size_t kRefusedShownMax = 100;       ///< of those it refuses

/// @error kInvalid  not one of the three, or more calls than one action may name.
Result<activities::RetryNote> choice_from(std::string_view verb, const Caller& caller, const std::string& why,
                                          bool failed, const std::string& cause, const std::set<std::string>& calls);
/// Of a request with failed, cause and calls.
template <class Request>
Result<activities::RetryNote> choice_of(std::string_view verb, const Caller& caller, const Request& request) {
  const std::set<std::string> calls(request.calls().begin(), request.calls().end());
  return choice_from(verb, caller, request.action().why(), request.failed(), request.cause(), calls);
}

/// @error kNotFound  cause.unknown: no call of the import ever met it; names the nearest cause, and those it has. An
/// empty cause is none to know.
Result<> must_have_met(storage::Library& library, const Subject& subject, const std::string& cause);

/// "12 call.private, 3 media.damaged", most calls first.
std::string causes_of(const std::vector<storage::Problem>& problems);

void refuse(v1::ActionResponse& answer, const std::string& source_id, std::string reason);
/// So many calls, for one reason; none for 0.
void refuse_many(v1::ActionResponse& answer, std::int64_t calls, std::string_view reason);

/// Why nothing is done about this call; empty: it is.
using Refusal = std::string (*)(const std::optional<storage::ManifestRow>& row);
/// The named calls, accepted or refused; the choice keeps the accepted ones.
Result<> sort_out_calls(storage::Library& library, const std::string& import, activities::RetryNote& choice,
                        Refusal refusal, v1::ActionResponse& answer);

}  // namespace callimport::api
