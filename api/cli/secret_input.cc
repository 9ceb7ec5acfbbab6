#include "api/cli/secret_input.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

namespace callimport::api {
namespace {

inline constexpr std::size_t kTokenBytesMax = 16u << 10;

std::string read_bounded(std::istream& in) {
  std::string text(kTokenBytesMax + 3, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// One line typed without an echo.
std::string read_hidden() {
  termios before{};
  tcgetattr(STDIN_FILENO, &before);
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  std::cerr << "Token (not shown): " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::cerr << '\n';
  return line;
}

}  // namespace

tl::expected<std::string, CliError> read_token(Session& session, const TokenFlags& flags) {
  const std::string next =
      "put the token alone on one line of a file and give --token-file FILE, or pipe it to --token-stdin";
  std::string token;
  if (!flags.file.empty()) {
    std::ifstream in(flags.file, std::ios::binary);
    if (!in)
      return sorry(kExitUsage, "token.unreadable", "cannot read " + flags.file + ": " + std::strerror(errno), next);
    token = read_bounded(in);
  } else if (flags.from_stdin) {
    token = read_bounded(std::cin);
  } else if (session.may_ask()) {
    token = read_hidden();
  } else {
    return sorry(kExitUsage, "token.missing", "no token was given", next);
  }
  if (token.ends_with("\n")) token.pop_back();
  if (token.ends_with("\r")) token.pop_back();
  if (token.empty()) return sorry(kExitUsage, "token.empty", "the token is empty", next);
  if (token.size() > kTokenBytesMax)
    return sorry(kExitUsage, "token.too_long", "the token is longer than 16 KiB: is it the right file?", next);
  const bool broken = std::any_of(token.begin(), token.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (broken) {
    return sorry(
        kExitUsage, "token.malformed",
        "the token has a line break or another control character in it: probably more than the token was copied", next);
  }
  return token;
}

}  // namespace callimport::api
