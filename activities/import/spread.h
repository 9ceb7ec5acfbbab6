#pragma once
// How many calls lie in a workspace's time, known from some of its pages only. A page that was asked for with `before`
// = t tells every call between t and the oldest one on it; what lies between two such stretches is guessed from how
// dense the calls are on both sides.
#include <cstdint>
#include <optional>
#include <vector>

namespace callimport::activities {

/// Times are unix ms. Threads: one.
class CallSpread {
 public:
  /// @param until   the stretch ends here, exclusive.
  /// @param starts  of its calls, newest first; calls of stretches seen before may be among them.
  /// @param last    nothing older is there.
  void saw(std::int64_t until, const std::vector<std::int64_t>& starts, bool last);
  /// No call asked for began before it.
  void none_before(std::int64_t time);

  struct Guess {
    std::int64_t low = 0, likely = 0, high = 0;
    bool exact = false;  ///< every stretch was seen
    friend bool operator==(const Guess&, const Guess&) = default;
  };
  Guess guess() const;

  /// Where to ask next to learn how far back the calls go; nothing once that is known to a twentieth.
  std::optional<std::int64_t> next_older() const;
  /// Where to ask next to learn most about the number: in the middle of the gap with most unknown calls; nothing when
  /// all gaps together hold less than a fiftieth.
  std::optional<std::int64_t> next_probe() const;

  std::int64_t seen() const;  ///< calls, each once
  /// Start of the newest and the oldest call seen. Precondition: seen() > 0.
  std::int64_t newest() const;
  std::int64_t oldest() const;

 private:
  struct Stretch {
    std::int64_t until = 0, from = 0;  ///< [from, until)
    std::int64_t calls = 0, newest = 0;
    double density() const;  ///< calls a ms
  };
  struct Gap {
    std::int64_t until = 0, from = 0;
    double low = 0, likely = 0, high = 0;
  };
  std::vector<Gap> gaps() const;
  void join_neighbours();

  std::vector<Stretch> stretches_;  ///< newest first, apart from each other
  std::optional<std::int64_t> floor_;
};

}  // namespace callimport::activities
