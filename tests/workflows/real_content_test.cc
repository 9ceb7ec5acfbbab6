// Real transcripts and recordings through the sandbox into the library: they come out as they went in, field by field.
// Read from
// ../shared/calls at run time; skipped where the folder is not there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "simulations/sandboxes/content_calls.h"
#include "tests/workflows/import_support.h"

namespace callimport::workflows {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing_support::Scene;

const std::string& folder() {
  static const std::string path = std::string(CALLIMPORT_SOURCE_DIR) + "/../shared/calls";
  return path;
}

/// The lines of the corpora, read here on their own: id as the sandbox writes it -> line.
std::map<std::string, json> read_lines() {
  std::map<std::string, json> lines;
  for (const auto& entry : fs::directory_iterator(folder())) {
    if (entry.path().extension() != ".jsonl") continue;
    std::ifstream in(entry.path());
    std::string text;
    while (std::getline(in, text)) {
      json line = json::parse(text);
      lines.emplace(simulations::uuid_of_text(line["id"].get<std::string>()), std::move(line));
    }
  }
  return lines;
}

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::string read_stored(Scene& scene, const std::string& hash) {
  auto file = scene.world->disk.open(scene.world->media().path_of(hash), OpenMode::kRead);
  if (!file) return "";
  std::string bytes(static_cast<std::size_t>((*file)->size().value_or(0)), '\0');
  (void)(*file)->read(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

/// One import for all tests of the suite.
class RealContent : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!fs::exists(folder())) return;
    simulations::ImportWorldOptions options;
    options.grain.content_dir = folder();
    options.grain.requests_per_minute = 0;
    scene_ = std::make_unique<Scene>(options);
    scene_->start();
    ASSERT_TRUE(scene_->world->run_until_closed(24h)) << scene_->status();
    lines_ = read_lines();
  }
  static void TearDownTestSuite() { scene_.reset(); }
  void SetUp() override {
    if (!scene_) GTEST_SKIP() << "no real content: " << folder() << " is not there";
  }

  static storage::Call call_of(const std::string& source_id) {
    storage::CallFilter filter;
    std::string after;
    while (true) {
      const auto page = scene_->world->library().calls(filter, after, 100).value();
      if (page.empty()) return {};
      for (const auto& call : page) {
        if (call.source_id == source_id) return scene_->world->library().call(call.id).value();
      }
      after = page.back().id;
    }
  }

  static std::unique_ptr<Scene> scene_;
  static std::map<std::string, json> lines_;
};
std::unique_ptr<Scene> RealContent::scene_;
std::map<std::string, json> RealContent::lines_;

TEST_F(RealContent, EveryCallIsThereOrNamed) {
  EXPECT_EQ(lines_.size(), 40u);
  EXPECT_EQ(scene_->row().counters.found, 44);
  EXPECT_EQ(scene_->row().counters.registered, 40) << scene_->row().report;
  EXPECT_THAT(simulations::broken_promises(*scene_->world, scene_->id), testing::IsEmpty());
  scene_->check_histories();
}

TEST_F(RealContent, EveryTranscriptSpeakerAndTimeComesOutAsItWentIn) {
  for (const auto& [id, line] : lines_) {
    SCOPED_TRACE(line["id"].get<std::string>());
    const storage::Call call = call_of(id);
    ASSERT_EQ(call.source_id, id);
    EXPECT_EQ(call.title, line.value("title", ""));
    EXPECT_EQ(call.tags, (std::vector<std::string>{line["source"], line["language"]}));
    if (line.contains("started_at")) {
      const auto start = parse_utc(line["started_at"].get<std::string>()).value();
      EXPECT_EQ(call.start_ms / 1'000, to_unix_ms(start) / 1'000);
    }
    ASSERT_EQ(call.participants.size(), line["participants"].size());
    std::vector<std::string> names;
    for (std::size_t i = 0; i < call.participants.size(); ++i) {
      names.push_back(simulations::display_name(line["participants"][i].value("name", ""), i));
      EXPECT_EQ(call.participants[i].name, names.back());
    }
    ASSERT_EQ(call.segments.size(), line["segments"].size());
    EXPECT_EQ(call.transcript_state, "ready");
    for (std::size_t i = 0; i < call.segments.size(); ++i) {
      const json& segment = line["segments"][i];
      const auto speaker = segment["speaker"].get<std::size_t>();
      EXPECT_EQ(call.segments[i].speaker, names[speaker]);
      EXPECT_EQ(call.segments[i].participant, call.participants[speaker].source_id);
      EXPECT_EQ(call.segments[i].start_ms, segment["start_ms"].get<std::int64_t>());
      EXPECT_EQ(call.segments[i].end_ms, segment["end_ms"].get<std::int64_t>());
      ASSERT_EQ(call.segments[i].text, segment["text"].get<std::string>()) << i;
    }
  }
}

