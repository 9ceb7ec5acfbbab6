#include "simulations/sandboxes/grain.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "simulations/sandboxes/content_calls.h"
#include "simulations/sandboxes/grain_wire.h"

namespace callimport::simulations {
namespace {
using nlohmann::json;

constexpr std::string_view kApi = "/_/public-api/v2";
constexpr std::string_view kCdn = "/cdn/recordings/";
constexpr std::size_t kBodyBytesMax = 1u << 20, kPageSizeMax = 1000;
constexpr Nanos kRateWindow = std::chrono::minutes{1};

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::string_view query_value(std::string_view target, std::string_view name) {
  std::size_t at = target.find('?');
  while (at != std::string_view::npos) {
    const std::size_t begin = at + 1;
    at = target.find('&', begin);
    const std::string_view pair = target.substr(begin, at == std::string_view::npos ? at : at - begin);
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  }
  return {};
}

template <class Number>
std::optional<Number> read_number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

SandboxReply xml_denied(int status, std::string_view code, std::string_view text) {
  SandboxReply reply;
  reply.status = status;
  reply.headers.emplace_back("content-type", "text/xml");
  reply.body = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{}</Code><Message>{}</Message></Error>", code, text);
  return reply;
}

struct Range {
  std::uint64_t from = 0, count = 0;
};
/// One range of the form bytes=a-b, bytes=a- or bytes=-n. nullopt: cannot be satisfied.
std::optional<Range> read_range(std::string_view header, std::uint64_t size) {
  header.remove_prefix(std::min(header.size(), std::string_view("bytes=").size()));
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos || size == 0) return std::nullopt;
  const auto first = read_number<std::uint64_t>(header.substr(0, dash)),
             last = read_number<std::uint64_t>(header.substr(dash + 1));
  if (!first) {
    if (!last || *last == 0) return std::nullopt;
    const std::uint64_t count = std::min(*last, size);
    return Range{size - count, count};
  }
  if (*first >= size) return std::nullopt;
  const std::uint64_t end = last ? std::min(*last, size - 1) : size - 1;
  if (end < *first) return std::nullopt;
  return Range{*first, end - *first + 1};
}
}  // namespace

Result<std::unique_ptr<GrainSandbox>> GrainSandbox::make(GrainOptions options) {
  if (options.page_size == 0 || options.page_size > kPageSizeMax) {
    return fail(Code::kInvalid, fmt::format("a page holds 1 to {} calls, not {}", kPageSizeMax, options.page_size));
  }
  if (options.requests_per_minute < 0) return fail(Code::kInvalid, "a rate is 1 request a minute or more, or off");
  std::unique_ptr<CallSource> calls;
  if (options.content_dir.empty()) {
    calls = generated_calls(options.generated);
  } else {
    TRY(calls, content_calls(options.content_dir));
  }
  return std::unique_ptr<GrainSandbox>(new GrainSandbox(std::move(options), std::move(calls)));
}

GrainSandbox::GrainSandbox(GrainOptions options, std::unique_ptr<CallSource> calls)
    : options_(std::move(options)),
      oauth_(options_.oauth, options_.generated.seed),
      calls_(std::move(calls)) {}

SandboxReply GrainSandbox::handle(const SandboxRequest& request, Timestamp now) {
  if (!started_) started_ = now;
  SandboxReply reply = answer(request, now);
  reply.delay += options_.slow;
  return reply;
}

SandboxReply GrainSandbox::answer(const SandboxRequest& request, Timestamp now) {
  for (const Outage& outage : options_.outages) {
    const Timestamp begin = *started_ + outage.start;
    if (now < begin || now >= begin + outage.length) continue;
    SandboxReply down = error_reply(503, "service_unavailable", "Service temporarily unavailable.");
    down.refused = outage.kind == OutageKind::kRefused;
    return down;
  }
  const std::string_view path = path_of(request.target);
  if (path.starts_with(kCdn)) return cdn(request, path.substr(kCdn.size()), now);
  if (path == kGrainTokenPath) return oauth_.token(request, now);
  if (path == kGrainAuthorizePath) return oauth_.authorize(request);
  if (path.starts_with(kApi)) return api(request, path.substr(kApi.size()), now);
  return error_reply(404, "not_found", "No such page.");
}

