// Where a client connects: flag before environment before profile, setting by setting; and what is refused with a word.
#include "api/connection.h"

#include <gtest/gtest.h>

#include <map>

#include "api/serve/config.h"
#include "tests/spine/process.h"

namespace callimport::api {
namespace {

using tests::Scratch;
using tests::write_file;

Environment environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
}

struct Row {
  const char* name;
  ConnectionWords flags;
  std::map<std::string, std::string> environment;
  std::string profile;  ///< lines of [profile.default]
  std::string address, name_space, api_key;
  bool tls;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }
class Resolved : public testing::TestWithParam<Row> {};

TEST_P(Resolved, AsSaid) {
  const auto& row = GetParam();
  const auto config = parse_config("[profile.default]\n" + row.profile, "f.toml");
  ASSERT_TRUE(config) << config.error().message;
  const auto environment = connection_environment(environment_of(row.environment));
  const auto connection = resolve_connection(row.flags, environment, config->profiles.at("default"));
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->address, row.address);
  EXPECT_EQ(connection->name_space, row.name_space);
  EXPECT_EQ(connection->api_key, row.api_key);
  EXPECT_EQ(connection->tls.on, row.tls);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Resolved,
    testing::Values(
        Row{"NothingSaid", {}, {}, "", "", "default", "", false},
        Row{"Profile", {}, {}, "address = \"p:1\"\nnamespace = \"pn\"", "p:1", "pn", "", false},
        Row{"EnvironmentBeforeProfile",
            {},
            {{"TEMPORAL_ADDRESS", "e:1"}, {"TEMPORAL_NAMESPACE", "en"}},
            "address = \"p:1\"\nnamespace = \"pn\"",
            "e:1",
            "en",
            "",
            false},
        Row{"FlagBeforeEnvironment",
            {.address = "f:1"},
            {{"TEMPORAL_ADDRESS", "e:1"}, {"TEMPORAL_NAMESPACE", "en"}},
            "address = \"p:1\"",
            "f:1",
            "en",
            "",
            false},
        Row{"ApiKeyBringsTls", {}, {{"TEMPORAL_API_KEY", "k1"}}, "", "", "default", "k1", true},
        Row{"TlsCanBeSwitchedOff", {.tls = "false"}, {{"TEMPORAL_API_KEY", "k1"}}, "", "", "default", "k1", false},
        Row{"TlsOfTheEnvironment", {}, {{"TEMPORAL_TLS", "true"}}, "tls = false", "", "default", "", true},
        Row{"ServerNameBringsTls", {}, {{"TEMPORAL_TLS_SERVER_NAME", "x"}}, "", "", "default", "", true},
        Row{"CaByValueBringsTls", {}, {{"TEMPORAL_TLS_SERVER_CA_CERT_DATA", "PEM"}}, "", "", "default", "", true},
        Row{"OlderNames",
            {},
            {{"TEMPORAL_TLS_CERT_DATA", "C"}, {"TEMPORAL_TLS_KEY_DATA", "K"}},
            "",
            "",
            "default",
            "",
            true}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ConnectionFiles, AFlagsFileBeatsTheEnvironmentsKey) {
  const Scratch scratch;
  write_file(scratch / "key", "from-file\n");
  const auto connection = resolve_connection({.api_key_file = scratch / "key"}, {.api_key = "from-environment"}, {});
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(connection->api_key, "from-file");
}

TEST(ConnectionFiles, WhatCannotBeUsedIsNamed) {
  const Scratch scratch;
  write_file(scratch / "empty", "");
  write_file(scratch / "lines", "secret-one\nsecret-two\n");
  const auto said = [](const ConnectionWords& flags) {
    const auto connection = resolve_connection(flags, {}, {});
    return connection ? std::string("no error") : connection.error().message;
  };
  EXPECT_NE(said({.tls_ca_path = scratch / "none"}).find("cannot read " + (scratch / "none")), std::string::npos);
  EXPECT_NE(said({.api_key_file = scratch / "empty"}).find("is empty"), std::string::npos);
  EXPECT_NE(said({.access_file = scratch / "lines"}).find("line break"), std::string::npos);
  EXPECT_EQ(said({.access_file = scratch / "lines"}).find("secret-"), std::string::npos);
  EXPECT_NE(said({.tls = "maybe"}).find("true or false"), std::string::npos);
  EXPECT_NE(said({.tls_cert_path = scratch / "lines"}).find("belong together"), std::string::npos);
}

TEST(ConnectionHeaders, OurServiceGetsTheAccessTokenAndTemporalsTheApiKey) {
  Connection connection{.address = "h:1", .name_space = "n", .api_key = "key", .access_token = "token", .tls = {}};
  using Headers = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(connection.headers("/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo"),
            (Headers{{"temporal-namespace", "n"}, {"authorization", "Bearer key"}}));
  EXPECT_EQ(connection.headers("/callimport.v1.CallImportService/ListImports"),
            (Headers{{"temporal-namespace", "n"}, {"authorization", "Bearer token"}}));
  connection.api_key.clear();
  EXPECT_EQ(connection.headers("/temporal.api.x/Y")[1].second, "Bearer token");
  connection.access_token.clear();
  EXPECT_EQ(connection.headers("/temporal.api.x/Y").size(), 1u);
}

TEST(Loopback, IsWhatOtherMachinesCannotReach) {
  for (const char* address : {"127.0.0.1:7233", "127.1.2.3:0", "localhost:1", "[::1]:7233", "unix:/tmp/x"})
    EXPECT_TRUE(is_loopback(address)) << address;
  for (const char* address :
       {"0.0.0.0:7233", "[::]:7233", "10.0.0.1:1", "127.evil.example:1", "example.com:7233", ":1"})
    EXPECT_FALSE(is_loopback(address)) << address;
}

}  // namespace
}  // namespace callimport::api
