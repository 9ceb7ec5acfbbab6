// The Grain connector: what it asks, and what it makes of what comes, friendly or hostile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "activities/platforms/answers.h"
#include "activities/platforms/json.h"
#include "activities/platforms/platform.h"

namespace callimport::activities {
namespace {
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr char kId[] = "0d6c6f0e-5a1e-4c2f-9d1b-2f6f3f0a7b11";
constexpr char kToken[] = "grain_pat_AbCdEfGh_0123456789012345678901234567890123456789";
const Timestamp kNow = Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 9 / 5}};

const Platform& connector() { return *find_platform("grain"); }
PlatformSession session() { return {"http://127.0.0.1:9301", storage::Secret(kToken), "pat"}; }
HttpReply reply(int status, std::string body = "", std::vector<std::pair<std::string, std::string>> headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

/// The trouble as one line: kind, cause, and how long.
std::string describe(const Trouble& trouble) {
  struct Describe {
    std::string operator()(const Again& t) const {
      return "again " + t.cause + (t.after ? " " + std::to_string(t.after->count() / 1'000'000'000) : "");
    }
    std::string operator()(const Wait& t) const {
      return "wait " + t.cause + " " + std::to_string((t.until - kNow).count() / 1'000'000'000);
    }
    std::string operator()(const NeedsAttention& t) const { return "attention " + t.cause; }
    std::string operator()(const CallFailed& t) const { return "failed " + t.cause; }
    std::string operator()(const NotReady& t) const { return "not ready " + t.cause; }
  };
  return std::visit(Describe{}, trouble);
}
template <class T>
std::string describe(const Fetched<T>& fetched) {
  return fetched ? "ok" : describe(fetched.error());
}

TEST(GrainRequests, CarryTokenAndVersionAndNothingElse) {
  const auto platform = connector();
  for (const HttpRequest& request :
       {platform.check(session()), platform.list(session(), {}), platform.details(session(), kId),
        platform.transcript(session(), kId), platform.media(session(), kId)}) {
    const auto has = [&](const std::string& name, const std::string& value) {
      return std::count(request.headers.begin(), request.headers.end(), std::pair{name, value}) == 1;
    };
    EXPECT_TRUE(has("Authorization", std::string("Bearer ") + kToken));
    EXPECT_TRUE(has("Public-Api-Version", "2025-10-31"));
    EXPECT_TRUE(has("Accept", "*/*"));
    EXPECT_TRUE(request.url.starts_with("http://127.0.0.1:9301/_/public-api/v2/recordings")) << request.url;
    EXPECT_THAT(request.url, Not(HasSubstr("grain_pat")));
  }
}

TEST(GrainRequests, ListPutsCursorAndFilterIntoTheBody) {
  ListQuery query{"g2wAAAA", Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}},
                  Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 2 / 3}}};
  const HttpRequest request = connector().list(session(), query);
  EXPECT_EQ("POST", request.method);
  const json expected = {
      {"cursor", "g2wAAAA"},
      {"filter", {{"after_datetime", "2026-01-02T00:00:00Z"}, {"before_datetime", "2026-02-03T00:00:00Z"}}}};
  EXPECT_EQ(expected, json::parse(request.body));
  EXPECT_EQ(json::object(), json::parse(connector().list(session(), {}).body));
}

TEST(GrainRequests, AnIdStaysOnePathSegment) {
  const std::string url = connector().details(session(), "../users?x=1#\n").url;
  EXPECT_TRUE(url.ends_with("/recordings/..%2Fusers%3Fx%3D1%23%0A")) << url;
}

TEST(GrainRequests, DetailsAskForBooleansOnly) {
  const json body = json::parse(connector().details(session(), kId).body);
  for (const auto& [key, value] : body["include"].items()) EXPECT_TRUE(value.is_boolean()) << key;
  EXPECT_TRUE(body["include"]["participants"]);
  EXPECT_FALSE(body["include"].contains("private_notes"));  // a workspace token would be refused
}

struct Answer {
  const char* name;
  HttpReply reply;
  const char* page;
  const char* details;
  const char* transcript;
  const char* media;
};
void PrintTo(const Answer& row, std::ostream* out) { *out << row.name; }
class GrainAnswers : public testing::TestWithParam<Answer> {};

