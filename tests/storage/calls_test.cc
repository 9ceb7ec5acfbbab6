// Calls go in once and come out as they went in.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

void expect_same(const Call& in, const Call& out) {
  EXPECT_EQ(in.platform, out.platform);
  EXPECT_EQ(in.workspace, out.workspace);
  EXPECT_EQ(in.source_id, out.source_id);
  EXPECT_EQ(in.title, out.title);
  EXPECT_EQ(in.source, out.source);
  EXPECT_EQ(in.media_type, out.media_type);
  EXPECT_EQ(in.start_ms, out.start_ms);
  EXPECT_EQ(in.end_ms, out.end_ms);
  EXPECT_EQ(in.duration_ms, out.duration_ms);
  EXPECT_EQ(in.tags, out.tags);
  EXPECT_EQ(in.participants, out.participants);
  EXPECT_EQ(in.segments, out.segments);
  EXPECT_EQ(in.media, out.media);
  EXPECT_EQ(in.transcript_state, out.transcript_state);
  EXPECT_EQ(in.details, out.details);
  EXPECT_EQ(in.fetched_ms, out.fetched_ms);
  EXPECT_EQ(in.privacy, out.privacy);
}

struct Row {
  const char* name;
  std::string title, segment;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class CallTexts : public LibraryTest, public testing::WithParamInterface<Row> {};

TEST_P(CallTexts, ComeOutOfStagingAndLibraryAsTheyWentIn) {
  Call call = call_with("c1", {segment(GetParam().segment), segment("after", 1'000)});
  call.title = call.participants[0].name = call.participants[1].email = call.tags[0] = GetParam().title;
  call.segments[0].speaker = call.source = call.details = GetParam().title;
  add_calls({"c1"});
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.stage(kImport, call); }));
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY(const auto staged, tx.staged(kImport, 10));
    EXPECT_EQ(1u, staged.size());
    expect_same(call, staged.at(0));
    TRY(const CallState state, tx.register_call(kImport, staged.at(0)));
    EXPECT_EQ(CallState::kRegistered, state);
    return {};
  }));
  const auto listed = library_->calls({}, "", 10);
  ASSERT_OK(listed);
  ASSERT_EQ(1u, listed->size());
  const auto out = library_->call(listed->front().id);
  ASSERT_OK(out);
  expect_same(call, *out);
  EXPECT_EQ(kImport, out->import);
}

INSTANTIATE_TEST_SUITE_P(Texts, CallTexts,
                         testing::Values(Row{"Plain", "Weekly", "hello there"}, Row{"Empty", "", ""},
                                         Row{"ControlCharacters", "a\x01\x02\x03\x1b[31m\r\n\tb\x7f",
                                             "\x02x\x03 bell\x07"},
                                         Row{"NulBytes", std::string("a\0b\0", 4), std::string("\0", 1)},
                                         Row{"RightToLeft", "\u202eabc \u202c שיחה مكالمة", "مرحبا بالعالم"},
                                         Row{"Quotes", "'; DROP TABLE call; --\"", "it's \"fine\" \\ %_"},
                                         Row{"Emoji", "👩‍👩‍👧‍👦 ok", "👍🏽"},
                                         Row{"Long", std::string(10'000, 'x'), std::string(2'000'000, 'y')},
                                         Row{"Decomposed", "e\u0301te\u0301", "cafe\u0301"}),
                         [](const auto& test) { return std::string(test.param.name); });

using Calls = LibraryTest;

TEST_F(Calls, AreThereOnceWhateverIsRepeated) {
  const Call call = call_with("c1", {segment("once")});
  take_in(call);
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY(const CallState again, tx.register_call(kImport, call));
    EXPECT_EQ(CallState::kRegistered, again);
    return {};
  }));
  EXPECT_EQ(1u, library_->calls({}, "", 10)->size());
  EXPECT_EQ(1u, library_->search({.query = "once"})->hits.size());
  EXPECT_EQ((Counters{.found = 1, .registered = 1, .media_bytes = 1'000}), counters());
}

TEST_F(Calls, OfAnotherImportOfTheWorkspaceAreDuplicates) {
  add_calls({"c1", "c2"});
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY_VOID(tx.put_import(import_row("imp_2")));
    TRY_VOID(tx.add_manifest("imp_2", {manifest_row("c1")}));  // before it is known
    TRY_VOID(tx.register_call("imp_2", call_with("c1", {})));
    TRY(const CallState state, tx.register_call(kImport, call_with("c1", {})));
    EXPECT_EQ(CallState::kDuplicate, state);
    TRY_VOID(tx.put_import(import_row("imp_3")));
    TRY_VOID(tx.add_manifest("imp_3", {manifest_row("c1"), manifest_row("c2")}));  // c1 after it is known
    TRY_VOID(tx.put_import(import_row("imp_4", "other workspace")));
    TRY_VOID(tx.add_manifest("imp_4", {manifest_row("c1")}));
    return {};
  }));
  EXPECT_EQ((Counters{.found = 2, .duplicate = 1, .pending = 1}), counters());
  EXPECT_EQ((Counters{.found = 2, .duplicate = 1, .pending = 1}), library_->import("imp_3")->counters);
  EXPECT_EQ((Counters{.found = 1, .pending = 1}), library_->import("imp_4")->counters);
  EXPECT_EQ("imp_2", library_->calls({}, "", 10)->at(0).import);
}

