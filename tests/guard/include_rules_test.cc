// Reads every include line of the house and holds it against the rules of the floors: arrows point down only.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Include {
  std::string file;
  int line = 0;
  std::string target;
  bool quoted = false;
};

const fs::path& root() {
  static const fs::path path = CALLIMPORT_SOURCE_DIR;
  return path;
}

bool is_source(const fs::path& path) {
  return path.extension() == ".h" || path.extension() == ".cc" || path.extension() == ".inc";
}

std::vector<fs::path> sources_below(const std::string& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(root() / folder)) {
    if (entry.is_regular_file() && is_source(entry.path())) found.push_back(entry.path());
  }
  return found;
}

std::vector<Include> includes_below(const std::string& folder) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  for (const auto& path : sources_below(folder)) {
    std::ifstream in(path);
    std::string text;
    for (int line = 1; std::getline(in, text); ++line) {
      std::smatch match;
      if (!std::regex_search(text, match, pattern)) continue;
      found.push_back({fs::relative(path, root()).string(), line, match[2].str(), match[1].str() == "\""});
    }
  }
  return found;
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  for (const auto& prefix : prefixes) {
    if (text.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

const std::vector<std::string> kFloors = {"storage/", "engine/",      "workflows/", "activities/",
                                          "api/",     "simulations/", "tests/"};

/// What files below `folder` may include of ours, and which outside headers they must never see.
struct Row {
  const char* name;
  std::string folder;
  std::vector<std::string> ours;
  std::vector<std::string> never;
  std::set<std::string> exceptions;  // file:target, each with its reason beside it
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class IncludeRules : public testing::TestWithParam<Row> {};

TEST_P(IncludeRules, ArrowsPointDown) {
  const auto& row = GetParam();
  const auto all = includes_below(row.folder);
  ASSERT_FALSE(all.empty()) << "nothing below " << row.folder;
  for (const auto& include : all) {
    if (row.exceptions.contains(include.file)) continue;
    const std::string where = include.file + ":" + std::to_string(include.line) + " includes " + include.target;
    EXPECT_FALSE(starts_with_any(include.target, row.never)) << where << ", which this floor must never see";
    if (starts_with_any(include.target, kFloors)) {
      EXPECT_TRUE(starts_with_any(include.target, row.ours)) << where << ", which is not below it";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Floors, IncludeRules,
    testing::Values(Row{"Model",
                        "storage/model",
                        {"storage/model/"},
                        {"boost/", "sqlite3", "temporal/", "grpc", "curl/", "nlohmann/"},
                        {}},
                    Row{"Runtime",
                        "storage/runtime",
                        {"storage/model/", "storage/runtime/"},
                        {"sqlite3", "temporal/", "grpc", "curl/", "nlohmann/"},
                        {}},
                    Row{"Storage", "storage", {"storage/"}, {"temporal/", "grpc", "curl/"}, {}},
                    Row{"Engine",
                        "engine",
                        {"engine/", "storage/model/", "storage/runtime/", "storage/journal/"},
                        {"curl/", "boost/beast", "sqlite3", "boost/asio/steady_timer", "boost/asio/io_context"},
                        {}},
                    Row{"Workflows",
                        "workflows",
                        {"workflows/", "engine/workflow.h", "engine/flow.h", "activities/", "storage/model/"},
                        {"curl/", "boost/", "sqlite3", "grpc", "temporal/", "thread", "mutex", "random", "filesystem"},
                        {}},
                    Row{"Activities",
                        "activities",
                        {"activities/", "engine/activity.h", "engine/awaitable.h", "engine/worker.h", "storage/"},
                        {"sqlite3", "temporal/", "grpc"},
                        {}},
                    Row{"Api",
                        "api",
                        {"api/", "workflows/", "activities/", "engine/", "storage/"},
                        {"sqlite3"},
                        {"api/main.cc"}},  // wires the floors, and alone may link the simulations
                    Row{"Simulations",
                        "simulations",
                        {"simulations/", "api/", "workflows/", "activities/", "engine/", "storage/"},
                        {"sqlite3"},
                        {}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(IncludeRules, WorkflowsSeeOnlyContractsOfActivities) {
  for (const auto& include : includes_below("workflows")) {
    if (include.target.rfind("activities/", 0) != 0) continue;
    EXPECT_TRUE(include.target.ends_with("/contract.h"))
        << include.file << ":" << include.line << " includes " << include.target
        << ": only an activity's contract.h is for workflows";
  }
}

TEST(IncludeRules, GrpcIsSeenInTheEngineForClustersOnly) {
  for (const auto& include : includes_below("engine")) {
    const bool grpc = include.target.rfind("grpc", 0) == 0 || include.target.ends_with(".grpc.pb.h");
    if (!grpc) continue;
    EXPECT_EQ(include.file.rfind("engine/cluster/", 0), 0u) << include.file << ":" << include.line;
  }
}

TEST(IncludeRules, SqliteIsSeenInItsOwnFolderOnly) {
  for (const auto& include : includes_below("storage")) {
    if (include.target.rfind("sqlite3", 0) != 0) continue;
    EXPECT_EQ(include.file.rfind("storage/sqlite/", 0), 0u) << include.file << ":" << include.line;
  }
}

TEST(IncludeRules, InternalHeadersStayOnTheirFloor) {
  for (const auto& floor : kFloors) {
    if (!fs::exists(root() / floor)) continue;
    for (const auto& include : includes_below(floor)) {
      const auto at = include.target.find("/internal/");
      if (at == std::string::npos || !starts_with_any(include.target, kFloors)) continue;
      EXPECT_EQ(include.target.substr(0, include.target.find('/') + 1), floor) << include.file << ":" << include.line;
    }
  }
}

TEST(IncludeRules, BigGeneratedHeaderStaysOutOfHeaders) {
  for (const auto& floor : kFloors) {
    if (!fs::exists(root() / floor)) continue;
    for (const auto& include : includes_below(floor)) {
      if (!include.target.ends_with("workflowservice/v1/request_response.pb.h")) continue;
      if (include.file.rfind("tests/", 0) == 0) continue;
      EXPECT_TRUE(include.file.ends_with(".cc") || include.file.find("/internal/") != std::string::npos ||
                  include.file.ends_with("_pch.h"))
          << include.file << ":" << include.line << " makes every includer pay 5 MB";
    }
  }
}

/// Words that must not stand in the code of a folder, with the reason a reader needs.
struct WordRow {
  const char* name;
  std::string folder;
  std::string pattern;
  const char* reason;
};
void PrintTo(const WordRow& row, std::ostream* out) { *out << row.name; }
class Words : public testing::TestWithParam<WordRow> {};

TEST_P(Words, AreAbsent) {
  const auto& row = GetParam();
  const std::regex pattern(row.pattern);
  for (const auto& path : sources_below(row.folder)) {
    if (path.parent_path().filename() == "guard") continue;
    std::ifstream in(path);
    std::string text;
    for (int line = 1; std::getline(in, text); ++line) {
      const auto comment = text.find("//");
      const std::string code = text.substr(0, comment);
      EXPECT_FALSE(std::regex_search(code, pattern))
          << fs::relative(path, root()).string() << ":" << line << ": " << row.reason;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    House, Words,
    testing::Values(WordRow{"NoClockInEngine", "engine", R"((system|steady)_clock::now)", "time comes from Clock"},
                    WordRow{"NoClockInWorkflows", "workflows", R"((system|steady)_clock::now|\brand\(|random_device)",
                            "time and chance come from the context"},
                    WordRow{"NoMutexInEngine", "engine", R"(std::(mutex|shared_mutex|thread)\b)",
                            "one loop owns the engine's state"},
                    WordRow{"NoSleepInTests", "tests",
                            R"(sleep_for\(std|this_thread::sleep|\busleep\(|[^_:.]\bsleep\()",
                            "a test waits for something that happens, never for time"},
                    WordRow{"NoCallsInEngine", "engine", R"(\b(ImportId|CallId|transcript|recording)\b)",
                            "the engine knows nothing of calls or imports"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
