#include "activities/import/texts.h"

#include <fmt/format.h>

#include <cctype>

#include "activities/import/advice.h"
#include "activities/notify/events.h"
#include "activities/platforms/platform.h"
#include "storage/model/ensure.h"
#include "storage/model/text.h"

namespace callimport::activities {
namespace {

using storage::Counters;
using storage::ImportRow;
using storage::Notification;

constexpr const char* kNothingToDo = "Nothing to do.";
constexpr std::int64_t kLongWaitMs = 30 * 60 * 1'000;  ///< a shorter wait is nobody's news

std::string platform_title(const ImportRow& import) {
  const Platform* platform = find_platform(import.platform);
  return std::string(platform == nullptr ? std::string_view(import.platform) : platform->title);
}

/// What is done, as part of the whole.
std::string progress(const Counters& c) {
  return fmt::format("{} of {} calls are in the library", grouped(c.registered + c.duplicate), grouped(c.found));
}

std::string gaps(const Counters& c) {
  if (c.failed == 0) return {};
  return fmt::format(" {} of {} cannot come across so far.", grouped(c.failed), grouped(c.found));
}

/// What every message may say: numbers with the whole.
nlohmann::json facts_of(const ImportRow& import) {
  const Counters& c = import.counters;
  const std::string& title = import.title.empty() ? import.workspace : import.title;
  return {{"customer", title},
          {"platform", platform_title(import)},
          {"found", c.found},
          {"registered", c.registered},
          {"duplicate", c.duplicate},
          {"skipped", c.skipped},
          {"failed", c.failed},
          {"pending", c.pending},
          {"media_bytes", c.media_bytes},
          {"started_ms", import.created_ms}};
}

Notification about(const ImportRow& import, std::string event, std::int64_t now_ms) {
  Notification made;
  made.import = import.id;
  made.at_ms = now_ms;
  made.event = std::move(event);
  made.subject = subject_of(import);
  made.facts = write_note(facts_of(import));
  const EventRow* row = find_event(made.event);
  ENSURE(row != nullptr);
  made.weight = to_string(row->weight);
  return made;
}

void add_facts(Notification& made, const nlohmann::json& more) {
  auto facts = nlohmann::json::parse(made.facts);
  facts.update(more);
  made.facts = write_note(facts);
}

std::string until(std::int64_t until_ms) {
  if (until_ms == 0) return "";
  return " at " + format_utc(std::chrono::floor<std::chrono::seconds>(from_unix_ms(until_ms)));
}

/// Which limit, and until when.
std::string because(const LaneChange& change) {
  if (change.why.empty()) return "";
  std::string why = " " + change.why + ".";
  why[1] = static_cast<char>(std::toupper(static_cast<unsigned char>(why[1])));
  return why;
}

/// Why a wait began, in words.
std::string reason_text(const ImportRow& import, const LaneChange& change) {
  const std::string platform = platform_title(import);
  if (change.reason == "platform.outage") return platform + " does not answer.";
  if (change.reason == "platform.rate_limited") return platform + " asks to slow down." + because(change);
  if (change.reason == "platform.daily_quota") return platform + "'s daily limit is reached." + because(change);
  if (change.reason == "budget.internal") return "This installation's own limit is reached." + because(change);
  if (change.reason == "platform.changed_answer") return platform + " answers in a form that was not expected.";
  if (change.reason == "call.recording_not_ready") return platform + " is still processing the last calls.";
  if (change.reason == "window.closed") return "The window for the bulk of the calls is closed.";
  if (change.reason == "window.never_opens") return "The window has no opening left.";
  if (change.reason == "start.scheduled") return "The import is to begin later.";
  if (change.reason == "engine.no_progress") return "Nothing moves, though nothing is waited for.";
  if (change.reason == "store.full") return "The disk of the data folder is full; nothing is lost.";
  return "The import waits (" + change.reason + ").";
}

/// The cause as part of a sentence, for templates.
std::string what_of(const ImportRow& import, const LaneChange& change) {
  if (change.reason.empty()) return {};
  std::string what = change.reason.starts_with("access.") ? change.why : reason_text(import, change);
  while (what.ends_with('.')) what.pop_back();
  return what;
}

struct Words {
  std::string text, next, must;
};

Words stage_words(const ImportRow& import, const LaneChange& change) {
  const Counters& c = import.counters;
  const bool first = change.lane == "first";
  const std::string lane = first ? "first calls" : "remaining calls";
  if (change.event == "access proven") {
    return {"Access works: calls, recordings and transcripts can be read.", "Counting calls now.", kNothingToDo};
  }
  if (change.event == "calls known" && first) {
    return {grouped(c.found) + " calls found so far.", "The newest come first.", kNothingToDo};
  }
  if (change.event == "calls known") {
    return {fmt::format("All calls are counted: {}, of which {} are in the library already.", grouped(c.found),
                        grouped(c.duplicate)),
            "The order is set next.", kNothingToDo};
  }
  if (change.event == "order set")
    return {"The order of the " + lane + " is set.", "Fetching has begun.", kNothingToDo};
  if (change.event == "lane empty") return {"There are no " + lane + " to fetch.", "The rest goes on.", kNothingToDo};
  if (change.event == "all fetched") {
    return {"The recordings of the " + lane + " are fetched." + gaps(c), "They are added to the library.",
            kNothingToDo};
  }
  if (change.told == "first.ready") {
    return {"The first calls are ready to play: " + progress(c) + "." + gaps(c), "The rest goes on in the background.",
            kNothingToDo};
  }
  if (change.event == "all registered") {
    return {"All calls that could come are in the library: " + progress(c) + "." + gaps(c), "The report follows.",
            kNothingToDo};
  }
  return {"The " + lane + " are done: " + progress(c) + "." + gaps(c), "The import goes on where anything is left.",
          kNothingToDo};
}

Words condition_words(const ImportRow& import, const LaneChange& change) {
  const std::string done = " " + progress(import.counters) + ".";
  if (change.reason == "store.full") {
    return {reason_text(import, change) + done, "It goes on by itself once there is space.",
            "Free some space on the disk of the data folder: callimport doctor says how much is left."};
  }
  if (change.reason == "window.closed") {
    return {reason_text(import, change) + done, "It goes on by itself: " + change.why + ".", kNothingToDo};
  }
  if (change.reason == "window.never_opens" && change.condition == "needs_attention") {
    return {reason_text(import, change) + done, "The import waits for another window.",
            "Give it one: callimport window set " + import.id + " nights"};
  }
  if (change.reason == "engine.no_progress") {
    return {reason_text(import, change) + done,
            "Nothing is lost. It goes on by itself as soon as anything moves, also after the server was restarted.",
            "Run callimport doctor; where that finds nothing, an engineer looks at callimport history export " +
                import.id + "."};
  }
  if (change.reason == "import.interrupted") {
    return {
        "Nothing runs for this import any more, as after putting back a library that is older than its journal; its "
        "credential is gone." +
            done,
        "Nothing is lost: it goes on with what is missing once it is started again.",
        fmt::format("Ask for a new token, then: callimport start --import-id {} --token-file FILE", import.id)};
  }
  if (change.condition == "waiting") {
    return {reason_text(import, change) + done, "It goes on by itself" + until(change.until_ms) + ".", kNothingToDo};
  }
  if (change.reason == "gaps.approval") {
    return {fmt::format("The import is done but for its gaps: {}.{}", change.why, done),
            "It closes once somebody with the role approver approves them, or goes on with those tried again.",
            fmt::format("Look at them: callimport show {} --problems. Then: callimport approve {} --why ..., or: "
                        "callimport retry {} --failed",
                        import.id, import.id, import.id)};
  }
  if (change.condition == "needs_attention" && !change.reason.starts_with("access.")) {
    return {fmt::format("{} The import needs attention ({}): {}.{}", reason_text(import, change), change.reason,
                        change.why, done),
            "The import waits until somebody has it look again.",
            fmt::format("Show it to {}, then: callimport retry {} --now", change.who, import.id)};
  }
  if (change.condition == "needs_attention") {
    return {fmt::format("{} needs attention ({}): {}.{}", platform_title(import), change.reason, change.why, done),
            "The import waits, and goes on at the same call once access is renewed.",
            fmt::format("Ask the {} for a new token, then: callimport credentials renew {}", change.who,
                        import.credential)};
  }
  if (change.condition == "paused" && change.who == "callimport") {
    return {reason_text(import, change) + " The import has paused itself." + done,
            "It asks again by itself" + until(change.until_ms) + ", and goes on as soon as there is an answer.",
            kNothingToDo};
  }
  if (change.condition == "paused") {
    const std::string why = change.why.empty() ? "" : ": " + change.why;
    const std::string end =
        change.until_ms == 0 ? "It stays so until somebody resumes it." : "It goes on" + until(change.until_ms) + ".";
    return {change.who + " paused the import" + why + "." + done, "Downloads under way finish. " + end, kNothingToDo};
  }
  return {"The import goes on (" + change.event + ")." + done, "Nothing is waited for.", kNothingToDo};
}

/// Which message of the catalogue a change of condition is.
std::string condition_event(const LaneChange& change, std::int64_t now_ms) {
  const bool access = change.reason.starts_with("access.");
  if (change.reason == "store.full") return "store.nearly_full";
  if (change.condition == "waiting" && change.reason == "platform.outage") return "import.outage";
  if (change.condition == "waiting")
    return change.until_ms - now_ms > kLongWaitMs ? "import.waiting" : "import.waiting_shortly";
  if (change.condition == "paused") return change.who == "callimport" ? "import.outage" : "import.paused";
  if (change.condition == "needs_attention" && change.reason == "gaps.approval") return "import.gaps_decision";
  if (change.condition == "needs_attention" && change.reason == "engine.no_progress") return "import.no_progress";
  if (change.condition == "needs_attention") return access ? "access.needed" : "import.needs_attention";
  if (change.event == "access renewed") return "access.restored";
  if (change.event == "resumed") return "import.resumed";
  return "import.goes_on";
}

std::string event_of(const LaneChange& change, std::int64_t now_ms) {
  if (change.told == "condition.changed") return condition_event(change, now_ms);
  if (change.told == "first.ready") return "import.first_ready";
  if (change.event == "access proven") return "import.access_checked";
  if (change.event == "calls known") return "import.counted";
  if (change.event == "all fetched") return "import.fetched";
  if (change.event == "all registered") return "import.registered";
  if (change.event == "retry asked") return "import.retried";
  if (change.event == "gaps approved") return "import.approved";
  return "import.ordered";
}

std::string closed_event(const std::string& result) {
  if (result == "failed") return "import.failed";
  return result == "cancelled" ? "import.cancelled" : "import.completed";
}

}  // namespace

nlohmann::json gap_facts(const std::vector<storage::Problem>& problems) {
  auto gaps = nlohmann::json::array();
  for (const auto& problem : problems) {
    if (gaps.size() >= kGapsMax) break;
    std::string words(advice_for(problem.cause).what);
    while (words.ends_with('.')) words.pop_back();
    gaps.push_back({{"words", std::move(words)}, {"calls", problem.calls}});
  }
  return gaps;
}

std::string grouped(std::int64_t number) { return with_thousands(number); }

std::string spoken_duration(std::int64_t ms) {
  const std::int64_t seconds = ms / 1'000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3'600) return fmt::format("{} min", seconds / 60);
  return fmt::format("{} h {} min", seconds / 3'600, seconds % 3'600 / 60);
}

