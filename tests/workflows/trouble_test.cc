// Every row of the design's table of troubles, on the virtual clock: what the platform does, and what becomes of it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using simulations::broken_promises;
using simulations::CallFate;
using simulations::ImportWorldOptions;
using simulations::MediaState;
using simulations::SandboxReply;
using simulations::SandboxRequest;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Scene;

constexpr auto kFirst = storage::Lane::kFirst;
constexpr auto kBulk = storage::Lane::kBulk;

SandboxReply refusal(int status, const std::string& retry_after) {
  SandboxReply reply;
  reply.status = status;
  if (!retry_after.empty()) reply.headers.emplace_back("retry-after", retry_after);
  reply.body = "{\"error\":\"no\"}";
  return reply;
}

/// Answers so once, at the n-th request from now.
auto once_at(int n, SandboxReply reply) {
  return [left = n, reply](const SandboxRequest&, Timestamp) mutable -> std::optional<SandboxReply> {
    if (--left != 0) return std::nullopt;
    return reply;
  };
}

void expect_all_registered(Scene& scene, std::int64_t calls) {
  const auto row = scene.row();
  EXPECT_EQ(row.counters.registered, calls);
  EXPECT_EQ(scene.report()["result"], "completed");
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();
}

/// Under any of the events that begin so.
std::size_t times_told(const Scene& scene, const std::string& event, const std::string& text) {
  std::size_t times = 0;
  for (const auto& news : scene.world->told)
    times += news.event.starts_with(event) && news.text.find(text) != std::string::npos ? 1 : 0;
  return times;
}

TEST(Trouble, AShortLimitMakesNoNoise) {
  Scene scene(40);
  scene.world->outside.answer = once_at(60, refusal(429, "20"));
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  expect_all_registered(scene, 40);
  EXPECT_THAT(scene.conditions(kFirst), ElementsAre("running", "completed"));
  EXPECT_THAT(scene.conditions(kBulk), ElementsAre("running", "completed"));
  EXPECT_GE(scene.world->loop.now() - simulations::kSimulationStart, 20s);
}

TEST(Trouble, TheStatedBudgetIsKeptWithoutARefusal) {
  auto options = Scene::options_for(120);
  options.grain.requests_per_minute = 300;
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  expect_all_registered(scene, 120);
  int refused = 0;
  for (const auto& entry : scene.world->http->log()) refused += entry.status == 429 ? 1 : 0;
  EXPECT_LE(refused, 3);
  EXPECT_LE(scene.world->loop.now() - simulations::kSimulationStart, 4min) << "120 calls cost about 370 requests";
}

struct LongLimit {
  const char* name;
  const char* retry_after;
  Nanos wait;
};
void PrintTo(const LongLimit& row, std::ostream* out) { *out << row.name; }
class LongLimits : public testing::TestWithParam<LongLimit> {};

TEST_P(LongLimits, AreWaitedForAndToldOnce) {
  Scene scene(40);
  scene.world->outside.answer = once_at(60, refusal(429, GetParam().retry_after));
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(48h)) << scene.status();
  expect_all_registered(scene, 40);
  EXPECT_THAT(scene.conditions(kFirst),
              ElementsAre("running", "waiting platform.rate_limited", "running", "completed"));
  EXPECT_EQ(times_told(scene, "import.waiting", "asks to slow down"), 1u);
  EXPECT_GE(scene.world->loop.now() - simulations::kSimulationStart, GetParam().wait);
  EXPECT_LE(scene.world->loop.now() - simulations::kSimulationStart, GetParam().wait + 5min);
}
INSTANTIATE_TEST_SUITE_P(Table, LongLimits,
                         testing::Values(LongLimit{"JustOverAMinute", "61", 61s}, LongLimit{"TenMinutes", "600", 10min},
                                         LongLimit{"TheDailyQuota", "72000", 20h}),
                         [](const auto& test) { return test.param.name; });

struct OutageRow {
  const char* name;
  simulations::OutageKind kind;
  Nanos start, length;
  bool pauses;
};
void PrintTo(const OutageRow& row, std::ostream* out) { *out << row.name; }
class Outages : public testing::TestWithParam<OutageRow> {};

