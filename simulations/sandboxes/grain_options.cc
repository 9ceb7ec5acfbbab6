#include <fmt/core.h>

#include <charconv>
#include <cstdlib>
#include <functional>

#include "simulations/sandboxes/grain.h"

namespace callimport::simulations {
namespace {
constexpr std::uint64_t kCallsMax = 100'000'000, kMediaBytesMax = 64u << 20;

tl::unexpected<Error> wrong(std::string_view flag, std::string_view wants, std::string_view got) {
  return fail(Code::kInvalid, fmt::format("{} wants {}, not \"{}\"", flag, wants, got.substr(0, 80)));
}

Result<std::uint64_t> number_of(std::string_view flag, std::string_view text, std::uint64_t min, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
    return wrong(flag, fmt::format("a whole number from {} to {}", min, max), text);
  }
  return value;
}

Result<double> percent_of(std::string_view flag, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 100)) {
    return wrong(flag, "a percentage from 0 to 100", text);
  }
  return value;
}

/// START+LEN in seconds, :refuse behind it for a closed port instead of a 503.
Result<Outage> outage_of(std::string_view flag, std::string_view text) {
  Outage outage;
  std::string_view numbers = text;
  if (numbers.ends_with(":refuse")) {
    outage.kind = OutageKind::kRefused;
    numbers.remove_suffix(std::string_view(":refuse").size());
  }
  const std::size_t plus = numbers.find('+');
  if (plus == std::string_view::npos) return wrong(flag, "START+LENGTH in seconds, e.g. 30+120 or 30+120:refuse", text);
  TRY(const auto start, number_of(flag, numbers.substr(0, plus), 0, 1'000'000'000));
  TRY(const auto length, number_of(flag, numbers.substr(plus + 1), 1, 1'000'000'000));
  outage.start = std::chrono::seconds{start};
  outage.length = std::chrono::seconds{length};
  return outage;
}

/// PCT[:empty|:404][:SECONDS]
Result<> read_not_ready(GrainOptions& options, std::string_view flag, std::string_view text) {
  for (int part = 0; !text.empty(); ++part) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    const std::string_view word = text.substr(0, colon);
    text.remove_prefix(std::min(colon + 1, text.size()));
    if (part == 0) {
      TRY(options.generated.not_ready_percent, percent_of(flag, word));
    } else if (word == "empty" || word == "404") {
      options.not_ready = word == "404" ? NotReadyKind::kNotFound : NotReadyKind::kEmptyTranscript;
    } else {
      TRY(const auto seconds, number_of(flag, word, 0, 1'000'000'000));
      options.not_ready_for = std::chrono::seconds{seconds};
    }
  }
  return {};
}

Result<> read_listen(SandboxCommand& command, std::string_view flag, std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return wrong(flag, "HOST:PORT, e.g. 127.0.0.1:9301 (port 0: any free one)", text);
  TRY(const auto port, number_of(flag, text.substr(colon + 1), 0, 65535));
  command.host = std::string(text.substr(0, colon));
  command.port = static_cast<std::uint16_t>(port);
  return {};
}

Result<> read_media_switch(GrainOptions& grain, std::string_view flag, std::string_view text) {
  if (text == "off")
    grain.generated.media_bytes = 0;
  else if (text != "on")
    return wrong(flag, "on or off", text);
  return {};
}

Result<> read_oauth_flag(GrainOAuthOptions& oauth, std::string_view flag, std::string_view value) {
  if (flag == "--oauth-client") {
    const std::size_t colon = std::min(value.find(':'), value.size());
    if (colon == 0) return wrong(flag, "ID or ID:SECRET", "");
    oauth.client_id = value.substr(0, colon);
    oauth.client_secret = value.substr(std::min(colon + 1, value.size()));
  } else if (flag == "--oauth-refresh") {
    oauth.refresh_token = value;
  } else if (flag == "--oauth-life") {
    TRY(const auto seconds, number_of(flag, value, 1, 1'000'000'000));
    oauth.access_life = std::chrono::seconds{seconds};
  } else if (flag == "--oauth-revoke-after") {
    TRY(oauth.revoke_after, number_of(flag, value, 1, UINT64_MAX));
  } else if (flag == "--oauth-legacy" || flag == "--oauth-deny") {
    if (value != "on" && value != "off") return wrong(flag, "on or off", value);
    (flag == "--oauth-deny" ? oauth.deny : oauth.legacy) = value == "on";
  } else {
    return fail(Code::kInvalid, fmt::format("unknown flag {}; see callimport sandbox --help", flag.substr(0, 80)));
  }
  return {};
}

Result<> read_flag(SandboxCommand& command, std::string_view flag, std::string_view value) {
  GrainOptions& grain = command.grain;
  GeneratedOptions& made = grain.generated;
  if (flag == "--listen") return read_listen(command, flag, value);
  if (flag == "--log")
    command.log_path = value;
  else if (flag == "--content")
    grain.content_dir = value;
  else if (flag == "--token")
    grain.token = value;
  else if (flag == "--renewed-token")
    grain.renewed_token = value;
  else if (flag == "--calls") {
    TRY(made.calls, number_of(flag, value, 0, kCallsMax));
  } else if (flag == "--seed") {
    TRY(made.seed, number_of(flag, value, 0, UINT64_MAX));
  } else if (flag == "--media-bytes") {
    TRY(made.media_bytes, number_of(flag, value, 1000, kMediaBytesMax));
  } else if (flag == "--media")
    return read_media_switch(grain, flag, value);
  else if (flag == "--page-size") {
    TRY(grain.page_size, number_of(flag, value, 1, 1000));
  } else if (flag == "--expire-after") {
    TRY(grain.expire_after, number_of(flag, value, 1, UINT64_MAX));
  } else if (flag == "--broken") {
    TRY(made.broken_percent, percent_of(flag, value));
  } else if (flag == "--deleted") {
    TRY(made.deleted_percent, percent_of(flag, value));
  } else if (flag == "--private") {
    TRY(made.private_percent, percent_of(flag, value));
  } else if (flag == "--transcript-only") {
    TRY(made.transcript_only_percent, percent_of(flag, value));
  } else if (flag == "--cut") {
    TRY(grain.cut_percent, percent_of(flag, value));
  } else if (flag == "--not-ready")
    return read_not_ready(grain, flag, value);
  else if (flag == "--rate") {
    grain.requests_per_minute = 0;
    if (value == "off") return {};
    TRY(const auto rate, number_of(flag, value, 1, kUnlimitedPerMinute));
    grain.requests_per_minute = static_cast<int>(rate);
  } else if (flag == "--outage") {
    TRY(const auto outage, outage_of(flag, value));
    grain.outages.push_back(outage);
  } else if (flag == "--slow") {
    TRY(const auto ms, number_of(flag, value, 0, 3'600'000));
    grain.slow = std::chrono::milliseconds{ms};
  } else if (flag == "--link-life") {
    TRY(const auto seconds, number_of(flag, value, 1, 1'000'000'000));
    grain.link_life = std::chrono::seconds{seconds};
  } else if (flag == "--token-kind") {
    if (value != "pat" && value != "wat") return wrong(flag, "pat or wat", value);
    grain.token_kind = value;
  } else if (flag.starts_with("--oauth-")) {
    return read_oauth_flag(grain.oauth, flag, value);
  } else if (flag == "--ready-fd") {
    TRY(const auto fd, number_of(flag, value, 0, 1'000'000));
    command.ready_fd = static_cast<int>(fd);
  } else {
    return fail(Code::kInvalid, fmt::format("unknown flag {}; see callimport sandbox --help", flag.substr(0, 80)));
  }
  return {};
}
}  // namespace

Result<SandboxCommand> sandbox_options(const std::vector<std::string>& args) {
  SandboxCommand command;
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string_view flag = args[i];
    const std::size_t equals = flag.find('=');
    if (equals != std::string_view::npos) {
      TRY_VOID(read_flag(command, flag.substr(0, equals), flag.substr(equals + 1)));
    } else {
      if (!flag.starts_with("--"))
        return fail(Code::kInvalid,
                    fmt::format("\"{}\" is not a flag; see callimport sandbox --help", flag.substr(0, 80)));
      if (i + 1 == args.size()) return fail(Code::kInvalid, fmt::format("{} wants a value", flag.substr(0, 80)));
      TRY_VOID(read_flag(command, flag, args[++i]));
    }
  }
  return command;
}

std::string_view sandbox_usage() {
  return "callimport sandbox grain: Grain's API on this machine, with made-up calls\n"
         "  --listen HOST:PORT    where to answer (127.0.0.1:0: any free port)\n"
         "  --calls N             calls in the workspace (5000)\n"
         "  --seed N              the same seed, the same workspace (7)\n"
         "  --rate N|off          requests a minute before 429 (300)\n"
         "  --page-size N         calls a page (20)\n"
         "  --media-bytes N       size of a recording, about (100000)\n"
         "  --media on|off        off: calls have transcripts only\n"
         "  --transcript-only PCT calls without a recording (2)\n"
         "  --content DIR         serve the transcripts and media of this folder instead\n"
         "  --token T             the token to accept\n"
         "  --token-kind pat|wat  wat: personal-only switches are refused\n"
         "  --expire-after N      requests until that token expires\n"
         "  --renewed-token T     accepted all the time\n"
         "  --oauth-client ID[:SECRET]  an OAuth client, for the token endpoint and the authorize page\n"
         "  --oauth-refresh T     a refresh token of that client, good once\n"
         "  --oauth-life S        seconds an access token is good for (3600)\n"
         "  --oauth-revoke-after N  renewals until the access is revoked\n"
         "  --oauth-legacy on|off on: tokens without expiry and refresh token\n"
         "  --oauth-deny on|off   on: whoever is asked at the authorize page says no\n"
         "  --outage START+LEN    seconds from start: 503; with :refuse behind it no answer at all; may be repeated\n"
         "  --broken PCT          calls with a truncated, fake, empty or wrongly long recording\n"
         "  --deleted PCT         listed, then 404\n"
         "  --private PCT         listed, then 403\n"
         "  --not-ready PCT[:empty|:404][:SECONDS]  transcript and recording come later (600 s)\n"
         "  --cut PCT             recordings whose first whole download breaks off half way\n"
         "  --slow MS             before each answer\n"
         "  --link-life S         how long a recording's link is good (600)\n"
         "  --log FILE            one JSON line a request\n"
         "  --ready-fd FD         \"listening on HOST:PORT\" is written there too, once it answers\n";
}

}  // namespace callimport::simulations
