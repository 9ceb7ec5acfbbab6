#pragma once
// The metrics of a running house as Prometheus reads them (docs/metrics.md names them). Counters begin at zero with the
// process. No label is a customer, an import or a call.
//
// Those of imports are made from what the library says at each scrape: rows and timelines that changed since the scrape
// before. So nothing is counted twice, and nothing has to remember to count.
#include <memory>
#include <string>

#include "api/serve/measure_look.h"

namespace callimport::api {

/// Threads: the loop. One look at a time: the next begins where the one before was taken.
class Measures {
 public:
  Measures(const std::string& version, const std::string& commit);
  ~Measures();
  Measures(const Measures&) = delete;
  Measures& operator=(const Measures&) = delete;

  const MeasurePlace& place() const;
  void take(const MeasureLook& look);
  /// The text format, with what the process itself says of its memory, descriptors and time. Every family is named,
  /// also one that has no sample yet.
  std::string text() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace callimport::api
