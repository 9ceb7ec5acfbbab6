#pragma once
// What the import's activities need of the world. Everything outlives the worker they are registered with.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "activities/http/http.h"
#include "activities/import/live.h"
#include "activities/import/permits.h"
#include "activities/import/prices.h"
#include "activities/import/under_way.h"
#include "activities/media/probe.h"
#include "activities/oauth/access_tokens.h"
#include "activities/transcribe/transcriber.h"
#include "engine/worker.h"
#include "storage/library/library.h"
#include "storage/media/media_store.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"
#include "storage/runtime/random.h"
#include "storage/runtime/space_reserve.h"
#include "storage/vault/vault.h"

namespace callimport::activities {

/// What an import is given where its start did not say.
struct ImportDefaults {
  std::string window = storage::kWindowAlways, zone = "UTC", order = "newest";
  int first_lane = 100;  ///< for whoever asks before a start: an order always names its own
};

inline constexpr std::int64_t kQuarantineBytes = 5ll << 30;

struct ImportDeps {
  storage::Library& library;
  storage::Vault& vault;
  storage::MediaStore& media;
  Http& http;
  MediaProbe& probe;
  Executor& loop;
  Pool& pool;  ///< for library and file work
  Clock& clock;
  Random& random;
  Permits& permits;            ///< one for the library: budgets are shared by its imports
  SpaceReserve& reserve;       ///< of the data folder's disk
  AccessTokens& access;        ///< one for the process: it renews access once, not once an import
  std::function<void()> told;  ///< records or calls are there: who tells may look; may be empty
  ImportDefaults defaults = {};
  std::shared_ptr<LiveImports> live = std::make_shared<LiveImports>();  ///< shared by all steps
  Transcriber* transcriber = nullptr;                    ///< of calls that come without a transcript; null: none
  std::int64_t quarantine_bytes_max = kQuarantineBytes;  ///< of broken recordings; the oldest go first
  Prices prices = {};                                    ///< for the report
  std::shared_ptr<CallsUnderWay> under_way = std::make_shared<CallsUnderWay>();  ///< shared by all that are fetched
};

/// Registers every activity of activities/import/contract.h. Before the worker starts.
void register_import_activities(engine::Worker& worker, ImportDeps deps);

}  // namespace callimport::activities
