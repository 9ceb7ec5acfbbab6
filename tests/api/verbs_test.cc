// Every verb once over a finished import, and what must hold across them: one start a key, no secret anywhere, a watch
// that lives through a restart.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>

#include "storage/media/content_hash.h"
#include "tests/api/finished_import.h"

namespace callimport::tests {
namespace {

using nlohmann::json;

class Verbs : public FinishedImport<30, 5> {
 protected:
  static std::string first_call() { return read_json({"calls", "list", "--limit", "1", "-o", "json"})[0]["id"]; }
};

TEST_F(Verbs, SameKeyStartsOnce) {
  const auto again = house_->start();
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, id() + "\n") << "stdout is the id and nothing else";
  EXPECT_EQ(read_json({"list", "-o", "json"}).size(), 1u);
}

TEST_F(Verbs, ListInEveryFormat) {  // TL-03
  const auto all = read_json({"list", "-o", "json"});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["id"], id());
  EXPECT_EQ(all[0]["counters"]["found"], 30);
  EXPECT_EQ(read_json({"list", "-o", "jsonl"})["id"], id());
  const auto csv = house_->verb({"list", "-o", "csv"});
  EXPECT_EQ(csv.out.substr(0, 12), "id,platform,");
  EXPECT_EQ(house_->verb({"list", "-o", "none"}).out, "");
  EXPECT_EQ(read_json({"list", "--query", "WorkflowType = 'import'", "-o", "json"}).size(), 1u);
  EXPECT_EQ(read_json({"list", "--attention", "-o", "json"}).size(), 0u);
  const auto bad = house_->verb({"list", "--query", "Nope ="});
  EXPECT_EQ(bad.code, 2) << bad.err;
  const auto empty = house_->verb({"list", "--platform", "gong"});
  EXPECT_EQ(empty.code, 0) << "an empty result is no failure";
}

