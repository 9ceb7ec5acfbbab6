// The platform matrix (ux PM-01, PM-02): whole rows, honest answers, and a page that is up to date.
#include "activities/platforms/matrix.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "activities/platforms/platform.h"
#include "api/cli/platforms_page.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

const fs::path kRoot = CALLIMPORT_SOURCE_DIR;

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// "Suite.Name" of every test in the house; of tables the suite's test only.
std::set<std::string> tests_there_are() {
  static const std::regex pattern(R"(TEST(?:_F|_P)?\(([A-Za-z0-9]+), ([A-Za-z0-9]+)\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "tests")) {
    if (entry.path().extension() != ".cc") continue;
    const auto text = content_of(entry.path());
    for (std::sregex_iterator one(text.begin(), text.end(), pattern), end; one != end; ++one)
      names.insert((*one)[1].str() + "." + (*one)[2].str());
  }
  return names;
}

TEST(Matrix, HasTheConnectorsAndTheNextNine) {
  std::set<std::string> names;
  for (const auto& row : platform_matrix().at("platforms")) names.insert(row.at("name").get<std::string>());
  EXPECT_EQ(names.size(), 10u);
  for (const auto* built : platforms()) {
    const auto* row = matrix_row(built->name);
    ASSERT_NE(row, nullptr) << built->name;
    EXPECT_EQ(row->at("verdict"), "yes");
    EXPECT_EQ(row->at("per_minute"), requests_per_minute(*built));
    EXPECT_EQ(row->at("title"), std::string(built->title));
  }
}

TEST(Matrix, EveryRowIsWhole) {
  for (const auto& row : platform_matrix().at("platforms")) {
    const std::string name = row.at("name");
    for (const char* key : {"title", "tier", "verdict", "reason", "sign_in", "role", "plan", "history", "links",
                            "size_limit", "api_version", "sure"})
      EXPECT_FALSE(row.at(key).get<std::string>().empty()) << name << " " << key;
    for (const char* key : {"limits", "gaps"}) EXPECT_FALSE(row.at(key).empty()) << name << " " << key;
    for (const char* kind : {"recordings", "transcripts", "people", "crm_links", "comments", "summaries"}) {
      const auto& answer = row.at("comes_across").at(kind);
      const std::string said = answer.at("answer");
      // Every yes names its proof, every other answer its reason and whose it is.
      if (said == "yes")
        EXPECT_TRUE(answer.contains("test")) << name << " " << kind;
      else
        EXPECT_TRUE(answer.contains("why") && answer.contains("because_of")) << name << " " << kind;
    }
    EXPECT_TRUE(row.at("usual").contains("1000") && row.at("usual").contains("5000")) << name;
  }
}

TEST(Matrix, NothingIsClaimedThatIsNotBuilt) {
  for (const auto& row : platform_matrix().at("platforms")) {
    if (find_platform(row.at("name").get<std::string>()) != nullptr) continue;
    EXPECT_NE(row.at("verdict"), "yes") << row.at("name");
    EXPECT_TRUE(row.at("reason").get<std::string>().starts_with("not built")) << row.at("name");
    EXPECT_FALSE(row.contains("verified")) << row.at("name");
    for (const auto& [kind, answer] : row.at("comes_across").items())
      EXPECT_EQ(answer.at("answer"), "not built") << row.at("name") << " " << kind;
  }
}

TEST(Matrix, EveryTestItNamesIsThere) {
  const auto there = tests_there_are();
  ASSERT_GT(there.size(), 300u);
  for (const auto& row : platform_matrix().at("platforms")) {
    if (row.contains("verified")) EXPECT_TRUE(there.contains(row.at("verified").at("test"))) << row.at("verified");
    for (const auto& [kind, answer] : row.at("comes_across").items()) {
      if (answer.contains("test")) EXPECT_TRUE(there.contains(answer.at("test"))) << answer;
    }
  }
}

TEST(Matrix, ThePageIsUpToDate) {
  EXPECT_EQ(content_of(kRoot / "docs/platforms.md"), api::platforms_page()) << "run ./dev docs";
}

}  // namespace
}  // namespace callimport::activities
