#include "api/cli/secret_input.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

namespace callimport::api {
namespace {

std::string read_bounded(std::istream& in) {
  std::string text(kSecretBytesMax + 3, '\0');
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
  auto secret = one_secret(std::move(token), "the token");
  if (!secret) return sorry(kExitUsage, "token.malformed", secret.error().message, next);
  return std::move(*secret);
}

}  // namespace callimport::api
