// The HTTP port of the real binary: probes, and who may open it where (ux 2.6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>

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

/// What looks like a metric of ours in a text, histograms by their own names.
std::set<std::string> metrics_in(const std::string& text) {
  static const std::regex word("\\b(callimport_[a-z_]*[a-z]|process_[a-z_]*[a-z])\\b");
  static const std::regex part("_(bucket|sum|count)$");
  std::set<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at)
    names.insert(std::regex_replace(at->str(), part, ""));
  return names;
}

std::string document(const std::string& name) {
  return read_file(std::string(CALLIMPORT_SOURCE_DIR) + "/docs/" + name);
}

/// ux 2.4: dashboard and alerts look at what is there, and the page names all of it, from the first scrape on.
TEST(ServeHttp, WhatIsWatchedIsThere) {
  Serve serve({"--http-port", "0"});
  ASSERT_NE(0, serve.port) << serve.process->err();
  const auto text = http_body(http_get(serve.port, "/metrics"));
  std::set<std::string> there;
  static const std::regex type("# TYPE ([a-z_]+) ");
  for (std::sregex_iterator at(text.begin(), text.end(), type), end; at != end; ++at) {
    EXPECT_TRUE(there.insert((*at)[1]).second) << (*at)[1] << " is there twice";
  }
  for (const char* name : {"metrics.md", "monitoring/alerts.yml", "monitoring/alerts_test.yml",
                           "monitoring/dashboard.json", "monitoring/runbook.md"}) {
    for (const auto& one : metrics_in(document(name))) EXPECT_TRUE(there.contains(one)) << name << ": " << one;
  }
  const auto page = document("metrics.md");
  for (const auto& one : there) {
    if (one.starts_with("callimport_")) EXPECT_THAT(page, HasSubstr("`" + one)) << "not in the page";
  }
  EXPECT_THAT(text, HasSubstr("callimport_build_info{commit=\""));
  serve.process->signal(SIGTERM);
  EXPECT_EQ(0, serve.process->wait());
}

TEST(ServeHttp, EachAlertSaysWhatToDo) {
  const auto rules = document("monitoring/alerts.yml"), runbook = document("monitoring/runbook.md");
  static const std::regex alert("- alert: ([A-Za-z]+)\n");
  int alerts = 0;
  for (std::sregex_iterator at(rules.begin(), rules.end(), alert), end; at != end; ++at, ++alerts) {
    const std::string name = (*at)[1];
    std::string anchor = name;
    std::transform(anchor.begin(), anchor.end(), anchor.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    EXPECT_THAT(rules, HasSubstr("runbook: docs/monitoring/runbook.md#" + anchor + "\n"));
    EXPECT_THAT(runbook, HasSubstr("\n## " + name + "\n"));
  }
  EXPECT_GT(alerts, 10);
}

TEST(ServeHttp, TheDashboardHasOnePanelAPlace) {
  const auto dashboard = nlohmann::json::parse(document("monitoring/dashboard.json"));
  std::set<std::pair<int, int>> places;
  std::set<int> ids;
  for (const auto& panel : dashboard["panels"]) {
    const auto& at = panel["gridPos"];
    EXPECT_TRUE(places.emplace(at["x"].get<int>(), at["y"].get<int>()).second) << panel["title"];
    EXPECT_LE(at["x"].get<int>() + at["w"].get<int>(), 24) << panel["title"];
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << panel["title"];
    if (panel["type"] == "row") continue;
    EXPECT_FALSE(panel["targets"].empty()) << panel["title"];
  }
  EXPECT_GT(places.size(), 10u);
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
