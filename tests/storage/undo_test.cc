// What an import brought leaves the library again, all of it and nothing else (ux ID-15).
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

class Undo : public LibraryTest {
 protected:
  /// The calls found and registered by the import; each says its own id, and has a recording of its own.
  void bring(const std::string& import, const std::vector<std::string>& ids, std::int64_t start_ms = 5'000,
             const std::string& workspace = "acme") {
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      if (import != kImport) TRY_VOID(tx.put_import(import_row(import, workspace)));
      for (const auto& id : ids) {
        TRY_VOID(tx.add_manifest(import, {manifest_row(id, start_ms)}));
        Call call = call_with(id, {segment("we talked about " + id), segment("and renewal", 1'000)});
        call.media->hash = std::string(63, 'a') + id.back();
        call.start_ms = start_ms;
        call.workspace = workspace;
        const auto staged = tx.stage(import, call);
        if (!staged && staged.error().code == Code::kConflict) continue;  // known already: it came in as a duplicate
        TRY_VOID(staged);
        TRY_VOID(tx.register_call(import, call));
      }
      return {};
    }));
  }
  UndoPortion undo(const std::string& import, int limit, int portions = 1'000) {
    UndoPortion portion;
    portion.after_start_ms = -1;
    for (int i = 0; i < portions && !portion.done; ++i) {
      const auto made = library_->change([&](LibraryTx& tx) -> Result<> {
        TRY(portion, tx.undo_calls(import, portion, limit));
        return {};
      });
      EXPECT_TRUE(made.has_value()) << made.error().message;
      if (!made) break;
    }
    return portion;
  }
  std::size_t found(const std::string& query) { return library_->search({.query = query})->hits.size(); }
  std::vector<std::string> removable() {
    std::vector<std::string> hashes;
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(hashes, tx.removable_media(100));
      return {};
    }));
    return hashes;
  }
  void close(const std::string& import) {
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.close_import(import, 9'000, "{}"); }));
  }
};

TEST_F(Undo, RemovesCallsTheirSegmentsAndTheirSearchText) {
  bring(kImport, {"call1", "call2", "call3"});
  EXPECT_EQ(3, library_->undo_facts(kImport)->calls);
  EXPECT_EQ(3'000, library_->undo_facts(kImport)->media_bytes);
  ASSERT_EQ(3u, found("renewal"));
  const auto done = undo(kImport, 2);
  EXPECT_EQ(3, done.removed);
  EXPECT_EQ(0u, library_->calls({}, "", 10)->size());
  EXPECT_EQ(0u, found("renewal"));
  EXPECT_EQ(0u, found("call1"));
  const auto row = library_->import(kImport).value();
  EXPECT_EQ(0, row.counters.registered);
  EXPECT_EQ(3, row.counters.skipped);
  EXPECT_EQ(0, row.counters.media_bytes);
  EXPECT_TRUE(row.counters.add_up());
  EXPECT_EQ("import.undone", library_->manifest_row(kImport, "call2")->value().cause);
}

TEST_F(Undo, CutOffInTheMiddleGoesOnWhereItStopped) {
  bring(kImport, {"call1", "call2", "call3"});
  EXPECT_EQ(1, undo(kImport, 1, 1).removed);
  reopen();
  EXPECT_EQ(2, library_->undo_facts(kImport)->calls);
  EXPECT_EQ(2, undo(kImport, 10).removed);
  EXPECT_EQ(0, undo(kImport, 10).removed) << "again is success";
}

TEST_F(Undo, LeavesWhatAnotherImportBroughtOrCountsOn) {
  bring(kImport, {"call1", "call2"});
  bring("imp_2", {"call2", "call3"});  // call2 is its duplicate
  EXPECT_EQ(1, library_->import("imp_2")->counters.duplicate);
  const auto facts = library_->undo_facts(kImport).value();
  EXPECT_EQ(1, facts.calls);
  EXPECT_EQ(1, facts.held);
  EXPECT_EQ(1, undo(kImport, 10).removed);
  EXPECT_EQ(2u, library_->calls({}, "", 10)->size());
  EXPECT_EQ(2u, found("renewal"));
}

TEST_F(Undo, LeavesWhatAnotherWorkspaceCountsAsTheSameMeeting) {
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    for (const char* name : {"acme", "other"}) TRY_VOID(tx.set_workspace(name, {.customer = "Acme Group"}));
    return {};
  }));
  bring(kImport, {"call1", "call2"});
  bring("imp_3", {"theirs1"}, 5'000, "other");
  ASSERT_EQ(1, library_->import("imp_3")->counters.duplicate) << "the recording of call1";
  EXPECT_EQ(1, library_->undo_facts(kImport)->held);
  EXPECT_EQ(1, undo(kImport, 10).removed);
  EXPECT_EQ(1u, library_->calls({}, "", 10)->size());
}

/// ID-15: what somebody else has worked on since stays. A call is changed by another import's duplicates policy alone;
/// the directory only says anew whom it is with.
TEST_F(Undo, LeavesWhatAnotherImportHasChangedSince) {
  for (const auto& change :
       {std::pair{DuplicatePolicy::kUpdate, std::string("call1")}, {DuplicatePolicy::kReplace, "call2"}}) {
    const auto policy = change.first;
    const auto id = change.second;
    const std::string theirs = "imp_" + std::string(to_string(policy));
    bring(kImport, {id});
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.put_import(import_row(theirs, "acme")));
      TRY_VOID(tx.add_manifest(theirs, {manifest_row(id, 5'000)}, {}, policy));
      Call call = call_with(id, {segment("said anew")});
      call.start_ms = 5'000;
      TRY_VOID(tx.stage(theirs, call));
      return tx.register_call(theirs, call, policy).map([](auto) {});
    }));
    EXPECT_EQ(1, library_->import(theirs)->counters.duplicate) << id;
  }
  bring(kImport, {"call3"});
  ASSERT_OK(library_->change([](LibraryTx& tx) -> Result<> {
    Contact contact;
    contact.name = "Anna";
    contact.email = "anna@acme.example";
    TRY_VOID(tx.put_person(contact));
    return tx.rematch(0, 100).map([](auto) {});
  }));
  EXPECT_EQ(2, library_->undo_facts(kImport)->held);
  EXPECT_EQ(1, undo(kImport, 10).removed) << "call3";
  EXPECT_EQ(2u, library_->calls({}, "", 10)->size());
}

TEST_F(Undo, OfAnotherImportMayFetchThemAgain) {
  bring(kImport, {"call1"});
  ASSERT_EQ(1, undo(kImport, 10).removed);
  bring("imp_2", {"call1"});
  EXPECT_EQ(1, library_->import("imp_2")->counters.registered);
  EXPECT_EQ(1u, found("renewal"));
}

TEST_F(Undo, RecordingsGoOnceNothingNamesThemAndNoImportIsOpen) {
  bring(kImport, {"call1", "call2"});
  bring("imp_2", {"other1"}, 5'000 + 3'600'000);  // the same content as call1, an hour later: another meeting
  ASSERT_EQ(2, undo(kImport, 10).removed);
  EXPECT_EQ(2, library_->undo_facts(kImport)->media_left);
  EXPECT_EQ(0u, removable().size()) << "an import is open";
  close(kImport);
  close("imp_2");
  const auto hashes = removable();
  ASSERT_EQ(1u, hashes.size()) << "call1's is named by another call";
  EXPECT_EQ('2', hashes.front().back());
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.media_removed(hashes.front()); }));
  EXPECT_EQ(0, library_->undo_facts(kImport)->media_left);
}

}  // namespace
}  // namespace callimport::storage
