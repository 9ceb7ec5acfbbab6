// Search over a library of several calls: order, paging, filters, facets; and a library of the schema before.
#include <span>
#include <string>
#include <vector>

#include "storage/library/calls.h"
#include "storage/library/schema.h"
#include "storage/library/search.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kNovember = 1'793'491'200'000;  // 2026-11-01

class SearchLibrary : public LibraryTest {
 protected:
  /// Calls of one day each, `days` of them, put in out of order; each says "budget" twice and its own number.
  void take_in_days(int days) {
    for (int i = 0; i < days; ++i) {
      const int day = (i * 7) % days;  // `days` has no factor 7
      Call call =
          call_with("c" + std::to_string(day), {segment("the budget of day " + std::to_string(day), 1'000),
                                                segment("more budget", 2'000), segment("closing words", 3'000)});
      call.start_ms = kNovember + day * kDayMs;
      call.title = "Meeting " + std::to_string(day);
      take_in(call);
    }
  }
  std::vector<std::string> titles(const SearchRequest& request) {
    std::vector<std::string> out;
    const auto page = library_->search(request);
    EXPECT_OK(page);
    if (!page) return out;
    for (const auto& hit : page->hits) out.push_back(hit.title);
    return out;
  }
  /// Every page of `limit` hits, one after the other.
  std::vector<std::string> paged(SearchRequest request) {
    std::vector<std::string> out;
    while (true) {
      const auto page = library_->search(request);
      EXPECT_OK(page);
      if (!page) return out;
      EXPECT_LE(page->hits.size(), static_cast<std::size_t>(request.limit));
      for (const auto& hit : page->hits) out.push_back(hit.title + "|" + hit.text);
      if (page->next.empty()) return out;
      request.after = page->next;
    }
  }
};

TEST_F(SearchLibrary, AnswersNewestCallFirstAndACallInItsOwnOrder) {
  take_in_days(5);
  const auto page = library_->search({.query = "budget"});
  ASSERT_OK(page);
  ASSERT_EQ(10u, page->hits.size());
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ("Meeting " + std::to_string(4 - i / 2), page->hits[i].title);
    EXPECT_EQ(i % 2 == 0 ? 1'000 : 2'000, page->hits[i].start_ms);
    EXPECT_EQ("team", page->hits[i].privacy);
  }
}

TEST_F(SearchLibrary, FindsTitlesAndPeopleBesideWhatWasSaid) {  // CL-01
  take_in_days(3);
  const auto title = library_->search({.query = "\"meeting 2\""});
  ASSERT_OK(title);
  ASSERT_EQ(1u, title->hits.size());
  EXPECT_TRUE(title->hits[0].heading);
  EXPECT_EQ("\x02Meeting 2\x03", title->hits[0].text);
  const auto person = library_->search({.query = "ada@example.com", .limit = 1});
  ASSERT_OK(person);
  ASSERT_EQ(1u, person->hits.size());
  EXPECT_EQ(
      "Ada \x02"
      "ada@example.com\x03",
      person->hits[0].text);
}

