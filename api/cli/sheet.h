#pragma once
// What a verb answers, in every output format by one mechanism: JSON objects, JSON lines, CSV columns, a table or text,
// and --fields, which picks columns in all of them.
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/cli/session.h"

namespace callimport::api {

/// One column of CSV: its head, and where its value lies in the object ("counters.found").
struct Column {
  std::string head, path;
};

struct Sheet {
  std::vector<nlohmann::json> rows;
  std::vector<Column> columns;        ///< of CSV; --fields takes these heads and any path of the objects
  std::function<std::string()> text;  ///< for people; not called when there are no rows
  std::string empty;                  ///< said on stderr to people when there are no rows
};

/// Lines of CSV: the heads, and one object.
std::string csv_head(const std::vector<Column>& columns);
std::string csv_line(const nlohmann::json& row, const std::vector<Column>& columns);

/// A list on stdout. @error usage  a field that no row has: names those there are.
Ended print_sheet(const Session& session, const Sheet& sheet);
/// One object; the sheet has one row.
Ended print_object(const Session& session, const Sheet& sheet);

}  // namespace callimport::api
