// Broken recordings that were kept: which call, what is wrong, where the file lies.
#include <algorithm>
#include <vector>

#include "api/cli/shape.h"
#include "api/cli/sheet.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

struct QuarantineFlags {
  std::string import;
  int limit = 1'000;
};

tl::expected<std::vector<v1::QuarantinedFile>, CliError> read_files(Session& session, const QuarantineFlags& flags) {
  std::vector<v1::QuarantinedFile> files;
  v1::ListQuarantineRequest request;
  request.set_import(flags.import);
  while (static_cast<int>(files.size()) < flags.limit) {
    request.set_page_size(std::min(1'000, flags.limit - static_cast<int>(files.size())));
    CLI_TRY(const auto reply,
            (session.ask<v1::ListQuarantineRequest, v1::ListQuarantineResponse>("ListQuarantine", request)));
    files.insert(files.end(), reply.files().begin(), reply.files().end());
    if (reply.next_page_token() == 0) break;
    request.set_page_token(reply.next_page_token());
  }
  return files;
}

Ended list(Session& session, const QuarantineFlags& flags) {
  CLI_TRY(const auto files, read_files(session, flags));
  Sheet sheet;
  for (const auto& file : files) sheet.rows.push_back(shape(file));
  sheet.columns = plain_columns({"import", "source_id", "cause", "detail", "bytes", "sha256", "at", "path"});
  sheet.empty = "no broken recordings";
  sheet.text = [&] {
    Table table{{"CALL", "CAUSE", "WHAT IS WRONG", "SIZE", "KEPT AS"}, {}, 2};
    for (const auto& file : files) {
      table.rows.push_back({printable(file.source_id()), file.cause(), printable(file.detail()),
                            human_bytes(file.bytes()), file.path().empty() ? "not kept any more" : file.path()});
    }
    return table.show(session.width());
  };
  return print_sheet(session, sheet);
}

}  // namespace

void add_quarantine(Tree& tree) {
  auto& root = tree.verb(tree.root, "quarantine", "Broken recordings that are kept for a look",
                         {"callimport quarantine list", "callimport quarantine list --import imp_7f3a"});
  root.require_subcommand(1);
  auto flags = std::make_shared<QuarantineFlags>();  // shared by the parser and the body
  auto& session = tree.session;
  auto& listing =
      tree.verb(root, "list", "Each with its cause, its SHA-256 and where it lies",
                {"callimport quarantine list --import imp_7f3a", "callimport quarantine list -o csv > broken.csv"});
  listing.add_option("--import", flags->import, "import id or its beginning; all when absent");
  listing.add_option("--limit", flags->limit, "rows at most")->check(CLI::Range(1, 100'000));
  tree.run(listing, [&session, flags] { return list(session, *flags); });
}

}  // namespace callimport::api
