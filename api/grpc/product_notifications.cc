// Messages to people: what went to whom, why, again, and whether channels work.
#include <algorithm>

#include "activities/notify/sending.h"
#include "activities/notify/turn.h"
#include "api/grpc/deeds.h"
#include "api/grpc/product_internal.h"
#include "storage/library/telling.h"

namespace callimport::api {
namespace {

using storage::MessageRow;
using storage::TellingReads;

constexpr std::int64_t kDownMs = 10 * 60 * 1'000;

v1::SentMessage to_message(const MessageRow& row) {
  v1::SentMessage made;
  made.set_id(row.id);
  made.set_import(row.import);
  made.set_thread(row.thread);
  made.set_channel(row.channel);
  made.set_recipient(row.recipient);
  made.set_name(row.name);
  made.set_address(row.address);
  made.set_customer(row.customer);
  made.set_form(row.form);
  made.set_weight(row.weight);
  made.set_state(row.state);
  made.set_made_ms(row.made_ms);
  made.set_due_ms(row.due_ms);
  made.set_ended_ms(row.ended_ms.value_or(0));
  made.set_attempts(row.attempts);
  made.set_error(row.error);
  made.set_ref(row.ref);
  made.set_rendered(row.rendered);
  made.set_instead_of(row.instead_of);
  made.set_number(row.number);
  return made;
}

/// Reads in one look.
template <class T, class Read>
Result<T> look(ProductParts& parts, Read read) {
  T found{};
  TRY_VOID(parts.library.look_at_telling([&](TellingReads& telling) -> Result<> {
    TRY(found, read(telling));
    return {};
  }));
  return found;
}

Result<std::string> import_named(ProductParts& parts, const std::string& text) {
  if (text.empty()) return std::string();
  return resolve_import(parts.library, text);
}

Result<MessageRow> message_named(ProductParts& parts, const std::string& id) {
  TRY(auto found, (look<std::optional<MessageRow>>(parts, [&](TellingReads& t) { return t.message(id); })));
  if (!found) return fail(Code::kNotFound, "no message " + id);
  return *std::move(found);
}

Result<v1::ListMessagesResponse> list_messages(ProductParts& parts, const v1::ListMessagesRequest& request) {
  storage::MessageFilter filter;
  TRY(filter.import, import_named(parts, request.import()));
  filter.recipient = request.recipient();
  filter.channel = request.channel();
  filter.state = request.state();
  filter.before = request.before();
  filter.notification = request.notification();
  filter.limit = page_size(request.page_size());
  TRY(const auto rows, (look<std::vector<MessageRow>>(parts, [&](TellingReads& t) { return t.messages(filter); })));
  v1::ListMessagesResponse reply;
  for (const auto& row : rows) *reply.add_messages() = to_message(row);
  return reply;
}

Result<v1::SentMessage> get_message(ProductParts& parts, const v1::GetMessageRequest& request) {
  TRY(const auto row, message_named(parts, request.id()));
  TRY(const auto news,
      (look<std::vector<storage::Notification>>(parts, [&](TellingReads& t) { return t.news(row.id); })));
  auto reply = to_message(row);
  for (const auto& one : news) *reply.add_news() = api::to_message(one);
  return reply;
}

v1::Explanation to_message(const storage::ToldLine& line) {
  v1::Explanation made;
  made.set_notification(line.told.notification);
  made.set_at_ms(line.at_ms);
  made.set_event(line.event);
  made.set_channel(line.told.channel);
  made.set_recipient(line.told.recipient);
  made.set_state(line.told.state == "carried" && !line.message_state.empty() ? line.message_state : line.told.state);
  made.set_why(line.told.why);
  made.set_message(line.told.message);
  return made;
}

/// Why a record that says nothing of a person went past them.
std::string why_not(const ProductParts& parts, const storage::Notification& record, const std::string& who) {
  const activities::Person* person = parts.roster == nullptr ? nullptr : parts.roster->find(who);
  if (person == nullptr) return "there is no person " + who + " in the configuration";
  const auto* event = activities::find_event(record.event);
  if (event == nullptr) return "nobody is told of " + record.event;
  std::string whom;
  const std::pair<unsigned, const char*> names[] = {
      {activities::kToOwner, "the owner"},     {activities::kToWatchers, "watchers"},
      {activities::kToApprover, "approvers"},  {activities::kToOnCall, "who is on call"},
      {activities::kToOps, "operations"},      {activities::kToAdmin, "admins"},
      {activities::kToNamed, "whom it names"}, {activities::kToCustomer, "the customer"}};
  for (const auto& [bit, name] : names) {
    if ((event->audience & bit) != 0) whom += (whom.empty() ? "" : ", ") + std::string(name);
  }
  if (whom.empty()) return "such a change is only shown, nobody gets a message";
  return "it goes to " + whom + "; " + who + " is none of these for this import";
}

Result<v1::ExplainNotificationsResponse> explain(ProductParts& parts, const v1::ExplainNotificationsRequest& request) {
  TRY(const auto import, import_named(parts, request.import()));
  if (import.empty() && request.notification().empty())
    return fail(Code::kInvalid, "which import, or which record, is to be explained?");
  const int limit = page_size(request.page_size());
  TRY(const auto lines, (look<std::vector<storage::ToldLine>>(parts, [&](TellingReads& t) {
        return t.told_lines(import, request.notification(), request.recipient(), limit);
      })));
  v1::ExplainNotificationsResponse reply;
  for (const auto& line : lines) *reply.add_explanations() = to_message(line);
  if (!lines.empty() || request.notification().empty() || request.recipient().empty()) return reply;
  TRY(const auto record, (look<std::optional<storage::Notification>>(
                             parts, [&](TellingReads& t) { return t.record(request.notification()); })));
  if (!record) return fail(Code::kNotFound, "no record " + request.notification());
  auto& none = *reply.add_explanations();
  none.set_notification(record->id);
  none.set_at_ms(record->at_ms);
  none.set_event(record->event);
  none.set_recipient(request.recipient());
  none.set_state("none");
  none.set_why(why_not(parts, *record, request.recipient()));
  return reply;
}

void wake(ProductParts& parts) {
  parts.loop.post([&parts] {
    if (parts.told) parts.told();
  });
}

/// Whom the message goes to instead; the same when nobody is named.
Result<> readdress(const ProductParts& parts, const std::string& to, MessageRow& row) {
  if (to.empty()) return {};
  const activities::Person* person = parts.roster == nullptr ? nullptr : parts.roster->find(to);
  if (person == nullptr) return fail(Code::kNotFound, "no person " + to + " in the configuration");
  for (const auto& [channel, address] : person->addresses) {
    if (channel != row.channel) continue;
    row.recipient = person->id;
    row.name = person->name;
    row.address = address;
    row.zone = person->zone;
    row.customer = false;
    return {};
  }
  return fail(Code::kInvalid, to + " has no address for " + row.channel);
}

Result<> about_resending(ProductParts& parts, const v1::ResendMessageRequest& request, Deed& deed) {
  TRY(const auto row, message_named(parts, request.id()));
  deed.import = row.import;
  deed.after = nlohmann::json{{"message", row.id}, {"to", request.to()}}.dump(-1, ' ', false,
                                                                              nlohmann::json::error_handler_t::replace);
  return {};
}

/// The outcome of another try of the same deed is the message it made.
Result<v1::ResendMessageResponse> resend(ProductParts& parts, const v1::ResendMessageRequest& request, Noted& noted) {
  if (noted.again && !noted.outcome.empty()) {
    v1::ResendMessageResponse made;
    made.set_id(noted.outcome);
    return made;
  }
  TRY(auto row, message_named(parts, request.id()));
  if (row.state == "queued") return fail(Code::kConflict, "message.queued: " + row.id + " is still to be sent");
  TRY_VOID(readdress(parts, request.to(), row));
  const std::string before = std::exchange(row.id, "");
  row.made_ms = row.due_ms = to_unix_ms(parts.clock.now());
  row.instead_of.clear();
  v1::ResendMessageResponse reply;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(const auto id, tx.telling().add(row));
    TRY(const auto news, tx.telling().reads().news(before));
    for (const auto& one : news) {
      TRY_VOID(tx.telling().tell({.notification = one.id,
                                  .channel = row.channel,
                                  .recipient = row.recipient,
                                  .form = std::string(activities::kSentAgain) + id,
                                  .state = "carried",
                                  .why = "sent again by hand",
                                  .message = id}));
    }
    reply.set_id(id);
    return {};
  }));
  noted.outcome = reply.id();
  wake(parts);
  return reply;
}

