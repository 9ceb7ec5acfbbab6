#include "api/cli/named_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <utility>

#include "api/cli/csv_reader.h"
#include "api/cli/text.h"
#include "storage/library/records.h"
#include "storage/model/text.h"

namespace callimport::api {
namespace {

constexpr std::array<std::string_view, 5> kHeadings = {"source_id", "call_id", "recording_id", "call", "id"};
constexpr const char* kExample = "a file whose first line says source_id, with one id on each line below it";

tl::unexpected<CliError> unusable(const std::string& path, const std::string& why) {
  return sorry(kExitUsage, "usage", printable(path) + ": " + why, kExample);
}

bool is_heading(const std::string& field) {
  return std::find(kHeadings.begin(), kHeadings.end(), trimmed(field)) != kHeadings.end();
}

}  // namespace

tl::expected<std::vector<std::string>, CliError> read_named_calls(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return unusable(path, "cannot be read");
  CsvReader reader(in);
  std::vector<std::string> ids;
  std::set<std::string> known;
  std::size_t column = 0;
  bool first = true;
  while (const auto record = reader.next()) {
    if (!record->problem.empty()) return unusable(path, fmt::format("line {}: {}", record->line, record->problem));
    const auto& fields = record->fields;
    if (std::exchange(first, false)) {
      const auto heading = std::find_if(fields.begin(), fields.end(), is_heading);
      if (heading == fields.end() && fields.size() > 1) return unusable(path, "no column is named source_id");
      if (heading != fields.end()) {
        column = static_cast<std::size_t>(heading - fields.begin());
        continue;
      }
    }
    const auto id = column < fields.size() ? trimmed(fields[column]) : std::string();
    if (id.empty()) continue;
    if (known.insert(id).second) ids.push_back(id);
    if (ids.size() > storage::kNamedCallsMax) {
      return unusable(path, fmt::format("more than {} calls", human_count(storage::kNamedCallsMax)));
    }
  }
  if (ids.empty()) return unusable(path, "no call is named in it");
  return ids;
}

}  // namespace callimport::api
