// The quota ledger's decisions in virtual time: windows, leases, the line of one account, the shares of many customers,
// and their rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "storage/library/schema.h"
#include "storage/quota/call_share.h"
#include "storage/quota/request_line.h"
#include "storage/sqlite/database.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr Timestamp kNow{std::chrono::sys_days{std::chrono::year{2026} / 9 / 1}};
constexpr Nanos kDay = 24h, kYear = 24h * 365;

// ---- windows

struct Period {
  const char* name;
  Nanos period;
};
void PrintTo(const Period& row, std::ostream* out) { *out << row.name; }
class Windows : public testing::TestWithParam<Period> {};

/// Uses taken as early as `room_for` allows, at odd times in between: any stretch of the period, wherever it begins,
/// holds no more than the limit, and the limit is really used.
TEST_P(Windows, NoStretchOfThePeriodHoldsMoreThanTheLimit) {
  constexpr std::int64_t kLimit = 300;
  const Nanos period = GetParam().period;
  Window window(period);
  std::mt19937_64 random(7);
  std::deque<Timestamp> taken;
  Timestamp now = kNow;
  for (int i = 0; i < 3'000; ++i) {
    now = window.room_for(1, kLimit, now);
    window.add(now, 1);
    taken.push_back(now);
    while (taken.front() + period <= now) taken.pop_front();
    ASSERT_LE(std::ssize(taken), kLimit);
    if (random() % 10 == 0) now += period * static_cast<int>(random() % 20) / 1'000;
  }
  EXPECT_LE(now - kNow, 9 * period * 105 / 100 + period) << "3,000 uses fill ten periods";
}

TEST_P(Windows, AClockSetBackStallsForNoMoreThanThePeriod) {
  Window window(GetParam().period);
  window.add(kNow, 300);
  for (const Nanos back : {Nanos{1h}, kDay, kYear}) {
    const Timestamp now = kNow - back;
    EXPECT_EQ(300, window.used(now)) << "what was used is not given anew";
    EXPECT_LE(window.room_for(1, 300, now), now + GetParam().period * 102 / 100);
  }
}

TEST_P(Windows, AClockSetForwardFreesOnce) {
  Window window(GetParam().period);
  window.add(kNow, 300);
  EXPECT_EQ(0, window.used(kNow + kYear));
  window.add(kNow + kYear, 300);
  EXPECT_EQ(300, window.used(kNow + 1s)) << "and is not doubled when it is set back";
}
INSTANTIATE_TEST_SUITE_P(Table, Windows,
                         testing::Values(Period{"Second", 1s}, Period{"Minute", 1min}, Period{"HalfADay", 12h},
                                         Period{"Day", 24h}),
                         [](const auto& test) { return test.param.name; });

TEST(Windows, WhatIsGivenBackIsThereAgain) {
  Window window(1min);
  window.add(kNow, 10);
  window.give_back(kNow, 4, kNow + 5s);
  EXPECT_EQ(6, window.used(kNow + 5s));
  window.give_back(kNow + 3s, 4, kNow + 5s);
  EXPECT_EQ(6, window.used(kNow + 5s)) << "nothing was taken then";
}

// ---- leases

/// Rows as the library keeps them.
struct KeptRows {
  std::map<std::pair<std::string, std::int64_t>, UseRow> rows;

  void put(const UseRow& row) {
    std::erase_if(rows, [&](const auto& old) {
      return old.first.first == row.budget && (old.first.second < row.keep_from_ms || old.first.second > row.at_ms);
    });
    rows[{row.budget, row.at_ms}] = row;
  }
  std::vector<UseRow> all() const {
    std::vector<UseRow> list;
    for (const auto& [key, row] : rows) list.push_back(row);
    return list;
  }
};

