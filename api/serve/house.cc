#include "api/serve/house.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "activities/import/quarantine.h"
#include "activities/import/unneeded_media.h"
#include "api/cli/cli.h"
#include "api/serve/channels.h"
#include "api/serve/log.h"
#include "api/serve/unsubscribe.h"

namespace callimport::api {
namespace {

inline constexpr std::size_t kTellingThreads = 8;  // four mails under way, each a thread; rows meanwhile
inline constexpr rlim_t kConnectionsWanted = 10'000;
inline constexpr rlim_t kDescriptorsWanted = kConnectionsWanted + 500;  // databases, the pool, downloads

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(in, id);
  return id;
}

/// Each connection is a descriptor: as many as this process may have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < kDescriptorsWanted) {
    spdlog::warn("only {} descriptors are allowed (ulimit -Hn): {} connections at once need {}", limit.rlim_max,
                 kConnectionsWanted, kDescriptorsWanted);
  }
}

Result<> open_storage(House& house) {
  TRY(house.library, storage::Library::open(*house.disk, house.random, house.folder.library()));
  TRY(house.vault, storage::Vault::open(*house.disk, house.random, house.folder.vault(), house.folder.vault_key()));
  TRY(house.media, storage::MediaStore::open(*house.disk, house.folder.media(), boot_id()));
  TRY_VOID(activities::sweep_quarantine(*house.library, *house.media));
  TRY_VOID(activities::remove_unneeded_media(*house.library, *house.media));  // that a kill left
  return {};
}

Result<> open_transcriber(House& house, const TranscriberConfig& config) {
  if (config.url.empty()) return {};
  if (!config.url.starts_with("https://") && !config.url.starts_with("http://"))
    return fail(Code::kInvalid, "[transcriber] url is not an http or https address");
  activities::TranscriberOptions options;
  options.url = config.url;
  options.model = config.model;
  options.bytes_max = config.bytes_max;
  options.at_once = config.at_once;
  if (!config.key_file.empty()) {
    TRY(auto key, read_secret_file(config.key_file));
    options.key = storage::Secret(std::move(key));
  }
  house.transcriber = std::make_unique<activities::Transcriber>(std::move(options), *house.http, *house.disk,
                                                                house.loop, *house.pool, house.loop, house.random);
  return {};
}

Result<> open_sign_ins(House& house, const ServeConfig& config) {
  activities::OAuthClients clients;
  for (const auto& [platform, client] : config.oauth) {
    auto& known = clients[platform];
    known = {client.client_id, {}, client.scopes, client.base_url};
    if (client.client_secret_file.empty()) continue;
    TRY(auto secret, read_secret_file(client.client_secret_file));
    known.secret = storage::Secret(std::move(secret));
  }
  house.sign_ins =
      std::make_unique<activities::SignIns>(*house.vault, *house.http, house.loop, house.random, std::move(clients));
  return {};
}

Result<> open_world(House& house, const ServeConfig& config) {
  house.http =
      std::make_unique<activities::CurlHttp>(house.loop.io(), house.loop, activities::CurlOptions{.version = kVersion});
  house.probe = std::make_unique<activities::ChildMediaProbe>(house.loop.io(), house.loop);
  house.access =
      std::make_unique<activities::AccessTokens>(*house.vault, *house.http, house.loop, *house.pool, house.loop);
  TRY_VOID(open_sign_ins(house, config));
  house.permits =
      std::make_unique<activities::Permits>(*house.library, house.loop, *house.pool, house.loop, config.budgets);
  TRY_VOID(house.permits->load());
  house.quarantine_bytes_max = std::int64_t{config.quarantine_mb} * 1'000'000;
  TRY_VOID(open_transcriber(house, config.transcriber));
  TRY(const auto links, unsubscribe_key(*house.disk, house.folder));
  TRY(auto channels, make_channels(config, links, *house.http, house.loop, *house.telling_pool, house.loop));
  house.templates = std::move(channels.templates);
  house.mail = std::move(channels.mail);
  const ImportsConfig& imports = config.imports;
  house.defaults = {imports.window, imports.zone.empty() ? machine_zone() : imports.zone, imports.order,
                    imports.first_lane};
  TRY_VOID(house.library->change([&](storage::LibraryTx& tx) -> Result<> {
    for (const auto& [name, rules] : config.workspaces) {
      TRY_VOID(
          tx.set_workspace(name, {.privacy = rules.privacy, .domains = rules.domains, .customer = rules.customer}));
    }
    return {};
  }));
  house.deliverer = std::make_unique<activities::Deliverer>(*house.library, house.loop, *house.telling_pool, house.loop,
                                                            roster_of(config), std::move(channels.all));
  return {};
}

