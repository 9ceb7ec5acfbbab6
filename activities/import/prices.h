#pragma once
// What an import costs, by the prices of the configuration: one formula for the estimate before it and the report
// after.
#include <string>

namespace callimport::activities {

/// The revenue team's pricing guidance. A price of 0 is none.
struct Prices {
  std::string currency = "EUR";
  double hour = 0, gigabyte = 0, call = 0;  ///< of recorded time, of recordings (10^9 bytes), of calls
  bool any() const { return hour > 0 || gigabyte > 0 || call > 0; }
};

double cost_of(const Prices& prices, double calls, double hours, double bytes);
/// "0.50 EUR an hour, 0.01 EUR a call"; without prices "no price configured".
std::string price_words(const Prices& prices);

}  // namespace callimport::activities
