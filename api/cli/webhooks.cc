// Programs of others that are told what happens: where, of what, and what came of it (docs/webhooks.md).
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/actions.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct WebhookFlags {
  std::string id, message, url, owner, why;
  std::vector<std::string> types;
  int limit = 20;
  int overlap_hours = 24;
  bool all_calls = false;
};

nlohmann::json time_or_null(bool known, std::int64_t ms) {
  return known ? nlohmann::json(format_utc(from_unix_ms(ms))) : nlohmann::json(nullptr);
}

nlohmann::json shape_of(const v1::Webhook& one) {
  nlohmann::json out = {{"id", one.id()},
                        {"url", one.url()},
                        {"owner", one.owner()},
                        {"state", one.enabled() ? "enabled" : "disabled"},
                        {"why", one.why()},
                        {"queued", one.queued()},
                        {"added", format_utc(from_unix_ms(one.created_ms()))},
                        {"last_success", time_or_null(one.has_success_ms(), one.success_ms())},
                        {"last_failure", time_or_null(one.has_failure_ms(), one.failure_ms())},
                        {"old_secret_until", time_or_null(one.has_old_secret_until_ms(), one.old_secret_until_ms())}};
  out["types"] = nlohmann::json::array();
  for (const auto& type : one.types()) out["types"].push_back(type);
  return out;
}

