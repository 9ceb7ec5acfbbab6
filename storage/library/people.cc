#include "storage/library/people.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "storage/library/person_keys.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

constexpr std::size_t kIdCharacters = 12;
constexpr std::size_t kNameBytesMax = 500;
/// The row of `workspace` whose domains hold everywhere: those learned from users.
constexpr const char* kEverywhere = "";

enum Recognised : int { kMatched = 1, kAmbiguous = 2, kUnmatched = 3, kNothingToGoBy = 4 };

std::int64_t first_integer(const Statement& row) { return row.integer(0); }

std::vector<std::string> domains_in(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::string> domains;
  if (!json.is_array()) return domains;
  for (const auto& one : json) {
    if (one.is_string()) domains.push_back(one.get<std::string>());
  }
  return domains;
}

tl::unexpected<Error> wrong(const std::string& what) { return fail(Code::kInvalid, what); }

std::string user_kind(const std::string& platform) { return "user:" + platform; }

}  // namespace

PeopleWrites::PeopleWrites(Database& db, Random& random)
    : db_(db),
      random_(random),
      with_key_(db, "SELECT person FROM person_key WHERE kind = ?1 AND value = ?2 ORDER BY person LIMIT 2"),
      add_key_(db, "INSERT OR IGNORE INTO person_key(kind, value, person) VALUES(?1, ?2, ?3)"),
      insert_(db, "INSERT INTO person(id, kind, name, company) VALUES(?1, ?2, ?3, ?4)"),
      update_(db, "UPDATE person SET kind = ?2, name = ?3, company = ?4 WHERE number = ?1"),
      person_(db, "SELECT number, kind, name, company FROM person WHERE number = ?1"),
      company_by_name_(db, "SELECT number FROM company WHERE name = ?1"),
      insert_company_(db, "INSERT INTO company(name) VALUES(?1)"),
      company_by_domain_(db, "SELECT company FROM company_domain WHERE domain = ?1"),
      insert_domain_(db,
                     "INSERT INTO company_domain(domain, company) VALUES(?1, ?2)"
                     " ON CONFLICT(domain) DO UPDATE SET company = ?2"),
      rename_company_(db, "UPDATE company SET name = ?2 WHERE number = ?1"),
      company_name_(db, "SELECT name FROM company WHERE number = ?1"),
      workspace_(db, "SELECT privacy, domains, customer FROM workspace WHERE name = ?1"),
      put_workspace_(db,
                     "INSERT INTO workspace(name, privacy, domains, customer) VALUES(?1, ?2, ?3, ?4)"
                     " ON CONFLICT(name) DO UPDATE SET privacy = ?2, domains = ?3, customer = ?4") {}

Result<WorkspaceRules> PeopleWrites::workspace(const std::string& name) {
  const auto read = [](const Statement& row) {
    return WorkspaceRules{row.text(0), domains_in(row.text(1)), row.text(2)};
  };
  TRY(auto rules, first_row(workspace_.bind(1, name), read));
  return rules.value_or(WorkspaceRules{});
}

Result<> PeopleWrites::set_workspace(const std::string& name, const WorkspaceRules& rules) {
  std::vector<std::string> domains;
  for (const auto& one : rules.domains) {
    auto domain = domain_of(one);
    if (domain.empty()) return wrong("\"" + one + "\" is no domain");
    domains.push_back(std::move(domain));
  }
  put_workspace_.bind(1, name).bind(2, rules.privacy).bind(3, nlohmann::json(domains).dump());
  return put_workspace_.bind(4, rules.customer).run();
}

Result<> PeopleWrites::learn_domain(const std::string& workspace, const std::string& domain) {
  TRY(auto rules, this->workspace(workspace));
  if (std::find(rules.domains.begin(), rules.domains.end(), domain) != rules.domains.end()) return {};
  rules.domains.push_back(domain);
  return set_workspace(workspace, rules);
}

