#include "storage/library/measures.h"

#include <nlohmann/json.hpp>

#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

ImportMeasure read_measure(const Statement& row) {
  return {.id = row.text(0),
          .platform = row.text(1),
          .created_ms = row.integer(2),
          .closed_ms = optional_integer(row, 3),
          .first_ready_ms = optional_integer(row, 4),
          .condition = row.text(5),
          .found = row.integer(6),
          .registered = row.integer(7),
          .failed = row.integer(8),
          .media_bytes = row.integer(9),
          .input = row.text(10),
          .ends_told = row.integer(12),
          .ends_held = row.integer(13),
          .needed_engineer = row.integer(11) != 0};
}

}  // namespace

MeasureReads::MeasureReads(Database& db)
    : newest_(db,
              "SELECT id, platform, created_ms, closed_ms, first_ready_ms, bulk_condition, found, registered, failed,"
              " media_bytes, input, bulk_condition = 'failed' OR EXISTS(SELECT 1 FROM timeline t"
              " WHERE t.import = import_now.number AND t.condition = 'needs_attention'"
              " AND (t.reason = 'platform.changed_answer' OR t.reason LIKE 'engine.%')),"
              " (SELECT count(*) FROM time_left_told t WHERE t.import = import_now.number AND closed_ms IS NOT NULL),"
              " (SELECT count(*) FROM time_left_told t WHERE t.import = import_now.number"
              "  AND closed_ms BETWEEN t.from_ms AND t.to_ms)"
              " FROM import_now WHERE (?1 = '' OR platform = ?1) AND created_ms >= ?2"
              " ORDER BY created_ms DESC, number DESC LIMIT ?3"),
      known_(db,
             "SELECT count(*) FROM call WHERE platform = ?1 AND workspace = ?2"
             " AND source_id IN (SELECT value FROM json_each(?3))") {}

Result<std::vector<ImportMeasure>> MeasureReads::newest(const std::string& platform, std::int64_t created_after_ms,
                                                        int limit) {
  return all_rows(newest_.bind(1, platform).bind(2, created_after_ms).bind(3, limit), read_measure);
}

Result<std::int64_t> MeasureReads::known(const std::string& platform, const std::string& workspace,
                                         const std::vector<std::string>& source_ids) {
  const auto list = nlohmann::json(source_ids).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  known_.bind(1, platform).bind(2, workspace).bind(3, list);
  TRY(const auto count, first_row(known_, [](const Statement& row) { return row.integer(0); }));
  return count.value_or(0);
}

}  // namespace callimport::storage