TEST_P(Outages, AreWaitedOutAndNothingIsGivenUp) {
  const auto& row = GetParam();
  auto options = Scene::options_for(200);
  options.grain.slow = 100ms;
  options.grain.outages = {{row.start, row.length, row.kind}};
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(96h)) << scene.status();
  expect_all_registered(scene, 200);
  std::vector<std::string> seen = scene.conditions(kFirst);
  const auto bulk = scene.conditions(kBulk);
  seen.insert(seen.end(), bulk.begin(), bulk.end());
  EXPECT_THAT(seen, Contains("waiting platform.outage"));
  if (row.pauses) EXPECT_THAT(seen, Contains("paused platform.outage"));
  if (!row.pauses) EXPECT_THAT(seen, testing::Not(Contains("paused platform.outage")));
  EXPECT_LE(times_told(scene, "import.outage", "does not answer"), 4u)
      << "once a lane for the wait, once for the pause";
  EXPECT_LE(scene.world->loop.now() - simulations::kSimulationStart, row.start + row.length + 20min);
}
INSTANTIATE_TEST_SUITE_P(
    Table, Outages,
    testing::Values(OutageRow{"OfTwoMinutesWhileFetching", simulations::OutageKind::kServerError, 2s, 2min, false},
                    OutageRow{"OfTwoMinutesRefused", simulations::OutageKind::kRefused, 2s, 2min, false},
                    OutageRow{"OfTwoMinutesAtTheStart", simulations::OutageKind::kRefused, 0s, 2min, false},
                    OutageRow{"OfTwoDaysWhileFetching", simulations::OutageKind::kServerError, 3s, 48h, true},
                    OutageRow{"OfTwoDaysRefused", simulations::OutageKind::kRefused, 1s, 48h, true},
                    OutageRow{"OfTwoDaysAtTheStart", simulations::OutageKind::kServerError, 0s, 48h, true}),
    [](const auto& test) { return test.param.name; });

TEST(Trouble, AnOutageOfSecondsIsNotTold) {
  auto options = Scene::options_for(100);
  options.grain.slow = 100ms;
  options.grain.outages = {{2s, 6s, simulations::OutageKind::kServerError}};
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  expect_all_registered(scene, 100);
  EXPECT_THAT(scene.conditions(kFirst), ElementsAre("running", "completed"));
}

TEST(Trouble, ACallNotReadyIsPutOffAndWaitedForOnlyAtTheEnd) {
  auto options = Scene::options_for(60);
  options.grain.generated.not_ready_percent = 20;
  options.grain.not_ready_for = 30min;
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  expect_all_registered(scene, 60);
  EXPECT_THAT(scene.conditions(kFirst),
              ElementsAre("running", "waiting call.recording_not_ready", "running", "completed"));
  for (const auto& change : scene.timeline()) {
    if (change.row.condition != "waiting") continue;
    EXPECT_GE(change.counters.registered, 40) << "nothing else was left to do";
    EXPECT_TRUE(change.row.until_ms.has_value());
  }
}

TEST(Trouble, AnExpiredTokenWaitsForANewOneAndGoesOnAtTheSameCall) {
  auto options = Scene::options_for(60);
  options.grain.expire_after = 100;
  Scene scene(options);
  scene.start();
  const auto needs = [&] { return scene.row().first.condition == "needs_attention"; };
  ASSERT_TRUE(scene.world->run_until(needs, 1h)) << scene.status();
  EXPECT_EQ(scene.row().first.reason, "access.expired");
  EXPECT_EQ(scene.row().first.who, "customer admin");
  EXPECT_FALSE(scene.world->run_until_closed(72h)) << "nothing goes on without a person";
  EXPECT_EQ(times_told(scene, "access.needed", "needs attention (access.expired)"), 1u);
  EXPECT_THAT(scene.status(), HasSubstr("\"condition\":\"needs_attention\""));

  const auto before = scene.world->downloads();
  const std::string fresh = "grain_pat_renewed0_RenewedRenewedRenewedRenewedRenewed0000";
  scene.world->sandbox->accept(fresh);
  ASSERT_TRUE(scene.world->renew(scene.id, scene.credential, fresh).has_value());
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  expect_all_registered(scene, 60);
  std::map<std::string, int> fetched;
  for (const auto& [call, bytes] : scene.world->downloads()) ++fetched[call];
  for (const auto& [call, bytes] : before) EXPECT_EQ(fetched[call], 1) << call << " was fetched again";
  EXPECT_THAT(scene.conditions(kFirst),
              ElementsAre("running", "needs_attention access.expired", "running", "completed"));
}

