#pragma once
// What a rule answers: what it will remember, what it says by itself, and whether a record is told to people at all.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "storage/library/agenda.h"
#include "storage/library/library.h"

namespace callimport::activities {

struct Turn {
  std::vector<storage::AgendaRow> put;                    ///< of the agenda, new or changed
  std::vector<std::pair<std::string, std::string>> drop;  ///< (kind, key) that are over
  std::vector<storage::Notification> say;                 ///< records of the rules' own
  std::string hush;                                       ///< not empty: the record is not told to people, and why

  void add(Turn more);
};

/// Writes what a rule says.
Result<> apply_turn(storage::LibraryTx& tx, const Turn& turn);
/// Facts as an object, whatever is in the text.
nlohmann::json read_facts(const std::string& text);
/// A record of the rules' own: weight as its event has it.
storage::Notification say(const std::string& event, const std::string& import, std::int64_t at_ms, std::string subject,
                          std::string text, std::string next, const nlohmann::json& facts);

}  // namespace callimport::activities
