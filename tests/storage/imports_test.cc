// Imports, their two lanes, the timeline, and what people were told.
#include <atomic>
#include <set>
#include <string>
#include <thread>

#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

using Imports = LibraryTest;

LaneRow lane(const std::string& stage, const std::string& condition,
             std::optional<std::int64_t> until_ms = std::nullopt) {
  return {.stage = stage,
          .condition = condition,
          .reason = "platform.outage",
          .who = "you",
          .why = "because",
          .until_ms = until_ms};
}

TEST_F(Imports, KeepTheirRowsAcrossAReopening) {
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.set_lane(kImport, Lane::kFirst, lane("enumerate", "waiting", 77), 2'000));
    TRY_VOID(tx.set_cursor(kImport, "page 2", false));
    TRY_VOID(tx.set_first_ready(kImport, 3'000));
    return tx.set_first_ready(kImport, 4'000);
  }));
  reopen();
  const auto row = library_->import(kImport).value();
  EXPECT_EQ(lane("enumerate", "waiting", 77), row.first);
  EXPECT_EQ(import_row().bulk, row.bulk);
  EXPECT_EQ("page 2", row.cursor);
  EXPECT_FALSE(row.enumerated);
  EXPECT_EQ(3'000, row.first_ready_ms) << "ready once";
  EXPECT_EQ("cred_1", row.credential);
  EXPECT_EQ(1'000, row.created_ms);
}

TEST_F(Imports, EveryChangeCounts) {
  std::int64_t last = library_->import(kImport)->change;
  const auto grows = [&](const std::function<Result<>(LibraryTx&)>& work) {
    ASSERT_OK(library_->change(work));
    const std::int64_t now = library_->import(kImport)->change;
    EXPECT_GT(now, last);
    last = now;
  };
  grows([](LibraryTx& tx) { return tx.set_lane(kImport, Lane::kBulk, lane("fetch", "running"), 1); });
  grows([](LibraryTx& tx) { return tx.set_cursor(kImport, "p", true); });
  grows([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.add_manifest(kImport, {manifest_row("a")}));
    return {};
  });
  grows([](LibraryTx& tx) { return tx.set_state(kImport, "a", CallState::kFailed, "x", ""); });
  grows([](LibraryTx& tx) { return tx.close_import(kImport, 5, "{}"); });
  grows([](LibraryTx& tx) { return tx.reopen_import(kImport); });
  grows([](LibraryTx& tx) { return tx.put_import(import_row()); });
}

TEST_F(Imports, TheTimelineHoldsEachStepWithItsCounters) {
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.set_lane(kImport, Lane::kFirst, lane("enumerate", "running"), 2'000));
    TRY_VOID(tx.add_manifest(kImport, {manifest_row("a"), manifest_row("b")}));
    TRY_VOID(tx.set_lane(kImport, Lane::kBulk, lane("fetch", "waiting", 9), 3'000));
    TRY_VOID(tx.set_state(kImport, "a", CallState::kFailed, "x", ""));
    return tx.set_lane(kImport, Lane::kBulk, lane("fetch", "running"), 4'000);
  }));
  const auto all = library_->timeline(kImport, 0, 10).value();
  ASSERT_EQ(3u, all.size());
  EXPECT_EQ(Lane::kFirst, all[0].lane);
  EXPECT_EQ(0, all[0].counters.found);
  EXPECT_EQ(lane("fetch", "waiting", 9), all[1].row);
  EXPECT_EQ(3'000, all[1].at_ms);
  EXPECT_EQ((Counters{.found = 2, .failed = 1, .pending = 1}), all[2].counters);
  EXPECT_EQ(2u, library_->timeline(kImport, all[0].change, 10)->size());
  EXPECT_EQ(1u, library_->timeline(kImport, 0, 1)->size());
  EXPECT_TRUE(library_->timeline("imp_9", 0, 1)->empty());
}

TEST_F(Imports, ClosedOnesForgetTheirCredentialAndOpenAgain) {
  add_calls({"a", "b"});
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.set_state(kImport, "a", CallState::kFailed, "x", "y"));
    return tx.close_import(kImport, 9'000, R"({"gaps":1})");
  }));
  auto row = library_->import(kImport).value();
  EXPECT_EQ("", row.credential);
  EXPECT_EQ(9'000, row.closed_ms);
  EXPECT_EQ(R"({"gaps":1})", row.report);

  ImportRow again = import_row();
  again.credential = "cred_2";
  again.input = R"({"again":true})";
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.put_import(again));
    return tx.reopen_import(kImport);
  }));
  row = library_->import(kImport).value();
  EXPECT_EQ("cred_2", row.credential);
  EXPECT_EQ(again.input, row.input);
  EXPECT_EQ(std::nullopt, row.closed_ms);
  EXPECT_EQ("", row.report);
  EXPECT_EQ((Counters{.found = 2, .pending = 2}), row.counters) << "failed calls wait again, nothing is found twice";
}

