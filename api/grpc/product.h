#pragma once
// callimport.v1 over library and vault: all blocking work on the pool, answers on the loop.
#include <functional>
#include <optional>
#include <string>

#include "activities/estimate/figures.h"
#include "activities/http/addresses.h"
#include "activities/import/step.h"
#include "activities/notify/people.h"
#include "activities/oauth/sign_in.h"
#include "activities/webhooks/sender.h"
#include "api/grpc/etas.h"
#include "api/grpc/router.h"
#include "storage/backup/backup.h"
#include "storage/library/library.h"
#include "storage/media/media_store.h"
#include "storage/quota/view.h"
#include "storage/runtime/clock.h"
#include "storage/runtime/executor.h"
#include "storage/runtime/random.h"
#include "storage/vault/vault.h"

namespace callimport::api {

inline constexpr std::string_view kProductService = "callimport.v1.CallImportService";
inline constexpr int kPageSizeMax = 1000;
inline constexpr auto kWatchInterval = std::chrono::milliseconds{200};  ///< how often a watched import is looked at

struct ServerFacts {
  std::string version, data_folder, grpc_address, socket;
  std::string task_queue;  ///< where imports of this library are started
  std::int64_t pid = 0, started_ms = 0;
  std::string window, zone, order;  ///< of imports whose start does not say
  int first_lane = 100;
};

enum class Names { kWithout, kWith };
/// Why the platform does not take a credential; nothing: it does.
struct AccessRefusal {
  std::string cause, message;
};
/// Holds a credential against the platform of an open import, whose input is `ask`. `fresh`: a secret that is not
/// sealed yet; nothing: the sealed one of the import, renewed where it must be. Called and answered on the loop.
using ProveAccess = std::function<void(std::string ask, std::optional<storage::OpenedCredential> fresh,
                                       std::function<void(std::optional<AccessRefusal>)> done)>;

/// A message as it would be in each form; slack is JSON.
struct MessagePreview {
  std::string subject, text, html, slack;
};

/// Lifetime: everything outlives the router. `facts` and `journal_figures` are read on the loop.
struct ProductParts {
  Executor& loop;
  Clock& clock;
  Pool& pool;
  Disk& disk;
  Random& random;
  storage::Library& library;
  storage::Vault& vault;
  storage::MediaStore& media;
  engine::WorkflowService& service;
  std::string name_space = "default";
  ServerFacts facts;
  std::function<std::pair<std::uint64_t, std::uint64_t>()> journal_figures;  ///< commits, rows
  std::function<std::vector<storage::BudgetView>()> budgets = {};            ///< called on the loop; empty: none
  activities::SharedDeps looking = nullptr;  ///< what an estimate looks with; null: it cannot
  activities::Prices prices = {};
  activities::Budget budget = {};
  std::shared_ptr<Etas> etas = std::make_shared<Etas>();  ///< shared with looks on the pool
  int undo_days = 30;                                     ///< how long after its end an import can be undone
  std::string notice = {};                                ///< what holds the whole server up; the loop's
  /// An import's report as JSON text. Called on the pool.
  std::function<Result<std::string>(const std::string& import, Names names)> report = {};
  /// Makes a backup; fills in whence. Called on the pool.
  std::function<Result<storage::BackupFacts>(storage::BackupOrder order)> back_up = {};
  const activities::Roster* roster = nullptr;  ///< who is told of imports; null: nobody
  std::vector<std::string> channels = {};      ///< of messages, by name
  std::function<void()> told = {};             ///< something was recorded: the deliverer may look; called on the loop
  /// Of an event's sample. Called on the loop; empty: there are no templates.  @error kNotFound  no such message
  std::function<Result<MessagePreview>(const std::string& event, bool customer)> preview = {};
  /// What rules would have sent last week; the text of a configuration, or empty for those in force. Called on the pool;
  /// empty: nobody is told here.  @error kInvalid  the configuration: says where
  std::function<Result<::callimport::v1::ForecastMessagesResponse>(const std::string& rules)> forecast = {};
  ProveAccess prove = {};                   ///< empty: new credentials are not tried
  activities::SignIns* sign_ins = nullptr;  ///< null: nobody can sign in
  activities::WebhookSender* webhooks = nullptr;  ///< null: no other program is told
  activities::PayloadSource webhook_source = {};
  activities::AddressGuard webhook_guard = {};  ///< where they may be
};

void add_product_methods(Router& router, ProductParts& parts);

}  // namespace callimport::api
