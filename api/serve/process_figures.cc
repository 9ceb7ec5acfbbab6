#include "api/serve/process_figures.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace callimport::api {
namespace {

std::string figure(const char* name, const char* type, const char* help, double value) {
  return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, type, help, value);
}

/// The fields of /proc/self/stat from the third on: the second may hold spaces and brackets.
std::vector<double> stat_fields() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  const auto bracket = line.rfind(')');
  if (bracket == std::string::npos) return {};
  std::istringstream words(line.substr(bracket + 1));
  std::string state;
  words >> state;
  std::vector<double> fields;
  for (double value = 0; words >> value;) fields.push_back(value);
  return fields;
}

double boot_seconds() {
  std::ifstream in("/proc/stat");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

}  // namespace

std::string process_figures_text() {
  // proc(5): fields 14, 15, 22, 23 and 24, counted from 1; the fourth is the first here.
  constexpr std::size_t kUser = 10, kSystem = 11, kStarted = 18, kVirtual = 19, kResident = 20;
  const auto fields = stat_fields();
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::string text;
  if (fields.size() > kResident && ticks > 0) {
    text += figure("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds",
                   (fields[kUser] + fields[kSystem]) / ticks);
    text += figure("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds",
                   boot_seconds() + fields[kStarted] / ticks);
    text += figure("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes", fields[kVirtual]);
    text += figure("process_resident_memory_bytes", "gauge", "Resident memory size in bytes",
                   fields[kResident] * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error))
    ++open;
  if (open > 0) text += figure("process_open_fds", "gauge", "Number of open file descriptors", open);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    text += figure("process_max_fds", "gauge", "Maximum number of open file descriptors",
                   static_cast<double>(limit.rlim_cur));
  }
  return text;
}

}  // namespace callimport::api
