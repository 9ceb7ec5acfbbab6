#pragma once
// What people do that is not done to one import alone: credentials, people, back-ups. Written down before it is done,
// as actions are, with what came of it. Private to api/grpc.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "api/grpc/product_internal.h"

namespace callimport::api {

inline constexpr std::size_t kRequestIdBytesMax = 200;

/// For the record; before and after are JSON.
struct Deed {
  Caller caller;
  std::string verb;
  std::string why, request_id;  ///< empty request id: one is made up
  std::string before = "{}", after = "{}";
  std::string import = {};  ///< imp_...; empty: of none
};
Deed deed_of(std::string_view method, const Caller& caller, const v1::Deed& said);

/// A deed that was written down.
struct Noted {
  std::int64_t number = 0;
  bool again = false;   ///< the request id was there: this is another try of the same deed
  std::string outcome;  ///< what came of it then; empty: nothing was said
};
/// On the pool.  @error kInvalid  a request id that is too long, or another deed's.
Result<Noted> note_deed(ProductParts& parts, const Deed& deed);
/// Inside a transaction that does it, too.
Result<Noted> note_deed(ProductParts& parts, storage::LibraryTx& tx, const Deed& deed);
/// On the pool: what came of it, when that is more than that it was done. What failed in another try changes nothing.
Result<> note_outcome(ProductParts& parts, const Noted& noted, const std::string& outcome);
Result<> note_failure(ProductParts& parts, const Noted& noted, const std::string& message);

/// A credential in a record, as JSON; `id` may be empty.
std::string credential_note(const std::string& id, const std::string& platform, const std::string& workspace,
                            const std::string& kind);

/// A new secret for a credential that is there: held against the platform of an import that waits for it, sealed, and
/// the imports are told. One that the platform does not take tells nobody. What came of it is noted. Called and
/// answered on the loop.
using OnRenewed = std::function<void(const PortStatus& status, const v1::ReplaceCredentialResponse& reply)>;
void renew_credential(ProductParts& parts, const v1::ReplaceCredentialRequest& request, Noted noted, OnRenewed done);

/// A method that is noted, then done, on the pool. `about` checks the request and describes it, `body` does it; what
/// `body` leaves in noted.outcome is kept.
template <class Request, class Response>
void add_deed(Router& router, ProductParts& parts, std::string_view name,
              Result<> (*about)(ProductParts&, const Request&, Deed&),
              Result<Response> (*body)(ProductParts&, const Request&, Noted&)) {
  const auto full = product_method(name);
  auto work = [&parts, full, about, body](const Request& request, const Caller& caller) -> Result<Response> {
    Deed deed = deed_of(full, caller, request.deed());
    TRY_VOID(about(parts, request, deed));
    TRY(Noted noted, note_deed(parts, deed));
    const std::string before = noted.outcome;
    auto response = body(parts, request, noted);
    if (!response) {
      (void)note_failure(parts, noted, response.error().message);  // the caller hears of the failure itself
      return response;
    }
    if (noted.outcome != before) TRY_VOID(note_outcome(parts, noted, noted.outcome));
    return response;
  };
  router.methods[full] = callers_method<Request>(
      [&parts, work](std::shared_ptr<Request> request, const Caller& caller, std::shared_ptr<Answer> answer) {
        answer_from_pool(parts, std::move(answer), [work, request, caller] { return work(*request, caller); });
      });
}

}  // namespace callimport::api
