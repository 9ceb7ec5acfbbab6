// The Slack channel against the sandbox in virtual time: one root an import, edits, threads, and what is done when an
// answer is missing (ux 2.9, 5.5).
#include "activities/notify/slack_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "simulations/sandboxes/in_process.h"
#include "simulations/sandboxes/slack.h"
#include "tests/activities/waiting.h"

namespace callimport::activities {
namespace {

using namespace std::chrono_literals;
using simulations::SlackOptions;
using simulations::SlackSandbox;
using testing::HasSubstr;
using testing::Not;

class SlackChannel : public testing::Test {
 protected:
  SlackChannel() {
    SlackSettings settings;
    settings.token = storage::Secret(std::string(simulations::kSlackSandboxToken));
    settings.api_url = "http://slack.test/api/";
    settings.channel = sandbox.channel_id("imports");
    settings.ops_channel = "#ops";
    settings.manners.open_url = "https://calls.example.com/imports/{import}";
    settings.manners.buttons = true;
    settings.manners.mention = [](const Message&, const storage::Notification&) { return "U0ANA"; };
    channel = make_slack_bot_channel(http, loop, std::move(settings));
  }

  static storage::Notification news(const std::string& event, const std::string& text) {
    storage::Notification made;
    made.id = "ntf_" + text;
    made.import = "imp_1";
    made.event = event;
    made.subject = "[Calls] <Northwind> & Co";
    made.text = text;
    made.next = "Then it goes on.";
    made.facts = "{}";
    return made;
  }
  Message message(Form form, const std::string& event, const std::string& text) {
    Message made;
    made.id = "msg_" + text;
    made.import = made.thread = made.import_row.id = "imp_1";
    made.root_ref = root;
    made.form = form;
    made.to.id = made.to.address = sandbox.channel_id("imports");
    made.news = {news(event, text)};
    made.import_row.first = made.import_row.bulk = {"fetch", "running", "", "", "", std::nullopt};
    made.import_row.counters = {.found = 4212, .registered = 2611, .failed = 3, .pending = 1598};
    made.import_row.created_ms = 1'788'220'000'000;
    return made;
  }
  tl::expected<Sent, Refused> send(Message what) {
    loop.run_for(1s);  // the channel's own pace, which the deliverer keeps
    return run_on(loop, channel->send(std::move(what)));
  }
  void begin() {
    const auto sent = send(message(Form::kRoot, "import.started", "begun"));
    ASSERT_TRUE(sent) << sent.error().reason;
    root = sent->ref;
  }
  std::string why(const tl::expected<Sent, Refused>& sent) { return sent ? "sent" : sent.error().reason; }

