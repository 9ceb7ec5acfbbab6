#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "api/cli/out_file.h"
#include "api/cli/programs.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct CallFlags {
  std::string id, import, platform, privacy, text, after, before, to, what = "json";
  std::vector<std::string> words;
  int limit = 50;
  bool print_path = false, best = false, facets = false;
};

tl::expected<v1::CallFilter, CliError> filter_of(const CallFlags& flags) {
  v1::CallFilter filter;
  filter.set_import(flags.import);
  filter.set_platform(flags.platform);
  filter.set_text(flags.text);
  filter.set_privacy(flags.privacy);
  CLI_TRY(const auto after, read_time("--after", flags.after));
  CLI_TRY(const auto before, read_time("--before", flags.before));
  filter.set_after_ms(after);
  filter.set_before_ms(before);
  return filter;
}

tl::expected<v1::Call, CliError> get_call(Session& session, const std::string& id) {
  v1::GetCallRequest request;
  request.set_id(id);
  auto reply = session.ask<v1::GetCallRequest, v1::GetCallResponse>("GetCall", request);
  if (!reply && reply.error().code == "not_found") reply.error().next = "callimport calls list";
  if (!reply) return tl::unexpected(reply.error());
  return std::move(*reply->mutable_call());
}

std::string title_of(const v1::Call& call) { return call.withheld() ? "(private)" : printable(call.title()); }