SandboxReply GrainSandbox::api(const SandboxRequest& request, std::string_view path, Timestamp now) {
  std::string_view token = find_header(request.headers, "authorization");
  token = token.starts_with("Bearer ") ? token.substr(7) : std::string_view{};
  const bool renewed = !options_.renewed_token.empty() && token == options_.renewed_token;
  if (!renewed && !oauth_.accepts(token, now)) {
    if (token.empty() || token != options_.token)
      return error_reply(401, "unauthorized", "Missing or invalid access token.");
    if (options_.expire_after != 0 && first_token_uses_ >= options_.expire_after) {
      return error_reply(401, "unauthorized", "The access token expired.");
    }
    ++first_token_uses_;
  }
  if (find_header(request.headers, "public-api-version") != kGrainVersion) {
    return error_reply(400, "bad_request", "Missing or unknown Public-Api-Version.");
  }
  if (!window_ || now >= *window_ + kRateWindow) {
    window_ = now;
    used_in_window_ = 0;
  }
  const int limit = options_.requests_per_minute == 0 ? kUnlimitedPerMinute : options_.requests_per_minute;
  SandboxReply reply;
  if (options_.requests_per_minute != 0 && used_in_window_ >= limit) {
    reply = error_reply(429, "rate_limited", "Too many requests.");
    const auto left = std::chrono::ceil<std::chrono::seconds>(*window_ + kRateWindow - now);
    reply.headers.emplace_back("retry-after", fmt::format("{}", left.count()));
  } else {
    ++used_in_window_;
    reply = route(request, path, now);
  }
  reply.headers.emplace_back("x-ratelimit-limit", fmt::format("{}", limit));
  reply.headers.emplace_back("x-ratelimit-remaining", fmt::format("{}", std::max(0, limit - used_in_window_)));
  return reply;
}

SandboxReply GrainSandbox::route(const SandboxRequest& request, std::string_view path, Timestamp now) {
  if (path.starts_with("/recordings/")) {
    const std::string_view rest = path.substr(std::string_view("/recordings/").size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const auto index = calls_->find(rest.substr(0, slash));
    if (!index) return error_reply(404, "not_found", "Recording not found.");
    return recording(*index, request, rest.substr(slash), now);
  }
  if (request.method != "POST") return error_reply(404, "not_found", "No such page.");
  if (request.body.size() > kBodyBytesMax) return error_reply(413, "payload_too_large", "The body is too large.");
  const json body = request.body.empty() ? json::object() : json::parse(request.body, nullptr, false);
  if (body.is_discarded()) return error_reply(400, "bad_request", "The body is not JSON.");
  if (auto wrong = find_schema_error(body)) return error_reply(400, "bad_request", *wrong);
  if (path == "/recordings") return list(body);
  if (path == "/teams") return json_reply(200, {{"teams", write_teams()}});
  if (path == "/meeting_types") return json_reply(200, {{"meeting_types", write_meeting_types()}});
  if (path == "/users") {
    json users = json::array();
    for (const SandboxPerson& user : calls_->users())
      users.push_back({{"id", user.user}, {"name", user.name}, {"email", user.email}});
    return json_reply(200, {{"users", std::move(users)}});
  }
  return error_reply(404, "not_found", "No such page.");
}

bool GrainSandbox::matches(const json& filter, std::uint64_t index) const {
  if (!filter.contains("title_search") && !filter.contains("participant_scope") && !filter.contains("team") &&
      !filter.contains("meeting_type")) {
    return true;
  }
  const SandboxCall call = calls_->head(index);
  if (filter.contains("title_search") && !contains_ignoring_case(call.title, filter["title_search"].get<std::string>()))
    return false;
  if (filter.contains("participant_scope") && filter["participant_scope"] != (call.external ? "external" : "internal"))
    return false;
  if (filter.contains("team") && filter["team"] != team_of(call)) return false;
  return !filter.contains("meeting_type") || filter["meeting_type"] == meeting_type_of(call);
}

SandboxReply GrainSandbox::list(const json& body) {
  if (options_.token_kind == "wat" && asks_for_personal(body)) {
    return error_reply(403, "forbidden", "Only the Personal API offers this.");
  }
  const json filter = body.value("filter", json::object()), include = body.value("include", json::object());
  std::uint64_t index = 0, end = calls_->size();
  // First index that starts before `bound`: starts only fall.
  const auto first_before = [this](Timestamp bound) {
    std::uint64_t low = 0, high = calls_->size();
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (calls_->start(middle) < bound)
        high = middle;
      else
        low = middle + 1;
    }
    return low;
  };
  if (filter.contains("before_datetime"))
    index = first_before(*parse_utc(filter["before_datetime"].get<std::string>()));
  if (filter.contains("after_datetime")) end = first_before(*parse_utc(filter["after_datetime"].get<std::string>()));
  if (body.contains("cursor") && body["cursor"].is_string()) {
    const auto at = read_cursor(body["cursor"].get<std::string>());
    if (!at)
      return error_reply(400, "bad_request",
                         "Invalid input arguments:\nThe cursor is not one of ours. At path: #/cursor");
    index = std::max(index, *at);
  }
  json recordings = json::array();
  for (; index < end && recordings.size() < options_.page_size; ++index) {
    if (matches(filter, index)) recordings.push_back(write_recording(calls_->whole(index), include));
  }
  while (index < end && !matches(filter, index)) ++index;  // a cursor is handed out only when something follows
  return json_reply(200, {{"cursor", index < end ? json(write_cursor(index)) : json(nullptr)},
                          {"recordings", std::move(recordings)}});
}

