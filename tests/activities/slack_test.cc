// What is sent to Slack and what its answers mean: limits (ux 2.9, 5.5), escapes, and a sandbox that enforces them.
#include "simulations/sandboxes/slack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "activities/notify/slack_api.h"
#include "activities/notify/slack_blocks.h"
#include "api/http/slack_signature.h"
#include "simulations/sandboxes/in_process.h"
#include "tests/activities/waiting.h"

namespace callimport::activities {
namespace {

using nlohmann::json;
using simulations::slack_fault;
using simulations::SlackOptions;
using simulations::SlackSandbox;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'788'220'800'000;

SlackPost whole_post() {
  SlackPost post;
  post.title = "[Calls] Northwind · Gong import #4821";
  post.news = {"4,212 calls found.", "Fetching begins.", "Nothing to do."};
  post.fields = {{"State", "Running"}, {"Stage", "Fetching recordings"}, {"Done", "2,611 of 4,212"}};
  post.times = {{"Started", kNow}, {"ETA", kNow + 3'600'000}};
  post.percent = 62;
  post.updated_ms = kNow;
  post.link = "https://calls.example.com/imports/imp_1";
  post.buttons = {{.text = "Open", .action = "", .url = post.link},
                  {.text = "Pause", .action = "import.pause", .value = "imp_1"}};
  return post;
}

struct PostRow {
  const char* name;
  SlackPost post;
};
void PrintTo(const PostRow& row, std::ostream* out) { *out << row.name; }

SlackPost with(void (*change)(SlackPost&)) {
  SlackPost post = whole_post();
  change(post);
  return post;
}

class AnyPost : public testing::TestWithParam<PostRow> {};

/// ux 2.9: whatever is in it, Slack takes it, and the text says the news without the blocks.
TEST_P(AnyPost, IsWithinSlacksLimits) {
  const auto payload = slack_payload(GetParam().post);
  EXPECT_EQ("", slack_fault(payload)) << payload.dump(2, ' ', false, json::error_handler_t::replace);
  EXPECT_FALSE(payload["text"].get<std::string>().empty());
  EXPECT_EQ(false, payload["unfurl_links"]);
  if (!payload.contains("blocks")) return;
  const auto all = payload["blocks"].dump(-1, ' ', false, json::error_handler_t::replace);
  EXPECT_LE(all.size(), kSlackAllMax);
}

INSTANTIATE_TEST_SUITE_P(
    Table, AnyPost,
    testing::Values(
        PostRow{"Usual", whole_post()}, PostRow{"Empty", SlackPost{}},
        PostRow{"LongTitle", with([](SlackPost& post) { post.title = std::string(5'000, 'T'); })},
        PostRow{"LongTitleOfManyBytes", with([](SlackPost& post) {
                  post.title.clear();
                  for (int i = 0; i < 500; ++i) post.title += "ü";
                })},
        PostRow{"LongNews",
                with([](SlackPost& post) { post.news = {std::string(50'000, '&'), std::string(9'000, '<')}; })},
        PostRow{"ManyFields", with([](SlackPost& post) {
                  for (int i = 0; i < 30; ++i) post.fields.emplace_back("Label", std::string(5'000, '>'));
                })},
        PostRow{"ManyLines", with([](SlackPost& post) {
                  for (int i = 0; i < 20'000; ++i) post.list.push_back("line " + std::to_string(i) + " <&>");
                })},
        PostRow{"FewHugeLines", with([](SlackPost& post) { post.list.assign(40, std::string(20'000, '&')); })},
        PostRow{"BrokenUtf8", with([](SlackPost& post) { post.news = {"a\xff\xfe\xc3 b"}; })},
        PostRow{"LongButtons", with([](SlackPost& post) {
                  post.buttons = {
                      {.text = std::string(400, 'b'), .action = "import.pause", .value = std::string(3'000, 'v')},
                      {.text = std::string(400, 'b'), .action = "import.resume", .value = "imp_1"},
                      {.text = "Open", .action = "", .url = "javascript:alert(1)"}};
                })}),
    [](const auto& test) { return test.param.name; });

TEST(SlackBlocks, ListsAreCutByWholeLinesAndSayHowManyAreLeft) {
  SlackPost post = whole_post();
  for (int i = 0; i < 2'000; ++i) post.list.push_back("gap number " + std::to_string(i));
  const auto blocks = slack_payload(post)["blocks"];
  std::size_t told = 0, left = 0;
  for (const auto& block : blocks) {
    if (block["type"] != "section" || !block.contains("text")) continue;
    const std::string text = block["text"]["text"];
    for (std::size_t at = text.find("gap number"); at != std::string::npos; at = text.find("gap number", at + 1))
      ++told;
    const auto more = text.find("|and ");
    if (more != std::string::npos) left = std::stoul(text.substr(more + 5));
  }
  EXPECT_GT(told, 100u);
  EXPECT_EQ(2'000u, told + left);
}

TEST(SlackBlocks, NothingInATextIsMarkup) {
  SlackPost post = whole_post();
  post.news = {"<!channel> <@U1> & <http://evil.example|here>\nsecond line"};
  post.fields = {{"Owner", "<!here>"}};
  const auto text = slack_payload(post).dump();
  EXPECT_THAT(text, Not(HasSubstr("<!channel>")));
  EXPECT_THAT(text, Not(HasSubstr("<!here>")));
  EXPECT_THAT(text, Not(HasSubstr("<http://evil")));
  EXPECT_THAT(text, HasSubstr("&lt;!channel&gt; &lt;@U1&gt; &amp;"));
}

TEST(SlackBlocks, TimesAreTheReadersOwn) {
  EXPECT_EQ("<!date^1788220800^{date_short_pretty} {time}|2026-09-01T00:00:00Z>", slack_time(kNow));
  EXPECT_EQ("▓▓▓▓░░░░ 62 %", slack_bar(62));
  EXPECT_EQ("▓▓▓▓▓▓▓▓ 100 %", slack_bar(140));
}

struct AnswerRow {
  const char* name;
  int status;
  const char *type, *retry_after, *body;
  SlackOutcome outcome;
  const char* reason;
};
void PrintTo(const AnswerRow& row, std::ostream* out) { *out << row.name; }
class SlackAnswers : public testing::TestWithParam<AnswerRow> {};

TEST_P(SlackAnswers, AreUnderstood) {
  const auto& row = GetParam();
  HttpReply reply;
  reply.status = row.status;
  reply.body = row.body;
  if (*row.type != 0) reply.headers.emplace_back("content-type", row.type);
  if (*row.retry_after != 0) reply.headers.emplace_back("retry-after", row.retry_after);
  const auto answer = read_slack_answer(reply);
  EXPECT_EQ(static_cast<int>(row.outcome), static_cast<int>(answer.outcome));
  EXPECT_THAT(answer.reason, HasSubstr(row.reason));
}

INSTANTIATE_TEST_SUITE_P(
    Table, SlackAnswers,
    testing::Values(AnswerRow{"Done", 200, "application/json", "", R"({"ok":true,"channel":"C1","ts":"1.2"})",
                              SlackOutcome::kDone, ""},
                    AnswerRow{"Slower", 429, "application/json", "7", R"({"ok":false,"error":"ratelimited"})",
                              SlackOutcome::kSlower, "7 s"},
                    AnswerRow{"SlowerForAWhileUnsaid", 429, "", "soon", "", SlackOutcome::kSlower, "30 s"},
                    AnswerRow{"Revoked", 200, "application/json", "", R"({"ok":false,"error":"token_revoked"})",
                              SlackOutcome::kNoAccess, "install the app again"},
                    AnswerRow{"ChannelGone", 200, "application/json", "", R"({"ok":false,"error":"channel_not_found"})",
                              SlackOutcome::kNoChannel, "channel_not_found"},
                    AnswerRow{"NotInvited", 200, "application/json", "", R"({"ok":false,"error":"not_in_channel"})",
                              SlackOutcome::kNotDone, "invite the bot"},
                    AnswerRow{"MessageGone", 200, "application/json", "", R"({"ok":false,"error":"message_not_found"})",
                              SlackOutcome::kNoMessage, "deleted"},
                    AnswerRow{"BlocksRefused", 200, "application/json", "",
                              R"({"ok":false,"error":"msg_blocks_too_long"})", SlackOutcome::kNotAsBlocks, ""},
                    AnswerRow{"Unknown", 200, "application/json", "", R"({"ok":false,"error":"x <!channel>"})",
                              SlackOutcome::kNotDone, "Slack: x   channel "},
                    AnswerRow{"Html", 502, "text/html; charset=utf-8", "", "<html>gateway</html>",
                              SlackOutcome::kUnclear, "502 with text/html in the place of JSON"},
                    AnswerRow{"NotFoundPage", 404, "text/html", "", "<html>", SlackOutcome::kNotDone, "404"},
                    AnswerRow{"NotAnObject", 200, "application/json", "", "[1]", SlackOutcome::kUnclear,
                              "in the place of JSON"},
                    AnswerRow{"NoWord", 200, "application/json", "", R"({"ok":false,"error":7})",
                              SlackOutcome::kNotDone, "no word why"}),
    [](const auto& test) { return test.param.name; });

TEST(SlackSignatures, AreGoodOnceAndForFiveMinutes) {
  const Timestamp now = from_unix_ms(kNow);
  const std::string at = std::to_string(kNow / 1'000), body = "payload=%7B%7D";
  const auto good = api::slack_signature("secret", at, body);
  const auto why = [](const Result<>& checked) { return checked ? std::string("taken") : checked.error().message; };
  api::SlackSignatures signatures("secret");
  EXPECT_THAT(why(signatures.check("", "", body, now)), HasSubstr("no signature"));
  EXPECT_THAT(why(signatures.check(at, "v0=00", body, now)), HasSubstr("not Slack's"));
  EXPECT_THAT(why(signatures.check(at, api::slack_signature("other", at, body), body, now)), HasSubstr("not Slack's"));
  EXPECT_THAT(why(signatures.check(at, good, body + "x", now)), HasSubstr("not Slack's"));
  EXPECT_THAT(why(signatures.check("99999999999999999999", good, body, now)), HasSubstr("its time"));
  EXPECT_THAT(why(signatures.check(at, good, body, now + std::chrono::seconds{301})), HasSubstr("five minutes"));
  EXPECT_THAT(why(signatures.check(at, good, body, now - std::chrono::seconds{301})), HasSubstr("five minutes"));
  EXPECT_EQ("taken", why(signatures.check(at, good, body, now)));
  EXPECT_THAT(why(signatures.check(at, good, body, now)), HasSubstr("replay"));
  EXPECT_THAT(why(signatures.check(at, good, body, now + std::chrono::seconds{300})), HasSubstr("replay"));
}

/// The vector of Slack's own page about verifying requests.
TEST(SlackSignatures, AreThoseOfSlacksDocumentation) {
  EXPECT_EQ(
      "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
      api::slack_signature(
          "8f742231b10e8888abcd99yyyzzz85a5", "1531420618",
          "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&"
          "channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
          "response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
          "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"));
}

/// The API against the sandbox, in virtual time.
class SlackTogether : public testing::Test {
 protected:
  SlackAnswer call(const std::string& method, json body) { return run_on(loop, api.call(method, std::move(body))); }
  json message(const std::string& text) { return {{"channel", "#imports"}, {"text", text}}; }

  simulations::SimLoop loop;
  SlackSandbox sandbox{SlackOptions{}};
  simulations::SandboxHttp http{sandbox, loop};
  SlackApi api{http, storage::Secret(std::string(simulations::kSlackSandboxToken)), "http://slack.test/api/"};
};

TEST_F(SlackTogether, PostsEditsAndAnswersInThreads) {
  const auto root = call("chat.postMessage", message("root"));
  ASSERT_EQ(SlackOutcome::kDone, root.outcome) << root.reason;
  EXPECT_EQ(sandbox.channel_id("imports"), root.channel);
  EXPECT_EQ(SlackOutcome::kSlower, call("chat.postMessage", message("at once")).outcome) << "one message a second";
  EXPECT_EQ(SlackOutcome::kDone,
            call("chat.update", {{"channel", root.channel}, {"ts", root.ts}, {"text", "edited"}}).outcome);
  auto reply = message("reply");
  reply["thread_ts"] = "1.000";
  loop.run_for(std::chrono::seconds{1});
  EXPECT_EQ(SlackOutcome::kNoMessage, call("chat.postMessage", reply).outcome);
  reply["thread_ts"] = root.ts;
  EXPECT_EQ(SlackOutcome::kDone, call("chat.postMessage", reply).outcome);
  ASSERT_EQ(2u, sandbox.messages().size());
  EXPECT_EQ(1, sandbox.messages()[0].edits);
  EXPECT_EQ(root.ts, sandbox.messages()[1].thread);
}

TEST_F(SlackTogether, SaysWhyNothingGoes) {
  EXPECT_EQ(SlackOutcome::kNoChannel, call("chat.postMessage", {{"channel", "#gone"}, {"text", "x"}}).outcome);
  sandbox.archive_channel("ops");
  EXPECT_EQ(SlackOutcome::kNoChannel, call("chat.postMessage", {{"channel", "#ops"}, {"text", "x"}}).outcome);
  sandbox.options().html = "<html>";
  EXPECT_THAT(call("chat.postMessage", message("x")).reason, HasSubstr("502 with text/html"));
  sandbox.options().html = "";
  sandbox.options().drop_first = 1;
  EXPECT_EQ(SlackOutcome::kUnclear, call("chat.postMessage", message("x")).outcome);
  EXPECT_EQ(1u, sandbox.messages().size()) << "it had arrived";
  sandbox.revoke();
  const auto revoked = call("chat.postMessage", message("x"));
  EXPECT_EQ(SlackOutcome::kNoAccess, revoked.outcome);
  EXPECT_THAT(revoked.reason, Not(HasSubstr("xoxb")));
}

TEST_F(SlackTogether, PressesAreSignedAsSlackDoes) {
  const auto payload = slack_payload(whole_post());
  json body = payload;
  body["channel"] = "#imports";
  const auto root = call("chat.postMessage", body);
  ASSERT_EQ(SlackOutcome::kDone, root.outcome) << root.reason;
  const auto press = sandbox.press(root.ts, "import.pause", "U0ANA", loop.now());
  api::SlackSignatures signatures{std::string(simulations::kSlackSandboxSecret)};
  EXPECT_TRUE(signatures.check(simulations::find_header(press.headers, "x-slack-request-timestamp"),
                               simulations::find_header(press.headers, "x-slack-signature"), press.body, loop.now()));
  EXPECT_THAT(press.body, HasSubstr("imp"));
}

}  // namespace
}  // namespace callimport::activities