Result<std::vector<std::int64_t>> PeopleWrites::with_key(const std::string& kind, const std::string& value) {
  return all_rows(with_key_.bind(1, kind).bind(2, value), first_integer);
}

Result<PeopleWrites::Known> PeopleWrites::person(std::int64_t number) {
  const auto read = [](const Statement& row) {
    return Known{row.integer(0), row.text(1), row.text(2), optional_integer(row, 3)};
  };
  TRY(auto known, first_row(person_.bind(1, number), read));
  if (!known) return fail(Code::kCorrupt, "a key of the directory names nobody");
  return *std::move(known);
}

Result<std::optional<PeopleWrites::Known>> PeopleWrites::find(const Contact& contact, const Keys& keys) {
  std::vector<std::pair<std::string, std::string>> by;
  if (!keys.user.empty()) by.emplace_back(user_kind(contact.platform), keys.user);
  if (!keys.email.empty()) by.emplace_back("email", keys.email);
  // A number is often shared: it names somebody only where nothing better is given.
  if (by.empty()) by.emplace_back("phone", keys.phone);
  for (const auto& [kind, value] : by) {
    TRY(const auto people, with_key(kind, value));
    if (people.empty()) continue;
    TRY(auto known, person(people.front()));
    return known;
  }
  return std::nullopt;
}

Result<bool> PeopleWrites::add_key(std::int64_t person, const std::string& kind, const std::string& value) {
  if (value.empty()) return false;
  TRY_VOID(add_key_.bind(1, kind).bind(2, value).bind(3, person).run());
  return db_.changes() > 0;
}

Result<std::int64_t> PeopleWrites::insert(const Contact& contact, std::optional<std::int64_t> company) {
  insert_.bind(1, "per_" + random_.id_text(kIdCharacters)).bind(2, contact.kind).bind(3, contact.name);
  TRY_VOID(insert_.bind(4, company).run());
  return db_.last_insert_rowid();
}

Result<std::optional<std::int64_t>> PeopleWrites::company_of_domain(const std::string& domain) {
  if (domain.empty()) return std::nullopt;
  return first_row(company_by_domain_.bind(1, domain), first_integer);
}

/// A company known by its domain only takes the name that comes later.
Result<std::optional<std::int64_t>> PeopleWrites::company_for(const std::string& name, const std::string& domain) {
  TRY(const auto by_domain, company_of_domain(domain));
  if (name.empty()) {
    if (domain.empty() || by_domain) return by_domain;
    return company_for(domain, domain);
  }
  TRY(auto by_name, first_row(company_by_name_.bind(1, name), first_integer));
  if (by_name && by_domain == by_name) return by_name;
  if (by_domain) {
    TRY(const auto called,
        first_row(company_name_.bind(1, *by_domain), [](const Statement& row) { return row.text(0); }));
    const bool by_its_domain = called.value_or("") == domain;
    if (!by_its_domain && !by_name) {  // the domain is another company's: this one stands beside it
      TRY_VOID(insert_company_.bind(1, name).run());
      return db_.last_insert_rowid();
    }
    if (!by_its_domain) return by_name;
    if (!by_name) {
      TRY_VOID(rename_company_.bind(1, *by_domain).bind(2, name).run());
      return by_domain;
    }
  }
  if (!by_name) {
    TRY_VOID(insert_company_.bind(1, name).run());
    by_name = db_.last_insert_rowid();
  }
  if (!domain.empty()) TRY_VOID(insert_domain_.bind(1, domain).bind(2, *by_name).run());
  return by_name;
}

