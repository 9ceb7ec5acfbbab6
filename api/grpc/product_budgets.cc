#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

v1::Budget to_message(const storage::BudgetView& view) {
  v1::Budget budget;
  budget.set_platform(view.account.platform);
  budget.set_workspace(view.account.workspace);
  budget.set_what(view.what);
  budget.set_limit(view.limit);
  budget.set_period_ms(view.period_ms);
  budget.set_used(view.used);
  budget.set_left(view.left);
  if (view.resets_ms != 0) budget.set_resets_ms(view.resets_ms);
  if (view.blocked_until_ms != 0) budget.set_blocked_until_ms(view.blocked_until_ms);
  for (const auto& import : view.imports) budget.add_imports(import);
  return budget;
}

}  // namespace

void add_budget_methods(Router& router, ProductParts& parts) {
  using Request = v1::ListBudgetsRequest;
  auto method = typed_method<Request>(
      [&parts](std::shared_ptr<Request> request, CallContext, std::shared_ptr<Answer> answer) {
        v1::ListBudgetsResponse reply;
        for (const auto& view : parts.budgets ? parts.budgets() : std::vector<storage::BudgetView>()) {
          if (!request->platform().empty() && request->platform() != view.account.platform) continue;
          if (!request->workspace().empty() && request->workspace() != view.account.workspace) continue;
          *reply.add_budgets() = to_message(view);
        }
        answer->reply(reply);
      });
  method.trusted = true;
  router.methods[product_method("ListBudgets")] = std::move(method);
}

}  // namespace callimport::api
