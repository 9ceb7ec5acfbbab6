#pragma once
// Who is to be told: persons of the configuration, what they want, and who they are to an import.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "activities/notify/events.h"
#include "activities/notify/message.h"
#include "storage/library/records.h"

namespace callimport::activities {

/// What a person wants to hear (N-06).
enum class Level : std::uint8_t { kEverything, kImportant, kAct, kNone };
std::string_view to_string(Level level);  ///< everything, important, act, none
std::optional<Level> level_of(std::string_view text);

/// A daily stretch of local time, as minutes of the day; it may cross midnight. Equal ends: none.
struct QuietHours {
  int from = 0, to = 0;
  bool none() const { return from == to; }
  friend bool operator==(const QuietHours&, const QuietHours&) = default;
};

struct Person {
  std::string id, name;
  std::string zone = "UTC";
  /// Channel and address there, the one preferred first; the next is where a message goes that it would not take.
  std::vector<std::pair<std::string, std::string>> addresses;
  std::vector<std::string> known_as;  ///< as starts and approvals name them: os:ana, token:ci
  Level level = Level::kImportant;
  std::map<std::string, Level> levels;  ///< of one customer (workspace) or import
  QuietHours quiet;
  bool digest = true;        ///< daily, when there is anything
  bool watches_all = false;  ///< every import, not only their own
  std::string backup;        ///< another person: who acts when they do not
};

/// Of one workspace's imports.
struct CustomerContact {
  std::string name, address;  ///< by mail
  std::string zone = "UTC";
  bool told = false;    ///< hears of the beginning, the first calls, delays and the end
  bool weekly = false;  ///< gets the weekly digest
};

/// Everybody. Lists hold ids of people.
struct Roster {
  std::vector<Person> people;
  std::string owner;  ///< of imports whose starter is nobody of these
  std::vector<std::string> approvers, on_call, ops, admins, team_leads;
  std::map<std::string, CustomerContact> customers;  ///< by workspace

  const Person* find(std::string_view id) const;
  const Person* known_as(std::string_view who) const;
};

/// Who a person is to an import, in order of rank.
enum class Part : std::uint8_t { kOwner, kApprover, kOnCall, kOps, kAdmin, kNamed, kWatcher };
std::string_view to_string(Part part);

struct Concerned {
  const Person* person;
  Part part;
};
/// Whom a record of this import concerns, everybody once, by their first part. `audience`: bits of EventRow. `named`:
/// person ids of the record's own.
std::vector<Concerned> concerned(const Roster& roster, const storage::ImportRow& import, unsigned audience,
                                 const std::vector<std::string>& named);
/// The starter when they are of the roster, else the roster's owner; null: nobody.
const Person* owner_of(const Roster& roster, const storage::ImportRow& import);
/// What the person wants to hear of this import: by import, by customer, in general.
Level level_for(const Person& person, const storage::ImportRow& import);

}  // namespace callimport::activities
