#pragma once
// A transcription service of the common shape, POST /v1/audio/transcriptions: its "words" tell the size and the
// beginning of the SHA-256 of what arrived, so that a test sees whether the file did.
#include <cstdint>
#include <string>

#include "simulations/sandboxes/sandbox.h"

namespace callimport::simulations {

inline constexpr std::string_view kTranscriptionsPath = "/v1/audio/transcriptions";

struct TranscriberSandboxOptions {
  std::string key;                     ///< empty: none is asked for
  std::size_t bytes_max = 25'000'000;  ///< of a file; 413 beyond
  Nanos slow{0};                       ///< before each answer
  int fail_first = 0;                  ///< 500 to so many requests
  int limit_first = 0;                 ///< then 429 to so many
  std::string retry_after;             ///< of those
  std::string answer;                  ///< this body instead of words
};

/// Threads: one at a time.
class TranscriberSandbox final : public Sandbox {
 public:
  explicit TranscriberSandbox(TranscriberSandboxOptions options) : options_(std::move(options)) {}
  SandboxReply handle(const SandboxRequest& request, Timestamp now) override;
  int asked() const { return asked_; }
  int made() const { return made_; }

 private:
  TranscriberSandboxOptions options_;
  int asked_ = 0, made_ = 0;
};

/// The words it "hears" in a file.
std::string heard_in(std::string_view bytes);

}  // namespace callimport::simulations
