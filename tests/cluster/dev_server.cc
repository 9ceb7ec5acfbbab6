#include "tests/cluster/dev_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "api/cli/client.h"

namespace callimport::tests {
namespace {

namespace service = ::temporal::api::workflowservice::v1;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// Free now, and ours from the server's start on. Its own choice (port 0) would differ after a restart.
int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!bound) throw std::runtime_error("no free port on the loopback");
  return ntohs(address.sin_port);
}

}  // namespace

std::string DevServer::tool() {
  const auto cache = environment("XDG_CACHE_HOME");
  auto folder = environment("CALLIMPORT_TOOLS");
  if (folder.empty()) folder = (cache.empty() ? environment("HOME") + "/.cache" : cache) + "/callimport-tools";
  const auto path = folder + "/bin/temporal";
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? path : std::string();
}

DevServer::DevServer(const Scratch& folder, std::vector<std::string> config)
    : folder_(folder), config_(std::move(config)), port_(free_port()), address_(fmt::format("127.0.0.1:{}", port_)) {}

bool DevServer::start() {
  Command command;
  command.args = {"server",
                  "start-dev",
                  "--headless",
                  "--ip",
                  "127.0.0.1",
                  "--port",
                  std::to_string(port_),
                  "--db-filename",
                  folder_ / "temporal.db",
                  "--log-level",
                  "error"};
  for (const auto& words : config_) command.args.insert(command.args.end(), {"--dynamic-config-value", words});
  command.env = {{"HOME", folder_.path().string()}};
  process_ = std::make_unique<Process>(tool(), std::move(command), folder_);
  const auto client = api::Client::create(api::Connection{.address = address_});
  service::DescribeNamespaceRequest request;
  request.set_namespace_("default");
  for (int tries = 0; tries < 1000; ++tries) {
    if (!client->wait_connected(std::chrono::seconds{60})) return false;
    service::DescribeNamespaceResponse reply;
    if (client
            ->call("/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace", request, reply,
                   std::chrono::seconds{10})
            .ok()) {
      return true;
    }
  }
  return false;
}

}  // namespace callimport::tests
