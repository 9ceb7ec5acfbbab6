// Records on their way to people: what merges, what is tried again, what goes another way, and what a death does.
#include "activities/notify/deliverer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "activities/notify/told_counts.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"
#include "storage/library/telling.h"

namespace callimport::activities {
namespace {

using storage::Library;
using storage::Notification;
using testing::ElementsAre;
using testing::IsEmpty;

/// What arrived, one line a message: channel>recipient form: records.
struct Arrived {
  std::vector<std::string> lines;
  std::vector<std::string> ids;
  std::vector<std::string> others;  ///< recipient: who else was told
};

/// Refuses as often as it is told to, and keeps what arrived.
class FlakyChannel final : public Channel {
 public:
  FlakyChannel(std::string name, Manner manner, int failures, Arrived& arrived)
      : name_(std::move(name)), manner_(manner), failures_(failures), arrived_(arrived) {}
  std::string_view name() const override { return name_; }
  Manner manner() const override { return manner_; }
  std::vector<Recipient> own(const Notification&) const override {
    if (manner_.people) return {};
    return {{"#" + name_, name_, "", "UTC"}};
  }
  engine::Awaitable<tl::expected<Sent, Refused>> send(Message message) override {
    Refused not_now;
    not_now.reason = "not now";
    if (failures_-- > 0) co_return tl::unexpected(not_now);
    std::string line = name_ + ">" + message.to.id + " " + std::string(to_string(message.form)) + ":";
    for (const auto& one : message.news) line += " " + one.id;
    if (!message.others.empty()) arrived_.others.push_back(message.to.id + ": " + message.others);
    arrived_.lines.push_back(line);
    arrived_.ids.push_back(message.id);
    co_return Sent{"ref-" + message.id, line};
  }

 private:
  std::string name_;
  Manner manner_;
  int failures_;
  Arrived& arrived_;
};

Roster ana() {
  Person person;
  person.id = person.name = "ana";
  person.addresses = {{"mail", "ana@example.test"}, {"pager", "555"}};
  person.watches_all = true;
  person.digest = false;
  Roster roster;
  roster.people.push_back(person);
  return roster;
}

class Delivering : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_dirs("/data").has_value());
    open();
    const auto made = library_->change([](storage::LibraryTx& tx) -> Result<> {
      storage::ImportRow row;
      row.id = "imp_1";
      row.platform = "grain";
      row.workspace = "acme";
      row.first.stage = row.bulk.stage = "authenticate";
      row.first.condition = row.bulk.condition = "running";
      return tx.put_import(row);
    });
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }
  void TearDown() override { close(); }
  void open() { library_ = std::move(*Library::open(disk_, random_, "/data/library.db")); }
  void close() {
    if (deliverer_) deliverer_->stop();
    loop_.drop_all();
    deliverer_.reset();
    library_.reset();
  }
  void tell(const std::string& id, const std::string& event) {
    const auto told = library_->change([&](storage::LibraryTx& tx) {
      Notification made;
      made.id = id;
      made.import = "imp_1";
      made.at_ms = to_unix_ms(loop_.now());
      made.event = event;
      made.weight = to_string(find_event(event)->weight);
      made.subject = made.text = made.next = "x";
      return tx.notify(made);
    });
    ASSERT_TRUE(told.has_value());
    if (deliverer_) deliverer_->wake();
  }
  void begin(int mail_failures, bool pager = false) {
    std::vector<std::unique_ptr<Channel>> channels;
    Manner mail, slack;
    mail.people = true;
    slack.roots = true;
    slack.gap = 1s;
    channels.push_back(std::make_unique<FlakyChannel>("mail", mail, mail_failures, arrived_));
    if (pager) channels.push_back(std::make_unique<FlakyChannel>("pager", mail, 0, arrived_));
    if (slack_) channels.push_back(std::make_unique<FlakyChannel>("slack", slack, 0, arrived_));
    deliverer_ = std::make_unique<Deliverer>(*library_, loop_, loop_, loop_, ana(), std::move(channels));
    deliverer_->start();
  }
  std::vector<storage::MessageRow> messages(const storage::MessageFilter& filter = {}) {
    std::vector<storage::MessageRow> found;
    const auto read = library_->look_at_telling([&](storage::TellingReads& telling) -> Result<> {
      TRY(found, telling.messages(filter));
      return {};
    });
    EXPECT_TRUE(read.has_value());
    return found;
  }

  void mute(const std::string& person, storage::MuteScope scope, const std::string& target) {
    const auto done = library_->change([&](storage::LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.telling().mutes().put({.person = person, .scope = scope, .target = target, .at_ms = 1}));
      return {};
    });
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  /// State and rule of a record for ana.
  std::vector<std::string> why(const std::string& record) {
    std::vector<std::string> lines;
    const auto read = library_->look_at_telling([&](storage::TellingReads& telling) -> Result<> {
      TRY(const auto told, telling.told(record));
      for (const auto& row : told) {
        if (row.recipient == "ana") lines.push_back(row.state + " " + row.why);
      }
      return {};
    });
    EXPECT_TRUE(read.has_value());
    return lines;
  }

  simulations::SimLoop loop_;
  simulations::SimDisk disk_;
  simulations::SeededRandom random_{1};
  std::unique_ptr<Library> library_;
  Arrived arrived_;
  std::unique_ptr<Deliverer> deliverer_;
  bool slack_ = false;
};

