#pragma once
// The worker of one library on a Temporal cluster: no journal of its own, all else as the server has it.
#include "api/connection.h"
#include "api/serve/house.h"
#include "storage/model/result.h"

namespace callimport::api {

struct WorkerOrder : HouseOrder {
  Connection temporal;  ///< its namespace is where the imports run
};

/// Serves callimport.v1 and, handed on to the cluster, Temporal's services on the data folder's Unix socket. Threads:
/// the caller's becomes the loop. Returns once stopped.
/// @error  as open_house and engine::shake_hands; kUnavailable  the cluster refused our polls for a minute.
Result<> work_on_cluster(const WorkerOrder& order);

}  // namespace callimport::api
