#include "api/cli/audit.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

nlohmann::json object_of(const std::string& text) {
  auto object = nlohmann::json::parse(text, nullptr, false);
  return object.is_discarded() ? nlohmann::json(text) : object;
}

nlohmann::json shape_of(const v1::AuditEntry& entry) {
  return {{"number", entry.number()},
          {"at", format_utc(from_unix_ms(entry.at_ms()))},
          {"import", entry.import()},
          {"verb", entry.verb()},
          {"who", entry.who()},
          {"from", entry.origin()},
          {"why", entry.why()},
          {"before", object_of(entry.before())},
          {"after", object_of(entry.after())},
          {"outcome", entry.outcome().empty() ? "done" : entry.outcome()}};
}

}  // namespace

Ended show_audit(Session& session, const std::string& import, int limit) {
  constexpr int kPage = 1000;
  v1::ListAuditRequest request;
  request.set_import(import);
  std::vector<v1::AuditEntry> entries;
  while (static_cast<int>(entries.size()) < limit) {
    request.set_page_size(std::min(kPage, limit - static_cast<int>(entries.size())));
    CLI_TRY(auto reply, (session.ask<v1::ListAuditRequest, v1::ListAuditResponse>("ListAudit", request)));
    const bool more = reply.entries_size() == request.page_size();
    for (auto& entry : *reply.mutable_entries()) entries.push_back(std::move(entry));
    if (!more) break;
    request.set_before(entries.back().number());
  }
  Sheet sheet;
  for (const auto& entry : entries) sheet.rows.push_back(shape_of(entry));
  sheet.columns = plain_columns({"number", "at", "import", "verb", "who", "from", "why", "outcome"});
  sheet.empty = "nobody did anything yet";
  sheet.text = [&] {
    Table table{{"AT", "IMPORT", "VERB", "WHO", "FROM", "WHY", "OUTCOME"}, {}, 5};
    for (const auto& entry : entries) {
      table.rows.push_back({session.time(entry.at_ms()), entry.import(), entry.verb(), printable(entry.who()),
                            printable(entry.origin()), printable(entry.why()),
                            entry.outcome().empty() ? "done" : printable(entry.outcome())});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

void add_audit(Tree& tree) {
  struct Flags {
    std::string import;
    int limit = 100;
  };
  auto& verb = tree.verb(tree.root, "audit", "Who did what to which import, when, from where and why",
                         {"callimport audit imp_7f3a", "callimport audit --limit 1000 -o csv"});
  auto flags = std::make_shared<Flags>();  // shared by the parser and the body
  verb.add_option("import", flags->import, "import id or its beginning (default: all)");
  verb.add_option("--limit", flags->limit, "rows at most, the newest")->check(CLI::Range(1, 10'000'000));
  tree.run(verb, [&session = tree.session, flags] { return show_audit(session, flags->import, flags->limit); });
}

}  // namespace callimport::api
