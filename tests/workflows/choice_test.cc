// Which calls an import is asked for beside their dates (NW-05): by length, by who recorded them, one by one.
#include "activities/import/choice.h"

#include <map>

#include "activities/import/report.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using activities::Choice;
using activities::ImportInput;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing_support::Scene;

storage::ManifestRow listed(const std::string& id, std::optional<std::int64_t> duration_ms, const std::string& owner) {
  storage::ManifestRow row;
  row.source_id = id;
  row.duration_ms = duration_ms;
  row.owner = owner;
  return row;
}

ImportInput asking(std::int64_t min_length_ms, std::vector<std::string> users, std::int64_t named) {
  ImportInput ask;
  ask.min_length_ms = min_length_ms;
  ask.users = std::move(users);
  ask.named = named;
  return ask;
}

struct Asked {
  const char* name;
  ImportInput ask;
  std::vector<std::string> named;
  std::vector<std::string> taken;
  const char* words;
};
void PrintTo(const Asked& row, std::ostream* out) { *out << row.name; }
class Choices : public testing::TestWithParam<Asked> {};

TEST_P(Choices, TakeWhatIsAskedFor) {
  const std::vector<storage::ManifestRow> all = {listed("short", 59'999, "Ana@acme.com"),
                                                 listed("minute", 60'000, "ben@acme.com"), listed("unknown", {}, ""),
                                                 listed("long", 3'600'000, "ana@acme.com")};
  const Choice choice(GetParam().ask, GetParam().named);
  std::vector<std::string> taken;
  for (const auto& row : all) {
    if (choice.takes(row)) taken.push_back(row.source_id);
  }
  EXPECT_EQ(GetParam().taken, taken);
  EXPECT_EQ(taken.size() == all.size(), choice.takes_all());
  EXPECT_EQ(GetParam().words, activities::choice_words(GetParam().ask));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Choices,
    testing::Values(
        Asked{"All", asking(0, {}, 0), {}, {"short", "minute", "unknown", "long"}, ""},
        Asked{"ByLength", asking(60'000, {}, 0), {}, {"minute", "unknown", "long"}, "only calls of 60 s and more"},
        Asked{"ByUser", asking(0, {"ANA@acme.com"}, 0), {}, {"short", "long"}, "only recorded by ANA@acme.com"},
        Asked{"ByName", asking(0, {}, 2), {"minute", "gone"}, {"minute"}, "only the 2 calls named"},
        Asked{"ByAll",
              asking(60'000, {"ana@acme.com", "zoe@acme.com"}, 3),
              {"short", "minute", "long"},
              {"long"},
              "only the 3 calls named, calls of 60 s and more, recorded by ana@acme.com, zoe@acme.com"}),
    [](const auto& test) { return test.param.name; });

TEST(Choices, AreRefusedWhereTheyMeanNothing) {
  auto platform = *activities::find_platform("grain");
  EXPECT_EQ("", activities::choice_refused(platform, asking(1, {"a"}, 1)));
  EXPECT_NE("", activities::choice_refused(platform, asking(-1, {}, 0)));
  EXPECT_NE("", activities::choice_refused(platform, asking(0, {}, -1)));
  auto counted = asking(0, {}, 3);
  counted.calls_max = 3;
  EXPECT_NE("", activities::choice_refused(platform, counted));
  platform.lists_length = platform.lists_owner = false;
  EXPECT_NE("", activities::choice_refused(platform, asking(1, {}, 0)));
  EXPECT_NE("", activities::choice_refused(platform, asking(0, {"a"}, 0)));
}

/// Source ids of the whole workspace by their length, as the platform lists them.
std::map<std::string, std::int64_t> lengths(std::uint64_t calls) {
  Scene scene(calls);
  scene.input.media = false;
  scene.start();
  EXPECT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  std::map<std::string, std::int64_t> all;
  const auto rows = scene.world->library().manifest(scene.id, {}, "", "", 10'000).value();
  for (const auto& row : rows) {
    all[row.source_id] = row.duration_ms.value_or(-1);
  }
  return all;
}

std::vector<std::string> manifest_of(Scene& scene, std::optional<storage::CallState> state = {}) {
  std::vector<std::string> ids;
  const auto rows = scene.world->library().manifest(scene.id, state, "", "", 10'000).value();
  for (const auto& row : rows) {
    ids.push_back(row.source_id);
  }
  return ids;
}

TEST(Choices, ByLengthLeaveShortCallsOutOfTheManifest) {
  const auto all = lengths(120);
  std::vector<std::int64_t> sorted;
  for (const auto& [id, length] : all) sorted.push_back(length);
  std::sort(sorted.begin(), sorted.end());
  const std::int64_t median = sorted[sorted.size() / 2];
  std::vector<std::string> wanted;
  for (const auto& [id, length] : all) {
    if (length < 0 || length >= median) wanted.push_back(id);
  }
  ASSERT_GT(wanted.size(), 20u);
  ASSERT_LT(wanted.size(), 100u);
  Scene scene(120);
  scene.input.media = false;
  scene.input.min_length_ms = median;
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(wanted, manifest_of(scene));
  EXPECT_EQ(std::ssize(wanted), scene.row().counters.registered);
  const auto report =
      activities::read_report(scene.world->library(), scene.id, to_unix_ms(scene.world->loop.now())).value();
  EXPECT_EQ(report.at("asked").at("choice").get<std::string>(),
            "only calls of " + std::to_string(median / 1'000) + " s and more");
  scene.check_histories();
}

TEST(Choices, ByNameTakeThoseAndSayWhichAreNotThere) {
  const auto all = lengths(120);
  std::vector<std::string> named = {"nobody-knows-this-call"};
  for (const auto& [id, length] : all) {
    if (named.size() < 8 && id.front() > '7') named.push_back(id);
  }
  ASSERT_EQ(8u, named.size());
  Scene scene(120);
  ASSERT_TRUE(scene.world->library()
                  .change([&](storage::LibraryTx& tx) { return tx.name_calls(scene.id, named); })
                  .has_value());
  scene.input.media = false;
  scene.input.named = std::ssize(named);
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_THAT(manifest_of(scene), testing::UnorderedElementsAreArray(named));
  EXPECT_THAT(manifest_of(scene, storage::CallState::kFailed), ElementsAre("nobody-knows-this-call"));
  EXPECT_EQ(7, scene.row().counters.registered);
  const auto problems = scene.world->library().problems(scene.id).value();
  ASSERT_EQ(1u, problems.size());
  EXPECT_EQ("call.not_listed", problems.front().cause);
  scene.check_histories();
}

TEST(Choices, ASampleIsOfTheCallsThatAreAskedFor) {
  const auto all = lengths(120);
  std::vector<std::int64_t> sorted;
  for (const auto& [id, length] : all) sorted.push_back(length);
  std::sort(sorted.begin(), sorted.end());
  Scene scene(120);
  scene.input.media = false;
  scene.input.calls_max = 10;
  scene.input.spread = true;
  scene.input.min_length_ms = sorted[sorted.size() / 2];
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  ASSERT_EQ(10, scene.row().counters.registered);
  for (const auto& id : manifest_of(scene)) EXPECT_GE(all.at(id), scene.input.min_length_ms) << id;
}

}  // namespace
}  // namespace callimport::workflows