TEST_F(Calls, ATwentyMegabyteTranscriptComesThrough) {
  std::vector<Segment> segments;
  std::size_t bytes = 0;
  for (int i = 0; bytes < 20'000'000; ++i) {
    segments.push_back(segment(
        "segment number " + std::to_string(i) + std::string(200, ' ') + "words and words and words", i * 1'000));
    bytes += segments.back().text.size();
  }
  Call call = call_with("big", segments);
  add_calls({"big"});
  ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.stage(kImport, call); }));
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY(const auto staged, tx.staged(kImport, 1));
    TRY_VOID(tx.register_call(kImport, staged.at(0)));
    return {};
  }));
  const auto out = library_->call(library_->calls({}, "", 1)->at(0).id);
  ASSERT_OK(out);
  EXPECT_EQ(segments, out->segments);
}

/// Every transcript of real speech that is there, through staging and library.
TEST_F(Calls, RealTranscriptsComeOutAsTheyWentIn) {
  const std::string folder = std::string(CALLIMPORT_SOURCE_DIR) + "/../shared/calls";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no transcripts in " << folder;
  int calls = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line); ++calls) {
      const auto json = nlohmann::json::parse(line);
      std::vector<Segment> segments;
      for (const auto& s : json.at("segments")) {
        const std::string speaker = std::to_string(s.at("speaker").get<int>());
        segments.push_back({speaker, speaker, s.at("start_ms"), s.at("end_ms"), s.at("text")});
      }
      Call call = call_with(json.at("id"), std::move(segments));
      call.start_ms = 10'000 + calls;
      take_in(call);
      const auto listed = library_->calls({}, "", 1);
      ASSERT_OK(listed);
      const auto out = library_->call(listed->at(0).id);
      ASSERT_OK(out);
      expect_same(call, *out);
    }
  }
  EXPECT_GT(calls, 0);
}

TEST_F(Calls, TooLongAPortionOfStagedCallsComesInParts) {
  const Call big = call_with("a", std::vector<Segment>(4, segment(std::string(5'000'000, 'x'))));
  for (const char* id : {"a", "b", "c"}) {
    Call call = big;
    call.source_id = id;
    add_calls({id});
    ASSERT_OK(library_->change([&](LibraryTx& tx) { return tx.stage(kImport, call); }));
  }
  ASSERT_OK(library_->change([&](LibraryTx& tx) -> Result<> {
    TRY(const auto staged, tx.staged(kImport, 10));
    EXPECT_EQ(1u, staged.size());
    EXPECT_EQ("a", staged.at(0).source_id);
    return {};
  }));
}

TEST_F(Calls, AreFoundByTheBeginningOfTheirId) {
  for (const char* id : {"c1", "c2"}) take_in(call_with(id, {segment("hello")}));
  const auto listed = library_->calls({}, "", 10);
  ASSERT_OK(listed);
  ASSERT_EQ(2u, listed->size());
  const std::string id = listed->at(0).id;
  EXPECT_EQ(id, library_->call(id.substr(0, 15))->id);
  EXPECT_EQ(Code::kConflict, library_->call("call_").error().code);
  for (const std::string& wrong :
       {std::string("call_~"), std::string(""), std::string("c"), id + "0", std::string(10'000, 'c'),
        "call_" + std::string(10'000, 'c'), std::string("call_\0", 6), std::string("call_%")}) {
    EXPECT_EQ(Code::kNotFound, library_->call(wrong).error().code) << wrong.substr(0, 50);
    EXPECT_LT(library_->call(wrong).error().message.size(), 300u);
  }
}

TEST_F(Calls, AreListedNewestFirstPageByPage) {
  for (int i = 0; i < 25; ++i) {
    Call call = call_with("c" + std::to_string(i), {});
    call.start_ms = 1'000 * (i / 2);  // in pairs that start together
    call.title = i % 2 == 0 ? "50% off" : "Änderung_1";
    take_in(call);
  }
  std::vector<std::pair<std::int64_t, std::string>> seen;
  std::string after;
  while (true) {
    const auto page = library_->calls({}, after, 7);
    ASSERT_OK(page);
    if (page->empty()) break;
    for (const auto& call : *page) {
      EXPECT_TRUE(call.segments.empty());
      seen.emplace_back(call.start_ms, call.id);
    }
    after = page->back().id;
  }
  EXPECT_EQ(25u, seen.size());
  EXPECT_TRUE(std::is_sorted(seen.rbegin(), seen.rend()));

  const auto count = [&](const CallFilter& filter) { return library_->calls(filter, "", 100)->size(); };
  EXPECT_EQ(13u, count({.text = "50%"}));
  EXPECT_EQ(12u, count({.text = "g_"}));
  EXPECT_EQ(0u, count({.text = "5_"}));
  EXPECT_EQ(25u, count({.import = kImport}));
  EXPECT_EQ(0u, count({.import = "imp_9"}));
  EXPECT_EQ(0u, count({.platform = "gong"}));
  EXPECT_EQ(4u, count({.after_ms = 3'000, .before_ms = 5'000}));
  EXPECT_EQ(Code::kNotFound, library_->calls({}, "call_gone", 10).error().code);
}

}  // namespace
}  // namespace callimport::storage
