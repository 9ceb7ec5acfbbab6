#pragma once
// One import on one screen: what it is, where it stands and why, what it counted, and the one command that helps now
// (ux TH-01, ID-01, ID-02, ID-03). Nothing here asks the server.
#include <string>
#include <vector>

#include "api/cli/imports.h"
#include "api/cli/session.h"
#include "workflows/import/table.h"

namespace callimport::api {

/// A stage, both lanes together: done, done_with_gaps, running, waiting, needs_attention, paused, stopped (the import
/// ended there), first_calls_done (the first lane is beyond it, the bulk not yet there), to_come.
struct RailStop {
  workflows::Stage stage;
  std::string state;
};
/// All six, in their order.
std::vector<RailStop> rail_of(const v1::Import& import);

/// "Fetching recordings: 6 of 4,212 at 38 a minute; next pause in 3h: the hours in which bulk may run, goes on in 17h";
/// empty where nothing runs.
std::string live_line(const Session& session, const v1::Import& import);

/// The command that helps most now; `problems`: some calls did not come.
std::string next_command(const v1::Import& import, bool problems);

/// The whole screen, as wide as the terminal: longer lines go on below. `page`: its address, may be empty.
std::string import_screen(const Session& session, const v1::GetImportResponse& reply, const std::string& page);

}  // namespace callimport::api
