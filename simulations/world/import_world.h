#pragma once
// A whole import in one process on virtual time: the embedded service over a journal on a disk that forgets, the
// worker, the library, vault and media store on the same disk, and Grain's sandbox as the world outside, which no
// restart touches.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "activities/import/contract.h"
#include "activities/import/deps.h"
#include "activities/import/permits.h"
#include "activities/media/inline_probe.h"
#include "activities/notify/deliverer.h"
#include "activities/oauth/access_tokens.h"
#include "activities/transcribe/transcriber.h"
#include "engine/embedded.h"
#include "engine/worker.h"
#include "simulations/sandboxes/grain.h"
#include "simulations/sandboxes/in_process.h"
#include "simulations/world/seeded_random.h"
#include "simulations/world/sim_disk.h"
#include "simulations/world/sim_loop.h"
#include "storage/library/library.h"
#include "storage/media/media_store.h"
#include "storage/runtime/space_reserve.h"
#include "storage/vault/vault.h"

namespace temporal::api::history::v1 {
class History;
}

namespace callimport::simulations {

/// Between us and the sandbox: a test may answer in its stead.
class Interceptor final : public Sandbox {
 public:
  using Answer = std::function<std::optional<SandboxReply>(const SandboxRequest& request, Timestamp now)>;
  explicit Interceptor(Sandbox& behind) : behind_(behind) {}
  SandboxReply handle(const SandboxRequest& request, Timestamp now) override;
  Answer answer;  ///< empty, or answers nothing: the sandbox does

 private:
  Sandbox& behind_;
};

struct ImportWorldOptions {
  std::uint64_t seed = 1;
  GrainOptions grain;
  storage::BudgetSettings budgets;
  std::uint64_t reserve_bytes = 0;  ///< set aside for a full disk; 0: no reserve is kept
  std::optional<activities::TranscriberOptions> transcriber = std::nullopt;
  int cached_runs_max = 100;  ///< 0: every workflow task replays from the first event
  int activities_max = 64;    ///< running at once, of a queue
};

/// Threads: one. Order of use: make, open, add_credential, start, run_until_closed; restart and lose_power at any time
/// between.
class ImportWorld {
 public:
  /// Nothing is on the disk yet.  @error  of the sandbox's options.
  static Result<std::unique_ptr<ImportWorld>> make(ImportWorldOptions options);
  ~ImportWorld();

  /// A sealed credential; the token the sandbox takes unless another is given.
  std::string add_credential(const std::string& token = std::string(kGrainSandboxToken));
  /// An input with everything but the import's wishes filled in.
  activities::ImportInput ask(const std::string& credential) const;
  /// @error kConflict  it runs already; kUnavailable  the service says so.
  Result<std::string> start(const activities::ImportInput& input);
  Result<> signal(const std::string& import, const std::string& name, const std::string& json);
  Result<> cancel(const std::string& import);
  Result<std::string> status(const std::string& import);

  /// True when no workflow is open. False when `limit` of virtual time has passed first.
  bool run_until_closed(Nanos limit);
  bool run_until(const std::function<bool()>& done, Nanos limit);

  /// The process dies and starts again; what was written stays.
  Result<> restart();
  /// The power goes; what was not synced is dropped or torn.
  Result<> lose_power();
  /// Starts everything from the disk. After an error the world is down; try again.
  Result<> open();
  void close();
  bool up() const { return worker_ != nullptr; }

  /// Histories of all runs of the import, oldest first.
  std::vector<temporal::api::history::v1::History> histories(const std::string& import, const std::string& first_run);
  /// Renewed access: same handle, new token, and the signal.
  Result<> renew(const std::string& import, const std::string& credential, const std::string& token);

  SimLoop loop;
  SeededRandom random;
  SimDisk disk;
  std::unique_ptr<GrainSandbox> sandbox;
  Interceptor outside;
  std::unique_ptr<SandboxHttp> http;
  std::vector<storage::Notification> told;  ///< what arrived at the one channel, over all restarts
  /// How often each call's recording was asked for at its place, as (call id, bytes sent), oldest first.
  std::vector<std::pair<std::string, std::size_t>> downloads() const;

  storage::Library& library() { return *library_; }
  storage::Vault& vault() { return *vault_; }
  storage::MediaStore& media() { return *media_; }
  SpaceReserve& reserve() { return *reserve_; }
  activities::Permits& permits() { return *permits_; }
  engine::Worker& worker() { return *worker_; }
  engine::WorkflowService& service() { return *service_; }
  /// What the activities have of the world, for looks that are no activity.
  std::shared_ptr<activities::ImportDeps> looking() { return looking_; }

 private:
  ImportWorld(ImportWorldOptions options, std::unique_ptr<GrainSandbox> made);
  template <class Request, class Response>
  Result<> call(void (engine::WorkflowService::*method)(const Request&, engine::CallContext, engine::Reply<Response>),
                Request request, Response* into);

  ImportWorldOptions options_;
  std::optional<SpaceReserve> reserve_;
  std::optional<ReservedDisk> reserved_;  ///< what the house sees of the disk
  activities::InlineMediaProbe probe_;
  std::unique_ptr<activities::AccessTokens> access_;
  std::optional<activities::Transcriber> transcriber_;
  std::unique_ptr<storage::Journal> journal_;
  std::unique_ptr<storage::Library> library_;
  std::unique_ptr<storage::Vault> vault_;
  std::unique_ptr<storage::MediaStore> media_;
  std::unique_ptr<activities::Permits> permits_;
  std::unique_ptr<engine::EmbeddedService> service_;
  std::unique_ptr<activities::Deliverer> deliverer_;
  std::unique_ptr<engine::Worker> worker_;
  std::shared_ptr<activities::ImportDeps> looking_;  // shared with looks under way
  int boot_ = 1;
};

/// One sentence for each promise the finished import broke: counters that do not add up at a change, a call that is
/// registered twice or missing, a file that is not in the media store. Empty when all hold. `library` and `media` are
/// read only.
std::vector<std::string> broken_promises(ImportWorld& world, const std::string& import);

}  // namespace callimport::simulations
