#pragma once
// A ServiceWorld whose client makes schedules. They start runs of type T with id `run` on queue W.
#include <functional>
#include <string>

#include "tests/engine/service_world.h"

namespace callimport::engine::testing_world {

using Overlap = enums::ScheduleOverlapPolicy;

class ScheduleWorld : public ServiceWorld {
 public:
  using ServiceWorld::ServiceWorld;
  using Change = std::function<void(api::CreateScheduleRequest&)>;

  /// Schedule `S` unless said otherwise; acts every `every_s` seconds, or never when that is 0.
  api::CreateScheduleRequest creation(int every_s, const Change& change = {}) const;
  Answer<api::CreateScheduleResponse> try_create(int every_s, const Change& change = {});
  void create(int every_s, const Change& change = {});  ///< has to succeed

  PortStatus patch(const std::function<void(api::PatchScheduleRequest&)>& change, const std::string& id = "S");
  PortStatus trigger(Overlap overlap = enums::SCHEDULE_OVERLAP_POLICY_UNSPECIFIED);
  PortStatus pause(const std::string& note), unpause(const std::string& note);
  PortStatus remove(const std::string& id = "S");
  Answer<api::DescribeScheduleResponse> try_describe(const std::string& id = "S");
  api::DescribeScheduleResponse schedule(const std::string& id = "S");  ///< has to be there

  /// `3 taken, 1 skipped, 2 buffered, 1 running`, and what was missed or dropped, if any.
  std::string figures();
  /// Workflow ids of its recent actions, the time alone, with their status: `00:00:01 COMPLETED, ...`.
  std::string actions();
  /// The worker answers the next task.
  void answer(const std::vector<Command>& commands = {});
};

}  // namespace callimport::engine::testing_world
