#include "simulations/sandboxes/generated_calls.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>

#include "simulations/sandboxes/words.h"
#include "storage/model/ensure.h"

namespace callimport::simulations {
namespace {
constexpr std::uint64_t kMask48 = (1ull << 48) - 1;
constexpr std::uint64_t kSpread = 0x5deece66d;  // odd, so that multiplying modulo 2^48 can be undone

constexpr std::uint64_t inverse_of(std::uint64_t odd) {
  std::uint64_t x = odd;  // Newton: each step doubles the right low bits
  for (int i = 0; i < 6; ++i) x *= 2 - odd * x;
  return x;
}
static_assert(kSpread * inverse_of(kSpread) == 1);

constexpr std::uint64_t kHeaderBytes = 44, kStampBytes = 64, kToneBytes = 65536;
constexpr std::uint64_t kSampleRate = 8000;  // one byte a sample
constexpr std::uint64_t kMediaBytesMin = 1000;
constexpr std::uint64_t kUsers = 25;
constexpr std::string_view kHtmlPage =
    "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head><body><h1>Please try again later</h1>"
    "<p>The recording you asked for could not be prepared.</p></body></html>\n";

/// What a draw is for: the same call gives unrelated numbers for unrelated questions.
enum Draw : std::uint64_t { kStart, kTheme, kMedia, kTrouble, kKind, kPeople, kTurns, kStamp, kIdHigh, kIdLow };

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

/// RIFF/WAVE, 8 bit, mono, 8 kHz.
std::string wav_header(std::uint64_t payload) {
  return "RIFF" + little_endian(36 + payload, 4) + "WAVEfmt " + little_endian(16, 4) + little_endian(1, 2) +
         little_endian(1, 2) + little_endian(kSampleRate, 4) + little_endian(kSampleRate, 4) + little_endian(1, 2) +
         little_endian(8, 2) + "data" + little_endian(payload, 4);
}

/// A soft chord; every call plays it from another place on.
const std::string& tone() {
  static const std::string samples = [] {
    std::string made(kToneBytes, '\0');
    for (std::size_t i = 0; i < made.size(); ++i) {
      const double t =
          2 * std::numbers::pi * static_cast<double>(i) / kToneBytes;  // whole periods: the end meets the start
      const double level = std::sin(t * 1802) + std::sin(t * 2270) + std::sin(t * 2703) * (1 + std::sin(t * 5));
      made[i] = static_cast<char>(128 + std::lround(level * 12));
    }
    return made;
  }();
  return samples;
}

std::string domain_of(const std::string& company) {
  std::string domain;
  for (const char c : company) {
    if (c != ' ') domain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return domain + ".test";
}

class GeneratedCalls final : public CallSource {
 public:
  explicit GeneratedCalls(const GeneratedOptions& options) : options_(options) {
    if (options_.media_bytes != 0) options_.media_bytes = std::max(options_.media_bytes, kMediaBytesMin);
    // Spread over three years at most, so that a million calls still start in this century; one every 20 minutes at the
    // least.
    const std::int64_t three_years_s = 3 * 365 * 86400ll;
    spacing_s_ = std::clamp<std::int64_t>(
        three_years_s / static_cast<std::int64_t>(std::max<std::uint64_t>(options_.calls, 1)), 1, 1200);
  }

  std::uint64_t size() const override { return options_.calls; }

  Timestamp start(std::uint64_t index) const override {
    index = meeting_of(index);
    const auto jitter = static_cast<std::int64_t>(draw(index, kStart) % static_cast<std::uint64_t>(spacing_s_));
    return options_.newest - std::chrono::seconds{static_cast<std::int64_t>(index) * spacing_s_ + jitter};
  }

  SandboxCall head(std::uint64_t index) const override {
    if (meeting_of(index) != index) return again(head(meeting_of(index)), index);
    const std::uint64_t kind = draw(index, kKind);
    const CallTheme theme = theme_of(draw(index, kTheme));
    SandboxCall call;
    call.index = index;
    call.id = id_of(index);
    call.title = title_of(theme);
    call.start = start(index);
    call.external = (kind >> 40) % 3 != 0;
    choose_troubles(call);
    constexpr std::array<std::string_view, 6> kSources = {"zoom", "meet", "teams", "aircall", "upload", "zoom"};
    call.source = kSources[(kind >> 8) % kSources.size()];
    call.media_type = call.source == "aircall" || call.source == "upload" ? "audio" : "video";
    if (call.media == MediaState::kNone) call.media_type = "transcript";
    call.duration_ms = duration_of(index, call.media);
    call.length_ms = (call.duration_ms / 1000 + static_cast<std::int64_t>((kind >> 16) % 3)) * 1000;
    call.tags = {theme.topic == "security review" ? "security" : theme.topic};
    call.summary =
        fmt::format("- {} talked about the {} 0:04\n- Next: the {}", theme.company, theme.product, theme.topic);
    return call;
  }

  SandboxCall whole(std::uint64_t index) const override {
    if (meeting_of(index) != index) return again(whole(meeting_of(index)), index);
    SandboxCall call = head(index);
    const CallTheme theme = theme_of(draw(index, kTheme));
    add_people(call, theme);
    const std::uint64_t bits = draw(index, kTurns);
    const std::uint64_t turns = 6 + bits % 9;
    const auto slot = call.duration_ms / static_cast<std::int64_t>(turns);
    std::size_t speaker = 0;
    for (std::uint64_t turn = 0; turn < turns; ++turn) {
      const std::uint64_t draws = mix(bits, turn);
      SandboxSegment segment;
      speaker = (speaker + 1 + draws % 2) % call.people.size();
      if (!call.people[speaker].attended) speaker = 1;  // the first guest always comes
      segment.speaker = call.people[speaker].name;
      if (draws % 61 != 0) segment.person = speaker;  // now and then a voice nobody matched
      segment.start_ms = slot * static_cast<std::int64_t>(turn) + static_cast<std::int64_t>((draws >> 8) % 100);
      segment.end_ms = slot * static_cast<std::int64_t>(turn + 1) - static_cast<std::int64_t>((draws >> 16) % 100);
      segment.end_ms = std::max(segment.end_ms, segment.start_ms);
      segment.text = sentence_of(theme, turn, draws >> 3);
      call.segments.push_back(std::move(segment));
    }
    return call;
  }

  std::optional<std::uint64_t> find(std::string_view id) const override {
    if (id.size() != 36) return std::nullopt;
    std::uint64_t spread = 0;
    const auto [end, error] = std::from_chars(id.data() + 24, id.data() + 36, spread, 16);
    if (error != std::errc{} || end != id.data() + 36) return std::nullopt;
    const std::uint64_t index = ((spread - mix(options_.seed, kIdLow)) * inverse_of(kSpread)) & kMask48;
    if (index >= options_.calls || id_of(index) != id) return std::nullopt;
    return index;
  }

  std::vector<SandboxPerson> users() const override {
    std::vector<SandboxPerson> all;
    for (std::uint64_t user = 0; user < kUsers; ++user) all.push_back(user_of(user));
    return all;
  }

  SandboxMedia media(std::uint64_t index) const override {
    index = meeting_of(index);
    SandboxCall call;
    call.index = index;
    choose_troubles(call);
    switch (call.media) {
      case MediaState::kNone: return {"", "", 0};
      case MediaState::kHtmlPage: return {call_file(index, ".mp3"), "audio/mpeg", kHtmlPage.size()};
      case MediaState::kZeroBytes: return {call_file(index, ".wav"), "audio/wav", 0};
      case MediaState::kTruncated:
        return {call_file(index, ".wav"), "audio/wav", (kHeaderBytes + payload_of(index)) * 6 / 10};
      case MediaState::kGood:
      case MediaState::kWrongLength: break;
    }
    return {call_file(index, ".wav"), "audio/wav", kHeaderBytes + payload_of(index)};
  }

  std::string media_bytes(std::uint64_t index, std::uint64_t from, std::uint64_t count) const override {
    index = meeting_of(index);
    const SandboxMedia facts = media(index);
    ENSURE(from + count <= facts.bytes);
    if (facts.content_type == "audio/mpeg") return std::string(kHtmlPage.substr(from, count));
    std::string bytes;
    bytes.reserve(count);
    const std::uint64_t end = from + count;
    const std::string head = wav_header(payload_of(index)) + stamp_of(index);
    if (from < head.size()) bytes = head.substr(from, count);
    for (std::uint64_t at = from + bytes.size(); at < end;) {
      const std::uint64_t in_tone = (at + draw(index, kStamp)) % kToneBytes;
      const std::uint64_t piece = std::min(end - at, kToneBytes - in_tone);
      bytes.append(tone(), in_tone, piece);
      at += piece;
    }
    return bytes;
  }

 private:
  std::uint64_t draw(std::uint64_t index, Draw purpose) const { return mix(mix(options_.seed, purpose), index); }

  std::uint64_t meeting_of(std::uint64_t index) const { return options_.each_twice ? index - index % 2 : index; }

  SandboxCall again(SandboxCall call, std::uint64_t index) const {
    call.index = index;
    call.id = id_of(index);
    return call;
  }

  /// The index lies in the last 48 bits, so that an id leads back to its call without a table.
  std::string id_of(std::uint64_t index) const {
    const std::uint64_t spread = (index * kSpread + mix(options_.seed, kIdLow)) & kMask48;
    return uuid_of(draw(index, kIdHigh), (draw(index, kIdLow) << 48) | spread);
  }

  static std::string call_file(std::uint64_t index, std::string_view extension) {
    return fmt::format("recording-{}{}", index, extension);
  }

  std::uint64_t payload_of(std::uint64_t index) const {
    const std::uint64_t spread = options_.media_bytes / 5;
    return options_.media_bytes - spread / 2 + draw(index, kMedia) % (spread + 1) - kHeaderBytes;
  }

  /// 64 samples around silence that spell the call's number, so that no two recordings are the same.
  std::string stamp_of(std::uint64_t index) const {
    const std::uint64_t bits = draw(index, kStamp);
    std::string stamp(kStampBytes, '\0');
    for (std::size_t i = 0; i < kStampBytes; ++i) stamp[i] = static_cast<char>(127 + ((bits >> i) & 1u));
    return stamp;
  }

  std::int64_t duration_of(std::uint64_t index, MediaState media) const {
    if (media == MediaState::kNone) return 300'000 + static_cast<std::int64_t>(draw(index, kMedia) % 2'400'000);
    const auto real = static_cast<std::int64_t>(payload_of(index) * 1000 / kSampleRate);
    return media == MediaState::kWrongLength ? real * 2 + 20'000 : real;
  }

  void choose_troubles(SandboxCall& call) const {
    const std::uint64_t bits = draw(call.index, kTrouble);
    const double point = static_cast<double>(bits % 1'000'000) / 10'000;  // 0 .. 100
    const double deleted = options_.deleted_percent, hidden = deleted + options_.private_percent;
    const double late = hidden + options_.not_ready_percent, broken = late + options_.broken_percent;
    const double silent = broken + options_.transcript_only_percent;
    if (point < deleted) {
      call.fate = CallFate::kDeleted;
    } else if (point < hidden) {
      call.fate = CallFate::kPrivate;
    } else if (point < late) {
      call.fate = CallFate::kNotReady;
    } else if (point < broken) {
      constexpr std::array kKinds = {MediaState::kTruncated, MediaState::kHtmlPage, MediaState::kZeroBytes,
                                     MediaState::kWrongLength};
      call.media = kKinds[(bits >> 32) % kKinds.size()];
    } else if (point < silent) {
      call.media = MediaState::kNone;
    }
    if (options_.media_bytes == 0) call.media = MediaState::kNone;
  }

  SandboxPerson user_of(std::uint64_t number) const {
    SandboxPerson user;
    user.user = uuid_of(mix(options_.seed, 5000 + number), number);
    user.name = person_name_of(mix(options_.seed, number));
    user.email = fmt::format("user{}@seller.test", number);
    user.scope = "internal";
    return user;
  }

  void add_people(SandboxCall& call, const CallTheme& theme) const {
    const std::uint64_t bits = draw(call.index, kPeople);
    const auto add = [&](std::string name, std::string email, std::string scope) -> SandboxPerson& {
      const std::uint64_t number = call.people.size();
      call.people.push_back({uuid_of(mix(bits, number), mix(bits, number + 100)), "", std::move(name), std::move(email),
                             std::move(scope), true, false});
      return call.people.back();
    };
    const SandboxPerson user = user_of(bits % kUsers);
    SandboxPerson& host = add(user.name, user.email, "internal");
    host.host = true;
    host.user = user.user;
    host.attended = (bits >> 32) % 53 != 0;  // who records may still not show up
    const std::string domain = domain_of(theme.company);
    const std::uint64_t others = 1 + (bits >> 8) % 3;
    for (std::uint64_t i = 0; i < others; ++i) {
      const std::uint64_t person = mix(bits, 1000 + i);
      if (call.external) {
        add(person_name_of(person), fmt::format("p{}@{}", person % 900, domain), "external");
      } else {
        const SandboxPerson colleague = user_of(person % kUsers);
        add(colleague.name, colleague.email, "internal").user = colleague.user;
      }
    }
    if ((bits >> 16) % 7 == 0) add("Boardroom", "", "unknown");
    if ((bits >> 24) % 5 == 0) add(person_name_of(mix(bits, 2000)), "late@" + domain, "external").attended = false;
  }

  GeneratedOptions options_;
  std::int64_t spacing_s_ = 1200;
};
}  // namespace

std::unique_ptr<CallSource> generated_calls(const GeneratedOptions& options) {
  return std::make_unique<GeneratedCalls>(options);
}

}  // namespace callimport::simulations
