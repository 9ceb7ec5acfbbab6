// What an import will take: how calls are counted from some pages, the figures made of it, and the whole look over a
// sandbox in virtual time (ux NW-04, NW-10, TE-01..04).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "activities/estimate/survey.h"
#include "activities/import/sample.h"
#include "engine/awaitable.h"
#include "tests/workflows/import_support.h"

namespace callimport::activities {
namespace {

using testing::HasSubstr;
using workflows::testing_support::Scene;

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kTop = 1'000'000 * kHour;

/// Starts every hour below `until`, newest first.
std::vector<std::int64_t> hourly(std::int64_t until, int calls) {
  std::vector<std::int64_t> starts;
  for (int i = 1; i <= calls; ++i) starts.push_back(until - i * kHour);
  return starts;
}

TEST(CallSpread, OnePageThatIsAllIsExact) {
  CallSpread spread;
  spread.saw(kTop, hourly(kTop, 20), true);
  EXPECT_EQ(spread.guess(), (CallSpread::Guess{20, 20, 20, true}));
  EXPECT_FALSE(spread.next_older());
  EXPECT_FALSE(spread.next_probe());
}

TEST(CallSpread, NothingAtAllIsExactToo) {
  CallSpread spread;
  spread.saw(kTop, {}, true);
  EXPECT_EQ(spread.guess().likely, 0);
  EXPECT_FALSE(spread.next_older());
}

TEST(CallSpread, AGapIsGuessedFromBothSides) {
  CallSpread spread;
  spread.saw(kTop, hourly(kTop, 20), false);
  spread.saw(kTop - 120 * kHour, hourly(kTop - 120 * kHour, 20), true);
  const auto guess = spread.guess();
  EXPECT_EQ(guess.likely, 135) << "19 in 20 hours before the call a page ends with, on both sides of 100 hours";
  EXPECT_FALSE(guess.exact);
  EXPECT_EQ(spread.next_probe(), kTop - 70 * kHour) << "the middle of the gap";
}

TEST(CallSpread, PagesThatOverlapCountEachCallOnce) {
  CallSpread spread;
  spread.saw(kTop, hourly(kTop, 20), false);
  spread.saw(kTop - 10 * kHour, hourly(kTop - 10 * kHour, 20), false);
  EXPECT_EQ(spread.seen(), 30);
  spread.saw(kTop - 5 * kHour, hourly(kTop - 5 * kHour, 20), false);
  EXPECT_EQ(spread.seen(), 30);
  spread.saw(kTop - 30 * kHour, hourly(kTop - 30 * kHour, 5), true);
  EXPECT_EQ(spread.guess(), (CallSpread::Guess{35, 35, 35, true}));
}

TEST(CallSpread, TheOldestIsFoundByDoubling) {
  CallSpread spread;
  const std::int64_t oldest = kTop - 5'000 * kHour;
  const auto page_below = [&](std::int64_t until) {
    std::vector<std::int64_t> starts;
    for (const std::int64_t start : hourly(until, 20)) {
      if (start >= oldest) starts.push_back(start);
    }
    return starts;
  };
  spread.saw(kTop, page_below(kTop), false);
  int asked = 0;
  while (const auto before = spread.next_older()) {
    const auto starts = page_below(*before);
    spread.saw(*before, starts, starts.size() < 20);
    ASSERT_LT(++asked, kOlderProbesMax);
  }
  EXPECT_LE(spread.oldest(), oldest + 250 * kHour) << "to a twentieth";
  EXPECT_NEAR(static_cast<double>(spread.guess().likely), 5'000, 300);
}

storage::ManifestRow call_at(std::int64_t start) {
  storage::ManifestRow row;
  row.source_id = std::to_string(start);
  row.start_ms = start;
  return row;
}

TEST(PickEvenly, TakesTheNewestTheOldestAndWhatLiesBetween) {
  std::vector<storage::ManifestRow> rows;
  for (int i = 0; i < 100; ++i) rows.push_back(call_at(1'000 + i));
  for (int i = 0; i < 5; ++i) rows.push_back(call_at(100 + i));  // long before
  const auto picked = pick_evenly(rows, 5);
  ASSERT_EQ(picked.size(), 5u);
  EXPECT_EQ(picked.front().start_ms, 1'099);
  EXPECT_EQ(picked.back().start_ms, 100);
  EXPECT_EQ(pick_evenly(rows, 200).size(), 105u) << "all, when there are no more";
  EXPECT_EQ(pick_evenly({}, 5).size(), 0u);
}

/// A workspace of 1,000 calls of half an hour, 150 kB a minute, fully counted.
Seen counted() {
  Seen seen;
  seen.calls = {1'000, 1'000, 1'000, true};
  seen.pages = 50;
  seen.page_calls = 20;
  seen.looked_at = seen.with_length = 1'000;
  seen.video = 980;
  seen.transcript_only = 20;
  seen.length_ms = 1'000 * 1'800'000LL;
  seen.recorded = 980;
  seen.recorded_ms = 980 * 1'800'000LL;
  seen.sized = 3;
  seen.sized_bytes = 3 * 4'500'000LL;
  seen.sized_ms = 3 * 1'800'000LL;
  seen.per_minute = 300;
  return seen;
}

ImportInput whole_import() {
  ImportInput ask;
  ask.platform = "grain";
  return ask;
}

TEST(Estimate, LongCallsWithoutARecordingBringHoursAndNoBytes) {
  auto seen = counted();
  seen.length_ms += 20 * 9'000'000LL;
  const auto estimate = estimate_of(*find_platform("grain"), whole_import(), seen, {}, {});
  EXPECT_DOUBLE_EQ(estimate.hours->to, 550);
  EXPECT_NEAR(estimate.bytes->to, 980 * 4.5e6, 1e6);
}

TEST(Estimate, AddsUpFromTheLimits) {
  const auto estimate = estimate_of(*find_platform("grain"), whole_import(), counted(), {}, {});
  EXPECT_DOUBLE_EQ(estimate.to_import, 1'000);
  EXPECT_DOUBLE_EQ(estimate.hours->to, 500);
  EXPECT_DOUBLE_EQ(estimate.requests.to, 50 + 2'000 + 980) << "pages, details and transcripts, recordings";
  EXPECT_NEAR(estimate.bytes->to, 980 * 4.5e6, 1e6);
  EXPECT_NEAR(estimate.duration_ms->from, 3'030.0 / 300 * 60'000, 1);
  EXPECT_EQ(estimate.cause, "Grain's 300 requests a minute");
  EXPECT_EQ(estimate.cost_text, "no price configured");
  EXPECT_FALSE(estimate.cost);
  ASSERT_EQ(estimate.not_coming.size(), 1u);
  EXPECT_EQ(estimate.not_coming[0].calls, 20);
  EXPECT_EQ(estimate.confidence, "medium");
  EXPECT_THAT(estimate.basis, HasSubstr("an exact count on 50 pages; sizes of 3 recordings"));
  EXPECT_LT(estimate.first_ms->to, 2 * 60'000);
}

TEST(Estimate, PricesAreAppliedToEachPart) {
  const Prices prices{"EUR", 0.1, 0.02, 0.01};
  const auto estimate = estimate_of(*find_platform("grain"), whole_import(), counted(), {}, Terms{.prices = prices});
  ASSERT_TRUE(estimate.cost);
  EXPECT_NEAR(estimate.cost->to, 500 * 0.1 + 4.41 * 0.02 + 1'000 * 0.01, 0.01);
  EXPECT_EQ(estimate.cost_text, "0.10 EUR an hour, 0.02 EUR a GB, 0.01 EUR a call");
}

struct CauseRow {
  const char* name;
  void (*change)(Seen& seen, ImportInput& ask);
  const char* cause;
};
void PrintTo(const CauseRow& row, std::ostream* out) { *out << row.name; }
class Causes : public testing::TestWithParam<CauseRow> {};
TEST_P(Causes, AreTheTightestLimit) {
  auto seen = counted();
  auto ask = whole_import();
  GetParam().change(seen, ask);
  EXPECT_THAT(estimate_of(*find_platform("grain"), ask, seen, {}, {}).cause, HasSubstr(GetParam().cause));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Causes,
    testing::Values(CauseRow{"Requests", [](Seen&, ImportInput&) {}, "300 requests a minute"},
                    CauseRow{"TheHeadersCount", [](Seen& seen, ImportInput&) { seen.per_minute = 30; }, "30 requests"},
                    CauseRow{"Transfer", [](Seen& seen, ImportInput&) { seen.sized_bytes *= 10; }, "GB to transfer"},
                    CauseRow{"OurBudget", [](Seen& seen, ImportInput&) { seen.calls = {9'000, 9'000, 9'000, true}; },
                             "5,000 calls in 12 h"}),
    [](const auto& test) { return test.param.name; });

/// 2026-09-01 is a Tuesday.
const Timestamp kNoon = Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 9 / 1}} + 12h;

struct FinishRow {
  const char* name;
  double calls, ms_per_call;
  const char* window;
  std::int64_t budget;
  Nanos takes;
};
void PrintTo(const FinishRow& row, std::ostream* out) { *out << row.name; }
class Finishes : public testing::TestWithParam<FinishRow> {};
TEST_P(Finishes, WaitForHoursAndBudget) {
  const auto& row = GetParam();
  const auto window = storage::TimeWindow::parse(row.window, "UTC");
  ASSERT_TRUE(window) << window.error().message;
  const auto finish = finish_of(kNoon, {row.calls, row.ms_per_call, -1}, *window, {row.budget, 43'200'000});
  ASSERT_TRUE(finish);
  EXPECT_EQ(finish->end - kNoon, row.takes);
  EXPECT_EQ(finish->working + finish->closed + finish->over_budget, row.takes);
}
INSTANTIATE_TEST_SUITE_P(Table, Finishes,
                         testing::Values(FinishRow{"Nothing", 0, 600, "always", 5'000, 0h},
                                         FinishRow{"AtOnce", 1'000, 3'600, "always", 5'000, 1h},
                                         FinishRow{"AtNight", 1'000, 3'600, "nights", 5'000, 9h},
                                         FinishRow{"ASecondNight", 11'000, 3'600, "nights", 0, 33h},
                                         FinishRow{"OverTheBudget", 6'000, 3'600, "always", 5'000, 13h},
                                         FinishRow{"WithoutABudget", 6'000, 3'600, "always", 0, 6h},
                                         FinishRow{"ThreePeriods", 12'000, 360, "always", 5'000, 24h + 12min}),
                         [](const auto& test) { return test.param.name; });

TEST(Estimate, TheHoursOfBulkAreItsCause) {
  Terms terms;
  terms.window = *storage::TimeWindow::parse("nights", "UTC");
  terms.start = kNoon;
  const auto estimate = estimate_of(*find_platform("grain"), whole_import(), counted(), {}, terms);
  EXPECT_EQ(estimate.cause, "the hours in which bulk may run");
  EXPECT_GT(estimate.duration_ms->from, 8 * kHour);
  EXPECT_LT(estimate.first_ms->to, 2 * 60'000) << "the first lane does not wait";
}

TEST(Estimate, WhatTheLibraryHasIsNotImported) {
  auto seen = counted();
  seen.known = 400;
  const auto estimate = estimate_of(*find_platform("grain"), whole_import(), seen, {}, {});
  EXPECT_DOUBLE_EQ(estimate.to_import, 600);
  EXPECT_EQ(estimate.not_coming.back().cause, "duplicate.skipped");
  EXPECT_EQ(estimate.not_coming.back().calls, 400);
}

TEST(Past, HoldsWhatWasForetoldAgainstWhatCame) {
  ImportInput input;
  input.predicted.duration_to_ms = 100'000;
  storage::ImportMeasure one{"imp_1",   "grain",           0,    90'000, 5, "completed", 50, 50, 0,
                             5'000'000, write_note(input), false};
  auto late = one;
  late.closed_ms = 200'000;
  auto small = one;
  small.registered = 3;
  auto cancelled = one;
  cancelled.condition = "cancelled";
  const auto past = past_of({one, late, late, small, cancelled});
  EXPECT_EQ(past.imports, 3);
  EXPECT_EQ(past.foretold, 3);
  EXPECT_EQ(past.kept, 1);
  EXPECT_DOUBLE_EQ(past.latest_over, 2);
  EXPECT_DOUBLE_EQ(past.bytes_per_call, 100'000);
  const auto estimate = estimate_of(*find_platform("grain"), whole_import(), counted(), past, {});
  EXPECT_EQ(estimate.confidence, "high");
  EXPECT_NEAR(estimate.duration_ms->to / estimate.duration_ms->from, 2 * kDoubtWithoutPast, 0.05);
  EXPECT_THAT(estimate.accuracy, HasSubstr("1 of 3 past imports of Grain"));
}

/// A look over the scene's sandbox, whole.
struct Looked {
  std::shared_ptr<SurveyState> state = std::make_shared<SurveyState>();
  int messages = 0;
  Nanos took{0};
  std::map<std::string, Check> checks;
};

Awaitable<bool> run_survey(SharedDeps deps, SurveyOrder order, std::shared_ptr<SurveyState> state, SurveyTell tell) {
  auto looking = survey(deps, std::move(order), state, std::move(tell));
  co_await std::move(looking);
  co_return true;
}

Looked look(Scene& scene, SurveyOrder order) {
  Looked looked;
  bool done = false;
  auto& loop = scene.world->loop;
  const Timestamp began = loop.now();
  auto tell = [&looked](const SurveyState&) {
    ++looked.messages;
    return true;
  };
  engine::spawn(loop, run_survey(scene.world->looking(), std::move(order), looked.state, tell),
                [&done](bool) { done = true; });
  loop.run_until([&done] { return done; });
  looked.took = loop.now() - began;
  for (const auto& check : looked.state->checks) looked.checks[check.name] = check;
  return looked;
}

SurveyOrder order_of(const Scene& scene) {
  SurveyOrder order;
  order.ask = scene.input;
  order.free_bytes = []() -> Result<std::uint64_t> { return 1'000'000'000'000; };
  return order;
}

TEST(Survey, CountsASmallWorkspaceWholeAndChecksIt) {
  Scene scene(300);
  const auto looked = look(scene, order_of(scene));
  EXPECT_EQ(looked.state->seen.calls, (CallSpread::Guess{300, 300, 300, true}));
  EXPECT_EQ(looked.state->seen.pages, 15);
  EXPECT_EQ(looked.state->seen.sized, 3);
  EXPECT_GT(looked.state->seen.sized_bytes, 3 * 3'000);
  EXPECT_EQ(looked.checks.size(), check_names().size());
  for (const char* name : {"access.valid", "access.list", "call.download", "call.transcript", "storage", "duplicates"})
    EXPECT_EQ(looked.checks.at(name).result, CheckResult::kPass) << name << ": " << looked.checks.at(name).text;
  EXPECT_EQ(looked.checks.at("access.scope").result, CheckResult::kWarning) << "a personal token";
}

TEST(Survey, ForetellsTheBytesThatCome) {
  Scene scene(300);
  const auto looked = look(scene, order_of(scene));
  const auto estimate = estimate_of(*find_platform("grain"), scene.input, looked.state->seen, {}, {});
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto came = static_cast<double>(scene.row().counters.media_bytes);
  EXPECT_NEAR(estimate.bytes->to, came, came / 8) << "files differ by a tenth, and three are measured";
}

TEST(Survey, ALargeWorkspaceIsSampledInTime) {
  auto options = Scene::options_for(20'000);
  options.grain.requests_per_minute = 300;
  Scene scene(options);
  const auto looked = look(scene, order_of(scene));
  EXPECT_LE(looked.took, Nanos{10s}) << "TE-04";
  EXPECT_FALSE(looked.state->seen.calls.exact);
  EXPECT_GT(looked.messages, 5) << "partial figures";
  const auto guess = looked.state->seen.calls;
  EXPECT_NEAR(static_cast<double>(guess.likely), 20'000, 1'500);
  RecordProperty("likely", std::to_string(guess.likely));
  RecordProperty("seconds", std::to_string(looked.took.count() / 1'000'000'000));
}

TEST(Survey, CountsToTheEndWhenAsked) {
  auto options = Scene::options_for(2'000);
  options.grain.requests_per_minute = 300;
  Scene scene(options);
  auto order = order_of(scene);
  order.time = Nanos{0};
  const auto looked = look(scene, order);
  EXPECT_EQ(looked.state->seen.calls, (CallSpread::Guess{2'000, 2'000, 2'000, true}));
}

TEST(Survey, WritesNothing) {
  Scene scene(300);
  scene.world->loop.run_for(5s);
  const auto before = scene.world->disk.count(simulations::kOpChanges);
  ASSERT_GT(before, 0u);
  look(scene, order_of(scene));
  EXPECT_EQ(scene.world->disk.count(simulations::kOpChanges), before) << "TE-03: not a byte";
  EXPECT_EQ(scene.world->library().imports(10)->size(), 0u);
}

TEST(Survey, ATokenIsUsedAndKeptNowhere) {
  Scene scene(30);
  auto order = order_of(scene);
  order.ask.credential.clear();
  order.secret = storage::Secret(std::string(simulations::kGrainSandboxToken));
  order.token_kind = "wat";
  const auto looked = look(scene, order);
  EXPECT_EQ(looked.checks.at("access.valid").result, CheckResult::kPass);
  EXPECT_EQ(looked.checks.at("access.scope").result, CheckResult::kUnknown);
  EXPECT_EQ(scene.world->vault().list()->size(), 1u) << "the scene's own only";
}

TEST(Survey, BadAccessIsACheckThatFails) {
  Scene scene(30);
  auto order = order_of(scene);
  order.secret = storage::Secret("grain_pat_nobody00_NobodyNobodyNobodyNobodyNobodyNobody0000");
  const auto looked = look(scene, order);
  EXPECT_EQ(looked.checks.at("access.valid").result, CheckResult::kFail);
  EXPECT_EQ(looked.checks.at("call.download").result, CheckResult::kUnknown);
  EXPECT_TRUE(looked.state->whole);
  EXPECT_EQ(looked.state->seen.pages, 0);
}

TEST(Survey, AnOutageIsNotTheTokensFault) {
  auto options = Scene::options_for(30);
  options.grain.outages = {{Nanos{0}, 10min, simulations::OutageKind::kServerError}};
  Scene scene(options);
  const auto looked = look(scene, order_of(scene));
  EXPECT_EQ(looked.checks.at("access.valid").result, CheckResult::kUnknown);
}

TEST(Survey, AFullDiskFailsItsCheck) {
  Scene scene(30);
  auto order = order_of(scene);
  order.free_bytes = []() -> Result<std::uint64_t> { return 10; };
  EXPECT_EQ(look(scene, order).checks.at("storage").result, CheckResult::kFail);
}

TEST(Survey, WhatTheLibraryHasIsSeen) {
  Scene scene(40);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h));
  scene.input.credential = scene.world->add_credential();
  const auto registered = scene.row().counters.registered;
  EXPECT_EQ(look(scene, order_of(scene)).state->seen.known, registered);
}

TEST(SampleRun, TakesCallsAcrossAllDates) {
  auto options = Scene::options_for(2'000);
  options.grain.requests_per_minute = 300;
  Scene scene(options);
  scene.input.calls_max = 20;
  scene.input.spread = true;
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(1h));
  const auto rows = scene.world->library().manifest(scene.id, std::nullopt, "", "", 100);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 20u);
  std::vector<std::int64_t> starts;
  for (const auto& row : *rows) starts.push_back(row.start_ms);
  std::sort(starts.begin(), starts.end());
  const auto& calls = scene.world->sandbox->calls();
  const auto newest = to_unix_ms(calls.head(0).start), oldest = to_unix_ms(calls.head(calls.size() - 1).start);
  const auto range = newest - oldest;
  EXPECT_GE(starts.back(), newest - range / 20);
  EXPECT_LE(starts.front(), oldest + range / 10);
  for (std::size_t i = 1; i < starts.size(); ++i)
    EXPECT_LE(starts[i] - starts[i - 1], range / 6) << "no part of the time is left out";
  scene.check_histories();
}

}  // namespace
}  // namespace callimport::activities
