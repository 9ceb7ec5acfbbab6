// Bodies out of the journal: [0 snapshot, 1 row][run][length, 2 bytes][body] and so on. A service opens over them, or
// says that the journal is corrupt; what it took over it can write again.
#include <map>
#include <string>
#include <string_view>

#include "engine/embedded.h"
#include "engine/service/run_state.h"
#include "engine/service/transition_check.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"
#include "storage/model/ensure.h"
#include "tests/engine/memory_journal.h"

namespace {

using namespace callimport;
using engine::testing_world::Durable;
using engine::testing_world::MemoryJournal;

constexpr std::size_t kBodiesMax = 64;
constexpr storage::RunKey kRunsMax = 4;

Durable durable_of(std::string_view given) {
  Durable out;
  std::map<storage::RunKey, storage::Seq> last;
  const auto byte = [&given] {
    const auto value = given.empty() ? 0u : static_cast<unsigned char>(given.front());
    given.remove_prefix(given.empty() ? 0 : 1);
    return value;
  };
  for (std::size_t bodies = 0; bodies < kBodiesMax && !given.empty(); ++bodies) {
    const bool row = byte() % 2 == 1;
    const storage::RunKey run = static_cast<storage::RunKey>(byte()) % kRunsMax + 1;
    const std::size_t low = byte(), length = low + 256 * byte();
    std::string body(given.substr(0, length));
    given.remove_prefix(body.size());
    if (row) {
      const auto seq = static_cast<storage::Seq>(out.rows.size()) + 1;
      out.rows.push_back({seq, run, std::exchange(last[run], seq), std::move(body)});
    } else {
      out.snapshots[run] = {run, last[run], engine::kSnapshotVersion, std::move(body)};
    }
    out.last_run = std::max(out.last_run, run);
  }
  return out;
}

/// What can be taken over is given again as it came.
void take_over(const std::string& body) {
  engine::pb::RunSnapshot snapshot;
  if (!snapshot.ParseFromString(body) || engine::contradiction(snapshot)) return;
  engine::Run run;
  engine::from_snapshot(std::move(snapshot), &run);
  const std::string once = engine::to_snapshot(run).SerializeAsString();
  engine::pb::RunSnapshot again;
  ENSURE(again.ParseFromString(once) && !engine::contradiction(again));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Durable durable = durable_of({reinterpret_cast<const char*>(data), size});
  for (const auto& [run, snapshot] : durable.snapshots) take_over(snapshot.body);
  simulations::SimLoop loop(simulations::kSimulationStart);
  MemoryJournal journal(loop, durable);
  simulations::SeededRandom random{7};
  {
    const auto service = engine::EmbeddedService::open(journal, loop, loop, random, {});
    ENSURE(service || service.error().code == Code::kCorrupt);
  }
  loop.drop_all();
  return 0;
}
