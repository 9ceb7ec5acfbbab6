// Recordings, good and broken: what the examiner says of them, alone and inside the bounded child.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "activities/media/child.h"
#include "activities/media/examine.h"
#include "activities/media/inline_probe.h"
#include "activities/media/lockdown.h"
#include "simulations/sandboxes/generated_calls.h"
#include "simulations/world/sim_disk.h"
#include "storage/runtime/loop.h"
#include "tests/activities/waiting.h"
#include "tests/storage/scratch_folder.h"

namespace callimport::activities {
namespace {
namespace fs = std::filesystem;

std::string recordings_folder() { return std::string(CALLIMPORT_SOURCE_DIR) + "/../shared/calls/media"; }

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

void write_file(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

MediaVerdict examine(const std::string& content, std::int64_t expected_ms = 0) {
  MediaBytes bytes;
  bytes.size = content.size();
  bytes.read = [&content](std::uint64_t offset, std::span<std::byte> into) -> Result<std::size_t> {
    return content.copy(reinterpret_cast<char*>(into.data()), into.size(), offset);
  };
  return examine_media(bytes, expected_ms);
}

std::string made_recording(std::uint64_t index, std::uint64_t about_bytes = 100'000) {
  simulations::GeneratedOptions options;
  options.media_bytes = about_bytes;
  options.transcript_only_percent = 0;
  const auto calls = simulations::generated_calls(options);
  return calls->media_bytes(index, 0, calls->media(index).bytes);
}

struct Recording {
  const char* file;
  const char* container;
  const char* audio;
  const char* video;
  std::int64_t length_ms;
};
void PrintTo(const Recording& row, std::ostream* out) { *out << row.file; }
class GoodRecordings : public testing::TestWithParam<Recording> {};

TEST_P(GoodRecordings, AreTakenForWhatTheyAre) {
  const Recording& row = GetParam();
  const std::string path = recordings_folder() + "/" + row.file;
  if (!fs::exists(path)) GTEST_SKIP() << "no recordings beside this repository: " << path;
  const MediaVerdict verdict = examine(read_file(path), row.length_ms);
  EXPECT_EQ("", verdict.fault_cause) << verdict.fault_message;
  EXPECT_EQ(row.container, verdict.facts.container);
  EXPECT_EQ(row.audio, verdict.facts.audio_codec);
  EXPECT_EQ(row.video, verdict.facts.video_codec);
  ASSERT_TRUE(verdict.facts.duration_ms);
  EXPECT_NEAR(static_cast<double>(row.length_ms), static_cast<double>(*verdict.facts.duration_ms), 300);
}
INSTANTIATE_TEST_SUITE_P(Table, GoodRecordings,
                         testing::Values(Recording{"two-speakers-16k.wav", "wav", "pcm_s16le", "", 19'200},
                                         Recording{"two-speakers.m4a", "mp4", "aac", "", 19'200},
                                         Recording{"two-speakers-video.webm", "matroska", "opus", "vp8", 19'400},
                                         Recording{"stereo-short.wav", "wav", "pcm_s16le", "", 1'700},
                                         Recording{"question.mp3", "mp3", "mp3", "", 2'100},
                                         Recording{"speech-1961.flac", "flac", "flac", "", 11'000},
                                         Recording{"prompt-fr-8k.wav", "wav", "pcm_s16le", "", 29'200},
                                         Recording{"prompt-en.gsm", "gsm", "gsm", "", 30'300},
                                         Recording{"prompt-en-mulaw.wav", "wav", "pcm_mulaw", "", 31'100},
                                         Recording{"prompt-en.ogg", "ogg", "opus", "", 73'400},
                                         Recording{"prompt-en-vbr.mp3", "mp3", "mp3", "", 73'400},
                                         Recording{"prompt-en-video.mp4", "mp4", "aac", "h264", 30'000}),
                         [](const auto& test) {
                           std::string name = test.param.file;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

struct Wreck {
  const char* name;
  const char* file;
  const char* says;
};
void PrintTo(const Wreck& row, std::ostream* out) { *out << row.name; }
class BrokenRecordings : public testing::TestWithParam<Wreck> {};

TEST_P(BrokenRecordings, AreNamedDamaged) {
  const std::string path = recordings_folder() + "/" + GetParam().file;
  if (!fs::exists(path)) GTEST_SKIP() << "no recordings beside this repository: " << path;
  const MediaVerdict verdict = examine(read_file(path), 20'000);
  EXPECT_EQ("media.damaged", verdict.fault_cause);
  EXPECT_THAT(verdict.fault_message, testing::HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(Table, BrokenRecordings,
                         testing::Values(Wreck{"CutOffWithoutIndex", "broken-truncated.m4a", "index is missing"},
                                         Wreck{"CutOffUnderAWrongName", "broken-wav-named.mp3", "cut off"},
                                         Wreck{"ZeroBytes", "broken-zero-bytes.wav", "empty"},
                                         Wreck{"WebPage", "broken-html-page.mp3", "web page"}),
                         [](const auto& test) { return test.param.name; });

TEST(Examiner, TakesAMadeRecordingAndNamesItsWrecks) {
  const std::string good = made_recording(3);
  const auto length_ms = static_cast<std::int64_t>((good.size() - 44) / 8);
  EXPECT_EQ("", examine(good, length_ms).fault_cause);
  EXPECT_EQ("", examine(good, 0).fault_cause);
  EXPECT_EQ("", examine(good, length_ms + 4'900).fault_cause);
  EXPECT_EQ("media.length_mismatch", examine(good, length_ms + 5'200).fault_cause);
  EXPECT_EQ("media.length_mismatch", examine(good, length_ms - 5'200).fault_cause);
  EXPECT_EQ("media.damaged", examine(good.substr(0, good.size() * 6 / 10), length_ms).fault_cause);
  EXPECT_EQ("media.damaged", examine(good.substr(0, 44), length_ms).fault_cause);
  EXPECT_EQ("media.damaged", examine(good.substr(0, 20), length_ms).fault_cause);
  EXPECT_EQ("media.damaged", examine("{\"error\":\"gone\"}").fault_cause);
}

TEST(Examiner, SaysWhichCodecIsUnknown) {
  std::string strange = made_recording(4);
  strange[20] = static_cast<char>(0xee);  // format tag of the WAVE header: none that anybody decodes
  strange[21] = 0x7e;
  EXPECT_EQ("media.codec_unsupported", examine(strange).fault_cause);
}

TEST(Examiner, SurvivesNoise) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::string noise;
    while (noise.size() < 40'000) noise += static_cast<char>(simulations::mix(seed, noise.size()));
    constexpr std::array<std::string_view, 6> kStarts = {"",
                                                         "RIFF",
                                                         "ID3\x04",
                                                         "OggS",
                                                         "fLaC",
                                                         std::string_view("\0\0\0\x20"
                                                                          "ftypisom",
                                                                          12)};
    const std::string_view start = kStarts[seed % kStarts.size()];
    noise.replace(0, start.size(), start);
    EXPECT_NE("", examine(noise, 60'000).fault_cause) << "seed " << seed;
  }
}

TEST(InlineProbe, ReadsThroughTheDisk) {
  simulations::SimLoop loop;
  simulations::SimDisk disk;
  const std::string content = made_recording(5);
  {
    auto file = disk.open("a.wav", OpenMode::kCreateNew);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write(0, std::as_bytes(std::span(content))));
  }
  InlineMediaProbe probe(disk);
  const auto verdict = run_on(loop, probe.probe("a.wav", 0));
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_EQ("pcm_u8", verdict->facts.audio_codec);
  EXPECT_EQ(Code::kNotFound, run_on(loop, probe.probe("b.wav", 0)).error().code);
}

TEST(Verdict, ComesBackAsItWent) {
  MediaVerdict verdict;
  verdict.facts = {"", 5, "wav", "pcm_u8", "", 1234};
  verdict.fault_cause = "media.damaged";
  const auto back = read_verdict(write_verdict(verdict));
  ASSERT_TRUE(back);
  EXPECT_EQ(verdict.facts, back->facts);
  EXPECT_EQ("media.damaged", back->fault_cause);
  for (const char* nonsense : {"", "{}", "[1]", "not json", R"({"bytes":"5"})"})
    EXPECT_FALSE(read_verdict(nonsense)) << nonsense;
}

TEST(Verdict, HoldsNumbersOf64BitsAndNoOthers) {
  const auto with = [](const std::string& bytes, const std::string& duration) {
    return read_verdict(R"({"container":"wav","audio_codec":"","video_codec":"","fault_cause":"","fault_message":"",)"
                        R"("bytes":)" +
                        bytes + R"(,"duration_ms":)" + duration + "}");
  };
  const auto most = with("9223372036854775807", "-9223372036854775808");
  ASSERT_TRUE(most);
  EXPECT_EQ(most->facts.bytes, std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(most->facts.duration_ms, std::numeric_limits<std::int64_t>::min());
  for (const char* none : {"9223372036854775808", "-9223372036854775809", "2e85", "1.5", "null", "\"1\""}) {
    EXPECT_FALSE(with(none, "1")) << none;
    EXPECT_FALSE(with("1", none)) << none;
  }
}

/// What the bounded process could do, by its exit code: it must die of nothing and get nothing.
TEST(Lockdown, DeniesOpeningConnectingStartingAndRunnableMemory) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!lock_down_this_process()) _exit(10);
    if (open("/etc/passwd", O_RDONLY) >= 0) _exit(11);
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0) _exit(12);
    if (fork() >= 0) _exit(13);
    if (kill(getppid(), 0) == 0) _exit(14);
    if (mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) _exit(15);
    if (unlink("/tmp/callimport-no-such-file") == 0 || errno != EPERM) _exit(16);
    char* arguments[] = {nullptr};
    execve("/bin/true", arguments, arguments);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(child, waitpid(child, &status, 0));
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(0, WEXITSTATUS(status));
}

class ChildProbe : public testing::Test {
 protected:
  ChildProbeOptions options(std::string argument = "media-probe") {
    ChildProbeOptions made;
    made.binary = CALLIMPORT_PROBE_CHILD;
    made.argument = std::move(argument);
    return made;
  }
  ScratchFolder folder_;
  AsioLoop loop_;
};

TEST_F(ChildProbe, TellsGoodFromBroken) {
  write_file(folder_.file("good.wav"), made_recording(1));
  write_file(folder_.file("cut.wav"), made_recording(1).substr(0, 50'000));
  write_file(folder_.file("empty.wav"), "");
  ChildMediaProbe probe(loop_.io(), loop_, options());
  const auto good = run_on(loop_, probe.probe(folder_.file("good.wav"), 0));
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ("", good->fault_cause) << good->fault_message;
  EXPECT_EQ("pcm_u8", good->facts.audio_codec);
  EXPECT_EQ("media.damaged", run_on(loop_, probe.probe(folder_.file("cut.wav"), 0))->fault_cause);
  EXPECT_EQ("media.damaged", run_on(loop_, probe.probe(folder_.file("empty.wav"), 0))->fault_cause);
  EXPECT_EQ(Code::kNotFound, run_on(loop_, probe.probe(folder_.file("absent.wav"), 0)).error().code);
  EXPECT_EQ(1u, probe.children_started());
}

TEST_F(ChildProbe, SaysTheSameAsTheExaminerOfEveryRealRecording) {
  if (!fs::exists(recordings_folder())) GTEST_SKIP() << "no recordings beside this repository: " << recordings_folder();
  ChildMediaProbe probe(loop_.io(), loop_, options());
  for (const auto& entry : fs::directory_iterator(recordings_folder())) {
    const auto verdict = run_on(loop_, probe.probe(entry.path().string(), 0));
    ASSERT_TRUE(verdict) << entry.path() << ": " << verdict.error().message;
    const MediaVerdict expected = examine(read_file(entry.path().string()));
    EXPECT_EQ(expected.facts, verdict->facts) << entry.path();
    EXPECT_EQ(expected.fault_cause, verdict->fault_cause) << entry.path();
  }
}

TEST_F(ChildProbe, ReplacesAChildAfterItsShareOfFiles) {
  write_file(folder_.file("good.wav"), made_recording(1, 2'000));
  ChildMediaProbe probe(loop_.io(), loop_, options());
  for (int i = 0; i < kProbesPerChildMax; ++i)
    ASSERT_TRUE(run_on(loop_, probe.probe(folder_.file("good.wav"), 0))) << i;
  EXPECT_EQ(1u, probe.children_started());
  ASSERT_TRUE(run_on(loop_, probe.probe(folder_.file("good.wav"), 0)));
  EXPECT_EQ(2u, probe.children_started());
}

TEST_F(ChildProbe, TriesAFileOnceMoreWhenAChildDiesOfIt) {
  write_file(folder_.file("good.wav"), made_recording(1));
  ChildMediaProbe crashing(loop_.io(), loop_, options("crash"));
  const auto verdict = run_on(loop_, crashing.probe(folder_.file("good.wav"), 0));
  ASSERT_FALSE(verdict);
  EXPECT_EQ(Code::kUnavailable, verdict.error().code);
  EXPECT_EQ(2u, crashing.children_started());
  ChildMediaProbe recovering(loop_.io(), loop_, options("crash-once=" + folder_.file("crashed")));
  ASSERT_TRUE(run_on(loop_, recovering.probe(folder_.file("good.wav"), 0)));
  EXPECT_EQ(2u, recovering.children_started());
}

TEST_F(ChildProbe, EndsAChildThatHangsOrTalksNonsense) {
  write_file(folder_.file("good.wav"), made_recording(1));
  for (const char* way : {"hang", "nonsense"}) {
    ChildProbeOptions slow = options(way);
    slow.file_timeout = std::chrono::milliseconds{50};
    ChildMediaProbe probe(loop_.io(), loop_, slow);
    EXPECT_EQ(Code::kUnavailable, run_on(loop_, probe.probe(folder_.file("good.wav"), 0)).error().code) << way;
  }
  ChildProbeOptions absent = options();
  absent.binary = folder_.file("no-such-binary");
  ChildMediaProbe probe(loop_.io(), loop_, absent);
  EXPECT_EQ(Code::kUnavailable, run_on(loop_, probe.probe(folder_.file("good.wav"), 0)).error().code);
}

TEST_F(ChildProbe, CancelsWhatIsUnderWayWhenItGoes) {
  write_file(folder_.file("good.wav"), made_recording(1));
  auto probe = std::make_unique<ChildMediaProbe>(loop_.io(), loop_, options("hang"));
  int cancelled = 0;
  for (int i = 0; i < 3; ++i) {
    engine::spawn(loop_, probe->probe(folder_.file("good.wav"), 0), [&](Result<MediaVerdict> verdict) {
      ASSERT_FALSE(verdict);
      if (verdict.error().code == Code::kCancelled && ++cancelled == 3) loop_.stop();
    });
  }
  loop_.post([&] { loop_.post([&] { probe.reset(); }); });
  loop_.run();
  EXPECT_EQ(3, cancelled);
}

}  // namespace
}  // namespace callimport::activities
