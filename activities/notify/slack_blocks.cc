#include "activities/notify/slack_blocks.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/model/time.h"

namespace callimport::activities {
namespace {

using nlohmann::json;

constexpr int kBarCells = 8;
constexpr std::size_t kButtonsMax = 25;  ///< of one actions block
constexpr std::size_t kButtonValueMax = 2'000, kUrlMax = 3'000;
constexpr std::size_t kFieldShownMax = 600;  ///< of one field: Slack would take 2,000
constexpr std::size_t kRoomForMore = 200;    ///< of all, for the line that says what was left out

std::size_t size_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace).size(); }

json mrkdwn(std::string text) { return {{"type", "mrkdwn"}, {"text", std::move(text)}}; }
json section(std::string text) { return {{"type", "section"}, {"text", mrkdwn(std::move(text))}}; }

/// Escaped text may be cut in the midst of &amp; so the cut comes before the escape, with room for it.
std::string fitted(std::string_view text, std::size_t bytes_max) {
  std::string out = slack_escaped(text);
  for (std::size_t keep = text.size(); out.size() > bytes_max && keep > 0;) {
    keep -= std::min(keep, std::max<std::size_t>(1, (out.size() - bytes_max) / 4));
    out = slack_escaped(slack_cut(std::string(text), keep));
  }
  return out;
}

json header(const std::string& title) {
  return {{"type", "header"},
          {"text", {{"type", "plain_text"}, {"text", slack_cut(title, kSlackHeaderMax)}, {"emoji", false}}}};
}

json field_block(const SlackPost& post) {
  json block = {{"type", "section"}, {"fields", json::array()}};
  const auto add = [&block](const std::string& label, const std::string& value) {
    if (block["fields"].size() == kSlackFieldsMax) return;
    block["fields"].push_back(mrkdwn("*" + fitted(label, kSlackButtonMax) + "*\n" + value));
  };
  for (const auto& [label, value] : post.fields) add(label, fitted(value, kFieldShownMax));
  for (const auto& time : post.times) add(time.label, slack_time(time.at_ms));
  return block;
}

json button(const SlackButton& one) {
  json made = {{"type", "button"},
               {"text", {{"type", "plain_text"}, {"text", slack_cut(one.text, kSlackButtonMax)}, {"emoji", false}}},
               {"action_id", one.action.empty() ? "open" : one.action}};
  if (one.action.empty()) {
    made["url"] = one.url;
  } else {
    made["value"] = one.value;
  }
  if (one.stands_out) made["style"] = "primary";
  return made;
}

bool is_good(const SlackButton& one) {
  if (!one.action.empty()) return one.value.size() <= kButtonValueMax;
  const bool web = one.url.starts_with("https://") || one.url.starts_with("http://");
  return web && one.url.size() <= kUrlMax;
}

json action_block(const std::vector<SlackButton>& buttons) {
  json block = {{"type", "actions"}, {"elements", json::array()}};
  for (const auto& one : buttons) {
    if (block["elements"].size() < kButtonsMax && is_good(one)) block["elements"].push_back(button(one));
  }
  return block;
}

std::string and_more(std::size_t left, const std::string& link) {
  const std::string words = fmt::format("and {} more", left);
  const bool web = link.starts_with("https://") || link.starts_with("http://");
  if (!web || link.size() > kRoomForMore / 2 || link.find_first_of("|>") != std::string::npos) return words;
  return "<" + slack_escaped(link) + "|" + words + ">";
}

