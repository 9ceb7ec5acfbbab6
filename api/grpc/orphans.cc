#include "api/grpc/orphans.h"

#include <fmt/format.h>
#include <temporal/api/workflowservice/v1/request_response.pb.h>

#include <algorithm>

#include "activities/import/contract.h"
#include "activities/import/stage.h"
#include "api/grpc/router.h"
#include "workflows/import/import_workflow.h"

namespace callimport::api {
namespace {

namespace service = ::temporal::api::workflowservice::v1;

constexpr int kPage = 500;
constexpr const char* kIdentity = "callimport";

Result<std::vector<std::string>> open_imports(storage::Library& library) {
  const storage::ImportFilter filter{.conditions = {"running", "waiting", "needs_attention", "paused"}};
  std::vector<std::string> ids;
  std::optional<storage::ImportPlace> after;
  while (true) {
    TRY(const auto rows, library.imports_page(filter, after, kPage));
    for (const auto& row : rows) {
      if (!row.closed_ms) ids.push_back(row.id);
    }
    if (rows.size() < kPage) return ids;
    after = storage::ImportPlace{rows.back().created_ms, rows.back().id};
  }
}

/// What becomes of one orphan.
struct Decision {
  std::string input;  ///< to start with; empty: it is not started
  bool told = false;
};

bool has_credential(storage::Vault& vault, const std::string& id) {
  const auto all = vault.list();
  return all && std::any_of(all->begin(), all->end(), [&](const auto& one) { return one.id == id && !one.wiped_ms; });
}

/// Needs attention, told once: the next start of the server finds it so.
Result<Decision> tell(const OrphanParts& parts, const storage::ImportRow& row) {
  if (row.first.reason == kInterrupted || row.bulk.reason == kInterrupted) return Decision{};
  activities::LaneChange change;
  change.lane = "bulk";
  change.stage = row.bulk.stage;
  change.condition = "needs_attention";
  change.reason = kInterrupted;
  change.who = "operator";
  change.why = "nothing runs for it any more, and its credential is gone";
  change.event = "attention needed";
  change.told = "condition.changed";
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) {
    return activities::store_changes(tx, row.id, {change}, {}, to_unix_ms(parts.clock.now()));
  }));
  return Decision{.input = {}, .told = true};
}

/// The row is read anew: an import that ended while it was asked about is none.
Result<Decision> decide(const OrphanParts& parts, const std::string& import) {
  TRY(const storage::ImportRow row, parts.library.import(import));
  if (row.closed_ms) return Decision{};
  TRY(auto ask, activities::read_note<activities::ImportInput>(row.input));
  ask.credential = row.credential;
  ask.retries.clear();
  ask.state = nullptr;
  if (!has_credential(parts.vault, ask.credential)) return tell(parts, row);
  return Decision{.input = activities::write_note(ask), .told = false};
}

/// Shared by its steps, one of which is always under way until `done`.
class Search : public std::enable_shared_from_this<Search> {
 public:
  Search(OrphanParts parts, std::function<void(OrphansFound)> done)
      : parts_(std::move(parts)), done_(std::move(done)) {}

  void begin() {
    on_pool([](Search& self) { return open_imports(self.parts_.library); },
            [](Search& self, Result<std::vector<std::string>> ids) {
              if (ids) self.ids_ = std::move(*ids);
              self.next();
            });
  }

 private:
  template <class Work, class Then>
  void on_pool(Work work, Then then) {
    parts_.pool.post([self = shared_from_this(), work, then] {
      auto made = std::make_shared<decltype(work(*self))>(work(*self));  // shared: rides in a copyable task
      self->parts_.loop.post([self, made, then] { then(*self, std::move(*made)); });
    });
  }

  void next() {
    if (at_ == ids_.size()) return done_(std::move(found_));
    service::DescribeWorkflowExecutionRequest request;
    request.set_namespace_(parts_.name_space);
    request.mutable_execution()->set_workflow_id(ids_[at_]);
    parts_.service.DescribeWorkflowExecution(
        request, {}, [self = shared_from_this()](const PortStatus& status, auto* reply) {
          const bool runs = status.ok() && reply != nullptr &&
                            reply->workflow_execution_info().status() ==
                                ::temporal::api::enums::v1::WORKFLOW_EXECUTION_STATUS_RUNNING;
          const bool none = status.ok() ? !runs : status.code == kGrpcNotFound;
          if (!none) return self->go_on();
          const bool ended = status.ok() && reply != nullptr;
          self->take_up(ended ? reply->workflow_execution_info().execution().run_id() : "never");
        });
  }
  void go_on() {
    ++at_;
    parts_.loop.post([self = shared_from_this()] { self->next(); });  // not deeper with each import
  }

  /// `after`: its last run, of which nothing is left to run.
  void take_up(std::string after) {
    after_ = std::move(after);
    on_pool([](Search& self) { return decide(self.parts_, self.ids_[self.at_]); },
            [](Search& self, Result<Decision> made) {
              if (made && made->told) {
                self.found_.told.push_back(self.ids_[self.at_]);
                if (self.parts_.told) self.parts_.told();
              }
              if (!made || made->input.empty()) return self.go_on();
              self.start(made->input);
            });
  }
  void start(const std::string& input) {
    service::StartWorkflowExecutionRequest request;
    request.set_namespace_(parts_.name_space);
    request.set_workflow_id(ids_[at_]);
    request.mutable_workflow_type()->set_name(workflows::kImportWorkflow);
    request.mutable_task_queue()->set_name(parts_.task_queue);
    auto& payload = *request.mutable_input()->add_payloads();
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(input);
    request.set_identity(kIdentity);
    // The same for whoever saw the same end: what one has started, another does not start again, be it over by then.
    request.set_request_id(fmt::format("orphan-{}-{}", ids_[at_], after_));
    request.set_workflow_id_reuse_policy(::temporal::api::enums::v1::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE);
    parts_.service.StartWorkflowExecution(request, {},
                                          [self = shared_from_this()](const PortStatus& status, auto* reply) {
                                            if (status.ok() && reply != nullptr && reply->started())
                                              self->found_.restarted.push_back(self->ids_[self->at_]);
                                            self->go_on();
                                          });
  }

  OrphanParts parts_;
  std::function<void(OrphansFound)> done_;
  std::vector<std::string> ids_;
  std::size_t at_ = 0;
  std::string after_;
  OrphansFound found_;
};

}  // namespace

void take_up_orphans(OrphanParts parts, std::function<void(OrphansFound)> done) {
  std::make_shared<Search>(std::move(parts), std::move(done))->begin();
}

}  // namespace callimport::api
