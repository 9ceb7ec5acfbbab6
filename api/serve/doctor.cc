#include "api/serve/doctor.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "activities/http/curl_http.h"
#include "activities/media/child.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/posix_disk.h"
#include "storage/sqlite/database.h"

namespace callimport::api {
namespace {

using State = Check::State;

inline constexpr std::uint64_t kFreeBytesWanted = 5ull << 30;
inline constexpr std::uint64_t kFreeBytesNeeded = 200ull << 20;

Check check_folder(const DataFolder& folder) {
  Check check{"data folder", State::kOk, folder.path, {}};
  if (::access(folder.path.c_str(), F_OK) != 0) {
    check.state = State::kWarning;
    check.found += " is not there yet";
    check.next = "callimport serve makes it";
  } else if (::access(folder.path.c_str(), R_OK | W_OK | X_OK) != 0) {
    check.state = State::kFailed;
    check.found += " cannot be read and written by this user";
    check.next = fmt::format("chown it to the user who runs the server, or name another with --data");
  }
  return check;
}

Check check_space(const DataFolder& folder) {
  Check check{"disk space", State::kOk, {}, {}};
  std::filesystem::path existing = folder.path;
  std::error_code error;
  while (!existing.empty() && !std::filesystem::exists(existing, error) && existing.has_parent_path() &&
         existing != existing.parent_path()) {
    existing = existing.parent_path();
  }
  PosixDisk disk;
  const auto free = disk.free_bytes(existing.string());
  if (!free) return {check.name, State::kFailed, free.error().message, "see that the disk is mounted"};
  check.found = fmt::format("{} MB free", *free / 1'000'000);
  if (*free < kFreeBytesNeeded)
    check.state = State::kFailed;
  else if (*free < kFreeBytesWanted)
    check.state = State::kWarning;
  if (check.state != State::kOk) check.next = "free some space, or move the data folder: recordings take most of it";
  return check;
}

Check check_database(const std::string& name, const std::string& path) {
  Check check{name, State::kOk, {}, {}};
  PosixDisk disk;
  const auto there = disk.exists(path);
  if (!there || !*there) {
    check.found = "not there yet";
    return check;
  }
  const auto broken = [&](const std::string& what) {
    return Check{name, State::kFailed, what, "copy the folder away, then put back a backup of " + path};
  };
  auto opened = storage::Database::open(disk, path, {.migrations = {}, .read_only = true});
  if (!opened)
    return opened.error().code == Code::kConflict
               ? Check{name, State::kFailed, opened.error().message, "stop whoever holds it"}
               : broken(opened.error().message);
  storage::Statement version(*opened, "PRAGMA user_version");
  const auto row = version.step();
  if (!row || !*row) return broken("its schema version cannot be read");
  check.found = fmt::format("schema {}", version.integer(0));
  version.reset();
  storage::Statement quick(*opened, "PRAGMA quick_check(1)");
  const auto checked = quick.step();
  if (!checked) return broken(checked.error().message);
  if (!*checked || quick.text(0) != "ok") return broken(*checked ? quick.text(0) : "quick_check gave no answer");
  check.found += ", every page is sound";
  return check;
}

Check check_key(const DataFolder& folder) {
  Check check{"vault key", State::kOk, folder.vault_key(), {}};
  struct stat facts{};
  if (::stat(folder.vault_key().c_str(), &facts) != 0) {
    if (::access(folder.vault().c_str(), F_OK) != 0) {
      check.found = "not there yet";
      return check;
    }
    return {check.name, State::kFailed, folder.vault_key() + " is missing but vault.db is there",
            "put back your copy of the key, or remove vault.db and add the tokens again"};
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return {check.name, State::kWarning, "others of this machine may read it", "chmod 600 " + folder.vault_key()};
  check.found += ", 0600";
  return check;
}

/// Our own binary is no recording, so a child that works calls it damaged.
Check check_probe() {
  Check check{"media probe", State::kFailed, "no answer",
              "callimport media-probe must be able to start: see seccomp limits of the container"};
  AsioLoop loop;
  activities::ChildMediaProbe probe(loop.io(), loop);
  engine::spawn(loop, probe.probe("/proc/self/exe", 0), [&](Result<activities::MediaVerdict> verdict) {
    if (verdict)
      check = {"media probe", State::kOk, "the bounded child answers", {}};
    else
      check.found = verdict.error().message;
    loop.stop();
  });
  loop.run();
  return check;
}

Check check_port(const std::string& address) {
  Check check{"port", State::kOk, address + " is free", {}};
  const auto colon = address.rfind(':');
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(address.c_str() + colon + 1, nullptr, 10)));
  if (::inet_pton(AF_INET, address.substr(0, colon).c_str(), &where.sin_addr) != 1) {
    check.found = address + " was not tried: not an IPv4 address";
    return check;
  }
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    check = {check.name, State::kFailed, address + " is taken by another program",
             "callimport serve --port 0, or another --port"};
  }
  ::close(fd);
  return check;
}

}  // namespace

std::optional<Check> check_transcriber(const TranscriberConfig& config) {
  if (config.url.empty()) return std::nullopt;
  const std::string host = config.url.substr(0, config.url.find('/', config.url.find("//") + 2));
  Check check{
      "transcriber", State::kFailed, host + ": no answer",
      "see that [transcriber] url is right and the service runs; until then calls without a transcript stay so"};
  if (!config.key_file.empty()) {
    if (const auto key = read_secret_file(config.key_file); !key)
      return Check{check.name, State::kFailed, key.error().message, "see [transcriber] key_file"};
  }
  AsioLoop loop;
  activities::CurlHttp http(loop.io(), loop, activities::CurlOptions());
  activities::HttpRequest request;
  request.method = "HEAD";
  request.url = config.url;
  request.timeout = std::chrono::seconds{5};
  engine::spawn(loop, http.send(std::move(request)), [&](const Result<activities::HttpReply>& reply) {
    if (reply)
      check = {"transcriber", State::kOk, host + " answers", {}};
    else
      check.found = host + ": " + reply.error().message;
    loop.stop();
  });
  loop.run();
  return check;
}

std::vector<Check> examine_folder(const DataFolder& folder, const std::string& address) {
  std::vector<Check> checks = {check_folder(folder), check_space(folder)};
  const auto holder = FolderLock::holder(folder);
  if (!holder.empty()) {
    checks.push_back({"server", State::kOk, "the folder is served by " + holder, {}});
    checks.push_back(
        {"databases", State::kOk, "not read: the server holds them", "stop the server to have every page checked"});
  } else {
    checks.push_back({"server", State::kWarning, "none runs on this folder", "callimport serve --data " + folder.path});
    checks.push_back(check_database("journal.db", folder.journal()));
    checks.push_back(check_database("library.db", folder.library()));
    checks.push_back(check_database("vault.db", folder.vault()));
    checks.push_back(check_port(address));
  }
  checks.push_back(check_key(folder));
  checks.push_back(check_probe());
  return checks;
}

}  // namespace callimport::api
