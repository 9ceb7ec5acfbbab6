#include "api/serve/slack.h"

#include "activities/notify/muting.h"
#include "activities/notify/slack_channel.h"
#include "api/connection.h"
#include "api/serve/channels.h"
#include "api/serve/front.h"
#include "api/serve/house.h"
#include "api/serve/slack_buttons.h"

namespace callimport::api {
namespace {

constexpr const char* kSlack = "slack";

Result<storage::Secret> secret_in(const std::string& path) {
  TRY(auto text, read_secret_file(path));
  return storage::Secret(std::move(text));
}

std::string slack_id_of(const activities::Person* person) {
  if (person == nullptr) return {};
  for (const auto& [channel, address] : person->addresses) {
    if (channel == kSlack) return address;
  }
  return {};
}

/// Buttons' words to one person, as long as the house stands.
class Whisperer {
 public:
  Whisperer(House& house, storage::Secret token, std::string api_url)
      : loop_(house.loop),
        api_(std::make_shared<activities::SlackApi>(*house.http, std::move(token), std::move(api_url))) {}
  void operator()(const std::string& channel, const std::string& user, const std::string& text) const {
    if (channel.empty()) return;
    nlohmann::json body = {
        {"channel", channel}, {"user", user}, {"text", activities::slack_cut(activities::slack_escaped(text), 2'000)}};
    engine::spawn(loop_, tell(api_, std::move(body)), [](bool) {});
  }

 private:
  static engine::Awaitable<bool> tell(std::shared_ptr<activities::SlackApi> api, nlohmann::json body) {
    auto calling = api->call("chat.postEphemeral", std::move(body));
    const activities::SlackAnswer answer = co_await std::move(calling);
    co_return answer.outcome == activities::SlackOutcome::kDone;
  }

  Executor& loop_;
  std::shared_ptr<activities::SlackApi> api_;  // shared with calls under way
};

}  // namespace

Result<std::unique_ptr<activities::Channel>> make_slack(const ServeConfig& config,
                                                        const activities::Templates& templates, activities::Http& http,
                                                        Clock& clock) {
  const SlackConfig& slack = config.slack;
  if (slack.token_file.empty()) {
    if (slack.webhook_url_file.empty()) return std::unique_ptr<activities::Channel>();
    TRY(auto url, secret_in(slack.webhook_url_file));
    return activities::make_slack_channel(http, std::move(url));
  }
  if (slack.channel.empty()) return fail(Code::kInvalid, "slack.token_file is set, so slack.channel must be, too");
  activities::SlackSettings settings;
  TRY(settings.token, secret_in(slack.token_file));
  settings.api_url = slack.api_url;
  settings.channel = slack.channel;
  settings.ops_channel = slack.ops_channel;
  settings.manners.open_url = slack.open_url;
  settings.manners.buttons = !slack.signing_secret_file.empty();
  settings.manners.lines = [&templates](const storage::Notification& news, const storage::ImportRow& import) {
    auto lines = templates.lines(news, import, "UTC", activities::Audience::kInternal);
    return lines ? std::move(*lines) : activities::plain_lines()(news, import);
  };
  settings.manners.mention = [roster = roster_of(config)](const activities::Message& message,
                                                          const storage::Notification& news) {
    return slack_id_of(activities::whom_to_mention(roster, message, news));
  };
  return activities::make_slack_bot_channel(http, clock, std::move(settings));
}

Result<> open_slack_buttons(Front& front, House& house, const ServeConfig& config) {
  if (config.slack.signing_secret_file.empty() || front.web.router == nullptr) return {};
  TRY(const auto secret, secret_in(config.slack.signing_secret_file));
  const activities::Roster& roster = house.deliverer->roster();
  SlackButtonParts parts{front.router, house.loop, secret.reveal(), config.roles, {}, {}};
  parts.person = [&roster](const std::string& slack_user) {
    for (const auto& person : roster.people) {
      if (slack_id_of(&person) == slack_user) return person.id;
    }
    return std::string();
  };
  if (!config.slack.token_file.empty()) {
    TRY(auto token, secret_in(config.slack.token_file));
    parts.whisper = Whisperer(house, std::move(token), config.slack.api_url);
  }
  add_slack_buttons(*front.web.router, std::move(parts));
  return {};
}

}  // namespace callimport::api