TEST_F(Verbs, FieldsPickColumnsInEveryFormat) {
  EXPECT_EQ(house_->verb({"list", "--fields", "found,id", "-o", "csv"}).out, "found,id\n30," + id() + "\n");
  EXPECT_EQ(house_->verb({"list", "--fields", "counters.found", "-o", "jsonl"}).out, "{\"counters.found\":30}\n");
  EXPECT_EQ(read_json({"show", id(), "--fields", "platform,found", "-o", "json"}),
            (json{{"platform", "grain"}, {"found", 30}}));
  const auto text = house_->verb({"list", "--fields", "id,found"});
  EXPECT_EQ(text.out.substr(0, 2), "ID") << text.out;
  EXPECT_NE(text.out.find("30"), std::string::npos);
  const auto unknown = house_->verb({"list", "--fields", "id,nope"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(unknown.out, "");
  EXPECT_NE(unknown.err.find("no field \"nope\"; there are: id, platform"), std::string::npos) << unknown.err;
}

TEST_F(Verbs, ListByOwner) {
  const auto owner = read_json({"list", "-o", "json"})[0]["started_by"].get<std::string>();
  EXPECT_EQ(read_json({"list", "--owner", owner, "-o", "json"}).size(), 1u);
  EXPECT_EQ(read_json({"list", "--owner", owner + "x", "-o", "json"}).size(), 0u);
}

TEST_F(Verbs, ShowWebPrintsThePageAndItsAddressIsAnId) {  // X-07, TH-04
  const auto none = house_->verb({"show", id(), "--web"});
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.err.find("web_url"), std::string::npos) << none.err;
  const auto config = house_->scratch() / "web.toml";
  write_file(config, "[profile.default]\nweb_url = \"http://127.0.0.1:8233/\"\n");
  const auto page = "http://127.0.0.1:8233/namespaces/default/workflows/" + id();
  EXPECT_EQ(house_->verb({"show", id(), "--web", "--config-file", config}).out, page + "\n");
  EXPECT_NE(house_->verb({"show", page, "--config-file", config}).out.find(page), std::string::npos);
}

TEST_F(Verbs, ShowAnswersByPrefixInItsForms) {
  const auto screen = house_->verb({"show", id().substr(0, 10)});
  EXPECT_EQ(screen.code, 0) << screen.err;
  for (const char* text : {"found 30 = registered", "Adding to the library", "acme"})
    EXPECT_NE(screen.out.find(text), std::string::npos) << screen.out;
  EXPECT_NE(screen.err.find("next: callimport"), std::string::npos);
  EXPECT_LE(std::count(screen.out.begin(), screen.out.end(), '\n'), 24) << "one screen";
  const auto whole = read_json({"show", id(), "-o", "json"});
  const auto gaps = whole["problems"].size();
  EXPECT_EQ(house_->verb({"show", id(), "--exit-status"}).code, gaps == 0 ? 0 : 5);
  const auto timeline = read_json({"show", id(), "--timeline", "-o", "json"});
  EXPECT_GT(timeline.size(), 6u);
  const auto calls = read_json({"show", id(), "--calls", "-o", "json"});
  EXPECT_EQ(calls.size(), 30u);
  const auto one = house_->verb({"show", id(), "--call", calls[0]["source_id"]});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(house_->verb({"show", id(), "--call", "nope"}).code, 1);
  EXPECT_EQ(house_->verb({"show", id(), "--problems"}).code, 0);
  EXPECT_GT(read_json({"show", id(), "--notifications", "-o", "json"}).size(), 2u);
}

TEST_F(Verbs, AWeekOfMessagesIsCountedAndNothingIsSent) {  // N-09, ST-01
  const auto sent = read_json({"notifications", "list", "--limit", "1000", "-o", "json"});
  const auto week = read_json({"notifications", "preview", "--week", "-o", "json"});
  ASSERT_EQ(week.size(), 1u) << "the log is the only channel here: " << week;
  EXPECT_EQ(week[0]["channel"], "log");
  EXPECT_GT(week[0]["messages"].get<int>(), 2);
  EXPECT_GE(week[0]["records"].get<int>(), week[0]["messages"].get<int>());
  EXPECT_EQ(read_json({"notifications", "list", "--limit", "1000", "-o", "json"}).size(), sent.size());
  const std::string rules = house_->data() + "/rules.toml";
  std::ofstream(rules) << "[people.ana]\nmail = \"ana@example.test\"\nlevel = \"everything\"\n";
  EXPECT_EQ(house_->verb({"notifications", "preview", "--week", "--rules", rules}).code, 0);
  std::ofstream(rules) << "[people.ana]\nlevel = \"loud\"\n";
  const auto wrong = house_->verb({"notifications", "preview", "--week", "--rules", rules});
  EXPECT_NE(wrong.code, 0);
  EXPECT_NE(wrong.err.find("rules:2"), std::string::npos) << wrong.err;
  EXPECT_NE(house_->verb({"notifications", "preview", "--week", "--rules", house_->data() + "/none"}).code, 0);
  for (const auto& file : std::filesystem::directory_iterator(house_->data()))
    EXPECT_FALSE(file.path().filename().string().starts_with("forecast-")) << file.path();
}

TEST_F(Verbs, BudgetsShowWhatIsUsed) {  // PM-04
  const auto all = read_json({"budgets", "-o", "json"});
  ASSERT_EQ(all.size(), 3u) << all;
  EXPECT_EQ(all[0]["what"], "calls of first lanes");
  EXPECT_EQ(all[0]["limit"], 100'000);
  EXPECT_EQ(all[0]["used"], 30);
  EXPECT_EQ(all[1]["what"], "calls of bulk");
  EXPECT_EQ(all[1]["limit"], 5'000);
  EXPECT_EQ(all[1]["period_s"], 12 * 3'600);
  EXPECT_EQ(all[2]["workspace"], "acme");
  EXPECT_EQ(all[2]["what"], "requests");
  EXPECT_GT(all[2]["limit"].get<int>(), 300) << "the sandbox says that it has no limit";
  EXPECT_EQ(read_json({"budgets", "--workspace", "acme", "-o", "json"}).size(), 1u);
  const auto table = house_->verb({"budgets"});
  for (const char* text : {"this installation", "grain acme", "5,000 in 12 hours"})
    EXPECT_NE(table.out.find(text), std::string::npos) << table.out;
}

TEST_F(Verbs, IdsThatAreNone) {
  EXPECT_EQ(house_->verb({"show", "imp_nope"}).code, 1);
  const auto long_id = house_->verb({"show", std::string(10'000, 'x')});
  EXPECT_EQ(long_id.code, 2);
  EXPECT_LT(long_id.err.size(), 500u) << "a long id is not said back";
  EXPECT_EQ(house_->verb({"watch", "imp_nope"}).code, 1);
  EXPECT_EQ(house_->verb({"cancel", "imp_nope", "--yes"}).code, 1);
  EXPECT_EQ(house_->verb({"calls", "show", "call_nope"}).code, 1);
  EXPECT_EQ(house_->verb({"calls", "show", std::string(10'000, 'x')}).code, 2);
  EXPECT_EQ(house_->verb({"credentials", "remove", "cred_nope", "--yes"}).code, 1);
}

TEST_F(Verbs, CallsAreListedShownSearchedPlayedAndExported) {
  const auto call = first_call();
  const auto whole = read_json({"calls", "show", call, "-o", "json"});
  ASSERT_GT(whole["segments"].size(), 0u);
  const auto shown = house_->verb({"calls", "show", call.substr(0, 12)});
  EXPECT_NE(shown.out.find(whole["segments"][0]["speaker"].get<std::string>()), std::string::npos);
  const auto hits = read_json({"calls", "search", "the", "--limit", "3", "-o", "json"});
  ASSERT_EQ(hits.size(), 3u);
  for (const char* key : {"call", "speaker", "at_s", "text"}) EXPECT_TRUE(hits[0].contains(key)) << key;
  EXPECT_EQ(house_->verb({"calls", "search", "xyzzyxyzzy"}).code, 0);
  if (whole.contains("media")) {
    const auto played = house_->verb({"calls", "play", call});
    EXPECT_EQ(played.code, 0) << played.err;
    const auto path = played.out.substr(0, played.out.find('\n'));
    EXPECT_EQ(read_file(path).size(), whole["media"]["bytes"].get<std::size_t>());
    const auto to = house_->scratch() / "copy";
    EXPECT_EQ(house_->verb({"calls", "export", call, "--what", "media", "--to", to}).code, 0);
    EXPECT_EQ(read_file(to), read_file(path));
  }
  EXPECT_EQ(read_json({"calls", "export", call})["id"], call);
  const auto transcript = house_->verb({"calls", "export", call, "--what", "transcript"});
  EXPECT_NE(transcript.out.find(whole["segments"][0]["text"].get<std::string>()), std::string::npos);
}

TEST_F(Verbs, HistoryIsExportedAndReplaysTheSame) {
  const auto to = house_->scratch() / "history.json";
  ASSERT_EQ(house_->verb({"history", "export", id(), "--to", to}).code, 0);
  const auto again = house_->verb({"history", "replay", to});
  EXPECT_EQ(again.code, 0) << again.out << again.err;
  auto changed = json::parse(read_file(to));
  for (auto& event : changed["events"]) {
    if (!event.contains("activityTaskScheduledEventAttributes")) continue;
    event["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "another.step";
    break;
  }
  write_file(to, changed.dump());
  const auto different = house_->verb({"history", "replay", to});
  EXPECT_EQ(different.code, 6) << different.out << different.err;
  EXPECT_NE(different.out.find("expected:"), std::string::npos) << different.out;
  EXPECT_NE(different.out.find("another.step"), std::string::npos) << different.out;
}

TEST_F(Verbs, ClosedImportsCannotBeCancelled) {
  const auto ran = house_->verb({"cancel", id(), "--yes"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("has ended"), std::string::npos);
}

TEST_F(Verbs, QuestionsAreNotAskedWithoutATerminal) {
  const auto ran = house_->verb({"credentials", "remove", "cred_"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("--yes"), std::string::npos);
}

TEST_F(Verbs, NoSecretIsAnywhere) {
  const std::string token(simulations::kGrainSandboxToken);
  for (const auto& args : std::vector<std::vector<std::string>>{{"credentials", "list"},
                                                                {"credentials", "list", "-o", "json"},
                                                                {"show", id(), "-o", "json"},
                                                                {"show", id(), "--timeline"},
                                                                {"show", id(), "--notifications"},
                                                                {"history", "export", id()}}) {
    const auto ran = house_->verb(args);
    EXPECT_EQ((ran.out + ran.err).find(token), std::string::npos) << args[0];
    EXPECT_EQ((ran.out + ran.err).find("/cdn/"), std::string::npos) << "a signed link in " << args[0];
  }
  EXPECT_FALSE(found_below(house_->data(), token));
  EXPECT_FALSE(found_below(house_->data(), "/cdn/recordings/")) << "a signed link at rest";
  EXPECT_EQ((house_->server().out() + house_->server().err()).find(token), std::string::npos);
}

/// An import that stands still, its sandbox holding one answer back, with somebody watching it.
struct Watched {
  explicit Watched(std::uint64_t seed) : house(100, seed) {
    EXPECT_TRUE(house.serve());
    house.sandbox().arm(60, [this] { gate.get_future().wait(); });
    EXPECT_EQ(house.start().code, 0);
    Command command{{"watch", house.import(), "--data", house.data(), "-o", "jsonl"}, {}, {}, false, {}, 0, true};
    watching = std::make_unique<Process>(callimport_binary(), std::move(command), house.scratch());
    EXPECT_NE(watching->wait_ready().find(house.import()), std::string::npos);
  }
  std::promise<void> gate;
  House house;
  std::unique_ptr<Process> watching;
};

TEST(Watch, LivesThroughARestartAndSaysSo) {  // X-05, TW-04
  Watched watched(6);
  watched.house.server().kill_hard();
  watched.gate.set_value();
  ASSERT_TRUE(watched.house.serve());
  const int code = watched.watching->wait();
  const auto said = watched.watching->err();
  EXPECT_TRUE(code == 0 || code == 5) << code << said;
  EXPECT_NE(said.find("live updates lost"), std::string::npos) << said;
  EXPECT_NE(said.find("live updates are back"), std::string::npos) << said;
  watched.house.expect_whole();
}

TEST(Watch, CtrlCStopsWatchingAndNotTheImport) {
  Watched watched(8);
  watched.watching->signal(SIGINT);
  EXPECT_EQ(watched.watching->wait(), 130);
  EXPECT_NE(watched.watching->err().find("the import goes on"), std::string::npos) << watched.watching->err();
  watched.gate.set_value();
  ASSERT_TRUE(watched.house.follow());
  watched.house.expect_whole();
}

TEST(Cancel, StopsAnImportAndKeepsWhatCame) {
  std::promise<void> gate;
  House house(400, 9);
  ASSERT_TRUE(house.serve());
  house.sandbox().arm(600, [&gate] { gate.get_future().wait(); });
  ASSERT_EQ(house.start().code, 0);
  const auto cancelled = house.verb({"cancel", house.import(), "--yes", "--reason", "a test"});
  ASSERT_EQ(cancelled.code, 0) << cancelled.err;
  gate.set_value();
  ASSERT_TRUE(house.follow());
  const auto shown = house.verb({"show", house.import(), "--exit-status"});
  EXPECT_EQ(shown.code, 3) << shown.out << shown.err;
}

TEST(Credentials, ExpiredTokenWaitsForARenewedOne) {
  House house(60, 10, 40);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  const auto waiting = house.verb({"watch", house.import(), "--exit-status"});
  ASSERT_EQ(waiting.code, 8) << waiting.err;
  EXPECT_NE(waiting.err.find("access.expired"), std::string::npos) << waiting.err;
  const auto attention = house.verb({"list", "--attention", "-o", "csv"});
  EXPECT_NE(attention.out.find(house.import()), std::string::npos);
  // A token that the platform does not take is told apart before the import hears of it.
  const auto bad = house.verb({"credentials", "replace", house.credential(), "--token-stdin"}, "grain_pat_bad\n");
  EXPECT_EQ(bad.code, 4) << bad.out << bad.err;
  EXPECT_NE(bad.err.find("Grain no longer accepts the token"), std::string::npos) << bad.err;
  EXPECT_NE(bad.err.find("no import was told"), std::string::npos) << bad.err;
  EXPECT_NE(bad.err.find("next: callimport credentials renew " + house.credential()), std::string::npos) << bad.err;
  EXPECT_EQ(bad.err.find("grain_pat_bad"), std::string::npos) << bad.err;
  const auto json =
      house.verb({"credentials", "replace", house.credential(), "--token-stdin", "-o", "json"}, "grain_pat_bad\n");
  EXPECT_EQ(json.code, 4) << json.out << json.err;
  const auto error = nlohmann::json::parse(json.err, nullptr, false);
  ASSERT_TRUE(error.is_object()) << json.err;
  EXPECT_EQ(error["code"], "access.expired");
  EXPECT_EQ(json.err.find("grain_pat_bad"), std::string::npos) << json.err;
  const auto renewed = house.renew_token();
  ASSERT_EQ(renewed.code, 0) << renewed.err;
  EXPECT_NE(renewed.err.find("1 import(s) go on"), std::string::npos) << renewed.err;
  ASSERT_TRUE(house.follow());
  house.expect_whole();
}

TEST(Quarantine, ListsEachBrokenRecordingWithItsHash) {
  auto options = House::options_for(40, 10);
  options.generated.broken_percent = 30;
  House house(options);
  ASSERT_TRUE(house.serve());
  ASSERT_EQ(house.start().code, 0);
  ASSERT_TRUE(house.follow());
  const auto listed = house.verb({"quarantine", "list", "--import", house.import(), "-o", "jsonl"});
  ASSERT_EQ(listed.code, 0) << listed.err;
  std::istringstream lines(listed.out);
  int files = 0;
  for (std::string line; std::getline(lines, line); ++files) {
    const auto file = nlohmann::json::parse(line);
    EXPECT_TRUE(file["cause"].get<std::string>().starts_with("media.")) << line;
    EXPECT_FALSE(file["detail"].get<std::string>().empty()) << line;
    EXPECT_EQ(storage::content_hash(read_file(file["path"].get<std::string>())), file["sha256"].get<std::string>())
        << line;
  }
  EXPECT_GE(files, 5);
  const auto problems = house.verb({"show", house.import(), "--problems", "-o", "json"});
  EXPECT_NE(problems.err.find("callimport quarantine list --import"), std::string::npos) << problems.err;
  const auto first = nlohmann::json::parse(problems.out, nullptr, false).at(0);  // ID-07
  EXPECT_EQ(first["new"], true) << problems.out;
  EXPECT_TRUE(first["came_back"].is_null()) << problems.out;
}

}  // namespace
}  // namespace callimport::tests