TEST_F(Imports, AnIdBelongsToOneWorkspace) {
  const auto other = library_->change([](LibraryTx& tx) { return tx.put_import(import_row(kImport, "globex")); });
  EXPECT_EQ(Code::kConflict, other.error().code);
  ImportRow nameless = import_row("imp_2");
  nameless.workspace = "";
  EXPECT_EQ(Code::kInvalid, library_->change([&](LibraryTx& tx) { return tx.put_import(nameless); }).error().code);
}

TEST_F(Imports, AreListedNewestFirst) {
  for (int i = 2; i < 6; ++i) {
    ImportRow row = import_row("imp_" + std::to_string(i));
    row.created_ms = 10'000 - i;
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.put_import(row); }));
  }
  const auto listed = library_->imports(3).value();
  ASSERT_EQ(3u, listed.size());
  EXPECT_EQ("imp_2", listed[0].id);
  EXPECT_EQ("imp_3", listed[1].id);
  EXPECT_EQ("imp_4", listed[2].id);
}

TEST_F(Imports, AFailedChangeLeavesNothing) {
  const auto failed = library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.add_manifest(kImport, {manifest_row("a")}));
    TRY_VOID(tx.set_cursor(kImport, "p", true));
    return fail(Code::kUnavailable, "on purpose");
  });
  EXPECT_EQ("on purpose", failed.error().message);
  EXPECT_EQ(Counters{}, counters());
  EXPECT_EQ("", library_->import(kImport)->cursor);
}

TEST_F(Imports, ReadersSeeWholeChangesOnly) {
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 60; ++i) {
      EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
        const std::string id = std::to_string(i);
        TRY_VOID(tx.add_manifest(kImport, {manifest_row(id + "a"), manifest_row(id + "b")}));
        return tx.set_state(kImport, id + "a", CallState::kFailed, "x", "");
      }));
    }
    done = true;
  });
  std::int64_t last = 0;
  while (!done) {
    const auto now = library_->import(kImport)->counters;
    EXPECT_TRUE(now.add_up());
    EXPECT_EQ(now.failed, now.pending) << "half a change";
    EXPECT_GE(now.found, last);
    last = now.found;
  }
  writer.join();
  EXPECT_EQ(120, counters().found);
}

Notification told(const std::string& id, std::int64_t at_ms) {
  Notification made;
  made.id = id;
  made.import = kImport;
  made.at_ms = at_ms;
  made.event = "import.counted";
  made.subject = "s";
  made.text = "t";
  made.next = "n";
  made.facts = R"({"found":7})";
  return made;
}

TEST_F(Imports, NotificationsAreRecordedOnce) {
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.notify(told("ntf_1", 10)));
    TRY_VOID(tx.notify(told("ntf_1", 99)));
    TRY_VOID(tx.notify(told("ntf_2", 20)));
    return tx.notify(told("", 30));
  }));
  const auto newest = library_->notifications(kImport, 10).value();
  ASSERT_EQ(3u, newest.size());
  EXPECT_TRUE(newest[0].id.starts_with("ntf_")) << newest[0].id;
  EXPECT_EQ("ntf_2", newest[1].id);
  EXPECT_EQ(10, newest[2].at_ms);
  EXPECT_EQ(R"({"found":7})", newest[2].facts);
  EXPECT_EQ(3u, library_->notifications("", 10)->size());
  EXPECT_EQ(0u, library_->notifications("imp_9", 10)->size());
}

