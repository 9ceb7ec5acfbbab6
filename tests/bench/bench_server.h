#pragma once
// The real binary as a server, with a sandbox of Grain beside it, for figures.
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/cli/client.h"
#include "tests/spine/process.h"

namespace callimport::tests {

inline constexpr const char* kTakenToken = "grain_pat_bench000_0123456789abcdefghijklmnopqrstuvwxyzABCD";
inline constexpr const char* kRefusedToken = "grain_pat_refused0_0123456789abcdefghijklmnopqrstuvwxyzABCD";

double seconds_since(std::chrono::steady_clock::time_point begun);
/// What `share` of all do not exceed (nearest rank); 0 of none.
double percentile(std::vector<double> values, double share);

struct BenchImport {
  std::string id, workspace, title, credential, started_by = "bench";
};

struct BenchServer {
  Scratch folder;
  std::unique_ptr<Process> sandbox, serve;
  std::unique_ptr<api::Client> client;
  std::string url;
  std::uint16_t http_port = 0;  ///< of the server; 0: it has none

  std::string data() const { return folder / "data"; }
  Ran verb(std::vector<std::string> args, const std::string& input = {});
  /// @param more  flags of the sandbox
  bool open_sandbox(std::vector<std::string> more);
  bool open(std::vector<std::string> more = {});  ///< the server with HTTP on any port, and a connection to it
  void close();                                   ///< SIGTERM, and its end
  /// Answers the credential; empty: it was not taken.
  std::string add_credential(const std::string& token);
  /// Through Temporal's service, as any client of it could.
  bool start_import(const BenchImport& import);

  template <class Request, class Response>
  bool ask(const std::string& method, const Request& request, Response& response) {
    return call("/callimport.v1.CallImportService/" + method, request, response);
  }

 private:
  template <class Request, class Response>
  bool call(const std::string& method, const Request& request, Response& response) {
    const auto status = client->call(method, request, response, std::chrono::seconds{60});
    if (!status.ok()) complain(method, status.message);
    return status.ok();
  }
  static void complain(const std::string& method, const std::string& why);
};

}  // namespace callimport::tests
