#pragma once
// The real server and ours, side by side, with the same limits.
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cluster/dev_server.h"
#include "tests/cluster/hostile_target.h"

namespace callimport::tests {

class BothServers : public testing::Test {
 protected:
  /// @param config  KEY=VALUE for --dynamic-config-value of both.
  explicit BothServers(std::vector<std::string> config = {}) : config_(std::move(config)) {}

  void SetUp() override {
    NEEDS_TEMPORAL();
    ASSERT_TRUE(dev_server_.start()) << dev_server_.words();
    Command command;
    command.args = {"serve", "--port", "0", "--data", scratch_ / "ours", "--quiet", "--log-level", "off"};
    for (const auto& words : config_) command.args.insert(command.args.end(), {"--dynamic-config-value", words});
    command.ready = true;
    serve_ = std::make_unique<Process>(callimport_binary(), std::move(command), scratch_);
    const auto ready = nlohmann::json::parse(serve_->wait_ready(), nullptr, false);
    ASSERT_TRUE(ready.is_object()) << serve_->err();
    real_ = std::make_unique<Target>(dev_server_.address());
    ours_ = std::make_unique<Target>(ready["grpc"]);
  }

  std::vector<std::string> config_;
  Scratch scratch_;
  DevServer dev_server_{scratch_, config_};
  std::unique_ptr<Process> serve_;
  std::unique_ptr<Target> real_, ours_;
};

}  // namespace callimport::tests
