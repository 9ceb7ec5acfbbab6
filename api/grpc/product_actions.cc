#include "api/grpc/product_actions.h"

#include <fmt/format.h>

#include <memory>

#include "activities/import/contract.h"

namespace callimport::api {
namespace {

using storage::ActionRow;

/// One action under way, from the request to its answer. Shared by the steps it takes on pool and loop.
struct Acting {
  ProductParts& parts;
  Caller caller;
  v1::Action action;
  std::string verb;
  std::shared_ptr<Answer> answer;
  ActionPlan plan{};
};

Result<std::int64_t> last_action(storage::Library& library, const std::string& import) {
  TRY(const auto last, library.actions(import, 0, 1));
  return last.empty() ? 0 : last.front().number;
}

/// The action's row, and the consent that came with it, in one transaction, before anything is done.
Result<std::int64_t> write_down(Acting& acting) {
  const auto& action = acting.action;
  if (action.request_id().empty() || action.request_id().size() > kRequestIdBytesMax) {
    return fail(Code::kInvalid, fmt::format("an action needs a request id of 1 to {} bytes", kRequestIdBytesMax));
  }
  ActionRow row;
  row.at_ms = to_unix_ms(acting.parts.clock.now());
  row.import = acting.plan.answer.import();
  row.verb = acting.verb;
  row.who = acting.caller.name;
  row.origin = acting.caller.origin;
  row.why = activities::cut_text(action.why(), activities::kSentenceBytesMax);
  row.before = acting.plan.before;
  row.after = acting.plan.after;
  row.request_id = action.request_id();
  std::int64_t number = 0;
  TRY_VOID(acting.parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(number, tx.add_action(row, action.change()));
    if (acting.plan.consent) {
      TRY_VOID(tx.consent(*acting.plan.consent));
    }
    if (!acting.plan.calls.empty()) {
      TRY_VOID(tx.name_calls(row.import, acting.plan.calls));
    }
    return {};
  }));
  return number;
}

void answer_with(const std::shared_ptr<Acting>& acting, const Result<>& outcome) {
  if (!outcome) return acting->answer->finish(status_of(outcome.error()));
  acting->answer->reply(acting->plan.answer);
}

/// What was refused after it had been written down is written down, too.
void fail_with(const std::shared_ptr<Acting>& acting, const PortStatus& status) {
  acting->parts.pool.post([acting, status] {
    const auto number = acting->plan.answer.change();
    const auto kept = acting->parts.library.change(
        [&](storage::LibraryTx& tx) { return tx.set_outcome(number, "not done: " + status.message); });
    acting->parts.loop.post([acting, status, kept] {
      auto said = status;
      if (status.code == kGrpcNotFound)
        said = status_of({Code::kConflict, "import.closed: " + acting->plan.answer.import() + " has ended meanwhile"});
      if (!kept) said.message += "; and the audit log could not say so: " + kept.error().message;
      acting->answer->finish(said);
    });
  });
}

void work_in_library(const std::shared_ptr<Acting>& acting) {
  acting->parts.pool.post([acting] {
    auto made = std::make_shared<Result<v1::ActionResponse>>(std::get<LibraryEffect>(acting->plan.effect).work());
    acting->parts.loop.post([acting, made] {
      if (!*made) return fail_with(acting, status_of(made->error()));
      const auto change = acting->plan.answer.change();
      acting->plan.answer = std::move(**made);
      acting->plan.answer.set_change(change);
      acting->plan.answer.set_acted(true);
      acting->answer->reply(acting->plan.answer);
    });
  });
}

/// The import's run has started: its row opens before the answer, so that who watches next does not meet the old end.
/// Only the end that was planned against is taken back: the run may have opened the row by now, or closed it again.
/// Lost to a crash or an error, this is made up for by the run's first step.
void reopen_and_answer(const std::shared_ptr<Acting>& acting, const StartEffect& start) {
  acting->parts.pool.post([acting, closed_ms = *start.reopens, failed_too = start.failed_too] {
    (void)acting->parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
      const auto& import = acting->plan.answer.import();
      TRY(const auto row, tx.import(import));
      if (row.closed_ms != closed_ms) return {};
      return failed_too ? tx.reopen_import(import) : tx.reopen_keeping_failed(import);
    });
    acting->parts.loop.post([acting] { acting->answer->reply(acting->plan.answer); });
  });
}