TEST_F(Delivering, AFailedMessageIsTriedAgainAndHoldsUpNobodyElse) {
  slack_ = true;
  begin(3);
  tell("ntf_1", "import.started");
  loop_.run_for(1s);
  EXPECT_THAT(arrived_.lines, ElementsAre("slack>#slack root: ntf_1"));
  loop_.run_for(1h);
  EXPECT_THAT(arrived_.lines, ElementsAre("slack>#slack root: ntf_1", "mail>ana root: ntf_1"));
  EXPECT_THAT(messages({.state = "queued"}), IsEmpty());
  EXPECT_EQ(messages({.channel = "mail"}).at(0).attempts, 4);
}

/// Of one kind, by mail, since the process began (ux 2.4).
std::uint64_t told(const std::string& kind, const std::string& result) {
  const auto counts = told_counts().by_result;
  const auto found = counts.find({"mail", kind, result});
  return found == counts.end() ? 0 : found->second;
}

TEST_F(Delivering, EachAttemptIsCountedOnceItIsWrittenDown) {
  const auto put_off = told("import.resumed", "put_off"), sent = told("import.resumed", "sent");
  const auto along = told("import.retried", "sent");
  const auto seconds_before = told_counts().delays[{"mail", "important"}].seconds;
  begin(1);
  tell("ntf_1", "import.resumed");
  tell("ntf_2", "import.retried");  // goes along
  loop_.run_for(1s);
  EXPECT_EQ(told("import.resumed", "put_off"), put_off + 1);
  EXPECT_EQ(told("import.resumed", "sent"), sent);
  loop_.run_for(1h);
  EXPECT_EQ(told("import.resumed", "put_off"), put_off + 1);
  EXPECT_EQ(told("import.resumed", "sent"), sent + 1);
  EXPECT_EQ(told("import.retried", "sent"), along + 1);
  const auto seconds = told_counts().delays[{"mail", "important"}].seconds;
  EXPECT_GE(seconds, seconds_before + 5) << "from the record, the failed attempt included";
}

TEST_F(Delivering, EachMessageNamesWhoElseIsTold) {
  slack_ = true;
  begin(0);
  tell("ntf_1", "import.started");
  loop_.run_for(1min);
  EXPECT_THAT(arrived_.others, testing::UnorderedElementsAre("ana: #slack", "#slack: ana"));
}

TEST_F(Delivering, OneThatNeverArrivesHasFailedAfterADay) {
  begin(1'000'000);
  tell("ntf_1", "import.started");
  loop_.run_for(23h);
  EXPECT_EQ(messages({.state = "queued"}).size(), 1u);
  loop_.run_for(3h);
  ASSERT_EQ(messages({.state = "failed"}).size(), 1u);
  EXPECT_EQ(messages({.state = "failed"}).at(0).error, "not now");
  EXPECT_THAT(arrived_.lines, IsEmpty());
}

TEST_F(Delivering, ThenItGoesByTheNextChannel) {
  begin(1'000'000, true);
  tell("ntf_1", "import.started");
  loop_.run_for(26h);
  EXPECT_THAT(arrived_.lines, ElementsAre("pager>ana root: ntf_1"));
  const auto by_pager = messages({.channel = "pager"});
  EXPECT_EQ(by_pager.at(0).instead_of, messages({.channel = "mail"}).at(0).id);
}

TEST_F(Delivering, RoutineNewsArriveMergedAfterTenMinutes) {
  begin(0);
  tell("ntf_1", "import.access_checked");
  loop_.run_for(3min);
  tell("ntf_2", "import.counted");
  loop_.run_for(6min);
  EXPECT_THAT(arrived_.lines, IsEmpty());
  loop_.run_for(2min);
  EXPECT_THAT(arrived_.lines, ElementsAre("mail>ana root: ntf_1 ntf_2"));
}

TEST_F(Delivering, WhatMattersTakesRoutineNewsAlong) {
  begin(0);
  tell("ntf_1", "import.ordered");
  tell("ntf_2", "import.first_ready");
  loop_.run_for(1s);
  EXPECT_THAT(arrived_.lines, ElementsAre("mail>ana root: ntf_1 ntf_2"));
}