SandboxReply GrainSandbox::recording(std::uint64_t index, const SandboxRequest& request, std::string_view rest,
                                     Timestamp now) {
  const SandboxCall head = calls_->head(index);
  SandboxReply reply;
  if (head.fate == CallFate::kDeleted) {
    reply = error_reply(404, "not_found", "Recording not found.");
  } else if (head.fate == CallFate::kPrivate) {
    reply = error_reply(403, "forbidden", "You do not have access to this recording.");
  } else if (rest.empty() && request.method == "POST") {
    const json body = request.body.empty() ? json::object() : json::parse(request.body, nullptr, false);
    const auto wrong =
        body.is_discarded() ? std::optional<std::string>("The body is not JSON.") : find_schema_error(body);
    if (wrong) {
      reply = error_reply(400, "bad_request", *wrong);
    } else if (options_.token_kind == "wat" && asks_for_personal(body)) {
      reply = error_reply(403, "forbidden", "Only the Personal API offers this.");
    } else {
      reply = json_reply(200, write_recording(calls_->whole(index), body.value("include", json::object())));
    }
  } else if (rest.starts_with("/transcript") && request.method == "GET") {
    reply = transcript(index, request, rest.substr(std::string_view("/transcript").size()), now);
  } else if (rest == "/download" && request.method == "GET") {
    reply = download(index, request, now);
  } else {
    reply = error_reply(404, "not_found", "No such page.");
  }
  reply.call = head.id;
  return reply;
}

bool GrainSandbox::ready(const SandboxCall& call, Timestamp now) const {
  return call.fate != CallFate::kNotReady || now >= *started_ + options_.not_ready_for;
}

SandboxReply GrainSandbox::transcript(std::uint64_t index, const SandboxRequest& request, std::string_view format,
                                      Timestamp now) {
  if (format != "" && format != ".txt" && format != ".vtt" && format != ".srt")
    return error_reply(404, "not_found", "No such page.");
  const SandboxCall call = calls_->whole(index);
  const bool is_ready = ready(call, now);
  if (!is_ready && options_.not_ready == NotReadyKind::kNotFound)
    return error_reply(404, "not_found", "Transcript not found.");
  if (format.empty()) return json_reply(200, is_ready ? write_transcript(call) : json::array());
  const std::string_view accept = find_header(request.headers, "accept");
  if (!accept.empty() && accept.find("*/*") == std::string_view::npos)
    return error_reply(406, "not_acceptable", "Not acceptable.");
  SandboxReply reply;
  reply.headers.emplace_back("content-type", format == ".vtt" ? "text/vtt" : "text/plain; charset=utf-8");
  if (is_ready) reply.body = write_subtitles(call, format.substr(1));
  return reply;
}

