#include "activities/notify/templates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "activities/notify/events.h"
#include "activities/notify/template_files.h"
#include "activities/notify/template_lines.h"

namespace callimport::activities {
namespace {

using nlohmann::json;

constexpr std::size_t kFileBytesMax = 256u << 10;

/// What an event's lines get: of a list only that there is one, since the layouts show it.
json for_lines(json words) {
  for (json& value : words) {
    if (value.is_array()) value = !value.empty();
  }
  return words;
}

/// Blank lines that absent parts leave behind: one at most, none below the line that begins the footer.
std::string tidy(const std::string& text) {
  std::istringstream in(text);
  std::string out;
  bool blank = true, footer = false;
  for (std::string line; std::getline(in, line);) {
    footer = footer || line == "-- ";
    if (line.empty() && (blank || footer)) continue;
    blank = line.empty();
    out += line + "\n";
  }
  return out;
}

/// The words there are without an import: each that is always there in one may be absent.
const std::vector<Word>& words_without_import() {
  static const std::vector<Word> words = [] {
    std::vector<Word> made(all_words().begin(), all_words().end());
    for (Word& word : made) word.always = word.name == "zone" || word.name == "platform";
    return made;
  }();
  return words;
}

std::string_view name_of(Audience audience) { return audience == Audience::kInternal ? "internal" : "customer"; }

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in) return fail(Code::kNotFound, path + " cannot be read");
  if (text.size() > kFileBytesMax)
    return fail(Code::kInvalid, fmt::format("{}:1: longer than {} KB; make it shorter", path, kFileBytesMax / 1'024));
  return text;
}

}  // namespace

struct Templates::Inside {
  struct Event {
    TemplateText news, next, to_do;
    std::optional<TemplateText> button;
    std::vector<TemplateText> commands;
  };
  std::map<std::string, Event, std::less<>> events;           ///< "import.started.internal"
  std::map<std::string, TemplateText, std::less<>> subjects;  ///< "import.internal", "access.customer"
  std::optional<TemplateText> text, html;