TEST_P(GrainAnswers, BecomeTrouble) {
  const Answer& row = GetParam();
  EXPECT_EQ(row.page, describe(connector().read_page(row.reply, kNow)));
  EXPECT_EQ(row.details, describe(connector().read_details(row.reply, kNow)));
  EXPECT_EQ(row.transcript, describe(connector().read_transcript(row.reply, kNow)));
  EXPECT_EQ(row.media, describe(connector().read_media(row.reply, kNow)));
}

constexpr char kExpired[] = "attention access.expired", kOutage[] = "again platform.outage";
constexpr char kChanged[] = "failed platform.changed_answer", kPageChanged[] = "wait platform.changed_answer 900";
INSTANTIATE_TEST_SUITE_P(
    Table, GrainAnswers,
    testing::Values(
        Answer{"Unauthorized", reply(401, R"({"error":"unauthorized"})"), kExpired, kExpired, kExpired, kExpired},
        Answer{"Revoked", reply(401, R"({"error":"unauthorized","data":"Token was Revoked"})"),
               "attention access.revoked", "attention access.revoked", "attention access.revoked",
               "attention access.revoked"},
        Answer{"UnauthorizedWebPage", reply(401, "<html>"), kExpired, kExpired, kExpired, kExpired},
        Answer{"Forbidden", reply(403, R"({"error":"forbidden"})"), "attention access.scope_missing",
               "failed call.private", "failed call.private", "failed call.private"},
        Answer{"NotFound", reply(404), kPageChanged, "failed call.deleted_at_source",
               "not ready call.recording_not_ready", "failed call.no_recording"},
        Answer{"NotAcceptable", reply(406), kPageChanged, kChanged, "failed transcript.missing", kChanged},
        Answer{"BadRequest", reply(400, R"({"error":"bad_request","data":"Invalid"})"), kPageChanged, kChanged,
               kChanged, kChanged},
        Answer{"LimitedShort", reply(429, "", {{"retry-after", "7"}}), "again platform.rate_limited 7",
               "again platform.rate_limited 7", "again platform.rate_limited 7", "again platform.rate_limited 7"},
        Answer{"LimitedAtTheEdge", reply(429, "", {{"retry-after", "60"}}), "again platform.rate_limited 60",
               "again platform.rate_limited 60", "again platform.rate_limited 60", "again platform.rate_limited 60"},
        Answer{"LimitedLong", reply(429, "", {{"retry-after", "61"}}), "wait platform.rate_limited 61",
               "wait platform.rate_limited 61", "wait platform.rate_limited 61", "wait platform.rate_limited 61"},
        Answer{"LimitedUnsaid", reply(429), "again platform.rate_limited 10", "again platform.rate_limited 10",
               "again platform.rate_limited 10", "again platform.rate_limited 10"},
        Answer{"LimitedForAges", reply(429, "", {{"retry-after", "99999999999999999999"}}),
               "wait platform.rate_limited 86400", "wait platform.rate_limited 86400",
               "wait platform.rate_limited 86400", "wait platform.rate_limited 86400"},
        Answer{"LimitedByDate", reply(429, "", {{"retry-after", "Sat, 05 Sep 2026 00:05:00 GMT"}}),
               "wait platform.rate_limited 300", "wait platform.rate_limited 300", "wait platform.rate_limited 300",
               "wait platform.rate_limited 300"},
        Answer{"LimitedByNonsense", reply(429, "", {{"retry-after", "soon"}}), "again platform.rate_limited 10",
               "again platform.rate_limited 10", "again platform.rate_limited 10", "again platform.rate_limited 10"},
        Answer{"ServerError", reply(500), kOutage, kOutage, kOutage, kOutage},
        Answer{"ServiceUnavailable", reply(503, "<html>"), kOutage, kOutage, kOutage, kOutage},
        Answer{"DownForAnHour", reply(503, "", {{"retry-after", "3600"}}), "wait platform.outage 3600",
               "wait platform.outage 3600", "wait platform.outage 3600", "wait platform.outage 3600"},
        Answer{"WebPage", reply(200, "<!DOCTYPE html><html>maintenance</html>"), kPageChanged, kPageChanged,
               kPageChanged, kChanged},
        Answer{"Nothing", reply(200, ""), kPageChanged, kPageChanged, kPageChanged, kChanged},
        Answer{"NotJson", reply(200, "{"), kPageChanged, kChanged, kChanged, kChanged},
        Answer{"EmptyObject", reply(200, "{}"), kPageChanged, kChanged, kChanged, kChanged},
        Answer{"EmptyList", reply(200, "[]"), kPageChanged, kChanged, "not ready call.recording_not_ready", kChanged},
        Answer{"Redirected", reply(301, "", {{"location", "https://grain.com/login"}}), kPageChanged, kChanged,
               kChanged, kChanged}),
    [](const auto& test) { return test.param.name; });

