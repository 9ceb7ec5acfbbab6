#include "api/cli/programs.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace callimport::api {

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "" : path;
  for (std::size_t from = 0; from <= folders.size();) {
    auto end = folders.find(':', from);
    if (end == std::string::npos) end = folders.size();
    const auto candidate = folders.substr(from, end - from) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    from = end + 1;
  }
  return {};
}

std::string find_browser() {
  const char* named = std::getenv("BROWSER");
  if (named != nullptr && *named != '\0') return *named == '/' ? std::string(named) : find_program(named);
  const bool desktop = std::getenv("DISPLAY") != nullptr || std::getenv("WAYLAND_DISPLAY") != nullptr;
  return desktop ? find_program("xdg-open") : std::string();
}

int run_program(const std::string& program, const std::vector<std::string>& args) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<char*> words = {const_cast<char*>(program.c_str())};
    for (const auto& arg : args) words.push_back(const_cast<char*>(arg.c_str()));
    words.push_back(nullptr);
    ::execv(program.c_str(), words.data());
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace callimport::api
