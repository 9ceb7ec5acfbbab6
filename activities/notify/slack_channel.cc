#include "activities/notify/slack_channel.h"

#include <fmt/format.h>

#include <functional>

#include "activities/notify/events.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using Answered = tl::expected<Sent, Refused>;

constexpr std::size_t kRootsKept = 10'000;
constexpr const char* kMetadataType = "callimport_message";
constexpr int kLookedThrough = 50;  ///< messages of a channel, for one that may have arrived

/// What this process knows of a root's edits.
struct Edited {
  Timestamp at{};
  std::size_t content = 0;
};

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// The time of an edit is no news: content is the same when all but it is.
std::size_t content_of(SlackPost post) {
  post.updated_ms = 0;
  return std::hash<std::string>{}(dumped(slack_payload(post)));
}

Refused refusal(const SlackAnswer& answer) {
  Refused refused;
  refused.reason = answer.reason;
  refused.after = answer.after;
  refused.ever_again = answer.outcome != SlackOutcome::kNoChannel && answer.outcome != SlackOutcome::kNoMessage;
  refused.everyone = answer.outcome == SlackOutcome::kSlower || answer.outcome == SlackOutcome::kNoAccess;
  return refused;
}

/// Of the message that bears this id of ours; empty: there is none.
std::string ts_of(const json& messages, const std::string& id) {
  static const json::json_pointer kId("/metadata/event_payload/id"), kTs("/ts");
  for (const auto& one : messages) {
    if (one.contains(kId) && one[kId] == id && one.contains(kTs) && one[kTs].is_string()) return one[kTs];
  }
  return {};
}

class SlackBot final : public Channel {
 public:
  SlackBot(Http& http, Clock& clock, SlackSettings settings)
      : clock_(clock), settings_(std::move(settings)), api_(http, std::move(settings_.token), settings_.api_url) {}

  std::string_view name() const override { return "slack"; }
  Manner manner() const override {
    Manner manner;
    manner.roots = true;
    manner.gap = kSlackMessageGap;
    return manner;
  }
  std::vector<Recipient> own(const storage::Notification& news) const override {
    const auto* event = find_event(news.event);
    const bool of_ops = news.import.empty() || (event != nullptr && (event->audience & kToOps) != 0);
    const bool elsewhere = of_ops && !settings_.ops_channel.empty();
    const auto& channel = elsewhere ? settings_.ops_channel : settings_.channel;
    if (channel.empty()) return {};
    Recipient one;
    one.id = one.name = one.address = channel;
    return {one};
  }

  engine::Awaitable<Answered> send(Message message) override {
    switch (message.form) {
      case Form::kRoot: return begin(std::move(message));
      case Form::kEditRoot: return edit(std::move(message));
      case Form::kReply:
      case Form::kBroadcast: break;
    }
    return reply(std::move(message));
  }

 private:
  engine::Awaitable<Answered> begin(Message message) {
    const SlackPost post = root_post(message, settings_.manners, to_unix_ms(clock_.now()));
    if (may_have_arrived(message)) {
      auto looking = look_for(message);
      const std::string there = co_await std::move(looking);
      if (!there.empty()) co_return Sent{there, dumped(slack_payload(post))};
    }
    auto posting = say("chat.postMessage", envelope(message), post);
    const SlackAnswer answer = co_await std::move(posting);
    co_return concluded(message, answer, post);
  }

  /// A root that is not there yet, or not any more, is begun.
  engine::Awaitable<Answered> edit(Message message) {
    const SlackRef root = SlackRef::parse(message.earlier_ref.empty() ? message.root_ref : message.earlier_ref);
    if (root.ts.empty()) {
      auto beginning = begin(std::move(message));
      co_return co_await std::move(beginning);
    }
    const SlackPost post = root_post(message, settings_.manners, to_unix_ms(clock_.now()));
    const auto before = edited_.find(root.ts);
    if (before != edited_.end()) {
      if (before->second.content == content_of(post)) co_return Sent{root.text(), dumped(slack_payload(post))};
      const Nanos rest = before->second.at + kSlackEditGap - clock_.now();
      if (rest > Nanos{0})
        co_return tl::unexpected(Refused{true, "the root message was edited a moment ago", rest, false});
    }
    auto editing = change(root, post);
    const SlackAnswer answer = co_await std::move(editing);
    co_return concluded(message, answer, post, root);
  }

