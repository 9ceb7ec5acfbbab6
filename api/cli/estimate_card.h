#pragma once
// The look before a start, as a terminal shows it: named checks, and a card of figures (ux NW-04, NW-10, TE-01).
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "activities/import/contract.h"
#include "api/cli/session.h"
#include "api/proto/callimport/v1/callimport.pb.h"

namespace callimport::api {

/// Who looks: a credential of the vault in `order`, or a token that is kept nowhere.
struct Look {
  activities::ImportInput order;
  std::string token, token_kind;
  std::int64_t time_ms = 0;  ///< 0: as the server does; -1: to the end
  bool checks_only = false;
  std::vector<std::string> named{};  ///< of an order that names its calls
  std::vector<std::string> only = {};  ///< with checks_only: these, by name; empty: all
};
/// Asks the server; partial figures are drawn on stderr where that is a terminal (TE-04).
/// @error library.absent  only Temporal answers there.
tl::expected<::callimport::v1::EstimateImportResponse, CliError> look_before(Session& session, const Look& look);

inline constexpr std::size_t kCardIndent = 14;  ///< where the values of a card begin, and what goes on below
std::string estimate_card(const ::callimport::v1::Estimate& estimate, const activities::ImportInput& order);
std::string check_list(const google::protobuf::RepeatedPtrField<::callimport::v1::Check>& checks);
/// {checks, estimate}
nlohmann::json shape(const ::callimport::v1::EstimateImportResponse& response);
/// The first check that failed, null: none did. `beginning`: of the names that begin so only.
const ::callimport::v1::Check* failed_check(const ::callimport::v1::EstimateImportResponse& response,
                                            std::string_view beginning);

}  // namespace callimport::api
