// What holds when an import's databases are put back from backups, together or one of them older than the other: no
// call twice, no registered call of the restored library lost, and what is missing comes with a re-request.
#include <algorithm>
#include <array>
#include <set>

#include "api/grpc/orphans.h"
#include "storage/backup/backup.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using simulations::broken_promises;
using testing::IsEmpty;
using testing_support::Scene;

constexpr std::int64_t kCalls = 150;

storage::BackupPlaces places_in(const std::string& folder) {
  return {folder + "/journal.db", folder + "/library.db", folder + "/vault.db", folder + "/vault.key",
          folder + "/media"};
}

class Restored : public testing::Test {
 protected:
  Restored() : scene_(options()) { scene_.input.settings.first_lane = 30; }
  static simulations::ImportWorldOptions options() {
    auto options = Scene::options_for(kCalls);
    options.grain.slow = 50ms;
    return options;
  }
  simulations::ImportWorld& world() { return *scene_.world; }

  void back_up(const std::string& to) {
    world().close();  // its files belong to the disk it sees; the copy is made through the one below
    storage::BackupOrder order;
    order.from = places_in("/data");
    order.to = to;
    order.with_key = true;
    const auto made = storage::back_up(world().disk, order);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    const auto opened = world().open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
  }

  void replace(const std::string& name, const std::string& from) {
    auto& disk = world().disk;
    for (const char* end : {"", "-wal"}) {
      const auto removed = disk.remove("/data/" + name + end);
      ASSERT_TRUE(removed || removed.error().code == Code::kNotFound) << removed.error().message;
    }
    std::string bytes;
    {
      auto source = disk.open(from + "/" + name, OpenMode::kRead);
      ASSERT_TRUE(source.has_value());
      bytes.resize(static_cast<std::size_t>((*source)->size().value()));
      ASSERT_EQ((*source)->read(0, std::as_writable_bytes(std::span(bytes))).value(), bytes.size());
    }
    auto target = disk.open("/data/" + name, OpenMode::kCreateNew);
    ASSERT_TRUE(target.has_value());
    ASSERT_TRUE((*target)->write(0, std::as_bytes(std::span(bytes))).has_value());
    ASSERT_TRUE((*target)->sync().has_value());
    ASSERT_TRUE(disk.sync_dir("/data").has_value());
  }
  /// The journal of one backup with the library, vault and recordings of another.
  void put_back(const std::string& journal, const std::string& library) {
    world().close();
    replace("journal.db", journal);
    replace("library.db", library);
    replace("vault.db", library);
    const auto opened = world().open();
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    before_ = ids();
  }

  /// Library ids by source id: what was acknowledged and must stay.
  std::map<std::string, std::string> ids() {
    std::map<std::string, std::string> all;
    std::string after;
    while (true) {
      const auto page = world().library().found_calls(scene_.id, after, 500).value();
      for (const auto& call : page) {
        if (!call.call.empty()) all[call.source_id] = call.call;
      }
      if (page.size() < 500) return all;
      after = page.back().source_id;
    }
  }
  void expect_nothing_lost_or_doubled() {
    const auto now = ids();
    for (const auto& [source, call] : before_) EXPECT_EQ(now.at(source), call) << "kept under its id";
    std::set<std::string> sources;
    std::string after;
    while (true) {
      const auto page = world().library().calls({}, after, 100).value();
      for (const auto& call : page) EXPECT_TRUE(sources.insert(call.source_id).second) << call.source_id << " twice";
      if (page.size() < 100) break;
      after = page.back().id;
    }
  }
  /// Until no workflow is open; then a re-request where anything is missing.
  void go_on() {
    ASSERT_TRUE(world().run_until_closed(24h)) << scene_.status();
    expect_nothing_lost_or_doubled();
    if (scene_.row().closed_ms && scene_.row().counters.registered == kCalls) return;
    ++re_requests_;
    scene_.input.credential = world().add_credential();
    scene_.start();
    ASSERT_TRUE(world().run_until_closed(24h)) << scene_.status();
  }
  void expect_whole() {
    expect_nothing_lost_or_doubled();
    EXPECT_EQ(scene_.row().counters.registered, kCalls);
    EXPECT_EQ(scene_.row().counters.pending, 0);
    EXPECT_TRUE(scene_.row().closed_ms.has_value());
    EXPECT_THAT(broken_promises(world(), scene_.id), IsEmpty());
  }
  void run_until_registered(std::int64_t calls) {
    ASSERT_TRUE(world().run_until([&] { return scene_.row().counters.registered >= calls; }, 24h));
  }

  Scene scene_;
  std::map<std::string, std::string> before_;
  int re_requests_ = 0;
};

/// Backups: "early" in the middle of the first lane, "late" in the middle of bulk; then the import ends.
class RestoredFrom : public Restored {
 protected:
  void SetUp() override {
    scene_.start();
    run_until_registered(20);
    back_up("/early");
    run_until_registered(90);
    back_up("/late");
    ASSERT_TRUE(world().run_until_closed(24h)) << scene_.status();
    back_up("/end");
  }
};

