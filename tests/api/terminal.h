#pragma once
// The real binary on a pseudo terminal: what a person sees and types.
#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "tests/spine/process.h"

namespace callimport::tests {

class Terminal {
 public:
  /// @param env  on top of a small fixed environment.
  Terminal(const std::vector<std::string>& args, const Scratch& folder, std::map<std::string, std::string> env = {},
           int columns = 80, int rows = 24);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Reads on until `text` comes after what was expected before; false when the program ended without it.
  bool expect(const std::string& text);
  void type(const std::string& text);
  void resize(int columns, int rows);
  /// Reads to the end. @return the exit code, or minus the signal's number.
  int wait();
  const std::string& seen() const { return seen_; }  ///< everything so far, as it came

 private:
  bool read_more();

  int master_ = -1;
  pid_t pid_ = -1;
  std::string seen_;
  std::size_t expected_to_ = 0;
};

/// What is left on the screen of a terminal that understands the few codes we write, line by line.
std::vector<std::string> screen_of(const std::string& seen, int columns);

}  // namespace callimport::tests
