#include "activities/transcribe/transcription.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <tuple>

#include "activities/platforms/answers.h"
#include "activities/platforms/json.h"
#include "storage/model/text.h"

namespace callimport::activities {
namespace {

constexpr std::size_t kReplyBytesMax = 64u << 20;
constexpr double kSecondsMax = 10'000'000;

std::string field(const std::string& boundary, std::string_view name, std::string_view value) {
  return fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", boundary, name, value);
}

/// Services look at the file's extension before anything else.
std::string_view extension_of(const std::string& container) {
  for (const std::string_view known : {"mp4", "webm", "mp3", "wav", "ogg", "flac", "m4a"}) {
    if (container.find(known) != std::string::npos) return known;
  }
  return container.find("matroska") != std::string::npos ? "webm" : "mp4";
}

/// Before, the file, after: one body.
struct FormBody {
  std::string before, after;
  std::shared_ptr<File> file;  // shared with the copies of one request
  std::uint64_t file_bytes = 0;

  std::uint64_t size() const { return before.size() + file_bytes + after.size(); }
  static std::size_t copy(std::string_view text, std::uint64_t at, std::span<std::byte> into) {
    const std::size_t count = std::min<std::size_t>(into.size(), text.size() - at);
    std::memcpy(into.data(), text.data() + at, count);
    return count;
  }
  Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) const {
    if (offset < before.size()) return copy(before, offset, into);
    offset -= before.size();
    if (offset < file_bytes) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), file_bytes - offset));
      return file->read(offset, into.first(count));
    }
    offset -= file_bytes;
    if (offset >= after.size()) return 0;
    return copy(after, offset, into);
  }
};

std::optional<std::int64_t> time_in_ms(const nlohmann::json& segment, std::string_view name) {
  const nlohmann::json* value = find_member(segment, name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double seconds = value->get<double>();
  if (!std::isfinite(seconds) || seconds < 0 || seconds > kSecondsMax) return std::nullopt;
  return std::llround(seconds * 1000);
}

tl::unexpected<Trouble> failed(std::string message) {
  return tl::unexpected<Trouble>(CallFailed{"transcript.failed", std::move(message)});
}

}  // namespace

HttpRequest write_transcription(const TranscriberOptions& options, const storage::MediaFacts& media,
                                std::shared_ptr<File> file, const std::string& boundary) {
  auto body = std::make_shared<FormBody>();  // shared by the copies of one request
  body->before = field(boundary, "model", options.model) + field(boundary, "response_format", "verbose_json") +
                 fmt::format(
                     "--{}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"recording.{}\"\r\n"
                     "Content-Type: application/octet-stream\r\n\r\n",
                     boundary, extension_of(media.container));
  body->after = fmt::format("\r\n--{}--\r\n", boundary);
  body->file = std::move(file);
  body->file_bytes = static_cast<std::uint64_t>(media.bytes);
  HttpRequest request;
  request.method = "POST";
  request.url = options.url;
  request.timeout = options.timeout;
  request.body_bytes_max = kReplyBytesMax;
  request.headers = {{"Content-Type", "multipart/form-data; boundary=" + boundary}, {"Accept", "application/json"}};
  if (!options.key.reveal().empty()) request.headers.emplace_back("Authorization", "Bearer " + options.key.reveal());
  const std::uint64_t size = body->size();
  request.body_source =
      BodySource{size, [body](std::uint64_t offset, std::span<std::byte> into) { return body->read(offset, into); }};
  return request;
}

Fetched<std::vector<storage::Segment>> read_transcription(const HttpReply& reply, std::int64_t duration_ms,
                                                          Timestamp now) {
  if (auto delay = read_delay(reply, now)) return tl::unexpected(*delay);
  if (reply.status == 413) return failed("the recording is larger than the transcriber takes");
  if (reply.status != 200) return failed(fmt::format("the transcriber answered {}", reply.status));
  const auto body = parse_json(reply.body);
  if (!body || !body->is_object()) return failed("the transcriber's answer is not the JSON that was asked for");
  std::vector<storage::Segment> segments;
  const nlohmann::json* rows = find_member(*body, "segments");
  if (rows != nullptr && rows->is_array()) {
    if (rows->size() > kTranscriptSegmentsMax) return failed("the transcriber's answer has too many segments");
    for (const auto& row : *rows) {
      const auto start = time_in_ms(row, "start"), end = time_in_ms(row, "end");
      std::string text = trimmed(text_of(row, "text"));
      if (!start) return failed(fmt::format("segments[{}] of the transcriber's answer has no start", segments.size()));
      if (!text.empty()) segments.push_back({"", "", *start, std::max(*start, end.value_or(*start)), std::move(text)});
    }
  }
  if (segments.empty()) {
    std::string whole = trimmed(text_of(*body, "text"));
    if (whole.empty())
      return tl::unexpected<Trouble>(CallFailed{"transcript.missing", "the transcriber heard no words"});
    segments.push_back({"", "", 0, std::max<std::int64_t>(0, duration_ms), std::move(whole)});
  }
  std::sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) {
    return std::tie(a.start_ms, a.end_ms) < std::tie(b.start_ms, b.end_ms);
  });
  return segments;
}

}  // namespace callimport::activities
