// [people] and [notify] of the configuration: what a file says, and what it may not, by line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/serve/config.h"

namespace callimport::api {
namespace {

using activities::Level;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kWhole = R"([people.ana]
name = "Ana Ruiz"
mail = "ana@example.com"
slack = "U0ANA"
channels = ["slack", "mail"]
known_as = ["os:ana", "token:ci"]
zone = "Europe/Madrid"
level = "everything"
levels = { acme = "act", imp_1 = "none" }
quiet = "22:00-07:30"
digest = false
watches_all = true
backup = "ben"

[people.ben]
mail = "ben@example.com"

[notify]
owner = "ana"
approvers = ["ana", "ben"]
on_call = ["ben"]
ops = ["ben"]
admins = ["ana"]
team_leads = ["ana"]

[notify.customers.acme]
name = "Acme"
mail = "it@acme.com"
zone = "America/Lima"
told = true
weekly = true

[notify.customers.bee]
)";

TEST(PeopleConfig, IsReadWhole) {
  const auto read = parse_config(kWhole, "c.toml");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  const activities::Roster& roster = read->roster;
  ASSERT_EQ(roster.people.size(), 2u);
  const activities::Person& ana = *roster.find("ana");
  EXPECT_EQ(ana.name, "Ana Ruiz");
  EXPECT_THAT(ana.addresses, ElementsAre(Pair("slack", "U0ANA"), Pair("mail", "ana@example.com")))
      << "the one preferred first";
  EXPECT_THAT(ana.known_as, ElementsAre("os:ana", "token:ci"));
  EXPECT_EQ(ana.zone, "Europe/Madrid");
  EXPECT_EQ(ana.level, Level::kEverything);
  EXPECT_THAT(ana.levels, ElementsAre(Pair("acme", Level::kAct), Pair("imp_1", Level::kNone)));
  EXPECT_EQ(ana.quiet, (activities::QuietHours{22 * 60, 7 * 60 + 30}));
  EXPECT_FALSE(ana.digest);
  EXPECT_TRUE(ana.watches_all);
  EXPECT_EQ(ana.backup, "ben");
  EXPECT_EQ(roster.owner, "ana");
  EXPECT_THAT(roster.approvers, ElementsAre("ana", "ben"));
  EXPECT_THAT(roster.on_call, ElementsAre("ben"));
  EXPECT_THAT(roster.ops, ElementsAre("ben"));
  EXPECT_THAT(roster.admins, ElementsAre("ana"));
  EXPECT_THAT(roster.team_leads, ElementsAre("ana"));
  const activities::CustomerContact& acme = roster.customers.at("acme");
  EXPECT_EQ(acme.name, "Acme");
  EXPECT_EQ(acme.address, "it@acme.com");
  EXPECT_EQ(acme.zone, "America/Lima");
  EXPECT_TRUE(acme.told);
  EXPECT_TRUE(acme.weekly);
}

TEST(PeopleConfig, WhatIsNotSaidIsTheDefault) {
  const auto read = parse_config(kWhole, "c.toml");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  const activities::Person& ben = *read->roster.find("ben");
  EXPECT_EQ(ben.name, "ben");
  EXPECT_THAT(ben.addresses, ElementsAre(Pair("mail", "ben@example.com")));
  EXPECT_EQ(ben.zone, "UTC");
  EXPECT_EQ(ben.level, Level::kImportant);
  EXPECT_TRUE(ben.quiet.none());
  EXPECT_TRUE(ben.digest);
  EXPECT_FALSE(ben.watches_all);
  const activities::CustomerContact& bee = read->roster.customers.at("bee");
  EXPECT_EQ(bee.name, "bee");
  EXPECT_FALSE(bee.told) << "no customer hears of anything unasked";
  EXPECT_FALSE(bee.weekly);
  const auto none = parse_config("", "c.toml");
  ASSERT_TRUE(none.has_value());
  EXPECT_THAT(none->roster.people, IsEmpty());
}

/// [notify] may come before the people it names.
TEST(PeopleConfig, TheOrderOfTablesIsFree) {
  const auto read = parse_config("[notify]\nowner = \"ana\"\n[people.ana]\nmail = \"a@b.c\"\n", "c.toml");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->roster.owner, "ana");
}

struct BadRow {
  const char* name;
  const char* text;
  const char* said;
};
void PrintTo(const BadRow& row, std::ostream* out) { *out << row.name; }
class BadPeople : public testing::TestWithParam<BadRow> {};

