// The manifest: states move forward, counters move with them and always add up, the next to fetch comes in order.
#include "storage/library/manifest.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "storage/library/schema.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

class Manifest : public LibraryTest {
 protected:
  Result<> set_state(const std::string& source_id, CallState state, const std::string& cause = "",
                     const std::string& detail = "") {
    return library_->change([&](LibraryTx& tx) { return tx.set_state(kImport, source_id, state, cause, detail); });
  }
  Result<> stage(const std::string& source_id) {
    return library_->change([&](LibraryTx& tx) { return tx.stage(kImport, call_with(source_id, {})); });
  }
  Result<> enter(const std::string& source_id) {
    return library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.register_call(kImport, call_with(source_id, {})));
      return {};
    });
  }
  Result<> prioritize(std::int64_t first_lane) {
    return library_->change([&](LibraryTx& tx) { return tx.prioritize(kImport, first_lane); });
  }
  Result<> put_off(const std::string& source_id, std::int64_t until_ms) {
    return library_->change([&](LibraryTx& tx) { return tx.put_off(kImport, source_id, until_ms); });
  }
  std::vector<std::string> next(Lane lane, int limit, std::int64_t now_ms = 0) {
    std::vector<std::string> ids;
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(const auto rows, tx.next_pending(kImport, lane, now_ms, limit));
      for (const auto& row : rows) ids.push_back(row.source_id);
      return {};
    }));
    return ids;
  }
  CallState state_of(const std::string& source_id) { return library_->manifest_row(kImport, source_id).value()->state; }
};

/// From each state to each other one, by the verb that leads there.
struct Step {
  const char* name;
  CallState from, to;
  bool allowed;
};
void PrintTo(const Step& step, std::ostream* out) { *out << step.name; }

class ManifestSteps : public Manifest, public testing::WithParamInterface<Step> {
 protected:
  Result<> lead(CallState to) {
    if (to == CallState::kStaged) return stage("c1");
    if (to == CallState::kRegistered) return enter("c1");
    return set_state("c1", to, "some.cause", "a detail");
  }
};

TEST_P(ManifestSteps, MoveForwardOnly) {
  const auto& step = GetParam();
  add_calls({"c1"});
  if (step.from != CallState::kPending) ASSERT_OK(lead(step.from));
  const Counters before = counters();
  const auto done = lead(step.to);
  ASSERT_EQ(step.allowed, done.has_value());
  if (!step.allowed) EXPECT_EQ(Code::kConflict, done.error().code) << done.error().message;
  EXPECT_EQ(step.allowed ? step.to : step.from, state_of("c1"));
  if (!step.allowed) EXPECT_EQ(before, counters());
  EXPECT_TRUE(counters().add_up());
  const auto lane = library_->manifest_counts(kImport, Lane::kBulk).value();
  EXPECT_EQ(state_of("c1") == CallState::kStaged ? 1 : 0, lane.staged);
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY(const auto staged, tx.staged(kImport, 10));
    EXPECT_EQ(static_cast<std::size_t>(lane.staged), staged.size());
    return {};
  }));
}

using enum CallState;
INSTANTIATE_TEST_SUITE_P(
    Table, ManifestSteps,
    testing::Values(
        Step{"PendingIsStaged", kPending, kStaged, true}, Step{"PendingIsRegistered", kPending, kRegistered, true},
        Step{"PendingFails", kPending, kFailed, true}, Step{"PendingIsSkipped", kPending, kSkipped, true},
        Step{"PendingIsDuplicate", kPending, kDuplicate, true}, Step{"PendingAgain", kPending, kPending, true},
        Step{"StagedAgain", kStaged, kStaged, true}, Step{"StagedIsRegistered", kStaged, kRegistered, true},
        Step{"StagedFails", kStaged, kFailed, true}, Step{"StagedGoesBack", kStaged, kPending, true},
        Step{"FailedAgain", kFailed, kFailed, true}, Step{"FailedIsNotStaged", kFailed, kStaged, false},
        Step{"FailedIsNotRegistered", kFailed, kRegistered, false},
        Step{"FailedIsNotPending", kFailed, kPending, false}, Step{"SkippedIsNotFailed", kSkipped, kFailed, false},
        Step{"SkippedIsNotRegistered", kSkipped, kRegistered, false},
        Step{"RegisteredAgain", kRegistered, kRegistered, true},
        Step{"RegisteredDoesNotFail", kRegistered, kFailed, false},
        Step{"RegisteredIsNotStaged", kRegistered, kStaged, false},
        Step{"RegisteredIsNotPending", kRegistered, kPending, false},
        Step{"DuplicateIsNotStaged", kDuplicate, kStaged, false}),
    [](const auto& test) { return test.param.name; });

