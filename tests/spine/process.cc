#include "tests/spine/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace callimport::tests {
namespace {

inline constexpr int kReadyFd = 3;

std::string next_name(const char* kind) {
  static std::atomic<int> counter{0};
  return std::string(kind) + "." + std::to_string(counter.fetch_add(1));
}

int open_for(const std::string& path, int flags) { return ::open(path.c_str(), flags | O_CLOEXEC, S_IRUSR | S_IWUSR); }

[[noreturn]] void become(const std::string& program, const std::vector<std::string>& words,
                         const std::vector<std::string>& environment, const Command& command, int in, int out, int err,
                         int ready) {
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (ready == kReadyFd)
    ::fcntl(ready, F_SETFD, 0);
  else if (ready >= 0)
    ::dup2(ready, kReadyFd);
  if (command.file_bytes_max) {
    const rlimit limit{*command.file_bytes_max, *command.file_bytes_max};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (command.user != 0 && (::setgid(command.user) != 0 || ::setuid(command.user) != 0)) ::_exit(126);
  std::vector<char*> argv, envp;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  for (const auto& pair : environment) envp.push_back(const_cast<char*>(pair.c_str()));
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  ::execve(program.c_str(), argv.data(), envp.data());
  ::_exit(127);
}

}  // namespace

Scratch::Scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "callimport-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  path_ = name;
}
Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
}

bool found_below(const std::filesystem::path& folder, const std::string& needle) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().string().find(needle) != std::string::npos) return true;
    if (entry.is_regular_file() && read_file(entry.path().string()).find(needle) != std::string::npos) return true;
  }
  return false;
}

Process::Process(const std::string& program, Command command, const Scratch& folder)
    : out_path_(folder / next_name("stdout")), err_path_(folder / next_name("stderr")) {
  const auto in_path = folder / next_name("stdin");
  write_file(in_path, command.input);
  int ready[2] = {-1, -1};
  if ((command.ready || command.first_line) && ::pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  if (command.first_line) ::fcntl(ready[0], F_SETPIPE_SZ, 1 << 20);
  if (command.ready) {
    command.args.insert(command.args.end(), {"--ready-fd", std::to_string(kReadyFd)});
  }
  std::map<std::string, std::string> environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                                    {"LANG", "C.UTF-8"},
                                                    {"HOME", folder.path().string()},
                                                    {"TERM", "dumb"}};
  for (const auto& [name, value] : command.env) environment[name] = value;
  std::vector<std::string> words = {std::filesystem::path(program).filename().string()}, pairs;
  words.insert(words.end(), command.args.begin(), command.args.end());
  for (const auto& [name, value] : environment) pairs.push_back(name + "=" + value);
  const int in = open_for(in_path, O_RDONLY);
  const int out = open_for(out_path_, O_WRONLY | O_CREAT | O_TRUNC);
  const int err = open_for(err_path_, O_WRONLY | O_CREAT | O_TRUNC);
  pid_ = ::fork();
  if (pid_ == 0)
    become(program, words, pairs, command, in, command.first_line ? ready[1] : out, err, command.ready ? ready[1] : -1);
  for (const int fd : {in, out, err, ready[1]}) {
    if (fd >= 0) ::close(fd);
  }
  ready_fd_ = ready[0];
  if (pid_ < 0) throw std::runtime_error("cannot fork");
}

Process::~Process() {
  if (!ended_) kill_hard();
  if (ready_fd_ >= 0) ::close(ready_fd_);
}

std::string Process::wait_ready() {
  std::string line;
  char c = 0;
  for (;;) {
    const auto got = ::read(ready_fd_, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {};
    if (c == '\n') return line;
    line += c;
  }
}

int Process::wait() {
  if (ended_) return *ended_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  return *ended_;
}

void Process::signal(int number) const { ::kill(pid_, number); }

int Process::kill_hard() {
  if (!ended_) signal(SIGKILL);
  return wait();
}

std::string Process::out() const { return read_file(out_path_); }
std::string Process::err() const { return read_file(err_path_); }

Ran run(const std::string& program, Command command, const Scratch& folder) {
  Process process(program, std::move(command), folder);
  Ran ran;
  ran.code = process.wait();
  ran.out = process.out();
  ran.err = process.err();
  return ran;
}

std::string callimport_binary() { return std::string(CALLIMPORT_BINARY_DIR) + "/bin/callimport"; }

}  // namespace callimport::tests