TEST_P(BadPeople, AreRefusedByLine) {
  const auto& row = GetParam();
  const auto read = parse_config(row.text, "c.toml");
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Code::kInvalid);
  EXPECT_THAT(read.error().message, testing::StartsWith(row.said)) << read.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadPeople,
    testing::Values(
        BadRow{"NoTable", "[people]\nana = 1\n", "c.toml:2: people are tables: [people.ID]"},
        BadRow{"NoAddress", "[people.ana]\nname = \"Ana\"\n",
               "c.toml:1: people.ana has no address: give mail or slack"},
        BadRow{"NoAddressOnTheChannels", "[people.ana]\nmail = \"a@b.c\"\nchannels = [\"slack\"]\n",
               "c.toml:1: people.ana has no address"},
        BadRow{"UnknownKey", "[people.ana]\nmail = \"a@b.c\"\nphone = \"5\"\n",
               "c.toml:3: no key phone in [people.ana]; it may hold: name, mail, slack, channels"},
        BadRow{"UnknownChannel", "[people.ana]\nmail = \"a@b.c\"\nchannels = [\"fax\"]\n",
               "c.toml:1: there is no channel fax; there are: mail, slack"},
        BadRow{"Zone", "[people.ana]\nmail = \"a@b.c\"\nzone = \"Europe/Nowhere\"\n",
               "c.toml:3: people.ana.zone must be a time zone"},
        BadRow{"Level", "[people.ana]\nmail = \"a@b.c\"\nlevel = \"loud\"\n",
               "c.toml:3: people.ana.level must be \"everything\", \"important\", \"act\" or \"none\""},
        BadRow{"LevelOfAnImport", "[people.ana]\nmail = \"a@b.c\"\nlevels = { acme = 1 }\n",
               "c.toml:3: people.ana.levels must be a table of workspaces or imports"},
        BadRow{"Levels", "[people.ana]\nmail = \"a@b.c\"\nlevels = \"act\"\n", "c.toml:3: people.ana.levels must be"},
        BadRow{"Quiet", "[people.ana]\nmail = \"a@b.c\"\nquiet = \"22-07\"\n",
               "c.toml:3: people.ana.quiet must be hours"},
        BadRow{"QuietBeyondTheDay", "[people.ana]\nmail = \"a@b.c\"\nquiet = \"22:00-25:00\"\n",
               "c.toml:3: people.ana.quiet must be hours"},
        BadRow{"Digest", "[people.ana]\nmail = \"a@b.c\"\ndigest = \"daily\"\n",
               "c.toml:3: people.ana.digest must be true or false"},
        BadRow{"KnownAs", "[people.ana]\nmail = \"a@b.c\"\nknown_as = [1]\n", "c.toml:3: people.ana.known_as must be"},
        BadRow{"NobodysBackup", "[people.ana]\nmail = \"a@b.c\"\nbackup = \"zoe\"\n",
               "c.toml:1: there is no person zoe; give them a table: [people.zoe]"},
        BadRow{"NobodyOwns", "[notify]\nowner = \"zoe\"\n", "c.toml:1: there is no person zoe"},
        BadRow{"NobodyApproves", "[people.ana]\nmail = \"a@b.c\"\n[notify]\napprovers = [\"ana\", \"zoe\"]\n",
               "c.toml:3: there is no person zoe"},
        BadRow{"OneWhereAListIsDue", "[notify]\nadmins = \"ana\"\n",
               "c.toml:2: notify.admins must be a list of people's ids"},
        BadRow{"UnknownOfNotify", "[notify]\nowners = []\n",
               "c.toml:2: no key owners in [notify]; it may hold: owner,"},
        BadRow{"Customers", "[notify]\ncustomers = 1\n", "c.toml:2: notify.customers must be tables"},
        BadRow{"OneCustomer", "[notify.customers]\nacme = \"it@acme.com\"\n",
               "c.toml:2: customers are tables: [notify.customers.WORKSPACE]"},
        BadRow{"ACustomersKey", "[notify.customers.acme]\naddress = \"it@acme.com\"\n",
               "c.toml:2: no key address in [notify.customers.acme]; it may hold: name, mail, zone, told, weekly"},
        BadRow{"ACustomersZone", "[notify.customers.acme]\nzone = \"Acme\"\n",
               "c.toml:2: notify.customers.acme.zone must be a time zone"},
        BadRow{"ACustomersTold", "[notify.customers.acme]\ntold = 1\n",
               "c.toml:2: notify.customers.acme.told must be true or false"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace callimport::api
