#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/proto/callimport/v1/callimport.pb.h"

namespace callimport::api {
namespace {

using nlohmann::json;

struct MetricsFlags {
  std::string platform;
  double days = 0;
};

json seconds_or_null(bool there, std::int64_t ms) {
  return there ? json(static_cast<double>(ms) / 1'000) : json(nullptr);
}

/// Share of ended imports; null where none has ended.
json share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? json(static_cast<double>(part) / static_cast<double>(whole)) : json(nullptr);
}

std::int64_t ended_of(const v1::ImportFigures& one) {
  return one.completed() + one.completed_with_gaps() + one.failed();
}

json shape_of(const v1::ImportFigures& one) {
  return {{"platform", one.platform().empty() ? "all" : one.platform()},
          {"imports", one.imports()},
          {"open", one.open()},
          {"completed", one.completed()},
          {"completed_with_gaps", one.completed_with_gaps()},
          {"failed", one.failed()},
          {"cancelled", one.cancelled()},
          {"without_engineer", share(one.without_engineer(), ended_of(one))},
          {"first_ready_p50_s", seconds_or_null(one.has_first_ready_p50_ms(), one.first_ready_p50_ms())},
          {"first_ready_p90_s", seconds_or_null(one.has_first_ready_p90_ms(), one.first_ready_p90_ms())},
          {"first_ready_p99_s", seconds_or_null(one.has_first_ready_p99_ms(), one.first_ready_p99_ms())},
          {"duration_p50_s", seconds_or_null(one.has_duration_p50_ms(), one.duration_p50_ms())},
          {"duration_p90_s", seconds_or_null(one.has_duration_p90_ms(), one.duration_p90_ms())},
          {"duration_p99_s", seconds_or_null(one.has_duration_p99_ms(), one.duration_p99_ms())},
          {"calls_found", one.found()},
          {"gaps", one.gaps()},
          {"gap_share", share(one.gaps(), one.found())},
          {"foretold", one.foretold()},
          {"foretold_kept", one.kept()},
          {"ends_told", one.ends_told()},
          {"ends_held", one.ends_held()}};
}

std::string lengths(bool there, std::int64_t p50, std::int64_t p90, std::int64_t p99) {
  if (!there) return "-";
  return fmt::format("{} / {} / {}", human_duration(p50), human_duration(p90), human_duration(p99));
}

std::string percent(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole)) : "-";
}

std::string table_of(const Session& session, const v1::MeasureImportsResponse& reply) {
  Table table;
  table.head = {
      "PLATFORM", "IMPORTS",  "OPEN",         "FIRST CALLS p50/p90/p99", "DURATION p50/p90/p99", "NO ENGINEER",
      "GAPS",     "FORETOLD", "WHILE RUNNING"};
  for (const auto& one : reply.figures()) {
    table.rows.push_back(
        {one.platform().empty() ? "all" : one.platform(), human_count(one.imports()), human_count(one.open()),
         lengths(one.has_first_ready_p50_ms(), one.first_ready_p50_ms(), one.first_ready_p90_ms(),
                 one.first_ready_p99_ms()),
         lengths(one.has_duration_p50_ms(), one.duration_p50_ms(), one.duration_p90_ms(), one.duration_p99_ms()),
         percent(one.without_engineer(), ended_of(one)), percent(one.gaps(), one.found()),
         one.foretold() > 0 ? fmt::format("{}/{}", one.kept(), one.foretold()) : "-",
         one.ends_told() > 0 ? fmt::format("{}/{}", one.ends_held(), one.ends_told()) : "-"});
  }
  return table.show(session.width());
}

Ended measure(Session& session, const MetricsFlags& flags) {
  v1::MeasureImportsRequest request;
  request.set_platform(flags.platform);
  if (flags.days > 0)
    request.set_created_after_ms(session.now_ms() - static_cast<std::int64_t>(flags.days * 86'400'000.0));
  CLI_TRY(const auto reply,
          (session.ask<v1::MeasureImportsRequest, v1::MeasureImportsResponse>("MeasureImports", request)));
  Sheet sheet;
  for (const auto& one : reply.figures()) {
    if (one.imports() > 0) sheet.rows.push_back(shape_of(one));
  }
  sheet.columns = plain_columns({"platform",
                                 "imports",
                                 "open",
                                 "completed",
                                 "completed_with_gaps",
                                 "failed",
                                 "cancelled",
                                 "without_engineer",
                                 "first_ready_p50_s",
                                 "first_ready_p90_s",
                                 "first_ready_p99_s",
                                 "duration_p50_s",
                                 "duration_p90_s",
                                 "duration_p99_s",
                                 "calls_found",
                                 "gaps",
                                 "gap_share",
                                 "foretold",
                                 "foretold_kept",
                                 "ends_told",
                                 "ends_held"});
  sheet.text = [&] { return table_of(session, reply); };
  sheet.empty = "no imports yet";
  return print_sheet(session, sheet);
}

}  // namespace

void add_metrics(Tree& tree) {
  auto& metrics = tree.verb(tree.root, "metrics", "Figures over everything there is", {"callimport metrics imports"});
  metrics.require_subcommand(1);
  auto& verb = tree.verb(metrics, "imports", "Time to the first calls, length, gaps, and who was needed",
                         {"callimport metrics imports --days 30", "callimport metrics imports -o csv"});
  auto flags = std::make_shared<MetricsFlags>();  // shared by the parser and the body
  verb.add_option("--platform", flags->platform, "only this platform");
  verb.add_option("--days", flags->days, "started within so many days")->check(CLI::PositiveNumber);
  tree.run(verb, [&session = tree.session, flags] { return measure(session, *flags); });
}

}  // namespace callimport::api
