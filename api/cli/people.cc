// The directory from the terminal: contacts come in from a CSV, who is not recognised goes out as one.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "api/cli/actions.h"
#include "api/cli/csv_reader.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "storage/model/text.h"

namespace callimport::api {
namespace {

constexpr int kContactsPerRequest = 1'000;
constexpr std::size_t kRefusalsShown = 20;
constexpr std::size_t kRefusalsKept = 10'000;  ///< of a file of bad lines; the rest is counted

struct PeopleFlags {
  std::string file, text, errors, platform, to;
  std::vector<std::string> mapping;
  int limit = 50;
  bool dry_run = false, no_rematch = false;
};

using Setter = void (*)(v1::Contact&, const std::string&);
/// A field of a contact, and the heads of columns it is known by: small letters and digits only.
struct ContactField {
  std::string_view name;
  Setter set;
  std::string_view heads;  ///< comma-separated
};
constexpr std::array<ContactField, 8> kFields = {{
    {"name", [](v1::Contact& c, const std::string& v) { c.set_name(v); }, "name,fullname,displayname,contactname"},
    {"email", [](v1::Contact& c, const std::string& v) { c.set_email(v); }, "email,mail,emailaddress,workemail"},
    {"phone", [](v1::Contact& c, const std::string& v) { c.set_phone(v); },
     "phone,phonenumber,telephone,mobile,mobilephone,workphone"},
    {"company", [](v1::Contact& c, const std::string& v) { c.set_company(v); },
     "company,companyname,account,accountname,customer,organization,organisation"},
    {"domain", [](v1::Contact& c, const std::string& v) { c.set_domain(v); }, "domain,companydomain,website"},
    {"kind", [](v1::Contact& c, const std::string& v) { c.set_kind(v); }, "kind,type"},
    {"platform", [](v1::Contact& c, const std::string& v) { c.set_platform(v); }, "platform"},
    {"user", [](v1::Contact& c, const std::string& v) { c.set_user(v); }, "user,userid,platformuserid,platformuser"},
}};

std::string plain_head(std::string_view head) {
  std::string out;
  for (const char c : head) {
    if (c >= 'A' && c <= 'Z') out += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  }
  return out;
}

const ContactField* field_named(std::string_view name) {
  const auto found = std::find_if(kFields.begin(), kFields.end(), [&](const auto& one) { return one.name == name; });
  return found == kFields.end() ? nullptr : found;
}

const ContactField* field_with_head(const std::string& head) {
  for (const auto& field : kFields) {
    if ((',' + std::string(field.heads) + ',').find(',' + plain_head(head) + ',') != std::string::npos) return &field;
  }
  return nullptr;
}

/// Which field each column fills; null: none.  @error usage  a --mapping that names no column or field; no column to
/// recognise people by.
tl::expected<std::vector<const ContactField*>, CliError> columns_of(const std::vector<std::string>& heads,
                                                                    const std::vector<std::string>& mapping) {
  std::vector<const ContactField*> columns;
  for (const auto& head : heads) columns.push_back(plain_head(head).empty() ? nullptr : field_with_head(head));
  for (const auto& one : mapping) {
    const auto equals = one.rfind('=');
    const auto* field = equals == std::string::npos ? nullptr : field_named(one.substr(equals + 1));
    if (field == nullptr) {
      return sorry(kExitUsage, "usage", "--mapping \"" + printable(one) + "\" is not COLUMN=FIELD",
                   "fields: name, email, phone, company, domain, kind, platform, user");
    }
    const auto head = trimmed(one.substr(0, equals));
    const auto at = std::find_if(heads.begin(), heads.end(), [&](const auto& h) { return trimmed(h) == head; });
    if (at == heads.end()) {
      return sorry(kExitUsage, "usage", "the file has no column \"" + printable(head) + "\"",
                   fmt::format("its columns: {}", printable(fmt::format("{}", fmt::join(heads, ", ")))));
    }
    std::replace(columns.begin(), columns.end(), field, static_cast<const ContactField*>(nullptr));
    columns[static_cast<std::size_t>(at - heads.begin())] = field;
  }
  const auto has = [&](std::string_view name) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const auto* one) { return one != nullptr && one->name == name; });
  };
  if (!has("email") && !has("phone") && !has("user")) {
    return sorry(kExitUsage, "usage",
                 fmt::format("no column says an e-mail address, a phone number or a user id; there are: {}",
                             printable(fmt::format("{}", fmt::join(heads, ", ")))),
                 "name it: --mapping 'Work mail=email'");
  }
  return columns;
}

