#pragma once
// Signing in at a platform in a browser (RFC 8252): the address is shown or opened, the answer comes to a port of this
// machine, and the code goes to the server. No token passes through here.
#include <string>

#include "api/cli/session.h"

namespace callimport::api {

struct ConnectFlags {
  std::string platform, workspace;
  std::string credential;  ///< new access for this one; empty: a new credential
  std::string why;
  double wait_s = 300;
  bool no_browser = false;
};
/// @error signin.timeout, signin.denied, signin.refused; of the server signin.unknown, signin.code_refused,
/// signin.client_missing, signin.not_offered.
Ended connect(Session& session, const ConnectFlags& flags);

}  // namespace callimport::api