  simulations::SimLoop loop;
  SlackSandbox sandbox{SlackOptions{}};
  simulations::SandboxHttp http{sandbox, loop};
  std::unique_ptr<Channel> channel;
  std::string root;
};

TEST_F(SlackChannel, TheRootShowsTheImportAndIsEditedInPlace) {
  begin();
  ASSERT_EQ(1u, sandbox.messages().size());
  const auto text = sandbox.messages()[0].payload.dump();
  for (const char* part : {"Northwind", "begun", "2,611 of 4,212", "Fetching recordings", "61 %", "Retry failed (3)",
                           "import.pause", "import.mute", "https://calls.example.com/imports/imp_1", "<!date^"})
    EXPECT_THAT(text, HasSubstr(part));
  auto edit = message(Form::kEditRoot, "import.half_way", "half");
  loop.run_for(5s);
  EXPECT_EQ("sent", why(send(edit)));
  EXPECT_EQ(1u, sandbox.messages().size());
  EXPECT_EQ(1, sandbox.messages()[0].edits);
  EXPECT_THAT(sandbox.messages()[0].payload.dump(), HasSubstr("half"));
}

TEST_F(SlackChannel, EditsAreFiveSecondsApartAndOnlyOfWhatChanged) {
  begin();
  loop.run_for(5s);
  EXPECT_EQ("sent", why(send(message(Form::kEditRoot, "import.half_way", "one"))));
  const auto soon = send(message(Form::kEditRoot, "import.half_way", "two"));
  ASSERT_FALSE(soon);
  EXPECT_TRUE(soon.error().ever_again);
  ASSERT_TRUE(soon.error().after);
  EXPECT_EQ(4s, *soon.error().after);
  loop.run_for(*soon.error().after);
  EXPECT_EQ("sent", why(send(message(Form::kEditRoot, "import.half_way", "two"))));
  const auto before = sandbox.requests();
  EXPECT_EQ("sent", why(send(message(Form::kEditRoot, "import.half_way", "two"))));
  EXPECT_EQ(before, sandbox.requests()) << "the same again is no request";
}

TEST_F(SlackChannel, NewsAreRepliesAndTheEndIsForTheWholeChannel) {
  begin();
  EXPECT_EQ("sent", why(send(message(Form::kReply, "import.counted", "counted"))));
  EXPECT_EQ("sent", why(send(message(Form::kBroadcast, "access.needed", "access ended"))));
  ASSERT_EQ(3u, sandbox.messages().size());
  const auto& reply = sandbox.messages()[1];
  const auto& broadcast = sandbox.messages()[2];
  EXPECT_EQ(sandbox.messages()[0].ts, reply.thread);
  EXPECT_FALSE(reply.broadcast);
  EXPECT_THAT(reply.payload.dump(), Not(HasSubstr("U0ANA"))) << "nobody has to act";
  EXPECT_TRUE(broadcast.broadcast);
  EXPECT_THAT(broadcast.payload.dump(), HasSubstr("<@U0ANA>"));
}

TEST_F(SlackChannel, WhatMayHaveArrivedIsNotPostedAgain) {
  begin();
  loop.run_for(5s);
  sandbox.options().drop_first = 1;
  auto reply = message(Form::kReply, "import.counted", "counted");
  EXPECT_THAT(why(send(reply)), HasSubstr("did not answer"));
  ASSERT_EQ(2u, sandbox.messages().size()) << "it had arrived";
  reply.attempt = 2;
  EXPECT_EQ("sent", why(send(reply)));
  EXPECT_EQ(2u, sandbox.messages().size());
  EXPECT_EQ(1, sandbox.messages()[0].edits) << "the root shows it, come what may";
}

TEST_F(SlackChannel, WhatSlackRefusedIsPostedAgain) {
  begin();
  sandbox.options().limit_first = 1;
  sandbox.options().retry_after_s = 3'600;
  auto reply = message(Form::kReply, "import.counted", "counted");
  const auto slower = send(reply);
  ASSERT_FALSE(slower);
  EXPECT_EQ(3'600s, slower.error().after.value());
  EXPECT_TRUE(slower.error().everyone) << "nothing goes to anybody for an hour";
  reply.attempt = 2;
  EXPECT_EQ("sent", why(send(reply)));
  ASSERT_EQ(2u, sandbox.messages().size());
  EXPECT_EQ(0, sandbox.messages()[0].edits);
}

TEST_F(SlackChannel, ARootThatMayHaveArrivedIsLookedForFirst) {
  for (const bool reads : {true, false}) {
    sandbox.options().history = reads;
    sandbox.options().drop_first += 1;
    auto first = message(Form::kRoot, "import.started", reads ? "seen" : "unseen");
    EXPECT_THAT(why(send(first)), HasSubstr("did not answer"));
    const auto posted = sandbox.messages().size();
    first.attempt = 2;
    const auto again = send(first);
    ASSERT_TRUE(again) << again.error().reason;
    EXPECT_EQ(reads ? posted : posted + 1, sandbox.messages().size());
    if (reads) EXPECT_EQ(sandbox.messages().back().channel + ":" + sandbox.messages().back().ts, again->ref);
  }
}

TEST_F(SlackChannel, ADeletedThreadLosesNoNews) {
  begin();
  sandbox.remove_message(sandbox.messages()[0].ts);
  EXPECT_EQ("sent", why(send(message(Form::kBroadcast, "import.completed", "done"))));
  ASSERT_EQ(1u, sandbox.messages().size());
  EXPECT_EQ("", sandbox.messages()[0].thread);
  loop.run_for(5s);
  const auto edit = send(message(Form::kEditRoot, "import.half_way", "half"));
  ASSERT_FALSE(edit);
  EXPECT_FALSE(edit.error().ever_again);
  EXPECT_THAT(edit.error().reason, HasSubstr("deleted"));
}

TEST_F(SlackChannel, SaysWhyNothingGoes) {
  begin();
  sandbox.options().html = "<html>maintenance</html>";
  EXPECT_THAT(why(send(message(Form::kReply, "import.counted", "a"))), HasSubstr("502 with text/html"));
  sandbox.options().html.clear();
  sandbox.archive_channel("imports");
  const auto archived = send(message(Form::kReply, "import.counted", "b"));
  EXPECT_THAT(why(archived), HasSubstr("archived"));
  EXPECT_FALSE(archived.error().ever_again);
  sandbox.remove_channel("imports");
  EXPECT_THAT(why(send(message(Form::kReply, "import.counted", "c"))), HasSubstr("channel_not_found"));
  sandbox.revoke();
  const auto revoked = send(message(Form::kReply, "import.counted", "d"));
  EXPECT_THAT(why(revoked), HasSubstr("install the app again"));
  EXPECT_TRUE(revoked.error().everyone);
  EXPECT_TRUE(revoked.error().ever_again) << "with a new token it goes";
}

TEST_F(SlackChannel, WhatConcernsAPlatformGoesToOps) {
  auto record = news("platform.outage", "Grain has not answered");
  record.import.clear();
  ASSERT_EQ(1u, channel->own(record).size());
  EXPECT_EQ("#ops", channel->own(record)[0].address);
  EXPECT_EQ(sandbox.channel_id("imports"), channel->own(news("import.started", "x"))[0].address);
}

}  // namespace
}  // namespace callimport::activities
