#include "api/cli/secret_input.h"

#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "storage/vault/oauth_bundle.h"

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

constexpr const char* kHowToGive =
    "put the token alone on one line of a file and give --token-file FILE, or pipe it to --token-stdin";

tl::expected<std::string, CliError> read_raw(Session& session, const TokenFlags& flags) {
  if (!flags.file.empty()) {
    std::ifstream in(flags.file, std::ios::binary);
    if (!in)
      return sorry(kExitUsage, "token.unreadable", "cannot read " + flags.file + ": " + std::strerror(errno),
                   kHowToGive);
    return read_bounded(in);
  }
  if (flags.from_stdin) return read_bounded(std::cin);
  if (session.may_ask()) return read_hidden();
  return sorry(kExitUsage, "token.missing", "no token was given", kHowToGive);
}

tl::expected<std::string, CliError> as_token(std::string text) {
  auto secret = one_secret(std::move(text), "the token");
  if (!secret) return sorry(kExitUsage, "token.malformed", secret.error().message, kHowToGive);
  return std::move(*secret);
}

}  // namespace

tl::expected<std::string, CliError> read_token(Session& session, const TokenFlags& flags) {
  CLI_TRY(auto text, read_raw(session, flags));
  return as_token(std::move(text));
}

tl::expected<std::string, CliError> read_credential(Session& session, const TokenFlags& flags,
                                                    std::string_view token_endpoint) {
  CLI_TRY(auto text, read_raw(session, flags));
  if (!storage::is_bundle(text)) return as_token(std::move(text));
  auto bundle = nlohmann::json::parse(text, nullptr, false);
  if (!bundle.is_object())
    return sorry(kExitUsage, "token.malformed", "the OAuth credential is not one JSON object",
                 "callimport credentials add --help");
  if (!bundle.contains("token_endpoint")) bundle["token_endpoint"] = token_endpoint;
  return bundle.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace callimport::api
