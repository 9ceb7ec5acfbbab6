#include "api/cli/watch_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cli/shape.h"

namespace callimport::api {
namespace {

inline constexpr std::int64_t kLineEveryMs = 30'000;
inline constexpr std::int64_t kDrawEveryMs = 1'000;  // when nothing came: the clock times move
inline constexpr std::size_t kWidthMin = 20;

std::string event_line(const v1::TimelineEntry& entry) {
  return fmt::format("{}  {}  {}  {}{}", show_time(entry.at_ms(), TimeFormat::kIso, 0), entry.lane(),
                     entry.status().stage(), entry.status().condition(),
                     entry.status().reason().empty() ? "" : " " + entry.status().reason());
}

}  // namespace

WatchScreen::WatchScreen(Session& session, bool events)
    : session_(session), events_(events), live_(session.err_is_terminal() && !session.flags.quiet && !session.json()) {}

void WatchScreen::update(const v1::WatchImportResponse& message) {
  const auto& import = message.import();
  if (message.notice() != notice_) {
    notice_ = message.notice();
    if (!live_) session_.say(notice_.empty() ? "the server goes on" : printable(notice_));
  }
  if (session_.json()) {
    if (events_) {
      for (const auto& entry : message.entries()) session_.print(dump(shape(entry)) + "\n");
    } else {
      session_.print(dump(shape(import)) + "\n");
    }
  } else if (events_) {
    clear();
    for (const auto& entry : message.entries()) session_.print(event_line(entry) + "\n");
  }
  last_ = import;
  dirty_ = true;
}

void WatchScreen::problems(const google::protobuf::RepeatedPtrField<v1::Problem>& now) {
  for (const auto& problem : now) {
    auto& before = problems_[problem.cause()];
    if (problem.calls() > before)
      problem_ = fmt::format("last problem: {} ({} calls) {}", problem.cause(), human_count(problem.calls()),
                             printable(problem.detail()));
    before = problem.calls();
  }
}

void WatchScreen::tick() {
  const auto now = session_.now_ms();
  if (last_.id().empty() || session_.flags.quiet || session_.json()) return;
  if (live_) {
    if (now - drawn_ms_ < kRedrawEvery.count() || (!dirty_ && now - drawn_ms_ < kDrawEveryMs)) return;
    clear();
    draw();
  } else {
    const auto state = state_line(session_, last_) + (last_.has_first_ready_ms() ? "+" : "");
    if (state == said_ && now - drawn_ms_ < kLineEveryMs) return;
    if (!events_) session_.say(plain_line());
    said_ = state;
  }
  drawn_ms_ = now;
  dirty_ = false;
}

void WatchScreen::talk(const std::string& line) {
  clear();
  session_.say(line);
}

void WatchScreen::finish() {
  if (last_.id().empty() || session_.flags.quiet || session_.json()) return;
  if (live_) {
    clear();
    draw();
    drawn_.clear();
  } else if (dirty_ && !events_) {
    session_.say(plain_line());
  }
}

/// A terminal made narrower has wrapped what was drawn: as many rows are taken back as it has now.
void WatchScreen::clear() {
  if (!live_ || drawn_.empty()) return;
  const auto width = std::max<std::size_t>(session_.talk_width(), 1);
  std::size_t rows = 0;
  for (const auto columns : drawn_) rows += std::max<std::size_t>((columns + width - 1) / width, 1);
  session_.say_raw(fmt::format("\x1b[{}A\r\x1b[J", rows));
  drawn_.clear();
}

void WatchScreen::draw() {
  const auto width = std::max(session_.talk_width(), kWidthMin) - 1;
  for (const auto& line : block()) {
    const auto shown = cut(line, width);
    session_.say_raw(shown + "\n");
    drawn_.push_back(columns(shown));
  }
}

std::vector<std::string> WatchScreen::block() {
  const auto& counters = last_.counters();
  const auto done = counters.found() - counters.pending();
  const auto now = session_.now_ms();
  std::vector<std::string> lines = {fmt::format("{}  {} · {}", last_.id(), last_.platform(),
                                                printable(last_.title().empty() ? last_.workspace() : last_.title())),
                                    state_line(session_, last_)};
  if (last_.has_counters()) {
    lines.push_back(fmt::format("{} {} of {}{}", bar(done, counters.found(), 24), human_count(done),
                                human_count(counters.found()), last_.enumerated() ? "" : " so far"));
    lines.push_back(counter_line(counters));
    lines.push_back(fmt::format("{:.0f} calls a minute, {}; left: {}", last_.eta().calls_per_minute(),
                                human_bytes(counters.media_bytes()),
                                last_.has_closed_ms() ? "nothing" : time_left(last_, now)));
  }
  if (last_.has_first_ready_ms())
    lines.push_back("first calls ready since " + session_.time(last_.first_ready_ms()));
  else if (last_.has_first())
    lines.push_back("first calls: " + condition_words(last_.first().condition()) + " · " +
                    stage_words(last_.first().stage()));
  if (!problem_.empty()) lines.push_back(problem_);
  if (!notice_.empty())
    lines.push_back(printable(notice_));
  else if (!last_.has_closed_ms())
    lines.push_back("Ctrl-C stops watching; the import goes on.");
  return lines;
}

std::string WatchScreen::plain_line() const {
  auto line = fmt::format("{}  {}", show_time(session_.now_ms(), TimeFormat::kIso, 0), state_line(session_, last_));
  return last_.has_counters() ? line + "  " + counter_line(last_.counters()) : line;
}

}  // namespace callimport::api
