#include "api/cli/launch.h"

#include <fmt/format.h>

#include "api/cli/actions.h"
#include "api/cli/workflows.h"

namespace callimport::api {
namespace {

/// Where the import is to run: as told, or as the server with the library says.
tl::expected<std::string, CliError> task_queue_of(Session& session, const StartFlags& flags) {
  if (!flags.task_queue.empty()) return flags.task_queue;
  auto server = session.ask<v1::GetServerInfoRequest, v1::GetServerInfoResponse>("GetServerInfo", {});
  if (server) return server->task_queue();
  if (server.error().code == kLibraryAbsent)
    server.error().next = "repeat it where the worker runs, without --address; or name its --task-queue";
  return tl::unexpected(server.error());
}

v1::StartImportRequest request_of(const StartFlags& flags, const activities::ImportInput& order) {
  v1::StartImportRequest request;
  auto& action = *request.mutable_action();
  action.set_import(order.import);
  action.set_request_id(flags.request_id.empty() ? new_request_id() : flags.request_id);
  request.set_input(activities::write_note(order));
  request.set_customer(flags.customer);
  request.set_owns_data(flags.owns_data);
  request.set_task_queue(flags.task_queue);
  for (const auto& call : flags.named) request.add_calls(call);
  return request;
}

}  // namespace

tl::expected<void, CliError> settle_consent(Session& session, StartFlags& flags, const activities::ImportInput& order) {
  if (flags.owns_data) return {};
  auto request = request_of(flags, order);
  request.mutable_action()->set_dry_run(true);
  const auto plan = session.ask<v1::StartImportRequest, v1::ActionResponse>("StartImport", request);
  if (!plan && plan.error().code == kLibraryAbsent) return {};
  if (!plan) return tl::unexpected(plan.error());
  if (!plan->consent_needed()) return {};
  const auto whose = printable(flags.customer.empty() ? order.workspace : flags.customer);
  if (!session.may_ask()) {
    return sorry(kExitUsage, "consent.missing",
                 fmt::format("nobody has said yet that {} owns these calls and agrees to their being copied",
                             whose.empty() ? "the customer" : whose),
                 "repeat the command with --owns-data, once for this customer's workspace");
  }
  CLI_TRY(const auto answer,
          session.ask_line(fmt::format("Does {} own these calls, and agree to their being copied? [y/N]", whose)));
  if (answer != "y" && answer != "Y" && answer != "yes")
    return sorry(kExitCancelled, "declined", "nothing was started", {});
  flags.owns_data = true;
  return {};
}

tl::expected<bool, CliError> launch_import(Session& session, const StartFlags& flags,
                                           const activities::ImportInput& order) {
  const auto request = request_of(flags, order);
  const auto answer = session.ask<v1::StartImportRequest, v1::ActionResponse>("StartImport", request);
  const auto running = [&order] {
    return sorry(kExitFailed, "already_exists", order.import + " is running", "callimport watch " + order.import);
  };
  if (answer) return answer->acted();
  if (answer.error().code == "import.running") {
    if (flags.request_id.empty()) return running();
    return false;
  }
  if (answer.error().code != kLibraryAbsent) return tl::unexpected(answer.error());
  if (!flags.named.empty()) {
    return sorry(kExitFailed, kLibraryAbsent, "calls can be named only where the library is: nothing was started",
                 "repeat it where the worker runs, without --address");
  }
  CLI_TRY(const auto task_queue, task_queue_of(session, flags));
  const StartOrder start{order.import, request.input(), request.action().request_id(), task_queue};
  CLI_TRY(const bool started, start_import_workflow(session, start));
  if (!started && flags.request_id.empty()) return running();
  return started;
}

}  // namespace callimport::api
