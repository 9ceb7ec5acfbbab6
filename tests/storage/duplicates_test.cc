// Calls that reach us twice: recognised, counted, linked; and near misses that are calls of their own.
#include "storage/library/duplicates.h"

#include <string>
#include <vector>

#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

MeetingFacts meeting() {
  return {.platform = "grain",
          .workspace = "acme",
          .customer = "acme",
          .title = "Weekly",
          .hash = "aa",
          .start_ms = 1'000'000'000,
          .length_ms = 1'800'000,
          .emails = {"ada@ours.example", "bob@theirs.example", "cy@theirs.example"}};
}

struct Row {
  const char* name;
  Sameness how;
  void (*change)(MeetingFacts&);
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
class Meetings : public testing::TestWithParam<Row> {};

TEST_P(Meetings, AreTheSameOrNot) {
  MeetingFacts other = meeting();
  GetParam().change(other);
  EXPECT_EQ(GetParam().how, compare(meeting(), other));
  EXPECT_EQ(GetParam().how, compare(other, meeting()));
}

constexpr auto kOther = Sameness::kOther, kRecording = Sameness::kSameRecording, kMeeting = Sameness::kSameMeeting;
INSTANTIATE_TEST_SUITE_P(
    Table, Meetings,
    testing::Values(
        Row{"SameInAll", kRecording, [](MeetingFacts&) {}},
        Row{"SameRecordingUnderAnotherName", kRecording, [](MeetingFacts& m) { m.title = "x", m.emails.clear(); }},
        Row{"SameRecordingOnAnotherDay", kOther, [](MeetingFacts& m) { m.start_ms += 86'400'000; }},
        Row{"RecordedTwice", kMeeting, [](MeetingFacts& m) { m.hash = "bb"; }},
        Row{"WithoutRecordings", kMeeting, [](MeetingFacts& m) { m.hash = ""; }},
        Row{"AtTheLimits", kMeeting,
            [](MeetingFacts& m) { m.hash = "", m.start_ms += 120'000, m.length_ms = 1'836'700; }},
        Row{"BeginsLater", kOther, [](MeetingFacts& m) { m.hash = "", m.start_ms += 120'001; }},
        Row{"IsLonger", kOther, [](MeetingFacts& m) { m.hash = "", m.length_ms = 1'836'800; }},
        Row{"OfUnknownLength", kOther, [](MeetingFacts& m) { m.hash = "", m.length_ms.reset(); }},
        Row{"InParallelUnderAnotherName", kOther, [](MeetingFacts& m) { m.hash = "", m.title = "Weekly B"; }},
        Row{"InParallelWithOthers", kOther, [](MeetingFacts& m) { m.hash = "", m.emails.pop_back(); }},
        Row{"OfNobodyKnown", kOther, [](MeetingFacts& m) { m.hash = "", m.emails.clear(); }},
        Row{"OfAnotherPlatform", kMeeting,
            [](MeetingFacts& m) { m.hash = "", m.platform = "gong", m.title = "x", m.emails.pop_back(); }},
        Row{"OfAnotherWorkspace", kMeeting, [](MeetingFacts& m) { m.hash = "", m.workspace = "b"; }},
        Row{"OfAnotherCustomer", kOther, [](MeetingFacts& m) { m.hash = "", m.workspace = m.customer = "b"; }},
        Row{"SameRecordingOfAnotherCustomer", kOther, [](MeetingFacts& m) { m.workspace = m.customer = "b"; }},
        Row{"OfAnotherPlatformWithFewOfThem", kOther,
            [](MeetingFacts& m) {
              m.hash = "", m.platform = "gong";
              m.emails = {"ada@ours.example", "x@y.example", "z@y.example"};
            }},
        Row{"OfAnotherPlatformWithNobodyKnown", kOther,
            [](MeetingFacts& m) { m.hash = "", m.platform = "gong", m.emails.clear(); }}),
    [](const auto& test) { return std::string(test.param.name); });

class Duplicates : public LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    ImportRow second = import_row("imp_2");
    second.platform = "gong";
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.put_import(second); }));
  }
  static Call weekly(const std::string& source_id) {
    Call call = call_with(source_id, {segment("about renewal")});
    call.title = "Weekly";
    call.participants[1].email = "bob@theirs.example";
    return call;
  }
  CallState take_in_as(const std::string& import, const Call& call, DuplicatePolicy policy) {
    CallState state{};
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.add_manifest(import, {manifest_row(call.source_id)}, {}, policy));
      TRY(state, tx.register_call(import, call, policy));
      return {};
    }));
    return state;
  }
  std::string only_call() {
    const auto calls = library_->calls({}, "", 10);
    EXPECT_EQ(1u, calls->size());
    return calls->at(0).id;
  }
  std::size_t found(const std::string& query) { return library_->search({.query = query})->hits.size(); }
};

