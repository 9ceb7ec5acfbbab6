#pragma once
// What toml++ 3.3 takes for granted of a text and does not look at: given anything else its behaviour is undefined.
#include <optional>
#include <string>
#include <string_view>

namespace callimport::api {

struct TomlFault {
  int line = 1;
  std::string_view what;  ///< lives as long as the program
};

/// The first place where a character stands outside quotes and comments that TOML allows only there, or where a table's
/// name begins with none that a name can begin with. One pass, constant memory.
std::optional<TomlFault> toml_fault(std::string_view text);

/// The same text in ASCII, line by line: what is not becomes `@` and its bytes in digits, so that different names stay
/// different. `@` itself, which may only stand inside quotes and comments, becomes such digits, too. What does not
/// parse in this form is wrong in the other, and there toml++ would look at letters it has no answer for.
std::string ascii_stand_in(std::string_view text);

}  // namespace callimport::api
