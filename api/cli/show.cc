#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/imports.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/cli/workflows.h"
#include "workflows/import/table.h"

namespace callimport::api {
namespace {

struct ShowFlags {
  std::string id, call, state, cause;
  bool calls = false, problems = false, timeline = false, notifications = false, exit_status = false;
  int limit = 1000;
};

/// One mark a stage: done, where it stands, to come.
std::string rail(const v1::Import& import) {
  const auto& lane = shown_lane(import);
  const auto at = workflows::parse_stage(lane.stage()).value_or(workflows::Stage::kAuthenticate);
  const bool utf8 = terminal_has_utf8();
  std::string text;
  for (int i = 0; i < workflows::kStages; ++i) {
    const auto stage = static_cast<workflows::Stage>(i);
    const bool done = import.has_closed_ms() || i < static_cast<int>(at);
    const bool here = !done && stage == at;
    text += fmt::format("  {} {}\n",
                        done   ? (utf8 ? "✓" : "x")
                        : here ? (utf8 ? "●" : ">")
                               : (utf8 ? "○" : "."),
                        workflows::title_of(stage));
  }
  return text;
}

std::string next_command(const v1::Import& import, bool problems) {
  const auto& lane = shown_lane(import);
  if (lane.condition() == "needs_attention" && lane.reason().starts_with("access.")) {
    return "callimport credentials renew " + import.credential() + " --token-file FILE";
  }
  if (lane.condition() == "paused") return "callimport resume " + import.id();
  if (!import.has_closed_ms()) return "callimport watch " + import.id();
  if (problems) return "callimport show " + import.id() + " --problems";
  return "callimport calls list --import " + import.id();
}

void print_screen(const Session& session, const v1::Import& import,
                  const google::protobuf::RepeatedPtrField<v1::Problem>& problems) {
  std::string text = session.bold(printable(import.title().empty() ? import.workspace() : import.title()));
  text += fmt::format("  ({} · {})\n{}\n\n{}\n", import.platform(), printable(import.workspace()), import.id(),
                      state_line(session, import));
  text += rail(import);
  const auto& counters = import.counters();
  text += fmt::format("\n{} {} of {}{}\n{}\n", bar(counters.found() - counters.pending(), counters.found(), 30),
                      human_count(counters.found() - counters.pending()), human_count(counters.found()),
                      import.enumerated() ? "" : " so far", counter_line(counters));
  text += fmt::format("recordings {}\n", human_bytes(counters.media_bytes()));
  text += fmt::format("started {}", session.time(import.created_ms()));
  if (import.has_first_ready_ms())
    text += fmt::format(", first calls ready after {}", human_duration(import.first_ready_ms() - import.created_ms()));
  if (import.has_closed_ms())
    text += fmt::format(", ended after {}", human_duration(import.closed_ms() - import.created_ms()));
  text += "\n";
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
  session.print(out);
  session.say("\nnext: " + next_command(import, !problems.empty()));
}

/// A list of shaped things in the format asked for; text is made by the caller.
template <class Messages>
void print_list(const Session& session, const Messages& messages, const std::string& text) {
  switch (session.output()) {
    case Output::kJson: {
      auto all = nlohmann::json::array();
      for (const auto& one : messages) all.push_back(shape(one));
      return session.print(dump(all, 2) + "\n");
    }
    case Output::kJsonl:
      for (const auto& one : messages) session.print(dump(shape(one)) + "\n");
      return;
    case Output::kNone: return;
    case Output::kCsv:
    case Output::kText: session.print(text);
  }
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
  std::string text;
  if (session.output() == Output::kCsv) {
    text = csv_row(csv_head_of_import_calls());
    for (const auto& call : calls) text += csv_row(csv_of(call));
  } else {
    Table table{{"SOURCE ID", "TITLE", "START", "STATE", "CAUSE"}, {}, 1};
    for (const auto& call : calls) {
      table.rows.push_back({printable(call.source_id()), printable(call.title()),
                            format_utc(from_unix_ms(call.start_ms())), call.state(), call.cause()});
    }
    text = table.show(session.width());
  }
  print_list(session, calls, text);
  return kExitDone;
}

Ended show_call(Session& session, const std::string& id, const ShowFlags& flags) {
  v1::GetImportCallRequest request;
  request.set_import(id);
  request.set_source_id(flags.call);
  CLI_TRY(const auto reply,
          (session.ask<v1::GetImportCallRequest, v1::GetImportCallResponse>("GetImportCall", request)));
  const auto& call = reply.call();
  if (session.json()) {
    session.print(dump(shape(call)) + "\n");
    return kExitDone;
  }
  std::string answer;
  if (call.state() == "registered")
    answer = "imported";
  else if (call.state() == "duplicate")
    answer = "not imported again: it was in the library already";
  else if (call.state() == "pending" || call.state() == "staged")
    answer = "not yet";
  else
    answer = "not imported: " + call.cause();
  session.print(fmt::format(
      "{}  {}\n{}\n{}\nattempts {}, lane {}\n", printable(call.source_id()), printable(call.title()), answer,
      call.detail().empty() ? "state " + call.state() : printable(call.detail()), call.attempts(), call.lane()));
  return kExitDone;
}

Ended show_problems(Session& session, const std::string& id) {
  v1::ListProblemsRequest request;
  request.set_import(id);
  CLI_TRY(const auto reply, (session.ask<v1::ListProblemsRequest, v1::ListProblemsResponse>("ListProblems", request)));
  Table table{{"CALLS", "CAUSE", "WHAT HAPPENED"}, {}, 2};
  std::string csv = csv_row(table.head);
  for (const auto& problem : reply.problems()) {
    table.rows.push_back({human_count(problem.calls()), problem.cause(), printable(problem.detail())});
    csv += csv_row(table.rows.back());
  }
  if (reply.problems().empty()) session.say("no problems found");
  print_list(session, reply.problems(),
             session.output() == Output::kCsv ? csv
             : reply.problems().empty()       ? ""
                                              : table.show(session.width()));
  if (!reply.problems().empty())
    session.say("next: callimport show " + id + " --calls --cause " + reply.problems(0).cause());
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
  Table table{{"AT", "LANE", "STAGE", "STATE", "REASON", "COUNTERS"}, {}, 5};
  std::string csv = csv_row(table.head);
  for (const auto& entry : entries) {
    const auto& status = entry.status();
    table.rows.push_back({format_utc(from_unix_ms(entry.at_ms())), entry.lane(), status.stage(), status.condition(),
                          status.reason(), counter_line(entry.counters())});
    csv += csv_row(table.rows.back());
  }
  print_list(session, entries, session.output() == Output::kCsv ? csv : table.show(session.width()));
  return kExitDone;
}

Ended show_notifications(Session& session, const std::string& id, int limit) {
  v1::ListNotificationsRequest request;
  request.set_import(id);
  request.set_page_size(std::min(limit, 1000));
  CLI_TRY(const auto reply,
          (session.ask<v1::ListNotificationsRequest, v1::ListNotificationsResponse>("ListNotifications", request)));
  Table table{{"AT", "EVENT", "SUBJECT"}, {}, 2};
  std::string csv = csv_row(table.head);
  for (const auto& one : reply.notifications()) {
    table.rows.push_back({format_utc(from_unix_ms(one.at_ms())), one.event(), printable(one.subject())});
    csv += csv_row(table.rows.back());
  }
  print_list(session, reply.notifications(), session.output() == Output::kCsv ? csv : table.show(session.width()));
  return kExitDone;
}

Ended show(Session& session, const ShowFlags& flags) {
  CLI_TRY(const auto id, find_import(session, flags.id));
  if (!flags.call.empty()) return show_call(session, id, flags);
  if (flags.calls) return show_calls(session, id, flags);
  if (flags.problems) return show_problems(session, id);
  if (flags.timeline) return show_timeline(session, id, flags.limit);
  if (flags.notifications) return show_notifications(session, id, flags.limit);
  v1::GetImportRequest request;
  request.set_id(id);
  const auto reply = session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request);
  if (!reply && reply.error().code == "not_found") {
    session.say(id + " was only just started: nothing is known of it yet");
    return flags.exit_status ? kExitPending : kExitDone;
  }
  if (!reply) return tl::unexpected(reply.error());
  const auto& import = reply->import();
  if (session.json()) {
    auto all = shape(import);
    all["problems"] = nlohmann::json::array();
    for (const auto& problem : reply->problems()) all["problems"].push_back(shape(problem));
    session.print(dump(all, session.output() == Output::kJson ? 2 : -1) + "\n");
  } else if (session.output() == Output::kCsv) {
    session.print(csv_row(csv_head_of_imports()) + csv_row(csv_of(import)));
  } else if (session.output() == Output::kText) {
    print_screen(session, import, reply->problems());
  }
  return flags.exit_status ? exit_of(import) : static_cast<int>(kExitDone);
}

}  // namespace

