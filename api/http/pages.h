#pragma once
// What every server answers about itself: /livez, /readyz, /version, /metrics, and a page for each error.
#include <functional>
#include <string>
#include <vector>

#include "api/http/router.h"

namespace callimport::api {

/// One thing the server needs, or uses. A platform that is down is no matter of readiness: its imports wait.
struct Dependency {
  std::string name;  ///< journal, library, disk, ...
  bool good = true;
  bool needed = true;  ///< not good and needed: the server is not ready
  std::string words;   ///< one line
};
using OnDependencies = std::function<void(std::vector<Dependency> all)>;

struct PageParts {
  std::string version;
  std::string commit;  ///< of the build; empty: not known
  /// Looks at everything, answers on the loop, in order.
  std::function<void(OnDependencies done)> look;
  /// The metrics as Prometheus reads them; answers on the loop. Empty: there are none.
  std::function<void(std::function<void(std::string text)> done)> metrics;
};
/// `parts` are copied. The errors are those of problem_kinds.
void add_pages(WebRouter& router, const PageParts& parts);

}  // namespace callimport::api
