#pragma once
// Typed ids of the product. Temporal's ids (workflow, run, activity) are other people's text and stay std::string.
#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "storage/model/result.h"

namespace callimport {

inline constexpr std::size_t kIdCharactersMax = 64;

/// True for `prefix` followed by 1..kIdCharactersMax characters of [0-9a-z].
bool is_id(std::string_view text, std::string_view prefix);

template <class Tag>
class Id {
 public:
  /// @error kInvalid  wrong prefix, empty or over 64 characters, or a character outside [0-9a-z].
  static Result<Id> parse(std::string_view text) {
    if (!is_id(text, Tag::prefix)) {
      return fail(Code::kInvalid, std::string("not an id of the form ") + std::string(Tag::prefix) + "...");
    }
    return Id(std::string(text));
  }
  const std::string& str() const noexcept { return text_; }
  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  explicit Id(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct ImportTag {
  static constexpr std::string_view prefix = "imp_";
};
struct CallTag {
  static constexpr std::string_view prefix = "call_";
};
struct CredentialTag {
  static constexpr std::string_view prefix = "cred_";
};
using ImportId = Id<ImportTag>;
using CallId = Id<CallTag>;
using CredentialId = Id<CredentialTag>;

}  // namespace callimport