/// Sections of whole lines within `bytes_max` of JSON and `blocks_max` blocks; the rest is counted.
json list_blocks(const std::vector<std::string>& lines, const std::string& link, std::size_t bytes_max,
                 std::size_t blocks_max) {
  json blocks = json::array();
  std::string text;
  std::size_t told = 0, used = 0;
  const auto flush = [&] {
    if (text.empty()) return;
    blocks.push_back(section(std::exchange(text, {})));
    used += size_of(blocks.back()) + 1;
  };
  for (; told < lines.size(); ++told) {
    std::string line = fitted(lines[told], kSlackSectionMax / 2);
    const bool full = text.size() + line.size() + 1 > kSlackSectionMax - kRoomForMore;
    if (full && blocks.size() + 2 >= blocks_max) break;
    if (full) flush();
    if (used + size_of(section(text + "\n" + line)) + kRoomForMore > bytes_max) break;
    text += (text.empty() ? "" : "\n") + line;
  }
  if (told < lines.size()) text += (text.empty() ? "" : "\n") + and_more(lines.size() - told, link);
  flush();
  return blocks;
}

std::string news_text(const SlackPost& post) {
  std::string text = post.mention.empty() ? "" : "<@" + slack_escaped(post.mention) + "> ";
  for (std::size_t i = 0; i < post.news.size(); ++i) {
    const std::string line = fitted(post.news[i], 800);
    if (line.empty()) continue;
    if (text.size() + line.size() + 4 > kSlackSectionMax) break;
    text += i == 0 ? "*" + line + "*" : "\n" + line;
  }
  return text;
}

}  // namespace

std::string slack_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return out;
}

std::string slack_cut(std::string text, std::size_t bytes_max) {
  constexpr std::string_view kEllipsis = "…";
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max > kEllipsis.size() ? bytes_max - kEllipsis.size() : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) --end;
  text.resize(end);
  return bytes_max < kEllipsis.size() ? text : text + std::string(kEllipsis);
}

std::string slack_time(std::int64_t at_ms) {
  return fmt::format("<!date^{}^{{date_short_pretty}} {{time}}|{}>", at_ms / 1'000,
                     format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(at_ms))));
}

std::string slack_bar(int percent) {
  const int done = std::clamp(percent, 0, 100);
  const int full = done * kBarCells / 100;
  std::string bar;
  for (int i = 0; i < kBarCells; ++i) bar += i < full ? "▓" : "░";
  return fmt::format("{} {} %", bar, done);
}

std::string slack_top_text(const SlackPost& post) {
  std::string text = post.mention.empty() ? "" : "<@" + slack_escaped(post.mention) + "> ";
  for (const auto& line : post.news) {
    const std::string one = fitted(line, 800);
    if (one.empty() || text.size() + one.size() + 1 > kSlackTopTextMax) continue;
    text += (text.empty() || text.ends_with(' ') ? "" : "\n") + one;
  }
  if (text.empty()) text = fitted(post.title, kSlackHeaderMax);
  return text.empty() ? "Call import" : text;
}

json slack_payload(const SlackPost& post) {
  json before = json::array(), after = json::array();
  if (!post.title.empty()) before.push_back(header(post.title));
  if (const auto text = news_text(post); !text.empty()) before.push_back(section(text));
  if (!post.fields.empty() || !post.times.empty()) before.push_back(field_block(post));
  if (post.percent >= 0) before.push_back(section(slack_bar(post.percent)));
  if (post.updated_ms > 0) {
    const std::string words = "updated " + slack_time(post.updated_ms);
    after.push_back({{"type", "context"}, {"elements", json::array({mrkdwn(words)})}});
  }
  if (auto actions = action_block(post.buttons); !actions["elements"].empty()) after.push_back(std::move(actions));
  const std::size_t fixed = size_of(before) + size_of(after);
  json blocks = std::move(before);
  if (!post.list.empty() && fixed < kSlackAllMax) {
    for (auto& one :
         list_blocks(post.list, post.link, kSlackAllMax - fixed, kSlackBlocksMax - blocks.size() - after.size()))
      blocks.push_back(std::move(one));
  }
  for (auto& one : after) blocks.push_back(std::move(one));
  json payload = {{"text", slack_top_text(post)}, {"unfurl_links", false}, {"unfurl_media", false}};
  if (size_of(blocks) <= kSlackAllMax) payload["blocks"] = std::move(blocks);  // else the text says it
  return payload;
}

}  // namespace callimport::activities
