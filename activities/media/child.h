#pragma once
// The bounded child: `callimport media-probe`, a mode of our own binary, talks over descriptor 0, a SOCK_SEQPACKET
// socket.
//
// One packet in: the expected duration in ms as digits, with the open file as a passed descriptor (so that the child
// never opens anything). One packet out: the verdict as JSON (write_verdict). The end of the socket ends the child.
#include <memory>
#include <string>

#include "activities/media/probe.h"
#include "storage/model/result.h"
#include "storage/runtime/clock.h"

namespace boost::asio {
class io_context;
}

namespace callimport::activities {

inline constexpr std::size_t kProbePacketBytesMax = 16u << 10;

/// The child's main. Once it looks at files it never opens, connects or starts anything.  @return 0 when the parent is
/// gone, 3 when it cannot be bounded or libavformat is not installed.
int media_probe_child_main();

std::string write_verdict(const MediaVerdict& verdict);
/// @error kCorrupt  not a verdict.
Result<MediaVerdict> read_verdict(std::string_view text);

struct ChildProbeOptions {
  std::string binary =
      "/proc/self/exe";  ///< started with `argument` alone, an empty environment and no other descriptors
  std::string argument = "media-probe";
  std::size_t children = 1;
  Nanos file_timeout = std::chrono::seconds{30};
};
inline constexpr std::size_t kProbesWaitingMax = 10'000;

/// Probes in a pool of such children, each started when first needed, replaced after a crash, a time-out or
/// kProbesPerChildMax files. A file a child died of is tried once more in a fresh one.
/// @error of probe: kNotFound  no such file; kUnavailable  died twice on it, cannot be started, or too many wait;
/// kCancelled. Threads: the loop that runs `io` and `clock`; both outlive it. When it goes, children are ended and
/// probes end as kCancelled.
class ChildMediaProbe final : public MediaProbe {
 public:
  ChildMediaProbe(boost::asio::io_context& io, Clock& clock, ChildProbeOptions options = ChildProbeOptions());
  ~ChildMediaProbe() override;
  ChildMediaProbe(const ChildMediaProbe&) = delete;
  ChildMediaProbe& operator=(const ChildMediaProbe&) = delete;

  engine::Awaitable<Result<MediaVerdict>> probe(std::string path, std::int64_t expected_duration_ms) override;
  std::uint64_t children_started() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace callimport::activities
