// What people want to hear no more of: seen, set and taken back, each with who and why in the audit log.
#include <nlohmann/json.hpp>

#include "activities/import/contract.h"
#include "activities/notify/events.h"
#include "api/grpc/deeds.h"
#include "api/grpc/product_internal.h"
#include "storage/library/telling.h"

namespace callimport::api {
namespace {

using nlohmann::json;
using storage::MuteRow;
using storage::MuteScope;

constexpr std::string_view kCustomerPrefix = "customer:";
constexpr std::size_t kWorkspaceBytesMax = 200;

v1::Mute to_message(const MuteRow& row) {
  v1::Mute made;
  made.set_person(row.person);
  made.set_scope(std::string(to_string(row.scope)));
  made.set_target(row.target);
  made.set_at_ms(row.at_ms);
  made.set_who(row.who);
  made.set_origin(row.origin);
  made.set_why(row.why);
  return made;
}

std::string note_of(const MuteRow& row) {
  return json{{"person", row.person}, {"scope", to_string(row.scope)}, {"target", row.target}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

Result<> must_be_known(const ProductParts& parts, const std::string& person) {
  if (person.empty()) return fail(Code::kInvalid, "who is to be muted?");
  if (parts.roster == nullptr) return fail(Code::kNotFound, "there are no people in the configuration");
  const bool customer = person.starts_with(kCustomerPrefix);
  const bool known = customer ? parts.roster->customers.contains(person.substr(kCustomerPrefix.size()))
                              : parts.roster->find(person) != nullptr;
  if (known) return {};
  return fail(Code::kNotFound, "no person " + person + " in the configuration");
}

/// Of the request: person, scope and target.
template <class Request>
Result<MuteRow> asked_for(ProductParts& parts, const Request& request) {
  MuteRow row;
  row.person = request.person();
  const int named =
      (request.import().empty() ? 0 : 1) + (request.workspace().empty() ? 0 : 1) + (request.event().empty() ? 0 : 1);
  if (named > 1) return fail(Code::kInvalid, "one import, one workspace or one event at a time");
  if (!request.import().empty()) {
    row.scope = MuteScope::kImport;
    TRY(row.target, resolve_import(parts.library, request.import()));
  } else if (!request.workspace().empty()) {
    if (request.workspace().size() > kWorkspaceBytesMax) return fail(Code::kInvalid, "there is no such workspace");
    row.scope = MuteScope::kWorkspace;
    row.target = request.workspace();
  } else if (!request.event().empty()) {
    if (activities::find_event(request.event()) == nullptr)
      return fail(Code::kInvalid, "no event " + request.event() + "; all of them: callimport notifications preview");
    row.scope = MuteScope::kEvent;
    row.target = request.event();
  }
  return row;
}

template <class Request>
Deed deed_about(std::string_view method, const Caller& caller, const Request& request, const MuteRow& row) {
  Deed deed = deed_of(product_method(method), caller, request.deed());
  if (row.scope == MuteScope::kImport) deed.import = row.target;
  return deed;
}

std::string words_of(const MuteRow& row) {
  switch (row.scope) {
    case MuteScope::kAll: return row.person + " hears of nothing any more.";
    case MuteScope::kImport: return row.person + " hears no more of " + row.target + ".";
    case MuteScope::kWorkspace: return row.person + " hears no more of imports of " + row.target + ".";
    case MuteScope::kEvent: return row.person + " gets no more " + row.target + ".";
  }
  return {};
}

Result<v1::ListMutesResponse> list_mutes(ProductParts& parts, const v1::ListMutesRequest& request) {
  v1::ListMutesResponse reply;
  TRY_VOID(parts.library.look_at_telling([&](storage::TellingReads& telling) -> Result<> {
    TRY(const auto rows, telling.mutes().list(request.person(), page_size(request.page_size())));
    for (const auto& row : rows) *reply.add_mutes() = to_message(row);
    return {};
  }));
  return reply;
}

/// The row and its line in the audit log are one transaction; what is muted already is neither.
Result<v1::MuteMessagesResponse> mute(ProductParts& parts, const v1::MuteMessagesRequest& request,
                                      const Caller& caller) {
  TRY_VOID(must_be_known(parts, request.person()));
  TRY(MuteRow row, asked_for(parts, request));
  Deed deed = deed_about("MuteMessages", caller, request, row);
  deed.after = note_of(row);
  row.at_ms = to_unix_ms(parts.clock.now());
  row.who = caller.name;
  row.origin = caller.origin;
  row.why = activities::cut_text(deed.why, activities::kSentenceBytesMax);
  v1::MuteMessagesResponse reply;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    auto& mutes = tx.telling().mutes();
    TRY(const auto known, mutes.reads().find(row.person, row.scope, row.target));
    reply.set_already(known.has_value());
    *reply.mutable_mute() = to_message(known ? *known : row);
    if (known) return {};
    TRY_VOID(note_deed(parts, tx, deed));
    TRY_VOID(mutes.put(row));
    return {};
  }));
  reply.add_words(words_of(row));
  reply.add_words("What wants somebody to act goes to the next person. Back again: callimport notifications unmute " +
                  row.person);
  return reply;
}

Result<v1::UnmuteMessagesResponse> unmute(ProductParts& parts, const v1::UnmuteMessagesRequest& request,
                                          const Caller& caller) {
  if (request.person().empty()) return fail(Code::kInvalid, "who is to be unmuted?");
  TRY(const MuteRow row, asked_for(parts, request));
  Deed deed = deed_about("UnmuteMessages", caller, request, row);
  deed.before = note_of(row);
  v1::UnmuteMessagesResponse reply;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    auto& mutes = tx.telling().mutes();
    const bool all = row.scope == MuteScope::kAll;
    TRY(const auto removed, all ? mutes.drop_all(row.person) : mutes.drop(row.person, row.scope, row.target));
    reply.set_removed(removed);
    if (removed == 0) return {};
    TRY_VOID(note_deed(parts, tx, deed));
    return {};
  }));
  if (reply.removed() == 0) return fail(Code::kNotFound, row.person + " has not muted that");
  return reply;
}

}  // namespace

void add_mute_methods(Router& router, ProductParts& parts) {
  add_pooled(router, parts, "ListMutes", &list_mutes);
  add_pooled(router, parts, "MuteMessages", &mute);
  add_pooled(router, parts, "UnmuteMessages", &unmute);
}

}  // namespace callimport::api