std::string subject_of(const ImportRow& import) {
  const std::string& title = import.title.empty() ? import.workspace : import.title;
  return fmt::format("[Calls] {} · {} import {}", title, platform_title(import), import.id);
}

Notification compose_started(const ImportRow& import, bool again, std::int64_t now_ms) {
  Notification made = about(import, "import.started", now_ms);
  const std::string title = import.title.empty() ? import.workspace : import.title;
  made.text = again ? fmt::format("Your {} import for {} goes on with what is missing: {}.", platform_title(import),
                                  title, progress(import.counters))
                    : fmt::format("Your {} import for {} has begun.", platform_title(import), title);
  made.next = std::string("Access is checked, then the calls are counted. ") + kNothingToDo;
  add_facts(made, {{"again", again}});
  return made;
}

Notification compose_change(const ImportRow& import, const LaneChange& change, std::int64_t now_ms) {
  Notification made = about(import, event_of(change, now_ms), now_ms);
  add_facts(made, {{"lane", change.lane},
                   {"stage", change.stage},
                   {"condition", change.condition},
                   {"cause", change.reason},
                   {"who", change.who},
                   {"why", change.why},
                   {"what", what_of(import, change)},
                   {"until_ms", change.until_ms}});
  if (made.event.starts_with("access.")) add_facts(made, {{"credential", import.credential}});
  const Words words =
      change.told == "condition.changed" ? condition_words(import, change) : stage_words(import, change);
  made.text = words.text;
  made.next = words.next + " " + words.must;
  return made;
}