TEST_F(Duplicates, WithinAnImportAreCountedAndNameTheCallTheyRepeat) {
  take_in(weekly("a"));
  EXPECT_EQ(CallState::kDuplicate, take_in_as(kImport, weekly("b"), DuplicatePolicy::kSkip));
  EXPECT_EQ((Counters{.found = 2, .registered = 1, .duplicate = 1, .media_bytes = 1'000}), counters());
  const auto row = library_->manifest_row(kImport, "b").value();
  EXPECT_EQ("duplicate.same_meeting", row->cause);
  EXPECT_EQ(only_call(), row->repeats);
}

TEST_F(Duplicates, AcrossPlatformsAreRecognisedToo) {
  take_in(weekly("a"));
  Call again = weekly("other-id");
  again.platform = "gong";
  again.start_ms += 60'000;
  again.title = "Weekly with Bob";
  EXPECT_EQ(CallState::kDuplicate, take_in_as("imp_2", again, DuplicatePolicy::kSkip));
  Call of_others = again;
  of_others.source_id = "third";
  of_others.participants[0].email = "x@y.example";
  of_others.participants[1].email = "z@y.example";
  EXPECT_EQ(CallState::kRegistered, take_in_as("imp_2", of_others, DuplicatePolicy::kSkip));
}

TEST_F(Duplicates, BySourceIdAreSkippedUnlessToldOtherwise) {
  take_in(weekly("a"));
  const std::string id = only_call();
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.put_import(import_row("imp_3")); }));
  Call changed = weekly("a");
  changed.title = "Renamed";
  changed.tags = {"new"};
  changed.participants[1].name = "Robert";
  changed.segments = {segment("about expansion"), segment("and more", 1'000)};
  EXPECT_EQ(CallState::kDuplicate, take_in_as("imp_3", changed, DuplicatePolicy::kSkip));
  EXPECT_EQ("duplicate.skipped", library_->manifest_row("imp_3", "a").value()->cause);
  EXPECT_EQ(id, library_->manifest_row("imp_3", "a").value()->repeats);
  EXPECT_EQ("Weekly", library_->call(id)->title);
}

TEST_F(Duplicates, AreBroughtUpToDateOrReplacedUnderTheirId) {
  for (const auto policy : {DuplicatePolicy::kUpdate, DuplicatePolicy::kReplace}) {
    const bool whole = policy == DuplicatePolicy::kReplace;
    const std::string source = whole ? "r" : "u", import = whole ? "imp_r" : "imp_u";
    Call before = weekly(source);
    before.title = "Old" + source;
    before.segments = {segment("oldwords" + source)};
    take_in(before);
    const std::string id = library_->calls({.text = before.title}, "", 1)->at(0).id;
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.put_import(import_row(import)); }));
    Call after = before;
    after.title = "New" + source;
    after.participants[1].name = "Robert" + source;
    after.segments = {segment("newwords" + source), segment("and more", 1'000)};
    EXPECT_EQ(CallState::kDuplicate, take_in_as(import, after, policy));
    EXPECT_EQ(whole ? "duplicate.replaced" : "duplicate.updated",
              library_->manifest_row(import, source).value()->cause);
    const auto now = library_->call(id);
    ASSERT_OK(now);
    EXPECT_EQ(after.title, now->title);
    EXPECT_EQ(after.participants, now->participants);
    EXPECT_EQ(whole ? after.segments : before.segments, now->segments);
    EXPECT_EQ(1u, found(after.title));
    EXPECT_EQ(0u, found(before.title));
    EXPECT_EQ(1u, found("Robert" + source));
    EXPECT_EQ(whole ? 1u : 0u, found("newwords" + source));
    EXPECT_EQ(whole ? 0u : 1u, found("oldwords" + source));
  }
}

TEST_F(Duplicates, OfTwoCustomersAreCallsOfEachUnlessTheyAreOne) {
  take_in(weekly("a"));
  for (const char* whose : {"", "Acme Group"}) {
    const std::string import = std::string("imp_of_") + (*whose == 0 ? "b" : "c");
    ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      for (const std::string name : {"acme", "other"}) TRY_VOID(tx.set_workspace(name, {.customer = whose}));
      return tx.put_import(import_row(import, "other"));
    }));
    Call again = weekly(import);
    again.workspace = "other";
    again.media->hash = hash_for("a");
    const bool one = *whose != 0;
    EXPECT_EQ(one ? CallState::kDuplicate : CallState::kRegistered, take_in_as(import, again, DuplicatePolicy::kSkip));
    EXPECT_EQ(one ? "duplicate.same_recording" : "", library_->manifest_row(import, import).value()->cause)
        << "the same file, and only of one customer the same call";
  }
}

