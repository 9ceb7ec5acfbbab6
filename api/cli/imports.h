#pragma once
// Finding an import by what a person typed, and saying how it stands.
#include <CLI/CLI.hpp>
#include <string>

#include "api/cli/session.h"
#include "api/proto/callimport/v1/callimport.pb.h"

namespace callimport::api {

namespace v1 = ::callimport::v1;

/// An import by its id, a unique prefix, or the address of its page. Where there is no library (a Temporal service), or
/// it does not know of the import yet, as Temporal knows it (temporal_imports.h); problems are empty then.
tl::expected<v1::GetImportResponse, CliError> get_import(Session& session, const std::string& text);
/// Its full id.
tl::expected<std::string, CliError> find_import(Session& session, const std::string& text);
/// The page of the import in Temporal's Web UI; empty when none is configured.
std::string web_page_of(Session& session, const std::string& id);
/// 0 completed, 5 with gaps, 6 failed, 3 cancelled; open: 8.
int exit_of(const ::callimport::v1::Import& import);
/// "Waiting until 02:00: platform.daily_quota", "Fetching recordings".
std::string state_line(const Session& session, const ::callimport::v1::Import& import);
/// "found 300 = registered 280 + duplicate 0 + skipped 5 + failed 5 + pending 10"
std::string counter_line(const ::callimport::v1::Counters& counters);
/// "2h 40m - 3h 30m, about 16:30-17:20, because of Grain's 300 requests a minute"
std::string time_left(const ::callimport::v1::Import& import, std::int64_t now_ms);
/// A bar of `width` cells.
std::string bar(std::int64_t done, std::int64_t all, std::size_t width);

/// Follows an import to its end; shared by `watch` and `start --wait`.
struct WatchFlags {
  bool events = false;
  bool exit_status = false;
  double timeout_s = 0;  ///< then 7; 0: none
};
/// --events, --exit-status, --timeout; `with`: the flag they need, null for none.
void add_watch_flags(CLI::App& verb, WatchFlags& flags, CLI::Option* with);
Ended watch_import(Session& session, const std::string& id, const WatchFlags& flags);

}  // namespace callimport::api
