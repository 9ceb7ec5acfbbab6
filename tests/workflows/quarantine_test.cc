// Broken recordings of a whole import: flagged one by one, kept with their hash, and gone once a retry brings them.
#include "activities/import/quarantine.h"

#include "storage/media/content_hash.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

using testing::IsEmpty;
using testing_support::Scene;

/// What is sent in place of a recording.
struct Broken {
  const char* name;
  std::string body;
  const char* type;
  const char* cause;
};
void PrintTo(const Broken& row, std::ostream* out) { *out << row.name; }
class BrokenRecordings : public testing::TestWithParam<Broken> {};

TEST_P(BrokenRecordings, AreKeptOneByOneAndTheRestGoesOn) {
  const Broken& row = GetParam();
  Scene scene(8);
  const auto& calls = scene.world->sandbox->calls();
  std::string victim;
  for (std::uint64_t i = 0; i < calls.size() && victim.empty(); ++i)
    victim = calls.head(i).media == simulations::MediaState::kGood ? calls.head(i).id : "";
  ASSERT_FALSE(victim.empty());
  scene.world->outside.answer = [&](const simulations::SandboxRequest& request,
                                    Timestamp) -> std::optional<simulations::SandboxReply> {
    const bool place = request.target.starts_with("/cdn/recordings/" + victim);
    if (!place || simulations::find_header(request.headers, "range") == "bytes=0-0") return std::nullopt;
    simulations::SandboxReply reply;
    reply.headers.emplace_back("content-type", row.type);
    reply.body = row.body;
    return reply;
  };
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.failed, 1);
  EXPECT_EQ(scene.row().counters.registered, 7);
  const auto kept = scene.world->library().quarantine(scene.id, 0, 10).value();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].source_id, victim);
  EXPECT_EQ(kept[0].cause, row.cause);
  EXPECT_FALSE(kept[0].detail.empty());
  EXPECT_EQ(kept[0].hash, storage::content_hash(row.body));
  EXPECT_EQ(kept[0].bytes, static_cast<std::int64_t>(row.body.size()));
  EXPECT_EQ(scene.world->media().quarantined()->size(), 1u);

  // What the library names stays over a restart; the retry clears it.
  ASSERT_TRUE(activities::sweep_quarantine(scene.world->library(), scene.world->media()).has_value());
  EXPECT_EQ(scene.world->media().quarantined()->size(), 1u);
  const auto before = scene.world->downloads().size();
  scene.world->outside.answer = nullptr;
  scene.input.credential = scene.world->add_credential();
  scene.start();
  ASSERT_TRUE(scene.world->run_until_closed(24h)) << scene.status();
  EXPECT_EQ(scene.row().counters.registered, 8);
  const auto downloads = scene.world->downloads();
  ASSERT_EQ(downloads.size(), before + 1) << "only the broken one is fetched again";
  EXPECT_EQ(downloads.back().first, victim);
  EXPECT_THAT(*scene.world->library().quarantine("", 0, 10), IsEmpty());
  EXPECT_THAT(*scene.world->media().quarantined(), IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(Table, BrokenRecordings,
                         testing::Values(Broken{"APageInsteadOfARecording", "<!doctype html><title>Sign in</title>",
                                                "text/html", "media.damaged"},
                                         Broken{"Empty", "", "video/mp4", "media.damaged"},
                                         Broken{"AnArchive", std::string("PK\x03\x04", 4) + std::string(50'000, '\0'),
                                                "application/zip", "media.damaged"},
                                         Broken{"TheBeginningOfAFile",
                                                std::string("\0\0\0\x18"
                                                            "ftypmp42\0\0\0\0mp42isom",
                                                            24),
                                                "video/mp4", "media.damaged"},
                                         Broken{"Text", "Error 17", "video/mp4", "media.damaged"}),
                         [](const auto& test) { return test.param.name; });

TEST(Quarantine, AFileThatNoRowNamesIsSwept) {
  Scene scene(2);
  auto writer = std::move(*scene.world->media().writer("left behind"));
  ASSERT_TRUE(writer->append("half a file").has_value());
  ASSERT_TRUE(scene.world->media().quarantine("left behind", "media.damaged").has_value());
  ASSERT_EQ(scene.world->media().quarantined()->size(), 1u);
  ASSERT_TRUE(activities::sweep_quarantine(scene.world->library(), scene.world->media()).has_value());
  EXPECT_THAT(*scene.world->media().quarantined(), IsEmpty());
}

}  // namespace
}  // namespace callimport::workflows
