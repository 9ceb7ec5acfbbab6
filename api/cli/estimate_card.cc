#include "api/cli/estimate_card.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "activities/platforms/platform.h"
#include "api/cli/shape.h"
#include "api/grpc/router.h"

namespace callimport::api {
namespace {

using nlohmann::json;

inline constexpr auto kMessageMax = std::chrono::minutes{2};
inline constexpr auto kSlowest = std::chrono::hours{1};  // where everything is counted

/// "12 - 15", or the one number when both are shown alike.
template <class Words>
std::string range_words(const v1::Range& range, Words words) {
  const std::string from = words(range.from()), to = words(range.to());
  return from == to ? from : from + " - " + to;
}

std::string count_words(double count) { return human_count(std::llround(count)); }
std::string length_words(double ms) {
  return ms < 60'000 ? std::string("under a minute") : human_duration(std::llround(ms));
}
std::string bytes_words(double bytes) { return human_bytes(std::llround(bytes)); }

std::string cost_words(const v1::Estimate& estimate) {
  if (!estimate.has_cost()) return estimate.cost_text();
  const auto money = [](double sum) { return fmt::format("{:.2f}", sum); };
  return fmt::format("{} {} ({})", range_words(estimate.cost(), money), estimate.currency(), estimate.cost_text());
}

json shape(const v1::Range& range) { return {{"from", range.from()}, {"to", range.to()}}; }

json shape(const v1::Estimate& estimate) {
  const auto maybe = [](bool there, const v1::Range& range) { return there ? shape(range) : json(nullptr); };
  json out = {{"calls", shape(estimate.calls())},
              {"to_import", std::llround(estimate.to_import())},
              {"exact", estimate.exact()},
              {"hours", maybe(estimate.has_hours(), estimate.hours())},
              {"bytes", maybe(estimate.has_bytes(), estimate.bytes())},
              {"requests", shape(estimate.requests())},
              {"day_share", estimate.day_share()},
              {"duration_ms", maybe(estimate.has_duration_ms(), estimate.duration_ms())},
              {"first_ms", maybe(estimate.has_first_ms(), estimate.first_ms())},
              {"cause", estimate.cause()},
              {"cost", maybe(estimate.has_cost(), estimate.cost())},
              {"cost_text", estimate.cost_text()},
              {"not_coming", json::array()},
              {"basis", estimate.basis()},
              {"confidence", estimate.confidence()},
              {"accuracy", estimate.accuracy()}};
  for (const auto& one : estimate.not_coming())
    out["not_coming"].push_back({{"cause", one.cause()}, {"calls", one.calls()}, {"text", one.text()}});
  return out;
}

/// What is known while it is still counted.
void draw_partial(const Session& session, const v1::EstimateImportResponse& message) {
  if (!session.err_is_terminal() || session.flags.quiet || !message.has_estimate()) return;
  session.say_raw(
      fmt::format("\r\x1b[Kcounting: about {} calls so far", range_words(message.estimate().calls(), count_words)));
}

}  // namespace

tl::expected<v1::EstimateImportResponse, CliError> look_before(Session& session, const Look& look) {
  v1::EstimateImportRequest request;
  request.set_input(activities::write_note(look.order));
  request.set_secret(look.token);
  request.set_token_kind(look.token_kind);
  request.set_time_ms(look.time_ms);
  request.set_checks_only(look.checks_only);
  for (const auto& call : look.named) request.add_calls(call);
  request.mutable_only()->Add(look.only.begin(), look.only.end());
  CLI_TRY(auto* client, session.client());
  watch_for_interrupt();
  auto stream = client->stream("/callimport.v1.CallImportService/EstimateImport", request);
  v1::EstimateImportResponse last;
  const std::chrono::milliseconds longest = look.time_ms < 0 ? kSlowest : kMessageMax;
  for (;;) {
    v1::EstimateImportResponse message;
    const auto next = stream->next(message, longest);
    if (next == ClientStream::Next::kMessage) {
      last = std::move(message);
      if (last.whole()) break;
      draw_partial(session, last);
      continue;
    }
    if (next == ClientStream::Next::kInterrupted)
      return sorry(kExitInterrupted, "interrupted", "nothing was started", {});
    if (next == ClientStream::Next::kTimeout)
      return sorry(kExitTimeout, "timeout", "the platform did not answer in time; nothing was started", {});
    const auto status = stream->status();
    if (status.code == kGrpcUnimplemented)
      return sorry(kExitFailed, kLibraryAbsent, "no library answers there, so nothing can be estimated", {});
    return tl::unexpected(to_error(status, session));
  }
  if (session.err_is_terminal() && !session.flags.quiet) session.say_raw("\r\x1b[K");
  return last;
}

std::string estimate_card(const v1::Estimate& estimate, const activities::ImportInput& order) {
  const auto* platform = activities::find_platform(order.platform);
  std::string card =
      fmt::format("estimate: {} from {}\n", printable(order.title.empty() ? order.workspace : order.title),
                  platform == nullptr ? order.platform : std::string(platform->title));
  const auto line = [&card](const char* head, const std::string& text) {
    card += fmt::format("  {:<11} {}\n", head, text);
  };
  line("calls", fmt::format("{} found, {}{} to import", range_words(estimate.calls(), count_words),
                            estimate.exact() ? "" : "about ", count_words(estimate.to_import())));
  line("hours", estimate.has_hours()
                    ? range_words(estimate.hours(), [](double hours) { return fmt::format("{:.1f}", hours); })
                    : std::string("not known: no call tells its length"));
  line("recordings", estimate.has_bytes() ? range_words(estimate.bytes(), bytes_words)
                                          : std::string("not known: none could be measured"));
  line("requests", range_words(estimate.requests(), count_words) + "; " + estimate.day_share());
  if (estimate.has_first_ms())
    line("first calls", range_words(estimate.first_ms(), length_words) +
                            fmt::format(" until the first {} are there", human_count(order.settings.first_lane)));
  line("duration", estimate.has_duration_ms()
                       ? range_words(estimate.duration_ms(), length_words) + ", because of " + estimate.cause()
                       : std::string("not known: no limit to reckon with"));
  line("cost", cost_words(estimate));
  for (const auto& one : estimate.not_coming())
    line("not coming",
         fmt::format("{} {} {}", human_count(one.calls()), one.calls() == 1 ? "call" : "calls", one.text()));
  line("rests on", estimate.basis() + "; confidence " + estimate.confidence());
  if (!estimate.accuracy().empty()) line("so far", estimate.accuracy());
  return card;
}

std::string check_list(const google::protobuf::RepeatedPtrField<v1::Check>& checks) {
  std::string text;
  for (const auto& check : checks)
    text += fmt::format("  {:<15} {:<26} {}\n", check.result(), check.title(), printable(check.text()));
  return text;
}

json shape(const v1::EstimateImportResponse& response) {
  json out = {{"checks", json::array()}};
  for (const auto& check : response.checks()) {
    out["checks"].push_back({{"name", check.name()},
                             {"title", check.title()},
                             {"result", check.result()},
                             {"text", check.text()},
                             {"at", format_utc(from_unix_ms(check.at_ms()))}});
  }
  out["estimate"] = response.has_estimate() ? shape(response.estimate()) : json(nullptr);
  return out;
}

const v1::Check* failed_check(const v1::EstimateImportResponse& response, std::string_view beginning) {
  for (const auto& check : response.checks()) {
    if (check.result() == "fail" && check.name().starts_with(beginning)) return &check;
  }
  return nullptr;
}

}  // namespace callimport::api
