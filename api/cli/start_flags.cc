#include "api/cli/start_flags.h"

#include <fmt/format.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <cstdlib>

#include "activities/import/choice.h"
#include "activities/platforms/platform.h"
#include "api/cli/named_calls.h"
#include "storage/library/lane_order.h"
#include "storage/model/ids.h"
#include "storage/runtime/os_random.h"
#include "storage/windows/time_window.h"

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

/// What the import to be like was asked for, without what is its own.
tl::expected<activities::ImportInput, CliError> order_like(Session& session, const std::string& id) {
  if (id.empty()) return activities::ImportInput();
  v1::GetImportRequest request;
  request.set_id(id);
  CLI_TRY(const auto reply, (session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request)));
  auto order = activities::read_note<activities::ImportInput>(reply.import().input());
  if (!order) return sorry(kExitFailed, "not_found", "what " + id + " was asked for cannot be read", {});
  order->state = nullptr;
  order->predicted = {};
  order->credential.clear();
  order->at_ms = 0;
  return *std::move(order);
}

bool given(const StartFlags& flags, const char* name) { return flags.verb != nullptr && flags.verb->count(name) > 0; }

/// Only what was said replaces what an import to be like was asked for.
void put_extent(const StartFlags& flags, activities::ImportInput& order) {
  const bool sample = given(flags, "--sample") || !flags.sample.empty();  // named without a number it is empty
  if (sample) {
    order.calls_max = flags.sample.empty() ? kSampleDefault : std::stoll(flags.sample);
    order.spread = true;
  }
  if (flags.newest > 0) {
    order.calls_max = flags.newest;
    order.spread = false;
  }
  if (!flags.named.empty()) order.named = std::ssize(flags.named);
  if (flags.min_length_s > 0) order.min_length_ms = flags.min_length_s * 1'000;
  if (!flags.users.empty()) order.users = flags.users;
  if (flags.no_media) order.media = false;
  if (flags.like.empty()) order.settings = flags.settings;
  if (flags.first >= 0) order.settings.first_lane = flags.first;
  if (given(flags, "--batch")) order.settings.fetch_batch = flags.settings.fetch_batch;
  if (given(flags, "--concurrency")) order.settings.fetch_at_once = flags.settings.fetch_at_once;
  if (given(flags, "--heartbeat-ms")) order.settings.heartbeat_ms = flags.settings.heartbeat_ms;
}

}  // namespace

tl::expected<activities::ImportInput, CliError> import_order(Session& session, const StartFlags& flags) {
  CLI_TRY(auto order, order_like(session, flags.like));
  order.import = import_id_of(flags);
  if (!ImportId::parse(order.import)) {
    return sorry(kExitUsage, "usage", "--import-id must be imp_ and up to 64 characters of 0-9 and a-z",
                 "callimport start --help");
  }
  const auto put = [](std::string& into, const std::string& said) {
    if (!said.empty()) into = said;
  };
  put(order.platform, flags.platform);
  put(order.workspace, flags.workspace.empty() ? flags.customer : flags.workspace);
  put(order.title, flags.title.empty() ? flags.customer : flags.title);
  put(order.base_url, flags.base_url);
  while (order.base_url.ends_with('/')) order.base_url.pop_back();
  put(order.window, flags.window);
  put(order.zone, flags.zone);
  put(order.order, flags.order);
  put(order.duplicates, flags.duplicates);
  put_extent(flags, order);
  const char* user = std::getenv("USER");
  order.started_by = user == nullptr ? fmt::format("uid {}", ::getuid()) : user;
  CLI_TRY(const auto after, read_time("--after", flags.after));
  CLI_TRY(const auto before, read_time("--before", flags.before));
  if (after != 0) order.after_ms = after;
  if (before != 0) order.before_ms = before;
  CLI_TRY(order.at_ms, read_time("--at", flags.at));
  return order;
}

tl::expected<StartFlags, CliError> completed_flags(Session& session, StartFlags flags) {
  if (!flags.from_csv.empty()) {
    CLI_TRY(flags.named, read_named_calls(flags.from_csv));
  }
  const auto& earlier = flags.import_id.empty() ? flags.like : flags.import_id;
  if (earlier.empty()) return flags;
  v1::GetImportRequest request;
  request.set_id(earlier);
  const auto reply = session.ask<v1::GetImportRequest, v1::GetImportResponse>("GetImport", request);
  const bool unknown =
      flags.like.empty() && !reply && (reply.error().code == "not_found" || reply.error().code == kLibraryAbsent);
  if (unknown && ImportId::parse(flags.import_id)) return flags;
  if (!reply) return tl::unexpected(reply.error());
  (flags.import_id.empty() ? flags.like : flags.import_id) = reply->import().id();
  const auto before = activities::read_note<activities::ImportInput>(reply->import().input());
  if (!before) return flags;
  const auto keep = [](std::string& now, const std::string& then) {
    if (now.empty()) now = then;
  };
  keep(flags.platform, before->platform);
  keep(flags.workspace, before->workspace);
  keep(flags.title, before->title);
  keep(flags.base_url, before->base_url);
  keep(flags.window, before->window);
  keep(flags.zone, before->zone);
  keep(flags.order, before->order);
  if (before->named > 0 && flags.import_id.empty() && flags.named.empty()) {
    return sorry(kExitUsage, "usage",
                 fmt::format("{} was asked for {} calls by their ids", flags.like, human_count(before->named)),
                 "name them again: callimport start --like " + flags.like + " --from-csv FILE");
  }
  if (flags.first < 0) flags.first = before->settings.first_lane;
  return flags;
}

