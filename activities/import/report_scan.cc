#include "activities/import/report_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "activities/import/contract.h"

namespace callimport::activities {
namespace {

using storage::CallState;
using storage::FoundCall;

constexpr int kPage = 5'000;
constexpr const char* kOtherMonth = "other";
constexpr std::size_t kUserBytesMax = 200;

/// "2026-03"; platforms also send nonsense, which is "other".
std::string month_of(std::int64_t start_ms) {
  constexpr std::int64_t kFirstMs = 0, kLastMs = 4'102'444'800'000;  // 1970 to 2100
  if (start_ms < kFirstMs || start_ms >= kLastMs) return kOtherMonth;
  const auto day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(start_ms)));
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()));
}

void count(MonthTally& month, CallState state) {
  ++month.found;
  switch (state) {
    case CallState::kRegistered: ++month.registered; break;
    case CallState::kDuplicate: ++month.duplicate; break;
    case CallState::kSkipped: ++month.skipped; break;
    case CallState::kFailed: ++month.failed; break;
    case CallState::kPending:
    case CallState::kStaged: ++month.pending; break;
  }
}

void add(MonthTally& sum, const MonthTally& part) {
  sum.found += part.found;
  sum.registered += part.registered;
  sum.duplicate += part.duplicate;
  sum.skipped += part.skipped;
  sum.failed += part.failed;
  sum.pending += part.pending;
}

/// SplitMix64 (Steele, Lea, Flood 2014) from the FNV-1a hash of the import's id.
class SampleRandom {
 public:
  explicit SampleRandom(const std::string& seed) {
    for (const char c : seed) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  std::uint64_t below(std::uint64_t limit) {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t value = state_;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return (value ^ (value >> 31)) % limit;
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

class Scan {
 public:
  explicit Scan(const std::string& import) : random_(import) {}

  void take(const FoundCall& row) {
    count(months_[month_of(row.start_ms)], row.state);
    count_user(row);
    if (row.state != CallState::kRegistered) return;
    made_.registered_ms += std::max<std::int64_t>(0, row.duration_ms);
    consider(row);
  }

  ReportScan finish() && {
    sort_months();
    sort_users();
    const auto newer = [](const SampledCall& a, const SampledCall& b) {
      return std::tie(b.start_ms, a.source_id) < std::tie(a.start_ms, b.source_id);
    };
    std::sort(made_.sample.begin(), made_.sample.end(), newer);
    return std::move(made_);
  }

 private:
  void count_user(const FoundCall& row) {
    const std::string key = cut_text(row.user, kUserBytesMax);
    const bool known = users_.contains(key) || users_.size() < kUsersCounted;
    UserTally& user = known ? users_[key] : rest_;
    if (user.name.empty()) user.name = cut_text(row.user_name, kUserBytesMax);
    ++user.found;
    user.registered += row.state == CallState::kRegistered || row.state == CallState::kDuplicate ? 1 : 0;
  }

  /// Each registered call has the same chance, without knowing how many there will be (Vitter's algorithm R).
  void consider(const FoundCall& row) {
    ++seen_;
    SampledCall call{row.source_id, row.call, row.start_ms, row.duration_ms};
    if (made_.sample.size() < kSampleCalls) return made_.sample.push_back(std::move(call));
    const std::uint64_t place = random_.below(seen_);
    if (place < kSampleCalls) made_.sample[static_cast<std::size_t>(place)] = std::move(call);
  }

  void sort_months() {
    MonthTally other{kOtherMonth, 0, 0, 0, 0, 0, 0};
    for (auto& [month, tally] : months_) {
      tally.month = month;
      if (month == kOtherMonth) {
        add(other, tally);
      } else {
        made_.months.push_back(tally);
      }
    }
    if (made_.months.size() > kMonthsMax) {  // the newest stay
      const auto first = made_.months.end() - static_cast<std::ptrdiff_t>(kMonthsMax);
      for (auto old = made_.months.begin(); old != first; ++old) add(other, *old);
      made_.months.erase(made_.months.begin(), first);
    }
    if (other.found > 0) made_.months.push_back(other);
  }

  void sort_users() {
    for (auto& [user, tally] : users_) {
      tally.user = user;
      made_.users.push_back(std::move(tally));
    }
    const auto more = [](const UserTally& a, const UserTally& b) {
      return std::tie(b.found, a.user) < std::tie(a.found, b.user);
    };
    std::sort(made_.users.begin(), made_.users.end(), more);
    rest_.user = kOtherUsers;
    rest_.name.clear();
    while (made_.users.size() > kUsersShown) {
      rest_.found += made_.users.back().found;
      rest_.registered += made_.users.back().registered;
      made_.users.pop_back();
    }
    if (rest_.found > 0) made_.users.push_back(rest_);
  }

  ReportScan made_;
  std::map<std::string, MonthTally> months_;  ///< 1,560 at most: 130 years
  std::map<std::string, UserTally> users_;
  UserTally rest_;
  SampleRandom random_;
  std::uint64_t seen_ = 0;
};

}  // namespace

Result<ReportScan> scan_for_report(storage::Library& library, const std::string& import) {
  Scan scan(import);
  std::string after;
  while (true) {
    TRY(const auto page, library.found_calls(import, after, kPage));
    for (const auto& row : page) scan.take(row);
    if (std::ssize(page) < kPage) return std::move(scan).finish();
    after = page.back().source_id;
  }
}

}  // namespace callimport::activities