TEST_F(SearchLibrary, PagesMeetEveryHitOnceInEveryOrder) {
  take_in_days(9);
  const std::vector<std::string> queries = {"budget", "budget import:imp_1", "date:2026-11", "platform:grain"};
  for (const auto& query : queries) {
    for (const SearchOrder order : {SearchOrder::kNewest, SearchOrder::kBest}) {
      const auto whole = paged({.query = query, .limit = 1'000, .order = order});
      EXPECT_EQ(query.starts_with("budget") ? 18u : 9u, whole.size()) << query;
      for (const int limit : {1, 2, 7}) {
        EXPECT_EQ(whole, paged({.query = query, .limit = limit, .order = order})) << query << " by " << limit;
      }
    }
  }
  const auto refused = library_->search({.query = "budget", .after = "b3"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(Code::kInvalid, refused.error().code);
}

TEST_F(SearchLibrary, BestFirstPutsTheFullerHitBeforeTheNewer) {
  Call newer = call_with("new", {segment("a word about renewal among a great many other words that say nothing")});
  newer.start_ms = kNovember + kDayMs;
  Call older = call_with("old", {segment("renewal renewal")});
  older.start_ms = kNovember;
  take_in(newer);
  take_in(older);
  EXPECT_EQ("Call new", titles({.query = "renewal"}).at(0));
  EXPECT_EQ("Call old", titles({.query = "renewal", .order = SearchOrder::kBest}).at(0));
}

TEST_F(SearchLibrary, CallsOfTheSameSecondStandBesideEachOther) {
  for (int i = 0; i < 4; ++i) {
    Call call = call_with("c" + std::to_string(i), {segment("alpha"), segment("beta")});
    call.start_ms = kNovember + i;
    take_in(call);
  }
  EXPECT_EQ(4u, titles({.query = "alpha"}).size());
  EXPECT_EQ(4u, titles({.query = "beta"}).size());
  EXPECT_EQ(2u, titles({.query = "beta", .filter = {.after_ms = kNovember + 1, .before_ms = kNovember + 3}}).size());
  const auto calls = library_->calls({}, "", 10);
  ASSERT_OK(calls);
  for (const auto& call : *calls) {
    EXPECT_EQ(2u, library_->call(call.id)->segments.size());
  }
}

TEST_F(SearchLibrary, TakesStartsFromBeforeAndFarBeyondTheirRange) {
  const std::vector<std::int64_t> starts = {-5'000, 0, 999, (kSecondMax + 10) * 1'000};
  for (const std::int64_t start : starts) {
    Call call = call_with("c" + std::to_string(start), {segment("alpha")});
    call.start_ms = start;
    take_in(call);
  }
  EXPECT_EQ(4u, titles({.query = "alpha"}).size());
  EXPECT_EQ("Call c" + std::to_string(starts.back()), titles({.query = "alpha"}).at(0));
  EXPECT_EQ(1u, titles({.query = "alpha", .filter = {.before_ms = -1}}).size());
  EXPECT_EQ(1u, titles({.query = "alpha", .filter = {.after_ms = 1'000}}).size());
}

struct Filtered {
  const char* query;
  std::size_t hits;
};
TEST_F(SearchLibrary, FiltersOnTheCall) {
  for (int i = 0; i < 600; ++i) {  // more than one portion of ranges, and gaps longer than the index is read across
    Call call = call_with("c" + std::to_string(i), {segment("common words")});
    call.start_ms = kNovember + std::int64_t{i} * 3'600'000;
    call.source = i == 599 ? "Meet" : "zoom";
    call.duration_ms = i % 100 == 0 ? 3'600'000 : 60'000;
    call.transcript_state = i % 2 == 0 ? "ready" : "missing";
    call.media_type = i % 3 == 0 ? "video" : "audio";
    if (i % 5 == 0) call.media.reset();
    call.privacy = i == 3 ? "private" : "team";
    call.segments[0].speaker = i % 300 == 0 ? "Anna Lee" : "Ben";
    take_in(call);
  }
  for (const Filtered& row : {Filtered{"common", 600},
                              Filtered{"common platform:grain", 600},
                              Filtered{"common platform:meet", 1},
                              Filtered{"common -platform:zoom", 1},
                              Filtered{"common length:>=1h", 6},
                              Filtered{"length:>=1h", 6},
                              Filtered{"common length:>1h", 0},
                              Filtered{"common has:transcript", 300},
                              Filtered{"-has:recording common", 120},
                              Filtered{"common has:video", 160},
                              Filtered{"common privacy:private", 1},
                              Filtered{"common -privacy:team", 1},
                              Filtered{"common speaker:anna", 2},
                              Filtered{"speaker:\"anna lee\"", 2},
                              Filtered{"speaker:lee length:>=1h", 2},
                              Filtered{"common -speaker:ben", 2},
                              Filtered{"common import:imp_", 600},
                              Filtered{"common import:imp_2", 0},
                              Filtered{"common date:2026-11-01", 24},
                              Filtered{"common date:2026-11-01..2026-11-02 length:>=1h", 1},
                              Filtered{"common date:>2026-11-25", 0},
                              Filtered{"rare OR common date:<=2026-11-01", 24},
                              Filtered{"customer:nobody common", 0},
                              Filtered{"common -customer:nobody", 600}}) {
    EXPECT_EQ(row.hits, titles({.query = row.query, .limit = 1'000}).size()) << row.query;
  }
}

TEST_F(SearchLibrary, CountsCallsByFacet) {  // CL-03
  take_in_days(31);
  const auto facets = library_->facets({.query = "budget"});
  ASSERT_OK(facets);
  EXPECT_EQ(31, facets->calls);
  EXPECT_EQ(62, facets->hits);
  EXPECT_FALSE(facets->more);
  const std::vector<Facet> wanted = {{"has", "recording", 31}, {"has", "transcript", 31}, {"import", kImport, 31},
                                     {"month", "2026-12", 1},  {"month", "2026-11", 30},  {"platform", "grain", 31}};
  EXPECT_EQ(wanted, facets->facets);
  EXPECT_EQ(1, library_->facets({.query = "date:2026-12"})->calls);
}

/// A library of the schema before: its calls keep their words and are found in the order of their starts.
TEST_F(SearchLibrary, OfTheSchemaBeforeIsCarriedOver) {
  library_.reset();
  path_ = "data/older.db";
  {
    const std::span<const Migration> all = library_schema::kMigrations;
    auto db = Database::open(disk_, path_, {.migrations = all.first(2)});
    ASSERT_OK(db);
    ASSERT_OK(db->exec(R"sql(
INSERT INTO import(id, platform, workspace, title, credential, input, created_ms) VALUES('imp_1', 'grain', 'acme', '', '', '{}', 1);
INSERT INTO lane(import, lane, stage, condition, reason, who, why) VALUES(1, 0, 'fetch', 'running', '', '', ''), (1, 1, 'fetch', 'running', '', '', '');
INSERT INTO call(number, id, platform, workspace, source_id, import, title, source, media_type, start_ms, tags, transcript_state, details, fetched_ms)
VALUES(1, 'call_a', 'grain', 'acme', 'a', 'imp_1', 'First', 'zoom', 'audio', 1793491200000, '[]', 'ready', '{}', 9),
      (2, 'call_b', 'grain', 'acme', 'b', 'imp_1', 'Second', 'zoom', 'audio', 1793491200500, '[]', 'ready', '{}', 9),
      (3, 'call_c', 'grain', 'acme', 'c', 'imp_1', 'Third', 'zoom', 'audio', 1793491300000, '[]', 'missing', '{}', 9),
      (4, 'call_d', 'grain', 'acme', 'd', 'imp_1', 'Fourth', 'zoom', 'audio', -7, '[]', 'ready', '{}', 9);
INSERT INTO participant(call, seq, source_id, name, email, scope, host) VALUES(3, 0, 'p', 'Grace Hopper', 'grace@navy.mil', 'external', 0);
INSERT INTO segment(id, speaker, participant, start_ms, end_ms, text) VALUES
 ((1 << 24) | 0, 'Ada', '', 0, 1, 'alpha one'), ((1 << 24) | 1, 'Ada', '', 1, 2, 'alpha two'),
 ((2 << 24) | 0, 'Ben', '', 0, 1, 'alpha three'), ((4 << 24) | 0, 'Cid', '', 0, 1, 'alpha four');
INSERT INTO segment_text(segment_text) VALUES('rebuild');)sql"));
  }
  reopen();
  std::vector<std::string> texts;
  const auto hits = library_->search({.query = "alpha"});
  ASSERT_OK(hits);
  for (const auto& hit : hits->hits) texts.push_back(hit.call + " " + hit.speaker + " " + hit.text.substr(8));
  const std::vector<std::string> wanted = {"call_a Ada one", "call_a Ada two", "call_b Ben three", "call_d Cid four"};
  EXPECT_EQ(wanted, texts);
  EXPECT_EQ(1u, titles({.query = "hopper"}).size());
  EXPECT_EQ(1u, titles({.query = "third"}).size());
  EXPECT_EQ(2u, library_->call("call_a")->segments.size());
  EXPECT_EQ("alpha two", library_->call("call_a")->segments[1].text);
  EXPECT_EQ(0u, library_->call("call_c")->segments.size());
  Call call = call_with("e", {segment("alpha five")});  // beside the two of its second
  call.start_ms = 1'793'491'200'900;
  take_in(call);
  EXPECT_EQ(5u, titles({.query = "alpha"}).size());
}

}  // namespace
}  // namespace callimport::storage
