#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

using storage::CallState;

/// A page ends at (created_ms, id), so that rows that come or change meanwhile are neither lost nor doubled.
std::string token_of(const storage::ImportRow& last) { return fmt::format("{:020}/{}", last.created_ms, last.id); }

Result<std::optional<storage::ImportPlace>> place_of(const std::string& token) {
  if (token.empty()) return std::optional<storage::ImportPlace>{};
  const auto slash = token.find('/');
  storage::ImportPlace place;
  const auto read = std::from_chars(token.data(), token.data() + std::min(slash, token.size()), place.created_ms);
  if (slash == std::string::npos || read.ec != std::errc() || read.ptr != token.data() + slash) {
    return fail(Code::kInvalid, "not a page token of ListImports");
  }
  place.id = token.substr(slash + 1);
  return std::optional(place);
}

/// One look at each manifest's key. A token is of the last row looked at, so that a page may hold fewer than it could.
Result<> keep_those_that_found(ProductParts& parts, const std::string& call, std::vector<storage::ImportRow>& rows) {
  std::vector<storage::ImportRow> kept;
  for (auto& row : rows) {
    TRY(const auto found, parts.library.manifest_row(row.id, call));
    if (found) kept.push_back(std::move(row));
  }
  rows = std::move(kept);
  return {};
}

/// Newest first.
Result<v1::ListImportsResponse> list_imports(ProductParts& parts, const v1::ListImportsRequest& request) {
  storage::ImportFilter filter;
  filter.conditions.assign(request.conditions().begin(), request.conditions().end());
  if (request.needs_attention()) {
    const bool none = !filter.conditions.empty() && std::find(filter.conditions.begin(), filter.conditions.end(),
                                                              "needs_attention") == filter.conditions.end();
    if (none) return v1::ListImportsResponse();
    filter.conditions = {"needs_attention"};
  }
  filter.platform = request.platform();
  filter.text = request.text();
  filter.created_after_ms = request.created_after_ms();
  TRY(const auto after, place_of(request.page_token()));
  const int size = page_size(request.page_size());
  TRY(auto rows, parts.library.imports_page(filter, after, size));
  v1::ListImportsResponse reply;
  if (std::ssize(rows) == size) reply.set_next_page_token(token_of(rows.back()));
  if (!request.call().empty()) {
    TRY_VOID(keep_those_that_found(parts, request.call(), rows));
  }
  for (const auto& row : rows) *reply.add_imports() = to_message(row);
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
  const std::int64_t now_ms = to_unix_ms(parts.clock.now());
  TRY(const auto course, storage::course_of(parts.library, id, row.closed_ms.value_or(now_ms)));
  TRY(const auto staged, storage::staged_calls(parts.library, id));
  for (const auto& facts : stage_facts(course, row.counters, staged)) *reply.add_stages() = to_message(facts);
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

/// Without the title where the caller may not see it: the call is private, or has not come in and may be.
Result<v1::ImportCall> call_for(ProductParts& parts, const Caller& caller, const storage::ManifestRow& row) {
  auto message = to_message(row);
  if (caller.role >= kSeesPrivate) return message;
  TRY(const bool shared, parts.library.is_shared(row.import, row.source_id));
  if (!shared) message.clear_title();
  return message;
}

Result<v1::ListImportCallsResponse> list_import_calls(ProductParts& parts, const v1::ListImportCallsRequest& request,
                                                      const Caller& caller) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(const auto state, state_named(request.state()));
  const int size = page_size(request.page_size());
  TRY(const auto rows, parts.library.manifest(id, state, request.cause(), request.page_token(), size));
  v1::ListImportCallsResponse reply;
  for (const auto& row : rows) {
    TRY(*reply.add_calls(), call_for(parts, caller, row));
  }
  if (static_cast<int>(rows.size()) == size) reply.set_next_page_token(rows.back().source_id);
  return reply;
}

/// The call of the library that this row became or is again; empty: none.
Result<std::string> in_library(ProductParts& parts, const std::string& import, const storage::ManifestRow& row) {
  if (row.state != CallState::kRegistered) return row.repeats;
  TRY(const auto owner, parts.library.import(import));
  storage::Call same_id;
  same_id.source_id = row.source_id;
  TRY(const auto known, parts.library.repeated(same_id, owner.platform, owner.workspace));
  return known && known->how == storage::Sameness::kSameId ? known->call : std::string();
}

Result<v1::GetImportCallResponse> get_import_call(ProductParts& parts, const v1::GetImportCallRequest& request,
                                                  const Caller& caller) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(const auto row, parts.library.manifest_row(id, request.source_id()));
  if (!row)
    return fail(Code::kNotFound, "import " + id + " has not found a call " + request.source_id().substr(0, 200));
  v1::GetImportCallResponse reply;
  TRY(*reply.mutable_call(), call_for(parts, caller, *row));
  TRY(const auto there, in_library(parts, id, *row));
  reply.set_library_call(there);
  TRY(const auto attempts, parts.library.attempts(id, row->source_id));
  for (const auto& attempt : attempts) *reply.add_attempts() = to_message(attempt);
  return reply;
}

/// What the caller has not seen yet is marked; only a look by itself moves what they have seen.
Result<v1::ListProblemsResponse> list_problems(ProductParts& parts, const Caller& caller,
                                               const v1::ListProblemsRequest& request) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(const auto problems, parts.library.problems(id));
  std::int64_t seen_ms = 0;
  if (request.look()) {
    TRY(seen_ms, parts.library.look(id, caller.name, to_unix_ms(parts.clock.now())));
  }
  v1::ListProblemsResponse reply;
  for (const auto& problem : problems) {
    auto& message = *reply.add_problems() = to_message(problem);
    message.set_is_new(request.look() && problem.first_ms.value_or(0) > seen_ms);
  }
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
