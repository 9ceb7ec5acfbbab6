#include "api/cli/temporal_imports.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "storage/model/ids.h"
#include "storage/model/time.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

using nlohmann::json;
namespace v1 = ::callimport::v1;

inline constexpr auto kAnswerMax = std::chrono::seconds{5};

std::string text_in(const std::map<std::string, std::string>& values, const char* name) {
  const auto found = values.find(name);
  if (found == values.end()) return {};
  const auto value = json::parse(found->second, nullptr, false);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string text_in(const json& object, const char* name) {
  return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : std::string();
}
std::int64_t number_in(const json& object, const char* name) {
  return object.contains(name) && object[name].is_number_integer() ? object[name].get<std::int64_t>() : 0;
}

/// What a closed run ended as, when its memo does not say: it was stopped from outside.
std::string ended_as(const std::string& status, const std::string& memo) {
  static const std::set<std::string> ends = {"completed", "completed_with_gaps", "failed", "cancelled"};
  if (ends.contains(memo)) return memo;
  if (status == "Completed") return "completed";
  return status == "Canceled" ? "cancelled" : "failed";
}

v1::Import import_of(const WorkflowRow& row) {
  v1::Import import;
  import.set_id(row.workflow_id);
  import.set_title(text_in(row.memo, "title"));
  import.set_platform(text_in(row.attributes, "CallImportPlatform"));
  import.set_workspace(text_in(row.attributes, "CallImportWorkspace"));
  import.set_created_ms(row.start_ms);
  auto& lane = *import.mutable_bulk();
  lane.set_stage(text_in(row.memo, "stage"));
  lane.set_condition(text_in(row.memo, "condition"));
  lane.set_reason(text_in(row.memo, "reason"));
  if (row.close_ms > 0 && row.status != "ContinuedAsNew") {
    import.set_closed_ms(row.close_ms);
    lane.set_condition(ended_as(row.status, lane.condition()));
    if (row.status == "Terminated" || row.status == "TimedOut") lane.set_reason("workflow." + row.status);
  }
  if (lane.condition().empty()) lane.set_condition("running");
  if (lane.stage().empty()) lane.set_stage("authenticate");
  return import;
}

void read_lane(const json& from, v1::LaneStatus& lane) {
  if (!from.is_object()) return;
  lane.set_stage(text_in(from, "stage"));
  lane.set_condition(text_in(from, "condition"));
  lane.set_reason(text_in(from, "reason"));
  lane.set_who(text_in(from, "who"));
  lane.set_why(text_in(from, "why"));
  if (const auto until = number_in(from, "until_ms"); until > 0) lane.set_until_ms(until);
}

/// The workflow's answer to the query `status`.
void add_status(const std::string& text, v1::Import& import) {
  const auto status = json::parse(text, nullptr, false);
  if (!status.is_object()) return;
  import.set_workspace(text_in(status, "workspace"));
  import.set_enumerated(status.value("enumerated", json(false)) == json(true));
  if (!import.has_closed_ms()) {
    read_lane(status.value("first", json()), *import.mutable_first());
    read_lane(status.value("bulk", json()), *import.mutable_bulk());
  }
  const auto& from = status.value("counters", json::object());
  auto& counters = *import.mutable_counters();
  counters.set_found(number_in(from, "found"));
  counters.set_registered(number_in(from, "registered"));
  counters.set_duplicate(number_in(from, "duplicate"));
  counters.set_skipped(number_in(from, "skipped"));
  counters.set_failed(number_in(from, "failed"));
  counters.set_pending(number_in(from, "pending"));
  counters.set_media_bytes(number_in(from, "media_bytes"));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// A text of a list filter: quotes and backslashes escaped.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

std::string list_filter(const TemporalFilter& filter) {
  std::string query = fmt::format("WorkflowType = '{}'", workflows::kImportWorkflow);
  if (!filter.query.empty()) query += " AND (" + filter.query + ")";
  auto conditions = filter.conditions;
  if (filter.attention) conditions = {"needs_attention"};
  if (!conditions.empty()) {
    std::string any;
    for (const auto& one : conditions) any += (any.empty() ? "" : ", ") + quoted(one);
    query += " AND CallImportCondition IN (" + any + ")";
  }
  if (!filter.platform.empty()) query += " AND CallImportPlatform = " + quoted(filter.platform);
  if (filter.after_ms > 0) query += " AND StartTime >= " + quoted(format_utc(from_unix_ms(filter.after_ms)));
  return query;
}

tl::expected<std::optional<WorkflowRow>, CliError> find_workflow(Session& session, const std::string& id) {
  if (ImportId::parse(id)) {
    CLI_TRY(auto row, describe_workflow(session, id));
    if (row) return row;
  }
  if (id.size() > 100 || id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
    return std::optional<WorkflowRow>();
  CLI_TRY(const auto rows, list_workflows(session,
                                          fmt::format("WorkflowType = '{}' AND WorkflowId STARTS_WITH '{}'",
                                                      workflows::kImportWorkflow, id),
                                          1000));
  std::set<std::string> ids;
  for (const auto& row : rows) ids.insert(row.workflow_id);
  if (ids.size() > 1) {
    return sorry(kExitUsage, "ambiguous", fmt::format("{} imports begin with {}", ids.size(), printable(id)),
                 "callimport list");
  }
  if (ids.empty()) return std::optional<WorkflowRow>();
  return describe_workflow(session, *ids.begin());
}

}  // namespace

tl::expected<std::optional<v1::Import>, CliError> import_of_workflow(Session& session, const std::string& id) {
  CLI_TRY(const auto row, find_workflow(session, id));
  if (!row) return std::optional<v1::Import>();
  auto import = import_of(*row);
  const auto timeout = std::min<std::chrono::milliseconds>(kAnswerMax, session.timeout());
  if (const auto status = query_workflow(session, row->workflow_id, workflows::kQueryStatus, timeout))
    add_status(*status, import);
  return std::optional<v1::Import>(std::move(import));
}

tl::expected<std::vector<v1::Import>, CliError> imports_of_workflows(Session& session, const TemporalFilter& filter) {
  const bool some = !filter.text.empty();
  CLI_TRY(const auto rows, list_workflows(session, list_filter(filter), some ? 100'000 : filter.limit));
  std::vector<v1::Import> imports;
  std::set<std::string> seen;
  for (const auto& row : rows) {
    if (!seen.insert(row.workflow_id).second) continue;  // an earlier run of the same import
    auto import = import_of(row);
    const auto words = lower(import.title() + " " + import.workspace() + " " + import.id());
    if (some && words.find(lower(filter.text)) == std::string::npos) continue;
    imports.push_back(std::move(import));
    if (static_cast<int>(imports.size()) == filter.limit) break;
  }
  return imports;
}

}  // namespace callimport::api
