#pragma once
// A token from a file or from stdin, never from the command line, where everybody on the machine could read it.
#include <string>

#include "api/cli/session.h"

namespace callimport::api {

struct TokenFlags {
  std::string file;
  bool from_stdin = false;
  bool given() const { return from_stdin || !file.empty(); }
};

/// The token without its one closing line break. @error usage: unreadable, empty, too long, or with a line break or
/// another control character inside. The text never shows the token.
tl::expected<std::string, CliError> read_token(Session& session, const TokenFlags& flags);

}  // namespace callimport::api
