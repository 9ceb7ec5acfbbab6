#include "api/serve/people_config.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <optional>

#include "activities/notify/local_time.h"
#include "storage/runtime/time_zone.h"

namespace callimport::api {
namespace {

using activities::CustomerContact;
using activities::Level;
using activities::Person;
using activities::Roster;

Result<> complain(const std::string& file, const toml::node& node, const std::string& what) {
  return fail(Code::kInvalid, fmt::format("{}:{}: {}", file, node.source().begin.line, what));
}

bool take_text(const toml::node& node, std::string& into) {
  const auto value = node.value_exact<std::string>();
  if (value) into = *value;
  return value.has_value();
}

bool take_yes_or_no(const toml::node& node, bool& into) {
  const auto value = node.value_exact<bool>();
  if (value) into = *value;
  return value.has_value();
}

bool take_texts(const toml::node& node, std::vector<std::string>& into) {
  const auto* list = node.as_array();
  if (list == nullptr) return false;
  for (const auto& item : *list) {
    const auto value = item.value_exact<std::string>();
    if (!value) return false;
    into.push_back(*value);
  }
  return true;
}

bool take_level(const toml::node& node, Level& into) {
  const auto value = node.value_exact<std::string>();
  const auto level = value ? activities::level_of(*value) : std::nullopt;
  if (level) into = *level;
  return level.has_value();
}

bool take_zone(const toml::node& node, std::string& into) {
  return take_text(node, into) && TimeZone::find(into).has_value();
}

bool take_levels(const toml::node& node, std::map<std::string, Level>& into) {
  const auto* table = node.as_table();
  if (table == nullptr) return false;
  for (const auto& [of, level] : *table) {
    if (!take_level(level, into[std::string(of.str())])) return false;
  }
  return true;
}

bool take_quiet(const toml::node& node, activities::QuietHours& into) {
  const auto value = node.value_exact<std::string>();
  const auto quiet = value ? activities::parse_quiet(*value) : std::nullopt;
  if (quiet) into = *quiet;
  return quiet.has_value();
}

template <class Into>
struct Key {
  std::string_view name, wanted;
  std::function<bool(Into&, const toml::node&)> take;
};

template <class Into>
Result<> read_keys(const std::string& file, const std::string& name, const std::vector<Key<Into>>& keys,
                   const toml::table& table, Into& into) {
  for (const auto& [key, node] : table) {
    const Key<Into>* found = nullptr;
    std::string names;
    for (const auto& one : keys) {
      if (one.name == key.str()) found = &one;
      names += (names.empty() ? "" : ", ") + std::string(one.name);
    }
    if (found == nullptr)
      return complain(file, node, fmt::format("no key {} in [{}]; it may hold: {}", key.str(), name, names));
    if (!found->take(into, node))
      return complain(file, node, fmt::format("{}.{} must be {}", name, key.str(), found->wanted));
  }
  return {};
}

/// A person as written; addresses are put in the order of `channels`.
struct Written {
  Person person;
  std::string mail, slack;
  std::vector<std::string> channels;
};

const std::vector<Key<Written>>& person_keys() {
  static const std::string_view kText = "text in quotes", kYes = "true or false";
  static const std::string_view kLevel = "\"everything\", \"important\", \"act\" or \"none\"";
  static const std::vector<Key<Written>> keys = {
      {"name", kText, [](Written& w, const toml::node& n) { return take_text(n, w.person.name); }},
      {"mail", kText, [](Written& w, const toml::node& n) { return take_text(n, w.mail); }},
      {"slack", "a user's id at Slack, e.g. \"U0123ABCD\"",
       [](Written& w, const toml::node& n) { return take_text(n, w.slack); }},
      {"channels", "a list of mail and slack, the one preferred first",
       [](Written& w, const toml::node& n) { return take_texts(n, w.channels); }},
      {"known_as", "a list of os:USER and token:NAME",
       [](Written& w, const toml::node& n) { return take_texts(n, w.person.known_as); }},
      {"zone", "a time zone, e.g. \"Europe/Madrid\"",
       [](Written& w, const toml::node& n) { return take_zone(n, w.person.zone); }},
      {"level", kLevel, [](Written& w, const toml::node& n) { return take_level(n, w.person.level); }},
      {"levels", "a table of workspaces or imports, e.g. { acme = \"everything\" }",
       [](Written& w, const toml::node& n) { return take_levels(n, w.person.levels); }},
      {"quiet", "hours such as \"22:00-07:00\", or empty",
       [](Written& w, const toml::node& n) { return take_quiet(n, w.person.quiet); }},
      {"digest", kYes, [](Written& w, const toml::node& n) { return take_yes_or_no(n, w.person.digest); }},
      {"watches_all", kYes, [](Written& w, const toml::node& n) { return take_yes_or_no(n, w.person.watches_all); }},
      {"backup", "another person's id", [](Written& w, const toml::node& n) { return take_text(n, w.person.backup); }},
  };
  return keys;
}

const std::vector<Key<CustomerContact>>& customer_keys() {
  static const std::vector<Key<CustomerContact>> keys = {
      {"name", "text in quotes", [](CustomerContact& c, const toml::node& n) { return take_text(n, c.name); }},
      {"mail", "an address", [](CustomerContact& c, const toml::node& n) { return take_text(n, c.address); }},
      {"zone", "a time zone, e.g. \"Europe/Madrid\"",
       [](CustomerContact& c, const toml::node& n) { return take_zone(n, c.zone); }},
      {"told", "true or false", [](CustomerContact& c, const toml::node& n) { return take_yes_or_no(n, c.told); }},
      {"weekly", "true or false", [](CustomerContact& c, const toml::node& n) { return take_yes_or_no(n, c.weekly); }},
  };
  return keys;
}

const std::vector<Key<Roster>>& notify_keys() {
  static const std::string_view kIds = "a list of people's ids, e.g. [\"ana\"]";
  static const std::vector<Key<Roster>> keys = {
      {"owner", "a person's id", [](Roster& r, const toml::node& n) { return take_text(n, r.owner); }},
      {"approvers", kIds, [](Roster& r, const toml::node& n) { return take_texts(n, r.approvers); }},
      {"on_call", kIds, [](Roster& r, const toml::node& n) { return take_texts(n, r.on_call); }},
      {"ops", kIds, [](Roster& r, const toml::node& n) { return take_texts(n, r.ops); }},
      {"admins", kIds, [](Roster& r, const toml::node& n) { return take_texts(n, r.admins); }},
      {"team_leads", kIds, [](Roster& r, const toml::node& n) { return take_texts(n, r.team_leads); }},
      {"customers", "tables: [notify.customers.WORKSPACE]",
       [](Roster&, const toml::node& n) { return n.as_table() != nullptr; }},
  };
  return keys;
}

Result<> order_addresses(const std::string& file, const toml::node& node, Written& written) {
  const std::map<std::string, std::string> all = {{"mail", written.mail}, {"slack", written.slack}};
  auto order = written.channels;
  if (order.empty()) order = {"mail", "slack"};
  for (const auto& channel : order) {
    const auto found = all.find(channel);
    if (found == all.end()) return complain(file, node, "there is no channel " + channel + "; there are: mail, slack");
    if (!found->second.empty()) written.person.addresses.emplace_back(channel, found->second);
  }
  if (written.person.addresses.empty())
    return complain(file, node, "people." + written.person.id + " has no address: give mail or slack");
  return {};
}

std::string nobody(const std::string& id) {
  return fmt::format("there is no person {}; give them a table: [people.{}]", id, id);
}

Result<> check_ids(const std::string& file, const toml::node& node, const Roster& roster) {
  std::vector<std::string> ids = {roster.owner};
  for (const auto* list : {&roster.approvers, &roster.on_call, &roster.ops, &roster.admins, &roster.team_leads})
    ids.insert(ids.end(), list->begin(), list->end());
  for (const auto& id : ids) {
    if (!id.empty() && roster.find(id) == nullptr) return complain(file, node, nobody(id));
  }
  return {};
}

}  // namespace

Result<> read_people(const std::string& file, const toml::table& table, Roster& into) {
  for (const auto& [id, node] : table) {
    const auto* keys = node.as_table();
    if (keys == nullptr) return complain(file, node, "people are tables: [people.ID]");
    Written written;
    written.person.id = written.person.name = std::string(id.str());
    TRY_VOID(read_keys(file, "people." + written.person.id, person_keys(), *keys, written));
    TRY_VOID(order_addresses(file, node, written));
    into.people.push_back(std::move(written.person));
  }
  for (const auto& person : into.people) {
    if (!person.backup.empty() && into.find(person.backup) == nullptr)
      return complain(file, *table.get(person.id), nobody(person.backup));
  }
  return {};
}

Result<> read_notify(const std::string& file, const toml::table& table, Roster& into) {
  TRY_VOID(read_keys(file, "notify", notify_keys(), table, into));
  if (const auto* customers = table["customers"].as_table()) {
    for (const auto& [workspace, node] : *customers) {
      const auto* keys = node.as_table();
      const std::string name(workspace.str());
      if (keys == nullptr) return complain(file, node, "customers are tables: [notify.customers.WORKSPACE]");
      CustomerContact contact;
      contact.name = name;
      TRY_VOID(read_keys(file, "notify.customers." + name, customer_keys(), *keys, contact));
      into.customers[name] = std::move(contact);
    }
  }
  return check_ids(file, table, into);
}

}  // namespace callimport::api
