#include "api/serve/doctor.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/serve/config.h"

namespace callimport::api {
namespace {

const char* word_of(Check::State state) {
  return state == Check::State::kOk ? "ok" : state == Check::State::kWarning ? "look" : "FAILED";
}

Check check_config(const Session& session, ServeConfig& config) {
  const auto path = session.config_file();
  if (path.empty()) return {"configuration", Check::State::kOk, "none: every default holds", {}};
  const auto read = read_config(path);
  if (read) {
    config = *read;
    return {"configuration", Check::State::kOk, path, {}};
  }
  return {"configuration", Check::State::kFailed, read.error().message, "callimport help config"};
}

Check check_answer(Session& session) {
  auto info = session.ask<v1::GetServerInfoRequest, v1::GetServerInfoResponse>("GetServerInfo", {});
  if (!info) return {"answers", Check::State::kFailed, info.error().message, info.error().next};
  return {"answers",
          Check::State::kOk,
          fmt::format("version {}, {} open import(s), {} journal commits since it started, on {}", info->version(),
                      info->open_imports(), info->journal_commits(), info->grpc_address()),
          {}};
}

Ended doctor(Session& session) {
  const DataFolder folder{session.data_folder()};
  ServeConfig config;
  auto checks = std::vector<Check>{check_config(session, config)};
  for (auto& check : examine_folder(folder, config.address)) checks.push_back(std::move(check));
  if (auto check = check_transcriber(config.transcriber)) checks.push_back(std::move(*check));
  if (!FolderLock::holder(folder).empty() || !session.flags.connection.address.empty())
    checks.push_back(check_answer(session));
  bool failed = false;
  Sheet sheet;
  Table table{{"CHECK", "", "FOUND", "WHAT TO DO"}, {}, 2};
  for (const auto& check : checks) {
    failed = failed || check.state == Check::State::kFailed;
    const char* state = check.state == Check::State::kOk        ? "ok"
                        : check.state == Check::State::kWarning ? "warning"
                                                                : "failed";
    sheet.rows.push_back({{"check", check.name}, {"state", state}, {"found", check.found}, {"next", check.next}});
    table.rows.push_back({check.name, word_of(check.state), printable(check.found), check.next});
  }
  sheet.columns = plain_columns({"check", "state", "found", "next"});
  sheet.text = [&] { return table.show(0); };
  CLI_TRY_VOID(print_sheet(session, sheet));
  return failed ? kExitFailed : kExitDone;
}

}  // namespace

void add_doctor(Tree& tree) {
  auto& verb = tree.verb(tree.root, "doctor", "Check the data folder and this machine, and say what to do",
                         {"callimport doctor", "callimport doctor --data /srv/calls -o json"});
  tree.run(verb, [&session = tree.session] { return doctor(session); });
}

}  // namespace callimport::api
