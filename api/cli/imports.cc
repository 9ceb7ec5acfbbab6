#include "api/cli/imports.h"

#include <fmt/format.h>

#include <cstdlib>

#include "api/cli/shape.h"
#include "api/cli/workflows.h"
#include "storage/model/ids.h"

namespace callimport::api {

tl::expected<std::string, CliError> find_import(Session& session, const std::string& text) {
  v1::GetImportRequest request;
  request.set_id(text);
  auto reply = session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request);
  if (reply) return reply->import().id();
  if (reply.error().code != "not_found" || !ImportId::parse(text)) return tl::unexpected(reply.error());
  CLI_TRY(const auto row, describe_workflow(session, text));
  if (!row) return tl::unexpected(reply.error());
  return text;
}

int exit_of(const v1::Import& import) {
  if (!import.has_closed_ms()) return kExitPending;
  const auto& condition = shown_lane(import).condition();
  if (condition == "completed") return kExitDone;
  if (condition == "completed_with_gaps") return kExitGaps;
  return condition == "cancelled" ? kExitCancelled : kExitImportFailed;
}

std::string state_line(const Session& session, const v1::Import& import) {
  const auto& lane = shown_lane(import);
  auto line = condition_words(lane.condition());
  if (!import.has_closed_ms()) {
    line += " · " + stage_words(lane.stage());
    if (lane.has_until_ms()) line += ", until " + session.time(lane.until_ms());
  }
  if (!lane.reason().empty()) line += ": " + lane.reason();
  if (!lane.why().empty()) line += " (" + printable(lane.why()) + ")";
  if (!lane.who().empty() && lane.condition() == "needs_attention")
    line += "; " + printable(lane.who()) + " can fix it";
  return line;
}

std::string counter_line(const v1::Counters& counters) {
  return fmt::format("found {} = registered {} + duplicate {} + skipped {} + failed {} + pending {}",
                     human_count(counters.found()), human_count(counters.registered()),
                     human_count(counters.duplicate()), human_count(counters.skipped()), human_count(counters.failed()),
                     human_count(counters.pending()));
}

bool terminal_has_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    const std::string text = value;
    return text.find("UTF-8") != std::string::npos || text.find("utf8") != std::string::npos ||
           text.find("UTF8") != std::string::npos;
  }
  return false;
}

std::string bar(std::int64_t done, std::int64_t all, std::size_t width) {
  const auto filled =
      all <= 0
          ? 0
          : static_cast<std::size_t>(static_cast<double>(width) * static_cast<double>(done) / static_cast<double>(all));
  const bool utf8 = terminal_has_utf8();
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text += i < filled ? (utf8 ? "█" : "#") : (utf8 ? "░" : "-");
  return text;
}

}  // namespace callimport::api