  engine::Awaitable<Answered> reply(Message message) {
    const SlackRef root = SlackRef::parse(message.root_ref);
    if (may_have_arrived(message) && !root.ts.empty()) {
      // Whether it was posted or not, the news is in the root then; a doubled reply would be worse.
      const SlackPost shown = root_post(message, settings_.manners, to_unix_ms(clock_.now()));
      auto editing = change(root, shown);
      const SlackAnswer answer = co_await std::move(editing);
      co_return concluded(message, answer, shown, root);
    }
    const SlackPost post = news_post(message, settings_.manners);
    json body = envelope(message);
    if (!root.ts.empty()) {
      body["channel"] = root.channel;
      body["thread_ts"] = root.ts;
      if (message.form == Form::kBroadcast) body["reply_broadcast"] = true;
    }
    auto posting = say("chat.postMessage", body, post);
    SlackAnswer answer = co_await std::move(posting);
    if (answer.outcome == SlackOutcome::kNoMessage && body.contains("thread_ts")) {
      // Somebody deleted the thread: the news still comes.
      body.erase("thread_ts");
      body.erase("reply_broadcast");
      auto again = say("chat.postMessage", body, post);
      answer = co_await std::move(again);
    }
    co_return concluded(message, answer, post);
  }

  json envelope(const Message& message) const {
    return {{"channel", message.to.address.empty() ? message.to.id : message.to.address},
            {"metadata", {{"event_type", kMetadataType}, {"event_payload", {{"id", message.id}}}}}};
  }

  engine::Awaitable<SlackAnswer> change(SlackRef root, SlackPost post) {
    json body = {{"channel", root.channel}, {"ts", root.ts}};
    auto editing = say("chat.update", std::move(body), post);
    SlackAnswer answer = co_await std::move(editing);
    if (answer.outcome == SlackOutcome::kDone) remember(root.ts, post);
    co_return answer;
  }

  /// With blocks, and where Slack takes none of them, the text alone.
  engine::Awaitable<SlackAnswer> say(std::string method, json body, SlackPost post) {
    json whole = slack_payload(post);
    if (method == "chat.update") {  // knows no unfurling
      whole.erase("unfurl_links");
      whole.erase("unfurl_media");
    }
    whole.update(body);
    auto calling = api_.call(method, whole);
    SlackAnswer answer = co_await std::move(calling);
    if (answer.outcome != SlackOutcome::kNotAsBlocks || !whole.contains("blocks")) co_return answer;
    whole.erase("blocks");
    auto plainly = api_.call(method, std::move(whole));
    co_return co_await std::move(plainly);
  }

  /// The ref of a message with this id among the newest of its channel; empty: none, or the token may not look.
  engine::Awaitable<std::string> look_for(Message message) {
    std::string channel = message.to.address.empty() ? message.to.id : message.to.address;
    const auto known = ids_.find(channel);
    if (known != ids_.end()) channel = known->second;
    auto asking = api_.get(
        fmt::format("conversations.history?channel={}&limit={}&include_all_metadata=true", channel, kLookedThrough));
    const SlackAnswer answer = co_await std::move(asking);
    if (answer.outcome != SlackOutcome::kDone || !answer.body.contains("messages")) co_return std::string();
    co_return SlackRef{channel, ts_of(answer.body["messages"], message.id)}.text();
  }

  /// An earlier attempt may have come to something: of this process's own we know which did not.
  bool may_have_arrived(const Message& message) const { return message.attempt > 1 && !not_done_.contains(message.id); }

  Answered concluded(const Message& message, const SlackAnswer& answer, const SlackPost& post,
                     const SlackRef& changed = {}) {
    if (answer.outcome == SlackOutcome::kDone) {
      not_done_.erase(message.id);
      const SlackRef ref = changed.ts.empty() ? SlackRef{answer.channel, answer.ts} : changed;
      if (!answer.channel.empty())
        ids_[message.to.address.empty() ? message.to.id : message.to.address] = answer.channel;
      if (message.form == Form::kRoot) remember(ref.ts, post);
      return Sent{ref.text(), dumped(slack_payload(post))};
    }
    if (answer.outcome == SlackOutcome::kUnclear) {
      not_done_.erase(message.id);
    } else {
      if (not_done_.size() >= kRootsKept) not_done_.clear();
      not_done_.insert(message.id);
    }
    return tl::unexpected(refusal(answer));
  }

  void remember(const std::string& ts, const SlackPost& post) {
    if (edited_.size() >= kRootsKept) edited_.clear();
    edited_[ts] = {clock_.now(), content_of(post)};
  }

  Clock& clock_;
  SlackSettings settings_;
  SlackApi api_;
  std::map<std::string, Edited> edited_;                 ///< roots, by ts
  std::set<std::string> not_done_;                       ///< ids of messages whose last attempt surely did nothing
  std::map<std::string, std::string, std::less<>> ids_;  ///< of channels, by what they are called
};

}  // namespace

SlackRef SlackRef::parse(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return {};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

std::unique_ptr<Channel> make_slack_bot_channel(Http& http, Clock& clock, SlackSettings settings) {
  return std::make_unique<SlackBot>(http, clock, std::move(settings));
}

}  // namespace callimport::activities
