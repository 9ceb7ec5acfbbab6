// The rules of telling, each as a function of a record, what is remembered and the clock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "activities/notify/access_ends.h"
#include "activities/notify/channel_health.h"
#include "activities/notify/delays.h"
#include "activities/notify/digests.h"
#include "activities/notify/escalations.h"
#include "activities/notify/flapping.h"
#include "activities/notify/local_time.h"
#include "activities/notify/outages.h"
#include "activities/notify/restraint.h"

namespace callimport::activities {
namespace {

using storage::AgendaRow;
using storage::ImportRow;
using storage::Notification;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'788'220'800'000;  // 2026-09-01, a Tuesday, 00:00 UTC: 02:00 in Madrid
constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;

Notification record(const std::string& event, std::int64_t at_ms = kNow, const nlohmann::json& facts = {},
                    const std::string& import = "imp_1") {
  auto made = say(event, import, at_ms, "subject", "text", "next", facts.is_null() ? nlohmann::json::object() : facts);
  made.id = "ntf_" + event;
  return made;
}

ImportRow import_row(const std::string& id = "imp_1", const std::string& starter = "os:ana") {
  ImportRow row;
  row.id = id;
  row.platform = "grain";
  row.workspace = "acme";
  row.input = nlohmann::json{{"started_by", starter}}.dump();
  row.first.condition = row.bulk.condition = "running";
  return row;
}

Person person(const std::string& id) {
  Person made;
  made.id = made.name = id;
  made.known_as = {"os:" + id};
  made.zone = "Europe/Madrid";
  made.addresses = {{"mail", id + "@example.test"}};
  return made;
}

Roster roster() {
  Roster made;
  for (const char* id : {"ana", "ben", "cleo"}) made.people.push_back(person(id));
  made.people[0].backup = "ben";
  made.owner = "ben";
  made.approvers = {"cleo"};
  made.on_call = {"ben"};
  made.team_leads = {"cleo"};
  return made;
}

std::vector<ChannelView> mail() {
  ChannelView view;
  view.name = "mail";
  view.manner.people = true;
  return {view};
}

std::vector<std::string> told(const std::vector<Wish>& all) {
  std::vector<std::string> ids;
  for (const auto& wish : all) ids.push_back((wish.suppressed ? "not " : "") + wish.to.id);
  return ids;
}

TEST(Events, AreAClosedListWithOneRowEach) {
  for (const auto& row : events()) {
    EXPECT_EQ(find_event(row.id), &row) << row.id;
    EXPECT_FALSE(row.words.empty()) << row.id;
  }
  EXPECT_EQ(find_event("stage.changed"), nullptr);
}

TEST(People, TheStarterIsTheOwnerAndElseWhomTheConfigurationNames) {
  EXPECT_EQ(owner_of(roster(), import_row())->id, "ana");
  EXPECT_EQ(owner_of(roster(), import_row("imp_1", "token:ci"))->id, "ben");
}

TEST(Levels, N06EverythingImportantActNone) {
  struct Row {
    Level level;
    const char* event;
    const char* told;
  };
  for (const Row& row :
       {Row{Level::kEverything, "import.counted", "ana"}, Row{Level::kImportant, "import.counted", "ana"},
        Row{Level::kImportant, "import.completed", "ana"}, Row{Level::kAct, "import.completed", "not ana"},
        Row{Level::kAct, "access.needed", "ana"}, Row{Level::kNone, "access.needed", "not ana"}}) {
    Roster all = roster();
    all.approvers.clear();
    all.people[0].level = row.level;
    const auto made = wishes(record(row.event), import_row(), all, mail(), "", kNow);
    EXPECT_THAT(told(made), ElementsAre(row.told)) << row.event << " " << to_string(row.level);
    EXPECT_FALSE(made.at(0).why.empty());
  }
}

TEST(Levels, N06OfOneCustomerAndOfOneImport) {
  Person ana = person("ana");
  ana.levels = {{"acme", Level::kNone}, {"imp_1", Level::kEverything}};
  EXPECT_EQ(level_for(ana, import_row()), Level::kEverything);
  EXPECT_EQ(level_for(ana, import_row("imp_2")), Level::kNone);
}

TEST(QuietHours, N05AreOfThePersonsClock) {
  const QuietHours night{22 * 60, 7 * 60};
  const auto end = quiet_until(night, "Europe/Madrid", kNow);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(*end, kNow + 5 * kHour) << "07:00 in Madrid is 05:00 UTC";
  EXPECT_FALSE(quiet_until(night, "America/New_York", kNow - kHour).has_value()) << "19:00 there";
  EXPECT_FALSE(quiet_until({}, "UTC", kNow).has_value());
  EXPECT_EQ(next_local(kNow, kDigestMinute, "Europe/Madrid"), kNow + 6 * kHour + 30 * kMinute);
  EXPECT_EQ(next_local(kNow, kDigestMinute, "UTC", kMonday), kNow + 6 * kDay + 8 * kHour + 30 * kMinute);
}

TEST(QuietHours, N05TheDigestCatchesUpAndTheOwnerIsWokenForWhatWantsThem) {
  Person ana = person("ana");
  ana.quiet = {22 * 60, 7 * 60};
  const auto quiet = [&](Weight weight, Part part) {
    Wish wish;
    wish.weight = weight;
    wish.part = part;
    wish.due_ms = kNow;
    keep_quiet(wish, ana, kNow);
    return wish;
  };
  EXPECT_TRUE(quiet(Weight::kImportant, Part::kOwner).suppressed);
  EXPECT_THAT(quiet(Weight::kImportant, Part::kOwner).why, HasSubstr("07:00"));
  EXPECT_EQ(quiet(Weight::kAct, Part::kOwner).due_ms, kNow);
  EXPECT_EQ(quiet(Weight::kAct, Part::kApprover).due_ms, kNow + 5 * kHour);
  ana.digest = false;
  EXPECT_FALSE(quiet(Weight::kImportant, Part::kOwner).suppressed);
  EXPECT_EQ(quiet(Weight::kImportant, Part::kOwner).due_ms, kNow + 5 * kHour);
}

TEST(Outages, N04OneMessageForAllImportsAndOneWhenItIsOver) {
  auto first = outage_met(std::nullopt, record("import.outage"), import_row(), "ana");
  EXPECT_FALSE(first.hush.empty());
  ASSERT_EQ(first.put.size(), 1u);
  auto second = outage_met(first.put[0], record("import.outage", kNow + 1, {}, "imp_2"), import_row("imp_2"), "ben");
  auto due = outage_due(second.put[0], kNow + kGatherMs);
  ASSERT_EQ(due.say.size(), 1u);
  EXPECT_EQ(due.say[0].event, "platform.outage");
  EXPECT_THAT(due.say[0].text, HasSubstr("2 imports wait"));
  EXPECT_EQ(read_facts(due.say[0].facts)["to"], (nlohmann::json{"ana", "ben"}));
  auto one_left = outage_left(due.put[0], record("import.goes_on", kNow + kHour));
  EXPECT_THAT(one_left.say, IsEmpty());
  EXPECT_FALSE(one_left.hush.empty());
  auto over = outage_left(one_left.put[0], record("import.goes_on", kNow + kHour, {}, "imp_2"));
  ASSERT_EQ(over.say.size(), 1u);
  EXPECT_EQ(over.say[0].event, "platform.recovered");
  EXPECT_EQ(over.drop.size(), 1u);
}

TEST(Outages, ThatEndBeforeAnybodyWasToldAreNobodysNews) {
  const auto met = outage_met(std::nullopt, record("import.outage"), import_row(), "ana");
  const auto over = outage_left(met.put[0], record("import.goes_on", kNow + kMinute));
  EXPECT_THAT(over.say, IsEmpty());
  EXPECT_EQ(over.drop.size(), 1u);
}

TEST(Flapping, N03TheSameWaitAgainAndAgainIsOneMessage) {
  auto known = flap_entered(std::nullopt, record("import.waiting", kNow, {{"cause", "platform.daily_quota"}}));
  EXPECT_TRUE(known.hush.empty()) << "the first time is news";
  AgendaRow row = known.put.at(0);
  for (int i = 1; i < 6; ++i) {
    const std::int64_t at_ms = kNow + i * 10 * kMinute;
    row = flap_left(row, record("import.goes_on", at_ms - 5 * kMinute)).put.at(0);
    const auto again = flap_entered(row, record("import.waiting", at_ms, {{"cause", "platform.daily_quota"}}));
    EXPECT_FALSE(again.hush.empty());
    row = again.put.at(0);
  }
  const auto due = flap_due(row, *row.next_ms);
  ASSERT_EQ(due.say.size(), 1u);
  EXPECT_THAT(due.say[0].text, HasSubstr("6 times since 2026-09-01T00:00:00Z"));
  EXPECT_THAT(flap_due(due.put.at(0), kNow + 3 * kHour).drop.size(), 1u) << "forgotten once it is calm";
}

TEST(Escalations, HaveLaterStepsForWhoActsNext) {
  const auto began = escalation_began(record("access.needed"));
  ASSERT_EQ(began.put.size(), 1u);
  AgendaRow row = began.put[0];
  std::vector<std::string> whom;
  std::vector<std::int64_t> hours;
  while (row.next_ms) {
    hours.push_back((*row.next_ms - kNow) / kHour);
    const auto turn = escalation_due(row, roster(), import_row(), *row.next_ms);
    for (const auto& said : turn.say) whom.push_back(read_facts(said.facts)["to"][0]);
    row = turn.put.at(0);
  }
  EXPECT_THAT(hours, ElementsAre(24, 48, 120));
  EXPECT_THAT(whom, ElementsAre("customer:acme", "ben", "cleo"));
}

TEST(Escalations, EndWithTheirCause) {
  EXPECT_THAT(escalations_ended(record("access.restored")), testing::Contains("imp_1/access"));
  EXPECT_THAT(escalations_ended(record("import.goes_on")), testing::Contains("imp_1/stuck"));
  EXPECT_THAT(escalations_ended(record("import.goes_on")), testing::Not(testing::Contains("imp_1/gaps")));
  EXPECT_THAT(escalations_ended(record("import.approved")), ElementsAre("imp_1/gaps"));
  EXPECT_THAT(escalations_ended(record("import.completed")), testing::Contains("imp_1/gaps"));
}

TEST(Delays, AreToldAfterAQuarterAndAnHourAndAgainOnlyAfterAnother) {
  ImportRow row = import_row();
  row.input = R"({"predicted":{"duration_to_ms":28800000}})";
  const auto began = delay_began(record("import.started"), row);
  ASSERT_EQ(began.put.size(), 1u);
  EXPECT_EQ(began.put[0].next_ms, kNow + 10 * kHour) << "8 h and a quarter";
  const auto late = delay_due(began.put[0], row, kNow + 10 * kHour);
  ASSERT_EQ(late.say.size(), 1u);
  EXPECT_EQ(late.put[0].next_ms, kNow + 12 * kHour);
  const auto quota = delay_foreseen(began.put[0], record("import.waiting"), kNow + 13 * kHour);
  ASSERT_EQ(quota.say.size(), 1u);
  EXPECT_EQ(read_facts(quota.say[0].facts)["finish_ms"], kNow + 13 * kHour);
  EXPECT_THAT(delay_foreseen(began.put[0], record("import.waiting"), kNow + 9 * kHour).say, IsEmpty());
  row.closed_ms = kNow;
  EXPECT_THAT(delay_due(began.put[0], row, kNow + 10 * kHour).say, IsEmpty());
}

TEST(Delays, AreHeldAgainstTheLastTimePeopleWereGiven) {
  ImportRow row = import_row();
  row.input = R"({"predicted":{"duration_to_ms":28800000}})";
  const AgendaRow began = delay_began(record("import.started"), row).put.at(0);
  const auto late = delay_foreseen(began, record("import.waiting"), kNow + 12 * kHour);
  ASSERT_EQ(late.say.size(), 1u);
  EXPECT_EQ(read_facts(late.say[0].facts)["planned_ms"], kNow + 8 * kHour);
  const AgendaRow told = late.put.at(0);
  EXPECT_EQ(promised_of(told), kNow + 12 * kHour);
  EXPECT_EQ(told.next_ms, kNow + 15 * kHour) << "a quarter of the twelve hours that were told";
  EXPECT_THAT(delay_foreseen(told, record("import.waiting"), kNow + 14 * kHour).say, IsEmpty());
  const auto later = delay_reckoned(told, {kNow + 16 * kHour, kNow + 18 * kHour, "it waits"}, kNow + 9 * kHour);
  ASSERT_EQ(later.say.size(), 1u);
  EXPECT_EQ(read_facts(later.say[0].facts)["planned_ms"], kNow + 12 * kHour) << "not the time of the start";
  const AgendaRow counted = delay_promised(began, kNow + 20 * kHour).put.at(0);
  EXPECT_EQ(counted.next_ms, kNow + 25 * kHour) << "a new estimate is a promise, too";
}

TEST(Delays, AreOverOnceTheFinishIsWithinWhatWasPromisedBefore) {
  ImportRow row = import_row();
  row.input = R"({"predicted":{"duration_to_ms":28800000}})";
  const AgendaRow began = delay_began(record("import.started"), row).put.at(0);
  const auto end = [](std::int64_t from_h, std::int64_t to_h) {
    return Reckoned{kNow + from_h * kHour, kNow + to_h * kHour, "it goes slower"};
  };
  EXPECT_THAT(delay_reckoned(began, end(5, 7), kNow + kHour).say, IsEmpty()) << "it was never late";
  EXPECT_THAT(delay_reckoned(began, end(9, 13), kNow + kHour).say, IsEmpty()) << "at its best it is in time";
  const auto late = delay_reckoned(began, end(11, 13), kNow + kHour);
  ASSERT_EQ(late.say.size(), 1u);
  EXPECT_EQ(late.say[0].event, "import.delayed");
  EXPECT_THAT(delay_reckoned(late.put.at(0), end(7, 9), kNow + 2 * kHour).say, IsEmpty()) << "not quite yet";
  const auto again = delay_reckoned(late.put.at(0), end(6, 8), kNow + 2 * kHour);
  ASSERT_EQ(again.say.size(), 1u);
  EXPECT_EQ(again.say[0].event, "import.on_time_again");
  EXPECT_EQ(read_facts(again.say[0].facts)["finish_ms"], kNow + 8 * kHour);
  EXPECT_EQ(promised_of(again.put.at(0)), kNow + 8 * kHour);
  EXPECT_THAT(delay_reckoned(again.put.at(0), end(6, 8), kNow + 3 * kHour).say, IsEmpty()) << "once";
}

TEST(Delays, OfAnEarlierVersionAreHeldAgainstTheStart) {
  AgendaRow old;
  old.kind = kDelay;
  old.key = old.import = "imp_1";
  old.opened_ms = kNow;
  old.facts = R"({"foretold_ms":28800000})";
  EXPECT_EQ(promised_of(old), kNow + 8 * kHour);
  EXPECT_EQ(delay_due(old, import_row(), kNow + 10 * kHour).say.size(), 1u);
}

TEST(AccessEnds, IsToldAWeekAndADayBeforeWhereTheImportWillNotBeDone) {
  const std::int64_t ends_ms = kNow + 30 * kDay;
  AgendaRow row = access_ends_at({"imp_1", "cred_1", ends_ms}, kNow);
  EXPECT_EQ(row.next_ms, ends_ms - 7 * kDay);
  const auto week = access_ends_due(row, import_row(), ends_ms + kDay, *row.next_ms);
  ASSERT_EQ(week.say.size(), 1u);
  EXPECT_EQ(week.say[0].event, "access.ends_soon");
  EXPECT_EQ(read_facts(week.say[0].facts)["ends_ms"], ends_ms);
  EXPECT_EQ(read_facts(week.say[0].facts)["finish_ms"], ends_ms + kDay);
  row = week.put.at(0);
  EXPECT_EQ(row.next_ms, ends_ms - kDay);
  EXPECT_THAT(access_ends_due(row, import_row(), ends_ms - 1, *row.next_ms).say, IsEmpty()) << "it is done by then";
  const auto day = access_ends_due(row, import_row(), 0, *row.next_ms);
  EXPECT_EQ(day.say.size(), 1u) << "nobody knows when it is done";
  EXPECT_FALSE(day.put.at(0).next_ms.has_value()) << "and no third time";
}

TEST(AccessEnds, OfAShortLifeIsToldAtOnceAndOfAClosedImportNever) {
  const AgendaRow row = access_ends_at({"imp_1", "cred_1", kNow + 2 * kHour}, kNow);
  EXPECT_EQ(row.next_ms, kNow);
  const auto soon = access_ends_due(row, import_row(), 0, kNow);
  EXPECT_EQ(soon.say.size(), 1u);
  EXPECT_FALSE(soon.put.at(0).next_ms.has_value());
  ImportRow closed = import_row();
  closed.closed_ms = kNow;
  EXPECT_THAT(access_ends_due(row, closed, 0, kNow).say, IsEmpty());
  EXPECT_EQ(access_ends_due(row, closed, 0, kNow).drop.size(), 1u);
  EXPECT_THAT(access_ends_due(row, import_row(), 0, kNow + 3 * kHour).say, IsEmpty()) << "it has ended already";
}

TEST(Escalations, EndWhenWhatWantedAPersonIsOver) {
  EXPECT_THAT(escalations_ended(record("import.attention_ended")), testing::Contains("imp_1/attention"));
  EXPECT_THAT(escalations_ended(record("import.attention_ended")), testing::Not(testing::Contains("imp_1/gaps")));
}

TEST(Digests, SayOfEachImportWhoseItIsHowItStandsAndWhenItIsDone) {
  AgendaRow row;
  row.kind = kDigest;
  row.key = "ana";
  row.opened_ms = kNow - kDay;
  ImportRow runs = import_row(), waits = import_row("imp_2"), done = import_row("imp_3");
  runs.title = "Northwind";
  runs.first.stage = runs.bulk.stage = "fetch";
  waits.bulk = {"fetch", "waiting", "window.closed", "", "", kNow + kHour};
  done.closed_ms = kNow - kHour;
  done.bulk.condition = "completed";
  done.report = R"({"grade":"good"})";
  const auto due = digest_due(row, roster(), {runs, waits, done}, kNow, {{"imp_1", kNow + 2 * kHour}});
  ASSERT_EQ(due.say.size(), 1u);
  const auto facts = read_facts(due.say[0].facts);
  EXPECT_EQ(facts["count"], 3);
  EXPECT_EQ(facts["running"][0]["customer"], "Northwind");
  EXPECT_EQ(facts["running"][0]["words"], "fetching recordings");
  EXPECT_EQ(facts["running"][0]["finish_ms"], kNow + 2 * kHour);
  EXPECT_EQ(facts["waiting"][0]["words"], "closed window");
  EXPECT_EQ(facts["waiting"][0]["finish_ms"], 0) << "nobody was told a time";
  EXPECT_EQ(facts["finished"][0]["words"], "completed, grade good");
}

TEST(Digests, SayWhatNeedsYouFirstAndNothingWhenThereIsNothing) {
  AgendaRow row;
  row.kind = kDigest;
  row.key = "ana";
  row.opened_ms = kNow - kDay;
  EXPECT_THAT(digest_due(row, roster(), {}, kNow).say, IsEmpty());
  ImportRow needs = import_row(), done = import_row("imp_2"), old = import_row("imp_3"),
            other = import_row("imp_4", "os:ben");
  needs.bulk.condition = needs.first.condition = "needs_attention";
  done.closed_ms = kNow - kHour;
  old.closed_ms = kNow - 2 * kDay;
  const auto due = digest_due(row, roster(), {needs, done, old, other}, kNow);
  ASSERT_EQ(due.say.size(), 1u);
  EXPECT_THAT(due.say[0].text, testing::StartsWith("1 need you, 1 finished."));
  EXPECT_EQ(due.put.at(0).next_ms, next_local(kNow, kDigestMinute, "Europe/Madrid"));
}

TEST(Guard, N07MoreThanTwentyAnHourGoToTheDigestAndItIsSaidOnce) {
  EXPECT_EQ(guarded("import.completed", Weight::kImportant, kHourlyMax - 1), "");
  EXPECT_THAT(guarded("import.completed", Weight::kImportant, kHourlyMax), HasSubstr("20"));
  EXPECT_EQ(guarded("access.needed", Weight::kAct, kHourlyMax), "");
  EXPECT_THAT(guarded("access.needed", Weight::kAct, kHourlyActMax), HasSubstr("40"));
  EXPECT_EQ(guarded("digest.daily", Weight::kImportant, 1'000), "");
  const auto soon = digest_soon(std::nullopt, person("ana"), kNow);
  EXPECT_EQ(soon.say.size(), 1u);
  EXPECT_EQ(soon.put.at(0).next_ms, kNow + kSoonMs);
  EXPECT_THAT(digest_soon(soon.put[0], person("ana"), kNow + kMinute).say, IsEmpty());
}

TEST(Steps, N02WaitForWhatMattersAfterTheFirstMessageOfThem) {
  Wish wish;
  wish.weight = Weight::kRoutine;
  wish.due_ms = kNow + kMergeMs;
  keep_steps(wish, 0);
  EXPECT_EQ(wish.due_ms, kNow + kMergeMs);
  keep_steps(wish, kRoutineMax);
  EXPECT_EQ(wish.due_ms, kNow + kRoutineWaitMs);
}

TEST(Channels, ThatTakeNothingForTenMinutesAreToldOfByAnother) {
  const auto refused = channel_refused(std::nullopt, "mail", "timed out", kNow);
  ASSERT_EQ(refused.put.size(), 1u);
  EXPECT_EQ(refused.put[0].next_ms, kNow + kChannelDownMs);
  EXPECT_THAT(channel_took(refused.put[0], kNow + kMinute).say, IsEmpty());
  const auto down = channel_due(refused.put[0], kNow + kChannelDownMs);
  ASSERT_EQ(down.say.size(), 1u);
  EXPECT_THAT(channel_took(down.put[0], kNow + kHour).say.at(0).event, "channel.restored");
  Roster all = roster();
  all.admins = {"ana"};
  all.people[0].addresses = {{"mail", "a@example.test"}, {"pager", "555"}};
  auto channels = mail();
  channels.push_back(channels[0]);
  channels[1].name = "pager";
  const auto made = wishes(down.say[0], {}, all, channels, "", kNow);
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].channel, "pager");
}

TEST(Times, AreReadAsPeopleWriteThem) {
  EXPECT_EQ(parse_quiet("22:00-07:00"), (QuietHours{1320, 420}));
  EXPECT_TRUE(parse_quiet("")->none());
  for (const char* bad : {"22-07", "25:00-07:00", "22:00", "22:60-07:00", "aa:bb-cc:dd"})
    EXPECT_FALSE(parse_quiet(bad).has_value()) << bad;
}

}  // namespace
}  // namespace callimport::activities
