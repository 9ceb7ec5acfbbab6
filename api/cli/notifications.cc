// Messages to people: what went, to whom, why or why not; again, and a test of the way.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "activities/notify/events.h"
#include "api/cli/out_file.h"
#include "api/cli/programs.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

using nlohmann::json;

json at(std::int64_t ms) { return ms == 0 ? json(nullptr) : json(format_utc(from_unix_ms(ms))); }

/// Foreign text for a terminal, line by line.
std::string lines_of(const std::string& text) {
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    out += printable(std::string_view(text).substr(from, end - from)) + "\n";
    from = end + 1;
  }
  return out;
}

json shape_of(const v1::SentMessage& message) {
  json out = {{"id", message.id()},
              {"import", message.import()},
              {"channel", message.channel()},
              {"recipient", message.recipient()},
              {"address", message.address()},
              {"customer", message.customer()},
              {"form", message.form()},
              {"weight", message.weight()},
              {"state", message.state()},
              {"made", at(message.made_ms())},
              {"due", at(message.due_ms())},
              {"ended", at(message.ended_ms())},
              {"attempts", message.attempts()},
              {"error", message.error()},
              {"ref", message.ref()},
              {"thread", message.thread()},
              {"instead_of", message.instead_of()}};
  if (message.news_size() == 0) return out;
  out["rendered"] = message.rendered();
  out["news"] = json::array();
  for (const auto& one : message.news()) out["news"].push_back(shape(one));
  return out;
}

json shape_of(const v1::Explanation& line) {
  return {{"notification", line.notification()},
          {"at", at(line.at_ms())},
          {"event", line.event()},
          {"channel", line.channel()},
          {"recipient", line.recipient()},
          {"state", line.state()},
          {"why", line.why()},
          {"message", line.message()}};
}

struct ListFlags {
  std::string import, to, channel, state;
  int limit = 50;
};

