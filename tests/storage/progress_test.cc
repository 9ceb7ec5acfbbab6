// What an import leaves for its report: pace, attempts, causes, the report itself; each within its bound.
#include "storage/library/progress.h"

#include <numeric>

#include "storage/library/schema.h"
#include "storage/sqlite/database.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

using Progress = LibraryTest;
constexpr std::int64_t kMinute = 60'000;

std::int64_t calls_in(const std::vector<PaceSpan>& spans) {
  return std::accumulate(spans.begin(), spans.end(), std::int64_t{0},
                         [](std::int64_t sum, const PaceSpan& span) { return sum + span.calls; });
}

TEST_F(Progress, CallsOfOneMinuteAreOneSpan) {
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.add_pace(kImport, 10 * kMinute, 3));
    TRY_VOID(tx.add_pace(kImport, 11 * kMinute - 1, 4));
    TRY_VOID(tx.add_pace(kImport, 11 * kMinute, 5));
    TRY_VOID(tx.add_pace(kImport, 50 * kMinute, 0));
    return tx.add_pace(kImport, -1, 1);  // a clock before 1970
  }));
  const auto spans = library_->pace(kImport).value();
  ASSERT_EQ(3u, spans.size());
  EXPECT_EQ(-kMinute, spans[0].at_ms);
  EXPECT_EQ(7, spans[1].calls);
  EXPECT_EQ(11 * kMinute, spans[2].at_ms);
}

TEST_F(Progress, SpansGrowAndNoCallIsLost) {
  constexpr int kMinutes = 5'000;
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    for (int minute = 0; minute < kMinutes; ++minute) TRY_VOID(tx.add_pace(kImport, minute * kMinute, 2));
    return {};
  }));
  const auto spans = library_->pace(kImport).value();
  EXPECT_LE(spans.size(), static_cast<std::size_t>(kPaceSpansMax));
  EXPECT_GE(spans.size(), static_cast<std::size_t>(kPaceSpansMax) / 2);
  EXPECT_EQ(2 * kMinutes, calls_in(spans));
  for (std::size_t i = 1; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i - 1].at_ms + spans[i - 1].minutes * kMinute, spans[i].at_ms) << "spans do not overlap";
  }
}

