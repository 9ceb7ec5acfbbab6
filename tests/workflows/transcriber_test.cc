// Calls that come without a transcript, and a transcriber that makes one, is slow, broken, or not there.
#include "simulations/sandboxes/transcriber.h"

#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using simulations::SandboxReply;
using simulations::SandboxRequest;
using simulations::TranscriberSandbox;
using simulations::TranscriberSandboxOptions;
using testing::HasSubstr;
using testing_support::Scene;

constexpr int kCalls = 12;

/// A workspace whose calls have no transcripts, and the transcriber's sandbox beside it.
struct Wordless {
  explicit Wordless(TranscriberSandboxOptions sandbox = {}, bool configured = true)
      : transcriber(std::move(sandbox)), scene(options_for(configured)) {
    scene.world->outside.answer = [this](const SandboxRequest& request, Timestamp now) -> std::optional<SandboxReply> {
      if (request.target.starts_with("/v1/")) return transcriber.handle(request, now);
      if (!request.target.ends_with("/transcript")) return std::nullopt;
      SandboxReply none;
      none.status = 406;
      return none;
    };
  }
  static simulations::ImportWorldOptions options_for(bool configured) {
    auto options = Scene::options_for(kCalls);
    options.grain.generated.transcript_only_percent = 0;
    if (!configured) return options;
    options.transcriber.emplace();
    options.transcriber->url = "http://transcriber.test" + std::string(simulations::kTranscriptionsPath);
    options.transcriber->model = "whisper-1";
    options.transcriber->key = storage::Secret("PLANTEDkey");
    return options;
  }
  void run() {
    scene.start();
    ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
    EXPECT_EQ(scene.row().counters.registered, kCalls) << "the calls come across whatever the transcriber does";
  }
  std::vector<storage::Call> calls() {
    std::vector<storage::Call> all;
    const auto heads = scene.world->library().calls({}, "", 100).value();
    for (const auto& head : heads) all.push_back(scene.world->library().call(head.id).value());
    return all;
  }
  std::map<std::string, std::int64_t> gaps() {
    std::map<std::string, std::int64_t> found;
    const auto problems = scene.world->library().problems(scene.id).value();
    for (const auto& problem : problems) found[problem.cause] = problem.calls;
    return found;
  }
  TranscriberSandbox transcriber;
  Scene scene;
};

TEST(Transcribing, MakesWordsOfRecordingsAndSaysWhoMadeThem) {
  TranscriberSandboxOptions options;
  options.key = "PLANTEDkey";
  Wordless world(options);
  world.run();
  EXPECT_EQ(world.transcriber.made(), kCalls);
  for (const auto& call : world.calls()) {
    EXPECT_EQ(call.transcript_state, "made");
    EXPECT_THAT(call.details, HasSubstr("\"transcript_made_by\":\"whisper-1\""));
    ASSERT_EQ(call.segments.size(), 2u);
    EXPECT_EQ(call.segments[0].text, "Good morning.");
    EXPECT_EQ(call.segments[1].start_ms, 1'480);
    EXPECT_EQ(call.segments[1].end_ms, 4'200);
    EXPECT_THAT(call.segments[1].text, HasSubstr(call.media->hash.substr(0, 12))) << "another file was sent";
  }
  EXPECT_TRUE(world.gaps().empty());
  const auto found = world.scene.world->library().search({.query = "\"good morning\"", .limit = 100});
  ASSERT_TRUE(found.has_value()) << found.error().message;
  EXPECT_EQ(found->hits.size(), std::size_t{kCalls});
}

TEST(Transcribing, WithoutATranscriberIsAGapWithACause) {
  Wordless world({}, false);
  world.run();
  EXPECT_EQ(world.transcriber.asked(), 0);
  EXPECT_EQ(world.gaps(), (std::map<std::string, std::int64_t>{{"transcript.missing", kCalls}}));
  EXPECT_THAT(world.scene.row().report, HasSubstr("transcript.missing"));
}

/// A closed import, opened again for a cause of calls that came without words.
void run_again(Wordless& world, const std::string& cause) {
  activities::RetryNote choice;
  choice.cause = cause;
  world.scene.input.credential = world.scene.world->add_credential();
  world.scene.input.retries = {choice};
  world.scene.start();
}

// ID-08: what is there is not fetched again, and what was missing is indexed once, whatever dies meanwhile.
TEST(Transcribing, AnotherTryMakesOnlyTheMissingWords) {
  TranscriberSandboxOptions options;
  options.fail_first = 3 * kCalls;
  Wordless world(options);
  world.run();
  ASSERT_EQ(world.gaps(), (std::map<std::string, std::int64_t>{{"transcript.failed", kCalls}}));
  const auto before = world.scene.row().counters;
  const auto downloads = world.scene.world->downloads().size();
  ASSERT_EQ(downloads, std::size_t{kCalls}) << "each recording came, and once";
  const int asked = world.transcriber.asked();
  run_again(world, "transcript.failed");
  ASSERT_TRUE(world.scene.world->run_until([&] { return world.transcriber.made() >= 3; }, 1h)) << world.scene.status();
  ASSERT_TRUE(world.scene.world->restart().has_value());
  ASSERT_TRUE(world.scene.world->run_until_closed(24h)) << world.scene.status();
  EXPECT_EQ(before, world.scene.row().counters);
  EXPECT_EQ(downloads, world.scene.world->downloads().size()) << "no recording came a second time";
  EXPECT_GE(world.transcriber.asked(), asked + kCalls);
  EXPECT_TRUE(world.gaps().empty());
  for (const auto& call : world.calls()) {
    EXPECT_EQ(call.transcript_state, "made");
    EXPECT_THAT(call.details, HasSubstr("\"transcript_made_by\":\"whisper-1\""));
    EXPECT_EQ(call.segments.size(), 2u);
  }
  const auto found = world.scene.world->library().search({.query = "\"good morning\"", .limit = 100});
  EXPECT_EQ(found->hits.size(), std::size_t{kCalls});
  EXPECT_THAT(simulations::broken_promises(*world.scene.world, world.scene.id), testing::IsEmpty());
  EXPECT_THAT(world.scene.row().report, testing::Not(HasSubstr("transcript.failed")));
  world.scene.check_histories();
}

TEST(Transcribing, AnotherTryThatFailsSaysThatTheCauseCameBack) {
  TranscriberSandboxOptions options;
  options.fail_first = 1'000;
  Wordless world(options);
  world.run();
  run_again(world, "transcript.failed");
  ASSERT_TRUE(world.scene.world->run_until_closed(24h)) << world.scene.status();
  const auto problems = world.scene.world->library().problems(world.scene.id).value();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].calls, kCalls);
  EXPECT_TRUE(problems[0].came_back_ms.has_value());
}

