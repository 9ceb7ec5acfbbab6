// A copy of the data folder, made by the server that uses it or, when none runs, here; its verification; and how it is
// put back.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/cli/actions.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/serve/backup_places.h"
#include "api/version.h"
#include "storage/runtime/posix_disk.h"

namespace callimport::api {
namespace {

using nlohmann::json;
using storage::BackupFacts;

constexpr double kBackupTimeoutS = 3'600;

struct BackupFlags {
  std::string to, folder, key_file;
  bool with_key = false, copy = false;
};

CliError error_of(const Error& error, const std::string& next) {
  const char* code = error.code == Code::kConflict   ? "backup.conflict"
                     : error.code == Code::kNotFound ? "backup.absent"
                     : error.code == Code::kCorrupt  ? "backup.damaged"
                                                     : "backup.failed";
  return {kExitFailed, code, error.message, next};
}

std::string absolute(const std::string& path) {
  std::error_code error;
  auto full = std::filesystem::absolute(path, error).lexically_normal().string();
  while (full.size() > 1 && full.ends_with('/')) full.pop_back();
  return full;
}

/// callimport-backup-20261121T184900Z in the working directory.
std::string default_folder(std::int64_t now_ms) {
  std::string name = "callimport-backup-" + format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(now_ms)));
  std::erase_if(name, [](char c) { return c == ':'; });
  return name;
}

std::string key_words(bool with_key) {
  if (with_key) return "the vault's key is in it: whoever has this folder can open the credentials";
  return "without the vault's key: credentials in it cannot be opened; keep vault.key apart, or add them again";
}

Ended tell(Session& session, const std::string& folder, const BackupFacts& facts, const std::string& done) {
  Sheet sheet;
  json files = json::array();
  for (const auto& file : facts.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}, {"schema", file.schema}});
  }
  sheet.rows = {{{"folder", folder},
                 {"library", facts.library},
                 {"made", format_utc(from_unix_ms(facts.made_ms))},
                 {"files", files},
                 {"recordings", facts.recordings},
                 {"recordings_bytes", facts.recordings_bytes},
                 {"linked", facts.linked},
                 {"with_key", facts.with_key}}};
  sheet.columns = plain_columns({"folder", "library", "made", "recordings", "recordings_bytes", "with_key"});
  sheet.text = [&] {
    std::string text = done + " " + folder + "\n";
    for (const auto& file : facts.files) text += fmt::format("  {:<12} {:>10}\n", file.name, human_bytes(file.bytes));
    text += fmt::format("  {:<12} {:>10}  {} recordings\n", "media", human_bytes(facts.recordings_bytes),
                        human_count(facts.recordings));
    return text;
  };
  CLI_TRY_VOID(print_object(session, sheet));
  if (facts.linked > 0) {
    session.say(
        fmt::format("{} recordings are hard links: they share the disk with the originals. Copy the folder to "
                    "another disk, or use --copy",
                    human_count(facts.linked)));
  }
  session.say(key_words(facts.with_key));
  return kExitDone;
}

BackupFacts facts_of(const v1::CreateBackupResponse& reply) {
  BackupFacts facts;
  facts.library = reply.library();
  facts.made_ms = reply.made_ms();
  facts.recordings = reply.recordings();
  facts.recordings_bytes = reply.recordings_bytes();
  facts.linked = reply.linked();
  facts.with_key = reply.with_key();
  for (const auto& file : reply.files())
    facts.files.push_back({file.name(), file.bytes(), file.sha256(), file.schema()});
  return facts;
}

/// Nobody serves this folder: it is locked and copied from here.
tl::expected<BackupFacts, CliError> back_up_here(const Session& session, const BackupFlags& flags) {
  const DataFolder folder{session.data_folder()};
  std::error_code ignored;
  if (!std::filesystem::exists(folder.library(), ignored)) {
    return sorry(kExitFailed, "backup.absent", "there is no library in " + folder.path,
                 "callimport backup --data FOLDER");
  }
  const auto lock = FolderLock::take(folder, fmt::format("callimport backup, process {}", ::getpid()));
  if (!lock) return tl::unexpected(error_of(lock.error(), "callimport doctor"));
  PosixDisk disk;
  storage::BackupOrder order{backup_places(folder), flags.to, flags.with_key, !flags.copy, kVersion, session.now_ms()};
  auto made = storage::back_up(disk, order);
  if (!made) return tl::unexpected(error_of(made.error(), "callimport backup --to ANOTHER_FOLDER"));
  return *std::move(made);
}

