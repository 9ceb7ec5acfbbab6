// Messages from the terminal over a real server and a mail server (NL-01, NL-03): sent again to the same and to another
// person, and looked at in a browser before they go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/api/mail_box.h"
#include "tests/spine/house.h"

namespace callimport::tests {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class NotificationVerbs : public testing::Test {
 protected:
  NotificationVerbs() : house_(5, 3) {}
  void SetUp() override {
    std::filesystem::create_directories(house_.data());
    write_file(house_.data() + "/callimport.toml", "[http]\nenabled = false\n[mail]\nurl = \"" + box_.url() +
                                                       "\"\nfrom = \"Calls <calls@example.test>\"\n"
                                                       "[people.ana]\nname = \"Ana\"\nmail = \"ana@example.test\"\n"
                                                       "[people.ben]\nname = \"Ben\"\nmail = \"ben@example.test\"\n"
                                                       "[people.cleo]\nslack = \"U0CLEO\"\n");
    ASSERT_TRUE(house_.serve());
  }
  json ask(std::vector<std::string> args) {
    args.insert(args.end(), {"-o", "json"});
    const auto ran = house_.verb(std::move(args));
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out, nullptr, false);
  }
  /// Id of a message that has gone to ana by mail.
  std::string sent_to_ana() {
    const auto test = house_.verb({"notifications", "test", "--to", "ana"});
    EXPECT_EQ(test.code, 0) << test.err << test.out;
    const auto messages = ask({"notifications", "list", "--to", "ana", "--state", "sent"});
    EXPECT_EQ(messages.size(), 1u) << messages.dump(1);
    return messages.empty() ? std::string() : messages[0]["id"].get<std::string>();
  }
  /// How a program sees `args`: with this environment on top of a small one.
  Ran with(std::map<std::string, std::string> env, std::vector<std::string> args) {
    args.insert(args.end(), {"--data", house_.data()});
    return run(callimport_binary(), {.args = std::move(args), .env = std::move(env)}, house_.scratch());
  }

  MailBox box_;
  House house_;
};

TEST_F(NotificationVerbs, ResendIsTheSameNewsUnderAnIdOfItsOwn) {
  const auto first = sent_to_ana();
  const auto again = house_.verb({"notifications", "resend", first});
  ASSERT_EQ(again.code, 0) << again.err;
  const std::string id = again.out.substr(0, again.out.find('\n'));
  EXPECT_THAT(id, StartsWith("msg_"));
  EXPECT_NE(id, first);
  const auto mail = box_.wait_for("ana@example.test", "Message-ID: <" + id);
  ASSERT_TRUE(mail.has_value()) << house_.server().err();
  const auto before = ask({"notifications", "show", first}), after = ask({"notifications", "show", id});
  EXPECT_EQ(after["news"], before["news"]);
  EXPECT_EQ(after["recipient"], "ana");
  const auto log = ask({"audit"});
  EXPECT_EQ(log[0]["verb"], "resend a message") << log.dump(1);
  EXPECT_EQ(log[0]["after"]["message"], first);
}

TEST_F(NotificationVerbs, ResendToAnotherPersonIsTheirs) {
  const auto first = sent_to_ana();
  const auto other = ask({"notifications", "resend", first, "--to", "ben"});
  const std::string id = other["id"];
  EXPECT_EQ(other["again"], first);
  ASSERT_TRUE(box_.wait_for("ben@example.test", "Message-ID: <" + id).has_value()) << house_.server().err();
  const auto shown = ask({"notifications", "show", id});
  EXPECT_EQ(shown["recipient"], "ben");
  EXPECT_EQ(shown["address"], "ben@example.test");
  const std::string record = shown["news"][0]["id"];
  const auto why = ask({"notifications", "why", record, "--to", "ben"});
  ASSERT_EQ(why.size(), 1u) << why.dump(1);
  EXPECT_EQ(why[0]["why"], "sent again by hand");
}