TEST_F(Manifest, ContentCannotBeSkipped) {
  add_calls({"c1"});
  EXPECT_EQ(Code::kInvalid, set_state("c1", kRegistered).error().code);
  EXPECT_EQ(Code::kInvalid, set_state("c1", kStaged).error().code);
  EXPECT_EQ(Code::kNotFound, set_state("c2", kFailed).error().code);
  EXPECT_EQ(Code::kNotFound, stage("c2").error().code);
  EXPECT_EQ(Code::kNotFound, enter("c2").error().code);
  EXPECT_EQ(Code::kNotFound, put_off("c2", 1).error().code);
  ASSERT_OK(enter("c1"));
  EXPECT_EQ(Code::kConflict, put_off("c1", 1).error().code);
}

TEST_F(Manifest, AddsOnlyWhatItDoesNotKnow) {
  const auto add_twice = [&](LibraryTx& tx) -> Result<> {
    TRY(const auto fresh, tx.add_manifest(kImport, {manifest_row("a"), manifest_row("b"), manifest_row("a")}));
    EXPECT_EQ(2, fresh);
    TRY(const auto again, tx.add_manifest(kImport, {manifest_row("b"), manifest_row("c")}));
    EXPECT_EQ(1, again);
    TRY(const auto row, tx.import(kImport));
    EXPECT_EQ(3, row.counters.found);
    return {};
  };
  ASSERT_OK(library_->change(add_twice));
  EXPECT_EQ((Counters{.found = 3, .pending = 3}), counters());
}

TEST_F(Manifest, RemembersWhichCallsWereNamed) {
  const auto name = [&](const std::string& import, const std::vector<std::string>& ids) {
    return library_->change([&](LibraryTx& tx) { return tx.name_calls(import, ids); });
  };
  ASSERT_OK(name("imp_to_come", {"b", "a", "b"}));
  ASSERT_OK(name(kImport, {"c"}));
  EXPECT_EQ((std::vector<std::string>{"a", "b"}), library_->named_calls("imp_to_come").value());
  ASSERT_OK(name("imp_to_come", {"d"}));
  EXPECT_EQ(std::vector<std::string>{"d"}, library_->named_calls("imp_to_come").value());
  EXPECT_EQ(Code::kInvalid, name(kImport, {"e", ""}).error().code);
  EXPECT_EQ(Code::kInvalid, name(kImport, std::vector<std::string>(kNamedCallsMax + 1, "x")).error().code);
  EXPECT_EQ(std::vector<std::string>{"c"}, library_->named_calls(kImport).value())
      << "what was refused changed nothing";
  EXPECT_TRUE(library_->named_calls("imp_none").value().empty());
}

/// A library of the schema before names none.
TEST_F(Manifest, OfTheSchemaBeforeHasNoNames) {
  library_.reset();
  path_ = "data/older.db";
  ASSERT_OK(Database::open(disk_, path_, {.migrations = std::span(library_schema::kMigrations).first(9)}));
  reopen();
  EXPECT_TRUE(library_->named_calls(kImport).value().empty());
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.name_calls(kImport, {"a"}); }));
  EXPECT_EQ(std::vector<std::string>{"a"}, library_->named_calls(kImport).value());
}

TEST_F(Manifest, TakesSkippedAndFailedRowsWithTheirCause) {
  ManifestRow skipped = manifest_row("s"), failed = manifest_row("f"), registered = manifest_row("r");
  skipped.state = kSkipped;
  skipped.cause = "call.no_recording";
  failed.state = kFailed;
  failed.cause = "call.private";
  failed.detail = "not for this token";
  registered.state = kRegistered;
  add({skipped, failed});
  EXPECT_EQ((Counters{.found = 2, .skipped = 1, .failed = 1}), counters());
  EXPECT_EQ("call.private", library_->manifest_row(kImport, "f").value()->cause);
  const auto refused = library_->change([&](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.add_manifest(kImport, {manifest_row("n"), registered}));
    return {};
  });
  EXPECT_EQ(Code::kInvalid, refused.error().code);
  EXPECT_EQ(2, counters().found) << "part of a refused page stayed";
}

