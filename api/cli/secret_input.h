#pragma once
// A token from a file or from stdin, never from the command line, where everybody on the machine could read it.
#include <string>
#include <string_view>

#include "api/cli/session.h"

namespace callimport::api {

struct TokenFlags {
  std::string file;
  bool from_stdin = false;
  bool given() const { return from_stdin || !file.empty(); }
};

/// The same, or a JSON object over any number of lines (an OAuth bundle, see storage/vault/oauth_bundle.h), as one
/// line. `token_endpoint` stands in for one that the object does not name.
tl::expected<std::string, CliError> read_credential(Session& session, const TokenFlags& flags,
                                                    std::string_view token_endpoint);

/// The token without its one closing line break. @error usage: unreadable, empty, too long, or with a line break or
/// another control character inside. The text never shows the token.
tl::expected<std::string, CliError> read_token(Session& session, const TokenFlags& flags);

}  // namespace callimport::api
