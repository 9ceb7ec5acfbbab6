#pragma once
// Who may send the next request to one account, and when: pure decisions over the times they are told.
//
// A request goes when the vendor's word, the pace and every budget it counts in allow it, and its place is the first:
// first lanes before bulk, imports by what they had so far, calls already begun before new ones, then in order.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/quota/meter.h"

namespace callimport::storage {

inline constexpr Nanos kPacedUpTo = std::chrono::minutes{1};  ///< budgets of such periods are spread evenly over them
inline constexpr int kBurstParts = 30;                        ///< slack of the pace: this part of the limit at once

struct RequestAsk {
  std::string import;
  bool first_lane = false;
  Operation operation = Operation::kList;
  bool begun = false;         ///< of a call of which something is fetched already
  bool despite_block = false;  ///< asks whether the vendor still means it: a person, or the wait's end, sent it
  bool unwritten = false;      ///< of a look that must leave no row: counted as long as the process lives
  Nanos patience{0};           ///< a slot further away is not waited for
};
/// The vendor's limits, and what the installation sets itself: in the place of a documented one, or besides.
struct AccountBudgets {
  std::vector<Budget> vendor, own;
  int left_percent = 0;  ///< of the vendor's, for the customer's own tools: 0 to 95
};
/// What holds a request back, and until when.
struct Hold {
  std::optional<Budget> budget;  ///< absent: the vendor said so (Retry-After)
  Timestamp until{};
};

/// Threads: none. A ticket is known from `ask` until it is granted, refused or withdrawn.
class RequestLine {
 public:
  using Ticket = std::uint64_t;
  struct Granted {
    Ticket ticket = 0;
    Operation operation = Operation::kAny;
    bool despite_block = false;
    Timestamp at{};
  };
  struct Refused {
    Ticket ticket = 0;
    Hold hold;
  };
  /// What came of looking: tickets that go now, tickets that would wait too long, when to look again, and whether a row
  /// must be written before anybody can go.
  struct Outcome {
    std::vector<Granted> granted;
    std::vector<Refused> refused;
    std::optional<Timestamp> look_at;
    bool lease_wanted = false;
  };

  RequestLine(Account account, const AccountBudgets& budgets);

  /// Puts the ask in line. Look next.
  Ticket ask(RequestAsk ask, Timestamp now);
  /// Everybody in line leaves it, ungranted.
  std::vector<Ticket> withdraw_all();
  Outcome look(Timestamp now);
  /// A slot that was granted and not used.
  void give_back(Operation operation, Timestamp at, Timestamp now);
  /// The vendor's word: requests a minute, and how many of them are left. What others used beyond the share that is left
  /// to them is counted as used.
  void heard(std::int64_t per_minute, std::optional<std::int64_t> remaining, Timestamp now);
  void blocked(Timestamp now, Timestamp until);
  /// The vendor took a request that was sent despite its refusal: that is over.
  void unblocked() { blocked_until_ = blocked_from_; }
  /// The import is over: nothing is remembered of it.
  void leave(const std::string& import) { served_.erase(import); }

  void lease(Timestamp now, std::vector<UseRow>& into);
  void leased(const UseRow& row);
  void restore(const std::vector<UseRow>& uses, const std::optional<WordRow>& word, Timestamp now);
  WordRow word() const;

  const Account& account() const { return account_; }
  std::vector<Meter>& meters() { return meters_; }
  std::size_t waiting() const { return waiting_.size(); }
  std::optional<Timestamp> blocked_until(Timestamp now);

 private:
  struct Waiting {
    Ticket ticket = 0;
    RequestAsk ask;
    Timestamp asked{};
  };
  static bool counts(const Meter& meter, Operation operation) {
    return meter.budget().operation == Operation::kAny || meter.budget().operation == operation;
  }
  void correct_clock(Timestamp now);
  struct Pace {
    const Budget* budget = nullptr;  ///< absent: nothing is paced
    Nanos apart{0};
    std::int64_t burst = 1;
  };
  Pace pace() const;
  const Budget* own_minute() const;
  /// When `ahead` + 1 requests of the kind may have gone, and what holds the last of them back.
  Hold earliest(const RequestAsk& ask, std::int64_t ahead, Timestamp now);
  std::int64_t ahead_of(const Waiting& one) const;
  bool goes_before(const Waiting& a, const Waiting& b) const;
  bool covered(Operation operation, Timestamp now);
  void spend(const Waiting& one, Timestamp now);
  void refuse_the_late(Timestamp now, Outcome& outcome);
  std::int64_t ours(std::int64_t limit) const;

  Account account_;
  AccountBudgets budgets_;
  std::vector<Meter> meters_;
  std::vector<Waiting> waiting_;              ///< in the order they came
  std::map<std::string, std::int64_t> served_;  ///< virtual time of each import
  std::int64_t served_last_ = 0;                ///< of the import that went last: who comes new begins there
  Timestamp next_{};                            ///< when the next request would go, were none ahead of the pace
  std::int64_t said_per_minute_ = 0;
  Timestamp blocked_from_{}, blocked_until_{};
  Operation lease_for_ = Operation::kAny;
  Ticket last_ticket_ = 0;
};

}  // namespace callimport::storage
