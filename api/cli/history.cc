#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/cli/imports.h"
#include "api/cli/replay_file.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/cli/workflows.h"

namespace callimport::api {
namespace {

struct HistoryFlags {
  std::string id, run, to, file;
  bool binary = false;
};

Ended export_one(Session& session, const HistoryFlags& flags) {
  CLI_TRY(const auto id, find_import(session, flags.id));
  CLI_TRY(const auto bytes, export_history(session, id, flags.run, flags.binary));
  if (flags.to.empty() || flags.to == "-") {
    session.print(bytes);
    return kExitDone;
  }
  std::ofstream out(flags.to, std::ios::binary | std::ios::trunc);
  out << bytes;
  out.close();
  if (!out) return sorry(kExitFailed, "file.unwritable", "cannot write " + flags.to, "give another --to FILE");
  session.say("written to " + flags.to + ". next: callimport history replay " + flags.to);
  return kExitDone;
}

Ended replay(Session& session, const HistoryFlags& flags) {
  std::ifstream in(flags.file, std::ios::binary);
  std::error_code not_a_folder;
  if (!in || std::filesystem::is_directory(flags.file, not_a_folder)) {
    return sorry(kExitUsage, "file.unreadable",
                 "cannot read " + flags.file + (in ? ": it is a folder" : std::string(": ") + std::strerror(errno)),
                 "callimport history export IMPORT --to FILE");
  }
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto outcome = replay_file(bytes);
  if (!outcome)
    return sorry(kExitUsage, "history.unreadable", flags.file + ": " + printable(outcome.error().message),
                 "callimport history export IMPORT --to FILE");
  bool same = true;
  for (const auto& one : *outcome) {
    same = same && one.same;
    if (session.json()) {
      nlohmann::json line = {{"events", one.events}, {"type", one.type}, {"same", one.same}};
      if (!one.same) line.update({{"event", one.event}, {"expected", one.expected}, {"got", one.got}});
      session.print(dump(line) + "\n");
    } else if (one.same) {
      session.print(fmt::format("same: {} events of workflow {}\n", one.events, printable(one.type)));
    } else {
      session.print(fmt::format("different at event {}\n  expected: {}\n  got:      {}\n", one.event,
                                printable(one.expected), printable(one.got)));
    }
  }
  return same ? kExitDone : kExitImportFailed;
}

}  // namespace

void add_history(Tree& tree) {
  auto& root =
      tree.verb(tree.root, "history", "An import's event history: export it, or replay one with today's code",
                {"callimport history export imp_7f3a --to import.json", "callimport history replay import.json"});
  root.require_subcommand(1);
  auto flags = std::make_shared<HistoryFlags>();  // shared by the parser and the bodies; one of them runs
  auto& session = tree.session;
  auto& out = tree.verb(root, "export", "Write the history as Temporal's tools read it",
                        {"callimport history export imp_7f3a", "callimport history export imp_7f3a --to import.json"});
  out.add_option("import", flags->id, "import id or its beginning")->required();
  out.add_option("--run", flags->run, "run id; the newest run unless given");
  out.add_option("--to", flags->to, "file to write (default: stdout)");
  out.add_flag("--binary", flags->binary, "protobuf instead of JSON");
  tree.run(out, [&session, flags] { return export_one(session, *flags); });
  auto& again = tree.verb(root, "replay", "Run today's workflow code over a history; 0 same, 6 different",
                          {"callimport history replay import.json", "callimport history replay import.json -o json"});
  again.add_option("file", flags->file, "history file: JSON or binary, also gzipped")->required();
  tree.run(again, [&session, flags] { return replay(session, *flags); });
}

}  // namespace callimport::api