TEST_F(RestoredFrom, BothOfOneMomentGoOnByThemselves) {
  put_back("/late", "/late");
  EXPECT_GE(before_.size(), 90u);
  EXPECT_LT(before_.size(), static_cast<std::size_t>(kCalls));
  go_on();
  expect_whole();
  EXPECT_EQ(re_requests_, 0);
}

TEST_F(RestoredFrom, AnOlderJournalRepeatsNothing) {
  put_back("/early", "/late");
  go_on();
  expect_whole();
}

TEST_F(RestoredFrom, AnOlderLibraryFetchesWhatItLacks) {
  put_back("/late", "/early");
  EXPECT_LT(before_.size(), 90u);
  go_on();
  expect_whole();
}

TEST_F(RestoredFrom, AJournalFromBeforeTheEndFindsTheImportClosed) {
  put_back("/late", "/end");
  EXPECT_EQ(before_.size(), static_cast<std::size_t>(kCalls));
  go_on();
  expect_whole();
}

TEST_F(RestoredFrom, ALibraryFromBeforeTheEndIsFilledByAReRequest) {
  put_back("/end", "/late");
  ASSERT_TRUE(world().run_until_closed(1h));
  EXPECT_FALSE(scene_.row().closed_ms.has_value()) << "the journal knows of nothing left to do";
  go_on();
  EXPECT_EQ(re_requests_, 1);
  expect_whole();
}

/// What a server does when it starts.
class Orphans : public RestoredFrom {
 protected:
  api::OrphansFound look() {
    std::optional<api::OrphansFound> found;
    begin_look(found);
    EXPECT_TRUE(world().run_until([&] { return found.has_value(); }, 1min));
    return found.value_or(api::OrphansFound{});
  }
  std::array<api::OrphansFound, 2> look_twice() {
    std::optional<api::OrphansFound> one, other;
    begin_look(one);
    begin_look(other);
    EXPECT_TRUE(world().run_until([&] { return one.has_value() && other.has_value(); }, 1min));
    return {one.value_or(api::OrphansFound{}), other.value_or(api::OrphansFound{})};
  }

 private:
  void begin_look(std::optional<api::OrphansFound>& found) {
    const auto deps = world().looking();
    api::OrphanParts parts{.library = world().library(),
                           .vault = world().vault(),
                           .service = world().service(),
                           .loop = deps->loop,
                           .pool = deps->pool,
                           .clock = deps->clock,
                           .task_queue = kImportTaskQueue,
                           .told = deps->told};
    api::take_up_orphans(std::move(parts), [&found](api::OrphansFound made) { found = std::move(made); });
  }
};

TEST_F(Orphans, GoOnByThemselvesWithWhatIsMissing) {
  put_back("/end", "/late");
  ASSERT_FALSE(scene_.row().closed_ms.has_value());
  const auto found = look();
  EXPECT_EQ(found.restarted, std::vector<std::string>{scene_.id});
  EXPECT_TRUE(look().restarted.empty()) << "it runs now";
  ASSERT_TRUE(world().run_until_closed(24h)) << scene_.status();
  expect_whole();
  EXPECT_TRUE(look().restarted.empty()) << "it has ended";
}

TEST_F(Orphans, OfTwoWhoLookAtOnceOneStartsThem) {
  put_back("/end", "/late");
  const auto begun = [this] {
    const auto told = world().library().notifications(scene_.id, 1'000).value();
    return std::count_if(told.begin(), told.end(), [](const auto& one) { return one.event == "import.started"; });
  };
  const auto before = begun();
  const auto found = look_twice();
  for (const auto& one : found)
    EXPECT_EQ(one.restarted, std::vector<std::string>{scene_.id}) << "each says that it runs";
  ASSERT_TRUE(world().run_until_closed(24h)) << scene_.status();
  EXPECT_EQ(begun(), before + 1);
  expect_whole();
}

TEST_F(Orphans, WithoutTheirCredentialSayOnceWhatToDo) {
  put_back("/end", "/late");
  ASSERT_TRUE(world().vault().wipe(CredentialId::parse(scene_.credential).value(), 1).has_value());
  EXPECT_EQ(look().told, std::vector<std::string>{scene_.id});
  const auto row = scene_.row();
  EXPECT_EQ(row.bulk.condition, "needs_attention");
  EXPECT_EQ(row.bulk.reason, api::kInterrupted);
  const auto told = world().library().notifications(scene_.id, 1).value();
  EXPECT_THAT(told.at(0).next + told.at(0).text, testing::HasSubstr("callimport start --import-id " + scene_.id));
  EXPECT_TRUE(look().told.empty()) << "once";
  go_on();
  EXPECT_EQ(re_requests_, 1);
  expect_whole();
}

TEST_F(Orphans, AreNoneWhereBothAreOfOneMoment) {
  put_back("/late", "/late");
  const auto found = look();
  EXPECT_THAT(found.restarted, IsEmpty());
  EXPECT_THAT(found.told, IsEmpty());
}

}  // namespace
}  // namespace callimport::workflows
