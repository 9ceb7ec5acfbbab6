#include <nlohmann/json.hpp>

#include "api/grpc/deeds.h"

namespace callimport::api {
namespace {

constexpr std::size_t kPathBytesMax = 4'000;

Result<> about_backup(ProductParts&, const v1::CreateBackupRequest& request, Deed& deed) {
  if (request.folder().empty() || request.folder().front() != '/' || request.folder().size() > kPathBytesMax) {
    return fail(Code::kInvalid, "the folder of a backup is a path from / on, on the server's disk");
  }
  const nlohmann::json after = {{"folder", request.folder()}, {"with the vault's key", request.with_key()}};
  deed.after = after.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return {};
}

Result<v1::CreateBackupResponse> create_backup(ProductParts& parts, const v1::CreateBackupRequest& request, Noted&) {
  TRY(const auto facts, parts.back_up({{},
                                       request.folder(),
                                       request.with_key(),
                                       !request.copy(),
                                       parts.facts.version,
                                       to_unix_ms(parts.clock.now())}));
  v1::CreateBackupResponse reply;
  reply.set_folder(request.folder());
  reply.set_library(facts.library);
  reply.set_made_ms(facts.made_ms);
  for (const auto& file : facts.files) {
    auto& made = *reply.add_files();
    made.set_name(file.name);
    made.set_bytes(file.bytes);
    made.set_sha256(file.sha256);
    made.set_schema(file.schema);
  }
  reply.set_recordings(facts.recordings);
  reply.set_recordings_bytes(facts.recordings_bytes);
  reply.set_linked(facts.linked);
  reply.set_with_key(facts.with_key);
  return reply;
}

}  // namespace

void add_backup_methods(Router& router, ProductParts& parts) {
  add_deed(router, parts, "CreateBackup", &about_backup, &create_backup);
}

}  // namespace callimport::api