/// The rows a process leaves at any moment: at least what it spent, and, per lease, at most a tenth of the limit more.
TEST(Leases, AKilledProcessHasNeverSpentMoreThanItsRows) {
  const Budget budget{Operation::kAny, 300, 1min};
  const Account account{"grain", "acme"};
  std::mt19937_64 random(11);
  for (int seed = 0; seed < 50; ++seed) {
    Meter meter(budget);
    KeptRows rows;
    Timestamp now = kNow;
    const int uses = 1 + static_cast<int>(random() % 500);
    std::deque<Timestamp> spent, lately;  // within the period; with what a row's length may add to it
    for (int i = 0; i < uses; ++i) {
      now = meter.room_for(1, now) + 40ms;
      if (!meter.covered(1, now)) {
        std::vector<UseRow> lease;
        meter.lease(account, 1, now, lease);
        for (const UseRow& row : lease) {
          rows.put(row);
          meter.leased(row);
        }
      }
      meter.spend(1, now);
      spent.push_back(now);
      lately.push_back(now);
      while (spent.front() + budget.period <= now) spent.pop_front();
      while (lately.front() + budget.period * 12 / 10 <= now) lately.pop_front();
    }
    Meter next(budget);
    next.restore(rows.all(), now);
    EXPECT_GE(next.used(now), std::ssize(spent)) << "seed " << seed;
    EXPECT_LE(next.used(now), std::ssize(lately) + budget.limit / kLeaseParts) << "seed " << seed;
    EXPECT_EQ(0, next.used(now + budget.period * 11 / 10));
  }
}

TEST(Leases, NothingIsSpentThatIsNotWritten) {
  Meter meter({Operation::kAny, 300, 1min});
  EXPECT_FALSE(meter.covered(1, kNow));
  std::vector<UseRow> lease;
  meter.lease({}, 1, kNow, lease);
  ASSERT_THAT(lease, SizeIs(1));
  EXPECT_EQ(kLeaseFirst, lease[0].used);
  meter.leased(lease[0]);
  EXPECT_TRUE(meter.covered(kLeaseFirst, kNow));
  EXPECT_FALSE(meter.covered(kLeaseFirst + 1, kNow));
  EXPECT_FALSE(meter.covered(1, kNow + 10s)) << "another stretch, another row";
}

/// Uses `apart`, for three minutes: rows written, and the most that a kill would have cost.
struct Steady {
  const char* name;
  std::int64_t limit;
  Nanos apart;
  int writes_most;
  std::int64_t lost_most;
};
void PrintTo(const Steady& row, std::ostream* out) { *out << row.name; }
class SteadyUse : public testing::TestWithParam<Steady> {};

