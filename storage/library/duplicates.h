#pragma once
// Whether two calls are one meeting that reached us twice, and which call of the library a new one repeats.
//
// The same recording: equal content hashes, starts within two minutes, lengths alike.
// The same meeting, otherwise: starts within two minutes, lengths alike (5 s or 2 % apart, the more generous), and
//   within one workspace of one platform, which itself counts two calls: the same title and the same addresses, two at
//   least;
//   across workspaces and platforms: at least half of the addresses of the shorter list on both.
// Only calls of one customer are compared, whatever is alike: a meeting between two customers is a call of each. A
// workspace is its own customer unless the configuration says whose it is.
// A meeting that is held at the same minute with other people or under another name is another; so is one whose length
// nobody knows, and one without addresses.
#include <optional>
#include <string>
#include <vector>

#include "storage/library/records.h"
#include "storage/sqlite/database.h"

namespace callimport::storage {

inline constexpr std::int64_t kStartsApartMsMax = 120'000;
inline constexpr std::int64_t kLengthsApartMsMax = 5'000;

struct MeetingFacts {
  std::string platform, workspace, customer, title, hash;
  std::int64_t start_ms = 0;
  std::optional<std::int64_t> length_ms;
  std::vector<std::string> emails;  ///< normalised, sorted, once each
};

/// What tells a call from others; of a customer that the caller knows.
MeetingFacts facts_of(const Call& call, const std::string& platform, const std::string& workspace,
                      const std::string& customer);
/// kSameId is not for meetings to tell.
Sameness compare(const MeetingFacts& a, const MeetingFacts& b);

/// On either connection.
class DuplicateFinder {
 public:
  explicit DuplicateFinder(Database& db);
  /// The call of this id, else the first call of the library that `call` repeats, else a staged one of its import,
  /// which has no id yet.
  Result<std::optional<Repeated>> find(const Call& call, const std::string& platform, const std::string& workspace,
                                       const std::string& import);
  /// Among the library's calls only.
  Result<std::optional<Repeated>> find(const Call& call, const std::string& platform, const std::string& workspace);

 private:
  struct Candidate {
    std::int64_t number = 0;
    Repeated call;
    MeetingFacts facts;
  };
  /// Of calls of one import, which are of one customer.
  Result<std::optional<Repeated>> find_staged(const Call& call, const std::string& platform,
                                              const std::string& workspace, const std::string& import);
  Statement same_id_, customer_, near_, emails_, staged_;
};

}  // namespace callimport::storage
