#include "activities/notify/template_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <utility>
#include <vector>

#include "storage/model/text.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
namespace mustache = kainjow::mustache;

constexpr std::string_view kWhen = "_when";

const Word* find_word(std::span<const Word> words, std::string_view name) {
  for (const Word& word : words) {
    if (word.name == name) return &word;
    if (word.kind == WordKind::kTime && name.ends_with(kWhen) &&
        name.substr(0, name.size() - kWhen.size()) == word.name)
      return &word;
  }
  return nullptr;
}

/// Letters in which two names differ at the front and the back: enough to find what a mistyped one was meant to be.
std::size_t alike(std::string_view a, std::string_view b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t front = 0, back = 0;
  while (front < shorter && a[front] == b[front]) ++front;
  while (back < shorter - front && a[a.size() - 1 - back] == b[b.size() - 1 - back]) ++back;
  return front + back;
}

std::string nearest(std::span<const Word> words, std::string_view name) {
  std::string_view best;
  std::size_t most = name.size() / 2;
  for (const Word& word : words) {
    const std::size_t same = alike(word.name, name);
    if (same > most && word.name.size() < name.size() + 3) {
      most = same;
      best = word.name;
    }
  }
  return std::string(best);
}

struct Tag {
  char kind = 0;  ///< 0: a name; otherwise # ^ / !
  std::string name;
  int line = 0;
};

/// Reads the tags of a template and holds them to the vocabulary.
class Check {
 public:
  Check(const std::string& file, int line, const Vocabulary& vocabulary)
      : file_(file), line_(line), vocabulary_(vocabulary) {}

  Result<> run(std::string_view text) {
    while (true) {
      const std::size_t open = text.find("{{");
      count_lines(text.substr(0, open));
      if (open == std::string_view::npos) break;
      const std::size_t close = text.find("}}", open + 2);
      if (close == std::string_view::npos) return wrong("{{ without }}", "close it");
      const std::string inside = trimmed(text.substr(open + 2, close - open - 2));
      TRY_VOID(take(inside, text.substr(close, 3) == "}}}"));
      count_lines(text.substr(open, close + 2 - open));
      text.remove_prefix(close + 2);
    }
    if (open_.empty()) return {};
    line_ = open_.back().line;
    return wrong(fmt::format("{{{{#{0}}}}} is never closed", open_.back().name),
                 fmt::format("end it with {{{{/{}}}}}", open_.back().name));
  }

