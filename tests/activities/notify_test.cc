// Messages as text: nothing in them breaks a header, and they stay short.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "activities/notify/deliverer.h"

namespace callimport::activities {
namespace {

using storage::Notification;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'788'220'800'000;

TEST(RetryAfter, DoublesUpToHalfAnHour) {
  EXPECT_EQ(retry_after_ms(1), 5'000);
  EXPECT_EQ(retry_after_ms(2), 10'000);
  EXPECT_EQ(retry_after_ms(9), 1'280'000);
  EXPECT_EQ(retry_after_ms(10), 1'800'000);
  EXPECT_EQ(retry_after_ms(1'000), 1'800'000);
}

MailMessage message(const std::string& subject, const std::string& text = "hello") {
  return {"ntf_1", "imp_1", "Calls <calls@example.test>", {"ana@example.test"}, subject, text};
}

TEST(WriteMail, HasStableIdsAndIsOneThread) {
  const auto mail = write_mail(message("[Calls] Northwind"), from_unix_ms(kNow));
  ASSERT_TRUE(mail.has_value());
  EXPECT_THAT(*mail, HasSubstr("Message-ID: <ntf_1@callimport>\r\n"));
  EXPECT_THAT(*mail, HasSubstr("References: <imp_1@callimport>\r\n"));
  EXPECT_THAT(*mail, HasSubstr("Subject: [Calls] Northwind\r\n"));
  EXPECT_THAT(*mail, HasSubstr("Auto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(*mail, HasSubstr("Date: Tue, 01 Sep 2026 00:00:00 +0000\r\n"));
  EXPECT_THAT(*mail, HasSubstr("\r\n\r\nhello\r\n"));
}

struct SubjectRow {
  const char* name;
  std::string subject;
};
void PrintTo(const SubjectRow& row, std::ostream* out) { *out << row.name; }
class Subjects : public testing::TestWithParam<SubjectRow> {};
TEST_P(Subjects, BeginNoHeaderOfTheirOwn) {
  const auto mail = write_mail(message(GetParam().subject), from_unix_ms(kNow));
  ASSERT_TRUE(mail.has_value());
  const std::string head = mail->substr(0, mail->find("\r\n\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("\nBcc:")));
  EXPECT_THAT(head, Not(HasSubstr("\n\n")));
  for (std::size_t at = head.find('\n'); at != std::string::npos; at = head.find('\n', at + 1)) {
    EXPECT_TRUE(at > 0 && head[at - 1] == '\r');
  }
  for (const char c : head) EXPECT_TRUE(c == '\r' || c == '\n' || (c >= 0x20 && c < 0x7f));
}
INSTANTIATE_TEST_SUITE_P(
    Table, Subjects,
    testing::Values(SubjectRow{"LineFeed", "a\nBcc: eve@example.test"},
                    SubjectRow{"CarriageReturn", "a\r\nBcc: eve@example.test"},
                    SubjectRow{"WithAccents", "Société Générale\r\nBcc: x"},
                    SubjectRow{"RightToLeft",
                               "\xe2\x80\xae"
                               "abc\n\nBcc: x"},
                    SubjectRow{"LongAndForeign", std::string(300, 'x') + std::string("\xc3\xa9\xc3\xa8")},
                    SubjectRow{"NotUtf8", std::string("\xff\xfe\nBcc: x")}, SubjectRow{"Zero", std::string("a\0b", 3)}),
    [](const auto& test) { return test.param.name; });

TEST(WriteMail, EncodesWhatIsNoAscii) {
  const auto mail = write_mail(message("Café", "Ligne é = 1 \nshort"), from_unix_ms(kNow));
  EXPECT_THAT(*mail, HasSubstr("Subject: =?UTF-8?B?Q2Fmw6k=?=\r\n"));
  EXPECT_THAT(*mail, HasSubstr("Ligne =C3=A9 =3D 1=20\r\nshort\r\n"));
}

TEST(WriteMail, RefusesAddressesThatAreNone) {
  for (const std::string address : {"", "nobody", "a@b\r\nBcc: c@d", "a b@c", "<a@b> <c@d,>"}) {
    MailMessage bad = message("s");
    bad.to = {address};
    EXPECT_FALSE(write_mail(bad, from_unix_ms(kNow)).has_value()) << address;
    bad = message("s");
    bad.from = address;
    EXPECT_FALSE(write_mail(bad, from_unix_ms(kNow)).has_value()) << address;
  }
  MailMessage nobody = message("s");
  nobody.to.clear();
  EXPECT_FALSE(write_mail(nobody, from_unix_ms(kNow)).has_value());
}

TEST(SlackBody, EscapesAndStaysShort) {
  Notification news;
  news.import = "imp_1";
  news.subject = "[Calls] <Acme> & Co";
  news.text = "Done";
  EXPECT_THAT(slack_body({news}), HasSubstr("&lt;Acme&gt; &amp; Co"));
  news.text = std::string(10'000, '&');
  EXPECT_LE(slack_body({news}).size(), kSlackTextMax + 100);
  EXPECT_THAT(slack_body({news}), HasSubstr("... and more"));
}

}  // namespace
}  // namespace callimport::activities
