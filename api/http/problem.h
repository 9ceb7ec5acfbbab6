#pragma once
// Errors as application/problem+json (RFC 9457): `type` leads to our own page about the code, docs/errors.md has a row
// for each.
#include <span>
#include <string>
#include <string_view>

#include "api/http/message.h"

namespace callimport::api {

/// An error of HTTP that this program answers: its code never changes its status and title.
struct ProblemKind {
  std::string_view code;
  int status;
  std::string_view title;
  std::string_view next;  ///< what the one who asked can do
};
std::span<const ProblemKind> problem_kinds();

/// @param code      of problem_kinds
/// @param detail    of this case; never a secret
/// @param instance  the path asked for
WebReply problem(std::string_view code, std::string_view detail, std::string_view instance,
                 std::string_view request_id);
/// For what the server refuses before there is a request to speak of: 400, 413, 431.
WebReply refused_reply(int status);

}  // namespace callimport::api
