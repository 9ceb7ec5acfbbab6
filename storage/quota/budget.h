#pragma once
// What a budget is, and the rows that remember how much of it is used. Data only.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/time.h"

namespace callimport::storage {

/// Kinds of requests to a platform's API; kAny: all of them together.
enum class Operation : std::uint8_t { kAny, kList, kDetails, kTranscript, kMediaLink };
std::string_view to_string(Operation operation);  ///< requests, list, details, transcript, media_link

/// At most `limit` (1 or more) in any stretch of `period` (1 s to 366 days).
struct Budget {
  Operation operation = Operation::kAny;
  std::int64_t limit = 0;
  Nanos period{0};
  friend bool operator==(const Budget&, const Budget&) = default;
};
std::string name_of(const Budget& budget);  ///< "requests/60s": as rows name it, whatever the limit

// In words, for people: "300 requests a minute", "a minute", "requests".
std::string words_of(const Budget& budget);
std::string period_words(Nanos period);
std::string_view noun_of(Operation operation);

/// Whose budget: one customer's account at a platform. Both empty: this installation's own.
struct Account {
  std::string platform, workspace;
  friend auto operator<=>(const Account&, const Account&) = default;
};

/// `used` of a budget between at_ms and the end of that stretch (Meter: a twelfth of the period), spent or leased.
struct UseRow {
  Account account;
  std::string budget;
  std::int64_t at_ms = 0, used = 0;
  std::int64_t keep_from_ms = 0;  ///< in a write: older rows of the same budget go, as do those after at_ms
};
/// What the vendor said last of an account's limits. 0: nothing.
struct WordRow {
  Account account;
  std::int64_t per_minute = 0;
  std::int64_t blocked_from_ms = 0, blocked_until_ms = 0;  ///< Retry-After
  friend bool operator==(const WordRow&, const WordRow&) = default;
};
struct QuotaRows {
  std::vector<UseRow> uses;
  std::vector<WordRow> words;
  bool empty() const { return uses.empty() && words.empty(); }
};

}  // namespace callimport::storage
