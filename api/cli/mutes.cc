// What people want to hear no more of: set for them, seen, and taken back.
#include <fmt/format.h>

#include <memory>

#include "api/cli/actions.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

using nlohmann::json;

struct MuteFlags {
  std::string person, import, workspace, event, why;
  int limit = 100;
};
using Flags = std::shared_ptr<MuteFlags>;

json shape_of(const v1::Mute& mute) {
  return {{"person", mute.person()}, {"scope", mute.scope()},
          {"target", mute.target()}, {"at", format_utc(from_unix_ms(mute.at_ms()))},
          {"who", mute.who()},       {"origin", mute.origin()},
          {"why", mute.why()}};
}

/// "everything", "imp_7f3a", "all of acme", "import.waiting"
std::string what_of(const v1::Mute& mute) {
  if (mute.scope() == "all") return "everything";
  return mute.scope() == "workspace" ? "all of " + printable(mute.target()) : printable(mute.target());
}

template <class Request>
Request request_of(const MuteFlags& flags) {
  Request request;
  request.set_person(flags.person);
  request.set_import(flags.import);
  request.set_workspace(flags.workspace);
  request.set_event(flags.event);
  request.mutable_deed()->set_why(flags.why);
  request.mutable_deed()->set_request_id(new_request_id());
  return request;
}

Ended mute(Session& session, const MuteFlags& flags) {
  const auto request = request_of<v1::MuteMessagesRequest>(flags);
  CLI_TRY(const auto reply, (session.ask<v1::MuteMessagesRequest, v1::MuteMessagesResponse>("MuteMessages", request)));
  auto row = shape_of(reply.mute());
  row["already"] = reply.already();
  Sheet sheet;
  sheet.rows.push_back(std::move(row));
  sheet.columns = plain_columns({"person", "scope", "target", "at", "who", "why", "already"});
  sheet.text = [&] {
    std::string text = reply.already() ? "It is so already. " : "";
    for (const auto& sentence : reply.words()) text += printable(sentence) + "\n";
    return text;
  };
  return print_object(session, sheet);
}

Ended unmute(Session& session, const MuteFlags& flags) {
  const auto request = request_of<v1::UnmuteMessagesRequest>(flags);
  CLI_TRY(const auto reply,
          (session.ask<v1::UnmuteMessagesRequest, v1::UnmuteMessagesResponse>("UnmuteMessages", request)));
  Sheet sheet;
  sheet.rows.push_back({{"person", flags.person}, {"removed", reply.removed()}});
  sheet.columns = plain_columns({"person", "removed"});
  sheet.text = [&] {
    return fmt::format("{} {} taken back; {} hears of it again\n", reply.removed(),
                       reply.removed() == 1 ? "mute" : "mutes", printable(flags.person));
  };
  return print_object(session, sheet);
}

Ended list(Session& session, const MuteFlags& flags) {
  v1::ListMutesRequest request;
  request.set_person(flags.person);
  request.set_page_size(flags.limit);
  CLI_TRY(const auto reply, (session.ask<v1::ListMutesRequest, v1::ListMutesResponse>("ListMutes", request)));
  Sheet sheet;
  for (const auto& one : reply.mutes()) sheet.rows.push_back(shape_of(one));
  sheet.columns = plain_columns({"person", "scope", "target", "at", "who", "origin", "why"});
  sheet.empty = "nobody has muted anything";
  sheet.text = [&] {
    Table table{{"PERSON", "HEARS NO MORE OF", "SINCE", "BY", "WHY"}, {}, 4};
    for (const auto& one : reply.mutes()) {
      table.rows.push_back({printable(one.person()), what_of(one), session.time(one.at_ms()), printable(one.who()),
                            printable(one.why())});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

void add_scope(CLI::App& verb, const Flags& flags) {
  verb.add_option("person", flags->person, "a person's id, or customer:WORKSPACE")->required();
  auto* import = verb.add_option("--import", flags->import, "only this import (id or its beginning)");
  auto* workspace = verb.add_option("--workspace", flags->workspace, "only imports of this workspace");
  auto* event = verb.add_option("--event", flags->event, "only this event (callimport notifications preview)");
  import->excludes(workspace)->excludes(event);
  workspace->excludes(event);
  verb.add_option("--why", flags->why, "for the audit log");
}

}  // namespace

void add_mutes(Tree& tree, CLI::App& notifications) {
  auto flags = std::make_shared<MuteFlags>();  // shared by the parser and the bodies; one of them runs
  auto& session = tree.session;
  auto& muting =
      tree.verb(notifications, "mute", "A person hears no more of an import, a workspace, an event, or at all",
                {"callimport notifications mute ana --import imp_7f3a",
                 "callimport notifications mute ben --event import.waiting --why \"too many\""});
  add_scope(muting, flags);
  tree.run(muting, [&session, flags] { return mute(session, *flags); });
  auto& back =
      tree.verb(notifications, "unmute", "A person hears of it again; without a flag of everything",
                {"callimport notifications unmute ana", "callimport notifications unmute ana --import imp_7f3a"});
  add_scope(back, flags);
  tree.run(back, [&session, flags] { return unmute(session, *flags); });
  auto& listing = tree.verb(notifications, "mutes", "Who wants to hear no more of what, since when and by whom",
                            {"callimport notifications mutes", "callimport notifications mutes ana -o json"});
  listing.add_option("person", flags->person, "only of this person");
  listing.add_option("--limit", flags->limit, "rows at most")->check(CLI::Range(1, 1000));
  tree.run(listing, [&session, flags] { return list(session, *flags); });
}

}  // namespace callimport::api
