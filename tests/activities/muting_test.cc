// Muted people are left out, and what wants somebody to act goes to the next person, who is told in whose place.
#include "activities/notify/muting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "activities/notify/turn.h"

namespace callimport::activities {
namespace {

using storage::ImportRow;
using storage::MuteRow;
using storage::MuteScope;
using storage::Notification;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::int64_t kNow = 1'788'220'800'000;  // 2026-09-01, 00:00 UTC

Notification record(const std::string& event, const nlohmann::json& facts = nlohmann::json::object()) {
  auto made = say(event, "imp_1", kNow, "subject", "text", "next", facts);
  made.id = "ntf_1";
  return made;
}

ImportRow import_row() {
  ImportRow row;
  row.id = "imp_1";
  row.workspace = "acme";
  row.input = R"({"started_by": "os:ana"})";
  return row;
}

Person person(const std::string& id, const std::string& backup = {}) {
  Person made;
  made.id = id;
  made.name = id + " R";
  made.known_as = {"os:" + id};
  made.addresses = {{"mail", id + "@example.test"}};
  made.backup = backup;
  return made;
}

/// Ana owns the import, Ben is her backup, Cleo leads, Dan is admin, Eve watches.
Roster roster() {
  Roster made;
  made.people = {person("ana", "ben"), person("ben"), person("cleo"), person("dan"), person("eve")};
  made.people.back().watches_all = true;
  made.team_leads = {"cleo"};
  made.admins = {"dan"};
  made.customers["acme"] = {.name = "Acme", .address = "it@acme.test", .zone = "UTC", .told = true, .weekly = false};
  return made;
}

std::vector<ChannelView> mail() {
  ChannelView view;
  view.name = "mail";
  view.manner.people = true;
  return {view};
}

MuteRow mute(const std::string& person, MuteScope scope = MuteScope::kImport, const std::string& target = "imp_1") {
  return {.person = person,
          .scope = scope,
          .target = target,
          .at_ms = kNow,
          .who = "mail:" + person,
          .origin = {},
          .why = "too many"};
}

std::vector<Wish> made_with(const Roster& all, const Notification& news, const Mutes& mutes) {
  return wishes(news, import_row(), all, mail(), "", kNow, mutes);
}

std::vector<std::string> told(const std::vector<Wish>& all) {
  std::vector<std::string> ids;
  for (const auto& wish : all) ids.push_back((wish.suppressed ? "not " : "") + wish.to.id);
  return ids;
}

struct MuteCase {
  const char* name;
  const char* event;
  std::vector<MuteRow> mutes;
  std::vector<std::string> told;
};
void PrintTo(const MuteCase& row, std::ostream* out) { *out << row.name; }
class Muting : public testing::TestWithParam<MuteCase> {};

TEST_P(Muting, DecidesWhoHears) {
  const auto& row = GetParam();
  EXPECT_THAT(told(made_with(roster(), record(row.event), row.mutes)), testing::ElementsAreArray(row.told));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Muting,
    testing::Values(
        MuteCase{"Nobody", "import.paused", {}, {"ana", "eve"}},
        MuteCase{"News", "import.paused", {mute("ana")}, {"not ana", "eve"}},
        MuteCase{"Everybody", "import.paused", {mute("ana"), mute("eve")}, {"not ana", "not eve"}},
        MuteCase{"TheCustomer", "import.started", {mute("customer:acme")}, {"ana", "eve", "not customer:acme"}},
        MuteCase{"AnEscalationToTheBackup", "access.needed", {mute("ana")}, {"not ana", "ben"}},
        MuteCase{"ThenToTheTeamLead", "access.needed", {mute("ana"), mute("ben")}, {"not ana", "cleo"}},
        MuteCase{"ThenToTheAdmin", "access.needed", {mute("ana"), mute("ben"), mute("cleo")}, {"not ana", "dan"}},
        MuteCase{"OneWhoHearsAnywayIsEnough", "import.failed", {mute("eve")}, {"ana", "not eve"}},
        MuteCase{"WhenAllAreMutedTheOwnerIsTold",
                 "access.needed",
                 {mute("ana"), mute("ben"), mute("cleo"), mute("dan"), mute("eve")},
                 {"ana"}}),
    [](const auto& test) { return test.param.name; });

TEST(MutingWords, SayWhoMutedWhatWhenAndWhy) {
  const auto news = made_with(roster(), record("import.paused"), {mute("ana")});
  EXPECT_EQ(news.at(0).why, "muted this import on 2026-09-01 by mail:ana: too many");
  EXPECT_THAT(spoken_mute(mute("ana", MuteScope::kAll, "")), StartsWith("muted everything on"));
  EXPECT_THAT(spoken_mute(mute("ana", MuteScope::kWorkspace, "acme")), StartsWith("muted imports of acme on"));
  EXPECT_THAT(spoken_mute(mute("ana", MuteScope::kEvent, "import.waiting")), StartsWith("muted import.waiting on"));
}

TEST(MutingWords, OfWhoActsInTheOthersPlace) {
  const auto made = made_with(roster(), record("access.needed"), {mute("ana")});
  ASSERT_EQ(made.size(), 2u);
  EXPECT_THAT(made[0].why, HasSubstr("; it goes to ben R instead"));
  EXPECT_THAT(made[1].why, StartsWith("in the place of ana R, who muted this import on 2026-09-01"));
  EXPECT_EQ(made[1].to.address, "ben@example.test");
  EXPECT_EQ(made[1].part, Part::kOwner) << "woken as the owner would be";
  EXPECT_FALSE(made[1].merges);
  const auto alone =
      made_with(roster(), record("access.needed"), {mute("ana"), mute("ben"), mute("cleo"), mute("dan")});
  EXPECT_THAT(told(alone), ElementsAre("ana"));
  EXPECT_THAT(alone[0].why, HasSubstr("told all the same: there is nobody else to act"));
}

/// 5.4: the customer's reminder is for the owner when the customer wants none, and says so.
TEST(MutingWords, ACustomersReminderIsTheOwners) {
  const auto made =
      made_with(roster(), record("escalation.reminder", {{"to", {"customer:acme"}}}), {mute("customer:acme")});
  EXPECT_THAT(told(made), ElementsAre("not customer:acme", "ana"));
  EXPECT_FALSE(made[1].to.customer) << "in the words for colleagues";
  EXPECT_THAT(made[1].why, StartsWith("in the place of Acme, who muted"));
}

TEST(MutingWords, WhoWantsNothingAtAllActsForNobody) {
  Roster all = roster();
  all.people[1].level = Level::kNone;
  EXPECT_THAT(told(made_with(all, record("access.needed"), {mute("ana")})), ElementsAre("not ana", "cleo"));
  all.people[2].addresses.clear();
  EXPECT_THAT(told(made_with(all, record("access.needed"), {mute("ana")})), ElementsAre("not ana", "dan"))
      << "who has no address cannot be told";
}

TEST(MutingWords, ATestGoesWhateverIsMuted) {
  const auto made =
      made_with(roster(), record("message.test", {{"to", "ana"}, {"channel", ""}}), {mute("ana", MuteScope::kAll, "")});
  EXPECT_THAT(told(made), ElementsAre("ana"));
}

/// On a channel that all see, only the name is left out, or another one is called.
TEST(Mentioning, TheMutedAreNotCalledByName) {
  const Roster all = roster();
  Message message;
  message.import_row = import_row();
  const auto whom = [&](const char* event) {
    const Person* person = whom_to_mention(all, message, record(event));
    return person == nullptr ? std::string("nobody") : person->id;
  };
  EXPECT_EQ(whom("access.needed"), "ana");
  EXPECT_EQ(whom("import.waiting"), "ana");
  message.muted = {"ana"};
  EXPECT_EQ(whom("access.needed"), "ben");
  EXPECT_EQ(whom("import.waiting"), "nobody");
  message.muted = {"ana", "ben", "cleo", "dan"};
  EXPECT_EQ(whom("access.needed"), "ana") << "there is nobody else to act";
}

}  // namespace
}  // namespace callimport::activities
