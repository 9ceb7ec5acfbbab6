#pragma once
// The configuration's budgets: [budgets] and one table a platform below it.
#include <string>
#include <toml++/toml.h>

#include "storage/model/result.h"
#include "storage/quota/settings.h"

namespace callimport::api {

/// Reads [budgets] on top of the defaults.
/// @error kInvalid  an unknown key or platform, or a value out of range: `file:line: what is wrong; what to do`. A budget
/// of zero is refused, since nothing could ever be fetched.
Result<> read_budgets(const std::string& file, const toml::table& table, storage::BudgetSettings& into);

}  // namespace callimport::api
