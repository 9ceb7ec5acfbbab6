#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/estimate_card.h"
#include "api/cli/shape.h"
#include "api/cli/start_flags.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct EstimateFlags {
  StartFlags start;
  double time_s = 0;
  bool exact = false, checks = false;
};

Ended estimate(Session& session, const EstimateFlags& asked) {
  CLI_TRY(auto flags, completed_flags(session, asked.start));
  CLI_TRY_VOID(check_platform(flags));
  CLI_TRY(auto order, import_order(session, flags));
  complete_order(session, flags, order);
  CLI_TRY_VOID(describe_when(order, session.now_ms()));
  CLI_TRY(const auto access, given_access(session, flags));
  auto look = look_of(flags, access, order);
  look.time_ms = asked.exact ? -1 : static_cast<std::int64_t>(asked.time_s * 1'000);
  look.checks_only = asked.checks;
  CLI_TRY(const auto seen, look_before(session, look));
  Sheet sheet;
  sheet.rows = {shape(seen)};
  sheet.columns = {{"calls_from", "estimate.calls.from"},
                   {"calls_to", "estimate.calls.to"},
                   {"to_import", "estimate.to_import"},
                   {"requests_to", "estimate.requests.to"},
                   {"bytes_to", "estimate.bytes.to"},
                   {"duration_from_ms", "estimate.duration_ms.from"},
                   {"duration_to_ms", "estimate.duration_ms.to"},
                   {"cause", "estimate.cause"},
                   {"confidence", "estimate.confidence"}};
  sheet.text = [&] {
    const auto card = seen.has_estimate() ? estimate_card(seen.estimate(), order) : std::string();
    return wrapped_lines(card + (card.empty() ? "checks\n" : "\nchecks\n") + check_list(seen.checks()), session.width(),
                         kCardIndent);
  };
  CLI_TRY_VOID(print_object(session, sheet));
  const auto* failed = failed_check(seen, "");
  if (failed == nullptr) return kExitDone;
  return failed->name().starts_with("access.") ? kExitSignIn : kExitFailed;
}

}  // namespace

void add_estimate(Tree& tree) {
  auto& verb = tree.verb(tree.root, "estimate", "What an import will take; nothing is written",
                         {"callimport estimate --platform grain --customer Acme --token-file grain.token",
                          "callimport estimate --platform grain --credential cred_5k2 --after 2026-01-01 -o json"});
  auto flags = std::make_shared<EstimateFlags>();  // shared by the parser and the body
  add_import_flags(verb, flags->start);
  auto* time = verb.add_option("--time", flags->time_s, "seconds it may look; the rest is extrapolated (8)")
                   ->check(CLI::Range(1.0, 3'600.0));
  verb.add_flag("--exact", flags->exact, "count every call, however long it takes")->excludes(time);
  verb.add_flag("--checks", flags->checks, "only the checks");
  tree.run(verb, [&session = tree.session, flags] { return estimate(session, *flags); });
}

}  // namespace callimport::api