Result<> about_testing(ProductParts&, const v1::TestNotificationRequest& request, Deed& deed) {
  deed.after = nlohmann::json{{"to", request.to()}, {"channel", request.channel()}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
  return {};
}

Result<v1::TestNotificationResponse> test(ProductParts& parts, const v1::TestNotificationRequest& request, Noted&) {
  const auto& to = request.to();
  const auto& channel = request.channel();
  const auto& all = parts.channels;
  if (!channel.empty() && std::find(all.begin(), all.end(), channel) == all.end())
    return fail(Code::kInvalid, "no channel " + channel + " is configured");
  if (to.empty() && channel.empty()) return fail(Code::kInvalid, "whom, or which channel, is to be tested?");
  if (!to.empty() && (parts.roster == nullptr || parts.roster->find(to) == nullptr))
    return fail(Code::kNotFound, "no person " + to + " in the configuration");
  nlohmann::json facts = {{"channel", channel}};
  if (!to.empty()) facts["to"] = to;
  auto record = activities::say("message.test", "", to_unix_ms(parts.clock.now()), "[Calls] A test",
                                "This is a test: messages of imports reach you here.", "Nothing to do.", facts);
  record.id = "ntf_test_" + std::to_string(record.at_ms);
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) { return tx.notify(record); }));
  wake(parts);
  v1::TestNotificationResponse reply;
  reply.set_notification(record.id);
  return reply;
}