TEST_F(NotificationVerbs, ResendSaysWhatIsWrong) {
  const auto first = sent_to_ana();
  struct Row {
    std::vector<std::string> args;
    int code;
    const char* err;
  };
  const Row rows[] = {{{"msg_none"}, 1, "no message msg_none"},
                      {{first, "--to", "zoe"}, 1, "no person zoe in the configuration"},
                      {{first, "--to", "cleo"}, 2, "cleo has no address for mail"},
                      {{}, 2, "message"}};
  for (const auto& row : rows) {
    std::vector<std::string> args = {"notifications", "resend"};
    args.insert(args.end(), row.args.begin(), row.args.end());
    const auto ran = house_.verb(args);
    EXPECT_EQ(ran.code, row.code) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(row.err));
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_EQ(ask({"notifications", "list"}).size(), 2u) << "the test itself, by mail and in the log";
}

/// A browser that keeps what it was shown, and ends as it is told to.
class Browser {
 public:
  Browser(const Scratch& scratch, const std::string& name, int code) : shown_(scratch / (name + ".shown")) {
    const auto folder = scratch / (name + ".bin");
    std::filesystem::create_directories(folder);
    program = folder + "/" + name;
    path = folder + ":/usr/bin:/bin";
    write_file(program, "#!/bin/sh\ncp \"$1\" " + shown_ + "\nexit " + std::to_string(code) + "\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  }
  std::string shown() const { return std::filesystem::exists(shown_) ? read_file(shown_) : std::string(); }
  std::string program, path;

 private:
  std::string shown_;
};

TEST_F(NotificationVerbs, PreviewOpensTheMailInTheBrowserThatIsNamed) {
  const auto html = house_.verb({"notifications", "preview", "import.completed", "--as", "html"});
  ASSERT_EQ(html.code, 0) << html.err;
  const std::map<std::string, std::string> temporary = {{"TMPDIR", house_.scratch().path()}};
  const Browser whole(house_.scratch(), "whole", 0);
  auto env = temporary;
  env["BROWSER"] = whole.program;
  const auto opened = with(env, {"notifications", "preview", "import.completed", "--open"});
  EXPECT_EQ(opened.code, 0) << opened.err;
  EXPECT_EQ(whole.shown(), html.out);
  EXPECT_THAT(whole.shown(), HasSubstr("</html>"));

  const Browser found(house_.scratch(), "found", 0);
  env = temporary;
  env["BROWSER"] = "found";
  env["PATH"] = found.path;
  EXPECT_EQ(with(env, {"notifications", "preview", "import.waiting", "--open", "--customer"}).code, 0);
  EXPECT_THAT(found.shown(), HasSubstr("We have brought over"));

  const Browser desktop(house_.scratch(), "xdg-open", 0);
  env = temporary;
  env["DISPLAY"] = ":7";
  env["PATH"] = desktop.path;
  EXPECT_EQ(with(env, {"notifications", "preview", "import.failed", "--open"}).code, 0);
  EXPECT_THAT(desktop.shown(), HasSubstr("</html>"));
}

TEST_F(NotificationVerbs, PreviewWithoutABrowserSaysHow) {
  const std::map<std::string, std::string> temporary = {{"TMPDIR", house_.scratch().path()}};
  auto env = temporary;
  env["BROWSER"] = "no-such-browser";
  const auto absent = with(env, {"notifications", "preview", "import.completed", "--open"});
  EXPECT_EQ(absent.code, 1);
  EXPECT_THAT(absent.err, HasSubstr("no browser is to be found here"));
  EXPECT_THAT(absent.err, HasSubstr("callimport notifications preview import.completed --as html > preview.html"));
  EXPECT_EQ(with(temporary, {"notifications", "preview", "import.completed", "--open"}).code, 1)
      << "and none is guessed";
  const Browser broken(house_.scratch(), "broken", 3);
  env["BROWSER"] = broken.program;
  EXPECT_EQ(with(env, {"notifications", "preview", "import.completed", "--open"}).code, 1);
  const auto none = with(env, {"notifications", "preview", "import.nothing", "--open"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.err, HasSubstr("no event import.nothing"));
}

}  // namespace
}  // namespace callimport::tests
