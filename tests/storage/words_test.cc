// Calls that came without words: asked for once more, indexed once, and no counter moves. What people looked at.
#include <span>
#include <string>
#include <vector>

#include "storage/library/looks.h"
#include "storage/library/schema.h"
#include "storage/sqlite/database.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

class WordsTest : public LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    bring("failed-a", "failed");
    bring("failed-b", "failed");
    bring("missing", "missing");
    take_in(call_with("whole", {segment("spoken")}));
  }
  void bring(const std::string& id, const std::string& state) {
    Call call = call_with(id, {});
    call.start_ms += static_cast<std::int64_t>(id.size()) * 3'600'000;
    call.transcript_state = state;
    take_in(call);
  }
  std::int64_t want(const std::string& state) {
    std::int64_t calls = 0;
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(calls, tx.want_words(kImport, state));
      return {};
    }));
    return calls;
  }
  std::vector<std::string> next() {
    std::vector<std::string> ids;
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      for (const Lane lane : {Lane::kFirst, Lane::kBulk}) {
        TRY(const auto rows, tx.next_words(kImport, lane, 10));
        for (const auto& row : rows) {
          EXPECT_TRUE(row.words_only);
          EXPECT_EQ(row.source_id, library_->call(row.repeats)->source_id);
          ids.push_back(row.source_id);
        }
      }
      return {};
    }));
    return ids;
  }
  void give(const std::string& id, const Words& words) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.add_words(kImport, id, words); }));
  }
  Call call(const std::string& source_id) {
    const auto heads = library_->calls({}, "", 10).value();
    for (const auto& head : heads) {
      if (head.source_id == source_id) return library_->call(head.id).value();
    }
    ADD_FAILURE() << "no call " << source_id;
    return {};
  }
  std::size_t found(const std::string& query) { return library_->search({.query = query})->hits.size(); }
};

TEST_F(WordsTest, AreWantedOnceAndNoCounterMoves) {
  const Counters before = counters();
  EXPECT_EQ(2, library_->failed_calls(kImport, "transcript.failed").value());
  EXPECT_EQ(1, library_->failed_calls(kImport, "transcript.missing").value());
  EXPECT_EQ(2, want("failed"));
  EXPECT_EQ(2, want("failed"));
  EXPECT_EQ((std::vector<std::string>{"failed-a", "failed-b"}), next());
  EXPECT_EQ(2, library_->manifest_counts(kImport, Lane::kBulk)->words +
                   library_->manifest_counts(kImport, Lane::kFirst)->words);
  EXPECT_EQ(before, counters());
}

// X-01: the rows behind a problem's number, though these calls came across.
TEST_F(WordsTest, CallsWithoutThemAreListedByTheirCause) {
  const auto listed = [&](std::optional<CallState> state, const std::string& cause, const std::string& after,
                          int limit) {
    std::vector<std::string> ids;
    for (const auto rows = library_->manifest(kImport, state, cause, after, limit).value(); const auto& row : rows)
      ids.push_back(row.source_id);
    return ids;
  };
  const std::vector<std::string> failed = {"failed-a", "failed-b"};
  EXPECT_EQ(failed, listed(std::nullopt, "transcript.failed", "", 10));
  EXPECT_EQ(failed, listed(CallState::kRegistered, "transcript.failed", "", 10));
  EXPECT_EQ(std::vector<std::string>{"failed-b"}, listed(std::nullopt, "transcript.failed", "failed-a", 1));
  EXPECT_EQ(std::vector<std::string>{"missing"}, listed(std::nullopt, "transcript.missing", "", 10));
  EXPECT_TRUE(listed(CallState::kFailed, "transcript.failed", "", 10).empty());
}

