#pragma once
#include "activities/media/probe.h"
#include "storage/runtime/disk.h"

namespace callimport::activities {

/// Examines in this process, through the Disk: for simulations, whose files are no files of the operating system.
/// Threads: any; blocks. Lifetime: `disk` outlives it.
class InlineMediaProbe final : public MediaProbe {
 public:
  explicit InlineMediaProbe(Disk& disk) : disk_(disk) {}
  engine::Awaitable<Result<MediaVerdict>> probe(std::string path, std::int64_t expected_duration_ms) override;

 private:
  Disk& disk_;
};

}  // namespace callimport::activities
