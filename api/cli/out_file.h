#pragma once
// Where a verb writes what it was asked for: a file, whole or not at all, or stdout.
#include <fstream>
#include <string>
#include <string_view>

#include "api/cli/session.h"

namespace callimport::api {

/// The file gets its name once `close` has written everything; what had that name before stays until then.
class OutFile {
 public:
  /// `to`: empty or "-" is stdout.  @error file.unwritable
  static tl::expected<OutFile, CliError> open(Session& session, const std::string& to);
  OutFile(OutFile&& other) noexcept
      : session_(other.session_), to_(std::exchange(other.to_, {})), out_(std::move(other.out_)) {}
  OutFile& operator=(OutFile&&) = delete;
  ~OutFile();  ///< not closed: nothing is left

  bool is_stdout() const { return to_.empty(); }
  void write(std::string_view text);
  Ended close();  ///< @error file.unwritable  the disk is full, or the folder refuses

 private:
  OutFile(Session& session, std::string to) : session_(&session), to_(std::move(to)) {}
  std::string part() const { return to_ + ".part"; }

  Session* session_;  // not owned; outlives it
  std::string to_;    // empty: stdout
  std::ofstream out_;
};

}  // namespace callimport::api
