#pragma once
// How many calls each customer may take of the installation's own budget: pure decisions over the times they are told.
//
// A budget that many customers want is divided as by weighted virtual time, which here is what a customer took within
// the period, by its weight: the one with the least comes next, nobody gets more than it asks for, and what one does
// not want is the others'. A customer that was not seen for kCustomerIdle wants nothing.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/quota/meter.h"

namespace callimport::storage {

inline constexpr Nanos kCustomerIdle = std::chrono::minutes{15};

class CallShare {
 public:
  struct Answer {
    std::int64_t calls = 0;          ///< 0: not now
    std::optional<Timestamp> until;  ///< then: when to come again
    bool lease_wanted = false;       ///< then: once a row is written
  };

  /// `name` is the budget's in its rows.  `limit` calls in any `period`.
  CallShare(std::string name, std::int64_t limit, Nanos period);

  /// The customer is at work. `anew`: with one more import, so that nobody knows how much it will want.
  void attend(const Account& customer, bool anew, Timestamp now);
  /// None of its imports is open.
  void leave(const Account& customer);
  void set_weight(const Account& customer, double weight) { weights_[customer] = weight; }
  /// Takes up to `wanted` calls (1 or more); `pending`: all that its imports still want, as far as they know.
  Answer take(const Account& customer, std::int64_t wanted, std::int64_t pending, Timestamp now);
  void give_back(const Account& customer, std::int64_t calls, Timestamp at, Timestamp now);

  void lease(Timestamp now, std::vector<UseRow>& into);
  void leased(const UseRow& row);
  void restore(const std::vector<UseRow>& uses, Timestamp now);

  const std::string& name() const { return name_; }
  Meter& meter() { return meter_; }
  /// What the customer took within the period.
  std::int64_t used_by(const Account& customer, Timestamp now);
  std::size_t customers() const { return customers_.size(); }

 private:
  struct Customer {
    explicit Customer(Nanos period) : window(period) {}
    Window window;
    std::optional<std::int64_t> pending;
    Timestamp seen{};
  };
  Customer& customer(const Account& account);
  double weight_of(const Account& account) const;
  bool wants(Customer& customer, Timestamp now) const;
  /// How many more calls it may have now.
  std::int64_t allowed(const Account& account, Timestamp now);
  void forget_the_gone(Timestamp now);

  std::string name_;
  Meter meter_;
  std::map<Account, Customer> customers_;
  std::map<Account, double> weights_;
  std::int64_t lease_for_ = 0;  ///< of all who asked since the last lease: one row is for all of them
};

}  // namespace callimport::storage