TEST_F(Progress, TheLastTenAttemptsAreKept) {
  add_calls({"a", "b"});
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.add_attempt(kImport, "b", {0, 1, 2, "fetched", "", ""}));
    for (int i = 1; i <= kAttemptsKept + 2; ++i) {
      TRY_VOID(tx.add_attempt(kImport, "a", {0, i * 100, 7, "put_off", "platform.outage", std::string(5'000, 'x')}));
    }
    return {};
  }));
  const auto kept = library_->attempts(kImport, "a").value();
  ASSERT_EQ(static_cast<std::size_t>(kAttemptsKept), kept.size());
  EXPECT_EQ(3, kept.front().number);
  EXPECT_EQ(kAttemptsKept + 2, kept.back().number);
  EXPECT_EQ(300, kept.front().at_ms);
  EXPECT_EQ(7, kept.front().took_ms);
  EXPECT_LE(kept.front().detail.size(), 1'024u);
  EXPECT_EQ(1u, library_->attempts(kImport, "b")->size());
  EXPECT_TRUE(library_->attempts(kImport, "c")->empty());
}

TEST_F(Progress, ACauseIsSeenFirstAndLast) {
  add_calls({"a", "b", "c"});
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    for (const char* id : {"a", "b", "c"}) TRY_VOID(tx.set_state(kImport, id, CallState::kFailed, "media.damaged", ""));
    TRY_VOID(tx.see_cause(kImport, "media.damaged", 2'000));
    TRY_VOID(tx.see_cause(kImport, "media.damaged", 9'000));
    return tx.see_cause(kImport, "media.damaged", 5'000);
  }));
  const auto problems = library_->problems(kImport).value();
  ASSERT_EQ(1u, problems.size());
  EXPECT_EQ(3, problems[0].calls);
  EXPECT_EQ(3, problems[0].failed);
  EXPECT_EQ("a", problems[0].example);
  EXPECT_EQ(2'000, problems[0].first_ms);
  EXPECT_EQ(9'000, problems[0].last_ms);
}

TEST_F(Progress, CausesAreBounded) {
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    for (int i = 0; i < kCausesMax + 1; ++i) TRY_VOID(tx.see_cause(kImport, "cause." + std::to_string(i), i));
    return tx.see_cause(kImport, "cause.0", 77'000);  // known: goes on
  }));
  auto db = Database::open(disk_, path_, {.migrations = {}, .read_only = true});
  ASSERT_OK(db);
  Statement count(*db, "SELECT count(*), max(last_ms) FROM cause_seen");
  ASSERT_TRUE(count.step().value());
  EXPECT_EQ(kCausesMax, count.integer(0));
  EXPECT_EQ(77'000, count.integer(1));
  count.reset();
}

TEST_F(Progress, FoundCallsKnowTheirUser) {
  add_calls({"failed", "waiting"});
  take_in(call_with("here", {}));
  ASSERT_OK(library_->change(
      [](LibraryTx& tx) { return tx.set_state(kImport, "failed", CallState::kFailed, "media.damaged", ""); }));
  const auto all = library_->found_calls(kImport, "", 10).value();
  ASSERT_EQ(3u, all.size());
  EXPECT_EQ("failed", all[0].source_id);
  EXPECT_EQ(CallState::kFailed, all[0].state);
  EXPECT_EQ("", all[0].user);
  EXPECT_EQ("here", all[1].source_id);
  EXPECT_EQ("ada@example.com", all[1].user);
  EXPECT_EQ("Ada", all[1].user_name);
  EXPECT_EQ(60'000, all[1].duration_ms);
  EXPECT_EQ(0u, all[1].call.find("call_"));
  const auto page = library_->found_calls(kImport, "here", 10).value();
  ASSERT_EQ(1u, page.size());
  EXPECT_EQ("waiting", page[0].source_id);
}

TEST_F(Progress, AReportIsKeptUpToItsLimit) {
  EXPECT_EQ("", library_->report(kImport).value());
  const std::string body(kReportBytesMax, 'r');
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.put_report(kImport, body); }));
  EXPECT_EQ(body, library_->report(kImport).value());
  const auto refused = library_->change([&](LibraryTx& tx) { return tx.put_report(kImport, body + "r"); });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kInvalid, refused.error().code);
  EXPECT_EQ(Code::kNotFound, library_->report("imp_none").error().code);
}

/// A file as the second version wrote it: its imports have no pace, no attempts and no report, and can get them.
TEST(LibraryFile, AnOlderOneLearnsOfProgress) {
  simulations::SimDisk disk;
  simulations::SeededRandom random(1);
  ASSERT_OK(disk.make_dirs("data"));
  const std::span<const Migration> all = library_schema::kMigrations;
  {
    auto db = Database::open(disk, "data/library.db", {.migrations = all.first(2)});
    ASSERT_OK(db);
    ASSERT_OK(
        db->exec("INSERT INTO import(id, platform, workspace, title, credential, input, created_ms)"
                 " VALUES('imp_old', 'grain', 'acme', 't', '', '{}', 1);"
                 "INSERT INTO lane(import, lane, stage, condition, reason, who, why) VALUES"
                 " (1, 0, 'fetch', 'running', '', '', ''), (1, 1, 'fetch', 'running', '', '', '')"));
  }
  auto opened = Library::open(disk, random, "data/library.db");
  ASSERT_OK(opened);
  Library& library = **opened;
  EXPECT_TRUE(library.pace("imp_old")->empty());
  EXPECT_TRUE(library.problems("imp_old")->empty());
  ASSERT_OK(library.change([](LibraryTx& tx) { return tx.add_pace("imp_old", 0, 1); }));
  EXPECT_EQ(1u, library.pace("imp_old")->size());
}

}  // namespace
}  // namespace callimport::storage
