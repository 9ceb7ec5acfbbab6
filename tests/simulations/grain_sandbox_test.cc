// The Grain sandbox against the facts page's checklist, and against our own connector; in process.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "activities/media/examine.h"
#include "activities/platforms/platform.h"
#include "simulations/sandboxes/content_calls.h"
#include "simulations/sandboxes/grain.h"
#include "simulations/sandboxes/in_process.h"
#include "simulations/world/sim_loop.h"
#include "tests/activities/waiting.h"

#include <filesystem>

namespace callimport::simulations {
namespace {
using activities::find_platform;
using activities::HttpReply;
using activities::HttpRequest;
using nlohmann::json;
using testing::HasSubstr;

constexpr Timestamp kStart = kSimulationStart;

HttpRequest request_for(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
}

struct Bench {
  Bench() : Bench(small(50)) {}
  explicit Bench(GrainOptions options) {
    auto made = GrainSandbox::make(std::move(options));
    EXPECT_TRUE(made) << made.error().message;
    sandbox = std::move(*made);
    sandbox->start_at(kStart);
  }
  static GrainOptions small() { return small(50); }
  static GrainOptions small(std::uint64_t calls) {
    GrainOptions options;
    options.generated.calls = calls;
    options.generated.media_bytes = 4'000;
    options.requests_per_minute = 0;
    return options;
  }
  SandboxReply ask(const std::string& method, const std::string& target, const std::string& body = "", SandboxHeaders more = {}) {
    SandboxRequest request{method, target, {{"host", "sandbox.test:9301"}}, body};
    if (send_token) request.headers.emplace_back("authorization", "Bearer " + token);
    if (send_version) request.headers.emplace_back("public-api-version", "2025-10-31");
    for (auto& header : more) request.headers.push_back(std::move(header));
    return sandbox->handle(request, now);
  }
  SandboxReply list(const json& body = json::object()) { return ask("POST", "/_/public-api/v2/recordings", body.dump()); }
  SandboxReply call(std::uint64_t index, const std::string& method, const std::string& rest, const std::string& body = "", SandboxHeaders more = {}) {
    return ask(method, "/_/public-api/v2/recordings/" + sandbox->calls().head(index).id + rest, body, std::move(more));
  }
  /// Path and query of the media link of a call.
  std::string link(std::uint64_t index) {
    const SandboxReply reply = call(index, "GET", "/download");
    const std::string_view location = find_header(reply.headers, "location");
    return location.empty() ? "" : std::string(location.substr(std::string_view("http://sandbox.test:9301").size()));
  }
  SandboxReply fetch(const std::string& target, SandboxHeaders headers = {}) {
    return sandbox->handle({"GET", target, std::move(headers), ""}, now);
  }
  std::uint64_t find(CallFate fate) const {
    for (std::uint64_t i = 0; i < sandbox->calls().size(); ++i) {
      if (sandbox->calls().head(i).fate == fate) return i;
    }
    ADD_FAILURE() << "no such call in this workspace";
    return 0;
  }
  std::unique_ptr<GrainSandbox> sandbox;
  Timestamp now = kStart;
  std::string token{kGrainSandboxToken};
  bool send_token = true, send_version = true;
};

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

struct Body { const char* name; const char* text; int status; const char* says; };
void PrintTo(const Body& row, std::ostream* out) { *out << row.name; }
class GrainBodies : public testing::TestWithParam<Body> {};
TEST_P(GrainBodies, AreCheckedByType) {
  Bench bench;
  const SandboxReply reply = bench.ask("POST", "/_/public-api/v2/recordings", GetParam().text);
  EXPECT_EQ(GetParam().status, reply.status) << reply.body;
  EXPECT_THAT(reply.body, HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(Table, GrainBodies, testing::Values(
    Body{"Nothing", "", 200, "recordings"}, Body{"EmptyObject", "{}", 200, "recordings"}, Body{"NotJson", "{", 400, "bad_request"},
    Body{"List", "[]", 400, "Expected Object but got Array"},
    Body{"ObjectForBoolean", R"({"include":{"highlights":{"transcript":true}}})", 400, "Expected Boolean but got Object. At path: #/include/highlights"},
    Body{"IncludeAsList", R"({"include":["participants"]})", 400, "#/include"},
    Body{"UnknownInclude", R"({"include":{"transcript":true}})", 400, "#/include/transcript"},
    Body{"BooleanForSections", R"({"include":{"ai_template_sections":true}})", 400, "Expected Object but got Boolean"},
    Body{"Sections", R"({"include":{"ai_template_sections":{"format":"text"}}})", 200, "ai_template_sections"},
    Body{"WrongDate", R"({"filter":{"after_datetime":"yesterday"}})", 400, "#/filter/after_datetime"},
    Body{"WrongScope", R"({"filter":{"participant_scope":"both"}})", 400, "enum"},
    Body{"UnknownFilter", R"({"filter":{"updated_after":"2026-01-01T00:00:00Z"}})", 400, "#/filter/updated_after"},
    Body{"NumberForCursor", R"({"cursor":5})", 400, "#/cursor"}, Body{"ForeignCursor", R"({"cursor":"abc"})", 400, "#/cursor"},
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
  const json page = json::parse(bench.list({{"filter", {{"after_datetime", after}, {"before_datetime", before}}}}).body);
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
    EXPECT_FALSE(json::parse(bench.ask("POST", std::string("/_/public-api/v2/") + path, "{}").body)[path].empty()) << path;
  }
  EXPECT_EQ(json::array(), json::parse(bench.list({{"filter", {{"title_search", "no such words"}}}}).body)["recordings"]);
}

TEST(GrainSandbox, IncludesOnlyWhatWasAskedFor) {
  Bench bench;
  const std::vector<std::string> optional = {"highlights", "participants", "ai_action_items", "ai_summary", "private_notes", "calendar_event", "hubspot", "screenshares"};
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
  bool video = false, audio = false, silent = false, no_type = false, no_mail = false, no_show = false, absent_host = false, unmatched = false;
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
  for (const auto& [method, rest] : {std::pair{"POST", ""}, std::pair{"GET", "/transcript"}, std::pair{"GET", "/download"}}) {
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

TEST(GeneratedCalls, AMillionAreFoundByTheirIdsInOrder) {
  GeneratedOptions options;
  options.calls = 1'000'000;
  const auto calls = generated_calls(options);
  Timestamp before = Timestamp::max();
  for (std::uint64_t i = 0; i < 1'000'000; i += 997) {
    const SandboxCall call = calls->head(i);
    EXPECT_EQ(i, calls->find(call.id));
    EXPECT_LE(call.start, before);
    before = call.start;
  }
  EXPECT_FALSE(calls->find("0d6c6f0e-5a1e-4c2f-9d1b-2f6f3f0a7b11"));
  EXPECT_FALSE(calls->find(std::string(10'000, 'a')));
}

TEST(GeneratedCalls, NoTwoRecordingsAreTheSameAndRangesFitTogether) {
  GeneratedOptions options;
  options.media_bytes = 3'000;
  options.transcript_only_percent = 0;
  const auto calls = generated_calls(options);
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    const std::uint64_t size = calls->media(i).bytes;
    const std::string whole = calls->media_bytes(i, 0, size);
    EXPECT_EQ(size, whole.size());
    EXPECT_TRUE(seen.insert(whole).second) << i;
    EXPECT_EQ(whole, calls->media_bytes(i, 0, 50) + calls->media_bytes(i, 50, 70) + calls->media_bytes(i, 120, size - 120));
  }
}

// ---- the connector and the sandbox understand each other -------------------------------------------------------------------

TEST(GrainTogether, ConnectorReadsEverythingTheSandboxSays) {
  SimLoop loop;
  auto sandbox = GrainSandbox::make(Bench::small(45));
  ASSERT_TRUE(sandbox);
  SandboxHttp http(**sandbox, loop);
  http.keep_log();
  const auto& grain = *find_platform("grain");
  const activities::PlatformSession session{"http://sandbox.test", storage::Secret(std::string(kGrainSandboxToken)), "pat"};
  const auto send = [&](HttpRequest request) {
    auto reply = run_on(loop, http.send(std::move(request)));
    EXPECT_TRUE(reply) << reply.error().message;
    return reply.value_or(HttpReply{});
  };
  activities::ListQuery query;
  std::vector<storage::ManifestRow> rows;
  while (true) {
    const auto page = grain.read_page(send(grain.list(session, query)), loop.now());
    ASSERT_TRUE(page);
    rows.insert(rows.end(), page->calls.begin(), page->calls.end());
    if (!page->next) break;
    query.cursor = *page->next;
  }
  ASSERT_EQ(45u, rows.size());
  for (std::uint64_t i = 0; i < rows.size(); ++i) {
    const SandboxCall expected = (*sandbox)->calls().whole(i);
    const auto call = grain.read_details(send(grain.details(session, rows[i].source_id)), loop.now());
    ASSERT_TRUE(call);
    EXPECT_EQ(expected.title, call->title);
    EXPECT_EQ(to_unix_ms(expected.start), call->start_ms);
    EXPECT_EQ(expected.duration_ms, call->duration_ms);
    ASSERT_EQ(expected.people.size(), call->participants.size());
    const auto segments = grain.read_transcript(send(grain.transcript(session, rows[i].source_id)), loop.now());
    ASSERT_TRUE(segments);
    ASSERT_EQ(expected.segments.size(), segments->size());
    EXPECT_EQ(expected.segments[2].text, (*segments)[2].text);
    const auto link = grain.read_media(send(grain.media(session, rows[i].source_id)), loop.now());
    ASSERT_EQ(expected.media != MediaState::kNone, link.has_value());
    if (!link) continue;
    HttpRequest download;
    download.url = link->url;
    std::string got;
    download.on_body = [&got](std::string_view piece) -> Result<> { got += piece; return {}; };
    EXPECT_EQ(200, send(download).status);
    EXPECT_EQ((*sandbox)->calls().media_bytes(i, 0, (*sandbox)->calls().media(i).bytes), got);
  }
  for (const auto& entry : http.log()) EXPECT_EQ(std::string::npos, to_json_line(entry).find("grain_pat")) << to_json_line(entry);
}

TEST(SandboxHttp, PassesDelaysOnTheClockAndTimesOut) {
  SimLoop loop;
  GrainOptions options = Bench::small();
  options.slow = 5s;
  auto sandbox = GrainSandbox::make(options);
  SandboxHttp http(**sandbox, loop);
  HttpRequest request = request_for("http://sandbox.test/_/public-api/v2/recordings");
  request.method = "POST";
  EXPECT_EQ(401, run_on(loop, http.send(request))->status);
  EXPECT_EQ(kSimulationStart + 5s, loop.now());
  request.timeout = 2s;
  EXPECT_EQ(Code::kUnavailable, run_on(loop, http.send(request)).error().code);
  EXPECT_EQ(kSimulationStart + 7s, loop.now());
}

TEST(SandboxHttp, FailsTheCallItIsToldTo) {
  SimLoop loop;
  auto sandbox = GrainSandbox::make(Bench::small());
  SandboxHttp http(**sandbox, loop);
  http.set_fault([](std::uint64_t number) -> std::optional<Error> {
    if (number != 2) return std::nullopt;
    return Error{Code::kUnavailable, "as told"};
  });
  const HttpRequest request = request_for("http://sandbox.test/");
  EXPECT_TRUE(run_on(loop, http.send(request)));
  EXPECT_EQ("as told", run_on(loop, http.send(request)).error().message);
  EXPECT_TRUE(run_on(loop, http.send(request)));
  EXPECT_EQ(3u, http.requests());
}

TEST(SandboxHttp, CutsBodiesRefusesAndBoundsThem) {
  SimLoop loop;
  GrainOptions options = Bench::small(10);
  options.generated.transcript_only_percent = 0;
  options.cut_percent = 100;
  options.outages = {{100s, 10s, OutageKind::kRefused}};
  auto sandbox = GrainSandbox::make(options);
  (*sandbox)->start_at(loop.now());
  SandboxHttp http(**sandbox, loop);
  Bench bench(options);
  HttpRequest request = request_for("http://sandbox.test:9301" + bench.link(0));
  std::string got;
  request.on_body = [&got](std::string_view piece) -> Result<> { got += piece; return {}; };
  EXPECT_EQ(Code::kUnavailable, run_on(loop, http.send(request)).error().code);
  const std::uint64_t size = (*sandbox)->calls().media(0).bytes;
  EXPECT_EQ(size / 2, got.size());
  request.headers = {{"Range", "bytes=" + std::to_string(got.size()) + "-"}};
  EXPECT_EQ(206, run_on(loop, http.send(request))->status);
  EXPECT_EQ((*sandbox)->calls().media_bytes(0, 0, size), got);
  request.on_body = nullptr;
  request.body_bytes_max = 10;
  EXPECT_EQ(Code::kInvalid, run_on(loop, http.send(request)).error().code);
  loop.run_for(100s);
  EXPECT_EQ(Code::kUnavailable, run_on(loop, http.send(request)).error().code);
  request.url = "ftp://sandbox.test/";
  EXPECT_EQ(Code::kInvalid, run_on(loop, http.send(request)).error().code);
  request.url = "http://sandbox.test/";
  request.headers = {{"Authorization", "Bearer a\nb"}};
  EXPECT_EQ(Code::kInvalid, run_on(loop, http.send(request)).error().code);
}

TEST(SandboxOptions, ReadsItsFlags) {
  const auto command = sandbox_options({"--listen", "127.0.0.1:9301", "--calls", "12", "--seed=9", "--rate", "off", "--page-size", "5", "--media-bytes", "2000",
                                        "--token", "T", "--expire-after", "3", "--renewed-token", "T2", "--outage", "30+120", "--outage", "500+10:refuse",
                                        "--broken", "2.5", "--deleted", "1", "--private", "1", "--not-ready", "3:404:60", "--slow", "20", "--log", "r.jsonl"});
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(9301, command->port);
  EXPECT_EQ(12u, command->grain.generated.calls);
  EXPECT_EQ(9u, command->grain.generated.seed);
  EXPECT_EQ(0, command->grain.requests_per_minute);
  ASSERT_EQ(2u, command->grain.outages.size());
  EXPECT_EQ(OutageKind::kRefused, command->grain.outages[1].kind);
  EXPECT_EQ(2.5, command->grain.generated.broken_percent);
  EXPECT_EQ(NotReadyKind::kNotFound, command->grain.not_ready);
  EXPECT_EQ(Nanos{60s}, command->grain.not_ready_for);
  EXPECT_EQ(Nanos{20ms}, command->grain.slow);
}

TEST(SandboxOptions, NameTheFlagThatIsWrong) {
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"--rate", "0"}, {"--rate", "fast"}, {"--calls", "-1"}, {"--page-size", "1001"}, {"--broken", "101"}, {"--outage", "5"}, {"--listen", "9301"},
           {"--listen", "127.0.0.1:70000"}, {"--media", "maybe"}, {"--wrong", "5"}, {"--seed"}, {"--token-kind", "x"}}) {
    const auto command = sandbox_options(args);
    ASSERT_FALSE(command) << args[0];
    EXPECT_THAT(command.error().message, HasSubstr(args[0]));
  }
  EXPECT_FALSE(sandbox_options({"calls"}));
  GrainOptions nowhere;
  nowhere.content_dir = "/no/such/folder";
  EXPECT_FALSE(GrainSandbox::make(nowhere));
}

TEST(ContentCalls, ServeEveryTranscriptAndRecordingAsItIs) {
  const std::string folder = std::string(CALLIMPORT_SOURCE_DIR) + "/../shared/calls";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no recorded calls beside this repository: " << folder;
  const auto calls = content_calls(folder);
  ASSERT_TRUE(calls) << calls.error().message;
  EXPECT_EQ(44u, (*calls)->size());  // 40 transcripts, and a call for each of the 4 broken recordings
  std::set<std::string> files;
  for (std::uint64_t i = 0; i < (*calls)->size(); ++i) {
    const SandboxMedia media = (*calls)->media(i);
    files.insert(media.file_name);
    EXPECT_EQ(std::filesystem::file_size(folder + "/media/" + media.file_name), media.bytes);
    if (i > 0) EXPECT_LE((*calls)->start(i), (*calls)->start(i - 1));
  }
  EXPECT_EQ(16u, files.size());
  const auto found = (*calls)->find(uuid_of_text("harpervalley-004860b1ab2e4c88"));
  ASSERT_TRUE(found);
  const SandboxCall call = (*calls)->whole(*found);
  EXPECT_EQ("replace card", call.title);
  EXPECT_EQ("2020-05-30T17:43:29Z", format_utc(call.start));
  EXPECT_EQ(45'248, call.length_ms);
  EXPECT_EQ("Mary Smith", call.people[0].name);
  EXPECT_EQ("hi my name is mary smith", call.segments[2].text);
  EXPECT_TRUE((*calls)->find(uuid_of_text("broken-html-page.mp3")));
}

}  // namespace
}  // namespace callimport::simulations
