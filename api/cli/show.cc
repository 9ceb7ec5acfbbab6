#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "activities/import/advice.h"
#include "api/cli/audit.h"
#include "api/cli/imports.h"
#include "api/cli/programs.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "workflows/import/table.h"

namespace callimport::api {
namespace {

struct ShowFlags {
  std::string id, call, state, cause;
  bool calls = false, problems = false, timeline = false, notifications = false, audit = false, web = false,
       exit_status = false;
  int limit = 1000;
};

std::string time_of(const v1::StageTime& time) {
  if (time.duration_ms() == 0) return {};
  std::string text = " " + human_duration(time.duration_ms());
  if (time.waited_ms() >= 1'000) text += ", waited " + human_duration(time.waited_ms());
  if (time.has_calls()) text += fmt::format(", {} calls", human_count(time.calls()));
  if (time.has_calls_per_minute()) text += fmt::format(", {:.0f} a minute", time.calls_per_minute());
  return text;
}

/// ID-02: one mark a stage (done, where it stands, to come), with its own time, calls and rate.
std::string rail(const v1::GetImportResponse& reply) {
  const auto& import = reply.import();
  const auto& lane = shown_lane(import);
  const auto at = workflows::parse_stage(lane.stage()).value_or(workflows::Stage::kAuthenticate);
  std::string text;
  for (int i = 0; i < workflows::kStages; ++i) {
    const auto stage = static_cast<workflows::Stage>(i);
    const bool done = import.has_closed_ms() || i < static_cast<int>(at);
    const bool here = !done && stage == at;
    text += fmt::format("  {} {}", done ? "✓" : here ? "●" : "○", fit(workflows::title_of(stage), 24));
    for (const auto& time : reply.stages()) {
      if (time.stage() == workflows::to_string(stage)) text += time_of(time);
    }
    text += "\n";
  }
  return text;
}

std::string next_command(const v1::Import& import, bool problems) {
  const auto& lane = shown_lane(import);
  if (lane.condition() == "needs_attention" && lane.reason().starts_with("access.")) {
    return "callimport credentials renew " + import.credential() + " --token-file FILE";
  }
  if (lane.condition() == "needs_attention" && lane.reason() == "gaps.approval") {
    return "callimport approve " + import.id() + ", or callimport retry " + import.id() + " --failed";
  }
  if (lane.condition() == "paused") return "callimport resume " + import.id();
  if (!import.has_closed_ms()) return "callimport watch " + import.id();
  if (problems) return "callimport show " + import.id() + " --problems";
  return "callimport calls list --import " + import.id();
}

/// Counters, and how long it may still take if it goes on as it went so far.
std::string progress_of(const Session& session, const v1::Import& import) {
  if (!import.has_counters()) return "counters are not known: no worker answers\n";
  const auto& counters = import.counters();
  const auto done = counters.found() - counters.pending();
  auto text = fmt::format("{} {} of {}{}\n{}\n", bar(done, counters.found(), 30), human_count(done),
                          human_count(counters.found()), import.enumerated() ? "" : " so far", counter_line(counters));
  text += fmt::format("recordings {}", human_bytes(counters.media_bytes()));
  if (!import.has_closed_ms()) {
    text += "; left: " + time_left(import, session.now_ms());
    if (!import.eta().accuracy().empty()) text += "\nso far: " + import.eta().accuracy();
  }
  return text + "\n";
}

std::string screen_of(const Session& session, const v1::GetImportResponse& reply, const std::string& page) {
  const auto& import = reply.import();
  const auto& problems = reply.problems();
  std::string text = session.bold(printable(import.title().empty() ? import.workspace() : import.title()));
  text += fmt::format("  ({} · {})\n{}\n\n{}\n", import.platform(), printable(import.workspace()), import.id(),
                      state_line(session, import));
  text += rail(reply);
  text += "\n" + progress_of(session, import);
  text += fmt::format("started {}", session.time(import.created_ms()));
  if (import.has_first_ready_ms())
    text += fmt::format(", first calls ready after {}", human_duration(import.first_ready_ms() - import.created_ms()));
  if (import.has_closed_ms())
    text += fmt::format(", ended after {}", human_duration(import.closed_ms() - import.created_ms()));
  text += "\n";
  if (!page.empty()) text += page + "\n";
  if (!problems.empty()) text += "\nproblems\n";
  constexpr int kShown = 5;
  for (int i = 0; i < std::min(problems.size(), kShown); ++i) {
    text += fmt::format("  {:>6}  {}  {}\n", human_count(problems[i].calls()), problems[i].cause(),
                        printable(problems[i].detail()));
  }
  if (problems.size() > kShown) text += fmt::format("  and {} more causes\n", problems.size() - kShown);
  const auto width = session.width();
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = text.find('\n', from);
    const auto line = std::string_view(text).substr(from, end - from);
    out += (width > 0 ? cut(line, width) : std::string(line)) + "\n";
    from = end + 1;
  }
  return out;
}

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
  sheet.text = [&] {
    Table table{{"SOURCE ID", "TITLE", "START", "STATE", "CAUSE"}, {}, 1};
    for (const auto& call : calls) {
      table.rows.push_back({printable(call.source_id()), printable(call.title()),
                            format_utc(from_unix_ms(call.start_ms())), call.state(), call.cause()});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
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
  CLI_TRY(const auto reply,
          (session.ask<v1::GetImportCallRequest, v1::GetImportCallResponse>("GetImportCall", request)));
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
  sheet.text = [&] {
    return fmt::format("{}  {}\n{}\n{}\nattempts {}, lane {}\n{}", printable(call.source_id()), printable(call.title()),
                       answer, call.detail().empty() ? "state " + call.state() : printable(call.detail()),
                       call.attempts(), call.lane(), attempts_of(session, reply));
  };
  return print_object(session, sheet);
}

/// what each cause means, who can fix it, and how.
std::string advice_of(const std::string& id, const google::protobuf::RepeatedPtrField<v1::Problem>& problems) {
  constexpr int kShown = 10;
  std::string text;
  for (int i = 0; i < std::min(problems.size(), kShown); ++i) {
    const auto& cause = problems[i].cause();
    const auto& advice = activities::advice_for(cause);
    text += fmt::format("{}: {} {} Who can fix it: {}. {}\n", cause, advice.what, advice.means, advice.who,
                        activities::action_for(advice, id, cause));
  }
  return text;
}

/// ID-07: what the reader has not seen yet, and what was there before and is there again.
std::string mark_of(const Session& session, const v1::Problem& problem) {
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
  sheet.empty = "no problems found";
  sheet.text = [&] {
    Table table{{"CALLS", "CAUSE", "MARK", "FIRST", "LAST", "EXAMPLE", "WHAT HAPPENED"}, {}, 6};
    for (const auto& problem : reply.problems()) {
      table.rows.push_back({human_count(problem.calls()), problem.cause(), mark_of(session, problem),
                            problem.has_first_ms() ? session.time(problem.first_ms()) : "-",
                            problem.has_last_ms() ? session.time(problem.last_ms()) : "-", printable(problem.example()),
                            printable(problem.detail())});
    }
    return table.show(session.width()) + "\n" + advice_of(id, reply.problems());
  };
  CLI_TRY_VOID(print_sheet(session, sheet));
  if (!reply.problems().empty())
    session.say("next: callimport show " + id + " --calls --cause " + reply.problems(0).cause());
  const bool broken = std::any_of(reply.problems().begin(), reply.problems().end(),
                                  [](const auto& problem) { return problem.cause().starts_with("media."); });
  if (broken) session.say("broken recordings are kept: callimport quarantine list --import " + id);
  return kExitDone;
}

Ended show_timeline(Session& session, const std::string& id, int limit) {
  v1::ListTimelineRequest request;
  request.set_import(id);
  request.set_page_size(1000);
  std::vector<v1::TimelineEntry> entries;
  for (;;) {
    CLI_TRY(auto reply, (session.ask<v1::ListTimelineRequest, v1::ListTimelineResponse>("ListTimeline", request)));
    const bool more = reply.entries_size() == 1000;
    if (reply.entries_size() > 0) request.set_after_change(reply.entries(reply.entries_size() - 1).change());
    for (auto& entry : *reply.mutable_entries()) entries.push_back(std::move(entry));
    if (!more || static_cast<int>(entries.size()) >= limit) break;
  }
  Sheet sheet;
  sheet.rows = shapes_of(entries);
  sheet.columns = plain_columns({"at", "lane", "stage", "condition", "reason"});
  for (const char* counter : {"found", "registered", "duplicate", "skipped", "failed", "pending"})
    sheet.columns.push_back({counter, std::string("counters.") + counter});
  sheet.text = [&] {
    Table table{{"AT", "LANE", "STAGE", "STATE", "REASON", "COUNTERS"}, {}, 5};
    for (const auto& entry : entries) {
      const auto& status = entry.status();
      table.rows.push_back({format_utc(from_unix_ms(entry.at_ms())), entry.lane(), status.stage(), status.condition(),
                            status.reason(), counter_line(entry.counters())});
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
  const bool details =
      !flags.call.empty() || flags.calls || flags.problems || flags.timeline || flags.notifications || flags.audit;
  if (details || flags.web) {
    CLI_TRY(const auto id, find_import(session, flags.id));
    if (flags.web) return show_web(session, id);
    if (!flags.call.empty()) return show_call(session, id, flags);
    if (flags.calls) return show_calls(session, id, flags);
    if (flags.problems) return show_problems(session, id);
    if (flags.audit) return show_audit(session, id, flags.limit);
    if (flags.timeline) return show_timeline(session, id, flags.limit);
    return show_notifications(session, id, flags.limit);
  }
  CLI_TRY(const auto reply, get_import(session, flags.id));
  const auto& import = reply.import();
  Sheet sheet;
  sheet.rows = {shape(import)};
  sheet.rows.front()["problems"] = shapes_of(reply.problems());
  sheet.rows.front()["stages"] = shapes_of(reply.stages());
  sheet.columns = import_columns();
  sheet.text = [&] { return screen_of(session, reply, web_page_of(session, import.id())); };
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
  verb.add_option("--state", flags->state, "with --calls: pending, staged, registered, duplicate, skipped or failed");
  verb.add_option("--cause", flags->cause, "with --calls: only this cause");
  verb.add_flag("--problems", flags->problems, "failed and skipped calls by cause");
  verb.add_flag("--timeline", flags->timeline, "every change of stage or state");
  verb.add_flag("--notifications", flags->notifications, "what people were told");
  verb.add_flag("--audit", flags->audit, "who did what, when, from where and why");
  verb.add_flag("--web", flags->web, "open its page in Temporal's Web UI, or print the address");
  verb.add_option("--call", flags->call, "was the call of this source id imported, and if not, why");
  verb.add_option("--limit", flags->limit, "rows at most")->check(CLI::Range(1, 10'000'000));
  verb.add_flag("--exit-status", flags->exit_status, "0 completed, 5 with gaps, 6 failed, 3 cancelled, 8 still open");
  tree.run(verb, [&session = tree.session, flags] { return show(session, *flags); });
}

}  // namespace callimport::api
