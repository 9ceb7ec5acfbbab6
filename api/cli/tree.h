#pragma once
// The command tree: how a verb is hung into it. One verb, one file.
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "api/cli/session.h"

namespace callimport::api {

struct Tree {
  CLI::App& root;
  Session& session;
  std::function<Ended()> chosen;  ///< set by the parse: the verb to run

  /// A verb below `parent`. Help leads with the two examples; flags of the root are taken after the verb, too.
  CLI::App& verb(CLI::App& parent, const std::string& name, const std::string& summary,
                 const std::vector<std::string>& examples);
  /// What the verb does once everything is parsed.
  void run(CLI::App& verb, std::function<Ended()> body);
};

void add_serve(Tree& tree);
void add_worker(Tree& tree);
void add_sandbox(Tree& tree);
void add_start(Tree& tree);
void add_estimate(Tree& tree);
void add_watch(Tree& tree);
void add_overview(Tree& tree);
void add_list(Tree& tree);
void add_show(Tree& tree);
void add_report(Tree& tree);
void add_cancel(Tree& tree);
void add_pause_resume(Tree& tree);
void add_window(Tree& tree);
void add_retry(Tree& tree);
void add_skip(Tree& tree);
void add_approve(Tree& tree);
void add_undo(Tree& tree);
void add_audit(Tree& tree);
void add_notifications(Tree& tree);
void add_mutes(Tree& tree, CLI::App& notifications);  ///< verbs below it
void add_calls(Tree& tree);
void add_people(Tree& tree);
void add_credentials(Tree& tree);
void add_budgets(Tree& tree);
void add_webhooks(Tree& tree);
void add_quarantine(Tree& tree);
void add_history(Tree& tree);
void add_metrics(Tree& tree);
void add_platforms(Tree& tree);
void add_doctor(Tree& tree);
void add_backup(Tree& tree);
void add_restore(Tree& tree);
void add_version(Tree& tree);
void add_completion(Tree& tree);
void add_help(Tree& tree);

}  // namespace callimport::api
