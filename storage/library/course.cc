#include "storage/library/course.h"

#include <algorithm>

#include "storage/library/library.h"

namespace callimport::storage {

namespace {

constexpr int kTimelinePage = 1'000;
constexpr std::array kStagesInOrder = {"authenticate", "enumerate", "prioritize", "fetch", "register", "notify"};

std::optional<std::int64_t> calls_of(std::string_view stage, const Counters& counters, std::int64_t staged) {
  if (stage == "enumerate" || stage == "prioritize") return counters.found;
  if (stage == "fetch") return counters.registered + staged;
  if (stage == "register") return counters.registered;
  return std::nullopt;
}

bool is_open(const std::optional<LaneRow>& lane) {
  return lane && (lane->condition == "running" || lane->condition == "waiting" ||
                  lane->condition == "needs_attention" || lane->condition == "paused");
}
bool is_running(const std::optional<LaneRow>& lane) { return lane && lane->condition == "running"; }

/// Keeps the longest, in the order they began.
void keep_longest(std::vector<WaitSpan>& spans) {
  const auto longer = [](const WaitSpan& a, const WaitSpan& b) { return a.to_ms - a.from_ms > b.to_ms - b.from_ms; };
  const auto earlier = [](const WaitSpan& a, const WaitSpan& b) {
    return std::tie(a.from_ms, a.reason) < std::tie(b.from_ms, b.reason);
  };
  if (spans.size() > kWaitSpansMax) {
    std::nth_element(spans.begin(), spans.begin() + kWaitSpansMax, spans.end(), longer);
    spans.resize(kWaitSpansMax);
  }
  std::sort(spans.begin(), spans.end(), earlier);
}

}  // namespace

std::set<std::string> Course::reasons_now() const {
  std::set<std::string> reasons;
  for (const auto& lane : lanes_) {
    if (!is_open(lane) || is_running(lane)) continue;
    const std::string reason = lane->reason.empty() ? lane->condition : lane->reason;
    const bool known = so_far_.waits.contains(reason) || so_far_.waits.size() < kReasonsMax;
    reasons.insert(known ? reason : "other");
  }
  return reasons;
}

void Course::pass(std::int64_t now_ms) {
  const std::int64_t passed = began_ ? std::max<std::int64_t>(0, now_ms - at_ms_) : 0;
  at_ms_ = began_ ? std::max(at_ms_, now_ms) : now_ms;
  began_ = true;
  if (!is_open(lanes_[0]) && !is_open(lanes_[1])) return;
  so_far_.open_ms += passed;
  if (!is_running(lanes_[0]) && !is_running(lanes_[1])) so_far_.waited_ms += passed;
  std::map<std::string, bool> stages;  // in it now; is one running?
  for (const auto& lane : lanes_) {
    if (!is_open(lane)) continue;
    bool& running = stages[lane->stage];
    running = running || is_running(lane);
  }
  for (const auto& [stage, running] : stages) {
    so_far_.stages[stage].duration_ms += passed;
    if (!running) so_far_.stages[stage].waited_ms += passed;
  }
  for (const auto& reason : reasons_now()) so_far_.waits[reason].total_ms += passed;
}

void Course::close_spans(const std::set<std::string>& still, std::int64_t now_ms) {
  for (auto open = open_spans_.begin(); open != open_spans_.end();) {
    if (still.contains(open->first)) {
      ++open;
      continue;
    }
    if (now_ms > open->second) so_far_.spans.push_back({open->first, open->second, now_ms});
    open = open_spans_.erase(open);
  }
  if (so_far_.spans.size() > 2 * kWaitSpansMax) keep_longest(so_far_.spans);
}

void Course::add(const StageChange& change) {
  pass(change.at_ms);
  lanes_.at(static_cast<std::size_t>(change.lane)) = change.row;
  const std::set<std::string> reasons = reasons_now();
  close_spans(reasons, at_ms_);
  for (const auto& reason : reasons) {
    if (open_spans_.emplace(reason, at_ms_).second) ++so_far_.waits[reason].times;
  }
}

CourseEnd Course::end(std::int64_t now_ms) {
  pass(now_ms);
  close_spans({}, at_ms_);
  keep_longest(so_far_.spans);
  return std::move(so_far_);
}

std::vector<StageFacts> stage_facts(const CourseEnd& course, const Counters& counters, std::int64_t staged) {
  std::vector<StageFacts> all;
  for (const char* stage : kStagesInOrder) {
    const auto known = course.stages.find(stage);
    const StageTime time = known == course.stages.end() ? StageTime{} : known->second;
    StageFacts facts{stage, time.duration_ms, time.waited_ms, calls_of(stage, counters, staged), std::nullopt};
    const std::int64_t worked_ms = time.duration_ms - time.waited_ms;
    if (facts.calls && worked_ms >= 1'000) {
      facts.calls_per_minute = static_cast<double>(*facts.calls) * 60'000.0 / static_cast<double>(worked_ms);
    }
    all.push_back(std::move(facts));
  }
  return all;
}

Result<CourseEnd> course_of(Library& library, const std::string& import, std::int64_t now_ms) {
  Course course;
  std::int64_t after = 0;
  while (true) {
    TRY(const auto page, library.timeline(import, after, kTimelinePage));
    for (const auto& change : page) course.add(change);
    if (std::ssize(page) < kTimelinePage) return course.end(now_ms);
    after = page.back().change;
  }
}

Result<std::int64_t> staged_calls(Library& library, const std::string& import) {
  std::int64_t staged = 0;
  for (const auto lane : {Lane::kFirst, Lane::kBulk}) {
    TRY(const auto counts, library.manifest_counts(import, lane));
    staged += counts.staged;
  }
  return staged;
}

}  // namespace callimport::storage