namespace {

tl::unexpected<CliError> unusable(const std::string& message) {
  return sorry(kExitUsage, "usage", message, "callimport help windows");
}

/// Which orders the platform's list can be read in, and which calls can be chosen in it.
tl::expected<void, CliError> check_order(const activities::ImportInput& order) {
  const auto wanted = storage::parse_lane_order(order.order);
  if (!wanted) return sorry(kExitUsage, "usage", wanted.error().message, "callimport start --help");
  const auto& platform = *activities::find_platform(order.platform);
  const std::string refused = activities::order_refused(platform, *wanted);
  if (!refused.empty()) return sorry(kExitUsage, "usage", refused, "callimport start --order newest");
  const std::string choice = activities::choice_refused(platform, order);
  if (!choice.empty()) return sorry(kExitUsage, "usage", choice, "callimport start --help");
  return {};
}

}  // namespace

void complete_order(Session& session, const StartFlags& flags, activities::ImportInput& order) {
  const auto server = session.ask<v1::GetServerInfoRequest, v1::GetServerInfoResponse>("GetServerInfo", {});
  const auto keep = [](std::string& said, const std::string& otherwise) {
    if (said.empty()) said = otherwise;
  };
  if (server) {
    keep(order.window, server->window());
    keep(order.zone, server->zone());
    keep(order.order, server->order());
    if (flags.first < 0 && server->first_lane() > 0) order.settings.first_lane = server->first_lane();
  }
}

tl::expected<std::vector<std::string>, CliError> describe_when(const activities::ImportInput& order,
                                                               std::int64_t now_ms) {
  std::vector<std::string> lines;
  CLI_TRY_VOID(check_order(order));
  const Timestamp now = from_unix_ms(now_ms);
  if (order.at_ms != 0 && order.at_ms <= now_ms)
    return sorry(kExitUsage, "usage", "--at is in the past: " + format_utc(from_unix_ms(order.at_ms)),
                 "leave --at out to begin at once");
  if (order.window.empty()) {
    if (order.zone.empty()) return lines;
    const auto zone = storage::TimeWindow::parse(storage::kWindowNights, order.zone);
    if (!zone) return unusable(zone.error().message);
    return lines;
  }
  const auto window = storage::TimeWindow::parse(order.window, order.zone);
  if (!window) return unusable(window.error().message);
  const Timestamp begins = order.at_ms == 0 ? now : from_unix_ms(order.at_ms);
  const auto opens = window->next_opening(begins);
  if (!opens) return unusable("the window \"" + printable(order.window) + "\" never opens from now on");
  if (order.at_ms != 0) lines.push_back("begins at " + storage::spoken_moment(begins, window->zone()));
  if (order.calls_max > 0 && order.calls_max <= order.settings.first_lane) {
    lines.push_back("all of it runs at any hour: the sample is no larger than the first lane");
  } else if (window->always()) {
    lines.push_back("bulk runs at any hour");
  } else if (*opens > begins) {
    lines.push_back("bulk opens at " + storage::spoken_moment(*opens, window->zone()) + ": " + printable(order.window));
  } else {
    const auto closes = window->closes_at(begins);
    lines.push_back("bulk may run now" +
                    (closes ? ", until " + storage::spoken_moment(*closes, window->zone()) : std::string()) + ": " +
                    printable(order.window));
  }
  return lines;
}