TEST(Trouble, ATokenThatIsWrongFromTheStartNeedsAttentionAtOnce) {
  Scene scene(10);
  scene.input.credential = scene.world->add_credential("grain_pat_wrongwro_WrongWrongWrongWrongWrongWrongWrongWrong");
  scene.start();
  const auto needs = [&] {
    const auto row = scene.world->library().import(scene.id);
    return row && row->first.condition == "needs_attention";
  };
  ASSERT_TRUE(scene.world->run_until(needs, 1min));
  EXPECT_EQ(scene.row().first.stage, "authenticate");
  EXPECT_EQ(scene.row().bulk.condition, "needs_attention");
}

/// What becomes of a call, by what the sandbox has in store for it.
std::string expected_cause(const simulations::SandboxCall& call) {
  if (call.fate == CallFate::kDeleted) return "call.deleted_at_source";
  if (call.fate == CallFate::kPrivate) return "call.private";
  switch (call.media) {
    case MediaState::kTruncated:
    case MediaState::kHtmlPage:
    case MediaState::kZeroBytes: return "media.damaged";
    case MediaState::kWrongLength: return "media.length_mismatch";
    default: return "";
  }
}

TEST(Trouble, EachKindOfBrokenCallIsNamedAndTheRestComesAcross) {
  auto options = Scene::options_for(400);
  options.grain.generated.broken_percent = 20;
  options.grain.generated.deleted_percent = 5;
  options.grain.generated.private_percent = 5;
  options.grain.generated.transcript_only_percent = 5;
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto row = scene.row();
  std::map<std::string, std::int64_t> causes;
  std::int64_t failed = 0;
  const auto& calls = scene.world->sandbox->calls();
  for (std::uint64_t index = 0; index < calls.size(); ++index) {
    const auto call = calls.head(index);
    const auto found = scene.world->library().manifest_row(scene.id, call.id);
    ASSERT_TRUE(found.has_value() && found->has_value());
    const std::string cause = expected_cause(call);
    EXPECT_EQ((*found)->cause, cause) << to_string(call.media);
    EXPECT_EQ((*found)->state, cause.empty() ? storage::CallState::kRegistered : storage::CallState::kFailed);
    failed += cause.empty() ? 0 : 1;
    ++causes[cause];
  }
  EXPECT_EQ(row.counters.failed, failed);
  EXPECT_EQ(row.counters.registered, 400 - failed);
  EXPECT_EQ(causes.size(), 5u) << "the workspace has every kind";
  EXPECT_EQ(scene.report()["result"], "completed_with_gaps");
  std::map<std::string, std::int64_t> gaps;
  const auto report = scene.report();
  for (const auto& gap : report["gaps"]) gaps[gap["cause"]] = gap["calls"];
  causes.erase("");
  EXPECT_EQ(gaps, causes);
  EXPECT_THAT(broken_promises(*scene.world, scene.id), IsEmpty());
  scene.check_histories();
}

TEST(Trouble, ACutDownloadGoesOnAtItsLastByte) {
  auto options = Scene::options_for(30);
  options.grain.generated.media_bytes = 60'000;
  options.grain.cut_percent = 100;
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  expect_all_registered(scene, 30);
  std::map<std::string, std::size_t> bytes;
  for (const auto& [call, sent] : scene.world->downloads()) bytes[call] += sent;
  const auto& calls = scene.world->sandbox->calls();
  for (std::uint64_t index = 0; index < calls.size(); ++index) {
    const auto call = calls.head(index);
    if (call.media_type == "transcript") continue;
    EXPECT_EQ(bytes[call.id], calls.media(index).bytes) << "no byte twice";
  }
}

