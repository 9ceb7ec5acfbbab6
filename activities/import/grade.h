#pragma once
// How well an import came across, as one of four words, and why. Pure, and the only place that decides it.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/library/records.h"

namespace callimport::activities {

enum class Grade : std::uint8_t { kPerfect, kGood, kInvestigate, kPoor };
std::string_view to_string(Grade grade);  ///< perfect, good, investigate, poor
std::string_view title_of(Grade grade);   ///< as people read it: Perfect

/// Whose doing a gap is. A customer's choice and what never existed are no fault of the import, and nobody here can
/// change them; everything else is damage, until somebody shows otherwise: an unknown cause is damage.
enum class GapKind : std::uint8_t { kChoice, kAbsent, kDamage };
GapKind kind_of_gap(std::string_view cause);
std::string_view to_string(GapKind kind);  ///< choice, absent, damage

/// Calls of one month of their start (UTC): `month` is "2026-03".
struct MonthTally {
  std::string month;
  std::int64_t found = 0, registered = 0, duplicate = 0, skipped = 0, failed = 0, pending = 0;
};

struct GradeFacts {
  storage::Counters counters;
  bool counted = true;                     ///< the platform's list was read to its end
  std::vector<storage::Problem> problems;  ///< failed and skipped calls by cause
  std::vector<MonthTally> months;
};

struct Verdict {
  Grade grade = Grade::kPerfect;
  std::string why;  ///< one sentence
};

// Whether a person must approve the gaps is not the grade's to say: gaps_want_approval (activities/import/contract.h)
// does, with the limit of poor unless the start gives another, of all that was found and whatever the cause.
//
// The rule. Importable calls are those found that were neither in the library before nor skipped; a gap is an
// importable call that did not come: failed, or still pending at the end. The first of these that holds gives the
// grade:
//   poor         more than 5 % of the importable calls are gaps by damage, or none came although some could
//   investigate  more than 1 % are gaps by damage; or the list was not read to its end; or a month of at least
//                kMonthCallsMin importable calls came across with none of them; or gaps by choice and absence are more
//                than 20 %, which says more about the access than about the calls
//   good         there are gaps
//   perfect      there are none
inline constexpr std::int64_t kPoorPercent = 5, kInvestigatePercent = 1, kSettledPercentMax = 20;
inline constexpr std::int64_t kMonthCallsMin = 10;
Verdict grade_of(const GradeFacts& facts);

}  // namespace callimport::activities
