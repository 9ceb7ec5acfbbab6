// N-09, ST-01: what rules would have sent, held against what they did send.
#include "activities/notify/forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "activities/notify/deliverer.h"
#include "activities/notify/turn.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"

namespace callimport::activities {
namespace {

using storage::Library;
using Counts = std::map<std::string, std::int64_t>;  // by "channel recipient"

/// Takes everything, and counts what is no change of a root.
class CountingChannel final : public Channel {
 public:
  CountingChannel(std::string name, Manner manner, Counts& counts)
      : name_(std::move(name)), manner_(manner), counts_(counts) {}
  std::string_view name() const override { return name_; }
  Manner manner() const override { return manner_; }
  std::vector<Recipient> own(const storage::Notification&) const override {
    if (manner_.people) return {};
    return {{"#imports", "imports", "", "UTC"}};
  }
  engine::Awaitable<tl::expected<Sent, Refused>> send(Message message) override {
    if (message.form != Form::kEditRoot) ++counts_[name_ + " " + message.to.id];
    co_return Sent{"ref-" + message.id, "text"};
  }

 private:
  std::string name_;
  Manner manner_;
  Counts& counts_;
};

Person person(const std::string& id) {
  Person made;
  made.id = made.name = id;
  made.known_as = {"os:" + id};
  made.addresses = {{"mail", id + "@example.test"}};
  return made;
}

/// Ana owns the imports; Ben watches all and sleeps at night.
Roster both() {
  Roster roster;
  roster.people = {person("ana"), person("ben")};
  roster.people[1].watches_all = true;
  roster.people[1].quiet = {22 * 60, 7 * 60};
  return roster;
}

class Forecasts : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_dirs("/data").has_value());
    library_ = std::move(*Library::open(disk_, random_, "/data/library.db"));
    Manner mail, slack;
    mail.people = true;
    mail.at_once = 4;
    slack.roots = true;
    std::vector<std::unique_ptr<Channel>> channels;
    channels.push_back(std::make_unique<CountingChannel>("mail", mail, sent_));
    channels.push_back(std::make_unique<CountingChannel>("slack", slack, sent_));
    deliverer_ = std::make_unique<Deliverer>(*library_, loop_, loop_, loop_, both(), std::move(channels));
    began_ms_ = to_unix_ms(loop_.now());
    deliverer_->start();
    for (int i = 0; i < kImports; ++i) add_import(i);
  }
  void TearDown() override {
    deliverer_->stop();
    loop_.drop_all();
    deliverer_.reset();
    library_.reset();
  }

  static constexpr int kImports = 4;
  static std::string import_id(int i) { return "imp_" + std::to_string(i); }
  void add_import(int i) {
    storage::ImportRow row;
    row.id = import_id(i);
    row.platform = "grain";
    row.workspace = "customer" + std::to_string(i);
    row.input = R"({"started_by":"os:ana"})";
    row.created_ms = to_unix_ms(loop_.now());
    row.first.stage = row.bulk.stage = "fetch";
    row.first.condition = row.bulk.condition = "running";
    ASSERT_TRUE(library_->change([&](storage::LibraryTx& tx) { return tx.put_import(row); }).has_value());
  }
  void tell(int i, const std::string& event, const nlohmann::json& facts = nlohmann::json::object()) {
    auto made = say(event, import_id(i), to_unix_ms(loop_.now()), import_id(i), event, "next", facts);
    ASSERT_TRUE(library_->change([&](storage::LibraryTx& tx) { return tx.notify(made); }).has_value());
    deliverer_->wake();
  }
  /// Two days of imports that wait, need a person, and end.
  void live() {
    for (int i = 0; i < kImports; ++i) {
      tell(i, "import.started");
      loop_.run_for(7min);
      tell(i, "import.counted");
      tell(i, "import.ordered");
      loop_.run_for(25min);
      tell(i, "import.first_ready", {{"pending", 300}});
      for (int turn = 0; turn < 3; ++turn) {
        tell(i, "import.waiting", {{"cause", "platform.daily_quota"}});
        loop_.run_for(11min);
        tell(i, "import.goes_on");
        loop_.run_for(5min);
      }
      tell(i, "access.needed");
      loop_.run_for(26h / kImports);
      tell(i, "access.restored");
      tell(i, "import.fetched");
      loop_.run_for(3h);
      tell(i, "import.completed");
    }
    loop_.run_for(20h);
  }
  ForecastOrder order() {
    ForecastOrder made;
    made.from_ms = began_ms_;
    made.until_ms = to_unix_ms(loop_.now());
    made.records = library_->notifications("", kForecastRecordsMax).value();
    std::reverse(made.records.begin(), made.records.end());
    made.imports = library_->imports(100).value();
    made.views = [this](const storage::Notification& record) { return deliverer_->views(record); };
    return made;
  }
  Counts foretold(const Roster& roster) {
    const std::string path = "/data/scratch" + std::to_string(++scratches_) + ".db";
    const auto scratch = std::move(*Library::open(disk_, random_, path));
    const auto all = forecast(*scratch, roster, order());
    EXPECT_TRUE(all.has_value()) << all.error().message;
    Counts counts;
    for (const auto& one : all.value_or(std::vector<Foretold>{}))
      counts[one.channel + " " + one.recipient] = one.messages;
    return counts;
  }

  simulations::SimLoop loop_;
  simulations::SimDisk disk_;
  simulations::SeededRandom random_{1};
  std::unique_ptr<Library> library_;
  Counts sent_;
  std::unique_ptr<Deliverer> deliverer_;
  std::int64_t began_ms_ = 0;
  int scratches_ = 0;
};

TEST_F(Forecasts, CountWhatTheSameRulesDidSend) {
  live();
  ASSERT_GE(sent_["mail ana"], 10);
  ASSERT_GE(sent_["mail ben"], 4);
  ASSERT_GE(sent_["slack #imports"], 10);
  EXPECT_EQ(foretold(both()), sent_);
}

TEST_F(Forecasts, OfOtherRulesSayWhatTheyWouldChangeAndSendNothing) {
  live();
  const Counts before = sent_;
  Roster quieter = both();
  quieter.people[0].level = Level::kAct;
  quieter.people[0].digest = false;
  quieter.people.pop_back();
  Counts counts = foretold(quieter);
  EXPECT_LT(counts["mail ana"], before.at("mail ana"));
  EXPECT_GE(counts["mail ana"], kImports) << "each import wanted somebody to act once";
  EXPECT_EQ(counts.count("mail ben"), 0u);
  EXPECT_EQ(counts["slack #imports"], before.at("slack #imports")) << "channels are not people's";
  loop_.run_for(1h);
  EXPECT_EQ(sent_, before);
}

TEST_F(Forecasts, OfAWeekWithoutRecordsAreEmpty) { EXPECT_TRUE(foretold(both()).empty()); }

}  // namespace
}  // namespace callimport::activities
