#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "activities/import/advice.h"
#include "api/cli/audit.h"
#include "api/cli/import_facts.h"
#include "api/cli/import_screen.h"
#include "api/cli/imports.h"
#include "api/cli/programs.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct ShowFlags {
  std::string id, call, state, cause;
  bool calls = false, problems = false, timeline = false, notifications = false, audit = false, web = false,
       exit_status = false, settings = false, technical = false;
  int limit = 1000;
};

template <class Messages>
std::vector<nlohmann::json> shapes_of(const Messages& messages) {
  std::vector<nlohmann::json> rows;
  for (const auto& one : messages) rows.push_back(shape(one));
  return rows;
}

Ended show_calls(Session& session, const std::string& id, const ShowFlags& flags) {
  v1::ListImportCallsRequest request;
  request.set_import(id);
  request.set_state(flags.state);
  request.set_cause(flags.cause);
  request.set_page_size(1000);
  std::vector<v1::ImportCall> calls;
  do {
    CLI_TRY(auto reply,
            (session.ask<v1::ListImportCallsRequest, v1::ListImportCallsResponse>("ListImportCalls", request)));
    for (auto& call : *reply.mutable_calls()) calls.push_back(std::move(call));
    request.set_page_token(reply.next_page_token());
  } while (!request.page_token().empty() && static_cast<int>(calls.size()) < flags.limit);
  if (static_cast<int>(calls.size()) > flags.limit) calls.resize(static_cast<std::size_t>(flags.limit));
  Sheet sheet;
  sheet.rows = shapes_of(calls);
  sheet.columns = import_call_columns();
  sheet.empty = flags.state.empty() && flags.cause.empty()
                    ? "no calls found so far; next: callimport watch " + id
                    : "none of that state or cause; all of them: callimport show " + id + " --calls";
  sheet.text = [&] {
    Table table{{"SOURCE ID", "TITLE", "START", "LENGTH", "STATE", "TRIES", "CAUSE"}, {}, 1};
    for (const auto& call : calls) {
      table.rows.push_back({printable(call.source_id()), printable(call.title()),
                            format_utc(from_unix_ms(call.start_ms())),
                            call.has_duration_ms() ? human_duration(call.duration_ms()) : "-", call.state(),
                            std::to_string(call.attempts()), call.cause()});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

/// All six, each with its state, and with times where the library knows them.
std::vector<nlohmann::json> stages_of(const v1::GetImportResponse& reply) {
  std::vector<nlohmann::json> rows;
  for (const auto& stop : rail_of(reply.import())) {
    nlohmann::json row = {{"stage", workflows::to_string(stop.stage)}};
    for (const auto& time : reply.stages()) {
      if (time.stage() == workflows::to_string(stop.stage)) row = shape(time);
    }
    row["state"] = stop.state;
    rows.push_back(std::move(row));
  }
  return rows;
}

/// ID-09: each attempt with its time, length and end.
std::string attempts_of(const Session& session, const v1::GetImportCallResponse& reply) {
  if (reply.attempts().empty()) return {};
  Table table{{"ATTEMPT", "AT", "TOOK", "END", "CAUSE", "WHAT HAPPENED"}, {}, 5};
  for (const auto& attempt : reply.attempts()) {
    table.rows.push_back({std::to_string(attempt.number()), format_utc(from_unix_ms(attempt.at_ms())),
                          fmt::format("{:.1f} s", static_cast<double>(attempt.took_ms()) / 1'000.0), attempt.outcome(),
                          attempt.cause(), printable(attempt.detail())});
  }
  return table.show(session.width());
}

Ended show_call(Session& session, const std::string& id, const ShowFlags& flags) {
  v1::GetImportCallRequest request;
  request.set_import(id);
  request.set_source_id(flags.call);
  auto asked = session.ask<v1::GetImportCallRequest, v1::GetImportCallResponse>("GetImportCall", request);
  if (!asked && asked.error().code == "not_found") asked.error().next = "callimport show " + id + " --calls";
  if (!asked) return tl::unexpected(std::move(asked).error());
  const auto& reply = *asked;
  const auto& call = reply.call();
  std::string answer;
  if (call.state() == "registered")
    answer = "imported";
  else if (call.state() == "duplicate")
    answer = "not imported again: it was in the library already" +
             (call.repeats().empty() ? std::string() : ", as " + call.repeats());
  else if (call.state() == "pending" || call.state() == "staged")
    answer = "not yet";
  else
    answer = "not imported: " + call.cause();
  Sheet sheet;
  sheet.rows = {shape(call)};
  sheet.rows.front()["answer"] = answer;
  sheet.rows.front()["attempts_seen"] = shapes_of(reply.attempts());
  if (!reply.library_call().empty()) sheet.rows.front()["call"] = reply.library_call();
  sheet.columns =
      plain_columns({"source_id", "title", "state", "answer", "cause", "detail", "attempts", "lane", "call"});
  const auto link = reply.library_call().empty()
                        ? std::string()
                        : "in the library: callimport calls show " + reply.library_call() + "\n";
  sheet.text = [&] {
    return fmt::format("{}  {}\n{}\n{}\nattempts {}, lane {}\n{}", printable(call.source_id()), printable(call.title()),
                       answer, call.detail().empty() ? "state " + call.state() : printable(call.detail()),
                       call.attempts(), call.lane(), link + attempts_of(session, reply));
  };
  return print_object(session, sheet);
}

/// what each cause means, who can fix it, and how.
std::string advice_of(const std::string& id, const google::protobuf::RepeatedPtrField<v1::Problem>& problems,
                      std::size_t width) {
  constexpr int kShown = 10;
  std::string text;
  for (int i = 0; i < std::min(problems.size(), kShown); ++i) {
    const auto& cause = problems[i].cause();
    const auto& advice = activities::advice_for(cause);
    text += wrapped(fmt::format("{}: {} {} Who can fix it: {}. {}", cause, advice.what, advice.means, advice.who,
                                activities::action_for(advice, id, cause)),
                    width, 2) +
            "\n";
  }
  return text;
}

/// ID-07: what the reader has not seen yet, and what was there before and is there again.
std::string mark_of(const Session& session, const v1::Problem& problem) {
  if (problem.set_aside() > 0 && problem.set_aside() == problem.calls()) return "set aside";
  if (problem.has_came_back_ms()) return "came back " + session.time(problem.came_back_ms());
  return problem.is_new() ? "new" : "";
}

Ended show_problems(Session& session, const std::string& id) {
  v1::ListProblemsRequest request;
  request.set_import(id);
  request.set_look(true);
  CLI_TRY(const auto reply, (session.ask<v1::ListProblemsRequest, v1::ListProblemsResponse>("ListProblems", request)));
  Sheet sheet;
  sheet.rows = shapes_of(reply.problems());
  sheet.columns = problem_columns();
  sheet.empty = "no problems found. Nice work!";
  sheet.text = [&] {
    Table table{{"CALLS", "CAUSE", "MARK", "FIRST", "LAST", "EXAMPLE", "WHAT HAPPENED"}, {}, 6};
    for (const auto& problem : reply.problems()) {
      table.rows.push_back({human_count(problem.calls()), problem.cause(), mark_of(session, problem),
                            problem.has_first_ms() ? session.time(problem.first_ms()) : "-",
                            problem.has_last_ms() ? session.time(problem.last_ms()) : "-", printable(problem.example()),
                            printable(problem.detail())});
    }
    return table.show(session.width()) + "\n" + advice_of(id, reply.problems(), session.width());
  };
  CLI_TRY_VOID(print_sheet(session, sheet));
  if (!reply.problems().empty())
    session.say("next: callimport show " + id + " --calls --cause " + reply.problems(0).cause());
  const bool broken = std::any_of(reply.problems().begin(), reply.problems().end(),
                                  [](const auto& problem) { return problem.cause().starts_with("media."); });
  if (broken) session.say("broken recordings are kept: callimport quarantine list --import " + id);
  return kExitDone;
}

/// How long each entry's lane stayed as it says; nothing for what still is.
std::vector<std::optional<std::int64_t>> lasted(const std::vector<v1::TimelineEntry>& entries) {
  std::vector<std::optional<std::int64_t>> all(entries.size());
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto [before, first] = last.try_emplace(entries[i].lane(), i);
    if (!first) all[before->second] = entries[i].at_ms() - entries[before->second].at_ms();
    before->second = i;
  }
  return all;
}

Ended show_timeline(Session& session, const std::string& id, const ShowFlags& flags) {
  v1::ListTimelineRequest request;
  request.set_import(id);
  request.set_page_size(1000);
  std::vector<v1::TimelineEntry> entries;
  for (;;) {
    CLI_TRY(auto reply, (session.ask<v1::ListTimelineRequest, v1::ListTimelineResponse>("ListTimeline", request)));
    const bool more = reply.entries_size() == 1000;
    if (reply.entries_size() > 0) request.set_after_change(reply.entries(reply.entries_size() - 1).change());
    for (auto& entry : *reply.mutable_entries()) entries.push_back(std::move(entry));
    if (!more || static_cast<int>(entries.size()) >= flags.limit) break;
  }
  const auto times = lasted(entries);
  if (static_cast<int>(entries.size()) > flags.limit) entries.resize(static_cast<std::size_t>(flags.limit));
  const auto asked_for = [&](const v1::TimelineEntry& entry) {
    return flags.state.empty() || entry.status().condition() == flags.state;
  };
  Sheet sheet;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!asked_for(entries[i])) continue;
    sheet.rows.push_back(shape(entries[i]));
    if (times[i]) sheet.rows.back()["lasted_s"] = static_cast<double>(*times[i]) / 1'000.0;
  }
  sheet.empty = flags.state.empty()
                    ? "nothing happened so far; next: callimport watch " + id
                    : "it was never " + printable(flags.state) + "; all of it: callimport show " + id + " --timeline";
  sheet.columns = plain_columns({"at", "lane", "stage", "condition", "reason", "lasted_s"});
  for (const char* counter : {"found", "registered", "duplicate", "skipped", "failed", "pending"})
    sheet.columns.push_back({counter, std::string("counters.") + counter});
  sheet.text = [&] {
    Table table{{"AT", "LANE", "STAGE", "STATE", "LASTED", "REASON", "COUNTERS"}, {}, 6};
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!asked_for(entries[i])) continue;
      const auto& status = entries[i].status();
      table.rows.push_back({format_utc(from_unix_ms(entries[i].at_ms())), entries[i].lane(), status.stage(),
                            status.condition(), times[i] ? human_duration(*times[i]) : "-", status.reason(),
                            counter_line(entries[i].counters())});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

Ended show_notifications(Session& session, const std::string& id, int limit) {
  v1::ListNotificationsRequest request;
  request.set_import(id);
  request.set_page_size(std::min(limit, 1000));
  CLI_TRY(const auto reply,
          (session.ask<v1::ListNotificationsRequest, v1::ListNotificationsResponse>("ListNotifications", request)));
  Sheet sheet;
  sheet.rows = shapes_of(reply.notifications());
  sheet.columns = plain_columns({"at", "event", "subject", "text", "next"});
  sheet.empty = "nobody was told anything yet";
  sheet.text = [&] {
    Table table{{"AT", "EVENT", "SUBJECT"}, {}, 2};
    for (const auto& one : reply.notifications())
      table.rows.push_back({format_utc(from_unix_ms(one.at_ms())), one.event(), printable(one.subject())});
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

Ended show_web(Session& session, const std::string& id) {
  const auto page = web_page_of(session, id);
  if (page.empty())
    return sorry(kExitUsage, "usage", "no Web UI is configured",
                 "set web_url in [profile.default] of the configuration, or CALLIMPORT_WEB_URL");
  const auto opener = find_program("xdg-open");
  if (!opener.empty() && session.out_is_terminal() && run_program(opener, {page}) == 0) session.say("opened " + page);
  session.print(page + "\n");
  return kExitDone;
}

Ended show(Session& session, const ShowFlags& flags) {
  const bool details = !flags.call.empty() || flags.calls || flags.problems || flags.timeline || flags.notifications ||
                       flags.audit || flags.technical;
  if (details || flags.web) {
    CLI_TRY(const auto id, find_import(session, flags.id));
    if (flags.web) return show_web(session, id);
    if (!flags.call.empty()) return show_call(session, id, flags);
    if (flags.calls) return show_calls(session, id, flags);
    if (flags.problems) return show_problems(session, id);
    if (flags.audit) return show_audit(session, id, flags.limit);
    if (flags.timeline) return show_timeline(session, id, flags);
    if (flags.technical) return show_technical(session, id);
    return show_notifications(session, id, flags.limit);
  }
  CLI_TRY(const auto reply, get_import(session, flags.id));
  const auto& import = reply.import();
  if (flags.settings) return show_settings(session, import);
  Sheet sheet;
  sheet.rows = {shape(import)};
  sheet.rows.front()["problems"] = shapes_of(reply.problems());
  sheet.rows.front()["stages"] = stages_of(reply);
  sheet.rows.front()["next"] = next_command(import, !reply.problems().empty());
  sheet.columns = import_columns();
  sheet.text = [&] { return import_screen(session, reply, web_page_of(session, import.id())); };
  CLI_TRY_VOID(print_object(session, sheet));
  if (session.output() == Output::kText) session.say("\nnext: " + next_command(import, !reply.problems().empty()));
  return flags.exit_status ? exit_of(import) : static_cast<int>(kExitDone);
}

}  // namespace

void add_show(Tree& tree) {
  auto& verb = tree.verb(tree.root, "show", "Show one import: where it stands, counters, problems",
                         {"callimport show imp_7f3a", "callimport show imp_7f3a --calls --state failed -o csv"});
  auto flags = std::make_shared<ShowFlags>();  // shared by the parser and the body
  verb.add_option("import", flags->id, "import id, its beginning, or the address of its page")->required();
  verb.add_flag("--calls", flags->calls, "every call found");
  verb.add_option("--state", flags->state,
                  "with --calls: pending, staged, registered, duplicate, skipped or failed; with --timeline: "
                  "running, waiting, needs_attention, paused ...");
  verb.add_option("--cause", flags->cause, "with --calls: only this cause");
  verb.add_flag("--problems", flags->problems, "failed and skipped calls by cause");
  verb.add_flag("--timeline", flags->timeline, "every change of stage or state");
  verb.add_flag("--notifications", flags->notifications, "what people were told");
  verb.add_flag("--audit", flags->audit, "who did what, when, from where and why");
  verb.add_flag("--settings", flags->settings, "what it was asked for, and by which rules it runs");
  verb.add_flag("--technical", flags->technical, "its workflow and run, and how to read its history");
  verb.add_flag("--web", flags->web, "open its page in Temporal's Web UI, or print the address");
  verb.add_option("--call", flags->call, "was the call of this source id imported, and if not, why");
  verb.add_option("--limit", flags->limit, "rows at most")->check(CLI::Range(1, 10'000'000));
  verb.add_flag("--exit-status", flags->exit_status, "0 completed, 5 with gaps, 6 failed, 3 cancelled, 8 still open");
  tree.run(verb, [&session = tree.session, flags] { return show(session, *flags); });
}

}  // namespace callimport::api
