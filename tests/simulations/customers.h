#pragma once
// Many customers who share one installation: modelled at the ledger, and as whole imports in one world.
#include <cstdint>
#include <string>
#include <vector>

#include "storage/model/result.h"
#include "storage/model/time.h"

namespace callimport::simulations {

/// 1: all have the same; 1/n: one has all.
double jain_index(const std::vector<double>& shares);

struct Modelled {
  double jain_least = 1;  ///< of what customers had, after each period
  int periods = 0;        ///< until everybody had all
  Nanos until_done{0};
};
/// Customers of equal weight who come in a shuffled order, each for `calls_each` calls of bulk in batches of `batch`,
/// out of `limit` calls in any `period`.
Modelled model_customers(int customers, std::int64_t calls_each, std::int64_t limit, Nanos period, std::int64_t batch);

struct CustomersOptions {
  int customers = 1'000;
  std::uint64_t calls_each = 20;
  int first_lane = 4;
  std::int64_t bulk_calls = 5'000;                     ///< in 12 hours, of all together
  Nanos answer_time = std::chrono::milliseconds{100};  ///< of the platform
  int places = 64;                                     ///< steps of a lane at once
  Nanos late{0};                                       ///< so much later than all others the last customer starts
  std::uint64_t seed = 1;
  std::string keep_in{};  ///< a folder of this machine that gets the data folder at the end; empty: it is forgotten
};
struct CustomersSeen {
  double slowest_first_s = 0;  ///< from the start until the last first lane was ready
  double jain_after_first_period = 0;
  double whole_s = 0;
  double late_first_s = 0;   ///< from the late one's start until its first lane was ready
  std::int64_t refused = 0;  ///< 429 by a platform
  std::int64_t alarms = 0;   ///< of the watchdog: changes to engine.no_progress
};
/// Each customer has a Grain of its own with its limit on. All imports start at once; recordings off.
/// @error  an import that did not come to an end, or a call that is missing.
Result<CustomersSeen> run_customers(const CustomersOptions& options);

}  // namespace callimport::simulations
