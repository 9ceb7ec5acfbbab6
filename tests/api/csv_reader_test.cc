// CSV as spreadsheets write it, and as they should not.
#include "api/cli/csv_reader.h"

#include <gtest/gtest.h>

#include <sstream>

#include "api/cli/text.h"

namespace callimport::api {
namespace {

/// Records as "line:a|b" or "line!problem".
std::vector<std::string> read(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  std::vector<std::string> out;
  while (const auto record = reader.next()) {
    std::string one = std::to_string(record->line) + (record->problem.empty() ? ":" : "!" + record->problem);
    for (std::size_t i = 0; record->problem.empty() && i < record->fields.size(); ++i) {
      one += (i == 0 ? "" : "|") + record->fields[i];
    }
    out.push_back(one);
  }
  return out;
}

struct Row {
  const char* name;
  std::string text;
  std::vector<std::string> records;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
class Csv : public testing::TestWithParam<Row> {};
TEST_P(Csv, IsReadAsMeant) { EXPECT_EQ(GetParam().records, read(GetParam().text)); }
INSTANTIATE_TEST_SUITE_P(
    Files, Csv,
    testing::Values(
        Row{"Plain", "a,b\n1,2\n", {"1:a|b", "2:1|2"}}, Row{"NoLastLineBreak", "a\n1", {"1:a", "2:1"}},
        Row{"Empty", "", {}}, Row{"OnlyBlankLines", "\n\r\n\n", {}},
        Row{"BlankLinesCount", "a\n\n\n1\n", {"1:a", "4:1"}}, Row{"CrLf", "a,b\r\n1,2\r\n", {"1:a|b", "2:1|2"}},
        Row{"CrAlone", "a,b\r1,2\r", {"1:a|b", "2:1|2"}},
        Row{"ByteOrderMark",
            "\xef\xbb\xbf"
            "a,b\n",
            {"1:a|b"}},
        Row{"Semicolons", "a;b,c;d\n1;2,3;4\n", {"1:a|b,c|d", "2:1|2,3|4"}},
        Row{"Tabs", "a\tb\n1\t2\n", {"1:a|b", "2:1|2"}}, Row{"SeparatorInQuotes", "\"a;;;\",b\n", {"1:a;;;|b"}},
        Row{"Quotes", "a\n\"x \"\"y\"\" z\"\n", {"1:a", "2:x \"y\" z"}},
        Row{"LineBreakInQuotes", "a,b\n\"x\r\ny\",2\n3,4\n", {"1:a|b", "2:x\ny|2", "4:3|4"}},
        Row{"EmptyFields", "a,b,c\n,,\n", {"1:a|b|c", "2:||"}},
        Row{"OpenQuoteCostsItsLineOnly",
            "a,b\n\"x,2\n3,4\n5,6\n",
            {"1:a|b", "2!a quotation mark is not closed", "3:3|4", "4:5|6"}},
        Row{"TextAfterQuote", "a\n\"x\"y\"\"\n1\n", {"1:a", "2!there is text after a closing quotation mark", "3:1"}},
        Row{"QuoteInside",
            "a,b\n5\" disk 3\",2\n",
            {"1:a|b", "2!there is a quotation mark inside a field without quotes"}},
        Row{"NotUtf8", "a\nJos\xe9\nok\n", {"1:a", "2!it is not UTF-8; save the file as CSV UTF-8", "3:ok"}},
        Row{"FormulaIsText", "a\n=1+1\n", {"1:a", "2:=1+1"}},
        Row{"GuardedFormula", "a,b\n'+41446681800,'tis\n", {"1:a|b", "2:+41446681800|'tis"}},
        Row{"TooLong",
            "a\n" + std::string(kCsvRecordBytesMax + 1, 'x') + "\n1\n",
            {"1:a", "2!the line is longer than 65,536 bytes", "3:1"}},
        Row{"LongEnough",
            "a\n" + std::string(kCsvRecordBytesMax, 'x') + "\n",
            {"1:a", "2:" + std::string(kCsvRecordBytesMax, 'x')}}),
    [](const auto& test) { return std::string(test.param.name); });

/// What we write, formulas guarded, we read as it was.
TEST(CsvRoundTrip, GivesBackWhatWasWritten) {
  const std::vector<std::string> fields = {"=cmd|' /C calc'!A0", "+41446681800", "-1", "@x", "a,b",
                                           "say \"hi\"",         "'quoted'",     ""};
  std::istringstream in(csv_row({"1", "2", "3", "4", "5", "6", "7", "8"}) + csv_row(fields));
  CsvReader reader(in);
  (void)reader.next();
  const auto record = reader.next();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ("", record->problem);
  EXPECT_EQ(fields, record->fields);
}

}  // namespace
}  // namespace callimport::api
