// Failed calls that a person gives up: skipped under their cause, left alone by retries, put back as they were (ux
// ID-07).
#include "storage/library/set_aside.h"

#include <span>
#include <string>
#include <vector>

#include "storage/library/schema.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

class SetAside : public LibraryTest {
 protected:
  /// a, b: media.damaged; c: call.private; d: left out at the start; e: still to come.
  void SetUp() override {
    LibraryTest::SetUp();
    add_calls({"a", "b", "c", "d", "e"});
    for (const char* id : {"a", "b"}) set(id, CallState::kFailed, "media.damaged");
    set("c", CallState::kFailed, "call.private");
    set("d", CallState::kSkipped, "media.damaged");
  }
  void set(const std::string& id, CallState state, const std::string& cause) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.see_cause(kImport, cause, 1'000));
      return tx.set_state(kImport, id, state, cause, "a detail");
    }));
  }
  std::int64_t aside(const GapChoice& choice) {
    return change([&](LibraryTx& tx) { return tx.set_aside(kImport, choice); });
  }
  std::int64_t back(const GapChoice& choice) {
    return change([&](LibraryTx& tx) { return tx.put_back(kImport, choice); });
  }
  std::int64_t retry() {
    return change([](LibraryTx& tx) { return tx.retry_failed(kImport, ""); });
  }
  template <class Work>
  std::int64_t change(Work work) {
    std::int64_t calls = -1;
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(calls, work(tx));
      return {};
    }));
    return calls;
  }
  Counters counters() { return library_->import(kImport)->counters; }
  ManifestRow row(const std::string& id) { return library_->manifest_row(kImport, id)->value(); }
};

TEST_F(SetAside, ByCauseTakesWhatFailedAndLeavesTheOthers) {
  EXPECT_EQ(0, aside({.cause = "nothing.such"}));
  EXPECT_EQ(2, aside({.cause = "media.damaged"}));
  EXPECT_EQ((Counters{.found = 5, .skipped = 3, .failed = 1, .pending = 1}), counters());
  EXPECT_EQ(CallState::kSkipped, row("a").state);
  EXPECT_TRUE(row("a").set_aside);
  EXPECT_EQ("media.damaged", row("a").cause) << "its cause stays";
  EXPECT_FALSE(row("d").set_aside) << "left out at the start, by nobody";
  const auto problems = library_->problems(kImport).value();
  ASSERT_EQ(2u, problems.size());
  EXPECT_EQ("media.damaged", problems[0].cause);
  EXPECT_EQ(3, problems[0].calls);
  EXPECT_EQ(0, problems[0].failed);
  EXPECT_EQ(2, problems[0].set_aside);
  EXPECT_EQ(0, problems[1].set_aside);
  EXPECT_EQ(0, aside({.cause = "media.damaged"})) << "again changes nothing";
}

TEST_F(SetAside, IsLeftAloneByRetriesAndReopening) {
  EXPECT_EQ(2, aside({.cause = "media.damaged"}));
  EXPECT_EQ(1, retry());
  EXPECT_EQ(CallState::kSkipped, row("a").state);
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.reopen_import(kImport); }));
  EXPECT_EQ((Counters{.found = 5, .skipped = 3, .pending = 2}), counters());
}

TEST_F(SetAside, OneByOneAndPutBack) {
  EXPECT_EQ(1, aside({.calls = {"a", "d", "e", "unknown"}})) << "only what failed";
  EXPECT_EQ(2, aside({})) << "all others that failed";
  EXPECT_EQ((Counters{.found = 5, .skipped = 4, .pending = 1}), counters());
  EXPECT_EQ(1, back({.calls = {"a", "d", "e", "unknown"}})) << "only what was set aside";
  EXPECT_EQ(CallState::kFailed, row("a").state);
  EXPECT_FALSE(row("a").set_aside);
  EXPECT_EQ(1, back({.cause = "call.private"}));
  EXPECT_EQ(1, back({}));
  EXPECT_EQ((Counters{.found = 5, .skipped = 1, .failed = 3, .pending = 1}), counters());
  EXPECT_EQ(3, retry()) << "as if nothing had been";
}

TEST_F(SetAside, CountsEachLaneForItself) {
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.prioritize(kImport, 2); }));
  const auto failed_in = [&](Lane lane) {
    const auto counts = library_->manifest_counts(kImport, lane).value();
    return counts.total - counts.pending;
  };
  const auto first = failed_in(Lane::kFirst), bulk = failed_in(Lane::kBulk);
  EXPECT_EQ(3, aside({}));
  EXPECT_EQ(first, failed_in(Lane::kFirst));
  EXPECT_EQ(bulk, failed_in(Lane::kBulk));
  EXPECT_EQ(3, back({}));
}

TEST_F(SetAside, AThousandAndOneGoInOneTransaction) {
  std::vector<ManifestRow> rows;
  for (int i = 0; i < 1'001; ++i) {
    rows.push_back(manifest_row("m" + std::to_string(i)));
    rows.back().state = CallState::kFailed;
    rows.back().cause = "call.no_recording";
  }
  add(rows);
  EXPECT_EQ(1'001, aside({.cause = "call.no_recording"}));
  EXPECT_EQ(1'001, back({.cause = "call.no_recording"}));
}

TEST_F(SetAside, KnowsTheCausesThatWereMet) {
  EXPECT_EQ(3, aside({}));
  EXPECT_EQ((std::vector<std::string>{"call.private", "media.damaged"}), library_->causes_met(kImport).value());
  EXPECT_EQ(Code::kNotFound, library_->causes_met("imp_none").error().code);
}

/// A library of the schema before has set none aside.
TEST_F(SetAside, OfTheSchemaBeforeHasNone) {
  library_.reset();
  path_ = "data/older.db";
  const auto before = std::span(library_schema::kMigrations).first(14);
  ASSERT_OK(Database::open(disk_, path_, {.migrations = before}));
  reopen();
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.put_import(import_row()); }));
  add_calls({"a"});
  set("a", CallState::kFailed, "media.damaged");
  EXPECT_FALSE(row("a").set_aside);
  EXPECT_EQ(1, aside({}));
}

}  // namespace
}  // namespace callimport::storage
