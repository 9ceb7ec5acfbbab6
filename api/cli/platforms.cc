#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "activities/platforms/matrix.h"
#include "activities/platforms/platform.h"
#include "api/cli/estimate_card.h"
#include "api/cli/platforms_page.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

using nlohmann::json;

struct PlatformFlags {
  std::vector<std::string> names, only;
  std::string credential, base_url;
  bool markdown = false;
};

/// Flat, for CSV.
json shape_of(const json& row) {
  json out = row;
  out["comes"] = comes_across_words(row);
  out["usual_1000"] = row.at("usual").at("1000");
  out["usual_5000"] = row.at("usual").at("5000");
  out["verified_by"] = row.contains("verified") ? row.at("verified").at("test") : json("never");
  return out;
}

/// How much of the platform's limits is used now, and by how many imports (PM-04); nothing where no server answers.
std::string used_now(Session& session, const std::string& platform) {
  v1::ListBudgetsRequest request;
  request.set_platform(platform);
  const auto reply = session.ask<v1::ListBudgetsRequest, v1::ListBudgetsResponse>("ListBudgets", request);
  std::string text;
  if (!reply) return text;
  for (const auto& budget : reply->budgets()) {
    if (budget.limit() <= 0) continue;
    text += fmt::format("  Used now      {}: {} of {} {} ({} %), shared by {} imports\n", printable(budget.workspace()),
                        human_count(budget.used()), human_count(budget.limit()), budget.what(),
                        budget.used() * 100 / budget.limit(), budget.imports_size());
  }
  return text;
}

Ended show_platforms(Session& session, const PlatformFlags& flags) {
  if (flags.markdown) {
    session.print(platforms_page());
    return kExitDone;
  }
  Sheet sheet;
  std::vector<const json*> rows;
  for (const auto& row : activities::platform_matrix().at("platforms")) {
    const auto& names = flags.names;
    const bool wanted = names.empty() || std::find(names.begin(), names.end(), row.value("name", "")) != names.end();
    if (wanted) rows.push_back(&row);
  }
  if (rows.size() < flags.names.size())
    return sorry(kExitUsage, "usage", "the matrix has no platform of that name", "callimport platforms");
  for (const auto* row : rows) sheet.rows.push_back(shape_of(*row));
  sheet.columns = {{"name", "name"},
                   {"import_today", "verdict"},
                   {"reason", "reason"},
                   {"sign_in", "sign_in"},
                   {"role", "role"},
                   {"plan", "plan"},
                   {"comes_across", "comes"},
                   {"per_minute", "per_minute"},
                   {"per_day", "per_day"},
                   {"usual_1000", "usual_1000"},
                   {"usual_5000", "usual_5000"},
                   {"verified_by", "verified_by"},
                   {"sure", "sure"}};
  sheet.text = [&]() -> std::string {
    std::string details;
    if (!flags.names.empty()) {
      for (const auto* row : rows)
        details += (details.empty() ? "" : "\n") + platform_detail(*row) + used_now(session, row->at("name"));
      return details;
    }
    Table table{{"PLATFORM", "TODAY", "COMES ACROSS", "5,000 CALLS", "WHY"}, {}, 4};
    for (const auto* row : rows) {
      table.rows.push_back({row->at("name"), row->at("verdict"), comes_across_words(*row), row->at("usual").at("5000"),
                            row->at("reason")});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

/// Each check with when it was made, and how to make those again that did not pass (NW-04).
std::string checked_text(const Session& session, const v1::Credential& credential,
                         const v1::EstimateImportResponse& seen) {
  Table table{{"CHECK", "WHETHER", "RESULT", "AT", "FOUND"}, {}, 4};
  std::string again;
  for (const auto& check : seen.checks()) {
    table.rows.push_back(
        {check.name(), check.title(), check.result(), session.time(check.at_ms()), printable(check.text())});
    if (check.result() == "fail") again += (again.empty() ? "" : ",") + check.name();
  }
  auto text = fmt::format("{}  {}  {}\n{}", credential.platform(), printable(credential.workspace()), credential.id(),
                          table.show(session.width()));
  if (!again.empty())
    text += fmt::format("when it is mended: callimport platforms check --credential {} --only {}\n", credential.id(),
                        again);
  return text;
}

/// Every connector of this binary with every credential there is for it (TF-02).
Ended check_platforms(Session& session, const PlatformFlags& flags) {
  CLI_TRY(const auto all,
          (session.ask<v1::ListCredentialsRequest, v1::ListCredentialsResponse>("ListCredentials", {})));
  Sheet sheet;
  int failed = 0;
  std::string text;
  for (const auto& one : all.credentials()) {
    if (one.has_wiped_ms() || activities::find_platform(one.platform()) == nullptr) continue;
    if (!flags.credential.empty() && !one.id().starts_with(flags.credential)) continue;
    Look look;
    look.order.platform = one.platform();
    look.order.workspace = one.workspace();
    look.order.credential = one.id();
    look.order.base_url = flags.base_url;
    look.checks_only = true;
    look.only = flags.only;
    CLI_TRY(const auto seen, look_before(session, look));
    if (failed_check(seen, "") != nullptr) ++failed;
    json row = shape(seen);
    row["platform"] = one.platform();
    row["workspace"] = one.workspace();
    row["credential"] = one.id();
    text += checked_text(session, one, seen);
    sheet.rows.push_back(std::move(row));
  }
  sheet.columns = plain_columns({"platform", "workspace", "credential"});
  sheet.text = [&] { return text; };
  sheet.empty = "no credential to check with: callimport credentials add --platform grain --token-file FILE";
  CLI_TRY_VOID(print_sheet(session, sheet));
  return failed == 0 ? kExitDone : kExitFailed;
}

}  // namespace

void add_platforms(Tree& tree) {
  auto& verb = tree.verb(tree.root, "platforms", "What can be imported from where, and how sure that is",
                         {"callimport platforms", "callimport platforms --platform grain"});
  auto flags = std::make_shared<PlatformFlags>();  // shared by the parser and the bodies; one of them runs
  verb.add_option("--platform", flags->names, "in detail; several: side by side with -o csv")->delimiter(',');
  verb.add_flag("--markdown", flags->markdown, "the page docs/platforms.md");
  auto& checking = tree.verb(verb, "check", "Try each credential on its platform",
                             {"callimport platforms check", "callimport platforms check --credential cred_5k2",
                              "callimport platforms check --credential cred_5k2 --only access.valid,call.download"});
  checking.add_option("--credential", flags->credential, "only this one");
  checking
      .add_option("--only", flags->only,
                  "only these checks: access.valid, access.list, access.scope, call.download, call.transcript, quota, "
                  "storage, clock, people, duplicates")
      ->delimiter(',');
  checking.add_option("--base-url", flags->base_url, "another server than the vendor's, e.g. a sandbox");
  tree.run(checking, [&session = tree.session, flags] { return check_platforms(session, *flags); });
  tree.run(verb, [&session = tree.session, flags] { return show_platforms(session, *flags); });
}

}  // namespace callimport::api
