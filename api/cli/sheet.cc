#include "api/cli/sheet.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/cli/shape.h"

namespace callimport::api {
namespace {

using nlohmann::json;

/// The value at "a.b.c"; null when there is none.
json at_path(const json& object, std::string_view path) {
  const json* here = &object;
  while (true) {
    const auto dot = path.find('.');
    const std::string key(path.substr(0, dot));
    if (!here->is_object() || !here->contains(key)) return nullptr;
    here = &here->at(key);
    if (dot == std::string_view::npos) return *here;
    path.remove_prefix(dot + 1);
  }
}

std::string cell(const json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return dump(value);
}

std::vector<std::string> cells_of(const json& row, const std::vector<Column>& columns) {
  std::vector<std::string> cells;
  for (const auto& column : columns) cells.push_back(cell(at_path(row, column.path)));
  return cells;
}

/// The columns of --fields, or all of the sheet when it was not given.
tl::expected<std::vector<Column>, CliError> columns_of(const Session& session, const Sheet& sheet) {
  if (session.flags.fields.empty()) return sheet.columns;
  std::vector<Column> columns;
  for (const auto& name : session.flags.fields) {
    const auto known =
        std::find_if(sheet.columns.begin(), sheet.columns.end(), [&](const Column& one) { return one.head == name; });
    if (known != sheet.columns.end()) {
      columns.push_back(*known);
      continue;
    }
    const bool there = std::any_of(sheet.rows.begin(), sheet.rows.end(),
                                   [&](const json& row) { return !at_path(row, name).is_null(); });
    if (!there && !sheet.rows.empty()) {
      std::string names;
      for (const auto& column : sheet.columns) names += (names.empty() ? "" : ", ") + column.head;
      return sorry(kExitUsage, "usage", "no field \"" + printable(name.substr(0, 100)) + "\"; there are: " + names,
                   "-o json shows every field; inside of others: --fields counters.found");
    }
    columns.push_back({name, name});
  }
  return columns;
}

/// The object, or of it only what --fields names, in that order.
nlohmann::ordered_json picked(const Session& session, const json& row, const std::vector<Column>& columns) {
  if (session.flags.fields.empty()) return row;
  auto object = nlohmann::ordered_json::object();
  for (const auto& column : columns) object[column.head] = at_path(row, column.path);
  return object;
}

std::string dumped(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string table_of(const Session& session, const Sheet& sheet, const std::vector<Column>& columns) {
  Table table;
  for (const auto& column : columns) table.head.push_back(printable(column.head));
  std::transform(table.head.begin(), table.head.end(), table.head.begin(), [](std::string head) {
    std::transform(head.begin(), head.end(), head.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return head;
  });
  for (const auto& row : sheet.rows) {
    table.rows.push_back(cells_of(row, columns));
    for (auto& one : table.rows.back()) one = printable(one);
  }
  table.cut_column = table.head.size() - 1;
  return table.show(session.width());
}

void print_text(const Session& session, const Sheet& sheet, const std::vector<Column>& columns) {
  if (sheet.rows.empty()) {
    if (!sheet.empty.empty()) session.say(sheet.empty);
  } else {
    session.show(session.flags.fields.empty() ? sheet.text() : table_of(session, sheet, columns));
  }
}

}  // namespace

std::string csv_head(const std::vector<Column>& columns) {
  std::vector<std::string> heads;
  for (const auto& column : columns) heads.push_back(column.head);
  return csv_row(heads);
}

std::string csv_line(const json& row, const std::vector<Column>& columns) { return csv_row(cells_of(row, columns)); }

Ended print_sheet(const Session& session, const Sheet& sheet) {
  CLI_TRY(const auto columns, columns_of(session, sheet));
  switch (session.output()) {
    case Output::kJson: {
      auto all = nlohmann::ordered_json::array();
      for (const auto& row : sheet.rows) all.push_back(picked(session, row, columns));
      session.print(dumped(all, 2) + "\n");
      break;
    }
    case Output::kJsonl:
      for (const auto& row : sheet.rows) session.print(dumped(picked(session, row, columns), -1) + "\n");
      break;
    case Output::kCsv: {
      std::string text = csv_head(columns);
      for (const auto& row : sheet.rows) text += csv_line(row, columns);
      session.print(text);
      break;
    }
    case Output::kText: print_text(session, sheet, columns); break;
    case Output::kNone: break;
    case Output::kHtml:
      return sorry(kExitUsage, "usage", "this has no page of its own", "callimport report IMPORT -o html");
  }
  return kExitDone;
}

Ended print_object(const Session& session, const Sheet& sheet) {
  if (session.output() != Output::kJson) return print_sheet(session, sheet);
  CLI_TRY(const auto columns, columns_of(session, sheet));
  session.print(dumped(picked(session, sheet.rows.front(), columns), 2) + "\n");
  return kExitDone;
}

}  // namespace callimport::api
