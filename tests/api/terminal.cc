#include "tests/api/terminal.h"

#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace callimport::tests {

Terminal::Terminal(const std::vector<std::string>& args, const Scratch& folder, std::map<std::string, std::string> env,
                   int columns, int rows) {
  std::map<std::string, std::string> environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                                    {"LANG", "C.UTF-8"},
                                                    {"HOME", folder.path().string()},
                                                    {"TERM", "xterm"},
                                                    {"USER", "ana"}};
  for (auto& [name, value] : env) environment[name] = std::move(value);
  std::vector<std::string> words = {"callimport"}, pairs;
  words.insert(words.end(), args.begin(), args.end());
  for (const auto& [name, value] : environment) pairs.push_back(name + "=" + value);
  std::vector<char*> argv, envp;
  for (auto& word : words) argv.push_back(word.data());
  for (auto& pair : pairs) envp.push_back(pair.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const auto program = callimport_binary();
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  pid_ = ::forkpty(&master_, nullptr, nullptr, &size);
  if (pid_ == 0) {
    ::execve(program.c_str(), argv.data(), envp.data());
    ::_exit(127);
  }
  if (pid_ < 0) throw std::runtime_error("no pseudo terminal");
}

Terminal::~Terminal() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(master_);
}

/// A closed terminal answers with EIO.
bool Terminal::read_more() {
  char buffer[4096];
  for (;;) {
    const auto got = ::read(master_, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    seen_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
}

bool Terminal::expect(const std::string& text) {
  for (;;) {
    const auto at = seen_.find(text, expected_to_);
    if (at != std::string::npos) {
      expected_to_ = at + text.size();
      return true;
    }
    if (!read_more()) return false;
  }
}

void Terminal::type(const std::string& text) {
  if (::write(master_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("cannot type");
}

void Terminal::resize(int columns, int rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  ::ioctl(master_, TIOCSWINSZ, &size);
}

int Terminal::wait() {
  while (read_more()) {
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::vector<std::string> screen_of(const std::string& seen, int columns) {
  std::vector<std::string> lines(1);
  std::size_t row = 0, column = 0;
  const auto put = [&](const std::string& glyph) {
    if (column == static_cast<std::size_t>(columns)) {
      ++row;
      column = 0;
    }
    while (lines.size() <= row) lines.emplace_back();
    if (column == 0) lines[row].clear();
    lines[row] += glyph;
    ++column;
  };
  for (std::size_t at = 0; at < seen.size();) {
    const auto c = static_cast<unsigned char>(seen[at]);
    if (c == 0x1b && at + 1 < seen.size() && seen[at + 1] == '[') {
      const auto end = seen.find_first_of("ABCDHJKm", at + 2);
      if (end == std::string::npos) break;
      const auto number = static_cast<std::size_t>(std::strtoul(seen.c_str() + at + 2, nullptr, 10));
      if (seen[end] == 'A') row -= std::min(row, std::max<std::size_t>(number, 1));
      if (seen[end] == 'J') lines.resize(row + 1), lines[row].clear(), column = 0;
      at = end + 1;
    } else if (c == '\r') {
      column = 0;
      ++at;
    } else if (c == '\n') {
      ++row;
      while (lines.size() <= row) lines.emplace_back();
      ++at;
    } else {
      const std::size_t size = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
      put(seen.substr(at, size));
      at += size;
    }
  }
  return lines;
}

}  // namespace callimport::tests