Result<PersonChange> PeopleWrites::put(const Contact& contact) {
  if (contact.kind != "user" && contact.kind != "contact") {
    return wrong("the kind \"" + contact.kind + "\" is neither user nor contact");
  }
  const Keys keys{contact.user, normalised_email(contact.email), normalised_phone(contact.phone)};
  if (!contact.email.empty() && keys.email.empty()) return wrong("\"" + contact.email + "\" is no e-mail address");
  if (!contact.phone.empty() && keys.phone.empty()) {
    return wrong("\"" + contact.phone + "\" is no phone number with a country code, such as +41 44 668 18 00");
  }
  if (!contact.user.empty() && contact.platform.empty()) return wrong("a user id needs the platform it is of");
  if (keys.user.empty() && keys.email.empty() && keys.phone.empty()) {
    return wrong("there is no e-mail, phone or user id to recognise the person by");
  }
  if (contact.name.size() > kNameBytesMax || contact.company.size() > kNameBytesMax) {
    return wrong("a name is over " + std::to_string(kNameBytesMax) + " bytes");
  }
  std::string domain = domain_of(contact.domain);
  if (!contact.domain.empty() && domain.empty()) return wrong("\"" + contact.domain + "\" is no domain");
  if (domain.empty()) domain = domain_of(keys.email);
  if (is_public_mail_domain(domain)) domain.clear();
  std::optional<std::int64_t> company;
  if (contact.kind == "user") {
    if (!domain.empty()) TRY_VOID(learn_domain(kEverywhere, domain));
  } else {
    TRY(company, company_for(contact.company, domain));
  }

  TRY(const auto known, find(contact, keys));
  std::int64_t number = 0;
  bool changed = false;
  if (known) {
    number = known->number;
    const std::string& name = contact.name.empty() ? known->name : contact.name;
    const auto at = company ? company : known->company;
    changed = known->kind != contact.kind || known->name != name || known->company != at;
    if (changed) TRY_VOID(update_.bind(1, number).bind(2, contact.kind).bind(3, name).bind(4, at).run());
  } else {
    TRY(number, insert(contact, company));
  }
  for (const auto& [kind, value] :
       {std::pair{user_kind(contact.platform), keys.user}, std::pair{std::string("email"), keys.email},
        std::pair{std::string("phone"), keys.phone}}) {
    TRY(const bool added, add_key(number, kind, value));
    changed = changed || added;
  }
  return !known ? PersonChange::kAdded : changed ? PersonChange::kUpdated : PersonChange::kUnchanged;
}

Result<bool> PeopleWrites::is_own(const std::string& domain, const std::string& workspace, bool& any_known) {
  for (const std::string& name : {workspace, std::string(kEverywhere)}) {
    TRY(const auto rules, this->workspace(name));
    any_known = any_known || !rules.domains.empty();
    if (std::find(rules.domains.begin(), rules.domains.end(), domain) != rules.domains.end()) return true;
  }
  return false;
}

Result<PeopleWrites::Match> PeopleWrites::match(const Participant& one, const std::string& platform,
                                                const std::string& workspace) {
  const std::string email = normalised_email(one.email);
  const std::string phone = normalised_phone(one.phone.empty() ? one.name : one.phone);
  Match out;
  out.recognised = kNothingToGoBy;
  for (const auto& [kind, value] : {std::pair{user_kind(platform), one.user}, std::pair{std::string("email"), email},
                                    std::pair{std::string("phone"), phone}}) {
    if (value.empty()) continue;
    TRY(const auto people, with_key(kind, value));
    if (people.size() == 1) {
      out.recognised = kMatched;
      out.person = people.front();
      break;
    }
    if (people.size() > 1) out.recognised = kAmbiguous;
    if (people.empty() && out.recognised != kAmbiguous) out.recognised = kUnmatched;
  }
  const std::string domain = domain_of(email);
  bool any_known = false;
  TRY(const bool own, is_own(domain, workspace, any_known));
  bool user = false;
  if (out.person) {
    TRY(const auto known, person(*out.person));
    out.person_name = known.name;
    out.company = known.company;
    user = known.kind == "user";
  }
  const bool by_domain = any_known && !domain.empty();
  out.side = own || user ? "internal" : by_domain ? "external" : one.scope.empty() ? "unknown" : one.scope;
  if (out.side == "internal") {
    out.company.reset();
  } else if (!out.company && !is_public_mail_domain(domain)) {
    TRY(out.company, company_for("", domain));
  }
  if (out.company) {
    TRY(auto name, first_row(company_name_.bind(1, *out.company), [](const Statement& row) { return row.text(0); }));
    out.company_name = name.value_or("");
  }
  return out;
}

