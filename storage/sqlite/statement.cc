#include <sqlite3.h>

#include <cstdio>

#include "storage/model/ensure.h"
#include "storage/sqlite/database.h"
#include "storage/sqlite/failure.h"

namespace callimport::storage {

Statement::Statement(Database& db, std::string_view sql) {
  const int code = sqlite3_prepare_v3(db.handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &stmt_, nullptr);
  if (code == SQLITE_OK) return;
  auto error = failure(db.handle(), code);
  if (code == SQLITE_ERROR) std::fprintf(stderr, "callimport: %s\n", error.value().message.c_str());
  ENSURE(code != SQLITE_ERROR);
  broken_ = std::make_unique<Error>(std::move(error.value()));
}

Statement::~Statement() { sqlite3_finalize(stmt_); }

Statement& Statement::bind(int index, std::int64_t value) {
  ENSURE(broken_ || sqlite3_bind_int64(stmt_, index, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int index, double value) {
  ENSURE(broken_ || sqlite3_bind_double(stmt_, index, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();  // a null pointer would bind NULL
  ENSURE(broken_ || sqlite3_bind_text64(stmt_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  ENSURE(broken_ || sqlite3_bind_blob64(stmt_, index, data, bytes.size(), SQLITE_TRANSIENT) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_null(int index) {
  ENSURE(broken_ || sqlite3_bind_null(stmt_, index) == SQLITE_OK);
  return *this;
}

Result<> Statement::run() {
  while (true) {
    TRY(const bool row, step());
    if (!row) return {};
  }
}

Result<bool> Statement::step() {
  if (broken_) return tl::unexpected(*broken_);
  const int code = sqlite3_step(stmt_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = failure(sqlite3_db_handle(stmt_), code);
  reset();
  return error;
}

void Statement::reset() {
  if (stmt_ == nullptr) return;
  (void)sqlite3_reset(stmt_);  // repeats the error of the last step
  (void)sqlite3_clear_bindings(stmt_);
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(stmt_, column); }
double Statement::real(int column) const { return sqlite3_column_double(stmt_, column); }

std::string Statement::text(int column) const {
  const auto* data = sqlite3_column_text(stmt_, column);
  if (data == nullptr) return {};
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column))};
}

std::string Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(stmt_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column))};
}

bool Statement::is_null(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }

}  // namespace callimport::storage