Ended list(Session& session, const ListFlags& flags) {
  v1::ListMessagesRequest request;
  request.set_import(flags.import);
  request.set_recipient(flags.to);
  request.set_channel(flags.channel);
  request.set_state(flags.state);
  request.set_page_size(flags.limit);
  CLI_TRY(const auto reply, (session.ask<v1::ListMessagesRequest, v1::ListMessagesResponse>("ListMessages", request)));
  Sheet sheet;
  for (const auto& message : reply.messages()) sheet.rows.push_back(shape_of(message));
  sheet.columns = plain_columns({"id", "made", "import", "channel", "recipient", "state", "attempts", "error"});
  sheet.empty = "no message yet; what was recorded: callimport show IMPORT --notifications";
  sheet.text = [&] {
    Table table{{"MESSAGE", "MADE", "IMPORT", "CHANNEL", "TO", "STATE", "REASON"}, {}, 6};
    for (const auto& one : reply.messages()) {
      table.rows.push_back({one.id(), session.time(one.made_ms()), one.import(), one.channel(),
                            printable(one.recipient()), one.state(), printable(one.error())});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

Ended show(Session& session, const std::string& id) {
  v1::GetMessageRequest request;
  request.set_id(id);
  CLI_TRY(const auto message, (session.ask<v1::GetMessageRequest, v1::SentMessage>("GetMessage", request)));
  Sheet sheet;
  sheet.rows.push_back(shape_of(message));
  sheet.columns = plain_columns({"id", "made", "import", "channel", "recipient", "state", "attempts", "error"});
  sheet.text = [&] {
    std::string text = fmt::format("{}  {} to {} by {}", message.id(), message.state(), printable(message.recipient()),
                                   message.channel());
    if (message.ended_ms() != 0) text += ", " + session.time(message.ended_ms());
    text += fmt::format("\nattempts {}", message.attempts());
    if (!message.error().empty()) text += ", " + printable(message.error());
    for (const auto& one : message.news())
      text += fmt::format("\n{}  {}  {}", session.time(one.at_ms()), one.event(), printable(one.text()));
    if (!message.rendered().empty()) text += "\n\n" + lines_of(message.rendered());
    return text + "\n";
  };
  return print_object(session, sheet);
}

struct WhyFlags {
  std::string of, to;
  int limit = 50;
};

Ended why(Session& session, const WhyFlags& flags) {
  v1::ExplainNotificationsRequest request;
  (flags.of.starts_with("ntf_") ? *request.mutable_notification() : *request.mutable_import()) = flags.of;
  request.set_recipient(flags.to);
  request.set_page_size(flags.limit);
  CLI_TRY(const auto reply, (session.ask<v1::ExplainNotificationsRequest, v1::ExplainNotificationsResponse>(
                                "ExplainNotifications", request)));
  Sheet sheet;
  for (const auto& line : reply.explanations()) sheet.rows.push_back(shape_of(line));
  sheet.columns = plain_columns({"notification", "at", "event", "channel", "recipient", "state", "why", "message"});
  sheet.empty = "nobody was told; what was recorded: callimport show IMPORT --notifications";
  sheet.text = [&] {
    Table table{{"AT", "EVENT", "TO", "CHANNEL", "STATE", "WHY"}, {}, 5};
    for (const auto& one : reply.explanations()) {
      table.rows.push_back({session.time(one.at_ms()), one.event(), printable(one.recipient()), one.channel(),
                            one.state(), printable(one.why())});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

Ended resend(Session& session, const std::string& id, const std::string& to) {
  v1::ResendMessageRequest request;
  request.set_id(id);
  request.set_to(to);
  CLI_TRY(const auto reply,
          (session.ask<v1::ResendMessageRequest, v1::ResendMessageResponse>("ResendMessage", request)));
  Sheet sheet;
  sheet.rows.push_back({{"id", reply.id()}, {"again", id}});
  sheet.columns = plain_columns({"id", "again"});
  sheet.text = [&] { return reply.id() + "\n"; };
  return print_object(session, sheet);
}

/// Waits until all messages of the record have ended or were put off, for as long as a command may take.
Ended test(Session& session, const std::string& to, const std::string& channel) {
  v1::TestNotificationRequest request;
  request.set_to(to);
  request.set_channel(channel);
  CLI_TRY(const auto made,
          (session.ask<v1::TestNotificationRequest, v1::TestNotificationResponse>("TestNotification", request)));
  v1::ListMessagesRequest ask;
  ask.set_notification(made.notification());
  v1::ListMessagesResponse messages;
  const auto end = std::chrono::steady_clock::now() + session.timeout();
  bool over = false, whole = false;
  while (!over && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    CLI_TRY(messages, (session.ask<v1::ListMessagesRequest, v1::ListMessagesResponse>("ListMessages", ask)));
    over = whole = messages.messages_size() > 0;
    for (const auto& one : messages.messages()) {
      over = over && (one.state() != "queued" || !one.error().empty());
      whole = whole && one.state() == "sent";
    }
  }
  Sheet sheet;
  for (const auto& message : messages.messages()) sheet.rows.push_back(shape_of(message));
  sheet.columns = plain_columns({"id", "channel", "recipient", "state", "attempts", "error"});
  sheet.empty = "the test reached no channel in time; look at: callimport notifications health";
  sheet.text = [&] {
    Table table{{"CHANNEL", "TO", "STATE", "REASON"}, {}, 3};
    for (const auto& one : messages.messages())
      table.rows.push_back({one.channel(), printable(one.recipient()), one.state(), printable(one.error())});
    return table.show(session.width());
  };
  CLI_TRY_VOID(print_sheet(session, sheet));
  return whole ? kExitDone : kExitFailed;
}

Ended health(Session& session) {
  CLI_TRY(const auto reply, (session.ask<v1::ListChannelsRequest, v1::ListChannelsResponse>("ListChannels", {})));
  Sheet sheet;
  bool down = false;
  for (const auto& one : reply.channels()) {
    down = down || one.down();
    sheet.rows.push_back({{"channel", one.name()},
                          {"down", one.down()},
                          {"last_sent", at(one.sent_ms())},
                          {"last_error", at(one.failed_ms())},
                          {"error", one.error()},
                          {"queued", one.queued()},
                          {"oldest", at(one.oldest_ms())}});
  }
  sheet.columns = plain_columns({"channel", "down", "last_sent", "last_error", "error", "queued", "oldest"});
  sheet.text = [&] {
    Table table{{"CHANNEL", "STATE", "LAST SENT", "QUEUED", "LAST ERROR"}, {}, 4};
    for (const auto& one : reply.channels()) {
      table.rows.push_back({one.name(), one.down() ? "DOWN" : "works",
                            one.sent_ms() == 0 ? "never" : session.time(one.sent_ms()), human_count(one.queued()),
                            printable(one.error())});
    }
    return table.show(session.width());
  };
  CLI_TRY_VOID(print_sheet(session, sheet));
  return down ? kExitFailed : kExitDone;
}

struct PreviewFlags {
  std::string event, as = "text", rules;
  bool customer = false, open = false, week = false;
};

/// Every message there is, when no event is named.
Ended list_events(Session& session) {
  Sheet sheet;
  for (const auto& row : activities::events())
    sheet.rows.push_back({{"event", row.id}, {"weight", activities::to_string(row.weight)}, {"what", row.words}});
  sheet.columns = plain_columns({"event", "weight", "what"});
  sheet.text = [&] {
    Table table{{"EVENT", "WEIGHT", "WHAT HAPPENED"}, {}, 2};
    for (const auto& row : activities::events())
      table.rows.push_back({std::string(row.id), std::string(to_string(row.weight)), std::string(row.words)});
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

/// The page in a browser; it stays in the folder for temporary files, as the browser reads it when it likes.
Ended open_page(Session& session, const std::string& event, const std::string& html) {
  const auto program = find_browser();
  if (program.empty())
    return sorry(kExitFailed, "browser.absent", "no browser is to be found here",
                 "callimport notifications preview " + event + " --as html > preview.html");
  const std::string path = std::filesystem::temp_directory_path() / ("callimport-" + event + ".html");
  CLI_TRY(auto file, OutFile::open(session, path));
  file.write(html);
  CLI_TRY_VOID(file.close());
  return run_program(program, {path}) == 0 ? kExitDone : kExitFailed;
}

/// The whole file, as long as a configuration may be.
tl::expected<std::string, CliError> read_rules(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in) return sorry(kExitUsage, "input.invalid", path + " cannot be read", "Name a configuration: --rules FILE");
  return text + "\n";  // an empty file is rules that tell nobody, not those in force
}

/// What the last week would have brought to whom, by the rules in force or by those of a file.
Ended forecast(Session& session, const PreviewFlags& flags) {
  v1::ForecastMessagesRequest request;
  if (!flags.rules.empty()) {
    CLI_TRY(*request.mutable_rules(), read_rules(flags.rules));
  }
  CLI_TRY(const auto reply,
          (session.ask<v1::ForecastMessagesRequest, v1::ForecastMessagesResponse>("ForecastMessages", request)));
  Sheet sheet;
  for (const auto& one : reply.counts())
    sheet.rows.push_back({{"channel", one.channel()},
                          {"recipient", one.recipient()},
                          {"name", one.name()},
                          {"customer", one.customer()},
                          {"messages", one.messages()},
                          {"act", one.act()},
                          {"records", one.records()}});
  sheet.columns = plain_columns({"channel", "recipient", "messages", "act", "records"});
  sheet.text = [&] {
    Table table{{"CHANNEL", "WHO", "MESSAGES", "TO ACT ON", "RECORDS IN THEM"}, {}, 2};
    for (const auto& one : reply.counts())
      table.rows.push_back({one.channel(), printable(one.recipient()), human_count(one.messages()),
                            human_count(one.act()), human_count(one.records())});
    const std::string since = session.time(reply.from_ms());
    return fmt::format("{}\n{} records since {}{}. Nothing was sent.\n", table.show(session.width()),
                       human_count(reply.records()), since, reply.cut() ? ", which are not all of the week" : "");
  };
  return print_sheet(session, sheet);
}

Ended preview(Session& session, const PreviewFlags& flags) {
  if (flags.week || !flags.rules.empty()) return forecast(session, flags);
  if (flags.event.empty()) return list_events(session);
  v1::PreviewMessageRequest request;
  request.set_event(flags.event);
  request.set_customer(flags.customer);
  CLI_TRY(const auto reply,
          (session.ask<v1::PreviewMessageRequest, v1::PreviewMessageResponse>("PreviewMessage", request)));
  if (flags.open) return open_page(session, flags.event, reply.html());
  Sheet sheet;
  sheet.rows.push_back({{"event", flags.event},
                        {"customer", flags.customer},
                        {"subject", reply.subject()},
                        {"text", reply.text()},
                        {"html", reply.html()},
                        {"slack", reply.slack()}});
  sheet.columns = plain_columns({"event", "subject", "text"});
  sheet.text = [&] {
    if (flags.as == "html") return reply.html();
    if (flags.as == "slack") return reply.slack() + "\n";
    return "Subject: " + printable(reply.subject()) + "\n\n" + lines_of(reply.text());
  };
  return print_object(session, sheet);
}

void add_preview(Tree& tree, CLI::App& all) {
  auto& verb =
      tree.verb(all, "preview", "A message as it would be; without an event, all there are; or a week of them, counted",
                {"callimport notifications preview", "callimport notifications preview import.completed --open",
                 "callimport notifications preview --week --rules new.toml"});
  auto flags = std::make_shared<PreviewFlags>();  // shared by the parser and the body
  verb.add_option("event", flags->event, "what happened");
  verb.add_flag("--customer", flags->customer, "as the customer gets it");
  verb.add_option("--as", flags->as, "text, html, slack")->check(CLI::IsMember({"text", "html", "slack"}));
  auto* open = verb.add_flag("--open", flags->open, "the mail, in a browser");
  auto* week = verb.add_flag("--week", flags->week, "what the last seven days would have sent to whom; sends nothing");
  week->excludes(open);
  verb.add_option("--rules", flags->rules, "with --week: by [people] and [notify] of this file, not those in force")
      ->needs(week);
  tree.run(verb, [&session = tree.session, flags] { return preview(session, *flags); });
}

void add_reading(Tree& tree, CLI::App& all) {
  auto& listing = tree.verb(all, "list", "Messages, newest first",
                            {"callimport notifications list", "callimport notifications list --state failed -o json"});
  auto flags = std::make_shared<ListFlags>();  // shared by the parser and the body
  listing.add_option("import", flags->import, "import id or its beginning (default: all)");
  listing.add_option("--to", flags->to, "only to this person");
  listing.add_option("--channel", flags->channel, "only by this channel");
  listing.add_option("--state", flags->state, "only these")
      ->check(CLI::IsMember({"queued", "sent", "bounced", "failed", "suppressed"}));
  listing.add_option("--limit", flags->limit, "rows at most")->check(CLI::Range(1, 1000));
  tree.run(listing, [&session = tree.session, flags] { return list(session, *flags); });

  auto& showing =
      tree.verb(all, "show", "One message with its exact text",
                {"callimport notifications show msg_7f3a", "callimport notifications show msg_7f3a -o json"});
  auto id = std::make_shared<std::string>();  // shared by the parser and the body
  showing.add_option("message", *id, "message id")->required();
  tree.run(showing, [&session = tree.session, id] { return show(session, *id); });

  auto& asking =
      tree.verb(all, "why", "Who was told of what by which rule, and who was not",
                {"callimport notifications why imp_7f3a --to ana", "callimport notifications why ntf_1c2d --to ben"});
  auto reasons = std::make_shared<WhyFlags>();  // shared by the parser and the body
  asking.add_option("of", reasons->of, "an import, or a record (ntf_...)")->required();
  asking.add_option("--to", reasons->to, "only this person");
  asking.add_option("--limit", reasons->limit, "rows at most")->check(CLI::Range(1, 1000));
  tree.run(asking, [&session = tree.session, reasons] { return why(session, *reasons); });

  auto& channels = tree.verb(all, "health", "Whether each channel takes messages",
                             {"callimport notifications health", "callimport notifications health -o json"});
  tree.run(channels, [&session = tree.session] { return health(session); });
}

}  // namespace

void add_notifications(Tree& tree) {
  auto& all = tree.verb(tree.root, "notifications", "Messages to people: what went, why, again; channels",
                        {"callimport notifications list imp_7f3a", "callimport notifications test --to ana"});
  all.require_subcommand(1);
  add_reading(tree, all);
  add_preview(tree, all);
  add_mutes(tree, all);

  auto& sending =
      tree.verb(all, "resend", "The same news again, to the same or to another person",
                {"callimport notifications resend msg_7f3a", "callimport notifications resend msg_7f3a --to ben"});
  auto again = std::make_shared<std::pair<std::string, std::string>>();  // shared by the parser and the body
  sending.add_option("message", again->first, "message id")->required();
  sending.add_option("--to", again->second, "another person's id");
  tree.run(sending, [&session = tree.session, again] { return resend(session, again->first, again->second); });

  auto& testing =
      tree.verb(all, "test", "Sends a test and says what became of it",
                {"callimport notifications test --to ana", "callimport notifications test --channel slack"});
  auto whom = std::make_shared<std::pair<std::string, std::string>>();  // shared by the parser and the body
  testing.add_option("--to", whom->first, "a person's id");
  testing.add_option("--channel", whom->second, "a channel's name");
  tree.run(testing, [&session = tree.session, whom] { return test(session, whom->first, whom->second); });
}

}  // namespace callimport::api
