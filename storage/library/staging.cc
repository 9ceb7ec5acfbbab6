#include "storage/library/staging.h"

#include <zstd.h>

#include "storage/library/call_text.h"
#include "storage/model/ensure.h"
#include "storage/sqlite/rows.h"

namespace callimport::storage {

namespace {

enum Form : int { kPlain = 0, kZstd = 1 };
constexpr int kLevel = 1;  // a transcript shrinks to a third; higher levels cost more time than the disk they save

Result<std::string> compressed(ZSTD_CCtx* context, std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compressCCtx(context, out.data(), out.size(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(size) != 0)
    return fail(Code::kUnavailable, std::string("cannot compress a call: ") + ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

Result<std::string> expanded(std::string_view packed, std::size_t bytes) {
  if (bytes > kStagedCallBytesMax) return fail(Code::kCorrupt, "a staged call says it is too long to be one");
  std::string out(bytes, '\0');
  const std::size_t size = ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0 || size != bytes) return fail(Code::kCorrupt, "a staged call is damaged");
  return out;
}

}  // namespace

Result<Call> read_staged(const Statement& row) {
  std::string body = row.blob(2);
  if (row.integer(0) == kZstd) {
    TRY(body, expanded(body, static_cast<std::size_t>(row.integer(1))));
  }
  return call_from_json(body);
}

void Staging::FreeContext::operator()(ZSTD_CCtx_s* context) const { (void)ZSTD_freeCCtx(context); }

Staging::Staging(Database& db)
    : put_(db,
           "INSERT INTO staged(import, source_id, form, bytes, body) VALUES(?1, ?2, ?3, ?4, ?5)"
           " ON CONFLICT(import, source_id) DO UPDATE SET form = ?3, bytes = ?4, body = ?5"),
      drop_(db, "DELETE FROM staged WHERE import = ?1 AND source_id = ?2"),
      oldest_(db, "SELECT form, bytes, body FROM staged WHERE import = ?1 ORDER BY number LIMIT ?2"),
      compressor_(ZSTD_createCCtx()) {
  ENSURE(compressor_ != nullptr);
}

Staging::~Staging() = default;

Result<> Staging::put(std::int64_t import, const Call& call) {
  std::string body = to_json(call);
  const std::size_t bytes = body.size();
  if (bytes > kStagedCallBytesMax)
    return fail(Code::kInvalid, "a call of " + std::to_string(bytes) + " bytes is too long");
  const Form form = bytes > kPlainBytesMax ? kZstd : kPlain;
  if (form == kZstd) {
    TRY(body, compressed(compressor_.get(), body));
  }
  put_.bind(1, import)
      .bind(2, call.source_id)
      .bind(3, static_cast<int>(form))
      .bind(4, static_cast<std::int64_t>(bytes));
  return put_.bind_blob(5, body).run();
}

Result<> Staging::drop(std::int64_t import, const std::string& source_id) {
  return drop_.bind(1, import).bind(2, source_id).run();
}

Result<std::vector<Call>> Staging::oldest(std::int64_t import, int limit) {
  std::vector<Call> calls;
  std::int64_t bytes = 0;
  oldest_.bind(1, import).bind(2, limit);
  while (true) {
    TRY(const bool row, oldest_.step());
    if (!row) return calls;
    bytes += oldest_.integer(1);
    if (!calls.empty() && bytes > kStagedPortionBytesMax) break;
    auto call = read_staged(oldest_);
    if (!call) {
      oldest_.reset();
      return tl::unexpected(std::move(call).error());
    }
    calls.push_back(*std::move(call));
  }
  oldest_.reset();
  return calls;
}

}  // namespace callimport::storage
