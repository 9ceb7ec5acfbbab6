#include "storage/library/quarantine.h"

#include "storage/sqlite/rows.h"

namespace callimport::storage {
namespace {

QuarantineRow read_row(const Statement& row) {
  return {.number = row.integer(0),
          .import = row.text(1),
          .source_id = row.text(2),
          .hash = row.text(3),
          .bytes = row.integer(4),
          .cause = row.text(5),
          .detail = row.text(6),
          .at_ms = row.integer(7),
          .kept = row.integer(8) != 0};
}

QuarantineFile read_file(const Statement& row) { return {row.text(0), row.text(1)}; }

struct Oldest {
  std::int64_t number = 0, bytes = 0;
  QuarantineFile file;
};

}  // namespace

QuarantineReads::QuarantineReads(Database& db)
    : list_(db,
            "SELECT number, import, source_id, hash, bytes, cause, detail, at_ms, kept FROM quarantine"
            " WHERE number > ?2 AND (?1 = '' OR import = ?1) ORDER BY number LIMIT ?3"),
      files_(db, "SELECT DISTINCT hash, cause FROM quarantine WHERE kept = 1") {}

Result<std::vector<QuarantineRow>> QuarantineReads::list(const std::string& import, std::int64_t after, int limit) {
  return all_rows(list_.bind(1, import).bind(2, after).bind(3, limit), read_row);
}

Result<std::vector<QuarantineFile>> QuarantineReads::files() { return all_rows(files_, read_file); }

QuarantineWrites::QuarantineWrites(Database& db)
    : put_(db,
           "INSERT INTO quarantine(import, source_id, hash, bytes, cause, detail, at_ms)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
      find_(db, "SELECT hash, cause FROM quarantine WHERE import = ?1 AND source_id = ?2"),
      drop_(db, "DELETE FROM quarantine WHERE import = ?1 AND source_id = ?2"),
      needed_(db, "SELECT 1 FROM quarantine WHERE hash = ?1 AND cause = ?2 AND kept = 1 LIMIT 1"),
      bytes_(db, "SELECT coalesce(sum(bytes), 0) FROM quarantine WHERE kept = 1"),
      oldest_(db, "SELECT number, bytes, hash, cause FROM quarantine WHERE kept = 1 ORDER BY number LIMIT 1"),
      let_go_(db, "UPDATE quarantine SET kept = 0 WHERE number = ?1") {}

Result<> QuarantineWrites::collect(const QuarantineFile& file, std::vector<QuarantineFile>& unneeded) {
  TRY(const auto needed,
      first_row(needed_.bind(1, file.hash).bind(2, file.cause), [](const Statement& row) { return row.integer(0); }));
  if (!needed) unneeded.push_back(file);
  return {};
}

Result<std::vector<QuarantineFile>> QuarantineWrites::drop(const std::string& import, const std::string& source_id) {
  std::vector<QuarantineFile> unneeded;
  TRY(const auto file, first_row(find_.bind(1, import).bind(2, source_id), read_file));
  if (!file) return unneeded;
  TRY_VOID(drop_.bind(1, import).bind(2, source_id).run());
  TRY_VOID(collect(*file, unneeded));
  return unneeded;
}

Result<std::vector<QuarantineFile>> QuarantineWrites::put(const QuarantineRow& row, std::int64_t bytes_max) {
  TRY(auto unneeded, drop(row.import, row.source_id));
  put_.bind(1, row.import).bind(2, row.source_id).bind(3, row.hash).bind(4, row.bytes).bind(5, row.cause);
  TRY_VOID(put_.bind(6, row.detail).bind(7, row.at_ms).run());
  std::erase(unneeded, QuarantineFile{row.hash, row.cause});  // the same content came again
  TRY(const auto sum, first_row(bytes_, [](const Statement& all) { return all.integer(0); }));
  std::int64_t bytes = sum.value_or(0);
  while (bytes > bytes_max) {
    TRY(const auto oldest, first_row(oldest_, [](const Statement& found) {
          return Oldest{found.integer(0), found.integer(1), {found.text(2), found.text(3)}};
        }));
    if (!oldest) break;
    TRY_VOID(let_go_.bind(1, oldest->number).run());
    TRY_VOID(collect(oldest->file, unneeded));
    bytes -= oldest->bytes;
  }
  return unneeded;
}

}  // namespace callimport::storage