TEST(GrainPage, ReadsRowsAndCursor) {
  const json body = {{"cursor", "next-one"},
                     {"recordings",
                      {{{"id", kId},
                        {"title", "Kite Freight renewal"},
                        {"media_type", "video"},
                        {"start_datetime", "2026-03-03T17:01:12Z"},
                        {"duration_ms", 1792150},
                        {"url", "https://grain.com/share/recording/x/SECRET"}}}}};
  const auto page = connector().read_page(reply(200, body.dump()), kNow);
  ASSERT_TRUE(page);
  ASSERT_EQ(1u, page->calls.size());
  EXPECT_EQ(kId, page->calls[0].source_id);
  EXPECT_EQ("Kite Freight renewal", page->calls[0].title);
  EXPECT_EQ("video", page->calls[0].media_type);
  EXPECT_EQ(1772557272000, page->calls[0].start_ms);
  EXPECT_EQ(1792150, page->calls[0].duration_ms);
  EXPECT_EQ("next-one", page->next);
}

TEST(GrainPage, EndsAtANullCursorOrAnEmptyPage) {
  EXPECT_FALSE(connector().read_page(reply(200, R"({"cursor":null,"recordings":[]})"), kNow)->next);
  EXPECT_FALSE(connector().read_page(reply(200, R"({"cursor":"again","recordings":[]})"), kNow)->next);
}

