#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

using storage::CallState;
using storage::ImportRow;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// The lane that wants eyes first: attention, then pause, wait, work; closed lanes last.
int urgency(const std::string& condition) {
  if (condition == "needs_attention") return 0;
  if (condition == "paused") return 1;
  if (condition == "waiting") return 2;
  if (condition == "running") return 3;
  if (condition == "failed") return 4;
  return 5;
}

const std::string& condition_of(const ImportRow& row) {
  if (row.closed_ms) return row.bulk.condition;
  return urgency(row.first.condition) <= urgency(row.bulk.condition) && !row.first.condition.empty()
             ? row.first.condition
             : row.bulk.condition;
}

bool wanted(const ImportRow& row, const v1::ListImportsRequest& request) {
  if (!request.platform().empty() && row.platform != request.platform()) return false;
  if (row.created_ms < request.created_after_ms()) return false;
  const auto& condition = condition_of(row);
  if (request.needs_attention() && condition != "needs_attention") return false;
  if (request.conditions_size() > 0 &&
      std::find(request.conditions().begin(), request.conditions().end(), condition) == request.conditions().end()) {
    return false;
  }
  if (request.text().empty()) return true;
  return lower(row.title + " " + row.workspace + " " + row.id).find(lower(request.text())) != std::string::npos;
}

/// Newest first; a page goes on after (created_ms, id), so rows that come or change meanwhile are neither lost nor
/// doubled.
Result<v1::ListImportsResponse> list_imports(ProductParts& parts, const v1::ListImportsRequest& request) {
  TRY(auto rows, parts.library.imports(100'000));
  std::sort(rows.begin(), rows.end(), [](const ImportRow& a, const ImportRow& b) {
    return std::tie(b.created_ms, b.id) < std::tie(a.created_ms, a.id);
  });
  v1::ListImportsResponse reply;
  const auto size = page_size(request.page_size());
  for (const auto& row : rows) {
    const auto place = fmt::format("{:020}/{}", row.created_ms, row.id);
    if (!request.page_token().empty() && place >= request.page_token()) continue;
    if (!wanted(row, request)) continue;
    if (reply.imports_size() == size) {
      const auto& last = reply.imports(size - 1);
      reply.set_next_page_token(fmt::format("{:020}/{}", last.created_ms(), last.id()));
      break;
    }
    *reply.add_imports() = to_message(row);
  }
  return reply;
}

Result<v1::GetImportResponse> get_import(ProductParts& parts, const v1::GetImportRequest& request) {
  TRY(const auto id, resolve_import(parts.library, request.id()));
  TRY(const auto row, parts.library.import(id));
  TRY(const auto problems, parts.library.problems(id));
  v1::GetImportResponse reply;
  *reply.mutable_import() = to_message(row);
  parts.etas->tell(parts.library, parts.budget, to_unix_ms(parts.clock.now()), row, *reply.mutable_import());
  for (const auto& problem : problems) *reply.add_problems() = to_message(problem);
  return reply;
}

Result<std::optional<CallState>> state_named(const std::string& name) {
  if (name.empty()) return std::optional<CallState>{};
  for (auto state : {CallState::kPending, CallState::kStaged, CallState::kRegistered, CallState::kDuplicate,
                     CallState::kSkipped, CallState::kFailed}) {
    if (to_string(state) == name) return std::optional<CallState>{state};
  }
  return fail(Code::kInvalid,
              "no state " + name.substr(0, 40) + ": pending, staged, registered, duplicate, skipped, failed");
}

Result<v1::ListImportCallsResponse> list_import_calls(ProductParts& parts, const v1::ListImportCallsRequest& request) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(const auto state, state_named(request.state()));
  const int size = page_size(request.page_size());
  TRY(const auto rows, parts.library.manifest(id, state, request.cause(), request.page_token(), size));
  v1::ListImportCallsResponse reply;
  for (const auto& row : rows) *reply.add_calls() = to_message(row);
  if (static_cast<int>(rows.size()) == size) reply.set_next_page_token(rows.back().source_id);
  return reply;
}

Result<v1::GetImportCallResponse> get_import_call(ProductParts& parts, const v1::GetImportCallRequest& request) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(const auto row, parts.library.manifest_row(id, request.source_id()));
  if (!row)
    return fail(Code::kNotFound, "import " + id + " has not found a call " + request.source_id().substr(0, 200));
  v1::GetImportCallResponse reply;
  *reply.mutable_call() = to_message(*row);
  reply.set_library_call(row->repeats);
  return reply;
}

Result<v1::ListProblemsResponse> list_problems(ProductParts& parts, const v1::ListProblemsRequest& request) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(const auto problems, parts.library.problems(id));
  v1::ListProblemsResponse reply;
  for (const auto& problem : problems) *reply.add_problems() = to_message(problem);
  return reply;
}

Result<v1::ListTimelineResponse> list_timeline(ProductParts& parts, const v1::ListTimelineRequest& request) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(const auto entries, parts.library.timeline(id, request.after_change(), page_size(request.page_size())));
  v1::ListTimelineResponse reply;
  for (const auto& entry : entries) *reply.add_entries() = to_message(entry);
  return reply;
}

Result<v1::ListNotificationsResponse> list_notifications(ProductParts& parts,
                                                         const v1::ListNotificationsRequest& request) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(const auto all, parts.library.notifications(id, page_size(request.page_size())));
  v1::ListNotificationsResponse reply;
  for (const auto& one : all) *reply.add_notifications() = to_message(one);
  return reply;
}

}  // namespace

void add_import_methods(Router& router, ProductParts& parts) {
  add_pooled(router, parts, "ListImports", &list_imports);
  add_pooled(router, parts, "GetImport", &get_import);
  add_pooled(router, parts, "ListImportCalls", &list_import_calls);
  add_pooled(router, parts, "GetImportCall", &get_import_call);
  add_pooled(router, parts, "ListProblems", &list_problems);
  add_pooled(router, parts, "ListTimeline", &list_timeline);
  add_pooled(router, parts, "ListNotifications", &list_notifications);
}

}  // namespace callimport::api