std::string GrainSandbox::signature(std::uint64_t index, std::int64_t expires) const {
  const std::uint64_t key = mix(options_.generated.seed, 4711);
  return fmt::format("{:016x}{:016x}", mix(key ^ index, static_cast<std::uint64_t>(expires)), mix(key + 1, index));
}

SandboxReply GrainSandbox::download(std::uint64_t index, const SandboxRequest& request, Timestamp now) {
  const SandboxCall call = calls_->head(index);
  if (call.media == MediaState::kNone || !ready(call, now))
    return error_reply(404, "not_found", "Recording has no media.");
  const auto expires = std::chrono::ceil<std::chrono::seconds>(now + options_.link_life).time_since_epoch().count();
  std::string_view host = find_header(request.headers, "host");
  SandboxReply reply;
  reply.status = 302;
  reply.headers.emplace_back(
      "location", fmt::format("http://{}{}{}/{}?Expires={}&Key-Pair-Id=KSANDBOX&Signature={}", host, kCdn, call.id,
                              calls_->media(index).file_name, expires, signature(index, expires)));
  return reply;
}

SandboxReply GrainSandbox::cdn(const SandboxRequest& request, std::string_view path, Timestamp now) {
  const std::size_t slash = std::min(path.find('/'), path.size());
  const auto index = calls_->find(path.substr(0, slash));
  const auto expires = read_number<std::int64_t>(query_value(request.target, "Expires"));
  if (!index || !expires || query_value(request.target, "Signature") != signature(*index, *expires)) {
    return xml_denied(403, "AccessDenied", "Access denied");
  }
  SandboxReply reply;
  const SandboxMedia media = calls_->media(*index);
  const std::string_view range = find_header(request.headers, "range");
  if (now >= Timestamp{std::chrono::seconds{*expires}}) {
    reply = xml_denied(403, "AccessDenied", "Request has expired");
  } else if (request.method != "GET" && request.method != "HEAD") {
    reply = xml_denied(405, "MethodNotAllowed", "The specified method is not allowed");
  } else if (range.empty()) {
    reply.body = calls_->media_bytes(*index, 0, media.bytes);
    const double point = static_cast<double>(mix(options_.generated.seed + 5, *index) % 10'000) / 100;
    if (point < options_.cut_percent) reply.cut_after = media.bytes / 2;
  } else if (const auto part = read_range(range, media.bytes)) {
    reply.status = 206;
    reply.headers.emplace_back("content-range",
                               fmt::format("bytes {}-{}/{}", part->from, part->from + part->count - 1, media.bytes));
    reply.body = calls_->media_bytes(*index, part->from, part->count);
  } else {
    reply = xml_denied(416, "InvalidRange", "The requested range is not satisfiable");
    reply.headers.emplace_back("content-range", fmt::format("bytes */{}", media.bytes));
  }
  if (reply.status == 200 || reply.status == 206) {
    reply.headers.emplace_back("content-type", media.content_type);
    reply.headers.emplace_back("etag", fmt::format("\"{:016x}\"", mix(options_.generated.seed, *index)));
  }
  reply.call = std::string(path.substr(0, slash));
  return reply;
}

std::string GrainSandbox::write_cursor(std::uint64_t index) const {
  const std::uint64_t key = mix(options_.generated.seed, 77);
  return fmt::format("g2wAAAAE{:012x}{:08x}", index ^ (key & 0xffffffffffffu), mix(key, index) & 0xffffffffu);
}

std::optional<std::uint64_t> GrainSandbox::read_cursor(std::string_view cursor) const {
  if (cursor.size() != 28 || !cursor.starts_with("g2wAAAAE")) return std::nullopt;
  const auto hidden = read_number<std::uint64_t>(cursor.substr(8, 12), 16);
  if (!hidden) return std::nullopt;
  const std::uint64_t index = *hidden ^ (mix(options_.generated.seed, 77) & 0xffffffffffffu);
  if (index >= calls_->size() || write_cursor(index) != cursor) return std::nullopt;
  return index;
}

}  // namespace callimport::simulations