/// By its looks a call of another import is brought up to date or replaced like one of the same id; one that this
/// import brought itself is not.
TEST_F(Duplicates, ByTheirLooksFollowThePolicyToo) {
  take_in(weekly("a"));
  const std::string id = only_call();
  Call again = weekly("other-id");
  again.platform = "gong";
  again.title = "Weekly, as Gong says";
  again.segments = {segment("about expansion"), segment("and more", 1'000)};
  EXPECT_EQ(CallState::kDuplicate, take_in_as("imp_2", again, DuplicatePolicy::kUpdate));
  EXPECT_EQ("duplicate.updated", library_->manifest_row("imp_2", "other-id").value()->cause);
  EXPECT_EQ(again.title, library_->call(id)->title);
  EXPECT_EQ("about renewal", library_->call(id)->segments.at(0).text);
  again.source_id = "third-id";
  again.media.reset();
  EXPECT_EQ(CallState::kDuplicate, take_in_as("imp_2", again, DuplicatePolicy::kReplace));
  EXPECT_EQ("duplicate.replaced", library_->manifest_row("imp_2", "third-id").value()->cause);
  const auto now = library_->call(id).value();
  EXPECT_EQ(again.segments, now.segments);
  EXPECT_EQ(hash_for("a"), now.media->hash) << "a recording that the other did not bring stays";
  EXPECT_EQ("a", now.source_id);
  Call fourth = weekly("fourth");
  fourth.title = again.title;
  EXPECT_EQ(CallState::kDuplicate, take_in_as(kImport, fourth, DuplicatePolicy::kReplace));
  EXPECT_EQ("duplicate.same_meeting", library_->manifest_row(kImport, "fourth").value()->cause)
      << "its own call, brought a moment ago";
}

TEST_F(Duplicates, AreRecognisedWhileTheFirstIsStaged) {
  Call details = weekly("second");
  details.segments.clear();
  details.media.reset();
  details.import = kImport;
  EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    auto row = manifest_row("first");
    row.start_ms = weekly("first").start_ms;
    TRY_VOID(tx.add_manifest(kImport, {row}));
    return tx.stage(kImport, weekly("first"));
  }));
  const auto found = library_->repeated(details, "grain", "acme").value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ("", found->call) << "it has no id yet";
  EXPECT_EQ(Sameness::kSameMeeting, found->how);
  Call other = details;
  other.title = "Another";
  EXPECT_FALSE(library_->repeated(other, "grain", "acme").value().has_value());
  Call itself = details;
  itself.source_id = "first";
  EXPECT_FALSE(library_->repeated(itself, "grain", "acme").value().has_value()) << "it is no copy of itself";
  details.import = "imp_2";
  EXPECT_FALSE(library_->repeated(details, "grain", "acme").value().has_value()) << "another import stages its own";
}

TEST_F(Duplicates, ReplacedLeaveTheirRecordingToBeRemoved) {
  take_in(weekly("a"));
  Call again = weekly("other");
  again.platform = "gong";
  again.media->hash = hash_for("another-recording");
  EXPECT_EQ(CallState::kDuplicate, take_in_as("imp_2", again, DuplicatePolicy::kReplace));
  EXPECT_EQ(again.media->hash, library_->call(only_call())->media->hash);
  const auto removable = [&] {
    std::vector<std::string> hashes;
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY(hashes, tx.removable_media(10));
      return {};
    }));
    return hashes;
  };
  EXPECT_TRUE(removable().empty()) << "an import that is open may need the file";
  for (const char* import : {kImport, "imp_2"})
    EXPECT_OK(library_->change([&](LibraryTx& tx) { return tx.close_import(import, 9'000, "{}"); }));
  EXPECT_EQ(std::vector<std::string>{hash_for("a")}, removable());
  Call third = weekly("third");
  third.start_ms += 86'400'000;
  third.media->hash = hash_for("a");
  take_in(third);
  EXPECT_TRUE(removable().empty()) << "another call has the same recording";
}

TEST_F(Duplicates, AreRecognisedByDetailsAlone) {
  take_in(weekly("a"));
  const std::string id = only_call();
  Call details = weekly("other-id");
  details.platform = "gong";
  details.segments.clear();
  details.media.reset();
  EXPECT_EQ(id, library_->repeated(details, "gong", "acme").value()->call);
  EXPECT_EQ(Sameness::kSameId, library_->repeated(weekly("a"), "grain", "acme").value()->how);
  const auto recognise = [&](const Call& call, DuplicatePolicy policy) {
    CallState state{};
    EXPECT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
      TRY_VOID(tx.add_manifest("imp_2", {manifest_row(call.source_id)}));
      TRY(state, tx.recognise("imp_2", call, policy));
      return {};
    }));
    return state;
  };
  EXPECT_EQ(CallState::kPending, recognise(details, DuplicatePolicy::kReplace)) << "it is to be fetched whole";
  EXPECT_EQ(CallState::kDuplicate, recognise(details, DuplicatePolicy::kSkip));
  EXPECT_EQ(CallState::kDuplicate, recognise(details, DuplicatePolicy::kSkip)) << "again answers the same";
  Call new_one = details;
  new_one.source_id = "new";
  new_one.start_ms += 7'200'000;
  EXPECT_EQ(CallState::kPending, recognise(new_one, DuplicatePolicy::kSkip));
  EXPECT_EQ(1u, library_->calls({}, "", 10)->size());
}

}  // namespace
}  // namespace callimport::storage
