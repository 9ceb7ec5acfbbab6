#pragma once
// What `watch` shows of an import: a block redrawn in place on a terminal, else lines (ux TW-01, TW-02, TW-05, TW-07).
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/cli/imports.h"
#include "api/cli/session.h"

namespace callimport::api {

inline constexpr std::chrono::milliseconds kRedrawEvery{250};  ///< at most 4 times a second

/// Threads: one. At most eight lines, none wider than the terminal, also after it was made smaller.
class WatchScreen {
 public:
  WatchScreen(Session& session, bool events);
  /// Something came: the import, changes since, what holds the whole server up.
  void update(const v1::WatchImportResponse& message);
  /// Problems by cause, as they stand now: the one that grew last is shown.
  void problems(const google::protobuf::RepeatedPtrField<v1::Problem>& now);
  /// Draws when something changed and the last drawing is old enough; or the plain line of no terminal.
  void tick();
  /// A line of talk above the block.
  void talk(const std::string& line);
  /// The last state, drawn whatever the clock says.
  void finish();
  const v1::Import& last() const { return last_; }
  bool live() const { return live_; }

 private:
  void clear();
  void draw();
  std::vector<std::string> block();
  std::string plain_line() const;

  Session& session_;
  const bool events_, live_;
  v1::Import last_;
  std::vector<std::size_t> drawn_;  ///< columns of each line on the screen
  std::int64_t drawn_ms_ = 0;
  bool dirty_ = false;
  std::string said_, notice_, problem_;
  std::map<std::string, std::int64_t> problems_;
};

}  // namespace callimport::api
