// What sandboxes are made of: the calls they serve, the ways they are carried, their flags, and our connector against
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "activities/http/curl_http.h"
#include "activities/platforms/platform.h"
#include "simulations/sandboxes/content_calls.h"
#include "simulations/sandboxes/in_process.h"
#include "simulations/sandboxes/server.h"
#include "tests/activities/waiting.h"
#include "tests/simulations/grain_bench.h"
#include "tests/storage/scratch_folder.h"

namespace callimport::simulations {
namespace {
using activities::find_platform;
using activities::HttpReply;
using activities::HttpRequest;
using testing::HasSubstr;

HttpRequest request_for(std::string url) {
  HttpRequest request;
  request.url = std::move(url);
  return request;
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
    EXPECT_EQ(whole,
              calls->media_bytes(i, 0, 50) + calls->media_bytes(i, 50, 70) + calls->media_bytes(i, 120, size - 120));
  }
}

TEST(GrainTogether, ConnectorReadsEverythingTheSandboxSays) {
  SimLoop loop;
  auto sandbox = GrainSandbox::make(Bench::small(45));
  ASSERT_TRUE(sandbox);
  SandboxHttp http(**sandbox, loop);
  http.keep_log();
  const auto& grain = *find_platform("grain");
  const activities::PlatformSession session{"http://sandbox.test", storage::Secret(std::string(kGrainSandboxToken)),
                                            "pat"};
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
    download.on_body = [&got](std::string_view piece) -> Result<> {
      got += piece;
      return {};
    };
    EXPECT_EQ(200, send(download).status);
    EXPECT_EQ((*sandbox)->calls().media_bytes(i, 0, (*sandbox)->calls().media(i).bytes), got);
  }
  for (const auto& entry : http.log())
    EXPECT_EQ(std::string::npos, to_json_line(entry).find("grain_pat")) << to_json_line(entry);
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
  request.on_body = [&got](std::string_view piece) -> Result<> {
    got += piece;
    return {};
  };
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
  const auto command = sandbox_options({"--listen",
                                        "127.0.0.1:9301",
                                        "--calls",
                                        "12",
                                        "--seed=9",
                                        "--rate",
                                        "off",
                                        "--page-size",
                                        "5",
                                        "--media-bytes",
                                        "2000",
                                        "--token",
                                        "T",
                                        "--expire-after",
                                        "3",
                                        "--renewed-token",
                                        "T2",
                                        "--outage",
                                        "30+120",
                                        "--outage",
                                        "500+10:refuse",
                                        "--broken",
                                        "2.5",
                                        "--deleted",
                                        "1",
                                        "--private",
                                        "1",
                                        "--not-ready",
                                        "3:404:60",
                                        "--slow",
                                        "20",
                                        "--log",
                                        "r.jsonl"});
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
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{{"--rate", "0"},
                                                                                    {"--rate", "fast"},
                                                                                    {"--calls", "-1"},
                                                                                    {"--page-size", "1001"},
                                                                                    {"--broken", "101"},
                                                                                    {"--outage", "5"},
                                                                                    {"--listen", "9301"},
                                                                                    {"--listen", "127.0.0.1:70000"},
                                                                                    {"--media", "maybe"},
                                                                                    {"--wrong", "5"},
                                                                                    {"--seed"},
                                                                                    {"--token-kind", "x"}}) {
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

TEST(SandboxServer, LogsEveryRequestWithoutSecrets) {
  ScratchFolder folder;
  auto sandbox = GrainSandbox::make(Bench::small());
  ServerOptions options;
  options.log_path = folder.file("requests.jsonl");
  auto server = SandboxServer::listen(**sandbox, options);
  ASSERT_TRUE(server);
  (*server)->start();
  AsioLoop loop;
  activities::CurlHttp http(loop.io(), loop);
  const std::string base = "http://127.0.0.1:" + std::to_string((*server)->port());
  const activities::PlatformSession session{base, storage::Secret(std::string(kGrainSandboxToken)), "pat"};
  const auto& grain = *find_platform("grain");
  const std::string id = (*sandbox)->calls().head(1).id;
  const auto place = grain.read_media(run_on(loop, http.send(grain.media(session, id))).value(), loop.now());
  ASSERT_TRUE(place);
  HttpRequest part = request_for(place->url);
  part.headers = {{"Range", "bytes=10-19"}};
  EXPECT_EQ(206, run_on(loop, http.send(part))->status);
  std::ifstream in(options.log_path);
  std::vector<json> lines;
  for (std::string line; std::getline(in, line);) {
    EXPECT_THAT(line, testing::Not(testing::AnyOf(HasSubstr("grain_pat"), HasSubstr("Signature"))));
    lines.push_back(json::parse(line));
  }
  ASSERT_EQ(2u, lines.size());
  EXPECT_EQ(302, lines[0]["status"]);
  EXPECT_EQ(json(id), lines[1]["call"]);
  EXPECT_EQ(10, lines[1]["bytes"]);
  EXPECT_EQ("bytes=10-19", lines[1]["range"]);
}

}  // namespace
}  // namespace callimport::simulations
