#include "activities/import/grade.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "activities/import/texts.h"

namespace callimport::activities {
namespace {

/// More than `percent` of `whole`; exact at the limit.
bool exceeds(std::int64_t part, std::int64_t percent, std::int64_t whole) { return part * 100 > whole * percent; }

/// Failed calls whose cause is settled: nobody here can change it.
std::int64_t settled_of(const std::vector<storage::Problem>& problems) {
  std::int64_t calls = 0;
  for (const auto& problem : problems) calls += kind_of_gap(problem.cause) == GapKind::kDamage ? 0 : problem.failed;
  return calls;
}

const MonthTally* lost_month(const std::vector<MonthTally>& months) {
  const auto lost = [](const MonthTally& month) {
    const std::int64_t importable = month.found - month.duplicate - month.skipped;
    return importable >= kMonthCallsMin && month.registered == 0;
  };
  const auto found = std::find_if(months.begin(), months.end(), lost);
  return found == months.end() ? nullptr : &*found;
}

std::string of_whole(std::int64_t part, std::int64_t whole) {
  return fmt::format("{} of {}", grouped(part), grouped(whole));
}

}  // namespace

std::string_view to_string(Grade grade) {
  constexpr std::array<std::string_view, 4> kNames = {"perfect", "good", "investigate", "poor"};
  return kNames.at(static_cast<std::size_t>(grade));
}

std::string_view title_of(Grade grade) {
  constexpr std::array<std::string_view, 4> kTitles = {"Perfect", "Good", "Investigate", "Poor"};
  return kTitles.at(static_cast<std::size_t>(grade));
}

std::string_view to_string(GapKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"choice", "absent", "damage"};
  return kNames.at(static_cast<std::size_t>(kind));
}

GapKind kind_of_gap(std::string_view cause) {
  constexpr std::array<std::string_view, 3> kChoices = {"call.deleted_at_source", "call.private", "duplicate.skipped"};
  constexpr std::array<std::string_view, 2> kAbsences = {"call.no_recording", "transcript.missing"};
  if (std::find(kChoices.begin(), kChoices.end(), cause) != kChoices.end()) return GapKind::kChoice;
  if (std::find(kAbsences.begin(), kAbsences.end(), cause) != kAbsences.end()) return GapKind::kAbsent;
  return GapKind::kDamage;
}

Verdict grade_of(const GradeFacts& facts) {
  const storage::Counters& c = facts.counters;
  const std::int64_t importable = c.found - c.duplicate - c.skipped;
  const std::int64_t gaps = c.failed + c.pending;
  const std::int64_t settled = std::min(settled_of(facts.problems), c.failed);
  const std::int64_t damaged = gaps - settled;
  if (importable > 0 && c.registered == 0) {
    return {Grade::kPoor, fmt::format("None of {} importable calls came across.", grouped(importable))};
  }
  if (exceeds(damaged, kPoorPercent, importable)) {
    return {Grade::kPoor, of_whole(damaged, importable) + " importable calls are missing and could have come."};
  }
  if (exceeds(damaged, kInvestigatePercent, importable)) {
    return {Grade::kInvestigate, of_whole(damaged, importable) + " importable calls are missing and could have come."};
  }
  if (!facts.counted) return {Grade::kInvestigate, "The platform's list was not read to its end."};
  if (const MonthTally* month = lost_month(facts.months)) {
    return {Grade::kInvestigate, fmt::format("No call of {} came across.", month->month)};
  }
  if (exceeds(settled, kSettledPercentMax, importable)) {
    return {Grade::kInvestigate,
            of_whole(settled, importable) +
                " calls are deleted, private or without a recording: check what the access may see."};
  }
  if (gaps == 0) return {Grade::kPerfect, "Every importable call is in the library."};
  if (damaged == 0)
    return {Grade::kGood, of_whole(settled, importable) + " calls are missing, for causes nobody here can change."};
  return {Grade::kGood, of_whole(gaps, importable) + " importable calls are missing."};
}

}  // namespace callimport::activities
