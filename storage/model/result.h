#pragma once
// What a function between floors answers: a value, or an error named by the reaction it calls for.
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace callimport {

/// One code for each way a caller reacts. `api` maps each to one gRPC status and one exit code.
enum class Code : std::uint8_t {
  kInvalid,           ///< the caller's input is wrong; the same call fails again
  kNotFound,          ///< no such thing
  kConflict,          ///< exists already, or another state than the call needs
  kUnavailable,       ///< not now: disk full, busy, network; safe to retry
  kCancelled,         ///< an outcome, not an error: pass it on, do not log, do not retry
  kCorrupt,           ///< what is on disk is not what we wrote, or a bug of ours; the caller stops
  kNondeterministic,  ///< workflow code and history disagree
};

std::string_view to_string(Code code);

struct Error {
  Code code = Code::kInvalid;
  std::string message;  ///< one sentence with ids in it, never a secret
  bool retryable() const noexcept { return code == Code::kUnavailable; }
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace callimport

#define CALLIMPORT_CONCAT_INNER(a, b) a##b
#define CALLIMPORT_CONCAT(a, b) CALLIMPORT_CONCAT_INNER(a, b)
#define CALLIMPORT_TRY(ret, result, declaration, expression)  \
  auto result = (expression);                                 \
  if (!result) ret tl::unexpected(std::move(result).error()); \
  declaration = std::move(*result)
/// TRY(auto rows, reader.read(id)); hands an error up. CO_TRY is the same inside a coroutine.
#define TRY(declaration, expression) \
  CALLIMPORT_TRY(return, CALLIMPORT_CONCAT(try_result_, __LINE__), declaration, expression)
#define CO_TRY(declaration, expression) \
  CALLIMPORT_TRY(co_return, CALLIMPORT_CONCAT(try_result_, __LINE__), declaration, expression)
/// The same for Result<void>.
#define TRY_VOID(expression) \
  if (auto try_void = (expression); !try_void) return tl::unexpected(std::move(try_void).error())
#define CO_TRY_VOID(expression) \
  if (auto try_void = (expression); !try_void) co_return tl::unexpected(std::move(try_void).error())
