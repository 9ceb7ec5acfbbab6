#include "activities/notify/slack_view.h"

#include <fmt/format.h>

#include "activities/notify/events.h"
#include "activities/notify/words.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using storage::ImportRow;
using storage::Notification;

json facts_of(const Notification& news) {
  auto facts = json::parse(news.facts, nullptr, false);
  return facts.is_object() ? facts : json::object();
}

std::string text_in(const json& facts, const char* name) {
  const auto found = facts.find(name);
  return found != facts.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_in(const json& facts, const char* name) {
  const auto found = facts.find(name);
  return found != facts.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

bool is_closed(const ImportRow& row) { return row.closed_ms.has_value(); }

bool waits_for_gaps(const ImportRow& row) {
  const auto& lane = shown_lane(row);
  return lane.condition == "needs_attention" && lane.reason == "gaps.approval";
}

std::string done_of_all(const storage::Counters& c) {
  if (c.found == 0) return {};
  return fmt::format("{} of {}", with_commas(c.registered + c.duplicate), with_commas(c.found));
}

int percent_of(const storage::Counters& c) {
  if (c.found == 0) return -1;
  return static_cast<int>((c.registered + c.duplicate) * 100 / c.found);
}

/// 5.5: State, Stage, Done, why it waits, Owner; at the end Grade and Took.
std::vector<std::pair<std::string, std::string>> root_fields(const ImportRow& row, const json& facts) {
  std::vector<std::pair<std::string, std::string>> fields;
  const auto add = [&fields](const char* label, std::string value) {
    if (!value.empty()) fields.emplace_back(label, std::move(value));
  };
  const auto& lane = shown_lane(row);
  add("State", state_text(row));
  if (!is_closed(row)) add("Stage", stage_text(row));
  add("Done", done_of_all(row.counters));
  if (row.counters.failed > 0) add("Not come", with_commas(row.counters.failed));
  if (lane.condition == "waiting") add("Waits because", lane.reason);
  add("Grade", text_in(facts, "grade"));
  if (number_in(facts, "took_s") > 0) add("Took", span_text(number_in(facts, "took_s")));
  add("Owner", text_in(facts, "owner"));
  return fields;
}

std::vector<SlackTime> root_times(const ImportRow& row, const json& facts) {
  std::vector<SlackTime> times;
  if (row.created_ms > 0) times.push_back({"Started", row.created_ms});
  const auto& lane = shown_lane(row);
  if (lane.until_ms && !is_closed(row)) times.push_back({"Goes on", *lane.until_ms});
  if (number_in(facts, "finish_ms") > 0 && !is_closed(row)) times.push_back({"ETA", number_in(facts, "finish_ms")});
  return times;
}

void add_buttons(SlackPost& post, const ImportRow& row, const SlackManners& manners) {
  if (!post.link.empty()) post.buttons.push_back({.text = "Open", .action = "", .url = post.link});
  if (!manners.buttons || row.id.empty()) return;
  const auto act = [&](std::string text, const char* action, bool stands_out) {
    post.buttons.push_back({.text = std::move(text), .action = action, .value = row.id, .stands_out = stands_out});
  };
  const auto& lane = shown_lane(row);
  if (waits_for_gaps(row)) act("Approve", kSlackApprove, true);
  if (!is_closed(row) && lane.condition == "paused") {
    act("Resume", kSlackResume, true);
  } else if (!is_closed(row)) {
    act("Pause", kSlackPause, false);
  }
  if (row.counters.failed > 0)
    act(fmt::format("Retry failed ({})", with_commas(row.counters.failed)), kSlackRetry, false);
}

std::string link_to(const std::string& pattern, const std::string& import) {
  constexpr std::string_view kHole = "{import}";
  if (pattern.empty() || import.empty()) return {};
  std::string link = pattern;
  const auto at = link.find(kHole);
  if (at == std::string::npos) return link;
  return link.replace(at, kHole.size(), import);
}

void add_lines(std::vector<std::string>& into, const Lines& lines) {
  for (const auto* line : {&lines.news, &lines.next, &lines.to_do}) {
    if (!line->empty()) into.push_back(*line);
  }
}

/// Whoever must act is told by name; news that only inform mention nobody.
std::string mentioned(const Message& message, const SlackManners& manners) {
  if (!manners.mention || message.news.empty()) return {};
  for (const auto& news : message.news) {
    const auto* event = find_event(news.event);
    const bool calls = event != nullptr && (event->weight == Weight::kAct || event->audience == kToOwner);
    if (calls) return manners.mention(message, news);
  }
  return {};
}

}  // namespace

LinesOf plain_lines() {
  return [](const Notification& news, const ImportRow&) { return Lines{news.text, news.next, ""}; };
}

SlackPost root_post(const Message& message, const SlackManners& manners, std::int64_t now_ms) {
  SlackPost post;
  const ImportRow& row = message.import_row;
  const json facts = message.news.empty() ? json::object() : facts_of(message.news.back());
  if (!message.news.empty()) {
    post.title = message.news.back().subject;
    add_lines(post.news, manners.lines(message.news.back(), row));
  }
  if (row.id.empty()) return post;
  post.fields = root_fields(row, facts);
  post.times = root_times(row, facts);
  if (!is_closed(row)) post.percent = percent_of(row.counters);
  post.updated_ms = now_ms;
  post.link = link_to(manners.open_url, row.id);
  add_buttons(post, row, manners);
  if (manners.buttons && !is_closed(row))
    post.buttons.push_back({.text = "Mute", .action = kSlackMute, .value = row.id});
  return post;
}

SlackPost news_post(const Message& message, const SlackManners& manners) {
  SlackPost post;
  if (message.news.empty()) return post;
  const Notification& newest = message.news.back();
  post.mention = mentioned(message, manners);
  post.link = link_to(manners.open_url, message.import);
  add_lines(post.news, manners.lines(newest, message.import_row));
  for (std::size_t i = 0; i + 1 < message.news.size(); ++i)
    post.list.push_back(manners.lines(message.news[i], message.import_row).news);
  const auto* event = find_event(newest.event);
  const bool wants_hands = event != nullptr && event->weight == Weight::kAct;
  if (message.form == Form::kBroadcast && wants_hands) add_buttons(post, message.import_row, manners);
  return post;
}

}  // namespace callimport::activities