TEST_F(Manifest, RefusesACallWithoutAnId) {
  const auto refused = library_->change([&](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.add_manifest(kImport, {manifest_row("")}));
    return {};
  });
  EXPECT_EQ(Code::kInvalid, refused.error().code);
}

TEST_F(Manifest, KeepsIdsAsTheyAreAndCutsTitles) {
  const std::vector<std::string> ids = {std::string(10'000, 'x'),
                                        std::string("a\0b", 3),
                                        std::string("a\0c", 3),
                                        "'; --",
                                        "\u202eid",
                                        "\xff\xfe",
                                        " ",
                                        "\n"};
  for (const auto& id : ids) {
    ManifestRow row = manifest_row(id);
    row.title.clear();
    for (int i = 0; i < 1'000; ++i) row.title += "é";
    row.title.insert(0, "x");  // so that the cut falls into a character
    add({row});
    ASSERT_OK(set_state(id, kFailed, "call.private", std::string(5'000, 'd')));
    const auto back = library_->manifest_row(kImport, id).value();
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(id, back->source_id);
    EXPECT_EQ(kManifestTitleBytesMax - 1, back->title.size());
    EXPECT_EQ(row.title.substr(0, back->title.size()), back->title);
    EXPECT_EQ(kManifestDetailBytesMax, back->detail.size());
  }
  EXPECT_EQ(static_cast<std::int64_t>(ids.size()), counters().failed);
}

TEST_F(Manifest, GivesTheNewestFirstAndTiesById) {
  add({manifest_row("old", 1'000), manifest_row("b", 3'000), manifest_row("a", 3'000), manifest_row("new", 4'000),
       manifest_row("before 1970", -5)});
  ASSERT_OK(prioritize(2));
  EXPECT_EQ((std::vector<std::string>{"new", "a"}), next(Lane::kFirst, 10));
  EXPECT_EQ((std::vector<std::string>{"b", "old", "before 1970"}), next(Lane::kBulk, 10));
  EXPECT_EQ((std::vector<std::string>{"b"}), next(Lane::kBulk, 1));
  EXPECT_TRUE(next(Lane::kBulk, 0).empty());
}

TEST_F(Manifest, PrioritizesAgainAsMoreIsFound) {
  add({manifest_row("5", 5'000), manifest_row("4", 4'000), manifest_row("3", 3'000)});
  ASSERT_OK(prioritize(2));
  ASSERT_OK(enter("5"));
  ASSERT_OK(put_off("3", 9'000));
  add({manifest_row("6", 6'000), manifest_row("1", 1'000)});
  ASSERT_OK(prioritize(2));
  EXPECT_EQ((std::vector<std::string>{"6"}), next(Lane::kFirst, 10));
  EXPECT_EQ(2, library_->manifest_counts(kImport, Lane::kFirst)->total) << "6, and 5 that is there already";
  EXPECT_EQ((std::vector<std::string>{"4", "3", "1"}), next(Lane::kBulk, 10, 9'000));
  ASSERT_OK(prioritize(0));
  EXPECT_EQ(0, library_->manifest_counts(kImport, Lane::kFirst)->total);
  ASSERT_OK(prioritize(100));
  EXPECT_EQ((std::vector<std::string>{"6", "4", "3", "1"}), next(Lane::kFirst, 10, 9'000));
  EXPECT_EQ((Counters{.found = 5, .registered = 1, .pending = 4, .media_bytes = 1'000}), counters());
  EXPECT_EQ(Code::kInvalid, prioritize(-1).error().code);
}

TEST_F(Manifest, PutsOffUntilItsTime) {
  add({manifest_row("a", 3'000), manifest_row("b", 2'000), manifest_row("c", 1'000)});
  ASSERT_OK(put_off("a", 50'000));
  ASSERT_OK(put_off("b", 60'000));
  EXPECT_EQ((std::vector<std::string>{"c"}), next(Lane::kBulk, 10, 49'999));
  EXPECT_EQ((std::vector<std::string>{"a", "c"}), next(Lane::kBulk, 10, 50'000));
  EXPECT_EQ((std::vector<std::string>{"a"}), next(Lane::kBulk, 1, 50'000));
  auto counts = library_->manifest_counts(kImport, Lane::kBulk).value();
  EXPECT_EQ(3, counts.pending);
  EXPECT_EQ(50'000, counts.earliest_not_before_ms);
  ASSERT_OK(enter("a"));
  ASSERT_OK(set_state("b", kFailed, "x", ""));
  counts = library_->manifest_counts(kImport, Lane::kBulk).value();
  EXPECT_EQ(1, counts.pending);
  EXPECT_EQ(std::nullopt, counts.earliest_not_before_ms);
  EXPECT_EQ(2, library_->manifest_row(kImport, "b").value()->attempts);
}

TEST_F(Manifest, RetriesWhatFailedByCause) {
  add_calls({"a", "b", "c", "d"});
  ASSERT_OK(set_state("a", kFailed, "media.damaged", "cut off"));
  ASSERT_OK(set_state("b", kFailed, "call.private"));
  ASSERT_OK(set_state("c", kSkipped, "media.damaged"));
  const auto retry = [&](const std::string& cause) {
    std::int64_t retried = -1;
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(retried, tx.retry_failed(kImport, cause));
      return {};
    }));
    return retried;
  };
  EXPECT_EQ(0, retry("nothing.such"));
  EXPECT_EQ(1, retry("media.damaged"));
  const auto again = library_->manifest_row(kImport, "a").value();
  EXPECT_EQ(kPending, again->state);
  EXPECT_EQ("", again->cause + again->detail);
  EXPECT_EQ(1, again->attempts);
  EXPECT_EQ((Counters{.found = 4, .skipped = 1, .failed = 1, .pending = 2}), counters());
  EXPECT_EQ(1, retry(""));
  EXPECT_EQ((Counters{.found = 4, .skipped = 1, .pending = 3}), counters());
}

TEST_F(Manifest, NeverRetriesACallThatCannotBeAskedFor) {
  add_calls({"a", "b"});
  ASSERT_OK(set_state("a", kFailed, std::string(kCauseIdUnusable), "a number"));
  ASSERT_OK(set_state("b", kFailed, "media.damaged"));
  for (const std::string cause : {"", "call.id_unusable"}) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.retry_failed(kImport, cause));
      return {};
    }));
    EXPECT_EQ(kFailed, library_->manifest_row(kImport, "a").value()->state) << cause;
    EXPECT_EQ((Counters{.found = 2, .failed = 1, .pending = 1}), counters());
  }
}

TEST_F(Manifest, NamesProblemsMostCallsFirst) {
  add_calls({"a", "b", "c", "d", "e"});
  ASSERT_OK(set_state("a", kFailed, "media.damaged", "cut off"));
  for (const char* id : {"b", "c"}) ASSERT_OK(set_state(id, kSkipped, "call.private", "no"));
  ASSERT_OK(enter("d"));
  const auto problems = library_->problems(kImport).value();
  ASSERT_EQ(2u, problems.size());
  EXPECT_EQ("call.private", problems[0].cause);
  EXPECT_EQ(2, problems[0].calls);
  EXPECT_EQ("cut off", problems[1].detail);
  const auto ids = [&](std::optional<CallState> state, const std::string& cause, const std::string& after, int limit) {
    std::string joined;
    for (const auto rows = library_->manifest(kImport, state, cause, after, limit).value(); const auto& row : rows)
      joined += row.source_id;
    return joined;
  };
  EXPECT_EQ("abcde", ids(std::nullopt, "", "", 10));
  EXPECT_EQ("bc", ids(std::nullopt, "", "a", 2));
  EXPECT_EQ("bc", ids(kSkipped, "", "", 10));
  EXPECT_EQ("c", ids(kSkipped, "call.private", "b", 10));
  EXPECT_EQ("", ids(kFailed, "call.private", "", 10));
  EXPECT_EQ("bc", ids(std::nullopt, "call.private", "", 10));
  EXPECT_EQ("a", ids(std::nullopt, "media.damaged", "", 10));
  EXPECT_EQ("", ids(std::nullopt, "call.no_recording", "", 10)) << "a cause that nothing has";
  EXPECT_EQ("d", ids(kRegistered, "", "", 10));
  EXPECT_EQ("e", ids(kPending, "", "", 10));
}

TEST_F(Manifest, AnUnknownImportIsSaidSo) {
  EXPECT_EQ(Code::kNotFound, library_->manifest_counts("imp_9", Lane::kBulk).error().code);
  EXPECT_EQ(Code::kNotFound, library_->problems("imp_9").error().code);
  EXPECT_EQ(Code::kNotFound, library_->import("imp_9").error().code);
  EXPECT_EQ(Code::kNotFound, library_->change([](LibraryTx& tx) { return tx.prioritize("imp_9", 1); }).error().code);
}

/// Random operations by seed; after each, the counters are what counting the rows says, and went down for pending only,
/// or for failed in a retry.
class ManifestSeeds : public Manifest, public testing::WithParamInterface<int> {
 protected:
  void random_step() {
    retried_ = false;
    const std::string id = "c" + std::to_string(random_.below(25));
    const auto start = static_cast<std::int64_t>(random_.below(10));
    switch (random_.below(9)) {
      case 0: add({manifest_row(id, start), manifest_row("d" + id, start)}); break;
      case 1: (void)prioritize(static_cast<std::int64_t>(random_.below(20))); break;
      case 2: (void)stage(id); break;
      case 3: (void)enter(id); break;
      case 4:
        (void)set_state(id, static_cast<CallState>(random_.below(6)), "cause." + std::to_string(random_.below(3)));
        break;
      case 5: (void)put_off(id, start); break;
      case 6: retry(random_.chance(50) ? "" : "cause.1"); break;
      case 7: enter_next(random_.chance(50) ? Lane::kFirst : Lane::kBulk); break;
      default:
        if (random_.chance(20)) enter_elsewhere(id);
    }
  }
  void retry(const std::string& cause) {
    retried_ = true;
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.retry_failed(kImport, cause));
      return {};
    }));
  }
  void enter_next(Lane lane) {
    for (const auto& id : next(lane, 3)) {
      ASSERT_EQ(kPending, state_of(id));
      ASSERT_OK(stage(id));
    }
  }
  void enter_elsewhere(const std::string& id) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.put_import(import_row("imp_2")));
      TRY_VOID(tx.add_manifest("imp_2", {manifest_row(id)}));
      (void)tx.register_call("imp_2", call_with(id, {}));
      return {};
    }));
  }
  void check() {
    std::map<Lane, ManifestCounts> lanes;
    Counters counted;
    for (const auto rows = library_->manifest(kImport, std::nullopt, "", "", 1'000).value(); const auto& row : rows) {
      auto& lane = lanes[row.lane];
      ++lane.total;
      ++counted.found;
      lane.pending += row.state == kPending ? 1 : 0;
      lane.staged += row.state == kStaged ? 1 : 0;
      counted.pending += row.state == kPending || row.state == kStaged ? 1 : 0;
      counted.registered += row.state == kRegistered ? 1 : 0;
      counted.duplicate += row.state == kDuplicate ? 1 : 0;
      counted.skipped += row.state == kSkipped ? 1 : 0;
      counted.failed += row.state == kFailed ? 1 : 0;
    }
    counted.media_bytes = counted.registered * 1'000;
    const Counters now = counters();
    ASSERT_EQ(counted, now);
    ASSERT_GE(now.found, last_.found);
    ASSERT_GE(now.registered, last_.registered);
    ASSERT_GE(now.duplicate, last_.duplicate);
    ASSERT_GE(now.skipped, last_.skipped);
    if (!retried_) ASSERT_GE(now.failed, last_.failed);
    last_ = now;
    for (const Lane lane : {Lane::kFirst, Lane::kBulk}) {
      const auto counts = library_->manifest_counts(kImport, lane).value();
      ASSERT_EQ(lanes[lane].total, counts.total);
      ASSERT_EQ(lanes[lane].pending, counts.pending);
      ASSERT_EQ(lanes[lane].staged, counts.staged);
    }
  }

  bool retried_ = false;
  Counters last_;
};

TEST_P(ManifestSeeds, CountersSayWhatTheRowsSay) {
  random_ = simulations::SeededRandom(static_cast<std::uint64_t>(GetParam()));
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.put_import(import_row()); }));
  for (int step = 0; step < 150; ++step) {
    random_step();
    check();
    ASSERT_FALSE(HasFatalFailure()) << "step " << step;
  }
  EXPECT_GT(last_.registered, 0);
  EXPECT_GT(last_.found, last_.registered);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ManifestSeeds, testing::Range(1, 9));

}  // namespace
}  // namespace callimport::storage