Notification compose_window(const ImportRow& import, const WindowInput& asked, const WindowResult& result,
                            std::int64_t now_ms) {
  Notification made = about(import, "import.window_changed", now_ms);
  const std::string who = asked.who.empty() ? "a person" : asked.who;
  const std::string why = asked.why.empty() ? "" : " (" + asked.why + ")";
  if (result.refused.empty()) {
    add_facts(made, {{"who", who}, {"why", asked.why}, {"window", result.window + ", " + result.zone}});
    made.text = fmt::format("The window was set by {}{}: {}, in {}.", who, why, result.window, result.zone);
    made.next = std::string("It holds from the next call on. ") + kNothingToDo;
  } else {
    add_facts(made, {{"who", who}, {"what", result.refused}, {"window", result.window}});
    made.text = fmt::format("A window that {} asked for was not taken: {}.", who, result.refused);
    made.next = fmt::format("The import keeps to the one it has ({}). Try again: callimport window set {} nights",
                            result.window, import.id);
  }
  return made;
}

Notification compose_closed(const ImportRow& import, const CloseInput& close, const Verdict& verdict,
                            const std::vector<storage::Problem>& problems, std::int64_t now_ms) {
  Notification made = about(import, closed_event(close.result), now_ms);
  const Counters& c = import.counters;
  const std::string took = spoken_duration(now_ms - import.created_ms);
  add_facts(made, {{"took_s", (now_ms - import.created_ms) / 1'000}});
  if (close.result == "failed") {
    add_facts(made, {{"cause", close.cause}, {"what", close.message}});
    made.text = fmt::format("The import stopped ({}): {}. {}.", close.cause, close.message, progress(c));
    made.next = fmt::format("What is registered stays. To go on with what is missing: callimport start --import-id {}",
                            import.id);
    return made;
  }
  if (close.result == "cancelled") {
    made.text = fmt::format("The import was cancelled. {}; they stay.", progress(c));
    made.next =
        fmt::format("To go on with what is missing: callimport start --import-id {}. {}", import.id, kNothingToDo);
    return made;
  }
  made.text = fmt::format("Done: {} of {} importable calls (grade {}), {} in the library before. Took {}.",
                          grouped(c.registered), grouped(c.found - c.duplicate - c.skipped), to_string(verdict.grade),
                          grouped(c.duplicate), took);
  if (!problems.empty()) {
    made.text += " Gaps:";
    for (std::size_t i = 0; i < std::min<std::size_t>(problems.size(), 5); ++i) {
      made.text +=
          fmt::format(" {} {}{}", grouped(problems[i].calls), problems[i].cause, i + 1 < problems.size() ? "," : ".");
    }
  }
  add_facts(made, {{"grade", title_of(verdict.grade)},
                   {"whole", c.found - c.duplicate - c.skipped},
                   {"gaps", gap_facts(problems)}});
  const auto input = read_note<ImportInput>(import.input);
  if (input && input->predicted.duration_to_ms > 0)
    add_facts(made, {{"least_s", input->predicted.duration_from_ms / 1'000},
                     {"most_s", input->predicted.duration_to_ms / 1'000}});
  made.next = c.failed == 0 ? kNothingToDo
                            : fmt::format(
                                  "To try the gaps again: callimport start --import-id {}. The list: callimport show {}"
                                  " --problems",
                                  import.id, import.id);
  return made;
}

nlohmann::json write_report(const ImportRow& import, const CloseInput& close, const Verdict& verdict,
                            const std::vector<storage::Problem>& problems, std::int64_t now_ms) {
  const Counters& c = import.counters;
  nlohmann::json report = {{"import", import.id},
                           {"platform", import.platform},
                           {"workspace", import.workspace},
                           {"title", import.title},
                           {"result", close.result},
                           {"grade", to_string(verdict.grade)},
                           {"grade_why", verdict.why},
                           {"found", c.found},
                           {"registered", c.registered},
                           {"duplicate", c.duplicate},
                           {"skipped", c.skipped},
                           {"failed", c.failed},
                           {"pending", c.pending},
                           {"media_bytes", c.media_bytes},
                           {"started_ms", import.created_ms},
                           {"closed_ms", now_ms},
                           {"duration_s", (now_ms - import.created_ms) / 1'000},
                           {"gaps", nlohmann::json::array()}};
  if (import.first_ready_ms) report["first_ready_s"] = (*import.first_ready_ms - import.created_ms) / 1'000;
  if (!close.cause.empty()) report["cause"] = close.cause;
  if (!close.message.empty()) report["message"] = close.message;
  if (!close.approved_by.empty()) report["approved"] = {{"by", close.approved_by}, {"why", close.approved_why}};
  for (const auto& problem : problems) {
    if (report["gaps"].size() >= kGapsMax) break;
    report["gaps"].push_back({{"cause", problem.cause}, {"calls", problem.calls}, {"detail", problem.detail}});
  }
  return report;
}

}  // namespace callimport::activities
