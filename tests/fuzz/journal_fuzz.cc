// Bodies out of the journal: a snapshot's state is taken over and given again. Transitions are not fuzzed here: apply
// ends the process at one that contradicts itself, by its ENSUREs, and checksums keep damage away from it.
#include "engine/service/run_state.h"
#include "engine/service/transition.pb.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"
#include "storage/model/ensure.h"
#include "tests/engine/memory_journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callimport::engine;
  pb::RunSnapshot snapshot;
  if (!snapshot.ParseFromArray(data, static_cast<int>(size))) return 0;
  Run run;
  from_snapshot(std::move(snapshot), &run);
  ENSURE(pb::RunSnapshot().ParseFromString(to_snapshot(run).SerializeAsString()));
  return 0;
}
