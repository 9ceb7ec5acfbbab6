#include "activities/notify/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace callimport::activities {
namespace {

using nlohmann::json;
using enum WordKind;

constexpr std::array kLayoutWords = {
    Word{"subject", kText, true, true, "the subject"},
    Word{"preheader", kText, true, true, "what lists of mails show after the subject"},
    Word{"heading", kText, false, true, "which import it is about"},
    Word{"news", kText, true, true, "first line"},
    Word{"next", kText, true, true, "second line"},
    Word{"to_do", kText, true, true, "third line"},
    Word{"act", kFlag, false, true, "the reader must do something"},
    Word{"table", kFlag, false, true, "there are rows"},
    Word{"rows", kList, false, true, "label and value of the facts"},
    Word{"commands", kList, false, true, "command"},
    Word{"button", kText, false, true, "what the link says"},
    Word{"link", kText, false, true, "where it leads"},
    Word{"parts", kList, false, true, "title and items: gaps, steps, a digest's parts"},
    Word{"show", kText, false, true, "the command that shows the import"},
    Word{"why", kText, false, true, "why the reader gets this"},
    Word{"others", kText, false, true, "who else does"},
    Word{"quieter", kText, false, true, "how to mute it"},
    Word{"reply_to", kText, false, true, "whom a reply reaches"},
    Word{"unsubscribe", kText, false, true, "a link that ends such mails"},
};
constexpr std::array kLayoutItems = {
    Word{"label", kText, true, true, "of a row"},      Word{"value", kText, true, true, "of a row"},
    Word{"command", kText, true, true, "of commands"}, Word{"title", kText, true, true, "of a part"},
    Word{"items", kList, false, true, "of a part"},    Word{"words", kText, true, true, "of an item"},
    Word{"when", kText, false, true, "of an item"},
};

bool is_link(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) &&
         text.find_first_of(" \t\r\n\"<>") == std::string_view::npos;
}

void put(json& into, const char* name, std::string text) {
  if (!text.empty()) into[name] = std::move(text);
}

std::string text_at(const json& words, const char* name) {
  const auto found = words.find(name);
  return found != words.end() && found->is_string() ? found->get<std::string>() : std::string();
}

json rows_of(const json& words, const storage::ImportRow& import, Audience audience) {
  json rows = json::array();
  if (import.id.empty()) return rows;
  const auto row = [&rows](const char* label, std::string value) {
    if (!value.empty() && rows.size() < kRowsMax) rows.push_back({{"label", label}, {"value", std::move(value)}});
  };
  const auto local = [&words](const char* name) {
    const std::string time = text_at(words, name);
    return time.empty() ? time : fmt::format("{} ({})", time, text_at(words, "zone"));
  };
  row("State", text_at(words, "state"));
  if (audience == Audience::kInternal && !import.closed_ms) row("Stage", text_at(words, "stage"));
  if (words.contains("counted")) {
    const std::string percent = text_at(words, "percent");
    row("Done", fmt::format("{} of {} ({} %)", text_at(words, "done"), text_at(words, "found"), percent));
  }
  row("Goes on", local("until"));
  row("Expected finish", local("finish"));
  row("Grade", text_at(words, "grade"));
  row("Took", text_at(words, "took"));
  row("Owner", text_at(words, "owner"));
  return rows;
}

json item(std::string words, std::string when) {
  json made = {{"words", std::move(words)}};
  put(made, "when", std::move(when));
  return made;
}

/// One of a digest's lines: Northwind · Grain: fetching; 62 of 100 calls, done about 16:30.
std::string line_of(const json& entry) {
  std::string line;
  const std::string customer = text_at(entry, "customer"), platform = text_at(entry, "platform");
  if (!customer.empty()) line = customer + (platform.empty() ? "" : " · " + platform) + ": ";
  line += text_at(entry, "words");
  const std::string done = text_at(entry, "done"), found = text_at(entry, "found");
  if (!done.empty() && !found.empty()) line += fmt::format("; {} of {} calls", done, found);
  const std::string until = text_at(entry, "until"), finish = text_at(entry, "finish");
  if (!until.empty()) line += ", goes on " + until;
  if (!finish.empty()) line += ", done about " + finish;
  return line;
}