TEST(Trouble, ALinkThatRanOutIsAskedForAgain) {
  Scene scene(20);
  auto refused = std::make_shared<std::set<std::string>>();  // shared by the copies of the answer
  scene.world->outside.answer = [refused](const SandboxRequest& request, Timestamp) -> std::optional<SandboxReply> {
    const std::string path = request.target.substr(0, request.target.find('?'));
    const bool place = path.find("public-api") == std::string::npos;
    if (!place || !refused->insert(path).second) return std::nullopt;
    return refusal(403, "");
  };
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  expect_all_registered(scene, 20);
  EXPECT_GE(refused->size(), 15u);
}

TEST(Trouble, ALinkThatAlwaysRunsOutIsThatCallsTrouble) {
  Scene scene(5);
  scene.world->outside.answer = [](const SandboxRequest& request, Timestamp) -> std::optional<SandboxReply> {
    if (request.target.find("public-api") != std::string::npos) return std::nullopt;
    return refusal(403, "");
  };
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  const auto problems = scene.world->library().problems(scene.id);
  ASSERT_EQ(problems->size(), 1u);
  EXPECT_EQ(problems->front().cause, "media.link_expired");
}

TEST(Trouble, AServerThatWillNotResumeIsReadFromTheStart) {
  auto options = Scene::options_for(10);
  options.grain.cut_percent = 100;
  Scene scene(options);
  auto& sandbox = *scene.world->sandbox;
  auto cut = std::make_shared<std::set<std::string>>();
  scene.world->outside.answer = [&sandbox, cut](const SandboxRequest& request,
                                                Timestamp now) -> std::optional<SandboxReply> {
    if (request.target.find("public-api") != std::string::npos) return std::nullopt;
    SandboxRequest whole = request;
    std::erase_if(whole.headers, [](const auto& header) { return header.first == "range"; });
    SandboxReply reply = sandbox.handle(whole, now);
    if (!cut->insert(request.target).second) reply.cut_after.reset();
    return reply;
  };
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  expect_all_registered(scene, 10);
}

TEST(Trouble, OneCallThePlatformCannotAnswerForDoesNotStopTheOthers) {
  Scene scene(50);
  const std::string poison = scene.world->sandbox->calls().head(7).id;
  scene.world->outside.answer = [poison](const SandboxRequest& request, Timestamp) -> std::optional<SandboxReply> {
    if (request.target.find(poison) == std::string::npos) return std::nullopt;
    return refusal(500, "");
  };
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 49);
  EXPECT_EQ(scene.world->library().manifest_row(scene.id, poison).value()->state, storage::CallState::kFailed);
  EXPECT_THAT(scene.conditions(kFirst), testing::Not(Contains(HasSubstr("paused"))));
}

TEST(Trouble, AListThatAnswersAWebPageIsWaitedFor) {
  Scene scene(50);
  SandboxReply page;
  page.body = "<html>maintenance</html>";
  scene.world->outside.answer = once_at(1, page);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(2h)) << scene.status();
  expect_all_registered(scene, 50);
  EXPECT_THAT(scene.conditions(kFirst), Contains("waiting platform.changed_answer"));
}

TEST(Trouble, ARequestWithoutAnAnswerIsTriedAgain) {
  Scene scene(30);
  scene.world->http->set_fault([](std::uint64_t number) -> std::optional<Error> {
    if (number % 17 != 0) return std::nullopt;
    return Error{Code::kUnavailable, "reset"};
  });
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  expect_all_registered(scene, 30);
}

TEST(Trouble, RetryNowEndsAWait) {
  Scene scene(40);
  scene.world->outside.answer = once_at(60, refusal(429, "72000"));
  scene.start();
  const auto waits = [&] { return scene.row().first.condition == "waiting"; };
  ASSERT_TRUE(scene.world->run_until(waits, 1h));
  ASSERT_TRUE(scene.world->signal(scene.id, "retry-now", "{}").has_value());
  ASSERT_TRUE(scene.world->run_until_closed(5min)) << scene.status();
  expect_all_registered(scene, 40);
}

}  // namespace
}  // namespace callimport::workflows
