// Fewer messages, from the link in a mail and from the terminal, over a real server (ux 2.10, NL-02): looking changes
// nothing, one click is one mute, and whoever helps people sees it and takes it back.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "activities/notify/unsubscribe.h"
#include "api/serve/unsubscribe.h"
#include "storage/runtime/posix_disk.h"
#include "tests/api/mail_box.h"
#include "tests/api/raw_http.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using activities::Unsubscribe;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kConfig = R"(
[http]
port = 0
url = "https://calls.example.test"

[people.ana]
mail = "ana@example.test"
watches_all = true

[people.ben]
mail = "ben@example.test"
watches_all = true

[notify.customers.acme]
name = "Acme"
mail = "it@acme.test"

[mail]
from = "Calls <calls@example.test>"
)";

class Muted : public testing::Test {
 protected:
  Muted() : house_(12, 7) {}
  void SetUp() override {
    std::filesystem::create_directories(house_.data());
    write_file(house_.data() + "/callimport.toml", kConfig + ("url = \"" + box_.url() + "\"\n"));
    ASSERT_TRUE(house_.serve());
    const std::string address = json::parse(house_.ready())["http"];
    port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  json ask(std::vector<std::string> args) {
    args.insert(args.end(), {"-o", "json"});
    const auto ran = house_.verb(std::move(args));
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out, nullptr, false);
  }
  json mutes() { return ask({"notifications", "mutes"}); }
  /// As the server signs the links of its mails.
  std::string path_for(const Unsubscribe& what) const {
    PosixDisk disk;
    const auto key = api::unsubscribe_key(disk, {house_.data()});
    EXPECT_TRUE(key.has_value());
    return std::string(activities::kUnsubscribePath) + activities::make_unsubscribe(*key, what);
  }
  std::string send(const std::string& method, const std::string& path, const std::string& body = {}) const {
    return http_exchange(port_,
                         fmt::format("{} {} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
                                     "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{}",
                                     method, path, body.size(), body));
  }
  /// An import that stays open: bulk waits for a window that never comes.
  std::string open_import() {
    const auto started =
        house_.start({"--window", "open 2099-01-01 08:00-12:00", "--zone", "Europe/Madrid", "--first", "2"});
    EXPECT_EQ(started.code, 0) << started.err;
    EXPECT_TRUE(house_.follow_until(
        [](const v1::WatchImportResponse& message) { return message.import().bulk().reason() == "window.closed"; }));
    return house_.import();
  }
  void pause(const std::string& import) {
    ASSERT_EQ(house_.verb({"pause", import, "--why", "a demo"}).code, 0);
    ASSERT_TRUE(house_.follow_until(
        [](const v1::WatchImportResponse& message) { return message.import().bulk().condition() == "paused"; }));
    settle();
  }
  void resume(const std::string& import) {
    ASSERT_EQ(house_.verb({"resume", import}).code, 0);
    ASSERT_TRUE(house_.follow_until(
        [](const v1::WatchImportResponse& message) { return message.import().bulk().condition() != "paused"; }));
    settle();
  }
  /// Records become messages in their order: when a later one has gone, so have all before it.
  void settle() { ASSERT_EQ(house_.verb({"notifications", "test", "--channel", "log"}).code, 0); }
  /// The newest word about an event for somebody: "state: why".
  std::string why(const std::string& import, const std::string& event, const std::string& who) {
    for (const auto& line : ask({"notifications", "why", import, "--to", who, "--limit", "1000"})) {
      if (line["event"] == event) return line["state"].get<std::string>() + ": " + line["why"].get<std::string>();
    }
    return "none";
  }

  /// The path of the link that a mail carries for programs.
  static std::string link_in(const std::string& mail) {
    constexpr std::string_view kHeader = "List-Unsubscribe: <https://calls.example.test";
    const auto from = mail.find(kHeader);
    if (from == std::string::npos) return "none";
    const auto start = from + kHeader.size();
    return mail.substr(start, mail.find('>', start) - start);
  }

  MailBox box_;
  House house_;
  std::uint16_t port_ = 0;
};

constexpr const char* kClick = "List-Unsubscribe=One-Click";

