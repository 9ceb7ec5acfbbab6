#include "api/cli/start_flags.h"

#include <fmt/format.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <cstdlib>

#include "activities/platforms/platform.h"
#include "storage/model/ids.h"
#include "storage/runtime/os_random.h"

namespace callimport::api {
namespace {

/// The import's id: as asked, or from the request id so that the same key names the same import, or at random.
std::string import_id_of(const StartFlags& flags) {
  if (!flags.import_id.empty()) return flags.import_id;
  if (flags.request_id.empty()) return std::string(ImportTag::prefix) + OsRandom().id_text(16);
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(flags.request_id.data()), flags.request_id.size(), hash);
  std::string id(ImportTag::prefix);
  for (int i = 0; i < 10; ++i) id += fmt::format("{:02x}", hash[i]);
  return id;
}

}  // namespace

tl::expected<activities::ImportInput, CliError> import_order(const StartFlags& flags) {
  activities::ImportInput order;
  order.import = import_id_of(flags);
  if (!ImportId::parse(order.import)) {
    return sorry(kExitUsage, "usage", "--import-id must be imp_ and up to 64 characters of 0-9 and a-z",
                 "callimport start --help");
  }
  order.platform = flags.platform;
  order.workspace = flags.workspace.empty() ? flags.customer : flags.workspace;
  order.title = flags.title.empty() ? flags.customer : flags.title;
  order.base_url = flags.base_url;
  while (order.base_url.ends_with('/')) order.base_url.pop_back();
  order.calls_max = flags.sample;
  order.media = !flags.no_media;
  order.settings = flags.settings;
  const char* user = std::getenv("USER");
  order.started_by = user == nullptr ? fmt::format("uid {}", ::getuid()) : user;
  CLI_TRY(order.after_ms, read_time("--after", flags.after));
  CLI_TRY(order.before_ms, read_time("--before", flags.before));
  return order;
}

tl::expected<StartFlags, CliError> completed_flags(Session& session, StartFlags flags) {
  if (flags.import_id.empty()) return flags;
  v1::GetImportRequest request;
  request.set_id(flags.import_id);
  const auto reply = session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request);
  const bool unknown = !reply && (reply.error().code == "not_found" || reply.error().code == kLibraryAbsent);
  if (unknown && ImportId::parse(flags.import_id)) return flags;
  if (!reply) return tl::unexpected(reply.error());
  flags.import_id = reply->import().id();
  const auto before = activities::read_note<activities::ImportInput>(reply->import().input());
  if (!before) return flags;
  const auto keep = [](std::string& now, const std::string& then) {
    if (now.empty()) now = then;
  };
  keep(flags.platform, before->platform);
  keep(flags.workspace, before->workspace);
  keep(flags.title, before->title);
  keep(flags.base_url, before->base_url);
  return flags;
}

tl::expected<void, CliError> check_platform(const StartFlags& flags) {
  if (flags.platform.empty()) {
    return sorry(kExitUsage, "usage", "--platform is required: there is no terminal to ask on",
                 "callimport start --platform grain --customer NAME --token-file FILE --yes");
  }
  if (activities::find_platform(flags.platform) == nullptr) {
    std::string known;
    for (const auto* one : activities::platforms()) known += (known.empty() ? "" : ", ") + std::string(one->name);
    return sorry(kExitUsage, "usage",
                 "no connector for \"" + printable(flags.platform.substr(0, 60)) + "\"; there are: " + known,
                 "callimport start --help");
  }
  return {};
}

void add_import_flags(CLI::App& verb, StartFlags& flags) {
  verb.add_option("--platform", flags.platform, "where the calls are, e.g. grain");
  verb.add_option("--customer", flags.customer, "whose calls they are: title and workspace unless those are given");
  verb.add_option("--workspace", flags.workspace, "the account at the platform; calls are known by it");
  verb.add_option("--title", flags.title, "what people call this import");
  auto* credential = verb.add_option("--credential", flags.credential, "a credential added before");
  verb.add_option("--token-file", flags.token.file, "file with the platform's token")->excludes(credential);
  verb.add_flag("--token-stdin", flags.token.from_stdin, "the token comes on stdin")->excludes(credential);
  verb.add_option("--token-kind", flags.token_kind, "pat, wat or oauth")->check(CLI::IsMember({"pat", "wat", "oauth"}));
  verb.add_option("--base-url", flags.base_url, "another server than the vendor's, e.g. a sandbox");
  verb.add_option("--first", flags.settings.first_lane, "how many calls come before all others")
      ->check(CLI::Range(0, 1'000'000));
  verb.add_option("--sample", flags.sample, "only the newest N calls")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}));
  verb.add_option("--after", flags.after, "only calls that began at or after this day or time");
  verb.add_option("--before", flags.before, "only calls that began before it");
  verb.add_flag("--no-media", flags.no_media, "details and transcripts only");
  verb.add_option("--batch", flags.settings.fetch_batch, "calls one step takes on")->check(CLI::Range(1, 10'000));
  verb.add_option("--concurrency", flags.settings.fetch_at_once, "calls under way together")
      ->check(CLI::Range(1, 1'000));
  verb.add_option("--heartbeat-ms", flags.settings.heartbeat_ms, "a step silent for so long is tried again")
      ->check(CLI::Range(100, 3'600'000))
      ->group("");
}

}  // namespace callimport::api
