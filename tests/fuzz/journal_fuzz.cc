// Bodies out of the journal: [0: a snapshot, 1: a transition][bytes]. Checksums keep damage away from here; another
// version of ours, or a bug of it, they do not. A service over one such row opens, or says that it is corrupt.
#include "engine/service/run_state.h"
#include "engine/service/transition.pb.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"
#include "storage/model/ensure.h"
#include "tests/engine/memory_journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace callimport::engine;
  if (size < 1) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    pb::RunSnapshot snapshot;
    if (!snapshot.ParseFromString(body)) return 0;
    Run run;
    from_snapshot(std::move(snapshot), &run);
    const std::string once = to_snapshot(run).SerializeAsString();
    ENSURE(snapshot.ParseFromString(once));
    return 0;
  }
  pb::Transition change;
  if (!change.ParseFromString(body)) return 0;
  Run run;
  apply(run, std::move(change));
  ENSURE(pb::RunSnapshot().ParseFromString(to_snapshot(run).SerializeAsString()));
  return 0;
}
