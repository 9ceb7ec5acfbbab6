// The gRPC door without gRPC: calls of any method with any bytes, one after another, at a service over a journal in
// memory: [length of the name][method's name][seconds until the next call][length, 2 bytes][request] and so on. Each
// call is answered once, and what was journaled opens again as it was.
#include <memory>
#include <string>
#include <vector>

#include "api/grpc/temporal_methods.h"
#include "engine/embedded.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_loop.h"
#include "storage/model/ensure.h"
#include "tests/engine/memory_journal.h"

namespace {

using namespace callimport;
using engine::testing_world::Durable;
using engine::testing_world::MemoryJournal;

class CountedAnswer final : public api::Answer {
 public:
  bool write(const google::protobuf::MessageLite&) override { return true; }
  void finish(const api::PortStatus&) override { ++ends; }
  void reply(const google::protobuf::MessageLite&) override { ++ends; }
  bool open() const override { return ends == 0; }
  int ends = 0;
};

struct World {
  explicit World(Durable durable = {}) : journal(loop, std::move(durable)) {
    engine::EmbeddedOptions options;
    options.search_attributes = {{"Kind", "Keyword"}, {"Count", "Int"}};
    auto opened = engine::EmbeddedService::open(journal, loop, loop, random, options);
    ENSURE(opened.has_value());
    service = std::move(*opened);
    api::add_temporal_methods(router, *service);
  }

  simulations::SimLoop loop;
  simulations::SeededRandom random{7};
  MemoryJournal journal;
  std::unique_ptr<engine::EmbeddedService> service;
  api::Router router;
};

std::string_view take(std::string_view& from, std::size_t bytes) {
  const std::string_view taken = from.substr(0, bytes);
  from.remove_prefix(taken.size());
  return taken;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kCallsMax = 64;
  std::string_view given(reinterpret_cast<const char*>(data), size);
  World world;
  std::vector<std::shared_ptr<CountedAnswer>> answers;
  const auto byte = [&given] {
    const std::string_view taken = take(given, 1);
    return taken.empty() ? 0u : static_cast<unsigned char>(taken[0]);
  };
  while (!given.empty() && answers.size() < kCallsMax) {
    const std::string name = "/" + std::string(api::kWorkflowService) + "/" + std::string(take(given, byte()));
    const std::chrono::seconds pause{byte()};
    const std::size_t low = byte(), length = low + 256u * byte();
    const auto method = world.router.methods.find(name);
    if (method == world.router.methods.end()) {
      ENSURE(!world.router.unknown_text(name).empty());
      take(given, length);
      continue;
    }
    answers.push_back(std::make_shared<CountedAnswer>());
    api::Incoming incoming;
    incoming.context = {answers.size(), world.loop.now() + std::chrono::seconds{10}};
    incoming.bytes = take(given, length);
    incoming.answer = answers.back();
    world.loop.post(method->second.serve(std::move(incoming)));
    world.loop.run_for(pause);
  }
  world.loop.run_for(std::chrono::seconds{120});
  for (const auto& answer : answers) ENSURE(answer->ends == 1);
  const World again(world.journal.durable());
  ENSURE(again.service->figures().open_runs == world.service->figures().open_runs);
  ENSURE(again.service->figures().closed_runs == world.service->figures().closed_runs);
  return 0;
}
