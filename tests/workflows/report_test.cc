// ID-14, ID-07, ID-09, ID-04: the report of whole imports, held against what is in the library.
#include "activities/import/report.h"

#include <numeric>
#include <set>

#include "storage/library/course.h"
#include "storage/library/progress.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using activities::read_report;
using nlohmann::json;
using testing_support::Scene;

json report_of(Scene& scene) {
  auto report = read_report(scene.world->library(), scene.id, to_unix_ms(scene.world->loop.now()));
  EXPECT_TRUE(report.has_value()) << report.error().message;
  return report.value_or(json::object());
}

std::int64_t sum(const json& rows, const char* key) {
  return std::accumulate(rows.begin(), rows.end(), std::int64_t{0},
                         [key](std::int64_t sum, const json& row) { return sum + row.at(key).get<std::int64_t>(); });
}

TEST(Report, OfAWholeImportAddsUp) {
  Scene scene(300);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const json report = report_of(scene);
  EXPECT_EQ(report["state"], "completed");
  EXPECT_EQ(report["grade"], "perfect");
  EXPECT_EQ(sum(report["months"], "found"), 300);
  EXPECT_EQ(sum(report["months"], "registered"), 300);
  EXPECT_EQ(sum(report["users"], "found"), 300);
  EXPECT_GT(report["users"].size(), 1u);
  EXPECT_EQ(sum(report["chart"]["calls"], "calls"), 300) << "the chart shows every call";
  EXPECT_TRUE(report["gaps"].empty());
  EXPECT_TRUE(report["waits"].empty());
  EXPECT_TRUE(report["first_ready"]["kept"].get<bool>());
  EXPECT_EQ(report["recordings_bytes"], scene.row().counters.media_bytes);
  EXPECT_EQ(report["asked"]["first_lane"], scene.input.settings.first_lane);
  EXPECT_EQ(report["duration_s"].get<std::int64_t>(), (*scene.row().closed_ms - scene.row().created_ms) / 1'000);
}

TEST(Report, SamplesRegisteredCallsAndAlwaysTheSame) {
  Scene scene(300);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const json report = report_of(scene);
  ASSERT_EQ(report["verify"]["calls"].size(), 10u);
  std::set<std::string> calls;
  for (const json& sampled : report["verify"]["calls"]) {
    const auto call = scene.world->library().call(sampled["call"]);
    ASSERT_TRUE(call.has_value()) << sampled;
    EXPECT_EQ(call->source_id, sampled["source_id"].get<std::string>());
    calls.insert(call->id);
  }
  EXPECT_EQ(calls.size(), 10u);
  const auto again = activities::make_report(scene.world->library(), scene.id, {*scene.row().closed_ms, "completed"});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->body["verify"], report["verify"]);
}

// ID-14
TEST(Report, CostsWhatThePricesMakeOfWhatCame) {
  Scene scene(100);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_TRUE(report_of(scene)["cost"].is_null()) << "no price is configured";
  const activities::Prices prices{.currency = "USD", .hour = 2, .gigabyte = 50, .call = 0.5};
  const auto made =
      activities::make_report(scene.world->library(), scene.id, {*scene.row().closed_ms, "completed", prices});
  ASSERT_TRUE(made.has_value()) << made.error().message;
  const json& report = made->body;
  const double hours = report["recorded_s"].get<double>() / 3'600;
  const double gigabytes = report["recordings_bytes"].get<double>() / 1e9;
  EXPECT_NEAR(report["cost"]["amount"].get<double>(), 100 * 0.5 + hours * 2 + gigabytes * 50, 0.01);
  EXPECT_EQ(report["cost"]["currency"], "USD");
  EXPECT_EQ(report["cost"]["made_up_of"], "2.00 USD an hour, 50.00 USD a GB, 0.50 USD a call");
}

