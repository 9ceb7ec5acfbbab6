#include "storage/backup/manifest_file.h"

#include <nlohmann/json.hpp>

#include "storage/media/content_hash.h"

namespace callimport::storage {
namespace {

using nlohmann::json;

/// A file of a backup lies in its folder, whatever a manifest says.
bool is_name_of_ours(const std::string& name) {
  return name == "journal.db" || name == "library.db" || name == "vault.db" || name == "vault.key";
}

Result<BackupFacts> read(const json& body) {
  BackupFacts facts;
  facts.library = body.at("library").get<std::string>();
  facts.program = body.at("program").get<std::string>();
  facts.made_ms = body.at("made_ms").get<std::int64_t>();
  facts.with_key = body.at("with_key").get<bool>();
  facts.recordings = body.at("recordings").get<std::int64_t>();
  facts.recordings_bytes = body.at("recordings_bytes").get<std::int64_t>();
  for (const json& one : body.at("files")) {
    BackupFile file{one.at("name").get<std::string>(), one.at("bytes").get<std::int64_t>(),
                    one.at("sha256").get<std::string>(), one.at("schema").get<int>()};
    if (!is_name_of_ours(file.name) || !is_content_hash(file.sha256)) {
      return fail(Code::kCorrupt, "the manifest names a file that no backup has");
    }
    facts.files.push_back(std::move(file));
  }
  return facts;
}

}  // namespace

std::string write_backup_manifest(const BackupFacts& facts) {
  json files = json::array();
  for (const auto& file : facts.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}, {"schema", file.schema}});
  }
  const json body = {{"format", kBackupFormat},
                     {"library", facts.library},
                     {"program", facts.program},
                     {"made_ms", facts.made_ms},
                     {"with_key", facts.with_key},
                     {"recordings", facts.recordings},
                     {"recordings_bytes", facts.recordings_bytes},
                     {"files", files}};
  return body.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<BackupFacts> read_backup_manifest(const std::string& text) {
  try {
    const json body = json::parse(text);
    const int format = body.at("format").get<int>();
    if (format > kBackupFormat) {
      return fail(Code::kConflict, "this backup has format " + std::to_string(format) + ", and this program knows " +
                                       std::to_string(kBackupFormat) + ": use the newer program that made it");
    }
    return read(body);
  } catch (const json::exception& error) {
    return fail(Code::kCorrupt, std::string("the manifest of the backup cannot be read: ") + error.what());
  }
}

}  // namespace callimport::storage