/// On the loop: the row is there, now it is done.
void act(const std::shared_ptr<Acting>& acting) {
  if (std::holds_alternative<LibraryEffect>(acting->plan.effect)) return work_in_library(acting);
  carry_out(acting->parts, acting->plan.answer.import(), acting->action.request_id(), acting->plan.effect,
            [acting](const PortStatus& status, bool acted) {
              if (!status.ok()) return fail_with(acting, status);
              acting->plan.answer.set_acted(acted);
              acting->plan.answer.set_already(!acted);
              const auto* start = std::get_if<StartEffect>(&acting->plan.effect);
              if (acted && start != nullptr && start->reopens) return reopen_and_answer(acting, *start);
              acting->answer->reply(acting->plan.answer);
            });
}

/// On the pool: plans, and writes down unless there is nothing to do.
template <class Request>
Result<bool> prepare(Acting& acting, const Request& request,
                     Result<ActionPlan> (*plan)(ProductParts&, const Caller&, const Request&)) {
  TRY(acting.plan, plan(acting.parts, acting.caller, request));
  const bool nothing = std::holds_alternative<std::monostate>(acting.plan.effect);
  if (nothing || acting.action.dry_run()) {
    TRY(const auto last, last_action(acting.parts.library, acting.plan.answer.import()));
    acting.plan.answer.set_change(last);
    return false;
  }
  TRY(const auto number, write_down(acting));
  acting.plan.answer.set_change(number);
  return true;
}

template <class Request>
void add_action(Router& router, ProductParts& parts, const std::string& name,
                Result<ActionPlan> (*plan)(ProductParts&, const Caller&, const Request&)) {
  const auto full = product_method(name);
  const std::string verb(role_of_method(full).doing);
  auto method = callers_method<Request>(
      [&parts, plan, verb](std::shared_ptr<Request> request, const Caller& caller, std::shared_ptr<Answer> answer) {
        auto acting = std::make_shared<Acting>(Acting{parts, caller, request->action(), verb, std::move(answer)});
        acting->parts.pool.post([acting, request, plan] {
          const auto prepared = prepare(*acting, *request, plan);
          acting->parts.loop.post([acting, prepared] {
            if (!prepared) return answer_with(acting, fail(prepared.error().code, prepared.error().message));
            if (!*prepared) return answer_with(acting, {});
            act(acting);
          });
        });
      });
  router.methods[full] = std::move(method);
}

Result<v1::ListAuditResponse> list_audit(ProductParts& parts, const v1::ListAuditRequest& request) {
  std::string import = request.import();
  // Of an import that was asked for and never opened there is no row to resolve.
  if (!import.empty() && !ImportId::parse(import)) {
    TRY(import, resolve_import(parts.library, import));
  }
  TRY(auto rows, parts.library.actions(import, request.before(), page_size(request.page_size())));
  if (rows.empty() && !import.empty()) {
    TRY(import, resolve_import(parts.library, import));
    TRY(rows, parts.library.actions(import, request.before(), page_size(request.page_size())));
  }
  v1::ListAuditResponse reply;
  for (const auto& row : rows) *reply.add_entries() = to_message(row);
  return reply;
}

}  // namespace

void add_action_methods(Router& router, ProductParts& parts) {
  add_action(router, parts, "StartImport", &plan_start);
  add_action(router, parts, "PauseImport", &plan_pause);
  add_action(router, parts, "ResumeImport", &plan_resume);
  add_action(router, parts, "RetryImport", &plan_retry);
  add_action(router, parts, "SkipCalls", &plan_skip);
  add_action(router, parts, "ApproveImport", &plan_approve);
  add_action(router, parts, "UndoImport", &plan_undo);
  add_action(router, parts, "CancelImport", &plan_cancel);
  add_action(router, parts, "SetWindow", &plan_set_window);
  add_pooled(router, parts, "ListAudit", &list_audit);
}

}  // namespace callimport::api