TEST_F(WordsTest, AreIndexedOnceWhoeverComesLate) {
  want("failed");
  const Words words{.segments = {segment("heard this"), segment("and that", 1'000)}, .state = "made", .made_by = "w-1"};
  give("failed-a", words);
  give("failed-a", {.segments = {segment("another time")}, .state = "made", .made_by = "w-2"});
  EXPECT_EQ((std::vector<std::string>{"failed-b"}), next());
  const Call now = call("failed-a");
  EXPECT_EQ(words.segments, now.segments);
  EXPECT_EQ("made", now.transcript_state);
  EXPECT_EQ(R"({"language":"en","transcript_made_by":"w-1"})", now.details);
  EXPECT_EQ(1u, found("\"heard this\""));
  EXPECT_EQ(0u, found("another"));
  EXPECT_EQ(1u, found("\"Call failed-a\"")) << "its heading moved along";
  give("whole", {.segments = {segment("instead")}, .state = "made", .made_by = ""});
  EXPECT_EQ(1u, found("spoken")) << "a call that has words keeps them";
  EXPECT_EQ(0u, found("instead"));
}

TEST_F(WordsTest, ThatDoNotComeEndTheTry) {
  want("failed");
  give("failed-a", {.segments = {}, .state = "missing", .made_by = ""});
  give("failed-b", {.segments = {}, .state = "failed", .made_by = ""});
  EXPECT_TRUE(next().empty());
  EXPECT_EQ(1, library_->failed_calls(kImport, "transcript.failed").value());
  EXPECT_EQ(2, library_->failed_calls(kImport, "transcript.missing").value());
}

// ID-07: a cause of which every call was tried again, and that is met after that, has come back.
TEST_F(WordsTest, ACauseThatIsMetAfterItsRetryHasComeBack) {
  add_calls({"x", "y"});
  const auto fail_both = [&](std::int64_t at_ms) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.set_state(kImport, "x", CallState::kFailed, "media.damaged", ""));
      TRY_VOID(tx.set_state(kImport, "y", CallState::kFailed, "media.damaged", ""));
      return tx.see_cause(kImport, "media.damaged", at_ms);
    }));
  };
  const auto came_back = [&](const std::string& cause) -> std::optional<std::int64_t> {
    const auto problems = library_->problems(kImport).value();
    for (const auto& problem : problems) {
      if (problem.cause == cause) return problem.came_back_ms;
    }
    return -1;
  };
  fail_both(1'000);
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.retry_calls(kImport, {"x"}));
    TRY_VOID(tx.set_state(kImport, "x", CallState::kFailed, "media.damaged", ""));
    return tx.see_cause(kImport, "media.damaged", 2'000);
  }));
  EXPECT_EQ(std::nullopt, came_back("media.damaged")) << "it was there all the time";
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.retry_failed(kImport, "media.damaged"));
    return {};
  }));
  EXPECT_EQ(-1, came_back("media.damaged"));
  fail_both(3'000);
  EXPECT_EQ(3'000, came_back("media.damaged"));
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.see_cause(kImport, "media.damaged", 4'000); }));
  EXPECT_EQ(3'000, came_back("media.damaged")) << "since then it is there";
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.see_cause(kImport, "transcript.failed", 5'000); }));
  want("failed");
  EXPECT_EQ(std::nullopt, came_back("transcript.failed"));
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.see_cause(kImport, "transcript.failed", 6'000); }));
  EXPECT_EQ(6'000, came_back("transcript.failed"));
}

TEST_F(WordsTest, ALookRemembersTheOneBefore) {
  const auto look = [&](const char* who, std::int64_t at_ms) { return library_->look(kImport, who, at_ms).value(); };
  EXPECT_EQ(0, look("anna", 100'000));
  EXPECT_EQ(0, look("anna", 100'000 + kSameLookMs - 1)) << "the same look still";
  EXPECT_EQ(0, look("ben", 100'000 + kSameLookMs));
  EXPECT_EQ(100'000, look("anna", 100'000 + kSameLookMs));
  EXPECT_EQ(100'000 + kSameLookMs, look("anna", 900'000));
  EXPECT_EQ(900'000, look("anna", 1'000)) << "a clock that was set back";
  EXPECT_EQ(Code::kNotFound, library_->look("imp_none", "anna", 1).error().code);
}

TEST_F(WordsTest, TheTimeLeftIsKept) {
  EXPECT_FALSE(library_->told_time_left(kImport).value().has_value());
  ASSERT_OK(library_->tell_time_left(kImport, {.at_ms = 1, .from_ms = 2, .to_ms = 3, .cause = "x"}));
  ASSERT_OK(library_->tell_time_left(kImport, {.at_ms = 10, .from_ms = 20, .to_ms = 30, .cause = "the limit"}));
  reopen();
  const auto told = library_->told_time_left(kImport).value();
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(20, told->from_ms);
  EXPECT_EQ(30, told->to_ms);
  EXPECT_EQ("the limit", told->cause);
}

TEST_F(WordsTest, TheTimesLeftAreHeldAgainstTheEnd) {
  EXPECT_TRUE(library_->times_told(kImport).value().empty());
  for (const std::int64_t at : {1'000, 2'000, 2'000, 3'000})
    ASSERT_OK(library_->tell_time_left(kImport, {.at_ms = at, .from_ms = at * 2, .to_ms = at * 3, .cause = "x"}));
  const auto told = library_->times_told(kImport).value();
  ASSERT_EQ(3u, told.size()) << "one a moment";
  EXPECT_EQ(3'000, told[2].at_ms);
  EXPECT_EQ(9'000, told[2].to_ms);
  EXPECT_EQ(0, library_->measures("", 0, 1)->at(0).ends_told) << "it has not ended";
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.close_import(kImport, 6'000, "{}"); }));
  EXPECT_EQ(3, library_->measures("", 0, 1)->at(0).ends_told);
  EXPECT_EQ(2, library_->measures("", 0, 1)->at(0).ends_held) << "4,000 to 6,000 and 6,000 to 9,000";
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.reopen_import(kImport); }));
  EXPECT_TRUE(library_->times_told(kImport).value().empty()) << "it has another end to come";
  for (int i = 0; i < kTimesToldMax + 1; ++i)
    ASSERT_OK(library_->tell_time_left(kImport, {.at_ms = i, .from_ms = 1, .to_ms = 2, .cause = "x"}));
  EXPECT_EQ(std::size_t{kTimesToldMax}, library_->times_told(kImport)->size());
}

/// A file of the schema before, with a call that came without words and a cause that was seen.
TEST_F(WordsTest, AnOlderFileIsMigrated) {
  constexpr std::size_t kBefore = 10;
  library_.reset();
  {
    const std::span<const Migration> all = library_schema::kMigrations;
    auto db = Database::open(disk_, "data/older.db", {.migrations = all.first(kBefore)}).value();
    ASSERT_OK(db.exec("INSERT INTO workspace(name) VALUES('acme')"));
  }
  path_ = "data/older.db";
  reopen();
  ASSERT_OK(library_->change([](LibraryTx& tx) { return tx.put_import(import_row()); }));
  bring("failed-a", "failed");
  EXPECT_EQ(1, want("failed"));
  give("failed-a", {.segments = {segment("late")}, .state = "ready", .made_by = ""});
  EXPECT_EQ(1u, found("late"));
}

}  // namespace
}  // namespace callimport::storage
