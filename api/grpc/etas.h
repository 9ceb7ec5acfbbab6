#pragma once
// The time left of open imports, reckoned where all clients ask, so that all of them show the same (ux X-09).
#include <map>
#include <string>

#include "activities/estimate/pace.h"
#include "api/proto/callimport/v1/callimport.pb.h"
#include "storage/library/library.h"
#include "storage/runtime/mutex.h"

namespace callimport::api {

/// Threads: any; calls block (they read the library). What it remembers is of this process and bounded.
class Etas {
 public:
  static constexpr std::size_t kImportsMax = 2'000;

  /// Puts the time left into the message of an open import; of a closed one nothing is kept.
  void tell(storage::Library& library, const activities::Budget& budget, std::int64_t now_ms,
            const storage::ImportRow& row, ::callimport::v1::Import& into);

 private:
  Mutex mutex_;
  std::map<std::string, activities::Pace> paces_ GUARDED_BY(mutex_);
};

}  // namespace callimport::api
