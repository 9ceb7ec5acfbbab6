#include <fmt/core.h>

#include <charconv>

#include "simulations/sandboxes/slack.h"

namespace callimport::simulations {
namespace {

tl::unexpected<Error> wrong(std::string_view flag, std::string_view wants, std::string_view got) {
  return fail(Code::kInvalid, fmt::format("{} wants {}, not \"{}\"", flag, wants, got.substr(0, 80)));
}

Result<int> number_of(std::string_view flag, std::string_view text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > most)
    return wrong(flag, fmt::format("a whole number from 0 to {}", most), text);
  return value;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) words.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

Result<> read_listen(SlackCommand& command, std::string_view flag, std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong(flag, "HOST:PORT, e.g. 127.0.0.1:9302", text);
  TRY(const int port, number_of(flag, text.substr(colon + 1), 65'535));
  command.host = std::string(text.substr(0, colon));
  command.port = static_cast<std::uint16_t>(port);
  return {};
}

Result<> read_flag(SlackCommand& command, std::string_view flag, std::string_view value) {
  SlackOptions& slack = command.slack;
  if (flag == "--listen") return read_listen(command, flag, value);
  if (flag == "--log") {
    command.log_path = value;
  } else if (flag == "--token") {
    slack.token = value;
  } else if (flag == "--signing-secret") {
    slack.signing_secret = value;
  } else if (flag == "--channels") {
    slack.channels = words_of(value);
  } else if (flag == "--users") {
    slack.users = words_of(value);
  } else if (flag == "--html") {
    slack.html = value;
  } else if (flag == "--history") {
    if (value != "on" && value != "off") return wrong(flag, "on or off", value);
    slack.history = value == "on";
  } else if (flag == "--limit-first") {
    TRY(slack.limit_first, number_of(flag, value, 1'000'000));
  } else if (flag == "--retry-after") {
    TRY(slack.retry_after_s, number_of(flag, value, 86'400));
  } else if (flag == "--drop-first") {
    TRY(slack.drop_first, number_of(flag, value, 1'000'000));
  } else if (flag == "--ready-fd") {
    TRY(command.ready_fd, number_of(flag, value, 1 << 20));
  } else {
    return fail(Code::kInvalid, fmt::format("unknown flag {}; see callimport sandbox --help", flag.substr(0, 80)));
  }
  return {};
}

}  // namespace

Result<SlackCommand> slack_sandbox_options(const std::vector<std::string>& args) {
  SlackCommand command;
  for (std::size_t i = 0; i < args.size(); i += 2) {
    if (i + 1 == args.size()) return fail(Code::kInvalid, args[i].substr(0, 80) + " wants a value");
    TRY_VOID(read_flag(command, args[i], args[i + 1]));
  }
  return command;
}

std::string_view slack_sandbox_usage() {
  return R"(callimport sandbox slack: Slack's Web API at http://HOST:PORT/api/, for [slack] api_url

  --listen HOST:PORT     where to listen (127.0.0.1:0: any free port)
  --log FILE             one JSON line a request
  --token TEXT           the bot token that is taken
  --signing-secret TEXT  what pressed buttons are signed with
  --channels A,B         the channels there are (imports,ops)
  --users A,B            the people there are, by id
  --history on|off       the token may read channels, too (off)
  --limit-first N        429 to so many requests, --retry-after S: with these seconds (30)
  --drop-first N         so many requests are done and never answered
  --html TEXT            this page in the place of every answer, with status 502
  --ready-fd N           "listening on HOST:PORT" is written there, too

Besides: GET /_sandbox/messages shows all there is, /_sandbox/requests what made it; GET /_sandbox/press?ts=TS&action=ID&user=ID answers headers and body
of the request Slack would send when that person presses that button.
)";
}

}  // namespace callimport::simulations
