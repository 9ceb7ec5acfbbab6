// The real binary without a server, or with one that cannot start: exit codes, streams, and texts that say what to do.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/api/certificates.h"
#include "tests/spine/process.h"

namespace callimport::tests {
namespace {

constexpr const char* kPlanted = "grain_pat_planted1_ThisIsThePlantedSecretOfTheTests000000";

struct UsageRow {
  const char* name;
  std::vector<std::string> args;
  int code;
  std::string out, err;  ///< texts that must be there
};
void PrintTo(const UsageRow& row, std::ostream* out) { *out << row.name; }

class Usage : public testing::TestWithParam<UsageRow> {};

TEST_P(Usage, SaysSo) {
  const auto& row = GetParam();
  const Scratch scratch;
  Command command{row.args, {{"CALLIMPORT_DATA", scratch / "none"}}, {}, false, {}, 0, false};
  const auto ran = run(callimport_binary(), command, scratch);
  EXPECT_EQ(ran.code, row.code) << ran.err;
  EXPECT_NE(ran.out.find(row.out), std::string::npos) << ran.out;
  EXPECT_NE(ran.err.find(row.err), std::string::npos) << ran.err;
  if (row.code != 0)
    EXPECT_TRUE(ran.out.empty() || row.args.empty()) << "data on stdout of a failed command: " << ran.out;
}

const std::string kLong(10'000, 'x');

INSTANTIATE_TEST_SUITE_P(
    Table, Usage,
    testing::Values(
        UsageRow{"VersionIsData", {"version"}, 0, "callimport 0.", ""},
        UsageRow{"HelpLeadsWithExamples", {"--help"}, 0, "Examples:\n  callimport serve", ""},
        UsageRow{"VerbHelpLeadsWithExamples", {"start", "--help"}, 0, "Examples:\n  callimport start", ""},
        UsageRow{"HelpOfAVerbByName", {"help", "calls", "search"}, 0, "callimport calls search", ""},
        UsageRow{"HelpStages", {"help", "stages"}, 0, "authenticate", ""},
        UsageRow{"HelpExitCodes", {"help", "exit-codes"}, 0, "finished with gaps", ""},
        UsageRow{"HelpEnvironment", {"help", "environment"}, 0, "CALLIMPORT_DATA", ""},
        UsageRow{"UnknownFlag", {"list", "--no-such-flag"}, 2, "", "next: callimport list --help"},
        UsageRow{"UnknownCommandSuggestsTheNearest", {"strat"}, 2, "", "callimport start"},
        UsageRow{"UnknownSubcommandSuggestsTheNearest", {"calls", "serch"}, 2, "", "callimport calls search"},
        UsageRow{"NothingNear", {"zzzzzzzz"}, 2, "", "next: callimport --help"},
        UsageRow{"MissingArgument", {"watch"}, 2, "", "next: callimport watch --help"},
        UsageRow{"ValueOutOfRange", {"serve", "--port", "70000"}, 2, "", "--port"},
        UsageRow{"OutputOfNoKind", {"-o", "xml", "list"}, 2, "", "xml"},
        UsageRow{"NoServer", {"list"}, 1, "", "next: callimport serve"},
        UsageRow{"IdOfTenThousandCharacters", {"show", kLong}, 1, "", "no server runs"},
        UsageRow{"CommandOfTenThousandCharacters", {kLong}, 2, "", "no command"},
        UsageRow{"ReplayOfNoFile", {"history", "replay", "/nonexistent/file"}, 2, "", "cannot read /nonexistent/file"},
        UsageRow{"ReplayOfAFolder", {"history", "replay", "/usr"}, 2, "", "it is a folder"},
        UsageRow{"UnknownPlatform", {"start", "--platform", "gramophone"}, 2, "", "there are: grain"},
        UsageRow{"HelpWindows", {"help", "windows"}, 0, "closed 2026-12-24..2026-12-26", ""},
        UsageRow{"ZoneThatDoesNotExist",
                 {"start", "--platform", "grain", "--customer", "A", "--zone", "Europe/Madird"},
                 2,
                 "",
                 "did you mean Europe/Madrid?"},
        UsageRow{"WindowThatNeverOpens",
                 {"start", "--platform", "grain", "--customer", "A", "--window", "open 2020-01-01 08:00-12:00"},
                 2,
                 "",
                 "never opens"},
        UsageRow{"StartInThePast",
                 {"start", "--platform", "grain", "--customer", "A", "--at", "2020-01-01"},
                 2,
                 "",
                 "--at is in the past"},
        UsageRow{"OrderOfNoKind",
                 {"start", "--platform", "grain", "--customer", "A", "--order", "oldest"},
                 2,
                 "",
                 "newest, length, owner, account"},
        UsageRow{"FewerThanNoCallsFirst", {"start", "--platform", "grain", "--first", "-5"}, 2, "", "--first"},
        UsageRow{"NoSuchProfile", {"list", "--profile", "cloud"}, 2, "", "no profile cloud"},
        UsageRow{"UnreadableApiKey", {"list", "--api-key-file", "/nonexistent/key"}, 2, "", "cannot read /nonexistent"},
        UsageRow{"CertificateWithoutKey", {"list", "--tls-cert-path", "/etc/hostname"}, 2, "", "belong together"},
        UsageRow{"NoAddressAnswers",
                 {"list", "--address", "127.0.0.1:1", "--command-timeout", "5"},
                 1,
                 "",
                 "callimport doctor"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Cli, ErrorsAreJsonOnStderrWhenJsonWasAskedFor) {
  const Scratch scratch;
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"-o", "json", "list"}, {"list", "-o", "json", "--nonsense"}}) {
    const auto ran =
        run(callimport_binary(), {args, {{"CALLIMPORT_DATA", scratch / "none"}}, {}, false, {}, 0, false}, scratch);
    EXPECT_NE(ran.code, 0);
    EXPECT_EQ(ran.out, "");
    const auto error = nlohmann::json::parse(ran.err, nullptr, false);
    ASSERT_TRUE(error.is_object()) << ran.err;
    for (const char* key : {"code", "message", "next"}) EXPECT_TRUE(error.contains(key)) << key;
  }
}

struct ServeRow {
  const char* name;
  std::string config;  ///< content of the configuration; empty: none
  std::string err;
  int code;
};
void PrintTo(const ServeRow& row, std::ostream* out) { *out << row.name; }
class BadConfiguration : public testing::TestWithParam<ServeRow> {};

TEST_P(BadConfiguration, NamesFileAndLine) {
  const auto& row = GetParam();
  const Scratch scratch;
  write_file(scratch / "callimport.toml", row.config);
  const auto ran =
      run(callimport_binary(),
          {{"serve", "--data", scratch.path().string(), "--port", "0"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(ran.code, row.code);
  EXPECT_NE(ran.err.find("callimport.toml:" + row.err), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("next: "), std::string::npos) << ran.err;
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadConfiguration,
    testing::Values(
        ServeRow{"Unclosed", "[server\naddress = 1\n", "1: ", 2},
        ServeRow{"UnknownKey", "[server]\n\naddres = \"127.0.0.1:0\"\n", "3: no key addres in [server]", 2},
        ServeRow{"UnknownTable", "[sever]\nx = 1\n", "1: no table [sever]", 2},
        ServeRow{"WrongType", "[limits]\nactivities = \"many\"\n", "2: limits.activities must be a whole number", 2},
        ServeRow{"OutOfRange", "[limits]\nthreads = 0\n", "2: limits.threads must be a whole number from 1", 2},
        ServeRow{"ListOfNumbers", "[mail]\nto = [1]\n", "2: mail.to must be a list", 2}),
    [](const auto& test) { return std::string(test.param.name); });

/// A server that came up, was used by `with`, and was stopped by SIGTERM.
int served(const Scratch& scratch, const std::string& data) {
  Process server(callimport_binary(), {{"serve", "--data", data, "--port", "0"}, {}, {}, true, {}, 0, false}, scratch);
  EXPECT_FALSE(server.wait_ready().empty()) << server.err();
  server.signal(SIGTERM);
  return server.wait();
}

TEST(Serve, StopsWhenAsked) {
  const Scratch scratch;
  EXPECT_EQ(served(scratch, scratch / "data"), 0);
  EXPECT_EQ(served(scratch, scratch / "data"), 0) << "and starts again on the same folder";
}

TEST(Serve, KeepsItsFilesToItself) {
  const Scratch scratch;
  ASSERT_EQ(served(scratch, scratch / "data"), 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch / "data")) {
    struct stat facts{};
    ASSERT_EQ(::lstat(entry.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 077, 0u) << entry.path();
  }
}

TEST(Serve, SecondOnTheSameFolderSaysWhoHoldsIt) {
  const Scratch scratch;
  Process first(callimport_binary(), {{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, true, {}, 0, false},
                scratch);
  ASSERT_FALSE(first.wait_ready().empty()) << first.err();
  const auto second = run(callimport_binary(),
                          {{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.err.find("in use by callimport serve, process " + std::to_string(first.pid())), std::string::npos)
      << second.err;
  const auto answers =
      run(callimport_binary(), {{"list", "--data", scratch / "data"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(answers.code, 0) << "the first still serves: " << answers.err;
}

TEST(Serve, PortInUseIsNamed) {
  const Scratch scratch;
  Process first(callimport_binary(), {{"serve", "--data", scratch / "a", "--port", "0"}, {}, {}, true, {}, 0, false},
                scratch);
  const auto ready = nlohmann::json::parse(first.wait_ready());
  const std::string address = ready["grpc"];
  const auto port = address.substr(address.rfind(':') + 1);
  const auto second = run(callimport_binary(),
                          {{"serve", "--data", scratch / "b", "--port", port}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.err.find(address), std::string::npos) << second.err;
}

TEST(Serve, UnreadableDataFolder) {
  if (::getuid() == 0) {
    const Scratch scratch;
    std::filesystem::permissions(scratch.path(), std::filesystem::perms::all);
    std::filesystem::create_directory(scratch / "data");
    ASSERT_EQ(::chmod((scratch / "data").c_str(), 0), 0);
    Command command{{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, false, {}, 65534, false};
    const auto ran = run(callimport_binary(), command, scratch);
    if (ran.code == 127) GTEST_SKIP() << "the build folder is closed to other users, so the binary cannot run as one";
    EXPECT_EQ(ran.code, 1) << ran.err;
    EXPECT_NE(ran.err.find("cannot use the data folder"), std::string::npos) << ran.err;
    return;
  }
  const Scratch scratch;
  std::filesystem::create_directory(scratch / "data");
  ASSERT_EQ(::chmod((scratch / "data").c_str(), 0), 0);
  const auto ran = run(callimport_binary(),
                       {{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find("cannot use the data folder"), std::string::npos) << ran.err;
  ::chmod((scratch / "data").c_str(), 0700);
}

TEST(Serve, DataFolderThatIsAFile) {
  const Scratch scratch;
  write_file(scratch / "data", "a file");
  const auto ran = run(callimport_binary(),
                       {{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(ran.code, 1);
  EXPECT_NE(ran.err.find(scratch / "data"), std::string::npos) << ran.err;
  EXPECT_EQ(read_file(scratch / "data"), "a file");
}

TEST(Serve, DataFolderTooDeepForASocket) {
  const Scratch scratch;
  const auto ran =
      run(callimport_binary(),
          {{"serve", "--data", scratch / std::string(120, 'd'), "--port", "0"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(ran.code, 2);
  EXPECT_NE(ran.err.find("shorter data folder"), std::string::npos) << ran.err;
}

TEST(Serve, FullDiskSaysSoAndLosesNothing) {
  const Scratch scratch;
  ASSERT_EQ(served(scratch, scratch / "data"), 0);
  // No file may grow beyond 4 KiB from here on: the first write that does fails as on a full disk.
  Command command{{"serve", "--data", scratch / "fresh", "--port", "0"}, {}, {}, false, rlim_t{4096}, 0, false};
  const auto ran = run(callimport_binary(), command, scratch);
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_NE(ran.err.find("next: "), std::string::npos) << ran.err;
  EXPECT_EQ(served(scratch, scratch / "fresh"), 0) << "with room again it starts";
}

TEST(Serve, CorruptPageInTheJournalIsRefusedAndKept) {
  const Scratch scratch;
  ASSERT_EQ(served(scratch, scratch / "data"), 0);
  const auto path = scratch / "data/journal.db";
  auto bytes = read_file(path);
  ASSERT_GE(bytes.size(), 4096u);
  for (std::size_t at = 100; at < 4000; at += 7) bytes[at] = '\x5a';
  write_file(path, bytes);
  std::filesystem::remove(path + "-wal");
  const auto ran = run(callimport_binary(),
                       {{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_NE(ran.err.find("journal.db"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("backup"), std::string::npos) << "it says what to do: " << ran.err;
  EXPECT_EQ(read_file(path), bytes) << "the damaged file is left as it is";
  const auto doctor =
      run(callimport_binary(), {{"doctor", "--data", scratch / "data"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(doctor.code, 1);
  EXPECT_NE(doctor.out.find("journal.db"), std::string::npos) << doctor.out;
}

TEST(History, FileThatIsNone) {
  const Scratch scratch;
  for (const std::string& content : {std::string("not a history"), std::string(), std::string(100'000, '['),
                                     std::string("{\"events\": 7}"), std::string(3000, '\x80')}) {
    write_file(scratch / "file", content);
    const auto ran =
        run(callimport_binary(), {{"history", "replay", scratch / "file"}, {}, {}, false, {}, 0, false}, scratch);
    EXPECT_EQ(ran.code, 2) << content.substr(0, 20) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find("next: "), std::string::npos) << ran.err;
  }
}

struct TokenRow {
  const char* name;
  std::string token, err;
};
void PrintTo(const TokenRow& row, std::ostream* out) { *out << row.name; }
class BadToken : public testing::TestWithParam<TokenRow> {};

TEST_P(BadToken, IsRefusedUnshown) {
  const Scratch scratch;
  Process server(callimport_binary(),
                 {{"serve", "--data", scratch / "data", "--port", "0"}, {}, {}, true, {}, 0, false}, scratch);
  ASSERT_FALSE(server.wait_ready().empty()) << server.err();
  const auto& row = GetParam();
  const auto ran = run(callimport_binary(),
                       {{"credentials", "add", "--platform", "grain", "--token-stdin", "--data", scratch / "data"},
                        {},
                        row.token,
                        false,
                        {},
                        0,
                        false},
                       scratch);
  EXPECT_EQ(ran.code, 2) << ran.err;
  EXPECT_NE(ran.err.find(row.err), std::string::npos) << ran.err;
  EXPECT_EQ((ran.out + ran.err + server.err()).find("planted"), std::string::npos);
  server.signal(SIGTERM);
  server.wait();
  EXPECT_FALSE(found_below(scratch / "data", kPlanted));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadToken,
    testing::Values(TokenRow{"NewlineInside", std::string(kPlanted) + "\nsecond line\n", "line break"},
                    TokenRow{"CarriageReturnInside", std::string(kPlanted) + "\rmore", "line break"},
                    TokenRow{"Empty", "\n", "empty"}, TokenRow{"TooLong", std::string(17'000, 'x'), "16 KiB"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Completion, ScriptsParse) {
  const Scratch scratch;
  for (const std::string& shell : {std::string("bash"), std::string("zsh"), std::string("fish")}) {
    const auto made = run(callimport_binary(), {{"completion", shell}, {}, {}, false, {}, 0, false}, scratch);
    ASSERT_EQ(made.code, 0);
    EXPECT_NE(made.out.find("credentials"), std::string::npos);
    write_file(scratch / shell, made.out);
    for (const std::string& folder : {std::string("/bin/"), std::string("/usr/bin/")}) {
      if (!std::filesystem::exists(folder + shell)) continue;
      const auto parsed = run(folder + shell, {{"-n", scratch / shell}, {}, {}, false, {}, 0, false}, scratch);
      EXPECT_EQ(parsed.code, 0) << shell << ": " << parsed.err;
    }
  }
}

TEST(Manual, PagesOfEveryCommandAreGoodRoff) {
  const Scratch scratch;
  const auto one = run(callimport_binary(), {{"help", "--man", "start"}, {}, {}, false, {}, 0, false}, scratch);
  ASSERT_EQ(one.code, 0) << one.err;
  for (const char* text : {".TH \"callimport-start\" 1", ".SH EXAMPLES", "\\-\\-token\\-file", ".BR callimport (1)"})
    EXPECT_NE(one.out.find(text), std::string::npos) << text;
  const auto all =
      run(callimport_binary(), {{"help", "--man", "--to", scratch / "man1"}, {}, {}, false, {}, 0, false}, scratch);
  ASSERT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(read_file(scratch / "man1/callimport-start.1"), one.out);
  EXPECT_TRUE(std::filesystem::exists(scratch / "man1/callimport-calls-search.1"));
  if (!std::filesystem::exists("/usr/bin/groff")) GTEST_SKIP() << "needs groff to read the pages";
  for (const auto& page : std::filesystem::directory_iterator(scratch / "man1")) {
    const auto read =
        run("/usr/bin/groff", {{"-man", "-ww", "-z", "-Tascii", page.path()}, {}, {}, false, {}, 0, false}, scratch);
    EXPECT_EQ(read.code, 0) << page.path();
    EXPECT_EQ(read.err, "") << page.path();
  }
}

struct DevServerRow {
  const char* name;
  std::vector<std::string> flags;
  std::string err;  ///< what is said of them
};
/// Somebody's script starts `temporal server start-dev` with these.
TEST(Serve, TakesTheDevServersFlags) {
  const Scratch scratch;
  const auto server_of = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"serve", "--port", "0", "--data", scratch / "data"};
    args.insert(args.end(), more.begin(), more.end());
    return std::make_unique<Process>(callimport_binary(), Command{args, {}, {}, true, {}, 0, false}, scratch);
  };
  for (const auto& row :
       {DevServerRow{"headless", {"--headless"}, "there is no Web UI"},
        DevServerRow{"ui port", {"--ui-port", "8233", "--ui-ip", "127.0.0.1"}, "--ui-port is accepted and not used"},
        DevServerRow{"dynamic configuration",
                     {"--dynamic-config-value", "a=true", "--dynamic-config-value", "b=1"},
                     "--dynamic-config-value a is accepted and not used"},
        DevServerRow{"limits", {"--dynamic-config-value", "limit.blobSize.error=1000"}, ""},
        DevServerRow{"address", {"--ip", "127.0.0.1"}, ""},
        DevServerRow{"names", {"-n", "one", "--namespace", "two", "--search-attribute", "Region=Keyword"}, ""}}) {
    const auto server = server_of(row.flags);
    ASSERT_FALSE(server->wait_ready().empty()) << row.name << server->err();
    EXPECT_NE(server->err().find(row.err), std::string::npos) << row.name << server->err();
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait(), 0) << row.name;
  }
  const auto bad = server_of({"--search-attribute", "Region=Colour"});
  EXPECT_TRUE(bad->wait_ready().empty());
  EXPECT_EQ(bad->wait(), 2);
  EXPECT_NE(bad->err().find("Datetime"), std::string::npos) << bad->err();
  const auto no_number = server_of({"--dynamic-config-value", "limit.blobSize.error=many"});
  EXPECT_TRUE(no_number->wait_ready().empty());
  EXPECT_EQ(no_number->wait(), 2);
  EXPECT_NE(no_number->err().find("limit.blobSize.error is a whole number"), std::string::npos) << no_number->err();
}

TEST(Serve, NamespacesOfTheFlagsAreThere) {
  const Scratch scratch;
  Process server(callimport_binary(),
                 {{"serve", "--port", "0", "-n", "one", "-n", "two", "--search-attribute", "Region=Keyword",
                   "--db-filename", scratch / "dev.db"},
                  {},
                  {},
                  true,
                  {},
                  0,
                  false},
                 scratch);
  const auto ready = nlohmann::json::parse(server.wait_ready(), nullptr, false);
  ASSERT_TRUE(ready.is_object()) << server.err();
  EXPECT_EQ(ready["data"], scratch / "dev.db.d");
  for (const std::string& name : {std::string("default"), std::string("one"), std::string("two")}) {
    const auto listed = run(callimport_binary(),
                            {{"list", "-n", name, "--query", "Region = 'north'", "--data", scratch / "dev.db.d"},
                             {},
                             {},
                             false,
                             {},
                             0,
                             false},
                            scratch);
    EXPECT_EQ(listed.code, 0) << name << listed.err;
  }
  const auto absent = run(callimport_binary(),
                          {{"list", "-n", "three", "--query", "Region = 'north'", "--data", scratch / "dev.db.d"},
                           {},
                           {},
                           false,
                           {},
                           0,
                           false},
                          scratch);
  EXPECT_EQ(absent.code, 1);
}

TEST(Serve, PublicAddressesWantTlsAndAKeyOrAWord) {
  const Scratch scratch;
  const auto bare = run(
      callimport_binary(),
      {{"serve", "--ip", "0.0.0.0", "--port", "0", "--data", scratch / "data"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(bare.code, 2);
  for (const char* text : {"--tls-cert", "--api-key-file", "--insecure-public"})
    EXPECT_NE(bare.err.find(text), std::string::npos) << bare.err;
  const auto made = make_certificate("calls.example");
  write_file(scratch / "cert", made.certificate);
  write_file(scratch / "key", made.key);
  write_file(scratch / "api-key", "the-planted-key\n");
  Process server(callimport_binary(),
                 {{"serve", "--ip", "0.0.0.0", "--port", "0", "--data", scratch / "data", "--tls-cert",
                   scratch / "cert", "--tls-key", scratch / "key", "--api-key-file", scratch / "api-key"},
                  {},
                  {},
                  true,
                  {},
                  0,
                  false},
                 scratch);
  const auto ready = nlohmann::json::parse(server.wait_ready(), nullptr, false);
  ASSERT_TRUE(ready.is_object()) << server.err();
  const std::string grpc = ready["grpc"];
  const auto address = "127.0.0.1" + grpc.substr(grpc.rfind(':'));
  const auto listed = [&](std::vector<std::string> args, std::map<std::string, std::string> env = {}) {
    args.insert(args.begin(), {"list", "--address", address, "--command-timeout", "20"});
    env["CALLIMPORT_DATA"] = scratch / "elsewhere";
    return run(callimport_binary(), {args, env, {}, false, {}, 0, false}, scratch);
  };
  const auto token = scratch / "data/access.token";
  EXPECT_EQ(listed({"--tls-ca-path", scratch / "cert", "--access-file", token}).code, 0);
  const auto keyed = listed({"--tls-ca-path", scratch / "cert", "--api-key-file", scratch / "api-key", "--access-file",
                             token, "--query", "ExecutionStatus = 'Running'"});
  EXPECT_EQ(keyed.code, 0) << keyed.err;
  EXPECT_EQ(
      listed({}, {{"TEMPORAL_TLS_SERVER_CA_CERT_PATH", scratch / "cert"}, {"CALLIMPORT_ACCESS_FILE", token}}).code, 0);
  write_file(scratch / "elsewhere.toml", "[profile.far]\naddress = \"" + address + "\"\ntls_ca_path = \"" +
                                             (scratch / "cert") + "\"\naccess_file = \"" + token + "\"\n");
  const auto by_profile =
      run(callimport_binary(),
          {{"list", "--profile", "far", "--config-file", scratch / "elsewhere.toml", "--data", scratch / "elsewhere"},
           {},
           {},
           false,
           {},
           0,
           false},
          scratch);
  EXPECT_EQ(by_profile.code, 0) << by_profile.err;
  EXPECT_EQ(listed({"--tls-ca-path", scratch / "cert"}).code, 4) << "sign-in needed";
  EXPECT_EQ(listed({"--tls-ca-path", scratch / "cert", "--api-key-file", token, "--query", "x"}).code, 2)
      << "the token opens Temporal's service as well";
  EXPECT_EQ(listed({}).code, 1) << "plain text";
  EXPECT_EQ(listed({"--tls"}).code, 1) << "a certificate nobody vouches for";
  server.signal(SIGTERM);
  server.wait();
  EXPECT_EQ((server.out() + server.err()).find("planted"), std::string::npos);
}

TEST(Completion, BashOffersVerbsAndFlags) {
  const Scratch scratch;
  const auto made = run(callimport_binary(), {{"completion", "bash"}, {}, {}, false, {}, 0, false}, scratch);
  write_file(scratch / "ask",
             made.out +
                 "\nCOMP_WORDS=(callimport calls se); COMP_CWORD=2; _callimport; echo \"${COMPREPLY[@]}\"\n"
                 "COMP_WORDS=(callimport start --cust); COMP_CWORD=2; _callimport; echo \"${COMPREPLY[@]}\"\n");
  const auto asked = run("/bin/bash", {{scratch / "ask"}, {}, {}, false, {}, 0, false}, scratch);
  EXPECT_EQ(asked.out, "search\n--customer\n") << asked.err;
}

}  // namespace
}  // namespace callimport::tests
