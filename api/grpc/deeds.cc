#include "api/grpc/deeds.h"

#include <fmt/format.h>

#include "activities/import/contract.h"

namespace callimport::api {

Deed deed_of(std::string_view method, const Caller& caller, const v1::Deed& said) {
  Deed deed;
  deed.caller = caller;
  deed.verb = role_of_method(method).doing;
  deed.why = said.why();
  deed.request_id = said.request_id();
  return deed;
}

Result<Noted> note_deed(ProductParts& parts, storage::LibraryTx& tx, const Deed& deed) {
  if (deed.request_id.size() > kRequestIdBytesMax)
    return fail(Code::kInvalid, fmt::format("a request id has at most {} bytes", kRequestIdBytesMax));
  storage::ActionRow row;
  row.at_ms = to_unix_ms(parts.clock.now());
  row.import = deed.import;
  row.verb = deed.verb;
  row.who = deed.caller.name;
  row.origin = deed.caller.origin;
  row.why = activities::cut_text(deed.why, activities::kSentenceBytesMax);
  row.before = deed.before;
  row.after = deed.after;
  row.request_id = deed.request_id.empty() ? parts.random.uuid4() : deed.request_id;
  // Read beside the transaction: whatever is newer than this is not there yet.
  TRY(const auto newest, parts.library.actions({}, 0, 1));
  Noted noted;
  TRY(noted.number, tx.add_action(row, 0));
  noted.again = !newest.empty() && noted.number <= newest.front().number;
  if (!noted.again) return noted;
  TRY(const auto known, parts.library.actions({}, noted.number + 1, 1));
  if (!known.empty()) noted.outcome = known.front().outcome;
  return noted;
}

Result<Noted> note_deed(ProductParts& parts, const Deed& deed) {
  Noted noted;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY(noted, note_deed(parts, tx, deed));
    return {};
  }));
  return noted;
}

Result<> note_outcome(ProductParts& parts, const Noted& noted, const std::string& outcome) {
  return parts.library.change([&](storage::LibraryTx& tx) {
    return tx.set_outcome(noted.number, activities::cut_text(outcome, activities::kSentenceBytesMax));
  });
}

Result<> note_failure(ProductParts& parts, const Noted& noted, const std::string& message) {
  if (noted.again) return {};
  return note_outcome(parts, noted, "not done: " + message);
}

}  // namespace callimport::api
