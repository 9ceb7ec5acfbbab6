#pragma once
// Installed programs a verb opens things with: players, a browser.
#include <string>
#include <vector>

namespace callimport::api {

/// Its full path; empty when $PATH has none.
std::string find_program(const std::string& name);
/// The program in $BROWSER, else the desktop's; empty: none.
std::string find_browser();
/// Runs it in the foreground. @return its exit code; 1 when it was killed, 127 when it could not be run.
int run_program(const std::string& program, const std::vector<std::string>& args);

}  // namespace callimport::api