  static std::string key(std::string_view name, Audience audience) {
    return fmt::format("{}.{}", name, name_of(audience));
  }
  std::string subject_of(std::string_view event, const json& words, Audience audience) const;
  Result<> take(const std::string& name, const std::string& text_of_file, const std::string& file);
  Result<> take_event(const std::string& name, Audience audience, const std::string& body, const std::string& file);
  Result<> take_subjects(Audience audience, const std::string& body, const std::string& file);
};

Templates::Templates(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Templates::Templates(Templates&&) noexcept = default;
Templates& Templates::operator=(Templates&&) noexcept = default;
Templates::~Templates() = default;

std::string Templates::Inside::subject_of(std::string_view event, const json& words, Audience audience) const {
  const EventRow* row = find_event(event);
  auto subject = subjects.end();
  if (row != nullptr && !row->thread.empty()) subject = subjects.find(key(row->thread, audience));
  if (subject == subjects.end()) subject = subjects.find(key("import", audience));
  return one_line(subject->second.render(words));
}

Result<> Templates::Inside::take_event(const std::string& name, Audience audience, const std::string& body,
                                       const std::string& file) {
  TRY(TemplateLines lines, read_template_lines(body, file, {"news", "next", "to-do"}, {"button"}, {"command"}));
  const Vocabulary vocabulary{
      of_an_import(name) ? all_words() : std::span<const Word>(words_without_import()), {}, audience};
  const auto parsed = [&](const TemplateLine& line) {
    return TemplateText::parse(line.text, file, line.number, vocabulary, Escaping::kNone);
  };
  TRY(TemplateText news, parsed(lines.one("news")));
  TRY(TemplateText next, parsed(lines.one("next")));
  TRY(TemplateText to_do, parsed(lines.one("to-do")));
  Event event{std::move(news), std::move(next), std::move(to_do), std::nullopt, {}};
  for (const TemplateLine& line : lines.all("button")) {
    TRY(TemplateText button, parsed(line));
    event.button = std::move(button);
  }
  for (const TemplateLine& line : lines.all("command")) {
    if (audience == Audience::kCustomer) {
      return fail(Code::kInvalid,
                  fmt::format("{}:{}: customers have no terminal of ours; take the command out", file, line.number));
    }
    TRY(TemplateText command, parsed(line));
    event.commands.push_back(std::move(command));
  }
  events.insert_or_assign(key(name, audience), std::move(event));
  return {};
}

Result<> Templates::Inside::take_subjects(Audience audience, const std::string& body, const std::string& file) {
  std::vector<std::string> names = {"import"};
  for (const EventRow& row : activities::events()) {
    if (!row.thread.empty()) names.emplace_back(row.thread);
  }
  TRY(TemplateLines lines, read_template_lines(body, file, {"import"}, names, {}));
  for (const auto& [name, rows] : lines.by_name) {
    const auto& all = activities::events();
    const bool alone = std::any_of(all.begin(), all.end(),
                                   [&](const EventRow& row) { return row.thread == name && !of_an_import(row.id); });
    const Vocabulary vocabulary{alone ? std::span<const Word>(words_without_import()) : all_words(), {}, audience};
    TRY(TemplateText subject,
        TemplateText::parse(rows.front().text, file, rows.front().number, vocabulary, Escaping::kNone));
    subjects.insert_or_assign(key(name, audience), std::move(subject));
  }
  return {};
}

Result<> Templates::Inside::take(const std::string& name, const std::string& body, const std::string& file) {
  const Vocabulary layout{layout_words(), layout_item_words(), Audience::kInternal};
  if (name == "layout.txt") {
    TRY(text, TemplateText::parse(body, file, 1, layout, Escaping::kNone));
    return {};
  }
  if (name == "layout.html") {
    TRY(html, TemplateText::parse(body, file, 1, layout, Escaping::kHtml));
    return {};
  }
  for (const Audience audience : {Audience::kInternal, Audience::kCustomer}) {
    const std::string ending = fmt::format(".{}.words", name_of(audience));
    if (!name.ends_with(ending)) continue;
    const std::string event = name.substr(0, name.size() - ending.size());
    if (event == "subjects") return take_subjects(audience, body, file);
    return take_event(event, audience, body, file);
  }
  return fail(Code::kInvalid,
              fmt::format("{}:1: no message has this file; it may be one of: {}", file, fmt::join(file_names(), ", ")));
}

Result<Templates> Templates::load(const std::string& folder) {
  auto inside = std::make_unique<Inside>();
  for (const auto& [name, body] : template_files()) {
    TRY_VOID(inside->take(std::string(name), std::string(body), std::string(name)));
  }
  if (folder.empty()) return Templates(std::move(inside));
  std::error_code error;
  std::vector<std::string> found;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    found.push_back(at->path().filename().string());
  if (error) return fail(Code::kNotFound, fmt::format("the templates' folder {} cannot be read", folder));
  std::sort(found.begin(), found.end());
  const auto names = file_names();
  for (const std::string& name : found) {
    if (name.starts_with(".")) continue;
    const std::string path = folder + "/" + name;
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return fail(Code::kInvalid,
                  fmt::format("{}:1: no message has this file; it may be one of: {}", path, fmt::join(names, ", ")));
    }
    TRY(const std::string body, read_file(path));
    TRY_VOID(inside->take(name, body, path));
  }
  return Templates(std::move(inside));
}

bool of_an_import(std::string_view event) {
  constexpr std::array<std::string_view, 10> kOthers = {
      "digest.weekly", "platform.outage",  "platform.recovered", "store.nearly_full", "messages.held",
      "channel.down",  "channel.restored", "webhook.disabled",   "digest.daily",      "message.test"};
  return std::find(kOthers.begin(), kOthers.end(), event) == kOthers.end();
}

std::vector<std::string> Templates::file_names() {
  std::vector<std::string> names;
  for (const auto& file : template_files()) names.emplace_back(file.name);
  return names;
}

bool Templates::has(std::string_view event, Audience audience) const {
  return inside_->events.contains(Inside::key(event, audience));
}

namespace {

json words_about(const storage::Notification& news, const storage::ImportRow& import, std::string_view zone,
                 Audience audience) {
  return words_of({import, news.facts, news.at_ms, zone, audience});
}

}  // namespace

Result<Lines> Templates::lines(const storage::Notification& news, const storage::ImportRow& import,
                               std::string_view zone, Audience audience) const {
  const auto found = inside_->events.find(Inside::key(news.event, audience));
  if (found == inside_->events.end()) {
    return fail(Code::kNotFound, fmt::format("there is no message of {} for {}", news.event,
                                             audience == Audience::kInternal ? "colleagues" : "customers"));
  }
  const json words = for_lines(words_about(news, import, zone, audience));
  const Inside::Event& event = found->second;
  return Lines{one_line(event.news.render(words)), one_line(event.next.render(words)),
               one_line(event.to_do.render(words))};
}

Result<Rendered> Templates::render(const Message& message, Audience audience, const Surroundings& around) const {
  if (message.news.empty()) return fail(Code::kInvalid, "a message without news");
  const storage::Notification& newest = message.news.back();
  const storage::ImportRow& import = message.import_row;
  Rendered made;
  TRY(made.lines, lines(newest, import, message.to.zone, audience));
  const Inside::Event& event = inside_->events.find(Inside::key(newest.event, audience))->second;
  const json words = words_about(newest, import, message.to.zone, audience);
  const json alone = for_lines(words);
  made.subject = inside_->subject_of(newest.event, alone, audience);
  made.preheader = made.lines.news;
  std::vector<std::string> commands;
  for (const TemplateText& text : event.commands) {
    if (std::string command = one_line(text.render(alone)); !command.empty()) commands.push_back(std::move(command));
  }
  std::vector<Step> steps;
  const TimeZone zone = TimeZone::find(message.to.zone).value_or(TimeZone());
  for (const storage::Notification& before : message.news) {
    const auto said = &before == &newest ? fail(Code::kNotFound, "") : lines(before, import, message.to.zone, audience);
    if (said) steps.push_back({time_text(before.at_ms, newest.at_ms, zone), said->news});
  }
  const std::string button = event.button ? one_line(event.button->render(alone)) : "";
  const json layout = layout_of({words, import, audience, made.subject, made.lines, button, commands, steps, around});
  made.text = tidy(inside_->text->render(layout));
  made.html = inside_->html->render(layout);
  return made;
}

}  // namespace callimport::activities
