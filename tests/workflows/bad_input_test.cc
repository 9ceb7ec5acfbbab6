// Whole imports from a platform that sends what it should not: one call of twelve, or the list, is wrong in one way.
// Whatever it is, the import ends, the others come across once, and the bad one is named, or comes whole when it is
// only odd.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using nlohmann::json;
using simulations::broken_promises;
using simulations::SandboxReply;
using simulations::SandboxRequest;
using testing::IsEmpty;
using testing_support::Scene;

constexpr std::uint64_t kCalls = 12, kBad = 6;
constexpr std::int64_t kOthers = 11;
constexpr std::size_t kPageCalls = 5;
constexpr std::string_view kRecordings = "/_/public-api/v2/recordings";
const std::string kLong(10'000, 'x');

simulations::ImportWorldOptions twelve_calls() {
  auto options = Scene::options_for(kCalls);
  options.grain.page_size = kPageCalls;
  return options;
}

/// The sandbox with one thing changed. `honest` is what it would answer.
using Answer = std::function<std::optional<SandboxReply>(const SandboxRequest& request)>;

struct Hostile : Scene {
  Hostile() : Scene(twelve_calls()), bad(world->sandbox->calls().head(kBad).id) {}

  SandboxReply honest(const SandboxRequest& request) { return world->sandbox->handle(request, world->loop.now()); }
  bool is_list(const SandboxRequest& request) const { return request.target == kRecordings; }
  /// Of the bad call; `rest` is empty for its details.
  bool asks_bad(const SandboxRequest& request, std::string_view rest) const {
    return request.target == fmt::format("{}/{}{}", kRecordings, bad, rest);
  }
  bool is_bad_place(const SandboxRequest& request) const {
    return !request.target.starts_with(kRecordings) && request.target.find(bad) != std::string::npos;
  }

  void answer(Answer made) {
    world->outside.answer = [made = std::move(made)](const SandboxRequest& request, Timestamp) {
      return made(request);
    };
  }
  /// Rewrites the honest answer to the bad call's details, or to what follows them.
  void rewrite_bad(std::string_view rest, std::function<std::string(json)> write) {
    answer([this, rest, write = std::move(write)](const SandboxRequest& request) -> std::optional<SandboxReply> {
      if (!asks_bad(request, rest)) return std::nullopt;
      SandboxReply reply = honest(request);
      reply.body = write(json::parse(reply.body));
      return reply;
    });
  }
  /// Rewrites the bad call's row wherever it is listed.
  void rewrite_row(std::function<void(json&)> change) {
    answer([this, change = std::move(change)](const SandboxRequest& request) -> std::optional<SandboxReply> {
      if (!is_list(request)) return std::nullopt;
      SandboxReply reply = honest(request);
      json page = json::parse(reply.body);
      for (json& row : page["recordings"]) {
        if (row["id"] == bad) change(row);
      }
      reply.body = page.dump();
      return reply;
    });
  }
  /// Field of the bad call's details, as raw JSON.
  void set_field(const std::string& field, const std::string& raw) {
    rewrite_bad("", [field, raw](json call) {
      call[field] = "@@";
      std::string text = call.dump();
      return text.replace(text.find("\"@@\""), 4, raw);
    });
  }

  /// Every call in the library, whole.
  std::map<std::string, storage::Call> taken_in() {
    std::map<std::string, storage::Call> calls;
    const auto listed = world->library().calls({}, "", 1'000).value();
    for (const auto& call : listed) calls[call.source_id] = world->library().call(call.id).value();
    EXPECT_EQ(calls.size(), listed.size()) << "a call is there twice";
    return calls;
  }

  /// Everything people can come to read, and the histories.
  std::string every_text() {
    std::string all = row().report + row().input + row().title + status();
    for (const auto& change : timeline()) all += change.row.why + change.row.reason;
    for (const auto& news : world->told) all += news.subject + news.text + news.next;
    const auto rows = world->library().manifest(id, std::nullopt, "", "", 1'000);
    for (const auto& one : *rows) all += one.detail;
    const auto problems = world->library().problems(id);
    for (const auto& problem : *problems) all += problem.cause + problem.detail;
    for (const auto& run : runs) {
      for (const auto& history : world->histories(id, run)) all += history.SerializeAsString();
    }
    return all;
  }

  std::string bad;
};

std::string nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "{\"a\":[";
  for (int i = 0; i < depth; ++i) text += "]}";
  return text;
}

SandboxReply with_status(int status, std::string body, simulations::SandboxHeaders headers = {}) {
  SandboxReply reply;
  reply.status = status;
  reply.headers = std::move(headers);
  reply.body = std::move(body);
  return reply;
}

struct BadInput {
  const char* name;
  const char* sentence;
  const char* cause;  ///< of the one call that does not come across; empty: all do
  std::function<void(Hostile&)> twist;
  std::function<void(const storage::Call&)> check = nullptr;  ///< of the bad call, when it comes across
};
void PrintTo(const BadInput& row, std::ostream* out) { *out << row.sentence; }

class BadInputs : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputs, AreNamedOrComeWholeAndTheOthersComeAcross) {
  const BadInput& row = GetParam();
  const bool comes = std::string_view(row.cause).empty();
  Hostile scene;
  row.twist(scene);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(48h)) << scene.status();
  scene.world->outside.answer = nullptr;

  EXPECT_EQ(scene.report()["result"], comes ? "completed" : "completed_with_gaps");
  EXPECT_EQ(scene.row().counters.found, kOthers + 1);
  EXPECT_EQ(scene.row().counters.registered, comes ? kOthers + 1 : kOthers);
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();

  const auto calls = scene.taken_in();
  const auto& source = scene.world->sandbox->calls();
  for (std::uint64_t index = 0; index < kCalls; ++index) {
    if (comes || index != kBad) EXPECT_EQ(calls.count(source.head(index).id), 1u) << index;
  }
  EXPECT_EQ(calls.count(scene.bad), comes ? 1u : 0u);
  if (comes && calls.contains(scene.bad) && row.check) row.check(calls.at(scene.bad));

  const auto failed = scene.world->library().manifest(scene.id, storage::CallState::kFailed, "", "", 100).value();
  ASSERT_EQ(failed.size(), comes ? 0u : 1u);
  if (!comes) {
    EXPECT_EQ(failed[0].cause, row.cause) << failed[0].detail;
    EXPECT_FALSE(failed[0].detail.empty());
    EXPECT_LE(failed[0].detail.size(), 300u);
    EXPECT_LE(failed[0].source_id.size(), 300u);
  }
  const std::string texts = scene.every_text();
  EXPECT_EQ(texts.find(simulations::kGrainSandboxToken), std::string::npos);
  EXPECT_EQ(texts.find("Signature="), std::string::npos);
}