tl::expected<void, CliError> check_platform(const StartFlags& flags) {
  if (flags.platform.empty()) {
    return sorry(kExitUsage, "usage", "--platform is required: there is no terminal to ask on",
                 "callimport start --platform grain --customer NAME --token-file FILE --yes --owns-data");
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

tl::expected<GivenAccess, CliError> given_access(Session& session, const StartFlags& flags) {
  GivenAccess access;
  if (flags.credential.empty()) {
    CLI_TRY(access.token, read_token(session, flags.token));
    return access;
  }
  const auto all = session.ask<v1::ListCredentialsRequest, v1::ListCredentialsResponse>("ListCredentials", {});
  access.credential = flags.credential;
  // Where only Temporal answers, the handle is taken as it is: the worker that has the library looks it up.
  if (!all && all.error().code == kLibraryAbsent && CredentialId::parse(flags.credential)) return access;
  if (!all) return tl::unexpected(all.error());
  for (const auto& one : all->credentials()) {
    if (!one.id().starts_with(flags.credential)) continue;
    if (one.has_wiped_ms()) {
      return sorry(kExitSignIn, "credential.wiped", one.id() + " was removed",
                   "callimport credentials add --platform " + flags.platform);
    }
    access.credential = one.id();
    return access;
  }
  return sorry(kExitFailed, "not_found", "no credential " + printable(flags.credential), "callimport credentials list");
}

Look look_of(const StartFlags& flags, const GivenAccess& access, activities::ImportInput order) {
  Look look{std::move(order), access.token, flags.token_kind, 0, false, flags.named};
  look.order.credential = access.credential;
  return look;
}

void add_import_flags(CLI::App& verb, StartFlags& flags) {
  flags.verb = &verb;
  verb.add_option("--platform", flags.platform, "where the calls are, e.g. grain");
  verb.add_option("--customer", flags.customer, "whose calls they are: title and workspace unless those are given");
  verb.add_option("--workspace", flags.workspace, "the account at the platform; calls are known by it");
  verb.add_option("--title", flags.title, "what people call this import");
  auto* credential = verb.add_option("--credential", flags.credential, "a credential added before");
  verb.add_option("--token-file", flags.token.file, "file with the platform's token")->excludes(credential);
  verb.add_flag("--token-stdin", flags.token.from_stdin, "the token comes on stdin")->excludes(credential);
  verb.add_option("--token-kind", flags.token_kind, "pat, wat or oauth")->check(CLI::IsMember({"pat", "wat", "oauth"}));
  verb.add_option("--base-url", flags.base_url, "another server than the vendor's, e.g. a sandbox");
  verb.add_option("--first", flags.first, "how many calls come before all others, at any hour")
      ->check(CLI::Range(0, 100'000));
  verb.add_option("--order", flags.order,
                  "who comes first: newest, length, owner or account; owner:WHO or account:WHO");
  verb.add_option("--window", flags.window, "when all but the first may run: nights, always, \"weekdays 20:00-06:00\"");
  verb.add_option("--zone", flags.zone, "the customer's time zone, e.g. Europe/Madrid");
  verb.add_option("--at", flags.at, "begin then and not at once: a day or a time");
  auto* sample = verb.add_option("--sample", flags.sample, "only N calls, spread across all dates (20)")
                     ->expected(0, 1)
                     ->check(CLI::Range(std::int64_t{1}, kSampleMax));
  verb.add_option("--newest", flags.newest, "only the newest N calls")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000'000}))
      ->excludes(sample);
  verb.add_option("--like", flags.like, "as an earlier import was asked for, but for its access");
  verb.add_option("--after", flags.after, "only calls that began at or after this day or time");
  verb.add_option("--before", flags.before, "only calls that began before it");
  verb.add_option("--from-csv", flags.from_csv, "only the calls whose ids this file names, in its column source_id")
      ->check(CLI::ExistingFile)
      ->excludes(sample)
      ->excludes(verb.get_option("--newest"));
  verb.add_option("--min-length", flags.min_length_s, "only calls that last at least so long: 90, 90s, 2m, 1h")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3'600}},
                                        CLI::AsNumberWithUnit::CASE_INSENSITIVE, "TIME"))
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}));
  verb.add_option("--user", flags.users, "only calls that this user recorded, by e-mail or name; may be repeated")
      ->expected(1)
      ->take_all();
  verb.add_flag("--no-media", flags.no_media, "details and transcripts only");
  verb.add_option(
          "--duplicates", flags.duplicates,
          "calls the library has already: skip (default), update what is known about them, or replace them whole")
      ->check(CLI::IsMember({"skip", "update", "replace"}));
  verb.add_option("--batch", flags.settings.fetch_batch, "calls one step takes on")->check(CLI::Range(1, 10'000));
  verb.add_option("--concurrency", flags.settings.fetch_at_once, "calls under way together")
      ->check(CLI::Range(1, 1'000));
  verb.add_option("--approve-above", flags.settings.approve_above_percent,
                  "a person approves the gaps when more calls than this percent did not come; 100: never")
      ->check(CLI::Range(0, 100));
  verb.add_option("--heartbeat-ms", flags.settings.heartbeat_ms, "a step silent for so long is tried again")
      ->check(CLI::Range(100, 3'600'000))
      ->group("");
}

}  // namespace callimport::api