 private:
  tl::unexpected<Error> wrong(const std::string& what, const std::string& advice) const {
    return fail(Code::kInvalid, fmt::format("{}:{}: {}; {}", file_, line_, what, advice));
  }
  void count_lines(std::string_view text) { line_ += static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

  Result<> take(const std::string& inside, bool three_braces) {
    if (inside.empty()) return wrong("{{}} names nothing", "write a word into it or take it out");
    if (three_braces || std::string_view("{&>=").find(inside[0]) != std::string_view::npos) {
      return wrong("only {{word}}, {{#word}}, {{^word}}, {{/word}} and {{! comment}} are known here",
                   "values are always escaped where they must be, so {{word}} is enough");
    }
    Tag tag{0, inside, line_};
    if (std::string_view("#^/!").find(inside[0]) != std::string_view::npos) {
      tag.kind = inside[0];
      tag.name = trimmed(std::string_view(inside).substr(1));
    }
    if (tag.kind == '!') return {};
    if (tag.kind == '/') return close(tag);
    return use(tag);
  }

  Result<> close(const Tag& tag) {
    if (open_.empty()) return wrong(fmt::format("{{{{/{}}}}} ends what was not begun", tag.name), "take it out");
    if (open_.back().name != tag.name) {
      return wrong(
          fmt::format("{{{{/{}}}}} ends {{{{#{}}}}} of line {}", tag.name, open_.back().name, open_.back().line),
          fmt::format("end that one first with {{{{/{}}}}}", open_.back().name));
    }
    open_.pop_back();
    return {};
  }

  /// Inside a list's section its items' words come first.
  const Word* known(const std::string& name, bool& of_item) const {
    of_item = false;
    for (const Tag& tag : open_) {
      const Word* list = find_word(vocabulary_.words, tag.name);
      of_item = of_item || (tag.kind == '#' && list != nullptr && list->kind == WordKind::kList);
    }
    const Word* word = of_item ? find_word(vocabulary_.items, name) : nullptr;
    if (word != nullptr) return word;
    of_item = false;
    return find_word(vocabulary_.words, name);
  }

  std::string all_names() const {
    std::string names;
    for (const Word& word : vocabulary_.words) names += (names.empty() ? "" : ", ") + std::string(word.name);
    return names;
  }

  bool inside_of(const std::string& name) const {
    const std::string base = name.ends_with(kWhen) ? name.substr(0, name.size() - kWhen.size()) : name;
    return std::any_of(open_.begin(), open_.end(),
                       [&](const Tag& tag) { return tag.kind == '#' && (tag.name == name || tag.name == base); });
  }

  Result<> use(const Tag& tag) {
    bool of_item = false;
    const Word* word = known(tag.name, of_item);
    if (word == nullptr) {
      const std::string meant = nearest(vocabulary_.words, tag.name);
      return wrong(fmt::format("no word {{{{{}}}}}", tag.name),
                   meant.empty() ? "the words are: " + all_names() : "did you mean {{" + meant + "}}?");
    }
    if (vocabulary_.audience == Audience::kCustomer && !word->customers)
      return wrong(fmt::format("{{{{{}}}}} is not for customers", tag.name), "say it without");
    if (tag.kind != 0) {
      open_.push_back(tag);
      return {};
    }
    if (word->kind == WordKind::kList || word->kind == WordKind::kFlag) {
      return wrong(fmt::format("{{{{{}}}}} has no text of its own", tag.name),
                   fmt::format("use it as {{{{#{0}}}}}...{{{{/{0}}}}}", tag.name));
    }
    if (!word->always && !inside_of(tag.name)) {
      return wrong(fmt::format("{{{{{}}}}} may be absent", tag.name),
                   fmt::format("put it between {{{{#{0}}}}} and {{{{/{0}}}}}, with words that hold without it outside",
                               std::string(word->name)));
    }
    return {};
  }

  const std::string& file_;
  int line_;
  const Vocabulary& vocabulary_;
  std::vector<Tag> open_;
};

mustache::data data_of(const json& value) {
  if (value.is_string()) return mustache::data(value.get<std::string>());
  if (value.is_boolean()) return mustache::data(value.get<bool>());
  if (value.is_array()) {
    mustache::data list(mustache::data::type::list);
    for (const json& item : value) list.push_back(data_of(item));
    return list;
  }
  mustache::data object(mustache::data::type::object);
  for (const auto& [name, member] : value.items()) {
    const bool absent = member.is_null() || (member.is_string() && member.get_ref<const std::string&>().empty());
    if (!absent) object.set(name, data_of(member));
  }
  return object;
}

}  // namespace

struct TemplateText::Inside {
  mustache::mustache text;
};

TemplateText::TemplateText(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
TemplateText::TemplateText(TemplateText&&) noexcept = default;
TemplateText& TemplateText::operator=(TemplateText&&) noexcept = default;
TemplateText::~TemplateText() = default;

Result<TemplateText> TemplateText::parse(const std::string& text, const std::string& file, int line,
                                         const Vocabulary& vocabulary, Escaping escaping) {
  TRY_VOID(Check(file, line, vocabulary).run(text));
  auto inside = std::make_unique<Inside>(Inside{mustache::mustache(text)});
  if (!inside->text.is_valid())
    return fail(Code::kInvalid, fmt::format("{}:{}: {}; check its braces", file, line, inside->text.error_message()));
  if (escaping == Escaping::kNone) inside->text.set_custom_escape([](const std::string& value) { return value; });
  return TemplateText(std::move(inside));
}

std::string TemplateText::render(const json& words) const { return inside_->text.render(data_of(words)); }

}  // namespace callimport::activities
