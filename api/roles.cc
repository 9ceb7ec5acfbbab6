#include "api/roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace callimport::api {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"none", "viewer", "operator", "approver", "admin"};

constexpr std::array kMethods = {
    MethodRole{"ListImports", Role::kViewer, "list imports"},
    MethodRole{"GetImport", Role::kViewer, "show an import"},
    MethodRole{"WatchImport", Role::kViewer, "watch an import"},
    MethodRole{"ListImportCalls", Role::kViewer, "list an import's calls"},
    MethodRole{"GetImportCall", Role::kViewer, "show a call of an import"},
    MethodRole{"ListProblems", Role::kViewer, "list problems"},
    MethodRole{"ListTimeline", Role::kViewer, "read the timeline"},
    MethodRole{"ListNotifications", Role::kViewer, "read notifications"},
    MethodRole{"ListMessages", Role::kViewer, "list messages"},
    MethodRole{"GetMessage", Role::kViewer, "show a message"},
    MethodRole{"ExplainNotifications", Role::kViewer, "ask why somebody was told"},
    MethodRole{"PreviewMessage", Role::kViewer, "preview a message"},
    MethodRole{"ForecastMessages", Role::kViewer, "count what rules would have sent"},
    MethodRole{"ListChannels", Role::kViewer, "look at channels"},
    MethodRole{"ListMutes", Role::kViewer, "list what is muted"},
    MethodRole{"MuteMessages", Role::kOperator, "mute messages"},
    MethodRole{"UnmuteMessages", Role::kOperator, "unmute messages"},
    MethodRole{"ResendMessage", Role::kOperator, "resend a message"},
    MethodRole{"TestNotification", Role::kOperator, "test a channel"},
    MethodRole{"ListAudit", Role::kViewer, "read the audit log"},
    MethodRole{"ListCalls", Role::kViewer, "list calls"},
    MethodRole{"GetCall", Role::kViewer, "show a call"},
    MethodRole{"SearchCalls", Role::kViewer, "search calls"},
    MethodRole{"CountFacets", Role::kViewer, "count what a search finds"},
    MethodRole{"GetReport", Role::kViewer, "read a report"},
    MethodRole{"EstimateImport", Role::kViewer, "estimate an import"},
    MethodRole{"MeasureImports", Role::kViewer, "read the figures of imports"},
    MethodRole{"ListBudgets", Role::kViewer, "list budgets"},
    MethodRole{"ListWebhooks", Role::kViewer, "list webhooks"},
    MethodRole{"ListWebhookMessages", Role::kOperator, "read what webhooks were sent"},
    MethodRole{"AddWebhook", Role::kAdmin, "add a webhook"},
    MethodRole{"RotateWebhook", Role::kAdmin, "exchange a webhook's secret"},
    MethodRole{"SwitchWebhook", Role::kAdmin, "switch a webhook"},
    MethodRole{"RemoveWebhook", Role::kAdmin, "remove a webhook"},
    MethodRole{"SendWebhook", Role::kOperator, "send to a webhook"},
    MethodRole{"ListQuarantine", Role::kViewer, "list what is in quarantine"},
    MethodRole{"ListPeople", Role::kViewer, "list people"},
    MethodRole{"ListUnmatched", Role::kViewer, "list unmatched participants"},
    MethodRole{"ImportPeople", Role::kOperator, "import people"},
    MethodRole{"RematchPeople", Role::kOperator, "match people again"},
    MethodRole{"CreateBackup", Role::kAdmin, "make a backup"},
    MethodRole{"GetMediaPath", Role::kViewer, "play a call"},
    MethodRole{"ListCredentials", Role::kViewer, "list credentials"},
    MethodRole{"GetServerInfo", Role::kViewer, "ask for the server's facts"},
    MethodRole{"AddCredential", Role::kOperator, "add a credential"},
    MethodRole{"ReplaceCredential", Role::kOperator, "renew a credential"},
    MethodRole{"RemoveCredential", Role::kOperator, "remove a credential"},
    MethodRole{"BeginSignIn", Role::kOperator, "sign in"},
    MethodRole{"FinishSignIn", Role::kOperator, "connect a credential"},
    MethodRole{"StartImport", Role::kOperator, "start"},
    MethodRole{"PauseImport", Role::kOperator, "pause"},
    MethodRole{"ResumeImport", Role::kOperator, "resume"},
    MethodRole{"RetryImport", Role::kOperator, "retry"},
    MethodRole{"SkipCalls", Role::kApprover, "skip"},
    MethodRole{"ApproveImport", Role::kApprover, "approve"},
    MethodRole{"SetWindow", Role::kOperator, "set the window"},
    MethodRole{"UndoImport", Role::kAdmin, "undo"},
    MethodRole{"CancelImport", Role::kOperator, "cancel"},
};

constexpr std::string_view kTemporals = "/temporal.api.";
constexpr std::array<std::string_view, 6> kReading = {"Get", "List", "Describe", "Count", "Query", "Scan"};

/// "os:anna" as "anna".
std::string_view bare(std::string_view name) {
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

}  // namespace

std::string_view to_string(Role role) { return kNames.at(static_cast<std::size_t>(role)); }

std::optional<Role> parse_role(std::string_view text) {
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (kNames.at(i) == text) return static_cast<Role>(i);
  }
  return std::nullopt;
}

std::string Caller::person() const { return name.empty() ? "a person" : std::string(bare(name)); }

Role RoleMap::of(const std::string& who) const {
  if (rows_.empty()) return Role::kAdmin;
  const auto found = rows_.find(who);
  return found == rows_.end() ? Role::kNone : found->second;
}

std::string RoleMap::refusal(std::string_view doing, Role needed, const Caller& caller) const {
  std::string holders;
  int count = 0;
  for (const auto& [who, role] : rows_) {
    if (role < needed) continue;
    holders += (holders.empty() ? "" : ", ") + std::string(bare(who));
    ++count;
  }
  const std::string have = count == 0 ? "nobody has it" : holders + (count == 1 ? " has it" : " have it");
  return fmt::format("role.refused: {} needs the role {}: {}; {} is {}", doing, to_string(needed), have,
                     caller.name.empty() ? "the caller" : caller.name,
                     caller.role == Role::kNone ? "not in [roles]" : to_string(caller.role));
}

std::span<const MethodRole> method_roles() { return kMethods; }

MethodRole role_of_method(std::string_view full_method) {
  const auto name = full_method.substr(full_method.rfind('/') + 1);
  if (full_method.starts_with(kOurMethods)) {
    for (const auto& row : kMethods) {
      if (row.method == name) return row;
    }
    return {name, Role::kAdmin, name};
  }
  if (!full_method.starts_with(kTemporals)) return {name, Role::kNone, name};
  const bool reads = std::any_of(kReading.begin(), kReading.end(), [&](auto verb) { return name.starts_with(verb); });
  return {name, reads ? Role::kViewer : Role::kAdmin, name};
}

}  // namespace callimport::api
