// The report of an import: on the terminal, as a page, as JSON, and its calls and problems as tables for a spreadsheet.
#include <nlohmann/json.hpp>

#include "api/cli/imports.h"
#include "api/cli/out_file.h"
#include "api/cli/report_html.h"
#include "api/cli/report_text.h"
#include "api/cli/shape.h"
#include "api/cli/tree.h"

namespace callimport::api {
namespace {

using nlohmann::json;

struct ReportFlags {
  std::string id, file, part;
  bool with_names = false;
};

/// Spreadsheets take a file without this mark for one of their own alphabet; programs that read a pipe stumble over it.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// What is no name stays: the platform's id and the cause are enough to find the call.
void drop_names(json& row) {
  for (const char* key : {"title", "detail"}) {
    if (row.contains(key)) row[key] = "";
  }
}

/// Rows one after another, so that a million of them need no memory.
class RowWriter {
 public:
  RowWriter(OutFile& out, Output form, const std::vector<Column>& columns) : out_(out), form_(form), columns_(columns) {
    if (form_ == Output::kJson) out_.write("[");
    if (form_ == Output::kCsv && !out_.is_stdout()) out_.write(kByteOrderMark);
    if (form_ == Output::kCsv) out_.write(csv_head(columns_));
  }
  void write(const json& row) {
    if (form_ == Output::kCsv) return out_.write(csv_line(row, columns_));
    if (form_ == Output::kJson) out_.write(first_ ? "\n" : ",\n");
    first_ = false;
    out_.write(dump(row) + (form_ == Output::kJsonl ? "\n" : ""));
  }
  void finish() {
    if (form_ == Output::kJson) out_.write("\n]\n");
  }

 private:
  OutFile& out_;
  Output form_;
  const std::vector<Column>& columns_;
  bool first_ = true;
};

Ended write_calls(Session& session, const ReportFlags& flags, const std::string& id, RowWriter& rows) {
  v1::ListImportCallsRequest request;
  request.set_import(id);
  request.set_page_size(1000);
  do {
    CLI_TRY(const auto page,
            (session.ask<v1::ListImportCallsRequest, v1::ListImportCallsResponse>("ListImportCalls", request)));
    for (const auto& call : page.calls()) {
      json row = shape(call);
      if (!flags.with_names) drop_names(row);
      rows.write(row);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return kExitDone;
}

Ended write_problems(Session& session, const ReportFlags& flags, const std::string& id, RowWriter& rows) {
  v1::ListProblemsRequest request;
  request.set_import(id);
  CLI_TRY(const auto reply, (session.ask<v1::ListProblemsRequest, v1::ListProblemsResponse>("ListProblems", request)));
  for (const auto& problem : reply.problems()) {
    json row = shape(problem);
    if (!flags.with_names) drop_names(row);
    rows.write(row);
  }
  return kExitDone;
}

tl::expected<json, CliError> ask_report(Session& session, const ReportFlags& flags, const std::string& id) {
  v1::GetReportRequest request;
  request.set_import(id);
  request.set_with_names(flags.with_names);
  CLI_TRY(const auto reply, (session.ask<v1::GetReportRequest, v1::GetReportResponse>("GetReport", request)));
  json report = json::parse(reply.report(), nullptr, false);
  if (report.is_object()) return report;
  return sorry(kExitFailed, "report.unreadable", "the report of " + id + " is none", "callimport show " + id);
}

Ended write_rows(Session& session, const ReportFlags& flags, const std::string& id, const std::string& part) {
  static const std::vector<Column> kMonths =
      plain_columns({"month", "found", "registered", "duplicate", "skipped", "failed", "pending"});
  static const std::vector<Column> kUsers = plain_columns({"user", "name", "found", "registered"});
  const auto& columns = part == "calls"      ? import_call_columns()
                        : part == "problems" ? problem_columns()
                        : part == "months"   ? kMonths
                                             : kUsers;
  CLI_TRY(auto out, OutFile::open(session, flags.file));
  RowWriter rows(out, session.output(), columns);
  if (part == "calls") {
    CLI_TRY_VOID(write_calls(session, flags, id, rows));
  } else if (part == "problems") {
    CLI_TRY_VOID(write_problems(session, flags, id, rows));
  } else {
    CLI_TRY(const json report, ask_report(session, flags, id));
    for (const json& row : report.value(part, json::array())) rows.write(row);
  }
  rows.finish();
  return out.close();
}

/// Which rows a table is made of when nobody said.
std::string part_of(const Session& session, const ReportFlags& flags) {
  if (!flags.part.empty()) return flags.part;
  return session.output() == Output::kCsv ? "calls" : "summary";
}

Ended report(Session& session, const ReportFlags& flags) {
  const std::string part = part_of(session, flags);
  const Output form = session.output();
  const bool table = form == Output::kCsv || form == Output::kJson || form == Output::kJsonl;
  if (part != "summary" && !table) {
    return sorry(kExitUsage, "usage", "--part " + part + " is a table", "add -o csv, json or jsonl");
  }
  if (part == "summary" && form == Output::kCsv) {
    return sorry(kExitUsage, "usage", "the summary is no table",
                 "--part calls, problems, months or users; or -o text, json or html");
  }
  CLI_TRY(const auto id, find_import(session, flags.id));
  if (part != "summary") return write_rows(session, flags, id, part);
  CLI_TRY(const json made, ask_report(session, flags, id));
  CLI_TRY(auto out, OutFile::open(session, flags.file));
  if (form == Output::kHtml) {
    out.write(report_html(made));
  } else if (form == Output::kJson || form == Output::kJsonl) {
    out.write(dump(with_iso_times(made), form == Output::kJson ? 2 : -1) + "\n");
  } else if (form == Output::kText && out.is_stdout()) {
    session.show(report_text(made, session.width()));
  } else if (form == Output::kText) {
    out.write(report_text(made, 0));
  }
  return out.close();
}

}  // namespace

void add_report(Tree& tree) {
  auto& verb = tree.verb(tree.root, "report",
                         "What came across, what did not and why; so far, while the import is open\n\n"
                         "Tables are safe to open in a spreadsheet: UTF-8, with a byte order mark in a --file and "
                         "without one on stdout; a cell that would be a formula begins with an apostrophe.",
                         {"callimport report imp_7f3a", "callimport report imp_7f3a -o html --file report.html"});
  auto flags = std::make_shared<ReportFlags>();  // shared by the parser and the body
  verb.add_option("import", flags->id, "import id, its beginning, or the address of its page")->required();
  verb.add_option("--file", flags->file, "write here instead of stdout");
  verb.add_option("--part", flags->part,
                  "summary, or a table: calls (with -o csv unless said otherwise), problems, months, users")
      ->check(CLI::IsMember({"summary", "calls", "problems", "months", "users"}));
  verb.add_flag("--with-names", flags->with_names, "with titles, names of people, and what the platform said of calls");
  tree.run(verb, [&session = tree.session, flags] { return report(session, *flags); });
}

}  // namespace callimport::api
