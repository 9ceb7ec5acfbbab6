// The audit log holds what people do besides actions on imports, too (ID-19, X-10, X-12): credentials, people, windows,
// back-ups; each once, with who, when, from where, why, and what came of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json log_of(House& house) {
  const auto ran = house.verb({"audit", "-o", "json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return json::parse(ran.out, nullptr, false);
}

std::string first_word(const Ran& ran) { return ran.out.substr(0, ran.out.find('\n')); }

TEST(Audit, HoldsWhatIsDoneToCredentials) {
  House house(5, 3);
  ASSERT_TRUE(house.serve());
  const auto token = house.scratch() / "token";
  const auto added = house.verb({"credentials", "add", "--platform", "grain", "--workspace", "acme", "--token-file",
                                 token, "--why", "the customer's mail of Monday"});
  ASSERT_EQ(added.code, 0) << added.err;
  const auto credential = first_word(added);
  ASSERT_EQ(house.verb({"credentials", "renew", credential, "--token-file", token, "--why", "rotated"}).code, 0);
  ASSERT_EQ(house.verb({"credentials", "remove", credential, "--yes", "--why", "the contract ended"}).code, 0);
  EXPECT_NE(house.verb({"credentials", "renew", credential, "--token-file", token}).code, 0);
  EXPECT_NE(house.verb({"credentials", "remove", "cred_none", "--yes"}).code, 0) << "of none nothing is written";

  const auto log = log_of(house);
  ASSERT_EQ(log.size(), 4u) << log.dump(1);
  EXPECT_THAT(log[0]["outcome"].get<std::string>(), HasSubstr("not done: credential " + credential + " was wiped"));
  const std::vector<std::array<std::string, 3>> wanted = {
      {"remove a credential", "the contract ended", "done"},
      {"renew a credential", "rotated", "done"},
      {"add a credential", "the customer's mail of Monday", credential}};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& row = log[i + 1];
    EXPECT_EQ(row["verb"], wanted[i][0]);
    EXPECT_EQ(row["why"], wanted[i][1]);
    EXPECT_EQ(row["outcome"], wanted[i][2]);
    EXPECT_TRUE(row["who"].get<std::string>().starts_with("os:")) << row;
    EXPECT_EQ(row["from"], "callimport-cli on the socket");
    EXPECT_EQ((i == 2 ? row["after"] : row["before"])["workspace"], "acme") << row;
  }
}

TEST(Audit, TheSameRequestIsOneDeed) {
  House house(5, 3);
  ASSERT_TRUE(house.serve());
  v1::AddCredentialRequest add;
  add.set_platform("grain");
  add.set_secret("a-token-of-some-length");
  add.mutable_deed()->set_request_id("once");
  v1::AddCredentialResponse first, second;
  ASSERT_TRUE(house.ask("AddCredential", add, first).ok());
  ASSERT_TRUE(house.ask("AddCredential", add, second).ok());
  EXPECT_EQ(first.credential().id(), second.credential().id()) << "no second credential";
  v1::RemoveCredentialRequest remove;
  remove.set_id(first.credential().id());
  remove.mutable_deed()->set_request_id("once");
  v1::RemoveCredentialResponse removed;
  EXPECT_EQ(house.ask("RemoveCredential", remove, removed).code, 3) << "one request id, two deeds";
  remove.mutable_deed()->set_request_id(std::string(201, 'x'));
  EXPECT_EQ(house.ask("RemoveCredential", remove, removed).code, 3) << "a request id beyond its limit";
  EXPECT_EQ(log_of(house).size(), 1u);
}

TEST(Audit, AFileOfPeopleIsOneLineAndATryNone) {
  House house(5, 3);
  ASSERT_TRUE(house.serve());
  std::string people = "name,email\n";
  for (int i = 0; i < 2'500; ++i) people += "P" + std::to_string(i) + ",p" + std::to_string(i) + "@acme.com\n";
  const auto file = house.scratch() / "contacts.csv";
  write_file(file, people);
  ASSERT_EQ(house.verb({"people", "import", file, "--dry-run"}).code, 0);
  EXPECT_EQ(log_of(house).size(), 0u) << "a try is no deed";
  ASSERT_EQ(house.verb({"people", "import", file}).code, 0);
  const auto log = log_of(house);
  ASSERT_EQ(log.size(), 2u) << "three requests of one file, and calls looked at anew: " << log.dump(1);
  EXPECT_EQ(log[0]["verb"], "match people again");
  EXPECT_EQ(log[1]["verb"], "import people");
  EXPECT_EQ(log[1]["after"]["from"], file);
}

TEST(Audit, HoldsBackupsAndWindows) {
  House house(30, 5);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.verb({"backup", "--to", house.scratch() / "copy"}).code, 0);
  ASSERT_EQ(house.start({"--window", "open 2099-01-01 08:00-12:00", "--zone", "Europe/Madrid", "--first", "10"}).code,
            0);
  const auto id = house.import();
  ASSERT_TRUE(house.follow_until(
      [](const v1::WatchImportResponse& message) { return message.import().bulk().reason() == "window.closed"; }));
  const auto set = house.verb({"window", "set", id, "always", "--why", "the customer agreed"});
  ASSERT_EQ(set.code, 0) << set.err;
  EXPECT_THAT(set.err, HasSubstr("it becomes \"always\""));
  ASSERT_TRUE(house.follow());
  const auto log = log_of(house);
  ASSERT_EQ(log.size(), 4u) << log.dump(1);
  EXPECT_EQ(log[0]["verb"], "set the window");
  EXPECT_EQ(log[0]["import"], id);
  EXPECT_EQ(log[0]["why"], "the customer agreed");
  EXPECT_EQ(log[0]["before"]["window"], "open 2099-01-01 08:00-12:00");
  EXPECT_EQ(log[0]["after"]["window"], "always");
  EXPECT_EQ(log[3]["verb"], "make a backup");
  EXPECT_EQ(log[3]["after"]["folder"], house.scratch() / "copy");
}

}  // namespace
}  // namespace callimport::tests
