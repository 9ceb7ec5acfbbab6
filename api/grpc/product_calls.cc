#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

Result<v1::ListCallsResponse> list_calls(ProductParts& parts, const v1::ListCallsRequest& request) {
  auto filter = to_filter(request.filter());
  if (!filter.import.empty()) {
    TRY(filter.import, resolve_import(parts.library, filter.import));
  }
  const int size = page_size(request.page_size());
  TRY(const auto calls, parts.library.calls(filter, request.page_token(), size));
  v1::ListCallsResponse reply;
  for (const auto& call : calls) *reply.add_calls() = to_message(call);
  if (static_cast<int>(calls.size()) == size) reply.set_next_page_token(calls.back().id);
  return reply;
}

Result<v1::GetCallResponse> get_call(ProductParts& parts, const v1::GetCallRequest& request) {
  if (request.id().empty() || request.id().size() > kIdCharactersMax + 5)
    return fail(Code::kInvalid, "not a call's id");
  TRY(const auto call, parts.library.call(request.id()));
  v1::GetCallResponse reply;
  *reply.mutable_call() = to_message(call);
  return reply;
}

Result<v1::SearchCallsResponse> search_calls(ProductParts& parts, const v1::SearchCallsRequest& request) {
  auto filter = to_filter(request.filter());
  if (!filter.import.empty()) {
    TRY(filter.import, resolve_import(parts.library, filter.import));
  }
  TRY(const auto hits, parts.library.search(request.query(), filter, page_size(request.limit())));
  v1::SearchCallsResponse reply;
  for (const auto& hit : hits) *reply.add_hits() = to_message(hit);
  return reply;
}

Result<v1::GetMediaPathResponse> get_media_path(ProductParts& parts, const v1::GetMediaPathRequest& request) {
  if (request.call().empty() || request.call().size() > kIdCharactersMax + 5)
    return fail(Code::kInvalid, "not a call's id");
  TRY(const auto call, parts.library.call(request.call()));
  if (!call.media) return fail(Code::kNotFound, "call " + call.id + " came without a recording");
  v1::GetMediaPathResponse reply;
  reply.set_path(parts.media.path_of(call.media->hash));
  *reply.mutable_media() = to_message(call).media();
  return reply;
}

}  // namespace

void add_call_methods(Router& router, ProductParts& parts) {
  add_pooled(router, parts, "ListCalls", &list_calls);
  add_pooled(router, parts, "GetCall", &get_call);
  add_pooled(router, parts, "SearchCalls", &search_calls);
  add_pooled(router, parts, "GetMediaPath", &get_media_path);
}

}  // namespace callimport::api