struct Refusal {
  std::int64_t line = 0;
  std::string reason;
};

/// One import of a file: batches go out as they fill, so memory stays flat however long the file is.
class PeopleImport {
 public:
  PeopleImport(Session& session, const PeopleFlags& flags) : session_(session), flags_(flags) {
    request_.set_dry_run(flags.dry_run);
    request_.set_source(flags.file == "-" ? "standard input" : flags.file);
    request_.mutable_deed()->set_request_id(new_request_id());
  }

  tl::expected<void, CliError> run(std::istream& in) {
    CsvReader reader(in);
    const auto head = reader.next();
    if (!head) return sorry(kExitUsage, "usage", "the file is empty", "its first line names the columns");
    if (!head->problem.empty()) return sorry(kExitUsage, "usage", "line 1: " + head->problem, "");
    CLI_TRY(const auto columns, columns_of(head->fields, flags_.mapping));
    while (auto record = reader.next()) {
      ++rows_;
      if (record->problem.empty() && record->fields.size() > columns.size()) {
        record->problem = fmt::format("it has {} fields, the first line {}", record->fields.size(), columns.size());
      }
      if (!record->problem.empty()) {
        refuse(record->line, record->problem);
        continue;
      }
      auto& contact = *request_.add_contacts();
      if (!flags_.platform.empty()) contact.set_platform(flags_.platform);
      for (std::size_t i = 0; i < record->fields.size(); ++i) {
        const auto value = trimmed(record->fields[i]);
        if (columns[i] != nullptr && !value.empty()) columns[i]->set(contact, value);
      }
      if (contact.user().empty()) contact.clear_platform();
      lines_.push_back(record->line);
      if (request_.contacts_size() == kContactsPerRequest) CLI_TRY_VOID(send());
    }
    return send();
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t refused() const { return refused_; }
  std::int64_t taken() const { return added_ + updated_ + unchanged_; }
  std::int64_t added() const { return added_; }
  std::int64_t updated() const { return updated_; }
  std::int64_t unchanged() const { return unchanged_; }
  const std::vector<Refusal>& refusals() const { return refusals_; }

 private:
  void refuse(std::int64_t line, const std::string& reason) {
    ++refused_;
    if (refusals_.size() < kRefusalsKept) refusals_.push_back({line, reason});
  }
  tl::expected<void, CliError> send() {
    if (request_.contacts_size() == 0) return {};
    CLI_TRY(const auto reply,
            (session_.ask<v1::ImportPeopleRequest, v1::ImportPeopleResponse>("ImportPeople", request_)));
    added_ += reply.added();
    updated_ += reply.updated();
    unchanged_ += reply.unchanged();
    for (const auto& one : reply.refused()) refuse(lines_.at(static_cast<std::size_t>(one.index())), one.reason());
    request_.clear_contacts();
    lines_.clear();
    if (session_.err_is_terminal() && rows_ % 50'000 == 0) session_.say(fmt::format("{} rows read", rows_));
    return {};
  }

  Session& session_;
  const PeopleFlags& flags_;
  v1::ImportPeopleRequest request_;
  std::vector<std::int64_t> lines_;  ///< of the contacts in the request
  std::int64_t rows_ = 0, added_ = 0, updated_ = 0, unchanged_ = 0, refused_ = 0;
  std::vector<Refusal> refusals_;
};

struct Looked {
  std::int64_t calls = 0, changed = 0;
};
tl::expected<Looked, CliError> rematch_all(Session& session) {
  Looked looked;
  v1::RematchPeopleRequest request;
  request.mutable_deed()->set_request_id(new_request_id());
  do {
    CLI_TRY(const auto reply,
            (session.ask<v1::RematchPeopleRequest, v1::RematchPeopleResponse>("RematchPeople", request)));
    looked.calls += reply.calls();
    looked.changed += reply.changed();
    request.set_from(reply.next());
    if (session.err_is_terminal() && looked.calls % 10'000 == 0)
      session.say(fmt::format("{} calls looked at", looked.calls));
  } while (request.from() != 0);
  return looked;
}

Ended tell_refusals(Session& session, const PeopleFlags& flags, const PeopleImport& done) {
  if (!flags.errors.empty()) {
    std::ofstream out(flags.errors, std::ios::binary | std::ios::trunc);
    out << csv_row({"line", "reason"});
    for (const auto& one : done.refusals()) out << csv_row({std::to_string(one.line), one.reason});
    out.close();
    if (!out)
      return sorry(kExitFailed, "file.unwritable", "cannot write " + flags.errors, "give another --errors FILE");
    session.say(fmt::format("{} lines were not taken; they are in {}", done.refused(), flags.errors));
    return kExitGaps;
  }
  for (std::size_t i = 0; i < std::min(done.refusals().size(), kRefusalsShown); ++i) {
    session.say(fmt::format("line {}: {}", done.refusals()[i].line, printable(done.refusals()[i].reason)));
  }
  session.say(fmt::format("{} lines were not taken; --errors FILE lists them", done.refused()));
  return kExitGaps;
}

Ended import_people(Session& session, const PeopleFlags& flags) {
  std::ifstream file;
  if (flags.file != "-") {
    file.open(flags.file, std::ios::binary);
    if (!file) return sorry(kExitUsage, "file.unreadable", "cannot read " + printable(flags.file), "");
  }
  PeopleImport work(session, flags);
  CLI_TRY_VOID(work.run(flags.file == "-" ? std::cin : file));
  Looked looked;
  if (!flags.dry_run && !flags.no_rematch && work.added() + work.updated() > 0) {
    CLI_TRY(looked, rematch_all(session));
  }
  Sheet sheet;
  sheet.rows = {{{"rows", work.rows()},
                 {"added", work.added()},
                 {"updated", work.updated()},
                 {"unchanged", work.unchanged()},
                 {"refused", work.refused()},
                 {"calls_looked_at", looked.calls},
                 {"calls_changed", looked.changed},
                 {"dry_run", flags.dry_run}}};
  sheet.rows[0]["refusals"] = nlohmann::json::array();
  for (const auto& one : work.refusals()) {
    sheet.rows[0]["refusals"].push_back({{"line", one.line}, {"reason", one.reason}});
  }
  sheet.columns =
      plain_columns({"rows", "added", "updated", "unchanged", "refused", "calls_looked_at", "calls_changed"});
  sheet.text = [&] {
    return fmt::format("{}{} rows: {} added, {} updated, {} unchanged, {} not taken\n{} calls have new matches\n",
                       flags.dry_run ? "nothing was written; " : "", work.rows(), work.added(), work.updated(),
                       work.unchanged(), work.refused(), looked.changed);
  };
  CLI_TRY_VOID(print_object(session, sheet));
  if (work.refused() > 0) return tell_refusals(session, flags, work);
  if (session.output() == Output::kText) session.say("next: callimport people unmatched");
  return kExitDone;
}

nlohmann::json shape(const v1::Person& person) {
  nlohmann::json out = {
      {"id", person.id()}, {"kind", person.kind()}, {"name", person.name()}, {"company", person.company()}};
  for (const auto& key : person.keys()) {
    const bool user = key.kind().starts_with("user:");
    const std::string head = user ? "user" : key.kind();
    if (!out.contains(head)) out[head] = key.value();
    if (user && !out.contains("platform")) out["platform"] = key.kind().substr(5);
    out["keys"].push_back({{"kind", key.kind()}, {"value", key.value()}});
  }
  return out;
}

tl::expected<std::vector<v1::Person>, CliError> people_with(Session& session, const std::string& text, int limit) {
  v1::ListPeopleRequest request;
  request.set_text(text);
  std::vector<v1::Person> people;
  do {
    request.set_page_size(std::min(limit - static_cast<int>(people.size()), 1000));
    CLI_TRY(auto reply, (session.ask<v1::ListPeopleRequest, v1::ListPeopleResponse>("ListPeople", request)));
    for (auto& one : *reply.mutable_people()) people.push_back(std::move(one));
    request.set_page_token(reply.next_page_token());
  } while (!request.page_token().empty() && static_cast<int>(people.size()) < limit);
  return people;
}

Ended list_people(Session& session, const PeopleFlags& flags) {
  CLI_TRY(const auto people, people_with(session, flags.text, flags.limit));
  Sheet sheet;
  for (const auto& one : people) sheet.rows.push_back(shape(one));
  sheet.columns = plain_columns({"id", "kind", "name", "company", "email", "phone", "platform", "user"});
  sheet.empty = "nobody; next: callimport people import contacts.csv";
  sheet.text = [&] {
    Table table{{"PERSON", "KIND", "NAME", "COMPANY", "E-MAIL", "PHONE"}, {}, 2};
    for (const auto& row : sheet.rows) {
      table.rows.push_back({row["id"], row["kind"], printable(row.value("name", "")),
                            printable(row.value("company", "")), printable(row.value("email", "")),
                            row.value("phone", "")});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

Ended show_person(Session& session, const PeopleFlags& flags) {
  CLI_TRY(const auto people, people_with(session, flags.text, 2));
  if (people.empty()) {
    return sorry(kExitFailed, "not_found", "nobody is known by \"" + printable(flags.text) + "\"",
                 "callimport people list");
  }
  if (people.size() > 1) {
    return sorry(kExitUsage, "ambiguous", "more than one person is known by that; give the id",
                 "callimport people list " + flags.text);
  }
  Sheet sheet;
  sheet.rows = {shape(people[0])};
  sheet.columns = plain_columns({"id", "kind", "name", "company", "email", "phone", "platform", "user"});
  sheet.text = [&] {
    std::string text = fmt::format("{}\n{}  {}  {}\n", session.bold(printable(people[0].name())), people[0].id(),
                                   people[0].kind(), printable(people[0].company()));
    for (const auto& key : people[0].keys()) text += fmt::format("  {} {}\n", key.kind(), printable(key.value()));
    return text;
  };
  return print_object(session, sheet);
}

Ended unmatched(Session& session, const PeopleFlags& flags) {
  v1::ListUnmatchedRequest request;
  request.set_limit(flags.limit);
  CLI_TRY(const auto reply,
          (session.ask<v1::ListUnmatchedRequest, v1::ListUnmatchedResponse>("ListUnmatched", request)));
  Sheet sheet;
  for (const auto& row : reply.rows()) {
    sheet.rows.push_back({{"name", row.name()},
                          {"email", row.email()},
                          {"phone", row.phone()},
                          {"company", ""},
                          {"kind", "contact"},
                          {"platform", row.user().empty() ? "" : row.platform()},
                          {"user", row.user()},
                          {"reason", row.ambiguous() ? "ambiguous" : "unmatched"},
                          {"calls", row.calls()},
                          {"example_call", row.example_call()}});
  }
  sheet.columns = plain_columns(
      {"name", "email", "phone", "company", "kind", "platform", "user", "reason", "calls", "example_call"});
  sheet.empty = "everybody who can be recognised is";
  sheet.text = [&] {
    Table table{{"NAME", "E-MAIL", "PHONE", "WHY", "CALLS", "FOR EXAMPLE"}, {}, 0};
    for (const auto& row : reply.rows()) {
      table.rows.push_back({printable(row.name()), printable(row.email()), printable(row.phone()),
                            row.ambiguous() ? "ambiguous" : "unmatched", std::to_string(row.calls()),
                            row.example_call()});
    }
    return table.show(session.width());
  };
  CLI_TRY_VOID(print_sheet(session, sheet));
  session.say(fmt::format("participants: {} matched, {} ambiguous, {} unmatched, {} with nothing to go by",
                          reply.matched(), reply.ambiguous(), reply.unmatched(), reply.nothing_to_go_by()));
  if (session.output() == Output::kText && reply.rows_size() > 0) {
    session.say(
        "next: callimport people unmatched -o csv > people.csv, fill it in, callimport people import people.csv");
  }
  return kExitDone;
}

Ended rematch(Session& session) {
  CLI_TRY(const auto looked, rematch_all(session));
  Sheet sheet;
  sheet.rows = {{{"calls", looked.calls}, {"changed", looked.changed}}};
  sheet.columns = plain_columns({"calls", "changed"});
  sheet.text = [&] { return fmt::format("{} calls looked at, {} changed\n", looked.calls, looked.changed); };
  return print_object(session, sheet);
}

void add_import(Tree& tree, CLI::App& people, const std::shared_ptr<PeopleFlags>& flags) {
  auto& session = tree.session;
  auto& verb = tree.verb(people, "import", "Take users and contacts from a CSV file, then match calls anew",
                         {"callimport people import contacts.csv --dry-run",
                          "callimport people import export.csv --mapping 'Work mail=email' --errors bad.csv"});
  verb.add_option("file", flags->file, "CSV with a line of heads; - reads stdin")->required();
  verb.add_option("--mapping", flags->mapping, "COLUMN=FIELD: which column is what");
  verb.add_option("--platform", flags->platform, "the platform that user ids are of, without a column for it");
  verb.add_option("--errors", flags->errors, "file for the lines that are not taken, with the reason of each");
  verb.add_flag("--dry-run", flags->dry_run, "say what would happen, write nothing");
  verb.add_flag("--no-rematch", flags->no_rematch, "leave the calls that are there as they are");
  tree.run(verb, [&session, flags] { return import_people(session, *flags); });
}

}  // namespace

void add_people(Tree& tree) {
  auto& people = tree.verb(tree.root, "people", "Users and contacts, and who of them took part in calls",
                           {"callimport people import contacts.csv", "callimport people unmatched"});
  people.require_subcommand(1);
  auto flags = std::make_shared<PeopleFlags>();  // shared by the parser and the bodies; one of them runs
  auto& session = tree.session;
  add_import(tree, people, flags);
  auto& list =
      tree.verb(people, "list", "List the directory", {"callimport people list acme", "callimport people list -o csv"});
  list.add_option("text", flags->text, "part of a name, address, number or company");
  list.add_option("--limit", flags->limit, "at most so many")->check(CLI::Range(1, 2'000'000));
  tree.run(list, [&session, flags] { return list_people(session, *flags); });
  auto& show = tree.verb(people, "show", "Show one person and what they are recognised by",
                         {"callimport people show per_9d2", "callimport people show ada@acme.com -o json"});
  show.add_option("person", flags->text, "id, address or name")->required();
  tree.run(show, [&session, flags] { return show_person(session, *flags); });
  auto& open =
      tree.verb(people, "unmatched", "List participants nobody in the directory stands for, most calls first",
                {"callimport people unmatched", "callimport people unmatched -o csv --limit 1000 > people.csv"});
  open.add_option("--limit", flags->limit, "at most so many")->check(CLI::Range(1, 1'000));
  tree.run(open, [&session, flags] { return unmatched(session, *flags); });
  auto& again = tree.verb(people, "rematch", "Look at the participants of every call anew",
                          {"callimport people rematch", "callimport people rematch -o json"});
  tree.run(again, [&session] { return rematch(session); });
}

}  // namespace callimport::api