Result<v1::ListChannelsResponse> list_channels(ProductParts& parts, const v1::ListChannelsRequest&) {
  const std::int64_t now_ms = to_unix_ms(parts.clock.now());
  TRY(const auto known,
      (look<std::vector<storage::ChannelHealth>>(parts, [&](TellingReads& t) { return t.health(now_ms); })));
  v1::ListChannelsResponse reply;
  for (const auto& name : parts.channels) {
    auto& channel = *reply.add_channels();
    channel.set_name(name);
    for (const auto& one : known) {
      if (one.channel != name) continue;
      channel.set_sent_ms(one.sent_ms.value_or(0));
      channel.set_failed_ms(one.failed_ms.value_or(0));
      channel.set_error(one.error);
      channel.set_queued(one.queued);
      channel.set_oldest_ms(one.oldest_due_ms.value_or(0));
      channel.set_down(one.oldest_due_ms && now_ms - *one.oldest_due_ms >= kDownMs &&
                       one.sent_ms.value_or(0) < *one.oldest_due_ms);
    }
  }
  return reply;
}

Result<v1::ForecastMessagesResponse> forecast(ProductParts& parts, const v1::ForecastMessagesRequest& request) {
  if (!parts.forecast) return fail(Code::kUnavailable, "nobody is told of anything here");
  return parts.forecast(request.rules());
}

/// On the loop: templates are used by one at a time.
void add_preview(Router& router, ProductParts& parts) {
  using Request = v1::PreviewMessageRequest;
  auto method =
      typed_method<Request>([&parts](std::shared_ptr<Request> request, CallContext, std::shared_ptr<Answer> answer) {
        if (!parts.preview) return answer->finish(status_of({Code::kUnavailable, "there are no templates here"}));
        const auto made = parts.preview(request->event(), request->customer());
        if (!made) return answer->finish(status_of(made.error()));
        v1::PreviewMessageResponse reply;
        reply.set_subject(made->subject);
        reply.set_text(made->text);
        reply.set_html(made->html);
        reply.set_slack(made->slack);
        answer->reply(reply);
      });
  method.trusted = true;
  router.methods[product_method("PreviewMessage")] = std::move(method);
}

}  // namespace

void add_notification_methods(Router& router, ProductParts& parts) {
  add_preview(router, parts);
  add_pooled(router, parts, "ForecastMessages", &forecast);
  add_pooled(router, parts, "ListMessages", &list_messages);
  add_pooled(router, parts, "GetMessage", &get_message);
  add_pooled(router, parts, "ExplainNotifications", &explain);
  add_deed(router, parts, "ResendMessage", &about_resending, &resend);
  add_deed(router, parts, "TestNotification", &about_testing, &test);
  add_pooled(router, parts, "ListChannels", &list_channels);
}

}  // namespace callimport::api
