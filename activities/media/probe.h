#pragma once
// Looks into media files with libavformat in a long-lived child of our own binary, bounded by seccomp and rlimits: a
// hostile file can crash the child, not the service. Restarted on a crash and after kProbesPerChildMax files.
#include <memory>
#include <string>

#include "engine/awaitable.h"
#include "storage/library/records.h"
#include "storage/model/result.h"

namespace callimport::activities {

inline constexpr int kProbesPerChildMax = 200;

/// What is wrong with a file, as a dotted cause: media.damaged, media.codec_unsupported, media.length_mismatch.
struct MediaFault {
  std::string cause, message;
};
struct MediaVerdict {
  storage::MediaFacts facts;               ///< container, codecs, duration; hash and bytes are the caller's
  std::string fault_cause, fault_message;  ///< empty: playable
};

class MediaProbe {
 public:
  virtual ~MediaProbe() = default;
  /// `expected_duration_ms` 0: unknown.  @error kUnavailable  the child died twice on this file or could not be
  /// started.
  virtual engine::Awaitable<Result<MediaVerdict>> probe(std::string path, std::int64_t expected_duration_ms) = 0;
};

}  // namespace callimport::activities
