// Mail as text: nothing in it breaks a header, its threads hold together, and the link that ends it cannot be forged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "activities/notify/mail_channel.h"
#include "activities/notify/samples.h"
#include "activities/notify/unsubscribe.h"

namespace callimport::activities {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const Timestamp kNow = from_unix_ms(1'788'220'800'000);

MailMessage message() {
  MailMessage made;
  made.id = "msg_1";
  made.list = "imp_1";
  made.list_name = "Northwind · Grain";
  made.from = {"Calls", "calls@example.test"};
  made.to = {"Ana", "ana@example.test"};
  made.reply_to = {"Bo", "bo@example.test"};
  made.subject = "[Calls] Northwind";
  made.text = "hello";
  made.html = "<p>hello</p>";
  made.unsubscribe = "https://calls.example.test/unsubscribe/abc";
  return made;
}

std::string written(const MailMessage& from) {
  const auto mail = write_mail(from, kNow);
  EXPECT_TRUE(mail.has_value()) << mail.error().message;
  return mail.value_or("");
}

TEST(WriteMail, HasTheHeadersOfAThreadsFirst) {
  const std::string mail = written(message());
  EXPECT_THAT(mail, HasSubstr("From: \"Calls\" <calls@example.test>\r\n"));
  EXPECT_THAT(mail, HasSubstr("Reply-To: \"Bo\" <bo@example.test>\r\n"));
  EXPECT_THAT(mail, HasSubstr("Message-ID: <msg_1@example.test>\r\n"));
  EXPECT_THAT(mail, HasSubstr("Subject: [Calls] Northwind\r\n"));
  EXPECT_THAT(mail, HasSubstr("Auto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(mail, HasSubstr("Date: Tue, 01 Sep 2026 00:00:00 +0000\r\n"));
  EXPECT_THAT(mail, HasSubstr(" <imp_1.imports.example.test>\r\n"));
  EXPECT_THAT(mail, HasSubstr("List-Unsubscribe: <https://calls.example.test/unsubscribe/abc>\r\n"
                              "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
  EXPECT_THAT(mail, Not(HasSubstr("In-Reply-To")));
  EXPECT_EQ(mail, written(message())) << "the same again, at each attempt";
}

TEST(WriteMail, AnswersTheThreadsFirst) {
  MailMessage answer = message();
  answer.id = "msg_2";
  answer.answers = message_id(message());
  EXPECT_THAT(written(answer), HasSubstr("In-Reply-To: <msg_1@example.test>\r\nReferences: <msg_1@example.test>\r\n"));
}

TEST(WriteMail, HasTextFirstThenHtml) {
  const std::string mail = written(message());
  EXPECT_THAT(mail, HasSubstr("Content-Type: multipart/alternative;\r\n boundary=\"=_msg_1\"\r\n"));
  EXPECT_LT(mail.find("text/plain; charset=utf-8"), mail.find("text/html; charset=utf-8"));
  EXPECT_THAT(mail, EndsWith("--=_msg_1--\r\n"));
}

TEST(WriteMail, OneClickWantsHttps) {
  MailMessage plain = message();
  plain.unsubscribe = "http://127.0.0.1:8233/unsubscribe/abc";
  EXPECT_THAT(written(plain), Not(HasSubstr("List-Unsubscribe")));
}

/// Every line of the head begins with a header's name that we write, or goes on the line before.
TEST(WriteMail, NothingBeginsAHeaderOfItsOwn) {
  const std::set<std::string> known = {"From",
                                       "To",
                                       "Reply-To",
                                       "Subject",
                                       "Date",
                                       "Message-ID",
                                       "In-Reply-To",
                                       "References",
                                       "List-Id",
                                       "List-Unsubscribe",
                                       "List-Unsubscribe-Post",
                                       "Auto-Submitted",
                                       "MIME-Version",
                                       "Content-Type"};
  for (const std::string evil : {"x\r\nBcc: eve@example.test", "x\nBcc: eve@example.test", "x\rBcc: y",
                                 "x\xe2\x80\xa8"
                                 "Bcc: y",
                                 "\"x\" <eve@example.test>\r\n\r\nbody", "=?UTF-8?B?QmNjOiB4?=\r\n X: y"}) {
    MailMessage bad = message();
    bad.subject = bad.list_name = bad.from.name = bad.to.name = bad.reply_to.name = evil;
    bad.id = bad.answers = bad.list = evil;
    bad.unsubscribe = "https://x.test/" + evil;
    const std::string mail = written(bad);
    std::istringstream head(mail.substr(0, mail.find("\r\n\r\n")));
    for (std::string line; std::getline(head, line);) {
      EXPECT_THAT(line, EndsWith(head.eof() ? "" : "\r"));
      if (line.starts_with(" ")) continue;
      EXPECT_TRUE(known.contains(line.substr(0, line.find(':')))) << line;
      EXPECT_LE(line.size(), 998u) << "RFC 5322, 2.1.1";
    }
    EXPECT_THAT(mail, Not(HasSubstr("\nBcc")));
  }
}

TEST(WriteMail, EncodesWhatIsNoAscii) {
  MailMessage mail = message();
  mail.subject = "Café";
  mail.to.name = "José \"Pepe\"";
  mail.from.name = "Calls \"and\" more";
  mail.text = "Ligne é = 1 \nshort";
  const std::string text = written(mail);
  EXPECT_THAT(text, HasSubstr("Subject: =?UTF-8?B?Q2Fmw6k=?=\r\n"));
  EXPECT_THAT(text, HasSubstr("From: \"Calls \\\"and\\\" more\" <calls@example.test>\r\n"));
  EXPECT_THAT(text, HasSubstr("To: =?UTF-8?B?Sm9zw6kgIlBlcGUi?= <ana@example.test>\r\n"));
  EXPECT_THAT(text, HasSubstr("Ligne =C3=A9 =3D 1=20\r\nshort\r\n"));
}

TEST(WriteMail, RefusesAddressesThatAreNone) {
  for (const std::string address :
       {"", "nobody", "@b", "a@", "a@b\r\nBcc: c@d", "a b@c", "a@b,c@d", "<a@b>", "a@b@c"}) {
    MailMessage bad = message();
    bad.to.address = address;
    EXPECT_FALSE(write_mail(bad, kNow).has_value()) << address;
    bad = message();
    bad.from.address = address;
    EXPECT_FALSE(write_mail(bad, kNow).has_value()) << address;
    bad = message();
    bad.reply_to.address = address;
    EXPECT_THAT(written(bad), Not(HasSubstr("Reply-To"))) << address;
  }
}

TEST(Party, IsANameAndAnAddress) {
  EXPECT_EQ(parse_party("Ana Ruiz <ana@example.test>").name, "Ana Ruiz");
  EXPECT_EQ(parse_party("\"Ruiz, Ana\" <ana@example.test>").name, "Ruiz, Ana");
  EXPECT_EQ(parse_party("Ana <ana@example.test>").address, "ana@example.test");
  EXPECT_EQ(parse_party("ana@example.test").address, "ana@example.test");
}

// From a message to a mail -----------------------------------------------------------------------------------------

const Templates& templates() {
  static const Result<Templates> loaded = Templates::load("");
  return *loaded;
}

MailManners manners() {
  MailManners made;
  made.from = {"Calls", "calls@example.test"};
  made.open_url = "https://calls.example.test/imports/{import}";
  made.owner = [](const storage::ImportRow&) { return MailParty{"Ana Ruiz", "ana@example.test"}; };
  return made;
}

TEST(ComposeMail, TheImportsThreadHasOneSubjectAndRoot) {
  Message first = sample_message("import.started", Audience::kInternal);
  first.id = "msg_1";
  const auto root = compose_mail(first, templates(), manners());
  ASSERT_TRUE(root.has_value()) << root.error().message;
  EXPECT_EQ(root->mail.answers, "");
  Message later = sample_message("import.first_ready", Audience::kInternal);
  later.id = "msg_2";
  later.root_ref = message_id(root->mail);
  const auto answer = compose_mail(later, templates(), manners());
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->mail.subject, root->mail.subject);
  EXPECT_EQ(answer->mail.answers, "msg_1@example.test");
  EXPECT_EQ(answer->mail.reply_to.address, "ana@example.test");
  EXPECT_THAT(answer->mail.html, HasSubstr("https://calls.example.test/imports/imp_4821kq7zt3mw9xb2"));
}

TEST(ComposeMail, AnEscalationHasASubjectOfItsOwn) {
  const auto mail = compose_mail(sample_message("access.needed", Audience::kInternal), templates(), manners());
  ASSERT_TRUE(mail.has_value());
  EXPECT_THAT(mail->mail.subject, StartsWith("Action needed: Grain access for Northwind ended"));
}

TEST(ComposeMail, CustomersGetTheirOwnWords) {
  const auto mail = compose_mail(sample_message("import.waiting", Audience::kCustomer), templates(), manners());
  ASSERT_TRUE(mail.has_value());
  EXPECT_THAT(mail->mail.text, StartsWith("We have brought over 3,940 of your 4,212 calls.\n"));
  EXPECT_THAT(mail->mail.text, Not(HasSubstr("https://calls.example.test/imports")));
  const auto none = compose_mail(sample_message("channel.down", Audience::kCustomer), templates(), manners());
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Code::kNotFound);
}

// The link that ends mails (RFC 8058)
// ----------------------------------------------------------------------------------

const storage::Secret kKey(std::string(32, 'k'));

TEST(Unsubscribing, ALinkSaysForWhomAndWhat) {
  const Unsubscribe what{"ana", "imp_1"};
  const std::string token = make_unsubscribe(kKey, what);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
            std::string::npos);
  const auto read = read_unsubscribe(kKey, token);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(*read, what);
}

TEST(Unsubscribing, AForgedLinkDoesNothing) {
  const std::string token = make_unsubscribe(kKey, {"ana", "imp_1"});
  const std::string other = make_unsubscribe(kKey, {"bo", "imp_2"});
  const std::string mixed = other.substr(0, other.find('.')) + token.substr(token.find('.'));
  for (const std::string& bad : {std::string(), std::string("."), std::string("x.y"), token.substr(0, token.size() - 1),
                                 token + "A", mixed, std::string(5'000, 'a') + ".b"}) {
    EXPECT_FALSE(read_unsubscribe(kKey, bad).has_value()) << bad.substr(0, 100);
  }
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string bent = token;
    bent[at] = bent[at] == 'A' ? 'B' : 'A';
    const auto read = read_unsubscribe(kKey, bent);
    EXPECT_TRUE(!read || bent.substr(0, bent.find('.')) == token.substr(0, token.find('.'))) << at;
  }
  EXPECT_FALSE(read_unsubscribe(storage::Secret(std::string(32, 'x')), token).has_value());
}

/// The link of what a sample says, as a mail carries it.
std::string token_of(const Unsubscribe& what) { return make_unsubscribe(kKey, what); }

struct AskRow {
  const char* name;
  const char* method;
  std::string token, body;
  int status;
  const char* said;
  bool done;
};
void PrintTo(const AskRow& row, std::ostream* out) { *out << row.name; }
class AskedToEndMails : public testing::TestWithParam<AskRow> {};

/// ux 2.10: GET must never unsubscribe.
TEST_P(AskedToEndMails, Answers) {
  const auto& row = GetParam();
  const auto reply = answer_unsubscribe(kKey, {row.method, row.token, row.body, to_unix_ms(kNow)});
  EXPECT_EQ(reply.status, row.status);
  EXPECT_THAT(reply.html, HasSubstr(row.said));
  EXPECT_THAT(reply.html, Not(HasSubstr("<script")));
  ASSERT_EQ(reply.done.has_value(), row.done);
  if (row.done) EXPECT_EQ(reply.done->person, "ana");
}

const std::string kOfAnImport = token_of({"ana", "imp_1"});
const std::string kParts =
    "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";

INSTANTIATE_TEST_SUITE_P(
    Table, AskedToEndMails,
    testing::Values(
        AskRow{"GetShows", "GET", kOfAnImport, "", 200, "Nothing has changed yet.", false},
        AskRow{"HeadShows", "HEAD", kOfAnImport, "", 200, "<form method=\"post\">", false},
        AskRow{"GetWithTheBodyShows", "GET", kOfAnImport, "List-Unsubscribe=One-Click", 200, "Nothing has changed",
               false},
        AskRow{"OneClick", "POST", kOfAnImport, "List-Unsubscribe=One-Click", 200, "no more mails about this import",
               true},
        AskRow{"AmongOthers", "POST", kOfAnImport, "a=b&List-Unsubscribe=One-Click", 200, "Done", true},
        AskRow{"InParts", "POST", kOfAnImport, kParts, 200, "Done", true},
        AskRow{"PartsOfAnotherName", "POST", kOfAnImport, "name=\"Other\"\r\n\r\nOne-Click\r\n", 400, "Nothing has",
               false},
        AskRow{"WithoutTheWords", "POST", kOfAnImport, "", 400, "press the button", false},
        AskRow{"OtherWords", "POST", kOfAnImport, "List-Unsubscribe=One-Clicks", 400, "press the button", false},
        AskRow{"AnEvent", "POST", token_of({"ana", "", "digest.daily"}), "List-Unsubscribe=One-Click", 200,
               "news of this kind: What happened to your imports", true},
        AskRow{"UntilItsEnd", "POST", token_of({"ana", "imp_1", "", to_unix_ms(kNow)}), "List-Unsubscribe=One-Click",
               200, "Done", true},
        AskRow{"TooOld", "POST", token_of({"ana", "imp_1", "", to_unix_ms(kNow) - 1}), "List-Unsubscribe=One-Click",
               410, "too old", false},
        AskRow{"TooOldToLookAt", "GET", token_of({"ana", "imp_1", "", 1}), "", 410, "too old", false},
        AskRow{"Forged", "POST", kOfAnImport + "A", "List-Unsubscribe=One-Click", 404, "It is not one of ours", false},
        AskRow{"None", "POST", "x", "List-Unsubscribe=One-Click", 404, "It is not one of ours", false},
        AskRow{"AnotherMethod", "DELETE", kOfAnImport, "", 405, "GET and POST only", false}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Unsubscribing, AMessagesLinkIsOfItsImportOrItsEvent) {
  Message of_import = sample_message("import.started", Audience::kInternal);
  of_import.to.id = "ana";
  const auto what = unsubscribe_of(of_import);
  ASSERT_TRUE(what.has_value());
  EXPECT_EQ(what->person, "ana");
  EXPECT_EQ(what->import, of_import.import);
  EXPECT_EQ(what->event, "");
  EXPECT_EQ(what->until_ms, of_import.news.back().at_ms + kUnsubscribeDays * 24 * 3'600'000);
  EXPECT_EQ(unsubscribe_of(of_import), what) << "sent again it has the same words";
  Message digest = sample_message("digest.daily", Audience::kInternal);
  digest.to.id = "ana";
  digest.import.clear();
  ASSERT_TRUE(unsubscribe_of(digest).has_value());
  EXPECT_EQ(unsubscribe_of(digest)->event, "digest.daily");
  Message test = sample_message("message.test", Audience::kInternal);
  test.to.id = "ana";
  EXPECT_FALSE(unsubscribe_of(test).has_value()) << "it was asked for";
}

TEST(Unsubscribing, TheLinkIsInHeadersTextAndHtml) {
  MailManners with = manners();
  with.unsubscribe = [](const Message&) { return std::string("https://calls.example.test/unsubscribe/abc.def"); };
  const auto made = compose_mail(sample_message("import.started", Audience::kInternal), templates(), with);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->mail.unsubscribe, "https://calls.example.test/unsubscribe/abc.def");
  for (const auto& text : {made->mail.text, made->mail.html})
    EXPECT_THAT(text, HasSubstr("https://calls.example.test/unsubscribe/abc.def"));
  const auto without = compose_mail(sample_message("import.started", Audience::kInternal), templates(), manners());
  EXPECT_EQ(without->mail.unsubscribe, "");
  EXPECT_THAT(without->mail.text, Not(HasSubstr("unsubscribe")));
}

/// 5.4: whoever acts for somebody who muted it reads why.
TEST(ComposeMail, SaysInWhosePlaceItsReaderActs) {
  Message message = sample_message("access.needed", Audience::kInternal);
  message.why = "in the place of Ana Ruiz, who muted this import on 2026-09-01";
  const auto made = compose_mail(message, templates(), manners());
  ASSERT_TRUE(made.has_value());
  EXPECT_THAT(made->mail.text,
              HasSubstr("You get this in the place of Ana Ruiz, who muted this import on 2026-09-01."));
}

}  // namespace
}  // namespace callimport::activities
