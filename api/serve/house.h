#pragma once
// What a process that owns a library holds: the data folder under its lock, the stores in it, the loop, and what
// activities use of the world. Whose workflow service it serves is not its business: see serve.cc and
// cluster_worker.cc.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activities/estimate/figures.h"
#include "activities/http/curl_http.h"
#include "activities/import/deps.h"
#include "activities/media/child.h"
#include "activities/notify/deliverer.h"
#include "activities/notify/mail.h"
#include "activities/notify/templates.h"
#include "activities/oauth/sign_in.h"
#include "activities/webhooks/sender.h"
#include "api/data_folder.h"
#include "api/serve/config.h"
#include "storage/library/library.h"
#include "storage/media/media_store.h"
#include "storage/runtime/loop.h"
#include "storage/runtime/os_random.h"
#include "storage/runtime/posix_disk.h"
#include "storage/runtime/space_reserve.h"
#include "storage/runtime/threads.h"
#include "storage/vault/vault.h"

namespace callimport::api {

struct HouseOrder {
  std::string data_folder;
  ServeConfig config;
  int ready_fd = -1;  ///< gets one line of JSON with the addresses once calls are answered, then closes; -1: none
  std::string log_level = "info", log_format = "text";
  bool quiet = false;
};

/// Members in the order they must be taken down: last first.
struct House {
  DataFolder folder;
  std::unique_ptr<FolderLock> lock;
  PosixDisk posix;
  std::optional<SpaceReserve> reserve;
  std::optional<ReservedDisk> disk;  ///< what everything here is kept on
  OsRandom random;
  AsioLoop loop;
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<storage::Library> library;
  std::unique_ptr<storage::Vault> vault;
  std::unique_ptr<storage::MediaStore> media;
  std::unique_ptr<activities::CurlHttp> http;
  std::unique_ptr<activities::ChildMediaProbe> probe;
  std::unique_ptr<activities::AccessTokens> access;
  std::unique_ptr<activities::SignIns> sign_ins;
  std::unique_ptr<activities::Permits> permits;
  std::unique_ptr<activities::Transcriber> transcriber;  ///< null: none is configured
  std::unique_ptr<activities::Templates> templates;
  std::unique_ptr<activities::Mail> mail;
  std::unique_ptr<activities::Deliverer> deliverer;
  activities::AddressGuard webhook_guard;
  activities::PayloadSource webhook_source;
  std::unique_ptr<activities::CurlHttp> webhook_http;  ///< guarded: its connections are shared with nobody
  std::unique_ptr<activities::WebhookSender> webhooks;
  std::int64_t quarantine_bytes_max = activities::kQuarantineBytes;
  activities::ImportDefaults defaults;
  activities::Prices prices;
  /// Of messages to people and programs alone: what wants somebody does not wait behind a hundred imports' work, nor
  /// these behind a mail server that is slow. Last, since what is under way on it needs all above.
  std::unique_ptr<ThreadPool> telling_pool;
};

/// Takes the folder and opens what is in it. `who`: the verb, for whoever finds the folder taken.
/// @error kConflict     the folder is in use, by whom; a file is from a newer version.
/// @error kUnavailable  the folder cannot be used, the disk is full: says what to do.
/// @error kCorrupt      a database is damaged: says which and what to do.
Result<> open_house(House& house, const HouseOrder& order, const std::string& who);

/// The same error with what a person can do about it.
Error with_advice(Error error, const DataFolder& folder);

/// People by their channels, programs by webhooks. On the loop.
void start_telling(House& house);
void wake_tellers(House& house);
void stop_telling(House& house);

activities::ImportDeps import_deps(House& house);

}  // namespace callimport::api