TEST(Report, NamesGapsWithWhatToDo) {
  auto options = Scene::options_for(200);
  options.grain.generated.broken_percent = 10;
  options.grain.generated.deleted_percent = 5;
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto row = scene.row();
  const json report = report_of(scene);
  EXPECT_EQ(report["grade"], "poor");
  EXPECT_EQ(sum(report["gaps"], "failed"), row.counters.failed);
  EXPECT_EQ(sum(report["months"], "failed"), row.counters.failed);
  ASSERT_GE(report["gaps"].size(), 2u);
  for (const json& gap : report["gaps"]) {
    for (const char* part : {"what", "means", "who", "action", "example"}) EXPECT_NE(gap[part], "") << gap;
    EXPECT_GE(gap["first_ms"].get<std::int64_t>(), row.created_ms);
    EXPECT_LE(gap["first_ms"].get<std::int64_t>(), gap["last_ms"].get<std::int64_t>());
    const auto example = scene.world->library().manifest_row(scene.id, gap["example"]);
    ASSERT_TRUE(example.has_value() && example->has_value());
    EXPECT_EQ((*example)->cause, gap["cause"].get<std::string>());
    const auto attempts = scene.world->library().attempts(scene.id, gap["example"]);
    ASSERT_TRUE(attempts.has_value());
    ASSERT_FALSE(attempts->empty());
    EXPECT_EQ(attempts->back().outcome, "failed");
    EXPECT_EQ(attempts->back().cause, gap["cause"].get<std::string>());
  }
}

TEST(Report, NamesWaitsAndStagesWithTheirTimes) {
  auto options = Scene::options_for(200);
  options.grain.slow = 100ms;
  options.grain.outages = {{2s, 2h, simulations::OutageKind::kServerError}};
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(96h)) << scene.status();
  const json report = report_of(scene);
  ASSERT_FALSE(report["waits"].empty());
  EXPECT_EQ(report["waits"][0]["reason"], "platform.outage");
  EXPECT_GE(report["waits"][0]["total_s"].get<std::int64_t>(), 3'600);
  EXPECT_LE(report["waited_s"].get<std::int64_t>(), report["duration_s"].get<std::int64_t>());
  ASSERT_FALSE(report["chart"]["waits"].empty());
  EXPECT_EQ(report["stages"].size(), 6u);
  for (const json& stage : report["stages"]) {
    EXPECT_LE(stage["waited_s"].get<std::int64_t>(), stage["duration_s"].get<std::int64_t>()) << stage;
    if (stage["stage"] == "register") EXPECT_EQ(stage["calls"], 200);
  }
}

TEST(Report, OfAnOpenImportIsSoFar) {
  Scene scene(100);
  scene.world->sandbox->accept("grain_pat_x");
  scene.start();
  ASSERT_TRUE(scene.world->run_until([&] { return scene.row().counters.registered > 0; }, 1h));
  const json report = report_of(scene);
  EXPECT_EQ(report["state"], "open");
  EXPECT_FALSE(report.contains("grade"));
  EXPECT_EQ(report["as_of_ms"], to_unix_ms(scene.world->loop.now()));
  EXPECT_EQ(sum(report["months"], "found"), scene.row().counters.found);
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
}

TEST(Report, WithoutNamesHoldsNone) {
  Scene scene(100);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const json report = report_of(scene);
  std::set<std::string> names;
  for (const json& user : report["users"]) {
    names.insert(user["user"].get<std::string>());
    names.insert(user["name"].get<std::string>());
  }
  names.erase("");
  ASSERT_GT(names.size(), 1u);
  const std::string handed_out = activities::without_names(report).dump();
  for (const auto& name : names) EXPECT_EQ(handed_out.find(name), std::string::npos) << name;
  EXPECT_EQ(handed_out.find('@'), std::string::npos);
  EXPECT_EQ(sum(activities::without_names(report)["users"], "found"), 100);
}