Ended back_up(Session& session, BackupFlags flags) {
  flags.to = absolute(flags.to.empty() ? default_folder(session.now_ms()) : flags.to);
  session.flags.command_timeout_s = std::max(session.flags.command_timeout_s, kBackupTimeoutS);
  v1::CreateBackupRequest request;
  request.mutable_deed()->set_request_id(new_request_id());
  request.set_folder(flags.to);
  request.set_with_key(flags.with_key);
  request.set_copy(flags.copy);
  auto reply = session.ask<v1::CreateBackupRequest, v1::CreateBackupResponse>("CreateBackup", request);
  if (reply) return tell(session, flags.to, facts_of(*reply), "backed up into");
  if (reply.error().code != "server.absent") return tl::unexpected(reply.error());
  CLI_TRY(const auto facts, back_up_here(session, flags));
  return tell(session, flags.to, facts, "backed up into");
}

Ended verify(Session& session, const BackupFlags& flags) {
  PosixDisk disk;
  const auto folder = absolute(flags.folder);
  const auto facts = storage::verify_backup(disk, folder);
  if (!facts) return tl::unexpected(error_of(facts.error(), "make another one: callimport backup"));
  return tell(session, folder, *facts, "whole:");
}

/// Nothing but what taking the lock makes may be there.
tl::expected<void, CliError> must_be_empty(const DataFolder& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path, error)) {
    if (entry.path() == folder.lock_file()) continue;
    return sorry(kExitFailed, "backup.conflict",
                 fmt::format("{} is not empty: {} is in it", folder.path, entry.path().filename().string()),
                 "callimport restore BACKUP --data AN_EMPTY_FOLDER");
  }
  return {};
}

Ended restore(Session& session, const BackupFlags& flags) {
  const DataFolder folder{absolute(session.data_folder())};
  const auto lock = FolderLock::take(folder, fmt::format("callimport restore, process {}", ::getpid()));
  if (!lock) return tl::unexpected(error_of(lock.error(), "stop it first, or give another --data"));
  CLI_TRY_VOID(must_be_empty(folder));
  PosixDisk disk;
  const auto facts = storage::restore_backup(disk, absolute(flags.folder), backup_places(folder));
  if (!facts) return tl::unexpected(error_of(facts.error(), "callimport backup verify " + flags.folder));
  if (!flags.key_file.empty()) {
    std::error_code error;
    std::filesystem::copy_file(flags.key_file, folder.vault_key(), error);
    if (error)
      return sorry(kExitFailed, "backup.failed", "cannot copy the key: " + error.message(),
                   "copy it to " + folder.vault_key());
    std::filesystem::permissions(folder.vault_key(),
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, error);
  }
  CLI_TRY_VOID(tell(session, folder.path, *facts, "restored into"));
  if (!facts->with_key && flags.key_file.empty()) {
    session.say("next: put vault.key into " + folder.path +
                "; or, if it is lost, remove vault.db there and add the credentials again");
  } else {
    session.say("next: callimport serve --data " + folder.path);
  }
  return kExitDone;
}

}  // namespace

void add_backup(Tree& tree) {
  auto flags = std::make_shared<BackupFlags>();  // shared by the parser and the bodies; one of them runs
  auto& session = tree.session;
  auto& backup =
      tree.verb(tree.root, "backup", "Copy everything in the data folder, while it is in use",
                {"callimport backup --to /mnt/backup/monday", "callimport backup verify /mnt/backup/monday"});
  backup.add_option("--to", flags->to, "a folder that is absent or empty (default: one named by the time, here)");
  backup.add_flag("--with-key", flags->with_key,
                  "the vault's key too; whoever has the copy can then open the credentials");
  backup.add_flag("--copy", flags->copy, "copy recordings also where hard links would do");
  tree.run(backup, [&session, flags] { return back_up(session, *flags); });
  auto& check = tree.verb(backup, "verify", "Read a backup whole and hold it against its manifest",
                          {"callimport backup verify /mnt/backup/monday", "callimport backup verify ./monday -o json"});
  check.add_option("folder", flags->folder, "the backup")->required();
  tree.run(check, [&session, flags] { return verify(session, *flags); });
}

void add_restore(Tree& tree) {
  auto flags = std::make_shared<BackupFlags>();  // shared by the parser and the body
  auto& verb = tree.verb(tree.root, "restore", "Put a backup into an empty data folder",
                         {"callimport restore /mnt/backup/monday --data /var/lib/callimport",
                          "callimport restore ./monday --data ./again --key-file vault.key"});
  verb.add_option("folder", flags->folder, "the backup")->required();
  verb.add_option("--key-file", flags->key_file, "the vault's key, when it is not in the backup");
  tree.run(verb, [&session = tree.session, flags] { return restore(session, *flags); });
}

}  // namespace callimport::api
