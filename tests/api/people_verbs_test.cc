// People over a finished import: who is not recognised goes out as CSV, is filled in and comes back (NW-08); search by
// what the directory knows, provenance and privacy in every list (CL-01, CL-03, CL-10).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "api/cli/csv_reader.h"
#include "api/cli/text.h"
#include "tests/api/finished_import.h"

namespace callimport::tests {
namespace {

using nlohmann::json;

class PeopleVerbs : public FinishedImport<20, 9> {
 protected:
  static std::size_t taken(const json& done) {
    return done["added"].get<std::size_t>() + done["updated"].get<std::size_t>() + done["unchanged"].get<std::size_t>();
  }
};

TEST_F(PeopleVerbs, UnmatchedGoOutAreFilledInAndComeBack) {
  const auto before = read_json({"people", "unmatched", "--limit", "1000", "-o", "json"});
  ASSERT_GT(before.size(), 3u);
  const auto csv = house_->verb({"people", "unmatched", "--limit", "1000", "-o", "csv"});
  ASSERT_EQ(csv.code, 0) << csv.err;
  std::istringstream in(csv.out);
  api::CsvReader reader(in);
  const auto head = reader.next();
  ASSERT_TRUE(head.has_value());
  const auto company = std::find(head->fields.begin(), head->fields.end(), "company") - head->fields.begin();
  std::string filled = api::csv_row(head->fields);
  while (auto record = reader.next()) {
    record->fields[static_cast<std::size_t>(company)] = "=Filled & Sons, Ltd";
    filled += api::csv_row(record->fields);
  }
  const auto tried = read_json({"people", "import", "-", "--dry-run", "-o", "json"}, filled);
  EXPECT_EQ(taken(tried), before.size());
  EXPECT_EQ(read_json({"people", "list", "-o", "json"}).size(), 0u) << "a dry run writes nothing";
  const auto done = read_json({"people", "import", "-", "-o", "json"}, filled);
  EXPECT_EQ(taken(done), before.size()) << "one person may stand in several rows: with and without a user id";
  EXPECT_EQ(done["added"], read_json({"people", "list", "--limit", "1000", "-o", "json"}).size());
  EXPECT_EQ(done["calls_looked_at"], read_json({"calls", "list", "--limit", "1000", "-o", "json"}).size());
  EXPECT_EQ(read_json({"people", "unmatched", "-o", "json"}).size(), 0u);
  EXPECT_EQ(read_json({"people", "import", "-", "-o", "json"}, filled)["unchanged"], before.size());
  EXPECT_GT(read_json({"calls", "search", "customer:\"filled & sons\"", "-o", "json"}).size(), 0u);
  const auto person = read_json({"people", "list", "--limit", "1", "-o", "json"})[0];
  EXPECT_EQ(read_json({"people", "show", person["id"], "-o", "json"})["id"], person["id"]);
}

TEST_F(PeopleVerbs, BadLinesAreNamedAndTheGoodOnesTaken) {
  const std::string csv =
      "\xef\xbb\xbfName;Work mail;Phone;Notes\r\n\"O'Neil; Pat\";pat@new.example;;\"two\r\nlines\"\r\n"
      "Bad;nope;;\r\nShort\r\nNo key;;;\r\n\"open;x@y.example;;\r\nLast;last@new.example;'+41446681800;=1+1\r\n";
  const auto errors = house_->scratch() / "bad.csv";
  const auto ran =
      house_->verb({"people", "import", "-", "--mapping", "Work mail=email", "--errors", errors, "-o", "json"}, csv);
  EXPECT_EQ(ran.code, 5) << ran.err;
  const auto done = json::parse(ran.out);
  EXPECT_EQ(done["rows"], 6);
  EXPECT_EQ(done["added"], 2);
  ASSERT_EQ(done["refusals"].size(), 4u) << ran.out;
  std::vector<int> lines;
  for (const auto& one : done["refusals"]) lines.push_back(one["line"]);
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (std::vector<int>{4, 5, 6, 7}));
  EXPECT_EQ(read_json({"people", "show", "last@new.example", "-o", "json"})["phone"], "+41446681800");
}

TEST_F(PeopleVerbs, AFileThatNamesNobodyIsRefusedWithItsColumns) {
  const auto no_key = house_->verb({"people", "import", "-"}, "a,b\n1,2\n");
  EXPECT_EQ(no_key.code, 2);
  EXPECT_NE(no_key.err.find("a, b"), std::string::npos) << no_key.err;
  EXPECT_EQ(house_->verb({"people", "import", "-"}, "").code, 2);
  EXPECT_EQ(house_->verb({"people", "import", "-", "--mapping", "x=email"}, "a,email\n").code, 2);
  EXPECT_EQ(house_->verb({"people", "import", "/no/such/file"}).code, 2);
}

TEST_F(PeopleVerbs, EachListSaysWhereACallIsFromAndWhoSeesIt) {
  for (const auto& args :
       {std::vector<std::string>{"calls", "list", "--limit", "1", "-o", "json"},
        std::vector<std::string>{"calls", "search", "platform:grain", "--limit", "1", "-o", "json"}}) {
    const auto one = read_json(args).at(0);
    EXPECT_EQ(one["platform"], "grain");
    EXPECT_EQ(one["import"], house_->import());
    EXPECT_NE(one["privacy"], "");
  }
  const auto head = house_->verb({"calls", "list", "-o", "csv"}).out;
  for (const char* column : {"platform", "import", "fetched", "privacy", "media_sha256"})
    EXPECT_NE(head.substr(0, head.find('\n')).find(column), std::string::npos) << column;
  const auto facets = read_json({"calls", "search", "platform:grain", "--facets", "-o", "json"});
  EXPECT_GT(facets.size(), 3u);
  const auto wrong = house_->verb({"calls", "search", "budget date:tomorrow"});
  EXPECT_EQ(wrong.code, 2) << wrong.err;
  EXPECT_NE(wrong.err.find("character 13"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace callimport::tests