TEST_P(SteadyUse, LeasesFollowThePace) {
  const auto& row = GetParam();
  Meter meter({Operation::kAny, row.limit, 1min});
  int writes = 0;
  UseRow row_now;
  std::int64_t spent = 0, lost = 0;  // of the row's stretch; what a kill would cost at most
  for (Timestamp now = kNow; now < kNow + 3min; now += row.apart) {
    if (!meter.covered(1, now)) {
      std::vector<UseRow> lease;
      meter.lease({}, 1, now, lease);
      ++writes;
      if (lease.back().at_ms != row_now.at_ms) spent = 0;
      row_now = lease.back();
      for (const UseRow& one : lease) meter.leased(one);
    }
    meter.spend(1, now);
    ++spent;
    if (now > kNow + 30s) lost = std::max(lost, row_now.used - spent);
  }
  EXPECT_LE(writes, row.writes_most);
  EXPECT_LE(lost, row.lost_most);
}
INSTANTIATE_TEST_SUITE_P(Table, SteadyUse,
                         testing::Values(Steady{"FiveASecond", 300, 200ms, 300, 6},
                                         Steady{"OneInThreeSeconds", 300, 3s, 60, 4},
                                         Steady{"AThousandASecond", 1'000'000, 1ms, 420, 1'100}),
                         [](const auto& test) { return test.param.name; });

TEST(Leases, ABudgetTooShortForRowsIsTakenAsSpentByTheNextProcess) {
  Meter meter({Operation::kAny, 3, 1s});
  EXPECT_TRUE(meter.covered(3, kNow));
  meter.restore({}, kNow);
  EXPECT_EQ(3, meter.used(kNow));
  EXPECT_EQ(0, meter.used(kNow + 1100ms));
}

TEST(Leases, RowsAheadOfAClockThatWasSetBackCountFromNowOn) {
  const Budget budget{Operation::kAny, 100, 1min};
  Meter meter(budget);
  meter.restore({{{}, name_of(budget), to_unix_ms(kNow), 100, 0}}, kNow - 1h);
  EXPECT_EQ(100, meter.used(kNow - 1h));
  std::vector<UseRow> lease;
  meter.lease({}, 1, kNow - 1h, lease);
  EXPECT_EQ(100 + kLeaseFirst, lease.back().used) << "the row ahead is replaced by one that holds as much";
  EXPECT_EQ(0, meter.used(kNow - 1h + 61s));
}

// ---- one account's line

RequestAsk ask(const std::string& import, bool first_lane, Operation operation = Operation::kDetails) {
  RequestAsk made;
  made.import = import;
  made.first_lane = first_lane;
  made.operation = operation;
  made.patience = 60s;
  return made;
}

/// A line with its rows written at once, driven from deadline to deadline.
struct Line {
  explicit Line(AccountBudgets budgets) : line({"grain", "acme"}, budgets) {}
  RequestLine line;
  Timestamp now = kNow;
  std::vector<RequestLine::Granted> granted;
  std::vector<RequestLine::Refused> refused;
  std::optional<Timestamp> look_at;

  void look() {
    while (true) {
      auto outcome = line.look(now);
      granted.insert(granted.end(), outcome.granted.begin(), outcome.granted.end());
      refused.insert(refused.end(), outcome.refused.begin(), outcome.refused.end());
      look_at = outcome.look_at;
      if (!outcome.lease_wanted) return;
      std::vector<UseRow> rows;
      line.lease(now, rows);
      for (const UseRow& row : rows) line.leased(row);
    }
  }
  RequestLine::Ticket put(RequestAsk one) {
    const auto ticket = line.ask(std::move(one), now);
    look();
    return ticket;
  }
  /// Until nobody waits.
  void run() {
    while (line.waiting() > 0) {
      ASSERT_TRUE(look_at.has_value());
      now = std::max(now, *look_at);
      look();
    }
  }
};

AccountBudgets grain_budgets() { return {{{Operation::kAny, 300, 1min}}, {}, 0}; }

TEST(RequestLine, KeepsTheMinuteAndUsesIt) {
  Line line(grain_budgets());
  constexpr int kRequests = 3'000;
  int asked = 0;
  std::deque<Timestamp> minute;
  while (asked < kRequests) {
    for (int i = 0; i < 24 && asked < kRequests; ++i, ++asked) line.put(ask("imp_1", false));
    line.run();
  }
  ASSERT_THAT(line.granted, SizeIs(kRequests));
  EXPECT_THAT(line.refused, SizeIs(0));
  for (const auto& one : line.granted) {
    minute.push_back(one.at);
    while (minute.front() + 1min <= one.at) minute.pop_front();
    ASSERT_LE(std::ssize(minute), 300);
  }
  EXPECT_LE(line.now - kNow, 600s * 105 / 100) << "3,000 requests are ten minutes' worth";
}

/// Killed every few seconds: no minute holds more than the limit, and the rows cost a little of it only.
TEST(RequestLine, KillsCostSecondsOfTheMinute) {
  std::mt19937_64 random(9);
  KeptRows rows;
  std::vector<Timestamp> sent;
  Timestamp now = kNow;
  const Timestamp end = kNow + 10min;
  while (now < end) {
    RequestLine line({"grain", "acme"}, grain_budgets());
    line.restore(rows.all(), std::nullopt, now);
    const Timestamp killed = std::min(end, now + std::chrono::milliseconds{4'000 + random() % 4'000});
    while (now < killed) {
      while (line.waiting() < 8) line.ask(ask("imp_1", false), now);
      auto outcome = line.look(now);
      for (const auto& one : outcome.granted) sent.push_back(one.at);
      if (outcome.lease_wanted) {
        std::vector<UseRow> leased;
        line.lease(now, leased);
        for (const UseRow& row : leased) {
          rows.put(row);
          line.leased(row);
        }
        continue;
      }
      if (outcome.granted.empty()) now = std::max(now + 1ms, outcome.look_at.value_or(killed));
    }
    now = killed;
  }
  std::deque<Timestamp> minute;
  for (const Timestamp at : sent) {
    minute.push_back(at);
    while (minute.front() + 1min <= at) minute.pop_front();
    ASSERT_LE(std::ssize(minute), 300);
  }
  EXPECT_GE(std::ssize(sent), 3'000 * 8 / 10) << "a kill every six seconds costs less than a fifth";
}

TEST(RequestLine, AFirstLaneGoesBeforeAllBulkThatWaits) {
  Line line(grain_budgets());
  for (int i = 0; i < 100; ++i) line.put(ask("imp_bulk", false));
  const auto before = line.granted.size();
  std::set<RequestLine::Ticket> first;
  for (int i = 0; i < 50; ++i) first.insert(line.put(ask("imp_first", true)));
  line.run();
  ASSERT_EQ(150u, line.granted.size());
  for (std::size_t i = before; i < before + 50; ++i) EXPECT_TRUE(first.contains(line.granted[i].ticket)) << i;
}

TEST(RequestLine, ImportsOfAnAccountTakeTurns) {
  Line line(grain_budgets());
  std::map<RequestLine::Ticket, int> whose;
  for (int i = 0; i < 60; ++i) whose[line.put(ask("imp_1", false))] = 1;
  for (int i = 0; i < 20; ++i) whose[line.put(ask("imp_2", false))] = 2;
  for (int i = 0; i < 20; ++i) whose[line.put(ask("imp_3", false))] = 3;
  line.run();
  std::map<int, int> of_next_sixty;
  for (std::size_t i = 10; i < 70; ++i) ++of_next_sixty[whose[line.granted[i].ticket]];
  EXPECT_NEAR(20, of_next_sixty[1], 1);
  EXPECT_NEAR(20, of_next_sixty[2], 1);
  EXPECT_NEAR(20, of_next_sixty[3], 1);
}

TEST(RequestLine, CallsThatAreBegunGoBeforeNewOnes) {
  Line line(grain_budgets());
  for (int i = 0; i < 10; ++i) line.put(ask("imp_1", false));
  const auto fresh = line.put(ask("imp_1", false));
  RequestAsk second = ask("imp_1", false, Operation::kTranscript);
  second.begun = true;
  const auto begun = line.put(second);
  line.run();
  EXPECT_EQ(begun, line.granted[10].ticket);
  EXPECT_EQ(fresh, line.granted[11].ticket);
}

TEST(RequestLine, AnOperationOfItsOwnHoldsBackNoOther) {
  Line line({{{Operation::kAny, 300, 1min}, {Operation::kMediaLink, 2, 24h}}, {}, 0});
  for (int i = 0; i < 4; ++i) line.put(ask("imp_1", false, Operation::kMediaLink));
  line.put(ask("imp_1", false, Operation::kDetails));
  line.run();
  EXPECT_THAT(line.granted, SizeIs(3));
  ASSERT_THAT(line.refused, SizeIs(2));
  EXPECT_EQ(24h, line.refused[0].hold.budget->period);
  EXPECT_GE(line.refused[0].hold.until, kNow + 24h);
  EXPECT_LE(line.refused[0].hold.until, kNow + 24h + 13min);
}

TEST(RequestLine, ASlotFurtherAwayThanThePatienceIsNotWaitedFor) {
  Line line(grain_budgets());
  for (int i = 0; i < 400; ++i) line.put(ask("imp_1", false));
  EXPECT_THAT(line.refused, SizeIs(100)) << "the minute holds 300";
  for (const auto& one : line.refused) EXPECT_GT(one.hold.until, kNow + 60s);
  line.run();
  for (const auto& one : line.granted) EXPECT_LE(one.at, kNow + 61s);
}

TEST(RequestLine, TheVendorsRefusalHoldsEverybodyAndAProbeAsksAgain) {
  Line line(grain_budgets());
  line.line.blocked(kNow, kNow + 20h);
  line.put(ask("imp_1", true));
  ASSERT_THAT(line.refused, SizeIs(1));
  EXPECT_FALSE(line.refused[0].hold.budget.has_value());
  EXPECT_EQ(kNow + 20h, line.refused[0].hold.until);
  RequestAsk probe = ask("imp_1", true);
  probe.despite_block = true;
  line.now += 1s;
  line.put(probe);
  EXPECT_THAT(line.granted, SizeIs(1));
  line.line.unblocked();
  line.put(ask("imp_1", true));
  EXPECT_THAT(line.granted, SizeIs(2)) << "it was taken: the refusal is over";
}

TEST(RequestLine, ARefusalIsNoLongerThanSaidWhenTheClockIsSetBack) {
  Line line(grain_budgets());
  line.line.blocked(kNow, kNow + 30s);
  line.now = kNow - 1h;
  line.put(ask("imp_1", true));
  EXPECT_THAT(line.refused, SizeIs(0));
  ASSERT_TRUE(line.look_at.has_value());
  EXPECT_LE(*line.look_at, line.now + 30s);
}

TEST(RequestLine, TheVendorsWordCorrectsTheDocumentedLimit) {
  Line line(grain_budgets());
  line.line.heard(30, 30, kNow);
  EXPECT_EQ(30, line.line.meters()[0].limit());
  line.line.heard(1'000'000, 999'999, kNow);
  for (int i = 0; i < 1'200; ++i) line.put(ask("imp_1", false));
  EXPECT_THAT(line.granted, SizeIs(1'200));
}

TEST(RequestLine, WhatOthersUseOfTheAccountIsCountedBeyondTheirShare) {
  AccountBudgets budgets = grain_budgets();
  budgets.left_percent = 20;
  Line line(budgets);
  EXPECT_EQ(240, line.line.meters()[0].limit());
  line.line.heard(300, 250, kNow);  // 50 by others: theirs
  EXPECT_EQ(0, line.line.meters()[0].used(kNow));
  line.line.heard(300, 100, kNow);  // 200 by others: 140 of them of our part
  EXPECT_EQ(140, line.line.meters()[0].used(kNow));
  line.line.heard(300, 100, kNow);
  EXPECT_EQ(140, line.line.meters()[0].used(kNow)) << "not counted twice";
}

TEST(RequestLine, WhatTheInstallationSetsStandsInThePlaceOfTheDocumented) {
  AccountBudgets budgets = grain_budgets();
  budgets.own = {{Operation::kAny, 60, 1min}, {Operation::kAny, 10'000, 24h}};
  Line line(budgets);
  ASSERT_EQ(2u, line.line.meters().size());
  EXPECT_EQ(60, line.line.meters()[0].limit());
  line.line.heard(300, 300, kNow);
  EXPECT_EQ(60, line.line.meters()[0].limit()) << "the vendor allows more than we want";
}

TEST(RequestLine, AnUnusedSlotReturns) {
  Line line({{{Operation::kAny, 10, 24h}}, {}, 0});
  for (int i = 0; i < 10; ++i) line.put(ask("imp_1", false));
  line.put(ask("imp_1", false));
  EXPECT_THAT(line.refused, SizeIs(1));
  line.line.give_back(Operation::kDetails, kNow, kNow);
  line.put(ask("imp_1", false));
  EXPECT_THAT(line.granted, SizeIs(11));
}

// ---- shares of many customers

Account customer(int number) { return {"grain", "customer-" + std::to_string(number)}; }

/// Takes with its rows written at once.
std::int64_t take(CallShare& share, const Account& who, std::int64_t wanted, std::int64_t pending, Timestamp now,
                  std::optional<Timestamp>* until = nullptr) {
  while (true) {
    const auto answer = share.take(who, wanted, pending, now);
    if (until != nullptr) *until = answer.until;
    if (!answer.lease_wanted) return answer.calls;
    std::vector<UseRow> rows;
    share.lease(now, rows);
    for (const UseRow& row : rows) share.leased(row);
  }
}

/// 1: all have the same; 1/n: one has all.
double jain(const std::vector<double>& shares) {
  double sum = 0, squares = 0;
  for (const double one : shares) {
    sum += one;
    squares += one * one;
  }
  return squares == 0 ? 1 : sum * sum / (static_cast<double>(shares.size()) * squares);
}

TEST(CallShares, WhoIsAloneMayHaveAll) {
  CallShare share("calls.bulk", 5'000, 12h);
  std::int64_t had = 0;
  while (had < 5'000) had += take(share, customer(1), 100, 9'000 - had, kNow);
  std::optional<Timestamp> until;
  EXPECT_EQ(0, take(share, customer(1), 100, 4'000, kNow + 1min, &until));
  EXPECT_GE(*until, kNow + 12h);
  EXPECT_LE(*until, kNow + 12h + 7min);
  EXPECT_EQ(100, take(share, customer(1), 100, 4'000, *until));
}

TEST(CallShares, TheRestIsOtherPeoples) {
  CallShare share("calls.bulk", 5'000, 12h);
  share.attend(customer(2), true, kNow);
  std::int64_t had = 0;
  while (const auto calls = take(share, customer(1), 100, 9'000, kNow)) had += calls;
  EXPECT_EQ(2'500, had);
  share.leave(customer(2));
  while (const auto calls = take(share, customer(1), 100, 9'000, kNow)) had += calls;
  EXPECT_EQ(5'000, had) << "who is gone wants nothing";
}

TEST(CallShares, WhoWantsLittleLeavesTheRest) {
  CallShare share("calls.bulk", 5'000, 12h);
  EXPECT_EQ(100, take(share, customer(2), 100, 500, kNow));
  std::int64_t had = 0;
  while (const auto calls = take(share, customer(1), 100, 9'000, kNow)) had += calls;
  EXPECT_EQ(4'500, had);
}

TEST(CallShares, WhoIsSilentIsNotWaitedFor) {
  CallShare share("calls.bulk", 5'000, 12h);
  share.attend(customer(2), true, kNow);
  std::int64_t had = 0;
  while (const auto calls = take(share, customer(1), 100, 9'000, kNow + kCustomerIdle)) had += calls;
  EXPECT_EQ(5'000, had);
}

TEST(CallShares, WeightsCount) {
  CallShare share("calls.bulk", 4'000, 12h);
  share.set_weight(customer(1), 3);
  share.attend(customer(2), true, kNow);
  std::int64_t heavy = 0, light = 0;
  while (const auto calls = take(share, customer(1), 100, 9'000, kNow)) heavy += calls;
  while (const auto calls = take(share, customer(2), 100, 9'000, kNow)) light += calls;
  EXPECT_EQ(3'000, heavy);
  EXPECT_EQ(1'000, light);
}

TEST(CallShares, ReturnedCallsCanBeTakenAgain) {
  CallShare share("calls.bulk", 100, 12h);
  EXPECT_EQ(100, take(share, customer(1), 100, 200, kNow));
  share.give_back(customer(1), 60, kNow, kNow + 5s);
  EXPECT_EQ(60, take(share, customer(1), 100, 160, kNow + 5s));
}

TEST(CallShares, OneRowIsForAllWhoAsked) {
  CallShare share("calls.bulk", 1'000, 12h);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(share.take(customer(i), 10, 10, kNow).lease_wanted);
  std::vector<UseRow> rows;
  share.lease(kNow, rows);
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(200, rows[0].used);
  share.leased(rows[0]);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(10, share.take(customer(i), 10, 10, kNow).calls) << i;
  EXPECT_TRUE(share.take(customer(1), 1, 1, kNow).lease_wanted) << "and not a call beyond";
}

TEST(CallShares, ARestartKeepsWhatIsUsed) {
  CallShare share("calls.bulk", 1'000, 12h);
  EXPECT_FALSE(share.take(customer(1), 100, 900, kNow).calls > 0) << "not before a row is written";
  std::vector<UseRow> rows;
  share.lease(kNow, rows);
  CallShare next("calls.bulk", 1'000, 12h);
  next.restore(rows, kNow + 1min);
  EXPECT_EQ(100, next.meter().used(kNow + 1min));
  std::int64_t had = 0;
  while (const auto calls = take(next, customer(1), 100, 5'000, kNow + 1min)) had += calls;
  EXPECT_EQ(900, had);
}

/// 1,000 customers who all want more than there is, coming in any order: after each period they have the same.
TEST(CallShares, AThousandCustomersHaveTheSame) {
  CallShare share("calls.bulk", 5'000, 12h);
  constexpr int kCustomers = 1'000;
  std::vector<double> had(kCustomers, 0);
  std::vector<Timestamp> next(kCustomers, kNow);
  std::mt19937_64 random(3);
  std::vector<int> order(kCustomers);
  for (int i = 0; i < kCustomers; ++i) order[static_cast<std::size_t>(i)] = i;
  for (int i = 0; i < kCustomers; ++i) share.attend(customer(i), true, kNow);
  Timestamp now = kNow;
  for (int period = 0; period < 3; ++period) {
    const Timestamp end = now + 12h + 10min;
    for (; now < end; now += 10min) {
      std::shuffle(order.begin(), order.end(), random);
      for (const int i : order) {
        const auto at = static_cast<std::size_t>(i);
        if (next[at] > now) continue;
        std::optional<Timestamp> until;
        had[at] += static_cast<double>(take(share, customer(i), 100, 1'000, now, &until));
        if (until) next[at] = *until;
      }
    }
    EXPECT_GE(jain(had), 0.95) << "after period " << period;
  }
  EXPECT_GE(*std::min_element(had.begin(), had.end()), 15) << "5,000 in each of three periods, by 1,000 customers";
}

// ---- rows

TEST_F(LibraryTest, BudgetsAreRowsThatSurvive) {
  const Account acme{"grain", "acme"};
  QuotaRows rows;
  rows.uses = {{acme, "requests/60s", 60'000, 30, 0}, {{}, "calls.bulk", 3'600'000, 500, 0}};
  rows.words = {{acme, 300, 1'000, 2'000}};
  ASSERT_TRUE(library_->put_quota(rows).has_value());
  QuotaRows later;
  later.uses = {{acme, "requests/60s", 65'000, 10, 62'000}};
  ASSERT_TRUE(library_->put_quota(later).has_value());
  const auto kept = library_->quota();
  ASSERT_TRUE(kept.has_value());
  ASSERT_THAT(kept->uses, SizeIs(2));
  EXPECT_EQ(65'000, kept->uses[0].at_ms) << "what counts no more is gone";
  EXPECT_EQ(10, kept->uses[0].used);
  EXPECT_EQ("calls.bulk", kept->uses[1].budget);
  EXPECT_THAT(kept->words, ElementsAre(WordRow{acme, 300, 1'000, 2'000}));
}

/// A file of before there were budgets.
TEST(QuotaFile, AnOlderOneIsGivenTheTables) {
  simulations::SimDisk disk;
  simulations::SeededRandom random(1);
  ASSERT_TRUE(disk.make_dirs("data").has_value());
  const std::span<const Migration> all = library_schema::kMigrations;
  const auto ours = std::find_if(all.begin(), all.end(), [](const Migration& one) {
    return one.sql.find("CREATE TABLE quota_use") != std::string_view::npos;
  });
  ASSERT_NE(all.end(), ours);
  const auto before = all.first(static_cast<std::size_t>(ours - all.begin()));
  ASSERT_TRUE(Database::open(disk, "data/library.db", {.migrations = before}).has_value());
  auto opened = Library::open(disk, random, "data/library.db");
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_TRUE((*opened)->put_quota({{{{"grain", "acme"}, "requests/60s", 0, 1, 0}}, {}}).has_value());
}

}  // namespace
}  // namespace callimport::storage
