#pragma once
// A server under bad requests: asked in JSON, its answers in words that can be compared with another server's.
#include <google/protobuf/message.h>

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "api/cli/client.h"
#include "tests/cluster/hostile_requests.h"

namespace callimport::tests {

inline const std::string kWorkflowService = "temporal.api.workflowservice.v1.WorkflowService";

/// Code, text and detail in one line; what differs by chance is masked.
std::string in_words(const engine::PortStatus& status);

/// Threads: any.
class Target {
 public:
  explicit Target(const std::string& address) : client_(api::Client::create(api::Connection{.address = address})) {}

  engine::PortStatus call(const std::string& method, const google::protobuf::MessageLite& request,
                          google::protobuf::MessageLite& reply,
                          std::chrono::milliseconds deadline = std::chrono::seconds{15}) {
    return client_->call(method, request, reply, deadline);
  }
  /// A request of a table. An answer that is none ends in `reply`'s type being wrong, which fails the test.
  engine::PortStatus ask(const HostileRequest& row, std::unique_ptr<google::protobuf::Message>* reply = nullptr);
  /// One that must succeed.
  nlohmann::json must(const std::string& method, const std::string& json);
  /// What `word` stands for in JSON from now on.
  void set_word(const std::string& word, std::string meaning) { words_[word] = std::move(meaning); }

 private:
  std::string with_words(std::string json) const;

  std::unique_ptr<api::Client> client_;
  std::map<std::string, std::string> words_;
};

std::string json_of(const google::protobuf::Message& message);

}  // namespace callimport::tests