TEST_F(Delivering, AnEscalationGoesAloneAndAtOnce) {
  begin(0);
  tell("ntf_1", "import.ordered");
  tell("ntf_2", "import.failed");
  loop_.run_for(1s);
  EXPECT_THAT(arrived_.lines, ElementsAre("mail>ana root: ntf_2"));
}

TEST_F(Delivering, AChannelWithRootsHasOneAnImportAndChangesIt) {
  slack_ = true;
  begin(0);
  tell("ntf_1", "import.started");
  loop_.run_for(1min);
  tell("ntf_2", "import.completed");
  loop_.run_for(1min);
  std::vector<std::string> slack;
  for (const auto& line : arrived_.lines) {
    if (line.starts_with("slack")) slack.push_back(line);
  }
  EXPECT_THAT(
      slack, ElementsAre("slack>#slack root: ntf_1", "slack>#slack broadcast: ntf_2", "slack>#slack edit_root: ntf_2"));
}

TEST_F(Delivering, WhatWasRecordedBeforeAStartIsDelivered) {
  tell("ntf_1", "import.started");
  loop_.run_for(1h);
  begin(0);
  loop_.run_for(1s);
  EXPECT_THAT(arrived_.lines, ElementsAre("mail>ana root: ntf_1"));
}

TEST_F(Delivering, AfterADeathItGoesAgainWithTheSameId) {
  begin(1);
  tell("ntf_1", "import.started");
  loop_.run_for(1s);
  const auto before = messages().at(0).id;
  close();
  disk_.kill();
  open();
  begin(0);
  loop_.run_for(1min);
  EXPECT_THAT(arrived_.ids, ElementsAre(before));
}

TEST_F(Delivering, AChannelThatIsNotConfiguredAnyMoreHasFailed) {
  slack_ = true;
  begin(0);
  tell("ntf_1", "import.started");
  loop_.run_for(1s);
  tell("ntf_2", "import.first_ready");
  deliverer_->stop();
  loop_.drop_all();
  const auto routed = library_->change([](storage::LibraryTx& tx) -> Result<> {
    storage::MessageRow row;
    row.channel = "pigeon";
    row.recipient = "ana";
    row.thread = "imp_1";
    TRY_VOID(tx.telling().add(row));
    return {};
  });
  ASSERT_TRUE(routed.has_value());
  begin(0);
  loop_.run_for(1min);
  EXPECT_THAT(messages({.state = "queued"}), IsEmpty());
  EXPECT_EQ(messages({.channel = "pigeon"}).at(0).state, "failed");
}

/// NL-02: what was made before the mute does not go after it, and the log says that it was the mute.
TEST_F(Delivering, WhatWaitsWhenItIsMutedDoesNotGo) {
  begin(0);
  tell("ntf_1", "import.access_checked");
  loop_.run_for(3min);
  ASSERT_EQ(messages({.state = "queued"}).size(), 1u);
  mute("ana", storage::MuteScope::kImport, "imp_1");
  loop_.run_for(10min);
  EXPECT_THAT(arrived_.lines, IsEmpty());
  ASSERT_EQ(messages({.state = "suppressed"}).size(), 1u);
  EXPECT_THAT(messages({.state = "suppressed"}).at(0).error, testing::StartsWith("muted this import on"));
  EXPECT_THAT(why("ntf_1"), ElementsAre(testing::StartsWith("suppressed muted this import on")));
  tell("ntf_2", "import.started");
  loop_.run_for(1s);
  EXPECT_THAT(arrived_.lines, IsEmpty());
  EXPECT_THAT(why("ntf_2"), ElementsAre(testing::StartsWith("suppressed muted this import on")));
}

TEST_F(Delivering, AMuteOfOneEventLeavesTheOthers) {
  begin(0);
  mute("ana", storage::MuteScope::kEvent, "import.access_checked");
  tell("ntf_1", "import.access_checked");
  tell("ntf_2", "import.counted");
  loop_.run_for(11min);
  EXPECT_THAT(arrived_.lines, ElementsAre("mail>ana root: ntf_2"));
}

TEST_F(Delivering, WhatMustBeActedOnGoesToTheMutedWhenThereIsNobodyElse) {
  begin(0);
  mute("ana", storage::MuteScope::kAll, "");
  tell("ntf_1", "import.failed");
  loop_.run_for(1s);
  EXPECT_THAT(arrived_.lines, ElementsAre("mail>ana root: ntf_1"));
  EXPECT_THAT(why("ntf_1"), ElementsAre(testing::HasSubstr("told all the same")));
}

}  // namespace
}  // namespace callimport::activities