void open_webhooks(House& house, const ServeConfig& config) {
  house.webhook_guard.allowed = config.webhooks.allow_networks;
  house.webhook_source = {house.library->id(), config.http.url};
  auto& base = house.webhook_source.link_base;
  while (base.ends_with('/')) base.pop_back();
  if (base.empty()) base = "callimport://" + house.library->id();
  if (!house.webhook_guard.allowed.empty())
    spdlog::warn("webhooks may be in {} internal network(s): [webhooks] allow_networks",
                 house.webhook_guard.allowed.size());
  activities::CurlOptions options;
  options.version = kVersion;
  options.guard = house.webhook_guard;
  house.webhook_http = std::make_unique<activities::CurlHttp>(house.loop.io(), house.loop, std::move(options));
  house.webhooks = std::make_unique<activities::WebhookSender>(
      activities::SenderParts{*house.library, *house.vault, *house.webhook_http, house.loop, *house.telling_pool,
                              house.loop, house.random, house.webhook_source});
}

}  // namespace

Error with_advice(Error error, const DataFolder& folder) {
  if (is_disk_full(error)) {
    error.message +=
        fmt::format(". Free some space on the disk of {} and start again: nothing acknowledged was lost", folder.path);
  } else if (error.code == Code::kCorrupt) {
    error.message += fmt::format(
        ". Stop here, copy the folder {} away, and put back a backup of the damaged file; `callimport doctor --data "
        "{}` says which it is",
        folder.path, folder.path);
  }
  return error;
}

Result<> open_house(House& house, const HouseOrder& order, const std::string& who) {
  ::umask(S_IRWXG | S_IRWXO);
  ::prctl(PR_SET_DUMPABLE, 0);  // no core file, no ptrace by others of the user: secrets are in memory
  const rlimit no_core{0, 0};   // also where the kernel is told to write cores of such processes
  ::setrlimit(RLIMIT_CORE, &no_core);
  set_up_log(order.log_level, order.log_format);
  raise_descriptor_limit();
  house.folder.path = order.data_folder;
  const auto& prices = order.config.prices;
  house.prices = {prices.currency, prices.hour, prices.gigabyte, prices.call};
  house.pool = std::make_unique<ThreadPool>(static_cast<std::size_t>(order.config.pool_threads));
  house.telling_pool = std::make_unique<ThreadPool>(kTellingThreads);
  TRY(house.lock, FolderLock::take(house.folder, fmt::format("callimport {}, process {}", who, ::getpid())));
  house.reserve.emplace(house.posix, house.folder.reserve(), kReserveBytes);
  house.disk.emplace(house.posix, *house.reserve);
  if (!house.reserve->take()) spdlog::warn("there is little space on the disk of {}", house.folder.path);
  auto opened = open_storage(house);
  if (opened) opened = open_world(house, order.config);
  if (opened) open_webhooks(house, order.config);
  if (!opened) return tl::unexpected(with_advice(std::move(opened).error(), house.folder));
  return {};
}

void start_telling(House& house) {
  house.deliverer->start();
  house.webhooks->start();
}

void wake_tellers(House& house) {
  house.deliverer->wake();
  house.webhooks->wake();
}

void stop_telling(House& house) {
  house.deliverer->stop();
  house.webhooks->stop();
}

activities::ImportDeps import_deps(House& house) {
  activities::ImportDeps deps{*house.library,
                              *house.vault,
                              *house.media,
                              *house.http,
                              *house.probe,
                              house.loop,
                              *house.pool,
                              house.loop,
                              house.random,
                              *house.permits,
                              *house.reserve,
                              *house.access,
                              [&house] { wake_tellers(house); },
                              house.defaults};
  deps.transcriber = house.transcriber.get();
  deps.quarantine_bytes_max = house.quarantine_bytes_max;
  deps.prices = house.prices;
  return deps;
}

}  // namespace callimport::api
