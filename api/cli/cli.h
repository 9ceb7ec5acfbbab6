#pragma once
#include <functional>
#include <string>
#include <vector>

#include "api/version.h"

namespace callimport::api {

/// What only main() may wire.
struct CliHooks {
  std::function<int(const std::vector<std::string>& args)> sandbox;  ///< `sandbox` with the words after it
};

/// The whole terminal: parses, runs one verb, prints its error. @return the exit code.
int run_cli(int argc, char** argv, CliHooks hooks);
const CliHooks& cli_hooks();

}  // namespace callimport::api
