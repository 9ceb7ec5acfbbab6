#include "api/build_commit.h"

namespace callimport::api {

std::string build_commit() { return CALLIMPORT_COMMIT; }

}  // namespace callimport::api
