#include "api/cli/imports.h"

#include <fmt/format.h>

#include "api/cli/shape.h"
#include "api/cli/temporal_imports.h"
#include "storage/model/ids.h"

namespace callimport::api {
namespace {

/// The id inside of a page's address; any other text as it is.
std::string id_of_url(const std::string& text) {
  if (!text.starts_with("http://") && !text.starts_with("https://")) return text;
  const auto at = text.find("/" + std::string(ImportTag::prefix));
  if (at == std::string::npos) return text;
  const auto end = text.find_first_of("/?#", at + 1);
  return text.substr(at + 1, end == std::string::npos ? end : end - at - 1);
}

}  // namespace

tl::expected<v1::GetImportResponse, CliError> get_import(Session& session, const std::string& asked) {
  const auto text = id_of_url(asked);
  v1::GetImportRequest request;
  request.set_id(text);
  auto reply = session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request);
  if (reply || (reply.error().code != kLibraryAbsent && reply.error().code != "not_found")) return reply;
  if (reply.error().code == "not_found" && !ImportId::parse(text)) return reply;
  CLI_TRY(auto known, import_of_workflow(session, text));
  if (!known) {
    if (reply.error().code == "not_found") return reply;
    return sorry(kExitFailed, "not_found", "no import " + printable(text.substr(0, 100)), "callimport list");
  }
  v1::GetImportResponse response;
  *response.mutable_import() = std::move(*known);
  return response;
}

tl::expected<std::string, CliError> find_import(Session& session, const std::string& text) {
  CLI_TRY(const auto reply, get_import(session, text));
  return reply.import().id();
}

std::string web_page_of(Session& session, const std::string& id) {
  const auto connected = session.connection();
  if (!connected || (*connected)->web_url.empty()) return {};
  return fmt::format("{}/namespaces/{}/workflows/{}", (*connected)->web_url, (*connected)->name_space, id);
}

int exit_of(const v1::Import& import) {
  if (!import.has_closed_ms()) return kExitPending;
  const auto& condition = shown_lane(import).condition();
  if (condition == "completed") return kExitDone;
  if (condition == "completed_with_gaps") return kExitGaps;
  return condition == "cancelled" || condition == "undone" ? kExitCancelled : kExitImportFailed;
}

std::string state_line(const Session& session, const v1::Import& import) {
  const auto& lane = shown_lane(import);
  auto line = condition_words(lane.condition());
  if (!import.has_closed_ms()) {
    line += " · " + stage_words(lane.stage());
    if (lane.has_until_ms())
      line +=
          (session.time_format() == TimeFormat::kRelative ? ", goes on " : ", until ") + session.time(lane.until_ms());
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

std::string time_left(const v1::Import& import, std::int64_t now_ms) {
  const auto& eta = import.eta();
  if (!eta.has_to_ms()) return eta.cause().empty() ? end_words({}, {}, now_ms) : eta.cause();
  const auto words = end_words(eta.from_ms(), eta.to_ms(), now_ms);
  return eta.cause().empty() ? words : words + ", because of " + eta.cause();
}

std::string bar(std::int64_t done, std::int64_t all, std::size_t width) {
  const auto filled =
      all <= 0
          ? 0
          : static_cast<std::size_t>(static_cast<double>(width) * static_cast<double>(done) / static_cast<double>(all));
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text += i < filled ? "█" : "░";
  return text;
}

}  // namespace callimport::api
