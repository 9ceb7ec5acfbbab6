#pragma once
// What is asked of an import on a command line: the flags `start` and `estimate` share, and the order made of them.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "activities/import/contract.h"
#include "api/cli/estimate_card.h"
#include "api/cli/imports.h"
#include "api/cli/secret_input.h"
#include "api/cli/session.h"

namespace callimport::api {

/// What `start` was told, by flags or by answers.
struct StartFlags {
  std::string platform, workspace, title, customer, credential, base_url, request_id, import_id, after, before,
      task_queue, token_kind = "pat";
  TokenFlags token;
  activities::ImportSettings settings;
  std::string window, zone, order, at, duplicates;
  int first = -1;                  ///< -1: as the server says
  std::string like;                ///< an earlier import whose order this one takes over
  std::string sample;              ///< a number of calls, across all dates
  std::int64_t newest = 0;         ///< only so many, the newest; 0: all
  std::string from_csv;            ///< a file that names the calls
  std::vector<std::string> named;  ///< the calls of that file
  std::int64_t min_length_s = 0;   ///< shorter calls are left out
  std::vector<std::string> users;  ///< only calls that these recorded
  const CLI::App* verb = nullptr;  ///< tells which flags were given
  WatchFlags watch;                ///< with wait
  bool no_media = false, wait = false, dry_run = false, no_estimate = false, owns_data = false;
};

inline constexpr std::int64_t kSampleDefault = 20, kSampleMax = 1'000;

/// Which calls, from where, in what order: everything that says what the import is.
void add_import_flags(CLI::App& verb, StartFlags& flags);
/// The order of these flags, without a credential; what they do not say is as in `like`, if anything. The import's id
/// is the one asked for, or comes from the request id so that the same key names the same import, or is made up. @error
/// usage
tl::expected<activities::ImportInput, CliError> import_order(Session& session, const StartFlags& flags);
/// What was not said about when and in what order, as the server has it. Where no server of ours answers it stays
/// unsaid: the worker that opens the import fills it in.
void complete_order(Session& session, const StartFlags& flags, activities::ImportInput& order);
/// What the order says about when: first lane, window, next opening in the customer's zone and in UTC.
/// @error usage  a zone or window that is none, one that never opens, an order that the platform cannot do, a start in
/// the past.
tl::expected<std::vector<std::string>, CliError> describe_when(const activities::ImportInput& order,
                                                               std::int64_t now_ms);
/// A re-request takes from the closed import what was not said again.
tl::expected<StartFlags, CliError> completed_flags(Session& session, StartFlags flags);
/// @error usage  no platform, or none of that name.
tl::expected<void, CliError> check_platform(const StartFlags& flags);

/// How the platform is entered: a credential of the vault, or a token that is in nobody's keeping yet.
struct GivenAccess {
  std::string credential, token;
};
/// Of the flags; asks on the terminal where they name none.
tl::expected<GivenAccess, CliError> given_access(Session& session, const StartFlags& flags);
Look look_of(const StartFlags& flags, const GivenAccess& access, activities::ImportInput order);

}  // namespace callimport::api
