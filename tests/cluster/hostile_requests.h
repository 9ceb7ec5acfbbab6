#pragma once
// Bad requests as data. In the JSON $WORDS stand for what the server under test gave; hostile_test.cc says which.
#include <chrono>
#include <string>
#include <vector>

namespace callimport::tests {

/// What must be equal on both servers.
enum class Same {
  kAll,   ///< code, text and detail
  kCode,  ///< where the text is the parser's own
};

struct HostileRequest {
  std::string name;
  std::string method;  ///< of WorkflowService, or `operator/` and one of OperatorService
  std::string json;
  std::chrono::milliseconds deadline = std::chrono::seconds{15};
  Same same = Same::kAll;
};
std::vector<HostileRequest> hostile_requests();

}  // namespace callimport::tests
