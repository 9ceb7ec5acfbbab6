#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "storage/quota/budget.h"

namespace callimport::api {
namespace {

struct BudgetFlags {
  std::string platform, workspace;
};

/// What a row is of: this installation, or a workspace at a platform.
std::string owner_of(const v1::Budget& budget) {
  if (budget.platform().empty()) return "this installation";
  const std::string workspace = budget.workspace().empty() ? "the token's workspace" : printable(budget.workspace());
  return budget.platform() + " " + workspace;
}

std::string limit_of(const v1::Budget& budget) {
  return human_count(budget.limit()) + " " + storage::period_words(std::chrono::milliseconds{budget.period_ms()});
}

std::string resets_of(const Session& session, const v1::Budget& budget) {
  if (budget.has_blocked_until_ms()) return "held by the platform until " + session.time(budget.blocked_until_ms());
  return budget.has_resets_ms() ? session.time(budget.resets_ms()) : "-";
}

std::string shared_by(const v1::Budget& budget) {
  if (budget.imports().empty()) return "-";
  if (budget.imports_size() == 1) return budget.imports(0);
  return fmt::format("{} and {} more", budget.imports(0), budget.imports_size() - 1);
}

Ended list(Session& session, const BudgetFlags& flags) {
  v1::ListBudgetsRequest request;
  request.set_platform(flags.platform);
  request.set_workspace(flags.workspace);
  CLI_TRY(const auto reply, (session.ask<v1::ListBudgetsRequest, v1::ListBudgetsResponse>("ListBudgets", request)));
  Sheet sheet;
  for (const auto& budget : reply.budgets()) sheet.rows.push_back(shape(budget));
  sheet.columns =
      plain_columns({"platform", "workspace", "what", "limit", "period_s", "used", "left", "resets", "blocked_until"});
  sheet.empty = "no budget of that platform or workspace is in use; all of them: callimport budgets";
  sheet.text = [&] {
    Table table{{"WHOSE", "WHAT", "LIMIT", "USED", "LEFT", "ALL BACK", "SHARED BY"}, {}, 6};
    for (const auto& budget : reply.budgets()) {
      table.rows.push_back({owner_of(budget), budget.what(), limit_of(budget), human_count(budget.used()),
                            human_count(budget.left()), resets_of(session, budget), shared_by(budget)});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

}  // namespace

void add_budgets(Tree& tree) {
  auto& verb = tree.verb(tree.root, "budgets", "How much of each limit is used, and which imports share it",
                         {"callimport budgets", "callimport budgets --platform grain -o json"});
  auto flags = std::make_shared<BudgetFlags>();  // shared by the parser and the body
  verb.add_option("--platform", flags->platform, "only this platform's");
  verb.add_option("--workspace", flags->workspace, "only this workspace's");
  tree.run(verb, [&session = tree.session, flags] { return list(session, *flags); });
}

}  // namespace callimport::api
