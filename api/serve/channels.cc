#include "api/serve/channels.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <utility>

#include "activities/notify/curl_mail.h"
#include "activities/notify/mail_channel.h"
#include "activities/notify/unsubscribe.h"
#include "api/serve/slack.h"

namespace callimport::api {
namespace {

Result<storage::Secret> read_secret(const std::string& path, const char* key) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  if (line.ends_with("\r")) line.pop_back();
  if (line.empty())
    return fail(Code::kInvalid,
                fmt::format("{} = \"{}\": the file cannot be read or its first line is empty", key, path));
  return storage::Secret(std::move(line));
}

/// What a mail's link ends, where others can reach us; empty: there is none.
std::function<std::string(const activities::Message&)> unsubscribe_links(const HttpConfig& http,
                                                                         const storage::Secret& key) {
  if (!http.enabled || http.url.empty()) return {};
  std::string base = http.url;
  while (base.ends_with('/')) base.pop_back();
  return [base = std::move(base), key](const activities::Message& message) {
    const auto what = activities::unsubscribe_of(message);
    if (!what) return std::string();
    return fmt::format("{}{}{}", base, activities::kUnsubscribePath, activities::make_unsubscribe(key, *what));
  };
}

Result<> add_mail(const ServeConfig& config, const storage::Secret& links, Executor& loop, Pool& pool, Clock& clock,
                  Channels& channels) {
  const MailConfig& mail = config.mail;
  if (mail.from.empty()) return fail(Code::kInvalid, "mail.url is set, so mail.from must be, too");
  activities::MailServer server;
  server.url = mail.url;
  server.user = mail.user;
  server.ca_file = mail.ca_file;
  server.tls = mail.tls;
  if (!mail.password_file.empty()) {
    TRY(server.password, read_secret(mail.password_file, "mail.password_file"));
  }
  channels.mail = activities::make_curl_mail(std::move(server), loop, pool, clock);
  activities::MailManners manners;
  manners.from = activities::parse_party(mail.from);
  manners.open_url = mail.open_url;
  manners.unsubscribe = unsubscribe_links(config.http, links);
  manners.owner = [roster = roster_of(config)](const storage::ImportRow& import) -> activities::MailParty {
    const activities::Person* owner = activities::owner_of(roster, import);
    if (owner == nullptr) return {};
    for (const auto& [channel, address] : owner->addresses) {
      if (channel == "mail") return {owner->name, activities::parse_party(address).address};
    }
    return {};
  };
  channels.all.push_back(activities::make_mail_channel(*channels.mail, *channels.templates, std::move(manners)));
  return {};
}

}  // namespace

Result<Channels> make_channels(const ServeConfig& config, const storage::Secret& links, activities::Http& http,
                               Executor& loop, Pool& pool, Clock& clock) {
  Channels channels;
  TRY(auto templates, activities::Templates::load(config.mail.templates));
  channels.templates = std::make_unique<activities::Templates>(std::move(templates));
  channels.all.push_back(activities::make_log_channel());
  if (!config.mail.url.empty()) TRY_VOID(add_mail(config, links, loop, pool, clock, channels));
  TRY(auto slack, make_slack(config, *channels.templates, http, clock));
  if (slack != nullptr) channels.all.push_back(std::move(slack));
  return channels;
}

activities::Roster roster_of(const ServeConfig& config) {
  activities::Roster roster = config.roster;
  for (const std::string& address : config.mail.to) {
    const auto has = [&address](const activities::Person& one) {
      return std::find(one.addresses.begin(), one.addresses.end(),
                       std::pair<std::string, std::string>("mail", address)) != one.addresses.end();
    };
    if (std::any_of(roster.people.begin(), roster.people.end(), has)) continue;
    activities::Person person;
    person.id = person.name = activities::parse_party(address).address;
    person.addresses = {{"mail", address}};
    person.watches_all = true;
    roster.people.push_back(std::move(person));
  }
  return roster;
}

}  // namespace callimport::api
