#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "activities/import/choice.h"
#include "activities/platforms/platform.h"
#include "api/cli/imports.h"
#include "api/cli/launch.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"
#include "api/cli/wizard.h"
#include "api/cli/workflows.h"
#include "storage/library/lane_order.h"
#include "storage/model/ids.h"

namespace callimport::api {
namespace {

/// The handle of the credential: the one named, or a new one from the token given.
tl::expected<std::string, CliError> keep_access(Session& session, const StartFlags& flags, const GivenAccess& access,
                                                const activities::ImportInput& order) {
  if (!access.credential.empty()) return access.credential;
  v1::AddCredentialRequest request;
  request.set_platform(order.platform);
  request.set_workspace(order.workspace);
  request.set_kind(flags.token_kind);
  request.set_secret(access.token);
  CLI_TRY(const auto reply,
          (session.ask<v1::AddCredentialRequest, v1::AddCredentialResponse>("AddCredential", request)));
  return reply.credential().id();
}

/// The id on stdout, JSON on request; talk on stderr.
void print_started(const Session& session, const activities::ImportInput& order, bool started) {
  if (session.json()) {
    session.print(dump({{"id", order.import},
                        {"platform", order.platform},
                        {"workspace", order.workspace},
                        {"started", started}}) +
                  "\n");
  } else if (session.output() != Output::kNone) {
    session.print(order.import + "\n");
  }
}

void say_plan(const Session& session, const activities::ImportInput& order) {
  const auto* platform = activities::find_platform(order.platform);
  std::string extent = "then all others";
  if (order.calls_max > 0)
    extent =
        fmt::format("{} in all, {}", human_count(order.calls_max), order.spread ? "across all dates" : "the newest");
  const auto choice = activities::choice_words(order);
  session.say(fmt::format("import from {} for {}: the first {} calls first, {}, {}; {}{}", platform->title,
                          printable(order.workspace.empty() ? "the token's workspace" : order.workspace),
                          order.settings.first_lane,
                          storage::spoken_order(storage::parse_lane_order(order.order).value_or(storage::LaneOrder{})),
                          extent, order.media ? "recordings and transcripts" : "transcripts only",
                          choice.empty() ? choice : "; " + printable(choice)));
}

/// The look before the start: what it found is said, and what it foretold goes into the order.
/// @error access.*  the platform does not take the access: nothing is started.
tl::expected<void, CliError> estimate_first(Session& session, const StartFlags& flags, const GivenAccess& access,
                                            activities::ImportInput& order) {
  const auto seen = look_before(session, look_of(flags, access, order));
  if (!seen && seen.error().code == kLibraryAbsent) {
    session.say("no estimate: only Temporal answers there");
    return {};
  }
  if (!seen) return tl::unexpected(seen.error());
  if (const auto* failed = failed_check(*seen, "access.")) {
    return sorry(kExitSignIn, failed->name(), failed->text() + "; nothing was started",
                 "callimport start ... --no-estimate, to start it all the same");
  }
  for (const auto& check : seen->checks()) {
    if (check.result() == "fail" || check.result() == "warning")
      session.say(fmt::format("{}: {}: {}", check.result(), check.title(), printable(check.text())));
  }
  if (!seen->has_estimate()) return {};
  session.say_raw(wrapped_lines(estimate_card(seen->estimate(), order), session.talk_width(), kCardIndent));
  if (const auto said = activities::read_note<activities::Prediction>(seen->estimate().prediction()))
    order.predicted = *said;
  return {};
}

/// Checks, figures and plan; the checks that could not be made are named last (NW-11).
Ended dry_run(Session& session, const StartFlags& flags, const GivenAccess& access,
              const activities::ImportInput& order) {
  CLI_TRY(const auto seen, look_before(session, look_of(flags, access, order)));
  Sheet sheet;
  sheet.rows = {shape(seen)};
  auto plan = nlohmann::json(order);
  plan.erase("state");
  sheet.rows.front()["plan"] = std::move(plan);
  sheet.text = [&] {
    std::string unknown;
    for (const auto& check : seen.checks()) {
      if (check.result() == "could not check") unknown += (unknown.empty() ? "" : ", ") + check.title();
    }
    const auto text = "checks\n" + check_list(seen.checks()) +
                      (seen.has_estimate() ? "\n" + estimate_card(seen.estimate(), order) : std::string()) +
                      (unknown.empty() ? std::string() : "\ncould not be checked: " + unknown + "\n");
    return wrapped_lines(text, session.width(), kCardIndent);
  };
  CLI_TRY_VOID(print_object(session, sheet));
  session.say("a dry run: nothing was started, written or kept");
  if (failed_check(seen, "access.") != nullptr) return kExitSignIn;
  return failed_check(seen, "") == nullptr ? kExitDone : kExitFailed;
}

/// True when the same key started it before.
tl::expected<bool, CliError> started_before(Session& session, const StartFlags& flags,
                                            const activities::ImportInput& order) {
  if (flags.request_id.empty() || !flags.import_id.empty()) return false;
  CLI_TRY(const auto known, describe_workflow(session, order.import));
  return known.has_value();
}

Ended start(Session& session, const StartFlags& asked) {
  CLI_TRY(auto flags, completed_flags(session, asked));
  if (flags.platform.empty() && session.may_ask()) {
    CLI_TRY(flags, ask_for_start(session, std::move(flags)));
  }
  CLI_TRY_VOID(check_platform(flags));
  CLI_TRY(auto order, import_order(session, flags));
  complete_order(session, flags, order);
  CLI_TRY(const auto when, describe_when(order, session.now_ms()));
  say_plan(session, order);
  for (const auto& line : when) session.say(line);
  // The same key again: nothing is asked, added or started twice.
  CLI_TRY(const bool before, started_before(session, flags, order));
  if (before && !flags.dry_run) {
    session.say("this request was started before as " + order.import);
    print_started(session, order, false);
    return flags.wait ? watch_import(session, order.import, flags.watch) : Ended(kExitDone);
  }
  CLI_TRY(const auto access, given_access(session, flags));
  if (flags.dry_run) return dry_run(session, flags, access, order);
  if (!flags.no_estimate) {
    CLI_TRY_VOID(estimate_first(session, flags, access, order));
  }
  CLI_TRY_VOID(settle_consent(session, flags, order));
  CLI_TRY(const bool go, session.confirm("Start it?"));
  if (!go) return sorry(kExitCancelled, "declined", "nothing was started", {});
  CLI_TRY(order.credential, keep_access(session, flags, access, order));
  CLI_TRY(const bool started, launch_import(session, flags, order));
  print_started(session, order, started);
  if (const auto page = web_page_of(session, order.import); !page.empty()) session.say(page);
  if (flags.wait) return watch_import(session, order.import, flags.watch);
  session.say("next: callimport watch " + order.import);
  return kExitDone;
}

}  // namespace

void add_start(Tree& tree) {
  auto& verb = tree.verb(tree.root, "start", "Start an import",
                         {"callimport start --platform grain --customer Acme --token-file grain.token --wait",
                          "callimport start --platform grain --credential cred_5k2 --sample 50 --yes --owns-data",
                          "callimport start --like imp_7f3a --token-file grain.token"});
  auto flags = std::make_shared<StartFlags>();  // shared by the parser and the body
  add_import_flags(verb, *flags);
  verb.add_option("--request-id", flags->request_id, "idempotency key: the same key starts one import only");
  verb.add_option("--import-id", flags->import_id, "go on with a closed import: what is missing runs");
  verb.add_option("--task-queue", flags->task_queue,
                  "where a worker with the library waits for it (default: as the server says)");
  verb.add_flag("--owns-data", flags->owns_data,
                "the customer owns these calls and agrees to their being copied: said once for a customer's workspace");
  auto* wait = verb.add_flag("--wait", flags->wait, "watch it to its end");
  add_watch_flags(verb, flags->watch, wait);
  auto* dry = verb.add_flag("--dry-run", flags->dry_run, "checks, estimate and plan; nothing is started or written");
  verb.add_flag("--no-estimate", flags->no_estimate, "start without looking first")->excludes(dry);
  tree.run(verb, [&session = tree.session, flags] { return start(session, *flags); });
}

}  // namespace callimport::api
