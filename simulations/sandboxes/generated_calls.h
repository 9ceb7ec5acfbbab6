#pragma once
// A made-up workspace: people, titles, varied sentences and a small playable recording for each call, all from a seed.
#include <cstdint>
#include <memory>

#include "simulations/sandboxes/calls.h"

namespace callimport::simulations {

struct GeneratedOptions {
  std::uint64_t seed = 7;
  std::uint64_t calls = 5000;
  std::uint64_t media_bytes = 100'000;  ///< about: each call's file differs by up to 10 %; 0: no media at all
  double broken_percent = 0, deleted_percent = 0, private_percent = 0, not_ready_percent = 0;
  double transcript_only_percent = 2;
  bool each_twice = false;  ///< every second call is the one before it, recorded a second time under an id of its own
  Timestamp newest = Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 9 / 1}} + 17h;
};

/// A call has one trouble at most: deleted before private before not ready before broken media.
std::unique_ptr<CallSource> generated_calls(const GeneratedOptions& options);

}  // namespace callimport::simulations
