// What becomes of records: messages in lines, what joins them, what the rules remember; and a file of before.
#include "storage/library/telling.h"

#include <gmock/gmock.h>

#include <span>

#include "storage/library/schema.h"
#include "storage/sqlite/database.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TellingTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_dirs("data").has_value());
    library_ = std::move(*Library::open(disk_, random_, "data/library.db"));
    for (const char* id : {"ntf_1", "ntf_2", "ntf_3"}) record(id);
  }
  void record(const std::string& id) {
    Notification made;
    made.id = id;
    made.import = kImport;
    made.at_ms = 10;
    made.event = "import.counted";
    made.subject = made.text = made.next = "x";
    change([&](TellingWrites&, LibraryTx& tx) { return tx.notify(made); });
  }
  template <class Work>
  void change(Work work) {
    const auto done = library_->change([&](LibraryTx& tx) { return work(tx.telling(), tx); });
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  template <class T, class Read>
  T look(Read read) {
    T found{};
    const auto done = library_->look_at_telling([&](TellingReads& telling) -> Result<> {
      TRY(found, read(telling));
      return {};
    });
    EXPECT_TRUE(done.has_value());
    return found;
  }
  std::string add(const std::string& recipient, const std::string& thread, std::int64_t due_ms,
                  const std::string& weight = "routine", const std::string& form = "reply") {
    MessageRow row;
    row.import = kImport;
    row.channel = "mail";
    row.recipient = recipient;
    row.thread = thread;
    row.form = form;
    row.weight = weight;
    row.made_ms = row.due_ms = due_ms;
    std::string id;
    change([&](TellingWrites& telling, LibraryTx&) -> Result<> {
      TRY(id, telling.add(row));
      return {};
    });
    return id;
  }
  std::vector<std::string> ready(std::int64_t now_ms) {
    std::vector<std::string> ids;
    const auto rows =
        look<std::vector<MessageRow>>([&](TellingReads& telling) { return telling.ready("mail", now_ms, 10); });
    for (const auto& row : rows) ids.push_back(row.id);
    return ids;
  }

  simulations::SimDisk disk_;
  simulations::SeededRandom random_{1};
  std::unique_ptr<Library> library_;
};

TEST_F(TellingTest, ARecordIsUnroutedUntilItIsRouted) {
  const auto unrouted = [&] {
    return look<std::vector<Notification>>([](TellingReads& telling) { return telling.unrouted(10); }).size();
  };
  EXPECT_EQ(unrouted(), 3u);
  change([](TellingWrites& telling, LibraryTx&) { return telling.routed("ntf_1"); });
  EXPECT_EQ(unrouted(), 2u);
}

TEST_F(TellingTest, TheFirstOfALineHoldsUpTheOthersOfItAndNobodyElse) {
  const auto first = add("ana", "imp_1", 10), second = add("ana", "imp_1", 20), other = add("ana", "imp_2", 30);
  EXPECT_THAT(ready(100), ElementsAre(first, other));
  change([&](TellingWrites& telling, LibraryTx&) -> Result<> {
    TRY_VOID(telling.begin(first));
    return telling.put_off(first, 500, "not now");
  });
  EXPECT_THAT(ready(100), ElementsAre(other)) << "the second waits behind the first, which waits for its next attempt";
  change([&](TellingWrites& telling, LibraryTx&) { return telling.end(first, "sent", 600, "", "ref-1", "text"); });
  EXPECT_THAT(ready(600), ElementsAre(second, other));
  EXPECT_EQ("ref-1", look<std::string>([](TellingReads& t) { return t.root_ref("mail", "ana", "imp_1"); }));
}

TEST_F(TellingTest, WhatMustBeActedOnGoesFirst) {
  const auto routine = add("ana", "imp_1", 10), act = add("ana", "imp_1/access", 20, "act");
  EXPECT_THAT(ready(100), ElementsAre(act, routine));
}

