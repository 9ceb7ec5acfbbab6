#pragma once
// The time left of open imports, reckoned where all clients ask, so that all of them show the same (ux X-09). What was
// told is kept in the library, so that a restart does not move it.
#include <map>
#include <string>

#include "activities/estimate/pace.h"
#include "api/proto/callimport/v1/callimport.pb.h"
#include "storage/library/library.h"
#include "storage/runtime/mutex.h"

namespace callimport::api {

/// Threads: any; calls block (they read the library, and write when what is told moves). What it remembers of this
/// process is bounded.
class Etas {
 public:
  static constexpr std::size_t kImportsMax = 2'000;
  static constexpr std::int64_t kAccuracyMs = 300'000;  ///< the past of a platform is read anew after it

  /// Puts the time left into the message of an open import; of a closed one nothing is kept.
  void tell(storage::Library& library, const activities::Budget& budget, std::int64_t now_ms,
            const storage::ImportRow& row, ::callimport::v1::Import& into);

 private:
  struct Accuracy {
    std::int64_t at_ms = 0;
    std::string words;
  };
  /// Before a first look: as it was told, if it was.
  void take_up(storage::Library& library, const std::string& import);
  std::string accuracy(storage::Library& library, const std::string& platform, std::int64_t now_ms);

  Mutex mutex_;
  std::map<std::string, activities::Pace> paces_ GUARDED_BY(mutex_);
  std::map<std::string, Accuracy> accuracies_ GUARDED_BY(mutex_);  ///< by platform
};

}  // namespace callimport::api
