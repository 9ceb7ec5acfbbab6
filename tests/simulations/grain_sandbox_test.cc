// The Grain sandbox against the facts page's checklist.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "activities/media/examine.h"
#include "simulations/sandboxes/grain.h"
#include "tests/simulations/grain_bench.h"

namespace callimport::simulations {
namespace {
using testing::HasSubstr;

TEST(GrainSandbox, ChecksTokenThenVersionThenRate) {
  GrainOptions options = Bench::small();
  options.requests_per_minute = 1;
  Bench bench(options);
  bench.send_version = false;
  bench.send_token = false;
  EXPECT_EQ(401, bench.list().status);
  bench.send_token = true;
  bench.token = "grain_pat_other000_0123456789012345678901234567890123456789";
  EXPECT_EQ(401, bench.list().status);
  bench.token = kGrainSandboxToken;
  EXPECT_EQ(400, bench.list().status);
  bench.send_version = true;
  EXPECT_EQ(200, bench.list().status);
  EXPECT_EQ(429, bench.list({{"include", 5}}).status);  // the limit is looked at before the body
}

TEST(GrainSandbox, LimitsByTheMinuteAndSaysSo) {
  GrainOptions options = Bench::small();
  options.requests_per_minute = 3;
  Bench bench(options);
  for (int left = 2; left >= 0; --left) {
    const SandboxReply reply = bench.list();
    EXPECT_EQ(200, reply.status);
    EXPECT_EQ("3", find_header(reply.headers, "x-ratelimit-limit"));
    EXPECT_EQ(std::to_string(left), find_header(reply.headers, "x-ratelimit-remaining"));
    EXPECT_EQ("", find_header(reply.headers, "retry-after"));
  }
  bench.now += 15s;
  const SandboxReply refused = bench.list();
  EXPECT_EQ(429, refused.status);
  EXPECT_EQ("45", find_header(refused.headers, "retry-after"));
  EXPECT_EQ("0", find_header(refused.headers, "x-ratelimit-remaining"));
  bench.now += 45s;
  EXPECT_EQ(200, bench.list().status);
}

TEST(GrainSandbox, ExpiresItsTokenAndTakesTheRenewedOne) {
  GrainOptions options = Bench::small();
  options.expire_after = 2;
  Bench bench(options);
  EXPECT_EQ(200, bench.list().status);
  EXPECT_EQ(200, bench.list().status);
  EXPECT_EQ(401, bench.list().status);
  bench.sandbox->accept("grain_pat_renewed0_0123456789012345678901234567890123456789");
  EXPECT_EQ(401, bench.list().status);
  bench.token = "grain_pat_renewed0_0123456789012345678901234567890123456789";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(200, bench.list().status);
}

struct Body {
  const char* name;
  const char* text;
  int status;
  const char* says;
};
void PrintTo(const Body& row, std::ostream* out) { *out << row.name; }
class GrainBodies : public testing::TestWithParam<Body> {};
TEST_P(GrainBodies, AreCheckedByType) {
  Bench bench;
  const SandboxReply reply = bench.ask("POST", "/_/public-api/v2/recordings", GetParam().text);
  EXPECT_EQ(GetParam().status, reply.status) << reply.body;
  EXPECT_THAT(reply.body, HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(
    Table, GrainBodies,
    testing::Values(
        Body{"Nothing", "", 200, "recordings"}, Body{"EmptyObject", "{}", 200, "recordings"},
        Body{"NotJson", "{", 400, "bad_request"}, Body{"List", "[]", 400, "Expected Object but got Array"},
        Body{"ObjectForBoolean", R"({"include":{"highlights":{"transcript":true}}})", 400,
             "Expected Boolean but got Object. At path: #/include/highlights"},
        Body{"IncludeAsList", R"({"include":["participants"]})", 400, "#/include"},
        Body{"UnknownInclude", R"({"include":{"transcript":true}})", 400, "#/include/transcript"},
        Body{"BooleanForSections", R"({"include":{"ai_template_sections":true}})", 400,
             "Expected Object but got Boolean"},
        Body{"Sections", R"({"include":{"ai_template_sections":{"format":"text"}}})", 200, "ai_template_sections"},
        Body{"WrongDate", R"({"filter":{"after_datetime":"yesterday"}})", 400, "#/filter/after_datetime"},
        Body{"WrongScope", R"({"filter":{"participant_scope":"both"}})", 400, "enum"},
        Body{"UnknownFilter", R"({"filter":{"updated_after":"2026-01-01T00:00:00Z"}})", 400, "#/filter/updated_after"},
        Body{"NumberForCursor", R"({"cursor":5})", 400, "#/cursor"},
        Body{"ForeignCursor", R"({"cursor":"abc"})", 400, "#/cursor"},
        Body{"PageSize", R"({"limit":5})", 400, "#/limit"}),
    [](const auto& test) { return test.param.name; });

TEST(GrainSandbox, PagesThroughAllCallsNewestFirstEndingInNull) {
  for (const std::uint64_t calls : {0u, 1u, 19u, 20u, 21u, 40u, 95u}) {
    Bench bench(Bench::small(calls));
    std::set<std::string> seen;
    std::string last = "9999";
    json body = json::object();
    for (int pages = 0; pages < 10; ++pages) {
      const json page = json::parse(bench.list(body).body);
      for (const json& row : page["recordings"]) {
        EXPECT_TRUE(seen.insert(row["id"]).second);
        EXPECT_LE(row["start_datetime"].get<std::string>(), last);
        last = row["start_datetime"];
      }
      body["cursor"] = page["cursor"];
      if (page["cursor"].is_null()) break;
    }
    EXPECT_TRUE(body["cursor"].is_null());
    EXPECT_EQ(calls, seen.size());
  }
}

TEST(GrainSandbox, FiltersByStartInclusiveAfterExclusiveBefore) {
  Bench bench;
  const auto& calls = bench.sandbox->calls();
  const std::string after = format_utc(calls.start(12)), before = format_utc(calls.start(5));
  const json page =
      json::parse(bench.list({{"filter", {{"after_datetime", after}, {"before_datetime", before}}}}).body);
  ASSERT_EQ(7u, page["recordings"].size());
  EXPECT_EQ(json(calls.head(6).id), page["recordings"][0]["id"]);
  EXPECT_EQ(json(calls.head(12).id), page["recordings"][6]["id"]);
}

TEST(GrainSandbox, FiltersByTitleScopeTeamAndType) {
  Bench bench(Bench::small(200));
  const std::string title = bench.sandbox->calls().head(30).title;
  const json found = json::parse(bench.list({{"filter", {{"title_search", title}}}}).body);
  EXPECT_FALSE(found["recordings"].empty());
  for (const json& row : found["recordings"]) EXPECT_EQ(json(title), row["title"]);
  const json first = json::parse(bench.list({{"filter", {{"participant_scope", "internal"}}}}).body)["recordings"][0];
  const json teams = json::parse(bench.ask("POST", "/_/public-api/v2/teams", "{}").body)["teams"];
  EXPECT_EQ(teams[1]["id"], first["teams"][0]["id"]);
  for (const char* path : {"meeting_types", "users"}) {
    EXPECT_FALSE(json::parse(bench.ask("POST", std::string("/_/public-api/v2/") + path, "{}").body)[path].empty())
        << path;
  }
  EXPECT_EQ(json::array(),
            json::parse(bench.list({{"filter", {{"title_search", "no such words"}}}}).body)["recordings"]);
}

TEST(GrainSandbox, IncludesOnlyWhatWasAskedFor) {
  Bench bench;
  const std::vector<std::string> optional = {"highlights",    "participants",   "ai_action_items", "ai_summary",
                                             "private_notes", "calendar_event", "hubspot",         "screenshares"};
  const json bare = json::parse(bench.call(0, "POST", "", "{}").body);
  for (const auto& key : optional) EXPECT_FALSE(bare.contains(key)) << key;
  for (const auto& key : optional) {
    const json full = json::parse(bench.call(0, "POST", "", json{{"include", {{key, true}}}}.dump()).body);
    EXPECT_EQ(bare.size() + 1, full.size()) << key;
    EXPECT_TRUE(full.contains(key)) << key;
  }
}

TEST(GrainSandbox, RefusesPersonalSwitchesToAWorkspaceToken) {
  GrainOptions options = Bench::small();
  options.token_kind = "wat";
  Bench bench(options);
  EXPECT_EQ(403, bench.list({{"filter", {{"attendance", "hosted"}}}}).status);
  EXPECT_EQ(403, bench.call(0, "POST", "", R"({"include":{"private_notes":true}})").status);
  EXPECT_EQ(200, bench.call(0, "POST", "", R"({"include":{"private_notes":false}})").status);
  EXPECT_EQ(200, Bench().list({{"filter", {{"attendance", "hosted"}}}}).status);
}

TEST(GrainSandbox, HoldsTheOdditiesOfRealWorkspaces) {
  Bench bench(Bench::small(400));
  bool video = false, audio = false, silent = false, no_type = false, no_mail = false, no_show = false,
       absent_host = false, unmatched = false;
  for (std::uint64_t i = 0; i < 400; ++i) {
    const SandboxCall call = bench.sandbox->calls().whole(i);
    video |= call.media_type == "video";
    audio |= call.media_type == "audio";
    silent |= call.media_type == "transcript";
    for (const auto& person : call.people) {
      no_mail |= person.scope == "unknown" && person.email.empty();
      no_show |= !person.attended;
      absent_host |= person.host && !person.attended;
    }
    for (const auto& segment : call.segments) unmatched |= !segment.person;
    no_type |= json::parse(bench.call(i, "POST", "", "{}").body)["meeting_type"].is_null();
  }
  EXPECT_TRUE(video && audio && silent && no_type && no_mail && no_show && absent_host && unmatched);
}

TEST(GrainSandbox, AnswersDeletedAndPrivateCalls) {
  GrainOptions options = Bench::small(200);
  options.generated.deleted_percent = 5;
  options.generated.private_percent = 5;
  Bench bench(options);
  const std::uint64_t deleted = bench.find(CallFate::kDeleted), hidden = bench.find(CallFate::kPrivate);
  for (const auto& [method, rest] :
       {std::pair{"POST", ""}, std::pair{"GET", "/transcript"}, std::pair{"GET", "/download"}}) {
    EXPECT_EQ(404, bench.call(deleted, method, rest).status);
    EXPECT_EQ(403, bench.call(hidden, method, rest).status);
  }
  EXPECT_EQ(404, bench.ask("POST", "/_/public-api/v2/recordings/0d6c6f0e-5a1e-4c2f-9d1b-2f6f3f0a7b11").status);
}

TEST(GrainSandbox, HoldsBackTranscriptsThatAreNotReady) {
  for (const NotReadyKind kind : {NotReadyKind::kEmptyTranscript, NotReadyKind::kNotFound}) {
    GrainOptions options = Bench::small(200);
    options.generated.not_ready_percent = 10;
    options.not_ready = kind;
    Bench bench(options);
    const std::uint64_t late = bench.find(CallFate::kNotReady);
    const SandboxReply early = bench.call(late, "GET", "/transcript");
    EXPECT_EQ(kind == NotReadyKind::kNotFound ? 404 : 200, early.status);
    if (early.status == 200) EXPECT_EQ("[]", early.body);
    EXPECT_EQ(404, bench.call(late, "GET", "/download").status);
    bench.now += 10min;
    EXPECT_GT(json::parse(bench.call(late, "GET", "/transcript").body).size(), 3u);
    EXPECT_EQ(302, bench.call(late, "GET", "/download").status);
  }
}

TEST(GrainSandbox, WritesSubtitlesUnlessTheAcceptHeaderIsNarrow) {
  Bench bench;
  EXPECT_THAT(bench.call(0, "GET", "/transcript.vtt").body, testing::StartsWith("WEBVTT"));
  EXPECT_THAT(bench.call(0, "GET", "/transcript.srt", "", {{"accept", "*/*"}}).body, HasSubstr(" --> "));
  EXPECT_EQ(406, bench.call(0, "GET", "/transcript.txt", "", {{"accept", "text/plain"}}).status);
  EXPECT_EQ(200, bench.call(0, "GET", "/transcript", "", {{"accept", "application/json"}}).status);
}

TEST(GrainSandbox, SendsMediaThroughASignedLinkThatEnds) {
  Bench bench;
  const std::string link = bench.link(0);
  ASSERT_NE("", link);
  const SandboxReply whole = bench.fetch(link);  // no token, no version
  ASSERT_EQ(200, whole.status);
  EXPECT_EQ("", find_header(whole.headers, "accept-ranges"));
  const SandboxReply first = bench.fetch(link, {{"range", "bytes=0-0"}});
  EXPECT_EQ(206, first.status);
  EXPECT_EQ("bytes 0-0/" + std::to_string(whole.body.size()), find_header(first.headers, "content-range"));
  EXPECT_EQ("R", first.body);
  EXPECT_EQ(whole.body.substr(1000), bench.fetch(link, {{"range", "bytes=1000-"}}).body);
  EXPECT_EQ(whole.body.substr(100, 50), bench.fetch(link, {{"range", "bytes=100-149"}}).body);
  EXPECT_EQ(whole.body.substr(whole.body.size() - 9), bench.fetch(link, {{"range", "bytes=-9"}}).body);
  EXPECT_EQ(416, bench.fetch(link, {{"range", "bytes=999999-"}}).status);
  std::string forged = link;
  forged.back() = forged.back() == '0' ? '1' : '0';
  EXPECT_EQ(403, bench.fetch(forged).status);
  bench.now += 10min;
  const SandboxReply late = bench.fetch(link);
  EXPECT_EQ(403, late.status);
  EXPECT_THAT(late.body, HasSubstr("<Error>"));
}

TEST(GrainSandbox, BreaksMediaInEachWayItKnows) {
  GrainOptions options = Bench::small(300);
  options.generated.broken_percent = 50;
  Bench bench(options);
  std::map<MediaState, int> seen;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const SandboxCall call = bench.sandbox->calls().head(i);
    ++seen[call.media];
    if (call.media == MediaState::kNone) {
      EXPECT_EQ("", bench.link(i));
      continue;
    }
    const std::string body = bench.fetch(bench.link(i)).body;
    activities::MediaBytes bytes;
    bytes.size = body.size();
    bytes.read = [&body](std::uint64_t offset, std::span<std::byte> into) -> Result<std::size_t> {
      return body.copy(reinterpret_cast<char*>(into.data()), into.size(), offset);
    };
    const std::string cause = activities::examine_media(bytes, call.duration_ms).fault_cause;
    const bool good = call.media == MediaState::kGood, long_ = call.media == MediaState::kWrongLength;
    EXPECT_EQ(good ? "" : long_ ? "media.length_mismatch" : "media.damaged", cause) << to_string(call.media);
  }
  EXPECT_EQ(6u, seen.size());
}

TEST(GrainSandbox, IsDownWithinItsWindows) {
  GrainOptions options = Bench::small();
  options.outages = {{10s, 20s, OutageKind::kServerError}, {60s, 5s, OutageKind::kRefused}};
  Bench bench(options);
  const auto at = [&](Nanos after) {
    bench.now = kStart + after;
    const SandboxReply reply = bench.list();
    return reply.refused ? 0 : reply.status;
  };
  EXPECT_EQ(200, at(9s));
  EXPECT_EQ(503, at(10s));
  EXPECT_EQ(503, at(29s));
  EXPECT_EQ(200, at(30s));
  EXPECT_EQ(0, at(62s));
  EXPECT_EQ(200, at(65s));
}

TEST(GrainSandbox, IsTheSameForTheSameSeed) {
  Bench one, two;
  GrainOptions other_options = Bench::small();
  other_options.generated.seed = 8;
  Bench other(other_options);
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(one.call(i, "GET", "/transcript").body, two.call(i, "GET", "/transcript").body);
    EXPECT_EQ(one.link(i), two.link(i));
  }
  EXPECT_NE(one.list().body, other.list().body);
}

}  // namespace
}  // namespace callimport::simulations
