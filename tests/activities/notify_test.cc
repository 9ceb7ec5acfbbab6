// Notifications on their way: what merges, what is tried again, and that nothing in them breaks a header.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "activities/notify/deliverer.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"

namespace callimport::activities {
namespace {

using storage::Library;
using storage::Notification;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'788'220'800'000;

Library::Due due(const std::string& id, const std::string& event, std::int64_t at_ms,
                 const std::string& channel = "mail", const std::string& import = "imp_1") {
  Library::Due made;
  made.notification = {id, import, at_ms, event, "subject", "text of " + id, "next"};
  made.delivery = {id, channel, "queued", 0, at_ms, ""};
  return made;
}

std::vector<std::vector<std::string>> ids(const DeliveryPlan& plan) {
  std::vector<std::vector<std::string>> all;
  for (const auto& parcel : plan.parcels) {
    all.emplace_back();
    for (const auto& item : parcel.items) all.back().push_back(item.notification.id);
  }
  return all;
}

TEST(PlanDeliveries, RoutineNewsWaitForCompany) {
  const auto plan = plan_deliveries({due("a", "stage.changed", kNow)}, {"mail"}, kNow);
  EXPECT_TRUE(plan.parcels.empty());
  EXPECT_EQ(plan.look_again_ms, kNow + kMergeMs);
}

TEST(PlanDeliveries, AfterTheMergeWindowTheyGoTogether) {
  const auto plan =
      plan_deliveries({due("a", "stage.changed", kNow - kMergeMs), due("b", "stage.changed", kNow)}, {"mail"}, kNow);
  EXPECT_THAT(ids(plan), ElementsAre(ElementsAre("a", "b")));
}

TEST(PlanDeliveries, WhatMattersTakesThemAlong) {
  const auto plan =
      plan_deliveries({due("a", "stage.changed", kNow - 2), due("b", "condition.changed", kNow - 1)}, {"mail"}, kNow);
  EXPECT_THAT(ids(plan), ElementsAre(ElementsAre("a", "b")));
}

TEST(PlanDeliveries, ImportsAndChannelsStayApart) {
  const auto plan = plan_deliveries({due("a", "import.closed", kNow), due("b", "import.closed", kNow, "mail", "imp_2"),
                                     due("c", "stage.changed", kNow, "log")},
                                    {"mail"}, kNow);
  EXPECT_EQ(plan.parcels.size(), 3u);
}

TEST(PlanDeliveries, ALaterMessageDoesNotOvertakeOneThatIsTriedAgain) {
  auto failed = due("a", "import.started", kNow - 60'000);
  failed.delivery.attempts = 2;
  failed.delivery.next_ms = kNow + 5'000;
  const auto plan = plan_deliveries({failed, due("b", "import.closed", kNow)}, {"mail"}, kNow);
  EXPECT_TRUE(plan.parcels.empty());
  EXPECT_EQ(plan.look_again_ms, kNow + 5'000);
}

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
  Notification news{"ntf_1", "imp_1", kNow, "import.closed", "[Calls] <Acme> & Co", "Done", "Nothing to do."};
  EXPECT_THAT(slack_body({news}), HasSubstr("&lt;Acme&gt; &amp; Co"));
  news.text = std::string(10'000, '&');
  EXPECT_LE(slack_body({news}).size(), kSlackTextMax + 100);
  EXPECT_THAT(slack_body({news}), HasSubstr("... and more"));
}

/// Fails as often as it is told to, and keeps what arrived.
class FlakyChannel final : public Channel {
 public:
  FlakyChannel(std::string name, int failures, std::vector<std::string>& arrived)
      : name_(std::move(name)), failures_(failures), arrived_(arrived) {}
  std::string_view name() const override { return name_; }
  engine::Awaitable<Result<>> send(std::vector<Notification> news) override {
    if (failures_-- > 0) co_return fail(Code::kUnavailable, "not now");
    for (const auto& one : news) arrived_.push_back(name_ + ":" + one.id);
    co_return Result<>{};
  }

 private:
  std::string name_;
  int failures_;
  std::vector<std::string>& arrived_;
};

class Delivering : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_dirs("/data").has_value());
    library_ = std::move(*Library::open(disk_, random_, "/data/library.db"));
    const auto made = library_->change([](storage::LibraryTx& tx) -> Result<> {
      storage::ImportRow row;
      row.id = "imp_1";
      row.platform = "grain";
      row.workspace = "acme";
      row.first.stage = row.bulk.stage = "authenticate";
      row.first.condition = row.bulk.condition = "running";
      return tx.put_import(row);
    });
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }
  void TearDown() override {
    deliverer_.reset();
    loop_.drop_all();
  }
  void tell(const std::string& id, const std::string& event, const std::vector<std::string>& channels) {
    const auto told = library_->change([&](storage::LibraryTx& tx) {
      return tx.notify({id, "imp_1", to_unix_ms(loop_.now()), event, "subject", "text", "next"}, channels);
    });
    ASSERT_TRUE(told.has_value());
    if (deliverer_) deliverer_->wake();
  }
  void begin(int mail_failures) {
    std::vector<std::unique_ptr<Channel>> channels;
    channels.push_back(std::make_unique<FlakyChannel>("mail", mail_failures, arrived_));
    channels.push_back(std::make_unique<FlakyChannel>("slack", 0, arrived_));
    deliverer_ = std::make_unique<Deliverer>(*library_, loop_, loop_, loop_, std::move(channels));
    deliverer_->start();
  }

