#pragma once
// A folder of a test's own on the real disk, gone when the test ends.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "storage/model/ensure.h"

namespace callimport {

class ScratchFolder {
 public:
  ScratchFolder() : path_((std::filesystem::temp_directory_path() / "callimport-test-XXXXXX").string()) {
    ENSURE(::mkdtemp(path_.data()) != nullptr);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace callimport
