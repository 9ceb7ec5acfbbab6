#include "simulations/sandboxes/content_calls.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <unordered_map>

#include "activities/media/examine.h"

namespace callimport::simulations {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

struct ContentFile {
  std::string name, bytes;
  std::int64_t duration_ms = 60'000;
};

Result<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::kInvalid, "cannot read " + path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::string_view content_type_of(std::string_view name) {
  if (name.ends_with(".mp4")) return "video/mp4";
  if (name.ends_with(".webm")) return "video/webm";
  if (name.ends_with(".mov")) return "video/quicktime";
  if (name.ends_with(".m4a")) return "audio/mp4";
  if (name.ends_with(".mp3")) return "audio/mpeg";
  if (name.ends_with(".wav")) return "audio/wav";
  if (name.ends_with(".ogg")) return "audio/ogg";
  if (name.ends_with(".flac")) return "audio/flac";
  return "application/octet-stream";
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<SandboxCall> read_call(const json& line, Timestamp otherwise) {
  SandboxCall call;
  const std::string id = line.at("id").get<std::string>();
  call.id = uuid_of_text(id);
  call.title = line.value("title", "");
  call.source = "other";
  call.start = otherwise;
  if (line.contains("started_at")) {
    TRY(const Timestamp start, parse_utc(line["started_at"].get<std::string>()));
    call.start = std::chrono::floor<std::chrono::seconds>(start);
  }
  call.length_ms = std::llround(line.value("duration_s", 0.0) * 1000);
  call.tags = {line.value("source", "content"), line.value("language", "und")};
  for (const json& person : line.at("participants")) {
    const std::size_t position = call.people.size();
    SandboxPerson made;
    made.id = uuid_of_text(fmt::format("{}#{}", id, position));
    made.name = display_name(person.value("name", ""), position);
    const std::string role = person.value("role", "");
    made.scope = role == "agent" ? "internal" : role == "caller" ? "external" : "unknown";
    made.host = role == "agent";
    call.people.push_back(std::move(made));
  }
  call.external = true;
  for (const json& segment : line.at("segments")) {
    const auto person = segment.at("speaker").get<std::size_t>();
    if (person >= call.people.size()) return fail(Code::kInvalid, id + ": a segment names a speaker who is not there");
    call.segments.push_back({person, call.people[person].name, segment.at("start_ms").get<std::int64_t>(),
                             segment.at("end_ms").get<std::int64_t>(), segment.at("text").get<std::string>()});
  }
  return call;
}

class ContentCalls final : public CallSource {
 public:
  Result<> load(const fs::path& folder) {
    TRY_VOID(load_transcripts(folder));
    if (calls_.empty()) return fail(Code::kInvalid, "no calls (*.jsonl) in " + folder.string());
    TRY_VOID(load_media(folder / "media"));
    std::sort(calls_.begin(), calls_.end(), [](const Entry& a, const Entry& b) {
      return a.call.start != b.call.start ? a.call.start > b.call.start : a.call.id < b.call.id;
    });
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      calls_[i].call.index = i;
      index_.emplace(calls_[i].call.id, i);
    }
    return {};
  }

  std::uint64_t size() const override { return calls_.size(); }
  Timestamp start(std::uint64_t index) const override { return calls_[index].call.start; }
  SandboxCall head(std::uint64_t index) const override { return calls_[index].call; }
  SandboxCall whole(std::uint64_t index) const override { return calls_[index].call; }
  std::vector<SandboxPerson> users() const override { return {}; }

  std::optional<std::uint64_t> find(std::string_view id) const override {
    const auto found = index_.find(std::string(id));
    if (found == index_.end()) return std::nullopt;
    return found->second;
  }
  SandboxMedia media(std::uint64_t index) const override {
    const ContentFile& file = files_[calls_[index].file];
    return {file.name, std::string(content_type_of(file.name)), file.bytes.size()};
  }
  std::string media_bytes(std::uint64_t index, std::uint64_t from, std::uint64_t count) const override {
    return files_[calls_[index].file].bytes.substr(from, count);
  }

 private:
  struct Entry {
    SandboxCall call;
    std::size_t file = 0;
  };

  Result<> load_transcripts(const fs::path& folder) {
    const Timestamp newest = Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 8 / 31}} + 12h;
    for (const fs::path& path : files_of(folder)) {
      if (path.extension() != ".jsonl") continue;
      std::ifstream in(path);
      std::string text;
      for (int number = 1; std::getline(in, text); ++number) {
        const json line = json::parse(text, nullptr, false);
        const auto hours = static_cast<std::int64_t>(calls_.size());
        Result<SandboxCall> call = fail(Code::kInvalid, "not a call");
        try {
          call = read_call(line, newest - std::chrono::hours{hours});
        } catch (const json::exception&) {
        }  // a field is missing or of another type: named below
        if (!call)
          return fail(Code::kInvalid,
                      fmt::format("{} line {}: {}", path.filename().string(), number, call.error().message));
        calls_.push_back({std::move(*call), 0});
      }
    }
    return {};
  }

  Result<> load_media(const fs::path& folder) {
    std::vector<std::size_t> good, broken;
    for (const fs::path& path : files_of(folder)) {
      ContentFile file;
      file.name = path.filename().string();
      TRY(file.bytes, read_file(path));
      const bool is_broken = file.name.starts_with("broken-");
      if (!is_broken) file.duration_ms = length_of(file);
      (is_broken ? broken : good).push_back(files_.size());
      files_.push_back(std::move(file));
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if (good.empty())
        calls_[i].call.media = MediaState::kNone;
      else
        calls_[i].file = good[i % good.size()];
    }
    const std::size_t transcripts = calls_.size();
    for (std::size_t i = 0; i < broken.size(); ++i) {
      Entry extra = calls_[i % transcripts];
      extra.file = broken[i];
      extra.call.id = uuid_of_text(files_[broken[i]].name);
      extra.call.title = files_[broken[i]].name;
      extra.call.media = MediaState::kTruncated;
      calls_.push_back(std::move(extra));
    }
    for (Entry& entry : calls_) set_lengths(entry);
    return {};
  }

  void set_lengths(Entry& entry) const {
    const bool silent = entry.call.media == MediaState::kNone;
    const std::string_view type = silent ? "" : content_type_of(files_[entry.file].name);
    entry.call.media_type = silent ? "transcript" : type.starts_with("video/") ? "video" : "audio";
    entry.call.duration_ms = silent ? entry.call.length_ms : files_[entry.file].duration_ms;
  }

  static std::int64_t length_of(const ContentFile& file) {
    const auto read = [&file](std::uint64_t offset, std::span<std::byte> into) -> Result<std::size_t> {
      const std::size_t count = file.bytes.copy(reinterpret_cast<char*>(into.data()), into.size(), offset);
      return count;
    };
    const activities::MediaBytes bytes{file.bytes.size(), read};
    return activities::examine_media(bytes, 0).facts.duration_ms.value_or(60'000);
  }

  std::vector<Entry> calls_;
  std::vector<ContentFile> files_;
  std::unordered_map<std::string, std::size_t> index_;
};
}  // namespace

std::string display_name(const std::string& name, std::size_t position) {
  return name.empty() ? fmt::format("Speaker {}", position + 1) : name;
}

Result<std::unique_ptr<CallSource>> content_calls(const std::string& folder) {
  auto calls = std::make_unique<ContentCalls>();
  TRY_VOID(calls->load(folder));
  return calls;
}

}  // namespace callimport::simulations
