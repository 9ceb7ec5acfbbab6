#pragma once
// One template: Mustache's names and sections and nothing else of it ({{name}}, {{#name}}..{{/name}},
// {{^name}}..{{/name}},
// {{! comment}}), checked against the words there are before anything is rendered.
//
// A word that is not always there may be used between {{#word}} and {{/word}} only, so that no message shows a hole. In
// HTML every value is escaped, and there is no way to write one that is not.
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "activities/notify/words.h"
#include "storage/model/result.h"

namespace callimport::activities {

enum class Escaping : std::uint8_t { kNone, kHtml };

/// What a template may name.
struct Vocabulary {
  std::span<const Word> words;
  std::span<const Word> items;  ///< inside a list's section
  Audience audience = Audience::kInternal;
};

/// Threads: one at a time.
class TemplateText {
 public:
  /// @param file,line  where the text stands, for what is said of it
  /// @error kInvalid  `file:line: what is wrong; what to do`
  static Result<TemplateText> parse(const std::string& text, const std::string& file, int line,
                                    const Vocabulary& vocabulary, Escaping escaping);
  /// @param words  as words_of makes them
  std::string render(const nlohmann::json& words) const;

  TemplateText(TemplateText&&) noexcept;
  TemplateText& operator=(TemplateText&&) noexcept;
  ~TemplateText();

 private:
  struct Inside;
  explicit TemplateText(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace callimport::activities