std::function<void(Hostile&)> row_id(json id) {
  return [id](Hostile& scene) { scene.rewrite_row([id](json& row) { row["id"] = id; }); };
}
std::function<void(Hostile&)> field(std::string name, std::string raw) {
  return [name, raw](Hostile& scene) { scene.set_field(name, raw); };
}
/// The recording's place answers so, each time.
std::function<void(Hostile&)> place(int status, std::string body, simulations::SandboxHeaders headers) {
  return [=](Hostile& scene) {
    scene.answer([&scene, status, body, headers](const SandboxRequest& request) -> std::optional<SandboxReply> {
      if (!scene.is_bad_place(request)) return std::nullopt;
      return with_status(status, body, headers);
    });
  };
}
/// The recording's honest bytes, always all of them, under this Content-Length.
std::function<void(Hostile&)> length_stated(std::string length) {
  return [length](Hostile& scene) {
    scene.answer([&scene, length](SandboxRequest request) -> std::optional<SandboxReply> {
      if (!scene.is_bad_place(request)) return std::nullopt;
      std::erase_if(request.headers, [](const auto& header) { return header.first == "range"; });
      SandboxReply reply = scene.honest(request);
      reply.headers.emplace_back("content-length", length);
      return reply;
    });
  };
}
std::function<void(Hostile&)> redirect(std::string location) {
  return [location](Hostile& scene) {
    scene.answer([&scene, location](const SandboxRequest& request) -> std::optional<SandboxReply> {
      if (!scene.asks_bad(request, "/download")) return std::nullopt;
      return with_status(302, "", {{"location", location}});
    });
  };
}
/// Details of the bad call are refused once, with this Retry-After.
std::function<void(Hostile&)> refused_once(int status, std::string retry_after) {
  return [=](Hostile& scene) {
    auto left = std::make_shared<int>(1);  // shared by the copies of the answer
    scene.answer([&scene, left, status, retry_after](const SandboxRequest& request) -> std::optional<SandboxReply> {
      if (!scene.asks_bad(request, "") || (*left)-- <= 0) return std::nullopt;
      return with_status(status, "{}", {{"retry-after", retry_after}});
    });
  };
}