TEST(Transcribing, DoesNotHoldUpACancelledImport) {
  TranscriberSandboxOptions options;
  options.slow = std::chrono::minutes{4};
  Wordless world(options);
  world.scene.start();
  const auto asked = [&] { return world.transcriber.asked() > 0; };
  ASSERT_TRUE(world.scene.world->run_until(asked, 1h)) << world.scene.status();
  ASSERT_TRUE(world.scene.world->cancel(world.scene.id).has_value());
  EXPECT_TRUE(world.scene.world->run_until_closed(5min)) << world.scene.status();
  EXPECT_EQ(world.scene.report()["result"], "cancelled");
  EXPECT_LE(world.transcriber.asked(), 2) << "those under way, and no more";
}

struct Trouble {
  const char* name;
  TranscriberSandboxOptions sandbox;
  const char* cause;  ///< of all calls; empty: all were made
  int asked_max;
  Nanos within;
};
void PrintTo(const Trouble& row, std::ostream* out) { *out << row.name; }
class Transcribers : public testing::TestWithParam<Trouble> {};

TEST_P(Transcribers, InTroubleCostTranscriptsAtMost) {
  const Trouble& row = GetParam();
  Wordless world(row.sandbox);
  world.run();
  const std::map<std::string, std::int64_t> none;
  EXPECT_EQ(world.gaps(),
            std::string(row.cause).empty() ? none : (std::map<std::string, std::int64_t>{{row.cause, kCalls}}));
  EXPECT_LE(world.transcriber.asked(), row.asked_max);
  EXPECT_LE(world.scene.world->loop.now() - simulations::kSimulationStart, row.within);
}

TranscriberSandboxOptions with(auto change) {
  TranscriberSandboxOptions options;
  change(options);
  return options;
}
INSTANTIATE_TEST_SUITE_P(
    Table, Transcribers,
    testing::Values(
        Trouble{"FailsAtFirst", with([](auto& o) { o.fail_first = 2; }), "", kCalls + 2, 5min},
        Trouble{"AsksToSlowDown", with([](auto& o) {
                  o.limit_first = 1;
                  o.retry_after = "40";
                }),
                "", kCalls + 4, 5min},
        Trouble{"IsAlwaysDown", with([](auto& o) { o.fail_first = 1'000; }), "transcript.failed", 3 * kCalls, 10min},
        Trouble{"IsLimitedForHours", with([](auto& o) {
                  o.limit_first = 1'000;
                  o.retry_after = "7200";
                }),
                "transcript.failed", 3, 10min},
        Trouble{"RefusesTheKey", with([](auto& o) { o.key = "another"; }), "transcript.failed", kCalls, 5min},
        Trouble{"TakesSmallFilesOnly", with([](auto& o) { o.bytes_max = 10; }), "transcript.failed", kCalls, 5min},
        Trouble{"NeverAnswersInTime", with([](auto& o) { o.slow = std::chrono::hours{1}; }), "transcript.failed",
                3 * kCalls, 8h},
        Trouble{"AnswersAPage", with([](auto& o) { o.answer = "<html>"; }), "transcript.failed", kCalls, 5min},
        Trouble{"AnswersNonsense", with([](auto& o) { o.answer = R"({"segments":[{"start":-1e300,"text":"x"}]})"; }),
                "transcript.failed", kCalls, 5min},
        Trouble{"HearsNothing", with([](auto& o) { o.answer = R"({"text":" ","segments":[]})"; }), "transcript.missing",
                kCalls, 5min}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace callimport::workflows
