#include "activities/platforms/grain.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "activities/platforms/answers.h"
#include "activities/platforms/json.h"

namespace callimport::activities {
namespace {
using nlohmann::json;
using storage::Call;
using storage::ManifestRow;
using storage::Participant;
using storage::Segment;

constexpr std::string_view kPrefix = "/_/public-api/v2";
constexpr std::size_t kListBytesMax = 16u << 20, kTranscriptBytesMax = 64u << 20, kUrlCharactersMax = 8192,
                      kIdShown = 60;
/// Not ready has no flag at Grain, only an empty or missing transcript; most are done within minutes of the call.
constexpr Nanos kLookAgain = std::chrono::minutes{5};

HttpRequest ask(const PlatformSession& session, std::string method, std::string_view path) {
  HttpRequest request;
  request.method = std::move(method);
  request.url = session.base_url + std::string(kPrefix) + std::string(path);
  request.headers = {{"Authorization", "Bearer " + session.token.reveal()},
                     {"Public-Api-Version", "2025-10-31"},
                     {"Accept", "*/*"}};  // a narrower one brings 406 on some paths
  request.body_bytes_max = kListBytesMax;
  return request;
}

HttpRequest post(const PlatformSession& session, std::string_view path, const json& body) {
  HttpRequest request = ask(session, "POST", path);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return request;
}

std::string call_path(std::string_view source_id, std::string_view rest) {
  return "/recordings/" + encode_path_segment(source_id) + std::string(rest);
}

template <class T>
tl::unexpected<Trouble> trouble(T what) {
  return tl::unexpected<Trouble>(std::move(what));
}

/// The human half of {"error", "data"|"message"}; only looked at, never shown: we do not know what a vendor puts there.
std::string told(const HttpReply& reply) {
  const auto body = parse_json(reply.body);
  if (!body) return {};
  std::string text = text_of(*body, "error") + " " + text_of(*body, "data") + " " + text_of(*body, "message");
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// What any request may be refused with. nullopt: the status is the reader's to judge.
std::optional<Trouble> read_refusal(const HttpReply& reply, Timestamp now) {
  if (auto delay = read_delay(reply, now)) return delay;
  if (reply.status != 401) return std::nullopt;
  if (told(reply).find("revoked") != std::string::npos) {
    return NeedsAttention{"access.revoked", "Grain says that the token was revoked", "customer admin"};
  }
  return NeedsAttention{"access.expired", "Grain no longer accepts the token", "customer admin"};
}

std::string changed(std::string_view what, std::string_view wants) { return fmt::format("{} is not {}", what, wants); }

/// Of a recording; no length is below nothing.
std::optional<std::int64_t> length_of(const json& recording) {
  const auto length = whole_number_of(recording, "duration_ms");
  return length && *length >= 0 ? length : std::nullopt;
}

HttpRequest list(const PlatformSession& session, const ListQuery& query) {
  json body = json::object();
  if (!query.cursor.empty()) body["cursor"] = query.cursor;
  // The documentation has the two texts swapped, the names are right: after is inclusive, before exclusive.
  if (query.after)
    body["filter"]["after_datetime"] = format_utc(std::chrono::floor<std::chrono::seconds>(*query.after));
  if (query.before)
    body["filter"]["before_datetime"] = format_utc(std::chrono::ceil<std::chrono::seconds>(*query.before));
  if (query.accounts) body["include"]["participants"] = true;  // Grain knows no account: it is the guests' domain
  return post(session, "/recordings", body);
}

HttpRequest check(const PlatformSession& session) { return list(session, {}); }

/// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv): tells texts apart that we do not keep whole.
std::uint64_t fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// A call whose id cannot be asked for: counted, and named by what can be told of it. Never looks like a UUID.
ManifestRow nameless(const json& row, const std::string& id, std::string detail) {
  ManifestRow call;
  const std::string text = id.empty() ? row.dump(-1, ' ', false, json::error_handler_t::replace) : id;
  call.source_id = fmt::format("{}~{:016x}", encode_path_segment(id.substr(0, kIdShown)), fingerprint(text));
  call.state = storage::CallState::kFailed;
  call.cause = storage::kCauseIdUnusable;
  call.detail = std::move(detail);
  return call;
}

/// Who recorded it, and the domain of its first guest from outside.
void read_belonging(const json& row, ManifestRow& call) {
  if (const json* recorders = find_member(row, "recorders");
      recorders != nullptr && recorders->is_array() && !recorders->empty()) {
    call.owner = text_of(recorders->front(), "email");
    if (call.owner.empty()) call.owner = text_of(recorders->front(), "name");
  }
  const json* people = find_member(row, "participants");
  if (people == nullptr || !people->is_array()) return;
  for (const json& person : *people) {
    const std::string email = text_of(person, "email");
    const std::size_t at = email.rfind('@');
    if (text_of(person, "scope") != "external" || at == std::string::npos) continue;
    call.account = email.substr(at + 1);
    return;
  }
}

Fetched<ListPage> read_page(const HttpReply& reply, Timestamp now) {
  if (auto refused = read_refusal(reply, now)) return tl::unexpected(*refused);
  if (reply.status == 403)
    return trouble(NeedsAttention{"access.scope_missing", "the token may not list recordings", "customer admin"});
  if (reply.status != 200)
    return trouble(changed_answer(fmt::format("Grain answered {} to a list", reply.status), now));
  auto body = read_body(reply, now);
  if (!body) return tl::unexpected(body.error());
  const json* rows = find_member(*body, "recordings");
  if (rows == nullptr || !rows->is_array()) return trouble(changed_answer(changed("recordings", "a list"), now));
  ListPage page;
  std::string strange;  // what is wrong with the first id that is none
  bool any_named = false;
  for (const json& row : *rows) {
    ManifestRow call;
    call.source_id = text_of(row, "id");
    if (!is_uuid(call.source_id)) {
      std::string detail = fmt::format("recordings[{}].id is not a UUID but {} characters: \"{}\"", page.calls.size(),
                                       call.source_id.size(), encode_path_segment(call.source_id.substr(0, kIdShown)));
      call = nameless(row, call.source_id, detail);
      if (strange.empty()) strange = std::move(detail);
    } else {
      any_named = true;
    }
    // A call without a start still is a call: it is counted here, and named when its details do not tell it either.
    if (const auto start = time_of(row, "start_datetime")) call.start_ms = to_unix_ms(*start);
    call.title = text_of(row, "title");
    call.media_type = text_of(row, "media_type");
    call.duration_ms = length_of(row);
    read_belonging(row, call);
    page.calls.push_back(std::move(call));
  }
  // One bad id is that call's trouble; when no id is as documented, the answer is another than it was.
  if (!any_named && !strange.empty()) return trouble(changed_answer(std::move(strange), now));
  const std::string next = text_of(*body, "cursor");
  if (!next.empty() && !page.calls.empty()) page.next = next;  // an empty page is the last, whatever it says
  return page;
}

HttpRequest details(const PlatformSession& session, std::string_view source_id) {
  const json include = {{"participants", true},    {"highlights", true},     {"ai_summary", true},
                        {"ai_action_items", true}, {"calendar_event", true}, {"hubspot", true}};
  return post(session, call_path(source_id, ""), {{"include", include}});
}

/// Links and thumbnails carry share tokens: they go, at any depth.
json without_links(const json& value) {
  if (value.is_object()) {
    json kept = json::object();
    for (const auto& [key, member] : value.items()) {
      if (key != "url" && !key.ends_with("_url")) kept[key] = without_links(member);
    }
    return kept;
  }
  if (value.is_array()) {
    json kept = json::array();
    for (const json& element : value) kept.push_back(without_links(element));
    return kept;
  }
  return value;
}

void read_people(const json& recording, Call& call) {
  std::map<std::string, std::string> hosts;  // participant -> the user who recorded
  if (const json* recorders = find_member(recording, "recorders"); recorders != nullptr && recorders->is_array()) {
    for (const json& recorder : *recorders) hosts[text_of(recorder, "participant_id")] = text_of(recorder, "id");
  }
  const json* people = find_member(recording, "participants");
  if (people == nullptr || !people->is_array()) return;
  for (const json& person : *people) {
    if (!person.is_object()) continue;
    Participant one;
    one.source_id = text_of(person, "id");
    one.name = text_of(person, "name");
    one.email = text_of(person, "email");
    one.scope = text_of(person, "scope");
    one.attended = switch_of(person, "confirmed_attendee");
    const auto host = one.source_id.empty() ? hosts.end() : hosts.find(one.source_id);
    one.host = host != hosts.end();
    if (one.host) one.user = host->second;
    call.participants.push_back(std::move(one));
  }
}

/// Grain's words for who sees a recording; empty: it does not say.
std::string privacy_of(const json& recording) {
  const std::string state = text_of(recording, "share_state");
  if (state == "restricted") return "private";
  if (state == "workspace") return "team";
  return state == "public" ? "everyone" : "";
}

/// Status of a request about one call, other than those read_refusal knows; nullopt: 200.
std::optional<Trouble> read_call_status(const HttpReply& reply, Timestamp now) {
  if (auto refused = read_refusal(reply, now)) return refused;
  if (reply.status == 403) return CallFailed{"call.private", "the token may not see this call"};
  if (reply.status == 404 || reply.status == 410)
    return CallFailed{"call.deleted_at_source", "Grain no longer has this call"};
  if (reply.status != 200)
    return CallFailed{"platform.changed_answer", fmt::format("Grain answered {} for this call", reply.status)};
  return std::nullopt;
}

/// A body that cannot be read is this call's trouble alone, but a web page is the platform's.
Fetched<json> read_call_body(const HttpReply& reply, Timestamp now) {
  auto body = read_body(reply, now);
  if (body) return std::move(*body);
  const std::size_t first = reply.body.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || reply.body[first] == '<') return tl::unexpected(body.error());
  return trouble(CallFailed{"platform.changed_answer", std::get<Wait>(body.error()).message});
}

Fetched<Call> read_details(const HttpReply& reply, Timestamp now) {
  if (auto refused = read_call_status(reply, now)) return tl::unexpected(*refused);
  auto body = read_call_body(reply, now);
  if (!body) return tl::unexpected(body.error());
  Call call;
  call.platform = "grain";
  call.source_id = text_of(*body, "id");
  const auto start = time_of(*body, "start_datetime");
  if (!is_uuid(call.source_id)) return trouble(CallFailed{"platform.changed_answer", changed("id", "a UUID")});
  if (!start) return trouble(CallFailed{"platform.changed_answer", changed("start_datetime", "a time")});
  call.title = text_of(*body, "title");
  call.source = text_of(*body, "source");
  call.media_type = text_of(*body, "media_type");
  call.start_ms = to_unix_ms(*start);
  if (const auto end = time_of(*body, "end_datetime")) call.end_ms = to_unix_ms(*end);
  call.duration_ms = length_of(*body);
  if (const json* tags = find_member(*body, "tags"); tags != nullptr && tags->is_array()) {
    for (const json& tag : *tags) {
      if (tag.is_string()) call.tags.push_back(tag.get<std::string>());
    }
  }
  read_people(*body, call);
  call.privacy = privacy_of(*body);
  json rest = json::object();
  for (const std::string_view key : {"teams", "meeting_type", "share_state", "workspace_shared", "ai_summary",
                                     "ai_action_items", "highlights", "calendar_event", "hubspot", "recorders"}) {
    if (const json* member = find_member(*body, key); member != nullptr && !member->is_null())
      rest[std::string(key)] = without_links(*member);
  }
  call.details = rest.dump(-1, ' ', false, json::error_handler_t::replace);
  call.fetched_ms = to_unix_ms(now);
  return call;
}

HttpRequest transcript(const PlatformSession& session, std::string_view source_id) {
  HttpRequest request = ask(session, "GET", call_path(source_id, "/transcript"));
  request.body_bytes_max = kTranscriptBytesMax;
  return request;
}

Fetched<std::vector<Segment>> read_transcript(const HttpReply& reply, Timestamp now) {
  if (reply.status == 404)
    return trouble(NotReady{"call.recording_not_ready", kLookAgain});  // its details were there a moment ago
  if (reply.status == 406) return trouble(CallFailed{"transcript.missing", "Grain gives no transcript of this call"});
  if (auto refused = read_call_status(reply, now)) return tl::unexpected(*refused);
  auto body = read_call_body(reply, now);
  if (!body) return tl::unexpected(body.error());
  if (!body->is_array()) return trouble(CallFailed{"platform.changed_answer", changed("the transcript", "a list")});
  if (body->empty()) return trouble(NotReady{"call.recording_not_ready", kLookAgain});
  std::vector<Segment> segments;
  segments.reserve(body->size());
  for (const json& row : *body) {
    const auto start = whole_number_of(row, "start"), end = whole_number_of(row, "end");
    const json* text = find_member(row, "text");
    if (!start || *start < 0 || text == nullptr || !text->is_string()) {
      return trouble(
          CallFailed{"platform.changed_answer", fmt::format("transcript[{}] has no start or text", segments.size())});
    }
    segments.push_back({text_of(row, "speaker"), text_of(row, "participant_id"), *start,
                        std::max(*start, end.value_or(*start)), text->get<std::string>()});
  }
  return segments;
}

HttpRequest media(const PlatformSession& session, std::string_view source_id) {
  return ask(session, "GET", call_path(source_id, "/download"));
}

/// Seconds since 1970 behind `Expires=`; nullopt when the link does not tell.
std::optional<Timestamp> read_expiry(std::string_view url) {
  const std::size_t query = std::min(url.find('?'), url.size());
  for (std::size_t at = query; at < url.size(); at = std::min(url.find('&', at + 1), url.size())) {
    constexpr std::string_view kName = "Expires=";
    if (!url.substr(at + 1).starts_with(kName)) continue;
    const std::string_view rest = url.substr(at + 1 + kName.size());
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), seconds);
    const bool whole = error == std::errc{} && (end == rest.data() + rest.size() || *end == '&');
    if (!whole || seconds < 0 || seconds > 9'000'000'000) return std::nullopt;
    return Timestamp{std::chrono::seconds{seconds}};
  }
  return std::nullopt;
}

Fetched<MediaLink> read_media(const HttpReply& reply, Timestamp now) {
  if (reply.status == 404) return trouble(CallFailed{"call.no_recording", "Grain has no recording of this call"});
  if (reply.status != 302 && reply.status != 303 && reply.status != 307) {
    if (auto refused = read_call_status(reply, now)) return tl::unexpected(*refused);
    return trouble(CallFailed{"platform.changed_answer", "Grain sent something else than the place of the recording"});
  }
  MediaLink link{std::string(reply.header("location")), std::nullopt};
  const bool known = link.url.starts_with("https://") || link.url.starts_with("http://");
  const bool plain = std::all_of(link.url.begin(), link.url.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!known || !plain || link.url.size() > kUrlCharactersMax) {
    return trouble(CallFailed{"platform.changed_answer", "the place of the recording is not an http address"});
  }
  link.expires = read_expiry(link.url);
  return link;
}
std::optional<RateSeen> read_rate(const HttpReply& reply) {
  const auto number = [&reply](std::string_view name) -> std::optional<int> {
    const std::string_view text = reply.header(name);
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
  };
  const auto limit = number("x-ratelimit-limit");
  if (!limit || *limit == 0) return std::nullopt;
  return RateSeen{*limit, number("x-ratelimit-remaining")};
}
}  // namespace

const Platform& grain() {
  static const Platform platform{
      .name = "grain",
      .title = "Grain",
      .base_url = "https://api.grain.com",
      .newest_first = true,
      .lists_length = true,
      .lists_owner = true,
      .lists_account = true,
      .budgets = {{storage::Operation::kAny, 300, std::chrono::minutes{1}}},
      .oauth = OAuthFacts{.authorize_base = "https://grain.com",
                          .authorize_path = "/_/public-api/oauth2/authorize",
                          .token_path = "/_/public-api/oauth2/token",
                          .scopes_key = "scopes",
                          .json_body = true},
      .outage_wait = std::chrono::minutes{5},
      .check = check,
      .list = list,
      .read_page = read_page,
      .details = details,
      .read_details = read_details,
      .transcript = transcript,
      .read_transcript = read_transcript,
      .media = media,
      .read_media = read_media,
      .read_rate = read_rate,
  };
  return platform;
}

}  // namespace callimport::activities
