#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cli/shape.h"
#include "api/cli/temporal_imports.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct ListFlags {
  std::vector<std::string> states;
  std::string platform, text, owner, query, view, call;
  bool attention = false, wide = false;
  double days = 0, ended_days = 0;
  int limit = 100;
};

/// OV-05: lists that are asked for every day, each the same as its flags.
struct View {
  const char* name;
  std::vector<std::string> states{};
  double ended_days = 0;
  bool mine = false;
};

const std::vector<View>& views() {
  static const std::vector<View> all = {
      {"all"},
      {"mine", {}, 0, true},
      {"needs-attention", {"needs_attention"}},
      {"running", {"running"}},
      {"waiting", {"waiting"}},
      {"finished-this-week", {"completed", "completed_with_gaps", "failed", "cancelled", "undone"}, 7},
      {"with-gaps", {"completed_with_gaps"}}};
  return all;
}

/// What the view says where the flags say nothing.
ListFlags with_view(ListFlags flags) {
  for (const auto& view : views()) {
    if (flags.view != view.name) continue;
    if (flags.states.empty()) flags.states = view.states;
    flags.ended_days = view.ended_days;
    if (view.mine && flags.owner.empty()) flags.owner = "me";
  }
  return flags;
}

bool filters(const ListFlags& flags) {
  return !flags.states.empty() || !flags.platform.empty() || !flags.text.empty() || !flags.owner.empty() ||
         !flags.query.empty() || !flags.call.empty() || flags.attention || flags.days > 0;
}

std::int64_t after_of(const Session& session, const ListFlags& flags) {
  return flags.days > 0 ? session.now_ms() - static_cast<std::int64_t>(flags.days * 86'400'000.0) : 0;
}

/// As the server writes down who starts an import on its socket.
std::string user_name() {
  const passwd* user = ::getpwuid(::getuid());
  return user == nullptr ? std::string() : std::string(user->pw_name);
}

/// Who started it is in the import's input, and the server does not filter by it, nor by the end.
void keep_asked_for(const Session& session, const ListFlags& flags, std::vector<v1::Import>& imports) {
  const auto owner = flags.owner == "me" ? user_name() : flags.owner;
  if (!owner.empty())
    std::erase_if(imports, [&](const v1::Import& import) { return shape(import).value("started_by", "") != owner; });
  const auto since_ms = session.now_ms() - static_cast<std::int64_t>(flags.ended_days * 86'400'000.0);
  if (flags.ended_days > 0) std::erase_if(imports, [&](const auto& import) { return import.closed_ms() < since_ms; });
}

tl::expected<std::vector<v1::Import>, CliError> by_filter(Session& session, const ListFlags& flags) {
  v1::ListImportsRequest request;
  for (const auto& state : flags.states) request.add_conditions(state);
  request.set_platform(flags.platform);
  request.set_text(flags.text);
  request.set_needs_attention(flags.attention);
  request.set_created_after_ms(after_of(session, flags));
  request.set_call(flags.call);
  const bool sorted_out_here = !flags.owner.empty() || flags.ended_days > 0;
  request.set_page_size(sorted_out_here ? 1000 : std::min(flags.limit, 1000));
  std::vector<v1::Import> imports;
  do {
    CLI_TRY(auto reply, (session.ask<v1::ListImportsRequest, v1::ListImportsResponse>("ListImports", request)));
    for (auto& import : *reply.mutable_imports()) imports.push_back(std::move(import));
    keep_asked_for(session, flags, imports);
    request.set_page_token(reply.next_page_token());
  } while (!request.page_token().empty() && static_cast<int>(imports.size()) < flags.limit);
  if (static_cast<int>(imports.size()) > flags.limit) imports.resize(static_cast<std::size_t>(flags.limit));
  return imports;
}

/// Where no library answers: what Temporal knows. With --query Temporal finds the imports, and the library, where there
/// is one, says how they stand.
tl::expected<std::vector<v1::Import>, CliError> by_temporal(Session& session, const ListFlags& flags) {
  TemporalFilter filter{flags.states,    flags.platform,           flags.text, flags.query,
                        flags.attention, after_of(session, flags), flags.limit};
  CLI_TRY(auto imports, imports_of_workflows(session, filter));
  for (auto& import : imports) {
    v1::GetImportRequest request;
    request.set_id(import.id());
    auto reply = session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request);
    if (!reply && reply.error().code == kLibraryAbsent && !flags.owner.empty()) return tl::unexpected(reply.error());
    if (!reply && reply.error().code == kLibraryAbsent) return imports;
    if (!reply && reply.error().code != "not_found") return tl::unexpected(reply.error());
    if (reply) import = reply->import();
  }
  return imports;
}

