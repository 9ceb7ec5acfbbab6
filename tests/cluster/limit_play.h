#pragma once
// A short play on one server, by hand-made requests: what it answers and writes becomes lines, to be compared with
// those of another server.
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cluster/hostile_target.h"

namespace callimport::tests {

using Json = nlohmann::json;

class Play {
 public:
  /// @param id  of its workflow, and of its task queue; its activities' queue is `id`-a.
  Play(Target& target, std::string id) : target_(target), id_(std::move(id)) {}

  /// Says what the server says to `method` with `request`, which names the namespace and, unless it does so itself, the
  /// workflow.
  /// @return the answer; null when it was refused.
  Json ask(const std::string& method, Json request, std::chrono::milliseconds deadline = std::chrono::seconds{15});

  Json start(Json more = Json::object());
  void task();                                               ///< takes a workflow task
  void activity();                                           ///< takes an activity task
  void complete(Json commands, Json more = Json::object());  ///< the task taken last
  /// What the worker says of the activity taken last: `method` is RespondActivityTask... or
  /// RecordActivityTaskHeartbeat.
  Json of_activity(const std::string& method, Json more);
  Json signal(std::size_t bytes);
  /// An update whose caller does not wait for a worker.
  void update(const std::string& update_id, std::size_t bytes);
  /// The task takes the update it was sent, and completes it with so many bytes.
  void take_update(std::size_t bytes);
  /// A query while the worker answers with so many bytes.
  void query(std::size_t bytes);
  void history();                        ///< says the events from the third on
  void close_event(const Json& run_id);  ///< says the event that a caller waiting for the end of that run gets
  void ended();                          ///< waits until the run is closed
  void say(std::string line) { lines_.push_back(std::move(line)); }

  const std::string& id() const { return id_; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  Json execution() const { return {{"workflowId", id_}}; }

  Target& target_;
  std::string id_;
  Json task_, activity_;
  std::vector<std::string> lines_;
};

/// So many bytes of payload, within three.
Json payloads(std::size_t bytes);
Json memo(std::size_t bytes);
/// A failure whose message and trace take so many bytes.
Json failure(std::size_t bytes);

Json marker(std::size_t bytes = 3);
Json schedule(const Play& play, const std::string& id, Json more = Json::object());
/// COMMAND_TYPE_`type` with `attributes` under their name.
Json command(const std::string& type, const std::string& name, Json attributes);
Json times(int n, const Json& command);

}  // namespace callimport::tests