auto title_is(std::string title) {
  return [title](const storage::Call& call) { EXPECT_EQ(call.title, title); };
}

constexpr char kChanged[] = "platform.changed_answer", kNoId[] = "call.id_unusable";

INSTANTIATE_TEST_SUITE_P(
    Ids, BadInputs,
    testing::Values(BadInput{"AnIdOfTenThousandCharactersInTheList", "an id of 10,000 characters in the list", kNoId,
                             row_id(kLong)},
                    BadInput{"AnIdThatIsAPath", "an id that climbs out of its folder", kNoId,
                             row_id("../../../etc/passwd")},
                    BadInput{"AnIdThatIsANumber", "an id that is a number", kNoId, row_id(7)},
                    BadInput{"NoIdAtAll", "a call without an id", kNoId, row_id(nullptr)},
                    BadInput{"AnIdOfTenThousandCharactersInTheDetails", "an id of 10,000 characters in the details",
                             kChanged, field("id", "\"" + kLong + "\"")},
                    BadInput{"TheIdOfAnotherCall", "details of another call than was asked for", kChanged,
                             field("id", "\"00000000-0000-4000-8000-000000000000\"")},
                    BadInput{"ParticipantIdsOfTenThousandCharacters", "participants with ids of 10,000 characters", "",
                             field("participants", "[{\"id\":\"" + kLong + "\",\"name\":\"Ana\"}]"),
                             [](const storage::Call& call) { EXPECT_EQ(call.participants.at(0).source_id, kLong); }}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Json, BadInputs,
    testing::Values(
        BadInput{"DetailsNestedTenThousandDeep", "details nested 10,000 deep", kChanged,
                 field("ai_summary", nested(5'000))},
        BadInput{"DetailsNestedThirtyDeep", "details nested as deep as is still read", "",
                 field("ai_summary", nested(30))},
        BadInput{
            "DetailsCutInTheMiddle", "details that end in the middle", kChanged,
            [](Hostile& scene) { scene.rewrite_bad("", [](const json& call) { return call.dump().substr(0, 200); }); }},
        BadInput{"DetailsThatAreAWebPage", "details that are a web page for ever", kChanged,
                 [](Hostile& scene) { scene.rewrite_bad("", [](const json&) { return "<html>login</html>"; }); }},
        BadInput{"ATranscriptNestedTenThousandDeep", "a transcript nested 10,000 deep", kChanged,
                 [](Hostile& scene) {
                   scene.rewrite_bad("/transcript", [](const json&) { return "[" + nested(5'000) + "]"; });
                 }},
        BadInput{"ATranscriptThatIsAnObject", "a transcript that is no list", kChanged,
                 [](Hostile& scene) { scene.rewrite_bad("/transcript", [](const json&) { return "{\"a\":1}"; }); }}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Titles, BadInputs,
    testing::Values(
        BadInput{"ATitleWithControlCharacters", "a title with control characters", "",
                 field("title", R"("a\u0001\u0007\u001b[31m\r\nb")"), title_is("a\x01\x07\x1b[31m\r\nb")},
        BadInput{"ATitleWithNul", "a title with a NUL in it", "", field("title", R"("a\u0000b")"),
                 title_is(std::string("a\0b", 3))},
        BadInput{"ATitleWithBidiOverrides", "a title that turns the text around", "",
                 field("title", R"("a\u202e\u2066b")"), title_is("a\u202e\u2066b")},
        BadInput{"ATitleThatIsNoUtf8", "a title that is no UTF-8", "", field("title", "\"a\xff\xc3(b\xed\xa0\x80\""),
                 title_is("a\ufffd\ufffd(b\ufffd\ufffd\ufffd")},
        BadInput{"ATitleWithALoneSurrogate", "a title with half a surrogate pair", "", field("title", R"("a\ud800b")"),
                 title_is("a\ufffdb")},
        BadInput{"AListedTitleWithALoneSurrogate", "a title with half a surrogate pair in the list", "",
                 [](Hostile& scene) {
                   scene.answer([&scene](const SandboxRequest& request) -> std::optional<SandboxReply> {
                     if (!scene.is_list(request)) return std::nullopt;
                     SandboxReply reply = scene.honest(request);
                     json page = json::parse(reply.body);
                     for (json& row : page["recordings"]) row["title"] = "@@";
                     reply.body = page.dump();
                     for (auto at = reply.body.find("@@"); at != std::string::npos; at = reply.body.find("@@"))
                       reply.body.replace(at, 2, R"(\udc00 \ud83d\ude00 \ud800)");
                     return reply;
                   });
                 }},
        BadInput{"ATitleOfTenThousandCharacters", "a title of 10,000 characters", "",
                 field("title", "\"" + kLong + "\""), title_is(kLong)},
        BadInput{"AListedTitleOfTenThousandCharacters", "a title of 10,000 characters in the list", "",
                 [](Hostile& scene) { scene.rewrite_row([](json& row) { row["title"] = kLong + "\x01\u202e"; }); }},
        BadInput{"ATitleThatIsAList", "a title that is no text", "", field("title", "[1,2]"), title_is("")}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Times, BadInputs,
    testing::Values(
        BadInput{"ANegativeDuration", "a duration below nothing", "", field("duration_ms", "-5000"),
                 [](const storage::Call& call) { EXPECT_EQ(call.duration_ms, std::nullopt); }},
        BadInput{"ADurationOfAgesBeyondCounting", "a duration no number holds", "", field("duration_ms", "1e300"),
                 [](const storage::Call& call) { EXPECT_EQ(call.duration_ms, std::nullopt); }},
        BadInput{"ADurationOfAThousandYears", "a duration of a thousand years", "media.length_mismatch",
                 field("duration_ms", "31556952000000")},
        BadInput{"AStartInTheYear9999", "a start in the year 9999", kChanged,
                 field("start_datetime", R"("9999-12-31T23:59:59Z")")},
        BadInput{"AStartInTheYearZero", "a start in the year 0", kChanged,
                 field("start_datetime", R"("0000-01-01T00:00:00Z")")},
        BadInput{"AStartThatIsNoTime", "a start that is no time", kChanged, field("start_datetime", R"("soon")")},
        BadInput{"AStartBeforeTheTelephone", "a start in 1800, which a clock can say", "",
                 field("start_datetime", R"("1800-01-01T00:00:00Z")"),
                 [](const storage::Call& call) { EXPECT_LT(call.start_ms, 0); }},
        BadInput{"AListedStartInTheYear9999", "a start in the year 9999 in the list", "",
                 [](Hostile& scene) {
                   scene.rewrite_row([](json& row) { row["start_datetime"] = "9999-12-31T23:59:59Z"; });
                 }},
        BadInput{"AnEndBeforeTheStart", "an end before the start", "",
                 field("end_datetime", R"("1999-01-01T00:00:00Z")")}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Recordings, BadInputs,
    testing::Values(
        BadInput{"AWebPageForARecording", "a web page where the recording should be", "media.damaged",
                 place(200, "<html><body>Sign in</body></html>", {{"content-type", "text/html"}})},
        BadInput{"ALengthTooLong", "a Content-Length longer than what comes", "media.damaged", length_stated("999999")},
        BadInput{"ALengthTooShort", "a Content-Length shorter than what comes", "media.damaged", length_stated("10")},
        BadInput{"ALengthThatIsNoNumber", "a Content-Length that is no number", "", length_stated("many")},
        BadInput{"AnotherRangeThanAsked", "a 206 of another range than was asked for", "media.damaged",
                 place(206, "xxxx", {{"content-range", "bytes 700-703/9000"}})},
        BadInput{"AStrangeStatus", "a status that says nothing", kChanged, place(299, "", {})},
        BadInput{"ARedirectToAFile", "a place on our own disk", kChanged, redirect("file:///etc/passwd")},
        BadInput{"ARedirectToAnotherScheme", "a place that is not http", kChanged, redirect("gopher://x.test/1")},
        BadInput{"ARedirectWithALineBreak", "a place with a line break in it", kChanged,
                 redirect("http://x.test/a\r\nX-Evil: 1")},
        BadInput{"ARedirectOfTenThousandCharacters", "a place of 10,000 characters", kChanged,
                 redirect("http://x.test/" + kLong)},
        BadInput{"ARedirectToNowhere", "no place at all", kChanged, redirect("")}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Refusals, BadInputs,
    testing::Values(BadInput{"SlowDownForAWord", "429, Retry-After a word", "", refused_once(429, "banana")},
                    BadInput{"SlowDownForLessThanNothing", "429, Retry-After below nothing", "",
                             refused_once(429, "-5")},
                    BadInput{"SlowDownForAges", "429, Retry-After beyond any number", "",
                             refused_once(429, "99999999999999999999999")},
                    BadInput{"SlowDownUntil9999", "429, Retry-After a date in 9999", "",
                             refused_once(429, "Fri, 31 Dec 9999 23:59:59 GMT")},
                    BadInput{"SlowDownUntilNoDate", "503, Retry-After a date that is none", "",
                             refused_once(503, "Sun, 99 Foo 2026 99:99:99 GMT")},
                    BadInput{"ARefusalThatEchoesTheToken", "a refusal that says our token", kChanged,
                             [](Hostile& scene) {
                               scene.answer([&scene](const SandboxRequest& request) -> std::optional<SandboxReply> {
                                 if (!scene.asks_bad(request, "")) return std::nullopt;
                                 const std::string token(simulations::kGrainSandboxToken);
                                 return with_status(418, "{\"error\":\"" + token + "\"}", {{"x-token", token}});
                               });
                             }}),
    [](const auto& test) { return test.param.name; });

// A transcript as long as a day of talk.

TEST(BadInput, ATranscriptOfTwentyMegabytesComesWholeAndIsFound) {
  constexpr int kSegments = 20'000;
  Hostile scene;
  scene.rewrite_bad("/transcript", [](const json&) {
    json all = json::array();
    for (int i = 0; i < kSegments; ++i) {
      const std::string last = i + 1 == kSegments ? "quetzalcoatl" : fmt::format("number {}", i);
      all.push_back({{"speaker", "Ana"}, {"start", i}, {"end", i + 1}, {"text", std::string(1'000, 'w') + " " + last}});
    }
    return all.dump();
  });
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(2h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  const auto calls = scene.taken_in();
  ASSERT_EQ(calls.count(scene.bad), 1u);
  const auto& segments = calls.at(scene.bad).segments;
  ASSERT_EQ(segments.size(), static_cast<std::size_t>(kSegments));
  EXPECT_EQ(segments.front().text, std::string(1'000, 'w') + " number 0");
  EXPECT_EQ(segments.back().text, std::string(1'000, 'w') + " quetzalcoatl");
  const auto hits = scene.world->library().search({.query = "quetzalcoatl"}).value().hits;
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].call, calls.at(scene.bad).id);
  scene.check_histories();
}

// Lists that mislead.

void expect_all_came(Hostile& scene) {
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_EQ(scene.row().counters.found, kOthers + 1);
  EXPECT_EQ(scene.row().counters.registered, kOthers + 1);
  EXPECT_EQ(scene.taken_in().size(), kCalls);
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  EXPECT_EQ(scene.every_text().find(simulations::kGrainSandboxToken), std::string::npos);
  scene.check_histories();
}

struct BadPage {
  const char* name;
  std::string body;
};
void PrintTo(const BadPage& row, std::ostream* out) { *out << row.name; }
class BadPages : public testing::TestWithParam<BadPage> {};

TEST_P(BadPages, OnceAreWaitedForAndNoCallIsLost) {
  Hostile scene;
  int lists = 0;
  scene.answer([&scene, &lists](const SandboxRequest& request) -> std::optional<SandboxReply> {
    if (!scene.is_list(request) || ++lists != 3) return std::nullopt;  // 1: proves access, 2: the first page
    return with_status(200, GetParam().body);
  });
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  expect_all_came(scene);
  EXPECT_GT(lists, 4);
}
INSTANTIATE_TEST_SUITE_P(Table, BadPages,
                         testing::Values(BadPage{"AWebPage", "<html>maintenance</html>"}, BadPage{"Nothing", ""},
                                         BadPage{"CutInTheMiddle", "{\"recordings\":[{\"id\":\"abc"},
                                         BadPage{"NestedTenThousandDeep", "{\"recordings\":[" + nested(5'000) + "]}"},
                                         BadPage{"NoList", "{\"recordings\":{}}"}, BadPage{"ANumber", "17"},
                                         BadPage{"OnlyIdsThatAreNone",
                                                 "{\"recordings\":[{\"id\":\"" + kLong + "\"}],\"cursor\":null}"}),
                         [](const auto& test) { return test.param.name; });

TEST(BadList, PagesThatRepeatCallsAreTakenOnce) {
  Hostile scene;
  json before = json::array();
  scene.answer([&](const SandboxRequest& request) -> std::optional<SandboxReply> {
    if (!scene.is_list(request)) return std::nullopt;
    SandboxReply reply = scene.honest(request);
    json page = json::parse(reply.body);
    for (const json& row : json(page["recordings"])) page["recordings"].push_back(row);
    for (const json& row : before) page["recordings"].push_back(row);
    before = page["recordings"];
    reply.body = page.dump();
    return reply;
  });
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  expect_all_came(scene);
}

/// A list that leads nowhere until `healed`: first what was asked for, then always `lead`.
void mislead(Hostile& scene, bool& healed, int& lists, std::function<std::string(int number)> lead) {
  scene.answer([&, lead](SandboxRequest request) -> std::optional<SandboxReply> {
    if (!scene.is_list(request)) return std::nullopt;
    ++lists;
    json asked = json::parse(request.body);
    const bool ours = asked.value("cursor", "").starts_with("lost");
    if (ours) asked.erase("cursor");  // the sandbox knows no such cursor: from the start again
    request.body = asked.dump();
    SandboxReply reply = scene.honest(request);
    if (healed) return reply;
    json page = json::parse(reply.body);
    page["cursor"] = lead(lists);
    reply.body = page.dump();
    return reply;
  });
}

struct Maze {
  const char* name;
  std::function<std::string(int)> lead;
};
void PrintTo(const Maze& row, std::ostream* out) { *out << row.name; }
class Mazes : public testing::TestWithParam<Maze> {};

TEST_P(Mazes, AreToldAndWalkedSlowlyUntilAPersonMustLook) {
  Hostile scene;
  bool healed = false;
  int lists = 0;
  mislead(scene, healed, lists, GetParam().lead);
  scene.start();
  const auto needs = [&] { return scene.row().bulk.condition == "needs_attention"; };
  ASSERT_TRUE(scene.world->run_until(needs, 2h)) << "the list has no end: " << scene.status();
  EXPECT_EQ(scene.row().bulk.reason, kChanged);
  EXPECT_EQ(scene.row().bulk.who, "support");
  EXPECT_THAT(
      scene.conditions(storage::Lane::kBulk),
      testing::ElementsAre("running", std::string("waiting ") + kChanged, std::string("needs_attention ") + kChanged));
  std::size_t told = 0;
  for (const auto& news : scene.world->told)
    told += news.event.starts_with("import.waiting") || news.event == "import.needs_attention" ? 1 : 0;
  EXPECT_LE(told, 4u) << "the wait and the need, once a lane";
  const int asked = lists;
  EXPECT_FALSE(scene.world->run_until_closed(48h));
  EXPECT_EQ(lists, asked) << "nobody has looked yet";

  ASSERT_TRUE(scene.world->signal(scene.id, "retry-now", "{}").has_value());
  EXPECT_FALSE(scene.world->run_until_closed(48h));
  EXPECT_LE(lists, asked + 20) << "one more look";
  EXPECT_TRUE(needs());
  healed = true;
  ASSERT_TRUE(scene.world->signal(scene.id, "retry-now", "{}").has_value());
  ASSERT_TRUE(scene.world->run_until_closed(6h)) << scene.status();
  expect_all_came(scene);
  std::vector<storage::Notification> ended = scene.world->library().notifications(scene.id, 1'000).value();
  std::erase_if(ended, [](const storage::Notification& one) { return one.event != "import.attention_ended"; });
  ASSERT_FALSE(ended.empty()) << "what wanted a person is over, in the thread that asked for one";
  const auto facts = json::parse(ended.back().facts);
  EXPECT_EQ(facts["cause"], kChanged);
  EXPECT_GE(facts["waited_s"], 24 * 3'600);
}

/// What is known of a list without end can be had: the same import again, asked for no more than that.
TEST(BadList, WhatIsKnownOfAListWithoutEndComesAcross) {
  Hostile scene;
  bool healed = false;
  int lists = 0;
  mislead(scene, healed, lists, [](int n) { return fmt::format("lost-{}", n); });
  scene.start();
  const auto needs = [&] { return scene.row().bulk.condition == "needs_attention"; };
  ASSERT_TRUE(scene.world->run_until(needs, 2h)) << scene.status();
  const std::int64_t known = scene.row().counters.found;
  ASSERT_GT(known, 0);
  ASSERT_TRUE(scene.world->cancel(scene.id).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  scene.input.calls_max = known;
  scene.input.credential = scene.world->add_credential();
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_EQ(scene.row().counters.registered, known);
}

/// A call that cannot be asked for is not asked for again.
TEST(BadInput, AnIdThatIsNoneIsNotTriedAgainByARerequest) {
  Hostile scene;
  scene.rewrite_row([](json& row) { row["id"] = kLong; });
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  EXPECT_EQ(scene.row().counters.failed, 1);
  const std::size_t asked = scene.world->http->log().size();
  scene.input.credential = scene.world->add_credential();
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  EXPECT_EQ(scene.report()["result"], "completed_with_gaps");
  EXPECT_EQ(scene.row().counters.failed, 1);
  const auto problems = scene.world->library().problems(scene.id).value();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].cause, kNoId);
  for (std::size_t i = asked; i < scene.world->http->log().size(); ++i) {
    EXPECT_EQ(scene.world->http->log()[i].path.find("xxxxxxxx"), std::string::npos) << "asked for a call without an id";
  }
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Mazes,
    testing::Values(Maze{"TheSameCursorForEver", [](int) { return "lost"; }},
                    Maze{"TwoCursorsInTurn", [](int n) { return n % 2 == 0 ? "lost-a" : "lost-b"; }},
                    Maze{"EverNewCursorsToTheSamePage", [](int n) { return fmt::format("lost-{}", n); }},
                    Maze{"CursorsOfTenThousandCharacters", [](int n) { return fmt::format("lost-{}{}", n, kLong); }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace callimport::workflows
