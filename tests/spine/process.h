#pragma once
// Runs a program for a test: its streams into files, readiness on a pipe, its end by wait. Nothing here waits for time.
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace callimport::tests {

/// A folder of its own below the system's temporary one, removed at the end.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& content);
/// True when `needle` is in any file below `folder`, or in the name of one.
bool found_below(const std::filesystem::path& folder, const std::string& needle);

struct Command {
  std::vector<std::string> args;             ///< after the program's name
  std::map<std::string, std::string> env{};  ///< on top of a small fixed environment, not of the test's own
  std::string input{};                       ///< stdin, up to 64 KiB
  bool ready = false;                        ///< adds --ready-fd 3
  std::optional<rlim_t> file_bytes_max{};    ///< RLIMIT_FSIZE, with SIGXFSZ ignored: a write beyond it fails with EFBIG
  uid_t user = 0;                            ///< runs as this user when set (root only)
  bool first_line = false;  ///< stdout is a pipe of 1 MiB: wait_ready reads its first line, out() is empty
};

/// One child. Destroyed while running: SIGKILL, then wait.
class Process {
 public:
  /// @param folder  where its streams go; outlives it.
  Process(const std::string& program, Command command, const Scratch& folder);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// The line written to --ready-fd (or the first on stdout); empty when the child ended before it was ready. Blocks.
  std::string wait_ready();
  /// Exit code, or minus the signal's number. Blocks.
  int wait();
  void signal(int number) const;
  int kill_hard();  ///< SIGKILL and wait
  pid_t pid() const { return pid_; }
  std::string out() const;  ///< what it has written so far
  std::string err() const;

 private:
  std::string out_path_, err_path_;
  pid_t pid_ = -1;
  int ready_fd_ = -1;
  std::optional<int> ended_;
};

struct Ran {
  int code = 0;
  std::string out, err;
};
/// Runs to the end.
Ran run(const std::string& program, Command command, const Scratch& folder);

/// The binary under test.
std::string callimport_binary();

}  // namespace callimport::tests
