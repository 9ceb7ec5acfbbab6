// The directory: people come in, are listed, and calls are matched with them anew.
#include <nlohmann/json.hpp>

#include "api/grpc/deeds.h"

namespace callimport::api {
namespace {

constexpr int kContactsMax = 2'000;
constexpr int kRematchCalls = 200;  ///< in one transaction, so that imports wait for none of them long

storage::Contact to_contact(const v1::Contact& from) {
  storage::Contact contact;
  if (!from.kind().empty()) contact.kind = from.kind();
  contact.name = from.name();
  contact.email = from.email();
  contact.phone = from.phone();
  contact.company = from.company();
  contact.domain = from.domain();
  contact.platform = from.platform();
  contact.user = from.user();
  return contact;
}

/// A refused row wrote nothing; other errors end the transaction.
Result<> put_all(storage::LibraryTx& tx, const v1::ImportPeopleRequest& request, v1::ImportPeopleResponse& reply) {
  for (int i = 0; i < request.contacts_size(); ++i) {
    const auto change = tx.put_person(to_contact(request.contacts(i)));
    if (!change && change.error().code != Code::kInvalid) return tl::unexpected(change.error());
    if (!change) {
      auto& refused = *reply.add_refused();
      refused.set_index(i);
      refused.set_reason(change.error().message);
    } else if (*change == storage::PersonChange::kAdded) {
      reply.set_added(reply.added() + 1);
    } else if (*change == storage::PersonChange::kUpdated) {
      reply.set_updated(reply.updated() + 1);
    } else {
      reply.set_unchanged(reply.unchanged() + 1);
    }
  }
  if (request.dry_run()) return fail(Code::kCancelled, "a dry run");  // takes everything back
  return {};
}

/// One file comes in many requests: with one request id it is one line of the audit log.
Result<v1::ImportPeopleResponse> import_people(ProductParts& parts, const v1::ImportPeopleRequest& request,
                                               const Caller& caller) {
  if (request.contacts_size() > kContactsMax) {
    return fail(Code::kInvalid, "more than " + std::to_string(kContactsMax) + " people at once");
  }
  Deed deed = deed_of(product_method("ImportPeople"), caller, request.deed());
  deed.after =
      nlohmann::json{{"from", request.source()}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  v1::ImportPeopleResponse reply;
  const auto put = parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    if (!request.dry_run()) TRY_VOID(note_deed(parts, tx, deed));
    return put_all(tx, request, reply);
  });
  if (!put && !(request.dry_run() && put.error().code == Code::kCancelled)) return tl::unexpected(put.error());
  return reply;
}

Result<v1::ListPeopleResponse> list_people(ProductParts& parts, const v1::ListPeopleRequest& request) {
  const int size = page_size(request.page_size());
  TRY(const auto people, parts.library.people(request.text(), request.page_token(), size));
  v1::ListPeopleResponse reply;
  for (const auto& one : people) {
    auto& added = *reply.add_people();
    added.set_id(one.id);
    added.set_kind(one.kind);
    added.set_name(one.name);
    added.set_company(one.company);
    for (const auto& key : one.keys) {
      auto& known = *added.add_keys();
      known.set_kind(key.kind);
      known.set_value(key.value);
    }
  }
  if (static_cast<int>(people.size()) == size) reply.set_next_page_token(people.back().id);
  return reply;
}

Result<v1::ListUnmatchedResponse> list_unmatched(ProductParts& parts, const v1::ListUnmatchedRequest& request) {
  TRY(const auto counts, parts.library.people_counts());
  TRY(const auto rows, parts.library.unmatched(page_size(request.limit())));
  v1::ListUnmatchedResponse reply;
  for (const auto& row : rows) {
    auto& added = *reply.add_rows();
    added.set_ambiguous(row.ambiguous);
    added.set_name(row.name);
    added.set_email(row.email);
    added.set_phone(row.phone);
    added.set_platform(row.platform);
    added.set_user(row.user);
    added.set_example_call(row.example_call);
    added.set_calls(row.calls);
  }
  reply.set_people(counts.people);
  reply.set_matched(counts.matched);
  reply.set_ambiguous(counts.ambiguous);
  reply.set_unmatched(counts.unmatched);
  reply.set_nothing_to_go_by(counts.nothing_to_go_by);
  reply.set_not_looked_at(counts.not_looked_at);
  return reply;
}

Result<v1::RematchPeopleResponse> rematch_people(ProductParts& parts, const v1::RematchPeopleRequest& request,
                                                 const Caller& caller) {
  const Deed deed = deed_of(product_method("RematchPeople"), caller, request.deed());
  storage::Rematched done;
  TRY_VOID(parts.library.change([&](storage::LibraryTx& tx) -> Result<> {
    TRY_VOID(note_deed(parts, tx, deed));
    TRY(done, tx.rematch(request.from(), kRematchCalls));
    return {};
  }));
  v1::RematchPeopleResponse reply;
  reply.set_next(done.next);
  reply.set_calls(done.calls);
  reply.set_changed(done.changed);
  return reply;
}

}  // namespace

void add_people_methods(Router& router, ProductParts& parts) {
  add_pooled(router, parts, "ImportPeople", &import_people);
  add_pooled(router, parts, "ListPeople", &list_people);
  add_pooled(router, parts, "ListUnmatched", &list_unmatched);
  add_pooled(router, parts, "RematchPeople", &rematch_people);
}

}  // namespace callimport::api