nlohmann::json shape_of(const v1::WebhookAttempt& one) {
  return {{"at", format_utc(from_unix_ms(one.at_ms()))},
          {"took_s", static_cast<double>(one.took_ms()) / 1'000},
          {"status", one.status()},
          {"error", one.error()}};
}

nlohmann::json shape_of(const v1::WebhookMessage& one) {
  nlohmann::json out = {{"id", one.id()},
                        {"type", one.type()},
                        {"at", format_utc(from_unix_ms(one.at_ms()))},
                        {"state", one.state()},
                        {"next", time_or_null(one.has_next_ms(), one.next_ms())},
                        {"attempts", nlohmann::json::array()}};
  for (const auto& attempt : one.attempts()) out["attempts"].push_back(shape_of(attempt));
  if (!one.body().empty()) out["body"] = nlohmann::json::parse(one.body(), nullptr, false);
  return out;
}

v1::Deed deed_of(const WebhookFlags& flags) {
  v1::Deed deed;
  deed.set_why(flags.why);
  deed.set_request_id(new_request_id());
  return deed;
}

Ended tell_secret(Session& session, const v1::WebhookSecretResponse& reply) {
  auto row = shape_of(reply.webhook());
  row["secret"] = reply.secret();
  if (session.json())
    session.print(dump(row) + "\n");
  else if (session.output() != Output::kNone)
    session.print(reply.webhook().id() + "\n" + reply.secret() + "\n");
  session.say("the signing secret is shown this once");
  session.say("next: callimport webhooks test " + reply.webhook().id());
  return kExitDone;
}

Ended add(Session& session, const WebhookFlags& flags) {
  v1::AddWebhookRequest request;
  request.set_url(flags.url);
  for (const auto& type : flags.types) request.add_types(type);
  request.set_owner(flags.owner);
  request.set_all_calls(flags.all_calls);
  *request.mutable_deed() = deed_of(flags);
  CLI_TRY(const auto reply, (session.ask<v1::AddWebhookRequest, v1::WebhookSecretResponse>("AddWebhook", request)));
  return tell_secret(session, reply);
}

Ended rotate(Session& session, const WebhookFlags& flags) {
  v1::RotateWebhookRequest request;
  request.set_id(flags.id);
  request.set_overlap_s(flags.overlap_hours == 0 ? -1 : std::int64_t{flags.overlap_hours} * 3'600);
  *request.mutable_deed() = deed_of(flags);
  CLI_TRY(const auto reply,
          (session.ask<v1::RotateWebhookRequest, v1::WebhookSecretResponse>("RotateWebhook", request)));
  return tell_secret(session, reply);
}

Sheet sheet_of(const v1::ListWebhooksResponse& reply) {
  Sheet sheet;
  for (const auto& one : reply.webhooks()) sheet.rows.push_back(shape_of(one));
  sheet.columns = plain_columns({"id", "url", "owner", "state", "why", "queued", "last_success", "last_failure"});
  sheet.empty = "no webhooks; next: callimport webhooks add https://hooks.example.com/calls";
  return sheet;
}

tl::expected<v1::ListWebhooksResponse, CliError> ask_list(Session& session, const std::string& id) {
  v1::ListWebhooksRequest request;
  request.set_id(id);
  return session.ask<v1::ListWebhooksRequest, v1::ListWebhooksResponse>("ListWebhooks", request);
}

Ended list(Session& session) {
  CLI_TRY(const auto reply, ask_list(session, {}));
  Sheet sheet = sheet_of(reply);
  sheet.text = [&] {
    Table table{{"WEBHOOK", "WHERE", "STATE", "WAITING", "LAST ARRIVED", "OWNER"}, {}, 1};
    for (const auto& one : reply.webhooks()) {
      table.rows.push_back({one.id(), printable(one.url()), one.enabled() ? "enabled" : "disabled",
                            human_count(one.queued()), one.has_success_ms() ? session.time(one.success_ms()) : "never",
                            printable(one.owner())});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

Ended show(Session& session, const WebhookFlags& flags) {
  CLI_TRY(const auto reply, ask_list(session, flags.id));
  const v1::Webhook one = reply.webhooks_size() > 0 ? reply.webhooks(0) : v1::Webhook();
  Sheet sheet = sheet_of(reply);
  sheet.text = [&] {
    std::string types;
    for (const auto& type : one.types()) types += (types.empty() ? "" : ", ") + type;
    std::string text = fmt::format("{}  {}\nstate    {}{}\ntypes    {}\nowner    {}\nwaiting  {} message(s)\n",
                                   one.id(), printable(one.url()), one.enabled() ? "enabled" : "disabled",
                                   one.why().empty() ? "" : ": " + printable(one.why()), types.empty() ? "all" : types,
                                   printable(one.owner()), one.queued());
    if (one.has_success_ms()) text += "arrived  " + session.time(one.success_ms()) + "\n";
    if (one.has_failure_ms()) text += "failed   " + session.time(one.failure_ms()) + "\n";
    if (one.has_old_secret_until_ms())
      text += "secrets  two; the old one signs until " + session.time(one.old_secret_until_ms()) + "\n";
    return text;
  };
  CLI_TRY_VOID(print_object(session, sheet));
  if (!one.enabled()) session.say("next: callimport webhooks enable " + one.id());
  return kExitDone;
}

std::string outcome_of(const v1::WebhookMessage& message) {
  if (message.attempts().empty()) return "-";
  const auto& last = message.attempts(message.attempts_size() - 1);
  return last.error().empty() ? std::to_string(last.status()) : printable(last.error());
}

Ended log(Session& session, const WebhookFlags& flags) {
  v1::ListWebhookMessagesRequest request;
  request.set_webhook(flags.id);
  request.set_message(flags.message);
  request.set_page_size(flags.limit);
  CLI_TRY(const auto reply, (session.ask<v1::ListWebhookMessagesRequest, v1::ListWebhookMessagesResponse>(
                                "ListWebhookMessages", request)));
  Sheet sheet;
  for (const auto& one : reply.messages()) sheet.rows.push_back(shape_of(one));
  sheet.columns = plain_columns({"id", "type", "at", "state", "next"});
  sheet.empty = "nothing was sent yet; next: callimport webhooks test " + flags.id;
  sheet.text = [&] {
    Table table{{"MESSAGE", "TYPE", "AT", "STATE", "TRIES", "LAST ANSWER", "AGAIN"}, {}, 5};
    for (const auto& one : reply.messages()) {
      table.rows.push_back({one.id(), one.type(), session.time(one.at_ms()), one.state(),
                            std::to_string(one.attempts_size()), outcome_of(one),
                            one.has_next_ms() ? session.time(one.next_ms()) : "-"});
    }
    std::string text = table.show(session.width());
    for (const auto& one : reply.messages()) {
      if (!one.body().empty()) text += printable(one.body()) + "\n";
    }
    return text;
  };
  return print_sheet(session, sheet);
}

Ended send(Session& session, const WebhookFlags& flags) {
  v1::SendWebhookRequest request;
  request.set_webhook(flags.id);
  request.set_message(flags.message);
  *request.mutable_deed() = deed_of(flags);
  CLI_TRY(const auto reply, (session.ask<v1::SendWebhookRequest, v1::SendWebhookResponse>("SendWebhook", request)));
  auto row = shape_of(reply.attempt());
  row["message"] = reply.message();
  Sheet sheet;
  sheet.rows.push_back(row);
  sheet.columns = plain_columns({"message", "at", "took_s", "status", "error"});
  const bool arrived = reply.attempt().error().empty();
  sheet.text = [&] {
    return arrived ? fmt::format("{} arrived: {} after {} ms\n", reply.message(), reply.attempt().status(),
                                 reply.attempt().took_ms())
                   : fmt::format("{} did not arrive: {}\n", reply.message(), printable(reply.attempt().error()));
  };
  CLI_TRY_VOID(print_object(session, sheet));
  if (arrived) return kExitDone;
  session.say("next: callimport webhooks log " + flags.id);
  return kExitFailed;
}

enum class Switch { kOn, kOff };
Ended turn(Session& session, const WebhookFlags& flags, Switch to) {
  v1::SwitchWebhookRequest request;
  request.set_id(flags.id);
  request.set_on(to == Switch::kOn);
  *request.mutable_deed() = deed_of(flags);
  CLI_TRY(const auto reply,
          (session.ask<v1::SwitchWebhookRequest, v1::SwitchWebhookResponse>("SwitchWebhook", request)));
  if (session.json()) session.print(dump(shape_of(reply.webhook())) + "\n");
  session.say(to == Switch::kOn ? "enabled; it goes on where it stopped"
                                : "disabled; nothing is lost, it goes on from here once it is enabled");
  return kExitDone;
}

Ended remove(Session& session, const WebhookFlags& flags) {
  CLI_TRY(const bool go, session.confirm("Its secret, its log and what waits for it go. Remove it?"));
  if (!go) return sorry(kExitCancelled, "declined", "nothing was removed", {});
  v1::RemoveWebhookRequest request;
  request.set_id(flags.id);
  *request.mutable_deed() = deed_of(flags);
  CLI_TRY_VOID((session.ask<v1::RemoveWebhookRequest, v1::RemoveWebhookResponse>("RemoveWebhook", request)));
  session.say("removed");
  return kExitDone;
}

using Flags = std::shared_ptr<WebhookFlags>;

CLI::App& add_one(Tree& tree, CLI::App& root, const Flags& flags, const std::string& name, const std::string& summary,
                  const std::vector<std::string>& examples) {
  auto& verb = tree.verb(root, name, summary, examples);
  verb.add_option("webhook", flags->id, "webhook id or its beginning")->required();
  return verb;
}

void add_why(CLI::App& verb, const Flags& flags) { verb.add_option("--why", flags->why, "for the audit log"); }

void add_adding(Tree& tree, CLI::App& root, const Flags& flags) {
  auto& session = tree.session;
  auto& adding = tree.verb(root, "add", "Tell a program at a URL what happens; prints its id and its signing secret",
                           {"callimport webhooks add https://hooks.example.com/calls",
                            "callimport webhooks add https://asr.example.com/in --type call.registered --all-calls"});
  adding.add_option("url", flags->url, "https")->required();
  adding.add_option("--type", flags->types, "of events, may be repeated; all when absent (docs/webhooks.md)");
  adding.add_option("--owner", flags->owner, "who is told when it is switched off; you when absent");
  adding.add_flag("--all-calls", flags->all_calls, "call.registered of calls that are in the library already, too");
  add_why(adding, flags);
  tree.run(adding, [&session, flags] { return add(session, *flags); });
  auto& rotating = add_one(tree, root, flags, "rotate", "A new signing secret; the old one signs, too, for a while",
                           {"callimport webhooks rotate whk_5k2", "callimport webhooks rotate whk_5k2 --overlap 0"});
  rotating.add_option("--overlap", flags->overlap_hours, "hours for which both sign; 0: the old one is void at once")
      ->check(CLI::Range(0, 720));
  add_why(rotating, flags);
  tree.run(rotating, [&session, flags] { return rotate(session, *flags); });
}

void add_switching(Tree& tree, CLI::App& root, const Flags& flags) {
  auto& session = tree.session;
  auto& enabling = add_one(tree, root, flags, "enable", "Go on where it stopped",
                           {"callimport webhooks enable whk_5k2", "callimport webhooks enable whk_5k2 --why mended"});
  add_why(enabling, flags);
  tree.run(enabling, [&session, flags] { return turn(session, *flags, Switch::kOn); });
  auto& disabling =
      add_one(tree, root, flags, "disable", "Send nothing for now; its place is kept",
              {"callimport webhooks disable whk_5k2", "callimport webhooks disable whk_5k2 --why moving"});
  add_why(disabling, flags);
  tree.run(disabling, [&session, flags] { return turn(session, *flags, Switch::kOff); });
  auto& removing = add_one(tree, root, flags, "remove", "Forget it, its secret and its log",
                           {"callimport webhooks remove whk_5k2", "callimport webhooks remove whk_5k2 --yes"});
  add_why(removing, flags);
  tree.run(removing, [&session, flags] { return remove(session, *flags); });
}

}  // namespace

void add_webhooks(Tree& tree) {
  auto& root = tree.verb(tree.root, "webhooks", "Programs that are told what happens",
                         {"callimport webhooks add https://hooks.example.com/calls", "callimport webhooks list"});
  root.require_subcommand(1);
  auto flags = std::make_shared<WebhookFlags>();  // shared by the parser and the bodies; one of them runs
  auto& session = tree.session;
  add_adding(tree, root, flags);
  auto& listing = tree.verb(root, "list", "Each with its state and what waits for it",
                            {"callimport webhooks list", "callimport webhooks list -o json"});
  tree.run(listing, [&session] { return list(session); });
  auto& showing = add_one(tree, root, flags, "show", "One of them, with its types and why it is off",
                          {"callimport webhooks show whk_5k2", "callimport webhooks show whk_5k2 -o json"});
  tree.run(showing, [&session, flags] { return show(session, *flags); });
  auto& testing = add_one(tree, root, flags, "test", "Send a test event and say what came",
                          {"callimport webhooks test whk_5k2", "callimport webhooks test whk_5k2 -o json"});
  tree.run(testing, [&session, flags] { return send(session, *flags); });
  auto& logging = add_one(tree, root, flags, "log", "What was sent, newest first, with each attempt's outcome",
                          {"callimport webhooks log whk_5k2", "callimport webhooks log whk_5k2 --message ntf_8d2"});
  logging.add_option("--message", flags->message, "this one, with its body");
  logging.add_option("--limit", flags->limit, "how many")->check(CLI::Range(1, 500));
  tree.run(logging, [&session, flags] { return log(session, *flags); });
  auto& resending =
      add_one(tree, root, flags, "resend", "Send a message of the log again, under its id",
              {"callimport webhooks resend whk_5k2 ntf_8d2", "callimport webhooks resend whk_5k2 evt_3f -o json"});
  resending.add_option("message", flags->message, "its id")->required();
  tree.run(resending, [&session, flags] { return send(session, *flags); });
  add_switching(tree, root, flags);
}

}  // namespace callimport::api