TEST(GrainPage, RefusesAnIdOfTenThousandCharactersByName) {
  const json body = {{"cursor", nullptr},
                     {"recordings", {{{"id", std::string(10'000, 'a')}, {"start_datetime", "2026-03-03T17:01:12Z"}}}}};
  const auto page = connector().read_page(reply(200, body.dump()), kNow);
  ASSERT_FALSE(page);
  EXPECT_EQ(kPageChanged, describe(page));
  const std::string& message = std::get<Wait>(page.error()).message;
  EXPECT_THAT(message, HasSubstr("10000 characters"));
  EXPECT_LT(message.size(), 300u);
}

TEST(GrainPage, KeepsACallWhoseOtherFieldsAreStrange) {
  const json body = {{"recordings",
                      {{{"id", kId},
                        {"title", 5},
                        {"start_datetime", nullptr},
                        {"duration_ms", "long"},
                        {"media_type", json::array()}}}}};
  const auto page = connector().read_page(reply(200, body.dump()), kNow);
  ASSERT_TRUE(page);
  EXPECT_EQ("", page->calls[0].title);
  EXPECT_EQ(0, page->calls[0].start_ms);
  EXPECT_FALSE(page->calls[0].duration_ms);
}

json recording() {
  return {
      {"id", kId},
      {"title", "Kite\u202e Freight\x01"},
      {"source", "zoom"},
      {"media_type", "video"},
      {"url", "https://grain.com/share/recording/x/SECRETSHARE"},
      {"thumbnail_url", "https://media.grain.com/SECRETSHARE"},
      {"start_datetime", "2026-03-03T17:01:12Z"},
      {"end_datetime", nullptr},
      {"duration_ms", 1792150},
      {"tags", {"renewal", 7}},
      {"share_state", "workspace"},
      {"meeting_type", nullptr},
      {"ai_summary", {{"text", "- Budget 0:12"}}},
      {"highlights", {{{"id", "h"}, {"text", "Opening"}, {"url", "https://grain.com/SECRETSHARE"}}}},
      {"recorders", {{{"id", "u1"}, {"participant_id", "p1"}}}},
      {"participants",
       {{{"id", "p1"},
         {"name", "Ana Ruiz"},
         {"email", "ana@seller.test"},
         {"scope", "internal"},
         {"confirmed_attendee", true}},
        {{"id", "p2"}, {"name", "Boardroom"}, {"email", nullptr}, {"scope", "unknown"}, {"confirmed_attendee", false}},
        "not a person"}}};
}

TEST(GrainDetails, ReadsACallAndKeepsNoLink) {
  const auto call = connector().read_details(reply(200, recording().dump()), kNow);
  ASSERT_TRUE(call) << describe(call);
  EXPECT_EQ(kId, call->source_id);
  EXPECT_EQ("Kite\u202e Freight\x01", call->title);  // shown safely elsewhere, kept as it came
  EXPECT_EQ("zoom", call->source);
  EXPECT_FALSE(call->end_ms);
  EXPECT_EQ(std::vector<std::string>{"renewal"}, call->tags);
  ASSERT_EQ(2u, call->participants.size());
  EXPECT_EQ((storage::Participant{"p1", "Ana Ruiz", "ana@seller.test", "internal", true, true, "", "u1"}),
            call->participants[0]);
  EXPECT_EQ((storage::Participant{"p2", "Boardroom", "", "unknown", false, false}), call->participants[1]);
  EXPECT_THAT(call->details, Not(HasSubstr("SECRETSHARE")));
  EXPECT_THAT(call->details, HasSubstr("- Budget 0:12"));
  EXPECT_THAT(call->details, HasSubstr("Opening"));
}

TEST(GrainDetails, FailsTheCallWithoutAStart) {
  json body = recording();
  body["start_datetime"] = "yesterday";
  EXPECT_EQ(kChanged, describe(connector().read_details(reply(200, body.dump()), kNow)));
}

TEST(GrainDetails, ReadsNamesThatAreNoUtf8) {
  std::string body = recording().dump();
  body.replace(body.find("Ana Ruiz"), 3, "\xff\xfe\xfd");
  const auto call = connector().read_details(reply(200, body), kNow);
  ASSERT_TRUE(call);
  EXPECT_EQ("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd Ruiz", call->participants[0].name);
}

TEST(GrainTranscript, ReadsSegments) {
  const auto segments = connector().read_transcript(
      reply(200, R"([{"start":4130,"end":4833,"text":"Good morning.","speaker":"Ana Ruiz","participant_id":"p1"},
                     {"start":5372,"end":5000,"text":"Matin, l'été.","speaker":"Boardroom","participant_id":null}])"),
      kNow);
  ASSERT_TRUE(segments) << describe(segments);
  EXPECT_EQ((storage::Segment{"Ana Ruiz", "p1", 4130, 4833, "Good morning."}), (*segments)[0]);
  EXPECT_EQ((storage::Segment{"Boardroom", "", 5372, 5372, "Matin, l'été."}), (*segments)[1]);
}

TEST(GrainTranscript, RefusesRowsThatAreNone) {
  for (const char* body :
       {R"([5])", R"([{"text":"no start"}])", R"([{"start":-1,"text":"x"}])", R"([{"start":1.5,"text":"x"}])",
        R"([{"start":1e300,"text":"x"}])", R"([{"start":1}])", R"({"segments":[]})", R"("text")"}) {
    EXPECT_EQ(kChanged, describe(connector().read_transcript(reply(200, body), kNow))) << body;
  }
}

TEST(GrainTranscript, TakesTwentyMegabytes) {
  json rows = json::array();
  for (int i = 0; i < 20; ++i)
    rows.push_back(
        {{"start", i * 1000}, {"end", i * 1000 + 900}, {"text", std::string(1u << 20, 'a')}, {"speaker", "Ana"}});
  const std::string body = rows.dump();
  ASSERT_GT(body.size(), 20u << 20);
  EXPECT_GT(connector().transcript(session(), kId).body_bytes_max, body.size());
  const auto segments = connector().read_transcript(reply(200, body), kNow);
  ASSERT_TRUE(segments);
  EXPECT_EQ(20u, segments->size());
}

TEST(HostileJson, TenThousandLevelsAreRefusedEverywhere) {
  const std::string arrays = std::string(10'000, '[') + std::string(10'000, ']');
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
  for (const std::string& body : {arrays, objects + "1" + std::string(10'000, '}'), std::string(10'000, '[')}) {
    EXPECT_EQ(kPageChanged, describe(connector().read_page(reply(200, body), kNow)));
    EXPECT_EQ(kChanged, describe(connector().read_details(reply(200, body), kNow)));
    EXPECT_EQ(kChanged, describe(connector().read_transcript(reply(200, body), kNow)));
    EXPECT_EQ(kExpired, describe(connector().read_page(reply(401, body), kNow)));
  }
}

TEST(HostileJson, DepthIsTakenAtTheLimitAndRefusedBeyond) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(parse_json(nested(kJsonDepthMax)));
  EXPECT_FALSE(parse_json(nested(kJsonDepthMax + 1)));
  EXPECT_TRUE(parse_json("{\"text\":\"" + std::string(1000, '[') + "\\\"" + std::string(1000, '{') +
                         "\"}"));  // brackets in text are text
}

TEST(JsonOfStrangers, HalfASurrogatePairIsReplacedAndTheRestIsLeft) {
  const std::pair<const char*, const char*> rows[] = {{R"("a\ud800b")", R"("a\ufffdb")"},
                                                      {R"("\udc00")", R"("\ufffd")"},
                                                      {R"("\ud83d\ude00")", R"("\ud83d\ude00")"},
                                                      {R"("\uD83D\uDE00 \uD83D")", R"("\uD83D\uDE00 \ufffd")"},
                                                      {R"("\ud800\ud83d\ude00")", R"("\ufffd\ud83d\ude00")"},
                                                      {R"("\ud800\u0041")", R"("\ufffd\u0041")"},
                                                      {R"("\\ud800")", R"("\\ud800")"},
                                                      {R"("\\\ud800")", R"("\\\ufffd")"},
                                                      {R"("\ud8")", R"("\ud8")"},
                                                      {R"("\u-123\ud80)", R"("\u-123\ud80)"},
                                                      {"\\", "\\"},
                                                      {"", ""}};
  for (const auto& [from, to] : rows) EXPECT_EQ(repair_surrogates(from), to) << from;
  const auto page = parse_json(R"([{"title":"\ud800"},{"title":"whole"}])");
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ((*page)[0]["title"], "\ufffd");
  EXPECT_EQ((*page)[1]["title"], "whole");
}

TEST(HostileJson, Utf8IsRepairedByTheByte) {
  EXPECT_EQ("plain é 漢 😀", repair_utf8("plain é 漢 😀"));
  EXPECT_EQ(
      "\xef\xbf\xbd"
      "a",
      repair_utf8("\xc3"
                  "a"));
  EXPECT_EQ("\xef\xbf\xbd\xef\xbf\xbd", repair_utf8("\xc0\xaf"));                  // overlong
  EXPECT_EQ("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", repair_utf8("\xed\xa0\x80"));  // a surrogate
  EXPECT_EQ("\xef\xbf\xbd", repair_utf8("\xe2"));
}

TEST(GrainMedia, ReadsTheLinkAndItsEnd) {
  const auto link = connector().read_media(
      reply(302, "",
            {{"location", "https://media.grain.com/recordings/a.mp4?Key-Pair-Id=K&Expires=1788566400&Signature=s"}}),
      kNow);
  ASSERT_TRUE(link);
  EXPECT_EQ(Timestamp{std::chrono::seconds{1788566400}}, link->expires);
  for (const char* location : {"https://m.test/a.mp4", "https://m.test/a?Expires=soon",
                               "https://m.test/a?Expires=99999999999999999999", "https://m.test/a?NotExpires=5"}) {
    const auto plain = connector().read_media(reply(302, "", {{"location", location}}), kNow);
    ASSERT_TRUE(plain) << location;
    EXPECT_FALSE(plain->expires) << location;
  }
}

TEST(GrainMedia, RefusesPlacesThatAreNoHttp) {
  const std::string endless = "https://m.test/" + std::string(10'000, 'a');
  for (const std::string& location : {std::string(), std::string("/relative"), std::string("file:///etc/passwd"),
                                      std::string("https://m.test/a b"), endless}) {
    EXPECT_EQ(kChanged, describe(connector().read_media(reply(302, "", {{"location", location}}), kNow)))
        << location.substr(0, 30);
  }
}

TEST(GrainRate, ReadsTheTwoHeaders) {
  const auto seen =
      connector().read_rate(reply(200, "", {{"x-ratelimit-limit", "30"}, {"x-ratelimit-remaining", "0"}}));
  ASSERT_TRUE(seen);
  EXPECT_EQ(30, seen->per_minute);
  EXPECT_EQ(0, seen->remaining);
  for (const char* limit : {"", "0", "-5", "many", "99999999999999"})
    EXPECT_FALSE(connector().read_rate(reply(200, "", {{"x-ratelimit-limit", limit}}))) << limit;
}

TEST(Registry, KnowsItsPlatforms) {
  ASSERT_EQ(1u, platforms().size());
  EXPECT_EQ("https://api.grain.com", find_platform("grain")->base_url);
  EXPECT_EQ(nullptr, find_platform("gong"));
}

}  // namespace
}  // namespace callimport::activities
