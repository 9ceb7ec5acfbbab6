// The terminal against a Temporal service that has no library of ours (design section 4): the real server behind a door
// that knows Temporal's methods only.
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/grpc/channel.h"
#include "api/grpc/door.h"
#include "api/grpc/temporal_methods.h"
#include "engine/cluster/cluster.h"
#include "storage/runtime/loop.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;

class TemporalDoor {
 public:
  explicit TemporalDoor(const House& house) {
    cluster_ = engine::Cluster::create(
        loop_, loop_, {api::open_channel(api::Connection{.address = "unix:" + house.data() + "/callimport.sock"}), {}});
    api::add_temporal_methods(router_, *cluster_);
    router_.services.erase("callimport.v1.CallImportService");
    api::DoorOptions options;
    options.address = "127.0.0.1:0";
    door_ = std::move(*api::Door::open(router_, loop_, options));
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~TemporalDoor() {
    door_->close(std::chrono::milliseconds{0});
    loop_.stop();
    thread_.join();
  }
  std::string address() const { return door_->address(); }

 private:
  AsioLoop loop_;
  std::unique_ptr<engine::Cluster> cluster_;
  api::Router router_;
  std::unique_ptr<api::Door> door_;
  std::thread thread_;
};

/// One import under way behind the door, its sandbox holding one answer back until `let_go`.
class TemporalOnly : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(house_.serve());
    house_.sandbox().arm(60, [this] {
      held_.set_value();
      gate_.get_future().wait();
    });
    ASSERT_EQ(house_.start().code, 0);
    door_ = std::make_unique<TemporalDoor>(house_);
  }
  void TearDown() override { let_go(); }
  /// Until the answer is held back: one of the fetches, which begin once the workflow knows what was found.
  bool wait_held() { return held_.get_future().wait_for(std::chrono::minutes{1}) == std::future_status::ready; }
  void let_go() {
    if (!std::exchange(gone_, true)) gate_.set_value();
  }
  Ran verb(std::vector<std::string> args) {
    args.insert(args.end(), {"--address", door_->address(), "--data", house_.scratch() / "nothing"});
    return run(callimport_binary(), {std::move(args), {}, {}, false, {}, 0, false}, house_.scratch());
  }

  std::promise<void> held_, gate_;
  bool gone_ = false;
  House house_{100, 41};
  std::unique_ptr<TemporalDoor> door_;
};

TEST_F(TemporalOnly, ListReadsMemoAndSearchAttributes) {
  const auto listed = verb({"list", "-o", "json"});
  ASSERT_EQ(listed.code, 0) << listed.err;
  const auto all = json::parse(listed.out);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["id"], house_.import());
  EXPECT_EQ(all[0]["title"], "acme");
  EXPECT_EQ(all[0]["platform"], "grain");
  EXPECT_EQ(all[0]["workspace"], "acme");
  EXPECT_EQ(all[0]["condition"], "running");
  EXPECT_TRUE(all[0]["counters"].is_null()) << "not known, so not said";
  const auto count = [&](std::vector<std::string> args) {
    args.insert(args.begin(), "list");
    args.insert(args.end(), {"-o", "json"});
    const auto ran = verb(args);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out, nullptr, false).size();
  };
  EXPECT_EQ(count({"--platform", "grain", "--state", "running", "--days", "1"}), 1u);
  EXPECT_EQ(count({"--platform", "gong"}), 0u);
  EXPECT_EQ(count({"--attention"}), 0u);
  EXPECT_EQ(count({"--customer", "ACME"}), 1u);
  EXPECT_EQ(count({"--customer", "nobody"}), 0u);
  EXPECT_EQ(count({"--query", "ExecutionStatus = 'Running'"}), 1u);
  EXPECT_EQ(count({"--query", "ExecutionStatus = 'Completed'"}), 0u);
  EXPECT_NE(verb({"list"}).out.find(house_.import()), std::string::npos);
}

TEST_F(TemporalOnly, ShowAsksTheWorkflow) {
  ASSERT_TRUE(wait_held());
  const auto shown = verb({"show", house_.import().substr(0, 12), "-o", "json"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  const auto import = json::parse(shown.out);
  EXPECT_EQ(import["id"], house_.import());
  EXPECT_GT(import["counters"]["found"], 0);
  const auto screen = verb({"show", house_.import()});
  EXPECT_NE(screen.out.find("= registered"), std::string::npos) << screen.out;
  EXPECT_EQ(verb({"show", "imp_nope"}).code, 1);
}

TEST_F(TemporalOnly, WatchFollowsToTheEnd) {
  Command command{
      {"watch", house_.import(), "--address", door_->address(), "--data", house_.scratch() / "nothing", "-o", "jsonl"},
      {},
      {},
      false,
      {},
      0,
      true};
  Process watching(callimport_binary(), std::move(command), house_.scratch());
  EXPECT_NE(watching.wait_ready().find(house_.import()), std::string::npos) << watching.err();
  let_go();
  const int code = watching.wait();
  EXPECT_TRUE(code == 0 || code == 5) << code << watching.err();
}

TEST_F(TemporalOnly, CancelStopsIt) {
  ASSERT_EQ(verb({"cancel", house_.import(), "--yes"}).code, 0);
  let_go();
  ASSERT_TRUE(house_.follow());
  EXPECT_EQ(verb({"show", house_.import(), "--exit-status"}).code, 3);
}

TEST_F(TemporalOnly, WhatTheLibraryKnowsIsSaidToBeElsewhere) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"calls", "list"}, {"credentials", "list"}, {"show", house_.import(), "--calls"}}) {
    const auto ran = verb(args);
    EXPECT_EQ(ran.code, 1) << args[0];
    EXPECT_NE(ran.err.find("without a library"), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("next: "), std::string::npos) << ran.err;
  }
}

TEST_F(TemporalOnly, StartWantsToKnowTheQueue) {
  const std::vector<std::string> words = {
      "start", "--platform", "grain", "--customer", "Acme", "--credential", "cred_0123456789abcdef", "--yes"};
  const auto unsaid = verb(words);
  EXPECT_EQ(unsaid.code, 1);
  EXPECT_NE(unsaid.err.find("--task-queue"), std::string::npos) << unsaid.err;
  auto said = words;
  said.insert(said.end(), {"--task-queue", "library-somewhere"});
  const auto started = verb(said);
  ASSERT_EQ(started.code, 0) << started.err;
  const auto id = started.out.substr(0, started.out.find('\n'));
  EXPECT_NE(verb({"list"}).out.find(id), std::string::npos);
  EXPECT_EQ(verb({"cancel", id, "--yes"}).code, 0);
}

}  // namespace
}  // namespace callimport::tests
