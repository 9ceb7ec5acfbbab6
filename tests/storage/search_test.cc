// Search: what people type finds what people said, and nothing that is typed does harm.
#include "storage/library/search.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "storage/library/search_query.h"
#include "tests/storage/library_fixture.h"

namespace callimport::storage {
namespace {

struct Parsed {
  const char* name;
  std::string text;
  std::vector<SearchTerm> terms;
  std::string fts5;
};
void PrintTo(const Parsed& row, std::ostream* out) { *out << row.name; }

class QueryTable : public testing::TestWithParam<Parsed> {};

TEST_P(QueryTable, IsParsed) {
  const auto query = parse_query(GetParam().text);
  ASSERT_TRUE(query.has_value()) << query.error().message;
  EXPECT_EQ(GetParam().terms, query->terms);
  EXPECT_EQ(GetParam().fts5, to_fts5(*query));
}

INSTANTIATE_TEST_SUITE_P(
    Queries, QueryTable,
    testing::Values(
        Parsed{"Word", "hello", {{"hello"}}, R"-((({text people} : (("hello")))))-"},
        Parsed{"Words", "  two \t words\n", {{"two"}, {"words"}}, R"-((({text people} : (("two") AND ("words")))))-"},
        Parsed{
            "Phrase", "\"two words\" x", {{"two words"}, {"x"}}, R"-((({text people} : (("two words") AND ("x")))))-"},
        Parsed{"CurlyQuotes", "“two words”", {{"two words"}}, R"-((({text people} : (("two words")))))-"},
        Parsed{"Guillemets", "« deux mots »", {{" deux mots "}}, R"-((({text people} : ((" deux mots ")))))-"},
        Parsed{"OpenQuote", "a \"b c", {{"a"}, {"b c"}}, R"-((({text people} : (("a") AND ("b c")))))-"},
        Parsed{"Excluded",
               "a -b -\"c d\"",
               {{"a"}, {"b", true}, {"c d", true}},
               R"-((({text people} : (("a")))) NOT {text people} : ("b") NOT {text people} : ("c d"))-"},
        Parsed{"ExcludedFirst",
               "-b a",
               {{"b", true}, {"a"}},
               R"-((({text people} : (("a")))) NOT {text people} : ("b"))-"},
        Parsed{"Hyphenated", "follow-up", {{"follow-up"}}, R"-((({text people} : (("follow-up")))))-"},
        Parsed{"Or", "a OR NEAR(b) *", {{"a", false, {"NEAR(b)"}}}, R"-((({text people} : (("a" OR "NEAR(b)")))))-"},
        Parsed{"OrOfThree",
               "a OR \"b c\" OR d e",
               {{"a", false, {"b c", "d"}}, {"e"}},
               R"-((({text people} : (("a" OR "b c" OR "d") AND ("e")))))-"},
        Parsed{"OrInQuotesIsAWord",
               "a \"OR\" b",
               {{"a"}, {"OR"}, {"b"}},
               R"-((({text people} : (("a") AND ("OR") AND ("b")))))-"},
        Parsed{"OrInSmallIsAWord",
               "a or b",
               {{"a"}, {"or"}, {"b"}},
               R"-((({text people} : (("a") AND ("or") AND ("b")))))-"},
        Parsed{
            "AndIsAWord", "a AND b", {{"a"}, {"AND"}, {"b"}}, R"-((({text people} : (("a") AND ("AND") AND ("b")))))-"},
        Parsed{"Speaker",
               "speaker:\"Anna Lee\" a",
               {{"a"}},
               R"-((({text people} : (("a"))) AND ({speaker} : ("Anna Lee"))))-"},
        Parsed{"SpeakerAlone", "speaker:anna speaker:ben", {}, R"-((({speaker} : ("anna" OR "ben"))))-"},
        Parsed{"NotSpeaker", "a -speaker:anna", {{"a"}}, R"-((({text people} : (("a")))) NOT {speaker} : ("anna"))-"},
        Parsed{"UnknownColonIsAWord",
               "re:invent 10:30 A:b",
               {{"re:invent"}, {"10:30"}, {"A:b"}},
               R"-((({text people} : (("re:invent") AND ("10:30") AND ("A:b")))))-"},
        Parsed{
            "FilterInQuotesIsAPhrase", "\"date:today\"", {{"date:today"}}, R"-((({text people} : (("date:today")))))-"},
        Parsed{"Nul", std::string("a\0b", 3), {{"a"}, {"b"}}, R"-((({text people} : (("a") AND ("b")))))-"},
        Parsed{"NulInPhrase", std::string("\"a\0b\"", 5), {{"a b"}}, R"-((({text people} : (("a b")))))-"},
        Parsed{"JoinedLetters", "cœur", {{"cœur"}}, R"-((({text people} : (("cœur" OR "coeur")))))-"},
        Parsed{"LettersApart",
               "-coeur x",
               {{"coeur", true}, {"x"}},
               R"-((({text people} : (("x")))) NOT {text people} : ("coeur" OR "cœur"))-"},
        Parsed{
            "PunctuationLeftOut", "?! a - -- — … € 👍 ¿ 。 \"\" \"...\"", {{"a"}}, R"-((({text people} : (("a")))))-"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Query, TakesFiltersApart) {
  const auto query = parse_query(
      "price platform:Grain platform:zoom -platform:meet customer:\"Acme Corp\" import:imp_7f privacy:team"
      " has:transcript -has:video date:2026-11 length:>30m");
  ASSERT_OK(query);
  EXPECT_EQ((std::vector<SearchTerm>{{"price"}}), query->terms);
  EXPECT_EQ((Choice{{"Grain", "zoom"}, {"meet"}}), query->platform);
  EXPECT_EQ((Choice{{"Acme Corp"}, {}}), query->customer);
  EXPECT_EQ((Choice{{"imp_7f"}, {}}), query->import);
  EXPECT_EQ((Choice{{"team"}, {}}), query->privacy);
  EXPECT_EQ((Choice{{"transcript"}, {"video"}}), query->has);
  EXPECT_EQ((Span{1'793'491'200'000, 1'796'083'200'000}), query->start_ms);
  EXPECT_EQ((Span{1'800'001, {}}), query->length_ms);
  EXPECT_TRUE(query->has_words());
  EXPECT_FALSE(parse_query("customer:acme")->has_words());
}

struct Wrong {
  const char* name;
  const char* text;
  const char* says;
};
void PrintTo(const Wrong& row, std::ostream* out) { *out << row.name; }
class WrongQuery : public testing::TestWithParam<Wrong> {};

/// CL-01: what is wrong and where.
TEST_P(WrongQuery, IsToldWhatIsWrongAndWhere) {
  const auto query = parse_query(GetParam().text);
  ASSERT_FALSE(query.has_value());
  EXPECT_EQ(Code::kInvalid, query.error().code);
  EXPECT_EQ(std::string("search, character ") + GetParam().says, query.error().message);
}

INSTANTIATE_TEST_SUITE_P(
    Queries, WrongQuery,
    testing::Values(
        Wrong{"NoValue", "a platform:", "12: platform: needs a value, as in platform:grain"},
        Wrong{"EmptyValue", "été customer:\"\" x", "14: customer: needs a value, as in customer:acme.com"},
        Wrong{"Misspelt", "a speeker:anna",
              "3: there is no speeker:, did you mean speaker:? (to find the word itself, put it in quotes)"},
        Wrong{"Swapped", "lenght:>3m",
              "1: there is no lenght:, did you mean length:? (to find the word itself, put it in quotes)"},
        Wrong{"OrFirst", "OR a", "1: OR stands between two words"},
        Wrong{"OrLast", "a OR", "3: OR stands between two words"},
        Wrong{"OrTwice", "a OR OR b", "6: OR stands between two words"},
        Wrong{"OrAfterExcluded", "a -b OR c", "6: OR stands between two words"},
        Wrong{"OrBeforeExcluded", "a OR -b", "3: OR stands between two words, and -word is none"},
        Wrong{"OrBeforeFilter", "a OR date:2026", "3: OR stands between two words, and date: is none"},
        Wrong{"OrAfterFilter", "a date:2026 OR b", "13: OR stands between two words"},
        Wrong{"NoSuchPrivacy", "privacy:secret", "9: privacy: is one of private,team,everyone, not \"secret\""},
        Wrong{"NoSuchPart", "has:wings", "5: has: is one of transcript,recording,video, not \"wings\""},
        Wrong{"DateTwice", "date:2026 date:2027", "11: date: is there twice; give one range"},
        Wrong{"DateExcluded", "a -date:2026", "3: date: takes no - before it; turn the range round instead"},
        Wrong{"NoDate", "a date:yesterday", "8: date: \"yesterday\" is no date; write 2026, 2026-11 or 2026-11-05"},
        Wrong{"NoSuchDay", "date:2026-02-30", "6: date: \"2026-02-30\" is no date; write 2026, 2026-11 or 2026-11-05"},
        Wrong{"RangeBackwards", "date:2026-11..2026-10", "6: date: the range 2026-11..2026-10 ends before it begins"},
        Wrong{"LengthWithoutUnit", "length:>30", "8: length: \"30\" is no length; write 90s, 30m or 1h30m"},
        Wrong{"LengthWithoutBound", "length:30m", "8: length: a length needs a bound: write >30m, <30m or 20m..40m"}),
    [](const auto& test) { return std::string(test.param.name); });

struct SpanRow {
  const char* text;
  Span span;
};
TEST(Spans, HaveTheEndsPeopleMean) {
  constexpr std::int64_t kNov = 1'793'491'200'000, kDay = 86'400'000, kMinute = 60'000;
  for (const SpanRow& row :
       {SpanRow{"2026-11", {kNov, kNov + 30 * kDay}}, SpanRow{"2026-11-01", {kNov, kNov + kDay}},
        SpanRow{"2026-11-01..2026-11-15", {kNov, kNov + 15 * kDay}}, SpanRow{"2026-11..", {kNov, {}}},
        SpanRow{"..2026-10", {{}, kNov}}, SpanRow{">2026-10", {kNov, {}}}, SpanRow{">=2026-11", {kNov, {}}},
        SpanRow{"<2026-11", {{}, kNov}}, SpanRow{"<=2026-10-31", {{}, kNov}},
        SpanRow{"2024-02-29", {1'709'164'800'000, 1'709'251'200'000}}}) {
    const auto span = parse_dates(row.text);
    ASSERT_OK(span);
    EXPECT_EQ(row.span, *span) << row.text;
  }
  for (const SpanRow& row : {SpanRow{">30m", {30 * kMinute + 1, {}}}, SpanRow{">=30m", {30 * kMinute, {}}},
                             SpanRow{"<1h30m", {{}, 90 * kMinute}}, SpanRow{"<=90s", {{}, 90'001}},
                             SpanRow{"20m..40m", {20 * kMinute, 40 * kMinute + 1}}}) {
    const auto span = parse_lengths(row.text);
    ASSERT_OK(span);
    EXPECT_EQ(row.span, *span) << row.text;
  }
}

TEST(Query, RefusesWhatFindsNothing) {
  for (const std::string& text :
       {std::string(), std::string(" \n"), std::string("?!"), std::string("\"\""), std::string("-"), std::string("-a"),
        std::string("-a -\"b\""), std::string("\0", 1)}) {
    const auto terms = parse_query(text);
    ASSERT_FALSE(terms.has_value()) << text;
    EXPECT_EQ(Code::kInvalid, terms.error().code);
  }
}

TEST(Query, HasLimits) {
  EXPECT_TRUE(parse_query(std::string(kQueryBytesMax, 'a')).has_value());
  EXPECT_FALSE(parse_query(std::string(kQueryBytesMax + 1, 'a')).has_value());
  std::string words;
  for (std::size_t i = 0; i < kQueryTermsMax; ++i) words += "a ";
  EXPECT_TRUE(parse_query(words).has_value());
  EXPECT_FALSE(parse_query(words + "a").has_value());
}

TEST(Marks, ThatWereInTheTextAreLeftOut) {
  EXPECT_EQ(
      "a \x02"
      "b\x03 c",
      unambiguous_marks("a \x02"
                        "b\x03 c",
                        "a b c"));
  EXPECT_EQ(
      "x\x02"
      "b\x03y",
      unambiguous_marks("\x02x\x03\x02"
                        "b\x03y\x02",
                        "\x02x\x03"
                        "by\x02"));
}

/// What was said, what is typed, and whether it is found.
struct Said {
  const char* name;
  std::string said, typed;
  bool found = true;
};
void PrintTo(const Said& row, std::ostream* out) { *out << row.name; }

class Search : public LibraryTest {};
class SearchTable : public Search, public testing::WithParamInterface<Said> {};

TEST_P(SearchTable, FindsWhatWasSaid) {
  take_in(call_with("c1", {segment("nothing of the kind", 1'000), segment(GetParam().said, 2'000)}));
  const auto page = library_->search({.query = GetParam().typed});
  ASSERT_OK(page);
  ASSERT_EQ(GetParam().found ? 1u : 0u, page->hits.size());
  if (!GetParam().found) return;
  const SearchHit& hit = page->hits.front();
  EXPECT_FALSE(hit.heading);
  EXPECT_EQ("Ada", hit.speaker);
  EXPECT_EQ(2'000, hit.start_ms);
  EXPECT_EQ(5'000, hit.call_start_ms);
  EXPECT_EQ("Call c1", hit.title);
  EXPECT_EQ("grain", hit.platform);
  EXPECT_EQ(kImport, hit.import);
  EXPECT_EQ(library_->calls({}, "", 1)->at(0).id, hit.call);
  std::string plain = hit.text;
  EXPECT_NE(std::string::npos, plain.find('\x02'));
  std::erase_if(plain, [](char c) { return c == '\x02' || c == '\x03'; });
  EXPECT_EQ(GetParam().said, plain);
}

INSTANTIATE_TEST_SUITE_P(
    Words, SearchTable,
    testing::Values(
        Said{"Case", "We talked about Pricing", "PRICING"}, Said{"AllWords", "red and blue", "blue red"},
        Said{"OneWordMissing", "red and blue", "red green", false}, Said{"Phrase", "the red car", "\"red car\""},
        Said{"PhraseOrder", "the car red", "\"red car\"", false}, Said{"Excluded", "red and blue", "red -blue", false},
        Said{"ExcludedElsewhere", "red and blue", "red -green"},
        Said{"ApostropheInside", "dans l'entreprise", "entreprise"},
        Said{"ApostropheTyped", "dans l'entreprise", "l'entreprise"},
        Said{"CurlySaidStraightTyped", "dans l’entreprise", "l'entreprise"},
        Said{"StraightSaidCurlyTyped", "dans l'entreprise", "l’entreprise"},
        Said{"LetterApostrophe", "dans lʼentreprise", "entreprise"}, Said{"Contraction", "we don't know", "don't"},
        Said{"AccentSaid", "à la réunion d'été", "reunion"}, Said{"AccentTyped", "a la reunion", "réunion"},
        Said{"Decomposed", "la re\u0301union", "réunion"}, Said{"DecomposedTyped", "la réunion", "re\u0301union"},
        Said{"Umlaut", "über die Größe", "uber"}, Said{"Cedilla", "ça va", "ca"}, Said{"DotBelow", "ọmọ mi dey", "omo"},
        Said{"Cyrillic", "Обсудили цену", "цену"}, Said{"CyrillicCase", "Обсудили цену", "ОБСУДИЛИ"},
        Said{"Greek", "μιλήσαμε για τιμές", "ΤΙΜΈΣ"}, Said{"Arabic", "تحدثنا عن السعر", "السعر"},
        Said{"Hebrew", "דיברנו על המחיר", "המחיר"}, Said{"Hangul", "가격 이야기", "가격"},
        Said{"Ligature", "le cœur du sujet", "coeur"}, Said{"LigatureApart", "le coeur du sujet", "cœur"},
        Said{"MoneyTyped", "it is 100 euros", "100 €"}, Said{"EmojiTyped", "great work 👍", "👍 great"},
        Said{"DashTyped", "red and blue", "red — blue"}, Said{"Number", "it is 42 percent", "42"},
        Said{"Hyphen", "a follow-up call", "follow-up"}, Said{"HyphenApart", "a follow up call", "follow-up"},
        Said{"Mail", "write to bob@example.org", "bob@example.org"},
        Said{"Underscore", "snake_case name", "snake_case"}, Said{"ControlCharactersSaid", "a\x07 bell", "bell"},
        Said{"PartOfAWord", "entreprise", "entre", false}, Said{"SqlAndFts", "it's text: \"NEAR\" (x) * ^", "text:"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(Search, HostileInputIsAnAnswerOrARefusal) {
  take_in(call_with("c1", {segment("some words")}));
  std::vector<std::string> inputs = {"\"",
                                     "\"\"\"",
                                     "(",
                                     ")",
                                     "a AND",
                                     "NOT",
                                     "NOT NOT a",
                                     "a:b",
                                     "text:a",
                                     "{a b}:c",
                                     "^a",
                                     "a*",
                                     "NEAR(a b, 5)",
                                     "a + b",
                                     "-",
                                     "--a",
                                     "a -",
                                     "'",
                                     "';--",
                                     "\\",
                                     "%",
                                     "_",
                                     "\xff\xfe",
                                     "\xc3",
                                     "a\xff\"b",
                                     "—",
                                     "- —",
                                     "a —",
                                     "a -—",
                                     "\u202e\u202d",
                                     "«",
                                     "”a“",
                                     std::string(4'096, '"'),
                                     std::string(4'096, '('),
                                     "rank",
                                     "segment_text",
                                     "a AND (b OR",
                                     "\x02"
                                     "a\x03"};
  constexpr std::string_view kAlphabet("\"-*^(){}:+'ab AND OR NOT NEAR\xc3\xa9\xff\0", 33);
  for (int i = 0; i < 2'000; ++i) {
    std::string noise;
    for (std::uint64_t n = random_.below(30); n > 0; --n) noise += kAlphabet[random_.below(kAlphabet.size())];
    inputs.push_back(noise);
  }
  for (const auto& input : inputs) {
    const auto hits = library_->search({.query = input, .limit = 5});
    if (!hits) EXPECT_EQ(Code::kInvalid, hits.error().code) << input << ": " << hits.error().message;
    if (!hits) EXPECT_TRUE(hits.error().message.find("search") != std::string::npos) << hits.error().message;
  }
}

TEST_F(Search, IsNarrowedByTheFilter) {
  for (int i = 0; i < 4; ++i) {
    Call call = call_with("c" + std::to_string(i), {segment("budget and more"), segment("the budget again")});
    call.start_ms = 1'000 * i;
    call.title = i == 0 ? "Kickoff" : "Review";
    take_in(call);
  }
  const auto count = [&](const CallFilter& filter, int limit = 100) {
    return library_->search({.query = "budget", .filter = filter, .limit = limit})->hits.size();
  };
  EXPECT_EQ(8u, count({}));
  EXPECT_EQ(3u, count({}, 3));
  EXPECT_EQ(2u, count({.text = "Kick"}));
  EXPECT_EQ(4u, count({.after_ms = 1'000, .before_ms = 3'000}));
  EXPECT_EQ(8u, count({.import = kImport, .platform = "grain"}));
  EXPECT_EQ(0u, count({.import = "imp_2"}));
  EXPECT_EQ(0u, count({.platform = "gong"}));
  EXPECT_EQ(8u, count({.privacy = "team"}));
  EXPECT_EQ(0u, count({.privacy = "private"}));
  EXPECT_EQ(4u, count({.after_ms = 999, .before_ms = 2'001}));
}

/// Real transcripts, where they are there: each call's own rarest words lead back to it, as written and without
/// accents.
TEST_F(Search, FindsWordsOfRealTranscripts) {
  const std::string folder = std::string(CALLIMPORT_SOURCE_DIR) + "/../shared/calls/";
  std::ifstream file(folder + "rhapsodie.jsonl");
  if (!file) GTEST_SKIP() << "no transcripts in " << folder;
  std::string line;
  while (std::getline(file, line)) {
    const auto json = nlohmann::json::parse(line);
    std::vector<Segment> segments;
    for (const auto& s : json.at("segments")) {
      segments.push_back({.speaker = std::to_string(s.at("speaker").get<int>()),
                          .participant = "",
                          .start_ms = s.at("start_ms"),
                          .end_ms = s.at("end_ms"),
                          .text = s.at("text")});
    }
    take_in(call_with(json.at("id"), segments));
  }
  struct Row {
    std::string typed, in_text;
  };
  for (const Row& row :
       {Row{"legion honneur", "\x02Légion\x03 d'\x02Honneur\x03"}, Row{"passerelle solferino", "\x02Solférino\x03"},
        Row{"\"jusqu’au palais royal\"", "\x02jusqu'au Palais Royal\x03"}, Row{"precision", "\x02précision\x03"}}) {
    const auto hits = library_->search({.query = row.typed, .limit = 10});
    ASSERT_OK(hits);
    ASSERT_FALSE(hits->hits.empty()) << row.typed;
    std::string texts;
    for (const auto& hit : hits->hits) texts += hit.text + "\n";
    EXPECT_NE(std::string::npos, texts.find(row.in_text)) << texts;
  }
}

}  // namespace
}  // namespace callimport::storage
