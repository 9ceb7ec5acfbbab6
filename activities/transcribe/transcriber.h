#pragma once
// Has recordings transcribed by the configured service: few at once, each tried some times and for a bounded while, so
// that a slow or broken service costs transcripts and not the import.
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "activities/transcribe/transcription.h"
#include "engine/awaitable.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"
#include "storage/runtime/random.h"

namespace callimport::activities {

/// Why a call stays without a transcript: transcript.missing, transcript.failed.
struct TranscriptGap {
  std::string cause, message;
};

/// Threads: the loop. One for the process. Lifetime: what it is given outlives it, and it outlives what it is asked.
class Transcriber {
 public:
  Transcriber(TranscriberOptions options, Http& http, Disk& disk, Executor& loop, Pool& pool, Clock& clock,
              Random& random);

  using Made = tl::expected<std::vector<storage::Segment>, TranscriptGap>;
  /// The words of the recording at `path`, whose size and container `media` tells. Once `stopped` is true nothing new
  /// is asked of the service; a request under way ends by itself.
  engine::Awaitable<Made> transcribe(std::string path, storage::MediaFacts media, std::function<bool()> stopped);
  const std::string& model() const { return options_.model; }

 private:
  engine::Awaitable<bool> take_turn();  ///< false: it did not come in time
  void end_turn();
  engine::Awaitable<Made> try_some_times(std::shared_ptr<File> file, storage::MediaFacts media, Timestamp until,
                                         std::function<bool()> stopped);

  struct Waiting {
    std::function<void(bool)> tell;
    Clock::TimerId timer = 0;
  };
  const TranscriberOptions options_;
  Http& http_;
  Disk& disk_;
  Executor& loop_;
  Pool& pool_;
  Clock& clock_;
  Random& random_;
  int running_ = 0;
  std::deque<std::shared_ptr<Waiting>> waiting_;  // shared with their timers
  Timestamp blocked_until_{};                     ///< the service asked for it
};

}  // namespace callimport::activities
