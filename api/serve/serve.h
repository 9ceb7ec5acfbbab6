#pragma once
// The server: opens a data folder, wires the floors over it, serves until SIGTERM or SIGINT.
#include <cstdint>
#include <string>

#include "api/serve/config.h"
#include "storage/model/result.h"

namespace callimport::api {

struct ServeOrder {
  std::string data_folder;
  ServeConfig config;
  int ready_fd = -1;  ///< gets one line of JSON with the addresses once calls are answered, then closes; -1: none
  std::uint64_t die_after_commits = 0;  ///< tests: SIGKILL to ourselves right after the n-th journal commit; 0: never
  std::string log_level = "info", log_format = "text";
  bool quiet = false;
};

/// Threads: the caller's becomes the loop. Returns once stopped; everything acknowledged is durable then.
/// @error kConflict     the folder is in use, by whom; a file is from a newer version; the address is taken.
/// @error kUnavailable  the folder cannot be used, the disk is full: says what to do.
/// @error kCorrupt      a database is damaged: says which and what to do.
Result<> serve(const ServeOrder& order);

}  // namespace callimport::api
