// The HTTP port of the real binary: probes, and who may open it where (ux 2.6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "tests/api/raw_http.h"
#include "tests/spine/process.h"

namespace callimport::tests {
namespace {

using testing::HasSubstr;

struct Serve {
  explicit Serve(std::vector<std::string> more) {
    std::vector<std::string> args = {"serve", "--data", scratch / "data", "--port", "0"};
    args.insert(args.end(), more.begin(), more.end());
    process.emplace(callimport_binary(), Command{.args = std::move(args), .ready = true}, scratch);
    const auto line = process->wait_ready();
    if (line.empty()) return;
    const auto ready = nlohmann::json::parse(line);
    const std::string address = ready["http"];
    if (!address.empty()) port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  Scratch scratch;
  std::optional<Process> process;
  std::uint16_t port = 0;
};

TEST(ServeHttp, AnswersProbes) {
  Serve serve({"--http-port", "0"});
  ASSERT_NE(0, serve.port) << serve.process->err();
  EXPECT_EQ("ok\n", http_body(http_get(serve.port, "/livez")));
  const auto ready = http_get(serve.port, "/readyz?verbose");
  EXPECT_EQ(200, http_status(ready));
  for (const char* line : {"[+]loop ok", "[+]journal ok", "[+]library ok: 0 imports open", "[+]disk ok", "passed"})
    EXPECT_THAT(ready, HasSubstr(line));
  EXPECT_THAT(http_get(serve.port, "/version"), HasSubstr("\"version\":\"0.1.0\""));
  serve.process->signal(SIGTERM);
  EXPECT_EQ(0, serve.process->wait());
}

TEST(ServeHttp, ATakenPortIsNamed) {
  Serve first({"--http-port", "0"});
  ASSERT_NE(0, first.port);
  Serve second({"--http-port", std::to_string(first.port)});
  EXPECT_EQ(1, second.process->wait());
  EXPECT_THAT(second.process->err(), HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(first.port)));
}

TEST(ServeHttp, ATakenDefaultPortStopsNobody) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor taken(io);
  boost::system::error_code error;  // taken by somebody else is taken, too
  const boost::asio::ip::tcp::endpoint endpoint(boost::asio::ip::make_address("127.0.0.1"), 8233);
  taken.open(endpoint.protocol());
  taken.bind(endpoint, error);
  if (!error) taken.listen();
  Serve serve({});
  EXPECT_EQ(0, serve.port);
  EXPECT_THAT(serve.process->err(), HasSubstr("127.0.0.1:8233"));
  EXPECT_THAT(serve.process->err(), HasSubstr("--http-port"));
  serve.process->signal(SIGTERM);
  EXPECT_EQ(0, serve.process->wait());
}

TEST(ServeHttp, OthersReachItOnlyWithTlsAndAKey) {
  Serve open({"--http-host", "0.0.0.0", "--http-port", "0"});
  EXPECT_EQ(2, open.process->wait());
  EXPECT_THAT(open.process->err(), HasSubstr("--tls-cert"));
}

}  // namespace
}  // namespace callimport::tests