std::string show(const Session& session, const std::vector<v1::Import>& imports, bool wide) {
  // On a terminal of the usual width the stage gives way to a title that can be read; a narrower one has paragraphs.
  const bool without_stage = !wide && session.width() >= 76 && session.width() < 100;
  Table table{{"IMPORT", "TITLE", "STATE", "STAGE", "DONE", "STARTED"}, {}, 1};
  if (wide) table.head.insert(table.head.end(), {"PLATFORM", "WORKSPACE", "FAILED", "REASON"});
  for (const auto& import : imports) {
    const auto& lane = shown_lane(import);
    const auto& counters = import.counters();
    auto state = condition_words(lane.condition());
    if (lane.has_until_ms() && !import.has_closed_ms())
      state +=
          (session.time_format() == TimeFormat::kRelative ? ", goes on " : " until ") + session.time(lane.until_ms());
    std::vector<std::string> row = {
        import.id(),
        printable(import.title().empty() ? import.workspace() : import.title()),
        state,
        stage_words(lane.stage()),
        import.has_counters()
            ? fmt::format("{}/{}", human_count(counters.found() - counters.pending()), human_count(counters.found()))
            : "-",
        session.time(import.created_ms())};
    if (wide)
      row.insert(row.end(),
                 {import.platform(), printable(import.workspace()), human_count(counters.failed()), lane.reason()});
    table.rows.push_back(std::move(row));
  }
  constexpr std::ptrdiff_t kStage = 3;
  if (without_stage) {
    table.head.erase(table.head.begin() + kStage);
    for (auto& row : table.rows) row.erase(row.begin() + kStage);
  }
  return table.show(wide ? 0 : session.width());
}

Ended list(Session& session, const ListFlags& asked) {
  const auto flags = with_view(asked);
  auto found = flags.query.empty() ? by_filter(session, flags) : by_temporal(session, flags);
  if (!found && found.error().code == kLibraryAbsent) found = by_temporal(session, flags);
  if (!found) return tl::unexpected(std::move(found).error());
  keep_asked_for(session, flags, *found);
  const auto& imports = *found;
  Sheet sheet;
  for (const auto& import : imports) sheet.rows.push_back(shape(import));
  sheet.columns = import_columns();
  sheet.text = [&] { return show(session, imports, flags.wide); };
  sheet.empty = filters(flags) ? "no import is like that; all of them: callimport list"
                               : "no imports yet; the next command: callimport start --help";
  return print_sheet(session, sheet);
}

}  // namespace

void add_list(Tree& tree) {
  auto& verb =
      tree.verb(tree.root, "list", "List imports, newest first",
                {"callimport list --attention", "callimport list --query 'ExecutionStatus = \"Running\"' -o csv"});
  auto flags = std::make_shared<ListFlags>();  // shared by the parser and the body
  verb.add_option(
          "--state", flags->states,
          "running, waiting, needs_attention, paused, completed, completed_with_gaps, failed, cancelled, undone")
      ->check(CLI::IsMember({"running", "waiting", "needs_attention", "paused", "completed", "completed_with_gaps",
                             "failed", "cancelled", "undone"}));
  verb.add_option("--platform", flags->platform, "only this platform");
  verb.add_option("--customer,--text", flags->text, "words in title, workspace or id");
  verb.add_option("--owner", flags->owner, "only those this user started; me: you");
  verb.add_option("--call", flags->call, "only those that found this call, by its id at the platform");
  std::vector<std::string> names;
  for (const auto& view : views()) names.emplace_back(view.name);
  verb.add_option(
          "--view", flags->view,
          "all, mine, needs-attention, running, waiting, finished-this-week or with-gaps; other flags narrow it")
      ->check(CLI::IsMember(names));
  verb.add_flag("--attention", flags->attention, "only those that wait for a person");
  verb.add_option("--days", flags->days, "started within so many days")->check(CLI::Range(0.01, 36'500.0));
  verb.add_option("--query", flags->query, "Temporal's list filter");
  verb.add_option("--limit", flags->limit, "at most so many")->check(CLI::Range(1, 100'000));
  verb.add_flag("--wide", flags->wide, "all columns, uncut");
  tree.run(verb, [&session = tree.session, flags] { return list(session, *flags); });
}

}  // namespace callimport::api
