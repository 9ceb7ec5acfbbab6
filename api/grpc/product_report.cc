#include "api/grpc/product_internal.h"

namespace callimport::api {
namespace {

Result<v1::GetReportResponse> get_report(ProductParts& parts, const v1::GetReportRequest& request) {
  TRY(const auto id, resolve_import(parts.library, request.import()));
  TRY(auto report, parts.report(id, request.with_names() ? Names::kWith : Names::kWithout));
  v1::GetReportResponse reply;
  reply.set_report(std::move(report));
  return reply;
}

}  // namespace

void add_report_methods(Router& router, ProductParts& parts) { add_pooled(router, parts, "GetReport", &get_report); }

}  // namespace callimport::api
