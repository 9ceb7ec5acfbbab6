#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/generated_message_reflection.h>
#include <temporal/api/operatorservice/v1/service.pb.h>
#include <temporal/api/testservice/v1/service.pb.h>
#include <temporal/api/workflowservice/v1/service.pb.h>

#include <set>
#include <string>
#include <vector>

#include "api/grpc/health.h"
#include "api/grpc/typed.h"
#include "api/proto/grpc/reflection.pb.h"

namespace callimport::api {
namespace {

namespace pb = google::protobuf;
using Request = grpc::reflection::v1::ServerReflectionRequest;
using Response = grpc::reflection::v1::ServerReflectionResponse;

/// A file and all it imports, so that one answer is enough for any client.
void add_file(const pb::FileDescriptor& file, std::set<const pb::FileDescriptor*>& seen,
              grpc::reflection::v1::FileDescriptorResponse& into) {
  if (!seen.insert(&file).second) return;
  pb::FileDescriptorProto text;
  file.CopyTo(&text);
  into.add_file_descriptor_proto(text.SerializeAsString());
  for (int i = 0; i < file.dependency_count(); ++i) add_file(*file.dependency(i), seen, into);
}

void answer_file(const pb::FileDescriptor* file, const std::string& what, Response& reply) {
  if (file == nullptr) {
    reply.mutable_error_response()->set_error_code(kGrpcNotFound);
    reply.mutable_error_response()->set_error_message(what + " not found");
    return;
  }
  std::set<const pb::FileDescriptor*> seen;
  add_file(*file, seen, *reply.mutable_file_descriptor_response());
}

Response answer_to(const Router& router, const Request& request) {
  Response reply;
  reply.set_valid_host(request.host());
  *reply.mutable_original_request() = request;
  const auto* pool = pb::DescriptorPool::generated_pool();
  switch (request.message_request_case()) {
    case Request::kListServices:
      reply.mutable_list_services_response();
      for (const auto& name : router.services) reply.mutable_list_services_response()->add_service()->set_name(name);
      break;
    case Request::kFileByFilename:
      answer_file(pool->FindFileByName(request.file_by_filename()), request.file_by_filename(), reply);
      break;
    case Request::kFileContainingSymbol:
      answer_file(pool->FindFileContainingSymbol(request.file_containing_symbol()), request.file_containing_symbol(),
                  reply);
      break;
    case Request::kFileContainingExtension: {
      const auto& asked = request.file_containing_extension();
      const auto* type = pool->FindMessageTypeByName(asked.containing_type());
      const auto* field = type == nullptr ? nullptr : pool->FindExtensionByNumber(type, asked.extension_number());
      answer_file(field == nullptr ? nullptr : field->file(), asked.containing_type(), reply);
      break;
    }
    case Request::kAllExtensionNumbersOfType: {
      auto& numbers = *reply.mutable_all_extension_numbers_response();
      numbers.set_base_type_name(request.all_extension_numbers_of_type());
      const auto* type = pool->FindMessageTypeByName(request.all_extension_numbers_of_type());
      std::vector<const pb::FieldDescriptor*> fields;
      if (type != nullptr) pool->FindAllExtensions(type, &fields);
      for (const auto* field : fields) numbers.add_extension_number(field->number());
      break;
    }
    case Request::MESSAGE_REQUEST_NOT_SET:
      reply.mutable_error_response()->set_error_code(kGrpcInvalidArgument);
      reply.mutable_error_response()->set_error_message("a reflection request without a question");
      break;
  }
  return reply;
}

}  // namespace

void add_reflection(Router& router) {
  // Nothing else names these files of the archive, and without a name the linker leaves them out.
  pb::internal::AddDescriptorsRunner{&descriptor_table_temporal_2fapi_2fworkflowservice_2fv1_2fservice_2eproto};
  pb::internal::AddDescriptorsRunner{&descriptor_table_temporal_2fapi_2foperatorservice_2fv1_2fservice_2eproto};
  pb::internal::AddDescriptorsRunner{&descriptor_table_temporal_2fapi_2ftestservice_2fv1_2fservice_2eproto};
  for (const char* service : {"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}) {
    router.services.insert(service);
    auto method =
        typed_method<Request>([&router](std::shared_ptr<Request> request, CallContext, std::shared_ptr<Answer> answer) {
          answer->write(answer_to(router, *request));
        });
    method.many_requests = true;
    router.methods["/" + std::string(service) + "/ServerReflectionInfo"] = std::move(method);
  }
}

}  // namespace callimport::api
