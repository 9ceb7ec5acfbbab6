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
  const auto terms = parse_query(GetParam().text);
  ASSERT_TRUE(terms.has_value()) << terms.error().message;
  EXPECT_EQ(GetParam().terms, *terms);
  EXPECT_EQ(GetParam().fts5, to_fts5(*terms));
}

INSTANTIATE_TEST_SUITE_P(
    Queries, QueryTable,
    testing::Values(
        Parsed{"Word", "hello", {{"hello"}}, R"-((("hello")))-"},
        Parsed{"Words", "  two \t words\n", {{"two"}, {"words"}}, R"-((("two") AND ("words")))-"},
        Parsed{"Phrase", "\"two words\" x", {{"two words"}, {"x"}}, R"-((("two words") AND ("x")))-"},
        Parsed{"CurlyQuotes", "“two words”", {{"two words"}}, R"-((("two words")))-"},
        Parsed{"Guillemets", "« deux mots »", {{" deux mots "}}, R"-(((" deux mots ")))-"},
        Parsed{"OpenQuote", "a \"b c", {{"a"}, {"b c"}}, R"-((("a") AND ("b c")))-"},
        Parsed{"Excluded", "a -b -\"c d\"", {{"a"}, {"b", true}, {"c d", true}}, R"-((("a")) NOT ("b") NOT ("c d"))-"},
        Parsed{"ExcludedFirst", "-b a", {{"b", true}, {"a"}}, R"-((("a")) NOT ("b"))-"},
        Parsed{"Hyphenated", "follow-up", {{"follow-up"}}, R"-((("follow-up")))-"},
        Parsed{"Operators", "a OR NEAR(b) *", {{"a"}, {"OR"}, {"NEAR(b)"}}, R"-((("a") AND ("OR") AND ("NEAR(b)")))-"},
        Parsed{"Nul", std::string("a\0b", 3), {{"a"}, {"b"}}, R"-((("a") AND ("b")))-"},
        Parsed{"NulInPhrase", std::string("\"a\0b\"", 5), {{"a b"}}, R"-((("a b")))-"},
        Parsed{"JoinedLetters", "cœur", {{"cœur"}}, R"-((("cœur" OR "coeur")))-"},
        Parsed{"LettersApart", "-coeur x", {{"coeur", true}, {"x"}}, R"-((("x")) NOT ("coeur" OR "cœur"))-"},
        Parsed{"PunctuationLeftOut", "?! a - -- — … € 👍 ¿ 。 \"\" \"...\"", {{"a"}}, R"-((("a")))-"}),
    [](const auto& test) { return std::string(test.param.name); });

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
  const auto hits = library_->search(GetParam().typed, {}, 10);
  ASSERT_OK(hits);
  ASSERT_EQ(GetParam().found ? 1u : 0u, hits->size());
  if (!GetParam().found) return;
  const SearchHit& hit = hits->front();
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
        Said{"Mail", "write to ada@example.com", "ada@example.com"},
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
    const auto hits = library_->search(input, {}, 5);
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
    return library_->search("budget", filter, limit)->size();
  };
  EXPECT_EQ(8u, count({}));
  EXPECT_EQ(3u, count({}, 3));
  EXPECT_EQ(2u, count({.text = "Kick"}));
  EXPECT_EQ(4u, count({.after_ms = 1'000, .before_ms = 3'000}));
  EXPECT_EQ(8u, count({.import = kImport, .platform = "grain"}));
  EXPECT_EQ(0u, count({.import = "imp_2"}));
  EXPECT_EQ(0u, count({.platform = "gong"}));
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
    const auto hits = library_->search(row.typed, {}, 10);
    ASSERT_OK(hits);
    ASSERT_FALSE(hits->empty()) << row.typed;
    std::string texts;
    for (const auto& hit : *hits) texts += hit.text + "\n";
    EXPECT_NE(std::string::npos, texts.find(row.in_text)) << texts;
  }
}

}  // namespace
}  // namespace callimport::storage