TEST_F(Muted, OneClickEndsAnImportsMailsUntilSupportTakesItBack) {
  const auto import = open_import();
  const auto mail = box_.wait_for("ana@example.test", import);
  ASSERT_TRUE(mail.has_value()) << house_.server().err();
  EXPECT_THAT(mail->text, HasSubstr("List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"));
  const auto path = link_in(mail->text);
  ASSERT_THAT(path, testing::StartsWith(activities::kUnsubscribePath)) << mail->text;
  const auto page = send("GET", path);
  EXPECT_EQ(http_status(page), 200);
  EXPECT_THAT(page, AllOf(HasSubstr("text/html"), HasSubstr("content-security-policy: default-src 'none'"),
                          HasSubstr("Nothing has changed yet.")));
  EXPECT_EQ(http_status(send("HEAD", path)), 200);
  EXPECT_EQ(http_status(send("POST", path)), 400) << "without the words of one click";
  EXPECT_EQ(mutes().size(), 0u) << "looking changes nothing";

  const auto done = send("POST", path, kClick);
  EXPECT_EQ(http_status(done), 200) << done << house_.server().err();
  EXPECT_THAT(done, HasSubstr("You get no more mails about this import."));
  EXPECT_EQ(http_status(send("POST", path, kClick)), 200) << "a program that asks again is answered the same";
  const auto muted = mutes();
  ASSERT_EQ(muted.size(), 1u) << muted.dump(1);
  EXPECT_EQ(muted[0]["person"], "ana");
  EXPECT_EQ(muted[0]["scope"], "import");
  EXPECT_EQ(muted[0]["target"], import);
  EXPECT_EQ(muted[0]["who"], "mail:ana");
  EXPECT_EQ(muted[0]["origin"], "via a link in a mail");

  pause(import);
  EXPECT_THAT(why(import, "import.paused", "ana"),
              AllOf(HasSubstr("suppressed: muted this import on"), HasSubstr("by mail:ana")));
  EXPECT_THAT(why(import, "import.paused", "ben"), testing::Not(HasSubstr("muted")));

  const auto back =
      house_.verb({"notifications", "unmute", "ana", "--import", import, "--why", "she asked on the phone"});
  EXPECT_EQ(back.code, 0) << back.err;
  EXPECT_EQ(mutes().size(), 0u);
  resume(import);
  EXPECT_THAT(why(import, "import.resumed", "ana"), HasSubstr("watcher of the import, level important"));
  const auto log = ask({"audit", import});
  int muted_lines = 0;
  for (const auto& line : log) {
    if (line["verb"] == "mute messages") ++muted_lines;
  }
  EXPECT_EQ(muted_lines, 1) << log.dump(1);
  EXPECT_EQ(log[1]["verb"], "unmute messages") << log.dump(1);
  EXPECT_EQ(log[1]["why"], "she asked on the phone");
}

struct LinkRow {
  const char* name;
  std::string method, body;
  Unsubscribe of;
  std::string bent;  ///< put behind the token
  int status;
};

/// All over one server: none of them leaves anything behind.
TEST_F(Muted, LinksThatAreNoneDoNothingAndSaySo) {
  const LinkRow rows[] = {
      {"Forged", "POST", kClick, {"ana", "imp_1"}, "A", 404},
      {"TooOld", "POST", kClick, {"ana", "", "digest.daily", 1}, "", 410},
      {"AnotherMethod", "PUT", kClick, {"ana", "", "digest.daily"}, "", 405},
      {"WhoIsNotThereAnyMore", "POST", kClick, {"zoe", "", "digest.daily"}, "", 200},
      {"AnImportThatIsGone", "POST", kClick, {"ana", "imp_gone"}, "", 200},
  };
  for (const auto& row : rows) {
    const auto answer = send(row.method, path_for(row.of) + row.bent, row.body);
    EXPECT_EQ(http_status(answer), row.status) << row.name << "\n" << answer;
  }
  EXPECT_EQ(mutes().size(), 0u);
  EXPECT_EQ(http_status(send("POST", path_for({"ana", "", "digest.daily"}), kClick)), 200);
  EXPECT_EQ(http_status(send("POST", path_for({"customer:acme", "", "digest.weekly"}), kClick)), 200);
  const auto all = mutes();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(ask({"notifications", "mutes", "ana"})[0]["target"], "digest.daily");
}

TEST_F(Muted, VerbsSayWhatIsWrong) {
  struct Row {
    std::vector<std::string> args;
    int code;
    const char* err;
  };
  const Row rows[] = {
      {{"mute", "zoe"}, 1, "no person zoe in the configuration"},
      {{"mute", "customer:other"}, 1, "no person customer:other"},
      {{"mute", "ana", "--event", "import.nothing"}, 2, "no event import.nothing"},
      {{"mute", "ana", "--import", "imp_none"}, 1, "imp_none"},
      {{"mute", "ana", "--event", "import.paused", "--workspace", "acme"}, 2, "excludes"},
      {{"unmute", "ana"}, 1, "has not muted that"},
  };
  for (const auto& row : rows) {
    std::vector<std::string> args = {"notifications"};
    args.insert(args.end(), row.args.begin(), row.args.end());
    const auto ran = house_.verb(args);
    EXPECT_EQ(ran.code, row.code) << row.args[0] << " " << row.args[1] << ": " << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(row.err));
  }
  const auto first = ask({"notifications", "mute", "ana", "--workspace", "acme", "--why", "another team"});
  EXPECT_EQ(first["already"], false) << first.dump();
  EXPECT_EQ(ask({"notifications", "mute", "ana", "--workspace", "acme"})["already"], true);
  EXPECT_EQ(mutes()[0]["why"], "another team") << "the first stays";
  ask({"notifications", "mute", "ana"});
  EXPECT_EQ(ask({"notifications", "unmute", "ana"})["removed"], 2) << "without a flag it is all of them";
}

}  // namespace
}  // namespace callimport::tests
