#include "activities/notify/mail_channel.h"

#include <fmt/format.h>

#include <utility>

#include "activities/notify/muting.h"

namespace callimport::activities {
namespace {

constexpr std::string_view kHole = "{import}";

std::string link_to(std::string link, const std::string& import) {
  if (import.empty()) return {};
  const std::size_t at = link.find(kHole);
  return at == std::string::npos ? link : link.replace(at, kHole.size(), import);
}

Surroundings around(const Message& message, const MailManners& manners, const MailParty& owner) {
  Surroundings made;
  const storage::ImportRow& import = message.import_row;
  const std::string& customer = import.title.empty() ? import.workspace : import.title;
  made.reply_to = owner.address.empty() ? "" : owner.name.empty() ? owner.address : owner.name;
  if (manners.unsubscribe) made.unsubscribe = manners.unsubscribe(message);
  if (message.to.customer) {
    made.why = customer.empty()
                   ? "You get this because you are your company's contact for its calls."
                   : fmt::format("You get this because you are the contact of {} for its calls.", customer);
    made.quieter = "Answer this mail to have fewer or none of them.";
    return made;
  }
  made.others = message.others;
  made.link = link_to(manners.open_url, import.id);
  const bool owns = !owner.address.empty() && parse_party(message.to.address).address == owner.address;
  made.why = import.id.empty() ? "You get this because the configuration names you for it."
             : owns            ? "You get this because you own the import."
                               : "You get this because you watch the import or are named for it.";
  if (message.why.starts_with(kInPlaceOf)) made.why = "You get this " + message.why + ".";
  made.quieter =
      fmt::format("Which rule applied, and how to get fewer: callimport notifications why {}", message.news.back().id);
  return made;
}

class MailChannel final : public Channel {
 public:
  MailChannel(Mail& mail, const Templates& templates, MailManners manners)
      : mail_(mail), templates_(templates), manners_(std::move(manners)) {}
  std::string_view name() const override { return "mail"; }
  Manner manner() const override {
    Manner made;
    made.people = true;
    made.at_once = 4;
    return made;
  }

  engine::Awaitable<tl::expected<Sent, Refused>> send(Message message) override {
    Result<MadeMail> made = compose_mail(message, templates_, manners_);
    if (!made) co_return tl::unexpected(Refused{false, made.error().message, std::nullopt});
    Sent sent{message_id(made->mail), std::move(made->shown)};
    auto sending = mail_.send(std::move(made->mail));
    tl::expected<void, Refused> answer = co_await std::move(sending);
    if (!answer) co_return tl::unexpected(std::move(answer.error()));
    co_return sent;
  }

 private:
  Mail& mail_;
  const Templates& templates_;
  MailManners manners_;
};

}  // namespace

Result<MadeMail> compose_mail(const Message& message, const Templates& templates, const MailManners& manners) {
  if (message.news.empty()) return fail(Code::kInvalid, "a message without news");
  const Audience audience = message.to.customer ? Audience::kCustomer : Audience::kInternal;
  const MailParty owner = manners.owner ? manners.owner(message.import_row) : MailParty{};
  TRY(Rendered rendered, templates.render(message, audience, around(message, manners, owner)));
  MadeMail made;
  made.shown = fmt::format("Subject: {}\n\n{}", rendered.subject, rendered.text);
  made.mail.id = message.id;
  made.mail.answers = message.root_ref;
  made.mail.from = manners.from;
  made.mail.to = parse_party(message.to.address);
  if (made.mail.to.name.empty()) made.mail.to.name = message.to.name;
  made.mail.reply_to = owner;
  made.mail.list = message.import.empty() ? "all" : message.import;
  made.mail.list_name = rendered.subject;
  made.mail.subject = std::move(rendered.subject);
  made.mail.text = std::move(rendered.text);
  made.mail.html = std::move(rendered.html);
  if (manners.unsubscribe) made.mail.unsubscribe = manners.unsubscribe(message);
  return made;
}

std::unique_ptr<Channel> make_mail_channel(Mail& mail, const Templates& templates, MailManners manners) {
  return std::make_unique<MailChannel>(mail, templates, std::move(manners));
}

}  // namespace callimport::activities
