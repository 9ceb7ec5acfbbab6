#include "activities/import/prices.h"

#include <fmt/format.h>

namespace callimport::activities {

double cost_of(const Prices& prices, double calls, double hours, double bytes) {
  return calls * prices.call + hours * prices.hour + bytes / 1e9 * prices.gigabyte;
}

std::string price_words(const Prices& prices) {
  if (!prices.any()) return "no price configured";
  std::string text;
  const auto part = [&](double price, const char* unit) {
    if (price <= 0) return;
    text += fmt::format("{}{:.2f} {} {}", text.empty() ? "" : ", ", price, prices.currency, unit);
  };
  part(prices.hour, "an hour");
  part(prices.gigabyte, "a GB");
  part(prices.call, "a call");
  return text;
}

}  // namespace callimport::activities
