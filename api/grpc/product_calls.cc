#include "api/grpc/product_internal.h"
#include "storage/library/search_query.h"

namespace callimport::api {
namespace {

constexpr std::string_view kOnlyShared = "-privacy:private ";  ///< before a search: it is whole whatever stands behind

/// Of a private call a viewer sees that it is there, and neither its title nor what was said nor who took part.
bool is_withheld(const std::string& privacy, const Caller& caller) {
  return privacy == "private" && caller.role < kSeesPrivate;
}

v1::Call message_for(const Caller& caller, const storage::Call& call) {
  auto message = to_message(call);
  if (!is_withheld(call.privacy, caller)) return message;
  message.clear_title();
  message.clear_segments();
  message.clear_participants();
  message.clear_media();
  message.clear_details();
  message.clear_tags();
  message.set_withheld(true);
  return message;
}

/// What a viewer asks for, without private calls: a hit would tell what was said.
Result<std::string> query_for(const Caller& caller, const std::string& query) {
  if (caller.role >= kSeesPrivate) return query;
  TRY_VOID(storage::parse_query(query));  // its errors count characters of what was written
  return std::string(kOnlyShared) + query;
}

/// With the import's full id.
Result<storage::CallFilter> filter_of(ProductParts& parts, const v1::CallFilter& asked) {
  auto filter = to_filter(asked);
  if (!filter.import.empty()) {
    TRY(filter.import, resolve_import(parts.library, filter.import));
  }
  return filter;
}

Result<v1::ListCallsResponse> list_calls(ProductParts& parts, const v1::ListCallsRequest& request,
                                         const Caller& caller) {
  TRY(const auto filter, filter_of(parts, request.filter()));
  const int size = page_size(request.page_size());
  TRY(const auto calls, parts.library.calls(filter, request.page_token(), size));
  v1::ListCallsResponse reply;
  for (const auto& call : calls) {
    // A title that is looked for would be told by what is found.
    if (!filter.text.empty() && is_withheld(call.privacy, caller)) continue;
    *reply.add_calls() = message_for(caller, call);
  }
  if (static_cast<int>(calls.size()) == size) reply.set_next_page_token(calls.back().id);
  return reply;
}

Result<v1::GetCallResponse> get_call(ProductParts& parts, const v1::GetCallRequest& request, const Caller& caller) {
  if (request.id().empty() || request.id().size() > kIdCharactersMax + 5)
    return fail(Code::kInvalid, "not a call's id");
  TRY(const auto call, parts.library.call(request.id()));
  v1::GetCallResponse reply;
  *reply.mutable_call() = message_for(caller, call);
  return reply;
}

Result<v1::SearchCallsResponse> search_calls(ProductParts& parts, const v1::SearchCallsRequest& request,
                                             const Caller& caller) {
  TRY(auto query, query_for(caller, request.query()));
  TRY(auto filter, filter_of(parts, request.filter()));
  const auto order = request.best_first() ? storage::SearchOrder::kBest : storage::SearchOrder::kNewest;
  TRY(const auto page, parts.library.search({.query = std::move(query),
                                             .filter = std::move(filter),
                                             .limit = page_size(request.limit()),
                                             .order = order,
                                             .after = request.page_token()}));
  v1::SearchCallsResponse reply;
  for (const auto& hit : page.hits) *reply.add_hits() = to_message(hit);
  reply.set_next_page_token(page.next);
  return reply;
}

Result<v1::CountFacetsResponse> count_facets(ProductParts& parts, const v1::CountFacetsRequest& request,
                                             const Caller& caller) {
  TRY(auto query, query_for(caller, request.query()));
  TRY(auto filter, filter_of(parts, request.filter()));
  TRY(const auto counted, parts.library.facets({.query = std::move(query), .filter = std::move(filter)}));
  v1::CountFacetsResponse reply;
  for (const auto& facet : counted.facets) {
    auto& added = *reply.add_facets();
    added.set_name(facet.name);
    added.set_value(facet.value);
    added.set_calls(facet.calls);
  }
  reply.set_calls(counted.calls);
  reply.set_hits(counted.hits);
  reply.set_more(counted.more);
  return reply;
}

Result<v1::GetMediaPathResponse> get_media_path(ProductParts& parts, const v1::GetMediaPathRequest& request,
                                                const Caller& caller) {
  if (request.call().empty() || request.call().size() > kIdCharactersMax + 5)
    return fail(Code::kInvalid, "not a call's id");
  TRY(const auto call, parts.library.call(request.call()));
  if (is_withheld(call.privacy, caller)) {
    return fail(Code::kConflict, "role.refused: " + call.id +
                                     " is private: its recording is for its participants and " +
                                     "from the role operator on; " + caller.name + " is viewer");
  }
  if (!call.media) return fail(Code::kNotFound, "call " + call.id + " came without a recording");
  v1::GetMediaPathResponse reply;
  reply.set_path(parts.media.path_of(call.media->hash));
  *reply.mutable_media() = to_message(call).media();
  return reply;
}

Result<v1::ListQuarantineResponse> list_quarantine(ProductParts& parts, const v1::ListQuarantineRequest& request,
                                                   const Caller& caller) {
  std::string import;
  if (!request.import().empty()) {
    TRY(import, resolve_import(parts.library, request.import()));
  }
  const int size = page_size(request.page_size());
  TRY(const auto rows, parts.library.quarantine(import, request.page_token(), size));
  v1::ListQuarantineResponse reply;
  for (const auto& row : rows) {
    auto& file = *reply.add_files();
    file.set_import(row.import);
    file.set_source_id(row.source_id);
    file.set_sha256(row.hash);
    file.set_bytes(row.bytes);
    file.set_cause(row.cause);
    file.set_detail(row.detail);
    file.set_at_ms(row.at_ms);
    // Whether a call that never came in is private nobody knows.
    if (row.kept && caller.role >= kSeesPrivate) file.set_path(parts.media.quarantined_path(row.hash, row.cause));
  }
  if (static_cast<int>(rows.size()) == size) reply.set_next_page_token(rows.back().number);
  return reply;
}

}  // namespace

void add_call_methods(Router& router, ProductParts& parts) {
  add_pooled(router, parts, "ListCalls", &list_calls);
  add_pooled(router, parts, "GetCall", &get_call);
  add_pooled(router, parts, "SearchCalls", &search_calls);
  add_pooled(router, parts, "CountFacets", &count_facets);
  add_pooled(router, parts, "GetMediaPath", &get_media_path);
  add_pooled(router, parts, "ListQuarantine", &list_quarantine);
}

}  // namespace callimport::api
