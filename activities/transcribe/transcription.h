#pragma once
// The common shape of transcription services, POST /v1/audio/transcriptions: a form with the file goes out, segments
// with start and end in seconds come back. Pure functions.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "activities/http/http.h"
#include "activities/platforms/trouble.h"
#include "storage/library/records.h"
#include "storage/runtime/disk.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

struct TranscriberOptions {
  std::string url;      ///< whole, e.g. https://api.example.com/v1/audio/transcriptions; empty: none is configured
  std::string model;    ///< as the service names it
  storage::Secret key;  ///< empty: none is sent
  std::int64_t bytes_max = 25'000'000;        ///< of one recording; longer ones are not sent
  int at_once = 2;                            ///< requests together, over all imports
  int tries = 3;                              ///< of one recording
  Nanos timeout = std::chrono::minutes{5};    ///< of one request
  Nanos patience = std::chrono::minutes{10};  ///< of one recording, waiting for its turn included
};

inline constexpr std::size_t kTranscriptSegmentsMax = 200'000;

/// Reads `file` while it is sent. `boundary`: characters that do not come in the file; random ones will do.
HttpRequest write_transcription(const TranscriberOptions& options, const storage::MediaFacts& media,
                                std::shared_ptr<File> file, const std::string& boundary);

/// In order of time, without empty ones; of an answer without segments the whole text as one. Trouble: what read_delay
/// says; CallFailed{transcript.missing}: nothing was said; CallFailed{transcript.failed}: every other answer.
Fetched<std::vector<storage::Segment>> read_transcription(const HttpReply& reply, std::int64_t duration_ms,
                                                          Timestamp now);

}  // namespace callimport::activities