void add_show(Tree& tree) {
  auto& verb = tree.verb(tree.root, "show", "Show one import: where it stands, counters, problems",
                         {"callimport show imp_7f3a", "callimport show imp_7f3a --calls --state failed -o csv"});
  auto flags = std::make_shared<ShowFlags>();  // shared by the parser and the body
  verb.add_option("import", flags->id, "import id or its beginning")->required();
  verb.add_flag("--calls", flags->calls, "every call found");
  verb.add_option("--state", flags->state, "with --calls: pending, staged, registered, duplicate, skipped or failed");
  verb.add_option("--cause", flags->cause, "with --calls: only this cause");
  verb.add_flag("--problems", flags->problems, "failed and skipped calls by cause");
  verb.add_flag("--timeline", flags->timeline, "every change of stage or state");
  verb.add_flag("--notifications", flags->notifications, "what people were told");
  verb.add_option("--call", flags->call, "was the call of this source id imported, and if not, why");
  verb.add_option("--limit", flags->limit, "rows at most")->check(CLI::Range(1, 10'000'000));
  verb.add_flag("--exit-status", flags->exit_status, "0 completed, 5 with gaps, 6 failed, 3 cancelled, 8 still open");
  tree.run(verb, [&session = tree.session, flags] { return show(session, *flags); });
}

}  // namespace callimport::api