TEST_F(RealContent, EverySoundFileComesOutByteForByte) {
  std::set<std::string> seen;
  const auto& calls = scene_->world->sandbox->calls();
  for (std::uint64_t index = 0; index < calls.size(); ++index) {
    const auto head = calls.head(index);
    if (!lines_.contains(head.id)) continue;
    const auto file = calls.media(index);
    SCOPED_TRACE(file.file_name);
    const storage::Call call = call_of(head.id);
    ASSERT_TRUE(call.media.has_value());
    EXPECT_EQ(call.media->bytes, static_cast<std::int64_t>(file.bytes));
    EXPECT_FALSE(call.media->audio_codec.empty());
    ASSERT_EQ(read_stored(*scene_, call.media->hash), read_all(fs::path(folder()) / "media" / file.file_name));
    seen.insert(file.file_name);
  }
  EXPECT_EQ(seen.size(), 12u) << "every good file belongs to some call";
}

TEST_F(RealContent, TheBrokenOnesAreNamedWithTheirCauses) {
  std::map<std::string, std::string> causes;
  for (const auto& entry : fs::directory_iterator(fs::path(folder()) / "media")) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("broken-")) continue;
    const auto row = scene_->world->library().manifest_row(scene_->id, simulations::uuid_of_text(name)).value();
    ASSERT_TRUE(row.has_value()) << name;
    EXPECT_EQ(row->state, storage::CallState::kFailed) << name;
    EXPECT_FALSE(row->detail.empty()) << name;
    causes[name] = row->cause;
  }
  EXPECT_EQ(causes, (std::map<std::string, std::string>{{"broken-html-page.mp3", "media.damaged"},
                                                        {"broken-truncated.m4a", "media.damaged"},
                                                        {"broken-wav-named.mp3", "media.damaged"},
                                                        {"broken-zero-bytes.wav", "media.damaged"}}));
}

/// The longest word of a text, as a person would type it: letters of any language, with its apostrophes.
std::string longest_word(const std::string& text) {
  std::string longest, word;
  const auto end = [&] {
    while (word.ends_with('\'')) word.pop_back();
    if (word.size() > longest.size()) longest = word;
    word.clear();
  };
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool letter = std::isalpha(byte) != 0 || byte >= 0xc3;
    const bool continues = byte >= 0x80 && byte < 0xc0 && !word.empty();
    // U+2019, U+2026 and their like begin with this byte: no letters.
    if (byte == 0xe2) {
      end();
      word = "";
      continue;
    }
    if (letter || continues || (c == '\'' && !word.empty()))
      word += c;
    else
      end();
  }
  end();
  return longest;
}

TEST_F(RealContent, SearchFindsTheWordsAPersonReads) {
  std::size_t asked = 0;
  for (const auto& [id, line] : lines_) {
    const json& segments = line["segments"];
    for (const std::size_t at : {segments.size() / 5, segments.size() / 2, segments.size() - 1}) {
      const std::string text = segments[at]["text"];
      const std::string word = longest_word(text);
      if (word.size() < 4) continue;
      ++asked;
      const auto hits = scene_->world->library().search({.query = word, .limit = 5'000});
      ASSERT_TRUE(hits.has_value()) << word;
      bool found = false;
      for (const auto& hit : hits->hits)
        found = found || (hit.start_ms == segments[at]["start_ms"] && hit.title == line.value("title", ""));
      EXPECT_TRUE(found) << line["id"] << ": " << word;
    }
  }
  EXPECT_GT(asked, 80u);
}

struct Query {
  const char* name;
  const char* text;
  const char* corpus;
};

TEST_F(RealContent, SearchTakesAccentsAndApostrophesAsPeopleTypeThem) {
  const std::vector<Query> queries = {{"WithAccent", "déplacements", "rhapsodie-Rhap_D0001"},
                                      {"WithoutAccent", "deplacements", "rhapsodie-Rhap_D0001"},
                                      {"Capitals", "DÉPLACEMENTS", "rhapsodie-Rhap_D0001"},
                                      {"Apostrophe", "l'arrière-plan", "rhapsodie-Rhap_D0001"},
                                      {"Phrase", "\"boulevard Saint-Germain\"", "rhapsodie-Rhap_D0001"}};
  for (const auto& query : queries) {
    const auto hits = scene_->world->library().search({.query = query.text, .limit = 1'000});
    ASSERT_TRUE(hits.has_value()) << query.name;
    const auto wanted = call_of(simulations::uuid_of_text(query.corpus)).id;
    const bool found = std::any_of(hits->hits.begin(), hits->hits.end(), [&](const auto& hit) { return hit.call == wanted; });
    EXPECT_TRUE(found) << query.name;
  }
}

}  // namespace
}  // namespace callimport::workflows
