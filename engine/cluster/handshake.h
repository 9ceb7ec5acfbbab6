#pragma once
// What a worker settles with a cluster before its first poll (conformance A1, A.3): who is there, whether the namespace
// exists, and the search attributes its workflows set.
#include <map>
#include <string>

#include "engine/awaitable.h"
#include "engine/cluster/cluster.h"
#include "storage/model/result.h"
#include "storage/runtime/random.h"

namespace callimport::engine {

struct ClusterNeeds {
  std::string name_space = "default";
  std::map<std::string, std::string> search_attributes{};  ///< name -> type (Keyword, Text, Int, ...)
};

struct ClusterFacts {
  std::string server_version{};  ///< empty: the server does not say
  std::string notice{};          ///< what could not be settled and somebody should know; empty: all is well
};

/// Adds the search attributes that are missing; needs no right to do so when they are there. Tries transient errors
/// again by the table of A9, about ten seconds in all. `cluster` and the seams outlive it.
/// @error kUnavailable  nobody answers.
/// @error kNotFound     the namespace is not there.
/// @error kInvalid      the server refuses us; or search attributes are missing or of another type and we may not add
///                      them: names the command that does.
Awaitable<Result<ClusterFacts>> shake_hands(Cluster& cluster, Executor& loop, Clock& clock, Random& random,
                                            ClusterNeeds needs);

}  // namespace callimport::engine
