#pragma once
// The configuration's people: [people.ID], who they are to imports: [notify], and what customers hear:
// [notify.customers.WORKSPACE].
#include <toml++/toml.h>

#include <string>

#include "activities/notify/people.h"
#include "storage/model/result.h"

namespace callimport::api {

/// One person for each table below [people].
/// @error kInvalid  an unknown key, zone or level, hours that are none: `file:line: what is wrong; what to do`.
Result<> read_people(const std::string& file, const toml::table& table, activities::Roster& into);
/// [notify], once all people are read.  @error kInvalid  the same, and an id that is nobody's.
Result<> read_notify(const std::string& file, const toml::table& table, activities::Roster& into);

}  // namespace callimport::api
