#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

#include "storage/model/ensure.h"

namespace callimport::tests {

/// A folder of its own in the working directory, so that figures are of that disk; gone at the end.
class BenchFolder {
 public:
  BenchFolder() { ENSURE(::mkdtemp(path_.data()) != nullptr); }
  ~BenchFolder() { std::filesystem::remove_all(path_); }
  BenchFolder(const BenchFolder&) = delete;
  BenchFolder& operator=(const BenchFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "bench-XXXXXX";
};

}  // namespace callimport::tests