Ended list_calls(Session& session, const CallFlags& flags) {
  v1::ListCallsRequest request;
  CLI_TRY(*request.mutable_filter(), filter_of(flags));
  request.set_page_size(std::min(flags.limit, 1000));
  std::vector<v1::Call> calls;
  do {
    CLI_TRY(auto reply, (session.ask<v1::ListCallsRequest, v1::ListCallsResponse>("ListCalls", request)));
    for (auto& call : *reply.mutable_calls()) calls.push_back(std::move(call));
    request.set_page_token(reply.next_page_token());
  } while (!request.page_token().empty() && static_cast<int>(calls.size()) < flags.limit);
  if (static_cast<int>(calls.size()) > flags.limit) calls.resize(static_cast<std::size_t>(flags.limit));
  Sheet sheet;
  for (const auto& call : calls) sheet.rows.push_back(shape(call));
  sheet.columns = plain_columns({"id", "platform", "source_id", "title", "start", "duration_s", "media_type",
                                 "transcript", "privacy", "import", "fetched"});
  sheet.columns.push_back({"media_sha256", "media.sha256"});
  sheet.empty = "no calls; next: callimport list";
  sheet.text = [&] {
    Table table{{"CALL", "TITLE", "START", "LENGTH", "MEDIA", "TRANSCRIPT", "PRIVACY", "FROM", "IMPORT"}, {}, 1};
    for (const auto& call : calls) {
      table.rows.push_back({call.id(), title_of(call), format_utc(from_unix_ms(call.start_ms())),
                            call.has_duration_ms() ? human_duration(call.duration_ms()) : "-",
                            call.has_media() ? call.media().container() : "none", call.transcript_state(),
                            call.privacy(), call.platform(), call.import()});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

std::string transcript_text(const v1::Call& call) {
  std::string text, speaker;
  for (const auto& segment : call.segments()) {
    if (segment.speaker() != speaker || text.empty())
      text += fmt::format("\n[{}] {}\n", clock_mark(segment.start_ms()),
                          printable(segment.speaker().empty() ? "unknown speaker" : segment.speaker()));
    speaker = segment.speaker();
    text += "  " + printable(segment.text()) + "\n";
  }
  return text;
}

std::string_view privacy_words(std::string_view privacy) {
  if (privacy == "private") return "its participants (private)";
  if (privacy == "everyone") return "everyone with the link (everyone)";
  return "the workspace (team)";
}

constexpr const char* kWithheld =
    "title, words, people and recording are withheld: your role is viewer, and the call is private";

std::string call_text(const Session& session, const v1::Call& call) {
  std::string text = fmt::format("{}\n{}  {}  {}\n", session.bold(title_of(call)), call.id(),
                                 format_utc(from_unix_ms(call.start_ms())),
                                 call.has_duration_ms() ? human_duration(call.duration_ms()) : "length unknown");
  text += fmt::format("from {} {}, {}, fetched {}\n", call.platform(), printable(call.source_id()), call.import(),
                      session.time(call.fetched_ms()));
  text += fmt::format("seen by {}\n", privacy_words(call.privacy()));
  if (call.withheld()) return text + kWithheld + "\n";
  for (const auto& person : call.participants()) {
    text += fmt::format("  {}{}{}{}{}\n", printable(person.name()),
                        person.email().empty() ? "" : " <" + printable(person.email()) + ">",
                        person.company().empty() ? "" : ", " + printable(person.company()),
                        person.side() == "internal" ? ", of the workspace" : "", person.host() ? ", host" : "");
  }
  if (call.has_media())
    text += fmt::format("{} {}, sha256 {}\n", call.media().container(), human_bytes(call.media().bytes()),
                        call.media().hash());
  else
    text += "no recording came with it\n";
  return text + (call.segments().empty() ? "no transcript came with it\n" : transcript_text(call));
}

Ended show_call(Session& session, const CallFlags& flags) {
  CLI_TRY(const auto call, get_call(session, flags.id));
  Sheet sheet;
  sheet.rows = {shape(call)};
  sheet.columns = plain_columns(
      {"id", "platform", "source_id", "title", "start", "duration_s", "transcript", "privacy", "import", "fetched"});
  sheet.text = [&] { return call_text(session, call); };
  CLI_TRY_VOID(print_object(session, sheet));
  if (call.has_media() && session.output() == Output::kText) session.say("next: callimport calls play " + call.id());
  return kExitDone;
}

/// The words found, between marks of the terminal or of plain text.
std::string marked(const Session& session, const std::string& text) {
  std::string out, word;
  bool inside = false;
  for (const char c : text) {
    if (c == '\x02' || c == '\x03') {
      if (inside)
        out += session.bold(printable(word));
      else
        out += printable(word);
      word.clear();
      inside = c == '\x02';
    } else {
      word += c;
    }
  }
  return out + printable(word);
}

/// The words as they stand on the command line: a search of several words needs no quotes of the shell.
std::string query_of(const CallFlags& flags) { return fmt::format("{}", fmt::join(flags.words, " ")); }

std::string hit_text(const Session& session, const v1::SearchHit& hit) {
  const std::string who =
      hit.heading() ? "title and people"
                    : fmt::format("{} at {}", printable(hit.speaker().empty() ? "unknown speaker" : hit.speaker()),
                                  clock_mark(hit.start_ms()));
  return fmt::format("{}  {}  {}  {}\n    {}\n    {}, {}, {}\n", hit.call(),
                     format_utc(from_unix_ms(hit.call_start_ms())), printable(hit.title()), who,
                     marked(session, hit.text()), hit.platform(), hit.import(), hit.privacy());
}

Ended search(Session& session, const CallFlags& flags) {
  v1::SearchCallsRequest request;
  request.set_query(query_of(flags));
  request.set_best_first(flags.best);
  CLI_TRY(*request.mutable_filter(), filter_of(flags));
  std::vector<v1::SearchHit> hits;
  do {
    request.set_limit(std::min(flags.limit - static_cast<int>(hits.size()), 1000));
    CLI_TRY(auto reply, (session.ask<v1::SearchCallsRequest, v1::SearchCallsResponse>("SearchCalls", request)));
    for (auto& hit : *reply.mutable_hits()) hits.push_back(std::move(hit));
    request.set_page_token(reply.next_page_token());
  } while (!request.page_token().empty() && static_cast<int>(hits.size()) < flags.limit);
  Sheet sheet;
  for (const auto& hit : hits) sheet.rows.push_back(shape(hit));
  sheet.columns = plain_columns(
      {"call", "title", "call_start", "speaker", "at_s", "text", "found_in", "platform", "import", "privacy"});
  sheet.empty = "nothing found";
  sheet.text = [&] {
    std::string text;
    for (const auto& hit : hits) text += hit_text(session, hit);
    return text;
  };
  CLI_TRY_VOID(print_sheet(session, sheet));
  if (session.output() != Output::kText || hits.empty()) return kExitDone;
  if (!request.page_token().empty()) session.say(fmt::format("there are more: --limit {}", flags.limit * 4));
  session.say("next: callimport calls play " + hits.front().call());
  return kExitDone;
}

Ended count_facets(Session& session, const CallFlags& flags) {
  v1::CountFacetsRequest request;
  request.set_query(query_of(flags));
  CLI_TRY(*request.mutable_filter(), filter_of(flags));
  CLI_TRY(const auto reply, (session.ask<v1::CountFacetsRequest, v1::CountFacetsResponse>("CountFacets", request)));
  Sheet sheet;
  for (const auto& facet : reply.facets()) {
    sheet.rows.push_back({{"facet", facet.name()}, {"value", facet.value()}, {"calls", facet.calls()}});
  }
  sheet.columns = plain_columns({"facet", "value", "calls"});
  sheet.empty = "nothing found";
  sheet.text = [&] {
    Table table{{"FACET", "VALUE", "CALLS"}, {}, 1};
    for (const auto& facet : reply.facets()) {
      table.rows.push_back({facet.name(), printable(facet.value()), std::to_string(facet.calls())});
    }
    return fmt::format("{}{} calls, {} hits\n{}", reply.more() ? "at least " : "", reply.calls(), reply.hits(),
                       table.show(session.width()));
  };
  return print_sheet(session, sheet);
}

tl::expected<std::string, CliError> media_path(Session& session, const std::string& call) {
  v1::GetMediaPathRequest request;
  request.set_call(call);
  CLI_TRY(const auto reply, (session.ask<v1::GetMediaPathRequest, v1::GetMediaPathResponse>("GetMediaPath", request)));
  return reply.path();
}

Ended play(Session& session, const CallFlags& flags) {
  CLI_TRY(const auto path, media_path(session, flags.id));
  static const std::vector<std::pair<std::string, std::vector<std::string>>> players = {
      {"mpv", {"--"}}, {"ffplay", {"-hide_banner", "-autoexit", "-i"}}, {"vlc", {}}, {"xdg-open", {}}};
  for (const auto& [name, args] : players) {
    const auto program = find_program(name);
    if (program.empty() || flags.print_path || !session.out_is_terminal()) continue;
    session.say("playing " + path + " with " + name);
    auto words = args;
    words.push_back(path);
    const int ended = run_program(program, words);
    if (ended != 0)
      return sorry(kExitFailed, "player.failed", fmt::format("{} ended with {}", name, ended),
                   "open it yourself: " + path);
    return kExitDone;
  }
  session.print(path + "\n");
  return kExitDone;
}

Ended write_file(Session& session, const std::string& to, const std::string& content) {
  CLI_TRY(auto out, OutFile::open(session, to));
  out.write(content);
  return out.close();
}

Ended export_call(Session& session, const CallFlags& flags) {
  if (flags.what == "media") {
    CLI_TRY(const auto path, media_path(session, flags.id));
    if (flags.to.empty())
      return sorry(kExitUsage, "usage", "--what media needs --to FILE",
                   "callimport calls export " + flags.id + " --what media --to call.mp4");
    std::error_code error;
    std::filesystem::copy_file(path, flags.to, std::filesystem::copy_options::overwrite_existing, error);
    if (error)
      return sorry(kExitFailed, "file.unwritable",
                   fmt::format("cannot copy {} to {}: {}", path, flags.to, error.message()), "give another --to FILE");
    session.say("written to " + flags.to);
    return kExitDone;
  }
  CLI_TRY(const auto call, get_call(session, flags.id));
  if (call.withheld()) {
    return sorry(kExitSignIn, "role.refused", kWithheld,
                 "ask somebody who may; [roles] in the configuration says who has which");
  }
  if (flags.what == "transcript") return write_file(session, flags.to, transcript_text(call));
  return write_file(session, flags.to, dump(shape(call), 2) + "\n");
}

void add_filter(CLI::App& verb, CallFlags& flags) {
  verb.add_option("--import", flags.import, "only calls of this import");
  verb.add_option("--platform", flags.platform, "only this platform");
  verb.add_option("--after", flags.after, "began at or after this day or time");
  verb.add_option("--before", flags.before, "began before it");
  verb.add_option("--privacy", flags.privacy, "only calls seen by so many: private, team or everyone")
      ->check(CLI::IsMember({"private", "team", "everyone"}));
  verb.add_option("--limit", flags.limit, "at most so many")->check(CLI::Range(1, 1'000'000));
}

}  // namespace

void add_calls(Tree& tree) {
  auto& calls = tree.verb(tree.root, "calls", "The library: list, show, search, play and export calls",
                          {"callimport calls search 'renewal date'", "callimport calls list --import imp_7f3a"});
  calls.require_subcommand(1);
  auto flags = std::make_shared<CallFlags>();  // shared by the parser and the bodies; one of them runs
  auto& session = tree.session;
  auto& list = tree.verb(calls, "list", "List calls, newest first",
                         {"callimport calls list --limit 20", "callimport calls list --text kickoff -o csv"});
  add_filter(list, *flags);
  list.add_option("--text", flags->text, "words in the title");
  tree.run(list, [&session, flags] { return list_calls(session, *flags); });
  auto& show = tree.verb(calls, "show", "Show one call with its transcript",
                         {"callimport calls show call_9d2", "callimport calls show call_9d2 -o json"});
  show.add_option("call", flags->id, "call id or its beginning")->required();
  tree.run(show, [&session, flags] { return show_call(session, *flags); });
  auto& find = tree.verb(
      calls, "search",
      "Search what was said, titles and people: words, \"phrases\", -without, OR; speaker: platform: customer: date:"
      " length: import: privacy: has:",
      {"callimport calls search pricing", "callimport calls search '\"next steps\" -legal' --limit 5",
       "callimport calls search 'renewal speaker:anna customer:acme.com date:2026-11 length:>30m'",
       "callimport calls search pricing --facets"});
  find.add_option("words", flags->words, "what to search for")->required();
  add_filter(find, *flags);
  find.add_flag("--best", flags->best, "best first, among the newest 10,000 hits (default: newest call first)");
  find.add_flag("--facets", flags->facets, "count the calls found by platform, import, month and what they have");
  tree.run(find, [&session, flags] { return flags->facets ? count_facets(session, *flags) : search(session, *flags); });
  auto& player = tree.verb(calls, "play", "Play a recording, or print where it lies",
                           {"callimport calls play call_9d2", "mpv \"$(callimport calls play call_9d2 --path)\""});
  player.add_option("call", flags->id, "call id or its beginning")->required();
  player.add_flag("--path", flags->print_path, "print the path only");
  tree.run(player, [&session, flags] { return play(session, *flags); });
  auto& out = tree.verb(calls, "export", "Write a call as JSON, its transcript as text, or its recording",
                        {"callimport calls export call_9d2 --to call.json",
                         "callimport calls export call_9d2 --what media --to call.mp4"});
  out.add_option("call", flags->id, "call id or its beginning")->required();
  out.add_option("--what", flags->what, "json, transcript or media")
      ->check(CLI::IsMember({"json", "transcript", "media"}));
  out.add_option("--to", flags->to, "file to write (default: stdout)");
  tree.run(out, [&session, flags] { return export_call(session, *flags); });
}

}  // namespace callimport::api