PeopleReads::PeopleReads(Database& db)
    : list_(db,
            "SELECT p.number, p.id, p.kind, p.name, coalesce(o.name, '') FROM person p"
            " LEFT JOIN company o ON o.number = p.company"
            " WHERE p.id > ?2 AND (?1 = '' OR p.id = ?1 OR instr(lower(p.name), lower(?1)) > 0"
            "   OR instr(lower(o.name), lower(?1)) > 0"
            "   OR EXISTS (SELECT 1 FROM person_key k WHERE k.person = p.number AND instr(k.value, lower(?1)) > 0))"
            " ORDER BY p.id LIMIT ?3"),
      keys_(db, "SELECT kind, value FROM person_key WHERE person = ?1 ORDER BY kind, value"),
      unmatched_(db,
                 "SELECT g.recognised, g.email, g.phone, g.user, g.name, g.calls, c.id, c.platform FROM ("
                 "  SELECT recognised, email, phone, user, name, count(*) AS calls, max(call) AS last FROM participant"
                 "  WHERE recognised IN (2, 3) GROUP BY recognised, email, phone, user, name) g"
                 " JOIN call c ON c.number = g.last ORDER BY g.calls DESC, g.email, g.name LIMIT ?1"),
      counts_(db, "SELECT recognised, count(*) FROM participant GROUP BY recognised"),
      people_(db, "SELECT count(*) FROM person") {}

Result<std::vector<PersonRow>> PeopleReads::list(const std::string& text, const std::string& after, int limit) {
  struct Numbered {
    std::int64_t number;
    PersonRow row;
  };
  const auto read = [](const Statement& row) {
    return Numbered{row.integer(0), {row.text(1), row.text(2), row.text(3), row.text(4), {}}};
  };
  TRY(auto found, all_rows(list_.bind(1, text).bind(2, after).bind(3, limit), read));
  std::vector<PersonRow> rows;
  for (auto& one : found) {
    const auto key = [](const Statement& row) { return PersonKey{row.text(0), row.text(1)}; };
    TRY(one.row.keys, all_rows(keys_.bind(1, one.number), key));
    rows.push_back(std::move(one.row));
  }
  return rows;
}

Result<std::vector<UnmatchedRow>> PeopleReads::unmatched(int limit) {
  return all_rows(unmatched_.bind(1, limit), [](const Statement& row) {
    const std::string phone = row.text(2);
    return UnmatchedRow{.ambiguous = row.integer(0) == kAmbiguous,
                        .email = row.text(1),
                        .phone = phone.empty() ? normalised_phone(row.text(4)) : phone,
                        .user = row.text(3),
                        .name = row.text(4),
                        .platform = row.text(7),
                        .example_call = row.text(6),
                        .calls = row.integer(5)};
  });
}

Result<PeopleCounts> PeopleReads::counts() {
  PeopleCounts out;
  const auto pair = [](const Statement& row) { return std::pair{row.integer(0), row.integer(1)}; };
  TRY(const auto rows, all_rows(counts_, pair));
  for (const auto& [recognised, count] : rows) {
    if (recognised == 0) out.not_looked_at = count;
    if (recognised == kMatched) out.matched = count;
    if (recognised == kAmbiguous) out.ambiguous = count;
    if (recognised == kUnmatched) out.unmatched = count;
    if (recognised == kNothingToGoBy) out.nothing_to_go_by = count;
  }
  TRY(const auto people, first_row(people_, first_integer));
  out.people = people.value_or(0);
  return out;
}

}  // namespace callimport::storage
