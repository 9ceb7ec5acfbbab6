// What a role sees and what it is told (ux, 2.1, 2.7): private calls are withheld from viewers, and each
// refusal bears the id it has in the server's log.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string me() {
  const char* name = ::getuid() == 0 ? "root" : std::getenv("USER");
  return name == nullptr ? std::string() : name;
}

/// A library of private calls; the socket's user is admin, a token of its own is a viewer's.
class Private : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(house_.data());
    std::filesystem::permissions(house_.data(), std::filesystem::perms::owner_all);
    write_file(house_.scratch() / "looker.token", "a-token-that-may-look\n");
    write_file(house_.data() + "/callimport.toml",
               fmt::format("[server]\ntoken_files = [\"{}\"]\n[roles]\n\"os:{}\" = \"admin\"\n\"token:looker\" = "
                           "\"viewer\"\n[workspaces.acme]\nprivacy = \"private\"\n",
                           house_.scratch() / "looker.token", me()));
    house_.log_at("info");
    ASSERT_TRUE(house_.serve());
    v1::GetServerInfoResponse info;
    ASSERT_TRUE(house_.ask("GetServerInfo", v1::GetServerInfoRequest{}, info).ok());
    address_ = info.grpc_address();
  }
  void import() {
    ASSERT_EQ(house_.start().code, 0);
    ASSERT_TRUE(house_.follow());
  }
  Ran as_viewer(std::vector<std::string> args) {
    args.insert(args.end(), {"--address", address_, "--access-file", house_.scratch() / "looker.token"});
    return house_.verb(std::move(args));
  }
  static json parsed(const Ran& ran) {
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out, nullptr, false);
  }
  House house_{20, 9};
  std::string address_;
};

TEST_F(Private, CallsAreWithheldFromViewers) {
  import();
  const auto theirs = parsed(house_.verb({"calls", "list", "-o", "json"}));
  const auto seen = parsed(as_viewer({"calls", "list", "-o", "json"}));
  ASSERT_EQ(seen.size(), theirs.size()) << "that a call is there is no secret";
  ASSERT_GT(seen.size(), 10u);
  for (const auto& call : seen) {
    EXPECT_EQ(call["privacy"], "private");
    EXPECT_EQ(call["withheld"], true);
    EXPECT_TRUE(call["participants"].empty()) << call;
    EXPECT_EQ(call["title"], "") << call;
  }
  const auto title = theirs.at(0)["title"].get<std::string>();
  ASSERT_FALSE(title.empty());
  const std::string word = title.substr(0, title.find(' '));
  EXPECT_GT(parsed(house_.verb({"calls", "list", "--text", word, "-o", "json"})).size(), 0u);
  EXPECT_EQ(parsed(as_viewer({"calls", "list", "--text", word, "-o", "json"})).size(), 0u) << "no title is guessed";
  const auto rows = parsed(as_viewer({"show", house_.import(), "--calls", "-o", "json"}));
  ASSERT_GT(rows.size(), 10u);
  for (const auto& row : rows) EXPECT_EQ(row["title"], "") << row;
  for (const auto& row : parsed(house_.verb({"show", house_.import(), "--calls", "-o", "json"})))
    EXPECT_NE(row["title"], "") << row;
  for (const auto& call : theirs) EXPECT_EQ(call["withheld"], false);
  const auto rich = std::find_if(theirs.begin(), theirs.end(), [](const json& call) {
    return call["transcript"] == "ready" && call.contains("media") && !call["media"].is_null();
  });
  ASSERT_NE(rich, theirs.end());
  const auto id = (*rich)["id"].get<std::string>();
  ASSERT_GT(parsed(house_.verb({"calls", "show", id, "-o", "json"}))["segments"].size(), 0u);

  const auto shown = as_viewer({"calls", "show", id});
  EXPECT_THAT(shown.out, HasSubstr("withheld: your role is viewer"));
  EXPECT_THAT(shown.out, testing::Not(HasSubstr((*rich)["title"].get<std::string>())));
  const auto told = parsed(as_viewer({"calls", "show", id, "-o", "json"}));
  EXPECT_TRUE(told.value("segments", json::array()).empty()) << told;
  for (const auto& what : {"transcript", "json", "media"}) {
    const auto to = house_.scratch() / "exported";
    const auto exported = as_viewer({"calls", "export", id, "--what", what, "--to", to});
    EXPECT_EQ(exported.code, 4) << what << exported.err;
    EXPECT_FALSE(std::filesystem::exists(to)) << what;
  }
  const auto played = as_viewer({"calls", "play", id, "-o", "json"});
  EXPECT_EQ(played.code, 4) << played.err;
  EXPECT_THAT(played.err, HasSubstr("role.refused"));
  EXPECT_THAT(played.err, HasSubstr("looker is viewer"));
}

TEST_F(Private, CallsAreFoundByNoSearchOfAViewer) {
  import();
  const auto title = parsed(house_.verb({"calls", "list", "-o", "json"})).at(0)["title"].get<std::string>();
  for (const std::string& query : {std::string("the"), "\"" + title, std::string("privacy:private")}) {
    EXPECT_GT(parsed(house_.verb({"calls", "search", query, "-o", "json"})).size(), 0u) << query;
    EXPECT_EQ(parsed(as_viewer({"calls", "search", query, "-o", "json"})).size(), 0u) << query;
  }
  EXPECT_EQ(parsed(as_viewer({"calls", "search", "the", "--facets", "-o", "json"})).size(), 0u);
  const auto wrong = as_viewer({"calls", "search", "OR the"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("character 1: OR stands")) << "counted in what was written";
}

TEST_F(Private, ARefusalBearsTheIdItHasInTheLog) {
  const auto refused = as_viewer({"credentials", "remove", "cred_x", "--yes", "-o", "json"});
  EXPECT_EQ(refused.code, 4) << refused.err;
  const auto error = json::parse(refused.err, nullptr, false);
  ASSERT_TRUE(error.is_object()) << refused.err;
  EXPECT_EQ(error["code"], "role.refused");
  EXPECT_FALSE(error["next_action"].get<std::string>().empty());
  const auto id = error["request_id"].get<std::string>();
  EXPECT_TRUE(id.starts_with("req_")) << id;
  const auto absent = house_.verb({"show", "imp_none", "-o", "json"});
  const auto second = json::parse(absent.err, nullptr, false)["request_id"].get<std::string>();
  EXPECT_NE(second, id);
  house_.server().signal(SIGTERM);
  EXPECT_EQ(house_.server().wait(), 0);
  const auto log = house_.server().err();
  EXPECT_THAT(log, HasSubstr(id + " /callimport.v1.CallImportService/RemoveCredential by token:looker: status 7, "
                                  "role.refused: "));
  EXPECT_THAT(log, HasSubstr(second + " /callimport.v1.CallImportService/GetImport by os:" + me() + ": status 5"));
  EXPECT_THAT(log, Not(HasSubstr("a-token-that-may-look")));
  const auto gone = as_viewer({"list", "-o", "json"});
  const auto unanswered = json::parse(gone.err, nullptr, false);
  EXPECT_EQ(unanswered["retry_after_s"], 5) << gone.err;
  EXPECT_FALSE(unanswered.contains("request_id")) << "it never came so far";
}

}  // namespace
}  // namespace callimport::tests