  simulations::SimLoop loop_;
  simulations::SimDisk disk_;
  simulations::SeededRandom random_{1};
  std::unique_ptr<Library> library_;
  std::vector<std::string> arrived_;
  std::unique_ptr<Deliverer> deliverer_;
};

TEST_F(Delivering, AFailedDeliveryIsTriedAgainAndHoldsUpNobodyElse) {
  begin(3);
  tell("ntf_1", "import.started", {"mail", "slack"});
  loop_.run_for(1s);
  EXPECT_THAT(arrived_, ElementsAre("slack:ntf_1"));
  loop_.run_for(1h);
  EXPECT_THAT(arrived_, ElementsAre("slack:ntf_1", "mail:ntf_1"));
  EXPECT_FALSE(library_->next_delivery_ms()->has_value());
}

TEST_F(Delivering, OneThatNeverArrivesHasFailedAfterADay) {
  begin(1'000'000);
  tell("ntf_1", "import.started", {"mail"});
  loop_.run_for(23h);
  EXPECT_TRUE(library_->next_delivery_ms()->has_value());
  loop_.run_for(3h);
  EXPECT_FALSE(library_->next_delivery_ms()->has_value());
  EXPECT_TRUE(arrived_.empty());
}

TEST_F(Delivering, RoutineNewsArriveMergedAfterTenMinutes) {
  begin(0);
  tell("ntf_1", "stage.changed", {"mail"});
  loop_.run_for(3min);
  tell("ntf_2", "stage.changed", {"mail"});
  loop_.run_for(6min);
  EXPECT_TRUE(arrived_.empty());
  loop_.run_for(2min);
  EXPECT_THAT(arrived_, ElementsAre("mail:ntf_1", "mail:ntf_2"));
}

TEST_F(Delivering, WhatWasQueuedBeforeAStartIsDelivered) {
  tell("ntf_1", "import.started", {"mail"});
  loop_.run_for(1h);
  begin(0);
  loop_.run_for(1s);
  EXPECT_THAT(arrived_, ElementsAre("mail:ntf_1"));
}

TEST_F(Delivering, AChannelThatIsNotConfiguredAnyMoreHasFailed) {
  tell("ntf_1", "import.started", {"pigeon"});
  begin(0);
  loop_.run_for(1min);
  EXPECT_FALSE(library_->next_delivery_ms()->has_value());
}

}  // namespace
}  // namespace callimport::activities
