// What a terminal shows of other people's text, and what a configuration file may hold.
#include "api/cli/text.h"

#include <gtest/gtest.h>

#include "api/serve/config.h"
#include "storage/model/spelling.h"

namespace callimport::api {
namespace {

struct Row {
  const char* name;
  std::string in, out;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Printable : public testing::TestWithParam<Row> {};
TEST_P(Printable, IsSafe) { EXPECT_EQ(printable(GetParam().in), GetParam().out); }
INSTANTIATE_TEST_SUITE_P(
    Table, Printable,
    testing::Values(Row{"Plain", "Kickoff – Björn & 山田", "Kickoff – Björn & 山田"},
                    Row{"Escape", "a\x1b[31mred", "a\uFFFD[31mred"},
                    Row{"LineBreaksAreSpaces", "one\ntwo\r\tthree", "one two  three"}, Row{"Bell", "a\ab", "a\uFFFDb"},
                    Row{"Nul", std::string("a\0b", 3), "a\uFFFDb"}, Row{"C1Control", "a\u009bm", "a\uFFFDm"},
                    Row{"RightToLeftOverride", "invoice\u202Efdp.exe", "invoice\uFFFDfdp.exe"},
                    Row{"Isolates", "\u2066x\u2069", "\uFFFDx\uFFFD"}, Row{"HebrewStays", "שלום", "שלום"},
                    Row{"Truncated", "a\xe5\xb1", "a\uFFFD\uFFFD"}, Row{"Overlong", "\xc0\xaf", "\uFFFD\uFFFD"},
                    Row{"Surrogate", "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},
                    Row{"BeyondUnicode", "\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Columns, CountsWhatATerminalDraws) {
  EXPECT_EQ(columns("abc"), 3u);
  EXPECT_EQ(columns("山田"), 4u);
  EXPECT_EQ(columns("e\u0301"), 1u);
  EXPECT_EQ(fit("山田太郎", 5), "山田…");
  EXPECT_EQ(fit("ab", 4), "ab  ");
  EXPECT_EQ(cut("abcdef", 6), "abcdef");
  EXPECT_EQ(cut("abcdefg", 6), "abcde…");
  EXPECT_EQ(cut("abc", 0), "");
}

TEST(Ascii, StandsInForOurOwnMarks) {
  EXPECT_EQ(in_ascii("Fetching · ██░ ✓ ● ○ 3 – 4…"), "Fetching - ##- x > . 3 - 4~");
  EXPECT_EQ(in_ascii("Björn 山田 abc"), "Björn 山田 abc");
}

TEST(Figures, ReadWell) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1'234'567), "1,234,567");
  EXPECT_EQ(human_count(-1234), "-1,234");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1'500'000), "1.5 MB");
  EXPECT_EQ(human_duration(59'999), "59s");
  EXPECT_EQ(human_duration(7'800'000), "2h 10m");
  EXPECT_EQ(clock_mark(3'723'000), "1:02:03");
  EXPECT_EQ(clock_mark(63'000), "1:03");
  EXPECT_EQ(show_time(0, TimeFormat::kIso, 0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(show_time(60'000, TimeFormat::kRelative, 0), "in 1m 00s");
  EXPECT_EQ(show_time(0, TimeFormat::kRelative, 60'000), "1m 00s ago");
}

TEST(Nearest, SuggestsWhatIsNear) {
  const std::vector<std::string> verbs = {"start", "watch", "list", "show", "credentials"};
  EXPECT_EQ(nearest("strat", verbs), "start");
  EXPECT_EQ(nearest("credentails", verbs), "credentials");
  EXPECT_EQ(nearest("qqqqq", verbs), std::nullopt);
  EXPECT_EQ(nearest(std::string(10'000, 's'), verbs), std::nullopt);
}

TEST(Table, FitsTheWidth) {
  const Table table{
      {"ID", "TITLE", "STATE"}, {{"imp_1", std::string(200, 't'), "Running"}, {"imp_2", "short", "Completed"}}, 1};
  for (const std::size_t width : {40u, 80u, 120u}) {
    const auto text = table.show(width);
    for (std::size_t from = 0; from < text.size();) {
      const auto end = text.find('\n', from);
      EXPECT_LE(columns(text.substr(from, end - from)), width);
      from = end + 1;
    }
    EXPECT_NE(text.find("Completed"), std::string::npos);
  }
  EXPECT_NE(table.show(0).find(std::string(200, 't')), std::string::npos);
}

TEST(Table, IsParagraphsWhereItsColumnsDoNotFit) {
  const Table table{
      {"ID", "TITLE", "STATE", "WHY"},
      {{"imp_1", "Björn & 山田", "Needs attention", "access.expired"}, {"imp_2", "short", "Running", "-"}},
      1};
  EXPECT_EQ(table.show(30),
            "imp_1\n  title Björn & 山田 · state\n  Needs attention · why\n  access.expired\n"
            "imp_2\n  title short · state Running\n");
}

struct Wrap {
  const char* name;
  const char* text;
  std::size_t width, indent;
  const char* lines;
};
void PrintTo(const Wrap& row, std::ostream* out) { *out << row.name; }
class Wrapped : public testing::TestWithParam<Wrap> {};
TEST_P(Wrapped, BreaksAtSpacesAndLosesNothing) {
  const auto& row = GetParam();
  EXPECT_EQ(wrapped(row.text, row.width, row.indent), row.lines);
}
INSTANTIATE_TEST_SUITE_P(Table, Wrapped,
                         testing::Values(Wrap{"NoTerminal", "one two three", 0, 4, "one two three"},
                                         Wrap{"Fits", "one two three", 13, 4, "one two three"},
                                         Wrap{"AtASpace", "one two three", 12, 4, "one two\n    three"},
                                         Wrap{"KeepsItsOwnIndent", "  one two three", 14, 4, "  one two\n    three"},
                                         Wrap{"ALongWordIsBroken", "ab cdefghijklmnop", 10, 2,
                                              "ab\n  cdefghij\n  klmnop"},
                                         Wrap{"NeverInsideACharacter", "山田山田山田山田", 9, 0, "山田山田\n山田山田"},
                                         Wrap{"Nothing", "", 10, 2, ""}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Csv, IsSafeInASpreadsheet) {
  EXPECT_EQ(csv_field("=1+2"), "'=1+2");
  EXPECT_EQ(csv_field("@cmd"), "'@cmd");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"hi\", ok"), "\"say \"\"hi\"\", ok\"");
  EXPECT_EQ(csv_row({"a", "b\nc"}), "a,b c\n");
}

TEST(Config, EveryKeyOfTheHelpIsKnown) {
  const auto config = parse_config(kConfigHelp, "help");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->mail.to, std::vector<std::string>{"cs@example.com"});
  EXPECT_EQ(config->retention_hours, 720);
}

TEST(Config, HoldsWhatIsTrueOfAWorkspace) {
  const auto config =
      parse_config("[workspaces.\"Acme Corp\"]\nprivacy = \"private\"\ndomains = [\"acme.com\"]", "f.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->workspaces.at("Acme Corp").privacy, "private");
  EXPECT_EQ(config->workspaces.at("Acme Corp").domains, std::vector<std::string>{"acme.com"});
}

TEST(Config, NamesOfOtherScriptsAreDifferentNames) {
  const auto config = parse_config("[profile.\"\xc3\xa9\"]\n[profile.\"\xc3\xa0\"]\naddress = \"a@b\"", "f.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->profiles.size(), 2u);
  EXPECT_EQ(config->profiles.at("\xc3\xa0").address, "a@b");
}

TEST(Config, AnythingMayStandInQuotesAndComments) {
  const auto config = parse_config(
      "\xef\xbb\xbf# caf\xc3\xa9 [!\n  [ server ]  # [[[\n"
      "api_key_file = \"\"\"\n[!\\\"\xc3\xa9 \"\" \"\"\"\n"
      "tls_key = '[\xc3\xa9\\'\n[ \"mail\" ]\nfrom = \"\xc3\xa9\\\\\"",
      "f.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->tls_key_file, "[\xc3\xa9\\");
  EXPECT_EQ(config->mail.from, "\xc3\xa9\\");
}

TEST(Config, BudgetsOfTheInstallationAndOfPlatforms) {
  const auto config = parse_config(
      "[budgets]\nbulk_calls = 800\nhours = 6\nleft_to_customer_percent = 10\n"
      "[budgets.grain]\nper_day = 10000\nmedia_link_per_hour = 50\nleft_to_customer_percent = 0\n"
      "[budgets.weights]\nacme = 2.5\n",
      "f.toml");
  ASSERT_TRUE(config.has_value()) << config.error().message;
  const auto& budgets = config->budgets;
  EXPECT_EQ(800, budgets.bulk_calls);
  EXPECT_EQ(100'000, budgets.first_calls);
  EXPECT_EQ(std::chrono::hours{6}, budgets.period);
  EXPECT_EQ(10, budgets.left_percent);
  const auto& grain = budgets.platforms.at("grain");
  EXPECT_EQ(0, grain.left_percent);
  ASSERT_EQ(2u, grain.own.size());
  EXPECT_EQ((storage::Budget{storage::Operation::kMediaLink, 50, std::chrono::hours{1}}), grain.own[0]);
  EXPECT_EQ((storage::Budget{storage::Operation::kAny, 10'000, std::chrono::hours{24}}), grain.own[1]);
  EXPECT_EQ(2.5, budgets.weights.at("acme"));
}

class BadConfig : public testing::TestWithParam<Row> {};
TEST_P(BadConfig, NamesTheLine) {
  const auto config = parse_config(GetParam().in, "f.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, Code::kInvalid);
  EXPECT_EQ(config.error().message.substr(0, GetParam().out.size()), GetParam().out) << config.error().message;
}
INSTANTIATE_TEST_SUITE_P(
    Table, BadConfig,
    testing::Values(
        Row{"TopLevelKey", "x = 1", "f.toml:1: no table [x]"},
        Row{"KeyForTable", "server = 3", "f.toml:1: no table [server]"},
        Row{"Nested", "[server]\naddress = { a = 1 }", "f.toml:2: server.address must be text"},
        Row{"NoSuchPrivacy", "[workspaces.a]\nprivacy = \"secret\"",
            "f.toml:2: workspaces.a.privacy must be \"private\", \"team\" or \"everyone\""},
        Row{"AddressForDomain", "[workspaces.a]\ndomains = [\"x@acme.com\"]",
            "f.toml:2: workspaces.a.domains must be a list of domains"},
        Row{"Deep", "x = " + std::string(300, '[') + std::string(300, ']'), "f.toml:1: "},
        Row{"ControlInATablesName", "[\x02", "f.toml:1: a table's name"},
        Row{"SignInATablesName", "\n[[!]]", "f.toml:2: a table's name"},
        Row{"NothingInATablesName", "[\n", "f.toml:1: a table's name"},
        Row{"ThreeBrackets", "[[[a]]]", "f.toml:1: a table's name"},
        Row{"LetterOutsideQuotes", "[server]\n\xc3\xa9 = 1", "f.toml:2: a character that may only stand"},
        Row{"BlankOfAnotherScript", "[server]\naddress =\xe2\x80\x83\"x\"", "f.toml:2: a character"},
        Row{"Delete", "[server]\nadd\x7fress = 1", "f.toml:2: a character"},
        Row{"LetterInAHalfNumber", "[server]\naddress = +\"\xef\xb9\xbf\"", "f.toml:2: "},
        Row{"LetterBehindJoinedLines", "[server]\naddress = \"\"\"a \\\n  \xc3\xa9\"\"\"",
            "f.toml:2: the first character after"},
        Row{"NotUtf8", "[server]\naddress = \"\xff\"", "f.toml:2: "},
        Row{"ABudgetOfNothing", "[budgets]\nbulk_calls = 0",
            "f.toml:2: budgets.bulk_calls must be a whole number from 1 to 1000000000; with a budget of 0"
            " nothing could ever be fetched"},
        Row{"ABudgetBelowNothing", "[budgets]\nfirst_calls = -5", "f.toml:2: budgets.first_calls must be"},
        Row{"ABudgetBeyondAll", "[budgets]\nbulk_calls = 9000000000000000000", "f.toml:2: budgets.bulk_calls"},
        Row{"AnEndlessPeriod", "[budgets]\nhours = 1000000", "f.toml:2: budgets.hours must be"},
        Row{"NothingLeftForUs", "[budgets]\nleft_to_customer_percent = 100",
            "f.toml:2: budgets.left_to_customer_percent must be a whole number from 0 to 95"},
        Row{"APlatformsBudgetOfNothing", "[budgets.grain]\nper_minute = 0",
            "f.toml:2: budgets.grain.per_minute must be a whole number from 1"},
        Row{"ABudgetByTheWeek", "[budgets.grain]\nper_week = 5", "f.toml:2: no key per_week in [budgets.grain]"},
        Row{"ABudgetOfNoPlatform", "[budgets.gnog]\nper_day = 5", "f.toml:1: no key gnog in [budgets]"},
        Row{"AWeightOfNothing", "[budgets.weights]\nacme = 0", "f.toml:2: budgets.weights.acme must be"},
        Row{"ASignInAtNoPlatform", "[oauth.gnog]\nclient_id = \"a\"", "f.toml:1: oauth holds tables of"},
        Row{"ASignInInTheOpen", "[oauth.grain]\nbase_url = \"http://example.com\"",
            "f.toml:2: oauth.grain.base_url must be empty, an https address, or an http one"},
        Row{"ASecretInTheConfiguration", "[oauth.grain]\nclient_secret = \"s\"",
            "f.toml:2: no key client_secret in [oauth.grain]"},
        Row{"Twice", "[server]\n[server]", "f.toml:2: "}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace callimport::api
