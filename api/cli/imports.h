#pragma once
// Finding an import by what a person typed, and saying how it stands.
#include <string>

#include "api/cli/session.h"
#include "api/proto/callimport/v1/callimport.pb.h"

namespace callimport::api {

/// The full id of an import from itself or a unique prefix. One that was only just started counts, too.
tl::expected<std::string, CliError> find_import(Session& session, const std::string& text);
/// 0 completed, 5 with gaps, 6 failed, 3 cancelled; open: 8.
int exit_of(const ::callimport::v1::Import& import);
/// "Waiting until 02:00: platform.daily_quota", "Fetching recordings".
std::string state_line(const Session& session, const ::callimport::v1::Import& import);
/// "found 300 = registered 280 + duplicate 0 + skipped 5 + failed 5 + pending 10"
std::string counter_line(const ::callimport::v1::Counters& counters);
/// A bar of `width` cells; `#` and `-` where the terminal has no UTF-8.
std::string bar(std::int64_t done, std::int64_t all, std::size_t width);
bool terminal_has_utf8();

/// Follows an import to its end; shared by `watch` and `start --wait`.
struct WatchFlags {
  bool events = false;
  bool exit_status = false;
};
Ended watch_import(Session& session, const std::string& id, const WatchFlags& flags);

}  // namespace callimport::api