std::vector<std::string> ids_of(const std::vector<ImportRow>& rows) {
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.push_back(row.id);
  return ids;
}

class ManyImports : public Imports {
 protected:
  /// imp_c0 to imp_c29, three a moment; each third waits, imp_c7 needs attention in bulk, imp_c8 is closed.
  void SetUp() override {
    Imports::SetUp();
    ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
      for (int i = 0; i < 30; ++i) {
        auto row = import_row("imp_c" + std::to_string(i), i % 2 == 0 ? "Even" : "Odd");
        row.created_ms = 10'000 + i / 3;
        row.credential = "cred_" + std::to_string(i % 2);
        TRY_VOID(tx.put_import(row));
        if (i % 3 == 0) TRY_VOID(tx.set_lane(row.id, Lane::kBulk, lane("fetch", "waiting"), 1));
      }
      TRY_VOID(tx.set_lane("imp_c7", Lane::kBulk, lane("fetch", "needs_attention"), 1));
      TRY_VOID(tx.set_lane("imp_c8", Lane::kFirst, lane("notify", "needs_attention"), 1));
      TRY_VOID(tx.set_lane("imp_c8", Lane::kBulk, lane("notify", "completed"), 1));
      return tx.close_import("imp_c8", 5, "{}");
    }));
  }
};

TEST_F(ManyImports, PagesLoseAndDoubleNone) {
  std::vector<std::string> seen;
  std::optional<ImportPlace> after;
  while (true) {
    const auto page = library_->imports_page({}, after, 4).value();
    for (const auto& row : page) seen.push_back(row.id);
    if (page.size() < 4) break;
    after = ImportPlace{page.back().created_ms, page.back().id};
  }
  EXPECT_EQ(31u, seen.size());
  EXPECT_EQ(ids_of(library_->imports_page({}, {}, 100).value()), seen);
  EXPECT_EQ(31u, std::set<std::string>(seen.begin(), seen.end()).size());
  EXPECT_EQ(kImport, seen.back()) << "the oldest";
}

struct FilterRow {
  const char* name;
  ImportFilter filter;
  std::size_t found;
};
void PrintTo(const FilterRow& row, std::ostream* out) { *out << row.name; }
class ImportFilters : public ManyImports, public testing::WithParamInterface<FilterRow> {};
TEST_P(ImportFilters, Find) { EXPECT_EQ(GetParam().found, library_->imports_page(GetParam().filter, {}, 100)->size()); }
INSTANTIATE_TEST_SUITE_P(
    Table, ImportFilters,
    testing::Values(FilterRow{"All", {}, 31}, FilterRow{"Waiting", {.conditions = {"waiting"}}, 10},
                    FilterRow{"TheMoreUrgentLane", {.conditions = {"needs_attention"}}, 1},
                    FilterRow{"AClosedOneShowsItsEnd", {.conditions = {"completed"}}, 1},
                    FilterRow{"AnyOf", {.conditions = {"waiting", "needs_attention"}}, 11},
                    FilterRow{"AllOfARunningOne", {.conditions = {"running"}}, 19},
                    FilterRow{"NoPartOfAWord", {.conditions = {"wait"}}, 0},
                    FilterRow{"Platform", {.platform = "gong"}, 0}, FilterRow{"TextOfAWorkspace", {.text = "eVEn"}, 15},
                    FilterRow{"TextOfAnId", {.text = "imp_c29"}, 1}, FilterRow{"TextIsNoPattern", {.text = "%"}, 0},
                    FilterRow{"Age", {.created_after_ms = 10'009}, 3}),
    [](const auto& test) { return test.param.name; });

TEST_F(ManyImports, AreFoundByTheirBeginningAndTheirCredential) {
  EXPECT_EQ((std::vector<std::string>{"imp_c2", "imp_c20", "imp_c21"}), library_->import_ids("imp_c2", 3).value());
  EXPECT_TRUE(library_->import_ids("imp_x", 3)->empty());
  EXPECT_EQ(30, library_->open_imports().value());
  EXPECT_EQ(14u, library_->imports_with("cred_0", 100)->size()) << "imp_c8 is closed";
  EXPECT_EQ(1u, library_->imports_with("cred_0", 1)->size());
}

}  // namespace
}  // namespace callimport::storage