TEST(Report, AReRequestMakesItAnew) {
  auto options = Scene::options_for(50);
  options.grain.generated.broken_percent = 20;
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const json first = report_of(scene);
  scene.input.credential = scene.world->add_credential();
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const json second = report_of(scene);
  EXPECT_GT(second["closed_ms"].get<std::int64_t>(), first["closed_ms"].get<std::int64_t>());
  EXPECT_EQ(sum(second["months"], "found"), 50);
  const auto attempts = scene.world->library().attempts(scene.id, second["gaps"][0]["example"]);
  ASSERT_TRUE(attempts.has_value());
  EXPECT_GE(attempts->size(), 2u) << "attempts go on over a re-request";
}

TEST(Report, HoldsTheEstimateAgainstWhatCame) {
  auto options = Scene::options_for(40);
  options.grain.slow = 100ms;  // else all of it takes no time here
  Scene scene(options);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto with_estimate = [&](std::int64_t to_ms) {
    auto row = scene.row();
    json input = json::parse(row.input);
    input["predicted"] = {{"calls", 40}, {"duration_from_ms", 1}, {"duration_to_ms", to_ms}, {"cause", "a limit"}};
    row.input = input.dump();
    EXPECT_TRUE(scene.world->library().change([&](storage::LibraryTx& tx) { return tx.put_import(row); }));
    return activities::make_report(scene.world->library(), scene.id, {*row.closed_ms, "completed"})->body["estimate"];
  };
  EXPECT_EQ(with_estimate(86'400'000)["kept"], true);
  EXPECT_EQ(with_estimate(86'400'000)["duration_to_s"], 86'400);
  EXPECT_EQ(with_estimate(1)["kept"], false);
  EXPECT_TRUE(with_estimate(0).is_null()) << "there was none";
}

//
TEST(Report, HoldsTheTimesLeftAgainstTheEnd) {
  Scene scene(40);
  scene.start();
  ASSERT_TRUE(scene.world->run_until([&] { return scene.row().counters.found > 0; }, 1h));
  auto& library = scene.world->library();
  const auto now_ms = to_unix_ms(scene.world->loop.now());
  const auto tell = [&](std::int64_t at_ms, std::int64_t from_ms, std::int64_t to_ms) {
    EXPECT_TRUE(library.tell_time_left(scene.id, {now_ms + at_ms, now_ms + from_ms, now_ms + to_ms, "x"}));
  };
  tell(0, 900'000, 1'100'000);
  tell(500'000, 700'000, 800'000);
  tell(800'000, 1'000'000, 1'000'000);
  const auto times_left = [&](const std::string& result) {
    const activities::ReportMoment moment{now_ms + 1'000'000, result};
    return activities::make_report(library, scene.id, moment)->body["times_left"];
  };
  EXPECT_TRUE(times_left("").is_null()) << "it has no end yet";
  EXPECT_EQ(times_left("completed"), (json{{"told", 3}, {"held", 2}, {"off_percent_median", 0.0}}));
}

TEST(Report, NamesWhoApprovedTheGaps) {
  Scene scene(20);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  const auto act = [&](const char* verb, const char* request, const char* outcome) {
    storage::ActionRow action;
    action.at_ms = 5'000;
    action.import = scene.id;
    action.verb = verb;
    action.who = "os:anna";
    action.why = "the customer knows";
    action.request_id = request;
    EXPECT_TRUE(scene.world->library().change([&](storage::LibraryTx& tx) -> Result<> {
      TRY(const auto number, tx.add_action(action, 0));
      return tx.set_outcome(number, outcome);
    }));
  };
  act("approve", "1", "");
  act("approve", "2", "not done: it is closed");
  act("pause", "3", "");
  const auto made = activities::make_report(scene.world->library(), scene.id, {*scene.row().closed_ms, "completed"});
  ASSERT_TRUE(made.has_value());
  ASSERT_EQ(made->body["approvals"].size(), 1u);
  EXPECT_EQ(made->body["approvals"][0]["who"], "os:anna");
}

}  // namespace
}  // namespace callimport::workflows
