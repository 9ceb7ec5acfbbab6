#include "api/cli/import_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "activities/import/choice.h"
#include "activities/import/contract.h"
#include "api/cli/shape.h"
#include "api/cli/sheet.h"
#include "api/cli/workflows.h"
#include "storage/library/lane_order.h"

namespace callimport::api {
namespace {

using nlohmann::json;

std::string extent_of(const activities::ImportInput& order) {
  const auto choice = activities::choice_words(order);
  std::string text = "all calls";
  if (order.calls_max > 0)
    text = fmt::format("{} calls, {}", human_count(order.calls_max), order.spread ? "across all dates" : "the newest");
  return choice.empty() ? text : text + "; " + choice;
}

std::string approval_of(const activities::ImportSettings& settings) {
  if (settings.approve_above_percent >= 100) return "nobody is asked to approve gaps";
  return fmt::format("a person, when more than {} of 100 calls did not come", settings.approve_above_percent);
}

using Lines = std::vector<std::pair<std::string, std::string>>;

Lines settings_of(const v1::Import& import, const activities::ImportInput& order) {
  const auto ordered = storage::parse_lane_order(order.order).value_or(storage::LaneOrder{});
  Lines lines = {
      {"platform", import.platform()},
      {"workspace", import.workspace()},
      {"customer", import.title()},
      {"access", import.credential().empty() ? "wiped" : import.credential()},
      {"what", extent_of(order)},
      {"media", order.media ? "recordings and transcripts" : "transcripts only"},
      {"order", storage::spoken_order(ordered)},
      {"first calls", fmt::format("{}, at any hour", human_count(order.settings.first_lane))},
      {"bulk runs", order.window.empty() ? "as the server says" : order.window},
      {"zone", order.zone.empty() ? "UTC" : order.zone},
      {"duplicates", order.duplicates.empty() ? "skip" : order.duplicates},
      {"gaps", approval_of(order.settings)},
      {"at once", fmt::format("{} calls, {} a step", order.settings.fetch_at_once, order.settings.fetch_batch)},
      {"started by", order.started_by}};
  if (order.at_ms != 0) lines.emplace_back("begins", format_utc(from_unix_ms(order.at_ms)));
  if (!order.base_url.empty()) lines.emplace_back("server", order.base_url);
  return lines;
}

/// Two columns, a line each.
std::string sheet_of(const Lines& lines, std::size_t width) {
  std::string text;
  for (const auto& [name, value] : lines)
    text += wrapped(fit(name, std::max<std::size_t>(columns(name), 12)) + "  " + printable(value), width, 14) + "\n";
  return text;
}

json value_of(const std::string& text) {
  auto value = json::parse(text, nullptr, false);
  return value.is_discarded() ? json(text) : value;
}

/// A text without its quotes, anything else as JSON.
std::string words_of(const std::string& value) {
  const auto parsed = value_of(value);
  return parsed.is_string() ? parsed.get<std::string>() : value;
}

}  // namespace

Ended show_settings(const Session& session, const v1::Import& import) {
  const auto order = activities::read_note<activities::ImportInput>(import.input());
  if (!order) return sorry(kExitFailed, "not_found", "what " + import.id() + " was asked for cannot be read", {});
  Sheet sheet;
  auto row = json(*order);
  for (const char* inner : {"state", "retries", "predicted"}) row.erase(inner);
  sheet.rows = {std::move(row)};
  sheet.columns = plain_columns({"import", "platform", "workspace", "title", "window", "zone", "order", "duplicates"});
  sheet.text = [&] { return sheet_of(settings_of(import, *order), session.width()); };
  CLI_TRY_VOID(print_object(session, sheet));
  if (session.output() == Output::kText) {
    session.say("\nother hours: callimport window set " + import.id() + " \"always\"");
    session.say("another import with these settings: callimport start --like " + import.id());
  }
  return kExitDone;
}

Ended show_technical(Session& session, const std::string& id) {
  CLI_TRY(const auto known, describe_workflow(session, id));
  if (!known) return sorry(kExitFailed, "not_found", "no workflow " + id, "callimport show " + id);
  const auto server = session.ask<v1::GetServerInfoRequest, v1::GetServerInfoResponse>("GetServerInfo", {});
  const auto address =
      server && !server->grpc_address().empty() ? server->grpc_address() : session.flags.connection.address;
  const std::string ours = "callimport history export " + id + " --to FILE";
  const auto theirs = fmt::format("temporal workflow show --workflow-id {} --namespace {}{}", id, session.name_space(),
                                  address.empty() ? std::string() : " --address " + address);
  Sheet sheet;
  json attributes = json::object();
  for (const auto& [name, value] : known->attributes) attributes[name] = value_of(value);
  sheet.rows = {{{"workflow_id", known->workflow_id},
                 {"run_id", known->run_id},
                 {"type", known->type},
                 {"status", known->status},
                 {"started", format_utc(from_unix_ms(known->start_ms))},
                 {"search_attributes", attributes},
                 {"history", ours},
                 {"temporal", theirs}}};
  sheet.columns = plain_columns({"workflow_id", "run_id", "type", "status", "started", "history", "temporal"});
  sheet.text = [&] {
    Lines lines = {
        {"workflow", known->workflow_id}, {"run", known->run_id}, {"type", known->type}, {"status", known->status}};
    for (const auto& [name, value] : known->attributes) lines.emplace_back(name, words_of(value));
    lines.insert(lines.end(), {{"history", ours}, {"or", theirs}, {"replay", "callimport history replay FILE"}});
    return sheet_of(lines, session.width());
  };
  return print_object(session, sheet);
}

}  // namespace callimport::api