struct Part {
  const char* list;
  const char* title;
  std::size_t most;
};
constexpr std::array kParts = {
    Part{"needs", "Needs you", kPartItemsMax}, Part{"finished", "Finished", kPartItemsMax},
    Part{"running", "Running", kPartItemsMax}, Part{"waiting", "Waiting", kPartItemsMax},
    Part{"hit", "Imports", kPartItemsMax},     Part{"gaps", "What did not come, by cause", kGapsShownMax},
};

/// The first lines of a list, and how many there are besides.
json items_of(const json& list, const Part& part, const std::string& whole) {
  json items = json::array();
  for (const json& entry : list) {
    if (items.size() == part.most) {
      items.push_back(item(fmt::format("and {} more", list.size() - part.most), ""));
      break;
    }
    const std::string calls = text_at(entry, "calls");
    const bool gap = part.most == kGapsShownMax && !calls.empty();
    items.push_back(
        item(gap ? fmt::format("{} of {}: {}", calls, whole, line_of(entry)) : line_of(entry), text_at(entry, "when")));
  }
  return items;
}

json parts_of(const LayoutInput& input) {
  json parts = json::array();
  std::string whole = text_at(input.words, "whole");
  if (whole.empty()) whole = text_at(input.words, "found");
  for (const Part& part : kParts) {
    const auto list = input.words.find(part.list);
    if (list == input.words.end() || list->empty()) continue;
    parts.push_back({{"title", part.title}, {"items", items_of(*list, part, whole)}});
  }
  json steps = json::array();
  const std::size_t left_out = input.steps.size() - std::min(input.steps.size(), kPartItemsMax);
  for (std::size_t i = left_out; i < input.steps.size(); ++i)
    steps.push_back(item(input.steps[i].news, input.steps[i].when));
  if (!steps.empty()) parts.push_back({{"title", "Before that"}, {"items", std::move(steps)}});
  return parts;
}

}  // namespace

std::span<const Word> layout_words() { return kLayoutWords; }
std::span<const Word> layout_item_words() { return kLayoutItems; }

json layout_of(const LayoutInput& input) {
  const bool internal = input.audience == Audience::kInternal, of_import = !input.import.id.empty();
  json layout = {{"subject", input.subject},
                 {"preheader", input.lines.news},
                 {"news", input.lines.news},
                 {"next", input.lines.next},
                 {"to_do", input.lines.to_do},
                 {"parts", parts_of(input)},
                 {"rows", rows_of(input.words, input.import, input.audience)}};
  layout["table"] = !layout["rows"].empty();
  layout["act"] = !input.lines.to_do.starts_with("Nothing to do");
  if (of_import) {
    layout["heading"] =
        fmt::format("{} · {} import", text_at(input.words, "customer"), text_at(input.words, "platform"));
  }
  json commands = json::array();
  for (const std::string& command : input.commands) commands.push_back({{"command", command}});
  layout["commands"] = std::move(commands);
  if (is_link(input.around.link)) {
    layout["link"] = input.around.link;
    layout["button"] = input.button.empty() ? "Open the import" : input.button;
  }
  if (internal && of_import) layout["show"] = "callimport show " + text_at(input.words, "import");
  put(layout, "why", one_line(input.around.why));
  if (internal) put(layout, "others", one_line(input.around.others));
  put(layout, "quieter", one_line(input.around.quieter));
  if (!input.around.reply_to.empty()) layout["reply_to"] = internal ? one_line(input.around.reply_to) : "a person";
  if (is_link(input.around.unsubscribe)) layout["unsubscribe"] = input.around.unsubscribe;
  return layout;
}

}  // namespace callimport::activities
