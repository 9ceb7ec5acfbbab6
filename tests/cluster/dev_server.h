#pragma once
// The real Temporal: the dev server of their command line on a file database, on one loopback port for its whole life.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/spine/process.h"

namespace callimport::tests {

class DevServer {
 public:
  /// Their command line, where `./dev tools` puts it; empty: it is not there.
  static std::string tool();
  /// @param folder  for its database and streams; outlives it.
  /// @param config  KEY=VALUE for --dynamic-config-value.
  explicit DevServer(const Scratch& folder, std::vector<std::string> config = {});

  /// Returns once it answers calls in the namespace `default`. False: it ended before.
  bool start();
  void kill_hard() { process_->kill_hard(); }
  const std::string& address() const { return address_; }
  std::string words() const { return process_->out() + process_->err(); }

 private:
  const Scratch& folder_;
  std::vector<std::string> config_;
  int port_;
  std::string address_;
  std::unique_ptr<Process> process_;
};

/// Why a test cannot run here; null: it can.
inline const char* lacks_temporal() {
  return DevServer::tool().empty() ? "skipped: needs the temporal command line (./dev tools)" : nullptr;
}

}  // namespace callimport::tests

/// Where CI is set, a missing tool is a failure: somebody else's machine must not hide it.
#define NEEDS_TEMPORAL()                                          \
  if (const char* lack = ::callimport::tests::lacks_temporal()) { \
    if (std::getenv("CI") != nullptr) GTEST_FAIL() << lack;       \
    GTEST_SKIP() << lack;                                         \
  }
