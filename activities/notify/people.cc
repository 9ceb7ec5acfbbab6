#include "activities/notify/people.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace callimport::activities {
namespace {

constexpr std::array kLevels = {Level::kEverything, Level::kImportant, Level::kAct, Level::kNone};

/// What `start` said about itself.
std::string starter_of(const storage::ImportRow& import) {
  const auto input = nlohmann::json::parse(import.input, nullptr, false);
  if (!input.is_object()) return {};
  const auto found = input.find("started_by");
  return found != input.end() && found->is_string() ? found->get<std::string>() : std::string();
}

class Gathering {
 public:
  explicit Gathering(const Roster& roster) : roster_(roster) {}
  void add(const Person* person, Part part) {
    if (person == nullptr) return;
    const bool known =
        std::any_of(all.begin(), all.end(), [person](const Concerned& one) { return one.person == person; });
    if (!known) all.push_back({person, part});
  }
  void add(const std::vector<std::string>& ids, Part part) {
    for (const auto& id : ids) add(roster_.find(id), part);
  }
  std::vector<Concerned> all;

 private:
  const Roster& roster_;
};

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kEverything: return "everything";
    case Level::kImportant: return "important";
    case Level::kAct: return "act";
    case Level::kNone: return "none";
  }
  return "important";
}

std::optional<Level> level_of(std::string_view text) {
  for (const Level level : kLevels) {
    if (text == to_string(level)) return level;
  }
  return std::nullopt;
}

std::string_view to_string(Part part) {
  switch (part) {
    case Part::kOwner: return "owner";
    case Part::kApprover: return "approver";
    case Part::kOnCall: return "on call";
    case Part::kOps: return "operations";
    case Part::kAdmin: return "admin";
    case Part::kNamed: return "named";
    case Part::kWatcher: return "watcher";
  }
  return "watcher";
}

const Person* Roster::find(std::string_view id) const {
  const auto found = std::find_if(people.begin(), people.end(), [id](const Person& one) { return one.id == id; });
  return found == people.end() ? nullptr : &*found;
}

const Person* Roster::known_as(std::string_view who) const {
  if (who.empty()) return nullptr;
  for (const auto& person : people) {
    if (person.id == who || std::find(person.known_as.begin(), person.known_as.end(), who) != person.known_as.end())
      return &person;
  }
  return nullptr;
}

const Person* owner_of(const Roster& roster, const storage::ImportRow& import) {
  const Person* starter = roster.known_as(starter_of(import));
  return starter != nullptr ? starter : roster.find(roster.owner);
}

std::vector<Concerned> concerned(const Roster& roster, const storage::ImportRow& import, unsigned audience,
                                 const std::vector<std::string>& named) {
  Gathering found(roster);
  if ((audience & (kToOwner | kToWatchers)) != 0) found.add(owner_of(roster, import), Part::kOwner);
  if ((audience & (kToApprover | kToWatchers)) != 0) found.add(roster.approvers, Part::kApprover);
  if ((audience & kToOnCall) != 0) found.add(roster.on_call, Part::kOnCall);
  if ((audience & kToOps) != 0) found.add(roster.ops, Part::kOps);
  if ((audience & kToAdmin) != 0) found.add(roster.admins, Part::kAdmin);
  if ((audience & kToNamed) != 0) found.add(named, Part::kNamed);
  if ((audience & kToWatchers) != 0) {
    for (const auto& person : roster.people) {
      if (person.watches_all) found.add(&person, Part::kWatcher);
    }
  }
  return found.all;
}

Level level_for(const Person& person, const storage::ImportRow& import) {
  for (const auto& key : {import.id, import.workspace}) {
    const auto found = person.levels.find(key);
    if (!key.empty() && found != person.levels.end()) return found->second;
  }
  return person.level;
}

}  // namespace callimport::activities