TEST_F(TellingTest, NothingJoinsAMessageOnceItWasBegun) {
  const auto id = add("ana", "imp_1", 10);
  const auto joinable = [&] {
    return look<std::optional<MessageRow>>([](TellingReads& t) { return t.joinable("mail", "ana", "imp_1", false); });
  };
  ASSERT_TRUE(joinable().has_value());
  change([&](TellingWrites& telling, LibraryTx&) -> Result<> {
    for (const char* record : {"ntf_1", "ntf_2"}) {
      TRY_VOID(telling.tell({record, "mail", "ana", "reply", "carried", "watcher", id}));
      TRY_VOID(telling.merge_told(id, record));
    }
    TRY_VOID(telling.join(id, "broadcast", "important", 5));
    return telling.begin(id);
  });
  EXPECT_FALSE(joinable().has_value());
  const auto news = look<std::vector<Notification>>([&](TellingReads& t) { return t.news(id); });
  ASSERT_EQ(news.size(), 2u);
  EXPECT_EQ(news[0].id, "ntf_1");
  const auto told = look<std::vector<ToldRow>>([](TellingReads& t) { return t.told("ntf_1"); });
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].state, "merged");
  const auto row = look<std::optional<MessageRow>>([&](TellingReads& t) { return t.message(id); });
  EXPECT_EQ(row->form, "broadcast");
  EXPECT_EQ(row->due_ms, 5);
  const auto late = library_->change([&](LibraryTx& tx) { return tx.telling().join(id, "reply", "routine", 1); });
  EXPECT_EQ(late.error().code, Code::kNotFound);
}

TEST_F(TellingTest, AMessageEndsOnce) {
  const auto id = add("ana", "imp_1", 10);
  change([&](TellingWrites& t, LibraryTx&) { return t.end(id, "bounced", 20, "no such user", "", ""); });
  const auto again = library_->change([&](LibraryTx& tx) { return tx.telling().end(id, "sent", 30, "", "", ""); });
  EXPECT_EQ(again.error().code, Code::kNotFound);
  EXPECT_THAT(ready(1'000), IsEmpty());
  const auto health = look<std::vector<ChannelHealth>>([](TellingReads& t) { return t.health(1'000); });
  ASSERT_EQ(health.size(), 1u);
  EXPECT_EQ(health[0].error, "no such user");
  EXPECT_EQ(health[0].failed_ms, 20);
  EXPECT_FALSE(health[0].sent_ms.has_value());
}

TEST_F(TellingTest, TheAgendaIsLookedAtInTime) {
  AgendaRow row;
  row.kind = "escalation";
  row.key = "imp_1/access";
  row.opened_ms = 10;
  row.next_ms = 500;
  change([&](TellingWrites& t, LibraryTx&) { return t.agenda().put(row); });
  const auto due = [&](std::int64_t now_ms) {
    return look<std::vector<AgendaRow>>([&](TellingReads& t) { return t.agenda().due(now_ms, 10); });
  };
  EXPECT_THAT(due(499), IsEmpty());
  EXPECT_THAT(due(500), ElementsAre(row));
  row.next_ms.reset();
  row.step = 2;
  change([&](TellingWrites& t, LibraryTx&) { return t.agenda().put(row); });
  EXPECT_THAT(due(10'000), IsEmpty());
  change([&](TellingWrites& t, LibraryTx&) { return t.agenda().drop("escalation", "imp_1/access"); });
  EXPECT_FALSE(look<std::optional<AgendaRow>>([](TellingReads& t) {
                 return t.agenda().find("escalation", "imp_1/access");
               }).has_value());
}

/// A file of the schema before: what was delivered stays so, what was queued is routed anew, but not to channels that
/// had it.
TEST_F(TellingTest, AnOlderFileIsMigrated) {
  std::size_t before = 0;
  const std::span<const Migration> all = library_schema::kMigrations;
  while (all[before].sql.find("CREATE TABLE told(") == std::string_view::npos) ++before;
  library_.reset();
  {
    auto db = Database::open(disk_, "data/older.db", {.migrations = all.first(before)}).value();
    const auto filled = db.exec(
        "INSERT INTO notification(id, import, at_ms, event, subject, text, next) VALUES"
        "('ntf_done', 'imp_1', 1, 'stage.changed', 's', 't', 'n'), ('ntf_half', 'imp_1', 2, 'import.closed', 's', 't',"
        " 'n');"
        "INSERT INTO delivery VALUES('ntf_done', 'mail', 'delivered', 1, 1, ''), ('ntf_half', 'log', 'delivered', 1, 1,"
        " ''), ('ntf_half', 'mail', 'queued', 3, 9, 'no route')");
    ASSERT_TRUE(filled.has_value()) << filled.error().message;
  }
  library_ = std::move(*Library::open(disk_, random_, "data/older.db"));
  const auto unrouted = look<std::vector<Notification>>([](TellingReads& t) { return t.unrouted(10); });
  ASSERT_EQ(unrouted.size(), 1u);
  EXPECT_EQ(unrouted[0].id, "ntf_half");
  EXPECT_EQ(unrouted[0].facts, "{}");
  EXPECT_EQ(unrouted[0].weight, "routine");
  const auto told = look<std::vector<ToldRow>>([](TellingReads& t) { return t.told("ntf_half"); });
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].channel, "log");
}

}  // namespace
}  // namespace callimport::storage
