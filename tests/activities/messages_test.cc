// The words of every message: what people read is kept in tests/golden/messages, byte for byte. After a change of words
// run this test with CALLIMPORT_WRITE_GOLDEN=1 and read the difference (git diff tests/golden/messages) before it is
// kept.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "activities/notify/events.h"
#include "activities/notify/samples.h"
#include "activities/notify/templates.h"

namespace callimport::activities {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::size_t kMailBytesMax = 100'000;  ///< ux.md 2.10: a little more is cut off by Gmail

struct Row {
  std::string event;
  Audience audience;
  std::string file() const { return event + (audience == Audience::kInternal ? ".internal" : ".customer"); }
};

Templates& built_in() {
  static Result<Templates> loaded = Templates::load("");
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  return *loaded;
}

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (const EventRow& event : events()) {
    for (const Audience audience : {Audience::kInternal, Audience::kCustomer}) {
      if (built_in().has(event.id, audience)) rows.push_back({std::string(event.id), audience});
    }
  }
  return rows;
}

Rendered rendered(const Row& row) {
  const auto made = built_in().render(sample_message(row.event, row.audience), row.audience,
                                      sample_surroundings(row.event, row.audience));
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return made.value_or(Rendered{});
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

fs::path folder() { return fs::path(CALLIMPORT_SOURCE_DIR) / "tests" / "golden" / "messages"; }

TEST(Messages, AreTheGoldenOnes) {
  for (const Row& row : all_rows()) {
    SCOPED_TRACE(row.file());
    const Rendered made = rendered(row);
    const std::string text = "Subject: " + made.subject + "\n\n" + made.text;
    const fs::path text_file = folder() / (row.file() + ".txt"), html_file = folder() / (row.file() + ".html");
    if (std::getenv("CALLIMPORT_WRITE_GOLDEN") != nullptr) {
      fs::create_directories(folder());
      std::ofstream(text_file, std::ios::binary) << text;
      std::ofstream(html_file, std::ios::binary) << made.html;
    }
    EXPECT_EQ(text, read(text_file));
    EXPECT_EQ(made.html, read(html_file));
  }
}

/// ux.md 5.1: the news, what happens next, what to do; and a hole shows in none.
TEST(Messages, HaveThreeLinesFirst) {
  for (const Row& row : all_rows()) {
    SCOPED_TRACE(row.file());
    const Rendered made = rendered(row);
    for (const std::string& line : {made.lines.news, made.lines.next, made.lines.to_do}) {
      EXPECT_GT(line.size(), 10u);
      EXPECT_THAT(line, Not(HasSubstr("  ")));
      EXPECT_THAT(line, Not(HasSubstr(" .")));
      EXPECT_THAT(line, Not(HasSubstr("()")));
      EXPECT_THAT(line, Not(HasSubstr("{{")));
      EXPECT_EQ(line.find(line.substr(0, 12), 1), std::string::npos) << "said twice: " << line;
    }
    EXPECT_THAT(made.text, StartsWith(made.lines.news + "\n" + made.lines.next + "\n" + made.lines.to_do + "\n"));
    EXPECT_EQ(made.preheader, made.lines.news) << "ux.md 5.1.2: the status is there, not in the subject";
    EXPECT_LT(made.text.size() + made.html.size(), kMailBytesMax);
  }
}

/// ux.md 5.1: nothing but its own facts, so a message whose record holds none says it without them.
TEST(Messages, HaveNoHoleWithoutFacts) {
  for (const Row& row : all_rows()) {
    SCOPED_TRACE(row.file());
    Message bare = sample_message(row.event, row.audience);
    for (auto& news : bare.news) news.facts = "{}";
    const auto made = built_in().render(bare, row.audience);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    for (const std::string& line : {made->lines.news, made->lines.next, made->lines.to_do}) {
      EXPECT_GT(line.size(), 10u);
      for (const char* hole : {"  ", " .", " ,", " :", "()", "( ", " )", "“”"}) EXPECT_THAT(line, Not(HasSubstr(hole)));
      EXPECT_THAT(std::string(".?)"), HasSubstr(line.substr(line.size() - 1))) << line;
    }
  }
}

/// ux.md 2.10: HTML that fetches nothing, in one column, with the link in words.
TEST(Messages, FetchNothing) {
  for (const Row& row : all_rows()) {
    SCOPED_TRACE(row.file());
    const Rendered made = rendered(row);
    for (const char* tag : {"<img", "<link", "<script", "url(", "@import", "<iframe", " src="})
      EXPECT_THAT(made.html, Not(HasSubstr(tag)));
    EXPECT_THAT(made.html, HasSubstr("max-width:600px"));
    EXPECT_THAT(made.html, HasSubstr("<meta name=\"color-scheme\" content=\"light dark\">"));
    const std::string link = sample_surroundings(row.event, row.audience).link;
    if (!link.empty()) {
      EXPECT_THAT(made.html, HasSubstr(">" + link + "<"));
      EXPECT_THAT(made.text, HasSubstr("\n" + link + "\n"));
    }
  }
}

TEST(MessagesOfAllEvents, AreThere) {
  for (const EventRow& event : events()) {
    const bool internal = built_in().has(event.id, Audience::kInternal);
    const bool customer = built_in().has(event.id, Audience::kCustomer);
    EXPECT_TRUE(internal || customer) << event.id;
    if ((event.audience & kToCustomer) != 0) EXPECT_TRUE(customer) << event.id;
    if (of_an_import(event.id) && event.id != "simulation.finished") EXPECT_TRUE(customer) << event.id;
  }
}

TEST(MessagesOfAllEvents, HaveNoFileOfAnotherEvent) {
  for (const auto& file : Templates::file_names()) {
    if (file.starts_with("subjects.") || file.starts_with("layout.")) continue;
    const std::string event = file.substr(0, file.rfind('.', file.rfind('.') - 1));
    EXPECT_NE(find_event(event), nullptr) << file;
  }
}

/// ux.md 5.1.6: no codes, no talk of quotas, no colleagues' names.
TEST(MessagesToCustomers, NameNothingOfOurs) {
  const std::regex code("\\b(access|platform|media|call|transcript|store|engine|window|library|duplicate)\\.[a-z_]+");
  for (const Row& row : all_rows()) {
    if (row.audience != Audience::kCustomer) continue;
    const Rendered made = rendered(row);
    std::string said = made.subject + "\n" + made.text;
    EXPECT_FALSE(std::regex_search(said, code)) << row.file() << "\n" << said;
    for (const char* word : {"quota", "limit", "requests", "callimport", "Ana", "Bo Lind", "Cy Osei", "retry", "cred_"})
      EXPECT_THAT(said, Not(HasSubstr(word))) << row.file();
  }
}

/// N-01: one message lists the steps it stands for.
TEST(MergedMessages, ListWhatCameBefore) {
  const Rendered made = rendered({"import.registered", Audience::kInternal});
  EXPECT_THAT(made.text, HasSubstr("Before that:\n- 13:56  All recordings that could be fetched are here"));
}

/// ux.md 2.10: one subject a thread, whatever happens in it.
TEST(Subjects, AreConstantInAThread) {
  std::map<std::string, std::set<std::string>> by_thread;
  for (const EventRow& event : events()) {
    if (built_in().has(event.id, Audience::kInternal))
      by_thread[std::string(event.thread)].insert(rendered({std::string(event.id), Audience::kInternal}).subject);
  }
  for (const auto& [thread, subjects] : by_thread) {
    if (thread != "reminder") EXPECT_EQ(subjects.size(), 1u) << thread << testing::PrintToString(subjects);
  }
  EXPECT_THAT(*by_thread.at("").begin(), StartsWith("[Calls] Northwind · Grain import #4821"));
}

TEST(Rendering, EscapesWhatOthersWrote) {
  Message message = sample_message("import.paused", Audience::kInternal);
  message.import_row.title = "<b>North\r\nwind</b> & \"Sons\"";
  message.news.back().facts = R"({"who":"Ana\r\nBcc: x","why":"<script>alert(1)</script>"})";
  const auto made = built_in().render(message, Audience::kInternal);
  ASSERT_TRUE(made.has_value());
  EXPECT_THAT(made->html, Not(HasSubstr("<script")));
  EXPECT_THAT(made->html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(made->html, HasSubstr("&lt;b&gt;North wind&lt;/b&gt; &amp; &quot;Sons&quot;"));
  EXPECT_THAT(made->lines.news, StartsWith("Ana Bcc: x paused the import"));
  EXPECT_THAT(made->subject, Not(HasSubstr("\n")));
}

TEST(Rendering, TellsNoFactThatIsNoWord) {
  Message message = sample_message("import.paused", Audience::kInternal);
  message.news.back().facts = R"({"who":"Ana","title":"Merger talks","email":"x@y.example"})";
  const auto made = built_in().render(message, Audience::kInternal);
  ASSERT_TRUE(made.has_value());
  EXPECT_THAT(made->text + made->html, Not(HasSubstr("Merger talks")));
}

/// The longest there can be stays whole in mail programs.
TEST(Rendering, StaysSmallWithTheLongestFacts) {
  Message message = sample_message("import.completed", Audience::kInternal);
  nlohmann::json gaps = nlohmann::json::array();
  for (int i = 0; i < 100; ++i) gaps.push_back({{"words", std::string(1'000, '<')}, {"calls", 1}});
  const std::string facts = nlohmann::json{{"grade", std::string(9'000, '&')}, {"gaps", gaps}}.dump();
  message.import_row.title = std::string(20'000, '"');
  storage::Notification news = message.news.back();
  news.facts = facts;
  message.news.assign(30, news);
  const auto made = built_in().render(message, Audience::kInternal);
  ASSERT_TRUE(made.has_value());
  EXPECT_LT(made->text.size() + made->html.size(), kMailBytesMax);
}

TEST(Rendering, ShowsOnlyLinksOfTheWeb) {
  Surroundings around;
  around.link = "javascript:alert(1)";
  around.unsubscribe = "data:text/html,x";
  const auto made =
      built_in().render(sample_message("import.started", Audience::kInternal), Audience::kInternal, around);
  ASSERT_TRUE(made.has_value());
  EXPECT_THAT(made->html, Not(HasSubstr("javascript:")));
  EXPECT_THAT(made->html, Not(HasSubstr("data:")));
}

// Overrides
// ------------------------------------------------------------------------------------------------------------

class Overrides : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "templates-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(fs::path(folder_) / name) << text; }
  std::string refusal() {
    const auto loaded = Templates::load(folder_);
    return loaded ? "" : loaded.error().message;
  }
  std::string folder_;
};

TEST_F(Overrides, StandInPlaceOfOurs) {
  write("import.started.internal.words",
        "# ours\nnews: Off we go with {{customer}}.\nnext: Counting.\nto-do: Relax,\n  really.\n");
  const auto loaded = Templates::load(folder_);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  const auto made = loaded->render(sample_message("import.started", Audience::kInternal), Audience::kInternal);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->lines.news, "Off we go with Northwind.");
  EXPECT_EQ(made->lines.to_do, "Relax, really.");
}

struct Mistake {
  const char* name;
  const char* file;
  const char* text;
  const char* said;  ///< behind the folder's name
};
void PrintTo(const Mistake& row, std::ostream* out) { *out << row.name; }
class Mistakes : public Overrides, public testing::WithParamInterface<Mistake> {};

TEST_P(Mistakes, AreSaidWithFileLineAndWhatToDo) {
  write(GetParam().file, GetParam().text);
  EXPECT_THAT(refusal(), HasSubstr(folder_ + "/" + GetParam().file + GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Table, Mistakes,
    testing::Values(
        Mistake{"UnknownFile", "import.begun.internal.words", "news: x\n",
                ":1: no message has this file; it may be one of: access"},
        Mistake{"MissingLine", "import.started.internal.words", "news: x\nnext: y\n",
                ":1: to-do is missing; add a line that begins with to-do:"},
        Mistake{
            "UnknownLine", "import.started.internal.words", "news: x\nnext: y\nto-do: z\nfooter: a\n",
            ":4: it begins with none of the names there are; begin it with one of: button, command, news, next, to-do"},
        Mistake{"TwiceTheSame", "import.started.internal.words", "news: x\nnews: y\n",
                ":2: news is there twice; keep one of them"},
        Mistake{"UnknownWord", "import.started.internal.words", "news: x\nnext: {{custommer}}\nto-do: z\n",
                ":2: no word {{custommer}}; did you mean {{customer}}?"},
        Mistake{"MayBeAbsent", "import.started.internal.words", "news: x\nnext: y\nto-do: until {{until}}\n",
                ":3: {{until}} may be absent; put it between {{#until}} and {{/until}}"},
        Mistake{"NotForCustomers", "import.started.customer.words",
                "news: {{#cause}}{{cause}}{{/cause}}\nnext: y\nto-do: z\n",
                ":1: {{cause}} is not for customers; say it without"},
        Mistake{"NoCommandForCustomers", "import.started.customer.words", "news: x\nnext: y\nto-do: z\ncommand: rm\n",
                ":4: customers have no terminal of ours; take the command out"},
        Mistake{"NeverClosed", "import.started.internal.words", "news: {{#until}}x\nnext: y\nto-do: z\n",
                ":1: {{#until}} is never closed; end it with {{/until}}"},
        Mistake{"ClosedWrongly", "import.started.internal.words",
                "news: {{#until}}{{#least}}x{{/until}}{{/least}}\nnext: y\nto-do: z\n",
                ":1: {{/until}} ends {{#least}} of line 1; end that one first with {{/least}}"},
        Mistake{"Unescaped", "layout.html", "<html>\n{{{news}}}</html>", ":2: only {{word}}, {{#word}}"},
        Mistake{"UnescapedToo", "layout.html", "<html>{{&news}}</html>", ":1: only {{word}}, {{#word}}"},
        Mistake{"OtherDelimiters", "layout.txt", "{{=<% %>=}}", ":1: only {{word}}, {{#word}}"},
        Mistake{"HalfATag", "layout.txt", "a\nb {{news", ":2: {{ without }}; close it"},
        Mistake{"ListAsText", "layout.txt", "{{#parts}}{{items}}{{/parts}}", ":1: {{items}} has no text of its own"},
        Mistake{"UnknownThread", "subjects.internal.words", "import: x\nfoo: y\n",
                ":2: it begins with none of the names"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(OverridesFolder, MustBeThere) {
  const auto loaded = Templates::load("/nonexistent/templates");
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, Code::kNotFound);
}

// Words
// ----------------------------------------------------------------------------------------------------------------

struct Clock {
  const char* name;
  std::int64_t minutes_ahead;
  const char* zone;
  const char* text;
  const char* phrase;
};
void PrintTo(const Clock& row, std::ostream* out) { *out << row.name; }
class Times : public testing::TestWithParam<Clock> {};

TEST_P(Times, AreSaidAsPeopleSayThem) {
  constexpr std::int64_t kNow = 1'795'525'320'000;  // Tuesday, 24 Nov 2026, 13:02 UTC
  const auto zone = TimeZone::find(GetParam().zone);
  ASSERT_TRUE(zone.has_value());
  const std::int64_t at = kNow + GetParam().minutes_ahead * 60'000;
  EXPECT_EQ(time_text(at, kNow, *zone), GetParam().text);
  EXPECT_EQ(time_phrase(at, kNow, *zone), GetParam().phrase);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Times,
    testing::Values(Clock{"Today", 60, "Europe/Madrid", "15:02", "at 15:02"},
                    Clock{"SameMomentElsewhere", 60, "Asia/Kolkata", "19:32", "at 19:32"},
                    Clock{"TomorrowThere", 10 * 60, "Europe/Madrid", "tomorrow 00:02", "tomorrow at 00:02"},
                    Clock{"StillTodayThere", 10 * 60, "America/New_York", "18:02", "at 18:02"},
                    Clock{"Yesterday", -24 * 60, "UTC", "yesterday 13:02", "yesterday at 13:02"},
                    Clock{"InAWeek", 6 * 24 * 60, "UTC", "Monday 13:02", "on Monday at 13:02"},
                    Clock{"Later", 7 * 24 * 60, "UTC", "1 Dec 2026 13:02", "on 1 Dec 2026 at 13:02"},
                    Clock{"LongAgo", -2 * 24 * 60, "UTC", "22 Nov 2026 13:02", "on 22 Nov 2026 at 13:02"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(OneLine, IsOneLineOfValidText) {
  EXPECT_EQ(one_line("a\r\nBcc: b"), "a Bcc: b");
  EXPECT_EQ(one_line(" \t a\0b "), "a");
  EXPECT_EQ(one_line(std::string_view("a\0b", 3)), "a b");
  EXPECT_EQ(one_line("a\xe2\x80\xa8"
                     "b\xc2\x85"
                     "c\xe2\x80\xae"
                     "d"),
            "a b c d");
  EXPECT_EQ(one_line("\xff\xc0\xaf\xed\xa0\x80 caf\xc3\xa9 \xf0\x9f\x98\x80"),
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd caf\xc3\xa9 \xf0\x9f\x98\x80");
  EXPECT_EQ(one_line("caf\xc3"), "caf\xef\xbf\xbd");
}

TEST(Figures, AreSaidAsPeopleSayThem) {
  EXPECT_EQ(with_commas(-1'234'567), "-1,234,567");
  EXPECT_EQ(span_text(59), "59 s");
  EXPECT_EQ(span_text(7'500), "2 h 5 min");
  EXPECT_EQ(span_text(200'000), "2 days 7 h");
  EXPECT_EQ(span_text(6 * 3'600), "6 h");
  EXPECT_EQ(span_text(72 * 3'600), "3 days");
  EXPECT_EQ(size_text(999), "999 bytes");
  EXPECT_EQ(size_text(3'200'000), "3.2 MB");
  EXPECT_EQ(size_text(410'000'000'000), "410 GB");
  EXPECT_EQ(size_text(999'700'000), "1.0 GB");
  EXPECT_EQ(zone_city("America/New_York"), "New York");
}

}  // namespace
}  // namespace callimport::activities
